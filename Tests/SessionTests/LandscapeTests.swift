import Foundation
import Plotting
import Tensors
import Testing

@testable import Session

/// Slices, surfaces and paths against closed forms.
@Suite struct LandscapeTests {
  private let transcript = Transcript()
  private static let rosenbrock = "param x = [-1.2, 1]\nf := (1 - x[0])^2 + 100*(x[1] - x[0]^2)^2\n"
  /// (x₀² − 1)² + 5(x₁ − 1 + x₀²)²: minima at (±1, 0), joined by the curve x₁ = 1 − x₀², on which the barrier is 1.
  private static let twoMinima = "param x = [-1, 0]\nf := (x[0]^2 - 1)^2 + 5*(x[1] - 1 + x[0]^2)^2\n"

  private func run(_ text: String, location: SourceLocation = #_sourceLocation) {
    transcript.run(text)
    #expect(transcript.outcome == .ok, "\(transcript.messages)", sourceLocation: location)
  }

  private func numbers(_ expression: String, location: SourceLocation = #_sourceLocation) throws -> [Double] {
    run("probed = \(expression)", location: location)
    guard case .variable(let found)? = transcript.session.interpreter.lookup("probed") else { return [] }
    return try #require(found.value.tensor, sourceLocation: location).doubles
  }

  private func fails(_ text: String, _ message: String, location: SourceLocation = #_sourceLocation) {
    transcript.run(text)
    #expect(transcript.outcome != .ok, sourceLocation: location)
    #expect(transcript.messages.contains(message), "\(transcript.messages)", sourceLocation: location)
  }

  private static func f(_ a: Double, _ b: Double) -> Double {
    (1 - a) * (1 - a) + 100 * (b - a * a) * (b - a * a)
  }

