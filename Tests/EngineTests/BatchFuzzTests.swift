import Graph
import Tensors
import TestSupport
import Testing

@testable import Engine

/// Random graphs for a batch of values of some leaves, against the same graphs one entry at a time.
struct BatchFuzzTests {
  /// A graph, the leaves that vary, and their values for each entry.
  private struct Batch {
    var made: RandomGraph
    let root: NodeID
    let count: Int
    var variables: [(leaf: NodeID, id: Int, values: Tensor)] = []

    init(seed: UInt64) {
      var random = RandomGraph(seed: seed)
      var leaves: [NodeID] = []
      for _ in 0..<3 { leaves.append(random.leaf(random.shape())) }
      for _ in 0..<(2 + random.random.below(9)) { random.grow() }
      root = random.pool[random.pool.count - 1]
      count = 1 + random.random.below(4)
      for leaf in leaves.prefix(1 + random.random.below(2)) {
        guard let info = random.graph.leaf(of: leaf) else { continue }
        var entries: [Double] = []
        for _ in 0..<(count * info.shape.elementCount) { entries.append(random.random.signed()) }
        variables.append((leaf, info.id, Tensor(entries, [count] + info.shape)))
      }
      made = random
    }

    /// By the definition, entry after entry.
    func expected() throws -> [Double] {
      try (0..<count).flatMap { k -> [Double] in
        var values = made.values
        for (_, id, all) in variables {
          let size = all.count / count
          values[id] = Tensor(Array(all.doubles[(k * size)..<((k + 1) * size)]), Array(all.shape.dropFirst()))
        }
        return try ReferenceInterpreter(graph: made.graph, leaves: values).evaluate(root).doubles
      }
    }
  }

  private func expectEqual(_ a: Tensor, _ b: [Double], _ shape: Shape, _ what: String) {
    #expect(a.shape == shape, "\(what)")
    let size = b.reduce(1) { max($0, $1.isFinite ? $1.magnitude : 0) }
    let same =
      a.count == b.count
      && zip(a.doubles, b).allSatisfy { x, y in
        x == y || x.isNaN && y.isNaN || (x - y).magnitude <= 1e-11 * size
      }
    #expect(same, "\(what): \(a.doubles.prefix(12)) for \(b.prefix(12))")
  }

  /// Values from outside, and values that are constants of the graph.
  @Test(arguments: [false, true]) func oneByOne(areConstant: Bool) throws {
    for seed in 5_000_000..<5_000_500 as Range<UInt64> {
      var batch = Batch(seed: seed)
      let graph = batch.made.graph
      var images: [NodeID: NodeID] = [:]
      for (k, variable) in batch.variables.enumerated() {
        let leaf = Leaf(id: 900 + k, name: "v\(k)", shape: variable.values.shape)
        images[variable.leaf] = areConstant ? graph.constant(variable.values) : graph.leaf(leaf)
        batch.made.values[leaf.id] = variable.values
      }
      let all = graph.batched([batch.root], images, count: batch.count)
      let plan = try Plan(graph, outputs: all)
      let result = try plan.run(plan.inputs.map { batch.made.values[$0.id] ?? Tensor([], [0]) })
      expectEqual(result[0], try batch.expected(), [batch.count] + graph.shape(batch.root), "seed \(seed)")
    }
  }

  @Test func inPieces() throws {
    for seed in 6_000_000..<6_000_300 as Range<UInt64> {
      var batch = Batch(seed: seed)
      let graph = batch.made.graph
      var next = 1000
      func identity() -> Int {
        next += 1
        return next
      }
      let variables = batch.variables.map { variable -> BatchPlan.Variable in
        let leaf = Leaf(id: identity(), name: "v", shape: variable.values.shape)
        batch.made.values[leaf.id] = variable.values
        return BatchPlan.Variable(leaf: variable.leaf, values: graph.leaf(leaf), axes: [0])
      }
      let plan = try BatchPlan(
        graph, [batch.root], variables, batch: [batch.count], piece: 1 + Int(seed % 3), precision: .f64,
        identity: identity)
      let result = try plan.run(plan.inputs.map { batch.made.values[$0.id] ?? Tensor([], [0]) })
      expectEqual(result[0], try batch.expected(), [batch.count] + graph.shape(batch.root), "seed \(seed)")
    }
  }

