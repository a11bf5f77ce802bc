import COpenBLAS
import LinearAlgebra
import Tensors
import Testing

/// Small problems run on one thread, whatever number OpenBLAS was left with.
@Suite struct BLASThreadsTests {
  /// Other tests change the number, too, now and then: what counts is how it stands most times.
  private func leavesOne(_ body: () throws -> Void) rethrows -> Bool {
    var count = 0
    for _ in 0..<40 {
      openblas_set_num_threads(2)
      try body()
      if openblas_get_num_threads() == 1 { count += 1 }
    }
    return count > 30
  }

  private func diagonals(_ count: Int, of value: Double, beside: Double) -> SparseMatrix {
    let n = 8
    let pattern = SparsePattern(
      rows: n, columns: n, isSymmetric: true, isLowerHalf: true, .diagonals(Array(0..<count)))
    let entries = (0..<count).flatMap { k in
      [Double](repeating: k == 0 ? value : beside, count: n - k)
    }
    return SparseMatrix(pattern, Tensor(vector: entries))
  }

  @Test func denseFactors() throws {
    let g = random(12, 8)
    let a = g.transposed.times(g)
    let b = random(8, 2)
    let (ldlt, cholesky, lu) = (try LDLT(a), try Cholesky(a), try LU(a))
    #expect(try leavesOne { _ = try ldlt.solve(b) })
    #expect(try leavesOne { _ = try cholesky.reciprocalCondition() })
    #expect(try leavesOne { _ = try lu.reciprocalCondition() })
  }

  @Test func bands() throws {
    let bands: [Double] = (0..<16).map { $0 % 2 == 0 ? 4 : 1 }
    let factor = try BandedCholesky(order: 8, bandwidth: 1, bands: bands)
    #expect(try leavesOne { _ = try BandedCholesky(order: 8, bandwidth: 1, bands: bands) })
    #expect(try leavesOne { _ = try factor.solve(random(8, 2)) })
  }

  @Test(arguments: [(2, 0.1), (3, 4.0), (3, 0.1)]) func sparseSystems(count: Int, value: Double) throws {
    let matrix = diagonals(count, of: value, beside: 1)
    let b = Tensor(repeating: 1, [8])
    #expect(try leavesOne { _ = try matrix.solve(b) })
  }
}
