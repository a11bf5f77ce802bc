import CKernels
import Foundation
import Graph
import Tensors
import TestSupport
import Testing

@testable import Calculus
@testable import Engine

/// Reductions of arrays that are not stored: in tiles, with next to no memory, they give what the whole array gives,
/// every bit the same on one thread and on all.
@Suite(.serialized) struct TiledReductionTests {
  let graph = TensorGraph()
  /// Forces tiles on arrays of a few hundred entries, at any price.
  let tiny = MemoryLimits(total: 4800, stored: 2400, tile: 4000)

  func leaf(_ id: Int, _ name: String, _ shape: Shape) -> NodeID {
    graph.leaf(Leaf(id: id, name: name, shape: shape))
  }

  func axes(_ id: NodeID) -> [Int] { Array(graph.shape(id).indices) }

  func summed(_ x: NodeID, keeping kept: [Label] = []) -> NodeID {
    graph.contract(1, [Operand(x, axes(x))], to: kept)
  }

  func product(_ a: NodeID, _ la: [Label], _ b: NodeID, _ lb: [Label], to result: [Label]) -> NodeID {
    graph.contract(1, [Operand(a, la), Operand(b, lb)], to: result)
  }

  func inputs(_ plan: Plan) -> [Tensor] {
    plan.inputs.map { leaf in
      Tensor(
        (0..<leaf.shape.elementCount).map {
          MapFunction.sin(Double($0) * Double($0) * 0.7 + Double($0) + Double(leaf.id))
        }, leaf.shape)
    }
  }

  /// softmax cross-entropy of tanh(X·W + b)·V (or relu), with its params.
  func network(_ f: MapFunction = .tanh, n: Int = 7, _ a: Int = 5, _ b: Int = 6, _ c: Int = 3)
    -> (loss: NodeID, params: [NodeID])
  {
    let x = leaf(1, "X", [n, a])
    let w = leaf(2, "W", [a, b])
    let bias = leaf(3, "b", [b])
    let v = leaf(4, "V", [b, c])
    let z = graph.add(
      [
        Summand(1, Operand(product(x, [0, 2], w, [2, 1], to: [0, 1]), [0, 1])),
        Summand(1, Operand(bias, [1])),
      ],
      shape: [n, b])
    let out = product(graph.map(f, z), [0, 2], v, [2, 1], to: [0, 1])
    let logs = graph.map(.log, graph.contract(1, [Operand(graph.map(.exp, out), [0, 1])], to: [0]))
    let target = leaf(5, "y", [n, c])
    let loss = graph.add(
      [
        Summand(1, Operand(summed(logs), [])),
        Summand(-1, Operand(product(out, [0, 1], target, [0, 1], to: []), [])),
      ], shape: [])
    return (loss, [w, bias, v])
  }

