/// Whether a pending text can be run.
public enum EntryState: Sendable {
  case complete, incomplete
  /// More text cannot make it right; it is submitted, so that the error is shown.
  case invalid
}

/// What to do after an entry.
public enum EntryOutcome: Sendable, Equatable {
  case proceed
  case quit(exitCode: Int32)
}

/// What the REPL asks of the language behind it.
public protocol REPLHost: AnyObject {
  /// Whether Enter runs `text` or continues it.
  func state(of text: String) -> EntryState
  /// Completions for the word before a UTF-8 offset: where that word starts, and what could stand there.
  func completions(in text: String, at utf8Offset: Int) -> (replaceFrom: Int, candidates: [String])
  /// Runs an entry and shows its results. SIGINT meanwhile calls what was given to `Signals.install`.
  func evaluate(_ entry: String) -> EntryOutcome
  /// What stands before the next entry; ends with a space.
  var prompt: String { get }
  /// Return without an entry. `shown` are entries that the host has run and shown by itself, for the Up key.
  func evaluateEmpty() -> (outcome: EntryOutcome, shown: [String])
}

extension REPLHost {
  public var prompt: String { LineEditor.promptText }
  public func evaluateEmpty() -> (outcome: EntryOutcome, shown: [String]) { (.proceed, []) }
}

/// The dialogue: read an entry, run it, until the end of input or a command to quit.
public final class REPL {
  private let editor: LineEditor
  private let host: any REPLHost
  private let history: HistoryFile?

  /// - Parameters:
  ///   - history: where entries persist, or nil to forget them.
  ///   - color: whether the prompt is coloured.
  public init(host: any REPLHost, environment: TerminalEnvironment, history: HistoryFile?, color: Bool) {
    self.host = host
    self.history = history
    editor = LineEditor(host: host, environment: environment, color: color)
    for entry in history?.load() ?? [] { editor.remember(entry) }
  }

  /// Runs until the user leaves; the exit code is 0 unless a command chose another or a signal ended it.
  public func run() -> Int32 {
    var newest = ""
    while true {
      switch editor.readEntry() {
      case .entry(let text):
        if text.allSatisfy(\.isWhitespace) {
          Signals.enter(.evaluating)
          let (outcome, shown) = host.evaluateEmpty()
          for entry in shown { editor.remember(entry) }
          if case .quit(let exitCode) = outcome { return exitCode }
          continue
        }
        editor.remember(text)
        if text != newest { history?.append(text) }
        newest = text
        Signals.enter(.evaluating)
        let outcome = host.evaluate(text)
        if case .quit(let exitCode) = outcome { return exitCode }
      case .interrupted: continue
      case .endOfInput: return 0
      case .terminated(let signal): return 128 + signal
      }
    }
  }
}
