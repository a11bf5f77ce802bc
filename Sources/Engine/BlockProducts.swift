import Graph
import Tensors

/// A linear formula of one vector, evaluated on many: what the vector does not enter is computed once, and kept until
/// other inputs come.
///
/// Not for use by two threads at once.
public final class BlockProducts {
  public let precision: Precision
  /// The leaves, other than the vector, whose values `prepare` takes, in order.
  public let inputs: [Leaf]

  private let graph: TensorGraph
  private let split: SharedFormulas
  private let direction: NodeID
  private let vector: Leaf
  private let prelude: KeptResults
  private var plans: [Int: (plan: Plan, sources: [Source])] = [:]
  private var values: [Tensor] = []
  private var shared: [Tensor] = []

  private enum Source {
    case input(Int)
    case shared(Int)
    case block
  }

  /// - Parameters:
  ///   - product: a formula of shape [n], linear in `direction`.
  ///   - direction: a leaf of shape [n].
  ///   - identity: makes identities of leaves.
  public init(
    _ graph: TensorGraph, product: NodeID, direction: NodeID, precision: Precision, identity: () -> Int
  ) throws {
    self.graph = graph
    self.precision = precision
    self.direction = direction
    split = SharedFormulas(graph, [product], variables: [direction], identity: identity)
    vector = Leaf(id: identity(), name: "vector", shape: graph.shape(direction))
    prelude = KeptResults(of: try Plan(graph, outputs: split.shared, precision: precision))
    inputs = graph.leaves(below: [product]).filter { $0 != direction }.compactMap(graph.leaf(of:))
  }

  /// Bytes of memory that a product with `count` vectors needs besides its inputs.
  public func workingBytes(for count: Int) throws -> Int {
    try plan(for: count).plan.workingBytes + prelude.plan.workingBytes
  }

  /// Takes values for `inputs` and computes what all products have in common.
  public func prepare(_ values: [Tensor]) throws {
    self.values = values
    shared = try prelude.results(
      for: prelude.plan.inputs.map { leaf in
        values[inputs.firstIndex { $0.id == leaf.id } ?? 0]
      })
  }

  /// The formula on each row of a k×n block.
  public func run(_ block: Tensor) throws -> Tensor {
    let (plan, sources) = try plan(for: block.shape[0])
    let arguments = sources.map { source -> Tensor in
      switch source {
      case .input(let k): return values[k]
      case .shared(let k): return shared[k]
      case .block: return block
      }
    }
    return try plan.run(arguments)[0]
  }

  private func plan(for count: Int) throws -> (plan: Plan, sources: [Source]) {
    if let known = plans[count] { return known }
    let image = graph.leaf(Leaf(id: vector.id, name: vector.name, shape: [count] + vector.shape))
    let plan = try Plan(
      graph, outputs: graph.batched(split.formulas, [direction: image], count: count), precision: precision)
    let sources = plan.inputs.map { leaf -> Source in
      if leaf.id == vector.id { return .block }
      if let k = split.leaves.firstIndex(where: { $0.id == leaf.id }) { return .shared(k) }
      return .input(inputs.firstIndex { $0.id == leaf.id } ?? 0)
    }
    plans[count] = (plan, sources)
    return (plan, sources)
  }
}
