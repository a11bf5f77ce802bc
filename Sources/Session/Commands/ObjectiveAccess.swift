import Engine
import Graph
import Optimization
import Syntax
import Tensors

/// What commands need of a scalar formula at the present params: value, gradient, Hessian, as flat vectors.
struct ObjectiveView {
  let name: String
  let value: Double
  /// One tensor a param.
  let params: [(name: String, tensor: Tensor)]
  let gradient: Tensor?
  let hessian: HessianMatrix?

  var gradientNorm: Double? { gradient.map { norm($0.doubles) } }
}

extension CommandCall {
  /// The formula that a command speaks of: its subject, or the objective.
  var subject: Expr? { command.subjects.first }

  func noMoreSubjects(than limit: Int = 1) throws {
    guard command.subjects.count > limit else { return }
    throw Diagnostic(
      .syntax,
      "'\(command.verb)' takes \(limit == 0 ? "no" : "at most \(limit)") \(limit == 1 ? "argument" : "arguments") here",
      at: command.subjects[limit].span,
      hint: misspelledWord ?? namelessOption(command.subjects[limit]) ?? "it is \(definition.usage)")
  }

  /// `step gd 0.1`: options have names.
  private func namelessOption(_ subject: Expr) -> String? {
    if let last = command.options.last,
      last.span.union(subject.span).text == "\(last.span.text),\(subject.span.text)"
    {
      return "a decimal point is a dot: \(last.span.text).\(subject.span.text)"
    }
    if case .name(let word) = subject.kind {
      let method = command.subjects.first.flatMap { Methods.byName[$0.span.text] }
      let options = (definition.options + (method?.options ?? [])).map(\.name)
      if options.contains(word) { return "an option has a value: \(word)=…" }
      let hasTargets = CommandGrammar[verb: command.verb]?.operand(of: "wrt") != nil
      if hasTargets, case .param? = interpreter.lookup(word) {
        return "what to differentiate by stands after wrt: wrt \(word)"
      }
    }
    guard case .number(let value) = subject.kind, case .name(let name)? = command.subjects.first?.kind,
      let option = Methods.byName[name]?.options.first?.name
    else { return nil }
    if command.verb == "step", value > 1, value == value.rounded() { return repeatedStep(subject.span.text) }
    return "an option has a name: \(command.verb) \(name) \(option)=\(subject.span.text)"
  }

  /// A step is one; several are a loop.
  private func repeatedStep(_ count: String) -> String {
    let method = command.subjects.first?.span.text ?? "newton"
    return "several steps: repeat \(count) { step \(method) }, or minimize \(method) max \(count)"
  }

  /// A name among the subjects that is nearly a clause word of the verb: `eig tpo 3`.
  private var misspelledWord: String? {
    let words = CommandGrammar[verb: command.verb]?.clauses.map(\.keyword) ?? []
    for case .name(let name) in command.subjects.map(\.kind) where interpreter.lookup(name) == nil {
      if let word = closestMatch(to: name, in: words) { return "did you mean '\(word)' for '\(name)'?" }
    }
    return nil
  }

  /// The name of what commands with methods move on: `on F`, or the objective.
  var objectiveName: String {
    command.clause("on")?.values.first?.span.text ?? interpreter.state.objective ?? "f"
  }

  /// The subject's name for headings.
  var subjectName: String { subject?.span.text ?? interpreter.state.objective ?? "f" }

  /// The same where `∇` stands before it or a denominator follows: sums and products in parentheses.
  var subjectSymbol: String {
    guard let subject else { return subjectName }
    switch subject.kind {
    case .name, .number, .call, .index, .field, .literal, .comprehension, .tuple, .boolean:
      return subjectName
    default:
      return subjectName.hasPrefix("(") && subjectName.hasSuffix(")") ? subjectName : "(\(subjectName))"
    }
  }

  /// The wrt clause as one expression.
  func wrt(_ elaborator: Elaborator) -> Expr? {
    guard let clause = command.clause("wrt"), let first = clause.values.first else { return nil }
    if clause.values.count == 1 { return first }
    return Expr(.tuple(clause.values), clause.span)
  }

  func scalarNode(_ elaborator: Elaborator) throws -> NodeID {
    // Commands that name methods say `on F`.
    let isMethodCommand = ["step", "minimize", "train", "compare", "reinit", "prune"].contains(command.verb)
    guard let subject = isMethodCommand ? command.clause("on")?.values.first : self.subject else {
      return try elaborator.objective(command.verbSpan).node
    }
    let node = try elaborator.node(subject)
    guard elaborator.graph.shape(node).isEmpty else {
      throw Diagnostic(
        .shape,
        "'\(command.verb)' needs a scalar formula, not one of shape \(elaborator.graph.shape(node).shapeDescription)",
        at: subject.span, hint: scalarHint(subject))
    }
    return node
  }

