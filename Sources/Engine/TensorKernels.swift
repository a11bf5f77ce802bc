import Graph
import LinearAlgebra
import Tensors

/// Functions on whole tensors: order along the last axis, linear algebra.
enum TensorKernels {
  /// Positions of the first maximum along the last axis; NaN counts as the maximum.
  static func argmax(_ arguments: [Tensor]) -> Tensor {
    let x = arguments[0]
    let n = x.shape.last ?? 1
    let values = x.doubles
    let rows = n == 0 ? 0 : values.count / n
    let places = (0..<rows).map { row -> Double in
      var best = 0
      for k in 1..<max(n, 1) where !values[row * n + best].isNaN {
        let candidate = values[row * n + k]
        if candidate > values[row * n + best] || candidate.isNaN { best = k }
      }
      return Double(best)
    }
    return Tensor(places, Array(x.shape.dropLast()))
  }

  /// The stable ascending order along the last axis, NaN last.
  static func argsort(_ arguments: [Tensor]) -> Tensor {
    let x = arguments[0]
    let n = x.shape.last ?? 1
    let values = x.doubles
    var order: [Double] = []
    order.reserveCapacity(values.count)
    for row in 0..<(n == 0 ? 0 : values.count / n) {
      let slice = values[(row * n)..<(row * n + n)]
      let sorted = slice.indices.sorted { a, b in
        let (p, q) = (slice[a], slice[b])
        if p.isNaN || q.isNaN { return p.isNaN == q.isNaN ? a < b : !p.isNaN }
        return p == q ? a < b : p < q
      }
      order += sorted.map { Double($0 - row * n) }
    }
    return Tensor(order, x.shape)
  }

  /// A function of one matrix in double precision.
  static func matrix(_ f: MatrixFunction, _ a: Tensor) throws -> Tensor {
    switch f {
    case .inverse, .solve: return try LU(a).inverse()
    case .cholesky: return try Cholesky(a).lower
    case .logdet: return Tensor(scalar: try LU(a).logAbsDeterminant.log)
    case .det:
      do { return Tensor(scalar: try LU(a).determinant) } catch LinearAlgebraError.singular {
        return Tensor(scalar: 0)
      }
    case .svdvals: return try singularValues(a)
    case .eigh: return try packedEigen(a)
    case .eigvals:
      let e = try generalEigenvalues(a)
      return Tensor(e.real.doubles + e.imaginary.doubles, [2, a.shape[0]])
    }
  }

  /// Eigenvalues in the first row, eigenvectors as columns below.
  private static func packedEigen(_ a: Tensor) throws -> Tensor {
    if let (i, j) = a.firstAsymmetry(beyond: 1e-8 * a.largestMagnitude) {
      throw EngineError.matrix(
        "eig takes a symmetric matrix, and entries (\(i), \(j)) and (\(j), \(i)) differ; eigvals takes any")
    }
    return try packedSymmetricEigen(a)
  }
}
