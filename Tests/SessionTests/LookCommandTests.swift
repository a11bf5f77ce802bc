import Testing

@testable import Session
@testable import Syntax
@testable import Tensors

/// A session whose results are kept.
final class Desk {
  private(set) var lines: [String] = []
  private(set) var errors: [String] = []
  private(set) lazy var session = Session(
    options: SessionOptions(color: false, unicode: true, width: 80, isInteractive: isInteractive)
  ) { [unowned self] in
    switch $0 {
    case .text(let text):
      lines += text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    case .diagnostic(let text): errors.append(text)
    case .progress: break
    }
  }
  private let isInteractive: Bool

  init(isInteractive: Bool = false) { self.isInteractive = isInteractive }

  @discardableResult
  func run(_ text: String) -> RunOutcome { session.run(text, name: "<test>") }

  /// What one more text prints.
  func printed(_ text: String) -> [String] {
    let before = lines.count
    run(text)
    return Array(lines[before...])
  }

  /// Entries of a name or of one of its fields.
  func values(_ name: String, _ field: String? = nil) -> [Double] {
    guard case .variable(let v)? = session.interpreter.lookup(name) else { return [] }
    let value = field.flatMap { v.value[field: $0] } ?? v.value
    return value.tensors.flatMap(\.doubles)
  }

  func text(_ name: String, _ field: String) -> String {
    if case .variable(let v)? = session.interpreter.lookup(name), case .string(let s)? = v.value[field: field]
    {
      return s
    }
    return ""
  }
}

/// Equal to ten digits.
func agree(_ a: [Double], _ b: [Double], _ tolerance: Double = 1e-10) -> Bool {
  a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
}

private let rosenbrock = "param x = [-1.2, 1]\nf := (1 - x[0])^2 + 100*(x[1] - x[0]^2)^2\n"
private let himmelblau = "param x = [3, 2]\nf := (x[0]^2 + x[1] - 11)^2 + (x[0] + x[1]^2 - 7)^2\n"

