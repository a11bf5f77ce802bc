import Testing

@testable import Plotting

@Suite struct ContourTests {
  private let circle = Grid(columns: 41, rows: 31, xRange: -2...2, yRange: -1.5...1.5) { $0 * $0 + $1 * $1 }

  @Test func aCircleIsOneClosedLineOfItsRadius() throws {
    let lines = ContourLine.trace(circle, at: 1)
    #expect(lines.count == 1)
    let line = try #require(lines.first)
    #expect(line.isClosed)
    #expect(line.points.first == line.points.last)
    for point in line.points {
      #expect(abs((point.x * point.x + point.y * point.y).squareRoot() - 1) < 2e-3)
    }
  }

  @Test func linesEndAtTheBorder() {
    let lines = ContourLine.trace(circle, at: 4.5)
    #expect(lines.count == 4)
    for line in lines {
      #expect(!line.isClosed)
      for end in [line.points.first, line.points.last].compactMap({ $0 }) {
        #expect(abs(end.x) == 2 || abs(end.y) == 1.5)
      }
    }
  }

  @Test func saddlesJoinAllSegments() {
    let saddle = Grid(columns: 2, rows: 2, xRange: 0...1, yRange: 0...1, values: [1, -1, -1, 1])
    #expect(ContourLine.trace(saddle, at: 0.5).count == 2)
    #expect(ContourLine.trace(saddle, at: -0.5).count == 2)
  }

  @Test func refinementIsExactForQuadratics() {
    let fine = circle.refined(target: 160)
    #expect(fine.columns == 121 && fine.rows == 121)
    for row in 0..<fine.rows {
      for column in 0..<fine.columns {
        let at = fine.point(column: Double(column), row: Double(row))
        #expect(abs(fine.value(column: column, row: row) - at.x * at.x - at.y * at.y) < 1e-12)
      }
    }
  }

  @Test func gapsStayGaps() {
    var grid = circle
    grid.values[15 * 41 + 30] = .nan
    grid.values[15 * 41 + 10] = .infinity
    let lines = ContourLine.trace(grid.refined(target: 200), at: 1)
    #expect(!lines.isEmpty)
    #expect(lines.allSatisfy { $0.points.allSatisfy { $0.x.isFinite && $0.y.isFinite } })
    #expect(lines.allSatisfy { !$0.isClosed })
  }

  @Test func levelsSuitTheValues() {
    #expect(Levels.automatic.resolved(for: (0...100).map(Double.init)) == (1...9).map { 10 * Double($0) })
    let valley = (0...1000).map { 1e-3 * Double($0 * $0) * Double($0) }
    #expect(Levels.logarithmic(5).resolved(for: valley).allSatisfy { $0 > 0 })
    #expect(Levels.values([3, 1, .nan, 3]).resolved(for: [0, 9]) == [1, 3])
    #expect(Levels.automatic.resolved(for: [2, 2, 2]).isEmpty)
    #expect(Levels.automatic.resolved(for: [.nan]).isEmpty)
  }
}
