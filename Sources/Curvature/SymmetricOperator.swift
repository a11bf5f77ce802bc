import Tensors

/// A symmetric matrix that is known by its products: a Hessian, a Gauss–Newton matrix, a sparse matrix.
public protocol SymmetricOperator {
  /// Rows and columns.
  var order: Int { get }
  /// The relative rounding error of a product's entries.
  var roundoff: Double { get }
  /// A·v for each vector v of the block.
  func products(_ block: Rows) throws -> Rows
}

/// Counts the products of another operator.
final class CountedOperator: SymmetricOperator {
  private let base: any SymmetricOperator
  private(set) var count = 0

  init(_ base: any SymmetricOperator) { self.base = base }

  var order: Int { base.order }
  var roundoff: Double { base.roundoff }

  func products(_ block: Rows) throws -> Rows {
    count += block.count
    let result = try base.products(block)
    guard result.entries.withUnsafeBufferPointer(Double.areFinite) else { throw CurvatureError.notFinite }
    return result
  }
}

extension SymmetricOperator {
  /// Half an interval that rounding may fill: samples that agree to the last digit prove no more than that.
  func rounding(_ samples: [Double]) -> Double { 8 * roundoff * (samples.map(abs).max() ?? 0) }
}

/// Why a matrix-free method gives no result.
public enum CurvatureError: Error, Equatable, Sendable {
  /// A product holds an infinity or NaN.
  case notFinite
  /// The logarithm of a determinant needs positive eigenvalues; this one was seen.
  case notPositive(Double)
  /// Too few probes for what was asked.
  case tooFewProbes(needed: Int)
  /// So few dimensions that probes cannot tell how far off they are.
  case tooSmall(order: Int)
}

extension CurvatureError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notFinite: return "a product with the matrix is infinite or not a number"
    case .notPositive(let value):
      return "the matrix is not positive definite: a quadrature node lies at \(value)"
    case .tooFewProbes(let needed): return "at least \(needed) probes are needed"
    case .tooSmall(let order):
      return "order \(order) is too small for this estimate; without probes= the figure is exact"
    }
  }
}

/// A dense or sparse matrix as an operator.
public struct MatrixOperator: SymmetricOperator {
  private let matrix: SparseMatrix?
  private let dense: Rows
  public let order: Int
  public let roundoff: Double

  /// - Parameter matrix: symmetric n×n; all entries are read.
  public init(_ matrix: Tensor) {
    order = matrix.shape[0]
    dense = Rows(matrix.doubles, length: order)
    self.matrix = nil
    roundoff = matrix.precision == .f64 ? Double.ulpOfOne : Double(Float.ulpOfOne)
  }

  public init(_ matrix: SparseMatrix) {
    order = matrix.pattern.rows
    dense = Rows(count: 0, length: order)
    self.matrix = matrix
    roundoff = matrix.values.precision == .f64 ? Double.ulpOfOne : Double(Float.ulpOfOne)
  }

  public func products(_ block: Rows) -> Rows {
    guard let matrix else {
      // (A·Vᵀ)ᵀ = V·A for a symmetric A.
      var coefficients = SmallMatrix(order, block.count)
      for k in 0..<block.count { for i in 0..<order { coefficients[i, k] = block.entries[k * order + i] } }
      return dense.combined(coefficients)
    }
    var result = Rows(count: block.count, length: order)
    let values = matrix.values.doubles
    let isHalf = matrix.pattern.isLowerHalf
    result.entries.withUnsafeMutableBufferPointer { target in
      block.entries.withUnsafeBufferPointer { source in
        matrix.pattern.forEachEntry { i, j, place in
          for start in stride(from: 0, to: block.count * order, by: order) {
            target[start + i] += values[place] * source[start + j]
            if isHalf && i != j { target[start + j] += values[place] * source[start + i] }
          }
        }
      }
    }
    return result
  }
}
