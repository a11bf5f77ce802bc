import Testing

@testable import Session

/// Residuals, and params within bounds.
@Suite struct ConstraintTests {
  /// Minimum of (x − 3)² + (y − 1)² + xy with x ≤ 2: x = 2, and y from 2(y − 1) + x = 0, so y = 0; f = 2.
  private static let bounded =
    "param x = [0, 0.5] in -5..2\nf := (x[0] - 3)^2 + (x[1] - 1)^2 + x[0]*x[1]\n"

  @Test(arguments: [
    "newton", "damped-newton", "modified-newton", "trust", "trust cg=true", "cubic", "newton-cg",
    "saddle-free",
    "bfgs", "lbfgs", "gd", "gd lr=0.1", "gd wolfe=true", "momentum lr=0.02", "nesterov lr=0.02",
  ])
  func everyMethodStaysWithinBounds(_ method: String) {
    let desk = Desk()
    desk.run(Self.bounded + "m = minimize \(method) max 900\ny = x + 0")
    #expect(desk.errors.isEmpty)
    #expect(desk.values("y").first == 2)
    #expect(agree(desk.values("y"), [2, 0], 1e-7) && agree(desk.values("m", "value"), [2], 1e-8))
    #expect(desk.text("m", "reason") == "projected ‖∇f‖ < 1e-8")
  }

  /// Clamped Adam oscillates about the minimum, and never leaves the bounds.
  @Test func stepsOfAdamAreProjected() {
    let desk = Desk()
    desk.run(
      Self.bounded + "for k in 0..200 { step adam lr=0.1; assert all(x <= 2) and all(x >= -5) };\ny = x[0]")
    #expect(desk.errors.isEmpty && desk.values("y") == [2])
  }

  /// Loops that are compiled know bounds, too, also ones declared after they were compiled.
  @Test func loopsKeepWithinBounds() {
    let desk = Desk()
    desk.run("param x = 0\nf := (x - 3)^2\ng() { repeat 50 { step gd lr=0.1 };\n return x }\na = g()")
    desk.run("param x = 0 in -1..1\nb = g()")
    #expect(agree(desk.values("a"), [3], 1e-3) && desk.values("b") == [1])
  }

  @Test func boundsOfEachEntryAndBackInside() {
    let desk = Desk()
    // A minimum inside is found although the start is at a bound.
    desk.run(
      "param x = [1, 0, 4] in [0, 0, 2]..[1, inf, 9]\nf := sum((x - [0.25, -1, 3])^2)\nminimize newton\ny = x + 0"
    )
    #expect(agree(desk.values("y"), [0.25, 0, 3]))
  }

  @Test func explainingAStepKnowsBounds() {
    let desk = Desk()
    desk.run("param x = 0 in -1..1\nf := (x - 3)^2\ne = explain step newton")
    #expect(desk.values("e", "length") == [1] && desk.values("e", "value") == [4])
  }

  /// Conditions speak of the projected gradient: at the minimum within bounds ∇f itself is far from zero.
  @Test(arguments: [
    "norm(grad) < 1e-9", "norm(grad(f, x)) < 1e-9", "norm(g) < 1e-9", "max(abs(grad)) < 1e-9",
  ])
  func conditionsAreOfTheProjectedGradient(_ condition: String) {
    let desk = Desk()
    desk.run(Self.bounded + "g := grad(f)\nm = minimize newton until \(condition) max 50\nn = norm(g)")
    #expect(desk.errors.isEmpty && desk.text("m", "reason") == condition)
    // ∂f/∂x₀ = 2(x₀ − 3) + y = −2 there, and g outside of the condition is the plain gradient.
    #expect(agree(desk.values("n"), [2], 1e-8) && (desk.values("m", "gradient_norm").first ?? 1) < 1e-9)
    #expect((desk.values("m", "steps").first ?? 99) < 20)
  }

  @Test(arguments: [
    // Held at a corner, at an edge, as a maximum, and free.
    ("param x = [2, 0] in -5..2; f := (x[0] - 3)^2 + (x[1] - 1)^2 + x[0]*x[1]", "minimum", 0.0, [2.0], [0.0]),
    ("param x = [0, 0] in 0..1; f := x[0] + 2*x[1] - x[0]^2", "minimum", 0, [], [0, 1]),
    ("param x = [1, 0.5] in 0..1; f := x[0] - (x[1] - 0.5)^2", "maximum", 2, [-2], [0]),
    ("param x = [1, 0.5] in 0..1; f := -x[0] - (x[1] - 0.5)^2", "saddle", 1, [-2], [0]),
    ("param x = [0.5, 0.5] in 0..1; f := sum((x - 0.5)^2)", "minimum", 0, [2, 2], []),
    ("param x = [1, 0.5] in 0..1; f := x[0]^2 + x[1]", "not critical", 0, [2, 0], []),
  ]) func classifyWithinBounds(
    _ text: String, _ kind: String, _ index: Double, _ eigenvalues: [Double], _ held: [Double]
  ) {
    let desk = Desk()
    desk.run(text + "; c = classify")
    #expect(desk.errors.isEmpty && desk.text("c", "kind") == kind && desk.values("c", "index") == [index])
    #expect(agree(desk.values("c", "eigenvalues"), eigenvalues) && desk.values("c", "held") == held)
  }

