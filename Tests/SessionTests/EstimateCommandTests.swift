import Testing

@testable import Session

@Suite struct EstimateCommandTests {
  /// vᵀAv over random signs has mean tr A = 6 and variance 2·Σᵢ≠ⱼ Aᵢⱼ² = 20 (Hutchinson 1990).
  private static let trace = """
    A = [1, 2, 0; 2, 2, -1; 0, -1, 3]
    param x = [1.0, 2.0, 3.0]
    f := 0.5*dot(x, A@x)
    v ~ rademacher(3)
    t := dot(v, hvp(f, x, v))

    """

  /// Seeds of 200 whose interval holds the truth.
  private func hits(_ setting: String, _ formula: String, draws: Int, _ truth: Double) -> Int {
    let desk = Desk()
    desk.run(
      setting + "\nhits = 0\nfor s in 0..200 {\n  r = estimate \(formula) draws=\(draws) seed=s\n"
        + "  hits = hits + (r.low <= \(truth) and r.high >= \(truth))\n}")
    #expect(desk.errors.allSatisfy { $0.hasPrefix("warning") }, "\(desk.errors)")
    return Int(desk.values("hits").first ?? -1)
  }

  @Test func intervalsCoverTheTruth() {
    let traces = hits(Self.trace, "t", draws: 20, 6)
    #expect((180...198).contains(traces), "\(traces) of 200")
    // Batches: the mean over draws is that of all samples, (0 + … + 9)²/10.
    let batches = hits(
      "data X = range(10)\nparam w = 1.0\nxb ~ batch(X, 3)", "mean((w*xb)^2)", draws: 20, 28.5)
    #expect((180...198).contains(batches), "\(batches) of 200")
    // Draws in the formula itself: the variance of a uniform number.
    let own = hits("", "(rand(4)[0] - 0.5)^2", draws: 40, 1.0 / 12)
    #expect((180...198).contains(own), "\(own) of 200")
  }

  /// The mean, and the deviation over √n, of the same draws by hand.
  @Test func figuresAreThoseOfItsSamples() {
    let desk = Desk()
    desk.run(
      Self.trace + """
        r = estimate t draws=25 seed=4
        s = r.samples
        m = mean(s)
        error = std(s, ddof=1)/5
        q = [r.draws, r.seed]
        half = (r.high - r.low)/2/r.error
        seed 4
        by_hand = zeros(25)
        for k in 0..25 { draw; by_hand[k] = t }
        """)
    #expect(desk.errors.isEmpty, "\(desk.errors)")
    #expect(agree(desk.values("r", "value"), desk.values("m"), 1e-14))
    #expect(agree(desk.values("r", "error"), desk.values("error"), 1e-13))
    #expect(desk.values("s") == desk.values("by_hand") && Set(desk.values("s")).count > 1)
    #expect(desk.values("q") == [25, 4])
    // Student's t with 24 degrees of freedom.
    #expect(agree(desk.values("half"), [2.0638986], 1e-6))
  }

  /// Of each entry: the mean gradient over batches, and the spread of the batches' gradients.
  @Test func tensorsAndBundlesEntryByEntry() {
    let desk = Desk()
    desk.run(
      """
      data X = range(8)/8
      data y = 3*X
      param w = 0.5
      param b = [0.25, 0.5]
      (xb, yb) ~ batch(X, y, 3)
      f := mean((w*xb + sum(b) - yb)^2)
      g = grad(f, params)
      r = estimate grad(f, params) draws=200 seed=2
      one = estimate grad(f, params).w draws=200 seed=2
      exact = grad(f, params)(xb = X, yb = y)
      away = abs(r.value - exact)/r.error
      still = g - grad(f, params)
      """)
    #expect(desk.errors.isEmpty, "\(desk.errors)")
    #expect(desk.values("away").count == 3 && desk.values("away").allSatisfy { $0 < 4 })
    #expect(agree(desk.values("one", "value"), [desk.values("r", "value")[0]], 1e-14))
    #expect(agree(desk.values("one", "error"), [desk.values("r", "error")[0]], 1e-14))
    #expect(desk.values("still") == [0, 0, 0])
  }

  /// Params, draws on show, the order of batches and what is drawn later are as without it.
  @Test func theSessionStays() {
    let setting = Self.trace + "data X = range(9)\nb ~ batch(X, 4)\ng := t + sum(b)*x[0]\n"
    let (with, without) = (Desk(), Desk())
    with.run(setting + "estimate g draws=60 seed=9")
    without.run(setting)
    let rest = "p = cat(v, b, x)\ndraw\ndraw\nq = cat(v, b, rand(2))"
    with.run(rest)
    without.run(rest)
    #expect(with.errors.isEmpty, "\(with.errors)")
    #expect(with.values("p").count == 10 && with.values("q").count >= 6)
    #expect(with.values("p") == without.values("p") && with.values("q") == without.values("q"))
    // Without a seed it takes one from the session's generator, and tells it.
    let said = without.printed("estimate t draws=5").joined()
    let seed = said.split(separator: " ").last.map(String.init) ?? ""
    #expect(without.printed("estimate t draws=5 seed=\(seed)").joined() == said)
    #expect(without.printed("estimate t draws=5").joined() != said)
  }

  @Test func whatItPrints() {
    let desk = Desk()
    #expect(
      desk.printed(Self.trace + "estimate 3 + 0*v[0] draws=10 seed=1")
        == ["3 + 0*v[0] = 3 ± 0            all 10 draws of seed 1 are equal"])
    let shown = desk.printed("estimate t draws=100 seed=1").joined(separator: " ")
    #expect(shown.hasPrefix("t = ") && shown.contains("standard error 0.4") && shown.contains("95 % in ["))
    #expect(shown.hasSuffix("100 draws, seed 1"))
    #expect(desk.errors.isEmpty)
    // One draw in thirty is 1: nobody should believe the interval of so few.
    desk.run("estimate rand(2)[0] < 0.03 draws=50 seed=3")
    #expect(desk.errors.count == 1 && desk.errors[0].hasPrefix("warning: the draws are skewed"))
  }

  @Test(arguments: [
    "estimate f", "estimate", "estimate t draws=1", "estimate t draws=0.5", "estimate t seed=-1",
    "estimate q",
    "estimate \"v\"", "estimate t, t", "estimate log(v[0])", "estimate t drawz=3", "estimate (t, t)",
    "estimate 1/(v[0] - 1)",
  ]) func badEstimatesAreErrors(_ command: String) {
    let desk = Desk()
    desk.run(Self.trace)
    desk.run("before = cat(v, x)")
    desk.run(command)
    #expect(desk.errors.count == 1, "\(command): \(desk.errors)")
    desk.run("after = cat(v, x)")
    #expect(desk.values("after") == desk.values("before") && desk.values("after").count == 6)
  }
}
