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
