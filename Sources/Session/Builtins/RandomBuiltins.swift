import Graph
import Syntax
import Tensors

extension Builtins {
  static let random: [Builtin] = [
    Builtin(
      "rand", "shape…, like=, generator=", .construction, "Uniform random numbers in [0, 1).",
      "shape(rand(2, 3))",
      "[2, 3]"
    ) { call in
      try call.construct { try call.draw(.uniform(0, 1), $0, published: { $0.uniform }) }
    },
    Builtin(
      "randn", "shape…, like=, generator=", .construction, "Standard normal random numbers.",
      "shape(randn(2, 3))", "[2, 3]"
    ) { call in
      try call.construct { try call.draw(.normal(mean: 0, deviation: 1), $0, published: { $0.normal }) }
    },
    Builtin(
      "rademacher", "shape…, like=", .construction, "Random signs: 1 or -1, each with probability one half.",
      "abs(rademacher(3))", "[1, 1, 1]"
    ) { call in try call.construct { try call.context.draw(.rademacher, $0, call.span) } },
    Builtin(
      "uniform", "lo, hi, shape…, like=", .construction,
      "Uniform random numbers between lo and hi, which may depend on params.", "shape(uniform(-1, 1, 4))",
      "[4]"
    ) { call in
      let (low, high) = (try call.scalar("lo"), try call.scalar("hi"))
      return try call.construct { try call.uniform(low, high, $0) }
    },
    Builtin(
      "normal", "mean, sd, shape…, like=", .construction,
      "Normal random numbers with this mean and standard deviation, which may depend on params.",
      "shape(normal(0, 2, 4))", "[4]"
    ) { call in
      let (mean, deviation) = (try call.scalar("mean"), try call.scalar("sd"))
      return try call.construct { try call.normal(mean, deviation, $0) }
    },
    Builtin(
      "randint", "lo, hi, shape…, like=", .construction,
      "Random whole numbers from lo up to hi, which is left out.",
      "randint(0, 1, 3)", "[0, 0, 0]"
    ) { call in
      let (low, high) = (try call.integer("lo"), try call.integer("hi"))
      guard low < high else { throw call.error(.domain, "there is no whole number in \(low)..\(high)", "hi") }
      return try call.construct { try call.context.draw(.integers(low, high), $0, call.span) }
    },
    Builtin(
      "glorot", "fan_in, fan_out", aliases: ["xavier"], .construction,
      "Uniform initial weights within ±√(6/(fan_in + fan_out)), for tanh and linear layers.",
      "shape(glorot(4, 3))", "[4, 3]"
    ) { call in
      let (n, m) = try call.fans()
      return try .node(call.context.draw(.glorot(n, m), [n, m], call.span))
    },
    Builtin(
      "he", "fan_in, fan_out", .construction,
      "Normal initial weights with standard deviation √(2/fan_in), for relu layers.", "shape(he(4, 3))",
      "[4, 3]"
    ) { call in
      let (n, m) = try call.fans()
      return try .node(call.context.draw(.he(n), [n, m], call.span))
    },
    Builtin(
      "torch", "seed", .construction,
      "As generator=, the uniform numbers of torch.rand after manual_seed(seed).",
      "shape(rand(2, generator=torch(0)))", "[2]"
    ) { call in try PublishedGenerator.marker("torch", call) },
    Builtin(
      "numpy", "seed", .construction, "As generator=, the numbers of numpy.random.default_rng(seed).",
      "shape(randn(2, generator=numpy(0)))", "[2]"
    ) { call in try PublishedGenerator.marker("numpy", call) },
  ]
}

/// Distributions of initial weights by the numbers of inputs and outputs of a layer.
extension Distribution {
  /// Glorot and Bengio, *Understanding the difficulty of training deep feedforward neural networks* (2010), equation 16.
  static func glorot(_ inputs: Int, _ outputs: Int) -> Distribution {
    let bound = (6 / Double(inputs + outputs)).squareRoot()
    return .uniform(-bound, bound)
  }

  /// He, Zhang, Ren and Sun, *Delving deep into rectifiers* (2015), equation 10.
  static func he(_ inputs: Int) -> Distribution {
    .normal(mean: 0, deviation: (2 / Double(inputs)).squareRoot())
  }

