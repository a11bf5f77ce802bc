import Foundation
import Testing

@testable import Session

/// A fresh session and all that it says.
final class Conversation {
  private let session: Session
  private let transcript = Transcript()
  private(set) var outcome = RunOutcome.ok

  private final class Transcript {
    var lines: [String] = []
  }

  init(isInteractive: Bool = false, width: Int = 100) {
    let options = SessionOptions(color: false, unicode: true, width: width, isInteractive: isInteractive)
    session = Session(options: options) { [transcript] output in
      switch output {
      case .text(let text), .diagnostic(let text): transcript.lines.append(text)
      case .progress: break
      }
    }
  }

  /// What the session says to a text.
  @discardableResult
  func say(_ text: String, name: String = "<test>") -> String {
    transcript.lines = []
    outcome = session.run(text, name: name)
    return transcript.lines.joined(separator: "\n")
  }

  var interpreter: Interpreter { session.interpreter }
}

/// A program and what it prints.
struct Example: CustomTestStringConvertible, Sendable {
  let program: String
  let output: String

  init(_ program: String, _ output: String) {
    self.program = program
    self.output = output
  }

  var testDescription: String { program }

  func check(isInteractive: Bool = false) {
    #expect(Conversation(isInteractive: isInteractive).say(program) == output)
  }
}

/// A program that fails: the first line of the message, the text under the caret, and parts of what follows.
struct Failure: CustomTestStringConvertible, Sendable {
  let program: String
  let message: String
  let place: String
  let parts: [String]

  init(_ program: String, _ message: String, at place: String, _ parts: String...) {
    self.program = program
    self.message = message
    self.place = place
    self.parts = parts
  }

  /// The same of another program.
  init(_ program: String, _ other: Failure) {
    (self.program, message, place, parts) = (program, other.message, other.place, other.parts)
  }

  var testDescription: String { program }

  func check() {
    let lines = Conversation(width: 400).say(program).split(separator: "\n", omittingEmptySubsequences: false)
    guard let start = lines.firstIndex(where: { $0.hasPrefix("error: ") }) else {
      Issue.record("no error in: \(lines)")
      return
    }
    let text = lines[start...].joined(separator: "\n")
    #expect(lines[start].hasPrefix("error: \(message)"))
    for part in parts { #expect(text.contains(part), "\(text)") }
    #expect(place.isEmpty || underlined(Array(lines[start...])) == place, "\(text)")
  }

  /// What the first line of carets covers.
  private func underlined(_ lines: [Substring]) -> String {
    guard let row = lines.firstIndex(where: { $0.contains("^") && !$0.contains("=") && $0.hasPrefix(" ") }),
      row > 0
    else { return "" }
    let (source, marks) = (Array(lines[row - 1]), Array(lines[row]))
    return String(marks.indices.filter { marks[$0] == "^" && $0 < source.count }.map { source[$0] })
  }
}

/// Runs `body` on a thread with a large stack and waits for it.
func onLargeStack<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
  await withCheckedContinuation { continuation in
    let thread = Thread { continuation.resume(returning: body()) }
    thread.stackSize = 256 << 20
    thread.start()
  }
}
