/// How the factors of a product are written together.
enum MathProductKind: Hashable, Sendable {
  /// Scalars in front of anything: `a·b·X`.
  case scalar
  case matrix
  /// Entry by entry: `a⊙b`.
  case pointwise
}

/// A summand: coefficient · body, with body 1 for a constant.
struct MathTerm: Hashable, Sendable {
  var coefficient: Double
  var body: MathExpression
}

/// constant + Σ coefficient · expression: an index written out.
struct AffineIndex: Hashable, Sendable {
  struct Term: Hashable, Sendable {
    var coefficient: Int
    var expression: MathExpression
  }
  var constant = 0
  var terms: [Term] = []

  init(_ constant: Int) { self.constant = constant }
  init(_ expression: MathExpression) { terms = [Term(coefficient: 1, expression: expression)] }

  var fixed: Int? { terms.isEmpty ? constant : nil }

  /// How much there is to read: 1 for a letter.
  var length: Int { terms.reduce(constant == 0 ? 0 : 1) { $0 + ($1.coefficient == 1 ? 1 : 2) } }

  mutating func add(_ factor: Int, _ other: AffineIndex) {
    constant += factor * other.constant
    for term in other.terms {
      if let known = terms.firstIndex(where: { $0.expression == term.expression }) {
        terms[known].coefficient += factor * term.coefficient
        if terms[known].coefficient == 0 { terms.remove(at: known) }
      } else if factor != 0 {
        terms.append(Term(coefficient: factor * term.coefficient, expression: term.expression))
      }
    }
  }
}

/// What stands between the brackets of `x[0, 1:, i+1]`.
enum MathIndex: Hashable, Sendable {
  case at(AffineIndex)
  case slice(String)
}

/// What encloses an operand.
enum MathFence: Hashable, Sendable {
  case absolute, norm, logdet, floor, ceiling
  /// 1 where the condition holds, else 0.
  case iverson
}

/// Constants with a letter of their own.
enum MathSymbol: Hashable, Sendable {
  case identity, ones, ellipsis
  /// e₀, e₁, …
  case unit(Int)
}

/// A formula as people write it: what `MathBuilder` makes of nodes and `MathRenderer` turns into text.
indirect enum MathExpression: Hashable, Sendable {
  case name(String)
  /// A node with a `where` line of its own.
  case reference(NodeID)
  case symbol(MathSymbol)
  case number(Double)
  case sum([MathTerm])
  case product(Double, [MathExpression], MathProductKind)
  case quotient(MathExpression, MathExpression, elementwise: Bool)
  /// An integer power; the rank tells powers of entries from powers of matrices.
  case power(MathExpression, Int, rank: Int)
  case exponent(MathExpression, MathExpression, rank: Int)
  case transpose(MathExpression)
  case inverse(MathExpression)
  case call(String, [MathExpression])
  /// d of something.
  case differential(MathExpression)
  case fence(MathFence, MathExpression)
  case relation(String, MathExpression, MathExpression)
  case conditional(MathExpression, MathExpression, MathExpression)
  /// Σ or max over index letters.
  case over(String, [String], MathExpression)
  case indexed(MathExpression, [MathIndex])
  case delta(AffineIndex, AffineIndex)
  /// low ≤ index < high, for `iverson`; a bound that holds anyway is nil.
  case within(AffineIndex, low: Int?, high: Int?)
  /// A small constant vector or matrix, row by row.
  case literal([[Double]])
}

extension MathExpression {
  static let one = MathExpression.number(1)
  static let zero = MathExpression.number(0)

  /// factor · self, with numbers multiplied out.
  func scaled(_ factor: Double) -> MathExpression {
    if factor == 1 { return self }
    switch self {
    case .number(let value): return .number(factor * value)
    case .product(let scale, let factors, let kind):
      let total = factor * scale
      return total == 1 && factors.count == 1 ? factors[0] : .product(total, factors, kind)
    case .quotient(let top, let bottom, let elementwise):
      if case .number(let value) = top {
        let total = factor * value
        if total == total.rounded() { return .quotient(.number(total), bottom, elementwise: elementwise) }
        return .product(total, [.quotient(.one, bottom, elementwise: elementwise)], .scalar)
      }
      return .quotient(top.scaled(factor), bottom, elementwise: elementwise)
    default: return .product(factor, [self], .scalar)
    }
  }

  /// The numeric factor in front, and the rest.
  var separated: MathTerm {
    switch self {
    case .number(let value): return MathTerm(coefficient: value, body: .one)
    case .product(let scale, let factors, let kind):
      let body = factors.count == 1 ? factors[0] : MathExpression.product(1, factors, kind)
      return MathTerm(coefficient: scale, body: body)
    case .quotient(let top, let bottom, let elementwise):
      let inner = top.separated
      return MathTerm(
        coefficient: inner.coefficient, body: .quotient(inner.body, bottom, elementwise: elementwise))
    default: return MathTerm(coefficient: 1, body: self)
    }
  }

  var transposed: MathExpression {
    switch self {
    case .transpose(let inner): return inner
    case .symbol(.identity), .number: return self
    case .call("diag", _): return self
    case .product(let scale, let factors, .matrix) where factors.allSatisfy(\.isTransposable):
      return .product(scale, factors.reversed().map(\.transposed), .matrix)
    default: return .transpose(self)
    }
  }

  /// Transposing it adds no parentheses.
  private var isTransposable: Bool {
    switch self {
    case .transpose, .symbol, .name, .reference, .call, .inverse: return true
    default: return false
    }
  }

  /// Letters of transposition in sight, to choose between two ways of writing a product.
  var transposeCount: Int {
    switch self {
    case .transpose: return 1
    case .product(_, let factors, .matrix): return factors.reduce(0) { $0 + $1.transposeCount }
    default: return 0
    }
  }

  /// Short enough to be transposed or repeated without hurting the reader.
  var isAtomic: Bool {
    switch self {
    case .name, .reference, .symbol, .indexed, .number: return true
    default: return false
    }
  }

  /// I, or a scalar times I.
  var isIdentity: Bool {
    if case .product(_, let factors, _) = self { return factors.contains(.symbol(.identity)) }
    return self == .symbol(.identity)
  }

  /// Parts of a matrix product.
  var chain: [MathExpression] {
    if case .product(1, let factors, .matrix) = self { return factors }
    return [self]
  }

  /// A matrix product, written flat.
  static func matrixProduct(_ parts: [MathExpression]) -> MathExpression {
    let flat = parts.flatMap(\.chain)
    let rest = flat.filter { $0 != .symbol(.identity) }
    if rest.isEmpty { return .symbol(.identity) }
    return rest.count == 1 ? rest[0] : .product(1, rest, .matrix)
  }

  static func summed(_ letters: [String], _ body: MathExpression) -> MathExpression {
    if letters.isEmpty || body == .zero { return body }
    let part = body.separated
    if part.coefficient != 1 { return summed(letters, part.body).scaled(part.coefficient) }
    if case .over("sum", let more, let inner) = body { return .over("sum", letters + more, inner) }
    return .over("sum", letters, body)
  }
}
