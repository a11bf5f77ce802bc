import Plotting
import Testing

@testable import Session

@Suite struct PlotCommandTests {
  private let transcript = Transcript()

  private func plot(_ text: String, location: SourceLocation = #_sourceLocation) throws -> Figure {
    transcript.run(text)
    #expect(transcript.outcome == .ok, "\(transcript.messages)", sourceLocation: location)
    return try #require(transcript.session.interpreter.state.figure, sourceLocation: location)
  }

  private func fails(
    _ text: String, _ message: String, exitCode: Int32 = 70, location: SourceLocation = #_sourceLocation
  ) {
    transcript.run(text)
    #expect(transcript.outcome == .failed(exitCode: exitCode), sourceLocation: location)
    #expect(transcript.messages.contains(message), "\(transcript.messages)", sourceLocation: location)
  }

  private func line(_ mark: Mark?) throws -> Series {
    guard case .line(let series)? = mark else { throw Unexpected() }
    return series
  }

  private struct Unexpected: Error {}
  private let rosenbrock = "param x = [-1.2, 1]\nf := (1 - x[0])^2 + 100*(x[1] - x[0]^2)^2\n"

  @Test func twoRangesAreAClause() {
    fails(
      rosenbrock + "plot f range=-2..2, 0..3", "hint: two ranges follow the word: range -2..2, 0..3")
  }

  // MARK: What is left out

  @Test(arguments: [
    ("plot [1, 0/0, 3]", "[1, 0/0, 3] is not finite at 1 of 3 points, which are gaps"),
    ("plot [-1, 2, 0] log=true", "is zero or less at 2 of 3 points, which a log axis has no place for"),
    ("plot [1, 0/0; 1/0, 2]", "is not finite: 2 of 4 entries are nan or infinite"),
    ("plot log(t) for t in -1..1 steps=5", "log(t) is not finite at 3 of 5 points, which are gaps"),
    ("plot 0*t*s + 3 for t in 0..1, s in 0..1", "0*t*s + 3 is 3 everywhere here: there are no contour lines"),
    (
      "plot t - s for t in 0..1, s in 0..1 steps=3 kind=heat log=true",
      "t - s is zero or less at 6 of 9 points, which have the lowest of the colours"
    ),
    ("param w = 1; f := sqrt(w); plot f range -1..1 steps=3", "f is not finite at 1 of 3 points"),
    ("plot [1, 0/0] kind=hist", "is not finite: 1 of 2 entries is nan"),
    ("a = [1, 2]; b = [0, 1]; plot a, b log=true", "b is zero or less at 1 of 2 points"),
  ])
  func gapsAreReported(text: String, message: String) throws {
    _ = try plot(text)
    #expect(transcript.messages.contains(message), "\(transcript.messages)")
  }

  @Test(arguments: [
    ("plot [1, 2] size=\"80x20\"", "columns and lines are two options: size=80 height=20"),
    ("plot [1, 2] size=\"80 × 20\"", "columns and lines are two options: size=80 height=20"),
    ("plot [1, 2] size=80×20", "'size' is 20 to 400, not 1600"),
    ("plot [1, 2] size=80×20", "columns and lines are two options: size=80 height=20"),
    ("s = \"80x20\"; plot [1, 2] size=s", "columns and lines are two options: size=80 height=20"),
    ("plot [1, 2] size=[80, 20]", "columns and lines are two options: size=80 height=20"),
    ("plot [1, 2] size=(80, 20)", "'size' is a number, not a tuple of 2"),
    (
      "plot [1, 2]; save plot \"/tmp/none/x.txt\" width=\"80x20\"",
      "columns and lines are two options: width=80 height=20"
    ),
    ("plot [1, 2] size=80.5", "'size' is a whole number, 20 to 400, not 80.5"),
    ("plot [1, 2] height=nan", "'height' is a whole number, 6 to 200, not nan"),
    ("plot [1, 2] size=\"wide\"", "'size' is a number, not a string"),
    ("plot [1, 2] kind=hist bins=1e9", "'bins' is 1 to 10000, not 1000000000"),
    ("plot [1, 2] kind=\"3d\"", "there is no kind of plot '3d'"),
    ("surface f along x[0], x[1] kind=\"3d\"", "kinds are contour, heat, filled"),
  ])
  func optionsThatAreNoneSayWhatIs(text: String, message: String) {
    transcript.run("param x = [1, 2]; f := sum(x^2)\n" + text)
    #expect(transcript.messages.contains(message), "\(transcript.messages)")
  }

