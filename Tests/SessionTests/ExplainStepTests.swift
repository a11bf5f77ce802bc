import Testing

@testable import Session

/// `explain step` against closed forms.
@Suite struct ExplainStepTests {
  /// 9x² + 2y² from (1, 1): curvatures 18 and 4, gradient (18, 4), and the model is the function.
  private static let bowl = "param x = [1, 1]\nf := 9*x[0]^2 + 2*x[1]^2\n"

  @Test func gradientDescentOnAQuadratic() {
    let desk = Desk()
    desk.run(Self.bowl + "e = explain step gd lr=0.1")
    #expect(desk.errors.isEmpty)
    #expect(agree(desk.values("e", "eigenvalues"), [18, 4]))
    #expect(agree(desk.values("e", "gradient"), [18, 4]))
    #expect(agree(desk.values("e", "step"), [-1.8, -0.4]))
    // f = 9·0.8² + 2·0.6² after the step.
    #expect(agree(desk.values("e", "value"), [6.48]))
    #expect(agree(desk.values("e", "predicted"), [11 - 6.48]) && agree(desk.values("e", "ratio"), [1]))
    #expect(agree(desk.values("e", "rate"), [0.1]) && agree(desk.values("e", "limit"), [2.0 / 18]))
    #expect(agree(desk.values("e", "length"), [(1.8 * 1.8 + 0.4 * 0.4).squareRoot()]))
  }

  @Test(arguments: ["newton", "damped-newton", "trust radius=9", "gauss-newton", "saddle-free"])
  func newtonsStepsReachTheMinimum(_ method: String) {
    let desk = Desk()
    desk.run(Self.bowl + "e = explain step \(method)")
    #expect(agree(desk.values("e", "step"), [-1, -1]) && agree(desk.values("e", "actual"), [11]))
  }

