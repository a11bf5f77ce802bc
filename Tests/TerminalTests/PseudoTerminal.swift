import Glibc
import Testing

@testable import Terminal

/// The executable on a terminal of its own, and a person in front of it.
final class PseudoTerminal {
  private let master: Int32
  private let child: pid_t
  private var unread = ""
  private var isReaped = false
  /// Everything seen, for messages.
  private(set) var transcript = ""

  init(arguments: [String] = [], home: String, term: String = "xterm", columns: UInt16 = 80) throws {
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard master >= 0 else { throw SystemError(code: errno) }
    let unlock: UInt = 0x4004_5431  // TIOCSPTLCK
    let getNumber: UInt = 0x8004_5430  // TIOCGPTN
    var locked: Int32 = 0
    var number: UInt32 = 0
    guard ioctl(master, unlock, &locked) == 0, ioctl(master, getNumber, &number) == 0 else {
      throw SystemError(code: errno)
    }
    var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(master, UInt(TIOCSWINSZ), &size)
    child = try spawn(arguments, environment: ["HOME": home, "TERM": term], terminal: "/dev/pts/\(number)")
  }

  deinit {
    if !isReaped {
      kill(child, SIGKILL)
      _ = wait(for: child)
    }
    close(master)
  }

  /// Types.
  func type(_ text: String) throws { try writeAll(master, text.utf8) }

  /// Changes the size of the window.
  func resize(columns: UInt16) {
    var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(master, UInt(TIOCSWINSZ), &size)
  }

  /// Waits until the text shows, and forgets what came up to its end. Escape sequences do not count.
  func sees(_ text: String, seconds: Double = 20) -> Bool {
    let deadline = now() + seconds
    while true {
      if let range = unread.firstRange(of: text) {
        unread.removeSubrange(..<range.upperBound)
        return true
      }
      let rest = deadline - now()
      if rest <= 0 || !readSome(milliseconds: Int32(rest * 1000) + 1) { return unread.contains(text) }
    }
  }

  /// What happens when a terminal window closes.
  func hangUp() { kill(child, SIGHUP) }

  /// Waits for the end of the process.
  func exitCode() -> Int32 {
    isReaped = true
    let deadline = now() + 30
    while now() < deadline && readSome(milliseconds: 30_000) {}
    return wait(for: child, seconds: 30)
  }

  /// False when nothing came, or nothing more can come.
  private func readSome(milliseconds: Int32) -> Bool {
    var request = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
    guard poll(&request, 1, milliseconds) > 0 else { return false }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = read(master, &bytes, bytes.count)
    guard count > 0 else { return false }
    let text = String(decoding: bytes[..<count], as: UTF8.self)
    transcript += text
    unread = PseudoTerminal.withoutEscapes(String((unread + text).suffix(20_000)))
    return true
  }

  /// The text without complete escape sequences and carriage returns.
  private static func withoutEscapes(_ text: String) -> String {
    let scalars = text.unicodeScalars.filter { $0 != "\r" }
    return String(String.UnicodeScalarView(scalars)).replacing(/\u{1b}\[[0-9;?]*[A-Za-z]/, with: "")
  }

  private func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
