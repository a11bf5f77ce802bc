import Optimization
import Syntax
import Tensors

extension Commands {
  static var moveCommands: [CommandDefinition] {
    [
      stepCommand, minimizeCommand, trainCommand, compareCommand, undoCommand, redoCommand, resetCommand,
      reinitCommand, pruneCommand,
    ]
  }

  static let methodOptions: [(name: String, text: String)] = {
    var seen = Set<String>()
    return Methods.all.flatMap(\.options).filter { seen.insert($0.name).inserted }
  }()

  /// Options of commands that take a method which are not the method's.
  static let ownOptions: [String: Set<String>] = [
    "minimize": Set(Minimization.options.map(\.name)), "train": Set(TrainingPlan.options.map(\.name)),
  ]

  private static var stepCommand: CommandDefinition {
    CommandDefinition(
      verb: "step", usage: "step METHOD [wrt TARGETS] [option=value …]",
      summary: "One step of a method: \(Methods.all.map(\.name).joined(separator: ", ")). "
        + "Each has options of its own: ?gd, ?trust.",
      options: methodOptions, example: "step newton", changesState: true
    ) { call in
      let (name, method) = try call.singleMethod()
      let stepper = try Stepper(call, name, method)
      let before = try stepper.evaluation()
      let after = try stepper.step(from: before)
      call.reportStep(stepper, before, after.evaluation, after.move.notes)
      return call.stepRecord(before, after.evaluation)
    }
  }

  private static var minimizeCommand: CommandDefinition {
    CommandDefinition(
      verb: "minimize",
      usage: "minimize METHOD [until CONDITION] [max N] [wrt TARGETS] [option=value …] [{ … }]",
      summary: "Steps until a condition holds (by default ‖∇f‖ < 1e-8), at most N (1000) times.",
      options: Minimization.options + methodOptions,
      example: "minimize damped-newton until norm(grad) < 1e-6 max 50\nminimize trust table=true xtol=1e-6",
      changesState: true
    ) { call in try Minimization(call).run() }
  }

  private static var compareCommand: CommandDefinition {
    CommandDefinition(
      verb: "compare", usage: "compare METHOD(option=value, …), METHOD, … steps=N [from=POINT]",
      summary:
        "Runs methods from one point, the present one unless given, tabulates f and ‖∇f‖, and comes back.",
      options: [
        ("steps", "steps of each method, 20 by default"),
        ("from", "where all begin: the numbers of the params, or a bundle"),
        ("plot", "\"curves\" draws f along the steps, \"paths\" the ways over two numbers, true both"),
      ],
      example: "compare gd(lr=1e-3), newton steps=10\ncompare newton, trust from=[-1.2, 1] plot=\"paths\""
    ) { call in try Comparison(call).run() }
  }

  private static var undoCommand: CommandDefinition {
    CommandDefinition(
      verb: "undo", usage: "undo [N] [steps]",
      summary: "Takes back the last statement that changed something, or single steps.",
      example: "step newton; undo"
    ) { call in try call.travel(back: true) }
  }

  private static var redoCommand: CommandDefinition {
    CommandDefinition(
      verb: "redo", usage: "redo [N]", summary: "Does again what undo took back.",
      example: "step newton; undo; redo"
    ) { call in try call.travel(back: false) }
  }

