import Testing

@testable import Session

/// `critical` against points that are known.
@Suite struct CriticalTests {
  private static let himmelblau = "param x = [0, 0]\nf := (x[0]^2 + x[1] - 11)^2 + (x[0] + x[1]^2 - 7)^2\n"

  /// Values as in the literature (Himmelblau, *Applied nonlinear programming*, 1972), saddles by high-precision
  /// solution of ∇f = 0.
  @Test func himmelblausNinePoints() {
    let desk = Desk()
    desk.run(Self.himmelblau + "c = critical starts=60")
    #expect(desk.errors.isEmpty)
    let values = [
      0, 0, 0, 0, 13.311926270406, 67.719150087526, 104.01516291756, 178.33723920193, 181.61652152258,
    ]
    #expect(agree(desk.values("c", "values"), values, 1e-11))
    #expect(desk.values("c", "index") == [0, 0, 0, 0, 1, 1, 1, 1, 2])
    #expect(desk.values("c", "degenerate").allSatisfy { $0 == 0 })
    // (3, 2) has H = [74, 20; 20, 34].
    desk.run(
      "k = argmin([norm(p - [3, 2]) for p in c.points]); a = c.smallest[k]; b = c.largest[k]; d = norm(c.points[k] - [3, 2])"
    )
    #expect(agree(desk.values("a"), [25.715728752538]) && agree(desk.values("b"), [82.284271247462]))
    #expect((desk.values("d").first ?? 1) < 1e-12)
    #expect(desk.values("c", "shares").reduce(0, +) <= 1 + 1e-12)
  }

  /// Six-hump camel: six minima, two maxima, seven saddles; the global minimum is -1.0316284535.
  @Test func theSixHumpCamel() {
    let desk = Desk()
    desk.run(
      "param x = [1, 1]\nf := (4 - 2.1*x[0]^2 + x[0]^4/3)*x[0]^2 + x[0]*x[1] + (-4 + 4*x[1]^2)*x[1]^2\n"
        + "c = critical starts=100 range -3..3, -2..2")
    let index = desk.values("c", "index")
    #expect((0...2).map { k in index.filter { $0 == Double(k) }.count } == [6, 7, 2])
    #expect(agree([desk.values("c", "values").first ?? 0], [-1.0316284534898774]))
  }

  /// Few starts miss points that deflation finds.
  @Test func deflationFindsWhatStartsMiss() {
    let desk = Desk()
    let lines = desk.printed(Self.himmelblau + "critical starts=4\nc = ans")
    #expect(desk.values("c", "values").count >= 8)
    #expect(lines.contains { $0.contains("or by deflation, no start led there") })
    #expect(desk.values("c", "shares").filter { $0 > 0 }.count <= 4)
  }

  @Test(arguments: [
    // Monkey saddle, a shifted one, x⁴ + y², and Powell's function.
    ("x[0]^3 - 3*x[0]*x[1]^2", [0.0, 0]), ("(x[0] - 1)^3 - 3*(x[0] - 1)*(x[1] - 0.3)^2", [1, 0.3]),
    ("(x[0] + 2)^4 + x[1]^2", [-2, 0]),
  ])
  func degeneratePointsAreMarked(_ formula: String, _ place: [Double]) {
    let desk = Desk()
    desk.run("param x = [1, 1]\nf := \(formula)\nc = critical starts=15\np = c.points[0]")
    #expect(desk.values("c", "degenerate") == [1])
    #expect(agree(desk.values("p"), place, 1e-5))
  }

  @Test func rosenbrockHasOne() {
    let desk = Desk()
    desk.run(
      "param x = [-1.2, 1]\nf := (1 - x[0])^2 + 100*(x[1] - x[0]^2)^2\nc = critical starts=20\np = c.points[0]"
    )
    #expect(desk.values("c", "index") == [0] && desk.values("c", "degenerate") == [0])
    #expect(agree(desk.values("p"), [1, 1]))
    #expect(agree(desk.values("c", "smallest"), [0.39936076748763], 1e-8))
  }

  /// Nearly all of the box is a tail, from which ‖∇f‖ falls outwards.
  @Test(arguments: [("[0, 0]", 2.0), ("zeros(6)", 6)]) func maximaAmongTails(_ start: String, _ order: Double)
  {
    let desk = Desk()
    desk.run("param x = \(start)\nf := exp(-sum(x^2))\nc = critical starts=30\ne = norm(c.points[0])")
    #expect(desk.errors.isEmpty && desk.values("c", "index") == [order])
    #expect(agree(desk.values("c", "values"), [1]) && (desk.values("e").first ?? 1) < 1e-9)
    #expect(agree(desk.values("c", "largest"), [-2], 1e-9))
  }

  /// Two wells in a plain: minima at ±c and the saddle between them, far from most starts.
  @Test func wellsInAPlain() {
    let desk = Desk()
    desk.run(
      "param x = [0, 0]\nf := -exp(-sum((x - [1.5, 0])^2)) - exp(-sum((x + [1.5, 0])^2))\nc = critical starts=20"
    )
    #expect(desk.values("c", "index") == [0, 0, 1])
    // The wells pull each other inwards: 2·(x − c) + 2·(x + c)·exp(−4cx) = 0.
    desk.run("a = abs(c.points[0, 0]); r = abs(a - 1.5 + (a + 1.5)*exp(-6*a))")
    #expect((desk.values("r").first ?? 1) < 1e-9)
  }

