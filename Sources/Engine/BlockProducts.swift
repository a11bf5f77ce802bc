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
  private var plans: [Int: (lanes: PlanLanes, sources: [Source])] = [:]
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
    try plan(for: count).lanes.plan.workingBytes + prelude.plan.workingBytes
  }

  /// Takes values for `inputs` and computes what all products have in common.
  public func prepare(_ values: [Tensor]) throws {
    self.values = values
    shared = try prelude.results(for: prelude.plan.inputs.map { values[inputs.place(of: $0) ?? 0] })
  }

  /// The formula on each row of a k×n block.
  public func run(_ block: Tensor) throws -> Tensor {
    let count = block.shape[0]
    let rows = try rowsTogether(count)
    guard rows < count else { return try run(block, plan(for: count)) }
    var result = Tensor(uninitialized: block.shape, precision)
    let bytes = block.shape[1] * precision.byteCount
    let target = result.uniquePointer()
    let source = block.sharedStorage.pointer
    /// Rows from `first` on, into their place.
    func compute(_ first: Int, _ rows: Int, _ plan: Plan, _ sources: [Source]) throws {
      var part = Tensor(uninitialized: [rows, block.shape[1]], precision)
      part.uniquePointer().copyMemory(from: source + first * bytes, byteCount: rows * bytes)
      let product = try plan.run(arguments(part, sources))[0]
      (target + first * bytes).copyMemory(from: product.sharedStorage.pointer, byteCount: rows * bytes)
    }
    try withExtendedLifetime((block, result)) {
      let (lanes, sources) = try plan(for: rows)
      try lanes.run(count / rows) { plan, k in try compute(k * rows, rows, plan, sources) }
      let left = count % rows
      if left > 0 {
        let (lanes, sources) = try plan(for: left)
        try compute(count - left, left, lanes.plan, sources)
      }
    }
    return result
  }

  /// Rows that one thread takes through the whole formula: as few as keep it busy, when what lies between fits into the
  /// cache of a core. It depends on nothing but the formula and the count: results do not depend on the threads.
  private func rowsTogether(_ count: Int) throws -> Int {
    guard count > 1 else { return count }
    let plan = try plan(for: count).lanes.plan
    let (work, bytes) = (plan.multiplications / Double(count), plan.arenaBytes / count)
    let rows = Int(min(Double(count), (Self.leastWork / max(work, 1)).rounded(.up)))
    return bytes <= Self.cachedBytes && 2 * rows <= count ? rows : count
  }

  private static let leastWork = 200_000.0
  private static let cachedBytes = 4 << 20

  private func run(_ block: Tensor, _ planned: (lanes: PlanLanes, sources: [Source])) throws -> Tensor {
    try planned.lanes.plan.run(arguments(block, planned.sources))[0]
  }

  private func arguments(_ block: Tensor, _ sources: [Source]) -> [Tensor] {
    sources.map { source -> Tensor in
      switch source {
      case .input(let k): return values[k]
      case .shared(let k): return shared[k]
      case .block: return block
      }
    }
  }

  private func plan(for count: Int) throws -> (lanes: PlanLanes, sources: [Source]) {
    if let known = plans[count] { return known }
    let image = graph.leaf(Leaf(id: vector.id, name: vector.name, shape: [count] + vector.shape))
    let plan = try Plan(
      graph, outputs: graph.batched(split.formulas, [direction: image], count: count), precision: precision)
    let sources = plan.inputs.map { leaf -> Source in
      if leaf.id == vector.id { return .block }
      if let k = split.leaves.place(of: leaf) { return .shared(k) }
      return .input(inputs.place(of: leaf) ?? 0)
    }
    let made = (lanes: PlanLanes(plan), sources: sources)
    plans[count] = made
    return made
  }
}
