import Graph
import Syntax
import Tensors

extension Builtins {
  static let arranging: [Builtin] = [
    Builtin(
      "cat", "parts…, axis=0", aliases: ["concatenate"], .construction,
      "Tensors joined along an axis that they have.",
      "cat([1, 2], [3])", "[1, 2, 3]", cat),
    Builtin(
      "stack", "parts…, axis=0", .construction, "Tensors of one shape, stacked along a new axis.",
      "shape(stack([1, 2], [3, 4], [5, 6]))", "[3, 2]", stack),
    Builtin(
      "reshape", "x, shape…", .construction,
      "The same entries in row-major order under another shape; one size may be -1.",
      "reshape([1, 2; 3, 4], -1)",
      "[1, 2, 3, 4]", reshape),
    Builtin(
      "flatten", "x", aliases: ["ravel"], .construction, "The entries as a vector, in row-major order.",
      "flatten([1, 2; 3, 4])", "[1, 2, 3, 4]"
    ) { call in
      let x = try call.node("x")
      return .node(call.graph.reshaped(x, [call.graph.shape(x).elementCount]))
    },
    Builtin(
      "transpose", "x, axes…", .construction, "Axes in another order; reversed when none are given.",
      "shape(transpose(ones(2, 3, 4)))", "[4, 3, 2]", transpose),
    Builtin(
      "squeeze", "x, axis=", .construction, "Without axes of size 1: those given, or all.",
      "squeeze(ones(1, 2, 1))",
      "[1, 1]", squeeze),
    Builtin(
      "expand_dims", "x, axis", .construction, "With a new axis of size 1 at this place.",
      "shape(expand_dims([1, 2], 0))", "[1, 2]"
    ) { call in
      let x = try call.node("x")
      let axis = try call.axis(rank: call.graph.shape(x).count + 1, default: 0)
      return .node(call.graph.withAxes(x, [axis]))
    },
    Builtin(
      "tile", "x, times…", .construction, "The whole tensor repeated along its axes.", "tile([1, 2], 2)",
      "[1, 2, 1, 2]", tile),
    Builtin(
      "repeat", "x, times, axis=", .construction,
      "Each entry repeated along an axis (of the flattened tensor, when none is given).",
      "-repeat([1, 2], 2)",
      "[-1, -1, -2, -2]", repeatEach),
    Builtin(
      "diag", "x", .construction, "A diagonal matrix from a vector, or the diagonal of a matrix.",
      "diag([1, 2; 3, 4])", "[1, 4]", diag),
    Builtin(
      "dense", "A", .construction,
      "The same matrix with all its zeros stored; a matrix with few entries else keeps those alone.",
      "norm(dense(eye(100)))", "10"
    ) { call in .node(call.graph.dense(try call.node("A"))) },
    Builtin(
      "tril", "A, k=0", .construction, "The lower triangle: zero above the k-th diagonal.",
      "sum(tril(ones(3, 3)))",
      "6"
    ) { call in try triangle(call) { i, j, k in j <= i + k } },
    Builtin(
      "triu", "A, k=0", .construction, "The upper triangle: zero below the k-th diagonal.",
      "sum(triu(ones(3, 3), 1))", "3"
    ) { call in try triangle(call) { i, j, k in j >= i + k } },
    Builtin(
      "flip", "x, axis=", .construction, "Reversed along the given axes, or along all.", "flip([1, 2, 3])",
      "[3, 2, 1]"
    ) { call in
      let x = try call.node("x")
      let shape = call.graph.shape(x)
      var result = x
      for axis in try call.reducedAxes(rank: shape.count) where shape[axis] > 0 {
        result = call.graph.sliced(result, axis: axis, start: shape[axis] - 1, step: -1, count: shape[axis])
      }
      return .node(result)
    },
    Builtin(
      "roll", "x, shift, axis=", .construction,
      "Moved along an axis, what falls off one end entering at the other (flattened, when no axis is given).",
      "roll([1, 2, 3, 4], 1)", "[4, 1, 2, 3]", roll),
  ]

  private static func cat(_ call: BuiltinCall) throws -> Meaning {
    let graph = call.graph
    let parts = try call.nodes("parts")
    guard let first = parts.first else { throw call.error(.type, "cat needs tensors to join", "parts") }
    let shape = graph.shape(first.node)
    guard !shape.isEmpty else {
      throw call.error(
        .shape, "cat joins along an axis, and a scalar has none", "parts", hint: "stack joins scalars")
    }
    let axis = try call.axis(rank: shape.count, default: 0)
    for part in parts.dropFirst() {
      let other = graph.shape(part.node)
      let fits =
        other.count == shape.count && other.indices.allSatisfy { $0 == axis || other[$0] == shape[$0] }
      guard fits else {
        throw mismatch("cat", first, shape, part, other, "all axes but axis \(axis) must agree")
      }
    }
    return .node(graph.joined(parts.map(\.node), axis: axis))
  }

