import Engine
import Graph
import Tensors
import Testing

@testable import Calculus

/// Every primitive as a function of one number t, to third order: each derivative against Ridders-extrapolated
/// differences of the one before.
struct EveryPrimitiveTests {
  let graph = TensorGraph()
  let t: NodeID

  init() { t = graph.leaf(Leaf(id: 0, name: "t", shape: [])) }

  static let unary: [(MapFunction, Double)] = [
    (.exp, 0.4), (.expm1, 0.3), (.log, 1.7), (.log1p, 0.6), (.sqrt, 1.9), (.sin, 0.8), (.cos, 0.8),
    (.tan, 0.5),
    (.asin, 0.3), (.acos, 0.3), (.atan, 0.9), (.sinh, 0.7), (.cosh, 0.7), (.tanh, 0.6), (.sigmoid, -0.8),
    (.softplus, 0.5), (.sech2, 0.4), (.erf, 0.35), (.abs, -1.2), (.relu, 0.9), (.reciprocal, 1.4),
    (.power(3), 0.8), (.power(-2), 1.3), (.power(5), -0.7), (.rootAtZero, 1.6), (.reciprocalRootAtZero, 1.6),
  ]

  @Test(arguments: unary.indices) func unaryMaps(index: Int) throws {
    let (f, at) = Self.unary[index]
    try check(graph.map(f, t), at: at, "\(f)")
  }

  @Test func piecewiseConstantMapsHaveNoDerivative() {
    for f in [MapFunction.sign, .floor, .ceil, .round, .step, .not, .isFinite, .isNaN] {
      #expect(graph.isZero(graph.grad(graph.map(f, t), wrt: [t])[0]), "\(f)")
    }
  }

  @Test func binaryMaps() throws {
    let x = graph.map(.exp, t)
    let y = graph.affine(1.5, 0.5, graph.map(.sin, t))
    for f in [MapFunction.pow, .atan2, .max, .min, .modulo] { try check(graph.map(f, x, y), at: 0.6, "\(f)") }
    let c = graph.map(.less, x, y)
    let chosen = graph.select(
      Operand(c, []), Operand(graph.map(.log, x), []), Operand(graph.map(.power(2), y), []), shape: [])
    try check(chosen, at: 0.2, "select")
    try check(chosen, at: 1.3, "select")
  }

  /// A(t) = M + t·N + t²·K, symmetric and positive definite.
  private func matrix() -> NodeID {
    let m = graph.constant(Tensor([4, 0.5, 0.2, 0.5, 3, -0.4, 0.2, -0.4, 2], [3, 3]))
    let n = graph.constant(Tensor([0.3, 0.1, -0.2, 0.1, 0.5, 0.15, -0.2, 0.15, -0.4], [3, 3]))
    let k = graph.constant(Tensor([0.2, -0.1, 0.1, -0.1, 0.1, 0.05, 0.1, 0.05, 0.3], [3, 3]))
    let linear = graph.contract(1, [Operand(n, [0, 1]), Operand(t, [])], to: [0, 1])
    let square = graph.contract(1, [Operand(k, [0, 1]), Operand(graph.map(.power(2), t), [])], to: [0, 1])
    return graph.add([m, linear, square], shape: [3, 3])
  }

  /// A fixed weighted sum of all entries, so that every entry's derivative counts.
  private func weighed(_ node: NodeID) -> NodeID {
    let shape = graph.shape(node)
    let axes = Array(shape.indices)
    let weights = graph.constant(
      Tensor((0..<shape.elementCount).map { 0.3 + 0.17 * Double($0 * $0 % 7) }, shape))
    return graph.contract(1, [Operand(node, axes), Operand(weights, axes)], to: [])
  }

  @Test func linearAlgebra() throws {
    let a = matrix()
    let b = graph.map(.sin, a)
    for f in [MatrixFunction.inverse, .cholesky, .logdet, .det, .svdvals] {
      let made = graph.matrix(f, [a])
      try check(graph.shape(made).isEmpty ? made : weighed(made), at: 0.3, f.rawValue)
    }
    try check(weighed(graph.matrix(.solve, [a, b])), at: 0.3, "solve")
    // Eigenvalues, and a function of the vectors that does not depend on their signs.
    let packed = graph.matrix(.eigh, [a])
    try check(weighed(graph.map(.power(2), packed)), at: 0.3, "eigh")
  }

  @Test func sumsSelectionsAndMaxima() throws {
    let a = matrix()
    let row = graph.contract(
      1, [Operand(a, [1, 0]), Operand(graph.selector(.oneHot(1), [3]), [1])], to: [0])
    try check(weighed(graph.map(.exp, row)), at: 0.3, "row")
    let slice = Operand(graph.selector(.slice(start: 2, step: -2, count: 2), [3, 2]), [1, 2])
    try check(
      weighed(graph.map(.sin, graph.contract(1, [Operand(a, [0, 1]), slice], to: [0, 2]))), at: 0.3, "slice")
    let places = graph.constant(Tensor(vector: [2, 0, 2, 1]))
    let taken = graph.contract(
      1, [Operand(a, [0, 1]), Operand(graph.table(3, places), [1, 2])], to: [0, 2])
    try check(weighed(graph.map(.cos, taken)), at: 0.3, "take")
    try check(weighed(graph.map(.exp, graph.reduceMax(a, axes: [1]))), at: 0.3, "maximum")
    let diagonal = graph.contract(1, [Operand(a, [0, 0]), Operand(a, [0, 1])], to: [1])
    try check(weighed(graph.map(.tanh, diagonal)), at: 0.3, "diagonal")
    #expect(graph.isZero(graph.grad(graph.stop(graph.map(.exp, t)), wrt: [t])[0]))
  }

  // MARK: Differences

  private func check(_ f: NodeID, at point: Double, _ name: String) throws {
    var orders = [f]
    for _ in 0..<3 { orders.append(graph.grad(orders[orders.count - 1], wrt: [t])[0]) }
    for order in 1...3 {
      let exact = try value(orders[order], point)
      let slope = try ridders { try value(orders[order - 1], $0) }(point)
      #expect(
        abs(exact - slope.value) <= 1e-7 * (1 + abs(exact)) + 10 * slope.error,
        "\(name), derivative \(order): \(exact) against \(slope.value)")
    }
  }

  private func value(_ node: NodeID, _ x: Double) throws -> Double {
    let plan = try Plan(graph, outputs: [node])
    return try plan.run(plan.inputs.map { _ in Tensor(scalar: x) })[0].scalarValue
  }

  /// Central differences, extrapolated to step 0 (Ridders 1982), with an estimate of the error.
  private func ridders(_ f: @escaping (Double) throws -> Double) -> (Double) throws -> (
    value: Double, error: Double
  ) {
    { x in
      var table: [[Double]] = []
      var best = (value: Double.nan, error: Double.infinity)
      var step = 0.05
      for i in 0..<8 {
        var row = [(try f(x + step) - f(x - step)) / (2 * step)]
        var factor = 1.96
        for j in 0..<i {
          row.append((row[j] * factor - table[i - 1][j]) / (factor - 1))
          factor *= 1.96
          let error = max(abs(row[j + 1] - row[j]), abs(row[j + 1] - table[i - 1][j]))
          if error < best.error { best = (row[j + 1], error) }
        }
        table.append(row)
        step /= 1.4
      }
      return best
    }
  }
}
