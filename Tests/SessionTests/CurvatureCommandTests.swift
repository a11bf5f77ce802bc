import Foundation
import Testing

@testable import Session

/// Curvature by products: operators, the ends and the density of a spectrum, estimates.
@Suite struct CurvatureCommandTests {
  /// A sum of squares with a Hessian diag(2, 4, …, 2n), and a network.
  private static let diagonal = "param x = zeros(1200)\nf := sum(range(1, 1201)*x^2)\n"
  private static let network = """
    data X = reshape(sin(range(0, 120)), 20, 6)
    data y = range(0, 20) % 3
    param W = reshape(cos(range(0, 30)), 6, 5)
    param V = reshape(sin(2*range(0, 15)), 5, 3)
    loss := crossentropy(tanh(X@W)@V, y)

    """

  private func run(_ text: String) -> Conversation {
    let conversation = Conversation()
    conversation.say(text)
    #expect(conversation.outcome == .ok)
    return conversation
  }

  /// Of one param the Hessian is a number, and commands on matrices take it as 1×1, as they take larger ones.
  @Test(arguments: ["hessian", "hessian(f, x)", "H", "∇²f"]) func hessiansByOneNumber(_ matrix: String) {
    let lab = run("param x = 2; f := x^4; H := hessian(f, x)")
    #expect(lab.say("e = eig \(matrix); print e.values") == "[48]")
    #expect(lab.say("a = trace \(matrix); b = norm \(matrix); print a, b") == "48 48")
    #expect(lab.say("t = norm \(matrix) probes=6; print t.value") == "48")
    #expect(lab.say("d = diag \(matrix); print d") == "[48]")
    // The Hessian of the Hessian is asked for as that of any formula.
    #expect(lab.say("g := 12*x^2; e = eig g; print e.values") == "[24]")
  }

  /// A name within its own redefinition means what it meant before.
  @Test func redefinedFormulasAndHessians() {
    let lab = run("param x = 3; f := x^2; f := f(x = 2*x); e = eig f; print e.values")
    #expect(lab.say("e = eig f; print e.values") == "[8]")
    #expect(lab.say("h := hessian(f, x); h := h(x = x + 1); e = eig h; print e.values") == "[8]")
    #expect(lab.say("minimize newton until f < 1e-6; print f < 1e-6").hasSuffix("1"))
  }

  // MARK: Eigenvalues

  @Test func largeHessiansAreLeftToProducts() {
    let lab = run(Self.diagonal + "t = eig top 3; b = eig bottom 2")
    #expect(lab.say("print t.values, b.values") == "[2400, 2398, 2396] [2, 4]")
    #expect(lab.say("print max(t.residuals) < 1e-5, t.products > 3") == "1 1")
    // The vectors are unit vectors of the last three coordinates.
    #expect(lab.say("print abs(diag(t.vectors[-3:][:, [2, 1, 0]]))") == "[1, 1, 1]")
    let text = lab.say("eig top 2")
    #expect(text.contains("of 1200") && text.contains("residual-bounded"))
  }

  @Test(arguments: ["top 4", "bottom 4"]) func productsAgreeWithLAPACK(_ end: String) {
    let lab = run(Self.network + "a = eig \(end) method=dense; b = eig \(end) method=lanczos")
    #expect(lab.say("print max(abs(a.values - b.values)) < 1e-10") == "1")
    #expect(lab.say("print max(abs(abs(a.vectors' @ b.vectors) - eye(4))) < 1e-6") == "1")
  }

