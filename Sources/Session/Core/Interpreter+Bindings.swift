import Graph
import Syntax
import Tensors

extension Interpreter {
  // MARK: =

  func assign(_ targets: [Expr], _ value: Value, _ source: Expr) throws {
    if targets.count == 1 { return try assign(targets[0], value, source) }
    guard let parts = value.parts, parts.count == targets.count else {
      throw Diagnostic(
        .type, "\(targets.count) names need a tuple of as many values, not \(value.kindName)",
        at: source.span,
        hint: Self.hint(forParts: value))
    }
    for (k, target) in targets.enumerated()
    where targets[..<k].contains(where: { $0.span.text == target.span.text }) {
      throw Diagnostic(.type, "'\(target.span.text)' stands twice on the left", at: target.span)
    }
    willChange()
    for (target, part) in zip(targets, parts) { try assign(target, part, source) }
  }

  /// What has parts, but is no tuple.
  private static func hint(forParts value: Value) -> String? {
    switch value {
    case .record(let fields):
      return
        "it has fields: bind it to one name, as in s = …, then \(fields.map { "s.\($0.name)" }.joined(separator: ", "))"
    case .tensor(let tensor) where tensor.rank > 0: return "a tuple stands in parentheses: (a, b) = (1, 2)"
    default: return nil
    }
  }

  private func assign(_ target: Expr, _ value: Value, _ source: Expr) throws {
    switch target.kind {
    case .name(let name): try assign(name, value, target.span, source.span)
    case .index(let base, let items): try assignEntries(base, items, value, target.span, source.span)
    default:
      throw Diagnostic(.type, "only names and their entries can be assigned", at: target.span)
    }
  }

  private func assign(_ name: String, _ value: Value, _ span: Span, _ source: Span) throws {
    if name == "params", isAssignable(toParams: value) {
      return try assignParams(value.fieldNames, value.tensors, source)
    }
    try checkAssignable(name, span)
    if case .nothing = value { throw Diagnostic(.type, "there is no value to assign", at: source) }
    switch state.globals[name] {
    case .param(let leaf)? where !isLocal(name):
      willChange()
      let moved = try self.moved(name, leaf, to: value, source)
      recordMove()
      bindGlobal(name, .param(moved))
      notePoint()
    case .data(var leaf)? where !isLocal(name):
      leaf.value = try fitting(value, nil, name, source)
      bindGlobal(name, .data(leaf))
    default:
      let id = variableID(name)
      bind(name, .variable(Variable(id: id, value: rounded(value))))
    }
  }

  /// A bundle, or a record of tensors, as it comes from a file.
  private func isAssignable(toParams value: Value) -> Bool {
    switch value {
    case .bundle: return true
    case .record(let fields): return !fields.isEmpty && fields.allSatisfy { $0.value.tensor != nil }
    default: return false
    }
  }

  /// `params = params - 0.1*grad(f, params)`: one move of several params.
  private func assignParams(_ names: [String], _ tensors: [Tensor], _ source: Span) throws {
    willChange()
    recordMove()
    for (name, tensor) in zip(names, tensors) {
      guard case .param(let leaf)? = state.globals[name] else {
        throw Diagnostic(.name, "'\(name)' is not a param", at: source)
      }
      bindGlobal(name, .param(try moved(name, leaf, to: .tensor(tensor), source)))
    }
    notePoint()
  }

  /// A param with another value, which must have its shape and lie within its bounds.
  func moved(_ name: String, _ leaf: LeafBinding, to value: Value, _ span: Span) throws -> LeafBinding {
    var leaf = leaf
    leaf.value = try fitting(value, leaf.value.shape, name, span)
    try leaf.bounds.map { try check(leaf.value, $0, name, span) }
    return leaf
  }

  /// What a param's declaration gives now; it may draw.
  func declaredAnew(_ name: String, _ leaf: LeafBinding, _ span: Span) throws -> Tensor {
    guard let value = try evaluate(leaf.declaration).tensor, value.shape == leaf.value.shape else {
      throw Diagnostic(.shape, "the declaration of '\(name)' no longer gives its shape", at: span)
    }
    return value
  }

  /// The identity of a name in the scope that statements run in.
  func variableID(_ name: String) -> Int {
    let old = state.frames.isEmpty ? state.globals[name] : state.frames[state.frames.count - 1].locals[name]
    if case .variable(let known)? = old { return known.id }
    return slots.bindingID(name, frameTag: currentFrameTag)
  }

  private func isLocal(_ name: String) -> Bool { state.frames.last?.locals[name] != nil }

