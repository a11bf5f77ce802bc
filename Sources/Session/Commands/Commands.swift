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

  func warn(_ text: String) {
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
  func run(_ command: Command, isAssigned: Bool) throws -> Value {
    guard let definition = Commands.table[command.verb] else {
      throw Diagnostic(
        .name, "the command '\(command.verb)' is not available in this version", at: command.verbSpan)
    }
    for option in command.options {
      guard let name = option.name, !definition.options.contains(where: { $0.name == name || $0.name == "*" })
      else { continue }
      throw unknownOption(name, option.span, command, definition)
    }
    return try definition.run(
      CommandCall(interpreter: self, command: command, definition: definition, isAssigned: isAssigned))
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
    let takesMax = CommandGrammar[verb: command.verb]?.clauses.contains { $0.keyword == "max" } == true
    let hint = closestMatch(to: name, in: known).map { "did you mean '\($0)'?" }
    return Diagnostic(
      .name, "'\(command.verb)' has no option '\(name)'", at: span,
      notes: known.isEmpty ? [] : ["it has \(known.joined(separator: ", "))"],
      hint: name == "steps" && takesMax ? "max 5 ends it after 5 steps" : hint)
  }
}
