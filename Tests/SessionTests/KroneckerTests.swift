import Testing

@testable import Session

/// K-FAC against Gauss–Newton matrices, where they are equal and where they differ by their definitions.
@Suite struct KroneckerTests {
  private static let inputs = "data A = reshape(sin(range(0, 40)^2), 10, 4)\n"

  private func value(_ text: String) -> Desk {
    let desk = Desk()
    desk.run(text)
    #expect(desk.errors.isEmpty, "\(desk.errors)")
    return desk
  }

  /// K-FAC is the Gauss–Newton block: of a linear layer with a squared loss, and of one sample; whatever the order of the
  /// axes, with a bias or without, with shared weights, and with penalties.
  @Test(arguments: [
    "param W = zeros(4, 2); param c = [0.3, 1]; f := mean((A@W + c - B)^2)",
    "param c = [0.3, 1]; param W = zeros(4, 2); f := mean((A@W + c - B)^2)",
    "param W = ones(2, 4); param c = [0.3, 1]; f := sum((A@W' - c - B)^2)",
    "param w = ones(4); param c = 0; f := sum((A@w + c - 1)^2)",
    "param w = ones(4); f := 3*mse(A@w, B[:, 0]) + 0.1*sum(w^2)",
    "param W = ones(4, 2); param c = [0, 1]; f := mse(A@W + c, B) + 0.1*sum(W^2) + 0.2*sum(c^2)",
    "param w = 2.0; f := mse(w*A[:, 0], B[:, 0])",
    "param w = [2.0, 1]; f := mse(outer(A[:, 0], w), B)",
    "param T = ones(2, 2, 3); f := sum((einsum(\"nij,ijk->nk\", reshape(A, 10, 2, 2), T) - 1)^2)",
    "param V = ones(2, 3); f := sum((einsum(\"nij,jk->nik\", reshape(A, 10, 2, 2), V) - 1)^2)",
    "param E = ones(5, 2); data i = [0, 2, 2, 4, 1]; f := sum((E[i, :] - B[0:5])^2)",
  ]) func exactForSquaredLossesOfLinearLayers(_ formula: String) {
    let desk = value(
      Self.inputs
        + "data B = reshape(cos(range(0, 20)), 10, 2)\n\(formula)\nd = max(abs(kfac(f) - ggn(f)))\nk = kfac\nn = max(abs(kfac(f)))"
    )
    #expect((desk.values("d").first ?? 1) < 1e-14 * (1 + (desk.values("n").first ?? 0)))
    // What is found is a layer, not an exact block.
    #expect(!desk.printed("kfac").joined().contains("exact block"))
  }

  /// Blocks on the diagonal of a deep network with one sample.
  @Test func exactForOneSample() {
    let desk = value(
      """
      data x = [0.3, -1, 2]
      param W1 = reshape(cos(range(0, 12)), 3, 4); param b1 = [0.1, -0.2, 0.3, 0]
      param W2 = reshape(sin(range(0, 12)), 4, 3); param b2 = zeros(3)
      z := tanh(x@W1 + b1)@W2 + b2
      f := logsumexp(z) - z[1]
      K = kfac(f); G = ggn(f)
      a = max(abs(K.W1.W1 - G.W1.W1)) + max(abs(K.W1.b1 - G.W1.b1)) + max(abs(K.b1.b1 - G.b1.b1))
      b = max(abs(K.W2.W2 - G.W2.W2)) + max(abs(K.b2.W2 - G.b2.W2)) + max(abs(K.W2.W1))
      """)
    #expect((desk.values("a") + desk.values("b")).allSatisfy { $0 < 1e-14 })
  }

  /// A and S by their definitions: means over the samples, one at a time.
  @Test func factorsAreMeansOverSamples() {
    let desk = value(
      Self.inputs + """
        data y = range(0, 10) % 3
        param W = reshape(cos(range(0, 12)), 4, 3); param b = [0.1, -0.2, 0.3]
        param V = reshape(sin(range(0, 9)), 3, 3)
        f := crossentropy(tanh(A@W + b)@V, y) + 0.05*sum(W^2)
        k = kfac
        M = zeros(5, 5); S = zeros(3, 3)
        for n in 0..10 {
          a = cat(A[n], [1]); M = M + outer(a, a)/10
          t = tanh(A[n]@W + b); p = softmax(t@V)
          J = V'*reshape(1 - t^2, 1, 3)
          S = S + J'@(diag(p) - outer(p, p))@J/10
        }
        d = max(abs(k.W.A - M)); e = max(abs(k.W.S - S)); r = k.W.ridge
        """)
    #expect(desk.values("d").allSatisfy { $0 < 1e-14 } && desk.values("e").allSatisfy { $0 < 1e-14 })
    #expect(agree(desk.values("r"), [0.1]))
  }

  /// Damped factors by the formulas of section 6.3, with tr A/4 = 1.25 and tr S = 2.
  @Test func dampingIsShared() {
    let desk = value(
      "data X = [1, 0; 2, 0]\nparam w = [1, 1]\nf := mse(X@w, [0, 0])\nk = kfac damping=0.04\na = k.w.A; s = k.w.S"
    )
    // A = diag(2.5, 0), S = 2: π² = 1.25/2, γ = 0.2.
    let balance = 0.625.squareRoot()
    #expect(agree(desk.values("a"), [2.5 + 0.2 * balance, 0, 0, 0.2 * balance]))
    #expect(agree(desk.values("s"), [2 + 0.2 / balance]))
  }

  // MARK: The method