  /// The ten eigenvalues at either end: of an indefinite Hessian, a positive definite and a rank-deficient one. Of the
  /// second the same eigenvalue comes many times, so that invariant subspaces are met over and over.
  @Test(arguments: ["loss", "loss + sum(W^2) + sum(V^2)", "sum((X[:3]@W)^2)"], ["top 10", "bottom 10"])
  func tenAtEitherEnd(_ formula: String, _ end: String) {
    let lab = run(
      Self.network + "f := \(formula)\na = eig f \(end) method=dense; b = eig f \(end) method=lanczos")
    #expect(
      lab.say("print len(b.values), max(abs(a.values - b.values)) < 1e-8*max(1, max(abs(a.values)))")
        == "10 1")
  }

  @Test func saysWhenItHasNotConverged() {
    let lab = run(Self.diagonal)
    let text = lab.say("eig top 3 products=20")
    #expect(text.contains("of 3 eigenvalues have converged after"))
    #expect(text.contains("products=40 goes on longer"))
  }

  @Test func inertiaConfirms() {
    let lab = run(Self.network)
    for end in ["top 4", "bottom 3"] {
      #expect(lab.say("eig \(end) method=lanczos confirm=true").contains("none is missing (inertia)"))
    }
    // Half converged, it does not.
    let text = run(Self.diagonal).say("eig top 3 products=20 confirm=true")
    #expect(text.contains("warning: inertia counts") && !text.contains("none is missing"))
  }

  @Test func exactFiguresSaySo() {
    #expect(run(Self.network).say("eig top 2").contains("exact: within rounding"))
  }

  // MARK: Operators

  @Test func operatorsAreTheirMatrices() {
    let lab = run(
      Self.network
        + "H := hessian_op(loss); G := ggn_op(loss); A = hessian(loss); B = ggn(loss)\nn = 45; v = sin(range(0, 45))"
    )
    for (op, matrix) in [
      ("H", "A"), ("G", "B"), ("2*H", "2*A"), ("H/3", "A/3"), ("-H", "-A"), ("H + G", "A + B"),
      ("H - 2*eye(45)", "A - 2*eye(45)"),
      ("eye(45) - H", "eye(45) - A"), ("H @ G", "A @ B"), ("G*2 - H/4", "B*2 - A/4"),
    ] {
      #expect(lab.say("print max(abs((\(op)) @ v - (\(matrix)) @ v)) < 1e-13") == "1", "\(op)")
      #expect(lab.say("M = \(op); print max(abs(M - (\(matrix)))) < 1e-13") == "1", "\(op)")
    }
    #expect(
      lab.say("print max(abs(v @ H - v @ A)) < 1e-13, max(abs(H @ A[:, 0:7] - A @ A[:, 0:7])) < 1e-13")
        == "1 1")
    #expect(
      lab.say(
        "print max(abs(H @ grad(loss) - A @ cat(flatten(grad(loss).W), flatten(grad(loss).V)))) < 1e-13")
        == "1")
  }

  @Test func operatorsFollowTheParams() {
    let lab = run("param x = [1, 2]; f := sum(x^3); H := hessian_op(f)")
    #expect(lab.say("print H @ [1, 1]") == "[6, 12]")
    #expect(lab.say("x = [2, 3]; print H @ [1, 1], trace(H), solve(H, [12, 36])") == "[12, 18] 30 [1, 2]")
    #expect(lab.say("h(s) := s*hessian_op(f, x) + s*eye(2); print h(2) @ [1, 0]") == "[26, 0]")
  }

  @Test func operatorsHaveDerivatives() {
    let lab = run("param x = [1, 2]; data v = [1, -1]; f := sum(x^4)\npenalty := norm(hessian_op(f) @ v)^2")
    // Σ (12 xᵢ² vᵢ)²: its gradient is 576 xᵢ³ vᵢ².
    #expect(lab.say("print penalty, grad(penalty, x)") == "2448 [576, 4608]")
  }

  @Test func solvesLargeSystemsByProducts() {
    let lab = run("param x = zeros(3000); f := sum(range(1, 3001)*x^2)/2 + sum((x[1:] - x[:-1])^2)")
    #expect(
      lab.say("H := hessian_op(f); b = sin(range(0, 3000)); z = solve(H, b); print norm(H@z - b) < 1e-8")
        == "1")
  }

  @Test func anglesBetweenSubspaces() {
    let lab = run("c = cos(0.3); s = sin(0.3); U = [1, 0; 0, 1; 0, 0]; V = [c, 0; 0, 1; s, 0]")
    #expect(lab.say("t = angle(U, V); print abs(t - [0, 0.3]) < 1e-14") == "[1, 1]")
    #expect(lab.say("print angle([1, 0], [0, 1])") == "[1.5708]")
    #expect(lab.say("A = diag([5, 4, 1]); B = diag([1, 4, 5]); print angle(A, B, 2)") == "[0, 1.5708]")
    lab.say(Self.network + "H := hessian_op(loss)")
    #expect(lab.say("print max(angle(H, hessian(loss), 3)) < 1e-5") == "1")
  }

  // MARK: Estimates

  @Test(arguments: ["trace", "norm"]) func estimatesHoldTheTruth(_ verb: String) {
    let lab = run(Self.network + "t = \(verb); e = \(verb) probes=20 seed=4")
    #expect(lab.say("print e.low < t, t < e.high, e.products") == "1 1 20")
    let text = lab.say("\(verb) probes=20 seed=4")
    #expect(text.contains("estimate: 95 % in [") && text.contains("20 products, seed 4"))
  }

  @Test func logarithmsOfDeterminants() {
    let lab = run("param x = zeros(80); f := sum((1 + range(0, 80) % 5)*x^2)/2 + sum(x)^2/4")
    lab.say("t = logdet; e = logdet probes=20 steps=20 seed=2")
    // Matrix determinant lemma: Π dᵢ·(1 + Σ 1/(2dᵢ)).
    #expect(
      lab.say("d = 1 + range(0, 80) % 5; print abs(t - sum(log(d)) - log(1 + sum(1/d)/2)) < 1e-11") == "1")
    #expect(lab.say("print e.low < t, t < e.high, e.high - e.low < 4") == "1 1 1")
  }

  @Test func diagonalsFromProducts() {
    let lab = run("param x = 0.1*range(0, 60); f := sum(x^3) + sum(x)^2\nt = diag; e = diag probes=40 seed=1")
    #expect(lab.say("print sum(e.low < t and t < e.high) >= 51") == "1")
  }

  @Test func estimatesStandInForWhatDoesNotFit() {
    let lab = run("set memory 8e6\nparam x = zeros(3000); f := sum(x)^2/2 + sum(x^2)/2")
    // The trace needs no room; the logarithm of the determinant does.
    #expect(lab.say("trace").hasPrefix("tr ∇²f = 6000   "))
    #expect(lab.say("logdet steps=8 seed=1").contains("estimate: 95 %"))
  }

  @Test(arguments: [
    "trace estimate=hutchinson", "trace estimate=hutchpp", "trace estimate=xtrace", "norm probes=8",
    "diag probes=8",
  ]) func estimatesOfZero(_ command: String) {
    let lab = run("param x = ones(70); f := sum(x); e = \(command)")
    #expect(lab.say("print max(abs(e.low)), max(abs(e.high))") == "0 0")
  }

  // MARK: Sharpness

  @Test func sharpnessOfAQuadratic() {
    // f = ½ Σ dᵢ xᵢ²: from x, the rise within a ball around a point far out is nearly that along the gradient.
    let lab = run("param x = [0, 0, 0]; f := (9*x[0]^2 + 4*x[1]^2 + x[2]^2)/2")
    lab.say("s = sharpness rho=0.1 top=1")
    #expect(lab.say("print abs(s.largest - 9) < 1e-9, s.trace, abs(s.rise - 0.045) < 1e-9") == "1 14 1")
    lab.say("x = [1, 0, 1]; s = sharpness top=1 rho=0.1")
    // ‖∇f‖² = 81 + 1, of which 81 lie along the first axis; moving along the gradient gives 0.1·‖∇f‖ + ½ε²·gᵀDg/gᵀg.
    #expect(
      lab.say(
        "print abs(s.overlap - 81/82) < 1e-9, abs(s.first - 0.1*sqrt(82) - 0.005*730/82) < 1e-9, s.rise >= s.first"
      ) == "1 1 1")
    #expect(lab.say("print x") == "[1, 0, 1]")
    let text = lab.say("sharpness lr=0.3")
    #expect(text.contains("lr·λmax = 2.7") && text.contains("beyond the edge of stability"))
    #expect(lab.say("sharpness lr=0.1").contains("stable: below 2"))
  }

  /// Squares of the gradient overflow, or vanish.
  @Test(arguments: [1e180, 1e-180]) func overlapOfGradientsOfAnySize(_ scale: Double) {
    let lab = run("param x = [1, 0, 1]; f := \(scale)*(9*x[0]^2 + 4*x[1]^2 + x[2]^2)/2")
    lab.say("s = sharpness top=1 rho=0.1")
    #expect(lab.say("print abs(s.overlap - 81/82) < 1e-9") == "1")
  }

  // MARK: Densities

  @Test func smallSpectraAreExact() {
    let lab = run(Self.network)
    #expect(lab.say("spectrum").contains("spectrum of ∇²loss: 45 eigenvalues, exact"))
    lab.say("s = spectrum; e = eig")
    #expect(lab.say("print max(abs(s.values - e.values)) < 1e-13") == "1")
    #expect(lab.say("print abs(sum(s.density)*(s.grid[1] - s.grid[0]) - 1) < 0.01") == "1")
    #expect(lab.say("spectrum kind=hist").contains("eigenvalues"))
  }

  @Test func quadratures() {
    let lab = run(Self.network + "s = spectrum probes=8 steps=20 seed=3; t = trace")
    #expect(
      lab.say("m = 45*sum(s.weights*s.nodes, axis=1)\nprint abs(mean(m) - t) < 3*std(m)/sqrt(8) + 1e-9")
        == "1")
    #expect(lab.say("print max(abs(sum(s.weights, axis=1) - 1)) < 1e-12, all(s.low <= s.high)") == "1 1")
    // Given start vectors: the first moment is vᵀHv/vᵀv.
    lab.say(
      "v = sin(range(0, 45)); s = spectrum probes=[v] steps=10; h = dot(v, hessian_op(loss) @ v)/dot(v, v)")
    #expect(lab.say("print abs(sum(s.weights*s.nodes) - h) < 1e-13") == "1")
  }

  // MARK: Bad input

  @Test(arguments: [
    Failure(
      "param x = [1, 2]; f := sum(x^2); H := hessian_op(f); print H + 1",
      "a number is not added to an operator", at: "1", "H - 2*eye(2)"),
    Failure(
      "param x = [1, 2]; H := hessian_op(sum(x^2)); print H * [1, 2]",
      "an operator is multiplied by numbers, not by a tensor of shape 2", at: "[1, 2]", "H @ v"),
    Failure(
      "param x = [1, 2]; H := hessian_op(sum(x^2)); print H @ [1, 2, 3]",
      "an operator of order 2 and a tensor of shape 3 do not fit in '@'", at: "H @ [1, 2, 3]",
      "vectors of 2 entries"),
    Failure(
      "param x = [1, 2]; H := hessian_op(sum(x^2), x[0])", "an operator is over whole params",
      at: "hessian_op(sum(x^2), x[0])"),
    Failure(
      "param x = [1, 2]; f := sum(x^2); eig method=lanczos",
      "products alone find the ends of the spectrum of ∇²f", at: "eig", "top 5"),
    Failure(
      "param x = [1, 2]; f := sum(x^2); eig top 1 method=lancsoz", "'method' cannot be 'lancsoz'",
      at: "lancsoz", "did you mean 'lanczos'?"),
    Failure("param x = [1, 2]; f := sum(x^2); trace probes=6", "order 2 is too small", at: "trace"),
    Failure("param x = [1, 2]; f := sum(x^2); diag probes=30", "order 2 is too small", at: "diag"),
    Failure(
      "param x = [1, 2, 3]; f := sum(x^2); trace probes=5", "at least 6 probes are needed", at: "trace"),
    Failure(
      "param x = [1, 2]; f := -sum(x^2); logdet probes=6",
      "the matrix is not positive definite: a quadrature node lies at -2", at: "logdet"),
    Failure(
      "param x = [1, 2]; f := sum(x^2); spectrum probes=[1, 2]",
      "start vectors are the rows of a k×2 matrix, not a tensor of shape 2", at: "[1, 2]"),
    Failure("param x = [1, 2]; f := sum(x^2); spectrum width=0", "'width' must be positive", at: "0"),
    Failure(
      "param x = [0, 0]; f := sum(sqrt(x)); eig top 1 method=lanczos",
      "a product with the matrix is infinite or not a number", at: "eig"),
    Failure(
      "print angle([1, 0], [1, 0, 0])", "subspaces of 2 and 3 dimensions have no angle",
      at: "angle([1, 0], [1, 0, 0])"),
    Failure("print angle(eye(3), eye(3), 7)", "the number of eigenvectors is 1 to 3, not 7", at: "7"),
    Failure("param x = zeros(0); f := sum(x^2); trace probes=9", "∇²f is empty", at: "trace probes=9"),
    Failure("param x = zeros(0); f := sum(x^2); spectrum probes=9", "∇²f is empty", at: "spectrum probes=9"),
    Failure("param x = 1; f := x^2; sharpness rho=-1", "'ρ' must be positive", at: "-1"),
    Failure(
      "param x = [1, 2]; f := sum(x^2); sharpness wrt x[0]",
      "'sharpness' needs a scalar formula of whole params", at: "sharpness wrt x[0]"),
    Failure(
      "print angle(eye(3))",
      "angle takes (A, B, k): two symmetric matrices or operators and how many eigenvectors",
      at: "angle(eye(3))"),
    Failure(
      "t := angle(eye(3), eye(3), 1); print t", "a live formula cannot search for eigenvectors",
      at: "angle(eye(3), eye(3), 1)", "find them once"),
  ]) func badInput(_ failure: Failure) { failure.check() }
}
