import Tensors

/// The results of a plan, kept until it is asked for those of other inputs.
///
/// The inputs' memory is kept too: tensors are copied before they change while someone else holds them, so that the
/// same memory means the same values.
final class KeptResults {
  let plan: Plan
  private var inputs: [Storage] = []
  private var results: [Tensor]?
  /// How often the plan was run.
  private(set) var runs = 0

  init(of plan: Plan) { self.plan = plan }

  /// The results for these inputs, which are the plan's, in its order.
  func results(for values: [Tensor]) throws -> [Tensor] {
    if let results, zip(values, inputs).allSatisfy({ $0.sharedStorage === $1 }) { return results }
    // Old results go first: their memory may serve the new ones.
    results = nil
    let found = try plan.run(values)
    plan.releaseMemory()
    runs += 1
    inputs = values.map(\.sharedStorage)
    results = found
    return found
  }
}
