import Calculus
import Engine
import Graph
import Tensors
import TestSupport
import Testing

/// Derivations step by step.
struct DifferentiationTests {
  static let effort = DerivativeFuzzTests.effort

  /// Each step has the value of the one before it, which is the derivative along a direction as forward mode has it; and
  /// what is left in the end is the derivative itself.
  @Test func everyStepHasTheSameValue() throws {
    for seed in 0..<(6 * Self.effort) {
      let drawn = DerivativeFuzzTests.Case(seed: UInt64(7_000_000 + seed), steps: 4)
      let gradient = drawn.graph.grad(drawn.f, wrt: drawn.inputs)[0]
      for root in [drawn.f, drawn.z, gradient] { try check(drawn, root) }
    }
  }

  private func check(_ drawn: DerivativeFuzzTests.Case, _ root: NodeID) throws {
    let graph = drawn.graph
    var values = drawn.made.values
    var random = drawn.made.random
    let directions = drawn.inputs.enumerated().map { k, x -> NodeID in
      let shape = graph.shape(x)
      values[1000 + k] = Tensor((0..<shape.elementCount).map { _ in random.signed() }, shape)
      return graph.leaf(Leaf(id: 1000 + k, name: "v\(k)", shape: shape))
    }
    let derivation = Differentiation(graph, of: root, wrt: drawn.inputs)
    let closed = closed(derivation, directions)
    let expected = graph.jvp(of: [root], wrt: drawn.inputs, directions)[0]
    let results = try drawn.evaluate([expected] + closed, values)
    for (k, result) in results.enumerated().dropFirst() {
      drawn.expectEqual(result, results[0], 1e-9, "step \(k) of \(closed.count)")
    }
    let derivatives = drawn.inputs.map { derivation.derivative(by: $0) }
    let jacobians = drawn.inputs.map { graph.jacobians(of: [root], wrt: $0)[0] }
    let both = try drawn.evaluate(derivatives + jacobians, values)
    for k in drawn.inputs.indices {
      drawn.expectEqual(both[k], both[k + drawn.inputs.count], 1e-9, "derivative by input \(k)")
    }
  }

  /// The steps with the tangents of a direction in the place of the differentials.
  private func closed(_ derivation: Differentiation, _ directions: [NodeID]) -> [NodeID] {
    let graph = derivation.graph
    let steps = derivation.steps.map(\.differential)
    var tangents: [NodeID: NodeID] = [:]
    for id in graph.reachable(from: steps) {
      guard case .external(.differential) = graph[id].op else { continue }
      tangents[id] = graph.jvp(of: [graph[id].operands[0].node], wrt: derivation.inputs, directions)[0]
    }
    return graph.substitute(steps, tangents)
  }

  /// The last step of a scalar is the gradient of reverse mode, to the node.
  @Test func scalarsEndWithTheGradient() {
    let graph = TensorGraph()
    let w = graph.leaf(Leaf(id: 0, name: "w", shape: [3]))
    let x = graph.leaf(Leaf(id: 1, name: "X", shape: [4, 3]))
    let z = graph.contract(1, [Operand(x, [0, 1]), Operand(w, [1])], to: [0])
    let f = graph.contract(1, [Operand(graph.map(.tanh, z), [0]), Operand(z, [0])], to: [])
    let derivation = Differentiation(graph, of: f, wrt: [w])
    #expect(derivation.derivative(by: w) == graph.grad(f, wrt: [w])[0])
    #expect(derivation.steps.map(\.rule) == [.contraction, .chain(.tanh), .constantFactor])
  }

  @Test func constantsHaveNoSteps() {
    let graph = TensorGraph()
    let x = graph.leaf(Leaf(id: 0, name: "x", shape: []))
    let y = graph.leaf(Leaf(id: 1, name: "y", shape: []))
    for root in [y, graph.map(.floor, x), graph.stop(graph.map(.sin, x))] {
      let derivation = Differentiation(graph, of: root, wrt: [x])
      #expect(derivation.steps.isEmpty && graph.isZero(derivation.derivative(by: x)))
    }
  }

  /// The rules on letters, as the functions' own derivatives have them.
  @Test func rulesOnLetters() throws {
    func text(_ rule: DerivativeRule) throws -> String {
      let graph = TensorGraph()
      let (_, differential) = try #require(rule.example(in: graph))
      return MathPrinter(graph).inline(differential)
    }
    #expect(try text(.sum) == "du + dv")
    #expect(try text(.product) == "u·dv + v·du")
    #expect(try text(.chain(.tanh)) == "sech²(u)·du")
    #expect(try text(.chain(.power(3))) == "3·u²·du")
    #expect(try text(.chain(.atan2)) == "(v·du − u·dv)/(u² + v²)" || text(.chain(.atan2)).contains("u² + v²"))
    #expect(try text(.matrix(.inverse)) == "−A⁻¹·dA·A⁻¹")
    #expect(try text(.matrix(.solve)) == "A⁻¹·dB − A⁻¹·dA·A⁻¹·B")
  }

  /// Formulas of random graphs, their derivatives and their steps are LaTeX that compiles.
  @Test func latexIsWellFormed() {
    for seed in 0..<(20 * Self.effort) {
      let drawn = DerivativeFuzzTests.Case(seed: UInt64(8_000_000 + seed), steps: 4)
      let graph = drawn.graph
      let steps = Differentiation(graph, of: drawn.f, wrt: drawn.inputs).steps
      let items = ([drawn.f, drawn.z] + steps.map(\.differential)).map { MathPrinter.Item("y", $0) }
      let lines = MathPrinter(graph, style: .latex).text(of: items).lines
      let fault = LaTeXReader.fault(in: LaTeX.aligned(lines.map { .row($0) }).joined(separator: "\n"))
      #expect(fault == nil, "seed \(seed)")
    }
  }

  @Test func latexNames() {
    #expect(LaTeX.name("x") == "x")
    #expect(LaTeX.name("W12") == "W_{12}" && LaTeX.name("t₁") == "t_{1}")
    #expect(LaTeX.name("λ") == "\\lambda " && LaTeX.name("loss_2") == "\\mathit{loss\\_2}")
    #expect(LaTeX.name("x[0,1]") == "x_{0,1}" && LaTeX.name("W1[0,1]") == "{W_{1}}_{0,1}")
    #expect(LaTeX.name("a + b^2") == "\\texttt{a + b\\^{}2}")
    for name in ["x", "W12", "θ3", "Δw", "é", "loss_2", "x[0]", "W1[2,i]", "a + b^2", "f(x = {1})", "100%"] {
      #expect(LaTeXReader.fault(in: "$\(LaTeX.name(name))^{2}$") == nil, "\(name)")
    }
  }

  /// The reader refuses what LaTeX would refuse.
  @Test(arguments: [
    "$x_{1}_{2}$", "$\\frac{1}$", "$\\left(x\\right]$", "$\\left(x$", "$x^{2$", "$\\foo$", "$é$", "$x & y$",
    "\\begin{align*} a &= b \\intertext{c} \\end{align*}", "\\begin{align*} a &= b & c \\end{align*}",
    "\\begin{align*} a &= b \\\\ \\end{align*}", "a_b",
  ]) func readerIsStrict(text: String) { #expect(LaTeXReader.fault(in: text) != nil) }
}
