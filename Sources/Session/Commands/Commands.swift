import Optimization
import Syntax
import Tensors

/// A command of the language: what it does, and what `?verb`, Tab and the reference say.
struct CommandDefinition: Sendable {
  let verb: String
  /// How it is written: `eig [top K | bottom K] [wrt TARGETS]`.
  let usage: String
  /// One sentence.
  let summary: String
  /// Options `key=value`, each with a few words.
  var options: [(name: String, text: String)] = []
  /// Lines that run, for help; run by the tests.
  let example: String
  /// Part of `undo`.
  var changesState = false
  /// What the example prints depends on the machine.
  var outputVaries = false
  let run: @Sendable (CommandCall) throws -> Value
}

/// One command being run.
struct CommandCall {
  let interpreter: Interpreter
  let command: Command
  let definition: CommandDefinition
  /// Assigned or silenced: nothing is printed.
  let isAssigned: Bool

  func print(_ text: @autoclosure () throws -> String) rethrows {
    if !isAssigned { interpreter.output(.text(try text())) }
  }

  /// Not when a live plot is drawn again: its first picture came with the warnings.
  func warn(_ text: String) {
    guard interpreter.live?.isDrawing != true else { return }
    interpreter.output(.diagnostic("warning: \(text)"))
  }

  /// An option's value, or nil.
  func option(_ name: String) throws -> Value? {
    try command.option(name).map { try interpreter.evaluate($0.value) }
  }

  func number(_ name: String, default fallback: Double) throws -> Double {
    try command.option(name).map { try interpreter.number($0.value) } ?? fallback
  }

  /// A number above 0, or nil where the option is not given.
  func positive(_ name: String) throws -> Double? {
    guard let option = command.option(name) else { return nil }
    let value = try interpreter.number(option.value)
    guard value > 0, value.isFinite else {
      throw Diagnostic(.domain, "'\(name)' must be positive", at: option.value.span)
    }
    return value
  }

  /// True or false, which are 1 and 0.
  func flag(_ name: String, default fallback: Bool = false) throws -> Bool {
    try command.option(name).map { try interpreter.truth($0.value, name) } ?? fallback
  }

  func integer(_ name: String, default fallback: Int) throws -> Int {
    try command.option(name).map { try interpreter.whole($0.value) } ?? fallback
  }

  var format: NumberFormat { NumberFormat(digits: interpreter.state.settings.digits) }
}

enum Commands {
  static let all: [CommandDefinition] = lookCommands + moveCommands + seeCommands + keepCommands
  static let table: [String: CommandDefinition] = Dictionary(uniqueKeysWithValues: all.map { ($0.verb, $0) })
}

extension Interpreter {
  /// An option that is true or false.
  func truth(_ expr: Expr, _ name: String) throws -> Bool {
    try Truth.of(try evaluate(expr).tensor, expr.span, "'\(name)'")
  }

  func run(_ command: Command, isAssigned: Bool) throws -> Value {
    guard let definition = Commands.table[command.verb] else {
      throw Diagnostic(
        .name, "the command '\(command.verb)' is not available in this version", at: command.verbSpan)
    }
    try refuseValuelessOptions(command, definition)
    for option in command.options {
      guard let name = option.name, !definition.options.contains(where: { $0.name == name || $0.name == "*" })
      else { continue }
      throw unknownOption(name, option.span, command, definition)
    }
    let call = CommandCall(
      interpreter: self, command: command, definition: definition, isAssigned: isAssigned)
    try call.refuseBareTexts()
    return try definition.run(call)
  }

  /// Of the options of all methods, only those of the one at hand are worth a note.
  private func unknownOption(
    _ name: String, _ span: Span, _ command: Command, _ definition: CommandDefinition
  ) -> Diagnostic {
    var known = definition.options.map(\.name)
    if case .name(let word)? = command.subjects.first?.kind, let method = Methods.byName[word] {
      let foreign = Set(Methods.all.flatMap(\.options).map(\.name)).subtracting(method.options.map(\.name))
      known.removeAll { foreign.contains($0) }
    }
    let value = command.option(name)?.value
    return Diagnostic(
      .name, "'\(command.verb)' has no option '\(name)'", at: span,
      notes: known.isEmpty ? [] : ["it has \(known.joined(separator: ", "))"],
      hint: optionHint(name, value, known, command)
        ?? closestMatch(to: name, in: known).map { "did you mean '\($0)'?" })
  }

  /// What is an option elsewhere and is said in another way here.
  private func optionHint(_ name: String, _ value: Expr?, _ known: [String], _ command: Command) -> String? {
    let text = value?.span.text ?? "…"
    func takes(_ keyword: String) -> Bool { CommandGrammar[verb: command.verb]?.operand(of: keyword) != nil }
    // A second range after a comma was taken for something to plot, or along.
    let values = command.subjects + command.clauses.flatMap(\.values)
    let more = value.map { first in values.filter { $0.isRange && $0.span.lower > first.span.lower } } ?? []
    let ranges = ([text] + more.map(\.span.text)).joined(separator: ", ")
    if takes(name) {
      return "'\(name)' stands without '=': \(name) \(name == "range" ? ranges : text)"
    }
    if command.verb == "compare", let method = command.subjects.first?.span.text,
      Methods.byName[method]?.options.contains(where: { $0.name == name }) == true
    {
      return "a method's own options stand in parentheses: \(method)(\(name)=\(text))"
    }
    if ["width", "cols", "columns"].contains(name) && known.contains("size") {
      return "size=\(text) sets the columns, height= the lines"
    }
    let counts = ["steps", "maxiter", "max_iter", "maxiters", "iterations", "iters", "niter", "n"]
    let isCount = counts.contains(name)
    if isCount && takes("max") { return "max 5 ends it after 5 steps" }
    if isCount && command.verb == "step", let method = command.subjects.first?.span.text {
      return "several steps: repeat \(text) { step \(method) }, or minimize \(method) max \(text)"
    }
    if isCount && known.contains("epochs") { return "epochs=5 ends it after 5 passes over the data" }
    let rates = ["learning_rate", "learningrate", "step_size", "stepsize", "rate", "step", "α", "η", "γ"]
    if rates.contains(name) && known.contains("lr") { return "did you mean 'lr'?" }
    if ["tol", "gtol", "tolerance"].contains(name) && takes("until") {
      return "say when to stop: until norm(grad) < \(text)"
    }
    if case .range? = value?.kind, takes("range") { return "ranges stand after range: range \(ranges)" }
    return nil
  }

  /// `eig vectors`: a word that nothing is bound to, and that is an option of the command.
  private func refuseValuelessOptions(_ command: Command, _ definition: CommandDefinition) throws {
    guard CommandGrammar[verb: command.verb]?.subject != .word else { return }
    for (place, subject) in command.subjects.enumerated() {
      guard case .name(let name) = subject.kind, lookup(name) == nil,
        definition.options.contains(where: { $0.name == name }), CommandGrammar[verb: name] == nil,
        Methods.byName[name] == nil
      else { continue }
      let next = place + 1 < command.subjects.count ? command.subjects[place + 1] : nil
      let value: String
      if case .number? = next?.kind {
        value = next?.span.text ?? "…"
      } else if Builtins.byName[name] == nil {
        value = "…"
      } else {
        continue
      }
      throw Diagnostic(
        .name, "'\(name)' is an option and needs its value", at: subject.span,
        hint: "an option has a value: \(name)=\(value)")
    }
  }
}
