import Graph
import Syntax
import Tensors

/// `net = mlp([40, 32, 10], relu)`: the text of a network, as one would write it by hand. It is that text which is
/// run, so that a network from `mlp` and one written out are the same formulas.
struct NetworkText {
  let name: String
  let sizes: [Int]
  /// Name of the function after each layer but the last, and after the last if there is to be one.
  let activation: String
  let output: String?
  /// How weights begin: one of `initialisers`, or a function of the two sizes.
  let initialiser: String
  let scale: Double
  let prefix: String
  let hasBias: Bool

  /// What `init=` takes, with the expression for weights from n to m, and whether biases begin so, too (else at 0).
  static let initialisers = ["torch", "glorot", "xavier", "he", "zeros", "uniform", "normal"]

  func weight(_ layer: Int) -> String { "\(prefix)W\(layer)" }
  func bias(_ layer: Int) -> String { "\(prefix)b\(layer)" }

  /// Names of the params, in the order of declaration.
  var params: [String] { layers.flatMap { hasBias ? [weight($0), bias($0)] : [weight($0)] } }
  var count: Int {
    layers.reduce(0) { $0 + (sizes[$1 - 1] + (hasBias ? 1 : 0)) * sizes[$1] }
  }
  private var layers: ClosedRange<Int> { 1...(sizes.count - 1) }

  private func weights(_ n: Int, _ m: Int) -> String {
    switch initialiser {
    case "torch": return "uniform(-1/sqrt(\(n)), 1/sqrt(\(n)), \(n), \(m))"
    case "zeros": return "zeros(\(n), \(m))"
    case "uniform": return "uniform(-\(scale), \(scale), \(n), \(m))"
    case "normal": return "normal(0, \(scale), \(n), \(m))"
    default: return "\(initialiser)(\(n), \(m))"
    }
  }

  /// PyTorch draws biases as weights; others have them begin at 0.
  private func biases(_ n: Int, _ m: Int) -> String {
    initialiser == "torch" ? "uniform(-1/sqrt(\(n)), 1/sqrt(\(n)), \(m))" : "zeros(\(m))"
  }

  var formula: String {
    var formula = "x"
    for layer in layers {
      formula = "\(formula) @ \(weight(layer))" + (hasBias ? " + \(bias(layer))" : "")
      if layer < sizes.count - 1 {
        formula = "\(activation)(\(formula))"
      } else if let output {
        formula = "\(output)(\(formula))"
      }
    }
    return formula
  }

  var text: String {
    var lines: [String] = []
    for layer in layers {
      let (n, m) = (sizes[layer - 1], sizes[layer])
      lines.append("param \(weight(layer)) = \(weights(n, m))")
      if hasBias { lines.append("param \(bias(layer)) = \(biases(n, m))") }
    }
    return (lines + ["\(name)(x) := \(formula)"]).joined(separator: "\n")
  }
}

extension Interpreter {
  /// Declares the network that an assignment asks for; false when it asks for none.
  func declareNetwork(_ targets: [Expr], _ value: Expr, echoes: Bool) throws -> Bool {
    guard case .call(let callee, let arguments) = value.kind, case .name("mlp") = callee.kind,
      lookup("mlp") == nil
    else { return false }
    guard targets.count == 1, case .name(let name) = targets[0].kind else {
      throw Diagnostic(
        .type, "a network has one name", at: targets[0].span, hint: "net = mlp([2, 8, 1], tanh)")
    }
    guard state.frames.isEmpty else {
      throw Diagnostic(.type, "params are declared at the top level, so networks are, too", at: value.span)
    }
    let network = try network(name, arguments, value)
    let source = "mlp for \(name)"
    for param in network.params {
      guard let binding = state.globals[param] else { continue }
      // The same network again.
      if case .param(let leaf) = binding, leaf.declaration.span.source.name == source { continue }
      throw Diagnostic(
        .name, "'\(param)' is bound already, and this network declares a param of that name", at: value.span,
        hint: "name its params otherwise: mlp(…, prefix=\"\(name)_\")")
    }
    willChange()
    for statement in try statements(of: network, source) {
      switch statement.kind {
      case .param(let name, let span, let value, _):
        try declare(name, span, value, isParam: true, echoes: false)
      case .function(let declaration): try define(declaration, echoes: false)
      default: break
      }
    }
    guard echoes else { return true }
    let sizes = network.sizes.map(String.init).joined(separator: " → ")
    output(
      .text(
        "\(name) : network \(sizes), \(network.count) entries in \(network.params.joined(separator: ", "))"))
    return true
  }

  /// The same text is the same statements, so that its plans are found again.
  private func statements(of network: NetworkText, _ source: String) throws -> [Statement] {
    if let known = networks[network.text] { return known }
    let parsed = Parser.parse(SourceText(name: source, text: network.text))
    if let problem = parsed.diagnostics.first { throw problem }
    networks[network.text] = parsed.statements
    return parsed.statements
  }

