import COpenBLAS
import Glibc
import Tensors

/// How many eigenvalues are positive, negative and zero.
public struct Inertia: Equatable, Sendable {
  public let positive: Int
  public let negative: Int
  public let zero: Int

  public init(positive: Int, negative: Int, zero: Int) {
    (self.positive, self.negative, self.zero) = (positive, negative, zero)
  }
}

/// The Bunch–Kaufman factors of a symmetric, possibly indefinite matrix: a = U·D·Uᵀ with exchanges and with
/// diagonal blocks of one or two rows in D.
///
/// Computed in double precision; results have the operand's.
public struct LDLT: Sendable {
  public let order: Int
  public let precision: Precision
  /// A pivot block that is exactly zero, counted from 1; nil when the matrix can be inverted.
  public let singularPivot: Int?
  /// The eigenvalues of D's blocks; by Sylvester's law their signs are those of a's eigenvalues.
  public let blockEigenvalues: [Double]
  private let factor: [Double]
  private let pivots: [Int32]

  /// Factors an n×n matrix, whose lower triangle is read.
  ///
  /// Throws `notSquare`, `notFinite`, `tooLarge`.
  public init(_ a: Tensor) throws(LinearAlgebraError) {
    var matrix = try Matrix(square: a)
    order = matrix.rows
    precision = a.precision
    var pivots = [Int32](repeating: 0, count: order)
    let threads = BLASThreads.count(order: order)
    let info = order > 0 ? la_dsytrf(threads, Int32(order), &matrix.values, &pivots) : 0
    try checkMemory(info, a.shape)
    singularPivot = info > 0 ? Int(info) : nil
    factor = matrix.values
    self.pivots = pivots
    blockEigenvalues = LDLT.blockEigenvalues(factor, pivots)
  }

  /// x with a·x = b, for a vector b of n entries or a matrix b of n rows; in b's precision.
  ///
  /// Throws `singular`, `shapeMismatch` and `notFinite`.
  public func solve(_ b: Tensor) throws(LinearAlgebraError) -> Tensor {
    let right = try Matrix(rightHandSide: b, rows: order)
    if let singularPivot { throw .singular(pivot: singularPivot) }
    guard order > 0, right.columns > 0 else { return b }
    var x = right.transposed()
    let threads = BLASThreads.count(order: order)
    try checkMemory(la_dsytrs(threads, Int32(order), Int32(right.columns), factor, pivots, &x), b.shape)
    return Tensor(transposing: x, rows: right.columns, columns: order, shape: b.shape, b.precision)
  }

  /// The signs of the eigenvalues. A block eigenvalue counts as zero when its magnitude is at most `tolerance`,
  /// by default n·ε·(the largest magnitude).
  public func inertia(tolerance: Double? = nil) -> Inertia {
    let largest = blockEigenvalues.map(abs).max() ?? 0
    let bound = tolerance ?? Double(order) * .ulpOfOne * largest
    let positive = blockEigenvalues.count { $0 > bound }
    let negative = blockEigenvalues.count { $0 < -bound }
    return Inertia(positive: positive, negative: negative, zero: order - positive - negative)
  }

  /// log |det a| and the determinant's sign (−∞ and 0 for a singular matrix).
  public var logAbsDeterminant: (log: Double, sign: Double) {
    if singularPivot != nil { return (-.infinity, 0) }
    return (
      blockEigenvalues.reduce(0) { $0 + log(abs($1)) },
      blockEigenvalues.reduce(1) { $1 < 0 ? -$0 : $1 == 0 ? 0 : $0 }
    )
  }

  /// LAPACK marks the two rows of a block by the same negative pivot; D's diagonal is the factor's, its
  /// off-diagonal entry stands above it column-major, below it row-major.
  private static func blockEigenvalues(_ factor: [Double], _ pivots: [Int32]) -> [Double] {
    let n = pivots.count
    var result: [Double] = []
    result.reserveCapacity(n)
    while result.count < n {
      let i = result.count
      let d = factor[i * n + i]
      if pivots[i] > 0 || i + 1 == n {
        result.append(d)
        continue
      }
      let e = factor[(i + 1) * n + i + 1]
      let coupling = factor[(i + 1) * n + i]
      let radius = hypot((d - e) / 2, coupling)
      let mean = (d + e) / 2
      // The larger by addition, the smaller by the determinant: no cancellation in sight of zero.
      let large = mean < 0 ? mean - radius : mean + radius
      let small = large == 0 ? 0 : d / large * e - coupling / large * coupling
      result += [large, small]
    }
    return result
  }
}
