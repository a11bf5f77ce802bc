import CKernels
import Calculus
import Graph
import Tensors
import TestSupport
import Testing

@testable import Engine

/// Loops that are one, and loops on several threads.
struct LoopTests: GraphTest {
  let graph = TensorGraph()

  func wave(_ shape: Shape, _ speed: Double = 0.7) -> Tensor {
    Tensor((0..<shape.elementCount).map { MapFunction.sin(speed * Double($0)) }, shape)
  }

  func loops(_ plan: Plan) -> [LoopInstruction] { plan.instructions.compactMap { $0 as? LoopInstruction } }

  /// Runs on one thread and on all: every bit is the same.
  func runOnTeams(_ plan: Plan, _ values: [Tensor]) throws -> [[Double]] {
    hk_team_limit(1)
    defer { hk_team_limit(0) }
    let alone = try plan.run(values).map(\.doubles)
    for size: Int32 in [2, 0] {
      hk_team_limit(size)
      let together = try plan.run(values).map(\.doubles)
      for (a, b) in zip(alone, together) {
        #expect(zip(a, b).allSatisfy { $0.bitPattern == $1.bitPattern }, "\(plan.listing)")
      }
    }
    return alone
  }

  @Test(arguments: [Precision.f64, .f32]) func resultsDoNotDependOnThreads(_ precision: Precision) throws {
    let (m, n) = (3001, 101)
    let x = leaf(0, [m, n])
    let e = graph.map(.exp, x)
    let outputs = [
      graph.contract(1, [Operand(e, [0, 1]), Operand(x, [0, 1])], to: []),  // over everything
      graph.contract(1, [Operand(e, [0, 1])], to: [1]),  // columns
      graph.contract(1, [Operand(graph.map(.sin, x), [0, 1])], to: [0]),  // rows
      graph.reduceMax(graph.map(.cos, x), axes: [0]),
      graph.reduceMax(graph.map(.tanh, x), axes: [0, 1]),
      graph.contract(1, [Operand(x, [0, 1])], to: [1, 0]),  // transposed
    ]
    let data = wave([m, n])
    let r = try runOnTeams(Plan(graph, outputs: outputs, precision: precision), [data])
    let v = data.converted(to: precision).doubles
    let tolerance = precision == .f64 ? 1e-12 : 1e-5
    func expect(_ values: [Double], _ exact: [Double]) {
      let size = exact.reduce(1) { max($0, $1.magnitude) }
      #expect(zip(values, exact).allSatisfy { ($0 - $1).magnitude <= tolerance * size })
    }
    expect(r[0], [v.reduce(0) { $0 + MapFunction.exp($1) * $1 }])
    let columns = (0..<n).map { c in (0..<m).map { v[$0 * n + c] } }
    expect(r[1], columns.map { $0.reduce(0) { $0 + MapFunction.exp($1) } })
    expect(r[2], (0..<m).map { v[($0 * n)..<(($0 + 1) * n)].reduce(0) { $0 + MapFunction.sin($1) } })
    expect(r[3], columns.map { $0.map { MapFunction.cos($0) }.max() ?? 0 })
    expect(r[4], [v.map { MapFunction.tanh($0) }.max() ?? 0])
    expect(r[5], columns.flatMap { $0 })
  }

  /// Added to what is there, by several chunks.
  @Test func sumsOntoSums() throws {
    let (m, n) = (2000, 40)
    let (x, w) = (leaf(0, [m, n]), leaf(1, [m, n]))
    let terms = [graph.map(.exp, x), graph.map(.sin, w)].map {
      graph.contract(1, [Operand($0, [0, 1])], to: [1])
    }
    let plan = try Plan(graph, outputs: [graph.add(terms, shape: [n])])
    let (a, b) = (wave([m, n]), wave([m, n], 1.3))
    let r = try runOnTeams(plan, [a, b])
    for c in 0..<n {
      let exact = (0..<m).reduce(0.0) {
        $0 + MapFunction.exp(a.doubles[$1 * n + c]) + MapFunction.sin(b.doubles[$1 * n + c])
      }
      #expect((r[0][c] - exact).magnitude < 1e-10)
    }
  }

