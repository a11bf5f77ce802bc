import Graph
import Tensors

extension BatchPlan {
  /// How many entries, of `total`, are computed at a time when each has so many bytes of intermediate results: as many
  /// as fit into the cache of one core.
  public static func piece(bytesEach: Int, of total: Int) -> Int {
    min(max((512 << 10) / max(bytesEach, 1), 1), total)
  }

  /// A plan for formulas in which products with what is affine in the variables are multiplied out where that is faster
  /// (`TensorGraph.multipliedOut`), and that fits into memory. Parameters as of `init`.
  ///
  /// - Parameter limit: bytes that the plan may work in when it multiplies out.
  public static func multipliedOut(
    _ graph: TensorGraph, _ elements: [NodeID], _ variables: [Variable], batch: Shape, piece: Int,
    precision: Precision, limit: Int, identity: @escaping () -> Int
  ) throws -> BatchPlan {
    func plan(_ elements: [NodeID]) throws -> BatchPlan {
      try BatchPlan(
        graph, elements, variables, batch: batch, piece: piece, precision: precision, identity: identity)
    }
    let faster = graph.multipliedOut(
      elements, variables: Set(variables.map(\.leaf)), count: batch.elementCount)
    guard faster != elements else { return try plan(elements) }
    let result = try plan(faster)
    guard result.workingBytes <= limit else { return try plan(elements) }
    result.plain = Fallback { try plan(elements) }
    return result
  }

  /// Formulas as they were written, for values that are not finite: 0·∞ in a product that was multiplied out is not what
  /// stands there.
  final class Fallback {
    private let make: () throws -> BatchPlan
    private var made: BatchPlan?

    init(_ make: @escaping () throws -> BatchPlan) { self.make = make }

    /// On values for the leaves `given`.
    func run(_ values: [Tensor], _ given: [Leaf], _ report: ((Int, Int) -> Void)?) throws -> [Tensor] {
      let plan = try made ?? make()
      made = plan
      plan.report = report
      return try plan.run(
        plan.inputs.map { leaf in values[given.place(of: leaf) ?? 0] })
    }
  }
}