  /// Runs the outputs in tiles and stored, and compares; the tiled plan holds no array beyond the limit.
  /// `needsTiles` is false where a stored plan may do without large arrays as well.
  @discardableResult
  func check(
    _ outputs: [NodeID], limits: MemoryLimits? = nil, _ precision: Precision = .f64, needsTiles: Bool = true,
    _ place: SourceLocation = #_sourceLocation
  ) throws -> Plan {
    let limits = limits ?? tiny
    let stored = try Plan(untiled: graph, outputs: outputs, precision: precision)
    let tiled = try Plan(graph, outputs: outputs, precision: precision, limits: limits)
    let expected = try stored.run(inputs(stored))
    let results = try runOnTeams(tiled, place)
    if needsTiles {
      #expect(isTiled(tiled), "\(tiled.listing.joined(separator: "\n"))", sourceLocation: place)
    }
    #expect(
      tiled.largestBuffer * precision.byteCount <= limits.stored, "\(tiled.largestBuffer)",
      sourceLocation: place)
    for (a, b) in zip(results, expected) {
      let size = b.doubles.reduce(1e-3) { max($0, $1.magnitude) }
      let tolerance = (precision == .f64 ? 1e-12 : 1e-5) * size
      #expect(a.shape == b.shape, sourceLocation: place)
      #expect(
        zip(a.doubles, b.doubles).allSatisfy { abs($0 - $1) <= tolerance },
        "\(a.doubles.prefix(8)) for \(b.doubles.prefix(8))", sourceLocation: place)
    }
    return tiled
  }

  func isTiled(_ plan: Plan) -> Bool { plan.listing.contains { $0.hasPrefix("tiles") } }

  /// Runs on one thread and on all, which makes no difference.
  func runOnTeams(_ plan: Plan, _ place: SourceLocation = #_sourceLocation) throws -> [Tensor] {
    hk_team_limit(1)
    defer { hk_team_limit(0) }
    let alone = try plan.run(inputs(plan))
    hk_team_limit(0)
    for (a, b) in zip(try plan.run(inputs(plan)), alone) {
      #expect(
        zip(a.doubles, b.doubles).allSatisfy { $0.bitPattern == $1.bitPattern }, sourceLocation: place)
    }
    return alone
  }

  /// Rows, columns, sums, maxima, norms, diagonal, trace and blocks against the whole matrix, which the reference
  /// interpreter computes by definition.
  @Test(arguments: zip([MapFunction.tanh, .relu], [Precision.f64, .f32]))
  func allFormsAgainstTheDefinition(_ f: MapFunction, _ precision: Precision) throws {
    let (loss, params) = network(f, n: 4, 3, 4, 2)
    let h = graph.hessianMatrix(loss, wrt: params)
    let p = graph.shape(h)[0]
    var reference = ReferenceInterpreter(graph: graph)
    let leaves = try Plan(untiled: graph, outputs: [loss], precision: .f64)
    for (leaf, value) in zip(leaves.inputs, inputs(leaves)) {
      reference.leaves[leaf.id] = value.converted(to: precision)
    }
    let entries = try reference.evaluate(h).doubles
    let rows = (0..<p).map { i in (0..<p).map { entries[i * p + $0] } }
    let size = graph.map(.abs, h)
    let counts = params.map { graph.shape($0).elementCount }
    let forms: [(NodeID, [Double])] = [
      (summed(size, keeping: [0]), rows.map { $0.reduce(0) { $0 + abs($1) } }),
      (summed(h, keeping: [1]), (0..<p).map { j in rows.reduce(0) { $0 + $1[j] } }),
      (summed(size), [entries.reduce(0) { $0 + abs($1) }]),
      (graph.reduceMax(size, axes: [0]), (0..<p).map { j in rows.map { abs($0[j]) }.max() ?? 0 }),
      (graph.reduceMax(h, axes: [0, 1]), [entries.max() ?? 0]),
      (product(h, [0, 1], h, [0, 1], to: []), [entries.reduce(0) { $0 + $1 * $1 }]),
      (product(h, [0, 1], h, [0, 1], to: [0]), rows.map { $0.reduce(0) { $0 + $1 * $1 } }),
      (graph.contract(1, [Operand(h, [0, 0])], to: [0]), (0..<p).map { rows[$0][$0] }),
      (graph.contract(1, [Operand(h, [0, 0])], to: []), [(0..<p).reduce(0) { $0 + rows[$1][$1] }]),
    ]
    let limits = MemoryLimits(total: 2000, stored: 70 * precision.byteCount, tile: 250 * precision.byteCount)
    for (k, (node, exact)) in forms.enumerated() {
      let plan = try Plan(graph, outputs: [node], precision: precision, limits: limits)
      let found = try runOnTeams(plan)[0].doubles
      let scale = exact.reduce(1) { max($0, $1.magnitude) }
      let tolerance = (precision == .f64 ? 1e-12 : 2e-5) * scale
      #expect(found.count == exact.count)
      #expect(zip(found, exact).allSatisfy { abs($0 - $1) <= tolerance }, "form \(k): \(found) for \(exact)")
      if k < 7 { #expect(isTiled(plan), "form \(k)") }
      #expect(plan.largestBuffer < p * p / 4, "form \(k): \(plan.largestBuffer)")
    }
    // A block of the matrix alone: nothing of the rest is computed.
    let block = graph.contract(
      1,
      [
        Operand(h, [2, 3]),
        Operand(
          graph.selector(.slice(start: counts[0], step: 1, count: counts[1]), [p, counts[1]]), [2, 0]),
        Operand(graph.selector(.slice(start: 0, step: 1, count: counts[0]), [p, counts[0]]), [3, 1]),
      ], to: [0, 1])
    let plan = try Plan(graph, outputs: [block], precision: precision, limits: limits)
    let found = try runOnTeams(plan)[0].doubles
    let tolerance = precision == .f64 ? 1e-12 : 2e-5
    for i in 0..<counts[1] {
      for j in 0..<counts[0] {
        #expect(abs(found[i * counts[0] + j] - rows[counts[0] + i][j]) < tolerance)
      }
    }
    #expect(plan.largestBuffer < p * p / 4)
    let place = graph.selector(.oneHot(counts[0] + 1), [p])
    let row = graph.contract(1, [Operand(h, [1, 0]), Operand(place, [1])], to: [0])
    let one = try Plan(graph, outputs: [row], precision: precision, limits: limits)
    #expect(one.largestBuffer < p * p / 4)
    for (a, b) in zip(try runOnTeams(one)[0].doubles, rows[counts[0] + 1]) {
      #expect(abs(a - b) < tolerance)
    }
  }

  @Test(arguments: [Precision.f64, .f32]) func oneLayer(_ precision: Precision) throws {
    let (loss, params) = network()
    let h = graph.hessianMatrix(loss, wrt: [params[0]])
    let size = graph.map(.abs, h)
    try check([summed(size, keeping: [0])], precision)
    try check([summed(size, keeping: [1])], precision)
    try check([summed(size)], precision)
    try check([summed(graph.map(.power(2), h))], precision)
    try check([summed(graph.map(.relu, h), keeping: [1])], precision)
    try check([graph.reduceMax(size, axes: [1])], precision)
    try check([graph.reduceMax(h, axes: [0, 1])], precision)
    try check([product(h, [0, 1], h, [0, 1], to: [])], precision)
  }

  /// Several reductions of one array share its tiles.
  @Test func severalAtOnce() throws {
    let (loss, params) = network(.relu)
    let size = graph.map(.abs, graph.hessianMatrix(loss, wrt: [params[0]]))
    let plan = try check([summed(size, keeping: [0]), graph.reduceMax(size, axes: [0]), summed(size)])
    #expect(plan.listing.count { $0.hasPrefix("tiles") } == 1)
    #expect(plan.listing.contains { $0.hasPrefix("tiles") && $0.contains("4 symmetries") })
  }

  /// Blocks of several params, mirrored ones and an empty one among them; what is not zero at zero too.
  @Test func severalParams() throws {
    let (loss, params) = network()
    let apart = leaf(9, "u", [30])
    let f = graph.add([loss, summed(graph.map(.power(4), apart))], shape: [])
    let h = graph.hessianMatrix(f, wrt: params + [apart])
    let p = graph.shape(h)[0]
    try check([summed(graph.map(.abs, h), keeping: [0]), summed(graph.map(.exp, h), keeping: [1])])
    try check([graph.reduceMax(h, axes: [1]), graph.reduceMax(graph.map(.abs, h), axes: [0, 1])])
    let weights = leaf(10, "w", [p])
    try check([product(graph.map(.abs, h), [0, 1], weights, [1], to: [0])])
    let shifted = graph.add(
      [Summand(1, Operand(h, [0, 1])), Summand(3, Operand(graph.delta(p), [0, 1]))], shape: [p, p])
    try check([summed(graph.map(.abs, shifted), keeping: [1])])
  }

  /// No symmetry: rows are outputs, columns params.
  @Test func jacobian() throws {
    let (x, w) = (leaf(1, "X", [11, 4]), leaf(2, "W", [4, 9]))
    let y = graph.map(.tanh, product(x, [0, 2], w, [2, 1], to: [0, 1]))
    let mixed = graph.map(.sin, product(y, [0, 2], leaf(3, "V", [9, 7]), [2, 1], to: [0, 1]))
    let out = graph.map(.tanh, product(mixed, [0, 2], leaf(4, "U", [7, 6]), [2, 1], to: [0, 1]))
    let j = graph.jacobians(of: [out], wrt: w)[0]
    try check([summed(graph.map(.abs, j), keeping: [0, 1]), summed(graph.map(.abs, j), keeping: [2, 3])])
    try check([graph.reduceMax(graph.map(.abs, j), axes: [0, 2])], needsTiles: false)
  }

  /// What is no symmetric array enters beside one that is: every image of a tile reads its own part of it.
  @Test(arguments: [Precision.f64, .f32]) func besideAnotherArray(_ precision: Precision) throws {
    let (loss, params) = network()
    let block = graph.hessianBlocks(loss, wrt: [params[0]])[0][0]
    let shape = graph.shape(block)
    let other = leaf(20, "A", shape)
    let apart = graph.add(
      [Summand(1, Operand(block, axes(block))), Summand(0.1, Operand(other, axes(block)))], shape: shape)
    let size = graph.map(.abs, apart)
    let plan = try check(
      [summed(size, keeping: [0, 1]), summed(size, keeping: [2, 3]), graph.reduceMax(size, axes: [0, 3])],
      precision)
    #expect(plan.listing.contains { $0.hasPrefix("tiles") && $0.contains("symmetries") })
    let rows = leaf(21, "r", [shape[0], shape[3]])
    try check([product(size, [0, 1, 2, 3], rows, [0, 3], to: [1, 2])], precision)
  }

  /// What only holds a value back from derivatives, or asks for zeros to be stored, does not store it.
  @Test func lookingThrough() throws {
    let (loss, params) = network()
    let h = graph.hessianMatrix(loss, wrt: [params[0]])
    try check([summed(graph.map(.abs, graph.stop(h)), keeping: [0])])
    try check([summed(graph.map(.abs, graph.dense(h)), keeping: [0])])
  }

  /// A diagonal Hessian as a matrix: tiles off the diagonal hold nothing.
  @Test func diagonalMatrix() throws {
    let x = leaf(1, "x", [101])
    let h = graph.hessianMatrix(summed(graph.map(.power(4), x)), wrt: [x])
    try check([summed(graph.map(.abs, h), keeping: [0])])
  }

  /// The variance needs the mean first: two passes, where memory forces them.
  @Test func onePassAfterAnother() throws {
    let (loss, params) = network()
    let h = graph.hessianMatrix(loss, wrt: [params[0]])
    let mean = graph.contract(1.0 / 900, [Operand(h, [0, 1])], to: [])
    let apart = graph.add(
      [Summand(1, Operand(h, [0, 1])), Summand(-1, Operand(graph.map(.abs, mean), []))], shape: graph.shape(h)
    )
    let limits = MemoryLimits(total: 100, stored: 2400, tile: 4000)
    try check([summed(graph.map(.abs, apart), keeping: [0])], limits: limits)
  }

  /// An array that is a result as well is stored, and nothing runs in tiles.
  @Test func storedAnyway() throws {
    let (loss, params) = network()
    let h = graph.hessianMatrix(loss, wrt: [params[0]])
    let plan = try Plan(graph, outputs: [h, summed(graph.map(.abs, h), keeping: [0])], limits: tiny)
    #expect(!plan.listing.contains { $0.hasPrefix("tiles") })
    let results = try plan.run(inputs(plan))
    let rows = (0..<30).map { i in (0..<30).reduce(0) { $0 + results[0][flat: i * 30 + $1].magnitude } }
    #expect(zip(rows, results[1].doubles).allSatisfy { abs($0 - $1) <= 1e-12 * $0 })
  }

  /// Larger than a tile's worth of vectors, products in BLAS: still bit for bit the same on any number of threads.
  @Test(arguments: [Precision.f64, .f32]) func threadsChangeNothing(_ precision: Precision) throws {
    let (loss, params) = network(.tanh, n: 40, 13, 17, 5)
    let size = graph.map(.abs, graph.hessianMatrix(loss, wrt: params))
    let limits = MemoryLimits(total: 300_000, stored: 60_000, tile: 60_000)
    try check([summed(size, keeping: [0]), graph.reduceMax(size, axes: [0, 1])], limits: limits, precision)
  }

  /// Compiling looks at a few tiles, however many there are.
  @Test func manyTiles() throws {
    let x = leaf(1, "x", [100_000])
    let h = graph.map(
      .sin,
      graph.add(
        [Summand(1, Operand(graph.map(.exp, x), [0])), Summand(1, Operand(x, [1]))],
        shape: [100_000, 100_000]))
    let limits = MemoryLimits(total: 1 << 24, stored: 1 << 20, tile: 1 << 10)
    let reduction = graph.reduceMax(graph.map(.max, h, graph.map(.cos, h)), axes: [1])
    let plan = try Plan(graph, outputs: [reduction], limits: limits)
    #expect(plan.workingBytes < 1 << 24)
  }

  /// A plan's work is that of its tiles, ragged ones and images included: as much as a tile does for each of its
  /// entries. Where memory does not force tiles, they must not multiply much more than the stored plan.
  @Test func workOfTiles() throws {
    let (loss, params) = network(.tanh, n: 30, 13, 17, 5)
    let h = graph.hessianMatrix(loss, wrt: [params[0]])
    let rows = [summed(graph.map(.abs, h), keeping: [0])]
    let stored = try Plan(untiled: graph, outputs: rows, precision: .f64)
    let tight = MemoryLimits(total: 200_000, stored: 40_000, tile: 30_000)
    let forced = try Plan(graph, outputs: rows, limits: tight)
    let product = 30.0 * 13 * 13 * 17 * 17
    #expect(isTiled(forced))
    #expect(forced.multiplications > product / 4 && forced.multiplications < 3 * product / 2)
    let free = MemoryLimits(total: 1 << 40, stored: tight.stored, tile: tight.tile)
    let chosen = try Plan(graph, outputs: rows, limits: free)
    #expect(chosen.multiplications <= 1.1 * stored.multiplications)
    #expect(isTiled(chosen) == (forced.multiplications <= 1.1 * stored.multiplications))
  }

  /// Progress comes to its end, and a caller that throws stops the run; the plan stays usable.
  @Test func progressAndStop() throws {
    let (loss, params) = network(.tanh, n: 20, 9, 11, 4)
    let rows = summed(graph.map(.abs, graph.hessianMatrix(loss, wrt: [params[0]])))
    let plan = try Plan(
      graph, outputs: [rows], limits: MemoryLimits(total: 60_000, stored: 8_000, tile: 8_000))
    var last = TileProgress(total: 0, start: Date())
    plan.progress = { last = $0 }
    let result = try plan.run(inputs(plan))[0]
    #expect(last.total > 64 && last.done == last.total)
    plan.progress = { _ in throw EngineError.interrupted }
    #expect(throws: EngineError.interrupted) { try plan.run(inputs(plan)) }
    plan.progress = nil
    #expect(try plan.run(inputs(plan))[0].scalarValue == result.scalarValue)
  }

  // MARK: Diagonals

  /// diag and trace of a flattened Hessian take the diagonal before anything is multiplied out.
  @Test func diagonalOfTheHessian() throws {
    let (loss, params) = network(.tanh, n: 9, 8, 7, 3)
    let h = graph.hessianMatrix(loss, wrt: params)
    let p = graph.shape(h)[0]
    let diagonal = graph.contract(1, [Operand(h, [0, 0])], to: [0])
    let trace = graph.contract(1, [Operand(h, [0, 0])], to: [])
    let plan = try Plan(graph, outputs: [diagonal, trace])
    #expect(plan.largestBuffer <= 9 * 8 * 7, "\(plan.largestBuffer)")
    let found = try plan.run(inputs(plan))
    let whole = try Plan(graph, outputs: [h])
    let entries = try whole.run(inputs(whole))[0].doubles
    for k in 0..<p { #expect(abs(found[0][flat: k] - entries[k * p + k]) < 1e-12) }
    #expect(abs(found[1].scalarValue - found[0].doubles.reduce(0, +)) < 1e-11)
  }

  /// The same against second differences of the loss.
  @Test func diagonalByDifferences() throws {
    let (loss, params) = network(.tanh, n: 4, 3, 2, 2)
    let h = graph.hessianMatrix(loss, wrt: [params[0]])
    let plan = try Plan(graph, outputs: [loss, graph.contract(1, [Operand(h, [0, 0])], to: [0])])
    let start = inputs(plan)
    let place = try #require(plan.inputs.firstIndex { $0.name == "W" })
    let diagonal = try plan.run(start)[1].doubles
    for k in diagonal.indices {
      func value(_ step: Double) throws -> Double {
        var moved = start
        moved[place][flat: k] += step
        return try plan.run(moved)[0].scalarValue
      }
      let step = 1e-3
      let outer = try value(2 * step) + value(-2 * step)
      let inner = try value(step) + value(-step)
      let second = try (16 * inner - outer - 30 * value(0)) / (12 * step * step)
      #expect(abs(second - diagonal[k]) < 1e-7)
    }
  }
}
