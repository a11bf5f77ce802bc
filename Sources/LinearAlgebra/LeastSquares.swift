import COpenBLAS
import Tensors

/// A thin orthogonal factorisation a = q·r of an m×n matrix: q m×k with orthonormal columns, r k×n upper
/// triangular with a diagonal that is not negative, k = min(m, n).
public struct QR: Sendable {
  public let q: Tensor
  public let r: Tensor
}

/// The thin QR factorisation by Householder reflections. Throws `shapeMismatch` unless `a` has rank 2,
/// `notFinite`, `tooLarge`.
public func qr(_ a: Tensor) throws(LinearAlgebraError) -> QR {
  let matrix = try Matrix(a)
  let (m, n, k) = (matrix.rows, matrix.columns, min(matrix.rows, matrix.columns))
  // LAPACK sees aᵀ (n×m, column-major) and factors it into L·Q: transposed, L is r and Q is q.
  var work = matrix.values
  var r = [Double](repeating: 0, count: k * n)
  var q = [Double](repeating: 0, count: m * k)
  if k > 0 {
    var tau = [Double](repeating: 0, count: k)
    let threads = BLASThreads.count(order: k)
    try checkMemory(la_dgelqf(threads, Int32(n), Int32(m), &work, &tau), a.shape)
    for i in 0..<k { for j in i..<n { r[i * n + j] = work[i * n + j] } }
    try checkMemory(la_dorglq(threads, Int32(k), Int32(m), Int32(k), &work, Int32(n), tau), a.shape)
    for row in 0..<m { for i in 0..<k { q[row * k + i] = work[row * n + i] } }
    for i in 0..<k where r[i * n + i] < 0 {
      for j in i..<n { r[i * n + j] = -r[i * n + j] }
      for row in 0..<m { q[row * k + i] = -q[row * k + i] }
    }
  }
  return QR(q: Tensor(q, [m, k], a.precision), r: Tensor(r, [k, n], a.precision))
}

/// The solution of a least-squares problem.
public struct LeastSquaresSolution: Sendable {
  /// x of smallest norm among those that minimise ‖a·x − b‖₂, a vector or a matrix as b is.
  public let x: Tensor
  /// How many singular values exceed the cut.
  public let rank: Int
  /// All min(m, n) singular values of a, descending.
  public let singularValues: Tensor
}

/// Minimises ‖a·x − b‖₂ for an m×n matrix and a right-hand side of m rows (LAPACK's dgelsd). Singular values below
/// `cut` times the largest count as zero; by default ε·max(m, n).
///
/// Throws `shapeMismatch`, `notFinite`, `didNotConverge`, `tooLarge`.
public func leastSquares(
  _ a: Tensor, _ b: Tensor, cut: Double? = nil
) throws(LinearAlgebraError) -> LeastSquaresSolution {
  let matrix = try Matrix(a)
  let (m, n) = (matrix.rows, matrix.columns)
  guard b.rank == 1 || b.rank == 2, b.shape[0] == m else { throw .shapeMismatch(a.shape, b.shape) }
  let right = try Matrix(rightHandSide: b, rows: m)
  let nrhs = right.columns
  let shape: Shape = b.rank == 1 ? [n] : [n, nrhs]
  var singular = [Double](repeating: 0, count: min(m, n))
  var rank: Int32 = 0
  guard m > 0, n > 0, nrhs > 0 else {
    if nrhs == 0 { return try leastSquares(a, Tensor(repeating: 0, [m]), cut: cut).replacing(shape) }
    return LeastSquaresSolution(
      x: Tensor(repeating: 0, shape, b.precision), rank: 0, singularValues: Tensor(vector: singular))
  }
  // Column-major, with room for x below b when n > m.
  let rows = max(m, n)
  var x = [Double](repeating: 0, count: rows * nrhs)
  for i in 0..<m { for j in 0..<nrhs { x[j * rows + i] = right.values[i * nrhs + j] } }
  var columnMajor = matrix.transposed()
  let info = la_dgelsd(
    BLASThreads.count(order: min(m, n)), Int32(m), Int32(n), Int32(nrhs), &columnMajor, &x, &singular,
    cut ?? .ulpOfOne * Double(rows), &rank)
  try checkConverged(info, a.shape)
  var entries = [Double](repeating: 0, count: n * nrhs)
  for i in 0..<n { for j in 0..<nrhs { entries[i * nrhs + j] = x[j * rows + i] } }
  return LeastSquaresSolution(
    x: Tensor(entries, shape, b.precision), rank: Int(rank),
    singularValues: Tensor(vector: singular, a.precision))
}

extension LeastSquaresSolution {
  /// The same rank and singular values with an empty x.
  fileprivate func replacing(_ shape: Shape) -> LeastSquaresSolution {
    LeastSquaresSolution(
      x: Tensor(repeating: 0, shape, x.precision), rank: rank, singularValues: singularValues)
  }
}
