import COpenBLAS
import Tensors

/// A thin singular value decomposition a = u·diag(s)·vt of an m×n matrix: u m×k, s k descending, vt k×n, with
/// k = min(m, n).
public struct SingularValueDecomposition: Sendable {
  public let u: Tensor
  public let s: Tensor
  public let vt: Tensor
}

/// The thin singular value decomposition (LAPACK's dgesdd; dgesvd where that does not converge).
///
/// Throws `shapeMismatch` unless `a` has rank 2, `notFinite`, `didNotConverge`, `tooLarge`.
public func svd(_ a: Tensor) throws(LinearAlgebraError) -> SingularValueDecomposition {
  let matrix = try Matrix(a)
  let (m, n, k) = (matrix.rows, matrix.columns, min(matrix.rows, matrix.columns))
  var s = [Double](repeating: 0, count: k)
  var u = [Double](repeating: 0, count: m * k)
  var vt = [Double](repeating: 0, count: k * n)
  if k > 0 {
    // LAPACK sees aᵀ = v·s·uᵀ, n×m and column-major: its factors are vt and u, row-major.
    try decompose(matrix) { threads, accurate, entries in
      la_dsvd(threads, accurate, Int32(n), Int32(m), &entries, &s, &vt, &u)
    }
  }
  return SingularValueDecomposition(
    u: Tensor(u, [m, k], a.precision), s: Tensor(vector: s, a.precision),
    vt: Tensor(vt, [k, n], a.precision))
}

/// The min(m, n) singular values of an m×n matrix, descending. Throws as `svd`.
public func singularValues(_ a: Tensor) throws(LinearAlgebraError) -> Tensor {
  let matrix = try Matrix(a)
  var s = [Double](repeating: 0, count: min(matrix.rows, matrix.columns))
  if !s.isEmpty {
    try decompose(matrix) { threads, accurate, entries in
      la_dsvd(threads, accurate, Int32(matrix.columns), Int32(matrix.rows), &entries, &s, nil, nil)
    }
  }
  return Tensor(vector: s, a.precision)
}

/// Runs the quick method and, where it does not converge, the accurate one on a fresh copy.
private func decompose(
  _ matrix: Matrix, _ routine: (_ threads: Int32, _ accurate: Int32, _ entries: inout [Double]) -> Int32
) throws(LinearAlgebraError) {
  let threads = BLASThreads.count(order: min(matrix.rows, matrix.columns))
  var entries = matrix.values
  var info = routine(threads, 0, &entries)
  if info != 0 {
    entries = matrix.values
    info = routine(threads, 1, &entries)
  }
  try checkConverged(info, [matrix.rows, matrix.columns])
}
