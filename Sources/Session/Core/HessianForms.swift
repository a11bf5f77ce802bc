import Calculus
import Engine
import Graph
import Tensors

/// The function and the params of a Hessian that a formula asks for whole.
struct HessianSource {
  let f: NodeID
  let leaves: [NodeID]
}

/// A way to compute a Hessian, and what it takes.
struct HessianForm {
  enum Kind: Equatable {
    /// The symbolic blocks, multiplied out.
    case structured
    /// Products with the rows of an identity matrix, several at a time.
    case products(atATime: Int)
    /// Only the entries that are no structural zeros.
    case sparse
  }

  let kind: Kind
  let computation: any Computation

  /// Products with a whole identity multiply more often than the blocks whenever a form has blocks at all; what an
  /// estimate misses is not worth leaving them for.
  private static let margin = 0.5

  /// Whether this form is taken in place of another: the other does not fit into memory, or costs far more.
  func isBetter(than other: HessianForm, memory limit: Int) -> Bool {
    let (a, b) = (computation, other.computation)
    if (a.workingBytes <= limit) != (b.workingBytes <= limit) { return a.workingBytes <= limit }
    return a.multiplications < Self.margin * b.multiplications
  }
}

extension Interpreter {
  /// Below this many multiplications a plan is run as it is.
  private static var smallWork: Double { 1e8 }
  /// Products that are computed at a time, when there is memory for them.
  private static var productsAtATime: Int { 32 }

  /// Bytes that one computation may take.
  var memoryLimit: Int { state.settings.memoryLimit ?? Machine.memoryBytes / 4 * 3 }

  /// The plan, or where that is too large or too costly one that takes its Hessian by products.
  func withAffordableHessian(_ plan: Plan, _ nodes: [NodeID]) throws -> any Computation {
    guard plan.workingBytes > memoryLimit || plan.multiplications > Self.smallWork,
      let place = nodes.firstIndex(where: { hessians[$0] != nil }), let source = hessians[nodes[place]]
    else { return plan }
    let structured = HessianForm(kind: .structured, computation: plan)
    let products = try byProducts(source)
    guard products.isBetter(than: structured, memory: memoryLimit) else { return plan }
    let others = nodes.indices.filter { $0 != place }
    if others.isEmpty { return products.computation }
    let rest = try Plan(graph, outputs: others.map { nodes[$0] }, precision: plan.precision)
    return JointComputation([(rest, others), (products.computation, [place])], precision: plan.precision)
  }

  /// The Hessian as products H·eᵢ, which are its rows, several at a time; what all have in common is computed once.
  func byProducts(_ source: HessianSource) throws -> HessianForm {
    let directions = source.leaves.map { leaf in
      graph.leaf(Leaf(id: slots.identity(), name: "direction", shape: graph.shape(leaf)))
    }
    let row = graph.concatenated(graph.hvp(source.f, wrt: source.leaves, directions))
    var offset = 0
    let variables = zip(source.leaves, directions).map { leaf, direction -> BatchPlan.Variable in
      defer { offset += graph.shape(leaf).elementCount }
      return BatchPlan.Variable(unitsOf: direction, offset: offset)
    }
    let count = graph.shape(row)[0]
    func plan(_ atATime: Int) throws -> BatchPlan {
      try BatchPlan(
        graph, [row], variables, batch: [count], piece: atATime, precision: state.settings.precision,
        identity: slots.identity)
    }
    var atATime = max(1, min(Self.productsAtATime, count))
    var made = try plan(atATime)
    let result = count * count * state.settings.precision.byteCount
    while made.workingBytes > memoryLimit, result < memoryLimit, atATime > 1 {
      atATime /= 2
      made = try plan(atATime)
    }
    reportProgress(of: made)
    return HessianForm(kind: .products(atATime: atATime), computation: made)
  }
}
