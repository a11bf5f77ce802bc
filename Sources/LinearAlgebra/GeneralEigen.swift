import COpenBLAS
import Tensors

/// Real and imaginary parts of the eigenvalues of a general matrix.
public struct ComplexEigenvalues: Sendable {
  public let real: Tensor
  public let imaginary: Tensor
}

/// The eigenvalues of a general n×n matrix (LAPACK's dgeev), ascending by real part, then by imaginary part.
///
/// Throws `notSquare`, `notFinite`, `didNotConverge`, `tooLarge`.
public func generalEigenvalues(_ a: Tensor) throws(LinearAlgebraError) -> ComplexEigenvalues {
  var work = try Matrix(square: a).values
  let n = a.shape[0]
  var real = [Double](repeating: 0, count: n)
  var imaginary = real
  if n > 0 {
    let threads = BLASThreads.count(order: n)
    try checkConverged(la_dgeev(threads, Int32(n), &work, &real, &imaginary), a.shape)
  }
  let order = (0..<n).sorted { (real[$0], imaginary[$0]) < (real[$1], imaginary[$1]) }
  return ComplexEigenvalues(
    real: Tensor(vector: order.map { real[$0] }, a.precision),
    imaginary: Tensor(vector: order.map { imaginary[$0] }, a.precision))
}
