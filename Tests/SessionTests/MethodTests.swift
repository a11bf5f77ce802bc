import Optimization
import Testing

@testable import Session

private let rosenbrock = "param x = [-1.2, 1]\nf := (1 - x[0])^2 + 100*(x[1] - x[0]^2)^2\n"

@Suite struct MethodTests {
  /// Five steps of torch.optim (PyTorch 2.13, float64) on Rosenbrock's function from (−1.2, 1): SGD with momentum, Adam,
  /// AdamW, RMSprop, with its defaults and with options.
  private static let torch: [(String, [Double])] = [
    ("momentum lr=1e-4", [-0.9982818599283941, 1.083480315885768]),
    ("momentum lr=1e-4 momentum=0.5", [-1.0760043048721342, 1.05163187683896]),
    ("nesterov lr=1e-4", [-0.9935210383632653, 1.0853420192994137]),
    ("adam", [-1.195003822917822, 1.0049964874637975]),
    ("adam lr=0.1 beta1=0.8 beta2=0.9 eps=1e-3", [-1.0015498639807332, 1.170263720038971]),
    ("adamw", [-1.194943948699256, 1.004946368219345]),
    ("adamw lr=0.1 decay=0.3", [-0.8562646620738408, 0.9953414203356474]),
    ("rmsprop", [-1.0625622494376303, 1.1334448836360989]),
    ("rmsprop lr=0.02 alpha=0.5 eps=1e-2", [-1.101930511083751, 1.0987636948317059]),
  ]

  @Test(arguments: torch) func firstOrderMethodsStepAsTorchDoes(_ method: String, _ expected: [Double]) {
    let desk = Desk()
    desk.run(rosenbrock + "repeat 5 { step \(method) }\ny = x + 0")
    #expect(desk.errors.isEmpty)
    #expect(agree(desk.values("y"), expected, 1e-12))
  }

  /// Minimises from the standard start, at most this many steps (a count far from what a broken method takes).
  @Test(arguments: [
    ("newton", 6),
    ("damped-newton", 25), ("modified-newton", 25), ("gauss-newton", 15), ("lm", 20), ("newton-cg", 35),
    ("trust", 28), ("trust cg=true", 40), ("cubic", 28), ("saddle-free", 25), ("bfgs", 45), ("lbfgs", 50),
    ("lbfgs memory=1", 120), ("nesterov lr=1e-3", 5000), ("momentum lr=1e-3", 5000),
  ]) func rosenbrockIsMinimised(_ method: String, _ most: Int) {
    let desk = Desk()
    desk.run(rosenbrock + "m = minimize \(method) until ‖∇f‖ < 1e-8 max \(most)\ny = x + 0")
    #expect(desk.errors.isEmpty)
    #expect(agree(desk.values("y"), [1, 1], 1e-6))
    #expect((desk.values("m", "gradient_norm").first ?? .nan) < 1e-8)
  }

  /// Steepest descent goes far more slowly, with every search.
  @Test(arguments: ["gd", "gd wolfe=true", "gd exact=true"]) func steepestDescentGetsThere(_ method: String) {
    let desk = Desk()
    desk.run(
      "param x = [-1.2, 1]\nf := (1 - x[0])^2 + 5*(x[1] - x[0]^2)^2\nminimize \(method) until ‖∇f‖ < 1e-6 max 2000\ny = x + 0"
    )
    #expect(desk.errors.isEmpty)
    #expect(agree(desk.values("y"), [1, 1], 1e-5))
  }

  /// On a convex quadratic Newton's steps of all kinds are the same, and one is enough.
  @Test(arguments: [
    "newton", "damped-newton", "modified-newton", "gauss-newton", "saddle-free", "trust radius=100",
  ]) func oneStepSolvesAQuadratic(_ method: String) {
    let desk = Desk()
    desk.run(
      """
      data A = [2, 1, 0; 1, 3, 1; 0, 1, 1; 1, 1, 1]
      data b = [1, 2, 3, 4]
      param x = [5, -5, 5]
      f := sum((A@x - b)^2)
      step \(method)
      r = A'@(A@x - b)
      """)
    #expect(desk.errors.isEmpty)
    #expect(desk.values("r").count == 3 && desk.values("r").allSatisfy { abs($0) < 1e-12 })
  }

  /// x² − y² + y⁴ from y = 0, where the gradient points into the saddle.
  @Test(arguments: ["trust", "cubic"]) func saddlesAreLeft(_ method: String) {
    let desk = Desk()
    desk.run("param p = [1, 0]\nf := p[0]^2 - p[1]^2 + p[1]^4\nminimize \(method) max 60\nq = abs(p)")
    #expect(agree(desk.values("q"), [0, 0.5.squareRoot()], 1e-8))
  }

