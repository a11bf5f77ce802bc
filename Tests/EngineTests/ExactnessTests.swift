import Graph
import Tensors
import Testing

@testable import Calculus
@testable import Engine

/// Where a result can be exact, it is.
struct ExactnessTests {
  let graph = TensorGraph()

  func run(_ node: NodeID, _ values: [Tensor]) throws -> [Double] {
    try Plan(graph, outputs: [node]).run(values)[0].doubles
  }

  @Test func quotients() throws {
    #expect(graph.constantValue(graph.divided(graph.fill(49), by: 49)) == 1)
    let x = graph.leaf(Leaf(id: 0, name: "x", shape: [2, 3]))
    let third = graph.scaled(2, graph.divided(x, by: 3))
    #expect(try run(third, [Tensor([3, 6, 9, 12, 15, 49], [2, 3])]) == [2, 4, 6, 8, 10, 98.0 / 3])
    let mean = graph.divided(graph.contract(1, [Operand(x, [0, 1])], to: []), by: 49)
    #expect(try run(mean, [Tensor([49, 0, 0, 0, 0, 0], [2, 3])]) == [1])
    #expect(try run(graph.grad(mean, wrt: [x])[0], []) == Array(repeating: 1.0 / 49, count: 6))
  }

  /// a/b divides also where 1/b stands elsewhere.
  @Test func sharedReciprocal() throws {
    let (a, b) = (
      graph.leaf(Leaf(id: 0, name: "a", shape: [3])), graph.leaf(Leaf(id: 1, name: "b", shape: [3]))
    )
    let r = graph.map(.reciprocal, b)
    let q = graph.multiplied(a, r)
    let plan = try Plan(graph, outputs: [q, r, graph.map(.sin, r), graph.multiplied(q, r)])
    let t = Tensor(vector: [49, 3, 10])
    #expect(try plan.run([t, t])[0].doubles == [1, 1, 1])
  }

  @Test func sumOfAMillion() throws {
    let n = 1_000_000
    let x = graph.leaf(Leaf(id: 0, name: "x", shape: [n]))
    let mean = graph.divided(graph.contract(1, [Operand(x, [0])], to: []), by: Double(n))
    for value in [0.1, 1, 3.7] {
      let result = try run(mean, [Tensor(repeating: value, [n])])[0]
      #expect((result - value).magnitude <= 2e-15 * value)
      let single = try Plan(graph, outputs: [mean], precision: .f32).run([Tensor(repeating: value, [n])])[0]
        .scalarValue
      #expect((single - value).magnitude <= 6e-7 * value)
    }
  }

  /// The value does not depend on what was made before.
  @Test func orderOfCreation() throws {
    func formula(_ graph: TensorGraph, _ order: [Int]) throws -> [Double] {
      let names = ["a", "b", "c", "d"]
      var made: [NodeID] = Array(repeating: graph.fill(0), count: 4)
      for k in order { made[k] = graph.leaf(Leaf(id: k, name: names[k], shape: [7, 7])) }
      var parts: [NodeID] = Array(repeating: graph.fill(0), count: 4)
      for k in order {
        let (p, q) = (made[k], made[(k + 1) % 4])
        parts[k] = graph.contract(
          1, [Operand(p, [0, 2]), Operand(q, [2, 1]), Operand(p, [3, 2])], to: [0, 1])
      }
      let f = graph.contract(
        1,
        order.map {
          Operand(graph.map(.tanh, graph.add(order.map { parts[$0] }, shape: [7, 7])), [$0 / 2, 2 + $0 % 2])
        },
        to: [])
      let sum = graph.add(
        order.map { parts[$0] } + [graph.contract(1, [Operand(f, [])], to: [0, 1], sizes: [0: 7, 1: 7])],
        shape: [7, 7])
      let plan = try Plan(graph, outputs: [sum, graph.grad(f, wrt: [made[0]])[0]])
      let inputs = plan.inputs.map { leaf in
        Tensor((0..<49).map { MapFunction.sin(Double($0 * 7 + leaf.id) * 1.3) }, [7, 7])
      }
      return try plan.run(inputs).flatMap(\.doubles)
    }
    let first = try formula(TensorGraph(), [0, 1, 2, 3])
    for order in [[3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
      let other = try formula(TensorGraph(), order)
      #expect(zip(first, other).allSatisfy { $0.bitPattern == $1.bitPattern })
    }
  }
}

/// What a long script builds up, and numbers that are none.
struct HazardTests {
  let graph = TensorGraph()

  @Test func deepChains() throws {
    let x = graph.leaf(Leaf(id: 0, name: "x", shape: []))
    var (y, f, p) = (x, x, x)
    for k in 0..<5000 {
      y = graph.map(.sin, y)
      f = graph.add([f, graph.map(.power(2), graph.affine(Double(k), 1, x))], shape: [])
      if k < 300 { p = graph.multiplied(p, graph.affine(1, 1e-3 * Double(k % 7), x)) }
    }
    let outputs = [f, y, p].flatMap { [$0] + graph.grad($0, wrt: [x]) }
    let r = try Plan(graph, outputs: outputs).run([Tensor(scalar: 0.5)]).map(\.scalarValue)
    // Σ (k + x)² and its slope, in closed form.
    #expect(abs(r[0] - (0.5 + 41_654_167_500 + 12_497_500 + 1250)) < 1e-3)
    #expect(abs(r[1] - (1 + 2 * 12_497_500 + 5000)) < 1e-6)
    let finite = r.allSatisfy(\.isFinite)
    #expect(finite)
  }

  /// Only structural zeros fold: 0·NaN and NaN − NaN stay.
  @Test func notANumberStays() throws {
    let x = graph.leaf(Leaf(id: 0, name: "x", shape: [2]))
    let zero = graph.scaled(0, x)
    let difference = graph.add([x, graph.scaled(-1, x)], shape: [2])
    let total = graph.contract(0, [Operand(x, [0])], to: [])
    let r = try Plan(graph, outputs: [zero, difference, total]).run([Tensor(vector: [.nan, 1])]).map(
      \.doubles)
    #expect(r[0][0].isNaN && r[0][1] == 0)
    #expect(r[1][0].isNaN && r[1][1] == 0)
    #expect(r[2][0].isNaN)
  }

  /// A lane that is not taken has derivatives that are exact zeros, at every order.
  @Test func lanesNotTaken() throws {
    let x = graph.leaf(Leaf(id: 0, name: "x", shape: [3]))
    let axes = [0]
    let c = graph.map(.less, [Operand(graph.fill(0), []), Operand(x, axes)], shape: [3])
    let s = graph.select(
      Operand(c, axes), Operand(graph.map(.log, x), axes), Operand(graph.map(.power(2), x), axes), shape: [3])
    let f = graph.contract(1, [Operand(s, axes)], to: [])
    let r = try Plan(graph, outputs: [graph.grad(f, wrt: [x])[0], graph.hessianMatrix(f, wrt: [x])])
      .run([Tensor(vector: [0, -2, 4])]).map(\.doubles)
    #expect(r[0] == [0, -4, 0.25])
    #expect(r[1] == [2, 0, 0, 0, 2, 0, 0, 0, -0.0625])
  }
}
