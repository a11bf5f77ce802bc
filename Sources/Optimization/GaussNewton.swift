import LinearAlgebra
import Tensors

/// Newton's step with the generalised Gauss–Newton matrix JᵀMJ in the Hessian's place (Nocedal and Wright, section
/// 10.3), and Armijo's backtracking.
public struct GaussNewton: Method {
  public static let name = "gauss-newton"

  public init() {}

  public var order: DerivativeOrder { .ggn }

  public mutating func step(_ at: Evaluation, _ f: any Oracle) throws -> Move {
    let newton = try NewtonDirection.at(
      at, matrix: "Gauss–Newton matrix", hint: "the params are not determined here; lm adds what is missing")
    guard newton.slope < 0 || at.gradientNorm == 0 else {
      throw Refusal("the Gauss–Newton matrix is not positive definite", hint: "take a step lm")
    }
    return try Backtracking().move(
      at, newton.direction.doubles, newton.slope, "the Gauss–Newton direction", f)
  }
}

/// Levenberg–Marquardt: (G + μD)·d = −g with G the Gauss–Newton matrix and D the largest diagonal of G seen so far
/// (Moré, *The Levenberg–Marquardt algorithm*, 1978); μ follows the ratio of the actual to the predicted decrease
/// (Nielsen, *Damping parameter in Marquardt's method*, 1999).
public struct LevenbergMarquardt: Method {
  public static let name = "lm"
  public let initialDamping: Double
  private var damping: Double?
  private var growth = 2.0
  private var scale: [Double] = []

  public init(initialDamping: Double) { self.initialDamping = initialDamping }

  public var order: DerivativeOrder { .ggn }

  /// Steps that do not decrease f, one after the other.
  private static let limit = 60

  public mutating func step(_ at: Evaluation, _ f: any Oracle) throws -> Move {
    let n = at.x.count
    if at.gradientNorm == 0 { return Move(x: at.x, notes: ["the gradient is zero"]) }
    var matrix = try at.denseMatrix().doubles
    let diagonal = (0..<n).map { matrix[$0 * n + $0] }
    scale = scale.count == n ? zip(scale, diagonal).map { max($0, $1) } : diagonal
    // A param without influence would leave the system singular.
    let least = max(scale.max() ?? 0, 1e-300) * 1e-16
    var mu = damping ?? initialDamping
    let minus = Tensor(vector: scaled(-1, at.gradient))
    for _ in 0..<Self.limit {
      for i in 0..<n { matrix[i * n + i] = diagonal[i] + mu * max(scale[i], least) }
      guard let factor = try? Cholesky(Tensor(matrix, [n, n])) else {
        mu = max(mu, 1e-16) * growth
        growth *= 2
        continue
      }
      let d = try factor.solve(minus).doubles
      // f − m(d) = ½dᵀ(μD·d − g).
      let predicted =
        0.5 * d.indices.reduce(0.0) { $0 + d[$1] * (mu * max(scale[$1], least) * d[$1] - at.gradient[$1]) }
      let x = sum(at.x, 1, d)
      let value = try f.value(at: x)
      let ratio = (at.value - value) / predicted
      let isAtRounding =
        predicted <= 1e-15 * at.value.magnitude && value <= at.value + 1e-14 * at.value.magnitude
      if ratio > 1e-4 || isAtRounding {
        let bound = isAtRounding ? 1.0 / 3 : 1 - (2 * ratio - 1) * (2 * ratio - 1) * (2 * ratio - 1)
        damping = mu * max(1.0 / 3, bound)
        growth = 2
        return Move(x: x, notes: ["damping \(mu.short)"])
      }
      mu = max(mu, 1e-16) * growth
      growth *= 2
    }
    growth = 2
    throw Refusal(
      "no damped Gauss–Newton step decreases the function",
      hint: "the point may be a minimum to machine precision")
  }
}