  /// x² − y² + y⁴ from (1, 0): H = diag(2, −2), g = (2, 0), within radius 2 the step (−½, ±√15/2) with shift 2.
  @Test func theHardCase() {
    let desk = Desk()
    let lines = desk.printed(
      "param p = [1, 0]\nf := p[0]^2 - p[1]^2 + p[1]^4\ne = explain step trust radius=1\nexplain step trust radius=1"
    )
    // f at (½, ±√¾): ¼ − ¾ + 9/16; the first trial is kept.
    #expect(agree(desk.values("e", "shift"), [2]) && agree(desk.values("e", "length"), [1]))
    #expect(agree(desk.values("e", "actual"), [1 - 1.0 / 16]))
    #expect(agree(desk.values("e", "predicted"), [1.5]))
    let out = abs(desk.values("e", "step").last ?? 0)
    #expect(abs(out * out - 0.75) < 1e-12)
    #expect(
      lines.contains { $0.hasPrefix("shift") && $0.contains("2   lifts the least eigenvalue from -2 to 0") })
  }

  @Test func aStepTooLongIsCalledSo() {
    let desk = Desk()
    let lines = desk.printed(Self.bowl + "explain step gd lr=0.12")
    #expect(
      lines.contains {
        $0.hasPrefix("2/λmax") && $0.hasSuffix("lr is above: it diverges along 1 eigenvector")
      })
    #expect(lines.allSatisfy { $0.count <= 80 })
  }

  @Test func nothingMoves() {
    let desk = Desk()
    desk.run(Self.bowl + "step gd lr=0.01\ny = x + 0\nexplain step adam\nexplain step trust\nd = norm(x - y)")
    #expect(desk.errors.isEmpty && desk.values("d") == [0])
    // What is undone is the step, not the explanations or what is assigned.
    #expect(desk.session.interpreter.undoableSteps == 1)
    #expect(desk.session.interpreter.state.path.count == 2)
  }

  /// (x₀ + x₁)²: H = [2, 2; 2, 2] has no inverse, and the gradient (6, 6) lies along its only slope.
  @Test(arguments: ["newton", "damped-newton"]) func refusalsAreExplained(_ method: String) {
    let desk = Desk()
    let lines = desk.printed(
      "param x = [1, 2]\nf := sum(x)^2\ne = explain step \(method)\nexplain step \(method)")
    #expect(desk.errors.isEmpty, "\(desk.errors)")
    #expect(agree(desk.values("e", "eigenvalues"), [4, 0]))
    #expect(agree(desk.values("e", "gradient"), [6 * 2.0.squareRoot(), 0]))
    #expect(desk.text("e", "refusal") == "the Hessian is singular, so there is no Newton step")
    let text = lines.joined(separator: "\n")
    #expect(
      text.contains("∇²f            2×2, dense\nsigns          positive semidefinite (rank 1 of 2"), "\(text)"
    )
    #expect(
      text.contains("singular to working precision\nnote: step \(method) refuses: the Hessian is singular"))
    #expect(lines.last?.hasPrefix("hint: ") == true && lines.allSatisfy { $0.count <= 90 }, "\(text)")
    // The words are the method's own.
    desk.run("step \(method)")
    let hint = lines.last?.dropFirst("hint: ".count) ?? "?"
    #expect(desk.errors.count == 1 && desk.errors[0].contains(hint), "\(desk.errors)")
    // What it says there is instead does step.
    desk.run("explain step modified-newton\nexplain step trust")
    #expect(desk.errors.count == 1)
  }

  /// Without any curvature what is offered is what steps.
  @Test(arguments: ["param x = 1\nf := x", "param x = [1, 2, 3]\nf := sum(x)"])
  func withoutCurvature(_ setup: String) {
    let desk = Desk()
    desk.run("\(setup)\nstep newton")
    #expect(desk.errors.count == 1 && desk.errors[0].contains("it is zero here: take a step gd or trust"))
    desk.run("step gd\nstep trust")
    #expect(desk.errors.count == 1, "\(desk.errors)")
  }

  /// Along the eigenvector without curvature there is no Newton step to tell.
  @Test func aDiagonalHessianWithAZero() {
    let desk = Desk()
    let lines = desk.printed("param x = [1, 2, 3]\nf := x[0]^2 - 4*x[1]^2 + x[2]\nexplain step newton")
    #expect(lines.contains { $0.split(separator: " ").prefix(3) == ["0", "1", "-"] }, "\(lines)")
    #expect(lines.contains { $0.hasPrefix("∇²f") && $0.contains("3×3") }, "\(lines)")
    #expect(
      lines.contains { $0.hasPrefix("signs") && $0.contains("1 positive, 1 negative, 1 zero") }, "\(lines)")
  }

  /// Thirty params: the middle of the table is one row, and decreases still add up.
  @Test func largeTablesAreCut() {
    let desk = Desk()
    let lines = desk.printed(
      "param w = range(1, 31)\nf := sum(range(1, 31)*w^2)/2\nexplain step gd lr=0.01\ne = ans")
    #expect(lines.contains { $0.contains("20 more") } && lines.count < 22)
    #expect(lines.allSatisfy { $0.count <= 80 })
    #expect(agree(desk.values("e", "eigenvalues"), (1...30).reversed().map(Double.init)))
    #expect(agree(desk.values("e", "predicted"), desk.values("e", "actual")))
  }

  /// A bound name is a formula, as everywhere.
  @Test func aBoundNameIsAFormula() {
    let desk = Desk()
    desk.run("param x = 1\nstep := x^2\nexplain step")
    #expect(desk.errors.isEmpty && desk.lines.first?.hasPrefix("plan of step") == true)
  }

  static let misuse = [
    Failure("param x = 1; f := x^2; explain step", "'step' needs a method", at: "step"),
    Failure(
      "param x = 1; f := x^2; explain step newtn", "there is no method 'newtn'", at: "newtn",
      "did you mean 'newton'?"),
    Failure(
      "param x = 1; f := x^2; explain step newton memory=2", "'newton' has no option 'memory'",
      at: "memory=2"),
    Failure(
      "param x = 0; f := log(x); explain step gd", "f is -inf here", at: "step gd"),
    Failure(
      "param x = zeros(2500); f := sum(x^4); explain step gd",
      "a step of 2500 params is not shown in the eigenbasis, the limit is 2000", at: "step gd"),
  ]

  @Test(arguments: misuse) func misuseIsExplained(_ failure: Failure) { failure.check() }
}
