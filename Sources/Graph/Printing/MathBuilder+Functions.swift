extension MathBuilder {
  /// f of arguments of one rank (0 for an entry).
  func function(_ f: MapFunction, _ x: [MathExpression], rank: Int) -> MathExpression {
    if rank == 0, let values = numbers(x), let first = values.first, f != .reciprocal {
      return .number(f(first, values.count > 1 ? values[1] : 0, values.count > 2 ? values[2] : 0))
    }
    switch f {
    case .expm1: return sum([MathTerm(coefficient: 1, body: .call("exp", x)), constant(-1)])
    case .log1p: return .call("log", [sum([constant(1), MathTerm(coefficient: 1, body: x[0])])])
    case .rootAtZero, .sqrt: return root(x[0], rank)
    case .reciprocal: return quotient(.one, x[0], rank)
    case .reciprocalRootAtZero: return quotient(.one, root(x[0], rank), rank)
    case .power(let n): return power(x[0], n, rank)
    case .pow: return .exponent(x[0], x[1], rank: rank)
    case .abs: return .fence(.absolute, x[0])
    case .floor: return .fence(.floor, x[0])
    case .ceil: return .fence(.ceiling, x[0])
    case .modulo: return .call("mod", x)
    case .isFinite: return .fence(.iverson, .call("isfinite", x))
    case .isNaN: return .fence(.iverson, .call("isnan", x))
    case .select:
      let c = condition(x[0])
      return .conditional(c, x[1].assuming(c, true), x[2].assuming(c, false))
    case .step, .less, .lessEqual, .equal, .notEqual, .and, .or, .not: return .fence(.iverson, relation(f, x))
    default: return .call(f.name, x)
    }
  }

  /// The arguments as numbers, when all are.
  private func numbers(_ x: [MathExpression]) -> [Double]? {
    var values: [Double] = []
    for case .number(let value) in x { values.append(value) }
    return values.count == x.count ? values : nil
  }

  private func constant(_ value: Double) -> MathTerm { MathTerm(coefficient: value, body: .one) }

  private func root(_ x: MathExpression, _ rank: Int) -> MathExpression {
    if case .power(let norm, 2, rank: 0) = x, case .fence(.norm, _) = norm { return norm }
    return .call("sqrt", [x])
  }

  private func quotient(_ top: MathExpression, _ bottom: MathExpression, _ rank: Int) -> MathExpression {
    if rank == 0, case .quotient(.number(1), let inner, _) = bottom { return inner }
    return .quotient(top, bottom, elementwise: rank > 1)
  }

  private func power(_ x: MathExpression, _ n: Int, _ rank: Int) -> MathExpression {
    if n < 0 { return quotient(.one, n == -1 ? x : power(x, -n, rank), rank) }
    if rank == 0, case .quotient(.number(1), let inner, _) = x {
      return quotient(.one, power(inner, n, 0), 0)
    }
    if rank == 0, case .power(let base, let m, _) = x, m > 0 { return .power(base, m * n, rank: 0) }
    return .power(x, n, rank: rank)
  }

  // MARK: Conditions

  private func relation(_ f: MapFunction, _ x: [MathExpression]) -> MathExpression {
    let unicode = isUnicode
    switch f {
    case .step: return .relation(">", x[0], .zero)
    case .less: return .relation("<", x[0], x[1])
    case .lessEqual: return .relation(unicode ? "≤" : "<=", x[0], x[1])
    case .equal: return .relation(unicode ? "=" : "==", x[0], x[1])
    case .notEqual: return .relation(unicode ? "≠" : "!=", x[0], x[1])
    case .and: return .relation(unicode ? "∧" : "and", grouped(x[0]), grouped(x[1]))
    case .or: return .relation(unicode ? "∨" : "or", grouped(x[0]), grouped(x[1]))
    default:
      if case .fence(.iverson, let inner) = x[0] { return .call("not", [inner]) }
      return .relation(unicode ? "=" : "==", x[0], .zero)
    }
  }

  /// A 0/1 value as the condition that it is.
  private func condition(_ x: MathExpression) -> MathExpression {
    if case .fence(.iverson, let inner) = x { return inner }
    return .relation(isUnicode ? "≠" : "!=", x, .zero)
  }

  private func grouped(_ x: MathExpression) -> MathExpression {
    if case .fence(.iverson, _) = x { return x }
    return .fence(.iverson, condition(x))
  }

  // MARK: Linear algebra

  func linearAlgebra(_ f: MatrixFunction, _ x: [MathExpression]) -> MathExpression {
    switch f {
    case .inverse: return .inverse(x[0])
    case .solve: return .matrixProduct([.inverse(x[0]), x[1]])
    case .cholesky: return .call("chol", x)
    case .logdet: return .fence(.logdet, x[0])
    case .det: return .call("det", x)
    case .eigh: return .call("eigh", x)
    case .svdvals: return .call("svdvals", x)
    case .eigvals: return .call("eigvals", x)
    }
  }
}

extension MathExpression {
  /// What is left of inner choices by a condition that is known to hold (or not) at this place.
  func assuming(_ condition: MathExpression, _ holds: Bool) -> MathExpression {
    func inner(_ e: MathExpression) -> MathExpression { e.assuming(condition, holds) }
    switch self {
    case .conditional(condition, let a, let b): return inner(holds ? a : b)
    case .conditional(.call("not", [condition]), let a, let b): return inner(holds ? b : a)
    case .conditional(let c, let a, let b): return .conditional(c, inner(a), inner(b))
    case .sum(let terms):
      return .sum(terms.map { MathTerm(coefficient: $0.coefficient, body: inner($0.body)) })
    case .product(let scale, let factors, let kind) where kind != .matrix:
      return .product(scale, factors.map(inner), kind)
    case .quotient(let a, let b, let elementwise):
      return .quotient(inner(a), inner(b), elementwise: elementwise)
    case .power(let base, let n, let rank): return .power(inner(base), n, rank: rank)
    case .exponent(let a, let b, let rank): return .exponent(inner(a), inner(b), rank: rank)
    case .call(let name, let arguments) where Self.pointwise.contains(name):
      return .call(name, arguments.map(inner))
    case .fence(.absolute, let e): return .fence(.absolute, inner(e))
    default: return self
    }
  }

  private static let pointwise: Set<String> = [
    "exp", "log", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "sigmoid",
    "softplus",
    "sech2", "erf", "sign", "relu", "atan2", "mod",
  ]
}
