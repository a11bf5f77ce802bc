import CKernels
import COpenBLAS
import Tensors

/// Eigenvalues and eigenvectors of a symmetric tridiagonal matrix by divide and conquer (J. J. M. Cuppen, Numer. Math. 36,
/// 1981; M. Gu and S. C. Eisenstat, SIAM J. Matrix Anal. Appl. 16, 1995). LAPACK's dlaed2 deflates; the secular equation
/// is solved eight poles at a time and on all threads, which LAPACK's own dstedc does not do.
///
/// A block of the matrix, and memory for what is found of it. Column-major.
struct TridiagonalEigen {
  /// Rows.
  let size: Int
  /// The matrix's diagonal; afterwards the eigenvalues, in no order.
  let diagonal: UnsafeMutablePointer<Double>
  /// The size − 1 entries beside the diagonal; overwritten.
  let couplings: UnsafeMutablePointer<Double>
  /// Zeros; afterwards an eigenvector in each column.
  let vectors: UnsafeMutablePointer<Double>
  /// From column to column.
  let stride: Int
  /// Afterwards the columns in ascending order of eigenvalues, from 1.
  let order: UnsafeMutablePointer<Int32>
  let work: UnsafeMutablePointer<Double>
  let integers: UnsafeMutablePointer<Int32>

  /// Blocks of no more rows are solved by QR iteration.
  private static let leafSize = 25

  /// Numbers that `work` and `integers` must have room for.
  static func workCount(_ size: Int) -> Int { 4 * size + 2 * size * size + 64 }
  static func integerCount(_ size: Int) -> Int { 4 * size }

  /// Returns LAPACK's info: above 0 when an iteration did not converge.
  func solve() -> Int32 {
    if size <= Self.leafSize {
      for k in 0..<size { order[k] = Int32(k + 1) }
      BLASThreads.useOne()
      return la_dsteqr(Int32(size), diagonal, couplings, vectors, Int32(stride), work)
    }
    let middle = size / 2
    let coupling = couplings[middle - 1]
    diagonal[middle - 1] -= coupling.magnitude
    diagonal[middle] -= coupling.magnitude
    let halves = halves(middle)
    var info: (Int32, Int32) = (0, 0)
    withUnsafeMutablePointer(to: &info) { info in
      // Within a task the halves' own halves follow one another.
      Team.run(2) { k in
        if k == 0 { info.pointee.0 = halves.0.solve() } else { info.pointee.1 = halves.1.solve() }
      }
    }
    if info.0 != 0 || info.1 != 0 { return max(info.0, info.1) }
    return merge(middle, coupling)
  }

  private func halves(_ middle: Int) -> (TridiagonalEigen, TridiagonalEigen) {
    (
      TridiagonalEigen(
        size: middle, diagonal: diagonal, couplings: couplings, vectors: vectors, stride: stride,
        order: order, work: work, integers: integers),
      TridiagonalEigen(
        size: size - middle, diagonal: diagonal + middle, couplings: couplings + middle,
        vectors: vectors + middle * (stride + 1), stride: stride, order: order + middle,
        work: work + Self.workCount(middle), integers: integers + Self.integerCount(middle))
    )
  }

  // MARK: Joining two halves

  /// From the halves' eigenvectors to the block's: those of a diagonal matrix and `coupling` times an outer product.
  private func merge(_ middle: Int, _ coupling: Double) -> Int32 {
    let n = size
    let (z, poles, weights, exact) = (work, work + n, work + 2 * n, work + 3 * n)
    let columns = work + 4 * n
    let (inner, grouped, kinds) = (integers, integers + n, integers + 2 * n)
    for k in 0..<middle { z[k] = vectors[k * stride + middle - 1] }
    for k in middle..<n { z[k] = vectors[k * stride + middle] }
    var (kept, info, rho) = (Int32(0), Int32(0), coupling)
    var (count, top, rows) = (Int32(n), Int32(middle), Int32(stride))
    BLASThreads.useOne()
    dlaed2_(
      &kept, &count, &top, diagonal, vectors, &rows, order, &rho, z, poles, weights, columns, inner, grouped,
      integers + 3 * n, kinds, &info)
    let k = Int(kept)
    guard info == 0, k > 0 else {
      for k in 0..<n { order[k] = Int32(k + 1) }
      return info
    }
    // Columns that end in the upper half, reach over both, begin in the lower half.
    let (upper, both, lower) = (Int(kinds[0]), Int(kinds[1]), Int(kinds[2]))
    let secular = columns + middle * (upper + both) + (n - middle) * (both + lower)
    solveSecular(hk_secular(k: Int64(k), d: poles, z: weights, rho: rho), exact, grouped, into: secular)
    multiply(k, columns, secular, middle: middle, upper: upper, both: both, lower: lower)
    var (first, deflated, up, down) = (kept, Int32(n - k), Int32(1), Int32(-1))
    dlamrg_(&first, &deflated, diagonal, &up, &down, order)
    return 0
  }

  /// Eigenvalues into the diagonal and the k×k eigenvectors of the secular problem into `target`, rows in the order
  /// `grouped`. Differences of poles and eigenvalues lie in the first rows of `vectors` meanwhile.
  private func solveSecular(
    _ problem: hk_secular, _ exact: UnsafeMutablePointer<Double>, _ grouped: UnsafePointer<Int32>,
    into target: UnsafeMutablePointer<Double>
  ) {
    let k = Int(problem.k)
    let parts = max(1, min(16, k / 16))
    func part(_ p: Int) -> Range<Int> { k * p / parts..<k * (p + 1) / parts }
    withUnsafePointer(to: problem) { problem in
      Team.run(parts) { p in
        for j in part(p) { diagonal[j] = hk_secular_root(problem, Int64(j), vectors + j * stride) }
      }
      Team.run(parts) { p in
        let rows = part(p)
        hk_secular_weights(
          problem, vectors, Int64(stride), Int64(rows.lowerBound), Int64(rows.upperBound), exact)
      }
      Team.run(parts) { p in
        withUnsafeTemporaryAllocation(of: Double.self, capacity: k) { held in
          for j in part(p) {
            hk_secular_vector(
              Int64(k), exact, vectors + j * stride, grouped, held.baseAddress, target + j * k)
          }
        }
      }
    }
  }

  /// The halves' eigenvectors, packed in `columns`, times those of the secular problem.
  private func multiply(
    _ k: Int, _ columns: UnsafePointer<Double>, _ secular: UnsafePointer<Double>, middle: Int, upper: Int,
    both: Int, lower: Int
  ) {
    let parts = (k + 255) / 256
    Team.run(2 * parts) { task in
      let (first, end) = (k * (task / 2) / parts, k * (task / 2 + 1) / parts)
      let isLower = task % 2 == 1
      let rows = isLower ? size - middle : middle
      let depth = isLower ? both + lower : upper + both
      let from = isLower ? columns + middle * (upper + both) : columns
      let to = vectors + first * stride + (isLower ? middle : 0)
      guard depth > 0 else {
        for j in 0..<end - first { (to + j * stride).update(repeating: 0, count: rows) }
        return
      }
      cblas_dgemm(
        CblasColMajor, CblasNoTrans, CblasNoTrans, Int32(rows), Int32(end - first), Int32(depth), 1, from,
        Int32(rows), secular + first * k + (isLower ? upper : 0), Int32(k), 0, to, Int32(stride))
    }
  }
}
