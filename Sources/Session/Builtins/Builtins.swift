import Graph
import Syntax
import Tensors

/// Every builtin function of the language, and the binding of a call's arguments to its parameters.
enum Builtins {
  static let all: [Builtin] =
    construction + random + arranging + pointwise + activations + reductions + statistics + order + sizes
    + products + matrices + learning + data + toySets

  /// By name and by alias.
  static let byName: [String: Builtin] = {
    var table: [String: Builtin] = [:]
    for builtin in all { for name in [builtin.name] + builtin.aliases { table[name] = builtin } }
    return table
  }()

  /// An argument as it stands in the call.
  struct Given {
    let name: String?
    let value: Meaning
    let span: Span
  }

  /// Matches arguments to parameters: by position, then by name; what a variadic parameter takes ends the
  /// positional ones.
  static func bind(
    _ builtin: Builtin, _ given: [Given], in context: any FormulaContext, at span: Span
  ) throws -> BuiltinCall {
    var bound: [String: [(value: Meaning, span: Span)]] = [:]
    var position = 0
    for argument in given {
      let parameter: Builtin.Parameter
      if let name = argument.name {
        parameter = try named(name, builtin, argument.span)
        if bound[parameter.name] != nil {
          throw Diagnostic(.type, "\(builtin.name) is given '\(parameter.name)' twice", at: argument.span)
        }
      } else {
        guard position < builtin.parameters.count else { throw tooMany(builtin, given.count, argument.span) }
        parameter = builtin.parameters[position]
        if !parameter.isVariadic { position += 1 }
      }
      bound[parameter.name, default: []].append((argument.value, argument.span))
    }
    for parameter in builtin.parameters
    where parameter.defaultText == nil && !parameter.isVariadic && bound[parameter.name] == nil {
      throw Diagnostic(
        .type, "\(builtin.name) needs its argument '\(parameter.name)'", at: span,
        hint: "it is \(builtin.signature)")
    }
    return BuiltinCall(builtin: builtin, context: context, arguments: bound, span: span)
  }

  private static func named(_ name: String, _ builtin: Builtin, _ span: Span) throws -> Builtin.Parameter {
    if let parameter = builtin.parameters.first(where: { $0.name == name }) { return parameter }
    let names = builtin.parameters.map(\.name)
    // `eig(vectors=true)`: the command has options, and they follow it without parentheses.
    let command = Commands.table[builtin.name]
    let isOption = command?.options.contains { $0.name == name } == true
    let hint =
      name == "seed" && names.contains("generator")
      ? "the command seed 1 restarts the generator; one of its own is generator=numpy(1)"
      : isOption
        ? "the command takes it without parentheses: \(builtin.name) \(name)=…"
        : closestMatch(to: name, in: names).map { "did you mean '\($0)'?" } ?? "it is \(builtin.signature)"
    throw Diagnostic(.type, "\(builtin.name) has no argument '\(name)'", at: span, hint: hint)
  }

  private static func tooMany(_ builtin: Builtin, _ count: Int, _ span: Span) -> Diagnostic {
    let most = builtin.parameters.count
    return Diagnostic(
      .type, "\(builtin.name) takes at most \(most) argument\(most == 1 ? "" : "s"), not \(count)", at: span,
      hint: "it is \(builtin.signature)")
  }
}
