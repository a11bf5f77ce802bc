import Engine
import Graph
import Tensors

extension Interpreter {
  /// Intermediate results of a comprehension beyond this many bytes are computed in pieces.
  private static var wholeBytes: Int { 4 << 20 }

  /// The plan for formulas; a comprehension whose intermediate results are large runs in pieces, and so does a
  /// Hessian whose structured form does not fit into memory.
  func computation(of nodes: [NodeID]) throws -> any Computation {
    let limits = MemoryLimits(total: memoryLimit)
    let plan = try Plan(graph, outputs: nodes, precision: state.settings.precision, limits: limits)
    plan.progress = { [weak self] in self?.report($0) }
    guard let first = nodes.first, let batch = batches[first], batch.results == nodes else {
      let form = try withAffordableHessian(plan, nodes)
      return form === plan ? staged(plan, nodes, limits) : form
    }
    let total = batch.counts.elementCount
    guard total > 1, plan.arenaBytes > Self.wholeBytes else {
      return staged(plan, nodes, limits)
    }
    let piece = BatchPlan.piece(bytesEach: plan.arenaBytes / total, of: total)
    let pieces = try BatchPlan.multipliedOut(
      graph, batch.elements, batch.variables, batch: batch.counts, piece: piece, precision: plan.precision,
      limit: memoryLimit, identity: slots.identity)
    reportProgress(of: pieces)
    return pieces
  }

  /// A plan that does not compute again what depends on values alone that stay the same.
  private func staged(_ plan: Plan, _ nodes: [NodeID], _ limits: MemoryLimits) -> StagedPlan {
    StagedPlan(plan, graph, outputs: nodes, limits: limits, identity: slots.identity)
  }

  /// Shows how far a long run has come, and what it is for.
  func reportProgress(of pieces: BatchPlan, label: String? = nil) {
    var reported = Machine.now
    pieces.report = { [weak self] done, total in
      guard done < total, Machine.now - reported > 0.5 else { return }
      reported = Machine.now
      self?.output(.progress((label.map { "\($0): " } ?? "") + "\(100 * done / total)%"))
    }
  }
}
