import Engine
import Graph
import Tensors
import Testing

@testable import Calculus

/// Graphs built by hand, evaluated, and compared with closed forms.
struct HessianStructureTests {
  let graph = TensorGraph()

  func leaf(_ id: Int, _ name: String, _ shape: Shape) -> NodeID {
    graph.leaf(Leaf(id: id, name: name, shape: shape))
  }

  func evaluate(_ nodes: [NodeID], _ values: [Int: Tensor]) throws -> [Tensor] {
    let plan = try Plan(graph, outputs: nodes)
    return try plan.run(plan.inputs.map { values[$0.id] ?? Tensor(repeating: 0, $0.shape) })
  }

  func pseudoRandom(_ shape: Shape, _ salt: Double) -> Tensor {
    Tensor((0..<shape.elementCount).map { sinValue(Double($0) * 1.7 + salt) }, shape)
  }

  private func sinValue(_ x: Double) -> Double { MapFunction.sin(x * x + x) }

  /// (1 − x₀)² + 100 (x₁ − x₀²)²
  func rosenbrock(_ x: NodeID) -> NodeID {
    func at(_ k: Int) -> NodeID {
      graph.contract(1, [Operand(x, [0]), Operand(graph.selector(.oneHot(k), [2]), [0])], to: [])
    }
    let a = graph.map(.power(2), graph.affine(1, -1, at(0)))
    let inner = graph.add(
      [Summand(1, Operand(at(1), [])), Summand(-1, Operand(graph.map(.power(2), at(0)), []))], shape: [])
    return graph.add([a, graph.scaled(100, graph.map(.power(2), inner))], shape: [])
  }

  @Test func rosenbrockToThirdOrder() throws {
    let x = leaf(0, "x", [2])
    let f = rosenbrock(x)
    let h = graph.hessianMatrix(f, wrt: [x])
    let squared = graph.contract(1, [Operand(graph.map(.power(2), h), [0, 1])], to: [])
    let third = graph.grad(squared, wrt: [x])[0]
    let values = try evaluate(
      [f, graph.grad(f, wrt: [x])[0], h, squared, third], [0: Tensor(vector: [-1.2, 1])])
    #expect(abs(values[0].scalarValue - 24.2) < 1e-12)
    #expect(zip(values[1].doubles, [-215.6, -88]).allSatisfy { abs($0 - $1) < 1e-10 })
    #expect(zip(values[2].doubles, [1330, 480, 480, 200]).allSatisfy { abs($0 - $1) < 1e-10 })
    #expect(abs(values[3].scalarValue - 2_269_700) < 1e-6)
    #expect(zip(values[4].doubles, [-8_428_800, -1_064_000]).allSatisfy { abs($0 - $1) < 1e-4 })
  }

  @Test func logisticRegression() throws {
    let (n, d) = (40, 5)
    let x = leaf(0, "X", [n, d])
    let w = leaf(1, "w", [d])
    let z = graph.contract(1, [Operand(x, [0, 1]), Operand(w, [1])], to: [0])
    let f = graph.contract(1 / Double(n), [Operand(graph.map(.softplus, z), [0])], to: [])
    let h = graph.hessianMatrix(f, wrt: [w])
    let plan = try Plan(graph, outputs: [h])
    let data = pseudoRandom([n, d], 0.3)
    let at = pseudoRandom([d], 0.9)
    let result = try evaluate([h], [0: data, 1: at])[0].doubles
    #expect(plan.largestBuffer <= n * d)
    for i in 0..<d {
      for j in 0..<d {
        var sum = 0.0
        for k in 0..<n {
          let s = (0..<d).reduce(0.0) { $0 + data[flat: k * d + $1] * at[flat: $1] }
          let p = MapFunction.sigmoid(s)
          sum += data[flat: k * d + i] * data[flat: k * d + j] * p * (1 - p) / Double(n)
        }
        #expect(abs(sum - result[i * d + j]) < 1e-13)
      }
    }
  }