  /// `grad x` mostly means `grad wrt x`.
  private func scalarHint(_ subject: Expr) -> String {
    if case .name(let name) = subject.kind, case .param? = interpreter.lookup(name),
      command.clause("wrt") == nil,
      CommandGrammar[verb: command.verb]?.clauses.contains(where: { $0.keyword == "wrt" }) == true
    {
      return "'\(command.verb) wrt \(name)' takes the objective's derivatives by \(name)"
    }
    return "reduce it with sum or mean"
  }

  /// Value, gradient and Hessian at the present point.
  func view(_ order: DerivativeOrder, storage: MatrixStorage = .dense) throws -> ObjectiveView {
    let key = CommandKey(command, "view \(order)")
    let value = try interpreter.evaluate(key: key, owner: command, storage: storage) { elaborator in
      let f = try scalarNode(elaborator)
      let targets = try elaborator.targets(wrt(elaborator), of: [f], command.span)
      let graph = elaborator.graph
      var parts: [Meaning] = [.node(f), .bundle(Bundle(names: targets.names, nodes: targets.leaves))]
      if order.rawValue >= DerivativeOrder.gradient.rawValue {
        let g = graph.grad(f, wrt: targets.leaves)
        if let part = targets.part {
          parts.append(.node(elaborator.flat(elaborator.indexed(g[0], part))))
        } else {
          parts.append(.node(graph.concatenated(g)))
        }
      }
      if order == .ggn {
        let g = try elaborator.gaussNewton(f, targets, at: nil, command.span)
        parts.append(.node(elaborator.asMatrix(try elaborator.asNode(g, command.span))))
      }
      if order == .kfac {
        let blocks = try elaborator.kroneckerBlocks(f, targets, at: nil, command.span)
        parts.append(.tuple(blocks.map { elaborator.meaning(of: $0, targets) }))
      }
      if order == .hessian {
        let h = try elaborator.hessian(of: f, wrt: wrt(elaborator), tensor: false, command.span)
        parts.append(.node(elaborator.asMatrix(try elaborator.asNode(h, command.span))))
      }
      return .tuple(parts)
    }
    guard case .tuple(let parts) = value, case .bundle(let names, let tensors) = parts[1] else {
      throw Diagnostic(.type, "'\(command.verb)' needs a scalar formula", at: command.span)
    }
    return ObjectiveView(
      name: subjectSymbol, value: parts[0].tensor?.scalarValue ?? .nan,
      params: zip(names, tensors).map { ($0, $1) }, gradient: parts.count > 2 ? parts[2].tensor : nil,
      hessian: parts.count > 3 ? parts[3].hessian : nil)
  }
}

extension CommandCall {
  /// H·v at the present point, v flat: by products, the Hessian itself is not formed.
  func product(_ v: [Double]) throws -> [Double] {
    try product(v, "product") { elaborator, f, targets, directions in
      elaborator.graph.hvp(f, wrt: targets.leaves, directions)
    }
  }

  /// G·v with the Gauss–Newton matrix at the present point.
  func gaussNewtonProduct(_ v: [Double]) throws -> [Double] {
    try product(v, "ggn product") { elaborator, f, targets, directions in
      try elaborator.gaussNewtonProduct(f, targets, at: nil, directions, command.span)
    }
  }

  private func product(
    _ v: [Double], _ use: String,
    _ build: (Elaborator, NodeID, Targets, [NodeID]) throws -> [NodeID]
  ) throws -> [Double] {
    let leaf = interpreter.directionLeaf(Tensor(vector: v, interpreter.state.settings.precision))
    let value = try interpreter.evaluate(key: CommandKey(command, use), owner: command) { elaborator in
      let f = try scalarNode(elaborator)
      let targets = try elaborator.targets(wrt(elaborator), of: [f], command.span)
      let graph = elaborator.graph
      let flat = graph.leaf(leaf)
      var start = 0
      let directions = targets.leaves.map { target -> NodeID in
        let shape = graph.shape(target)
        defer { start += shape.elementCount }
        return graph.reshaped(
          graph.sliced(flat, axis: 0, start: start, count: shape.elementCount), shape)
      }
      return .node(graph.concatenated(try build(elaborator, f, targets, directions)))
    }
    return value.tensor?.doubles ?? []
  }
}

extension Interpreter {
  /// A leaf that stands for a direction, which has this value until the next is given.
  fileprivate func directionLeaf(_ v: Tensor) -> Leaf {
    let binding = directions[v.count] ?? slots.identity()
    directions[v.count] = binding
    procedureResults[binding] = .tensor(v)
    let id = slots.leafID("direction", binding: binding, frameTag: nil, path: [], isResult: true)
    return Leaf(id: id, name: "direction", shape: v.shape)
  }
}

