import Graph
import Syntax

extension CommandCall {
  /// Warns of terms of the objective that depend on params but have no gradient by what their formula says (`stop`, steps,
  /// rounding): they would look like a penalty and do nothing.
  func warnOfDeadTerms() throws {
    let elaborator = interpreter.elaborator()
    let graph = elaborator.graph
    let f = try scalarNode(elaborator)
    let targets = try elaborator.targets(wrt(elaborator), of: [f], command.span)
    let leaves = Set(targets.leaves)
    let terms = graph.summands(of: f)
    // Sums written by loops have no penalties to look for.
    guard terms.count <= 64 else { return }
    for term in terms {
      guard graph.leaves(below: [term]).contains(where: leaves.contains),
        graph.grad(term, wrt: targets.leaves).allSatisfy(graph.isZero)
      else { continue }
      let name = graph.names[term].map { "the term \($0)" } ?? "a term"
      warn(
        "\(name) of \(objectiveName) depends on params, but its gradient is zero by its form: it changes no step (stop, "
          + "comparisons and rounding are constant to derivatives)")
    }
  }
}

extension TensorGraph {
  /// The nodes that a sum adds; the node itself when it is no sum.
  fileprivate func summands(of node: NodeID) -> [NodeID] {
    if case .add = self[node].op { return self[node].operands.map(\.node) }
    return [node]
  }
}
