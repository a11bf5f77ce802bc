import Graph
import Syntax
import Tensors

extension Builtins {
  static let statistics: [Builtin] = [
    Builtin(
      "var", "x, axis=, ddof=0, keepdims=false", .reduction,
      "The mean squared deviation from the mean; ddof is taken off the count.", "var([1, 3])", "1"
    ) { call in try .node(call.reduce(nonempty: true) { try variance(call, $0, $1) }) },
    Builtin(
      "std", "x, axis=, ddof=0, keepdims=false", .reduction,
      "The standard deviation; its gradient is 0 where all entries are equal.", "std([1, 3])", "1"
    ) { call in
      try .node(call.reduce(nonempty: true) { call.graph.map(.rootAtZero, try variance(call, $0, $1)) })
    },
    reduction(
      "median", "The middle entry in order, or the mean of the two middle ones.", "median([5, 1, 3])", "3",
      nonempty: true
    ) { graph, x, axes in quantile(graph, graph.ascending(graph.mergedLast(x, axes)), 0.5) },
    Builtin(
      "quantile", "x, q, axis=, keepdims=false", .reduction,
      "The value below which a share q of the entries lies, between neighbours by linear interpolation.",
      "quantile([1, 2, 3], 0.25)", "1.5"
    ) { call in
      let q = try call.number("q")
      guard (0...1).contains(q) else { throw call.error(.domain, "q must be between 0 and 1, not \(q)", "q") }
      return try .node(
        call.reduce(nonempty: true) { x, axes in
          quantile(call.graph, call.graph.ascending(call.graph.mergedLast(x, axes)), q)
        })
    },
    Builtin(
      "cumsum", "x, axis=", .reduction,
      "Running sums along an axis (of the flattened tensor, when none is given).",
      "cumsum([1, 2, 3])", "[1, 3, 6]"
    ) { call in
      let graph = call.graph
      let given = try call.node("x")
      let flat = [graph.shape(given).elementCount]
      let x = call.has("axis") ? given : graph.reshaped(given, flat)
      let axis = try call.axis(rank: graph.shape(x).count, default: 0)
      return .node(graph.movedBack(runningSums(graph, graph.movedLast(x, axis)), axis))
    },
  ]

  private static func variance(_ call: BuiltinCall, _ x: NodeID, _ axes: [Int]) throws -> NodeID {
    let graph = call.graph
    let all = graph.axes(x)
    let kept = all.filter { !axes.contains($0) }
    let count = axes.map { graph.shape(x)[$0] }.elementCount
    let ddof = try call.number("ddof", default: 0)
    guard Double(count) > ddof else {
      throw call.error(
        .domain, "ddof must be less than the count of \(count)", call.has("ddof") ? "ddof" : "x")
    }
    let mean = graph.divided(graph.summed(x, over: axes), by: Double(count))
    let deviation = graph.add(
      [Summand(1, Operand(x, all)), Summand(-1, Operand(mean, kept))], shape: graph.shape(x))
    let square = [Operand(deviation, all), Operand(deviation, all)]
    return graph.contract(1 / (Double(count) - ddof), square, to: kept)
  }

  /// Interpolates between two places of the sorted last axis.
  private static func quantile(_ graph: TensorGraph, _ sorted: NodeID, _ q: Double) -> NodeID {
    let last = graph.shape(sorted).count - 1
    let place = q * Double(graph.shape(sorted)[last] - 1)
    let below = Int(place.rounded(.down))
    let share = place - Double(below)
    let low = graph.picked(sorted, axis: last, at: below)
    if share == 0 { return low }
    let high = graph.picked(sorted, axis: last, at: below + 1)
    let axes = graph.axes(low)
    let parts = [Summand(1 - share, Operand(low, axes)), Summand(share, Operand(high, axes))]
    return graph.add(parts, shape: graph.shape(low))
  }

  /// Running sums along the last axis: up to the limit one product with a triangle, beyond it in blocks.
  static func runningSums(_ graph: TensorGraph, _ x: NodeID, limit: Int = 1024) -> NodeID {
    let shape = graph.shape(x)
    let last = shape.count - 1
    let n = shape[last]
    if n <= limit { return graph.rearranged(x, axis: last, by: triangle(graph, n, strict: false), output: 0) }
    let width = Int(Double(n).squareRoot().rounded(.up))
    let count = (n + width - 1) / width
    let padded = graph.placed(x, axis: last, start: 0, count: count * width)
    let blocks = graph.reshaped(padded, shape.dropLast() + [count, width])
    let inside = runningSums(graph, blocks, limit: max(limit, width))
    let totals = graph.summed(blocks, over: [last + 1])
    let before = graph.rearranged(totals, axis: last, by: triangle(graph, count, strict: true), output: 0)
    let axes = graph.axes(inside)
    let sums = graph.add(
      [Summand(1, Operand(inside, axes)), Summand(1, Operand(before, Array(axes.dropLast())))],
      shape: graph.shape(inside))
    return graph.sliced(graph.reshaped(sums, graph.shape(padded)), axis: last, start: 0, count: n)
  }

  private static func triangle(_ graph: TensorGraph, _ n: Int, strict: Bool) -> NodeID {
    var values = [Double](repeating: 0, count: n * n)
    for i in 0..<n { for j in 0..<(strict ? i : i + 1) { values[i * n + j] = 1 } }
    return graph.constant(Tensor(values, [n, n]))
  }
}
