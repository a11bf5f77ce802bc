import Calculus
import Graph
import Syntax
import Tensors

extension Elaborator {
  func call(_ expr: Expr, _ callee: Expr, _ arguments: [Argument]) throws -> Meaning {
    if let done = callResults[ObjectIdentifier(expr)] { return done }
    guard case .name(let name) = callee.kind else { return try replacement(callee, arguments, expr.span) }
    if environment.locals[name] == nil, let function = function(named: name) {
      return try apply(function, arguments, expr.span, callee.span)
    }
    let isBound = environment.locals[name] != nil || interpreter.lookup(name, frameTag: environment.frameTag) != nil
      || environment.captured[name] != nil
    if !isBound {
      if let calculus = CalculusFunction(rawValue: name) { return try self.calculus(calculus, arguments, expr.span) }
      if let builtin = Builtins.byName[name] { return try apply(builtin, arguments, expr.span) }
      throw notAFunction(name, callee.span)
    }
    return try replacement(callee, arguments, expr.span)
  }

  private func function(named name: String) -> FunctionBinding? {
    guard case .function(let function)? = interpreter.lookup(name, frameTag: environment.frameTag) else { return nil }
    record(DependencyKey(name: name, frameTag: environment.frameTag), .function(function.id))
    return function
  }

  private func notAFunction(_ name: String, _ span: Span) -> Diagnostic {
    let known = Array(Builtins.byName.keys) + CalculusFunction.allCases.map(\.rawValue) + interpreter.visibleNames
    return Diagnostic(
      .name, "there is no function '\(name)'", at: span,
      hint: closestMatch(to: name, in: known).map { "did you mean '\($0)'?" } ?? "a function is defined with: \(name)(x) := …")
  }

  private func apply(_ builtin: Builtin, _ arguments: [Argument], _ span: Span) throws -> Meaning {
    let values = try arguments.map {
      Builtins.Given(name: $0.name, value: try meaning($0.value), span: $0.value.span)
    }
    return try builtin.build(try Builtins.bind(builtin, values, in: self, at: span))
  }

  // MARK: User functions

  private func apply(
    _ function: FunctionBinding, _ arguments: [Argument], _ span: Span, _ nameSpan: Span
  ) throws -> Meaning {
    let declaration = function.declaration
    let values = try bind(declaration, arguments, span)
    var pairs: [(placeholder: NodeID, argument: NodeID)] = []
    var locals: [String: Meaning] = [:]
    for (formal, value) in zip(declaration.formals, values) {
      // A tensor becomes a leaf of the body, so that derivatives by a formal parameter mean just that.
      if case .node(let node) = value {
        let leaf = interpreter.placeholder(formal.name, graph.shape(node), function: function.id, depth: depth)
        locals[formal.name] = .node(leaf)
        pairs.append((leaf, node))
      } else {
        locals[formal.name] = value
      }
    }
    let saved = environment
    environment = FormulaEnvironment(locals: locals, frameTag: nil)
    defer { environment = saved }
    return try withArguments(pairs) {
      switch declaration.body {
      case .expression(let body): return try meaning(body)
      case .block(let statements): return try block(statements, declaration, span)
      }
    }
  }

  /// Arguments in the order of the formal parameters.
  func bind(_ declaration: FunctionDeclaration, _ arguments: [Argument], _ span: Span) throws -> [Meaning] {
    var values = [Meaning?](repeating: nil, count: declaration.formals.count)
    var position = 0
    for argument in arguments {
      let place: Int
      if let name = argument.name {
        guard let found = declaration.formals.firstIndex(where: { $0.name == name }) else {
          throw FunctionErrors.unknownArgument(name, declaration, argument.span)
        }
        place = found
      } else {
        place = position
        position += 1
      }
      guard values.indices.contains(place), values[place] == nil else {
        throw FunctionErrors.count(declaration, arguments.count, span)
      }
      values[place] = try meaning(argument.value)
    }
    return try declaration.formals.enumerated().map { k, formal in
      if let value = values[k] { return value }
      if let standard = formal.defaultValue { return try meaning(standard) }
      throw FunctionErrors.count(declaration, arguments.count, span)
    }
  }

  // MARK: Replacement

