import Optimization
import Plotting
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
      summary: "Takes back the last statement that changed something, or single steps, and says what.",
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
          let value = try interpreter.declaredAnew(name, leaf, call.command.span)
          fresh = try interpreter.moved(name, leaf, to: .tensor(value), call.command.span)
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
      var given = arguments
      if command.subjects.count == 1 && command.verb != "compare" {
        let own = Commands.ownOptions[command.verb] ?? []
        given += command.options.filter { !own.contains($0.name ?? "") }
      }
      var options = MethodOptions()
      for argument in given { try set(argument, description, &options) }
      let method = try made(description, options, given, subject.span)
      return ChosenMethod(
        description: description, options: options, method: method, label: subject.span.text)
    }
  }

  /// - Parameter given: the options as they are written, where a refused value is told; else it is told at `span`.
  func made(
    _ description: MethodDescription, _ options: MethodOptions, _ given: [Argument], _ span: Span
  ) throws -> any Method {
    do {
      return try description.make(options)
    } catch let refusal as Refusal {
      let refused = given.last { $0.name != nil && $0.name == refusal.option }
      throw Diagnostic(.domain, refusal.reason, at: refused?.value.span ?? span, hint: refusal.hint)
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
    if command.verb == "compare", ["max", "steps", "until"].contains(name) {
      return "steps=20 says how many steps each method takes"
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

  /// The condition after until. One that holds before the first step and that no step can change is none.
  func until() throws -> Expr? {
    guard let condition = command.clause("until")?.values.first else { return nil }
    let names = FreeNames.of(condition)
    // What moves around the command may be what the condition asks for.
    let isAlone = command.block == nil && interpreter.loopDepth == 0 && interpreter.callDepth == 0
    guard isAlone && names.allSatisfy(isFixed) || names.isEmpty,
      let value = try interpreter.evaluate(condition).tensor, value.count == 1,
      value.scalarValue != 0
    else { return condition }
    throw Diagnostic(
      .domain, "'\(condition.span.text)' holds from the start, and no step changes it", at: condition.span,
      hint: command.verb == "train"
        ? "compare what moves, as in until loss < 0.1; epochs=3 ends it after 3 epochs"
        : "compare what moves, as in until norm(grad) < 1e-3; max 3 ends it after 3 steps")
  }

  /// A comparison gives 1; any other number that ends a run was hardly meant as a condition.
  func warnOfTruth(_ condition: Expr, _ value: Double) {
    guard value != 1 else { return }
    let text = condition.span.text
    warn(
      "'\(text)' is \(format(value)), and any number but 0 ends the run; compare it, as in until \(text) < 0.1"
    )
  }

  /// A name whose value stays where it is while params move.
  private func isFixed(_ name: String) -> Bool {
    if command.verb == "train", name == "epoch" { return false }
    let word = SpecialName(rawValue: name)
    switch interpreter.lookup(name) {
    case .variable?, .data?: return word?.isResult != true
    case nil: return word?.constant != nil || Builtins.byName[name]?.group == .pointwise
    default: return false
    }
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
    guard count > 0 else {
      throw Diagnostic(.domain, "expected a positive number", at: command.subjects.first?.span)
    }
    let done: String
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
      done = "undid: \(count) \(count == 1 ? "step" : "steps")"
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
      interpreter.restore(found.state)
      interpreter.isHistoryMove = true
      done = "\(back ? "undid" : "redid"): \(found.statements.joined(separator: "; "))"
    }
    let line = done.truncated(to: interpreter.textWidth, unicode: !interpreter.state.settings.isASCII)
    guard let name = interpreter.state.objective, let value = try? interpreter.objectiveValue() else {
      print(line)
      return .nothing
    }
    print(LookText(self).remarked("\(name) = \(format(value))", line))
    return .nothing
  }
}
