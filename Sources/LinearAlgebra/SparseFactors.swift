import CSuiteSparse
import Tensors

/// Factors of a matrix with a general pattern: CHOLMOD's LLᵀ where it is symmetric and positive definite, else
/// UMFPACK's LU. Elimination orders are found once.
final class SparseFactors {
  private let pattern: SparsePattern
  private var symmetric: OpaquePointer?
  private var general: OpaquePointer?
  /// The whole matrix by columns, for UMFPACK: which stored value each entry is.
  private lazy var whole = SparseColumns(whole: pattern)
  /// The lower half by columns, for CHOLMOD.
  private lazy var lower = SparseColumns(lowerHalf: pattern)

  init(_ pattern: SparsePattern) { self.pattern = pattern }

  deinit {
    ss_symmetric_free(symmetric)
    ss_general_free(general)
  }

  func solve(
    _ values: UnsafeBufferPointer<Double>, _ b: UnsafePointer<Double>, _ x: UnsafeMutablePointer<Double>,
    count: Int
  ) throws(LinearAlgebraError) -> Bool {
    if pattern.isSymmetric {
      let handle = try analyzed()
      let entries = lower.gathered(values)
      let status = ss_symmetric_factor(handle, entries)
      if status < 0 { throw error(Int32(status)) }
      if status == 0 {
        try check(ss_symmetric_solve(handle, Int64(count), b, x))
        return true
      }
    }
    try solveGeneral(values, b, x, count)
    return false
  }

  func inertia(_ values: UnsafeBufferPointer<Double>) -> Inertia? {
    guard pattern.isSymmetric, let handle = try? analyzed() else { return nil }
    var (p, q): (Int64, Int64) = (0, 0)
    guard ss_symmetric_inertia(handle, lower.gathered(values), &p, &q) == Int32(SS_OK) else { return nil }
    return Inertia(positive: Int(p), negative: Int(q), zero: 0)
  }

  private func analyzed() throws(LinearAlgebraError) -> OpaquePointer {
    if let symmetric { return symmetric }
    var status: Int32 = 0
    guard let made = ss_symmetric_new(Int64(pattern.rows), lower.starts, lower.rows, &status) else {
      throw error(status)
    }
    symmetric = made
    return made
  }

  private func solveGeneral(
    _ values: UnsafeBufferPointer<Double>, _ b: UnsafePointer<Double>, _ x: UnsafeMutablePointer<Double>,
    _ count: Int
  ) throws(LinearAlgebraError) {
    let entries = whole.gathered(values)
    if general == nil {
      var status: Int32 = 0
      general = ss_general_new(Int64(pattern.rows), whole.starts, whole.rows, entries, &status)
      if general == nil { throw error(status) }
    }
    var right: [Double] = []
    var source = b
    if UnsafeMutablePointer(mutating: b) == x {
      right = Array(UnsafeBufferPointer(start: b, count: count * pattern.rows))
    }
    let status = right.withUnsafeBufferPointer { copy in
      if let base = copy.baseAddress, !copy.isEmpty { source = base }
      return ss_general_solve(general, entries, Int64(count), source, x)
    }
    try check(status)
  }

  private func check(_ status: Int32) throws(LinearAlgebraError) {
    if status != Int32(SS_OK) { throw error(status) }
  }

  private func error(_ status: Int32) -> LinearAlgebraError {
    switch status {
    case Int32(SS_NO_LIBRARY): return .unavailable("SuiteSparse")
    case Int32(SS_SINGULAR): return .singular(pivot: pattern.rows)
    default: return .tooLarge([pattern.rows, pattern.columns])
    }
  }
}

/// Compressed columns, and which stored value each entry is.
struct SparseColumns {
  private(set) var starts: [Int64]
  private(set) var rows: [Int64]
  private var places: [Int]

  /// Entries on and below the diagonal.
  init(lowerHalf pattern: SparsePattern) {
    self.init(pattern) { visit in
      pattern.forEachEntry { i, j, place in if i >= j { visit(i, j, place) } }
    }
  }

  /// All entries, those above the diagonal that are not stored included.
  init(whole pattern: SparsePattern) {
    self.init(pattern) { visit in
      pattern.forEachEntry { i, j, place in
        visit(i, j, place)
        if pattern.isLowerHalf && i != j { visit(j, i, place) }
      }
    }
  }

  private init(_ pattern: SparsePattern, _ entries: ((Int, Int, Int) -> Void) -> Void) {
    var counts = [Int64](repeating: 0, count: pattern.columns + 1)
    entries { _, j, _ in counts[j + 1] += 1 }
    for j in 0..<pattern.columns { counts[j + 1] += counts[j] }
    let total = Int(counts.last ?? 0)
    starts = counts
    // Sorted by rows, then by columns: rows ascend within a column.
    var rowCounts = [Int](repeating: 0, count: pattern.rows + 1)
    entries { i, _, _ in rowCounts[i + 1] += 1 }
    for i in 0..<pattern.rows { rowCounts[i + 1] += rowCounts[i] }
    var next = rowCounts
    var columnOf = [Int](repeating: 0, count: total)
    var placeOf = [Int](repeating: 0, count: total)
    entries { i, j, place in
      columnOf[next[i]] = j
      placeOf[next[i]] = place
      next[i] += 1
    }
    rows = [Int64](repeating: 0, count: total)
    places = [Int](repeating: 0, count: total)
    var column = counts.map(Int.init)
    for i in 0..<pattern.rows {
      for k in rowCounts[i]..<rowCounts[i + 1] {
        let target = column[columnOf[k]]
        rows[target] = Int64(i)
        places[target] = placeOf[k]
        column[columnOf[k]] += 1
      }
    }
  }

  func gathered(_ values: UnsafeBufferPointer<Double>) -> [Double] { places.map { values[$0] } }
}