  /// −Σₙ log Σₖ exp(−½ ‖xₙ − mₖ‖²): no intermediate beyond 4× the larger of result and N × the widest pair.
  @Test func mixtureStaysSmall() throws {
    let (n, k, d) = (200, 4, 5)
    let x = leaf(0, "X", [n, d])
    let m = leaf(1, "M", [k, d])
    let difference = graph.add(
      [Summand(1, Operand(x, [0, 2])), Summand(-1, Operand(m, [1, 2]))], shape: [n, k, d])
    let q = graph.contract(-0.5, [Operand(graph.map(.power(2), difference), [0, 1, 2])], to: [0, 1])
    let s = graph.contract(1, [Operand(graph.map(.exp, q), [0, 1])], to: [0])
    let f = graph.contract(-1, [Operand(graph.map(.log, s), [0])], to: [])
    let h = graph.hessianMatrix(f, wrt: [m])
    let plan = try Plan(graph, outputs: [h])
    #expect(plan.largestBuffer <= 4 * max(k * d * k * d, n * k * d))
    try checkSymmetricAgainstDifferences(
      f, m, [0: pseudoRandom([n, d], 0.1), 1: pseudoRandom([k, d], 0.7)], leafID: 1)
  }

  @Test func smallNetwork() throws {
    let (n, a, b, c) = (16, 3, 4, 2)
    let x = leaf(0, "X", [n, a])
    let w1 = leaf(1, "W1", [a, b])
    let b1 = leaf(2, "b1", [b])
    let w2 = leaf(3, "W2", [b, c])
    let z = graph.contract(1, [Operand(x, [0, 1]), Operand(w1, [1, 2])], to: [0, 2])
    let h1 = graph.map(
      .tanh, graph.add([Summand(1, Operand(z, [0, 1])), Summand(1, Operand(b1, [1]))], shape: [n, b]))
    let o = graph.contract(1, [Operand(h1, [0, 1]), Operand(w2, [1, 2])], to: [0, 2])
    let f = graph.contract(1, [Operand(graph.map(.softplus, o), [0, 1])], to: [])
    let values: [Int: Tensor] = [
      0: pseudoRandom([n, a], 0.2), 1: pseudoRandom([a, b], 0.4), 2: pseudoRandom([b], 0.5),
      3: pseudoRandom([b, c], 0.6),
    ]
    for (id, w) in [(1, w1), (2, b1), (3, w2)] {
      try checkSymmetricAgainstDifferences(f, w, values, leafID: id)
    }
    let whole = try evaluate([graph.hessianMatrix(f, wrt: [w1, b1, w2])], values)[0]
    let p = whole.shape[0]
    #expect(p == a * b + b + b * c)
    for i in 0..<p {
      for j in 0..<i { #expect(abs(whole[flat: i * p + j] - whole[flat: j * p + i]) < 1e-12) }
    }
    // hvp against the matrix.
    let v = [pseudoRandom([a, b], 1.1), pseudoRandom([b], 1.2), pseudoRandom([b, c], 1.3)]
    let directions = v.enumerated().map { leaf(10 + $0, "v\($0)", $1.shape) }
    let product = graph.concatenated(graph.hvp(f, wrt: [w1, b1, w2], directions))
    var all = values
    for (k, t) in v.enumerated() { all[10 + k] = t }
    let hv = try evaluate([product], all)[0]
    let flat = v.flatMap(\.doubles)
    for i in 0..<p {
      let expected = (0..<p).reduce(0.0) { $0 + whole[flat: i * p + $1] * flat[$1] }
      #expect(abs(hv[flat: i] - expected) < 1e-11)
    }
  }

  func checkSymmetricAgainstDifferences(
    _ f: NodeID, _ p: NodeID, _ values: [Int: Tensor], leafID: Int
  ) throws {
    let count = graph.shape(p).elementCount
    let h = try evaluate([graph.hessianMatrix(f, wrt: [p])], values)[0]
    let gradient = graph.grad(f, wrt: [p])[0]
    for j in 0..<count {
      var (up, down) = (values, values)
      let step = 1e-5
      up[leafID]?[flat: j] += step
      down[leafID]?[flat: j] -= step
      let (a, b) = (try evaluate([gradient], up)[0], try evaluate([gradient], down)[0])
      for i in 0..<count {
        let slope = (a[flat: i] - b[flat: i]) / (2 * step)
        #expect(abs(slope - h[flat: i * count + j]) < 1e-6 * (1 + abs(slope)))
        #expect(abs(h[flat: i * count + j] - h[flat: j * count + i]) < 1e-11)
      }
    }
  }
}
