import COpenBLAS
import Glibc
import Tensors

/// The Cholesky factor of a symmetric positive definite matrix, a = L·Lᵀ.
///
/// Computed in double precision; results have the operand's.
public struct Cholesky: Sendable {
  public let order: Int
  public let precision: Precision
  /// L, row-major; what stands above the diagonal has no meaning.
  private let factor: [Double]
  private let norm: Double

  /// Factors an n×n matrix, whose lower triangle is read.
  ///
  /// Throws `notSquare`, `notFinite`, `notPositiveDefinite`, `tooLarge`.
  public init(_ a: Tensor) throws(LinearAlgebraError) {
    var matrix = try Matrix(square: a)
    order = matrix.rows
    precision = a.precision
    let n = order
    for i in 0..<n { for j in i + 1..<max(n, i + 1) { matrix.values[i * n + j] = matrix.values[j * n + i] } }
    norm = matrix.oneNorm
    try DenseKernels.cholesky(n, &matrix.values)
    factor = matrix.values
  }

  /// L, with zeros above the diagonal.
  public var lower: Tensor {
    var entries = factor
    for i in 0..<order { for j in i + 1..<max(order, i + 1) { entries[i * order + j] = 0 } }
    return Tensor(entries, [order, order], precision)
  }

  /// x with a·x = b, for a vector b of n entries or a matrix b of n rows; in b's precision.
  ///
  /// Throws `shapeMismatch` and `notFinite`.
  public func solve(_ b: Tensor) throws(LinearAlgebraError) -> Tensor {
    var x = try Matrix(rightHandSide: b, rows: order)
    DenseKernels.choleskySolve(order, x.columns, factor, &x.values)
    return Tensor(x.values, b.shape, b.precision)
  }

  /// log det a.
  public var logDeterminant: Double {
    factor.withUnsafeBufferPointer { entries in
      entries.baseAddress.map { DenseKernels.choleskyLogDeterminant(order, $0, log: log) } ?? 0
    }
  }

  /// a⁻¹, exactly symmetric.
  public func inverse() -> Tensor {
    var entries = factor
    if order > 0 {
      // The factor's diagonal is positive: this cannot fail.
      _ = la_dpotri(BLASThreads.count(order: order), Int32(order), &entries)
      for i in 0..<order { for j in 0..<i { entries[j * order + i] = entries[i * order + j] } }
    }
    return Tensor(entries, [order, order], precision)
  }

  /// An estimate of 1/(‖a‖₁·‖a⁻¹‖₁); near 1e−16 means singular to working precision.
  public func reciprocalCondition() throws(LinearAlgebraError) -> Double {
    var result = 1.0
    let threads = BLASThreads.count(order: order)
    if order > 0 { try checkMemory(la_dpocon(threads, Int32(order), factor, norm, &result), [order, order]) }
    return result
  }
}