@Suite struct LookTextTests {
  @Test func sampleSession() {
    let desk = Desk(isInteractive: true)
    let shown = desk.printed(rosenbrock + "grad\nhessian\neig")
    #expect(
      shown == [
        "x : param 2 = [-1.2, 1]",
        "f : scalar = 24.2             objective",
        "∇f = [-215.6, -88]            ‖∇f‖ = 232.868",
        "∇²f =   1330   480",
        "         480   200            symmetric, positive definite",
        "λ = 1506.37, 23.6330          condition 63.7   all positive: f is locally convex",
        "                              exact: within rounding, 6.69e-13",
      ])
    #expect(desk.errors.isEmpty)
  }

  @Test func blocksHaveNames() {
    let desk = Desk()
    let shown = desk.printed("param x = [1, 2]; param y = 3; f := sum(x^2)*y; hessian; grad")
    #expect(
      shown == [
        "∇²f =       x       y",
        "        x   6   0   2",
        "            0   6   4",
        "        y   2   4   0         symmetric, indefinite (2 positive, 1 negative)",
        "∇f.x = [6, 12]                ‖·‖ = 13.4164",
        "∇f.y = 5                      ‖·‖ = 5",
        "‖∇f‖ = 14.3178",
      ])
  }

  @Test func partsOfTheSpectrum() {
    let desk = Desk()
    let shown = desk.printed(
      "A = [2, -1; -1, 2]; eig A; eig A top 1; eig A near 1.2; trace A; norm A; norm [3, 4]")
    #expect(shown[0] == "λ = 3, 1                      condition 3   all positive: positive definite")
    // 2·ε·√10, and what rounding may do to a sum of two numbers, and to roots of four and two squares.
    #expect(shown[1] == "                              exact: within rounding, 1.4e-15")
    #expect(shown[2] == "λ = 3   of 2")
    #expect(shown[3].hasPrefix("‖Av − λv‖ = ") && shown[3].hasSuffix("exact: within rounding, 1.4e-15"))
    #expect(shown[4] == "λ = 1   of 2")
    #expect(
      shown[6...] == [
        "tr A = 4                      exact: within rounding, 1.78e-15",
        "‖A‖ = 3.16228                 exact: within rounding, 2.11e-15",
        "‖[3, 4]‖ = 5                  exact: within rounding, 2.22e-15",
      ])
  }

  @Test func zerosAreCountedWithATolerance() {
    let shown = Desk().printed("param x = [1, 1]; f := (x[0] + x[1])^2; hessian")
    #expect(shown[2] == "symmetric, positive semidefinite (rank 1 of 2, tolerance 1.8e-14)")
  }

  @Test func formulas() {
    let desk = Desk()
    #expect(
      desk.printed(rosenbrock + "derive hessian wrt x") == [
        "∂²f/∂x[0]∂x[0] = 2 + 1200·x[0]² − 400·x[1]", "∂²f/∂x[1]∂x[0] = −400·x[0]", "∂²f/∂x[1]∂x[1] = 200",
      ])
    #expect(desk.printed("derive hessian ascii=true").last == "d^2f/dx[1]dx[1] = 200")
    #expect(
      Desk().printed(
        "data X = ones(4, 3); data y = ones(4); param w = zeros(3); z := X@w; f := mean(softplus(z) - y*z); derive hessian wrt w"
      ) == ["∇²f = 1/4 · Xᵀ·diag(σ(z)⊙σ(−z))·X", "  where z = X·w"])
  }

  @Test func names() {
    let desk = Desk()
    desk.run(himmelblau + "g(a) := a^2\ndata d = ones(3, 4)\nc = 2\ny := c*x")
    #expect(
      desk.printed("vars") == [
        "x   param       2        [3, 2]",
        "d   data        3×4      from 1 to 1, mean 1",
        "c   variable    scalar   2",
        "f   objective   scalar   0   := (x[0]^2 + x[1] - 11)^2 + (x[0] + x[1]^2 - 7)^2",
        "y   formula     2        := c*x",
        "g   function             g(a) := a^2",
      ])
    #expect(
      desk.printed("show y") == ["y := c*x", "shape 2", "value = [6, 4]", "depends on param x; variable c"])
    desk.run("x = [1, 1]")
    #expect(desk.printed("show x") == ["param x = [3, 2]", "shape 2", "value = [1, 1]", "declared = [3, 2]"])
  }

  @Test func explanation() {
    let shown = Desk().printed(rosenbrock + "explain hessian")
    #expect(shown.contains("block x.x           2×2"))
    #expect(shown.contains("largest buffer      4 entries, 32 bytes"))
    let drawn = Desk()
    drawn.run(rosenbrock + "d = graph dot=true; n = graph")
    #expect(drawn.values("n") == [12])
    #expect(drawn.printed("d").first == "digraph {")
  }

  @Test func watchedFormulas() {
    let desk = Desk()
    desk.run("param x = [1, 2]; f := sum(x^2)")
    #expect(desk.printed("watch f, 2*f") == ["f = 5", "2*f = 10"])
    #expect(desk.printed("step gd lr=0.5").suffix(2) == ["f = 0", "2*f = 0"])
    #expect(desk.printed("watch off; watch") == ["nothing is watched"])
  }
}

@Suite struct LookValueTests {
  static let published: [(point: String, formula: String, expected: [Double])] = [
    // Closed forms and published values: see the sources named in the project's list of references.
    ("x = [1, 1]", "f := (1 - x[0])^2 + 100*(x[1] - x[0]^2)^2", [1001.6006392325, 0.39936076748763]),
    (
      "x = [3, 2]", "f := (x[0]^2 + x[1] - 11)^2 + (x[0] + x[1]^2 - 7)^2", [82.284271247462, 25.715728752538]
    ),
    (
      "x = [3, 0.5]",
      "f := (1.5 - x[0] + x[0]*x[1])^2 + (2.25 - x[0] + x[0]*x[1]^2)^2 + (2.625 - x[0] + x[0]*x[1]^3)^2",
      [48.979786353478, 0.30146364652225]
    ),
    ("x = [1, 3]", "f := (x[0] + 2*x[1] - 7)^2 + (2*x[0] + x[1] - 5)^2", [18, 2]),
    (
      "x = zeros(4)",
      "f := (x[0] + 10*x[1])^2 + 5*(x[2] - x[3])^2 + (x[1] - 2*x[2])^4 + 10*(x[0] - x[3])^4", [202, 20, 0, 0]
    ),
    (
      "x = ones(4)",
      """
      f := 100*(x[1] - x[0]^2)^2 + (1 - x[0])^2 + 90*(x[3] - x[2]^2)^2 + (1 - x[2])^2 \
      + 10.1*((x[1] - 1)^2 + (x[3] - 1)^2) + 19.8*(x[1] - 1)*(x[3] - 1)
      """,
      [1005.9249277291, 905.60534978944, 32.150154397162, 0.71956808431757]
    ),
    (
      "x = [5, 4]",
      "f := (x[0] - 13 + ((5 - x[1])*x[1] - 2)*x[1])^2 + (x[0] - 29 + ((x[1] + 1)*x[1] - 14)*x[1])^2",
      [3729.0995679244, 2.9004320756231]
    ),
    ("x = [0, 0]", "f := 20 + sum(x^2 - 10*cos(2*pi*x))", [396.78417604357, 396.78417604357]),
  ]

