import CLibedit
import Glibc

/// Turns bytes into scalars.
struct InputDecoder {
  private var bytes: [UInt8] = []
  private var next = 0

  /// Adds bytes that were read.
  mutating func append(_ new: some Collection<UInt8>) {
    bytes.removeFirst(next)
    next = 0
    bytes.append(contentsOf: new)
  }

  /// The next scalar, U+FFFD for bytes that are not UTF-8; nil when more bytes are needed.
  mutating func scalar() -> Unicode.Scalar? {
    guard next < bytes.count else { return nil }
    let length = InputDecoder.length(bytes[next])
    let available = bytes[next...].prefix(length)
    let isBroken = available.dropFirst().contains { $0 & 0xC0 != 0x80 }
    guard isBroken || available.count == length else { return nil }
    let decoded = String(decoding: available, as: UTF8.self).unicodeScalars
    guard !isBroken, decoded.count == 1, let scalar = decoded.first else {
      next += 1
      return "\u{FFFD}"
    }
    next += length
    return scalar
  }

  /// How many bytes a scalar that starts with `lead` has; 1 for bytes that start none.
  private static func length(_ lead: UInt8) -> Int {
    switch lead {
    case 0xC2...0xDF: 2
    case 0xE0...0xEF: 3
    case 0xF0...0xF4: 4
    default: 1
    }
  }
}

extension LineEditor {
  /// Signals that the editor handles itself while somebody types.
  static var promptSignals: [Int32] { [SIGWINCH, SIGTSTP, SIGTERM, SIGHUP] }

  /// libedit's `EL_GETCFN`: waits for a character or a signal.
  static func readScalar(_ handle: OpaquePointer?, _ scalar: UnsafeMutablePointer<wchar_t>?) -> Int32 {
    guard let editor = LineEditor.of(handle), let scalar else { return 0 }
    switch editor.nextScalar() {
    case .some(let read):
      scalar.pointee = wchar_t(bitPattern: read.value)
      return 1
    case nil:
      errno = EINTR
      return editor.ending == .endOfInput ? 0 : -1
    }
  }

  /// The next character, or nil with `ending` set.
  private func nextScalar() -> Unicode.Scalar? {
    while true {
      if let ending = handleSignals() {
        self.ending = ending
        return nil
      }
      if let scalar = input.scalar() { return scalar }
      var requests = [
        pollfd(fd: 0, events: Int16(POLLIN), revents: 0),
        pollfd(fd: Signals.wakeDescriptor, events: Int16(POLLIN), revents: 0),
      ]
      if poll(&requests, 2, -1) < 0 || requests[0].revents == 0 { continue }
      guard readBytes() else {
        ending = .endOfInput
        return nil
      }
    }
  }

  /// Reads what the terminal has. False at the end of input.
  private func readBytes() -> Bool {
    var chunk = [UInt8](repeating: 0, count: 4096)
    let count = Glibc.read(0, &chunk, chunk.count)
    if count > 0 { input.append(chunk[..<count]) }
    return count > 0 || (count < 0 && (errno == EINTR || errno == EAGAIN))
  }

  /// Acts on signals. A result ends the line.
  private func handleSignals() -> Result? {
    let signals = Signals.take()
    if signals.bits == 0 { return nil }
    for signal in [SIGTERM, SIGHUP] where signals.contains(signal) { return .terminated(signal) }
    if signals.contains(SIGINT) { return .interrupted }
    if signals.contains(SIGTSTP) { suspend() }
    if signals.contains(SIGWINCH) { resize() }
    return nil
  }

  /// Ctrl-Z: leaves the terminal as it was, stops, and draws the line again afterwards.
  private func suspend() {
    guard let handle else { return }
    write(rowsBelowCursor() + "\r\n\u{1b}[?2004l")
    hl_prepare_terminal(handle, 0)
    Signals.release(SIGTSTP)
    kill(getpid(), SIGTSTP)
    Signals.handle(SIGTSTP)
    hl_prepare_terminal(handle, 1)
    write("\u{1b}[?2004h")
    el_resize(handle)
    hl_redraw(handle)
  }

  /// Draws the line for the new width in the place of the old drawing. Terminals rewrap what they show, so the
  /// rows are counted at the new width.
  private func resize() {
    guard let handle else { return }
    let up = rows(screenWidth: TerminalEnvironment.screenWidth()).cursor
    write("\r" + (up > 0 ? "\u{1b}[\(up)A" : "") + "\u{1b}[J")
    el_resize(handle)
    hl_redraw(handle)
  }
}