  /// x₀² − x₁² on the square 0..1 × -1..2 has its minimum at (0, 2), a minimum at (0, -1), the maximum at (1, 0) and a saddle
  /// at the origin, which is inside an edge.
  @Test func pointsHeldByBounds() {
    let desk = Desk()
    let shown = desk.printed(
      "param x = 0.5 in 0..1\nparam y = 0.5 in -1..2\nf := x^2 - y^2\ncritical starts=10 range -9..9\nc = ans"
    )
    #expect(desk.errors.isEmpty && agree(desk.values("c", "values"), [-4, -1, 0, 1]))
    #expect(desk.values("c", "index") == [0, 0, 1, 2])
    #expect(desk.values("c", "held") == [0, 1, 0, 1, 0, 0, 1, 0])
    #expect(shown[0].contains("in [0, 1] × [-1, 2]"))
    #expect(shown.contains { $0.contains("maximum") && $0.hasSuffix("[1, 0]  held: x") })
  }

  /// Himmelblau's function with x₁ ≤ 1: none of the points outside is listed, and on that edge ∂f/∂x₀ =
  /// 4x₀³ − 38x₀ − 12 has three zeros, where ∂f/∂x₁ is negative.
  @Test func himmelblauWithinBounds() {
    let desk = Desk()
    desk.run(
      """
      param x = [0, 0] in [-4.9, -4.9]..[4.9, 1]
      f := (x[0]^2 + x[1] - 11)^2 + (x[0] + x[1]^2 - 7)^2
      c = critical starts=40
      y = c.points[:, 1]
      on = [if p[1] > 1 - 1e-9 and abs(p[0]) < 4.8 then 1 else 0 for p in c.points]
      r = [4*p[0]^3 - 38*p[0] - 12 for p in c.points]*on
      n = sum(on); h = sum(on*c.held[:, 1])
      """)
    #expect(desk.errors.isEmpty && desk.values("y").allSatisfy { $0 <= 1 })
    #expect(desk.values("n") == [3] && desk.values("h") == [3])
    #expect(desk.values("r").allSatisfy { $0.magnitude < 1e-4 })
  }

  @Test(arguments: ["sum(x)", "exp(x[0]) + x[1]^2"]) func thereMayBeNone(_ formula: String) {
    let desk = Desk()
    let lines = desk.printed(
      "param x = [0, 0]\nf := \(formula)\ncritical starts=10\nc = ans\nn = len(c.values)")
    #expect(desk.errors.isEmpty && desk.values("n") == [0])
    #expect(lines.first?.hasPrefix("no critical point of f found") == true)
  }

  @Test func pointsOutsideTheRangeAreCounted() {
    let desk = Desk()
    let lines = desk.printed("param x = 0\nf := (x - 7)^2\ncritical starts=10")
    #expect(lines.contains("of the starts, 10 led out of the range"))
  }

  /// Nothing moves, and the same seed gives the same starts.
  @Test func nothingChanges() {
    let desk = Desk()
    desk.run(Self.himmelblau + "x = [1, 2]\nstep gd lr=1e-3\ny = x + 0")
    let generator = desk.session.interpreter.state.generator
    let steps = desk.session.interpreter.undoableSteps
    let first = desk.printed("critical starts=8 seed=5")
    #expect(first == desk.printed("critical starts=8 seed=5") && first != desk.printed("critical starts=8"))
    desk.run("d = norm(x - y)")
    #expect(desk.values("d") == [0] && desk.session.interpreter.state.generator == generator)
    #expect(desk.session.interpreter.undoableSteps == steps)
    #expect(first.allSatisfy { $0.count <= 80 })
    // The assignments to d and y, and the step.
    desk.run("undo 3\nz = x + 0")
    #expect(desk.values("z") == [1, 2])
  }

  @Test func severalParamsAndData() {
    let desk = Desk()
    // 2·(a − 1) = 0, 4·b³ − 2·b·s = 0 with s = 2: b = 0, ±1.
    desk.run(
      "data s = 2\nparam a = 0\nparam b = 0\nf := (a - 1)^2 + b^4 - s*b^2\nc = critical starts=20 range -2..2\nq = c.points[:, 1]"
    )
    #expect(agree(desk.values("q"), [-1, 1, 0], 1e-9) && desk.values("c", "index") == [0, 0, 1])
    desk.run("e = critical wrt b starts=10\nm = len(e.values)")
    #expect(desk.values("m") == [3])
  }

  static let misuse = [
    Failure("param x = 1; f := x^2; critical starts=0", "'starts' is 1 to 1000000, not 0", at: "0"),
    Failure("param x = 1; f := x^2; critical range 2..1", "this range is empty", at: "2..1"),
    Failure(
      "param x = [1, 2, 3]; f := sum(x^2); critical range 0..1, 0..2",
      "there are 3 numbers among the params, and 2 ranges", at: "range 0..1, 0..2", "one for each"),
    Failure("param x = [1, 2]; f := sum(x^2); critical x", "'critical' needs a scalar formula", at: "x"),
    Failure("param x = 1; f := x^2; critical seed=-1", "a seed is not negative", at: "seed=-1"),
    Failure("critical", "there is no objective", at: "critical"),
    Failure(
      "param x = 1 in 0..2; f := x^2; critical range 3..4", "the range has no part within the bounds of x",
      at: "range 3..4"),
    Failure(
      "param x = [1, 2]; f := sum(x^2); critical wrt x[0]", "'critical' varies whole params", at: "wrt x[0]"),
    Failure(
      "param x = zeros(501); f := sum(x^2); critical", "'critical' factors the Hessian at every iterate",
      at: "critical"),
  ]

  @Test(arguments: misuse) func misuseIsExplained(_ failure: Failure) { failure.check() }
}
