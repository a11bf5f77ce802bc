import Calculus
import Graph
import Tensors

/// Splits a loss for the generalised Gauss–Newton matrix: a sum of known convex functions, each of an output of the
/// model. Known are sums of squares, softplus (logistic loss) and log-sum-exp (cross-entropy); what is linear in the
/// outputs has no curvature of its own.
struct LossRecognition {
  /// One convex function and the output that it takes.
  struct Part {
    /// The convex function with its weight in the loss.
    let loss: NodeID
    let output: NodeID
    /// The convex function itself.
    let function: NodeID
  }

  private let graph: TensorGraph
  /// Nodes that depend on what derivatives are taken by.
  private var active: Set<NodeID>
  /// Convex functions found, with their outputs.
  private var found: [(node: NodeID, output: NodeID)] = []
  /// Where the loss is not linear, and no known function.
  private var others: [NodeID] = []

  init(_ graph: TensorGraph) {
    self.graph = graph
    active = []
  }

  /// The terms of `f`; nil when it is not made of known functions alone.
  mutating func terms(of f: NodeID, wrt leaves: [NodeID]) -> [Part]? {
    active = Set(leaves)
    for id in graph.reachable(from: [f]) {
      if case .stop = graph[id].op { continue }
      if graph[id].operands.contains(where: { active.contains($0.node) }) { active.insert(id) }
    }
    descend(from: f)
    guard !found.isEmpty else { return nil }
    // The label's score in a cross-entropy is linear in the output, though its formula may be nested otherwise.
    let inside = Set(graph.reachable(from: found.map(\.output)))
    guard others.allSatisfy(inside.contains) else { return nil }
    return found.map { term in
      if term.node == f { return Part(loss: f, output: term.output, function: term.node) }
      // The loss is linear in each of its convex functions, so its gradient by one is that one's weight.
      let axes = Array(graph.shape(term.node).indices)
      let weight = graph.grad(f, wrt: [term.node])[0]
      let loss = graph.contract(1, [Operand(weight, axes), Operand(term.node, axes)], to: [])
      return Part(loss: loss, output: term.output, function: term.node)
    }
  }

  /// Walks down through what is linear.
  private mutating func descend(from f: NodeID) {
    var seen = Set<NodeID>()
    var stack = [f]
    while let id = stack.popLast() {
      guard active.contains(id), seen.insert(id).inserted else { continue }
      let node = graph[id]
      if let output = convexArgument(node) {
        found.append((id, output))
        continue
      }
      let inner = node.operands.filter { active.contains($0.node) }
      switch node.op {
      case .add: stack += inner.map(\.node)
      case .contract where inner.count == 1: stack.append(inner[0].node)
      case .leaf: break
      default: others.append(id)
      }
    }
  }

  /// The argument of a known convex function.
  private func convexArgument(_ node: Node) -> NodeID? {
    let inner = node.operands.filter { active.contains($0.node) }
    switch node.op {
    case .map(.power(2)), .map(.softplus): return inner.first?.node
    case .contract where inner.count == 2 && inner[0] == inner[1]: return inner[0].node
    case .map(.log): return inner.first.flatMap { exponent(of: $0.node) }
    default: return nil
    }
  }

  /// y, for Σ exp(y).
  private func exponent(of sum: NodeID) -> NodeID? {
    var node = graph[sum]
    if case .contract = node.op {
      guard node.operands.count == 1 else { return nil }
      node = graph[node.operands[0].node]
    }
    if case .map(.exp) = node.op { return node.operands[0].node }
    return nil
  }
}
