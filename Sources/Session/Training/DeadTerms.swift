import Graph
import Syntax

extension CommandCall {
  /// Warns of terms of the objective that depend on params but have no gradient by what their formula says (`stop`, steps,
  /// rounding): they would look like a penalty and do nothing.
  func warnOfDeadTerms() throws {
    let found = try interpreter.evaluate(key: CommandKey(command, "dead terms"), owner: command) {
      elaborator in
      .tuple(try deadTerms(elaborator).map { .string($0) })
    }
    guard case .tuple(let terms) = found else { return }
    for case .string(let term) in terms {
      warn(
        "\(term) of \(objectiveName) depends on params, but its gradient is zero by its form: it changes no step (stop, "
          + "comparisons and rounding are constant to derivatives)")
    }
  }

  private func deadTerms(_ elaborator: Elaborator) throws -> [String] {
    let graph = elaborator.graph
    let f = try scalarNode(elaborator)
    let targets = try elaborator.targets(wrt(elaborator), of: [f], command.span)
    let leaves = Set(targets.leaves)
    let terms = graph.summands(of: f)
    // Sums written by loops have no penalties to look for.
    guard terms.count <= 64 else { return [] }
    return terms.filter { term in
      graph.leaves(below: [term]).contains(where: leaves.contains)
        && graph.grad(term, wrt: targets.leaves).allSatisfy(graph.isZero)
    }.map { term in graph.names[term].map { "the term \($0)" } ?? "a term" }
  }
}

extension TensorGraph {
  /// The nodes that a sum adds; the node itself when it is no sum.
  fileprivate func summands(of node: NodeID) -> [NodeID] {
    if case .add = self[node].op { return self[node].operands.map(\.node) }
    return [node]
  }
}
