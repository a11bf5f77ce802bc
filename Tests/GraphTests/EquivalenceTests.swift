import Tensors
import Testing

@testable import Graph

/// Formulas of random graphs mean what the graphs compute, in both notations.
struct EquivalenceTests {
  /// A small generator, the same on every run.
  struct Dice {
    var state: UInt64
    mutating func roll(_ n: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(n))
    }
  }

  let leafShapes: [(String, Shape)] = [
    ("c", []), ("x", [3]), ("y", [3]), ("A", [3, 3]), ("B", [3, 3]), ("T", [3, 3, 3]),
  ]

  /// A product of random operands over random labels.
  func contraction(_ graph: TensorGraph, _ pool: [NodeID], _ dice: inout Dice) -> NodeID {
    let labelCount = 1 + dice.roll(4)
    let operands = (0..<1 + dice.roll(4)).map { _ -> Operand in
      let node = pool[dice.roll(pool.count)]
      return Operand(node, graph.shape(node).map { _ in dice.roll(labelCount) })
    }
    var labels = Set(operands.flatMap(\.labels)).sorted()
    var result: [Label] = []
    for _ in 0..<dice.roll(3) where !labels.isEmpty {
      result.append(labels.remove(at: dice.roll(labels.count)))
    }
    return graph.contract([1, -1, 2, 0.5, -0.25][dice.roll(5)], operands, to: result)
  }

  func node(_ graph: TensorGraph, _ pool: [NodeID], _ dice: inout Dice) -> NodeID {
    let a = pool[dice.roll(pool.count)]
    let shape = graph.shape(a)
    switch dice.roll(6) {
    case 0: return graph.map([.sin, .tanh, .power(2), .abs][dice.roll(4)], a)
    case 1: return graph.map(.reciprocal, graph.affine(1.5, 1, graph.map(.power(2), a)))
    case 2:
      let others = pool.filter { graph.shape($0).count <= shape.count }
      let b = others[dice.roll(others.count)]
      var axes = Array(shape.indices)
      let labels = graph.shape(b).map { _ in axes.remove(at: dice.roll(axes.count)) }
      let coefficients: [Double] = [1, -1, 2, -0.5]
      return graph.add(
        [
          Summand(coefficients[dice.roll(4)], Operand(a, Array(shape.indices))),
          Summand(coefficients[dice.roll(4)], Operand(b, labels)),
        ], shape: shape)
    default: return contraction(graph, pool, &dice)
    }
  }

  @Test(arguments: 0..<60) func formulasEqualTheirGraphs(seed: Int) {
    var dice = Dice(state: UInt64(seed) &* 7919 &+ 13)
    let graph = TensorGraph()
    var values: [String: Tensor] = [:]
    var pool = [graph.delta(3), graph.selector(.oneHot(dice.roll(3)), [3])]
    for (id, (name, shape)) in leafShapes.enumerated() {
      pool.append(graph.leaf(Leaf(id: id, name: name, shape: shape)))
      values[name] = Tensor((0..<shape.elementCount).map { _ in Double(dice.roll(2000)) / 1000 - 1 }, shape)
    }
    for _ in 0..<14 {
      let made = node(graph, pool, &dice)
      pool.append(made)
      check(graph, made, values)
    }
  }

  func check(_ graph: TensorGraph, _ node: NodeID, _ values: [String: Tensor]) {
    let expected = graph.naive(node, values)
    let outline = MathOutline(graph, [node], expandingNames: false)
    let builder = MathBuilder(graph, outline, .unicode, [:])
    var evaluator = FormulaEvaluator(graph: graph, values: values)
    func close(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-9 * (1 + abs(a)) || a == b }
    if let whole = builder.expanded(node) {
      let value = evaluator.value(whole)
      let spread = value.isScalar ? Array(repeating: value.data[0], count: expected.count) : value.data
      let equal = spread.count == expected.count && zip(spread, expected.doubles).allSatisfy(close)
      #expect(equal && evaluator.failure == nil, "\(builder.text(whole)): \(evaluator.failure ?? "")")
    }
    evaluator.failure = nil
    var scope = MathScope(used: outline.reserved)
    let letters = expected.shape.map { _ in builder.freshLetter(MathScope.result, &scope) }
    let general = builder.expandedEntry(node, at: letters.map { AffineIndex(.name($0)) }, in: scope)
    var flat = 0
    TensorGraph.visit(expected.shape) { place in
      let special = builder.expandedEntry(node, at: place.map { AffineIndex($0) }, in: scope)
      for entry in [general, special] {
        let value = evaluator.value(entry, Dictionary(uniqueKeysWithValues: zip(letters, place)))
        #expect(
          value.isScalar && close(expected[flat: flat], value.data[0]) && evaluator.failure == nil,
          "\(builder.text(entry)) at \(place): \(evaluator.failure ?? "")")
      }
      flat += 1
    }
  }
}