  /// Σ exp(−x²) sin x + log(1 + x²), and its gradient, in one pass over memory.
  @Test func valueAndGradientAreOneLoop() throws {
    let n = 5000
    let x = leaf(0, [n])
    let square = graph.map(.power(2), x)
    let bump = graph.multiplied(graph.map(.exp, graph.scaled(-1, square)), graph.map(.sin, x))
    let f = graph.contract(
      1, [Operand(graph.add([bump, graph.map(.log1p, square)], shape: [n]), [0])], to: [])
    let plan = try Plan(graph, outputs: [f, graph.grad(f, wrt: [x])[0]])
    #expect(plan.instructions.count == 1)
    let loop = try #require(loops(plan).first)
    let codes = loop.opList.map(\.code)
    #expect(codes.count { $0 == Int32(HK_EXP.rawValue) } == 1)
    #expect(codes.count { $0 == Int32(HK_SIN.rawValue) } == 1)
    #expect(plan.arenaBytes == 0)
    let data = wave([n])
    let r = try runOnTeams(plan, [data])
    var total = 0.0
    for (v, slope) in zip(data.doubles, r[1]) {
      let e = MapFunction.exp(-v * v)
      total += e * MapFunction.sin(v) + MapFunction.log1p(v * v)
      let exact = e * (MapFunction.cos(v) - 2 * v * MapFunction.sin(v)) + 2 * v / (1 + v * v)
      #expect((slope - exact).magnitude < 4e-16 * 4)
    }
    #expect((r[0][0] - total).magnitude < 1e-11 * total.magnitude)
  }

  /// Softmax: a maximum, a sum and a quotient of each row while the row is at hand.
  @Test(arguments: [2, 10, 129, 700, 1024, 1500]) func softmaxOfRows(_ width: Int) throws {
    let rows = 37
    let z = leaf(0, [rows, width])
    let top = graph.reduceMax(z, axes: [1])
    let e = graph.map(
      .exp,
      graph.add([Summand(1, Operand(z, [0, 1])), Summand(-1, Operand(top, [0]))], shape: [rows, width]))
    let sum = graph.contract(1, [Operand(e, [0, 1])], to: [0])
    let p = graph.contract(
      1, [Operand(e, [0, 1]), Operand(graph.map(.reciprocal, sum), [0])], to: [0, 1])
    let plan = try Plan(graph, outputs: [p])
    #expect((loops(plan).count == 1) == (width <= Int(HK_BLOCK)), "\(plan.listing)")
    var data = wave([rows, width], 1.7).doubles
    data[3 * width + 1] = .nan
    data[5 * width] = -.infinity
    data[6 * width + 1] = .infinity
    let r = try runOnTeams(plan, [Tensor(data, [rows, width])])[0]
    for row in 0..<rows {
      let range = (row * width)..<((row + 1) * width)
      if row == 3 || row == 6 {
        #expect(r[range].contains { $0.isNaN })
        continue
      }
      let most = data[range].max() ?? 0
      let powers = data[range].map { MapFunction.exp($0 - most) }
      let total = powers.reduce(0, +)
      #expect(zip(r[range], powers).allSatisfy { ($0 - $1 / total).magnitude < 1e-14 })
    }
  }

  /// Constants and broadcast arrays stay right over many blocks and rows.
  @Test func constantsAndBroadcasts() throws {
    let (m, n) = (300, 70)
    let (x, bias, scale) = (leaf(0, [m, n]), leaf(1, [n]), leaf(2, [m]))
    let axes = [0, 1]
    let moved = graph.add([Summand(1, Operand(x, axes)), Summand(2, Operand(bias, [1]))], shape: [m, n])
    let capped = graph.map(.max, [Operand(moved, axes), Operand(graph.fill(0.25), [])], shape: [m, n])
    let y = graph.contract(3, [Operand(capped, axes), Operand(scale, [0])], to: axes)
    let mask = graph.map(.less, [Operand(graph.fill(0.5), []), Operand(capped, axes)], shape: [m, n])
    let plan = try Plan(graph, outputs: [y, mask, graph.contract(1, [Operand(mask, axes)], to: [])])
    let inputs = plan.inputs.map { wave($0.shape, 0.3 + Double($0.id)) }
    let r = try runOnTeams(plan, inputs)
    let named = Dictionary(uniqueKeysWithValues: zip(plan.inputs.map(\.id), inputs.map(\.doubles)))
    let (a, b, c) = (named[0] ?? [], named[1] ?? [], named[2] ?? [])
    var count = 0.0
    for i in 0..<m {
      for j in 0..<n {
        let v = max(a[i * n + j] + 2 * b[j], 0.25)
        #expect((r[0][i * n + j] - 3 * v * c[i]).magnitude < 1e-14)
        #expect(r[1][i * n + j] == (v > 0.5 ? 1 : 0))
        count += v > 0.5 ? 1 : 0
      }
    }
    #expect(r[2] == [count])
  }

  /// Sums and maxima over nothing, beside axes that are there.
  @Test func reductionsOfNothing() throws {
    let x = leaf(0, [40, 0])
    let outputs = [
      graph.contract(1, [Operand(graph.map(.exp, x), [0, 1])], to: [0]),
      graph.contract(1, [Operand(graph.map(.exp, x), [0, 1])], to: []),
    ]
    let r = try Plan(graph, outputs: outputs).run([Tensor([], [40, 0])])
    #expect(r[0].doubles == [Double](repeating: 0, count: 40))
    #expect(r[1].doubles == [0])
  }
}
