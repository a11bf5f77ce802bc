import Engine
import Graph
import Tensors
import TestSupport
import Testing

@testable import Calculus

/// Hessians of the losses that people use: right, and with no intermediate that the result does not need.
struct StructureTests {
  let graph = TensorGraph()

  func leaf(_ id: Int, _ name: String, _ shape: Shape) -> NodeID {
    graph.leaf(Leaf(id: id, name: name, shape: shape))
  }

  func product(_ a: NodeID, _ la: [Label], _ b: NodeID, _ lb: [Label], to result: [Label]) -> NodeID {
    graph.contract(1, [Operand(a, la), Operand(b, lb)], to: result)
  }

  func total(_ x: NodeID) -> NodeID { graph.contract(1, [Operand(x, Array(graph.shape(x).indices))], to: []) }

  /// −Σ y·log softmax(z), stabilised by a held maximum.
  func crossEntropy(_ z: NodeID, _ y: NodeID) -> NodeID {
    let shape = graph.shape(z)
    let top = graph.stop(graph.reduceMax(z, axes: [1]))
    let shifted = graph.add([Summand(1, Operand(z, [0, 1])), Summand(-1, Operand(top, [0]))], shape: shape)
    let sums = graph.contract(1, [Operand(graph.map(.exp, shifted), [0, 1])], to: [0])
    let logs = graph.add([graph.map(.log, sums), top], shape: [shape[0]])
    let fit = product(z, [0, 1], y, [0, 1], to: [])
    return graph.divided(
      graph.add([Summand(1, Operand(total(logs), [])), Summand(-1, Operand(fit, []))], shape: []),
      by: Double(shape[0]))
  }

  func values(_ leaves: [Leaf], scale: Double = 1) -> [Tensor] {
    leaves.map { leaf in
      Tensor(
        (0..<leaf.shape.elementCount).map {
          scale * MapFunction.sin(Double($0) * 1.7 + Double(leaf.id)) * 0.7
        }, leaf.shape)
    }
  }

  struct Limits {
    var largest: Int
    var multiplications: Double
  }

  /// The Hessian of f against Hessian-vector products along a few columns.
  @discardableResult
  func check(_ f: NodeID, _ inputs: [NodeID], _ limits: Limits, columns: Int = 4, scale: Double = 1) throws
    -> Plan
  {
    let matrix = graph.hessianMatrix(f, wrt: inputs)
    let plan = try Plan(graph, outputs: [matrix])
    #expect(plan.largestBuffer <= limits.largest, "largest \(plan.largestBuffer)")
    #expect(plan.multiplications <= limits.multiplications, "multiplications \(plan.multiplications)")
    let n = graph.shape(matrix)[0]
    let h = try plan.run(values(plan.inputs, scale: scale))[0]
    let shapes = inputs.map(graph.shape)
    let directions = shapes.enumerated().map { leaf(1000 + $0, "v\($0)", $1) }
    let hv = try Plan(graph, outputs: [graph.concatenated(graph.hvp(f, wrt: inputs, directions))])
    var worst = 0.0
    var size = 0.0
    for k in 0..<columns {
      let column = k * (n - 1) / max(columns - 1, 1)
      var start = 0
      var seeds: [Int: Tensor] = [:]
      for (index, shape) in shapes.enumerated() {
        var seed = Tensor(repeating: 0, shape)
        if column >= start, column < start + shape.elementCount { seed[flat: column - start] = 1 }
        start += shape.elementCount
        seeds[1000 + index] = seed
      }
      let known = values(hv.inputs, scale: scale)
      let result = try hv.run(hv.inputs.enumerated().map { seeds[$1.id] ?? known[$0] })[0]
      for i in 0..<n {
        worst = max(
          worst, (result[flat: i] - h[flat: i * n + column]).magnitude,
          (result[flat: i] - h[flat: column * n + i]).magnitude)
        size = max(size, result[flat: i].magnitude)
      }
    }
    #expect(worst <= 1e-12 * max(size, 1e-3), "error \(worst) of \(size)")
    return plan
  }

  @Test func logisticRegression() throws {
    let (n, d) = (500, 20)
    let (x, w) = (leaf(0, "X", [n, d]), leaf(1, "w", [d]))
    let f = total(graph.map(.softplus, product(x, [0, 1], w, [1], to: [0])))
    try check(f, [w], Limits(largest: n * d, multiplications: 2.5 * Double(n * d * d)))
  }

