/// The characters a formula may use.
public enum MathStyle: Sendable {
  case unicode, ascii
  /// Lines of an `align*` of amsmath, with `&` before the equals sign.
  case latex
}

/// Writes expressions as text with places where a line may break.
struct MathRenderer {
  let style: MathStyle
  /// Names of nodes with a line of their own.
  var names: [NodeID: String]
  /// References met so far, in order of first use.
  private(set) var mentions: [NodeID] = []
  private var mentioned = Set<NodeID>()
  var pieces: [MathPiece] = []
  var depth = 0

  init(style: MathStyle, names: [NodeID: String]) {
    self.style = style
    self.names = names
  }

  /// How tightly a form binds; a child that binds less than its place demands gets parentheses.
  enum Level: Int, Comparable {
    case conditional, relation, sum, over, product, power, atom
    static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
  }

  /// The text on one line.
  mutating func text(_ e: MathExpression) -> String {
    let outer = pieces
    defer { pieces = outer }
    pieces = []
    emit(e)
    return pieces.map(\.text).joined()
  }

  mutating func mention(_ id: NodeID) {
    if mentioned.insert(id).inserted { mentions.append(id) }
  }

  var isUnicode: Bool { style == .unicode }
  var minus: String { isUnicode ? "−" : "-" }
  var times: String { isUnicode ? "·" : "*" }

  mutating func put(_ text: String) { pieces.append(MathPiece(text: text, breakDepth: nil)) }

  /// Text that may begin a line.
  mutating func putBreakable(_ text: String) { pieces.append(MathPiece(text: text, breakDepth: depth)) }

  func level(_ e: MathExpression) -> Level {
    switch e {
    case .number(let value):
      if value < 0 { return .sum }
      return MathNumber.isFraction(value) ? .product : .atom
    case .sum: return .sum
    case .product(let scale, _, _): return scale < 0 ? .sum : .product
    case .quotient(let top, _, _):
      return level(top) == .sum && top.separated.coefficient < 0 ? .sum : .product
    case .power, .exponent, .transpose: return .power
    case .inverse: return isUnicode ? .power : .atom
    case .call("sech2", _): return isUnicode ? .atom : .power
    case .differential: return .power
    case .call("sqrt", _): return isUnicode ? .power : .atom
    case .conditional: return .conditional
    case .relation: return .relation
    case .over: return .over
    default: return .atom
    }
  }

  /// Writes `e`, in parentheses when it binds less than `minimum`.
  mutating func emit(_ e: MathExpression, _ minimum: Level = .conditional) {
    guard level(e) < minimum else { return emitBare(e) }
    put("(")
    depth += 1
    emitBare(e)
    depth -= 1
    put(")")
  }

  private mutating func emitBare(_ e: MathExpression) {
    switch e {
    case .name(let name): put(name)
    case .reference(let id):
      mention(id)
      put(names[id] ?? (isUnicode ? "…" : "..."))
    case .symbol(let symbol): put(text(of: symbol))
    case .number(let value): put((value < 0 ? minus : "") + MathNumber.text(value.magnitude, style))
    case .sum(let terms): emitSum(terms)
    case .product(let scale, let factors, let kind): emitProduct(scale, factors, kind)
    case .quotient(let top, let bottom, let elementwise): emitQuotient(top, bottom, elementwise)
    case .power(let base, let n, let rank): emitPower(base, n, rank)
    case .exponent(let base, let exponent, let rank):
      emit(base, .atom)
      put(rank > 0 && !isUnicode ? ".^" : (rank > 1 ? "^⊙" : "^"))
      emit(exponent, .atom)
    case .transpose(let inner): emitTranspose(inner)
    case .inverse(let inner): emitInverse(inner)
    case .call(let name, let arguments): emitCall(name, arguments)
    case .differential(let inner): emitDifferential(inner)
    case .fence(let fence, let inner): emitFence(fence, inner)
    case .relation(let sign, let a, let b):
      emit(a, .sum)
      put(" \(sign) ")
      emit(b, .sum)
    case .conditional(let c, let a, let b): emitConditional(c, a, b)
    case .over(let operation, let letters, let body): emitOver(operation, letters, body)
    case .indexed(let base, let indices):
      emit(base, .atom)
      put("[" + indices.map { text(of: $0) }.joined(separator: ",") + "]")
    case .delta(let a, let b): put("\(isUnicode ? "δ" : "delta")(\(text(of: a)),\(text(of: b)))")
    case .within(let index, let low, let high):
      let sign = isUnicode ? " ≤ " : " <= "
      put((low.map { "\($0)" + sign } ?? "") + text(of: index) + (high.map { " < \($0)" } ?? ""))
    case .literal(let rows): put(text(of: rows))
    }
  }

