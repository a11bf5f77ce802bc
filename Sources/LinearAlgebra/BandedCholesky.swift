import COpenBLAS
import Tensors

/// The Cholesky factor of a symmetric positive definite matrix with few diagonals (LAPACK's dpbtrf).
public struct BandedCholesky: Sendable {
  public let order: Int
  public let bandwidth: Int
  private let factor: [Double]

  /// Factors the n×n matrix whose entry (i, j) with 0 ≤ i − j ≤ w is `bands[i * (w + 1) + (i − j)]`, w being the
  /// bandwidth: row by row the diagonal entry, then the entries to its left. Entries outside the matrix are not
  /// read.
  ///
  /// Throws `shapeMismatch`, `notFinite`, `notPositiveDefinite`.
  /// - Complexity: O(n·w²).
  public init(order: Int, bandwidth: Int, bands: [Double]) throws(LinearAlgebraError) {
    let width = bandwidth + 1
    guard bandwidth >= 0, bands.count == order * width else {
      throw .shapeMismatch([order, width], [bands.count])
    }
    // LAPACK's upper form: column j holds the entries (j − w … j, j), the diagonal last.
    var work = [Double](repeating: 0, count: bands.count)
    for i in 0..<order {
      for d in 0...min(bandwidth, i) {
        let value = bands[i * width + d]
        guard value.isFinite else { throw .notFinite(row: i, column: i - d) }
        work[i * width + bandwidth - d] = value
      }
    }
    if order > 0 {
      let info = la_dpbtrf(BLASThreads.count(order: bandwidth), Int32(order), Int32(bandwidth), &work)
      if info > 0 { throw .notPositiveDefinite(order: Int(info)) }
    }
    (self.order, self.bandwidth, factor) = (order, bandwidth, work)
  }

  /// x with a·x = b for a vector or matrix b of n rows. Throws `shapeMismatch` and `notFinite`.
  public func solve(_ b: Tensor) throws(LinearAlgebraError) -> Tensor {
    let right = try Matrix(rightHandSide: b, rows: order)
    guard order > 0, right.columns > 0 else { return b }
    var x = right.transposed()
    let threads = BLASThreads.count(order: bandwidth)
    _ = la_dpbtrs(threads, Int32(order), Int32(bandwidth), Int32(right.columns), factor, &x)
    return Tensor(transposing: x, rows: right.columns, columns: order, shape: b.shape, b.precision)
  }
}