  // MARK: Arguments

  private func network(_ name: String, _ arguments: [Argument], _ call: Expr) throws -> NetworkText {
    guard let builtin = Builtins.byName["mlp"] else { throw Diagnostic(.name, "no mlp", at: call.span) }
    var given: [String: Expr] = [:]
    for (place, argument) in arguments.enumerated() {
      let names = builtin.parameters.map(\.name)
      guard place < names.count, names.contains(argument.name ?? names[place]),
        given.updateValue(argument.value, forKey: argument.name ?? names[place]) == nil
      else {
        throw Diagnostic(
          .type, "mlp does not take this argument", at: argument.span,
          hint: argument.name.flatMap { closestMatch(to: $0, in: names) }.map { "did you mean '\($0)'?" }
            ?? "it is \(builtin.signature)")
      }
    }
    let scale = try given["scale"].map { try number($0) } ?? 0.1
    guard scale.isFinite, scale >= 0 else {
      throw Diagnostic(.domain, "the scale of weights is a number of at least 0", at: given["scale"]?.span)
    }
    return NetworkText(
      name: name, sizes: try sizes(given["sizes"], call),
      activation: try given["activation"].map { try functionName($0, "an activation", arguments: 1) }
        ?? "relu",
      output: try given["output"].map { try functionName($0, "an activation", arguments: 1) },
      initialiser: try given["init"].map(initialiser) ?? "torch", scale: scale,
      prefix: try given["prefix"].map { try word($0, "a prefix") } ?? "",
      hasBias: try given["bias"].map { try truth($0, "bias") } ?? true)
  }

  private func sizes(_ expr: Expr?, _ call: Expr) throws -> [Int] {
    guard let expr else {
      throw Diagnostic(
        .type, "mlp needs the sizes of its layers", at: call.span, hint: "net = mlp([2, 8, 1], tanh)")
    }
    let value = try evaluate(expr)
    let sizes = value.tensor?.doubles.compactMap { Int(exactly: $0) } ?? []
    guard let tensor = value.tensor, tensor.rank == 1, tensor.count >= 2, sizes.count == tensor.count,
      sizes.allSatisfy({ (1...10_000_000).contains($0) })
    else {
      throw Diagnostic(
        .domain, "the sizes of a network are two or more whole numbers of at least 1", at: expr.span,
        hint: "inputs, hidden layers and outputs: [40, 32, 10]")
    }
    return sizes
  }

  private func initialiser(_ expr: Expr) throws -> String {
    let name = try word(expr, "an initialiser")
    if NetworkText.initialisers.contains(name), lookup(name) == nil { return name }
    if case .function(let function)? = lookup(name), function.declaration.formals.count >= 2 { return name }
    let known = NetworkText.initialisers
    throw Diagnostic(
      .name, "there is no initialiser '\(name)'", at: expr.span,
      hint: closestMatch(to: name, in: known).map { "did you mean '\($0)'?" }
        ?? "it is \(known.joined(separator: ", ")), or a function of yours of the two sizes")
  }

  /// A function of the user or a pointwise builtin, by its name.
  private func functionName(_ expr: Expr, _ what: String, arguments: Int) throws -> String {
    let name = try word(expr, what)
    switch lookup(name) {
    case .function(let function)?:
      let required = function.declaration.formals.filter { $0.defaultValue == nil }.count
      if required <= arguments, function.declaration.formals.count >= arguments { return name }
      throw Diagnostic(
        .type,
        "\(what) takes \(arguments) argument, and '\(name)' takes \(function.declaration.formals.count)",
        at: expr.span)
    case nil:
      if let builtin = Builtins.byName[name], builtin.parameters.first?.defaultText == nil,
        builtin.parameters.dropFirst().allSatisfy({ $0.defaultText != nil }),
        builtin.group == .pointwise || builtin.group == .learning
      {
        return name
      }
    default: break
    }
    let known = Builtins.all.filter { $0.group == .pointwise }.map(\.name)
    throw Diagnostic(
      .name, "there is no function '\(name)' that could be \(what)", at: expr.span,
      hint: closestMatch(to: name, in: known).map { "did you mean '\($0)'?" }
        ?? "relu, tanh, gelu, sigmoid, softplus, or a function of yours")
  }

  /// A name, bare or in quotes.
  private func word(_ expr: Expr, _ what: String) throws -> String {
    if case .name(let name) = expr.kind { return name }
    guard case .string = expr.kind, case .string(let text) = try evaluate(expr),
      text.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }), text.first?.isNumber == false
    else {
      throw Diagnostic(.type, "\(what) is a name, such as relu or \"relu\"", at: expr.span)
    }
    return text
  }
}
