import CKernels
import Engine
import Plotting
import Syntax
import Tensors

public typealias Completeness = ParseResult.Completeness

/// How results are to be laid out.
public struct SessionOptions: Sendable {
  public var color: Bool
  /// What a session begins with; `set ascii` changes it.
  public var unicode: Bool
  /// Columns of the screen.
  public var width: Int
  /// Results go to a screen, which folds what is wider.
  public var isTerminal = false
  /// Rows of the screen; nil where nothing scrolls away.
  public var height: Int?
  /// The colours of a screen.
  public enum ColorDepth: Sendable { case ansi16, ansi256, trueColor }
  /// What `color` may use.
  public var depth = ColorDepth.ansi256
  /// Whether the font of the screen has braille.
  public var braille = true
  /// Definitions and assignments echo; notes address a person.
  public var isInteractive: Bool
  /// Each result and each message is a line of JSON.
  public var isJSON: Bool

  public init(color: Bool, unicode: Bool, width: Int, isInteractive: Bool, isJSON: Bool = false) {
    self.isJSON = isJSON
    self.color = color
    self.unicode = unicode
    self.width = width
    self.isInteractive = isInteractive
  }
}

/// What a session gives back while it runs.
public enum SessionOutput: Sendable {
  /// A finished piece of result text, without a line break at its end.
  case text(String)
  /// A rendered message about an error or a warning.
  case diagnostic(String)
  /// A transient line of status.
  case progress(String)
}

public enum RunOutcome: Sendable, Equatable {
  case ok
  case failed(exitCode: Int32)
  case interrupted
  case quit(exitCode: Int32)
}

/// A conversation in the language: text in, results out. It opens files when a command says so, and touches
/// nothing else.
public final class Session {
  let interpreter: Interpreter

  public var options: SessionOptions {
    get { interpreter.options }
    set { interpreter.options = newValue }
  }

  public init(options: SessionOptions, output: @escaping (SessionOutput) -> Void) {
    interpreter = Interpreter(options: options, output: output)
  }

  /// The first line of a log of JSON: what runs, and from what seed.
  public func announce(script: String?) {
    interpreter.emit(
      [("hlab", .string(hlabVersion))] + (script.map { [("script", .string($0))] } ?? [])
        + [("seed", .number(Double(interpreter.state.generator.seed)))])
  }

  /// Reports what went wrong outside the language.
  public func report(unreadable message: String) { report(Diagnostic(.io, message)) }

  /// Asks a running computation to stop. Safe to call from a signal handler.
  public nonisolated static func interrupt() { hk_interrupt_set(1) }

  /// Runs all statements of a text, up to the first that fails. A statement that fails changes nothing.
  ///
  /// - Parameter values: what a script is run with. They are for its options; a script that declares none has the names
  ///   bound before it runs.
  public func run(_ text: String, name: String, values: [(name: String, text: String)] = []) -> RunOutcome {
    hk_interrupt_set(0)
    let source = SourceText(name: name, text: text)
    if options.isInteractive { interpreter.log?.remark("> \(text)") }
    let parsed = Parser.parse(source, shadowedVerbs: interpreter.shadowedVerbs)
    guard parsed.diagnostics.isEmpty else {
      for diagnostic in parsed.diagnostics { report(diagnostic) }
      return .failed(exitCode: 65)
    }
    do {
      try interpreter.give(values.map { GivenOption($0.name, $0.text) }, to: parsed.statements)
    } catch {
      report(error as? Diagnostic ?? Diagnostic(.numeric, "\(error)"))
      return .failed(exitCode: Interpreter.exitCode(of: error))
    }
    defer { interpreter.givenOptions = [] }
    for verb in parsed.shadowedVerbs { interpreter.noteShadowed(verb.verb) }
    return interpreter.runTopLevel(parsed.statements, report: report)
  }

