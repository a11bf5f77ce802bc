import COpenBLAS
import Tensors

/// Eigenvalues in ascending order and, in the columns of an n×k matrix, orthonormal eigenvectors.
public struct SymmetricEigen: Sendable {
  public let values: Tensor
  public let vectors: Tensor
}

/// Which eigenvalues of a symmetric matrix to compute; counts beyond the order mean all.
public enum EigenRange: Equatable, Sendable {
  case lowest(Int)
  case highest(Int)

  /// First and last index, from 1 in ascending order; last < first when nothing is asked for.
  func bounds(_ n: Int) -> (first: Int, last: Int) {
    switch self {
    case .lowest(let k): return (1, min(max(k, 0), n))
    case .highest(let k): return (n - min(max(k, 0), n) + 1, n)
    }
  }
}

/// All eigenvalues and eigenvectors of a symmetric n×n matrix, whose lower triangle is read (divide and conquer;
/// LAPACK's dsyevd for small ones). Computed in double precision; the result has the operand's.
///
/// Throws `notSquare`, `notFinite`, `didNotConverge`, `tooLarge`.
/// - Complexity: O(n³) time, about 4n² doubles of memory.
public func symmetricEigen(_ a: Tensor) throws(LinearAlgebraError) -> SymmetricEigen {
  let n = a.shape.first ?? 0
  if n > divideAndConquerLimit { return try symmetricEigen(a, range: .lowest(n)) }
  let e = try divideAndConquer(a)
  return SymmetricEigen(
    values: Tensor(vector: e.values, a.precision),
    vectors: e.vectors.transposed(a.precision))
}

/// The same in one array of n+1 rows in double precision: eigenvalues in the first, eigenvectors in the columns below.
///
/// Throws as `symmetricEigen(_:)`.
public func packedSymmetricEigen(_ a: Tensor) throws(LinearAlgebraError) -> Tensor {
  let n = a.shape.first ?? 0
  if n > divideAndConquerLimit {
    let e = try symmetricEigen(a.converted(to: .f64), range: .lowest(n))
    return Tensor(e.values.doubles + e.vectors.doubles, [n + 1, n])
  }
  let e = try divideAndConquer(a)
  var packed = Tensor(uninitialized: [n + 1, n])
  packed.withMutable(Double.self) { target in
    for i in 0..<n { target[i] = e.values[i] }
    e.vectors.withEntries(Double.self) { source in
      guard let source = source.baseAddress, let target = target.baseAddress else { return }
      transposeEntries(source, rows: n, columns: n, to: target + n)
    }
  }
  return packed
}

/// LAPACK counts entries of a matrix in 32 bits.
private let divideAndConquerLimit = 32_000
/// Matrices of fewer rows are left to dsyevd, which is as fast.
private let leastDense = 100

/// Eigenvalues, ascending, and eigenvectors in the rows.
private func divideAndConquer(_ a: Tensor) throws(LinearAlgebraError) -> (values: [Double], vectors: Tensor) {
  guard a.rank == 2, a.shape[0] == a.shape[1] else { throw .notSquare(a.shape) }
  let n = a.shape[0]
  var vectors = a.converted(to: .f64)
  if let bad = vectors.withEntries(Double.self, firstNonFinite) {
    throw .notFinite(row: bad / n, column: bad % n)
  }
  var values = [Double](repeating: 0, count: n)
  guard n > 0 else { return (values, vectors) }
  if n >= leastDense {
    let found = DenseEigen(vectors)
    try checkConverged(found.info, a.shape)
    return (found.values, found.vectors)
  }
  let info = vectors.withMutable(Double.self) { syevd(true, n, $0.baseAddress, &values) }
  try checkConverged(info, a.shape)
  return (values, vectors)
}

