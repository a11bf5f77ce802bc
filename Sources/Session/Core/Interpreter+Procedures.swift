import Graph
import Syntax
import Tensors

/// The value of a procedure's call as part of a formula, and what the formula then depends on.
struct CallResult {
  let meaning: Meaning
  let function: (key: DependencyKey, stamp: Stamp)
  let result: (key: DependencyKey, stamp: Stamp)
}

extension FunctionBinding {
  /// A block body: run statement by statement when it is called for its value or its effect.
  var isProcedure: Bool {
    if case .block = declaration.body { return true }
    return false
  }
}

extension Interpreter {
  private static var callLimit: Int { 200 }

  /// Runs a function's block with its arguments.
  func call(_ function: FunctionBinding, _ arguments: [Argument], _ span: Span) throws -> Value {
    guard case .block(let statements) = function.declaration.body else { return .nothing }
    guard callDepth < Self.callLimit else {
      throw Diagnostic(
        .resource, "'\(function.declaration.name)' calls itself too deeply", at: span,
        hint: "at most \(Self.callLimit) calls may be open")
    }
    let values = try bind(function.declaration, arguments, span)
    state.frames.append(Frame(tag: function.id, parent: function.frameTag, locals: [:]))
    structureChanged()
    callDepth += 1
    let loops = loopDepth
    loopDepth = 0
    defer {
      loopDepth = loops
      callDepth -= 1
      if !state.frames.isEmpty { state.frames.removeLast() }
      structureChanged()
    }
    for (formal, value) in zip(function.declaration.formals, values) {
      // Defaults see the parameters before them.
      guard let given = try value ?? formal.defaultValue.map({ try evaluate($0) }) else { continue }
      bind(
        formal.name,
        .variable(Variable(id: slots.bindingID(formal.name, frameTag: function.id), value: given)))
    }
    if case .returned(let value) = try run(statements) { return value }
    return .nothing
  }

  /// Values of the formal parameters, nil where the default stands.
  private func bind(_ declaration: FunctionDeclaration, _ arguments: [Argument], _ span: Span) throws
    -> [Value?]
  {
    var values = [Value?](repeating: nil, count: declaration.formals.count)
    var position = 0
    for argument in arguments {
      var place = position
      if let name = argument.name {
        guard let found = declaration.formals.firstIndex(where: { $0.name == name }) else {
          throw FunctionErrors.unknownArgument(name, declaration, argument.span)
        }
        place = found
      } else {
        position += 1
      }
      guard values.indices.contains(place) else {
        throw FunctionErrors.count(declaration, arguments.count, span)
      }
      guard values[place] == nil else { throw FunctionErrors.twice(declaration, place, argument.span) }
      values[place] = try evaluate(argument.value)
    }
    for (value, formal) in zip(values, declaration.formals) where value == nil && formal.defaultValue == nil {
      throw FunctionErrors.missing(formal.name, declaration, arguments.count, span)
    }
    return values
  }

  /// Calls of procedures (and of `load`) inside an expression run first, innermost first; their values become leaves.
  /// Arguments of derivatives are formulas and stay.
  func runProcedures(in expr: Expr) throws -> [ObjectIdentifier: CallResult] {
    var results: [ObjectIdentifier: CallResult] = [:]
    let calls = procedureCalls(in: expr)
    if !calls.isEmpty { willChange() }
    var values: [Int: Value] = [:]
    for call in calls {
      guard case .call(let callee, let arguments) = call.kind, case .name(let name) = callee.kind else {
        continue
      }
      let key = DependencyKey(name: name, frameTag: currentFrameTag)
      let value: Value
      var stamp = Stamp.absent
      if let eager = eagerFunction(name, arguments) {
        value = try eager(arguments, call)
      } else {
        guard case .function(let function)? = lookup(name) else { continue }
        value = try self.call(function, arguments, call.span)
        stamp = .function(function.id)
      }
      if case .nothing = value {
        throw Diagnostic(.type, "'\(name)' returns nothing", at: call.span)
      }
      let id = slots.bindingID("call \(ObjectIdentifier(call).hashValue)", frameTag: currentFrameTag)
      values[id] = value
      let meaning = meaning(of: value, name: name, id: id, frameTag: currentFrameTag, isResult: true)
      results[ObjectIdentifier(call)] = CallResult(
        meaning: meaning, function: (key, stamp),
        result: (DependencyKey(name: "()", frameTag: id), .result(shapes: value.shapes, texts: value.texts)))
    }
    // Only now: the calls may have run the same expression again.
    procedureResults.merge(values) { $1 }
    return results
  }

  /// Builtins that run like procedures, when the statement does: files, and what iterates on operators.
  private func eagerFunction(_ name: String, _ arguments: [Argument]) -> (([Argument], Expr) throws -> Value)?
  {
    guard lookup(name) == nil else { return nil }
    switch name {
    case "load": return { try self.load($0, $1.span) }
    case "angle": return { try self.angles($0, $1) }
    case "solve": return isLargeOperator(arguments.first?.value) ? { try self.solution($0, $1) } : nil
    default:
      guard let builtin = Builtins.byName[name], builtin.run != nil else { return nil }
      return { try builtin.run($0, $1, self) }
    }
  }

  func procedureCalls(in expr: Expr) -> [Expr] {
    var found: [Expr] = []
    var stack = [expr]
    while let next = stack.popLast() {
      if case .call(let callee, let arguments) = next.kind, case .name(let name) = callee.kind {
        if CalculusFunction(rawValue: name) != nil, lookup(name) == nil { continue }
        if eagerFunction(name, arguments) != nil {
          found.append(next)
          continue
        }
        if case .function(let function)? = lookup(name), function.isProcedure {
          found.append(next)
          // Calls among its arguments run when it does.
          continue
        }
      }
      // The element of a comprehension is a formula: blocks in it are expanded.
      if case .comprehension(_, let clauses) = next.kind {
        stack += clauses.prefix(1).map(\.domain)
        continue
      }
      stack += FreeNames.parts(next)
    }
    return found.reversed()
  }
}
