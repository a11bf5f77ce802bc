import Engine
import Graph
import Tensors

/// Formulas for many values of some leaves as one batched evaluation: the points are one more label of the graph, and what
/// does not depend on the leaves is computed once. Points run in pieces, so that memory stays bounded however many there
/// are; a run tells its progress and stops when the user interrupts.
final class PointBatch {
  private let interpreter: Interpreter
  private let elements: [NodeID]
  private let varying: [Leaf]
  private let label: String
  private var plans: [Int: BatchPlan] = [:]

  private static let largestPiece = 1024
  /// Marks the placeholders of landscapes among those of functions.
  static let scope = -9

  /// - Parameter label: what the points are for, in the progress line.
  init(_ interpreter: Interpreter, _ elements: [NodeID], varying: [Leaf], label: String) {
    self.interpreter = interpreter
    self.elements = elements
    self.varying = varying
    self.label = label
  }

  /// Whether the formulas depend on a leaf at all.
  func varies(with leaf: Leaf) -> Bool {
    let graph = interpreter.graph
    return graph.leaves(below: elements).contains { graph.leaf(of: $0)?.id == leaf.id }
  }

  /// The formulas at each point: tensors of shape [points] + the formula's. Throws `EngineError`.
  ///
  /// - Parameters:
  ///   - columns: for each varying leaf its values, of shape [points] + the leaf's.
  ///   - known: values of other leaves, where they are not the present ones.
  func callAsFunction(_ columns: [Tensor], known: [Int: Tensor] = [:]) throws -> [Tensor] {
    let count = columns.first?.shape.first ?? 0
    let tables = varying.enumerated().map { place, leaf in
      interpreter.placeholderLeaf("points", [count] + leaf.shape, function: Self.scope, depth: -1 - place)
    }
    let plan = try self.plan(count, tables)
    let precision = interpreter.state.settings.precision
    return try plan.run(
      plan.inputs.map { leaf in
        if let place = tables.firstIndex(where: { $0.id == leaf.id }) {
          return columns[place].converted(to: precision)
        }
        return try known[leaf.id] ?? interpreter.inputValue(leaf)
      })
  }

  private func plan(_ count: Int, _ tables: [Leaf]) throws -> BatchPlan {
    if let plan = plans[count] { return plan }
    let graph = interpreter.graph
    let precision = interpreter.state.settings.precision
    let single = try Plan(graph, outputs: elements, precision: precision)
    try interpreter.checkMemory(single)
    let piece = BatchPlan.piece(bytesEach: single.arenaBytes, of: min(count, Self.largestPiece))
    let variables = zip(varying, tables).map {
      BatchPlan.Variable(leaf: graph.leaf($0), values: graph.leaf($1), axes: [0])
    }
    let plan = try BatchPlan.multipliedOut(
      graph, elements, variables, batch: [count], piece: piece, precision: precision,
      limit: interpreter.memoryLimit, identity: interpreter.slots.identity)
    try interpreter.checkMemory(plan)
    interpreter.reportProgress(of: plan, label: label)
    plans[count] = plan
    return plan
  }
}
