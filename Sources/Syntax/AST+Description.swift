// The tree as S-expressions, for tests and for debugging.

extension Expr: CustomDebugStringConvertible {
  public var debugDescription: String {
    switch kind {
    case .number(let value): value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
    case .boolean(let value): "\(value)"
    case .string(let parts): "\"" + parts.map(\.debugDescription).joined() + "\""
    case .name(let name): name
    case .literal(let rows):
      "[" + rows.map { $0.map(\.debugDescription).joined(separator: " ") }.joined(separator: "; ") + "]"
    case .comprehension(let element, let clauses):
      "(each \(element.debugDescription)"
        + clauses.map { " (in \($0.name) \($0.domain.debugDescription))" }.joined() + ")"
    case .tuple(let elements): Self.list("tuple", elements)
    case .chain(let first, let rest):
      rest.reduce(first.debugDescription) { "(\($1.op.rawValue) \($0) \($1.operand.debugDescription))" }
    case .power(let base, let exponent): Self.list("^", [base, exponent])
    case .unary(let op, let operand): Self.list(op == .plus ? "+" : op.rawValue, [operand])
    case .transpose(let operand): Self.list("'", [operand])
    case .comparison(let first, let rest):
      "(" + rest.reduce(first.debugDescription) { "\($0) \($1.op.rawValue) \($1.operand.debugDescription)" }
        + ")"
    case .logical(let op, let operands): Self.list(op.rawValue, operands)
    case .conditional(let condition, let first, let second): Self.list("if", [condition, first, second])
    case .range(let start, let end):
      "(.. \(start?.debugDescription ?? "_") \(end?.debugDescription ?? "_"))"
    case .index(let base, let items):
      "(index \(base.debugDescription) " + items.map(\.debugDescription).joined(separator: " ") + ")"
    case .call(let callee, let arguments):
      "(" + ([callee.debugDescription] + arguments.map(\.debugDescription)).joined(separator: " ") + ")"
    case .field(let base, let name): "(. \(base.debugDescription) \(name))"
    case .command(let command): command.debugDescription
    }
  }

  fileprivate static func list(_ head: String, _ elements: [Expr]) -> String {
    "(" + ([head] + elements.map(\.debugDescription)).joined(separator: " ") + ")"
  }
}

extension StringPart: CustomDebugStringConvertible {
  public var debugDescription: String {
    switch self {
    case .text(let text): text
    case .value(let value, let format?): "{\(value.debugDescription):\(format)}"
    case .value(let value, nil): "{\(value.debugDescription)}"
    }
  }
}

extension IndexItem: CustomDebugStringConvertible {
  public var debugDescription: String {
    switch self {
    case .at(let value): value.debugDescription
    case .slice(let start, let stop, let step, _):
      "(: " + [start, stop, step].map { $0?.debugDescription ?? "_" }.joined(separator: " ") + ")"
    }
  }
}

extension Argument: CustomDebugStringConvertible {
  public var debugDescription: String {
    name.map { "\($0)=\(value.debugDescription)" } ?? value.debugDescription
  }
}

extension Command: CustomDebugStringConvertible {
  public var debugDescription: String {
    var parts = ["!\(verb)"] + subjects.map(\.debugDescription)
    parts += clauses.map(\.debugDescription)
    parts += options.map(\.debugDescription)
    if let block { parts.append(Statement.block(block)) }
    return "(" + parts.joined(separator: " ") + ")"
  }
}

extension Command.Clause: CustomDebugStringConvertible {
  public var debugDescription: String {
    let values =
      bindings.isEmpty
      ? values.map(\.debugDescription)
      : bindings.map { "(in \($0.name) \($0.scale.map { $0 + " " } ?? "")\($0.domain.debugDescription))" }
    return "<" + ([keyword] + values).joined(separator: " ") + ">"
  }
}

extension Statement: CustomDebugStringConvertible {
  public var debugDescription: String { kind.debugDescription + (isSilent ? ";" : "") }

  fileprivate static func block(_ statements: [Statement]) -> String {
    "{" + statements.map(\.debugDescription).joined(separator: " ") + "}"
  }
}

extension Statement.Kind: CustomDebugStringConvertible {
  public var debugDescription: String {
    switch self {
    case .expression(let value): value.debugDescription
    case .assign(let targets, let value): Expr.list("=", targets + [value])
    case .define(let name, _, let value): "(:= \(name) \(value.debugDescription))"
    case .function(let declaration): declaration.debugDescription
    case .param(let name, _, let value, let bounds):
      "(param \(name) \(value.debugDescription)\(bounds.map { " in \($0.debugDescription)" } ?? ""))"
    case .option(let name, _, let value): "(option \(name) \(value.debugDescription))"
    case .residuals(let name, _, let value): "(residuals \(name) \(value.debugDescription))"
    case .data(let name, _, let value): "(data \(name) \(value.debugDescription))"
    case .random(let names, let value): "(~ \(names.joined(separator: " ")) \(value.debugDescription))"
    case .command(let command): command.debugDescription
    case .forLoop(let names, let domain, let body):
      "(for \(names.joined(separator: " ")) \(domain.debugDescription) \(Statement.block(body)))"
    case .whileLoop(let condition, let body): "(while \(condition.debugDescription) \(Statement.block(body)))"
    case .repeatLoop(let count, let body): "(repeat \(count.debugDescription) \(Statement.block(body)))"
    case .conditional(let branches, let otherwise):
      "(if "
        + branches.map { "\($0.condition.debugDescription) \(Statement.block($0.body))" }.joined(
          separator: " ")
        + (otherwise.map { " else \(Statement.block($0))" } ?? "") + ")"
    case .returning(let value): "(return\(value.map { " " + $0.debugDescription } ?? ""))"
    case .breaking: "(break)"
    case .continuing: "(continue)"
    case .print(let values): Expr.list("print", values)
    case .assertion(let condition, let message):
      Expr.list("assert", [condition] + (message.map { [$0] } ?? []))
    case .help(let topic): "(help\(topic.map { " " + $0 } ?? ""))"
    }
  }
}

extension FunctionDeclaration: CustomDebugStringConvertible {
  public var debugDescription: String {
    let formals = formals.map { formal in
      formal.defaultValue.map { "\(formal.name)=\($0.debugDescription)" } ?? formal.name
    }
    let content =
      switch body {
      case .expression(let value): value.debugDescription
      case .block(let statements): Statement.block(statements)
      }
    return "(def (\(([name] + formals).joined(separator: " "))) \(content))"
  }
}
