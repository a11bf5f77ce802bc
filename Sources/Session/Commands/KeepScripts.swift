import Datasets
import Syntax

extension Commands {
  static var runCommand: CommandDefinition {
    CommandDefinition(
      verb: "run", usage: "run \"FILE\" [NAME=VALUE …]",
      summary:
        "Runs a script in this session, with these values for its options (or names, when it declares no options).",
      options: [("*", "a value for a name of the script")],
      example: "save \"/tmp/hlab-s.hlab\" \"print 2 * n\"; run \"/tmp/hlab-s.hlab\" n=21", changesState: true
    ) { call in
      try call.noMoreSubjects()
      let path = try call.path(call.subject)
      call.interpreter.willChange()
      let given = call.command.options.map {
        GivenOption(name: $0.name ?? "", value: .success($0.value), text: call.text($0.value), span: $0.span)
      }
      try call.interpreter.runScript(path, given, call.subject?.span ?? call.command.span)
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

  /// Runs the statements of a file. What was done before an error is kept; `undo` takes the whole `run` back.
  func runScript(_ path: String, _ given: [GivenOption], _ span: Span) throws {
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
  }
}
