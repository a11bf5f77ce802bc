import CKernels
import COpenBLAS
import Tensors

/// Solves systems with the matrices of one pattern, by the cheapest of: division (a diagonal), elimination from both
/// ends (a tridiagonal one), LAPACK's banded factors, CHOLMOD and UMFPACK. What depends on the pattern alone is
/// worked out once.
///
/// Not for use by two threads at once.
public final class SparseSolver: @unchecked Sendable {
  public let pattern: SparsePattern
  private let kind: Kind
  /// Memory that stays between solves.
  private var work: [Double] = []

  private enum Kind {
    case diagonal
    /// Symmetric; where the diagonal and the one below it begin among the values (nil: it is zero).
    case tridiagonal(diagonal: Int?, below: Int?)
    case banded(lower: Int, upper: Int)
    case general(SparseFactors)
  }

  /// Bands up to this width go to LAPACK.
  static let bandLimit = 48

  /// Throws `notSquare`.
  public init(_ pattern: SparsePattern) throws(LinearAlgebraError) {
    guard pattern.rows == pattern.columns else { throw .notSquare([pattern.rows, pattern.columns]) }
    self.pattern = pattern
    let (lower, upper) = pattern.bandwidths
    if pattern.isDiagonal {
      kind = .diagonal
    } else if case .diagonals(let offsets) = pattern.layout, pattern.isLowerHalf, lower <= 1 {
      func start(_ offset: Int) -> Int? { offsets.firstIndex(of: offset).map { pattern.diagonalStarts[$0] } }
      kind = .tridiagonal(diagonal: start(0), below: start(1))
    } else if max(lower, upper) <= Self.bandLimit {
      kind = .banded(lower: lower, upper: upper)
    } else {
      kind = .general(SparseFactors(pattern))
    }
  }

  /// How it solves, for people.
  public var methodName: String {
    switch kind {
    case .diagonal: return "division by the diagonal"
    case .tridiagonal: return "tridiagonal elimination"
    case .banded: return "banded factors (LAPACK)"
    case .general:
      return pattern.isSymmetric ? "sparse Cholesky factors (CHOLMOD)" : "sparse LU factors (UMFPACK)"
    }
  }

  /// x with a·x = b for `count` right-hand sides, each n entries long and one after the other. True when the matrix
  /// was found positive definite; else it was solved with exchanges.
  ///
  /// Throws `singular`, `notFinite`, `tooLarge`, `unavailable`.
  @discardableResult
  public func solve(
    _ values: UnsafeBufferPointer<Double>, _ b: UnsafePointer<Double>, _ x: UnsafeMutablePointer<Double>,
    count: Int
  ) throws(LinearAlgebraError) -> Bool {
    let n = pattern.rows
    guard n > 0, count > 0, let base = values.baseAddress else {
      if n > 0 && count > 0 { throw .singular(pivot: 1) }
      return true
    }
    switch kind {
    case .diagonal: return try divide(base, b, x, count)
    case .tridiagonal(let diagonal?, let below?):
      if work.count < n { work = [Double](repeating: 0, count: n) }
      for k in 0..<count {
        let failed = hk_tridiagonal_solve(
          Int64(n), base + diagonal, base + below, b + k * n, x + k * n, &work)
        guard failed != 0 else { continue }
        try checkFinite(values)
        try exchangingTridiagonal(base, diagonal, below, b, x, count)
        return false
      }
      return true
    case .tridiagonal, .banded:
      try checkFinite(values)
      let (lower, upper) = pattern.bandwidths
      if pattern.isSymmetric, try bandedCholesky(base, lower, b, x, count) { return true }
      try exchangingBand(base, lower, upper, b, x, count)
      return false
    case .general(let factors):
      try checkFinite(values)
      return try factors.solve(values, b, x, count: count)
    }
  }

  /// The signs of the eigenvalues of a symmetric matrix; nil where a factor without exchanges does not tell.
  public func inertia(_ values: UnsafeBufferPointer<Double>) -> Inertia? {
    let n = pattern.rows
    switch kind {
    case .diagonal:
      let (p, q) = (values.count { $0 > 0 }, values.count { $0 < 0 })
      return Inertia(positive: p, negative: q, zero: n - p - q)
    case .tridiagonal(let diagonal?, let below?):
      guard let base = values.baseAddress else { return nil }
      var (p, q): (Int64, Int64) = (0, 0)
      hk_tridiagonal_signs(Int64(n), base + diagonal, base + below, &p, &q)
      return Inertia(positive: Int(p), negative: Int(q), zero: 0)
    case .tridiagonal, .banded: return pattern.isSymmetric ? SparseFactors(pattern).inertia(values) : nil
    case .general(let factors): return factors.inertia(values)
    }
  }

