/// Where an expression stands among others: by the names in it, then by degree, then by text. The identity comes
/// last: `A + λ·I`.
struct MathOrder {
  let isIdentity: Bool
  let names: [String]
  let degree: Int
  let text: String

  func precedes(_ other: MathOrder) -> Bool {
    if isIdentity != other.isIdentity { return other.isIdentity }
    if names != other.names { return names.lexicographicallyPrecedes(other.names, by: Self.naturally) }
    if degree != other.degree { return degree > other.degree }
    return Self.naturally(text, other.text)
  }

  func precedesAsFactor(_ other: MathOrder, _ mine: Int, _ theirs: Int) -> Bool {
    mine != theirs ? mine < theirs : Self.naturally(text, other.text)
  }

  /// By characters, with runs of digits as numbers: `x[2]` before `x[10]`.
  static func naturally(_ a: String, _ b: String) -> Bool {
    var (x, y) = (Substring(a), Substring(b))
    while let p = x.first, let q = y.first {
      let (m, n) = (x.prefix(while: \.isNumber), y.prefix(while: \.isNumber))
      if let i = Int(m), let j = Int(n), i != j { return i < j }
      if p != q { return p < q }
      x.removeFirst()
      y.removeFirst()
    }
    return x.isEmpty && !y.isEmpty
  }
}

/// The factors of a product sorted into numerator and denominator.
struct MathFactors {
  var scale: Double
  var top: [MathExpression] = []
  var bottom: [MathExpression] = []
  var isZero = false

  mutating func collect(_ factor: MathExpression, _ kind: MathProductKind) {
    switch factor {
    case .number(let value):
      if value == 0 { isZero = true }
      scale *= value
    case .product(let inner, let factors, let innerKind) where innerKind == kind || factors.count == 1:
      scale *= inner
      for part in factors { collect(part, kind) }
    case .product(let inner, let factors, let innerKind) where inner != 1:
      scale *= inner
      top.append(.product(1, factors, innerKind))
    case .quotient(let above, let below, elementwise: false) where kind == .scalar: divide(above, below, kind)
    case .quotient(let above, let below, let elementwise)
    where kind == .pointwise && (elementwise || above == .one):
      divide(above, below, kind)
    case .sum(let terms) where terms.isEmpty: isZero = true
    default: top.append(factor)
    }
  }

  private mutating func divide(_ above: MathExpression, _ below: MathExpression, _ kind: MathProductKind) {
    collect(above, kind)
    if case .product(1, let factors, kind) = below {
      bottom += factors
    } else {
      bottom.append(below)
    }
  }
}

extension MathExpression {
  /// Deltas and conditions lead a product, sums close it.
  var factorClass: Int {
    switch self {
    case .delta, .fence(.iverson, _): return 0
    case .over, .differential: return 2
    default: return 1
    }
  }

  /// Gathers the names of variables and gives the degree, counting functions as one.
  func collect(into names: inout [String], _ text: (MathExpression) -> String) -> Int {
    switch self {
    case .name, .reference, .indexed:
      names.append(text(self))
      return 1
    case .sum(let terms): return terms.map { $0.body.collect(into: &names, text) }.max() ?? 0
    case .product(_, let factors, _): return factors.reduce(0) { $0 + $1.collect(into: &names, text) }
    case .quotient(let a, let b, _): return a.collect(into: &names, text) - b.collect(into: &names, text)
    case .power(let base, let n, _): return n * base.collect(into: &names, text)
    case .exponent(let a, let b, _):
      return max(1, a.collect(into: &names, text) + b.collect(into: &names, text))
    case .transpose(let inner), .inverse(let inner), .fence(_, let inner), .over(_, _, let inner),
      .differential(let inner):
      return inner.collect(into: &names, text)
    case .call(_, let arguments): return min(1, arguments.map { $0.collect(into: &names, text) }.max() ?? 0)
    case .relation(_, let a, let b): return max(a.collect(into: &names, text), b.collect(into: &names, text))
    case .conditional(_, let a, let b):
      return max(a.collect(into: &names, text), b.collect(into: &names, text))
    case .symbol, .number, .delta, .within, .literal: return 0
    }
  }
}
