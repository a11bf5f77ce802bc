import Graph
import Syntax
import Tensors

extension Builtins {
  static let learning: [Builtin] = [
    Builtin(
      "softmax", "x, axis=-1", .learning, "exp(x) divided by its sum along an axis, without overflow.",
      "softmax([0, 0])", "[0.5, 0.5]"
    ) { call in .node(try call.exponentials().shares) },
    Builtin(
      "log_softmax", "x, axis=-1", .learning, "The logarithm of softmax, without overflow.",
      "log_softmax([0, 0])", "[-0.693147, -0.693147]"
    ) { call in
      let x = try call.node("x")
      let axis = try call.axis(rank: call.graph.shape(x).count, default: -1)
      return .node(logSoftmax(call.graph, x, axis))
    },
    Builtin(
      "crossentropy", "logits, labels", .learning,
      "The mean of -log softmax(logits) at the labels: classes by number, or probabilities of the logits' shape.",
      "crossentropy([0, 0], 1)", "0.693147", crossentropy),
    Builtin(
      "binary_crossentropy", "logits, y", aliases: ["logistic"], .learning,
      "The mean of log(1 + exp(z)) - y·z over logits z, for y in 0 to 1.",
      "binary_crossentropy([0, 0], [0, 1])", "0.693147"
    ) { call in
      let graph = call.graph
      let (z, y) = try call.sameShape("logits", "y")
      let count = try call.positiveCount(z, "logits")
      let axes = graph.axes(z)
      let products = graph.contract(1, [Operand(y, axes), Operand(z, axes)], to: axes)
      // Entry by entry: of two sums over all entries, most digits would cancel.
      let losses = graph.difference(graph.map(.softplus, z), products)
      return .node(graph.divided(graph.summed(losses, over: axes), by: count))
    },
    Builtin(
      "mse", "a, b", .learning, "The mean of squared differences of two tensors of one shape.",
      "mse([1, 2], [1, 4])",
      "2"
    ) { call in
      let (a, b) = try call.sameShape("a", "b", hint: "write mean((a - b)^2) where they should broadcast")
      let difference = call.graph.difference(a, b)
      return .node(
        call.graph.innerProduct(difference, difference, scale: 1 / (try call.positiveCount(a, "a"))))
    },
    Builtin(
      "accuracy", "logits, labels", .learning,
      "The share of samples whose greatest logit is that of the label.",
      "accuracy([1, 9; 8, 2], [1, 1])", "0.5", accuracy),
    Builtin(
      "mlp", "sizes, activation=relu, init=torch, output=, scale=0.1, bias=true, prefix=", .learning,
      "After =, declares params W1, b1, W2, … of a network and gives it as a function; init is torch, glorot, he, zeros, uniform, normal (of that scale) or a function of two sizes.",
      "net = mlp([2, 8, 1], tanh); print shape(W1), shape(net(ones(5, 2)))", "[2, 8] [5, 1]"
    ) { (call: BuiltinCall) -> Meaning in
      throw Diagnostic(
        .domain, "mlp declares params: it stands alone after name =", at: call.span,
        hint: "write net = mlp([2, 8, 1], tanh), then net(x) in formulas")
    },
  ]

  private static func logSoftmax(_ graph: TensorGraph, _ x: NodeID, _ axis: Int) -> NodeID {
    let axes = graph.axes(x)
    let total = Operand(Exponentials(graph, x, [axis]).logOfSum, axes.filter { $0 != axis })
    return graph.add([Summand(1, Operand(x, axes)), Summand(-1, total)], shape: graph.shape(x))
  }

  private static func crossentropy(_ call: BuiltinCall) throws -> Meaning {
    let graph = call.graph
    let (logits, labels) = try call.samples()
    let axes = graph.axes(logits)
    let samples = axes.dropLast().map { graph.shape(logits)[$0] }.elementCount
    if graph.shape(labels) == graph.shape(logits) {
      let logs = logSoftmax(graph, logits, axes.count - 1)
      return .node(graph.divided(graph.innerProduct(labels, logs, scale: -1), by: Double(samples)))
    }
    // log Σ exp(z - m) - (z - m) at the label: the labels select, so no log-probability is formed. The difference is
    // taken in each sample and of small numbers: of sums over all samples, or of large logits, most digits would cancel.
    let exponentials = Exponentials(graph, logits, [axes.count - 1])
    let table = Operand(
      graph.table(graph.shape(logits)[axes.count - 1], labels), [axes.count - 1] + axes.dropLast())
    let chosen = graph.contract(1, [Operand(exponentials.shifted, axes), table], to: Array(axes.dropLast()))
    let losses = graph.difference(graph.map(.log, exponentials.total), chosen)
    return .node(graph.divided(graph.summed(losses, over: graph.axes(losses)), by: Double(samples)))
  }

  private static func accuracy(_ call: BuiltinCall) throws -> Meaning {
    let graph = call.graph
    let (logits, labels) = try call.samples()
    let classes = graph.shape(labels) == graph.shape(logits) ? graph.argmax(labels) : labels
    let hits = graph.map(.equal, graph.argmax(logits), classes)
    let axes = graph.axes(hits)
    return .node(graph.divided(graph.summed(hits, over: axes), by: Double(graph.shape(hits).elementCount)))
  }
}

extension BuiltinCall {
  fileprivate func exponentials() throws -> Exponentials {
    let x = try node("x")
    return Exponentials(graph, x, [try axis(rank: graph.shape(x).count, default: -1)])
  }

  fileprivate func positiveCount(_ node: NodeID, _ name: String) throws -> Double {
    let count = graph.shape(node).elementCount
    guard count > 0 else { throw error(.domain, "\(builtin.name) of no entries has no value", name) }
    return Double(count)
  }

  /// Logits (samples × classes, or one sample) with labels: a class for each sample, or a row of probabilities.
  fileprivate func samples() throws -> (logits: NodeID, labels: NodeID) {
    let (logits, labels) = (try placed("logits"), try placed("labels"))
    let (left, right) = (graph.shape(logits.node), graph.shape(labels.node))
    guard !left.isEmpty, left == right || Array(left.dropLast()) == right else {
      throw Diagnostic(
        .shape, "shapes \(left.shapeDescription) and \(right.shapeDescription) do not fit in \(builtin.name)",
        at: logits.span.union(labels.span),
        labels: [
          .init(logits.span, "shape \(left.shapeDescription)"),
          .init(labels.span, "shape \(right.shapeDescription)"),
        ], hint: "labels are one class a row of logits, or probabilities of the logits' shape")
    }
    _ = try positiveCount(logits.node, "logits")
    return (logits.node, labels.node)
  }
}
