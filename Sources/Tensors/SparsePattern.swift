import Synchronization

/// Where the entries of a sparse matrix stand. Two matrices with the same pattern object share what is worked out
/// about it: elimination orders, places in a band.
public final class SparsePattern: @unchecked Sendable {
  public enum Layout: Sendable {
    /// Whole diagonals, one after the other, by row − column; each from its first row on.
    case diagonals([Int])
    /// Compressed columns: column j holds the rows `rows[starts[j]..<starts[j+1]]`, ascending.
    case columns(starts: [Int], rows: [Int])
  }

  public let rows: Int
  public let columns: Int
  /// The matrix equals its transpose.
  public let isSymmetric: Bool
  /// Of a symmetric matrix only the entries on and below the diagonal are stored.
  public let isLowerHalf: Bool
  public let layout: Layout
  /// Values stored.
  public let count: Int
  /// Entries of the whole matrix that are not structural zeros.
  public let nonZeros: Int
  /// Where each diagonal's values begin.
  public let diagonalStarts: [Int]
  private let analyses = Mutex<[ObjectIdentifier: any Sendable]>([:])

  public init(rows: Int, columns: Int, isSymmetric: Bool, isLowerHalf: Bool, _ layout: Layout) {
    self.rows = rows
    self.columns = columns
    self.isSymmetric = isSymmetric
    self.isLowerHalf = isLowerHalf
    self.layout = layout
    var starts: [Int] = []
    var onDiagonal = 0
    switch layout {
    case .diagonals(let offsets):
      var total = 0
      for offset in offsets {
        starts.append(total)
        let length = Self.length(rows, columns, offset)
        total += length
        if offset == 0 { onDiagonal = length }
      }
      count = total
    case .columns(let columnStarts, let rowIndices):
      count = rowIndices.count
      for j in 0..<columns where columnStarts[j] < columnStarts[j + 1] {
        // The diagonal comes first in a column of the lower half.
        if rowIndices[columnStarts[j]] == j { onDiagonal += 1 }
      }
    }
    diagonalStarts = starts
    nonZeros = isLowerHalf ? 2 * count - onDiagonal : count
  }

  static func length(_ rows: Int, _ columns: Int, _ offset: Int) -> Int {
    max(0, offset >= 0 ? min(rows - offset, columns) : min(rows, columns + offset))
  }

  /// Entries of the diagonal row − column = `offset`.
  public func length(ofDiagonal offset: Int) -> Int { Self.length(rows, columns, offset) }

  /// Calls `body(row, column, place)` for each stored value, in the order of the values.
  @inline(__always)
  public func forEachEntry(_ body: (Int, Int, Int) -> Void) {
    switch layout {
    case .diagonals(let offsets):
      for (offset, start) in zip(offsets, diagonalStarts) {
        let (row, column) = (max(offset, 0), max(-offset, 0))
        for k in 0..<length(ofDiagonal: offset) { body(row + k, column + k, start + k) }
      }
    case .columns(let starts, let rows):
      for j in 0..<columns { for place in starts[j]..<starts[j + 1] { body(rows[place], j, place) } }
    }
  }

  /// Calls `body(row, column)` for at least one entry of every cell that holds any, when the matrix is cut into
  /// `grid.rows`×`grid.columns` cells (and so is its transpose, for the lower half): few calls for a diagonal.
  public func forEachEntry(sampling grid: (rows: Int, columns: Int), _ body: (Int, Int) -> Void) {
    guard case .diagonals(let offsets) = layout else {
      forEachEntry { i, j, _ in body(i, j) }
      return
    }
    /// Steps from `i` to the next cell of an axis of `size` in `cells`.
    func remaining(_ i: Int, _ size: Int, _ cells: Int) -> Int {
      let next = i * cells / size + 1
      return (next * size + cells - 1) / cells - i
    }
    for offset in offsets {
      let (row, column) = (max(offset, 0), max(-offset, 0))
      let length = self.length(ofDiagonal: offset)
      var k = 0
      while k < length {
        let (i, j) = (row + k, column + k)
        body(i, j)
        let ahead = min(remaining(i, rows, grid.rows), remaining(j, columns, grid.columns))
        let mirrored = min(remaining(j, rows, grid.rows), remaining(i, columns, grid.columns))
        k += max(1, isLowerHalf ? min(ahead, mirrored) : ahead)
      }
    }
  }

  /// The largest row − column and column − row of an entry; in the lower half the latter is that of its mirror image.
  public var bandwidths: (lower: Int, upper: Int) {
    var (lower, upper) = (0, 0)
    switch layout {
    case .diagonals(let offsets):
      for offset in offsets { (lower, upper) = (max(lower, offset), max(upper, -offset)) }
    case .columns:
      forEachEntry { i, j, _ in
        lower = max(lower, i - j)
        upper = max(upper, j - i)
      }
    }
    return isLowerHalf ? (lower, lower) : (lower, upper)
  }

  public var isDiagonal: Bool {
    if case .diagonals(let offsets) = layout { return offsets == [0] && rows == columns }
    return false
  }

  /// What `make` finds out about this pattern; found once.
  public func analysis<T: Sendable>(_ make: (SparsePattern) throws -> T) rethrows -> T {
    let key = ObjectIdentifier(T.self)
    if let known = analyses.withLock({ $0[key] }) as? T { return known }
    let made = try make(self)
    analyses.withLock { $0[key] = made }
    return made
  }

  /// The same places, stored the same way.
  public func matches(_ other: SparsePattern) -> Bool {
    if self === other { return true }
    guard rows == other.rows, columns == other.columns, isSymmetric == other.isSymmetric,
      isLowerHalf == other.isLowerHalf, count == other.count
    else { return false }
    switch (layout, other.layout) {
    case (.diagonals(let a), .diagonals(let b)): return a == b
    case (.columns(let a, let b), .columns(let c, let d)): return a == c && b == d
    default: return false
    }
  }
}

extension SparsePattern: Hashable {
  public static func == (a: SparsePattern, b: SparsePattern) -> Bool { a.matches(b) }
  public func hash(into hasher: inout Hasher) {
    hasher.combine(rows)
    hasher.combine(columns)
    hasher.combine(count)
  }
}

/// A matrix of which only the entries of a pattern are stored.
public struct SparseMatrix: Sendable {
  public let pattern: SparsePattern
  /// One value for each place of the pattern.
  public let values: Tensor

  public init(_ pattern: SparsePattern, _ values: Tensor) {
    self.pattern = pattern
    self.values = values
  }

  public var shape: Shape { [pattern.rows, pattern.columns] }

  /// The matrix with its zeros.
  /// - Complexity: the memory of the whole.
  public func dense() -> Tensor {
    var result = Tensor(repeating: 0, shape, values.precision)
    switch values.precision {
    case .f64: fill(&result, Double.self)
    case .f32: fill(&result, Float.self)
    }
    return result
  }

  private func fill<T: TensorScalar>(_ result: inout Tensor, _: T.Type) {
    let columns = pattern.columns
    result.withMutable(T.self) { entries in
      values.withEntries(T.self) { stored in
        pattern.forEachEntry { i, j, place in
          entries[i * columns + j] = stored[place]
          if pattern.isLowerHalf { entries[j * columns + i] = stored[place] }
        }
      }
    }
  }
}
