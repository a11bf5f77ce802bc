import COpenBLAS
import Glibc
import Tensors

/// The factors of a general square matrix, with exchanges.
///
/// Computed in double precision; results have the operand's.
public struct LU: Sendable {
  public let order: Int
  public let precision: Precision
  /// The first pivot that is exactly zero, counted from 1; nil when the matrix can be inverted.
  public let singularPivot: Int?
  private let factor: [Double]
  private let pivots: [Int32]
  private let norm: Double

  /// Factors an n×n matrix; a singular one too, so that its determinant can be had.
  ///
  /// Throws `notSquare`, `notFinite`, `tooLarge`.
  public init(_ a: Tensor) throws(LinearAlgebraError) {
    var matrix = try Matrix(square: a)
    order = matrix.rows
    precision = a.precision
    norm = matrix.oneNorm
    var pivots = [Int32](repeating: 0, count: order)
    singularPivot = try DenseKernels.lu(order, &matrix.values, &pivots)
    factor = matrix.values
    self.pivots = pivots
  }

  /// x with a·x = b (or aᵀ·x = b), for a vector b of n entries or a matrix b of n rows; in b's precision.
  ///
  /// Throws `singular`, `shapeMismatch` and `notFinite`.
  public func solve(_ b: Tensor, transposed: Bool = false) throws(LinearAlgebraError) -> Tensor {
    var x = try Matrix(rightHandSide: b, rows: order)
    if let singularPivot { throw .singular(pivot: singularPivot) }
    DenseKernels.luSolve(order, x.columns, factor, pivots, &x.values, transposed: transposed)
    return Tensor(x.values, b.shape, b.precision)
  }

  /// a⁻¹. Throws `singular` and `tooLarge`.
  public func inverse() throws(LinearAlgebraError) -> Tensor {
    if let singularPivot { throw .singular(pivot: singularPivot) }
    var entries = factor
    if order > 0 {
      let info = la_dgetri(BLASThreads.count(order: order), Int32(order), &entries, pivots)
      try checkMemory(info, [order, order])
    }
    return Tensor(entries, [order, order], precision)
  }

  /// det a; may overflow or underflow where `logAbsDeterminant` does not.
  public var determinant: Double {
    (0..<order).reduce(exchangeSign) { $0 * factor[$1 * order + $1] }
  }

  /// log |det a| and the determinant's sign (−∞ and 0 for a singular matrix).
  public var logAbsDeterminant: (log: Double, sign: Double) {
    if singularPivot != nil { return (-.infinity, 0) }
    var (sum, sign) = (0.0, exchangeSign)
    for i in 0..<order {
      let pivot = factor[i * order + i]
      sum += log(abs(pivot))
      if pivot < 0 { sign = -sign }
    }
    return (sum, sign)
  }

  /// An estimate of 1/(‖a‖₁·‖a⁻¹‖₁); 0 for a singular matrix, near 1e−16 means singular to working precision.
  public func reciprocalCondition() throws(LinearAlgebraError) -> Double {
    if singularPivot != nil { return 0 }
    var result = 1.0
    // LAPACK sees the transposed matrix, whose infinity norm is the 1-norm.
    let threads = BLASThreads.count(order: order)
    if order > 0 { try checkMemory(la_dgecon(threads, Int32(order), factor, norm, &result), [order, order]) }
    return result
  }

  private var exchangeSign: Double {
    pivots.enumerated().reduce(1) { $1.element == Int32($1.offset + 1) ? $0 : -$0 }
  }
}
