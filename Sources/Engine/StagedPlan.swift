import Graph
import Tensors

/// A plan that is run again and again. It watches which of its inputs change; where much depends on the others alone,
/// that part is run once and its results are kept (`PlanStages`): products of a Hessian with many vectors at one
/// point share the forward pass.
///
/// Whether an input is the same is told by its memory, which is kept as well, so that kept results are never those of
/// other values. When inputs that stood still begin to change, it is one plan again.
public final class StagedPlan: Computation {
  /// The computation in one plan.
  public let whole: Plan
  private var state: State

  private enum State {
    case watching(Watch)
    case staged(Staged)
    /// One plan from now on.
    case settled
  }

  /// What is known of the inputs, and what stages are built from.
  private struct Watch {
    let graph: TensorGraph
    let outputs: [NodeID]
    let limits: MemoryLimits
    let identity: () -> Int
    /// The memory of each input in the last run; whether it still lives is not known.
    var last: [ObjectIdentifier] = []
    var changes: [Int]
    var runs = 0

    mutating func note(_ values: [Tensor]) {
      let now = values.map { ObjectIdentifier($0.sharedStorage) }
      if runs > 0 {
        for k in now.indices where now[k] != last[k] { changes[k] += 1 }
      }
      last = now
      runs += 1
    }

    /// The same from the beginning, with the last run as the first.
    var again: Watch {
      var copy = self
      copy.runs = 1
      return copy
    }
  }

  private final class Staged {
    let rest: Plan
    let prelude: KeptResults
    let preludeInputs: [Int]
    let sources: [Source]
    var runs = 0

    enum Source {
      case input(Int)
      case prelude(Int)
    }

    init(_ stages: PlanStages, inputs: [Leaf]) {
      func place(_ leaf: Leaf) -> Int { inputs.place(of: leaf) ?? 0 }
      rest = stages.rest
      prelude = KeptResults(of: stages.prelude)
      preludeInputs = stages.prelude.inputs.map(place)
      sources = stages.sources.map { source in
        switch source {
        case .leaf(let leaf): return .input(place(leaf))
        case .prelude(let k): return .prelude(k)
        }
      }
    }

    func run(_ values: [Tensor]) throws -> [Tensor] {
      let kept = try prelude.results(for: preludeInputs.map { values[$0] })
      runs += 1
      return try rest.run(
        sources.map { source in
          switch source {
          case .input(let k): return values[k]
          case .prelude(let k): return kept[k]
          }
        })
    }

    /// Most runs found other inputs than the one before.
    var isUseless: Bool { prelude.runs > 4 && 2 * prelude.runs > runs }
  }

  /// Runs until it is decided which inputs change.
  private static let watchedRuns = 3

  /// - Parameters:
  ///   - whole: the plan for `outputs` of the graph.
  ///   - identity: makes identities of leaves.
  public init(
    _ whole: Plan, _ graph: TensorGraph, outputs: [NodeID], limits: MemoryLimits = MemoryLimits(),
    identity: @escaping () -> Int
  ) {
    self.whole = whole
    let canStage = whole.inputs.count > 1
    state =
      canStage
      ? .watching(
        Watch(
          graph: graph, outputs: outputs, limits: limits, identity: identity,
          changes: [Int](repeating: 0, count: whole.inputs.count))) : .settled
  }

  /// In these stages from the first run on.
  init(_ whole: Plan, _ stages: PlanStages) {
    self.whole = whole
    state = .staged(Staged(stages, inputs: whole.inputs))
  }

  public var precision: Precision { whole.precision }
  public var inputs: [Leaf] { whole.inputs }
  public var workingBytes: Int { whole.workingBytes }
  public var multiplications: Double { whole.multiplications }
  public var largestBuffer: Int { whole.largestBuffer }
  public var stepCount: Int { whole.stepCount }
  public var isScalar: Bool { whole.isScalar }
  public var listing: [String] { whole.listing }

  /// How often the part that is kept was computed; nil while all is computed in each run.
  var preludeRuns: Int? { if case .staged(let staged) = state { staged.prelude.runs } else { nil } }

  public func run(_ values: [Tensor]) throws -> [Tensor] {
    switch state {
    case .settled: return try whole.run(values)
    case .watching(var watch):
      let results = try whole.run(values)
      watch.note(values)
      state = watch.runs < Self.watchedRuns ? .watching(watch) : try decided(watch)
      return results
    case .staged(let staged):
      let results = try staged.run(values)
      if staged.isUseless { state = .settled }
      return results
    }
  }

  /// Stages, if they are worth while.
  private func decided(_ watch: Watch) throws -> State {
    let varying = zip(inputs, watch.changes).filter { $1 > 0 }.map(\.0.id)
    // Nothing changes: it may be asked again for what changes later.
    if varying.isEmpty { return .watching(watch.again) }
    if varying.count == inputs.count { return .settled }
    let stages = try PlanStages(
      watch.graph, outputs: watch.outputs, whole: whole, varying: Set(varying), limits: watch.limits,
      identity: watch.identity)
    guard let stages else { return .settled }
    stages.rest.progress = whole.progress
    whole.releaseMemory()
    return .staged(Staged(stages, inputs: inputs))
  }
}