  // MARK: Operators

  private mutating func emitSum(_ terms: [MathTerm]) {
    for (index, term) in terms.enumerated() {
      let negative = term.coefficient < 0
      if index == 0 {
        if negative { put(minus) }
      } else {
        put(" ")
        putBreakable((negative ? minus : "+") + " ")
      }
      depth += 1
      emit(term.body.scaled(term.coefficient.magnitude), .over)
      depth -= 1
    }
  }

  private mutating func emitProduct(_ scale: Double, _ factors: [MathExpression], _ kind: MathProductKind) {
    if scale < 0 { put(minus) }
    let size = scale.magnitude
    if size != 1 {
      put(MathNumber.text(size, style))
      put(MathNumber.isFraction(size) ? " \(times) " : times)
    }
    let sign: String
    switch kind {
    case .scalar, .matrix: sign = times
    case .pointwise: sign = isUnicode ? "⊙" : ".*"
    }
    depth += 1
    for (index, factor) in factors.enumerated() {
      if index > 0 { putBreakable(sign) }
      emit(factor, demanded(by: kind, of: factor, isLast: index == factors.count - 1))
    }
    depth -= 1
  }

  private func demanded(by kind: MathProductKind, of factor: MathExpression, isLast: Bool) -> Level {
    guard kind == .scalar else { return .power }
    switch factor {
    case .product(1, _, let inner) where inner != .scalar && isLast: return .product
    case .quotient(_, _, elementwise: false): return .product
    case .over where isLast: return .over
    default: return .power
    }
  }

  private mutating func emitQuotient(_ top: MathExpression, _ bottom: MathExpression, _ elementwise: Bool) {
    depth += 1
    if case .product = top, elementwise {
      emit(top, .power)
    } else if top.separated.coefficient < 0 {
      put(minus)
      emit(top.scaled(-1), elementwise ? .power : .product)
    } else {
      emit(top, .product)
    }
    putBreakable(elementwise ? (isUnicode ? "⊘" : "./") : "/")
    emit(bottom, .power)
    depth -= 1
  }

  private mutating func emitPower(_ base: MathExpression, _ n: Int, _ rank: Int) {
    emit(base, .atom)
    if isUnicode {
      put(rank > 1 ? "^⊙\(n)" : MathNumber.superscript(n))
    } else {
      put((rank > 0 ? ".^" : "^") + (n < 0 ? "(\(n))" : "\(n)"))
    }
  }

  private mutating func emitTranspose(_ inner: MathExpression) {
    if isUnicode, case .inverse(let base) = inner {
      emit(base, .atom)
      return put("⁻ᵀ")
    }
    if case .differential = inner { emit(inner) } else { emit(inner, .atom) }
    put(isUnicode ? "ᵀ" : "'")
  }

  private mutating func emitInverse(_ inner: MathExpression) {
    guard isUnicode else { return emitCall("inv", [inner]) }
    emit(inner, .atom)
    put("⁻¹")
  }

  private mutating func emitConditional(_ c: MathExpression, _ a: MathExpression, _ b: MathExpression) {
    put("if ")
    emit(c, .relation)
    put(" ")
    putBreakable("then ")
    emit(a, .relation)
    put(" ")
    putBreakable("else ")
    emit(b, .conditional)
  }

