/// x − lr·∇f with a fixed step size.
public struct FixedStep: UpdateRule {
  public static let name = "sgd"
  public static let remembered: [String] = []
  public let learningRate: Double
  public var state = RuleState()

  public init(_ learningRate: Double) { self.learningRate = learningRate }

  public var gradientRate: Double? { learningRate }
  public func coefficients(step k: Int) -> [Double] { [-learningRate] }

  public func update<A: UpdateArithmetic>(
    _ x: A.Vector, _ gradient: A.Vector, _ memory: [A.Vector], _ c: [A.Scalar], _ a: A
  ) -> (x: A.Vector, memory: [A.Vector]) {
    (Self.step(from: x, c[0], gradient, a), [])
  }

  /// x + c·d, with c = −lr where d is the gradient, or what another method takes for it.
  public static func step<A: UpdateArithmetic>(
    from x: A.Vector, _ c: A.Scalar, _ d: A.Vector, _ a: A
  ) -> A.Vector {
    a.combination([(nil, x), (c, d)])
  }
}

/// x − lr·∇f, where a line search finds lr: Armijo's backtracking from twice the last accepted step, the strong Wolfe
/// conditions, or the nearest minimum along −∇f.
public struct GradientDescent: Method {
  public static let name = "gd"

  public enum Search: Sendable {
    case armijo, wolfe, exact
  }

  public let search: Search
  private var last = 1.0

  public init(_ search: Search) { self.search = search }

  public var order: DerivativeOrder { .gradient }

  public mutating func step(_ at: Evaluation, _ f: any Oracle) throws -> Move {
    let slope = -dot(at.gradient, at.gradient)
    if slope == 0 { return Move(x: at.x, notes: ["the gradient is zero"]) }
    guard let length = try length(at, slope, f) else {
      throw Refusal(
        "no step along −∇f decreases the function",
        hint: "the point may be a minimum to machine precision; lr=… takes a fixed step")
    }
    last = length
    return Move(x: sum(at.x, -length, at.gradient), notes: ["step size \(length.short)"], rate: length)
  }

  private func length(_ at: Evaluation, _ slope: Double, _ f: any Oracle) throws -> Double? {
    switch search {
    case .armijo:
      var search = Backtracking()
      search.initial = 2 * last
      return try search.search(from: at.value, slope: slope) { try f.value(at: sum(at.x, -$0, at.gradient)) }?
        .step
    case .wolfe, .exact:
      var wolfe = StrongWolfe()
      if case .exact = search { wolfe.curvature = StrongWolfe.exact }
      return try wolfe.search(at, scaled(-1, at.gradient), initial: last, f)?.step
    }
  }
}
