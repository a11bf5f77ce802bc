import Curvature
import Foundation
import LinearAlgebra
import Tensors

/// Symmetric matrices with a known spectrum.
enum Matrices {
  /// Q·diag(values)·Qᵀ for a random orthogonal Q.
  static func withEigenvalues(_ values: [Double], seed: UInt64 = 1) -> Tensor {
    let n = values.count
    var generator = CounterGenerator(seed: seed)
    var q = (0..<n).map { _ in generator.normals(n) }
    for i in 0..<n {
      for _ in 0..<2 {
        for j in 0..<i {
          let along = zip(q[i], q[j]).reduce(0) { $0 + $1.0 * $1.1 }
          for k in 0..<n { q[i][k] -= along * q[j][k] }
        }
      }
      let norm = q[i].reduce(0) { $0 + $1 * $1 }.squareRoot()
      for k in 0..<n { q[i][k] /= norm }
    }
    var entries = [Double](repeating: 0, count: n * n)
    for (value, row) in zip(values, q) where value != 0 {
      for i in 0..<n {
        let scaled = value * row[i]
        for j in 0..<n { entries[i * n + j] += scaled * row[j] }
      }
    }
    for i in 0..<n { for j in 0..<i { entries[i * n + j] = entries[j * n + i] } }
    return Tensor(entries, [n, n])
  }

  /// The second difference matrix: eigenvalues 2 − 2·cos(kπ/(n + 1)).
  static func laplacian(_ n: Int) -> SparseMatrix {
    let pattern = SparsePattern(
      rows: n, columns: n, isSymmetric: true, isLowerHalf: true, .diagonals([0, 1]))
    return SparseMatrix(
      pattern, Tensor(vector: [Double](repeating: 2, count: n) + [Double](repeating: -1, count: n - 1)))
  }

  static func laplacianEigenvalue(_ k: Int, _ n: Int) -> Double {
    let s = sin(Double(k) * .pi / Double(2 * (n + 1)))
    return 4 * s * s
  }
}

/// Whether two lists agree within an absolute bound.
func agree(_ a: [Double], _ b: [Double], within bound: Double) -> Bool {
  a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= bound }
}
