@testable import Session

/// A session whose output is kept.
final class Transcript {
  private final class Log {
    var texts: [String] = []
    var diagnostics: [String] = []
  }

  private let log = Log()
  let session: Session

  init(unicode: Bool = true, isInteractive: Bool = false) {
    let options = SessionOptions(color: false, unicode: unicode, width: 80, isInteractive: isInteractive)
    session = Session(options: options) { [log] output in
      switch output {
      case .text(let text): log.texts.append(text)
      case .diagnostic(let text): log.diagnostics.append(text)
      case .progress: break
      }
    }
  }

  /// What a text printed; the outcome is kept.
  @discardableResult
  func run(_ text: String) -> String {
    log.texts = []
    log.diagnostics = []
    outcome = session.run(text, name: "<test>")
    return log.texts.joined(separator: "\n")
  }

  private(set) var outcome = RunOutcome.ok

  /// The messages of the last run.
  var messages: String { log.diagnostics.joined(separator: "\n") }
}