  /// Lines of prose as they are shown, folded anew where one is wider than the screen: characters that are spelled out
  /// take more room. Indented lines stand by themselves.
  public func folded(_ prose: [String]) -> [String] {
    let isASCII = interpreter.state.settings.isASCII
    let lines = prose.map { isASCII ? PlainText.ascii($0) : $0 }
    guard lines.contains(where: { $0.count > options.width }) else { return lines }
    var result: [String] = []
    var isOpen = false
    for line in lines {
      if line.isEmpty || line.hasPrefix(" ") {
        result.append(line)
        isOpen = false
        continue
      }
      for word in line.split(separator: " ") {
        if isOpen, let last = result.last, last.count + 1 + word.count <= options.width {
          result[result.count - 1] += " " + word
        } else {
          result.append(String(word))
          isOpen = true
        }
      }
    }
    return result
  }

  /// Shows a text that is no result, such as the prose of a lesson, in the characters that results are shown in.
  public func say(_ text: String) { interpreter.output(.text(text)) }

  private func report(_ diagnostic: Diagnostic) {
    interpreter.report(diagnostic)
  }

  /// Whether a text can run, needs more lines, or cannot become right.
  public func completeness(of text: String) -> Completeness {
    Parser.parse(SourceText(name: "<input>", text: text), shadowedVerbs: interpreter.shadowedVerbs)
      .completeness
  }

  /// What could stand at a place of a text: where the word there starts, and its candidates.
  public func completions(in text: String, at utf8Offset: Int) -> (replaceFrom: Int, candidates: [String]) {
    Completion(interpreter).candidates(text, utf8Offset)
  }
}

extension Interpreter {
  func report(_ diagnostic: Diagnostic) {
    if options.isJSON { return send(.diagnostic(ValueJSON.text(diagnostic))) }
    let renderer = DiagnosticRenderer(
      options.color ? .ansi : .plain, width: max(40, options.width), folds: options.isInteractive,
      spelling: state.settings.isASCII ? PlainSpelling.ascii : nil)
    output(.diagnostic(renderer.render(diagnostic)))
  }

  /// Verbs that the user has bound to something else.
  var shadowedVerbs: Set<String> { Set(visibleNames).intersection(CommandGrammar.verbs) }

  func noteShadowed(_ verb: String) {
    guard options.isInteractive, notedNames.insert(verb).inserted else { return }
    output(.diagnostic("note: '\(verb)' is the name you bound; the command of that name is hidden"))
  }

  /// Says so when names have just hidden words of the language.
  private func noteHidden(_ names: [String]) {
    guard options.isInteractive else { return }
    for name in names where state.globals[name] != nil {
      let hidden = [
        Self.isFunction(name) ? "function" : nil, CommandGrammar[verb: name] != nil ? "command" : nil,
      ].compactMap { $0 }
      guard !hidden.isEmpty, notedNames.insert(name).inserted else { continue }
      let list = hidden.joined(separator: " and the ")
      output(
        .diagnostic(
          "note: '\(name)' hides the \(list) of that name\(name == "undo" ? "" : "; undo brings it back")"))
    }
  }

  /// A function of the language, when nothing is bound to the name.
  static func isFunction(_ name: String) -> Bool {
    Builtins.byName[name] != nil || CalculusFunction(rawValue: name) != nil
  }

