import Graph
import Syntax
import Tensors

extension TensorGraph {
  /// Sorted along the last axis: gathered through the (constant) order, so that derivatives follow the entries.
  func ascending(_ node: NodeID) -> NodeID { gathered(node, argsort(node)) }

  /// Positions along the last axis, greatest entry first; equal ones keep their order.
  func descendingOrder(_ node: NodeID) -> NodeID { argsort(scaled(-1, node)) }
}

extension Builtins {
  static let order: [Builtin] = [
    Builtin(
      "sort", "x, axis=-1, descending=false", .order, "Entries in ascending order along an axis.",
      "sort([3, 1, 2])",
      "[1, 2, 3]"
    ) { call in
      try alongAxis(call) { x, places in call.graph.gathered(x, places) }
    },
    Builtin(
      "argsort", "x, axis=-1, descending=false", .order,
      "The positions of the entries in ascending order (equal ones keep theirs).", "argsort([3, 1, 2])",
      "[1, 2, 0]"
    ) { call in try alongAxis(call) { _, places in places } },
    Builtin(
      "topk", "x, k", .order, "The k greatest entries along the last axis, as values and indices.",
      "topk([3, 9, 2, 7], 2).values", "[9, 7]", topk),
  ]

  private static func alongAxis(_ call: BuiltinCall, _ build: (NodeID, NodeID) -> NodeID) throws -> Meaning {
    let graph = call.graph
    let x = try call.node("x")
    let axis = try call.axis(rank: graph.shape(x).count, default: -1)
    let moved = graph.movedLast(x, axis)
    let places = try call.flag("descending") ? graph.descendingOrder(moved) : graph.argsort(moved)
    return .node(graph.movedBack(build(moved, places), axis))
  }

  private static func topk(_ call: BuiltinCall) throws -> Meaning {
    let graph = call.graph
    let x = try call.node("x")
    guard let n = graph.shape(x).last else {
      throw call.error(.shape, "topk needs an axis, not a scalar", "x")
    }
    let k = try call.integer("k")
    guard (1...max(1, n)).contains(k), n > 0 else {
      throw call.error(.domain, "there are \(n) entries along the last axis, not \(k)", "k")
    }
    let last = graph.shape(x).count - 1
    let places = graph.sliced(graph.descendingOrder(x), axis: last, start: 0, count: k)
    return .record([("values", .node(graph.gathered(x, places))), ("indices", .node(places))])
  }

  static let sizes: [Builtin] = [
    Builtin(
      "shape", "x", .shape, "The sizes of the axes, as a vector.", "shape([1, 2; 3, 4; 5, 6])", "[3, 2]"
    ) { call in
      let shape = call.graph.shape(try call.node("x"))
      return .node(call.graph.constant(Tensor(vector: shape.map(Double.init))))
    },
    Builtin(
      "size", "x, axis=", .shape, "The number of entries, or the size of one axis.", "size([1, 2; 3, 4])", "4"
    ) { call in
      let shape = call.graph.shape(try call.node("x"))
      let axes = try call.axes("axis", rank: shape.count)
      return .node(call.graph.fill(Double((axes?.map { shape[$0] } ?? shape).elementCount)))
    },
    Builtin(
      "ndim", "x", .shape, "The number of axes.", "ndim([1, 2; 3, 4])", "2"
    ) { call in .node(call.graph.fill(Double(call.graph.shape(try call.node("x")).count))) },
    Builtin(
      "len", "x", .shape, "The size of the first axis, or the number of parts of a tuple.", "len([5, 6, 7])",
      "3"
    ) { call in
      if case .tuple(let parts) = call.arguments["x"]?.first?.value {
        return .node(call.graph.fill(Double(parts.count)))
      }
      guard let first = call.graph.shape(try call.node("x")).first else {
        throw call.error(.shape, "a scalar has no length", "x", hint: "size counts entries")
      }
      return .node(call.graph.fill(Double(first)))
    },
  ]
}
