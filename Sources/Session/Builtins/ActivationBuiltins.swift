import Graph
import Syntax
import Tensors

extension Builtins {
  /// Pointwise functions of neural networks.
  static let activations: [Builtin] = [
    unary("sigmoid", .sigmoid, "1/(1 + exp(-x)).", "sigmoid(0)", "0.5"),
    unary("softplus", .softplus, "log(1 + exp(x)), without overflow.", "softplus(0)", "0.693147"),
    unary("relu", .relu, "x where positive, else 0; the derivative at 0 is 0.", "relu([-1, 2])", "[0, 2]"),
    composed("gelu", "x", "x times the normal distribution function at x (exact, by erf).", "gelu(0)", "0") {
      graph, x in
      let half = graph.affine(0.5, 0.5, graph.map(.erf, graph.scaled(0.5.squareRoot(), x)))
      return graph.multiplied(x, half)
    },
    composed("silu", "x", "x times sigmoid(x).", "silu(0)", "0") { graph, x in
      graph.multiplied(x, graph.map(.sigmoid, x))
    },
    Builtin(
      "elu", "x, alpha=1", .pointwise, "x where positive, else alpha·(exp(x) - 1).", "elu([0, 2])", "[0, 2]"
    ) { call in
      try call.sloped("alpha", default: 1) { graph, x in graph.map(.expm1, x) }
    },
    Builtin(
      "leaky_relu", "x, slope=0.01", .pointwise,
      "x where positive, else slope·x; at 0 the derivative is slope.",
      "leaky_relu([-100, 2])", "[-1, 2]"
    ) { call in
      try call.sloped("slope", default: 0.01) { _, x in x }
    },
  ]
}

extension BuiltinCall {
  /// x where positive, else factor · f(x).
  fileprivate func sloped(
    _ name: String, default fallback: Double, _ f: (TensorGraph, NodeID) -> NodeID
  ) throws -> Meaning {
    let factor = has(name) ? try node(name) : graph.fill(fallback)
    guard graph.shape(factor).isEmpty else { throw error(.shape, "'\(name)' is one number", name) }
    return try pointwise(["x"]) { items in
      let x = items[0].node
      let axes = graph.axes(x)
      let positive = Operand(graph.map(.step, x), axes)
      let other = graph.scaled(f(graph, x), by: factor)
      return graph.select(positive, Operand(x, axes), Operand(other, axes), shape: graph.shape(x))
    }
  }
}
