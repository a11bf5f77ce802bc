import Engine
import Tensors

/// What a segment computes from registers alone that its loop does not assign. It is run when one of these has another
/// value than in the run before; its results are inputs of the segment's plan.
final class LoopPrelude {
  private let plan: Plan
  private let inputs: [Register]
  private let memory: [Storage]
  /// Versions of the inputs that the results belong to.
  private var versions: [Int]?

  init(_ plan: Plan, inputs: [Register]) {
    self.plan = plan
    self.inputs = inputs
    memory = plan.resultCounts.map { Storage(byteCount: $0 * plan.precision.byteCount) }
  }

  /// Makes the results those of the present values. Throws like a plan.
  func update() throws {
    if let versions, isCurrent(versions) { return }
    versions = nil
    for k in inputs.indices { plan.bind(input: k, to: inputs[k].pointer) }
    for k in memory.indices { plan.bind(result: k, to: memory[k].pointer) }
    try plan.execute()
    versions = inputs.map(\.version)
  }

  private func isCurrent(_ versions: [Int]) -> Bool {
    for k in inputs.indices where inputs[k].version != versions[k] { return false }
    return true
  }

  /// Where an output's entries are after an update.
  func pointer(_ output: Int) -> UnsafeMutableRawPointer? {
    switch plan.outputPlaces[output] {
    case .result(let place): return memory[place].pointer
    case .input(let place): return inputs[place].pointer
    case .constant(let tensor): return tensor.sharedStorage.pointer
    case .empty: return nil
    }
  }
}
