import Session
import Terminal

/// The session as the dialogue sees it.
final class SessionHost: REPLHost {
  let session: Session
  private let streams: OutputStreams
  private var count = 0

  init(session: Session, streams: OutputStreams) {
    self.session = session
    self.streams = streams
  }

  func state(of text: String) -> EntryState {
    switch session.completeness(of: text) {
    case .complete: .complete
    case .incomplete: .incomplete
    case .invalid: .invalid
    }
  }

  func completions(in text: String, at utf8Offset: Int) -> (replaceFrom: Int, candidates: [String]) {
    session.completions(in: text, at: utf8Offset)
  }

  func evaluate(_ entry: String) -> EntryOutcome {
    if case .quit(let exitCode) = run(entry) { return .quit(exitCode: exitCode) }
    return .proceed
  }

  /// Runs an entry and shows its results.
  func run(_ entry: String) -> RunOutcome {
    count += 1
    session.options.width = TerminalEnvironment.screenWidth()
    session.options.height = TerminalEnvironment.screenHeight()
    let outcome = session.run(entry, name: "<input \(count)>")
    streams.eraseProgress()
    streams.flush()
    return outcome
  }
}
