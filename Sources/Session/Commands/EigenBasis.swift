import LinearAlgebra
import Optimization
import Tensors

/// A symmetric matrix's eigenvectors as coordinates, largest eigenvalue first.
struct EigenBasis {
  /// Descending.
  let values: [Double]
  /// One eigenvector each, turned so that `reference` has no negative part along it.
  let vectors: [[Double]]

  /// Orders up to which all eigenvectors are computed.
  static let limit = 2000

  init(_ matrix: Tensor, turnedTo reference: [Double]) throws(LinearAlgebraError) {
    let found = try symmetricEigen(matrix)
    let (n, entries) = (found.values.count, found.vectors.doubles)
    values = found.values.doubles.reversed()
    vectors = (0..<n).reversed().map { column in
      let v = (0..<n).map { entries[$0 * n + column] }
      return zip(v, reference).reduce(0) { $0 + $1.0 * $1.1 } < 0 ? v.map { -$0 } : v
    }
  }

  /// The parts of a direction along the eigenvectors.
  func coordinates(_ d: [Double]) -> [Double] {
    vectors.map { v in zip(v, d).reduce(0) { $0 + $1.0 * $1.1 } }
  }
}

extension HessianMatrix {
  /// The matrix of this order with all its entries, in f64.
  func filled(order: Int) -> Tensor {
    switch self {
    case .dense(let matrix): return matrix.converted(to: .f64)
    case .sparse(let matrix): return matrix.dense().converted(to: .f64)
    case .blocks(let blocks): return Tensor(blocks: blocks, order: order)
    }
  }
}
