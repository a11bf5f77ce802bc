import Calculus
import Engine
import Foundation
import Graph
import Tensors
import TestSupport
import Testing

/// Derivatives of random smooth graphs against finite differences and against each other.
struct DerivativeFuzzTests {
  /// FUZZ=100 tries a hundred times as many seeds.
  static let effort = Int(ProcessInfo.processInfo.environment["FUZZ"] ?? "1") ?? 1

  @Test func smoothGraphs() throws {
    for seed in 0..<(20 * Self.effort) { try Case(seed: UInt64(seed)).check() }
  }

  @Test func shallowGraphs() throws {
    for seed in 1_000_000..<(1_000_000 + 20 * Self.effort) { try Case(seed: UInt64(seed), steps: 3).check() }
  }

  /// One scalar function f of two leaves, and a tensor z on its way.
  struct Case {
    let seed: UInt64
    var made: RandomGraph
    let inputs: [NodeID]
    let f: NodeID
    let z: NodeID
    var graph: TensorGraph { made.graph }

    init(seed: UInt64, steps: Int = 6) {
      self.seed = seed
      var options = RandomGraph.Options()
      options.smooth = true
      options.volume = 150
      options.maxRank = 3
      var made = RandomGraph(seed: seed, options)
      func small() -> Shape {
        var shape = made.shape()
        while shape.elementCount > 9 { shape = Array(shape.dropLast()) }
        return shape
      }
      inputs = [made.leaf(small()), made.leaf(small())]
      made.leaf(made.shape())
      for _ in 0..<(2 + made.random.below(steps)) { made.grow() }
      let graph = made.graph
      z = made.pool.last ?? inputs[0]
      var terms: [NodeID] = []
      for node in made.pool.suffix(3) {
        let axes = Array(graph.shape(node).indices)
        let weight = made.leaf(graph.shape(node))
        terms.append(
          graph.contract(1, [Operand(graph.map(.sin, node), axes), Operand(weight, axes)], to: []))
      }
      f = graph.add(terms, shape: [])
      self.made = made
    }

    func evaluate(_ nodes: [NodeID], _ values: [Int: Tensor]) throws -> [[Double]] {
      let plan = try Plan(graph, outputs: nodes)
      return try plan.run(plan.inputs.map { values[$0.id] ?? Tensor(repeating: 0, $0.shape) }).map(\.doubles)
    }

    func expectEqual(_ a: [Double], _ b: [Double], _ tolerance: Double, _ what: String) {
      let size = (a + b).reduce(1) { max($0, $1.magnitude) }
      let same = a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * size }
      if !same { Issue.record("seed \(seed), \(what): \(a.prefix(9)) and \(b.prefix(9))\n\(text(f))") }
    }

    func text(_ root: NodeID) -> String {
      graph.reachable(from: [root]).map { id in
        let operands = graph[id].operands.map { "\($0.node.index)\($0.labels)" }.joined(separator: " ")
        return "  \(id.index): \(graph[id].op) \(graph[id].shape) ← \(operands)"
      }.joined(separator: "\n")
    }

    func check() throws {
      var values = made.values
      var random = made.random
      let directions = inputs.enumerated().map { k, x -> NodeID in
        let shape = graph.shape(x)
        values[1000 + k] = Tensor((0..<shape.elementCount).map { _ in random.signed() }, shape)
        return graph.leaf(Leaf(id: 1000 + k, name: "v\(k)", shape: shape))
      }
      let v = directions.indices.flatMap { values[1000 + $0]?.doubles ?? [] }
      let n = v.count
      func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
      func moved(_ step: Double) -> [Int: Tensor] {
        var result = values
        for (k, x) in inputs.enumerated() {
          guard let leaf = graph.leaf(of: x), let old = values[leaf.id], let v = values[1000 + k] else {
            continue
          }
          result[leaf.id] = Tensor(zip(old.doubles, v.doubles).map { $0 + step * $1 }, old.shape)
        }
        return result
      }
      func expectSlope(_ derivative: [Double], of node: NodeID, _ what: String) throws {
        let h = 1e-4
        let values = try [1.0, -1, 2, -2].map { try evaluate([node], moved($0 * h))[0] }
        let near = derivative.indices.map { (values[0][$0] - values[1][$0]) / (2 * h) }
        let far = derivative.indices.map { (values[2][$0] - values[3][$0]) / (4 * h) }
        // The error is that of the extrapolation; where it is large, the differences say little.
        let error = zip(near, far).reduce(0) { max($0, ($1.0 - $1.1).magnitude) }
        let size = values.joined().reduce(1) { max($0, $1.magnitude) }
        expectEqual(
          derivative, zip(near, far).map { (4 * $0 - $1) / 3 }, 1e-9 + 0.01 * error + 1e-10 * size, what)
      }

      // First order.
      let gradient = graph.concatenated(graph.grad(f, wrt: inputs))
      let g = try evaluate([gradient], values)[0]
      try expectSlope([dot(g, v)], of: f, "gradient")
      let zDot = graph.jvp(of: [z], wrt: inputs, directions)[0]
      let jv = try evaluate([zDot], values)[0]
      try expectSlope(jv, of: z, "jvp")
      let parts = inputs.map { x -> NodeID in
        let j = graph.jacobians(of: [z], wrt: x)[0]
        let rank = graph.shape(z).count
        let axes = graph.shape(x).indices.map { rank + $0 }
        let direction = directions[inputs.firstIndex(of: x) ?? 0]
        return graph.contract(
          1, [Operand(j, Array(graph.shape(j).indices)), Operand(direction, axes)], to: Array(0..<rank))
      }
      expectEqual(
        jv, try evaluate([graph.add(parts, shape: graph.shape(z))], values)[0], 1e-11, "jacobian · v")
      values[1100] = Tensor((0..<graph.shape(z).elementCount).map { _ in random.signed() }, graph.shape(z))
      let w = graph.leaf(Leaf(id: 1100, name: "w", shape: graph.shape(z)))
      let wj = try evaluate([graph.concatenated(graph.vjp(of: [z], [w], wrt: inputs))], values)[0]
      expectEqual([dot(wj, v)], [dot(values[1100]?.doubles ?? [], jv)], 1e-11, "vjp and jvp")

      // Second order.
      let matrix = graph.hessianMatrix(f, wrt: inputs)
      let h = try evaluate([matrix], values)[0]
      expectEqual(h, (0..<(n * n)).map { h[$0 % n * n + $0 / n] }, 1e-11, "symmetry")
      let hv = (0..<n).map { i in dot(Array(h[(i * n)..<(i * n + n)]), v) }
      try expectSlope(hv, of: gradient, "Hessian")
      expectEqual(
        hv, try evaluate([graph.concatenated(graph.hvp(f, wrt: inputs, directions))], values)[0], 1e-11, "hvp"
      )
      let trace = try evaluate([graph.laplacian(f, wrt: inputs)], values)[0]
      let size = (0..<n).reduce(1) { max($0, h[$1 * n + $1].magnitude) }
      expectEqual(
        trace.map { $0 / size }, [(0..<n).reduce(0) { $0 + h[$1 * n + $1] / size }], 1e-11, "laplacian")

      // Third order.
      let square = graph.contract(1, [Operand(graph.map(.power(2), matrix), [0, 1])], to: [])
      let third = try evaluate([graph.concatenated(graph.grad(square, wrt: inputs))], values)[0]
      try expectSlope([dot(third, v)], of: square, "third order")
    }
  }
}
