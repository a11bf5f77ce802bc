import CLibedit
import Glibc

/// Reads entries of one or more lines with libedit. The C callbacks find their editor through libedit's client
/// data. Belongs to one thread.
final class LineEditor {
  enum Result: Equatable {
    case entry(String)
    /// Ctrl-C: the pending text is gone.
    case interrupted
    case endOfInput
    /// SIGTERM or SIGHUP arrived while somebody was typing.
    case terminated(Int32)
  }

  static let promptText = "hlab> "
  static let continuationText = "  ... "
  private static let historySize: Int32 = 10_000

  unowned let host: any REPLHost
  /// libedit's editor; nil when it could not start (then input ends at once).
  let handle: OpaquePointer?
  private let history: OpaquePointer?
  /// Without editing, a dumb terminal hands over line after line.
  private let canEdit: Bool
  private let color: Bool

  var input = InputDecoder()
  /// How the wait for a character ended, when it was not with a character.
  var ending: Result?
  /// The prompt as a C string that libedit may keep.
  var prompt: UnsafeMutablePointer<CChar>?
  /// Its columns.
  private var promptWidth = 0

  init(host: any REPLHost, environment: TerminalEnvironment, color: Bool) {
    self.host = host
    self.color = color
    canEdit = environment.canMoveCursor
    handle = hl_el_init("hlab", environment.outputIsTerminal ? 0 : 1)
    history = hl_history_init(LineEditor.historySize)
    guard let handle else { return }
    hl_set_client_data(handle, Unmanaged.passUnretained(self).toOpaque())
    hl_ignore_signals(handle)
    hl_set_prompt(handle) { LineEditor.of($0)?.prompt }
    hl_set_reader(handle) { editor, scalar in LineEditor.readScalar(editor, scalar) }
    if let history { hl_use_history(handle, history) }
    hl_set_editor(handle, "emacs")
    if canEdit {
      el_source(handle, nil)
      bindKeys()
    } else {
      hl_set_editing(handle, 0)
    }
    setPrompt(LineEditor.promptText)
  }

  deinit {
    if let handle { el_end(handle) }
    if let history { history_end(history) }
    free(prompt)
  }

  /// The editor that a C callback runs for.
  static func of(_ handle: OpaquePointer?) -> LineEditor? {
    guard let handle, let data = hl_client_data(handle) else { return nil }
    return Unmanaged<LineEditor>.fromOpaque(data).takeUnretainedValue()
  }

  /// Adds an entry for the Up key and Ctrl-R.
  func remember(_ entry: String) {
    if let history { hl_history_enter(history, entry) }
  }

  /// Reads until an entry is complete, or says why there is none.
  func readEntry() -> Result {
    Signals.enter(.prompt)
    _ = Signals.take()
    Signals.handle(SIGINT)
    for signal in LineEditor.promptSignals { Signals.handle(signal) }
    defer { for signal in LineEditor.promptSignals { Signals.release(signal) } }
    setPrompt(host.prompt)
    var text = ""
    while true {
      switch readPiece() {
      case .entry(let piece):
        text += piece
        if canEdit || host.state(of: text) != .incomplete { return .entry(LineEditor.trimmed(text)) }
        setPrompt(LineEditor.continuationText)
      case let other: return other
      }
    }
  }

  /// One result of libedit: a whole entry, or a line where the terminal cannot edit.
  private func readPiece() -> Result {
    guard let handle else { return .endOfInput }
    ending = nil
    if canEdit {
      // Before the prompt shows, or a fast hand's keys would still be the system's.
      hl_prepare_terminal(handle, 1)
      write("\u{1b}[?2004h")
    }
    var count: Int32 = 0
    let bytes = el_gets(handle, &count)
    let text = bytes.map { UnsafeRawBufferPointer(start: $0, count: Int(max(0, count))) }
      .map { String(decoding: $0, as: UTF8.self) }
    if canEdit { write("\u{1b}[?2004l") }
    if let ending {
      if canEdit { write(rowsBelowCursor() + (ending == .interrupted ? "^C" : "")) }
      write("\r\n")
      return ending
    }
    guard let text else {
      write("\r\n")
      return .endOfInput
    }
    return .entry(text)
  }

  /// The text without line breaks and spaces at its end.
  static func trimmed(_ text: String) -> String {
    var scalars = text.unicodeScalars[...]
    while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
    return String(scalars)
  }

  private func setPrompt(_ text: String) {
    free(prompt)
    promptWidth = TextLayout.width(of: text)
    let name = text.dropLast()
    prompt = strdup(color ? "\u{1}\u{1b}[1;34m\u{1}\(name)\u{1}\u{1b}[0m\u{1} " : text)
  }

  /// Writes to the terminal after what libedit has drawn.
  func write(_ text: String) {
    guard let handle else { return }
    hl_write(handle, text, text.utf8.count)
  }
}

// MARK: - The line

extension LineEditor {
  /// The pending text and the UTF-8 offset of the cursor.
  var line: (text: String, cursor: Int) {
    guard let handle, let info = el_line(handle)?.pointee, let start = info.buffer else { return ("", 0) }
    let count = max(0, info.lastchar - start)
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    return (String(decoding: bytes, as: UTF8.self), min(count, max(0, info.cursor - start)))
  }

  /// The pending text on both sides of the cursor.
  var parts: (before: String, after: String) {
    let (text, cursor) = line
    let bytes = Array(text.utf8)
    return (
      String(decoding: bytes[..<min(cursor, bytes.count)], as: UTF8.self),
      String(decoding: bytes[min(cursor, bytes.count)...], as: UTF8.self)
    )
  }

  func insert(_ text: String) {
    if let handle, !text.isEmpty { el_insertstr(handle, text) }
  }

  /// Deletes scalars before the cursor.
  func deleteBackward(_ count: Int) {
    if let handle, count > 0 { el_deletestr(handle, Int32(count)) }
  }

  /// Moves the cursor by scalars.
  func move(by count: Int) {
    if let handle, count != 0 { el_cursor(handle, Int32(count)) }
  }

  /// Makes libedit read `keys` next.
  func push(_ keys: String) {
    if let handle { el_push(handle, keys) }
  }

  /// The row of the cursor and the last row of the text, from the row of the prompt.
  func rows(screenWidth: Int) -> (cursor: Int, last: Int) {
    let (before, after) = parts
    return (
      TextLayout.row(after: before, promptWidth: promptWidth, screenWidth: screenWidth),
      TextLayout.row(after: before + after, promptWidth: promptWidth, screenWidth: screenWidth)
    )
  }

  /// Line breaks that take the cursor to the last row of the text.
  func rowsBelowCursor() -> String {
    let (cursor, last) = rows(screenWidth: TerminalEnvironment.screenWidth())
    return String(repeating: "\r\n", count: max(0, last - cursor))
  }
}