  /// Beside the valley that leads into the saddle, methods that use negative curvature go down.
  @Test(arguments: ["saddle-free", "modified-newton", "newton-cg", "trust cg=true"])
  func nearSaddlesTheyGoDown(_ method: String) {
    let desk = Desk()
    desk.run("param p = [1, 1e-3]\nf := p[0]^2 - p[1]^2 + p[1]^4\nminimize \(method) max 100\nq = abs(p)")
    #expect(agree(desk.values("q"), [0, 0.5.squareRoot()], 1e-8))
  }

  @Test func sharpnessAwareStepsUseTheGradientUphill() {
    let desk = Desk()
    // f = x²: the gradient at x + ρ is 2(x + ρ).
    desk.run("param x = 3\nf := x^2\nstep sam lr=0.1 rho=0.5\ny = x + 0")
    #expect(agree(desk.values("y"), [3 - 0.1 * 2 * 3.5]))
  }

  @Test func undoTakesBackWhatMethodsRemember() {
    let desk = Desk()
    let line = "repeat 3 { step momentum lr=1e-4 }"
    desk.run(rosenbrock + "for k in 0..3 { step momentum lr=1e-4 }\na = x + 0")
    let whole = Desk()
    whole.run(rosenbrock)
    whole.run("for k in 0..2 { step momentum lr=1e-4 }")
    whole.run("undo 1 steps")
    whole.run(line)
    #expect(whole.errors.isEmpty)
    // A statement of its own has its own memory; what it finds is the point after one step.
    whole.run("undo\nb = x + 0")
    let one = Desk()
    one.run(rosenbrock + "step gd lr=1e-4\nc = x + 0")
    #expect(agree(whole.values("b"), one.values("c")))
  }

  /// A run begins anew, wherever the last one at this place ended.
  @Test(arguments: ["bfgs", "lm", "trust", "adam lr=0.1", "momentum lr=1e-3"])
  func runsDoNotRememberEachOther(_ method: String) {
    let desk = Desk()
    desk.run(
      rosenbrock + """
        a = zeros(2, 2)
        for k in 0..2 { x = [-1.2, 1]; minimize \(method) max 7; a[k] = x }
        d = a[1] - a[0]
        """)
    #expect(desk.errors.isEmpty)
    #expect(desk.values("d") == [0, 0])
  }

  @Test func reportsNameWhatIsMinimised() {
    let desk = Desk()
    let shown = desk.printed("param z = ones(3)\nf := sum(z)\nh := sum((z - 2)^2)\nminimize newton on h")
    #expect(shown.first?.hasPrefix("h: 3 → 0") == true)
    #expect(shown.last == "newton: 1 step; ‖∇h‖ < 1e-8")
  }

  static let misuse = [
    Failure(
      "param x = 3; f := x; step saddle-free", "the Hessian is zero here, so no step has a scale",
      at: "step saddle-free", "take a step gd or trust"),
    Failure(
      "param x = 3; f := x; step modified-newton", "the Hessian is zero here, so no step has a scale",
      at: "step modified-newton", "take a step gd or trust"),
    Failure(
      "param x = 1; f := x^2; step adam lr=-1", "'lr' must be positive", at: "-1", "give a number above 0"),
    Failure(
      "param x = 1; f := x^2; step momentum momentum=1", "'momentum' must be from 0 to below 1",
      at: "1", "0.9 is usual"),
    Failure(
      "param x = 1; f := x^2; step lbfgs memory=0", "'memory' must be a whole number above 0", at: "0",
      "10 is usual"),
    Failure(
      "param x = 1; f := x^2; step gd lr=1 exact=true", "a fixed lr leaves nothing to search for", at: "1",
      "leave out lr, or the search"),
    Failure(
      "param x = [1, 1]; f := sum(x)^2; step gauss-newton",
      "the Gauss–Newton matrix is singular, so there is no Newton step", at: "step gauss-newton",
      "the params are not determined here; lm adds what is missing"),
    Failure(
      "param x = [1, 2]; f := prod(exp(x)); step lm",
      "it is not clear where this formula splits into a model and a loss", at: "step lm",
      "residuals r := …"),
    Failure(
      "param x = 1; f := x^2; step lm memory=1", "'lm' has no option 'memory'", at: "memory=1",
      "it has damping"),
    Failure(
      "param x = zeros(6000); f := sum(x^4) + sum(x)^2; step trust",
      "this method factors the whole matrix of 6000 params, the limit is 5000", at: "step trust",
      "newton-cg, trust cg=true and lbfgs need products and gradients only"),
  ]

  @Test(arguments: misuse) func misuseIsExplained(_ failure: Failure) { failure.check() }
}