  /// The default of PyTorch's linear layers.
  static func linearLayer(_ inputs: Int) -> Distribution {
    let bound = 1 / Double(inputs).squareRoot()
    return .uniform(-bound, bound)
  }
}

/// `torch(0)` or `numpy(0)`, as an argument.
struct PublishedGenerator {
  let family: String
  let seed: Int

  var uniform: Distribution? { family == "torch" ? .torch(seed: seed) : .numpy(seed: seed, normal: false) }
  var normal: Distribution? { family == "torch" ? nil : .numpy(seed: seed, normal: true) }

  static func marker(_ family: String, _ call: BuiltinCall) throws -> Meaning {
    let seed = try call.integer("seed", in: 0...Int.max)
    return .record([("generator", .string(family)), ("seed", .string(String(seed)))])
  }

  init?(_ value: Meaning) {
    guard case .fields(let fields) = value, fields.count == 2, fields[0].name == "generator",
      case .string(let family) = fields[0].value, case .string(let text) = fields[1].value,
      let seed = Int(text)
    else { return nil }
    self.family = family
    self.seed = seed
  }
}

extension BuiltinCall {
  fileprivate func scalar(_ name: String) throws -> NodeID {
    let node = try node(name)
    guard graph.shape(node).isEmpty else {
      throw error(.shape, "'\(name)' of \(builtin.name) is one number", name)
    }
    return node
  }

  fileprivate func fans() throws -> (Int, Int) {
    let sizes = (
      try integer("fan_in", in: 1...Int(Int32.max)), try integer("fan_out", in: 1...Int(Int32.max))
    )
    try checkCount([sizes.0, sizes.1], "fan_in")
    return sizes
  }

  /// From the session's generator, or from the published one that `generator=` names.
  fileprivate func draw(
    _ distribution: Distribution, _ shape: Shape, published: (PublishedGenerator) -> Distribution?
  ) throws -> NodeID {
    guard let argument = arguments["generator"]?.first else {
      return try context.draw(distribution, shape, span)
    }
    guard let generator = PublishedGenerator(argument.value) else {
      throw error(.type, "a generator is torch(seed) or numpy(seed)", "generator")
    }
    guard let own = published(generator) else {
      throw error(
        .domain, "\(generator.family)'s \(builtin.name) is not reproduced", "generator",
        hint: "numpy(seed) is")
    }
    if case .bundle = arguments["like"]?.first?.value {
      throw error(.type, "a published generator makes one tensor, not a bundle", "generator")
    }
    return try context.draw(own, shape, span)
  }

  /// Known ends are the distribution's; others move and scale a standard draw, so that they have derivatives.
  fileprivate func uniform(_ low: NodeID, _ high: NodeID, _ shape: Shape) throws -> NodeID {
    if let a = graph.constantValue(low), let b = graph.constantValue(high) {
      guard a <= b else { throw error(.domain, "uniform needs lo ≤ hi, not \(a) and \(b)", "lo") }
      return try context.draw(.uniform(a, b), shape, span)
    }
    return moved(
      try context.draw(.uniform(0, 1), shape, span), by: low, scaledBy: graph.difference(high, low))
  }

  fileprivate func normal(_ mean: NodeID, _ deviation: NodeID, _ shape: Shape) throws -> NodeID {
    if let m = graph.constantValue(mean), let s = graph.constantValue(deviation) {
      guard s >= 0 else { throw error(.domain, "a standard deviation cannot be negative", "sd") }
      return try context.draw(.normal(mean: m, deviation: s), shape, span)
    }
    return moved(try context.draw(.normal(mean: 0, deviation: 1), shape, span), by: mean, scaledBy: deviation)
  }

  private func moved(_ draw: NodeID, by offset: NodeID, scaledBy scale: NodeID) -> NodeID {
    let axes = graph.axes(draw)
    let scaled = graph.contract(1, [Operand(draw, axes), Operand(scale, [])], to: axes)
    let parts = [Summand(1, Operand(scaled, axes)), Summand(1, Operand(offset, []))]
    return graph.add(parts, shape: graph.shape(draw))
  }
}
