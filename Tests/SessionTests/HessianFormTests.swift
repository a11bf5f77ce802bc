import Engine
import Graph
import Syntax
import Testing

@testable import Session

/// A Hessian by products with unit vectors equals the structured one, and takes its place when memory is short.
@Suite struct HessianFormTests {
  private static let network = """
    data X = reshape(sin(1.3*range(0, 60000)), 2000, 30)
    param W = 0.1*reshape(cos(range(0, 120)), 30, 4)
    param v = [1, -2, 0.5, 3]
    f := sum(log(1 + (tanh(X@W)@v)^2))

    """

  struct Case: CustomTestStringConvertible {
    let name: String
    let setup: String
    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "two params", setup: network),
    Case(name: "one vector", setup: "param x = range(0, 40)/7; f := logsumexp(x)*sum(x^2) + prod(cos(x))"),
    Case(name: "one matrix", setup: "param A = reshape(sin(range(0, 49)), 7, 7); f := sum((A@A@A')^4)"),
    Case(
      name: "a scalar among them",
      setup: "param s = 2; param x = range(0, 9)/5; param E = zeros(0); f := s^3*sum(exp(s*x)) + sum(E)"),
    Case(name: "a draw", setup: "param x = ones(50); n ~ normal(0, 1, 50); f := sum(n*x)^4"),
    Case(name: "nothing", setup: "param x = ones(5); f := sum(x)"),
  ]

  /// Diagonal and trace of a whole Hessian are those of the stored one, also in further formulas.
  @Test(arguments: cases) func diagonals(_ example: Case) throws {
    let desk = Desk()
    desk.run(example.setup)
    desk.run("H = hessian(f)\nd = diag(hessian(f))\nt = trace(hessian(f))\nstored = diag(H)")
    #expect(desk.errors.isEmpty, "\(desk.errors)")
    #expect(agree(desk.values("d"), desk.values("stored")))
    #expect(agree(desk.values("t"), [desk.values("stored").reduce(0, +)]))
    guard example.name != "nothing" else { return }
    desk.run("g = grad(sum(diag(hessian(f))^2))\nother = grad(sum(diag(hessian(f) + 0)^2))")
    desk.run("gap = norm(g - other)/(1 + norm(other))")
    #expect((desk.values("gap").first ?? 1) < 1e-12, "\(desk.errors)")
  }

  /// Neither stores a Hessian that does not fit, of several params either.
  @Test(arguments: ["trace(hessian(f))", "sum(diag(hessian(f, params)))"])
  func diagonalsOfLargeHessians(_ formula: String) {
    let desk = Desk()
    desk.run(
      """
      data X = reshape(sin(1.3*range(0, 600)), 3, 200)
      param W = reshape(cos(range(0, 80000)), 200, 400)
      param b = ones(400)
      f := sum((X@W + b)^2)
      set memory 1 GB
      t = \(formula)
      """)
    // ∂²f/∂W² is 2·Σₙ X², for each of 400 columns; ∂²f/∂b² is 2 for each of 3 rows.
    let squares = (0..<600).reduce(0.0) { total, i in
      let s = MapFunction.sin(1.3 * Double(i))
      return total + s * s
    }
    #expect(agree(desk.values("t"), [400 * 2 * squares + 400 * 2 * 3]), "\(desk.errors)")
  }

  @Test(arguments: cases) func productsEqualBlocks(_ example: Case) throws {
    let desk = Desk()
    desk.run(example.setup + "\nH = hessian(f)")
    try #require(desk.errors.isEmpty)
    let interpreter = desk.session.interpreter
    let elaborator = Elaborator(interpreter, environment: FormulaEnvironment(frameTag: nil))
    let f = try elaborator.objective(nil).node
    let nowhere = Span(SourceText(name: "", text: ""), 0, 0)
    let leaves = try elaborator.targets(nil, of: [f], nowhere).leaves
    let form = try interpreter.byProducts(HessianSource(f: f, leaves: leaves))
    let inputs = try form.computation.inputs.map { try #require(interpreter.currentValue(of: $0)) }
    let (found, expected) = (try form.computation.run(inputs)[0].doubles, desk.values("H"))
    #expect(found.count == expected.count)
    let scale = expected.map(abs).max() ?? 0
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= 1e-12 * scale })
  }

  @Test(arguments: [("f64", 1e-12), ("f32", 1e-5)]) func shortMemoryTakesProducts(
    _ precision: String, _ tolerance: Double
  ) {
    let desk = Desk()
    desk.run("set precision \(precision)\n" + Self.network + "H = hessian(f); E = explain hessian")
    let most = desk.values("H").map(abs).max() ?? .nan
    let limit = 2 << 20
    desk.run("needed = E.bytes")
    #expect((desk.values("needed").first ?? 0) > Double(limit))
    desk.session.interpreter.state.settings.memoryLimit = limit
    desk.run("K = hessian(f)\nd = max(abs(K - H))\ng = (f, grad(f), hessian(f))\ne = eig")
    #expect(desk.errors.isEmpty)
    #expect((desk.values("d").first ?? .nan) <= tolerance * most)
    let shown = desk.printed("explain hessian").joined(separator: "\n")
    #expect(shown.contains("at a time") && shown.contains("(used)"))
  }

  @Test func formsAreExplained() {
    let desk = Desk()
    let band = desk.printed(
      "param x = ones(300); f := sum((x[1:] - x[:-1]^2)^2); explain hessian")
    #expect(band.contains { $0.hasPrefix("sparse") && $0.hasSuffix("(used)") })
    #expect(band.contains { $0.hasPrefix("pattern") && $0.contains("898 non-zeros") })
    let full = desk.printed("g := sum(x)^4; explain hessian g")
    #expect(full.contains { $0.hasPrefix("structured") && $0.hasSuffix("(used)") })
    #expect(full.contains { $0.hasPrefix("H·eᵢ, 32 at a time") })
    #expect(full.contains { $0.hasPrefix("∇²g") })
  }

  /// What multiplies nothing may still sort, fill and scatter.
  @Test(arguments: [
    ("sum(sort(x)^2)", "structured", "6 steps"), ("sum(x)^2", "structured", "1 step"),
    ("sum(x^2)", "sparse", "1 step"), ("sum(x^4)", "H·eᵢ", "1e+04 multiplications"),
  ]) func workOfForms(_ formula: String, _ kind: String, _ work: String) {
    let shown = Desk().printed("param x = ones(100); f := \(formula); explain hessian")
    #expect(shown.contains { $0.hasPrefix(kind) && $0.contains(" \(work), ") }, "\(shown)")
  }

  @Test func scalarProgramsTakeFewOperations() {
    let shown = Desk().printed("param x = [1, 2]; f := (1 - x[0])^2 + 100*(x[1] - x[0]^2)^2; explain hessian")
    #expect(shown.count { $0.contains(" a few operations, ") } == 2, "\(shown)")
  }
}