  /// What is asked for is done, refused, or said to be left out.
  @Test(arguments: [
    ("plot [1, 2, 3] range 0..1", "'range' changes nothing here, it is for formulas of params"),
    ("plot [1, 2, 3], [1, 2, 3] range 0..1", "'range' changes nothing"),
    ("plot [1, 2, 3] steps=5", "'steps' changes nothing"), ("plot [1, 2; 3, 4] levels=3", "'levels' changes"),
    ("plot [1, 2; 3, 4] kind=heat levels=3", "'levels' changes nothing here, it is for contour lines"),
    ("plot [1, 2] bins=4", "'bins' changes nothing here, it is for kind=hist"),
    ("plot t for t in 0..1 range 0..2", "'range' changes nothing"),
    ("plot g levels=3", "'levels' changes nothing"),
    ("plot f kind=heat levels=3", "'levels' changes nothing"),
    ("plot f bins=3", "'bins' changes nothing"), ("plot eig steps=3", "'steps' changes nothing"),
    ("step newton; plot history range 0..1", "'range' changes nothing"),
    ("plot g kind=heat", "a formula of one number cannot be shown as heat"),
    ("step newton; plot history kind=heat", "a history cannot be shown as heat"),
    ("plot zeros(0) kind=hist", "there is nothing to plot: 'zeros(0)' is empty"),
    ("plot [1, 1; 1, 1] kind=contour", "is 1 everywhere here: there are no contour lines"),
    ("slice f along x[0] bend=true", "'bend' changes nothing here, it is for slice from P to Q"),
    ("slice f from [1, 1] to [0, 0] training=5", "'training' changes nothing here, it is for bend=true"),
    ("slice f from [1, 1] to [0, 0] model=true", "'model' changes nothing here, it is for slice along"),
    ("slice f along x[0] range 1..2 model=true", "the quadratic model is left out"),
    ("surface f along x[0], x[1] range 1..2 model=true", "the quadratic model is left out"),
    ("slice f along eig(1.5)", "expected a whole number"),
    ("s = slice f along grad; plot s kind=heat", "a slice cannot be shown as heat"),
    ("plot f range -1 1", "range -1..1"), ("plot f range 1, 2", "range 1..2"),
    ("plot f size 80", "an option has a value: size=80"),
    ("plot f title=hello world", "a text stands in quotes: title=\"hello\""),
    ("save plot x.svg", "write \"x.svg\""), ("load x.npy", "write \"x.npy\""),
    ("run s.hlab", "write \"s.hlab\""), ("save q.npy x", "write \"q.npy\""),
    ("train gd log=a.txt", "a text stands in quotes: log=\"a.txt\""),
    ("plot g for y in [-1, 1]", "'y' takes these two values alone; a range is written -1..1"),
    ("y = -1; minimize gd on g until grad(g, y) < 1e-8", "its size is norm(grad(g, y))"),
    ("rand(2, seed=1)", "the command seed 1 restarts the generator"),
  ])
  func nothingIsPassedOver(text: String, message: String) {
    transcript.run("param y = 1; g := y^2; param x = [1, 2]; f := sum(x^2); objective f\n" + text)
    #expect(transcript.messages.contains(message), "\(transcript.messages)")
  }

