import Testing

@testable import Session

private let rosenbrock = "param x = [-1.2, 1]\nf := (1 - x[0])^2 + 100*(x[1] - x[0]^2)^2\n"

/// How `minimize` ends and what it shows on the way; `compare` from other points; norms of blocks.
@Suite struct RunEndTests {
  @Test func aShortStepEndsARun() {
    let desk = Desk()
    desk.run(rosenbrock + "m = minimize gd(lr=1e-4) xtol=1e-3 max 100000")
    #expect(desk.text("m", "reason") == "the step is shorter than xtol·(1 + ‖x‖)")
    let steps = desk.values("m", "steps")[0]
    // The step before was longer.
    desk.run("reset; repeat \(Int(steps) - 1) { step gd lr=1e-4; }\na = x + 0\nstep gd lr=1e-4\nb = x + 0")
    let (a, b) = (desk.values("a"), desk.values("b"))
    func size(_ v: [Double]) -> Double { v.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    #expect(size([b[0] - a[0], b[1] - a[1]]) <= 1e-3 * (1 + size(b)))
    #expect(steps > 1)
  }

  @Test func aSmallDecreaseEndsARun() {
    let desk = Desk()
    desk.run("param x = 1.0\nf := x^2 + 5\nm = minimize gd(lr=0.25) ftol=1e-3")
    // x halves in each step: Δf = ¾·4^-k, and 6·10⁻³ is passed by the fourth.
    #expect(desk.text("m", "reason") == "f changes by less than ftol·(1 + |f|)")
    #expect(desk.values("m", "steps") == [5])
  }

  @Test func timeEndsARun() {
    let desk = Desk()
    desk.run(rosenbrock + "m = minimize gd(lr=1e-5) time=0.05 max 100000000")
    #expect(desk.text("m", "reason") == "0.05 s have passed")
    #expect(desk.values("m", "steps")[0] > 0)
  }

  @Test(arguments: ["xtol=0", "ftol=-1", "time=0", "time=1/0", "xtol=0/0", "time=[1, 2]", "tabel=true"])
  func badEndsAreErrors(_ option: String) {
    let desk = Desk()
    desk.run(rosenbrock + "minimize newton \(option)")
    #expect(desk.errors.count == 1)
    #expect(desk.values("x").isEmpty)
  }

  /// What ends a run though it says nothing about where it stands.
  @Test(arguments: [
    ("minimize gd lr=0.1 until f", "warning: 'f' is 9, and any number but 0 ends the run"),
    ("train gd lr=0.1 until f", "any number but 0 ends the run; compare it, as in until f < 0.1"),
    ("minimize gd lr=0.1 until grad < 1e-6", "warning: grad is negative here, and so less than any bound"),
  ])
  func conditionsThatAreNone(_ command: String, _ warning: String) {
    let lab = Conversation()
    lab.say("param x = -3; f := x^2")
    #expect(lab.say(command).contains(warning))
    #expect(!lab.say("x = -3; minimize gd lr=0.1 until f < 1").contains("warning"))
    #expect(
      !lab.say("x = -3; near := norm(grad(f, x)) < 2; minimize f gd lr=0.1 until near").contains("warning"))
  }