  @Test(arguments: published)
  func eigenvalues(point: String, formula: String, expected: [Double]) {
    let desk = Desk()
    desk.run("param \(point)\n\(formula)\ne = eig; t = trace; k = check")
    #expect(agree(desk.values("e", "values"), expected))
    #expect(agree(desk.values("t"), [expected.reduce(0, +)]))
    #expect(desk.values("e", "residuals").allSatisfy { $0 < 1e-11 * 4000 })
    #expect(desk.values("k", "agrees") == [1])
    #expect(desk.errors.isEmpty)
  }

  @Test func rosenbrockAtTheStart() {
    let desk = Desk()
    desk.run(rosenbrock + "v = value; g = grad; h = hessian; n = norm; d = diag; s = value norm(hessian)^2")
    #expect(agree(desk.values("v"), [24.2]))
    #expect(agree(desk.values("g"), [-215.6, -88]))
    #expect(agree(desk.values("h"), [1330, 480, 480, 200]))
    #expect(agree(desk.values("n").map { $0 * $0 }, [2_269_700]))
    #expect(agree(desk.values("d"), [1330, 200]))
    desk.run("q := norm(hessian(f, x))^2; g3 = grad q; x = [1, 1]; g4 = grad q")
    #expect(agree(desk.values("g3"), [-8_428_800, -1_064_000]))
    #expect(agree(desk.values("g4"), [4_489_600, -641_600]))
  }

  @Test(arguments: [
    ([3, 2], "minimum", 0), ([-2.8051180869527, 3.1313125182506], "minimum", 0),
    ([-3.7793102533777, -3.2831859912862], "minimum", 0),
    ([3.5844283403305, -1.8481265269644], "minimum", 0),
    ([-0.27084459066735, -0.92303855647998], "maximum", 181.61652152258),
  ])
  func himmelblauExtrema(point: [Double], kind: String, value: Double) {
    let desk = Desk()
    desk.run(himmelblau + "x = [\(point[0]), \(point[1])]; c = classify")
    #expect(desk.text("c", "kind") == kind)
    #expect(agree(desk.values("c", "value"), [value]))
    #expect(desk.values("c", "index") == [kind == "maximum" ? 2 : 0])
  }

  @Test(arguments: [
    ([-0.12796, -1.95371], 178.33723920193), ([0.08668, 2.88425], 67.719150087526),
    ([3.38515, 0.07385], 13.311926270406), ([-3.07303, -0.08135], 104.01516291756),
  ])
  func himmelblauSaddles(start: [Double], value: Double) {
    let desk = Desk()
    // Newton's steps from five digits of the point.
    desk.run(
      himmelblau + "x = [\(start[0]), \(start[1])]; repeat 3 { x = x - solve(hessian, grad) }\nc = classify")
    #expect(desk.text("c", "kind") == "saddle")
    #expect(desk.values("c", "index") == [1])
    #expect(agree(desk.values("c", "value"), [value]))
    #expect(desk.errors.isEmpty)
  }

  @Test func bealeSaddle() {
    let desk = Desk()
    desk.run(
      """
      param x = [0, 1]
      f := (1.5 - x[0] + x[0]*x[1])^2 + (2.25 - x[0] + x[0]*x[1]^2)^2 + (2.625 - x[0] + x[0]*x[1]^3)^2
      c = classify
      """)
    #expect(desk.text("c", "kind") == "saddle")
    #expect(agree(desk.values("c", "value"), [14.203125]))
    #expect(agree(desk.values("c", "eigenvalues"), [27.75, -27.75]))
  }

