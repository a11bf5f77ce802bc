import Glibc

/// Standard output and standard error. Results are buffered, by lines on a terminal and by blocks elsewhere, and
/// are always out before anything goes to standard error. When the reader of a pipe has gone, the process ends
/// quietly with 141, as by SIGPIPE. Belongs to one thread.
public final class OutputStreams {
  private let isLineBuffered: Bool
  private let showsProgress: Bool
  private var buffer: [UInt8] = []
  private var hasProgress = false
  /// Lines of a transient picture on the screen.
  private var pictureLines = 0
  private var dropsResults = false
  private var lastProgress = timespec()

  private static let blockSize = 1 << 16
  /// Between two progress lines, in nanoseconds.
  private static let progressInterval = 50_000_000

  /// Progress is shown when both streams are terminals that can move the cursor.
  public init(environment: TerminalEnvironment) {
    isLineBuffered = environment.outputIsTerminal
    showsProgress = environment.outputIsTerminal && environment.errorIsTerminal && environment.canMoveCursor
  }

  /// Writes a result and a line break.
  public func writeLine(_ text: String) {
    eraseProgress()
    guard !dropsResults else { return }
    buffer.append(contentsOf: text.utf8)
    buffer.append(UInt8(ascii: "\n"))
    if isLineBuffered || buffer.count >= Self.blockSize { flush() }
  }

  /// Results of `body` are left out; messages are not.
  public func withoutResults<R>(_ body: () throws -> R) rethrows -> R {
    dropsResults = true
    defer { dropsResults = false }
    return try body()
  }

  /// Writes a message and a line break to standard error.
  public func writeError(_ text: String) {
    eraseProgress()
    flush()
    send(2, Array((text + "\n").utf8))
  }

  /// Shows a line, or a picture of several, that the next output erases. Too frequent ones are dropped.
  public func showProgress(_ text: String) {
    guard showsProgress else { return }
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let elapsed = (now.tv_sec - lastProgress.tv_sec) * 1_000_000_000 + now.tv_nsec - lastProgress.tv_nsec
    guard elapsed >= Self.progressInterval else { return }
    lastProgress = now
    flush()
    if text.contains("\n") { return showPicture(text) }
    if pictureLines > 0 { eraseProgress() }
    // The terminal's echo of Ctrl-C has room behind it, and is erased with the line.
    let line = OutputStreams.fit(text, width: TerminalEnvironment.screenWidth() - 3)
    send(2, Array("\r\(line)\u{1b}[K".utf8))
    hasProgress = true
  }

  /// Draws over the picture before, line by line, so that it does not flicker.
  private func showPicture(_ text: String) {
    if hasProgress { eraseProgress() }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      .prefix(max(TerminalEnvironment.screenHeight() - 1, 1))
    let up = pictureLines > 0 ? "\u{1b}[\(pictureLines)A" : ""
    let body = lines.map { "\r\($0)\u{1b}[K\n" }.joined()
    send(2, Array((up + body + (lines.count < pictureLines ? "\u{1b}[J" : "")).utf8))
    pictureLines = lines.count
  }

  /// Removes a progress line or picture from the screen, and the terminal's echo of Ctrl-C.
  public func eraseProgress() {
    if pictureLines > 0 {
      send(2, Array("\u{1b}[\(pictureLines)A\r\u{1b}[J".utf8))
      pictureLines = 0
    }
    guard hasProgress || (showsProgress && Signals.hasEcho) else { return }
    hasProgress = false
    send(2, Array("\r\u{1b}[K".utf8))
  }

  /// Sends what is buffered.
  public func flush() {
    guard !buffer.isEmpty else { return }
    send(1, buffer)
    buffer.removeAll(keepingCapacity: true)
  }

  /// The start of the first line of `text` that fits into `width` columns.
  static func fit(_ text: String, width: Int) -> String {
    var columns = 0
    var result = ""
    for scalar in text.unicodeScalars {
      columns += TextLayout.width(of: scalar)
      if scalar == "\n" || columns > width { break }
      result.unicodeScalars.append(scalar)
    }
    return result
  }

  private func send(_ descriptor: Int32, _ bytes: [UInt8]) {
    do {
      try writeAll(descriptor, bytes)
    } catch {
      if error.code == EPIPE { _exit(141) }
      if descriptor == 1 {
        let message = "hlab: cannot write standard output: \(String(cString: strerror(error.code)))\n"
        try? writeAll(2, Array(message.utf8))
      }
      _exit(74)
    }
  }
}
