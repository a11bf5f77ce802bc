import Calculus
import Graph
import Tensors
import TestSupport
import Testing

@testable import Engine

/// Plans that keep what depends on unchanged inputs, against plans made anew.
struct StagedPlanTests {
  /// Identities that no other leaf has.
  private final class Identities {
    private var last = 100_000
    func next() -> Int {
      last += 1
      return last
    }
  }

  private func entries(_ shape: Shape, _ random: inout SmallRandom) -> Tensor {
    Tensor((0..<shape.elementCount).map { _ in random.signed() }, shape)
  }

  private func expectClose(_ a: Tensor, _ b: Tensor, _ what: String) {
    #expect(a.shape == b.shape, "\(what)")
    let (x, y) = (a.doubles, b.doubles)
    let size = y.reduce(1) { max($0, $1.isFinite ? $1.magnitude : 0) }
    #expect(
      zip(x, y).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN || ($0 - $1).magnitude <= 1e-11 * size },
      "\(what): \(x.prefix(8)) for \(y.prefix(8))")
  }

  /// Σ tanh(X·W)² and its products H·v, with leaves X 0, W 1 and v 2.
  private struct Setting {
    let graph = TensorGraph()
    let identities = Identities()
    let leaves = [
      Leaf(id: 0, name: "X", shape: [64, 12]), Leaf(id: 1, name: "W", shape: [12, 12]),
      Leaf(id: 2, name: "v", shape: [12, 12]),
    ]
    let outputs: [NodeID]
    let whole: Plan
    let staged: StagedPlan

    init() throws {
      let nodes = leaves.map(graph.leaf)
      let z = graph.contract(1, [Operand(nodes[0], [0, 2]), Operand(nodes[1], [2, 1])], to: [0, 1])
      let t = graph.map(.tanh, z)
      let f = graph.contract(1, [Operand(t, [0, 1]), Operand(t, [0, 1])], to: [])
      outputs = graph.hvp(f, wrt: [nodes[1]], [nodes[2]])
      whole = try Plan(graph, outputs: outputs)
      let ids = identities
      staged = StagedPlan(whole, graph, outputs: outputs, identity: { ids.next() })
    }

    /// A plan's result for values of all leaves.
    func run(_ plan: any Computation, _ values: [Tensor]) throws -> Tensor {
      try plan.run(plan.inputs.map { values[$0.id] })[0]
    }
  }

  @Test func productsShareTheForwardPass() throws {
    let setting = try Setting()
    var random = SmallRandom(seed: 1)
    var values = setting.leaves.map { entries($0.shape, &random) }
    for k in 0..<12 {
      values[2] = entries([12, 12], &random)
      if k == 8 { values[1] = entries([12, 12], &random) }
      expectClose(
        try setting.run(setting.staged, values), try setting.run(setting.whole, values), "run \(k)")
    }
    // One run at each of two points, for nine products.
    #expect(setting.staged.preludeRuns == 2)
  }

  /// Memory that is written in place is other memory while results for it are kept.
  @Test func valuesChangedInPlace() throws {
    let setting = try Setting()
    var random = SmallRandom(seed: 2)
    var values = setting.leaves.map { entries($0.shape, &random) }
    for k in 0..<10 {
      values[2] = entries([12, 12], &random)
      if k >= 5 { values[1][flat: k] += 0.5 }
      let fresh = try Plan(setting.graph, outputs: setting.outputs)
      expectClose(try setting.run(setting.staged, values), try setting.run(fresh, values), "run \(k)")
    }
  }

  /// What stood still at first and then changes each time is not kept for ever.
  @Test func inputsThatBeginToChange() throws {
    let setting = try Setting()
    var random = SmallRandom(seed: 3)
    var values = setting.leaves.map { entries($0.shape, &random) }
    for k in 0..<30 {
      values[2] = entries([12, 12], &random)
      if k > 3 { values[1] = entries([12, 12], &random) }
      expectClose(
        try setting.run(setting.staged, values), try setting.run(setting.whole, values), "run \(k)")
    }
    #expect(setting.staged.preludeRuns == nil)
  }

  /// An input that changes alone leaves nothing to keep; so does none.
  @Test func nothingToKeep() throws {
    let setting = try Setting()
    var random = SmallRandom(seed: 4)
    var values = setting.leaves.map { entries($0.shape, &random) }
    for _ in 0..<6 { _ = try setting.run(setting.staged, values) }
    #expect(setting.staged.preludeRuns == nil)
    for k in 0..<6 {
      values[0] = entries([64, 12], &random)
      expectClose(try setting.run(setting.staged, values), try setting.run(setting.whole, values), "\(k)")
    }
    #expect(setting.staged.preludeRuns == nil)
  }

  /// Stages cost no more than they save: of (A·B)·v, the product of the matrices is not formed for its own sake.
  @Test func orderOfProducts() throws {
    let graph = TensorGraph()
    let (a, b, v) = (
      graph.leaf(Leaf(id: 0, name: "A", shape: [300, 300])),
      graph.leaf(Leaf(id: 1, name: "B", shape: [300, 300])), graph.leaf(Leaf(id: 2, name: "v", shape: [300]))
    )
    let ab = graph.contract(1, [Operand(a, [0, 2]), Operand(b, [2, 1])], to: [0, 1])
    let f = graph.contract(1, [Operand(ab, [0, 1]), Operand(v, [1])], to: [0])
    let whole = try Plan(graph, outputs: [f])
    let ids = Identities()
    #expect(
      try PlanStages(graph, outputs: [f], whole: whole, varying: [2], identity: { ids.next() }) == nil)
  }

  /// A batch in pieces keeps what no variable enters while its inputs stay the same.
  @Test func batches() throws {
    let setting = try Setting()
    let graph = setting.graph
    let all = graph.leaf(Leaf(id: 3, name: "V", shape: [5, 12, 12]))
    let variable = BatchPlan.Variable(leaf: graph.leaf(setting.leaves[2]), values: all, axes: [0])
    let batch = try BatchPlan(
      graph, setting.outputs, [variable], batch: [5], piece: 2, precision: .f64,
      identity: { setting.identities.next() })
    var random = SmallRandom(seed: 5)
    var values = setting.leaves.map { entries($0.shape, &random) }
    for k in 0..<6 {
      if k == 2 { values[1] = entries([12, 12], &random) }
      if k == 4 { values[0][flat: 7] = 3 }
      let directions = (0..<5).map { _ in entries([12, 12], &random) }
      let stacked = Tensor(directions.flatMap(\.doubles), [5, 12, 12])
      let result = try batch.run(batch.inputs.map { $0.id == 3 ? stacked : values[$0.id] })[0]
      let expected = try directions.flatMap { direction in
        values[2] = direction
        return try setting.run(setting.whole, values).doubles
      }
      expectClose(result, Tensor(expected, [5, 12, 12]), "run \(k)")
    }
  }

  /// Random graphs, with leaves that change now and then, in every combination.
  @Test func fuzz() throws {
    var staged = 0
    for seed in 9_000_000..<9_000_300 as Range<UInt64> {
      var made = RandomGraph(seed: seed)
      for _ in 0..<3 { _ = made.leaf(made.shape()) }
      for _ in 0..<(4 + made.random.below(12)) { made.grow() }
      let root = made.pool[made.pool.count - 1]
      let whole = try Plan(made.graph, outputs: [root])
      let ids = Identities()
      // Stages that are not worth while are right all the same.
      let varying = Set(whole.inputs.filter { _ in made.random.chance(0.5) }.map(\.id))
      guard
        let stages = try PlanStages(
          made.graph, outputs: [root], whole: whole, varying: varying, isForced: true,
          identity: { ids.next() })
      else { continue }
      staged += 1
      let plan = StagedPlan(whole, stages)
      var values = made.values
      for round in 0..<6 {
        for leaf in whole.inputs where made.random.chance(varying.contains(leaf.id) ? 0.8 : 0.2) {
          values[leaf.id] = entries(leaf.shape, &made.random)
        }
        let result = try plan.run(plan.inputs.map { values[$0.id] ?? Tensor([], [0]) })[0]
        let expected = try ReferenceInterpreter(graph: made.graph, leaves: values).evaluate(root)
        expectClose(result, expected, "seed \(seed), round \(round)")
      }
    }
    #expect(staged > 60)
  }
}
