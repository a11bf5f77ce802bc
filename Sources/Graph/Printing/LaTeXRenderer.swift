/// Writes expressions in LaTeX (amsmath). Lines break outside all brackets, so that `\left` and `\right` meet on one line.
struct LaTeXRenderer {
  typealias Level = MathRenderer.Level

  /// Names of nodes with a line of their own, as in text.
  let names: [NodeID: String]
  private(set) var mentions: [NodeID] = []
  private var mentioned = Set<NodeID>()
  /// How tightly forms bind is the same as in text, save for fractions, which enclose what they hold.
  private let levels = MathRenderer(style: .unicode, names: [:])

  init(names: [NodeID: String]) { self.names = names }

  // MARK: Expressions

  func level(_ e: MathExpression) -> Level {
    switch e {
    case .quotient(let top, _, elementwise: false):
      return top.separated.coefficient < 0 ? .sum : .power
    case .number(let value): return value < 0 ? .sum : .atom
    case .differential, .call("sech2", _): return .power
    case .call("sqrt", _), .conditional: return .atom
    case .inverse: return .power
    default: return levels.level(e)
    }
  }

  /// The text, in parentheses when it binds less than `minimum`.
  mutating func text(_ e: MathExpression, _ minimum: Level = .conditional) -> String {
    let inside = bare(e)
    return level(e) < minimum ? parenthesized(inside) : inside
  }

  func parenthesized(_ text: String) -> String { "\\left(\(text)\\right)" }

  mutating func bare(_ e: MathExpression) -> String {
    switch e {
    case .name(let name): return LaTeX.name(name)
    case .reference(let id): return mention(id)
    case .symbol(let symbol): return text(of: symbol)
    case .number(let value): return (value < 0 ? "-" : "") + LaTeX.number(value.magnitude)
    case .sum(let terms):
      return terms.enumerated().map { signed($1, isFirst: $0 == 0) }.joined(separator: " ")
    case .product(let scale, let factors, let kind): return product(scale, factors, kind)
    case .quotient(let top, let bottom, let elementwise): return quotient(top, bottom, elementwise)
    case .power(let base, let n, let rank): return raised(base, (rank > 1 ? "\\circ " : "") + "\(n)")
    case .exponent(let base, let exponent, let rank):
      return raised(base, (rank > 1 ? "\\circ " : "") + text(exponent))
    case .transpose(.inverse(let inner)): return raised(inner, "-\\top")
    case .transpose(.differential(let inner)):
      return "\(differential(inner))^{\\top}"
    case .transpose(let inner): return raised(inner, "\\top")
    case .inverse(let inner): return raised(inner, "-1")
    case .call(let name, let arguments): return call(name, arguments)
    case .differential(let inner): return differential(inner)
    case .fence(let fence, let inner): return fenced(fence, text(inner))
    case .relation(let sign, let a, let b):
      return "\(text(a, .sum)) \(LaTeX.relations[sign] ?? sign) \(text(b, .sum))"
    case .conditional(let c, let a, let b):
      return "\\begin{cases} \(text(a)) & \\text{if } \(text(c)) \\\\ \(text(b)) & \\text{else} \\end{cases}"
    case .over(let operation, let letters, let body):
      return sign(operation, letters) + " " + text(body, level(body) == .over ? .over : .product)
    case .indexed(let base, let indices):
      return LaTeX.indexed(text(base, .atom), indices.map { text(of: $0) })
    case .delta(let a, let b): return "\\delta_{\(text(of: a)),\(text(of: b))}"
    case .within(let index, let low, let high):
      return (low.map { "\($0) \\leq " } ?? "") + text(of: index) + (high.map { " < \($0)" } ?? "")
    case .literal(let rows):
      let lines = rows.map { row in
        row.map { ($0 < 0 ? "-" : "") + MathNumber.decimal($0.magnitude) }.joined(separator: " & ")
      }
      return "\\begin{bmatrix} \(lines.joined(separator: " \\\\ ")) \\end{bmatrix}"
    }
  }

  /// Σ or max with the letters below it.
  func sign(_ operation: String, _ letters: [String]) -> String {
    let sign =
      operation == "sum" ? "\\sum" : "\\" + (operation == "max" ? "max" : "operatorname*{\(operation)}")
    return sign + (letters.isEmpty ? "" : "_{" + letters.map(LaTeX.name).joined(separator: ",") + "}")
  }

  private mutating func mention(_ id: NodeID) -> String {
    if mentioned.insert(id).inserted { mentions.append(id) }
    return names[id].map(LaTeX.name) ?? "\\ldots"
  }

