import Graph

/// Finds the model's output inside a loss, for the generalised Gauss–Newton matrix: the last node that depends on
/// the params before the convex outer function. Known losses: sums of squares, softplus (logistic), and
/// log-sum-exp (cross-entropy).
struct LossRecognition {
  let graph: TensorGraph

  init(_ graph: TensorGraph) { self.graph = graph }

  /// The one node z through which `f` depends on `leaves` and in which f is a sum of squares or a cross-entropy.
  func output(of f: NodeID, wrt leaves: [NodeID]) -> NodeID? {
    let order = graph.reachable(from: [f])
    var active = Set(leaves)
    for id in order where graph[id].operands.contains(where: { active.contains($0.node) }) { active.insert(id) }
    var candidates: [NodeID] = []
    for id in order where active.contains(id) {
      let node = graph[id]
      switch node.op {
      case .map(.power(2)), .map(.softplus): candidates.append(node.operands[0].node)
      case .contract where node.operands.count == 2 && node.operands[0] == node.operands[1] && node.sumsLabels:
        candidates.append(node.operands[0].node)
      case .reduceMax: candidates.append(node.operands[0].node)
      default: break
      }
    }
    // The candidate nearest to the loss that separates it from the leaves.
    return candidates.sorted().reversed().first { z in
      let outside = graph.reachable(from: [f], stoppingAt: [z])
      return !outside.contains { leaves.contains($0) && $0 != z }
    }
  }
}
