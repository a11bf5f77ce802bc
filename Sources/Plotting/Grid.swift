/// Values on a regular grid that covers `xRange` × `yRange`, its outer points on the border.
public struct Grid: Sendable, Equatable {
  public var columns: Int
  public var rows: Int
  public var xRange: ClosedRange<Double>
  public var yRange: ClosedRange<Double>
  /// Row-major; row 0 has the lowest y. What is missing counts as a gap.
  public var values: [Double]

  public init(
    columns: Int, rows: Int, xRange: ClosedRange<Double>, yRange: ClosedRange<Double>, values: [Double]
  ) {
    self.columns = max(columns, 0)
    self.rows = max(rows, 0)
    self.xRange = xRange
    self.yRange = yRange
    self.values = values
  }

  /// Samples a function of x and y.
  public init(
    columns: Int = 81, rows: Int = 81, xRange: ClosedRange<Double>, yRange: ClosedRange<Double>,
    sampling function: (Double, Double) -> Double
  ) {
    self.init(columns: columns, rows: rows, xRange: xRange, yRange: yRange, values: [])
    for row in 0..<self.rows {
      for column in 0..<self.columns {
        let at = point(column: Double(column), row: Double(row))
        values.append(function(at.x, at.y))
      }
    }
  }

  /// The value of a grid point; NaN outside.
  func value(column: Int, row: Int) -> Double {
    let index = row * columns + column
    guard (0..<columns).contains(column), (0..<rows).contains(row), index < values.count else { return .nan }
    return values[index]
  }

  /// The place of a (fractional) grid position in data coordinates.
  func point(column: Double, row: Double) -> Point {
    Point(
      x: interpolate(xRange.lowerBound, xRange.upperBound, columns > 1 ? column / Double(columns - 1) : 0.5),
      y: interpolate(yRange.lowerBound, yRange.upperBound, rows > 1 ? row / Double(rows - 1) : 0.5))
  }

  /// The value of the grid point nearest to a place in data coordinates; NaN outside the grid.
  func nearestValue(x: Double, y: Double) -> Double {
    guard let column = Grid.nearestIndex(x, in: xRange, count: columns),
      let row = Grid.nearestIndex(y, in: yRange, count: rows)
    else { return .nan }
    return value(column: column, row: row)
  }

  private static func nearestIndex(_ value: Double, in range: ClosedRange<Double>, count: Int) -> Int? {
    let (low, high) = (range.lowerBound, range.upperBound)
    guard count > 1, high > low else { return count > 0 ? 0 : nil }
    let fraction = (value / 2 - low / 2) / (high / 2 - low / 2)
    guard fraction > -1e-9, fraction < 1 + 1e-9 else { return nil }
    return Int((fraction * Double(count - 1)).rounded())
  }
}

// MARK: - Refinement

extension Grid {
  /// The grid with points added between its own by cubic convolution (Keys 1981), which is exact for
  /// quadratics, until it has about `target` columns and rows. Narrow valleys keep their shape this way.
  func refined(target: Int) -> Grid {
    guard columns > 3, rows > 3, values.count == columns * rows else { return self }
    let (across, up) = (min(max(target / columns, 1), 4), min(max(target / rows, 1), 4))
    let wide = Grid.refine(lines: rows, length: columns, lineStep: columns, step: 1, across, values)
    let newColumns = (columns - 1) * across + 1
    let newRows = (rows - 1) * up + 1
    let tall = Grid.refine(lines: newColumns, length: rows, lineStep: 1, step: newColumns, up, wide)
    var result = Grid(columns: newColumns, rows: newRows, xRange: xRange, yRange: yRange, values: tall)
    // The second pass ran along columns: turn its lines into rows again.
    for row in 0..<newRows {
      for column in 0..<newColumns { result.values[row * newColumns + column] = tall[column * newRows + row] }
    }
    return result
  }

  /// Each line of `values` with `factor` − 1 points put between neighbours; lines follow each other.
  private static func refine(
    lines: Int, length: Int, lineStep: Int, step: Int, _ factor: Int, _ values: [Double]
  ) -> [Double] {
    var result: [Double] = []
    result.reserveCapacity(lines * (length * factor))
    for line in 0..<lines {
      func at(_ index: Int) -> Double {
        func known(_ index: Int) -> Double { values[line * lineStep + index * step] }
        if index < 0 { return 3 * (known(0) - known(1)) + known(2) }
        if index >= length { return 3 * (known(length - 1) - known(length - 2)) + known(length - 3) }
        return known(index)
      }
      for index in 0..<length - 1 {
        let (a, b, c, d) = (at(index - 1), at(index), at(index + 1), at(index + 2))
        result.append(b)
        for part in 1..<max(factor, 1) {
          let t = Double(part) / Double(factor)
          let bend = (2 * a - 5 * b + 4 * c - d) + t * (3 * (b - c) + d - a)
          let cubic = b + 0.5 * t * (c - a + t * bend)
          // A gap two points away must not widen.
          result.append(cubic.isFinite ? cubic : interpolate(b, c, t))
        }
      }
      result.append(at(length - 1))
    }
    return result
  }
}

/// A matrix shown as an image: columns to the right, rows downward, both counted from 0.
public struct Matrix: Sendable, Equatable {
  public var rows: Int
  public var columns: Int
  /// Row-major. What is missing counts as a gap.
  public var values: [Double]
  /// Consecutive named blocks along the diagonal, for square matrices such as Hessians.
  public var blocks: [Block]

  /// Consecutive rows and columns that belong to one parameter.
  public struct Block: Sendable, Equatable {
    public var name: String
    public var size: Int

    public init(_ name: String, size: Int) {
      self.name = name
      self.size = size
    }
  }

  public init(rows: Int, columns: Int, values: [Double], blocks: [Block] = []) {
    self.rows = max(rows, 0)
    self.columns = max(columns, 0)
    self.values = values
    self.blocks = blocks
  }

  func value(row: Int, column: Int) -> Double {
    let index = row * columns + column
    return index >= 0 && index < values.count ? values[index] : .nan
  }

  /// The entry of the largest magnitude among some rows and columns, so that shrinking loses no outlier.
  func dominant(rows: Range<Int>, columns: Range<Int>) -> Double {
    var best = Double.nan
    for row in rows {
      for column in columns {
        let candidate = value(row: row, column: column)
        if candidate.isFinite, best.isNaN || abs(candidate) > abs(best) { best = candidate }
      }
    }
    return best
  }

  /// Where one block ends and the next begins, as row (and column) indices.
  var borders: [Int] {
    var borders: [Int] = []
    var end = 0
    for block in blocks.dropLast() {
      end += max(block.size, 0)
      if end > 0, end < min(rows, columns) { borders.append(end) }
    }
    return borders
  }
}
