import CKernels
import Foundation
import Graph
import Tensors
import TestSupport
import Testing

@testable import Calculus
@testable import Engine

/// Reductions of arrays that are not stored: in tiles, with next to no memory, they give what the whole array gives.
struct TiledReductionTests {
  let graph = TensorGraph()
  /// Forces tiles on arrays of a few hundred entries.
  let tiny = MemoryLimits(total: 1 << 40, stored: 2400, tile: 4000)

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
  @discardableResult
  func check(
    _ outputs: [NodeID], limits: MemoryLimits? = nil, _ precision: Precision = .f64,
    _ place: SourceLocation = #_sourceLocation
  ) throws -> Plan {
    let limits = limits ?? tiny
    let stored = try Plan(untiled: graph, outputs: outputs, precision: precision)
    let tiled = try Plan(graph, outputs: outputs, precision: precision, limits: limits)
    let expected = try stored.run(inputs(stored))
    let results = try tiled.run(inputs(tiled))
    #expect(
      tiled.listing.contains { $0.hasPrefix("tiles") }, "\(tiled.listing.joined(separator: "\n"))",
      sourceLocation: place)
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
    let j = graph.jacobians(of: [mixed], wrt: w)[0]
    try check([summed(graph.map(.abs, j), keeping: [0, 1]), summed(graph.map(.abs, j), keeping: [2, 3])])
    try check([graph.reduceMax(graph.map(.abs, j), axes: [0, 2])])
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

  /// Bit for bit the same on one thread and on all.
  @Test func threadsChangeNothing() throws {
    let (loss, params) = network(.tanh, n: 40, 13, 17, 5)
    let size = graph.map(.abs, graph.hessianMatrix(loss, wrt: params))
    let outputs = [summed(size, keeping: [0]), graph.reduceMax(size, axes: [0, 1])]
    for precision in [Precision.f64, .f32] {
      let limits = MemoryLimits(total: 1 << 40, stored: 40_000, tile: 30_000)
      let plan = try Plan(graph, outputs: outputs, precision: precision, limits: limits)
      let all = try plan.run(inputs(plan))
      hk_team_limit(1)
      defer { hk_team_limit(0) }
      let alone = try plan.run(inputs(plan))
      for (a, b) in zip(all, alone) {
        #expect(zip(a.doubles, b.doubles).allSatisfy { $0.bitPattern == $1.bitPattern })
      }
    }
  }

  /// Progress comes to its end, and a caller that throws stops the run; the plan stays usable.
  @Test func progressAndStop() throws {
    let (loss, params) = network(.tanh, n: 20, 9, 11, 4)
    let plan = try Plan(
      graph, outputs: [summed(graph.map(.abs, graph.hessianMatrix(loss, wrt: [params[0]])))], limits: tiny)
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