  @Test func softmaxRegression() throws {
    let (n, d, c) = (200, 12, 5)
    let (x, y, w) = (leaf(0, "X", [n, d]), leaf(1, "Y", [n, c]), leaf(2, "W", [d, c]))
    let f = crossEntropy(product(x, [0, 1], w, [1, 2], to: [0, 2]), y)
    try check(
      f, [w],
      Limits(largest: 4 * max(d * c * d * c, n * d * d), multiplications: 4 * Double(n * d * c * d * c)))
  }

  @Test func network() throws {
    let (n, dims) = (256, [10, 32, 32, 10])
    let (f, params) = mlp(n, dims)
    let p = params.reduce(0) { $0 + graph.shape($1).elementCount }
    #expect(p == 1738)
    let plan = try check(f, params, Limits(largest: 4 * p * p, multiplications: 2.5e9))
    #expect(plan.largestBuffer <= 4 * p * p)
  }

  func mlp(_ n: Int, _ dims: [Int]) -> (NodeID, [NodeID]) {
    var h = leaf(0, "X", [n, dims[0]])
    var params: [NodeID] = []
    for l in 1..<dims.count {
      let (w, b) = (leaf(2 * l, "W\(l)", [dims[l - 1], dims[l]]), leaf(2 * l + 1, "b\(l)", [dims[l]]))
      params += [w, b]
      let z = graph.add(
        [
          Summand(1, Operand(product(h, [0, 1], w, [1, 2], to: [0, 2]), [0, 1])), Summand(1, Operand(b, [1])),
        ],
        shape: [n, dims[l]])
      h = l < dims.count - 1 ? graph.map(.tanh, z) : z
    }
    return (crossEntropy(h, leaf(1, "Y", [n, dims[dims.count - 1]])), params)
  }

  @Test func matrixFactorisation() throws {
    let (m, n, k) = (30, 20, 4)
    let (a, p, q) = (leaf(0, "A", [m, n]), leaf(1, "P", [m, k]), leaf(2, "Q", [n, k]))
    let r = graph.add(
      [
        Summand(1, Operand(a, [0, 1])),
        Summand(-1, Operand(product(p, [0, 2], q, [1, 2], to: [0, 1]), [0, 1])),
      ], shape: [m, n])
    let size = (m + n) * k
    try check(
      total(graph.map(.power(2), r)), [p, q],
      Limits(largest: 4 * size * size, multiplications: 4 * Double(size * size)))
  }

  @Test func mixture() throws {
    let (n, k, d) = (1000, 8, 10)
    let (x, m) = (leaf(0, "X", [n, d]), leaf(1, "M", [k, d]))
    let difference = graph.add(
      [Summand(1, Operand(x, [0, 2])), Summand(-1, Operand(m, [1, 2]))], shape: [n, k, d])
    let q = graph.contract(-0.5, [Operand(graph.map(.power(2), difference), [0, 1, 2])], to: [0, 1])
    let f = graph.scaled(
      -1, total(graph.map(.log, graph.contract(1, [Operand(graph.map(.exp, q), [0, 1])], to: [0]))))
    try check(
      f, [m],
      Limits(largest: 4 * max(k * d * k * d, n * k * d), multiplications: 4 * Double(n * k * d * k * d)))
  }

  @Test func tiedAutoencoder() throws {
    let (n, d, h) = (256, 32, 8)
    let (x, w) = (leaf(0, "X", [n, d]), leaf(1, "W", [d, h]))
    let a = graph.map(.tanh, product(x, [0, 1], w, [1, 2], to: [0, 2]))
    let r = graph.add([product(a, [0, 1], w, [2, 1], to: [0, 2]), graph.scaled(-1, x)], shape: [n, d])
    try check(
      total(graph.map(.power(2), r)), [w],
      Limits(largest: 4 * max(d * h * d * h, n * d * d), multiplications: 10 * Double(n * d * h * d * h)))
  }

  @Test func sharedWeights() throws {
    let (n, d) = (128, 16)
    let (x, w, v, y) = (
      leaf(0, "X", [n, d]), leaf(1, "W", [d, d]), leaf(2, "V", [d, 10]), leaf(3, "Y", [n, 10])
    )
    var h = graph.map(.tanh, product(x, [0, 1], w, [1, 2], to: [0, 2]))
    h = graph.map(.tanh, product(h, [0, 1], w, [1, 2], to: [0, 2]))
    let f = crossEntropy(product(h, [0, 1], v, [1, 2], to: [0, 2]), y)
    try check(
      f, [w],
      Limits(largest: 4 * max(d * d * d * d, n * d * d), multiplications: 8 * Double(n * d * d * d * d)))
  }