  func checkAssignable(_ name: String, _ span: Span) throws {
    guard let word = SpecialName(rawValue: name), word.isReserved else { return }
    throw Diagnostic(
      .name, "'\(name)' has a meaning of its own and cannot be bound", at: span,
      hint: word == .params ? "a bundle or record of the params can be assigned to it: params = start" : nil)
  }

  /// A value for a leaf: the shape must match (nil: any).
  private func fitting(_ value: Value, _ shape: Shape?, _ name: String, _ span: Span) throws -> Tensor {
    guard let tensor = value.tensor else {
      throw Diagnostic(.type, "'\(name)' holds a tensor, not \(value.kindName)", at: span)
    }
    if let shape, tensor.shape != shape {
      throw Diagnostic(
        .shape, "'\(name)' has shape \(shape.shapeDescription), the value \(tensor.shape.shapeDescription)",
        at: span,
        hint: "declare it again with param to change its shape")
    }
    return tensor.converted(to: state.settings.precision)
  }

  /// Tensors in the session's precision.
  private func rounded(_ value: Value) -> Value {
    if case .tensor(let t) = value { return .tensor(t.converted(to: state.settings.precision)) }
    return value
  }

  // MARK: A[i, j] = e

  private func assignEntries(
    _ base: Expr, _ items: [IndexItem], _ value: Value, _ span: Span, _ source: Span
  ) throws {
    guard case .name(let name) = base.kind else {
      throw Diagnostic(.type, "only entries of a name can be assigned", at: span)
    }
    guard let part = value.tensor else {
      throw Diagnostic(.type, "entries are numbers, not \(value.kindName)", at: source)
    }
    guard let binding = lookup(name), var tensor = wholeTensor(binding) else {
      throw Diagnostic(
        .name, "'\(name)' is not a tensor that can be changed", at: base.span,
        hint: lookup(name) == nil ? "assign the whole tensor first: \(name) = zeros(…)" : nil)
    }
    let places = try entryPlaces(base, items, tensor.shape, span)
    let shape = places.shape
    guard part.count == 1 || part.shape == shape || part.shape == shape.filter({ $0 != 1 }) else {
      throw Diagnostic(
        .shape,
        "a value of shape \(part.shape.shapeDescription) does not fit a part of shape \(shape.shapeDescription)",
        at: source)
    }
    for (k, place) in places.offsets.enumerated() {
      tensor[flat: place] = part[flat: part.count == 1 ? 0 : k]
    }
    try assign(name, .tensor(tensor), base.span, source)
  }

  private func wholeTensor(_ binding: Binding) -> Tensor? {
    switch binding {
    case .variable(let v): return v.value.tensor
    case .param(let leaf), .data(let leaf): return leaf.value
    default: return nil
    }
  }

  /// Offsets of the selected entries in row-major order, and the shape of the part.
  private func entryPlaces(
    _ base: Expr, _ items: [IndexItem], _ shape: Shape, _ span: Span
  ) throws -> (offsets: [Int], shape: Shape) {
    if items.count == 1, case .at(let mask) = items[0], case .comparison = mask.kind,
      let values = try evaluate(mask).tensor, values.shape == shape
    {
      let chosen = values.doubles.enumerated().filter { $0.element != 0 }.map(\.offset)
      return (chosen, [chosen.count])
    }
    let elaborator = Elaborator(self, environment: FormulaEnvironment(frameTag: currentFrameTag))
    let axes = try elaborator.axisIndices(items, shape, base, span)
    var offsets = [0]
    var result: Shape = []
    for ((axis, index), stride) in zip(axes.enumerated(), shape.rowMajorStrides) {
      let places: [Int]
      switch index {
      case .place(let k): places = [k]
      case .slice(let start, let step, let count):
        places = (0..<count).map { start + step * $0 }
        result.append(count)
      case .table(let node):
        let values = try elaborator.staticValue(node, span, "an index")
        places = try values.doubles.map { try place($0, shape[axis], span) }
        result += values.shape
      }
      offsets = offsets.flatMap { offset in places.map { offset + $0 * stride } }
    }
    return (offsets, result)
  }

  private func place(_ value: Double, _ n: Int, _ span: Span) throws -> Int {
    guard let k = Int(exactly: value), k >= -n, k < n else {
      throw EngineErrors.diagnostic(.index(value, size: n), span)
    }
    return k < 0 ? k + n : k
  }

  // MARK: := and functions

  /// Names of results change with every command: definitions take the value that is there.
  private func isResult(_ name: String) -> Bool {
    SpecialName(rawValue: name)?.isResult == true && state.globals[name] == nil
  }