  private func checkFinite(_ values: UnsafeBufferPointer<Double>) throws(LinearAlgebraError) {
    guard let bad = values.firstIndex(where: { !$0.isFinite }) else { return }
    var place = (0, 0)
    pattern.forEachEntry { i, j, k in if k == bad { place = (i, j) } }
    throw .notFinite(row: place.0, column: place.1)
  }

  // MARK: Diagonals

  private func divide(
    _ d: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ x: UnsafeMutablePointer<Double>, _ count: Int
  ) throws(LinearAlgebraError) -> Bool {
    let n = pattern.rows
    var isPositive = true
    var isRegular = true
    for i in 0..<n {
      // False for NaN too.
      isPositive = isPositive && d[i] > 0
      isRegular = isRegular && d[i].magnitude > 0 && d[i].magnitude < .infinity
    }
    guard isRegular else {
      for i in 0..<n {
        if !d[i].isFinite { throw .notFinite(row: i, column: i) }
        if d[i] == 0 { throw .singular(pivot: i + 1) }
      }
      return false
    }
    for k in 0..<count { for i in 0..<n { x[k * n + i] = b[k * n + i] / d[i] } }
    return isPositive
  }

  private func exchangingTridiagonal(
    _ base: UnsafePointer<Double>, _ diagonal: Int, _ below: Int, _ b: UnsafePointer<Double>,
    _ x: UnsafeMutablePointer<Double>, _ count: Int
  ) throws(LinearAlgebraError) {
    let n = pattern.rows
    var d = Array(UnsafeBufferPointer(start: base + diagonal, count: n))
    var e = Array(UnsafeBufferPointer(start: base + below, count: n - 1))
    var f = e
    if x != UnsafeMutablePointer(mutating: b) { x.update(from: b, count: n * count) }
    BLASThreads.useOne()
    let info = la_dgtsv(Int32(n), Int32(count), &e, &d, &f, x)
    if info > 0 { throw .singular(pivot: Int(info)) }
    let largest = d.reduce(0) { max($0, $1.magnitude) }
    if let tiny = d.firstIndex(where: { $0.magnitude <= Double.ulpOfOne * largest * 0.01 }) {
      throw .singular(pivot: tiny + 1)
    }
  }

  // MARK: Bands

  /// False when the matrix is not positive definite.
  private func bandedCholesky(
    _ values: UnsafePointer<Double>, _ width: Int, _ b: UnsafePointer<Double>,
    _ x: UnsafeMutablePointer<Double>, _ count: Int
  ) throws(LinearAlgebraError) -> Bool {
    let n = pattern.rows
    let rows = width + 1
    // LAPACK's upper form: column j holds the entries (j − w … j, j), the diagonal last.
    var band = [Double](repeating: 0, count: n * rows)
    pattern.forEachEntry { i, j, place in
      if i >= j { band[i * rows + width - (i - j)] += values[place] }
    }
    let threads = BLASThreads.count(order: width)
    guard la_dpbtrf(threads, Int32(n), Int32(width), &band) == 0 else { return false }
    if x != UnsafeMutablePointer(mutating: b) { x.update(from: b, count: n * count) }
    _ = la_dpbtrs(threads, Int32(n), Int32(width), Int32(count), band, x)
    return true
  }

  private func exchangingBand(
    _ values: UnsafePointer<Double>, _ lower: Int, _ upper: Int, _ b: UnsafePointer<Double>,
    _ x: UnsafeMutablePointer<Double>, _ count: Int
  ) throws(LinearAlgebraError) {
    let n = pattern.rows
    let rows = 2 * lower + upper + 1
    var band = [Double](repeating: 0, count: n * rows)
    pattern.forEachEntry { i, j, place in
      band[j * rows + lower + upper + i - j] += values[place]
      if pattern.isLowerHalf && i != j { band[i * rows + lower + upper + j - i] += values[place] }
    }
    var pivots = [Int32](repeating: 0, count: n)
    if x != UnsafeMutablePointer(mutating: b) { x.update(from: b, count: n * count) }
    let threads = BLASThreads.count(order: lower + upper)
    let info = la_dgbsv(
      threads, Int32(n), Int32(lower), Int32(upper), Int32(count), &band, &pivots, x)
    if info > 0 { throw .singular(pivot: Int(info)) }
    var largest = 0.0
    for j in 0..<n { largest = max(largest, band[j * rows + lower + upper].magnitude) }
    for j in 0..<n where band[j * rows + lower + upper].magnitude <= Double.ulpOfOne * largest * 0.01 {
      throw .singular(pivot: j + 1)
    }
  }
}
