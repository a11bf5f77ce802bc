import Datasets
import Graph
import Syntax
import Tensors

extension Builtins {
  /// Calls of `load`, `shuffle` and their like run before the expression around them (see
  /// `Interpreter.runProcedures`); in a live formula there is no such moment.
  static let data: [Builtin] = [
    Builtin(
      "load", "file", .data,
      "The tensor in a .npy, .csv or .txt file, or the record in an .npz file, read when the statement runs.",
      "save \"/tmp/hlab-v.npy\" [1, 2]; print load(\"/tmp/hlab-v.npy\")", "[1, 2]"
    ) { (call: BuiltinCall) -> Meaning in
      throw Diagnostic(
        .domain, "a live formula cannot read a file", at: call.span,
        hint: "read it once: data X = \(call.span.text)")
    },
    Builtin(
      "batch", "tensors…, size=", .data,
      "After ~, rows in batches of so many (size, or the last argument): without replacement, an epoch at a time, each in a new order; the last batch has what is left.",
      "X = range(6); xb ~ batch(X, 4); print len(xb); draw; print len(xb)", "4\n2"
    ) { (call: BuiltinCall) -> Meaning in
      throw Diagnostic(
        .domain, "batch is drawn: it stands alone after ~", at: call.span,
        hint: "write (xb, yb) ~ batch(X, y, 128)"
      )
    },
    Builtin(
      "shuffle", "tensors…", .data,
      "The rows of tensors in a new order, the same for all of them, as a tuple.",
      "(a, b) = shuffle(range(9), 10*range(9)); print max(abs(b - 10*a)), sum(a)", "0 36"
    ) { call in
      let (tensors, count) = try call.samples()
      let order = call.drawing { $0.permutation(count) }
      return call.value(tensors.map { $0.rows(order) })
    },
    Builtin(
      "split", "tensors…, share=0.8, shuffle=true", .data,
      "Two parts of the rows of each tensor, as a tuple: share of them, and the rest; shuffle=false keeps their order.",
      "(A, B) = split(range(5), share=0.6, shuffle=false); print A, B", "[0, 1, 2] [3, 4]"
    ) { call in
      let (tensors, count) = try call.samples()
      let share = try call.number("share", in: 0...1, default: 0.8)
      let isShuffled = try call.flag("shuffle", default: true)
      let order = isShuffled ? call.drawing { $0.permutation(count) } : Array(0..<count)
      let cut = Int((Double(count) * share).rounded())
      return call.value(tensors.flatMap { [$0.rows(order[..<cut]), $0.rows(order[cut...])] })
    },
    Builtin(
      "standardize", "x, like=x", .data,
      "Columns less their mean and divided by their standard deviation, both of like (the training set); constant columns become 0.",
      "standardize([1, 5; 3, 5])", "-1  0\n 1  0", standardize),
    Builtin(
      "angle", "A, B, k=", .algebra,
      "Principal angles, ascending, between the top k eigenvectors of two symmetric matrices or operators, or between the columns of two matrices; found when the statement runs.",
      "angle([1; 0], [1; 1])", "[0.785398]"
    ) { (call: BuiltinCall) -> Meaning in
      throw Diagnostic(
        .domain, "a live formula cannot search for eigenvectors", at: call.span,
        hint: "find them once: t = \(call.span.text)")
    },
  ]

  private static func standardize(_ call: BuiltinCall) throws -> Meaning {
    let graph = call.graph
    let x = try call.node("x")
    let model = call.has("like") ? try call.node("like") : x
    let (shape, other) = (graph.shape(x), graph.shape(model))
    guard let rows = other.first, rows > 0 else {
      throw call.error(.shape, "standardize needs rows", call.has("like") ? "like" : "x")
    }
    guard shape.dropFirst() == other.dropFirst() else {
      throw call.error(
        .shape, "shapes \(shape.shapeDescription) and \(other.shapeDescription) do not fit in standardize",
        "like",
        hint: "all axes but the first must agree")
    }
    let (axes, columns) = (graph.axes(model), Array(graph.axes(model).dropFirst()))
    func deviations(_ x: NodeID, from mean: NodeID) -> NodeID {
      graph.add([Summand(1, Operand(x, axes)), Summand(-1, Operand(mean, columns))], shape: graph.shape(x))
    }
    let mean = graph.divided(graph.summed(model, over: [0]), by: Double(rows))
    let own = deviations(model, from: mean)
    // A constant column is told by its entries: its mean may be rounded, and its deviations then are not 0.
    let least = graph.scaled(-1, graph.reduceMax(graph.scaled(-1, model), axes: [0]))
    let varies = graph.map(.notEqual, graph.reduceMax(model, axes: [0]), least)
    let variance = graph.contract(
      1 / Double(rows), [Operand(own, axes), Operand(own, axes), Operand(varies, columns)], to: columns)
    let scale = Operand(graph.map(.reciprocalRootAtZero, variance), columns)
    return .node(graph.contract(1, [Operand(deviations(x, from: mean), axes), scale], to: axes))
  }
}

extension EagerCall {
  /// The tensors, and how many rows each of them has.
  fileprivate func samples() throws -> ([Tensor], Int) {
    let tensors = try tensors("tensors")
    guard let count = tensors.first?.shape.first, tensors.allSatisfy({ $0.shape.first == count }) else {
      let counts = tensors.map { $0.shape.first.map(String.init) ?? "none" }
      throw error(
        .shape,
        "\(builtin.name) takes tensors with the same number of rows, not \(counts.joined(separator: " and "))",
        "tensors", hint: "the first axis of each counts the samples")
    }
    return (tensors, count)
  }
}