  @Test func optionsThatActAreQuiet() {
    transcript.run(
      """
      param y = 1; g := y^2; param x = [1, 2]; f := sum(x^2); objective f; step gd lr=0.1
      plot g range 0..1 steps=11 model=true kind=stems
      plot f range 0..1, 0..2 steps=11 levels=3 model=true
      plot t*s for t in 0..1, s in 0..1 levels=3 steps=5
      plot t for t in 0..1 steps=5 kind=scatter
      plot eig kind=hist bins=3; plot [1, 2] kind=hist bins=4; plot [1, 2; 3, 4] kind=filled levels=3
      plot history kind=stems
      slice f along x[0] model=true steps=11
      slice f from [1, 1] to [0, 0] bend=true training=1 lr=0.1 steps=11
      """)
    #expect(transcript.messages.isEmpty, "\(transcript.messages)")
  }

  @Test func wholePlotsAreQuiet() throws {
    _ = try plot("plot t^2 for t in 0..1; plot t*s for t in 0..1, s in 0..1; plot [1, 2, 3] log=true")
    #expect(transcript.messages.isEmpty)
    _ = try plot("plot 0*t*s + 3 for t in 0..1, s in 0..1 kind=heat")
    #expect(transcript.messages.isEmpty)
  }

  @Test func nothingIsNoPlot() {
    fails("plot zeros(0)", "there is nothing to plot: 'zeros(0)' is empty")
    fails("plot zeros(0, 3)", "there is nothing to plot: 'zeros(0, 3)' is of shape 0×3")
  }

  @Test func rangesAreAsManyAsAxes() {
    fails("param w = 1; f := w^2; plot f range -1..1, 0..2", "one axis takes one range, not 2", exitCode: 65)
    fails(
      rosenbrock + "surface f along x[0], x[1] range -1..1, 0..2, 3..4", "two axes take two ranges, not 3",
      exitCode: 65)
    fails("plot t for t in -1e308..1e308", "this range is too wide")
  }

  @Test func aSpectrumIsDrawnAgain() throws {
    let first = try plot("A = [2, 1; 1, 3]; s = spectrum A probes=4 seed=1 steps=2")
    let again = try plot("plot s")
    #expect(again.marks == first.marks)
    #expect(again.xAxis.label == "λ" && again.yAxis.label == "density")
  }

  @Test func indicesAreWholeNumbers() throws {
    let figure = try plot("plot [1, 2, 3; 4, 5, 6] kind=heat")
    #expect(figure.xAxis.isIntegral && figure.yAxis.isIntegral)
  }

  @Test func aCurveBesideItsModelIsNamed() throws {
    let figure = try plot("param w = 0.5; g := w^4; plot g model=true")
    #expect(try line(figure.marks.first).name == "g")
    #expect(try line(figure.marks.last).name == "second order")
    #expect(figure.marks[1] == .path(Series([0.5], [0.0625])))
    #expect(try line(plot("plot g").marks.first).name == "")
  }

  @Test func theModelHasEqualUnits() throws {
    #expect(try plot(rosenbrock + "plot f model=true").hasEqualUnits)
    #expect(try plot("surface f along x[0], x[1] model=true steps=5").hasEqualUnits)
    #expect(try !plot("plot f").hasEqualUnits)
  }

  // MARK: Landscapes

