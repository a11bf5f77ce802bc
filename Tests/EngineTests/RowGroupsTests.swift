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

  private func instructions(_ plan: Plan) -> [GemmInstruction] {
    plan.instructions.compactMap { $0 as? GemmInstruction }
  }

  /// The product of gates and derivatives is made within the product that skips: no loop is left, whatever the order.
  @Test(arguments: [true, false]) func gatesGoIntoTheProduct(samplesFirst: Bool) throws {
    let plan = try gated(samplesFirst, .f64)
    let found = try #require(instructions(plan).first)
    #expect(found.skipping?.prepare != nil && found.skipping?.ways.allSatisfy { $0.gated != nil } == true)
    #expect(plan.listing.contains { $0.hasPrefix("gemm gated") }, "\(plan.listing)")
    #expect(!plan.listing.contains { $0.hasPrefix("loop") && $0.contains("×\(inner), 1 ops") })
  }

  /// Gates that are all open leave nothing to skip: the product makes its rows and is BLAS's.
  @Test(arguments: [true, false]) func openGates(samplesFirst: Bool) throws {
    var leaves = inputs(samplesFirst)
    leaves[0] = Tensor([Double](repeating: 1, count: samples * inner), [samples, inner])
    let rows = [0, 41, 399]
    let result = try run(try gated(samplesFirst, .f64), leaves)
    for (row, values) in zip(rows, expected(leaves, samplesFirst, rows: rows)) {
      #expect(zip(result[(row * wide)...], values).allSatisfy { ($0 - $1).magnitude <= 1e-13 })
    }
  }

  /// A derivative that is not finite makes NaN behind a closed gate, too.
  @Test func infiniteDerivative() throws {
    var leaves = inputs(true)
    var gates = leaves[0]?.doubles ?? []
    gates[3] = -1
    leaves[0] = Tensor(gates, [samples, inner])
    var derivatives = leaves[1]?.doubles ?? []
    derivatives[2 * inner + 3] = .infinity
    leaves[1] = Tensor(derivatives, [samples, outputs, inner])
    let result = try run(try gated(true, .f64), leaves)
    for (place, value) in result.enumerated() {
      #expect(place / wide == 2 ? value.isNaN : value.isFinite)
    }
  }

  /// Rows that something else reads are made as before.
  @Test func rowsWithOtherReaders() throws {
    let (gates, derivatives, weights) = (
      leaf(0, [samples, inner]), leaf(1, [samples, outputs, inner]), leaf(2, [wide, inner])
    )
    let open = graph.contract(
      1, [Operand(graph.map(.step, gates), [0, 2]), Operand(derivatives, [0, 1, 2])], to: [0, 1, 2])
    let product = graph.contract(1, [Operand(open, [0, 1, 9]), Operand(weights, [2, 9])], to: [0, 1, 2])
    let plan = try Plan(graph, outputs: [product, open], precision: .f64)
    #expect(instructions(plan).allSatisfy { $0.skipping?.prepare == nil })
    let leaves = inputs(true)
    let results = try plan.run(plan.inputs.map { leaves[$0.id] ?? Tensor([], [0]) })
    for (row, values) in zip([7, 390], expected(leaves, true, rows: [7, 390])) {
      #expect(
        zip(results[0].doubles[(row * wide)...], values).allSatisfy { ($0 - $1).magnitude <= 1e-13 })
    }
  }

  /// A product of gated rows with themselves reads them on both sides: they are made as before.
  @Test(arguments: [Precision.f64, .f32]) func bothSides(precision: Precision) throws {
    let (gates, derivatives) = (leaf(0, [samples, inner]), leaf(1, [samples, outputs, inner]))
    let open = graph.contract(
      1, [Operand(graph.map(.step, gates), [0, 2]), Operand(derivatives, [0, 1, 2])], to: [0, 1, 2])
    let rows = graph.contract(
      0.5, [Operand(open, [0, 1, 9]), Operand(open, [2, 3, 9])], to: [0, 1, 2, 3])
    let plan = try Plan(graph, outputs: [rows], precision: precision)
    #expect(instructions(plan).contains { $0.skipping != nil }, "\(plan.listing)")
    let leaves = inputs(true)
    let result = try run(plan, leaves)
    let (g, d) = (leaves[0]?.doubles ?? [], leaves[1]?.doubles ?? [])
    func made(_ row: Int) -> [Double] {
      (0..<inner).map { (g[row / outputs * inner + $0] > 0 ? 1 : 0) * d[row * inner + $0] }
    }
    for row in [0, 17, 399] {
      for column in [0, 17, 18, 250] {
        let exact = zip(made(row), made(column)).reduce(0) { $0 + 0.5 * $1.0 * $1.1 }
        let error = (result[row * samples * outputs + column] - exact).magnitude
        #expect(error < (precision == .f64 ? 1e-13 : 3e-5), "\(row) \(column)")
      }
    }
  }

  /// Two products read the same gated rows.
  @Test func twoProducts() throws {
    let (gates, derivatives) = (leaf(0, [samples, inner]), leaf(1, [samples, outputs, inner]))
    let (weights, others) = (leaf(2, [wide, inner]), leaf(3, [wide, inner]))
    let open = graph.contract(
      1, [Operand(graph.map(.step, gates), [0, 2]), Operand(derivatives, [0, 1, 2])], to: [0, 1, 2])
    let products = [weights, others].map {
      graph.contract(1, [Operand(open, [0, 1, 9]), Operand($0, [2, 9])], to: [0, 1, 2])
    }
    let plan = try Plan(graph, outputs: products, precision: .f64)
    #expect(instructions(plan).allSatisfy { $0.skipping?.prepare == nil })
    var leaves = inputs(true)
    leaves[3] = values([wide, inner], 5)
    let results = try plan.run(plan.inputs.map { leaves[$0.id] ?? Tensor([], [0]) })
    for (result, weight) in zip(results, [2, 3]) {
      var own = leaves
      own[2] = leaves[weight]
      for (row, values) in zip([3, 398], expected(own, true, rows: [3, 398])) {
        #expect(
          zip(result.doubles[(row * wide)...], values).allSatisfy { ($0 - $1).magnitude <= 1e-13 })
      }
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

  /// The instruction itself skips where a quarter of the columns of groups is zero and the weights are finite.
  @Test(arguments: [(0.6, false, true), (0.1, false, false), (0.6, true, false)])
  func skips(share: Double, isInfinite: Bool, expected: Bool) throws {
    let (groups, members, n, k) = (64, 10, 200, 300)
    let skipping = try #require(
      ZeroSkipping(rows: [groups, members], n: n, k: k, .f64, newBuffer: { _ in 3 }))
    func matrix(_ buffer: Int, _ leading: Int) -> GemmInstruction.Matrix {
      GemmInstruction.Matrix(buffer: buffer, offset: 0, leading: leading, transposed: false, batchStrides: [])
    }
    let gemm = GemmInstruction(
      matrix(0, k), matrix(1, n), matrix(2, n), m: groups * members, n: n, k: k, batch: [], alpha: 1,
      accumulate: false, skipping: skipping)
    var a = values([groups * members, k], 0).doubles
    for row in 0..<(groups * members) {
      for column in 0..<k where Double((row / members * 31 + column * 17) % 100) < 100 * share {
        a[row * k + column] = 0
      }
    }
    var b = values([k, n], 1).doubles
    if isInfinite { b[n + 7] = -.infinity }
    let room = try #require(skipping.ways.first?.room(n: n, k: k, .f64))
    let buffers = [
      a, b, [Double](repeating: .nan, count: groups * members * n), [Double](repeating: .nan, count: room),
    ]
    .map { values in
      let memory = UnsafeMutablePointer<Double>.allocate(capacity: values.count)
      memory.initialize(from: values, count: values.count)
      return memory
    }
    defer { for buffer in buffers { buffer.deallocate() } }
    let table = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: buffers.count)
    defer { table.deallocate() }
    for (k, buffer) in buffers.enumerated() { table[k] = UnsafeMutableRawPointer(buffer) }
    #expect(skipping.multiply(gemm, Memory(table: table, precision: .f64)) == expected)
    guard expected else { return #expect(buffers[2][0].isNaN) }
    for row in [0, 9, 10, 333, 639] {
      for column in [0, 1, 31, 32, 199] {
        let exact = (0..<k).reduce(0) { $0 + a[row * k + $1] * b[$1 * n + column] }
        #expect((buffers[2][row * n + column] - exact).magnitude < 1e-13)
      }
    }
  }

  /// The workspace is bounded, however many rows there are, and no product without groups has one.
  @Test func workspace() throws {
    func room(_ rows: [Int], _ n: Int, _ k: Int) -> Int? {
      var found: Int?
      _ = ZeroSkipping(rows: rows, n: n, k: k, .f32) {
        found = $0
        return 0
      }
      return found
    }
    let small = try #require(room([128, 10], 1000, 1000))
    #expect(small < 1_000_000 + 32_000 + 600_000)
    #expect(room([100_000, 10], 1000, 1000) == small)
    #expect(room([128, 10], 5000, 5000) == nil)
    #expect(room([1280], 1000, 1000) == nil)
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