  /// With the exact block a step is Gauss–Newton's, but for the damping.
  @Test func aStepOnLeastSquaresGoesToTheMinimum() {
    let desk = value(
      Self.inputs
        + "data B = reshape(cos(range(0, 20)), 10, 2)\nparam W = zeros(4, 2); param c = zeros(2)\nf := mean((A@W + c - B)^2)\nstep kfac damping=1e-14\ng = norm(grad(f))\nx = cat(flatten(W), c)\nreset\nstep gauss-newton\ny = cat(flatten(W), c)"
    )
    #expect((desk.values("g").first ?? 1) < 1e-6 && agree(desk.values("x"), desk.values("y"), 1e-5))
  }

  /// lr·(F̆ + λI)⁻¹∇f with the factors damped apart, for one output: S is a number.
  @Test func aFixedStepIsTheDampedInverse() {
    let desk = value(
      Self.inputs + """
        param w = [1, 2, 3, 4.]
        f := mse(tanh(A@w), A[:, 0])
        k = kfac damping=0.1
        d = w - 0.5*solve(k.w.A*k.w.S[0, 0], grad(f, w))
        step kfac lr=0.5 damping=0.1
        e = max(abs(w - d))
        """)
    #expect((desk.values("e").first ?? 1) < 1e-13)
  }

  @Test func minimizesANetwork() {
    let desk = value(
      """
      data X = reshape(sin(range(0, 24)), 8, 3)
      data y = range(0, 8) % 3
      param W1 = reshape(cos(range(0, 12)), 3, 4); param b1 = zeros(4)
      param W2 = reshape(sin(range(0, 12)*2), 4, 3); param b2 = zeros(3)
      f := crossentropy(tanh(X@W1 + b1)@W2 + b2, y) + 0.01*(sum(W1^2) + sum(W2^2))
      m = minimize kfac until norm(grad) < 1e-5 max 80
      c = compare kfac, kfac(momentum=false), kfac(lr=0.5, damping=0.01) steps=3
      """)
    #expect((desk.values("m", "gradient_norm").first ?? 1) < 1e-5)
    #expect((desk.values("m", "steps").first ?? 99) < 60)
  }

  /// The memory of a run: steps typed one by one are those of `minimize`.
  @Test(arguments: ["", " decay=0.5 lr=0.3"]) func stepsFollowOneAnother(_ options: String) {
    let start = "param x = [-1.2, 1]\nf := (1 - x[0])^2 + 100*(x[1] - x[0]^2)^2\n"
    let typed = value(start + "step kfac\(options)\nstep kfac\(options)\nstep kfac\(options)\ny = x + 0")
    let whole = value(start + "minimize kfac\(options) max 3\ny = x + 0")
    #expect(typed.values("y") == whole.values("y") && typed.values("y").allSatisfy(\.isFinite))
  }

  @Test func staysWithinBounds() {
    let desk = value(
      "param w = [1, 2] in 0..2; data X = [1, 2; 3, 4; 5, 6.1]\nf := sum((X@w - [2, 3, 1])^2)\nm = minimize kfac\ny = w + 0\nreset\nminimize lm\nz = w + 0"
    )
    #expect(desk.text("m", "reason") == "projected ‖∇f‖ < 1e-8" && desk.values("y").contains(0))
    #expect(agree(desk.values("y"), desk.values("z"), 1e-7))
  }

  /// Batches: running means of the factors, and params of the model in single precision.
  @Test func trainsOnBatches() {
    let desk = value(
      """
      set precision f32
      seed 3
      data X = randn(64, 3)
      data Y = X@[1; 2; 3]
      param W = zeros(3, 1); param b = zeros(1)
      (xb, yb) ~ batch(X, Y, 16)
      f := mse(xb@W + b, yb)
      train kfac lr=0.7 decay=0.9 damping=1e-3 epochs=3
      e = max(abs(W - [1; 2; 3]))
      """)
    #expect((desk.values("e").first ?? 9) < 0.01)
  }

  static let misuse = [
    Failure(
      "param x = [1, 2]; f := sum(sin(x)); kfac", "it is not clear where this formula splits", at: "kfac"),
    Failure(
      "param w = ones(1001); f := sum(sin(w)^2); step kfac",
      "'w' is no weight of a dense layer, and with 1001 entries too large for its exact block",
      at: "step kfac",
      "a dense weight enters the model"),
    Failure(
      "data X = zeros(0, 2); param w = [1, 2]; f := sum((X@w)^2); kfac",
      "there are no samples, so K-FAC has no factors", at: "kfac"),
    Failure("param w = [1, 2]; f := sum(w^2); kfac wrt w[0]", "kfac takes whole params", at: "kfac wrt w[0]"),
    Failure("param w = [1, 2]; f := sum(w^2); kfac damping=0", "'damping' must be positive", at: "0"),
    Failure(
      "param w = [1, 2]; f := sum(w^2); step kfac momentum=0.9", "'momentum' of kfac is true or false",
      at: "0.9", "momentum=false"),
    Failure(
      "param w = [1, 2]; f := sum(w^2); kfac [1, 2; 3, 4]", "'kfac' needs a scalar formula",
      at: "[1, 2; 3, 4]"),
    Failure(
      "param w = [0, 1]; f := mse(1/w, [1, 1]); kfac", "the factors of w are not finite", at: "kfac"),
    Failure(
      "param w = [1, 2]; f := sum(w^2); k := kfac(f, w, 3); print k", "kfac takes (f, wrt, at)", at: "3"),
  ]

  @Test(arguments: misuse) func misuseIsExplained(_ failure: Failure) { failure.check() }
}
