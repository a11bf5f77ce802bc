import Graph
import Syntax
import Tensors

extension Commands {
  static var nameCommands: [CommandDefinition] { [varsCommand, showCommand, objectiveCommand, watchCommand] }

  private static var varsCommand: CommandDefinition {
    CommandDefinition(
      verb: "vars", usage: "vars",
      summary: "All names with their kind, shape and value; params first, in order.",
      example: "vars"
    ) { call in
      try call.noMoreSubjects(than: 0)
      let interpreter = call.interpreter
      let names = interpreter.namesInOrder
      let rows = names.map { NameSummary($0, interpreter) }
      call.print(
        rows.isEmpty ? "nothing is bound yet" : NameSummary.table(rows, for: interpreter))
      return rows.isEmpty ? .nothing : .record(rows.map { ($0.name, .string("\($0.kind) \($0.shape)")) })
    }
  }

  private static var showCommand: CommandDefinition {
    CommandDefinition(
      verb: "show", usage: "show NAME",
      summary: "How a name was bound, its shape, its value, and what it depends on.",
      example: "show f"
    ) { call in
      try call.noMoreSubjects()
      guard let subject = call.subject, case .name(let name) = subject.kind else {
        throw Diagnostic(.syntax, "'show' needs a name", at: call.subject?.span ?? call.command.verbSpan)
      }
      let interpreter = call.interpreter
      guard let binding = interpreter.lookup(name) else {
        let match = closestMatch(to: name, in: interpreter.visibleNames)
        throw Diagnostic(
          .name, "'\(name)' is not bound", at: subject.span, hint: match.map { "did you mean '\($0)'?" })
      }
      let summary = NameSummary(name, interpreter)
      let details = summary.details(binding, interpreter)
      call.print(details.joined(separator: "\n"))
      return .record([("kind", .string(summary.kind)), ("shape", .string(summary.shape))])
    }
  }

  private static var objectiveCommand: CommandDefinition {
    CommandDefinition(
      verb: "objective", usage: "objective [NAME]",
      summary: "The formula that commands speak of when none is named; with a name, chooses it.",
      example: "objective f"
    ) { call in
      try call.noMoreSubjects()
      let interpreter = call.interpreter
      if let subject = call.subject { try chooseObjective(call, subject) }
      guard let name = interpreter.state.objective else {
        throw Diagnostic(
          .name, "there is no objective yet", at: call.command.verbSpan,
          hint: interpreter.elaborator().objectiveHint)
      }
      let text = interpreter.definitionText(name)
      call.print(call.lookText.remarked(text ?? name, "objective"))
      return .string(name)
    }
  }

  private static func chooseObjective(_ call: CommandCall, _ subject: Expr) throws {
    let interpreter = call.interpreter
    guard case .name(let name) = subject.kind else {
      throw Diagnostic(
        .type, "an objective needs a name", at: subject.span,
        hint: "define it first: f := \(subject.span.text)")
    }
    let elaborator = Elaborator(interpreter, environment: FormulaEnvironment())
    let meaning = try elaborator.name(name, subject.span)
    guard case .definition? = interpreter.lookup(name, frameTag: nil) else {
      throw Diagnostic(
        .type, "'\(name)' is not a formula", at: subject.span,
        hint: "a formula is defined with := and follows its params")
    }
    guard case .node(let node) = meaning, interpreter.graph.shape(node).isEmpty else {
      let shape = meaning.nodes.first.map { interpreter.graph.shape($0).shapeDescription }
      throw Diagnostic(
        .shape,
        "an objective is a scalar; '\(name)' is \(shape.map { "of shape \($0)" } ?? meaning.kindName)",
        at: subject.span, hint: "reduce it with sum or mean")
    }
    guard !elaborator.paramsBundle(of: [node]).nodes.isEmpty else {
      throw Diagnostic(
        .domain, "'\(name)' depends on no param", at: subject.span, hint: "declare one with: param x = …")
    }
    let isNew = interpreter.state.objective != name
    interpreter.state.objective = name
    interpreter.state.objectiveIsChosen = true
    if isNew { interpreter.state.path.clear() }
    interpreter.structureChanged()
  }

  private static var watchCommand: CommandDefinition {
    CommandDefinition(
      verb: "watch", usage: "watch [FORMULA, … | off]",
      summary: "Prints formulas again after every step; alone lists them, off forgets them.",
      example: "watch norm(grad)"
    ) { call in
      let interpreter = call.interpreter
      if call.command.subjects.isEmpty {
        if interpreter.state.watched.isEmpty { call.print("nothing is watched") }
      } else if let first = call.subject, case .name("off") = first.kind, interpreter.lookup("off") == nil {
        interpreter.state.watched = []
        interpreter.structureChanged()
        return .nothing
      } else {
        // A formula that cannot be evaluated is not watched.
        for subject in call.command.subjects { _ = try interpreter.evaluate(subject) }
        let known = Set(interpreter.state.watched.map(\.span.text))
        interpreter.state.watched += call.command.subjects.filter { !known.contains($0.span.text) }
        interpreter.structureChanged()
      }
      if !call.isAssigned { interpreter.printWatched() }
      return .nothing
    }
  }
}

extension Interpreter {
  /// Prints the watched formulas; one that has become invalid says why and stops nothing.
  func printWatched() {
    for expr in state.watched {
      do {
        output(.text(valueText.labeled(expr.span.text, showing: try evaluate(expr))))
      } catch let error as Diagnostic {
        output(.diagnostic("warning: watched '\(expr.span.text)': \(error.message)"))
      } catch {
        output(.diagnostic("warning: watched '\(expr.span.text)': \(error)"))
      }
    }
  }

  /// Params in order, data, then all other names alphabetically.
  var namesInOrder: [String] {
    let frame = state.frames.last?.locals ?? [:]
    func rank(_ binding: Binding) -> (Int, Int) {
      switch binding {
      case .param(let leaf): return (0, leaf.order)
      case .data(let leaf): return (1, leaf.order)
      case .random: return (2, 0)
      case .variable: return (3, 0)
      case .definition: return (4, 0)
      case .function: return (5, 0)
      }
    }
    let all = state.globals.merging(frame) { $1 }.map { (name: $0.key, rank: rank($0.value)) }
    return all.sorted { ($0.rank.0, $0.rank.1, $0.name) < ($1.rank.0, $1.rank.1, $1.name) }.map(\.name)
  }

  /// `f := …` as it was written; nil for other names.
  func definitionText(_ name: String) -> String? {
    guard case .definition(let id)? = lookup(name), let definition = definitions[id] else { return nil }
    return "\(name) := \(definition.expr.span.text)"
  }
}
