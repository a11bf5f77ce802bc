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
    }
    slope = zip(gradient.doubles, direction.doubles).reduce(0) { $0 + $1.0 * $1.1 }
  }

  private static func solved(_ h: Tensor, _ minus: Tensor) throws -> (Tensor, Inertia?) {
    if let factor = try? Cholesky(h) {
      return (try factor.solve(minus), nil)
    }
    let factor = try LDLT(h)
    let signs = factor.inertia()
    guard signs.zero == 0 else {
      throw LinearAlgebraError.singular(pivot: signs.positive + signs.negative + 1)
    }
    return (try factor.solve(minus), signs)
  }
}
