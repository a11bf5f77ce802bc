/// A line of equal value, in data coordinates. A closed line repeats its first point at the end.
struct ContourLine: Equatable {
  var points: [Point]
  var isClosed: Bool

  /// Marching squares: the lines of a grid at a level. Cells with a corner that is not finite are gaps;
  /// saddles are resolved by the mean of their corners.
  ///
  /// - Complexity: O(rows · columns).
  static func trace(_ grid: Grid, at level: Double) -> [ContourLine] {
    guard grid.columns > 1, grid.rows > 1, level.isFinite else { return [] }
    var tracer = ContourTracer(grid: grid, level: level)
    tracer.findSegments()
    return tracer.joinSegments()
  }
}

/// Finds the pieces of a contour cell by cell, then joins those that share a grid edge.
private struct ContourTracer {
  let grid: Grid
  let level: Double
  /// Pairs of grid edges, numbered 2·(row·columns + column), plus 1 for the edge upward.
  var segments: [(Int, Int)] = []
  var segmentsAtEdge: [Int: [Int]] = [:]

  init(grid: Grid, level: Double) {
    self.grid = grid
    self.level = level
  }

  mutating func findSegments() {
    for row in 0..<grid.rows - 1 {
      for column in 0..<grid.columns - 1 { visitCell(column, row) }
    }
  }

  private mutating func visitCell(_ column: Int, _ row: Int) {
    let corners = [
      grid.value(column: column, row: row), grid.value(column: column + 1, row: row),
      grid.value(column: column + 1, row: row + 1), grid.value(column: column, row: row + 1),
    ]
    guard corners.allSatisfy(\.isFinite) else { return }
    let code = corners.enumerated().reduce(0) { $0 | ($1.element >= level ? 1 << $1.offset : 0) }
    guard code != 0, code != 15 else { return }
    let corner = 2 * (row * grid.columns + column)
    let (bottom, left) = (corner, corner + 1)
    let (right, top) = (corner + 3, corner + 2 * grid.columns)
    switch code {
    case 1, 14: add(left, bottom)
    case 2, 13: add(bottom, right)
    case 3, 12: add(left, right)
    case 4, 11: add(right, top)
    case 6, 9: add(bottom, top)
    case 7, 8: add(left, top)
    default:
      let mean = corners.reduce(0) { $0 + $1 / 4 }
      let joinsLowerLeft = (mean >= level) == (code == 10)
      if joinsLowerLeft {
        add(left, bottom)
        add(right, top)
      } else {
        add(left, top)
        add(bottom, right)
      }
    }
  }

  private mutating func add(_ a: Int, _ b: Int) {
    segmentsAtEdge[a, default: []].append(segments.count)
    segmentsAtEdge[b, default: []].append(segments.count)
    segments.append((a, b))
  }

  /// Walks open lines from their ends first; what is left is closed.
  func joinSegments() -> [ContourLine] {
    var isUsed = [Bool](repeating: false, count: segments.count)
    var lines: [ContourLine] = []
    for onlyEnds in [true, false] {
      for (index, segment) in segments.enumerated() where !isUsed[index] {
        let start: Int
        if isEnd(segment.0) {
          start = segment.0
        } else if isEnd(segment.1) {
          start = segment.1
        } else if onlyEnds {
          continue
        } else {
          start = segment.0
        }
        let edges = walk(from: start, along: index, &isUsed)
        lines.append(ContourLine(points: edges.map(crossing), isClosed: edges.first == edges.last))
      }
    }
    return lines
  }

  private func isEnd(_ edge: Int) -> Bool { segmentsAtEdge[edge]?.count == 1 }

  private func walk(from start: Int, along first: Int, _ isUsed: inout [Bool]) -> [Int] {
    var edges = [start]
    var (edge, next) = (start, Optional(first))
    while let segment = next {
      isUsed[segment] = true
      edge = segments[segment].0 == edge ? segments[segment].1 : segments[segment].0
      edges.append(edge)
      next = segmentsAtEdge[edge]?.first { !isUsed[$0] }
    }
    return edges
  }

  /// Where the contour crosses a grid edge, by linear interpolation.
  private func crossing(_ edge: Int) -> Point {
    let (row, column) = (edge / 2 / grid.columns, edge / 2 % grid.columns)
    let isUpward = edge % 2 == 1
    let a = grid.value(column: column, row: row)
    let b = isUpward ? grid.value(column: column, row: row + 1) : grid.value(column: column + 1, row: row)
    let fraction = (level / 2 - a / 2) / (b / 2 - a / 2)
    let along = fraction.isFinite ? min(max(fraction, 0), 1) : 0.5
    return grid.point(
      column: Double(column) + (isUpward ? 0 : along), row: Double(row) + (isUpward ? along : 0))
  }
}
