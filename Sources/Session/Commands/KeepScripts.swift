import Datasets
import Syntax

extension Commands {
  static var runCommand: CommandDefinition {
    CommandDefinition(
      verb: "run", usage: "run \"FILE\" [NAME=VALUE …]",
      summary:
        "Runs a script in this session, with these values for its options (or names, when it declares no options). At the prompt a line tells what it left.",
      options: [("*", "a value for a name of the script")],
      example: "save \"/tmp/hlab-s.hlab\" \"print 2 * n\"; run \"/tmp/hlab-s.hlab\" n=21", changesState: true
    ) { call in
      try call.noMoreSubjects()
      let path = try call.path(call.subject)
      call.interpreter.willChange()
      let given = call.command.options.map {
        GivenOption(name: $0.name ?? "", value: .success($0.value), text: call.text($0.value), span: $0.span)
      }
      let before = call.interpreter.state
      let statements = try call.interpreter.runScript(path, given, call.subject?.span ?? call.command.span)
      if call.interpreter.isAtPrompt {
        call.print(call.interpreter.summary(ofScript: path, statements, since: before))
      }
      return .nothing
    }
  }
}

extension CommandCall {
  /// What an option that is a text is given: the text that a name holds, or else what was written.
  fileprivate func text(_ expr: Expr) -> String {
    if case .name(let name) = expr.kind, case .variable(let variable)? = interpreter.lookup(name),
      case .string(let text) = variable.value
    {
      return text
    }
    return expr.span.text
  }
}

extension Interpreter {
  private static var scriptLimit: Int { 20 }
  /// Params that the summary of a script names.
  private static var shownParams: Int { 6 }

  /// Runs the statements of a file. What was done before an error is kept; `undo` takes the whole `run` back.
  ///
  /// - Returns: the statements of the file.
  func runScript(_ path: String, _ given: [GivenOption], _ span: Span) throws -> [Statement] {
    let known = TextFile.canonical(path)
    if openScripts.contains(known) {
      throw Diagnostic(.io, "'\(path)' runs itself", at: span, notes: [openScripts.joined(separator: " → ")])
    }
    guard openScripts.count < Self.scriptLimit else {
      throw Diagnostic(.resource, "scripts run each other more than \(Self.scriptLimit) deep", at: span)
    }
    let text: String
    do {
      text = try TextFile.read(path)
    } catch {
      throw Diagnostic(
        .io, "\(error)", at: span, notes: error.fullPath.map { ["the full path is \($0)"] } ?? [])
    }
    let parsed = Parser.parse(SourceText(name: path, text: text), shadowedVerbs: shadowedVerbs)
    for diagnostic in parsed.diagnostics.dropLast() { report(diagnostic) }
    if let last = parsed.diagnostics.last { throw last }
    let outer = givenOptions
    try give(given, to: parsed.statements)
    openScripts.append(known)
    let (loops, later) = (loopDepth, laterNames)
    loopDepth = 0
    laterNames.formUnion(parsed.statements.flatMap(boundNames))
    defer {
      openScripts.removeLast()
      (loopDepth, laterNames, givenOptions) = (loops, later, outer)
    }
    _ = try run(parsed.statements)
    return parsed.statements
  }

  /// A person typed the statement that runs, by itself: it is no part of a script, loop or procedure.
  fileprivate var isAtPrompt: Bool {
    options.isInteractive && openScripts.isEmpty && loopDepth == 0 && callDepth == 0
  }

  /// `setup.hlab : 7 statements; objective f, params U, V, 3 other names`: what it has bound or changed.
  fileprivate func summary(ofScript path: String, _ statements: [Statement], since before: State) -> String {
    func count(_ n: Int, _ thing: String) -> String { "\(n) \(thing)\(n == 1 ? "" : "s")" }
    let bound = Set(statements.flatMap(boundNames))
    let names = namesInOrder.filter { name in
      guard let now = state.globals[name] else { return false }
      return bound.contains(name) || before.globals[name].map { !$0.holdsTheSame(as: now) } ?? true
    }
    let objective = state.objective.flatMap { $0 != before.objective || names.contains($0) ? $0 : nil }
    let others = names.filter { $0 != objective }
    let params = others.filter { if case .param? = state.globals[$0] { true } else { false } }
    let rest = others.count - params.count
    var left: [String] = []
    if let objective { left.append("objective \(objective)") }
    if !params.isEmpty {
      let shown = params.prefix(Self.shownParams) + (params.count > Self.shownParams ? ["…"] : [])
      left.append("param\(params.count == 1 ? "" : "s") " + shown.joined(separator: ", "))
    }
    if rest > 0 { left.append(count(rest, left.isEmpty ? "name" : "other name")) }
    return "\(path) : \(count(statements.count, "statement")); "
      + (left.isEmpty ? "no name has changed" : left.joined(separator: ", "))
  }
}