  // MARK: Operators

  mutating func signed(_ term: MathTerm, isFirst: Bool) -> String {
    let sign = term.coefficient < 0 ? "-" : "+"
    let body = text(term.body.scaled(term.coefficient.magnitude), .over)
    return isFirst ? (sign == "-" ? "-" : "") + body : "\(sign) \(body)"
  }

  private mutating func product(_ scale: Double, _ factors: [MathExpression], _ kind: MathProductKind)
    -> String
  {
    let parts = self.factors(of: scale, factors, kind) { $0.text($1, $2) }
    return (scale < 0 ? "-" : "") + parts.map { $0.sign + $0.text }.joined()
  }

  /// The factors, each with the sign that joins it to the one before; `write` sets a factor that binds at least so tightly.
  mutating func factors(
    of scale: Double, _ factors: [MathExpression], _ kind: MathProductKind,
    _ write: (inout LaTeXRenderer, MathExpression, Level) -> String
  ) -> [(sign: String, text: String)] {
    var parts = scale.magnitude == 1 ? [] : [LaTeX.number(scale.magnitude)]
    for (index, factor) in factors.enumerated() {
      parts.append(write(&self, factor, demanded(by: kind, of: factor, isLast: index == factors.count - 1)))
    }
    return parts.enumerated().map { index, part in
      if index == 0 { return ("", part) }
      // Two numbers side by side would read as one.
      let isNumber = part.first?.isNumber == true || part.hasPrefix("\\tfrac")
      let isScale = index == 1 && parts.count > factors.count
      return (isNumber ? " \\cdot " : (isScale || kind != .pointwise ? " \\, " : " \\odot "), part)
    }
  }

  private func demanded(by kind: MathProductKind, of factor: MathExpression, isLast: Bool) -> Level {
    guard kind == .scalar else { return .power }
    switch factor {
    case .product(1, _, let inner) where inner != .scalar && isLast: return .product
    case .over where isLast: return .over
    default: return .power
    }
  }

  private mutating func quotient(_ top: MathExpression, _ bottom: MathExpression, _ elementwise: Bool)
    -> String
  {
    if top.separated.coefficient < 0 { return "-" + quotient(top.scaled(-1), bottom, elementwise) }
    if elementwise { return "\(text(top, .power)) \\oslash \(text(bottom, .power))" }
    return "\\frac{\(text(top))}{\(text(bottom))}"
  }

  private mutating func raised(_ base: MathExpression, _ exponent: String) -> String {
    LaTeX.raised(text(base, .atom), exponent)
  }

  private mutating func differential(_ inner: MathExpression) -> String {
    "\\mathrm{d}" + (inner.isAtomic ? text(inner, .atom) : parenthesized(text(inner)))
  }

  private mutating func call(_ name: String, _ arguments: [MathExpression]) -> String {
    let parts = arguments.map { text($0) }
    if name == "sqrt" { return "\\sqrt{\(parts.joined(separator: ", "))}" }
    return LaTeX.function(name) + parenthesized(parts.joined(separator: ", "))
  }

  func fenced(_ fence: MathFence, _ inside: String) -> String {
    switch fence {
    case .absolute: return "\\left|\(inside)\\right|"
    case .norm: return "\\left\\lVert \(inside) \\right\\rVert"
    case .logdet: return "\\log \\left|\\det \(parenthesized(inside))\\right|"
    case .floor: return "\\left\\lfloor \(inside) \\right\\rfloor"
    case .ceiling: return "\\left\\lceil \(inside) \\right\\rceil"
    case .iverson: return "\\left[\(inside)\\right]"
    }
  }

  // MARK: Atoms

  private func text(of symbol: MathSymbol) -> String {
    switch symbol {
    case .identity: return "I"
    case .ones: return "\\mathbf{1}"
    case .ellipsis: return "\\cdots"
    case .unit(let k): return "e_{\(k)}"
    }
  }

  private mutating func text(of index: MathIndex) -> String {
    switch index {
    case .at(let affine): return text(of: affine)
    case .slice(let range): return range
    }
  }

  private mutating func text(of index: AffineIndex) -> String {
    var result = ""
    for term in index.terms {
      let size = term.coefficient.magnitude
      let sign = term.coefficient < 0 ? "-" : (result.isEmpty ? "" : "+")
      result += sign + (size == 1 ? "" : "\(size) \\, ") + text(term.expression, .atom)
    }
    if result.isEmpty { return "\(index.constant)" }
    if index.constant == 0 { return result }
    return result + (index.constant < 0 ? "-" : "+") + "\(index.constant.magnitude)"
  }
}
