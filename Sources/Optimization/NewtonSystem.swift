import LinearAlgebra
import Tensors

/// The Newton system H·d = −g, solved without changing H: by Cholesky where H is positive definite, else by LDLᵀ.
public struct NewtonDirection: Sendable {
  public let direction: Tensor
  /// Nil when H is positive definite.
  public let inertia: Inertia?
  /// gᵀ·d: negative for a descent direction.
  public let slope: Double

  /// `gradient` has P entries, `hessian` P×P. Throws `LinearAlgebraError.singular` when H has no inverse.
  public init(gradient: Tensor, hessian: Tensor) throws {
    let minus = Tensor(gradient.doubles.map { -$0 }, gradient.shape)
    let h = hessian.converted(to: .f64)
    if let factor = try? Cholesky(h) {
      direction = try factor.solve(minus)
      inertia = nil
    } else {
      let factor = try LDLT(h)
      let signs = factor.inertia()
      guard signs.zero == 0 else {
        throw LinearAlgebraError.singular(pivot: signs.positive + signs.negative + 1)
      }
      direction = try factor.solve(minus)
      inertia = signs
    }
    slope = zip(gradient.doubles, direction.doubles).reduce(0) { $0 + $1.0 * $1.1 }
  }
}
