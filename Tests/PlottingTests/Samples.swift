import Foundation

@testable import Plotting

/// Small figures that several tests draw.
enum Samples {
  static let line = Figure(
    title: "f", xAxis: Axis("x"), yAxis: Axis("x²"),
    marks: [.line(Series((-4...4).map(Double.init), (-4...4).map { Double($0 * $0) }))])

  static let two = Figure(
    xAxis: Axis("step"), yAxis: Axis("loss"),
    marks: [
      .line(Series([8, 4, 2, 1, 0.5], name: "gd")), .line(Series([8, 1, 0.2, 0, 0], name: "newton")),
    ])

  static let log = Figure(
    yAxis: Axis("loss", scale: .log), marks: [.line(Series([1, 1e-2, 1e-4, 0, 1e-8]))])

  static let contour = Figure(
    title: "bowl",
    marks: [
      .contour(
        Grid(columns: 21, rows: 21, xRange: -2...2, yRange: -2...2) { $0 * $0 + 2 * $1 * $1 },
        levels: .values([1, 4])),
      .path(Series([-1.5, -0.5, 0], [1, 0.5, 0], name: "gd")),
    ])

  static let matrix = Figure(
    title: "H", marks: [.matrix(Matrix(rows: 3, columns: 3, values: [4, -1, 0, -1, 4, -1, 0, -1, 4]))])

  /// Blocks of 3, 2 and 1 rows.
  static let blocks: Figure = {
    var values = [Double](repeating: 0, count: 36)
    for k in 0..<6 { values[7 * k] = Double(k + 1) }
    let blocks = [Matrix.Block("W", size: 3), .init("V", size: 2), .init("b", size: 1)]
    return Figure(title: "H", marks: [.matrix(Matrix(rows: 6, columns: 6, values: values, blocks: blocks))])
  }()

  static let histogram = Figure(
    marks: [.histogram(Histogram(samples: [0, 1, 1, 2, 2, 2, 3, 3, 4], bins: 4))])

  static let stems = Figure(
    title: "λ", xAxis: Axis("index"), marks: [.stems(Series([-2, 0.5, 1, 4]))])

  static let bars = Figure(marks: [.bars(Bars(["gd", "newton", "lbfgs"], [30, -8, 12]))])

  static let heatmap = Figure(
    marks: [
      .heatmap(Grid(columns: 9, rows: 9, xRange: -1...1, yRange: -1...1) { $0 + $1 }),
      .arrows(Arrows(tails: [(0, 0)], heads: [(0.5, 0.5)], name: "−∇f")),
    ], colorBar: ColorBar("f"))

  static let band = Figure(
    marks: [
      .band(Band([0, 1, 2], lower: [0, 1, 1], upper: [2, 2, 3], name: "90 %")),
      .scatter(Series([0, 1, 2], [1, 1.5, 2], name: "draws")),
    ])

  /// Two methods over contour lines on colours, with the local model's ellipse.
  static let filled: Figure = {
    let grid = Grid(columns: 21, rows: 21, xRange: -2...2, yRange: -2...2) { $0 * $0 + 2 * $1 * $1 }
    let ellipse = (0...16).map { Double($0) / 16 * 2 * .pi }
    return Figure(
      title: "bowl",
      marks: [
        .heatmap(grid), .contour(grid, levels: .values([1, 4])),
        .path(Series([-1.5, -0.5, -0.25], [1, 0.5, -0.5], name: "gd")),
        .path(Series([-1.5, 0], [1, 0], name: "newton")),
        .line(Series(ellipse.map { cos($0) }, ellipse.map { sin($0) / 2.0.squareRoot() }, name: "ellipse")),
      ])
  }()

  static let all = [line, two, log, contour, matrix, histogram, stems, bars, heatmap, band, filled]

  /// Figures whose data are of no use, or nearly so.
  static let awkward: [Figure] = {
    let data: [[Double]] = [
      [], [1], [3, 3, 3], [.nan, .nan], [.infinity, 1, -.infinity], [1e300, -1e300, 1.7e308],
      [1e-300, 2e-300],
      [0, .leastNonzeroMagnitude], [-1, 0, 1], [1, 1 + 1e-16, 1],
    ]
    return data.flatMap { values in
      let series = Series(values, values.reversed(), name: "s")
      let grid = Grid(columns: 3, rows: 4, xRange: -1...1, yRange: 0...0, values: values)
      let marks: [Mark] = [
        .line(series), .path(series), .scatter(series), .stems(series), .contour(grid), .heatmap(grid),
        .contour(Grid(columns: 2, rows: 2, xRange: 0...1, yRange: 0...1, values: values + values)),
        .contour(Grid(columns: 0, rows: 0, xRange: 0...1, yRange: 0...1, values: [])),
        .band(Band(values, lower: values, upper: values, name: "b")),
        .matrix(Matrix(rows: values.count, columns: 1, values: values, blocks: [.init("w", size: 2)])),
        .matrix(Matrix(rows: 300, columns: 300, values: values)),
        .histogram(Histogram(samples: values)), .histogram(Histogram(edges: values, counts: values)),
        .bars(Bars(["a"], values)), .arrows(Arrows(tails: [(0, .nan), (1, 1)], heads: [(1, 1), (1, 1)])),
      ]
      let singles = marks.map { Figure(title: "t", marks: [$0]) }
      let together = Figure(marks: marks)
      let ranged = Figure(
        xAxis: Axis(range: 0...1e-9), yAxis: Axis(scale: .log, range: -1...1),
        marks: [.line(series), .path(series)])
      let logs = marks.map {
        Figure(
          xAxis: Axis(scale: .log), yAxis: Axis("y", scale: .log), marks: [$0],
          colorBar: ColorBar(scale: .log))
      }
      return singles + [together, ranged, Figure()] + logs
    }
  }()
}