  private static func stack(_ call: BuiltinCall) throws -> Meaning {
    let graph = call.graph
    let parts = try call.nodes("parts")
    guard let first = parts.first else { throw call.error(.type, "stack needs tensors", "parts") }
    let shape = graph.shape(first.node)
    for part in parts.dropFirst() where graph.shape(part.node) != shape {
      throw mismatch("stack", first, shape, part, graph.shape(part.node), "all must have the same shape")
    }
    let axis = try call.axis(rank: shape.count + 1, default: 0)
    return .node(graph.joined(parts.map { graph.withAxes($0.node, [axis]) }, axis: axis))
  }

  private static func mismatch(
    _ name: String, _ a: PlacedNode, _ left: Shape, _ b: PlacedNode, _ right: Shape, _ hint: String
  ) -> Diagnostic {
    Diagnostic(
      .shape, "shapes \(left.shapeDescription) and \(right.shapeDescription) do not fit in \(name)",
      at: a.span.union(b.span),
      labels: [
        .init(a.span, "shape \(left.shapeDescription)"), .init(b.span, "shape \(right.shapeDescription)"),
      ],
      hint: hint)
  }

  private static func reshape(_ call: BuiltinCall) throws -> Meaning {
    let x = try call.node("x")
    let source = call.graph.shape(x)
    var target = try call.integers("shape")
    let open = target.indices.filter { target[$0] == -1 }
    guard open.count <= 1, target.allSatisfy({ $0 >= -1 }) else {
      throw call.error(.domain, "sizes are not negative, but one may be -1", "shape")
    }
    try call.checkCount(target.filter { $0 != -1 }, "shape")
    if let place = open.first {
      let known = target.filter { $0 != -1 }.elementCount
      if known > 0, source.elementCount % known == 0 { target[place] = source.elementCount / known }
    }
    guard !target.contains(-1), target.elementCount == source.elementCount else {
      let wanted = target.map { $0 == -1 ? "?" : String($0) }.joined(separator: "×")
      throw call.error(
        .shape, "shape \(source.shapeDescription) cannot become \(target.isEmpty ? "scalar" : wanted)",
        "shape",
        notes: ["there are \(source.elementCount) entries"])
    }
    return .node(call.graph.reshaped(x, target))
  }

  private static func transpose(_ call: BuiltinCall) throws -> Meaning {
    let x = try call.node("x")
    let rank = call.graph.shape(x).count
    guard call.has("axes") else { return .node(call.graph.transposed(x, Array((0..<rank).reversed()))) }
    let order = try call.integers("axes").map { $0 < 0 ? $0 + rank : $0 }
    guard order.sorted() == Array(0..<rank) else {
      throw call.error(
        .shape,
        "the axes of a tensor of shape \(call.graph.shape(x).shapeDescription) must each be named once",
        "axes")
    }
    return .node(call.graph.transposed(x, order))
  }

  private static func squeeze(_ call: BuiltinCall) throws -> Meaning {
    let x = try call.node("x")
    let shape = call.graph.shape(x)
    let axes = try call.axes("axis", rank: shape.count) ?? shape.indices.filter { shape[$0] == 1 }
    if let wide = axes.first(where: { shape[$0] != 1 }) {
      throw call.error(.shape, "axis \(wide) has size \(shape[wide]), not 1", "axis")
    }
    return .node(call.graph.summed(x, over: axes))
  }

  private static func tile(_ call: BuiltinCall) throws -> Meaning {
    let graph = call.graph
    var times = try call.shape("times")
    guard !times.isEmpty else { throw call.error(.type, "tile needs to know how many times", "times") }
    var x = try call.node("x")
    let missing = times.count - graph.shape(x).count
    if missing > 0 { x = graph.withAxes(x, Array(0..<missing)) }
    if missing < 0 { times = [Int](repeating: 1, count: -missing) + times }
    try call.checkCount(zip(times, graph.shape(x)).map { $0 * $1 }, "times")
    for (axis, count) in times.enumerated() where count != 1 {
      let n = graph.shape(x)[axis]
      x = spread(graph, x, axis, count, Selector.flatten([count, n]), [count * n, count, n], inner: 2)
    }
    return .node(x)
  }

