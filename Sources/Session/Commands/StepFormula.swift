import Calculus
import Graph
import Optimization
import Syntax
import Tensors

/// The new params of a step, as a formula of the present ones.
struct StepFormula {
  let names: [String]
  /// The params after the step, in the order of `names`.
  let params: [NodeID]
  /// The function before the step.
  let value: NodeID
  /// The step size, where it is not a number in the text; it must be positive.
  let rate: NodeID?
}

extension CommandCall {
  /// Newton systems up to this order are part of the formula; larger ones are left to the method, which knows about
  /// sparse Hessians.
  private static var denseOrder: Int { 256 }

  /// The formula of one step, for methods that are one: `gd` with a step size, `sgd`, `newton`. Nil for methods that
  /// search or remember.
  func stepFormula(_ elaborator: Elaborator) throws -> StepFormula? {
    guard command.clauses.isEmpty, command.subjects.count == 1, let (name, options) = methodWords() else {
      return nil
    }
    // Says what is wrong with the options, if something is.
    _ = try singleMethod()
    let rate = try options.first { $0.name == "lr" }.map { try elaborator.node($0.value) }
    guard options.allSatisfy({ $0.name == "lr" }), rate.map({ elaborator.graph.shape($0).isEmpty }) ?? true
    else {
      return nil
    }
    let f = try scalarNode(elaborator)
    let targets = try elaborator.targets(nil, of: [f], command.span)
    let graph = elaborator.graph
    let gradients = graph.grad(f, wrt: targets.leaves)
    switch name {
    case "gd", "sgd":
      guard let size = rate ?? (name == "sgd" ? graph.fill(Methods.standardRate) : nil) else { return nil }
      return formula(targets, f, gradients, size, graph)
    case "newton":
      guard targets.leaves.reduce(0, { $0 + graph.shape($1).elementCount }) <= Self.denseOrder else {
        return nil
      }
      return formula(
        targets, f, newtonDirections(f, targets, gradients, graph), rate ?? graph.fill(1), graph)
    default: return nil
    }
  }

  private func methodWords() -> (name: String, options: [Argument])? {
    switch command.subjects[0].kind {
    case .name(let name): return (name, command.options)
    case .call(let callee, let arguments):
      if case .name(let name) = callee.kind { return (name, arguments + command.options) }
      return nil
    default: return nil
    }
  }

  /// x − rate·d for each param.
  private func formula(
    _ targets: Targets, _ f: NodeID, _ directions: [NodeID], _ rate: NodeID, _ graph: TensorGraph
  ) -> StepFormula {
    let (back, arithmetic) = (graph.scaled(-1, rate), FormulaArithmetic(graph: graph))
    let params = zip(targets.leaves, directions).map { x, d in FixedStep.step(from: x, back, d, arithmetic) }
    return StepFormula(
      names: targets.names, params: params, value: f, rate: graph.constantValue(rate) == nil ? rate : nil)
  }

  /// H⁻¹·∇f, param by param.
  private func newtonDirections(
    _ f: NodeID, _ targets: Targets, _ gradients: [NodeID], _ graph: TensorGraph
  ) -> [NodeID] {
    let hessian = graph.hessianMatrix(f, wrt: targets.leaves)
    let column = graph.withAxes(graph.concatenated(gradients), [1])
    let flat = graph.summed(graph.matrix(.solve, [hessian, column]), over: [1])
    var start = 0
    return targets.leaves.map { leaf in
      let shape = graph.shape(leaf)
      defer { start += shape.elementCount }
      return graph.reshaped(graph.sliced(flat, axis: 0, start: start, count: shape.elementCount), shape)
    }
  }
}
