import Graph
import Syntax
import Tensors

extension Builtins {
  static let construction: [Builtin] = [
    Builtin(
      "zeros", "shape…, like=", .construction, "A tensor of zeros.", "zeros(3)", "[0, 0, 0]"
    ) { call in try call.construct { call.graph.fill(0, $0) } },
    Builtin(
      "ones", "shape…, like=", .construction, "A tensor of ones.", "ones(3)", "[1, 1, 1]"
    ) { call in try call.construct { call.graph.fill(1, $0) } },
    Builtin(
      "full", "value, shape…, like=", .construction, "A tensor with the same number everywhere.",
      "full(7, 2)",
      "[7, 7]"
    ) { call in
      let value = try call.node("value")
      guard call.graph.shape(value).isEmpty else {
        throw call.error(.shape, "full takes one number", "value")
      }
      return try call.construct { call.graph.expanded(Operand(value, []), to: $0) }
    },
    Builtin(
      "eye", "n, m=n", .construction, "The identity matrix, or ones on the diagonal of an n×m one.",
      "trace(eye(3))",
      "3"
    ) { call in
      let n = try call.integer("n", in: 0...Int(Int32.max))
      let m = try call.integer("m", in: 0...Int(Int32.max), default: n)
      let diagonal = Selector(extents: [min(n, m)], starts: [0, 0], steps: [[1], [1]])
      return .node(n == m ? call.graph.delta(n) : call.graph.selector(diagonal, [n, m]))
    },
    Builtin(
      "linspace", "a, b, n", .construction, "n numbers from a to b, evenly spaced, both ends included.",
      "linspace(0, 1, 5)", "[0, 0.25, 0.5, 0.75, 1]", linspace),
    Builtin(
      "range", "start, stop=, step=1", aliases: ["arange"], .construction,
      "Numbers from start in steps up to stop, which is left out; with one argument, from 0 up to it.",
      "range(0, 10, 3)", "[0, 3, 6, 9]", arithmetic),
    Builtin(
      "onehot", "labels, classes", .construction,
      "For each label a row with 1 at its place and 0 elsewhere.", "onehot(2, 4)", "[0, 0, 1, 0]"
    ) { call in
      let labels = try call.node("labels")
      let classes = try call.integer("classes", in: 1...Int(Int32.max))
      let table = call.graph.table(classes, labels)
      return .node(call.graph.movedLast(table, 0))
    },
  ]

  private static func linspace(_ call: BuiltinCall) throws -> Meaning {
    let graph = call.graph
    let n = try call.integer("n", in: 1...Int(Int32.max))
    let (a, b) = (try call.node("a"), try call.node("b"))
    for (name, node) in [("a", a), ("b", b)] where !graph.shape(node).isEmpty {
      throw call.error(.shape, "the ends of linspace are scalars", name)
    }
    let weights = (0..<n).map { n == 1 ? 0 : Double($0) / Double(n - 1) }
    if let low = graph.constantValue(a), let high = graph.constantValue(b) {
      let values = weights.map { $0 == 1 ? high : low + (high - low) * $0 }
      return .node(graph.constant(Tensor(vector: values)))
    }
    let up = Operand(graph.constant(Tensor(vector: weights)), [0])
    let down = Operand(graph.constant(Tensor(vector: weights.map { 1 - $0 })), [0])
    let parts = [([Operand(a, []), down]), [Operand(b, []), up]].map { graph.contract(1, $0, to: [0]) }
    return .node(graph.add(parts, shape: [n]))
  }

  private static func arithmetic(_ call: BuiltinCall) throws -> Meaning {
    let first = try call.number("start")
    let start = call.has("stop") ? first : 0
    let stop = try call.number("stop", default: first)
    let step = try call.number("step", default: 1)
    guard step != 0, step.isFinite else {
      throw call.error(.domain, "the step cannot be \(NumberFormat()(step))", "step")
    }
    let count = ((stop - start) / step).rounded(.up)
    guard count.isFinite, count <= Double(Int32.max) else {
      throw call.error(.resource, "range would have \(count) numbers", "stop")
    }
    let values = (0..<max(0, Int(count))).map { start + Double($0) * step }
    return .node(call.graph.constant(Tensor(vector: values)))
  }
}
