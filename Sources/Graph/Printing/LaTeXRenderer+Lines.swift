/// Formulas that are wider than a page. Sums break before a sign and products before a factor; what stands in brackets or in
/// a fraction breaks inside `aligned`, so that `\left` and `\right` meet.
extension LaTeXRenderer {
  /// What is left where brackets around brackets take up the line.
  private static let narrowest = 16

  /// The formula in lines of about `width` characters as they are set.
  mutating func lines(_ e: MathExpression, width: Int) -> [String] {
    let whole = bare(e)
    if LaTeX.width(whole) <= width { return [whole] }
    let width = max(width, Self.narrowest)
    switch e {
    case .sum(let terms): return sumLines(terms, width)
    case .product(let scale, let factors, let kind): return productLines(scale, factors, kind, width)
    case .over(let operation, let letters, let body) where level(body) == .product:
      var lines = lines(body, width: width - LaTeX.width(sign(operation, letters)))
      lines[0] = "\(sign(operation, letters)) \(lines[0])"
      return lines
    default: return [narrow(e, .conditional, width)]
    }
  }

  private mutating func sumLines(_ terms: [MathTerm], _ width: Int) -> [String] {
    var lines: [String] = []
    // A term in several lines leaves no room beside it.
    var isFull = true
    for (index, term) in terms.enumerated() {
      let part = signed(term, isFirst: index == 0)
      if LaTeX.width(part) > width {
        lines += termLines(term, isFirst: index == 0, width)
        isFull = true
      } else if let last = lines.last, !isFull, LaTeX.width(last) + LaTeX.width(part) <= width {
        lines[lines.count - 1] = last + " " + part
      } else {
        lines.append(part)
        isFull = false
      }
    }
    return lines
  }

  private mutating func termLines(_ term: MathTerm, isFirst: Bool, _ width: Int) -> [String] {
    let body = term.body.scaled(term.coefficient.magnitude)
    var result = level(body) < .over ? [narrow(body, .over, width - 2)] : lines(body, width: width - 2)
    let sign = term.coefficient < 0 ? "-" : "+"
    result[0] = isFirst ? (sign == "-" ? "-" : "") + result[0] : "\(sign) \(result[0])"
    return result
  }

  private mutating func productLines(
    _ scale: Double, _ factors: [MathExpression], _ kind: MathProductKind, _ width: Int
  ) -> [String] {
    let parts = self.factors(of: scale, factors, kind) { $0.narrow($1, $2, width - 4) }
    var lines = [scale < 0 ? "-" : ""]
    for (index, part) in parts.enumerated() {
      let isNew = index > 0 && LaTeX.width(lines[lines.count - 1]) + LaTeX.width(part.text) > width
      if isNew {
        lines.append((kind == .pointwise ? "\\odot " : "\\cdot ") + part.text)
      } else {
        lines[lines.count - 1] += part.sign + part.text
      }
    }
    return lines
  }

  /// The text as one operand that is hardly wider than `width`, in parentheses when it binds less than `minimum`.
  private mutating func narrow(_ e: MathExpression, _ minimum: Level, _ width: Int) -> String {
    let whole = text(e, minimum)
    if LaTeX.width(whole) <= width { return whole }
    if level(e) < minimum { return parenthesized(folded(e, width - 2)) }
    switch e {
    case .sum, .product: return folded(e, width)
    case .quotient(let top, let bottom, elementwise: false):
      if top.separated.coefficient < 0 {
        return "-" + narrow(.quotient(top.scaled(-1), bottom, elementwise: false), .over, width - 1)
      }
      return "\\frac{\(folded(top, width))}{\(folded(bottom, width))}"
    case .over(let operation, let letters, let body):
      let sign = sign(operation, letters)
      let minimum: Level = level(body) == .over ? .over : .product
      return "\(sign) \(narrow(body, minimum, width - LaTeX.width(sign)))"
    case .power(let base, let n, let rank):
      return LaTeX.raised(narrow(base, .atom, width - 2), (rank > 1 ? "\\circ " : "") + "\(n)")
    case .transpose(.inverse(let inner)): return LaTeX.raised(narrow(inner, .atom, width - 2), "-\\top")
    case .transpose(let inner): return LaTeX.raised(narrow(inner, .atom, width - 1), "\\top")
    case .inverse(let inner): return LaTeX.raised(narrow(inner, .atom, width - 2), "-1")
    case .call("sqrt", let arguments) where arguments.count == 1:
      return "\\sqrt{\(folded(arguments[0], width - 2))}"
    case .call(let name, let arguments) where arguments.count == 1:
      let head = LaTeX.function(name)
      return head + parenthesized(folded(arguments[0], width - LaTeX.width(head) - 2))
    case .differential(let inner) where !inner.isAtomic:
      return "\\mathrm{d}" + parenthesized(folded(inner, width - 3))
    case .fence(let fence, let inner): return fenced(fence, folded(inner, width - 2))
    default: return whole
    }
  }

  /// The lines one below the other, as one block.
  private mutating func folded(_ e: MathExpression, _ width: Int) -> String {
    let lines = lines(e, width: width)
    guard lines.count > 1 else { return lines[0] }
    let rows = lines.enumerated().map { $0 == 0 ? "& \($1)" : "&\\quad \($1)" }
    return "\\begin{aligned} \(rows.joined(separator: " \\\\ ")) \\end{aligned}"
  }
}