  func define(_ name: String, _ span: Span, _ expr: Expr, echoes: Bool) throws {
    try checkAssignable(name, span)
    if case .param? = lookup(name, frameTag: nil), state.frames.isEmpty {
      throw Diagnostic(
        .name, "'\(name)' is a param; a formula needs another name", at: span,
        hint: "set its value with \(name) = …")
    }
    let names = FreeNames.of(expr)
    var captured: [String: Definition.Captured] = [:]
    for used in names {
      if case .variable(let v)? = lookup(used), v.isLoopVariable || isResult(used) {
        captured[used] = .value(v.value)
      }
      if used == name {
        switch lookup(name) {
        case .definition(let id)?: captured[name] = .definition(id)
        case .variable(let v)?: captured[name] = .value(v.value)
        default: break
        }
      }
    }
    let id = slots.identity()
    definitions[id] = Definition(name: name, expr: expr, captured: captured, frameTag: currentFrameTag)
    let old = state.frames.last.map { $0.locals[name] } ?? state.globals[name]
    let (objective, path, changes) = (state.objective, state.path, changeCount)
    bind(name, .definition(id))
    do {
      let elaborator = Elaborator(self, environment: FormulaEnvironment(frameTag: currentFrameTag))
      let meaning = try elaborator.name(name, span)
      sweepDefinitions()
      try consider(name, meaning, elaborator.dependencies, expr, echoes: echoes)
    } catch {
      // A formula that does not stand leaves the name as it was.
      if state.frames.isEmpty {
        state.globals[name] = old
      } else {
        state.frames[state.frames.count - 1].locals[name] = old
      }
      definitions[id] = nil
      (state.objective, state.path, changeCount) = (objective, path, changes)
      structureChanged()
      throw error
    }
  }

  /// The first scalar formula of a param is the objective; a later one takes over when it uses it.
  private func consider(
    _ name: String, _ meaning: Meaning, _ dependencies: Dependencies, _ expr: Expr, echoes: Bool
  ) throws {
    var note = ""
    if case .node(let node) = meaning, graph.shape(node).isEmpty, state.frames.isEmpty {
      // Looked into only when it could matter: formulas that loops build are large.
      let mayServe =
        state.objective != name && dependencies.mentionsParam && dependsOnParam(node)
        && !FreeNames.isReplacementOrDerivative(expr, self)
      if state.objective == name {
        note = "objective"
      } else if mayServe, state.objective == nil || lookup(state.objective ?? "") == nil {
        state.objective = name
        state.path.clear()
        note = "objective"
      } else if mayServe, let current = state.objective, !state.objectiveIsChosen {
        if uses(name, current, directly: true) {
          state.objective = name
          state.path.clear()
          note = "objective (was \(current))"
        } else if options.isInteractive {
          note = "objective is still \(current); 'objective \(name)' chooses this one"
        }
      }
    }
    if echoes { output(.text(try definitionLine(name, meaning, note))) }
  }

  /// True when the definition of one name mentions another, directly or through others; with `directly`, derivatives
  /// and replacement calls do not count.
  func uses(_ name: String, _ other: String, directly: Bool = false) -> Bool {
    var seen = Set<String>()
    var stack = [name]
    while let next = stack.popLast() {
      guard seen.insert(next).inserted, case .definition(let id)? = lookup(next, frameTag: nil),
        let definition = definitions[id]
      else { continue }
      let names = directly ? FreeNames.direct(definition.expr, self) : FreeNames.of(definition.expr)
      for used in names {
        if used == other { return true }
        stack.append(used)
      }
    }
    return false
  }

  func definitionLine(_ name: String, _ meaning: Meaning, _ note: String) throws -> String {
    guard case .node(let node) = meaning else {
      return "\(name) : \(meaning.kindName)\(note.isEmpty ? "" : "   \(note)")"
    }
    let shape = graph.shape(node)
    var line = "\(name) : \(shape.shapeDescription)"
    if shape.elementCount <= 16, definitionExpr(name) != nil {
      let value = try evaluate(key: "value of \(name)", owner: nil) {
        try $0.name(name, Span(SourceText(name: "", text: ""), 0, 0))
      }
      line = valueText.labeled(line, showing: value)
    }
    return LookText(self).remarked(line, note)
  }

  private func definitionExpr(_ name: String) -> Expr? {
    if case .definition(let id)? = lookup(name) { return definitions[id]?.expr }
    return nil
  }

  func define(_ declaration: FunctionDeclaration, echoes: Bool) throws {
    try checkAssignable(declaration.name, declaration.nameSpan)
    var seen = Set<String>()
    for formal in declaration.formals where !seen.insert(formal.name).inserted {
      throw Diagnostic(.name, "'\(formal.name)' is named twice", at: formal.span)
    }
    let function = FunctionBinding(
      id: functionID(declaration), declaration: declaration, frameTag: currentFrameTag)
    bind(declaration.name, .function(function))
    if echoes {
      output(
        .text("\(declaration.name)(\(declaration.formals.map(\.name).joined(separator: ", "))) : function"))
    }
  }

