import Foundation
import Testing

@testable import Plotting

/// Where things stand on a page.
@Suite struct PageTests {
  private struct Text {
    let content: String
    let x: Double
    let y: Double
    let anchor: String
    let size: Double
    let isTurned: Bool
  }

  /// The texts of an SVG document.
  private func texts(_ svg: String) -> [Text] {
    svg.components(separatedBy: "<text ").dropFirst().map { part in
      func attribute(_ name: String) -> String? {
        part.components(separatedBy: " \(name)=\"").dropFirst().first?.components(separatedBy: "\"").first
      }
      let content = part.components(separatedBy: ">")[1].components(separatedBy: "</text").first ?? ""
      return Text(
        content: content, x: Double(part.dropFirst(3).prefix { $0 != "\"" }) ?? .nan,
        y: Double(attribute("y") ?? "") ?? .nan, anchor: attribute("text-anchor") ?? "",
        size: Double(attribute("font-size") ?? "12") ?? .nan,
        isTurned: part.contains("rotate(-90"))
    }
  }

  /// Texts that reach past the page, by name.
  private func outside(_ figure: Figure, width: Double = 720, height: Double = 480) -> [String] {
    texts(renderSVG(figure, SVGOptions(width: width, height: height))).compactMap { text in
      let length = SVGWriter.width(text.content) * text.size / 12
      let share = text.anchor == "middle" ? 0.5 : text.anchor == "end" ? 1 : 0
      let (middle, limit) = text.isTurned ? (text.y, height) : (text.x, width)
      let (start, end) = (middle - share * length, middle + (1 - share) * length)
      return start < -1 || end > limit + 1 || text.x.isNaN ? text.content : nil
    }
  }

  /// The frame: the rectangle without a fill.
  private func frame(_ figure: Figure) -> (width: Double, height: Double) {
    let page = Medium(isTerminal: false, margin: 0.04, levelCount: 10)
    let renderer = SVGRenderer(FigureLayout(figure, on: page), SVGOptions())
    return (renderer.width, renderer.height)
  }

  @Test func textStaysOnThePage() {
    let long = String(repeating: "a long title ", count: 30)
    let line = Series([1, 2], [1e-300, 3e-300], name: long)
    var figures = Samples.all + Samples.awkward
    figures.append(
      Figure(title: long, xAxis: Axis(long), yAxis: Axis(long), marks: [.line(line), .line(line)]))
    figures.append(Figure(marks: [.line(Series([1e-300, 3e-300], [-1e300, 1e300]))]))
    figures.append(
      Figure(marks: [.heatmap(Grid(columns: 5, rows: 5, xRange: 0...1, yRange: 0...1) { 1e300 * ($0 - $1) })])
    )
    let blocks = [Matrix.Block(long, size: 2), .init("b", size: 8)]
    figures.append(
      Figure(marks: [
        .matrix(Matrix(rows: 10, columns: 10, values: (0..<100).map(Double.init), blocks: blocks))
      ]))
    for figure in figures { #expect(outside(figure) == []) }
    for figure in figures.suffix(4) { #expect(outside(figure, width: 400, height: 300) == []) }
  }

  @Test func longTitlesBreakOnceAndAreCut() {
    #expect(SVGWriter.wrapped("a b", to: 100, scale: 1, lines: 2) == ["a b"])
    let lines = SVGWriter.wrapped("one two three four five", to: 60, scale: 1, lines: 2)
    #expect(
      lines.count == 2 && lines[0] == "one two" && lines[1].hasPrefix("three") && lines[1].hasSuffix("…"))
    #expect(lines.allSatisfy { SVGWriter.width($0) <= 60 })
    #expect(SVGWriter.wrapped("", to: 60, scale: 1, lines: 2) == [])
  }

  /// A unit of x is as long as one of y where that is asked for, unless the frame would become a strip.
  @Test func unitsAreEqualWhereAskedFor() {
    func figure(_ x: ClosedRange<Double>, _ y: ClosedRange<Double>) -> Figure {
      var figure = Figure(
        xAxis: Axis(range: x), yAxis: Axis(range: y), marks: [.line(Series([0, 1], [0, 1]))])
      figure.hasEqualUnits = true
      return figure
    }
    let square = frame(figure(-2...2, 0...4))
    #expect(abs(square.width - square.height) < 1e-9)
    let wide = frame(figure(0...6, 0...4))
    #expect(abs(wide.width / 6 - wide.height / 4) < 1e-9)
    let strip = frame(figure(0...1, 0...100))
    #expect(strip.width > 600)
  }

  /// Entries of a matrix are square; a long one keeps a quarter of the room across.
  @Test func longMatricesAreNoThread() {
    func size(_ rows: Int, _ columns: Int) -> (width: Double, height: Double) {
      let values = (0..<rows * columns).map { Double($0 % 7) }
      return frame(Figure(marks: [.matrix(Matrix(rows: rows, columns: columns, values: values))]))
    }
    let (square, tall, wide) = (size(4, 8), size(500, 3), size(3, 500))
    #expect(abs(square.width / 8 - square.height / 4) < 1e-9)
    #expect(tall.width > 90 && wide.height > 90)
    // In text, each of three columns and rows has characters of its own.
    func text(_ rows: Int, _ columns: Int) -> [Substring] {
      let values = (0..<rows * columns).map { Double($0 % columns == columns - 1 ? 1 : 0) }
      let figure = Figure(marks: [.matrix(Matrix(rows: rows, columns: columns, values: values))])
      return renderText(figure, TextOptions(width: 60, height: 20, unicode: false)).split(separator: "\n")
    }
    #expect(text(300, 3).dropFirst().prefix(16).allSatisfy { $0.contains("      ###|") })
    #expect(text(3, 300).count(where: { $0.contains("#|") }) == 3)
  }

  /// Names of blocks are not drawn over each other, and the widest blocks have theirs.
  @Test func blockNamesLeaveRoom() {
    let labels: [AxisLayout.Label] = [(0.1, "W"), (0.5, "V"), (0.97, "b"), (0.99, "c")]
    let kept = AxisLayout.spaced(labels) { $0.position - 0.02..<$0.position + 0.02 }
    #expect(kept.map(\.label) == ["W", "V", "b"])
    let even: [AxisLayout.Label] = (0..<10).map { (Double($0) / 9, "\($0)") }
    #expect(
      AxisLayout.spaced(even) { $0.position - 0.1..<$0.position + 0.1 }.map(\.label) == [
        "0", "2", "4", "6", "8",
      ])
    #expect(AxisLayout.spaced([]) { _ in 0..<1 }.isEmpty)
  }