  @Test func oneNumberGivesACurve() throws {
    let figure = try plot("param w = 3; f := (w - 1)^2; w = 2; plot")
    let series = try line(figure.marks[0])
    #expect(series.xs.count == 241)
    for (x, y) in zip(series.xs, series.ys) { #expect(abs(y - (x - 1) * (x - 1)) < 1e-12) }
    #expect(figure.marks[1] == .path(Series([3, 2], [4, 1])))
    #expect(figure.xAxis.label == "w" && figure.yAxis.label == "f")
  }

  @Test func twoNumbersGiveAContourWithThePath() throws {
    let figure = try plot(rosenbrock + "x = [-1, 1]; x = [0, 0.5]; plot f")
    guard case .contour(let grid, _) = figure.marks[0] else { throw Unexpected() }
    #expect(grid.columns == 81 && grid.rows == 81)
    #expect(figure.marks[1] == .path(Series([-1.2, -1, 0], [1, 1, 0.5])))
    let (x, y) = (grid.xRange.lowerBound, grid.yRange.lowerBound)
    #expect(abs(grid.values[0] - ((1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x))) < 1e-9)
    #expect(transcript.run("print x") == "[0, 0.5]")
  }

  @Test func twoScalarParams() throws {
    let figure = try plot("param a = 1; param b = 2; f := a^2 + b; plot range -1..1, 0..4 steps=3 kind=heat")
    let grid = Grid(columns: 3, rows: 3, xRange: -1...1, yRange: 0...4, values: [1, 0, 1, 3, 2, 3, 5, 4, 5])
    #expect(figure.marks[0] == .heatmap(grid))
    #expect(figure.marks[1] == .scatter(Series([1], [2])))
  }

  @Test func moreNumbersGiveTheHistory() throws {
    let text = "param x = [1, 1, 1]; f := sum(x^2)\n"
    fails(text + "plot", "there is no history of f yet")
    let figure = try plot(text + "x = [1, 0, 0]; x = [0.5, 0, 0]; plot")
    #expect(try line(figure.marks[0]).ys == [3, 1, 0.25])
    #expect(try line(figure.marks[1]).ys == [12.squareRoot(), 2, 1])
    #expect(figure.yAxis.scale == .log)
    #expect(try plot("plot history log=false").yAxis.scale == .linear)
    fails("g := sum(x^4); plot g", "g depends on 3 numbers")
  }

  // MARK: Over names

  @Test func expressionsOverAName() throws {
    let figure = try plot("plot sin(t), 2*t for t in 0..1 steps=3")
    #expect(try line(figure.marks[1]) == Series([0, 0.5, 1], [0, 1, 2], name: "2*t"))
    #expect(
      try line(plot("plot [t, t^2] for t in 0..2 steps=3").marks[1])
        == Series([0, 1, 2], [0, 1, 4], name: "t^2"))
  }

  @Test func lineThroughTheLandscape() throws {
    let figure = try plot(rosenbrock + "d = [1, 0]; plot f(x = x + t*d) for t in 0..1 steps=2")
    let values = try line(figure.marks[0]).ys
    #expect(abs(values[0] - 24.2) < 1e-9 && abs(values[1] - (1.44 + 100 * 0.96 * 0.96)) < 1e-9)
  }

  @Test func twoNamesGiveAGrid() throws {
    let figure = try plot("plot s + 10*t for s in 0..1, t in 0..2 steps=2")
    let grid = Grid(columns: 2, rows: 2, xRange: 0...1, yRange: 0...2, values: [0, 1, 20, 21])
    #expect(figure.marks[0] == .contour(grid))
  }

  @Test func boundNumbersAreReplacedInFormulas() throws {
    let figure = try plot("λ = 0.1; param w = 2; f := w^2*λ; plot f for λ in 0..1 steps=2")
    #expect(try line(figure.marks[0]).ys == [0, 4])
    #expect(transcript.run("print λ") == "0.1")
    let cubes = try plot("n = 2; g := 2^n + w^n; plot g for n in 1..3 steps=3")
    #expect(try line(cubes.marks[0]).ys == [4, 8, 16])
  }

  @Test func numbersThatShapeTheFormula() throws {
    let figure = try plot("plot quantile([0, 1, 2], q) for q in 0..1 steps=3")
    #expect(try line(figure.marks[0]).ys == [0, 1, 2])
    let procedure = "trial(r) { k = 1; repeat 3 { k = k*r }; print_count = 1; return k }\n"
    #expect(try line(plot(procedure + "plot trial(r) for r in 0..2 steps=3").marks[0]).ys == [0, 1, 8])
  }

  @Test func logarithmicRanges() throws {
    let figure = try plot("plot r for r in log 1e-2..1 steps=3")
    #expect(figure.xAxis.scale == .log)
    #expect(abs(try line(figure.marks[0]).xs[1] - 0.1) < 1e-12)
    fails("plot r for r in log 0..1", "a log range begins above zero")
  }

  @Test func valuesOfAPlotAreAResult() {
    #expect(transcript.run("p = plot t^2 for t in 0..2 steps=3") == "")
    #expect(transcript.run("print p.t, p.values") == "[0, 1, 2] [0, 1, 4]")
    #expect(transcript.run("plot t for t in 0..1;") == "")
  }

