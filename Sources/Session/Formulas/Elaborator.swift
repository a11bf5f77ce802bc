import Calculus
import Engine
import Graph
import Optimization
import Syntax
import Tensors

/// Local names while a formula is built: formal parameters, and the names that a block assigns.
final class FormulaEnvironment {
  var locals: [String: Meaning]
  /// Functions declared in a block.
  var functions: [String: FunctionBinding] = [:]
  let captured: [String: Definition.Captured]
  /// The block that a function was declared in; its names are in reach.
  let parent: FormulaEnvironment?
  /// Where other names are looked up: the procedure that the text belongs to, or nil for globals.
  let frameTag: Int?

  init(
    locals: [String: Meaning] = [:], captured: [String: Definition.Captured] = [:],
    parent: FormulaEnvironment? = nil,
    frameTag: Int? = nil
  ) {
    self.locals = locals
    self.captured = captured
    self.parent = parent
    self.frameTag = frameTag
  }

  func local(_ name: String) -> Meaning? { locals[name] ?? parent?.local(name) }

  func function(_ name: String) -> (binding: FunctionBinding, home: FormulaEnvironment)? {
    functions[name].map { ($0, self) } ?? parent?.function(name)
  }
}

/// Turns checked syntax into nodes of the graph: names are resolved, shapes checked, functions and pure blocks
/// expanded, derivatives taken. Nothing is computed, except numbers that shapes depend on.
final class Elaborator: FormulaContext {
  let interpreter: Interpreter
  var graph: TensorGraph { interpreter.graph }
  var environment: FormulaEnvironment
  /// Names that a replacement call `f(x = e)` stands in for, with placeholders of another shape.
  var replacements: [String: Meaning] = [:]
  /// What was looked up so far, one record for each definition being built.
  private(set) var records = [Dependencies()]
  /// Formal parameters: what their placeholders stand for in this call.
  private(set) var arguments: [NodeID: NodeID] = [:]
  private(set) var depth = 0
  /// Results of procedures that ran before this formula was built, by their call.
  var callResults: [ObjectIdentifier: CallResult] = [:]
  /// Definitions being built, to find cycles.
  private var active: [Int] = []
  /// Variables of the comprehensions whose elements are being built, innermost last.
  var loops: [LoopVariable] = []
  /// Whether `rand()` and its like may stand here.
  var mayDraw = false

  /// Gradients are projected on the bounds of their params.
  var projectsGradients = false
  /// Definitions mean what they mean elsewhere.
  private var isPlain: Bool { replacements.isEmpty && !projectsGradients }

  /// Why a Hessian of this formula cannot be stored, should it have to be.
  var largeHessian: Diagnostic?

  static let depthLimit = 160

  init(_ interpreter: Interpreter, environment: FormulaEnvironment) {
    self.interpreter = interpreter
    self.environment = environment
  }

  var dependencies: Dependencies { records[0] }

  /// Builds an expression; depth is bounded, so that deep recursion is an error and not a crash.
  func meaning(_ expr: Expr) throws -> Meaning {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthLimit * 4 else {
      throw Diagnostic(
        .resource, "this formula nests too deeply", at: expr.span,
        hint: "recursion must end at a condition that is known")
    }
    try Interruption.check()
    return try build(expr)
  }

  /// Builds an expression that must be one tensor; bundles become flat vectors.
  func node(_ expr: Expr) throws -> NodeID { try asNode(try meaning(expr), expr.span) }

  func placed(_ expr: Expr) throws -> PlacedNode { PlacedNode(node: try node(expr), span: expr.span) }

  func asNode(_ meaning: Meaning, _ span: Span) throws -> NodeID {
    switch meaning {
    case .node(let node), .blockMatrix(let node, _, _): return node
    case .bundle(let bundle): return graph.concatenated(bundle.nodes)
    case .operator(let form): return graph.matrix(form)
    case .range(let a?, let b?): return try integers(from: a, to: b, span)
    default:
      throw Diagnostic(
        .type, "expected a tensor here, not \(meaning.kindName)", at: span, hint: tensorHint(meaning, span))
    }
  }

  private func tensorHint(_ meaning: Meaning, _ span: Span) -> String? {
    if case .string = meaning { return "values stand within strings, in braces: \"t = {t:.3}\"" }
    return meaning.fieldNames.first.map { "its fields are values: \(span.text).\($0)" }
  }

  // MARK: Names

  func record(_ key: DependencyKey, _ stamp: Stamp) { records[records.count - 1].record(key, stamp) }

