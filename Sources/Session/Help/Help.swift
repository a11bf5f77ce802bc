import Optimization
import Syntax

/// Text for `?name` and `help name`, from the declarations of builtins and commands.
enum Help {
  /// - Throws: when nothing of that name is known.
  static func text(for name: String?, _ span: Span, _ interpreter: Interpreter) throws -> String {
    guard let name else { return overview(interpreter.options.width) }
    var parts: [String] = []
    let bound = interpreter.lookup(name).map { describe(name, $0, interpreter) }
    if let bound { parts.append(bound) }
    if let command = Commands.table[name] { parts.append(HelpPage(command).text) }
    if let topic = HelpTopic.named(name) { parts.append(HelpPage(topic).text) }
    if let builtin = Builtins.byName[name] { parts.append(HelpPage(builtin).text) }
    if let method = Methods.byName[name] { parts.append(HelpPage(method).text) }
    if parts.isEmpty, let list = list(name, interpreter.options.width) { parts.append(list) }
    guard parts.isEmpty else { return parts.joined(separator: "\n\n") }
    if CommandGrammar.verbs.contains(name) { return "\(name)\n  A command that this version does not have." }
    throw Diagnostic(
      .name, "there is no help on '\(name)'", at: span,
      hint: ForeignWords.hint(for: name)
        ?? closestMatch(to: name, in: topics(interpreter)).map { "did you mean '\($0)'?" }
        ?? "?commands and ?functions list all")
  }

  /// Everything that has a page.
  static func topics(_ interpreter: Interpreter) -> [String] {
    let words = HelpTopic.all.flatMap { [$0.name] + $0.aliases }
    return interpreter.visibleNames + Array(Commands.table.keys) + Array(Builtins.byName.keys) + words
      + MethodNames.all + listNames
  }

  // MARK: One page

  static func sentence(_ text: String) -> [String] {
    wrapped("  ", text.split(separator: " ").map { String($0) }, 80)
  }

  /// Words with all lines but the first indented.
  static func hanging(_ text: String) -> [String] {
    guard text.count > 80 else { return [text] }
    let lines = wrapped("    ", text.split(separator: " ").map { String($0) }, 80)
    return [String(lines[0].dropFirst(4))] + lines.dropFirst()
  }

  static func indented(_ text: String, _ indent: String) -> [String] {
    text.split(separator: "\n").map { indent + $0 }
  }

  // MARK: The user's names

  private static func describe(_ name: String, _ binding: Binding, _ interpreter: Interpreter) -> String {
    let text = interpreter.valueText
    func leaf(_ kind: String, _ leaf: LeafBinding) -> String {
      let head =
        "\(name) : \(kind) \(leaf.value.shape.shapeDescription), declared with \(leaf.declaration.span.text)"
      return head + "\n" + text.labeled(name, showing: leaf.value)
    }
    switch binding {
    case .param(let l): return leaf("param", l)
    case .data(let l): return leaf("data", l)
    case .variable(let v):
      return "\(name) holds \(v.value.kindName)\n" + text.labeled(name, v.value)
    case .random(let r): return "\(name) ~ \(r.source.span.text)\n" + text.labeled(name, showing: r.value)
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

  static let commandGroups: [(name: String, commands: [CommandDefinition])] = [
    ("look", Commands.lookCommands), ("move", Commands.moveCommands), ("see", Commands.seeCommands),
    ("try", Commands.keepCommands.filter { trials.contains($0.verb) }),
    ("keep", Commands.keepCommands.filter { !trials.contains($0.verb) }),
  ]
  private static let trials = ["tune", "report", "estimate", "time"]

  /// One screen.
  private static func overview(_ width: Int) -> String {
    var lines = [
      "  param x = [-1.2, 1]                what derivatives are taken by",
      "  f := (1 - x[0])^2 + (x[1] - 3)^2   a live formula, and the objective",
      "  grad; hessian; eig; plot f         look at it here",
      "  step newton; undo; reset           move, and go back", "commands",
    ]
    for (name, commands) in commandGroups where !commands.isEmpty {
      lines += wrapped(padded("  " + name, 14), commands.map(\.verb), width)
    }
    lines += wrapped(padded("  methods", 14), MethodNames.all, width)
    lines.append("words")
    lines += wrapped(
      padded("  statements", 14),
      ["param", "data", "residuals", "print", "assert", "repeat", "for", "while", "if", "return"], width)
    // Those that are commands as well stand there.
    lines += wrapped(padded("  names", 14), SpecialName.words.filter { Commands.table[$0] == nil }, width)
    lines.append("functions")
    lines += wrapped("  ", Builtin.Group.allCases.map { $0 == .algebra ? "algebra" : $0.rawValue }, width)
    lines.append("?NAME tells more, with an example: ?eig, ?step, ?reduction. Lessons: hlab lesson")
    lines.append("?commands and ?functions list all. Tab completes, Ctrl-R searches, Ctrl-C stops.")
    return lines.joined(separator: "\n")
  }

  /// Words that stand for lists: `?functions`, `?reduction`.
  private static var listNames: [String] {
    ["commands", "functions", "methods", "algebra"] + commandGroups.map(\.name)
      + Builtin.Group.allCases.map(\.rawValue)
  }

  private static func list(_ name: String, _ width: Int) -> String? {
    switch name {
    case "commands":
      return commandGroups.filter { !$0.commands.isEmpty }.flatMap {
        [$0.name] + table($0.commands.map { ($0.verb, $0.summary) }, width)
      }
      .joined(separator: "\n")
    case "functions":
      return Builtin.Group.allCases.flatMap {
        wrapped(padded($0.rawValue, 16), functions($0).map(\.name), width)
      }
      .joined(separator: "\n")
    case "methods": return table(Methods.all.map { ($0.name, $0.summary) }, width).joined(separator: "\n")
    default: break
    }
    if let group = commandGroups.first(where: { $0.name == name }), !group.commands.isEmpty {
      return table(group.commands.map { ($0.verb, $0.summary) }, width).joined(separator: "\n")
    }
    let group = name == "algebra" ? Builtin.Group.algebra : Builtin.Group(rawValue: name)
    return group.map { table(functions($0).map { ($0.name, $0.summary) }, width).joined(separator: "\n") }
  }

  /// The functions of a group with a few words each.
  private static func functions(_ group: Builtin.Group) -> [(name: String, summary: String)] {
    let calculus = group == .calculus ? HelpTopic.calculus.map { ($0.name, $0.summary) } : []
    return calculus + Builtins.all.filter { $0.group == group }.map { ($0.name, $0.summary) }
  }

  static func table(_ rows: [(String, String)], _ width: Int = 80) -> [String] {
    let columns = (rows.map(\.0.count).max() ?? 0) + 3
    return rows.flatMap {
      wrapped("  " + padded($0.0, columns), $0.1.split(separator: " ").map { String($0) }, width)
    }
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