  /// One declaration in the text is one function, also when it is run again.
  func functionID(_ declaration: FunctionDeclaration) -> Int {
    if let known = functionIDs[ObjectIdentifier(declaration)] { return known.id }
    let id = slots.identity()
    functionIDs[ObjectIdentifier(declaration)] = (id, declaration)
    return id
  }

  // MARK: Leaves

  func declare(
    _ name: String, _ span: Span, _ expr: Expr, isParam: Bool, bounds: Expr? = nil, echoes: Bool
  ) throws {
    try checkAssignable(name, span)
    guard state.frames.isEmpty else {
      throw Diagnostic(.type, "params and data are declared at the top level", at: span)
    }
    let value = try evaluate(expr)
    guard let tensor = value.tensor?.converted(to: state.settings.precision) else {
      var hint: String?
      if case .tuple = expr.kind { hint = "a vector is written in square brackets: [1, 2]" }
      throw Diagnostic(.type, "'\(name)' needs a tensor, not \(value.kindName)", at: expr.span, hint: hint)
    }
    let limits = try bounds.map { try leafBounds($0, tensor.shape) }
    try limits.map { try check(tensor, $0, name, expr.span) }
    if isParam, state.objective == name { state.objective = nil }
    state.declarations += 1
    var order = state.declarations
    if case .param(let old)? = lookup(name, frameTag: nil) { order = old.order }
    let leaf = LeafBinding(
      id: slots.bindingID(name, frameTag: nil), value: tensor, declaration: expr, initial: tensor,
      order: order, bounds: limits)
    bind(name, isParam ? .param(leaf) : .data(leaf))
    if isParam { state.path.clear() }
    guard echoes else { return }
    let line = "\(name) : \(isParam ? "param" : "data") \(tensor.shape.shapeDescription)"
    output(.text(tensor.count <= 16 ? valueText.labeled(line, showing: tensor) : line))
  }

  func declareRandom(_ names: [String], _ expr: Expr, echoes: Bool) throws {
    if var feed = try feed(expr) {
      try bindRandom(names, try draw(from: &feed), expr, feed)
    } else {
      try bindRandom(names, try evaluate(expr), expr)
    }
    guard echoes else { return }
    for name in names {
      if case .random(let leaf)? = lookup(name) {
        let shapes = leaf.value.shapes.map(\.shapeDescription).joined(separator: ", ")
        output(.text("\(name) : random \(shapes)"))
      }
    }
  }

  func bindRandom(_ names: [String], _ value: Value, _ expr: Expr, _ feed: BatchFeed? = nil) throws {
    let parts: [Value]
    if names.count == 1 {
      parts = [value]
    } else if case .tuple(let items) = value, items.count == names.count {
      parts = items
    } else {
      throw Diagnostic(.type, "\(names.count) names need a tuple of as many values", at: expr.span)
    }
    for (place, name) in names.enumerated() {
      let id = slots.bindingID(name, frameTag: nil)
      bindGlobal(
        name,
        .random(
          RandomBinding(
            id: id, value: parts[place], source: expr, place: names.count == 1 ? nil : place, feed: feed)))
    }
  }

  /// Random leaves with the names drawn together, in the order of names.
  var randomGroups: [(names: [String], leaf: RandomBinding)] {
    var groups: [ObjectIdentifier: [(name: String, leaf: RandomBinding)]] = [:]
    for (name, binding) in state.globals {
      if case .random(let leaf) = binding {
        groups[ObjectIdentifier(leaf.source), default: []].append((name, leaf))
      }
    }
    return groups.values.map { $0.sorted { ($0.leaf.place ?? 0) < ($1.leaf.place ?? 0) } }
      .sorted { ($0.map(\.name).min() ?? "") < ($1.map(\.name).min() ?? "") }
      .map { (names: $0.map(\.name), leaf: $0[0].leaf) }
  }

  /// Draws every random leaf anew. Batches go on in their epoch; with `independently` each begins one, so that a draw does
  /// not depend on the one before.
  func redraw(independently: Bool = false) throws {
    for (names, leaf) in randomGroups {
      if var feed = leaf.feed {
        try bindRandom(names, try draw(from: &feed, beginsEpoch: independently), leaf.source, feed)
      } else {
        try bindRandom(names, try evaluate(leaf.source), leaf.source)
      }
    }
  }

  var hasRandomLeaves: Bool {
    state.globals.values.contains { if case .random = $0 { return true } else { return false } }
  }
}