  @Test func attentionHead() throws {
    let (n, t, d, e) = (32, 16, 16, 16)
    let (x, w, v, y) = (
      leaf(0, "X", [n, t, d]), leaf(1, "W", [d, d]), leaf(2, "V", [d, e]), leaf(3, "Y", [n, t, e])
    )
    let scores = graph.contract(
      1, [Operand(x, [0, 1, 2]), Operand(w, [2, 3]), Operand(x, [0, 4, 3])], to: [0, 1, 4])
    let s = graph.map(.exp, scores)
    let sums = graph.contract(1, [Operand(s, [0, 1, 2])], to: [0, 1])
    let a = product(s, [0, 1, 2], graph.map(.reciprocal, sums), [0, 1], to: [0, 1, 2])
    let o = graph.contract(
      1, [Operand(a, [0, 1, 2]), Operand(x, [0, 2, 3]), Operand(v, [3, 4])], to: [0, 1, 4])
    let f = total(
      graph.map(
        .power(2),
        graph.add(
          [Summand(1, Operand(o, [0, 1, 2])), Summand(-1, Operand(y, [0, 1, 2]))], shape: [n, t, e])))
    let p = d * d + d * e
    try check(f, [w, v], Limits(largest: 4 * max(p * p, n * t * t * d), multiplications: 6e8), scale: 0.3)
  }

  /// Terms keep their selectors: a tridiagonal Hessian costs what its bands cost.
  @Test func chainedRosenbrock() throws {
    let n = 2000
    let x = leaf(0, "x", [n])
    func part(_ start: Int) -> NodeID {
      product(
        x, [1], graph.selector(.slice(start: start, step: 1, count: n - 1), [n, n - 1]), [1, 0], to: [0])
    }
    let a = graph.affine(1, -1, part(0))
    let b = graph.add([part(1), graph.scaled(-1, graph.map(.power(2), part(0)))], shape: [n - 1])
    let f = graph.add(
      [total(graph.map(.power(2), a)), graph.scaled(100, total(graph.map(.power(2), b)))], shape: [])
    try check(f, [x], Limits(largest: n * n, multiplications: 100 * Double(n)))
  }

  @Test func reshapeTakeConcatenate() throws {
    let (n, d) = (50, 6)
    let (x, w, u) = (leaf(0, "X", [n, d]), leaf(1, "W", [4, 3]), leaf(2, "u", [7]))
    let rows = graph.constant(Tensor(vector: (0..<n).map { Double(($0 * 5) % 4) }))
    let taken = graph.contract(1, [Operand(w, [2, 1]), Operand(graph.table(4, rows), [2, 0])], to: [0, 1])
    let both = graph.add(
      [(w, 0), (u, 12)].map { part, offset -> NodeID in
        let s = graph.shape(part)
        let place = graph.selector(.flatten(offset: offset, s), [19] + s)
        return graph.contract(
          1, [Operand(part, s.indices.map { 1 + $0 }), Operand(place, [0] + s.indices.map { 1 + $0 })],
          to: [0], sizes: [0: 19])
      }, shape: [19])
    let z = graph.contract(1, [Operand(taken, [0, 2]), Operand(x, [0, 1])], to: [1, 2])
    let f = graph.add(
      [total(graph.map(.sin, z)), total(graph.map(.tanh, both)), total(graph.map(.softplus, taken))],
      shape: [])
    try check(f, [w, u], Limits(largest: 4 * n * d * 12, multiplications: 1e6), columns: 19)
  }

  @Test func solveAndMaximum() throws {
    let n = 5
    let (a, b) = (leaf(0, "A", [n, n]), leaf(1, "B", [n, 1]))
    let eye = graph.contract(4, [Operand(graph.delta(n), [0, 1])], to: [0, 1])
    let x = graph.matrix(.solve, [graph.add([a, eye], shape: [n, n]), b])
    let top = graph.reduceMax(graph.map(.sin, a), axes: [1])
    let f = graph.add([total(graph.map(.power(2), x)), total(graph.map(.exp, top))], shape: [])
    try check(f, [a, b], Limits(largest: 4 * n * n * n * n, multiplications: 1e5), columns: 30)
  }
}