  private func reached(_ points: [(Double, Double)], isClosed: Bool = false) -> [SVGRenderer.Vertex] {
    let line = points.enumerated().map {
      SVGRenderer.Vertex(point: Point(x: $0.element.0, y: $0.element.1), progress: Double($0.offset))
    }
    return SVGRenderer.withinReach(line, isClosed: isClosed)
  }

  /// Lines that leave the page by far keep their direction where they are seen.
  @Test func linesOutOfReachAreCutAlongTheirDirection() {
    #expect(reached([(0, 0), (1000, 100)]).map(\.point) == [Point(x: 0, y: 0), Point(x: 50, y: 5)])
    #expect(reached([(1e300, -1e300), (0, 0)]).map(\.point) == [Point(x: 50, y: -50), Point(x: 0, y: 0)])
    #expect(reached([(-100, 0.5), (300, 0.5)]).map(\.progress) == [0.125, 0.375])
    #expect(reached([(60, 0), (60, 10)]).isEmpty && reached([]).isEmpty)
    let inside = [(0.0, 0.0), (50, -50), (3, 4)]
    #expect(reached(inside).map(\.point) == inside.map { Point(x: $0.0, y: $0.1) })
    // Around the upper right corner and back: out of sight all the way.
    let round = reached([(0, 0), (100, 0), (100, 100), (0, 100), (0, 1)])
    #expect(round.first?.point == Point(x: 0, y: 0) && round.last?.point == Point(x: 0, y: 1))
    #expect(round.contains { $0.point == Point(x: 50, y: 50) })
    #expect(zip(round, round.dropFirst()).allSatisfy { $0.progress <= $1.progress })
    // An area around everything is what can be seen of it.
    let all = reached([(-99, -99), (99, -99), (99, 99), (-99, 99)], isClosed: true).map(\.point)
    #expect(Set(all.map { "\($0.x) \($0.y)" }) == ["-50.0 -50.0", "50.0 -50.0", "50.0 50.0", "-50.0 50.0"])
  }

  /// One home for all: series, paths, those that move, bands and arrows.
  @Test(
    arguments: [
      Mark.line(Series([0, 1000], [0, 100])), .path(Series([0, 1000], [0, 100])),
      .arrows(Arrows(tails: [(0, 0)], heads: [(1000, 100)], name: "")),
      .band(Band([0, 1000], lower: [0, 100], upper: [0, 100])),
    ], [nil, 2.0])
  func marksOutOfReachKeepTheirDirection(_ mark: Mark, _ duration: Double?) throws {
    var figure = Figure(xAxis: Axis(range: 0...1), yAxis: Axis(range: 0...1), marks: [mark])
    figure.duration = duration
    let svg = renderSVG(figure)
    let frame = frame(figure)
    // The line from the lower left corner to 50 frames to the right, and 5 up.
    let bare = ["y1=", "x2=", "y2="].reduce(svg) { $0.replacing($1, with: "") }
    let ends = ["d=\"M", "x1=\""].flatMap { bare.components(separatedBy: $0).dropFirst() }.map { part in
      part.split { !"-.0123456789".contains($0) }.prefix(4).compactMap { Double($0) }
    }
    let long = try #require(ends.first { $0.count == 4 && abs($0[2] - $0[0]) > 40 * frame.width }, "\(svg)")
    let slope = (long[1] - long[3]) / frame.height / ((long[2] - long[0]) / frame.width)
    #expect(abs(slope - 0.1) < 1e-4, "\(long)")
    #expect(WellFormedness.check(svg) == nil)
  }

