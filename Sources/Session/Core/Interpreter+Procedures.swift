import Graph
import Syntax
import Tensors

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
    var frame = Frame(tag: function.id, locals: [:])
    for (formal, value) in zip(function.declaration.formals, values) {
      frame.locals[formal.name] = .variable(
        Variable(id: slots.bindingID(formal.name, frameTag: function.id), value: value))
    }
    state.frames.append(frame)
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
    if case .returned(let value) = try run(statements) { return value }
    return .nothing
  }

  private func bind(_ declaration: FunctionDeclaration, _ arguments: [Argument], _ span: Span) throws -> [Value] {
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
      guard values.indices.contains(place), values[place] == nil else {
        throw FunctionErrors.count(declaration, arguments.count, span)
      }
      values[place] = try evaluate(argument.value)
    }
    return try declaration.formals.enumerated().map { k, formal in
      if let value = values[k] { return value }
      guard let standard = formal.defaultValue else {
        throw FunctionErrors.count(declaration, arguments.count, span)
      }
      return try evaluate(standard)
    }
  }

  /// Calls of procedures (and of `load`) inside an expression run first, innermost first; their values become leaves. Arguments of
  /// derivatives are formulas and stay.
  func runProcedures(in expr: Expr) throws -> [ProcedureResult] {
    try procedureCalls(in: expr).compactMap { call in
      guard case .call(let callee, let arguments) = call.kind, case .name(let name) = callee.kind else { return nil }
      if isLoad(name) { return ProcedureResult(call: call, name: name, value: try load(arguments, call.span)) }
      guard case .function(let function)? = lookup(name) else { return nil }
      let value = try self.call(function, arguments, call.span)
      if case .nothing = value {
        throw Diagnostic(.type, "'\(name)' returns nothing", at: call.span)
      }
      return ProcedureResult(call: call, name: name, value: value)
    }
  }

  /// Makes results the values of their leaves: after all calls of an expression, since these may run the same
  /// expression again.
  func keep(_ results: [ProcedureResult]) {
    for result in results { procedureResults[resultID(of: result.call)] = result.value }
  }

  /// The leaves that stand for what procedures returned.
  func meanings(of results: [ProcedureResult]) -> [ObjectIdentifier: Meaning] {
    var meanings: [ObjectIdentifier: Meaning] = [:]
    for result in results {
      let id = resultID(of: result.call)
      meanings[ObjectIdentifier(result.call)] = meaning(
        of: result.value, name: result.name, id: id, frameTag: currentFrameTag, isResult: true)
    }
    return meanings
  }

  private func resultID(of call: Expr) -> Int {
    slots.bindingID("call \(ObjectIdentifier(call).hashValue)", frameTag: currentFrameTag)
  }

  /// Files are read like procedures: when the statement runs.
  private func isLoad(_ name: String) -> Bool { name == "load" && lookup(name) == nil }

  private func procedureCalls(in expr: Expr) -> [Expr] {
    var found: [Expr] = []
    var stack = [expr]
    while let next = stack.popLast() {
      if case .call(let callee, _) = next.kind, case .name(let name) = callee.kind {
        if CalculusFunction(rawValue: name) != nil, lookup(name) == nil { continue }
        if isLoad(name) {
          found.append(next)
          continue
        }
        if case .function(let function)? = lookup(name), function.isProcedure {
          found.append(next)
          // Calls among its arguments run when it does.
          continue
        }
      }
      stack += FreeNames.parts(next)
    }
    return found.reversed()
  }
}

/// A call inside an expression that ran before the expression.
struct ProcedureResult {
  let call: Expr
  let name: String
  let value: Value
}
