import Graph
import Syntax
import Tensors

extension Builtins {
  static let reductions: [Builtin] = [
    Builtin(
      "sum", "x, axis=, keepdims=false", .reduction, "The sum of all entries, or along axes.",
      "sum([1, 2, 3])", "6"
    ) { call in
      if let parts = try call.wholeBundle() { return .node(sum(call.graph, parts)) }
      return try .node(call.reduce { call.graph.summed($0, over: $1) })
    },
    Builtin(
      "mean", "x, axis=, keepdims=false", .reduction, "The mean of all entries, or along axes.",
      "mean([1, 2, 3])",
      "2"
    ) { call in
      if let parts = try call.wholeBundle() {
        let count = parts.reduce(0) { $0 + call.graph.shape($1).elementCount }
        return .node(call.graph.divided(sum(call.graph, parts), by: Double(count)))
      }
      return try .node(call.reduce(nonempty: true) { mean(call.graph, $0, $1) })
    },
    reduction(
      "prod", "The product of all entries, or along axes; exact at zeros in every derivative.",
      "prod([2, 3, 4])", "24",
      product),
    extremum(
      "max", .max,
      "The greatest entry, or along axes; of several tensors, pointwise. Ties share the derivative.",
      "max([3, 1, 2])", "3"),
    extremum(
      "min", .min,
      "The smallest entry, or along axes; of several tensors, pointwise. Ties share the derivative.",
      "min([3, 1, 2])", "1"),
    reduction(
      "logsumexp", "log(sum(exp(x))), without overflow.", "logsumexp([0, 0])", "0.693147", nonempty: true
    ) { graph, x, axes in Exponentials(graph, x, axes).logOfSum },
    reduction("any", "1 if some entry is not 0, else 0.", "any([0, 0, 1])", "1", nonempty: true) {
      graph, x, axes in
      graph.reduceMax(nonzero(graph, x), axes: axes)
    },
    reduction("all", "1 if no entry is 0, else 0.", "all([0, 0, 1])", "0", nonempty: true) { graph, x, axes in
      graph.map(.not, graph.reduceMax(graph.map(.not, x), axes: axes))
    },
    reduction("count_nonzero", "The number of entries that are not 0.", "count_nonzero([0, 5, 1])", "2") {
      graph, x, axes in graph.summed(nonzero(graph, x), over: axes)
    },
    Builtin(
      "norm", "x, axis=, ord=2, keepdims=false", .reduction,
      "The 2-norm of all entries or along axes; ord=1 sums, ord=inf takes the greatest absolute value. The gradient at 0 is 0.",
      "norm([3, 4])", "5", norm),
    position(
      "argmax", "The position of the greatest entry (the first of equals), flattened or along an axis.",
      "argmax([3, 9, 2])", "1", sign: 1),
    position(
      "argmin", "The position of the smallest entry (the first of equals), flattened or along an axis.",
      "argmin([3, 9, 2])", "2", sign: -1),
  ]

  // MARK: Declaring

  /// A function of a tensor and the axes to reduce, which gives a node over the others.
  static func reduction(
    _ name: String, _ summary: String, _ example: String, _ output: String, nonempty: Bool = false,
    _ build: @escaping @Sendable (TensorGraph, NodeID, [Int]) -> NodeID
  ) -> Builtin {
    Builtin(name, "x, axis=, keepdims=false", .reduction, summary, example, output) { call in
      try .node(call.reduce(nonempty: nonempty) { build(call.graph, $0, $1) })
    }
  }

  private static func extremum(
    _ name: String, _ f: MapFunction, _ summary: String, _ example: String, _ output: String
  ) -> Builtin {
    Builtin(name, "x…, axis=, keepdims=false", .reduction, summary, example, output) { call in
      let count = call.arguments["x"]?.count ?? 0
      guard count > 0 else { throw call.error(.type, "\(name) needs a tensor", "x") }
      if count > 1 {
        if call.has("axis") {
          throw call.error(.type, "\(name) of several tensors is pointwise, without axis", "axis")
        }
        return try call.pointwise(["x"]) { items in
          try items.dropFirst().reduce(items[0]) { result, next in
            PlacedNode(node: try call.mapped(f, [result, next]), span: result.span)
          }.node
        }
      }
      return try .node(call.reduce(nonempty: true) { greatest(call.graph, $0, $1, f) })
    }
  }

