import Graph

/// The largest parts of formulas that no variable enters, save views and what loops read in a form of their own.
struct SharedNodes {
  let graph: TensorGraph
  private(set) var found: [NodeID] = []

  init(_ graph: TensorGraph, _ elements: [NodeID], _ variables: Set<NodeID>) {
    self.graph = graph
    let order = graph.reachable(from: elements, stoppingAt: variables)
    var dependent = variables
    for id in order where graph[id].operands.contains(where: { dependent.contains($0.node) }) {
      dependent.insert(id)
    }
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
