import LinearAlgebra
import Tensors

// Matrices and checks that the tests of this module share.

/// A matrix from a formula.
func matrix(_ rows: Int, _ columns: Int, _ entry: (Int, Int) -> Double) -> Tensor {
  Tensor(
    (0..<rows).flatMap { i in (0..<columns).map { j in entry(i, j) } }, [rows, columns])
}

func identity(_ n: Int) -> Tensor { matrix(n, n) { $0 == $1 ? 1 : 0 } }

func hilbert(_ n: Int) -> Tensor { matrix(n, n) { 1 / Double($0 + $1 + 1) } }

/// tridiag(−1, 2, −1), with eigenvalues 2 − 2cos(kπ/(n + 1)).
func secondDifference(_ n: Int) -> Tensor {
  matrix(n, n) { $0 == $1 ? 2 : abs($0 - $1) == 1 ? -1 : 0 }
}

func random(_ rows: Int, _ columns: Int, seed: UInt64 = 1) -> Tensor {
  var generator = CounterGenerator(seed: seed)
  return generator.normalTensor([rows, columns])
}

func randomSymmetric(_ n: Int, seed: UInt64 = 1) -> Tensor {
  let a = random(n, n, seed: seed)
  return matrix(n, n) { a[$0, $1] + a[$1, $0] }
}

extension Tensor {
  subscript(_ i: Int, _ j: Int) -> Double { self[flat: i * shape[1] + j] }

  var transposed: Tensor { matrix(shape[1], shape[0]) { self[$1, $0] } }

  func times(_ other: Tensor) -> Tensor {
    let (left, right, n, p) = (doubles, other.doubles, shape[1], other.shape[1])
    return matrix(shape[0], p) { i, j in
      (0..<n).reduce(0) { $0 + left[i * n + $1] * right[$1 * p + j] }
    }
  }

  /// The largest difference of two entries; infinite when the shapes differ.
  func distance(_ other: Tensor) -> Double {
    guard shape == other.shape else { return .infinity }
    return zip(doubles, other.doubles).map { abs($0 - $1) }.max() ?? 0
  }
}

func diagonal(_ values: Tensor) -> Tensor {
  matrix(values.count, values.count) { $0 == $1 ? values[flat: $0] : 0 }
}
