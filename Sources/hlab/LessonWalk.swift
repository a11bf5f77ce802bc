import Lessons
import Session
import Terminal

/// A lesson on the screen, paragraph by paragraph: prose, then code as if it had been typed, and what it prints.
/// In a dialogue, Return goes on, and whatever is typed in between runs in the same session.
final class LessonWalk: REPLHost {
  private let lesson: Lesson
  private let host: SessionHost
  private let streams: OutputStreams
  private let color: Bool
  private var next = 0
  /// The paragraph before the next one has been shown, and not only run.
  private var showsLast = false
  /// The session when the lesson last had it to itself; nil until something is typed.
  private var bookmark: Bookmark?
  /// The session before each paragraph that has been shown.
  private var starts: [Bookmark] = []

  init(_ lesson: Lesson, host: SessionHost, streams: OutputStreams, color: Bool) {
    self.lesson = lesson
    self.host = host
    self.streams = streams
    self.color = color
  }

  private var isOver: Bool { next == lesson.paragraphs.count }

  /// The title.
  func begin() {
    host.session.say(styled("Lesson \(lesson.number): \(lesson.title)", "1"))
    host.session.say(lesson.summary)
    host.session.say("")
    streams.flush()
  }

  /// Runs the paragraphs before one without showing them, up to the first statement that fails.
  func skip(to paragraph: Int) -> RunOutcome {
    guard paragraph > 0 else { return .ok }
    while next < paragraph {
      starts.append(host.session.bookmark)
      next += 1
      for entry in lesson.paragraphs[next - 1].entries {
        let outcome = streams.withoutResults { host.run(entry.code) }
        guard outcome == .ok else { return outcome }
      }
    }
    host.session.say("(What stands before paragraph \(paragraph + 1) has run.)\n")
    streams.flush()
    return .ok
  }

  /// What there is to do, for a person at the keyboard.
  func invite() {
    host.session.say("Return goes on; what you type in between runs as well. 'again' repeats, 'back'")
    host.session.say("goes back, ? helps, Ctrl-D leaves.")
    host.session.say("")
    streams.flush()
  }

  /// Without a person at the keyboard: all that is left. The exit code is that of the first statement that fails.
  func runThrough() -> Int32 {
    for paragraph in lesson.paragraphs[next...] {
      let outcome = present(paragraph)
      guard outcome == .ok else { return outcome.exitCode }
      host.session.say("")
    }
    return 0
  }

  // MARK: The dialogue

  var prompt: String { isOver ? "hlab> " : "[Return: \(next + 1) of \(lesson.paragraphs.count)] hlab> " }

  func state(of text: String) -> EntryState { host.state(of: text) }

  func completions(in text: String, at utf8Offset: Int) -> (replaceFrom: Int, candidates: [String]) {
    host.completions(in: text, at: utf8Offset)
  }

  func evaluate(_ entry: String) -> EntryOutcome {
    let word = entry.filter { !$0.isWhitespace }
    let asked = word.hasPrefix("?") ? Turn(rawValue: String(word.dropFirst())) : nil
    if let turn = Turn(rawValue: word) ?? asked, !host.session.isBound(turn.rawValue) {
      guard asked == nil else {
        explainTurns()
        return .proceed
      }
      return self.turn(turn)
    }
    if bookmark == nil { bookmark = host.session.bookmark }
    let outcome = host.evaluate(entry)
    if ["?", "help"].contains(word) { explainTurns() }
    return outcome
  }

  /// What `?` says of a lesson, below all else.
  private func explainTurns() {
    host.session.say("In a lesson: Return or next goes on, again repeats, back shows the one before.")
    streams.flush()
  }

  /// The next paragraph, in the session as the lesson left it.
  func evaluateEmpty() -> (outcome: EntryOutcome, shown: [String]) {
    guard !isOver else { return (.proceed, []) }
    takeUp()
    let paragraph = lesson.paragraphs[next]
    starts.append(host.session.bookmark)
    next += 1
    showsLast = true
    defer { finish() }
    switch present(paragraph) {
    case .quit(let exitCode): return (.quit(exitCode: exitCode), [])
    case .failed, .interrupted:
      host.session.say("(The paragraph stopped there: 'again' runs it anew, Return goes on.)")
    case .ok: break
    }
    return (.proceed, paragraph.entries.map(\.code))
  }

  // MARK: Turning pages

  /// Words of the walk itself.
  private enum Turn: String { case again, back, next }

  /// The last paragraph again, or the one before it, in the session as it was then.
  private func turn(_ turn: Turn) -> EntryOutcome {
    if turn == .next { return evaluateEmpty().outcome }
    takeUp()
    // Of what has been shown, the last is still on the screen.
    for _ in 0..<(turn == .back && showsLast ? 2 : 1) where next > 0 {
      next -= 1
      _ = host.session.resume(starts.removeLast())
    }
    return evaluateEmpty().outcome
  }

  /// What was typed in between may have moved params or bound names anew; the prose speaks of the lesson's own.
  private func takeUp() {
    let names = bookmark.map { host.session.resume($0) } ?? []
    bookmark = nil
    guard !names.isEmpty else { return }
    let (list, verb) = (names.joined(separator: ", "), names.count == 1 ? "is" : "are")
    host.session.say("(The lesson goes on: \(list) \(verb) as before; undo brings yours back.)")
  }

  private func finish() {
    if isOver {
      host.session.say("\nEnd of the lesson. The session stays open; Ctrl-D leaves it.")
      if let more = Lesson.all.first(where: { $0.number == lesson.number + 1 }) {
        host.session.say("The next, in the shell: hlab lesson \(more.number), \(more.title).")
      }
    }
    streams.flush()
  }

  // MARK: The screen

  /// Prose, then code with what it prints, up to the first statement that fails.
  private func present(_ paragraph: Lesson.Paragraph) -> RunOutcome {
    host.session.options.width = TerminalEnvironment.screenWidth()
    for line in host.session.folded(paragraph.prose) {
      host.session.say(line.hasPrefix("Exercise") ? styled(line, "1") : line)
    }
    if !paragraph.prose.isEmpty && !paragraph.entries.isEmpty { host.session.say("") }
    streams.flush()
    for entry in paragraph.entries {
      for (index, line) in entry.code.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        host.session.say(styled(index == 0 ? "hlab>" : "  ...", "1;34") + " " + line)
      }
      streams.flush()
      let outcome = host.run(entry.code)
      guard outcome == .ok else { return outcome }
    }
    return .ok
  }

  private func styled(_ text: String, _ style: String) -> String {
    color ? "\u{1b}[\(style)m\(text)\u{1b}[0m" : text
  }
}

extension Lesson {
  /// A line for each lesson.
  static var list: String {
    let width = all.map(\.title.count).max() ?? 0
    let lines = all.map { lesson in
      let gap = String(repeating: " ", count: width - lesson.title.count)
      return "  \(lesson.number)  \(lesson.title)\(gap)  \(lesson.summary)"
    }
    return lines.joined(separator: "\n")
      + "\nhlab lesson N opens one: Return goes on, and you may type in between."
      + "\nhlab lesson N P opens it at paragraph P."
  }
}