  @Test func matrices() {
    let desk = Desk()
    desk.run("i = linspace(0, 3, 4); H = 1/(reshape(i, 4, 1) + i + 1); e = eig H; k = condition H")
    let ends = desk.values("e", "values")
    #expect(agree([ends[0]], [1.500214280059243], 1e-14))
    #expect(abs(ends[3] / 9.670230402258689e-5 - 1) < 1e-11)
    desk.run("n = 100; A = 2*eye(n); for i in 0..n - 1 { A[i, i + 1] = -1; A[i + 1, i] = -1 }")
    desk.run("t = trace A; s = norm A; top = eig A top 1; low = eig A bottom 1; mid = eig A near 0 top 2")
    #expect(desk.values("t") == [200])
    #expect(agree(desk.values("s").map { $0 * $0 }, [598]))
    #expect(agree(desk.values("top", "values"), [3.999032564584]))
    #expect(agree(desk.values("low", "values"), [9.6743541602e-4], 1e-13))
    #expect(desk.values("mid", "values").count == 2)
    #expect(desk.values("top", "residuals")[0] < 1e-13)
  }

  @Test func closedForms() {
    let desk = Desk()
    desk.run(
      """
      data X = randn(20, 3); data y = randn(20); param w = zeros(3)
      mse_ := mean((X@w - y)^2); h = hessian mse_; g = h - 2/20*X'@X
      w = [0.3, -1, 0.7]; z := X@w; ce := mean(softplus(z) - y*z)
      h2 = hessian ce; s = sigmoid(z); g2 = h2 - X'@(reshape(s*(1 - s), 20, 1)*X)/20
      """)
    #expect(desk.values("g").count == 9)
    #expect(desk.values("g").allSatisfy { abs($0) < 1e-14 })
    #expect(desk.values("g2").allSatisfy { abs($0) < 1e-14 })
    desk.run("param u = [2, 3]; d = 5; r := 1/(u[0] + d*u[1]); h3 = hessian r")
    #expect(agree(desk.values("h3"), [2, 10, 10, 50].map { $0 / 4913 }, 1e-14))
    #expect(desk.errors.isEmpty)
  }

  @Test func softmaxLayerHasANullSpace() {
    let desk = Desk()
    desk.run(
      """
      data X = randn(12, 4); data y = [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]; param W = randn(4, 3)
      f := mean(logsumexp(X@W, axis=1)) - sum(onehot(y, 3)*(X@W))/12
      e = eig; d = diag
      """)
    let values = desk.values("e", "values")
    #expect(values.count == 12)
    #expect(values.count { abs($0) < 1e-13 } == 4)
    #expect(agree([desk.values("d").reduce(0, +)], [values.reduce(0, +)], 1e-12))
    #expect(desk.errors.isEmpty)
  }
}

@Suite struct LookSubjectTests {
  @Test func targets() {
    let desk = Desk()
    desk.run("param U = [1, 2; 3, 4]; param v = [5, 6]; f := sum((U@v)^2)")
    desk.run(
      "a = hessian wrt v; b = hessian wrt (v, U); c = hessian wrt U[0, 1]; p = hessian wrt params; g = grad wrt v[1]"
    )
    #expect(desk.values("a") == [20, 28, 28, 40])
    #expect(desk.values("b").count == 36)
    #expect(desk.values("c") == [72])
    #expect(desk.values("p").count == 36)
    #expect(desk.values("g") == [380.0])
    desk.run("t = trace wrt v; d = diag wrt U[:, 0]; k = check wrt U[1, :]")
    #expect(desk.values("t") == [60])
    #expect(desk.values("d") == [50, 50])
    #expect(desk.values("k", "agrees") == [1])
    #expect(desk.errors.isEmpty)
  }