extension Value {
  /// A matrix as methods take it.
  fileprivate var hessian: HessianMatrix? {
    if case .sparse(let matrix, _, _) = self { return .sparse(matrix) }
    if case .tuple(let items) = self { return .blocks(items.compactMap(\.curvatureBlock)) }
    return tensor.map { .dense($0) }
  }
}

/// A plan's key for one use within a command.
struct CommandKey: Hashable {
  let id: ObjectIdentifier
  let use: String
  init(_ command: Command, _ use: String) {
    id = ObjectIdentifier(command)
    self.use = use
  }
}

extension Elaborator {
  /// All entries as a vector.
  func flat(_ node: NodeID) -> NodeID { graph.shape(node).count == 1 ? node : graph.concatenated([node]) }

  /// A scalar second derivative as a 1×1 matrix.
  func asMatrix(_ node: NodeID) -> NodeID {
    guard graph.shape(node).isEmpty else { return node }
    return graph.contract(1, [Operand(node, [])], to: [0, 1], sizes: [0: 1, 1: 1])
  }
}

extension Interpreter {
  /// A derivative by its text: bare, called, or as the whole of a definition, whose own names mean what they did when it
  /// was made.
  private func isDerivative(_ expr: Expr, _ words: Set<String>) -> Bool {
    var (expr, captured, seen) = (expr, [String: Definition.Captured](), Set<Int>())
    while true {
      switch expr.kind {
      case .call(let callee, _): expr = callee
      case .name(let name):
        var meaning = lookup(name)
        switch captured[name] {
        case .definition(let earlier)?: meaning = .definition(earlier)
        case .value?: return false
        case nil: break
        }
        guard case .definition(let id)? = meaning, let definition = definitions[id] else {
          return words.contains(name) && meaning == nil
        }
        guard seen.insert(id).inserted else { return false }
        (expr, captured) = (definition.expr, definition.captured)
      default: return false
      }
    }
  }

  /// A matrix by its meaning, also where there is but one param and it is a number.
  func isHessian(_ expr: Expr) -> Bool { isDerivative(expr, ["hessian", "ggn", "fisher"]) }

  func isGradient(_ expr: Expr) -> Bool { isDerivative(expr, ["grad"]) }

  /// Sets params from a flat vector, as one move.
  func move(_ names: [String], to flat: [Double]) {
    move(names, to: Tensor.pieces(of: flat, paramShapes(names), state.settings.precision))
  }

  /// Sets params, as one move.
  func move(_ names: [String], to values: [Tensor]) {
    for (name, value) in zip(names, values) {
      guard case .param(var leaf)? = lookup(name, frameTag: nil) else { continue }
      leaf.value = value
      bindGlobal(name, .param(leaf))
    }
  }

  /// Runs something with params at another point.
  func at<T>(_ point: [Double], of names: [String], _ body: () throws -> T) rethrows -> T {
    let (saved, version) = (state.globals, valueVersion)
    move(names, to: point)
    defer {
      state.globals = saved
      valueVersion = version
    }
    return try body()
  }

  /// The shapes of params; every name is one.
  func paramShapes(_ names: [String]) -> [Shape] {
    names.compactMap { name in
      if case .param(let leaf)? = lookup(name, frameTag: nil) { return leaf.value.shape }
      return nil
    }
  }

  func recordMove() {
    guard state.path.isEmpty, state.objective != nil else { return }
    notePoint()
  }

  /// The present point on the path.
  func notePoint(value: Double? = nil, gradientNorm: Double? = nil) {
    guard state.objective != nil else { return }
    let layout = pathLayout
    let values = layout.names.compactMap { name -> Tensor? in
      if case .param(let leaf)? = state.globals[name] { return leaf.value }
      return nil
    }
    state.path.append(value: value, gradientNorm: gradientNorm, layout) { target in
      var offset = 0
      for value in values {
        value.copy(to: target + offset)
        offset += value.count
      }
    }
    redrawLive()
  }

  /// What points of the path tell: the params, unless they have so many entries that they would fill the memory
  /// (and could not be drawn).
  var pathLayout: Path.Layout {
    let precision = state.settings.precision
    if let known = knownPathLayout, known.version == structureVersion, known.layout.precision == precision {
      return known.layout
    }
    let all = allParams
    let isDrawn = all.reduce(0) { $0 + $1.leaf.value.count } <= Path.entryLimit
    let kept = isDrawn ? all : []
    let (names, shapes) = (kept.map(\.name), kept.map(\.leaf.value.shape))
    var layout = Path.Layout(names: names, shapes: shapes, precision: precision)
    if let old = knownPathLayout?.layout, old.names == names, old.shapes == shapes, old.precision == precision
    {
      layout = old
    }
    knownPathLayout = (structureVersion, layout)
    return layout
  }
}
