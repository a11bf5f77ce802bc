import Graph
import Syntax
import Tensors

/// The arguments of a builtin that runs when its statement does: values, bound to the builtin's parameters.
struct EagerCall {
  let interpreter: Interpreter
  let builtin: Builtin
  let arguments: [String: [(value: Value, span: Span)]]
  let span: Span

  func has(_ name: String) -> Bool { arguments[name] != nil }

  func error(_ kind: DiagnosticKind, _ message: String, _ name: String, hint: String? = nil) -> Diagnostic {
    Diagnostic(kind, message, at: arguments[name]?.first?.span ?? span, hint: hint)
  }

  func tensors(_ name: String) throws -> [Tensor] {
    try (arguments[name] ?? []).map { value, span in
      guard let tensor = value.tensor else {
        throw Diagnostic(.type, "\(builtin.name) takes tensors, not \(value.kindName)", at: span)
      }
      return tensor
    }
  }

  func number(_ name: String, in range: ClosedRange<Double>, default fallback: Double) throws -> Double {
    guard let tensor = try tensors(name).first else { return fallback }
    guard tensor.count == 1, range.contains(tensor.scalarValue) else {
      let bounds =
        range.upperBound == .infinity
        ? "at least \(NumberFormat()(range.lowerBound))"
        : "\(NumberFormat()(range.lowerBound)) to \(NumberFormat()(range.upperBound))"
      throw error(.domain, "'\(name)' of \(builtin.name) is a number, \(bounds)", name)
    }
    return tensor.scalarValue
  }

  func integer(_ name: String, in range: ClosedRange<Int>, default fallback: Int? = nil) throws -> Int {
    guard let tensor = try tensors(name).first else { return fallback ?? range.lowerBound }
    guard tensor.count == 1, let whole = Int(exactly: tensor.scalarValue), range.contains(whole) else {
      throw error(
        .domain,
        "'\(name)' of \(builtin.name) is a whole number from \(range.lowerBound) to \(range.upperBound)", name
      )
    }
    return whole
  }

  func flag(_ name: String, default fallback: Bool) throws -> Bool {
    guard let given = arguments[name]?.first else { return fallback }
    return try Truth.of(given.value.tensor, given.span, "'\(name)' of \(builtin.name)")
  }

  /// Draws from the session's generator.
  func drawing<T>(_ body: (inout CounterGenerator) throws -> T) rethrows -> T {
    try body(&interpreter.state.generator)
  }

  /// In the session's precision.
  func value(_ tensors: [Tensor]) -> Value {
    let parts = tensors.map { Value.tensor($0.converted(to: interpreter.state.settings.precision)) }
    return parts.count == 1 ? parts[0] : .tuple(parts)
  }
}

extension Builtin {
  /// A builtin that runs when its statement does; live formulas refuse it.
  init(
    _ name: String, _ parameters: String, _ group: Group, _ summary: String, _ example: String,
    _ exampleOutput: String, runs run: @escaping @Sendable (EagerCall) throws -> Value
  ) {
    self.init(name, parameters, aliases: [], group, summary, example, exampleOutput) { call in
      throw Diagnostic(
        .domain, "\(name) runs when a statement does, and is no part of a live formula", at: call.span,
        hint: "assign what it gives first, with =")
    }
    self.run = run
  }

  /// Runs it. A variadic parameter takes what has no name.
  func run(_ given: [Argument], _ call: Expr, _ interpreter: Interpreter) throws -> Value {
    guard let run else { return .nothing }
    var bound: [String: [(value: Value, span: Span)]] = [:]
    var position = 0
    for argument in given {
      let parameter: Parameter
      if let name = argument.name {
        guard let found = parameters.first(where: { $0.name == name }), bound[name] == nil else {
          throw Diagnostic(
            .type,
            bound[name] == nil
              ? "\(self.name) has no argument '\(name)'" : "\(self.name) is given '\(name)' twice",
            at: argument.span,
            hint: closestMatch(to: name, in: parameters.map(\.name)).map { "did you mean '\($0)'?" }
              ?? "it is \(signature)")
        }
        parameter = found
      } else {
        guard position < parameters.count else {
          throw Diagnostic(
            .type, "\(name) takes at most \(parameters.count) arguments, not \(given.count)",
            at: argument.span,
            hint: "it is \(signature)")
        }
        parameter = parameters[position]
        if !parameter.isVariadic { position += 1 }
      }
      bound[parameter.name, default: []].append(
        (try interpreter.evaluate(argument.value), argument.value.span))
    }
    for parameter in parameters where parameter.defaultText == nil && bound[parameter.name] == nil {
      throw Diagnostic(
        .type, "\(name) needs its argument '\(parameter.name)'", at: call.span, hint: "it is \(signature)")
    }
    return try run(EagerCall(interpreter: interpreter, builtin: self, arguments: bound, span: call.span))
  }
}