/// LAPACK's dsyevd in memory that is used again; returns its info.
private func syevd(
  _ wantsVectors: Bool, _ n: Int, _ a: UnsafeMutablePointer<Double>?, _ values: inout [Double]
) -> Int32 {
  let size = la_dsyevd_work(wantsVectors ? 1 : 0, Int32(n))
  guard size < Double(Int32.max) else { return Int32(LA_TOO_LARGE) }
  guard let work = Storage(ifAvailable: Int(size) * MemoryLayout<Double>.size) else {
    return Int32(LA_NO_MEMORY)
  }
  return withExtendedLifetime(work) {
    la_dsyevd(
      BLASThreads.count(order: n), wantsVectors ? 1 : 0, Int32(n), a, &values,
      work.pointer.assumingMemoryBound(to: Double.self),
      Int32(size))
  }
}

/// All eigenvalues, ascending, of a symmetric matrix, whose lower triangle is read.
///
/// Throws as `symmetricEigen(_:)`.
public func symmetricEigenvalues(_ a: Tensor) throws(LinearAlgebraError) -> Tensor {
  var work = try Matrix(square: a).values
  let n = a.shape[0]
  var values = [Double](repeating: 0, count: n)
  if n > 0 {
    let info = work.withUnsafeMutableBufferPointer { syevd(false, n, $0.baseAddress, &values) }
    try checkConverged(info, a.shape)
  }
  return Tensor(vector: values, a.precision)
}

/// The lowest or highest k eigenvalues, ascending, with their vectors in the columns of an n×k matrix, of a
/// symmetric matrix, whose lower triangle is read (LAPACK's dsyevr: relatively robust representations).
///
/// Throws as `symmetricEigen(_:)`.
public func symmetricEigen(
  _ a: Tensor, range: EigenRange
) throws(LinearAlgebraError) -> SymmetricEigen {
  var work = try Matrix(square: a).values
  let n = a.shape[0]
  let (first, last) = range.bounds(n)
  let k = last - first + 1
  guard k > 0 else {
    return SymmetricEigen(
      values: Tensor(vector: [], a.precision), vectors: Tensor([], [n, 0], a.precision))
  }
  // dsyevr fills at most k entries but may use all n.
  var values = [Double](repeating: 0, count: n)
  var vectors = [Double](repeating: 0, count: n * k)
  try checkConverged(
    la_dsyevr(
      BLASThreads.count(order: n), Int32(n), &work, Int32(first), Int32(last), &values, &vectors),
    a.shape)
  return SymmetricEigen(
    values: Tensor(vector: Array(values[..<k]), a.precision),
    vectors: Tensor(transposing: vectors, rows: k, columns: n, a.precision))
}

/// All eigenvalues and eigenvectors of the symmetric tridiagonal matrix with `diagonal` (n entries) and
/// `offDiagonal` (n − 1), as Lanczos methods need them. Throws `shapeMismatch`, `notFinite`, `didNotConverge`.
public func symmetricTridiagonalEigen(
  diagonal: [Double], offDiagonal: [Double]
) throws(LinearAlgebraError) -> SymmetricEigen {
  let n = diagonal.count
  guard offDiagonal.count == max(n - 1, 0) else {
    throw .shapeMismatch([n], [offDiagonal.count])
  }
  if let i = diagonal.firstIndex(where: { !$0.isFinite }) { throw .notFinite(row: i, column: i) }
  if let i = offDiagonal.firstIndex(where: { !$0.isFinite }) { throw .notFinite(row: i, column: i + 1) }
  guard n > 0 else {
    return SymmetricEigen(values: Tensor(vector: []), vectors: Tensor([], [0, 0]))
  }
  var values = diagonal
  var couplings = offDiagonal + [0]
  var vectors = [Double](repeating: 0, count: n * n)
  try checkConverged(
    la_dstevd(BLASThreads.count(order: n), Int32(n), &values, &couplings, &vectors), [n, n])
  return SymmetricEigen(
    values: Tensor(vector: values),
    vectors: Tensor(transposing: vectors, rows: n, columns: n))
}