  @Test func aTableHasALineForEveryStep() {
    let desk = Desk()
    desk.run(rosenbrock)
    let lines = desk.printed("minimize newton table=true max 3")
    #expect(lines.count == 7)
    #expect(lines[0].split(separator: " ").map(String.init) == ["step", "f", "‖∇f‖", "‖Δx‖", "Δf/model"])
    #expect(
      lines[2].split(separator: " ").prefix(4).map(String.init) == ["1", "4.73188", "4.63943", "0.381476"])
  }

  @Test func typedStepsGoOnWithTheirMemory() {
    let (typed, looped) = (Desk(), Desk())
    typed.run(rosenbrock + "step adam lr=0.1\nstep adam lr=0.1\nstep adam lr=0.1\ny = x + 0")
    looped.run(rosenbrock + "repeat 3 { step adam lr=0.1; }\ny = x + 0")
    #expect(typed.values("y") == looped.values("y"))
  }

  @Test func comparisonsBeginWhereTheyAreTold() {
    let desk = Desk()
    desk.run(rosenbrock + "x = [3, 3]\nc = compare newton, gd(lr=1e-3) from=[-1.2, 1] steps=1\ny = x + 0")
    #expect(agree(desk.values("c", "newton").prefix(2).map { $0 }, [24.2, 4.7318843], 1e-7))
    #expect(desk.values("y") == [3, 3])
    desk.run("compare newton from=[1, 2, 3]")
    #expect(desk.errors.last?.contains("a point has 2 numbers here, not 3") == true)
    desk.run("param w = 1\ng := sum(x^2) + w^2\nobjective g")
    // The message comes before anything runs.
    #expect(desk.printed("compare newton plot=\"paths\"").isEmpty)
    #expect(desk.errors.last?.contains("where there are two numbers") == true)
  }

  @Test func pathsAreDrawnOverTwoNumbers() {
    let desk = Desk()
    desk.run(rosenbrock)
    let lines = desk.printed("compare newton, gd(lr=1e-3) steps=5 plot=\"paths\"")
    #expect(lines.contains { $0.contains("x[0]") } && lines.last?.contains("gd(lr=1e-3)") == true)
  }

  /// f = ½·aᵀMb by hand: blocks of the Hessian are zero on the diagonal and M beside it.
  @Test func normsOfBlocks() {
    let desk = Desk()
    desk.run(
      """
      M = [1, 2; 3, 4; 5, 6]
      param a = [1, 2, 3]
      param b = [1, 1]
      f := dot(a, M@b) + 3*sum(b^2)
      n = hessian blocks=true
      m = hessian blocks=true wrt b
      """)
    let expected = [0, 91.0.squareRoot(), 91.0.squareRoot(), 6 * 2.0.squareRoot()]
    #expect(agree(desk.values("n"), expected, 1e-12))
    #expect(agree(desk.values("m"), [expected[3]], 1e-12))
    desk.run("hessian blocks=true wrt a[0]")
    #expect(desk.errors.count == 1)
    let large = desk.printed("param c = 1\nparam d = 1\ng := 0.5e154*(c^2 + d^2)\nhessian blocks=true g")
    #expect(large.last == "the whole: 1.41421e154, exact; 100 % of its square lies in the diagonal blocks")
  }

  /// Squares of entries, or of these in f32, overflow or vanish; zeros, infinities and nan stay what they are.
  @Test(arguments: [
    ("f64", 1e200), ("f64", 1e-200), ("f64", .leastNormalMagnitude / 1000), ("f32", 1e30), ("f32", 1e-30),
  ])
  func normsOfAnySize(_ precision: String, _ size: Double) {
    let desk = Desk()
    desk.run(
      """
      set precision \(precision)
      param a = [1, 2]
      param b = 1
      f := \(size)*(1.5*a[0]^2 + 2*a[1]^2 + 12*a[0]*b)
      n = hessian blocks=true
      m = norm f
      """)
    // Of a: 3 and 4; between them 12.
    #expect(desk.errors.isEmpty, "\(desk.errors)")
    let tolerance = precision == "f64" ? 1e-12 : 1e-6
    let whole = Double(313).squareRoot()
    let (blocks, all) = (desk.values("n").map { $0 / size }, desk.values("m").map { $0 / size })
    #expect(agree(blocks, [5, 12, 12, 0], tolerance) && agree(all, [whole], tolerance), "\(blocks) \(all)")
  }

  @Test func normsThatAreNotFinite() {
    let desk = Desk()
    desk.run(
      """
      param a = 1
      c = 1/0
      d = 0*c
      n = hessian blocks=true c*a^2
      m = hessian blocks=true d*a^2
      k = hessian blocks=true 0*a
      """)
    #expect(desk.values("n") == [.infinity] && desk.values("k") == [0])
    #expect(desk.values("m").first?.isNaN == true)
  }
}