  /// A path that begins out of reach: the animation of what is seen of it still begins at 0.
  @Test func movingPathsFromFarAway() {
    var figure = Figure(
      xAxis: Axis(range: 0...1), yAxis: Axis(range: 0...1),
      marks: [.path(Series([1000, 0, 0.5], [100, 0, 0.5]))])
    figure.duration = 2
    let svg = renderSVG(figure)
    let keys = svg.components(separatedBy: "keyTimes=\"").dropFirst().map { $0.prefix { $0 != "\"" } }
    #expect(
      !keys.isEmpty && keys.allSatisfy { $0.hasPrefix("0") && ($0.hasSuffix(";1") || $0.hasPrefix("0;")) })
    // The point comes into reach after 19 of 20 parts of the first step.
    #expect(keys.contains { $0.hasPrefix("0.00000;0.40375;0.42500;0.85000;1") }, "\(keys)")
  }

  /// What is cut out of a line around its label is what lies in the circle.
  @Test func contourLinesHaveAGapForTheirValue() {
    let line = (0...200).map { Point(x: Double($0), y: 40 * (Double($0) / 30).rounded() / 40) }
    let centre = Point(x: 100, y: 3)
    let parts = SVGRenderer.outside(line, centre, 12)
    func distance(_ a: Point, _ b: Point) -> Double { hypot(a.x - b.x, a.y - b.y) }
    #expect(parts.count == 2)
    #expect(parts.joined().allSatisfy { distance($0, centre) > 12 - 1e-9 })
    #expect(abs(distance(parts[0].last ?? centre, centre) - 12) < 1e-9)
    #expect(abs(distance(parts[1].first ?? centre, centre) - 12) < 1e-9)
    #expect(parts[0].first == line.first && parts[1].last == line.last)
    #expect(SVGRenderer.outside(line, Point(x: 0, y: 500), 12) == [line])
    // One long segment through the circle.
    let chord = SVGRenderer.outside([Point(x: -100, y: 0), Point(x: 100, y: 0)], Point(x: 0, y: 0), 5)
    #expect(chord.map { $0.map { $0.x.rounded() } } == [[-100, -5], [5, 100]])
  }

  /// Where there are few colours, levels have symbols, too; and so have more series than there are colours.
  @Test func symbolsHelpOutWhereColoursDoNot() {
    #expect(renderText(Samples.contour, TextOptions(color: .ansi16)).contains("2"))
    func lines(_ count: Int) -> Figure {
      Figure(marks: (0..<count).map { .line(Series([0, Double($0)], name: "s\($0)")) })
    }
    #expect(!renderText(lines(6), TextOptions(color: .trueColor)).contains("▲"))
    #expect(renderText(lines(7), TextOptions(color: .trueColor)).contains("▲"))
  }

  /// Among 256 colours, too, the two signs have different hues, and zero has none.
  @Test func signsHaveTheirHueAmong256Colours() {
    let map = ColorMap(covering: [-1, 1], scale: .linear, isSigned: true)
    func code(_ value: Double) -> Int? { map.color(value)?.ansi256 }
    #expect(code(0) == 255 && code(1) == 130 && code(-1) == 25)
    let codes = stride(from: -1.0, through: 1, by: 1 / 6.0).compactMap(code)
    #expect(Set(codes).count == 13)
  }

  @Test func colourIsKeptWhereBrightnessOrHueTellItApart() {
    let teal = Palette.color(Palette.sequential, at: 0.5)
    #expect(Palette.vermillion.legible(on: teal) == Palette.vermillion)
    #expect(teal.legible(on: teal) != teal)
    #expect(Color(0xFFFFFF).legible(on: Color(0xF7F7F7)) == Palette.black)
  }
}

@Suite struct PlainSpellingTests {
  @Test(arguments: [
    ("‖∇f‖ = λ²", "||grad f|| = lambda^2"), ("x⁻¹²", "x^-12"), ("10⁻²", "10^-2"), ("eᵢ", "e_i"),
    ("x₁₂", "x12"), ("λv", "lambda v"), ("λ1", "lambda1"), ("Δx → 0", "Delta x -> 0"), ("∇²f", "hessian f"),
    ("Bézier", "Bezier"), ("漢", "??"), ("plain", "plain"), ("", ""), ("½·x", "1/2*x"),
  ])
  func spells(text: String, plain: String) { #expect(PlainSpelling.ascii(text) == plain) }

  @Test func piecesAreTheText() {
    for text in ["‖∇²f‖ = λv⁻¹ eᵢⱼ", "a b", "é漢"] {
      #expect(PlainSpelling.pieces(text).map { String($0.source) }.joined() == text)
    }
  }
}