  private static var resetCommand: CommandDefinition {
    CommandDefinition(
      verb: "reset", usage: "reset [fresh]",
      summary: "Params go back to their declared values; fresh draws random initial values anew.",
      example: "step newton; reset; print x", changesState: true
    ) { call in
      try call.noMoreSubjects(than: 0)
      let interpreter = call.interpreter
      interpreter.willChange()
      for (name, leaf) in interpreter.allParams {
        var fresh = leaf
        if call.command.clause("fresh") != nil {
          guard let value = try interpreter.evaluate(leaf.declaration).tensor, value.shape == leaf.value.shape
          else {
            throw Diagnostic(
              .shape, "the declaration of '\(name)' no longer gives its shape", at: call.command.span)
          }
          fresh.value = value.converted(to: interpreter.state.settings.precision)
          try leaf.bounds.map { try interpreter.check(fresh.value, $0, name, call.command.span) }
        } else {
          fresh.value = leaf.initial.converted(to: interpreter.state.settings.precision)
        }
        interpreter.bindGlobal(name, .param(fresh))
      }
      interpreter.state.path.clear()
      interpreter.state.forgetMethods()
      interpreter.state.training = nil
      let names = interpreter.allParams.map(\.name).joined(separator: ", ")
      call.print(
        names.isEmpty
          ? "there are no params"
          : "\(names) back at \(call.command.clause("fresh") != nil ? "fresh" : "declared") values")
      return .nothing
    }
  }
}

/// A method as a command names it.
struct ChosenMethod {
  let description: MethodDescription
  let options: MethodOptions
  let method: any Method
  /// Its text.
  let label: String
  var name: String { description.name }
}

extension CommandCall {
  /// Method names may have options in parentheses, or after the command when there is one method.
  func methods() throws -> [ChosenMethod] {
    guard !command.subjects.isEmpty else {
      throw Diagnostic(
        .syntax, "'\(command.verb)' needs a method", at: command.span,
        hint: "one of \(Methods.all.map(\.name).joined(separator: ", "))")
    }
    return try command.subjects.map { subject in
      let (description, arguments) = try described(subject)
      var options = MethodOptions()
      for argument in arguments { try set(argument, description, &options) }
      if command.subjects.count == 1 && command.verb != "compare" {
        let own = Commands.ownOptions[command.verb] ?? []
        for option in command.options where !own.contains(option.name ?? "") {
          try set(option, description, &options)
        }
      }
      let method = try made(description, options, subject.span)
      return ChosenMethod(
        description: description, options: options, method: method, label: subject.span.text)
    }
  }

  func made(_ description: MethodDescription, _ options: MethodOptions, _ span: Span) throws -> any Method {
    do {
      return try description.make(options)
    } catch let refusal as Refusal {
      throw Diagnostic(.domain, refusal.reason, at: span, hint: refusal.hint)
    }
  }

  func singleMethod() throws -> (name: String, method: any Method) {
    let chosen = try chosenMethod()
    return (chosen.name, chosen.method)
  }

  func chosenMethod() throws -> ChosenMethod {
    // A word that is no method explains the words after it: `minimize damped newton`.
    if let first = command.subjects.first { _ = try described(first) }
    try noMoreSubjects()
    return try methods()[0]
  }

  private func described(_ subject: Expr) throws -> (MethodDescription, [Argument]) {
    let (name, arguments) = try methodName(subject)
    if let description = Methods.byName[name] { return (description, arguments) }
    throw Diagnostic(
      .name, "there is no method '\(name)'", at: subject.span, hint: methodHint(name, subject))
  }

  private func methodHint(_ name: String, _ subject: Expr) -> String {
    let names = Methods.all.map(\.name)
    let texts = command.subjects.map(\.span.text)
    if let place = texts.firstIndex(of: subject.span.text), place + 1 < texts.count,
      names.contains("\(name)-\(texts[place + 1])")
    {
      return "did you mean '\(name)-\(texts[place + 1])'?"
    }
    if case .definition? = interpreter.lookup(name) {
      return "'\(name)' is a formula; the method comes first: \(command.verb) newton on \(name)"
    }
    let elsewhere = MethodNames.elsewhere[name.lowercased().filter { $0 != "_" && $0 != "-" }]
    return (elsewhere ?? closestMatch(to: name, in: names)).map { "did you mean '\($0)'?" }
      ?? "one of \(names.joined(separator: ", "))"
  }

