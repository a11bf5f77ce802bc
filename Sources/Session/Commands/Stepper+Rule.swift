import Graph
import Optimization
import Tensors

/// Steps of update rules as plans: the function, its gradient, the params after the step and what the rule remembers
/// then are computed together, in the session's precision.
extension Stepper {
  /// One step of training from the present point on the present draw, and the next draw; gives the function before the
  /// step. Gradients longer than `clip` are shortened to it. When it fails, nothing has changed.
  func train(clip: Double?, afterMove: Bool) throws -> Double {
    let names = try targetNames()
    if let rule = presentMethod(names) as? any UpdateRule, let value = try train(rule, names, clip) {
      return value
    }
    let before = try evaluation(afterMove: afterMove)
    try advance(from: before.clipped(to: clip))
    return before.value
  }

  /// Nil where something is not finite: the way by evaluations says what it is.
  private func train<R: UpdateRule>(_ rule: R, _ names: [String], _ clip: Double?) throws -> Double? {
    var rule = rule
    let known = ruleInput(rule, clip, names)
    // Of the command, as its plan is: its options may have other values each time that it runs.
    let key = CommandKey(call.command, "rule \(clip != nil)")
    let step = try interpreter.withRuleInput(key, known.input) { leaf in
      try call.ruleStep(R.remembered, known.shapes, rule, key, clips: clip != nil, leaf)
    }
    guard step.value.isFinite, step.squaredNorm.isFinite else { return nil }
    rule.state = RuleState(count: known.count + 1, vectors: step.memory)
    try committing {
      interpreter.recordStep()
      let norm = step.squaredNorm.squareRoot()
      interpreter.notePoint(value: step.value, gradientNorm: norm)
      interpreter.move(names, to: step.params)
      try interpreter.redraw()
      keep(rule)
    }
    return step.value
  }

  /// The numbers of the rule's formula, and the vectors that it remembers.
  private func ruleInput<R: UpdateRule>(_ rule: R, _ clip: Double?, _ names: [String]) -> (
    input: [Tensor], shapes: [Shape], count: Int
  ) {
    let precision = interpreter.state.settings.precision
    let shapes = interpreter.paramShapes(names)
    let state = rule.state.fitting(shapes.reduce(0) { $0 + $1.elementCount })
    let numbers = rule.coefficients(step: state.count + 1) + (clip.map { [$0] } ?? [])
    let vectors = state.pieces(R.remembered.count, shapes, precision).joined()
    return (numbers.map { Tensor(scalar: $0, precision) } + vectors, shapes, state.count)
  }
}

/// What a plan of a rule gives.
struct RuleStep {
  let value: Double
  /// ‖∇f‖².
  let squaredNorm: Double
  let params: [Tensor]
  let memory: [[Tensor]]
}

extension CommandCall {
  /// A step by a rule whose numbers and memory are leaves.
  fileprivate func ruleStep<R: UpdateRule>(
    _ remembered: [String], _ shapes: [Shape], _ rule: R, _ key: CommandKey, clips: Bool,
    _ leaf: (Int, Shape) -> Leaf
  ) throws -> RuleStep {
    let result = try interpreter.evaluate(key: key, owner: command) {
      elaborator in
      let f = try scalarNode(elaborator)
      let targets = try elaborator.targets(wrt(elaborator), of: [f], command.span)
      let graph = elaborator.graph
      // Each gradient is computed once, as it stands.
      var gradients = graph.grad(f, wrt: targets.leaves).map { graph.stop($0) }
      let squares = graph.add(gradients.map { graph.innerProduct($0, $0) }, shape: [])
      let count = rule.coefficients(step: 1).count
      let numbers = (0..<count).map { graph.leaf(leaf($0, [])) }
      if clips { gradients = graph.clipped(gradients, squares, to: graph.leaf(leaf(count, []))) }
      let first = count + (clips ? 1 : 0)
      let arithmetic = FormulaArithmetic(graph: graph)
      var (params, memory): ([NodeID], [[NodeID]]) = ([], remembered.map { _ in [] })
      for (k, (x, gradient)) in zip(targets.leaves, gradients).enumerated() {
        let held = remembered.indices.map { graph.leaf(leaf(first + $0 * shapes.count + k, shapes[k])) }
        let next = rule.update(x, gradient, held, numbers, arithmetic)
        params.append(next.x)
        for (name, node) in next.memory.enumerated() { memory[name].append(node) }
      }
      return .tuple([.node(f), .node(squares)] + (params + memory.joined()).map { .node($0) })
    }
    let tensors = result.tensors
    let pieces = stride(from: 2, to: tensors.count, by: shapes.count).map {
      Array(tensors[$0..<$0 + shapes.count])
    }
    return RuleStep(
      value: tensors[0].scalarValue, squaredNorm: tensors[1].scalarValue, params: pieces[0],
      memory: Array(pieces.dropFirst()))
  }
}

extension TensorGraph {
  /// Gradients with ‖g‖² = `squares`, shortened to a length where they are longer.
  fileprivate func clipped(_ gradients: [NodeID], _ squares: NodeID, to length: NodeID) -> [NodeID] {
    let inverse = map(.reciprocal, map(.sqrt, squares))
    let factor = map(.min, fill(1), multiplied(length, inverse))
    return gradients.map { scaled($0, by: factor) }
  }
}

/// Formulas as the vectors of a rule.
struct FormulaArithmetic: UpdateArithmetic {
  let graph: TensorGraph

  func combination(_ terms: [(scale: NodeID?, vector: NodeID)]) -> NodeID {
    graph.add(terms.map { scaled($0.vector, by: $0.scale) }, shape: graph.shape(terms[0].vector))
  }

  func product(_ a: NodeID, _ b: NodeID) -> NodeID { graph.multiplied(a, b) }

  func sum(
    _ x: NodeID, _ s: NodeID, _ a: NodeID, overRootOf b: NodeID, times t: NodeID?, plus epsilon: NodeID
  ) -> NodeID {
    let (shape, axes) = (graph.shape(x), graph.axes(x))
    let root = graph.map(.sqrt, scaled(b, by: t))
    let divisor = graph.add(
      [Summand(1, Operand(root, axes)), Summand(1, Operand(epsilon, []))], shape: shape)
    let inverse = graph.map(.reciprocal, divisor)
    let move = graph.contract(1, [Operand(s, []), Operand(a, axes), Operand(inverse, axes)], to: axes)
    return graph.add([x, move], shape: shape)
  }

  private func scaled(_ vector: NodeID, by scale: NodeID?) -> NodeID {
    scale.map { graph.scaled(vector, by: $0) } ?? vector
  }
}

extension Interpreter {
  /// Runs with leaves that stand for these tensors, by their places.
  fileprivate func withRuleInput<T>(
    _ key: CommandKey, _ input: [Tensor], _ body: ((Int, Shape) -> Leaf) throws -> T
  ) rethrows -> T {
    let binding = ruleInputs[key] ?? slots.identity()
    ruleInputs[key] = binding
    procedureResults[binding] = .tuple(input.map { .tensor($0) })
    defer { procedureResults[binding] = nil }
    return try body { place, shape in
      let id = slots.leafID("rule", binding: binding, frameTag: nil, path: [place], isResult: true)
      return Leaf(id: id, name: "rule", shape: shape)
    }
  }
}

extension Evaluation {
  /// With a gradient of at most this length.
  fileprivate func clipped(to length: Double?) -> Evaluation {
    guard let length, gradientNorm > length else { return self }
    var result = self
    let factor = length / gradientNorm
    result.gradient = gradient.map { factor * $0 }
    return result
  }
}