  @Test func scalarParam() {
    let desk = Desk()
    #expect(
      desk.printed("param t = 2; f := t^4 - 3*t; grad; hessian; eig; derive; trace") == [
        "∇f = 29                       ‖∇f‖ = 29", "∇²f = 48                      positive",
        "λ = 48                        condition 1   all positive: f is locally convex",
        "                              exact: within rounding, 1.07e-14", "∂f/∂t = 4·t³ − 3",
        "∂²f/∂t∂t = 12·t²",
        "tr ∇²f = 48                   exact: within rounding, 1.07e-14",
      ])
  }

  @Test func emptyParams() {
    let desk = Desk()
    desk.run("param x = zeros(0); f := sum(x^2)")
    desk.run(
      "value; grad; hessian; eig; eig top 2; condition; trace; diag; norm; check; derive; explain hessian; vars"
    )
    #expect(desk.errors.isEmpty)
    desk.run("classify")
    #expect(desk.errors.count == 1)
  }

  @Test func singlePrecision() {
    let desk = Desk()
    desk.session.interpreter.state.settings.precision = .f32
    desk.run(rosenbrock + "e = eig; c = classify; k = check; t = trace")
    #expect(agree(desk.values("e", "values"), [1506.36698, 23.63302], 1e-5))
    #expect(desk.values("k", "agrees") == [1])
    #expect(desk.values("k", "second")[0] < 1e-9)
    #expect(desk.errors.isEmpty)
  }

  @Test func proceduresInSubjects() {
    let desk = Desk()
    desk.run("p(n) { return 2*n }\nparam x = [1, 2]; f := sum(x^2); e = eig p(3)*f")
    #expect(desk.values("e", "values") == [12, 12])
    #expect(desk.printed("grad 2*f") == ["∇(2*f) = [4, 8]               ‖∇(2*f)‖ = 8.94427"])
  }

  @Test func objectives() {
    let desk = Desk()
    desk.run("param x = [1, 2]; f := sum(x^2); h := sum(x^4); g := norm(grad)")
    #expect(
      desk.printed("g; objective h; g; objective") == [
        "4.47214", "h := sum(x^4)                 objective", "32.249",
        "h := sum(x^4)                 objective",
      ])
    #expect(desk.printed("undo; g").last == "4.47214")
  }

  @Test func formulasOfAllParamsSeeNewOnes() {
    let desk = Desk()
    #expect(desk.printed("param x = [1, 2]; g := norm(params)^2; g; param z = 4; g") == ["5", "21"])
  }

  @Test func weightDecayOverAllParams() {
    let desk = Desk()
    desk.run(
      "param x = [1, 2]; ce := sum(x^4); h := sum(x)^2 + norm(params)^2; loss := ce + h; a = grad; b = value h"
    )
    #expect(desk.values("a") == [12, 42])
    #expect(desk.values("b") == [14])
    #expect(desk.errors.isEmpty)
  }

  @Test func kinksAreFound() {
    let desk = Desk()
    let shown = desk.printed("param x = [0, 1]; f := sum(relu(x)); check")
    #expect(shown.last == "1 disagree by more than 1e-5; f has a kink there, where differences say nothing")
  }

  @Test func functionsOfSymmetricMatricesCannotBeDifferenced() {
    let shown = Desk().printed("param A = [2, 1; 1, 3]; f := sum(eig(A).values^3); check")
    #expect(shown.last == "the others agree to 1e-5")
  }

  @Test func redefinitionsShowWhatTheyBuildOn() {
    let shown = Desk().printed("param x = [1, 2]; f := sum(x^2); f := f + 1; show f")
    #expect(shown.prefix(2) == ["f := f + 1", "  where the earlier f := sum(x^2)"])
  }

  @Test func largeParamsAreSampled() {
    let desk = Desk()
    desk.run("param x = ones(3000); f := sum(x^4)/12 + sum(x)^2; k = check samples=3; t = trace")
    #expect(desk.values("k", "agrees") == [1])
    #expect(desk.values("t") == [9000])
    #expect(desk.errors.isEmpty)
  }
}

