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
      let known = definition.options.map(\.name)
      throw Diagnostic(
        .name, "'\(command.verb)' has no option '\(name)'", at: option.span,
        notes: known.isEmpty ? [] : ["it has \(known.joined(separator: ", "))"],
        hint: closestMatch(to: name, in: known).map { "did you mean '\($0)'?" })
    }
    return try definition.run(
      CommandCall(interpreter: self, command: command, definition: definition, isAssigned: isAssigned))
  }
}
