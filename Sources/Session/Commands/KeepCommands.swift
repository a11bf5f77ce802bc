import Syntax
import Tensors

extension Commands {
  static var keepCommands: [CommandDefinition] {
    [
      loadCommand, saveCommand, runCommand, seedCommand, drawCommand, setCommand, timeCommand, helpCommand,
      quitCommand, tuneCommand, reportCommand, estimateCommand,
    ]
  }

  private static var seedCommand: CommandDefinition {
    CommandDefinition(
      verb: "seed", usage: "seed [N]", summary: "Restarts the random generator, or tells its seed.",
      example: "seed 3; print rand(2)", changesState: true
    ) { call in
      try call.noMoreSubjects()
      guard let subject = call.subject else {
        let seed = call.interpreter.state.generator.seed
        call.print("seed \(seed)")
        return call.isAssigned ? .number(Double(seed)) : .nothing
      }
      let seed = try call.interpreter.whole(subject)
      guard seed >= 0 else { throw Diagnostic(.domain, "a seed is not negative", at: subject.span) }
      call.interpreter.willChange()
      call.interpreter.state.generator = CounterGenerator(seed: UInt64(seed))
      call.interpreter.log?.remark("seed \(seed)")
      return .nothing
    }
  }

  private static var drawCommand: CommandDefinition {
    CommandDefinition(
      verb: "draw", usage: "draw", summary: "Draws all random leaves anew.",
      example: "seed 1; v ~ randn(2); print v; draw; print v",
      changesState: true
    ) { call in
      guard call.interpreter.hasRandomLeaves else {
        throw Diagnostic(
          .name, "there is nothing to draw", at: call.command.span,
          hint: "a random leaf is declared with: v ~ randn(3)")
      }
      call.interpreter.willChange()
      try call.interpreter.redraw()
      return .nothing
    }
  }

  private static var timeCommand: CommandDefinition {
    CommandDefinition(
      verb: "time", usage: "time EXPR | STATEMENT | { … }", summary: "Tells how long something takes.",
      example: "time inv(eye(50));\ntime repeat 3 { x = x / 2 }", outputVaries: true
    ) { call in
      guard call.subject != nil || call.command.block != nil else {
        throw Diagnostic(
          .syntax, "'time' needs something to run", at: call.command.span,
          hint: "time f, time step newton, or time { … }")
      }
      let start = Machine.now
      try call.runTimed()
      let seconds = Machine.now - start
      call.print(Machine.describe(seconds: seconds, unicode: call.interpreter.textOptions.unicode))
      return call.isAssigned ? .number(seconds) : .nothing
    }
  }

  private static var helpCommand: CommandDefinition {
    CommandDefinition(
      verb: "help", usage: "help [TOPIC]", summary: "Explains a command, a function or a name; also ?TOPIC.",
      example: "help seed"
    ) { call in
      var topic: String?
      if let subject = call.subject {
        if case .name(let name) = subject.kind { topic = name } else { topic = subject.span.text }
      }
      let text = try Help.text(for: topic, call.subject?.span ?? call.command.span, call.interpreter)
      call.print(text)
      return call.isAssigned ? .string(text) : .nothing
    }
  }

  private static var quitCommand: CommandDefinition {
    CommandDefinition(
      verb: "quit", usage: "quit [CODE]", summary: "Leaves, with an exit code if one is given.",
      example: "quit"
    ) { call in
      try call.noMoreSubjects()
      let code = try call.subject.map { try call.interpreter.whole($0) } ?? 0
      guard (0...255).contains(code) else {
        throw Diagnostic(.domain, "an exit code is 0 to 255, not \(code)", at: call.subject?.span)
      }
      throw Quit(exitCode: Int32(code))
    }
  }
}

extension CommandCall {
  /// Runs what `time` was given; its value is printed unless `time` is assigned.
  fileprivate func runTimed() throws {
    if let block = command.block {
      _ = try interpreter.run(block)
      return
    }
    guard let subject else { return }
    if case .command(let timed) = subject.kind {
      _ = try interpreter.run(timed, isAssigned: isAssigned)
      return
    }
    let value = try interpreter.evaluate(subject)
    if case .nothing = value { return }
    print(interpreter.valueText.text(value))
  }
}

extension Machine {
  static func describe(seconds: Double, unicode: Bool) -> String {
    let format = NumberFormat(digits: 3)
    if seconds < 1e-6 { return "\(format(seconds * 1e9)) ns" }
    if seconds < 1e-3 { return "\(format(seconds * 1e6)) \(unicode ? "µs" : "us")" }
    if seconds < 1 { return "\(format(seconds * 1e3)) ms" }
    if seconds < 120 { return "\(format(seconds)) s" }
    let minutes = Int(seconds / 60)
    let rest = Int(seconds) - 60 * minutes
    return minutes < 120 ? "\(minutes) min \(rest) s" : "\(minutes / 60) h \(minutes % 60) min"
  }
}