  @Test func classifySaysWhichBoundsHold() {
    let desk = Desk()
    let shown = desk.printed(Self.bounded + "x = [2, 0]; classify; classify wrt x[0]")
    #expect(shown[0].hasPrefix("local minimum") && shown[0].contains("projected ‖∇f‖ = 0 ≤"))
    #expect(shown.contains("held by the gradient: x[0] at its upper bound"))
    // The part alone is held as well.
    #expect(shown.filter { $0.hasPrefix("held by the gradient: x[0]") }.count == 2)
  }

  @Test func residualsAreTheObjective() {
    let desk = Desk()
    let lines = desk.printed(
      "param b = [1, 1]\ndata t = [0, 1, 2, 3]\nresiduals r := b[0] + b[1]*t - [1, 3, 5, 8]\nvalue\nG = ggn(cost, b)\nJ = jacobian(r, b)\nd = norm(G - J'@J)\nminimize gauss-newton\ny = b + 0\nshow cost"
    )
    #expect(desk.errors.isEmpty)
    // r = (0, −1, −2, −4): half of 21.
    #expect(lines.first == "cost = 10.5" && lines.contains("cost := sum(r^2)/2"))
    #expect(desk.values("d") == [0])
    // Normal equations of a straight line.
    #expect(agree(desk.values("y"), [0.8, 2.3]))
  }

  @Test func residualsOfAnyShapeAndAgain() {
    let desk = Desk()
    desk.run(
      "param a = 0\nf := (a - 9)^2\nresiduals r := a*[1, 2; 3, 4] - [2, 4; 6, 8]\nminimize lm\nx = a + 0\nresiduals s := 2*a - 1\nminimize lm\ny = a + 0\nobjective f\nminimize newton\nz = a + 0"
    )
    #expect(desk.errors.isEmpty)
    #expect(agree(desk.values("x") + desk.values("y") + desk.values("z"), [2, 0.5, 9]))
  }

  /// A chain: the Gauss–Newton matrix is tridiagonal, and is factored as such.
  @Test(arguments: ["lm", "gauss-newton"]) func sparseLeastSquares(_ method: String) {
    let desk = Desk()
    desk.run(
      """
      n = 6000
      param w = zeros(n)
      residuals r := cat(w[0:1] - 1, w[1:] - 0.5*w[:-1] + 0.1*w[1:]^3 - 0.6)
      m = minimize \(method)
      e = max(abs(w - 1))
      """)
    #expect(desk.errors.isEmpty)
    #expect((desk.values("e").first ?? 1) < 1e-8 && (desk.values("m", "steps").first ?? 99) < 15)
  }

  /// Residuals of bounded params: rate and amplitude of a decay are positive.
  @Test func boundedLeastSquares() {
    let desk = Desk()
    desk.run(
      "data t = range(0, 9)\nparam a = 1 in 0..inf\nparam k = 0.1 in 0..0.5\nresiduals r := a*exp(-k*t) - 3*exp(-0.8*t)\nminimize lm\nq = sum(exp(-0.5*t)*3*exp(-0.8*t))/sum(exp(-t))\nd = a - q\ns = k + 0"
    )
    #expect(desk.errors.isEmpty && desk.values("s") == [0.5])
    // With k at its bound the amplitude is that of linear least squares.
    #expect(abs(desk.values("d").first ?? 1) < 1e-8)
  }

  @Test func namesInTheWayAndOutOfIt() {
    let desk = Desk()
    // A plain name is no declaration.
    desk.run("param x = 1\nresiduals := x - 2\nf := residuals^2\ny = f + 0")
    #expect(desk.errors.isEmpty && desk.values("y") == [1])
  }

  static let misuse = [
    Failure("param x = 3 in 0..1", "3 is outside the bounds of 'x', 0..1", at: "3", "other bounds"),
    Failure("param x = 0 in 0..1; x = -2", "-2 is outside the bounds of 'x', 0..1", at: "-2"),
    Failure("param x = 0 in 1..0", "a lower bound must be below the upper one", at: "1..0"),
    Failure("param x = 0 in 5", "bounds are written a..b", at: "5", "0..inf for what is positive"),
    Failure("param x = 0 in ..5", "a range has two ends here", at: ""),
    Failure(
      "param x = [0, 0] in [1, 2, 3]..inf", "a bound is a number, or has the param's shape 2",
      at: "[1, 2, 3]"),
    Failure("param a = 1; residuals r := 3*[1, 2]", "'r' depends on no param", at: "3*[1, 2]"),
    Failure("param a = 1; cost = 3; residuals r := a", "'cost' is the name of half the sum", at: "r"),
    Failure("param a = 1; residuals cost := a", "'cost' is the name of half the sum", at: "cost"),
    Failure("param a = 1; residuals r := q + a", "'q' is not bound", at: "q"),
  ]

  @Test(arguments: misuse) func misuseIsExplained(_ failure: Failure) { failure.check() }
}
