import Calculus
import Graph
import Syntax
import Tensors

extension Elaborator {
  func call(_ expr: Expr, _ callee: Expr, _ arguments: [Argument]) throws -> Meaning {
    if let done = callResults[ObjectIdentifier(expr)] {
      record(done.function.key, done.function.stamp)
      record(done.result.key, done.result.stamp)
      return done.meaning
    }
    guard case .name(let name) = callee.kind else { return try replacement(callee, arguments, expr.span) }
    let local = environment.local(name)
    if local == nil, let function = environment.function(name) {
      return try apply(function.binding, arguments, expr.span, in: function.home)
    }
    if local == nil, let function = function(named: name) { return try apply(function, arguments, expr.span) }
    let isBound =
      local != nil || interpreter.lookup(name, frameTag: environment.frameTag) != nil
      || environment.captured[name] != nil
    if !isBound {
      if let calculus = CalculusFunction(rawValue: name) {
        return try self.calculus(calculus, arguments, expr.span)
      }
      if let builtin = Builtins.byName[name] { return try apply(builtin, arguments, expr.span) }
      throw notAFunction(name, callee.span)
    }
    return try replacement(callee, arguments, expr.span)
  }

  private func function(named name: String) -> FunctionBinding? {
    guard case .function(let function)? = interpreter.lookup(name, frameTag: environment.frameTag) else {
      return nil
    }
    record(DependencyKey(name: name, frameTag: environment.frameTag), .function(function.id))
    return function
  }

  private func notAFunction(_ name: String, _ span: Span) -> Diagnostic {
    Diagnostic(
      .name, "there is no function '\(name)'", at: span, hint: hint(forUnknownFunction: name))
  }

  private func apply(_ builtin: Builtin, _ arguments: [Argument], _ span: Span) throws -> Meaning {
    var values: [Builtins.Given] = []
    for argument in arguments {
      let place = argument.value.span
      var value = try meaning(argument.value)
      // `sum(0..n)`: a range counts as its whole numbers.
      if case .range = value { value = .node(try asNode(value, place)) }
      values.append(Builtins.Given(name: argument.name, value: value, span: place))
    }
    return try builtin.build(try Builtins.bind(builtin, values, in: self, at: span))
  }

  // MARK: User functions

  private func apply(
    _ function: FunctionBinding, _ arguments: [Argument], _ span: Span, in parent: FormulaEnvironment? = nil
  ) throws -> Meaning {
    let declaration = function.declaration
    let values = try bind(declaration, arguments, span)
    var pairs: [(placeholder: NodeID, argument: NodeID)] = []
    let saved = environment
    environment = FormulaEnvironment(parent: parent, frameTag: function.frameTag)
    defer { environment = saved }
    for (formal, given) in zip(declaration.formals, values) {
      // Defaults see the parameters before them.
      guard let value = try given ?? formal.defaultValue.map({ try standard($0, pairs) }) else { continue }
      // A tensor becomes a leaf of the body, so that derivatives by a formal parameter mean just that.
      if case .node(let node) = value {
        let leaf = interpreter.placeholder(
          formal.name, graph.shape(node), function: function.id, depth: depth)
        environment.locals[formal.name] = .node(leaf)
        pairs.append((leaf, node))
      } else {
        environment.locals[formal.name] = value
      }
    }
    return try withArguments(pairs) {
      switch declaration.body {
      case .expression(let body): return try meaning(body)
      case .block(let statements): return try block(statements, declaration, span)
      }
    }
  }

  private func standard(_ expr: Expr, _ pairs: [(placeholder: NodeID, argument: NodeID)]) throws -> Meaning {
    let known = Dictionary(pairs.map { ($0.placeholder, $0.argument) }, uniquingKeysWith: { $1 })
    return map(try meaning(expr)) { graph.substitute([$0], known)[0] }
  }

  /// Arguments in the order of the formal parameters, nil where the default stands.
  func bind(_ declaration: FunctionDeclaration, _ arguments: [Argument], _ span: Span) throws -> [Meaning?] {
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
      guard values.indices.contains(place) else {
        throw FunctionErrors.count(declaration, arguments.count, span)
      }
      guard values[place] == nil else { throw FunctionErrors.twice(declaration, place, argument.span) }
      values[place] = try meaning(argument.value)
    }
    for (value, formal) in zip(values, declaration.formals) where value == nil && formal.defaultValue == nil {
      throw FunctionErrors.missing(formal.name, declaration, arguments.count, span)
    }
    return values
  }
}

/// Wording for calls of user functions.
enum FunctionErrors {
  static func unknownArgument(_ name: String, _ declaration: FunctionDeclaration, _ span: Span) -> Diagnostic
  {
    let names = declaration.formals.map(\.name)
    return Diagnostic(
      .name, "'\(declaration.name)' has no parameter '\(name)'", at: span,
      notes: ["it is declared as \(declaration.name)(\(names.joined(separator: ", ")))"],
      hint: closestMatch(to: name, in: names).map { "did you mean '\($0)'?" })
  }

  static func twice(_ declaration: FunctionDeclaration, _ place: Int, _ span: Span) -> Diagnostic {
    Diagnostic(.type, "'\(declaration.formals[place].name)' is given twice", at: span)
  }

  static func missing(_ name: String, _ declaration: FunctionDeclaration, _ given: Int, _ span: Span)
    -> Diagnostic
  {
    guard given == declaration.formals.count else { return count(declaration, given, span) }
    return Diagnostic(.type, "'\(declaration.name)' needs its argument '\(name)'", at: span)
  }

  static func count(_ declaration: FunctionDeclaration, _ given: Int, _ span: Span) -> Diagnostic {
    let names = declaration.formals.map { $0.defaultValue == nil ? $0.name : "\($0.name) = …" }
    return Diagnostic(
      .type,
      "'\(declaration.name)' takes \(names.count) \(names.count == 1 ? "argument" : "arguments"), not \(given)",
      at: span, notes: ["it is declared as \(declaration.name)(\(names.joined(separator: ", ")))"])
  }
}
