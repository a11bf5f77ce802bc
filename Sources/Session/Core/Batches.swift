import Engine
import Graph
import Tensors

extension Interpreter {
  /// Intermediate results of a comprehension beyond this many bytes are computed in pieces of about as many.
  private static var pieceBytes: Int { 2 << 20 }

  /// The plan for formulas; a comprehension whose intermediate results are large runs in pieces, and so does a
  /// Hessian whose structured form does not fit into memory.
  func computation(of nodes: [NodeID]) throws -> any Computation {
    let plan = try Plan(
      graph, outputs: nodes, precision: state.settings.precision, limits: MemoryLimits(total: memoryLimit))
    plan.progress = { [weak self] in self?.report($0) }
    guard let first = nodes.first, let batch = batches[first], batch.results == nodes else {
      return try withAffordableHessian(plan, nodes)
    }
    let total = batch.counts.elementCount
    guard total > 1, plan.arenaBytes > 2 * Self.pieceBytes else { return plan }
    let each = max(plan.arenaBytes / total, 1)
    let piece = min(max(Self.pieceBytes / each, 1), total)
    let pieces = try BatchPlan(
      graph, batch.elements, batch.variables, batch: batch.counts, piece: piece, precision: plan.precision,
      identity: slots.identity)
    reportProgress(of: pieces)
    return pieces
  }

  /// Shows how far a long run has come.
  func reportProgress(of pieces: BatchPlan) {
    var reported = Machine.now
    pieces.report = { [weak self] done, total in
      guard done < total, Machine.now - reported > 0.5 else { return }
      reported = Machine.now
      self?.output(.progress("\(100 * done / total)%"))
    }
  }
}