  /// A batch of batches: the product of the domains.
  @Test func nested() throws {
    for seed in 7_000_000..<7_000_200 as Range<UInt64> {
      var made = RandomGraph(seed: seed, RandomGraph.Options())
      var leaves: [NodeID] = []
      for _ in 0..<2 { leaves.append(made.leaf(made.shape())) }
      for _ in 0..<(2 + made.random.below(7)) { made.grow() }
      let (graph, root) = (made.graph, made.pool[made.pool.count - 1])
      let counts = [2, 3]
      var node = root
      var domains: [Tensor] = []
      for k in [1, 0] {
        let shape = [counts[k]] + graph.shape(leaves[k])
        var entries: [Double] = []
        for _ in 0..<shape.elementCount { entries.append(made.random.signed()) }
        let domain = Tensor(entries, shape)
        node = graph.batched([node], [leaves[k]: graph.constant(domain)], count: counts[k])[0]
        domains.insert(domain, at: 0)
      }
      var expected: [Double] = []
      for i in 0..<counts[0] {
        for j in 0..<counts[1] {
          var values = made.values
          for (leaf, (domain, entry)) in zip([0, 1], zip(domains, [i, j])) {
            let size = domain.count / counts[leaf]
            values[leaf] = Tensor(
              Array(domain.doubles[(entry * size)..<((entry + 1) * size)]), Array(domain.shape.dropFirst()))
          }
          expected += try ReferenceInterpreter(graph: graph, leaves: values).evaluate(root).doubles
        }
      }
      let plan = try Plan(graph, outputs: [node])
      let result = try plan.run(plan.inputs.map { made.values[$0.id] ?? Tensor([], [0]) })
      expectEqual(result[0], expected, counts + graph.shape(root), "seed \(seed)")
    }
  }

  @Test func emptyBatch() throws {
    let graph = TensorGraph()
    let x = graph.leaf(Leaf(id: 0, name: "x", shape: [3]))
    let none = graph.leaf(Leaf(id: 1, name: "none", shape: [0, 3]))
    let all = graph.batched([graph.map(.exp, x)], [x: none], count: 0)
    #expect(graph.shape(all[0]) == [0, 3])
    let plan = try Plan(graph, outputs: all)
    #expect(try plan.run(plan.inputs.map { _ in Tensor([], [0, 3]) })[0].count == 0)
  }

  /// What no variable enters is not repeated.
  @Test func sharedPartsStayAsTheyAre() throws {
    let graph = TensorGraph()
    let x = graph.leaf(Leaf(id: 0, name: "x", shape: [50, 4]))
    let w = graph.leaf(Leaf(id: 1, name: "w", shape: [4]))
    let fixed = graph.map(.exp, x)
    let product = graph.contract(1, [Operand(fixed, [0, 1]), Operand(w, [1])], to: [0])
    let many = graph.leaf(Leaf(id: 2, name: "many", shape: [7, 4]))
    let all = graph.batched([product], [w: many], count: 7)[0]
    #expect(graph.shape(all) == [7, 50])
    #expect(graph.reachable(from: [all]).contains(fixed))
    #expect(graph.reachable(from: [all]).allSatisfy { graph.shape($0).elementCount <= 350 })
  }

  /// `x[i + 1]` for all i is a slice, and no gather.
  @Test func regularPositionsAreSlices() throws {
    let graph = TensorGraph()
    let x = graph.leaf(Leaf(id: 0, name: "x", shape: [9]))
    let i = graph.leaf(Leaf(id: 1, name: "i", shape: []))
    let next = graph.affine(1, 2, i)
    let entry = graph.contract(1, [Operand(x, [0]), Operand(graph.table(9, next), [0])], to: [])
    let range = graph.constant(Tensor(vector: [0, 1, 2, 3]))
    let all = graph.batched([entry], [i: range], count: 4)[0]
    let slice = graph.selector(.slice(start: 1, step: 2, count: 4), [9, 4])
    #expect(all == graph.contract(1, [Operand(x, [0]), Operand(slice, [0, 1])], to: [1]))
  }
}
