import Graph
import Tensors

/// A computation in two plans: what depends on inputs alone that stay the same, and the rest, which finds the results
/// of the former among its inputs.
public struct PlanStages {
  /// Where the rest finds an input.
  public enum Source {
    case leaf(Leaf)
    /// A result of the prelude.
    case prelude(Int)
  }

  public let prelude: Plan
  public let rest: Plan
  /// For each input of `rest`.
  public let sources: [Source]

  /// What a run of the prelude may cost, and what the rest must save, as shares of the whole in one plan.
  private static let (preludeLimit, restLimit) = (1.5, 0.92)
  /// Plans that take less (in nanoseconds) are left as they are.
  private static let leastTime = 3000.0

  /// Nil where it is not worth the memory: little depends on fixed inputs alone, or only in an order of products that
  /// costs far more than that of the whole.
  ///
  /// - Parameters:
  ///   - whole: the plan for `outputs` in one.
  ///   - varying: identities of the leaves whose values change from run to run.
  ///   - identity: makes identities of leaves.
  public init?(
    _ graph: TensorGraph, outputs: [NodeID], whole: Plan, varying: Set<Int>,
    limits: MemoryLimits = MemoryLimits(), identity: () -> Int
  ) throws {
    try self.init(
      graph, outputs: outputs, whole: whole, varying: varying, limits: limits, isForced: false,
      identity: identity)
  }

  /// - Parameter isForced: whether it is worth while or not.
  init?(
    _ graph: TensorGraph, outputs: [NodeID], whole: Plan, varying: Set<Int>,
    limits: MemoryLimits = MemoryLimits(), isForced: Bool, identity: () -> Int
  ) throws {
    guard isForced || whole.nanoseconds > Self.leastTime,
      whole.inputs.contains(where: { !varying.contains($0.id) })
    else { return nil }
    let variables = Set(
      graph.reachable(from: outputs).filter { node in
        graph.leaf(of: node).map { varying.contains($0.id) } ?? false
      })
    let split = SharedFormulas(graph, outputs, variables: variables, identity: identity)
    let shared = split.shared
    let bytes = shared.reduce(0) { $0 + graph.shape($1).elementCount * whole.precision.byteCount }
    guard !shared.isEmpty, !outputs.allSatisfy(shared.contains),
      isForced || bytes <= 1 << 20 + 2 * whole.workingBytes
    else { return nil }
    let prelude = try Plan(graph, outputs: shared, precision: whole.precision, limits: limits)
    if !isForced, prelude.nanoseconds > Self.preludeLimit * whole.nanoseconds { return nil }
    let rest = try Plan(graph, outputs: split.formulas, precision: whole.precision, limits: limits)
    if !isForced, rest.nanoseconds > Self.restLimit * whole.nanoseconds { return nil }
    self.prelude = prelude
    self.rest = rest
    sources = rest.inputs.map { leaf in
      split.leaves.place(of: leaf).map { .prelude($0) } ?? .leaf(leaf)
    }
  }
}
