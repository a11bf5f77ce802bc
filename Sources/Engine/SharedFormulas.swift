import Graph

/// Formulas with the largest parts that no variable enters replaced by leaves, which are computed once for many values of
/// the variables.
struct SharedFormulas {
  /// The parts, and the leaf that stands for each.
  let shared: [NodeID]
  let leaves: [Leaf]
  /// The formulas over those leaves.
  let formulas: [NodeID]

  init(_ graph: TensorGraph, _ formulas: [NodeID], variables: Set<NodeID>, identity: () -> Int) {
    shared = SharedNodes(graph, formulas, variables).found
    leaves = shared.map { Leaf(id: identity(), name: "shared", shape: graph.shape($0)) }
    let replaced = Dictionary(uniqueKeysWithValues: zip(shared, leaves.map(graph.leaf)))
    self.formulas = graph.substitute(formulas, replaced)
  }
}

/// The largest parts of formulas that no variable enters, save views and what loops read in a form of their own.
private struct SharedNodes {
  let graph: TensorGraph
  private(set) var found: [NodeID] = []

  init(_ graph: TensorGraph, _ elements: [NodeID], _ variables: Set<NodeID>) {
    self.graph = graph
    let order = graph.reachable(from: elements, stoppingAt: variables)
    let dependent = graph.dependents(of: variables, in: order)
    var seen = Set<NodeID>()
    var pending = elements.filter { !dependent.contains($0) }
    for id in order where dependent.contains(id) && !variables.contains(id) {
      pending += graph[id].operands.map(\.node).filter { !dependent.contains($0) }
    }
    while let id = pending.popLast() {
      guard seen.insert(id).inserted, graph.constantValue(id) == nil else { continue }
      let node = graph[id]
      switch node.op {
      case .leaf, .tensor, .selector: continue
      // A quotient needs the divisor below its reciprocal; a table is no array.
      case .stop, .table, .map(.reciprocal): pending += node.operands.map(\.node)
      case .contract(1) where node.operands.count == 1 && !node.sumsLabels:
        pending += node.operands.map(\.node)
      default: found.append(id)
      }
    }
    found.sort()
  }
}
