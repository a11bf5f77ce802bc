import LinearAlgebra
import Tensors

/// The Newton system H·d = −g, solved without changing H: by Cholesky where H is positive definite, else by LDLᵀ.
public struct NewtonDirection: Sendable {
  public let direction: Tensor
  public let isPositiveDefinite: Bool
  /// The signs of the eigenvalues of an indefinite H, where its factors tell them.
  public let inertia: Inertia?
  /// gᵀ·d: negative for a descent direction.
  public let slope: Double

  /// `gradient` has P entries, `hessian` P×P. Throws `LinearAlgebraError.singular` when H has no inverse.
  public init(gradient: Tensor, hessian: HessianMatrix) throws {
    let minus = Tensor(gradient.doubles.map { -$0 }, gradient.shape)
    switch hessian {
    case .dense(let matrix):
      (direction, inertia) = try Self.solved(matrix.converted(to: .f64), minus)
      isPositiveDefinite = inertia == nil
    case .sparse(let matrix):
      (direction, isPositiveDefinite) = try matrix.solve(minus)
      inertia = isPositiveDefinite ? nil : matrix.inertia
    case .blocks(let blocks):
      (direction, inertia) = try Self.solved(Tensor(blocks: blocks, order: gradient.count), minus)
      isPositiveDefinite = inertia == nil
    }
    slope = zip(gradient.doubles, direction.doubles).reduce(0) { $0 + $1.0 * $1.1 }
  }

  private static func solved(_ h: Tensor, _ minus: Tensor) throws -> (Tensor, Inertia?) {
    if let found = try ScaledCholesky(h) { return (try found.solve(minus), nil) }
    let factor = try LDLT(h)
    let signs = factor.inertia()
    guard signs.zero == 0 else {
      throw LinearAlgebraError.singular(pivot: signs.positive + signs.negative + 1)
    }
    return (try factor.solve(minus), signs)
  }
}

/// The Cholesky factor of S·H·S, whose diagonal is about 1: units of the params then play no part in what counts as
/// singular (van der Sluis, 1969: this scaling is nearly the best that is diagonal). S holds powers of two, which round
/// nothing.
private struct ScaledCholesky {
  private let factor: Cholesky
  private let scale: [Double]

  /// Nil when H is not positive definite. Throws `LinearAlgebraError.singular` when it is not to rounding.
  init?(_ h: Tensor) throws {
    let n = h.shape[0]
    var entries = h.doubles
    let diagonal = (0..<n).map { entries[$0 * n + $0] }
    guard diagonal.allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
    let scale = diagonal.map { Double(sign: .plus, exponent: -(Int($0.exponent) >> 1), significand: 1) }
    for i in 0..<n { for j in 0...i { entries[i * n + j] *= scale[i] * scale[j] } }
    guard let factor = try? Cholesky(Tensor(entries, [n, n])) else { return nil }
    if n > 1, try factor.reciprocalCondition() < 2.3e-16 {
      throw LinearAlgebraError.singular(pivot: n)
    }
    (self.factor, self.scale) = (factor, scale)
  }

  func solve(_ b: Tensor) throws -> Tensor {
    let scaled = Tensor(vector: zip(b.doubles, scale).map { $0 * $1 })
    return Tensor(vector: zip(try factor.solve(scaled).doubles, scale).map { $0 * $1 })
  }
}