  private mutating func emitOver(_ operation: String, _ letters: [String], _ body: MathExpression) {
    if isUnicode {
      put((operation == "sum" ? "Σ" : operation) + MathNumber.subscript(letters) + " ")
    } else {
      put(operation + "_" + (letters.count == 1 ? letters[0] : "{\(letters.joined(separator: ","))}") + " ")
    }
    depth += 1
    emit(body, level(body) == .over ? .over : .product)
    depth -= 1
  }

  // MARK: Calls

  private mutating func emitCall(_ name: String, _ arguments: [MathExpression]) {
    if name == "sech2" && !isUnicode {
      emitCall("sech", arguments)
      return put("^2")
    }
    let shown = isUnicode ? Self.letters[name] ?? name : Self.words[name] ?? name
    put(shown)
    if shown == "√", arguments.count == 1, level(arguments[0]) == .atom { return emit(arguments[0]) }
    put("(")
    depth += 1
    for (index, argument) in arguments.enumerated() {
      if index > 0 {
        put(",")
        putBreakable(" ")
      }
      emit(argument)
    }
    depth -= 1
    put(")")
  }

  /// dx, dW[0,1], d(a + b), d(tanh(z)).
  private mutating func emitDifferential(_ inner: MathExpression) {
    put("d")
    if inner.isAtomic { return emit(inner, .atom) }
    put("(")
    depth += 1
    emit(inner)
    depth -= 1
    put(")")
  }

  private static let letters = [
    "sigmoid": "σ", "sqrt": "√", "sech2": "sech²", "eigvals": "λ", "eigvecs": "V", "trace": "tr",
    "diagonal": "diag", "not": "¬",
  ]
  private static let words = ["trace": "tr", "diagonal": "diag"]

  private mutating func emitFence(_ fence: MathFence, _ inner: MathExpression) {
    let words: (String, String)
    switch fence {
    case .absolute: words = isUnicode ? ("|", "|") : ("abs(", ")")
    case .norm: words = isUnicode ? ("‖", "‖") : ("norm(", ")")
    case .logdet: words = isUnicode ? ("log|", "|") : ("logdet(", ")")
    case .floor: words = isUnicode ? ("⌊", "⌋") : ("floor(", ")")
    case .ceiling: words = isUnicode ? ("⌈", "⌉") : ("ceil(", ")")
    case .iverson: words = ("[", "]")
    }
    put(words.0)
    depth += 1
    emit(inner)
    depth -= 1
    put(words.1)
  }

  // MARK: Atoms

  private func text(of symbol: MathSymbol) -> String {
    switch symbol {
    case .identity: return "I"
    case .ones: return "1"
    case .ellipsis: return isUnicode ? "…" : "..."
    case .unit(let k): return isUnicode ? "e" + MathNumber.subscript(k) : "e_\(k)"
    }
  }

  private mutating func text(of index: MathIndex) -> String {
    switch index {
    case .at(let affine): return text(of: affine)
    case .slice(let text): return text
    }
  }

  mutating func text(of index: AffineIndex) -> String {
    // 9−i rather than −i+9.
    let leads = index.constant > 0 && (index.terms.first?.coefficient ?? 0) < 0
    var result = leads ? "\(index.constant)" : ""
    for term in index.terms {
      let size = term.coefficient.magnitude
      let sign = term.coefficient < 0 ? minus : (result.isEmpty ? "" : "+")
      result += sign + (size == 1 ? "" : "\(size)\(times)") + text(term.expression)
    }
    if leads { return result }
    if index.terms.isEmpty || index.constant > 0 {
      return result + (result.isEmpty ? "" : "+") + "\(index.constant)"
    }
    return index.constant < 0 ? result + minus + "\(index.constant.magnitude)" : result
  }

  private func text(of rows: [[Double]]) -> String {
    let lines = rows.map { row in
      row.map { ($0 < 0 ? minus : "") + MathNumber.decimal($0.magnitude) }.joined(separator: ", ")
    }
    return "[" + lines.joined(separator: "; ") + "]"
  }
}