  private static func position(
    _ name: String, _ summary: String, _ example: String, _ output: String, sign: Double
  ) -> Builtin {
    Builtin(name, "x, axis=, keepdims=false", .reduction, summary, example, output) { call in
      try .node(
        call.reduce(nonempty: true) { x, axes in
          call.graph.argmax(call.graph.mergedLast(sign == 1 ? x : call.graph.scaled(-1, x), axes))
        })
    }
  }

  // MARK: Formulas

  private static func sum(_ graph: TensorGraph, _ parts: [NodeID]) -> NodeID {
    graph.add(parts.map { graph.summed($0, over: graph.axes($0)) }, shape: [])
  }

  private static func mean(_ graph: TensorGraph, _ x: NodeID, _ axes: [Int]) -> NodeID {
    let count = axes.map { graph.shape(x)[$0] }.elementCount
    return graph.divided(graph.summed(x, over: axes), by: Double(count))
  }

  private static func nonzero(_ graph: TensorGraph, _ x: NodeID) -> NodeID {
    graph.map(.notEqual, [Operand(x, graph.axes(x)), Operand(graph.fill(0), [])], shape: graph.shape(x))
  }

  private static func greatest(_ graph: TensorGraph, _ x: NodeID, _ axes: [Int], _ f: MapFunction) -> NodeID {
    if f == .max { return graph.reduceMax(x, axes: axes) }
    return graph.scaled(-1, graph.reduceMax(graph.scaled(-1, x), axes: axes))
  }

  /// Halves are multiplied until one entry is left: no division, so zeros do no harm.
  private static let product: @Sendable (TensorGraph, NodeID, [Int]) -> NodeID = { graph, x, axes in
    var level = graph.mergedLast(x, axes)
    let last = graph.shape(level).count - 1
    if graph.shape(level)[last] == 0 { return graph.fill(1, Array(graph.shape(level).dropLast())) }
    while graph.shape(level)[last] > 1 {
      let n = graph.shape(level)[last]
      let half = n / 2
      let left = graph.sliced(level, axis: last, start: 0, count: half)
      let right = graph.sliced(level, axis: last, start: half, count: half)
      let paired = graph.multiplied(left, right)
      let rest = graph.sliced(level, axis: last, start: 2 * half, count: n - 2 * half)
      level = n % 2 == 0 ? paired : graph.joined([paired, rest], axis: last)
    }
    return graph.summed(level, over: [last])
  }

  private static func norm(_ call: BuiltinCall) throws -> Meaning {
    let order = try call.number("ord", default: 2)
    guard order >= 1 else {
      throw call.error(.domain, "norm needs ord at least 1", "ord", hint: "1, 2 and inf are usual")
    }
    let graph = call.graph
    if order == 2, let parts = try call.wholeBundle() {
      let squares = parts.map { graph.innerProduct($0, $0) }
      return .node(graph.map(.rootAtZero, graph.add(squares, shape: [])))
    }
    return try .node(call.reduce { norm(graph, $0, $1, order) })
  }

  private static func norm(_ graph: TensorGraph, _ x: NodeID, _ axes: [Int], _ order: Double) -> NodeID {
    switch order {
    case 2:
      let all = graph.axes(x)
      let kept = all.filter { !axes.contains($0) }
      return graph.map(.rootAtZero, graph.contract(1, [Operand(x, all), Operand(x, all)], to: kept))
    case 1: return graph.summed(graph.map(.abs, x), over: axes)
    case .infinity:
      if axes.contains(where: { graph.shape(x)[$0] == 0 }) { return graph.summed(x, over: axes) }
      return graph.reduceMax(graph.map(.abs, x), axes: axes)
    default:
      let powers = graph.map(
        .pow, [Operand(graph.map(.abs, x), graph.axes(x)), Operand(graph.fill(order), [])],
        shape: graph.shape(x))
      let total = graph.summed(powers, over: axes)
      let labels = graph.axes(total)
      let root = graph.map(
        .pow, [Operand(total, labels), Operand(graph.fill(1 / order), [])], shape: graph.shape(total))
      let positive = graph.map(.step, total)
      return graph.select(
        Operand(positive, labels), Operand(root, labels), Operand(graph.fill(0), []),
        shape: graph.shape(total))
    }
  }
}