  // MARK: Values

  @Test func vectorsAndMatrices() throws {
    #expect(try line(plot("plot [3, 1, 2]").marks[0]) == Series([3, 1, 2]))
    #expect(try line(plot("plot [1, 2], [5, 7]").marks[0]) == Series([1, 2], [5, 7]))
    let picture = Matrix(rows: 2, columns: 2, values: [1, 2, 3, 4])
    #expect(try plot("plot [1, 2; 3, 4]").marks == [.matrix(picture)])
    #expect(
      try plot("a = [1, 2]; b = [3, 4]; plot [a, b]").marks == [
        .line(Series([1, 2], name: "a")), .line(Series([3, 4], name: "b")),
      ])
    #expect(
      try plot("plot [1, 2, 2, 3] kind=hist bins=2").marks == [
        .histogram(Histogram(samples: [1, 2, 2, 3], bins: 2))
      ])
    #expect(try plot("plot [1, 2] kind=stems").marks == [.stems(Series([1, 2]))])
    fails("plot [1, 2], [1, 2, 3]", "vectors of 2 and 3 entries")
    fails("plot zeros(2, 2, 2)", "not a tensor of shape 2×2×2")
    fails("plot 3", "'3' is a number")
    fails("plot [1, 2] kind=heat", "a vector cannot be shown as heat")
  }

  @Test func hessiansShowTheirBlocks() throws {
    let figure = try plot("param u = [1, 2]; param v = 3; f := sum(u^2)*v; plot hessian")
    guard case .matrix(let matrix) = figure.marks[0] else { throw Unexpected() }
    #expect(matrix.blocks == [Matrix.Block("u", size: 2), Matrix.Block("v", size: 1)])
  }

  // MARK: Options and messages

  @Test func optionsOfTheFigure() throws {
    let figure = try plot(
      "plot [1, 2] title=\"a title\" xlabel=\"k\" ylabel=\"v\" log=true size=50 height=10")
    #expect(figure.title == "a title" && figure.xAxis.label == "k" && figure.yAxis.label == "v")
    #expect(figure.yAxis.scale == .log)
    let lines = transcript.run("plot [1, 2] size=50 height=10").split(separator: "\n")
    #expect(lines.count <= 10 && lines.allSatisfy { $0.count <= 50 })
  }

  @Test func messages() {
    fails("plot", "there is no objective yet")
    fails("plot t for t in 2..1", "this range is empty")
    fails("plot t for t in 0..1 kind=het", "did you mean 'heat'?")
    fails("plot t for t in 0..1 sise=3", "did you mean 'size'?")
    fails("plot q for t in 0..1", "'q' is not bound")
    fails("plot \"a\"", "not a string")
    fails("plot t for t in 0..1 size=3", "'size' is 20 to 400")
    fails(
      "plot a + b + c for a in 0..1, b in 0..1, c in 0..1", "a plot runs over one or two names", exitCode: 65)
  }

  @Test func aFailedPlotChangesNothing() {
    transcript.run(
      "λ = 0.5; trial(r) { if r > 0.5 { return [1, 2] }; return 3 }; plot trial(λ) for λ in 0..1 steps=3")
    #expect(transcript.outcome == .failed(exitCode: 70))
    #expect(transcript.run("print λ") == "0.5")
  }

  /// A present point that is nowhere is told, and where the plot is instead.
  @Test(arguments: [
    ("param x = 0/0; f := (x - 3)^2", "x is not finite now; this is around 0"),
    (
      "param x = 2; f := (x - 3)^2; step gd lr=0.1; x = 1/0",
      "x is not finite now; this is around where it has been"
    ),
    ("param x = [1, 0/0]; f := sum(x^2)", "x is not finite now; this is around 0"),
  ])
  func presentPointsThatAreNowhere(_ program: String, _ warning: String) {
    let lab = Conversation()
    lab.say(program)
    #expect(lab.say("plot f").contains("warning: " + warning))
    #expect(!lab.say("plot f range -1..1").contains("not finite"))
  }
}