  private func methodName(_ subject: Expr) throws -> (String, [Argument]) {
    switch subject.kind {
    case .name(let name): return (name, [])
    case .call(let callee, let arguments):
      if case .name(let name) = callee.kind { return (name, arguments) }
    case .logical:
      throw Diagnostic(
        .syntax, "expected the name of a method", at: subject.span,
        hint: "several methods are separated with ','")
    default: break
    }
    throw Diagnostic(.syntax, "expected the name of a method", at: subject.span)
  }

  private func set(_ argument: Argument, _ description: MethodDescription, _ options: inout MethodOptions)
    throws
  {
    guard let name = argument.name, description.options.contains(where: { $0.name == name }) else {
      let known = description.options.map(\.name)
      if argument.name == nil, let first = known.first {
        throw Diagnostic(
          .name, "an option of '\(description.name)' has a name", at: argument.span,
          hint: "as in \(description.name)(\(first)=\(argument.value.span.text))")
      }
      throw Diagnostic(
        .name, "'\(description.name)' has no option '\(argument.name ?? argument.value.span.text)'",
        at: argument.span,
        hint: known.isEmpty ? "it has no options" : "it has \(known.joined(separator: ", "))")
    }
    options.numbers[name] = try interpreter.number(argument.value)
  }

  // MARK: Reports

  func stepRecord(_ before: Evaluation, _ after: Evaluation) -> Value {
    .record([
      ("value", .number(after.value)), ("before", .number(before.value)),
      ("gradient_norm", .number(after.gradientNorm)),
    ])
  }

  func reportStep(_ stepper: Stepper, _ before: Evaluation, _ after: Evaluation, _ notes: [String]) {
    guard !isAssigned else { return }
    let format = format
    interpreter.reportMove { Self.stepLine(stepper.objectiveName, before, after, notes, format) }
  }

  private static func stepLine(
    _ name: String, _ before: Evaluation, _ after: Evaluation, _ notes: [String], _ format: NumberFormat
  ) -> String {
    let f = "\(name): \(format(before.value)) → \(format(after.value))"
    let g = "‖∇\(name)‖: \(format(before.gradientNorm)) → \(format(after.gradientNorm))"
    let gap = String(repeating: " ", count: max(4, 30 - f.count))
    return f + gap + g + (notes.isEmpty ? "" : "\n  " + notes.joined(separator: "\n  "))
  }

  // MARK: Going back

  func travel(back: Bool) throws -> Value {
    try noMoreSubjects()
    let count = try command.subjects.first.map { try interpreter.whole($0) } ?? 1
    guard interpreter.loopDepth == 0, interpreter.callDepth == 0 else {
      throw Diagnostic(
        .type, "'\(command.verb)' stands by itself, outside loops and functions", at: command.span)
    }
    guard count > 0 else { throw Diagnostic(.domain, "expected a positive number", at: command.span) }
    if command.clauses.contains(where: { $0.keyword == "step" || $0.keyword == "steps" }) {
      guard back else { throw Diagnostic(.type, "redo takes statements, not steps", at: command.span) }
      guard interpreter.undoSteps(count) else {
        let known = interpreter.undoableSteps
        throw Diagnostic(
          .domain,
          known == 0
            ? "there is no step to take back"
            : "only \(known) \(known == 1 ? "step" : "steps") can be taken back",
          at: command.span, hint: "undo without steps takes back a statement")
      }
    } else {
      let now = interpreter.state
      let found =
        back ? interpreter.history.undo(count, from: now) : interpreter.history.redo(count, from: now)
      guard let found else {
        let known = back ? interpreter.history.undoCount : interpreter.history.redoCount
        throw Diagnostic(
          .domain,
          known == 0
            ? "there is nothing to \(command.verb)"
            : "only \(known) \(known == 1 ? "statement" : "statements") can be \(back ? "taken back" : "done again")",
          at: command.span)
      }
      interpreter.restore(found)
      interpreter.isHistoryMove = true
    }
    if interpreter.state.objective != nil, let value = try? interpreter.objectiveValue() {
      print("\(interpreter.state.objective ?? "f") = \(format(value))")
    }
    return .nothing
  }
}