  func name(_ name: String, _ span: Span) throws -> Meaning {
    if let local = environment.local(name) { return local }
    if let replaced = replacements[name] { return replaced }
    switch environment.captured[name] {
    case .value(let value)?: return interpreter.constantMeaning(of: value)
    case .definition(let id)?: return try definition(id, span)
    case nil: break
    }
    let key = DependencyKey(name: name, frameTag: environment.frameTag)
    guard let binding = interpreter.lookup(name, frameTag: environment.frameTag) else {
      if let meaning = try special(name, key, span) { return meaning }
      throw unknown(name, span)
    }
    record(key, interpreter.stamp(binding))
    switch binding {
    case .definition(let id): return try definition(id, span)
    case .function(let function):
      throw Diagnostic(
        .type, "'\(name)' is a function", at: span,
        hint: "call it: \(name)(\(function.declaration.formals.map(\.name).joined(separator: ", ")))")
    case .variable(let v):
      return interpreter.meaning(of: v.value, name: name, id: v.id, frameTag: environment.frameTag)
    case .param(let leaf), .data(let leaf):
      return .node(interpreter.leafNode(leaf.id, name, leaf.value.shape))
    case .random(let leaf):
      return interpreter.meaning(of: leaf.value, name: name, id: leaf.id, frameTag: environment.frameTag)
    }
  }

  /// Words with a meaning when nothing of that name is bound.
  private func special(_ name: String, _ key: DependencyKey, _ span: Span) throws -> Meaning? {
    record(key, .absent)
    guard let word = SpecialName(rawValue: name) else { return nil }
    if let constant = word.constant { return .node(graph.fill(constant)) }
    switch word {
    case .value: return .node(try objective(span).node)
    case .params: return .bundle(try paramsBundle(span))
    case .grad: return try gradient(of: objective(span).node, wrt: nil, span)
    case .hessian: return try hessian(of: objective(span).node, wrt: nil, tensor: false, span)
    default: return nil
    }
  }

  private func unknown(_ name: String, _ span: Span) -> Diagnostic {
    if Builtins.byName[name] != nil {
      return Diagnostic(.type, "'\(name)' is a function", at: span, hint: "call it: \(name)(…)")
    }
    if let topic = HelpTopic.calculus.first(where: { $0.name == name }) {
      return Diagnostic(.type, "'\(name)' is a function", at: span, hint: "call it: \(topic.usage)")
    }
    return Diagnostic(.name, "'\(name)' is not bound", at: span, hint: hint(forUnknown: name, span))
  }

  /// The objective's formula.
  func objective(_ span: Span?) throws -> (name: String, node: NodeID) {
    guard let name = interpreter.state.objective else {
      throw Diagnostic(
        .name, "there is no objective yet", at: span, hint: objectiveHint)
    }
    record(.objective, .objective(name))
    let here = span ?? Span(SourceText(name: "", text: ""), 0, 0)
    let saved = environment
    environment = FormulaEnvironment()
    defer { environment = saved }
    return (name, try asNode(try self.name(name, here), here))
  }

  // MARK: Definitions

  /// True while a definition is being built that a formula is made of, or the formula itself.
  func isInside(_ formula: String) -> Bool {
    active.contains { id in
      guard let name = interpreter.definitions[id]?.name else { return false }
      return name == formula || interpreter.uses(formula, name)
    }
  }

  private func definition(_ id: Int, _ span: Span) throws -> Meaning {
    try buildEarlier(id, span)
    return try build(id, span)
  }

  /// Long chains of redefinitions are built from their oldest formula on, so that their length is no depth.
  private func buildEarlier(_ id: Int, _ span: Span) throws {
    guard replacements.isEmpty else { return }
    var chain: [Int] = []
    var next = id
    while let definition = interpreter.definitions[next], !isBuilt(definition),
      case .definition(let earlier)? = definition.captured[definition.name]
    {
      chain.append(earlier)
      next = earlier
    }
    guard chain.count > 1 else { return }
    for earlier in chain.reversed() { _ = try build(earlier, span) }
  }

  private func isBuilt(_ definition: Definition) -> Bool {
    definition.cache.map { interpreter.isValid($0.dependencies) } ?? false
  }