extension TensorGraph {
  /// √Σ x² over all entries. Squares may overflow and vanish.
  func frobeniusNorm(_ x: NodeID) -> NodeID {
    map(.rootAtZero, contract(1, [Operand(x, axes(x)), Operand(x, axes(x))], to: []))
  }

  /// scale · √Σ x², with the entries scaled before they are squared.
  func frobeniusNorm(_ x: NodeID, scale: Double) -> NodeID {
    // A product of products would be multiplied out, with the scale in front of the sum.
    map(.rootAtZero, summed(map(.power(2), scaled(scale, x)), over: axes(x)))
  }

  /// The largest magnitude among the entries; 0 of none.
  func largestMagnitude(_ x: NodeID) -> NodeID {
    shape(x).contains(0) ? fill(0) : reduceMax(map(.abs, x), axes: axes(x))
  }
}

/// exp(x - m) with the maximum m along some axes held constant: sums without overflow, with exact derivatives.
struct Exponentials {
  let graph: TensorGraph
  /// x - m and its exponential, of x's shape.
  let shifted: NodeID
  let terms: NodeID
  /// m and the sum of the terms, over the axes that stay.
  let maximum: NodeID
  let total: NodeID
  private let kept: [Int]

  init(_ graph: TensorGraph, _ x: NodeID, _ axes: [Int]) {
    self.graph = graph
    let all = graph.axes(x)
    kept = all.filter { !axes.contains($0) }
    let greatest = graph.stop(graph.reduceMax(x, axes: axes))
    // x - m would not be a number where the maximum is infinite.
    let finite = graph.map(.isFinite, greatest)
    let own = graph.axes(greatest)
    maximum = graph.map(
      .select, [Operand(finite, own), Operand(greatest, own), Operand(graph.fill(0), [])],
      shape: graph.shape(greatest))
    shifted = graph.add(
      [Summand(1, Operand(x, all)), Summand(-1, Operand(maximum, kept))], shape: graph.shape(x))
    terms = graph.map(.exp, shifted)
    total = graph.summed(terms, over: axes)
  }

  var logOfSum: NodeID { graph.add([graph.map(.log, total), maximum], shape: graph.shape(total)) }

  /// Terms that add up to 1.
  var shares: NodeID {
    let all = graph.axes(terms)
    return graph.contract(1, [Operand(terms, all), Operand(graph.map(.reciprocal, total), kept)], to: all)
  }
}

extension BuiltinCall {
  /// The parts of a bundle that is reduced as a whole, so that they need not be joined first.
  fileprivate func wholeBundle() throws -> [NodeID]? {
    guard let bundle = bundle("x"), !has("axis"), !(try flag("keepdims")) else { return nil }
    return bundle.nodes.contains { !graph.shape($0).contains(0) } ? bundle.nodes : nil
  }

  /// Applies a reduction over `axis=` of x, and keeps the axes as ones on `keepdims=true`.
  func reduce(nonempty: Bool = false, _ build: (NodeID, [Int]) throws -> NodeID) throws -> NodeID {
    let x = try node("x")
    let shape = graph.shape(x)
    let axes = try reducedAxes(rank: shape.count)
    if nonempty, axes.contains(where: { shape[$0] == 0 }) {
      throw error(.domain, "\(builtin.name) of no entries has no value", "x")
    }
    let result = try build(x, axes)
    return try flag("keepdims") ? graph.withAxes(result, axes) : result
  }
}
