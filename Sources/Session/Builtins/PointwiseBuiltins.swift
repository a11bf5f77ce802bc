import Graph
import Syntax
import Tensors

extension Builtins {
  static let pointwise: [Builtin] = [
    unary("exp", .exp, "The exponential.", "exp(0)", "1"),
    unary("expm1", .expm1, "exp(x) - 1, exact near 0.", "expm1(0)", "0"),
    unary("log", .log, "The natural logarithm.", "log(1)", "0", aliases: ["ln"]),
    unary("log1p", .log1p, "log(1 + x), exact near 0.", "log1p(0)", "0"),
    composed("log2", "x", "The logarithm to base 2.", "log2(8)", "3") { graph, x in
      graph.scaled(1.4426950408889634, graph.map(.log, x))
    },
    composed("log10", "x", "The logarithm to base 10.", "log10(1000)", "3") { graph, x in
      graph.scaled(0.4342944819032518, graph.map(.log, x))
    },
    unary("sqrt", .sqrt, "The square root; its derivative at 0 is infinite.", "sqrt(9)", "3"),
    composed("cbrt", "x", "The cube root, negative for negative numbers.", "cbrt(8)", "2", cubeRoot),
    unary("abs", .abs, "The absolute value; its derivative at 0 is 0.", "abs(-3)", "3"),
    unary("sign", .sign, "-1, 0 or 1; its derivative is 0.", "sign(-3)", "-1"),
    unary("sin", .sin, "The sine.", "sin(0)", "0"),
    unary("cos", .cos, "The cosine.", "cos(0)", "1"),
    unary("tan", .tan, "The tangent.", "tan(0)", "0"),
    unary("asin", .asin, "The angle in [-π/2, π/2] with this sine.", "asin(0)", "0", aliases: ["arcsin"]),
    unary("acos", .acos, "The angle in [0, π] with this cosine.", "acos(1)", "0", aliases: ["arccos"]),
    unary("atan", .atan, "The angle in (-π/2, π/2) with this tangent.", "atan(0)", "0", aliases: ["arctan"]),
    binary(
      "atan2", "y, x", .atan2, "The angle of the point (x, y).", "atan2(0, 1)", "0", aliases: ["arctan2"]),
    unary("sinh", .sinh, "The hyperbolic sine.", "sinh(0)", "0"),
    unary("cosh", .cosh, "The hyperbolic cosine.", "cosh(0)", "1"),
    unary("tanh", .tanh, "The hyperbolic tangent.", "tanh(0)", "0"),
    unary("erf", .erf, "The error function.", "erf(0)", "0"),
    unary("floor", .floor, "The greatest whole number not above; its derivative is 0.", "floor(2.5)", "2"),
    unary("ceil", .ceil, "The least whole number not below; its derivative is 0.", "ceil(2.5)", "3"),
    unary(
      "round", .round, "The nearest whole number, halves to even; its derivative is 0.", "round(2.5)", "2"),
    unary("isnan", .isNaN, "1 where the entry is not a number, else 0.", "isnan(1)", "0"),
    unary(
      "isfinite", .isFinite, "1 where the entry is neither infinite nor not a number, else 0.", "isfinite(1)",
      "1"),
    binary(
      "maximum", "a, b", .max, "The greater, pointwise; ties share the derivative.", "maximum(2, 5)", "5"),
    binary(
      "minimum", "a, b", .min, "The smaller, pointwise; ties share the derivative.", "minimum(2, 5)", "2"),
    binary("mod", "x, y", .modulo, "The remainder with the sign of the divisor.", "mod(-1, 3)", "2"),
    Builtin(
      "pow", "x, y", .pointwise, "x to the power y, as x^y.", "pow(2, 10)", "1024"
    ) { call in
      try call.pointwise(["x", "y"]) { try power(call.graph, $0[0], $0[1]) }
    },
    Builtin(
      "clip", "x, lo, hi", aliases: ["clamp"], .pointwise,
      "x, at least lo and at most hi; at a bound itself the derivative is one half.", "clip([1, 5, 9], 2, 6)",
      "[2, 5, 6]"
    ) { call in
      try call.pointwise(["x", "lo", "hi"]) { items in
        let low = PlacedNode(node: try call.mapped(.max, [items[0], items[1]]), span: call.span)
        return try call.mapped(.min, [low, items[2]])
      }
    },
    Builtin(
      "where", "c, a, b", .pointwise,
      "a where c is not 0, else b; what is not chosen has no effect on derivatives.",
      "where([1, 0, 1], 5, 7)", "[5, 7, 5]"
    ) { call in
      try call.pointwise(["c", "a", "b"]) { items in
        let (operands, shape) = try call.graph.broadcast(items, "where")
        return call.graph.select(operands[0], operands[1], operands[2], shape: shape)
      }
    },
    Builtin(
      "stop", "x", .calculus, "The value of x, held constant for derivatives.", "stop(3)", "3"
    ) { call in try call.pointwise(["x"]) { call.graph.stop($0[0].node) } },
  ]

  /// x^y: exact powers where y is a whole number in the text, the square root for one half.
  static func power(_ graph: TensorGraph, _ x: PlacedNode, _ y: PlacedNode) throws -> NodeID {
    if let exponent = graph.constantValue(y.node), graph.shape(y.node).isEmpty {
      if let whole = Int(exactly: exponent), whole.magnitude <= 1 << 20 {
        return graph.map(.power(whole), x.node)
      }
      if exponent == 0.5 { return graph.map(.sqrt, x.node) }
    }
    let (operands, shape) = try graph.broadcast([x, y], "a power")
    return graph.map(.pow, operands, shape: shape)
  }

  // MARK: Declaring

  static func unary(
    _ name: String, _ f: MapFunction, _ summary: String, _ example: String, _ output: String,
    aliases: [String] = []
  ) -> Builtin {
    Builtin(name, "x", aliases: aliases, .pointwise, summary, example, output) { call in
      try call.pointwise(["x"]) { call.graph.map(f, $0[0].node) }
    }
  }

  /// A function of one tensor, made of others.
  static func composed(
    _ name: String, _ parameters: String, _ summary: String, _ example: String, _ output: String,
    _ build: @escaping @Sendable (TensorGraph, NodeID) -> NodeID
  ) -> Builtin {
    Builtin(name, parameters, .pointwise, summary, example, output) { call in
      try call.pointwise(["x"]) { build(call.graph, $0[0].node) }
    }
  }

  private static func binary(
    _ name: String, _ parameters: String, _ f: MapFunction, _ summary: String, _ example: String,
    _ output: String,
    aliases: [String] = []
  ) -> Builtin {
    Builtin(name, parameters, aliases: aliases, .pointwise, summary, example, output) { call in
      try call.pointwise(call.builtin.parameters.map(\.name)) { try call.mapped(f, $0) }
    }
  }

  // MARK: Formulas

  /// Each half by itself, so that only the derivative at 0 is infinite.
  private static let cubeRoot: @Sendable (TensorGraph, NodeID) -> NodeID = { graph, x in
    let axes = graph.axes(x)
    let third = Operand(graph.fill(1.0 / 3), [])
    let right = graph.map(.pow, [Operand(x, axes), third], shape: graph.shape(x))
    let left = graph.map(.pow, [Operand(graph.scaled(-1, x), axes), third], shape: graph.shape(x))
    let negative = graph.map(.less, [Operand(x, axes), Operand(graph.fill(0), [])], shape: graph.shape(x))
    let mirrored = Operand(graph.scaled(-1, left), axes)
    return graph.select(Operand(negative, axes), mirrored, Operand(right, axes), shape: graph.shape(x))
  }
}