  private static func repeatEach(_ call: BuiltinCall) throws -> Meaning {
    let graph = call.graph
    var x = try call.node("x")
    let count = try call.integer("times", in: 0...Int(Int32.max))
    if !call.has("axis") { x = graph.reshaped(x, [graph.shape(x).elementCount]) }
    let axis = try call.axis(rank: graph.shape(x).count, default: 0)
    let n = graph.shape(x)[axis]
    try call.checkCount([graph.shape(x).elementCount, count], "times")
    return .node(
      spread(graph, x, axis, count, Selector.flatten([n, count]), [n * count, n, count], inner: 1))
  }

  /// An axis replaced by its product with a new one; the selector's axis `inner` is the node's.
  private static func spread(
    _ graph: TensorGraph, _ x: NodeID, _ axis: Int, _ count: Int, _ selector: Selector, _ shape: Shape,
    inner: Int
  ) -> NodeID {
    let axes = graph.axes(x)
    if shape[0] == 0 {
      var empty = graph.shape(x)
      empty[axis] = 0
      return graph.fill(0, empty)
    }
    var labels = axes
    labels[axis] = axes.count
    let sides = inner == 1 ? [axis, axes.count, axes.count + 1] : [axis, axes.count + 1, axes.count]
    return graph.contract(1, [Operand(x, labels), Operand(graph.selector(selector, shape), sides)], to: axes)
  }

  private static func diag(_ call: BuiltinCall) throws -> Meaning {
    let graph = call.graph
    let x = try call.node("x")
    let shape = graph.shape(x)
    switch shape.count {
    case 1:
      let diagonal = Operand(graph.delta(shape[0]), [0, 1])
      return .node(graph.contract(1, [Operand(x, [0]), diagonal], to: [0, 1]))
    case 2: return .node(call.diagonal(x))
    default:
      throw call.error(
        .shape, "diag takes a vector or a matrix, not a tensor of shape \(shape.shapeDescription)", "x")
    }
  }

  /// The main diagonal of a matrix, not necessarily square.
  static func diagonal(_ graph: TensorGraph, _ matrix: NodeID) -> NodeID {
    let shape = graph.shape(matrix)
    let n = min(shape[0], shape[1])
    let rows = graph.sliced(matrix, axis: 0, start: 0, count: n)
    let square = graph.sliced(rows, axis: 1, start: 0, count: n)
    return graph.contract(1, [Operand(square, [0, 0])], to: [0])
  }

  /// Entries are chosen, not multiplied by 0, so that an infinite one outside the triangle does no harm.
  private static func triangle(_ call: BuiltinCall, keeping: (Int, Int, Int) -> Bool) throws -> Meaning {
    let graph = call.graph
    let matrix = try call.matrix("A")
    let shape = graph.shape(matrix)
    let k = try call.integer("k", default: 0)
    var mask = [Double](repeating: 0, count: shape.elementCount)
    for i in 0..<shape[0] { for j in 0..<shape[1] where keeping(i, j, k) { mask[i * shape[1] + j] = 1 } }
    let kept = Operand(graph.constant(Tensor(mask, shape)), [0, 1])
    return .node(graph.select(kept, Operand(matrix, [0, 1]), Operand(graph.fill(0), []), shape: shape))
  }

  private static func roll(_ call: BuiltinCall) throws -> Meaning {
    let graph = call.graph
    let x = try call.node("x")
    let shape = graph.shape(x)
    let flat = call.has("axis") ? x : graph.reshaped(x, [shape.elementCount])
    let axis = try call.axis(rank: graph.shape(flat).count, default: 0)
    let n = graph.shape(flat)[axis]
    guard n > 0 else { return .node(x) }
    let shift = ((try call.integer("shift") % n) + n) % n
    guard shift > 0 else { return .node(x) }
    let head = graph.sliced(flat, axis: axis, start: n - shift, count: shift)
    let tail = graph.sliced(flat, axis: axis, start: 0, count: n - shift)
    return .node(graph.reshaped(graph.joined([head, tail], axis: axis), shape))
  }
}

extension BuiltinCall {
  /// The main diagonal of a matrix; of a whole Hessian what the diagonal takes alone.
  func diagonal(_ matrix: NodeID) -> NodeID {
    guard let source = context.hessianSource(of: matrix) else {
      return Builtins.diagonal(graph, matrix)
    }
    return graph.concatenated(graph.hessianDiagonals(source.f, wrt: source.leaves))
  }

  /// The sum of the diagonal of a square matrix; of a whole Hessian the Laplacian.
  func trace(_ matrix: NodeID) -> NodeID {
    guard let source = context.hessianSource(of: matrix) else {
      return graph.contract(1, [Operand(matrix, [0, 0])], to: [])
    }
    return graph.laplacian(source.f, wrt: source.leaves)
  }
}