  /// Runs statements one by one; each is kept or taken back as a whole.
  func runTopLevel(_ statements: [Statement], report: (Diagnostic) -> Void) -> RunOutcome {
    // Bindings to come, by name.
    var later = Dictionary(statements.flatMap(boundNames).map { ($0, 1) }, uniquingKeysWith: +)
    laterNames = Set(later.keys)
    for statement in statements {
      for name in boundNames(statement) {
        later[name, default: 1] -= 1
        if later[name] == 0 { laterNames.remove(name) }
      }
      let before = state
      let version = structureVersion
      let changesBefore = changeCount
      (loopDepth, callDepth, rescue) = (0, 0, nil)
      do {
        isHistoryMove = false
        defer { flushMoves() }
        _ = try run([statement], echoes: options.isInteractive)
        flushMoves()
        finishLive()
        noteLostObjective(before)
        noteHidden(boundNames(statement).filter { before.globals[$0] == nil })
        if !isHistoryMove, changes(statement) || structureVersion != version {
          history.record(before, after: state, statement.span.firstLine)
        }
      } catch let quit as Quit {
        return .quit(exitCode: quit.exitCode)
      } catch {
        // Steps of a loop or procedure that were finished stay; `undo` takes them back.
        let keeps = changeCount != changesBefore
        if keeps {
          state.frames = []
          structureChanged()
          history.record(before, after: state, statement.span.firstLine)
        } else {
          restore(before)
        }
        if Self.isInterrupt(error) { hk_interrupt_set(0) }
        // A script ends here, and has nothing more to show.
        if options.isInteractive { finishLive() }
        return failed(error, keeps, report)
      }
    }
    return .ok
  }

  /// Says so when the objective has become something else by an assignment.
  private func noteLostObjective(_ before: State) {
    guard options.isInteractive, !isHistoryMove, let name = state.objective, before.objective == name,
      case .definition? = before.globals[name], let now = state.globals[name]
    else { return }
    if case .definition = now { return }
    output(.text("note: '\(name)' is no formula any more, so there is no objective"))
  }

  private static func isInterrupt(_ error: any Error) -> Bool { error as? EngineError == .interrupted }

  private func failed(_ error: any Error, _ keeps: Bool, _ report: (Diagnostic) -> Void) -> RunOutcome {
    if Self.isInterrupt(error) {
      guard options.isInteractive else {
        report(Diagnostic(.interrupt, "interrupted", severity: .note))
        return .interrupted
      }
      let message =
        keeps
        ? "completed steps are kept, and undo takes the statement back" : "nothing of this statement was kept"
      report(Diagnostic(.interrupt, "interrupted; \(message)", severity: .note))
      return .interrupted
    }
    let diagnostic = error as? Diagnostic ?? Diagnostic(.numeric, "\(error)")
    report(diagnostic)
    return diagnostic.kind == .interrupt ? .interrupted : .failed(exitCode: Self.exitCode(of: diagnostic))
  }

  /// As in sysexits.h: usage 64, data 65, software 70, input and output 74.
  static func exitCode(of error: any Error) -> Int32 {
    switch (error as? Diagnostic)?.kind {
    case .usage: return 64
    case .lexical, .syntax: return 65
    case .io: return 74
    default: return 70
    }
  }

  /// Statements that only look do not become a step of `undo`.
  private func changes(_ statement: Statement) -> Bool {
    switch statement.kind {
    case .expression, .print, .assertion, .help: return false
    case .command(let command): return changes(command)
    default: return true
    }
  }

  private func changes(_ command: Command) -> Bool {
    guard command.verb == "time" else { return Commands.table[command.verb]?.changesState ?? false }
    if case .command(let timed)? = command.subjects.first?.kind { return changes(timed) }
    return (command.block ?? []).contains(where: changes)
  }

  func boundNames(_ statement: Statement) -> [String] {
    switch statement.kind {
    case .define(let name, _, _), .param(let name, _, _, _), .data(let name, _, _): return [name]
    case .residuals(let name, _, _): return [name, Interpreter.costName]
    case .option(let name, _, _): return [name]
    case .assign(let targets, _):
      return targets.compactMap { if case .name(let n) = $0.kind { return n } else { return nil } }
    case .random(let names, _): return names
    case .function(let declaration): return [declaration.name]
    default: return []
    }
  }

  func restore(_ before: State) {
    state = before
    structureChanged()
  }
}

/// `quit` leaves through all levels.
struct Quit: Error { let exitCode: Int32 }