  /// A wide layer is multiplied out once a direction. Slices, surfaces and comprehensions give what single points give.
  @Test func wideLayers() throws {
    run(
      """
      data X = sin(reshape(range(0, 24000), 120, 200))
      data y = range(0, 120) % 3
      param W = cos(reshape(range(0, 1200), 200, 6))/15
      param V = sin(reshape(range(0, 18), 6, 3))
      loss := crossentropy(tanh(X@W)@V, y)
      data D = sin(0.3*reshape(range(0, 1200), 200, 6))
      t = linspace(-1, 1, 61)
      points = zeros(61)
      for k in 0..61 { points[k] = loss(W = W + t[k]*D) }
      s = slice loss along D range -1..1 steps=61
      p = surface loss along D, sin(range(0, 1218)) range -1..1, 0..1 steps=61
      """)
    #expect(try numbers("max(abs(s.values - points))")[0] < 1e-13)
    #expect(
      try numbers("max(abs([loss(W = W + a*D) for a in linspace(-1, 1, 1000)][0] - points[0]))")[0] < 1e-13)
    #expect(try numbers("max(abs(p.values[0] - points))")[0] < 1e-13)
    let lines = transcript.run("explain plan [loss(W = W + a*D) for a in linspace(-1, 1, 1000)]").split(
      separator: "\n")
    let each = try #require(lines.firstIndex { $0.contains("for each") })
    #expect(lines[..<each].contains { $0.contains("gemm 120×200·200×6") })
    #expect(!lines[each...].contains { $0.contains("×200") })
  }

  // MARK: In files

  /// What was written as an archive is drawn again, but for its words.
  @Test func cutsComeBackFromArchives() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("cut-\(UUID()).npz").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    for command in [
      "surface f along grad, x[0] steps=5 model=true", "slice f along grad steps=5",
      "slice f, 2*f along grad steps=5",
    ] {
      run(Self.rosenbrock + "x = [0, 1]; s = \(command)")
      let first = try #require(transcript.session.interpreter.state.figure)
      run("save \"\(path)\" s; a = load \"\(path)\"; plot a")
      let again = try #require(transcript.session.interpreter.state.figure)
      #expect(again.marks.count == first.marks.count)
      for (mark, other) in zip(first.marks, again.marks) { #expect(mark.numbers == other.numbers) }
    }
  }

  @Test func aSweepIsDrawnOverItsAxis() throws {
    run("r = plot t^2 for t in 2..3 steps=3; plot r")
    guard case .line(let series)? = transcript.session.interpreter.state.figure?.marks.first else {
      Issue.record("no line")
      return
    }
    #expect(series.xs == [2, 2.5, 3] && series.ys == [4, 6.25, 9])
    #expect(transcript.session.interpreter.state.figure?.xAxis.label == "t")
  }

  // MARK: Directions that are not two

  @Test func parallelDirectionsAreRefused() {
    let figure = transcript.session.interpreter.state.figure
    fails(
      Self.rosenbrock + "surface f along x[0], [2, 0] steps=3",
      "x[0] and [2, 0] are parallel: they span a line, not a plane")
    #expect(transcript.messages.contains("hint: write along x[0], random; or slice f along x[0]"))
    #expect(transcript.session.interpreter.state.figure == figure)
    fails("param w = 1; h := w^2; surface h along w, grad", "are parallel")
    #expect(transcript.messages.contains("h depends on one number"))
    run("surface f along x[0], [2, 1e-6] steps=3")
    #expect(!transcript.messages.contains("[2, 1e-6] are parallel"))
  }

  @Test func drawsOfRandomAreNumbered() throws {
    run(Self.rosenbrock + "surface f along random steps=3")
    let figure = try #require(transcript.session.interpreter.state.figure)
    #expect([figure.xAxis.label, figure.yAxis.label] == ["s along random 1", "t along random 2"])
    run("surface f along random, x[0] steps=3")
    #expect(transcript.session.interpreter.state.figure?.xAxis.label == "s along random")
  }

  // MARK: Values

  @Test func sliceAlongAVector() throws {
    run(Self.rosenbrock + "d = [1, 2]; s = slice f, 2*f along d range -1..1 steps=5")
    let ts = try numbers("s.t")
    #expect(ts == [-1, -0.5, 0, 0.5, 1])
    let values = try numbers("s.values")
    for (k, t) in ts.enumerated() {
      #expect(abs(values[k] - Self.f(-1.2 + t, 1 + 2 * t)) < 1e-9)
      #expect(abs(values[5 + k] - 2 * values[k]) < 1e-9)
    }
    #expect(try numbers("x") == [-1.2, 1])
  }

  @Test func surfaceOverCoordinatesIsTheFunction() throws {
    run(Self.rosenbrock + "s = surface along x[1], x[0] range 0..2, -1..0 steps=3")
    let values = try numbers("s.values")
    for (row, t) in [-1, -0.5, 0].enumerated() {
      for (column, s) in [0.0, 1, 2].enumerated() {
        #expect(abs(values[3 * row + column] - Self.f(-1.2 + t, 1 + s)) < 1e-9)
      }
    }
  }

  @Test func surfaceOfANetworkIsTheReplacementAtEachPoint() throws {
    run(
      """
      seed 4
      data X = randn(7, 3); data y = randn(7, 2)
      param W = 0.3*randn(3, 4); param b = 0.1*randn(4); param V = 0.3*randn(4, 2)
      loss := mse(tanh(X @ W + b) @ V, y)
      d1 = grad(loss, params); d2 = 2*d1.W
      s = surface loss along d1, d2 range -1..1, 0..0.5 steps=3
      check1 = loss(params = params - d1); check2 = loss(W = W + 0.5*d2, params = params)
      k = loss(W = W + d1.W + 0.5*d2, b = b + d1.b, V = V + d1.V)
      """)
    let values = try numbers("s.values")
    #expect(abs(values[0] - (try numbers("check1"))[0]) < 1e-12)
    #expect(abs(values[8] - (try numbers("k"))[0]) < 1e-12)
  }

  // MARK: Directions

  @Test func eigenvectorsAndGradientHaveUnitLength() throws {
    // f = 3u² + v² in turned coordinates: second differences along the eigenvectors are the eigenvalues 6 and 2.
    run("param x = [0.5, -1]\nu := (x[0] + x[1])/sqrt(2); v := (x[0] - x[1])/sqrt(2); f := 3*u^2 + v^2")
    run("s = surface f along eig range -1..1 steps=3; g = slice f along grad steps=3")
    let s = try numbers("s.values")
    #expect(abs(s[5] - 2 * s[4] + s[3] - 6) < 1e-9)
    #expect(abs(s[7] - 2 * s[4] + s[1] - 2) < 1e-9)
    run("h = slice f along eig(-1) steps=3; n = norm(grad(f, x)); q = grad(f, x)")
    let h = try numbers("h.values")
    #expect(abs(h[2] - 2 * h[1] + h[0] - 2) < 1e-9)
    // f is quadratic: the central difference along the unit gradient is ‖∇f‖.
    let g = try numbers("g.values")
    #expect(abs((g[2] - g[0]) / 2 - (try numbers("n"))[0]) < 1e-9)
  }

  @Test func manyParamsFindEigenvectorsByProducts() throws {
    run("param x = ones(600); w = linspace(1, 9, 600); f := 0.5*sum(w*x^2); s = slice f along eig(1) steps=3")
    let s = try numbers("s.values")
    #expect(abs(s[2] - 2 * s[1] + s[0] - 9) < 1e-5)
  }

  @Test func columnsOfAMatrixAreDirections() throws {
    run(
      Self.rosenbrock
        + "e = eig top 2; s = surface f along e.vectors steps=3; r = surface f along eig steps=3")
    let (a, b) = (try numbers("s.values"), try numbers("r.values"))
    // An eigenvector may point either way.
    #expect(Set(a.map { ($0 * 1e6).rounded() }) == Set(b.map { ($0 * 1e6).rounded() }))
  }

  @Test func filterNormalisation() {
    // Two filters (columns) of norms 5 and 13 in the params, 1 and 2 in the direction; the bias stays.
    let origin = [3.0, 5, 4, 12, 7]
    let direction = [1.0, 0, 0, 2, 9]
    let shapes: [Shape] = [[2, 2], [1]]
    let columns = DirectionScaling.filter.scaled(direction, to: origin, shapes: shapes, filters: .columns)
    #expect(columns == [5, 0, 0, 13, 0])
    let rows = DirectionScaling.filter.scaled(direction, to: origin, shapes: shapes, filters: .rows)
    let (first, second) = (34.0.squareRoot(), 160.0.squareRoot())
    #expect(zip(rows, [first, 0, 0, second, 0]).allSatisfy { abs($0 - $1) < 1e-12 })
    let layer = DirectionScaling.layer.scaled(direction, to: origin, shapes: shapes, filters: .columns)
    let length = layer.reduce(0) { $0 + $1 * $1 }.squareRoot()
    #expect(abs(length - 194.0.squareRoot()) < 1e-12 && layer[4] == 0)
    #expect(DirectionScaling.none.scaled(direction, to: origin, shapes: shapes, filters: .rows) == direction)
  }

  @Test func randomDirectionsComeFromTheSeed() throws {
    run(Self.rosenbrock + "seed 5; a = slice f along random steps=3; b = slice f along random steps=3")
    run("seed 5; c = slice f along random steps=3")
    #expect(try numbers("a.values") == numbers("c.values"))
    #expect(try numbers("a.values") != numbers("b.values"))
  }

  /// The square of such a gradient overflows, or vanishes.
  @Test(arguments: [1e180, 1e-180]) func gradientsOfAnySizeAreDirections(_ scale: Double) throws {
    run("param x = [3, 4]\nf := \(scale)*sum(x^2)\ns = slice f along grad range -5..5 steps=3")
    #expect(zip(try numbers("s.values"), [0, 25, 100]).allSatisfy { abs($0 / scale - $1) < 1e-9 })
  }

  /// Where the Newton step leads is drawn, unless it leads nowhere.
  @Test func theNewtonStepOfAModel() throws {
    func shown(_ x: String) -> String {
      transcript.run(
        Self.rosenbrock + "x = \(x); surface f along x[0], x[1] range -1..1 model=true steps=21")
    }
    #expect(shown("[-1.2, 1]").contains("Newton step\n"))
    let leaving = shown("[-1, 1]")
    #expect(leaving.contains("Newton step, leaves the frame"), "\(leaving)")
    let minimum = shown("[1, 1]")
    #expect(!minimum.contains("Newton"), "\(minimum)")
  }

  /// A head far away is drawn where the step points to, not where the page's bounds meet.
  @Test func longNewtonStepsKeepTheirDirection() throws {
    run(
      """
      param x = [0, 0]
      f := x[0] + 1e-6*x[0]^2 + 0.01*x[1] + 1e-6*x[1]^2
      surface f along x[0], x[1] range -1..1 model=true steps=11
      """)
    let marks = try #require(transcript.session.interpreter.state.figure?.marks)
    guard case .arrows(let step)? = marks.last(where: { if case .arrows = $0 { true } else { false } }) else {
      throw Unexpected()
    }
    #expect(step.name == "Newton step, leaves the frame")
    #expect(abs(step.heads[0].x + 5e5) < 1 && abs(step.heads[0].y + 5e3) < 1)
    let figure = try #require(transcript.session.interpreter.state.figure)
    let lines = renderSVG(figure).split(separator: "\n").filter { $0.hasPrefix("<line") }
    func length(_ ends: [Double]) -> Double { ends[0] - ends[2] }
    let all: [[Double]] = lines.map { line in line.split(separator: "\"").compactMap { Double($0) } }
    let ends = try #require(all.max { length($0) < length($1) })
    // The frame is about as high as it is wide; one of 45 degrees would be 1.
    #expect(length(ends) > 5000 && abs(ends[3] - ends[1]) < 0.02 * length(ends), "\(ends)")
  }

  /// Norms by layer whose squares overflow.
  @Test func randomDirectionsOfLargeParams() throws {
    run("param W = 1e180*ones([2, 2]); f := sum(W)*1e-180; s = slice f along random(layer) steps=3")
    #expect(try numbers("s.values").allSatisfy { $0.isFinite && abs($0) < 10 })
  }

  /// Places in planes that are as large, or small, as the path.
  @Test(arguments: [1, 1e180, 1e-180]) func pathsOfAnySize(_ scale: Double) throws {
    run("param x = \(scale)*[0, 0, 0]; f := sum(x)/\(scale)")
    run("x = \(scale)*[1, 0, 2]; x = \(scale)*[3, 4, 2]; x = \(scale)*[0, 2, 2]")
    run("p = path along pca; q = path along \(scale)*[1, 1, 0], [1, -1, 0]")
    #expect(try numbers("p.explained").count == 2)
    let (places, distances) = (try numbers("q.path"), try numbers("q.distance"))
    // From the present point, x = s·[1, 1] + t·[1, −1]; the first point lies beside the plane.
    let expected = [-1, 1, -0.5, 1.5, 2.5, 0.5, 0, 0]
    for (k, place) in places.enumerated() {
      let unit = k % 2 == 0 ? 1 : scale
      #expect(abs(place / unit - expected[k]) < 1e-12, "\(places)")
    }
    #expect(zip(distances, [2, 0, 0, 0]).allSatisfy { abs($0 / scale - $1) < 1e-12 }, "\(distances)")
    fails("path along \(scale)*[1, 1, 0], [2, 2, 0]", "parallel")
  }

  @Test func lastStepAndWalkedPath() throws {
    run(Self.rosenbrock + "x = [0, 0]; x = [1, 3]; s = slice f along step range -1..0 steps=2")
    #expect(try numbers("s.values") == [Self.f(0, 0), Self.f(1, 3)])
    run("p = path along x[0], x[1]")
    #expect(try numbers("p.path").count == 6)
    #expect(try numbers("p.points") == [-1.2, 1, 0, 0, 1, 3])
    #expect(try numbers("p.distance").allSatisfy { $0 < 1e-12 })
  }

  @Test func principalComponentsOfAPath() throws {
    // Points of a plane, with deviations of 1e-3 out of it.
    run(
      "param x = [0, 0, 0]\nf := sum(x^2)\nx = [4, 0, 0.001]; x = [4, 2, -0.001]; x = [8, 2, 0]; x = [8, 4, 0]"
    )
    run("s = surface f along pca steps=3")
    let explained = try numbers("s.explained")
    #expect(abs(explained.reduce(0, +) - 1) < 1e-6 && explained[0] > 0.9)
    let distances = try numbers("s.distance")
    #expect(distances.count == 5 && distances[4] == 0 && (distances.max() ?? 1) < 2e-3)
    // Orthonormal coordinates keep distances in the plane.
    let path = try numbers("s.path")
    let length = (path[0] * path[0] + path[1] * path[1]).squareRoot()
    #expect(abs(length - 80.0.squareRoot()) < 1e-5)
  }

  // MARK: Between points

  @Test func straightLineBetweenMinima() throws {
    run(Self.twoMinima + "a = params; x = [1, 0]; s = slice f from a to params steps=101")
    #expect(abs(try numbers("s.barrier")[0] - 6) < 1e-9)
    #expect(try numbers("s.values")[0] == 0)
  }

  @Test func trainedCurveGoesAroundTheBarrier() throws {
    run(Self.twoMinima + "a = params; x = [1, 0]; seed 1; s = slice f from a to params bend=true steps=101")
    let barriers = try numbers("s.barrier")
    #expect(abs(barriers[0] - 6) < 1e-9)
    // The best quadratic curve is x₁ = 1 − x₀².
    #expect(abs(barriers[1] - 1) < 0.02)
    #expect(try numbers("x") == [1, 0])
  }

  /// The end is the saved point, though a + (b − a) is not b in rounded numbers.
  @Test func endsAreEvaluatedAtTheSavedPoints() throws {
    run("param x = [1000, 1000]; f := 1e20*((x[0] - 0.3)^2 + (x[1] - 0.7)^2); a = params; x = [0.3, 0.7]")
    run("s = slice f from a to params bend=true training=20 steps=11; t = slice f from a to params steps=11")
    let (bent, straight) = (try numbers("s.values"), try numbers("t.values"))
    #expect(bent[10] == 0 && bent[21] == 0 && straight[10] == 0)
  }

  @Test func pointsOfAnotherObjective() {
    run(
      "param u = 1; param v = 2; param x = 3; g := u*v^2*x; a = params; u = 5; b = params; f := x^2; objective f"
    )
    fails("slice f from a to b", "the two points do not differ in what f depends on")
    #expect(transcript.messages.contains("they hold u, v, x"))
    run("h := u*v; objective h; a = params; objective f")
    fails("slice f from a to params", "this point holds no param that f depends on")
    #expect(transcript.messages.contains("it holds u, v"))
  }

  @Test func barriers() {
    let found = LandscapeCommand.barrier([0, 0.5, 1], [1, 5, 3])
    #expect(found.height == 3 && found.t == 0.5)
    #expect(LandscapeCommand.barrier([0, 0.5, 1], [1, -5, 3]).height == 0)
  }

  // MARK: Figures

  @Test func resultsAreDrawnAgain() throws {
    run(Self.rosenbrock + "s = surface f along x[0], x[1] steps=5 model=true; plot s")
    let figure = try #require(transcript.session.interpreter.state.figure)
    run("surface f along x[0], x[1] steps=5 model=true")
    #expect(transcript.session.interpreter.state.figure == figure)
    run("t = slice f along grad steps=5; plot t")
    #expect(transcript.session.interpreter.state.figure?.xAxis.label == "t along grad")
  }

  @Test func patternsOfMatrices() throws {
    let figure = try #require(plotted("a = [1, 0; 0, -2]; plot a kind=pattern"))
    #expect(figure.marks == [.matrix(Matrix(rows: 2, columns: 2, values: [1, 0, 0, 1]))])
    #expect(figure.title == "a: 2 non-zeros (50 %)")
    run("param x = ones(5000); f := sum((x[1:] - x[:-1]^2)^2); H = hessian(f)")
    guard case .matrix(let picture)? = plotted("plot H")?.marks.first else { throw Unexpected() }
    // Tridiagonal: cells of the diagonal and of its two neighbours.
    #expect(picture.rows <= 400 && picture.rows == picture.columns)
    for row in 0..<picture.rows {
      for column in 0..<picture.columns {
        let isNear = abs(row - column) <= 1
        #expect(isNear || picture.values[row * picture.columns + column] == 0)
        #expect(row != column || picture.values[row * picture.columns + column] == 1)
      }
    }
    fails("plot [1, 2] kind=pattern", "a pattern is of a matrix")
  }

  private struct Unexpected: Error {}

  @Test func pathsOfManyParamsAreKept() throws {
    run(
      "param W = ones(300, 40); f := sum(W^2); repeat 4 { step gd lr=0.1 }; s = surface f along pca, random steps=3"
    )
    // All points lie on one line: one component, and the random direction is not needed.
    let path = try numbers("s.path")
    #expect(
      path.count == 10 && stride(from: 1, to: 10, by: 2).allSatisfy { abs(path[$0]) < 1e-9 * abs(path[0]) })
    #expect(try numbers("s.distance").allSatisfy { $0 < 1e-9 })
  }

  @Test func localModelOfAQuadraticIsExact() throws {
    run("param x = [2, 1]\nf := 2*x[0]^2 + 8*x[1]^2\nplot f model=true range -4..4, -4..4 steps=5")
    let marks = try #require(transcript.session.interpreter.state.figure?.marks)
    let arrows = marks.compactMap { mark -> Arrows? in
      if case .arrows(let arrows) = mark { return arrows }
      return nil
    }
    let step = try #require(arrows.last)
    #expect(step.name == "Newton step")
    #expect(abs(step.heads[0].x) < 1e-12 && abs(step.heads[0].y) < 1e-12)
    // The ellipse 4x² + 16y² = c is twice as wide as high.
    let ellipse = marks.compactMap { mark -> Series? in
      if case .line(let series) = mark { return series }
      return nil
    }[0]
    let (xs, ys) = (ellipse.xs.map { $0 - 2 }, ellipse.ys.map { $0 - 1 })
    let c = 4 * xs[0] * xs[0] + 16 * ys[0] * ys[0]
    #expect(c > 0 && zip(xs, ys).allSatisfy { abs(4 * $0 * $0 + 16 * $1 * $1 - c) < 1e-9 * c })
  }

  @Test func modelsOfSlicesAreParabolas() throws {
    run("param x = [2, 1]\nf := x[0]^3 + x[1]\nslice f along x[0] model=true range -1..1 steps=3")
    let marks = try #require(transcript.session.interpreter.state.figure?.marks)
    // 9 + 12t + 6t², which leaves the range of the values at neither end.
    #expect(marks[1] == .line(Series([-1, 0, 1], [3, 9, 27], name: "second order")))
    let curve = try #require(
      plotted("param w = 1; g := w^3; w = 2; plot g model=true range 1..3 steps=3")?.marks)
    #expect(curve.last == .line(Series([1, 2, 3], [2, 8, 26], name: "second order")))
  }

  private func plotted(_ text: String) -> Figure? {
    run(text)
    return transcript.session.interpreter.state.figure
  }

  @Test func saddlesHaveHyperbolas() throws {
    run("param x = [0.5, 0]\nf := x[0]^2 - x[1]^2\nplot f model=true steps=5")
    let marks = try #require(transcript.session.interpreter.state.figure?.marks)
    let names = marks.compactMap { mark -> String? in
      if case .line(let series) = mark { return series.name }
      return nil
    }
    #expect(names == ["hyperbolas of ∇²f"])
  }

  @Test func filesOfCuts() throws {
    let directory = NSTemporaryDirectory()
    run(Self.rosenbrock + "s = surface f along x[0], x[1] steps=3; save \"\(directory)/hlab-cut.csv\" s")
    let text = try String(contentsOfFile: "\(directory)/hlab-cut.csv", encoding: .utf8)
    let lines = text.split(separator: "\n")
    #expect(lines[0] == "s,t,f" && lines.count == 10 && lines[1].hasPrefix("-1.0,-1.0,"))
    run("T = load \"\(directory)/hlab-cut.csv\"; plot T kind=contour")
    guard case .contour(let grid, _)? = transcript.session.interpreter.state.figure?.marks[0] else {
      throw Unexpected()
    }
    #expect(try grid.values == numbers("s.values") && grid.xRange == -1...1 && grid.rows == 3)
    run("plot s; save plot \"\(directory)/hlab-cut.html\"")
    let page = try String(contentsOfFile: "\(directory)/hlab-cut.html", encoding: .utf8)
    #expect(page.contains("<svg") && page.contains("</html>"))
    #expect(!page.replacingOccurrences(of: "http://www.w3.org/2000/svg", with: "").contains("http"))
  }

  @Test func animatedPictures() throws {
    let directory = NSTemporaryDirectory()
    fails(Self.rosenbrock + "animate f", "nothing has been walked yet")
    run("repeat 3 { step newton }; animate f seconds=2; save plot \"\(directory)/hlab-moving.svg\"")
    let text = try String(contentsOfFile: "\(directory)/hlab-moving.svg", encoding: .utf8)
    #expect(text.contains("<animate attributeName=\"stroke-dashoffset\""))
    #expect(text.contains("dur=\"2s\""))
    run("plot f; save plot \"\(directory)/hlab-moving.svg\"")
    #expect(try !String(contentsOfFile: "\(directory)/hlab-moving.svg", encoding: .utf8).contains("<animate"))
  }

  @Test func livePlotsFollowWhatMovesTheParams() {
    let picture = "┌"
    let transcript = Transcript()
    transcript.run(Self.rosenbrock + "plot f live")
    #expect(transcript.run("minimize newton").contains(picture))
    #expect(!transcript.run("print x").contains(picture))
    // Back, too; but not where they have been and come back from.
    #expect(transcript.run("undo").contains(picture))
    #expect(!transcript.run("compare newton, gd steps=3").contains(picture))
    #expect(transcript.run("x = [1, 2]").contains(picture))
    #expect(transcript.run("reset").contains(picture))
    transcript.run("plot f")
    transcript.run("reset")
    #expect(!transcript.run("minimize newton").contains(picture))
    #expect(transcript.run("reset; plot history live").contains("appears when the params move"))
    #expect(transcript.run("minimize newton").contains("history of f"))
  }

  @Test(arguments: [
    "param y = 3", "set precision f32", "print x", "k = 2", "g := sum(x)", "x = x; x = [0.1, 1]",
    "param x = [0.1, 1]", "param y = 3; undo", "reset",
  ]) func livePlotsStayWhereNothingMoves(_ text: String) {
    let transcript = Transcript()
    // Without an objective no path is kept.
    transcript.run("param x = [0.1, 1]; plot sum(x^2) live")
    #expect(!transcript.run(text).contains("┌"))
    #expect(transcript.outcome == .ok, "\(transcript.messages)")
    #expect(transcript.run("x = [0.1, 2]").contains("┌"))
  }

  @Test func livePlotsSeeParamsThatMove() {
    let transcript = Transcript()
    transcript.run("param x = [0.1, 1]; plot sum(x^2) live")
    for text in ["x[0] = 3", "param x = [4, 1]", "undo", "redo", "set precision f32; x = [4, 0.1]", "reset"] {
      #expect(transcript.run(text).contains("┌"), "\(text)")
    }
    // A move back to where it starts is one.
    transcript.run("f := sum(x^2); plot f live")
    #expect(transcript.run("x = [4, 1]").contains("┌"))
    #expect(!transcript.run("param y = 3").contains("┌"))
  }

  /// Steps that were finished before a statement failed are kept, and shown.
  @Test func livePlotsSeeWhatAFailedStatementMoved() {
    let transcript = Transcript(isInteractive: true)
    transcript.run(Self.rosenbrock + "plot f live")
    let shown = transcript.run("for i in 0..3 { step gd lr=0.001; print [7][i] }")
    #expect(transcript.outcome != .ok && shown.contains("┌"), "\(shown)")
    #expect(!transcript.run("print x").contains("┌"))
    // Nothing is kept of this one.
    #expect(!transcript.run("x = [1, 2, 3]").contains("┌") && transcript.outcome != .ok)
    #expect(!transcript.run("print x").contains("┌"))
  }

  // MARK: Messages

  @Test func messages() {
    fails("slice along grad", "there is no objective yet")
    fails(Self.rosenbrock + "slice f", "'slice' needs a direction")
    fails("surface f along x[0]", "takes two directions, and this is one")
    fails("slice f along [1, 2, 3]", "a direction of shape 3 fits no param of f")
    fails("slice f along [0, 0]", "is zero")
    fails("slice f along \"a\"", "a direction is a tensor or a bundle")
    fails("slice f along pca", "principal components take a path of at least three points")
    fails("slice f along step", "no step has been made yet")
    fails("slice f along eig(3)", "there is no direction 3 among 2")
    fails("slice f along random(of)", "scaled by filter, layer or none")
    fails("slice x along grad", "'slice' needs a scalar formula")
    fails("slice 3 along grad", "depends on no param")
    fails("slice f from params", "needs both: from P to Q")
    fails("slice f from params to params", "the two points are the same")
    fails("a = [1, 2, 3]; slice f from a to params", "a point holds a value for each param")
    fails("slice f along grad at=3", "a point holds a value for each param")
    fails("surface f, f along eig", "a surface shows one formula")
    fails("path", "nothing has been walked yet")
    fails("param y = [1, 2]; h := sum(x*y); d = [1, 0]; slice h along d", "the shape of several params: x, y")
    fails("surface f along eig kind=het", "did you mean 'heat'?")
    fails("animate f seconds=0", "'seconds' is above 0")
  }
}

extension Mark {
  /// All numbers of a mark that these tests draw.
  fileprivate var numbers: [Double] { points.map { $0.isNaN ? .infinity : $0 } }

  private var points: [Double] {
    switch self {
    case .line(let series), .path(let series), .scatter(let series): return series.xs + series.ys
    case .contour(let grid, _): return grid.values + [grid.xRange.lowerBound, grid.yRange.upperBound]
    case .arrows(let arrows): return (arrows.tails + arrows.heads).flatMap { [$0.x, $0.y] }
    default: return []
    }
  }
}
