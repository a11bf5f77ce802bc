import CKernels
import Graph
import Tensors
import TestSupport
import Testing

@testable import Engine

/// Products whose rows share zeros, as derivatives of the outputs of a rectifier network do.
struct RowGroupsTests: GraphTest {
  let graph = TensorGraph()
  private let samples = 40
  private let outputs = 10
  private let inner = 300
  private let wide = 290

  /// Gates of each sample times what they let through, times weights: the samples outermost, or the outputs.
  private func gated(_ samplesFirst: Bool, _ precision: Precision) throws -> Plan {
    let gates = leaf(0, [samples, inner])
    let shape = samplesFirst ? [samples, outputs] : [outputs, samples]
    let (derivatives, weights) = (leaf(1, shape + [inner]), leaf(2, [wide, inner]))
    let open = graph.contract(
      1,
      [
        Operand(graph.map(.step, gates), [samplesFirst ? 0 : 1, 2]), Operand(derivatives, [0, 1, 2]),
      ], to: [0, 1, 2])
    let product = graph.contract(1, [Operand(open, [0, 1, 9]), Operand(weights, [2, 9])], to: [0, 1, 2])
    return try Plan(graph, outputs: [product], precision: precision)
  }

  private func inputs(_ samplesFirst: Bool) -> [Int: Tensor] {
    let shape = samplesFirst ? [samples, outputs] : [outputs, samples]
    return [0: values([samples, inner], 0), 1: values(shape + [inner], 1), 2: values([wide, inner], 2)]
  }

  private func run(_ plan: Plan, _ leaves: [Int: Tensor]) throws -> [Double] {
    try plan.run(plan.inputs.map { leaves[$0.id] ?? Tensor([], [0]) })[0].doubles
  }

  /// Σₖ gate·derivative·weight for some rows.
  private func expected(_ leaves: [Int: Tensor], _ samplesFirst: Bool, rows: [Int]) -> [[Double]] {
    let (g, d, w) = (leaves[0]?.doubles ?? [], leaves[1]?.doubles ?? [], leaves[2]?.doubles ?? [])
    return rows.map { row in
      let sample = samplesFirst ? row / outputs : row % samples
      let left = (0..<inner).map { (g[sample * inner + $0] > 0 ? 1 : 0) * d[row * inner + $0] }
      return (0..<wide).map { j in zip(left, w[(j * inner)...]).reduce(0) { $0 + $1.0 * $1.1 } }
    }
  }

  private func groups(_ plan: Plan) -> [RowGroups] {
    plan.instructions.compactMap { ($0 as? GemmInstruction)?.skipping?.ways }.flatMap { $0 }
  }

  @Test(arguments: [true, false]) func gates(samplesFirst: Bool) throws {
    let leaves = inputs(samplesFirst)
    let rows = [0, 1, 39, 40, 57, 399]
    let exact = expected(leaves, samplesFirst, rows: rows)
    for (precision, tolerance) in [(Precision.f64, 1e-13), (.f32, 3e-5)] {
      let plan = try gated(samplesFirst, precision)
      let found = groups(plan)
      #expect(found.contains { $0.members == outputs && $0.groups == samples }, "\(plan.listing)")
      let result = try run(plan, leaves)
      for (row, values) in zip(rows, exact) {
        let near = zip(result[(row * wide)...], values).allSatisfy { ($0 - $1).magnitude <= tolerance }
        #expect(near, "\(precision) \(row)")
      }
      // Every bit is the same on one thread.
      hk_team_limit(1)
      defer { hk_team_limit(0) }
      #expect(try run(plan, leaves) == result)
    }
  }

  /// A weight that is infinite makes NaN of every gate that is closed, as it does without skipping.
  @Test func infiniteWeights() throws {
    var leaves = inputs(true)
    var weights = leaves[2]?.doubles ?? []
    weights[5 * inner + 3] = .infinity
    leaves[2] = Tensor(weights, [wide, inner])
    let result = try run(try gated(true, .f64), leaves)
    for row in 0..<(samples * outputs) {
      let isOpen = (leaves[0]?.doubles[row / outputs * inner + 3] ?? 0) > 0
      #expect(result[row * wide + 5].isNaN == !isOpen)
      #expect(!result[row * wide + 5].isFinite && result[row * wide + 4].isFinite)
    }
  }

  @Test func waysToTakeRows() {
    func members(_ sizes: [Int], n: Int = 500, k: Int = 500) -> [[Int]] {
      RowGroups.ways(sizes, n: n, k: k).map { [$0.groups, $0.members, $0.groupStep, $0.memberStep] }
    }
    #expect(members([128, 10]) == [[128, 10, 10, 1]])
    #expect(members([10, 128]) == [[128, 10, 1, 128]])
    #expect(members([20, 10]) == [[20, 10, 10, 1], [10, 20, 1, 10]])
    #expect(members([16, 8, 10]) == [[128, 10, 10, 1], [80, 16, 1, 80]])
    #expect(members([1280]).isEmpty)
    #expect(members([128, 100]).isEmpty)
    #expect(members([128, 10], k: 32).isEmpty)
    #expect(members([128, 10], n: 50).isEmpty)
  }
}