  /// `f(x = e)`: the formula with a leaf replaced. Derivatives inside are by the leaf, taken before.
  private func replacement(_ callee: Expr, _ arguments: [Argument], _ span: Span) throws -> Meaning {
    for argument in arguments where argument.name == nil {
      throw Diagnostic(
        .type, "a formula is called with names: \(callee.span.text)(x = …)", at: argument.span,
        hint: "each argument replaces the leaf of that name")
    }
    var pairs: [(placeholder: NodeID, argument: NodeID)] = []
    let saved = replacements
    defer { replacements = saved }
    for argument in arguments {
      guard let name = argument.name else { continue }
      try replace(name, by: argument, in: callee, &pairs)
    }
    let result = try withReplaced(pairs) { try meaning(callee) }
    return result
  }

  private func withReplaced(
    _ pairs: [(placeholder: NodeID, argument: NodeID)], _ body: () throws -> Meaning
  ) throws -> Meaning {
    let result = try body()
    var replaced: [NodeID: NodeID] = [:]
    for pair in pairs { replaced[pair.placeholder] = pair.argument }
    return map(result) { graph.substitute([$0], replaced)[0] }
  }

  func nodes(of meaning: Meaning) -> [NodeID] {
    switch meaning {
    case .node(let n), .blockMatrix(let n, _, _): return [n]
    case .bundle(let b): return b.nodes
    case .tuple(let items): return items.flatMap(nodes)
    case .record(let fields): return fields.flatMap { nodes(of: $0.value) }
    case .range(let a, let b): return [a, b].compactMap { $0 }
    case .string: return []
    }
  }

  private func replace(
    _ name: String, by argument: Argument, in callee: Expr, _ pairs: inout [(placeholder: NodeID, argument: NodeID)]
  ) throws {
    let value = try meaning(argument.value)
    let old: Meaning
    if name == "params" {
      old = .bundle(try paramsBundle(of: nodes(of: try meaning(callee))))
    } else {
      old = try self.name(name, argument.span)
    }
    if case .bundle(let bundle) = old {
      let parts = try asParts(value, like: bundle.nodes, argument.value.span)
      pairs += zip(bundle.nodes, parts).map { ($0, $1) }
      return
    }
    let leaf = try asNode(old, argument.span)
    let replacement = try asNode(value, argument.value.span)
    guard let info = graph.leaf(of: leaf) else {
      throw Diagnostic(
        .type, "'\(name)' is a formula, not a leaf", at: argument.span,
        hint: "params, data and assigned names can be replaced")
    }
    if graph.shape(replacement) == info.shape {
      pairs.append((leaf, replacement))
      return
    }
    // Another shape: the formula is built again around a leaf of that shape.
    guard graph.shape(replacement).count == info.shape.count else {
      throw Diagnostic(
        .shape, "'\(name)' has shape \(info.shape.shapeDescription), its replacement \(graph.shape(replacement).shapeDescription)",
        at: argument.span)
    }
    let placeholder = interpreter.placeholder(name, graph.shape(replacement), function: -1, depth: depth)
    replacements[name] = .node(placeholder)
    pairs.append((placeholder, replacement))
  }
}

/// Wording for calls of user functions.
enum FunctionErrors {
  static func unknownArgument(_ name: String, _ declaration: FunctionDeclaration, _ span: Span) -> Diagnostic {
    let names = declaration.formals.map(\.name)
    return Diagnostic(
      .name, "'\(declaration.name)' has no parameter '\(name)'", at: span,
      notes: ["it is declared as \(declaration.name)(\(names.joined(separator: ", ")))"],
      hint: closestMatch(to: name, in: names).map { "did you mean '\($0)'?" })
  }

  static func count(_ declaration: FunctionDeclaration, _ given: Int, _ span: Span) -> Diagnostic {
    let names = declaration.formals.map { $0.defaultValue == nil ? $0.name : "\($0.name) = …" }
    return Diagnostic(
      .type, "'\(declaration.name)' takes \(names.count) \(names.count == 1 ? "argument" : "arguments"), not \(given)",
      at: span, notes: ["it is declared as \(declaration.name)(\(names.joined(separator: ", ")))"])
  }
}