  private func build(_ id: Int, _ span: Span) throws -> Meaning {
    guard let definition = interpreter.definitions[id] else {
      throw Diagnostic(.name, "this definition is gone", at: span)
    }
    if isPlain, let cached = definition.cache, interpreter.isValid(cached.dependencies) {
      records[records.count - 1].merge(cached.dependencies)
      return cached.meaning
    }
    if active.contains(id) {
      throw Diagnostic(
        .name, "the definition of '\(definition.name)' depends on itself", at: span,
        hint: "define the names in another order, or assign a value with =")
    }
    active.append(id)
    let saved = environment
    environment = FormulaEnvironment(captured: definition.captured, frameTag: definition.frameTag)
    defer {
      environment = saved
      active.removeLast()
    }
    let (meaning, found) = try recording { try self.meaning(definition.expr) }
    if isPlain {
      definition.cache = Elaborated(meaning: meaning, dependencies: found)
      if case .node(let node) = meaning, graph.names[node] == nil, graph.leaf(of: node) == nil,
        graph.constantValue(node) == nil
      {
        graph.names[node] = definition.name
      }
    }
    return meaning
  }

  /// What `body` builds, and the names it looked up.
  func recording(_ body: () throws -> Meaning) throws -> (Meaning, Dependencies) {
    records.append(Dependencies())
    do {
      let meaning = try body()
      let found = records.removeLast()
      records[records.count - 1].merge(found)
      return (meaning, found)
    } catch {
      let found = records.removeLast()
      records[records.count - 1].merge(found)
      throw error
    }
  }

  // MARK: Static values

  func staticValue(_ node: NodeID, _ span: Span, _ what: String) throws -> Tensor {
    let actual = standingFor(node)
    if let value = graph.constantValue(actual), graph.shape(actual).isEmpty { return Tensor(scalar: value) }
    if !loops.isEmpty, let common = try commonLoopValue(actual, span, what) { return common }
    for leaf in graph.leaves(below: [actual]) {
      guard let info = graph.leaf(of: leaf) else { continue }
      guard let source = interpreter.slots.source(info.id), let binding = interpreter.binding(of: source)
      else {
        throw Diagnostic(.domain, "\(what) must be known when the formula is built", at: span)
      }
      if case .param = binding {
        throw Diagnostic(
          .domain, "\(what) depends on the param '\(info.name)'", at: span,
          hint: "shapes, axes and counts cannot depend on params")
      }
      if let value = interpreter.currentValue(of: info) {
        record(
          DependencyKey(name: source.name, frameTag: source.frameTag),
          .fixed(id: source.bindingID, value: value.count <= 64 ? value.doubles : []))
      }
    }
    return try interpreter.evaluateNow([actual])[0]
  }

  /// The node with formal parameters replaced by the arguments of the calls being expanded.
  func standingFor(_ node: NodeID) -> NodeID {
    arguments.isEmpty ? node : graph.substitute([node], arguments)[0]
  }

  /// Runs `body` with placeholders standing for arguments, and puts the arguments in their place afterwards.
  func withArguments(_ pairs: [(placeholder: NodeID, argument: NodeID)], _ body: () throws -> Meaning) throws
    -> Meaning
  {
    let saved = arguments
    let resolved = pairs.map { ($0.placeholder, standingFor($0.argument)) }
    for (placeholder, argument) in resolved { arguments[placeholder] = argument }
    defer { arguments = saved }
    let result = try body()
    var replaced: [NodeID: NodeID] = [:]
    for pair in pairs { replaced[pair.placeholder] = pair.argument }
    return map(result) { graph.substitute([$0], replaced)[0] }
  }

  /// Applies a change of nodes to everything that a meaning holds.
  func map(_ meaning: Meaning, _ change: (NodeID) -> NodeID) -> Meaning {
    switch meaning {
    case .node(let n): return .node(change(n))
    case .bundle(let b): return .bundle(Bundle(names: b.names, nodes: b.nodes.map(change)))
    case .tuple(let items): return .tuple(items.map { map($0, change) })
    case .fields(let fields): return .record(fields.map { ($0.name, map($0.value, change)) })
    case .blockMatrix(let n, let names, let sizes): return .blockMatrix(change(n), names: names, sizes: sizes)
    case .range(let a, let b): return .range(a.map(change), b.map(change))
    case .operator(let form):
      return .operator(form.mapped(change))
    case .string: return meaning
    }
  }

  /// A number known now, or nil: conditions of pure blocks, bounds of their loops.
  func knownNumber(_ node: NodeID) -> Double? {
    let actual = standingFor(node)
    if let value = graph.constantValue(actual), graph.shape(actual).isEmpty { return value }
    return nil
  }

  func draw(_ distribution: Distribution, _ shape: Shape, _ span: Span) throws -> NodeID {
    guard mayDraw else {
      throw Diagnostic(
        .domain, "random numbers cannot be part of a live formula", at: span,
        hint: "draw once with =, or declare a random leaf: v ~ randn(3)")
    }
    if !loops.isEmpty, distribution.drawsAnew { return drawInLoops(distribution, shape) }
    return interpreter.drawnLeaf(distribution, shape)
  }
}