@Suite struct LookErrorTests {
  @Test(arguments: [
    ("hessian", "there is no objective yet", "define a scalar formula of a param, such as f := (x - 1)^2"),
    ("x = 3; f := x^2; grad f", "this formula depends on no param", "name what to differentiate by"),
    (
      "param x = [1, 2]; y := x^2; hessian y", "'hessian' needs a scalar formula, not one of shape 2",
      "sum or mean"
    ),
    (
      "param x = [1, 2]; y := x^2; eig y",
      "'eig' takes a scalar formula or a matrix, not a tensor of shape 2", "sum or mean"
    ),
    ("A = [1, 2; 3, 4]; eig A", "'eig' needs a symmetric matrix", "eigvals(A) takes any square matrix"),
    ("A = [1, 2, 3; 3, 4, 5]; eig A", "'eig' needs a square matrix, not 2×3", ""),
    (
      "A = eye(2); eig A wrt A",
      "'A' is a matrix; only the Hessian of a scalar formula is taken by something", ""
    ),
    ("A = eye(2); eig A top 0", "'top' needs a positive number of eigenvalues", ""),
    ("A = eye(2); eig A top 1 bottom 1", "'top' and 'bottom' exclude each other", ""),
    ("A = eye(2); eig A vector=true", "'eig' has no option 'vector'", "did you mean 'vectors'?"),
    (
      "param x = [1, 2]; f := log(x[0] - 1) + x[1]; eig",
      "the Hessian is not finite: 1 of 4 entries is infinite", "value and grad"
    ),
    ("param x = [1, 2]; f := log(x[0] - 2) + x[1]; classify", "f is nan", "value and grad"),
    ("param x = [1, 2]; f := log(x[0] - 2) + x[1]; sharpness", "f is nan", "value and grad"),
    (
      "param x = [1, 2]; f := sqrt(x[0] - 1) + x[1]; sharpness",
      "the gradient is not finite: 1 of 2 entries is infinite", "value and grad"
    ),
    ("param x = []; f := sum(x^2); sharpness", "the params are empty, there is no sharpness", ""),
    ("param x = []; f := sum(x^2); plot eig", "the params are empty, there are no eigenvalues", ""),
    ("param x = [1, 2]; f := sum(x^2); slice along [nan, 1]", "the direction [nan, 1] holds nan or inf", ""),
    ("param x = [1, 2]; f := sum(x^2); objective x", "'x' is not a formula", ":="),
    ("param x = [1, 2]; y := x^2; objective y", "an objective is a scalar; 'y' is of shape 2", "sum or mean"),
    ("param x = [1, 2]; f := sum(x^2); c := 3; objective c", "'c' depends on no param", "declare one"),
    ("param x = [1, 2]; f := sum(x^2); objective sum(x)", "an objective needs a name", "f := sum(x)"),
    ("longname = 1; show lngname", "'lngname' is not bound", "did you mean 'longname'?"),
    ("param x = [1, 2]; f := sum(x^2); grad f f", "'grad' takes at most 1 argument here", ""),
  ])
  func messages(text: String, message: String, hint: String) {
    let desk = Desk()
    #expect(desk.run(text) != .ok)
    #expect(desk.errors.count == 1)
    #expect(desk.errors.first?.contains("error: \(message)\n") == true, "\(desk.errors)")
    if !hint.isEmpty { #expect(desk.errors.first?.contains(hint) == true, "\(desk.errors)") }
  }

  @Test func warnings() {
    let desk = Desk()
    #expect(desk.run("param x = [1, 2]; f := log(x[0] - 1) + x[1]^2; value; grad; hessian") == .ok)
    #expect(
      desk.errors == [
        "warning: f is -inf", "warning: f is -inf",
        "warning: the gradient is not finite: 1 of 2 entries is infinite", "warning: f is -inf",
        "warning: the Hessian is not finite: 1 of 4 entries is infinite",
      ])
  }

  /// Derivatives have values where their function has none.
  @Test(arguments: ["hessian", "eig", "spectrum", "plot eig", "condition"])
  func undefinedFunctionsAreNoted(command: String) {
    let desk = Desk()
    #expect(desk.run("param x = [1, 2]; f := sum(log(x - 1.5)); \(command)") == .ok)
    #expect(desk.errors == ["warning: f is nan"])
  }

  @Test func hugeHessiansAreRefused() {
    let desk = Desk()
    desk.session.interpreter.state.settings.memoryLimit = 1 << 30
    desk.run("param x = ones(60000); f := sum(x^4) + sum(x)^2/1e9; hessian")
    #expect(desk.errors.first?.contains("a Hessian over 60000 params needs 28.8 GB") == true)
    #expect(
      desk.printed("trace; n = norm wrt x[0:3]; n")
        == ["tr ∇²f = 720000               exact: within rounding, 9.59e-6", "20.7846"])
  }
}
