import Syntax

/// Text for `?name` and `help name`, from the declarations of builtins and commands.
enum Help {
  /// - Throws: when nothing of that name is known.
  static func text(for name: String?, _ span: Span, _ interpreter: Interpreter) throws -> String {
    guard let name else { return overview(interpreter.options.width) }
    var parts: [String] = []
    let bound = interpreter.lookup(name).map { describe(name, $0, interpreter) }
    if let bound { parts.append(bound) }
    if let command = Commands.table[name] { parts.append(text(command)) }
    if let topic = HelpTopic.named(name) { parts.append(text(topic)) }
    if let builtin = Builtins.byName[name] { parts.append(text(builtin)) }
    if parts.isEmpty, MethodNames.all.contains(name) {
      parts.append("\(name)\n  A method of step, minimize, train and compare: step \(name)\n  See ?step.")
    }
    guard parts.isEmpty else { return parts.joined(separator: "\n\n") }
    if CommandGrammar.verbs.contains(name) { return "\(name)\n  A command that this version does not have." }
    throw Diagnostic(
      .name, "there is no help on '\(name)'", at: span,
      hint: closestMatch(to: name, in: topics(interpreter)).map { "did you mean '\($0)'?" }
        ?? "? lists all topics")
  }

  /// Everything that has a page.
  static func topics(_ interpreter: Interpreter) -> [String] {
    let words = HelpTopic.all.flatMap { [$0.name] + $0.aliases }
    return interpreter.visibleNames + Array(Commands.table.keys) + Array(Builtins.byName.keys) + words
      + MethodNames.all
  }

  // MARK: One page

  private static func text(_ command: CommandDefinition) -> String {
    var lines = [command.usage, "  " + command.summary]
    let options = command.options.map { ($0.name == "*" ? "NAME=" : "\($0.name)=", $0.text) }
    if !options.isEmpty { lines += ["options"] + table(options) }
    return (lines + page(example: command.example, output: "")).joined(separator: "\n")
  }

  private static func text(_ builtin: Builtin) -> String {
    let others = builtin.aliases.isEmpty ? "" : "   also \(builtin.aliases.joined(separator: ", "))"
    let lines = [builtin.signature + others, "  " + builtin.summary]
    return (lines + page(example: builtin.example, output: builtin.exampleOutput)).joined(separator: "\n")
  }

  private static func text(_ topic: HelpTopic) -> String {
    ([topic.usage, "  " + topic.summary] + page(example: topic.example, output: topic.output)).joined(
      separator: "\n")
  }

  private static func page(example: String, output: String) -> [String] {
    ["example"] + indented(example, "  ") + (output.isEmpty ? [] : indented(output, "    "))
  }

  private static func indented(_ text: String, _ indent: String) -> [String] {
    text.split(separator: "\n").map { indent + $0 }
  }

  // MARK: The user's names

  private static func describe(_ name: String, _ binding: Binding, _ interpreter: Interpreter) -> String {
    let text = interpreter.valueText
    func leaf(_ kind: String, _ leaf: LeafBinding) -> String {
      let head =
        "\(name) : \(kind) \(leaf.value.shape.shapeDescription), declared with \(leaf.declaration.span.text)"
      return head + "\n" + text.labeled(name, text.text(leaf.value))
    }
    switch binding {
    case .param(let l): return leaf("param", l)
    case .data(let l): return leaf("data", l)
    case .variable(let v):
      return "\(name) holds \(v.value.kindName)\n" + text.labeled(name, text.text(v.value))
    case .random(let r): return "\(name) ~ \(r.source.span.text)\n" + text.labeled(name, text.text(r.value))
    case .definition(let id):
      let formula = interpreter.definitions[id]?.expr.span.text ?? "…"
      return "\(name) := \(formula)" + (interpreter.state.objective == name ? "   (the objective)" : "")
    case .function(let f):
      let formals = f.declaration.formals.map { formal in
        formal.defaultValue.map { "\(formal.name) = \($0.span.text)" } ?? formal.name
      }
      let head = "\(name)(\(formals.joined(separator: ", ")))"
      if case .expression(let body) = f.declaration.body { return "\(head) := \(body.span.text)" }
      return "\(head) { … }"
    }
  }

  // MARK: The overview

  private static func overview(_ width: Int) -> String {
    let groups: [(String, [CommandDefinition])] = [
      ("look", Commands.lookCommands), ("move", Commands.moveCommands), ("see", Commands.seeCommands),
      ("keep", Commands.keepCommands),
    ]
    var lines: [String] = []
    for (title, commands) in groups where !commands.isEmpty {
      lines.append(title)
      lines += table(commands.map { ($0.verb, $0.summary) })
    }
    lines.append("functions")
    for group in Builtin.Group.allCases {
      var names = Builtins.all.filter { $0.group == group }.map(\.name)
      if group == .calculus { names = CalculusFunction.allCases.map(\.rawValue) + names }
      if names.isEmpty { continue }
      lines += wrapped(padded("  " + group.rawValue, 18), names, width)
    }
    lines.append("words")
    lines += wrapped(
      padded("  statements", 18), ["param", "data", "print", "assert", "repeat", "for", "while", "if"], width)
    lines += wrapped(padded("  names", 18), ["params", "ans", "π", "e", "inf", "nan"], width)
    lines.append("?NAME tells more about any of them, with an example.")
    return lines.joined(separator: "\n")
  }

  private static func table(_ rows: [(String, String)]) -> [String] {
    let columns = (rows.map(\.0.count).max() ?? 0) + 3
    return rows.map { "  " + padded($0.0, columns) + $0.1 }
  }

  private static func wrapped(_ head: String, _ words: [String], _ width: Int) -> [String] {
    var lines: [String] = []
    var line = head
    for word in words {
      if line.count + word.count > max(width, 40) - 1 {
        lines.append(line)
        line = String(repeating: " ", count: head.count)
      }
      line += word + " "
    }
    return (lines + [line]).map { String($0.reversed().drop { $0 == " " }.reversed()) }
  }

  static func padded(_ text: String, _ columns: Int) -> String {
    text + String(repeating: " ", count: max(0, columns - text.count))
  }
}
