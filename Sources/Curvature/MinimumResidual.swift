#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The outcome of an iterative solution.
public struct IterativeSolution: Sendable {
  public let x: [Double]
  /// ‖b − Ax‖ / ‖b‖, from a product made anew.
  public let relativeResidual: Double
  public let products: Int
  public let converged: Bool
}

/// Solves A·x = b for a symmetric A that may be indefinite, by the least residual over Krylov spaces.
///
/// Source: Paige and Saunders, *Solution of sparse indefinite systems of linear equations* (SIAM J. Numer. Anal. 12,
/// 1975). Of a singular system that has solutions it gives the shortest. Throws `CurvatureError.notFinite` and what
/// products throw.
public func minimumResidual(
  _ base: any SymmetricOperator, _ b: [Double], tolerance: Double, maxProducts: Int
) throws -> IterativeSolution {
  let a = CountedOperator(base)
  let n = b.count
  let right = Rows(b, length: n)
  let size = right.norm(0)
  var x = [Double](repeating: 0, count: n)
  guard size > 0 else { return IterativeSolution(x: x, relativeResidual: 0, products: 0, converged: true) }
  var (previous, current) = (Rows(count: 1, length: n), right)
  current.scale(row: 0, by: 1 / size)
  var (w, wBefore) = (previous.entries, previous.entries)
  var (beta, c, cBefore, s, sBefore, eta) = (0.0, 1.0, 1.0, 0.0, 0.0, size)
  while a.count < maxProducts, abs(eta) > tolerance * size {
    var next = try a.products(current)
    let alpha = current.dots(0..<1, next)[0, 0]
    for i in 0..<n { next.entries[i] -= alpha * current.entries[i] + beta * previous.entries[i] }
    let betaNext = next.norm(0)
    // The last two Givens rotations on the new column of the tridiagonal matrix, and one more.
    let delta = c * alpha - cBefore * s * beta
    let rho2 = s * alpha + cBefore * c * beta
    let rho3 = sBefore * beta
    let rho1 = hypot(delta, betaNext)
    guard rho1 > 0 else { break }
    (cBefore, sBefore) = (c, s)
    (c, s) = (delta / rho1, betaNext / rho1)
    for i in 0..<n {
      let direction = (current.entries[i] - rho3 * wBefore[i] - rho2 * w[i]) / rho1
      (wBefore[i], w[i]) = (w[i], direction)
      x[i] += c * eta * direction
    }
    eta *= -s
    guard betaNext > 0 else { break }
    next.scale(row: 0, by: 1 / betaNext)
    (previous, current, beta) = (current, next, betaNext)
  }
  let product = try a.products(Rows(x, length: n))
  let rest = Rows(zip(b, product.entries).map { $0 - $1 }, length: n).norm(0) / size
  return IterativeSolution(
    x: x, relativeResidual: rest, products: a.count, converged: rest <= 10 * tolerance)
}
