import Glibc

/// The entries of past sessions, one a line, oldest first. Line breaks inside an entry are escaped. Several
/// sessions may append at a time; nobody rewrites what another has written, except `load`, which cuts a file that
/// has grown far past the bound, under a lock.
public struct HistoryFile: Sendable {
  public let path: String
  /// How many entries `load` returns at most.
  public let limit: Int
  /// A file longer than this is cut to the last `limit` entries.
  public let byteLimit: Int

  public init(path: String, limit: Int = 5000, byteLimit: Int = 4 << 20) {
    self.path = path
    self.limit = limit
    self.byteLimit = byteLimit
  }

  /// `$XDG_STATE_HOME/hlab/history`, else `~/.local/state/hlab/history`; nil when neither is known. A relative
  /// `XDG_STATE_HOME` is ignored, as its specification asks.
  public static func standardPath(environment: (String) -> String?) -> String? {
    if let state = environment("XDG_STATE_HOME"), state.hasPrefix("/") { return state + "/hlab/history" }
    guard let home = environment("HOME"), !home.isEmpty else { return nil }
    return home + "/.local/state/hlab/history"
  }

  /// The newest entries, oldest first; none when the file is missing or unreadable.
  public func load() -> [String] {
    guard let bytes = try? readFile(path) else { return [] }
    let lines = bytes.split(separator: UInt8(ascii: "\n")).suffix(limit)
    if bytes.count > byteLimit { compact() }
    return lines.map { HistoryFile.unescape(String(decoding: $0, as: UTF8.self)) }
  }

  /// Adds an entry at the end. Failures are silent: a read-only home must not disturb the session.
  public func append(_ entry: String) {
    guard entry.utf8.count <= byteLimit / 4 else { return }
    HistoryFile.makeParents(of: path)
    let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    flock(descriptor, LOCK_EX)
    try? writeAll(descriptor, Array((HistoryFile.escape(entry) + "\n").utf8))
  }

  /// Keeps the last `limit` entries, and of these no more than half the byte limit. The kept part is written over
  /// the start before the file is shortened, so that a crash in between loses nothing.
  private func compact() {
    let descriptor = open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    flock(descriptor, LOCK_EX)
    guard let bytes = try? readAll(descriptor, path: path), bytes.count > byteLimit else { return }
    var kept: [ArraySlice<UInt8>] = []
    var size = 0
    for line in bytes.split(separator: UInt8(ascii: "\n")).suffix(limit).reversed() {
      size += line.count + 1
      if size > byteLimit / 2 { break }
      kept.append(line)
    }
    let text = kept.reversed().flatMap { $0 + [UInt8(ascii: "\n")] }
    lseek(descriptor, 0, SEEK_SET)
    guard (try? writeAll(descriptor, text)) != nil else { return }
    ftruncate(descriptor, off_t(text.count))
  }

  /// One line of the file for an entry: `\` becomes `\\`, line breaks become `\n` and `\r`.
  static func escape(_ entry: String) -> String {
    var line = ""
    for scalar in entry.unicodeScalars {
      switch scalar {
      case "\\": line += "\\\\"
      case "\n": line += "\\n"
      case "\r": line += "\\r"
      default: line.unicodeScalars.append(scalar)
      }
    }
    return line
  }

  /// The inverse of `escape`. Unknown escapes stay as they are.
  static func unescape(_ line: String) -> String {
    var entry = ""
    var escaping = false
    for scalar in line.unicodeScalars {
      guard escaping else {
        if scalar == "\\" { escaping = true } else { entry.unicodeScalars.append(scalar) }
        continue
      }
      escaping = false
      switch scalar {
      case "n": entry += "\n"
      case "r": entry += "\r"
      case "\\": entry += "\\"
      default:
        entry += "\\"
        entry.unicodeScalars.append(scalar)
      }
    }
    return escaping ? entry + "\\" : entry
  }

  /// Creates the directories above `path`, private to the user.
  private static func makeParents(of path: String) {
    let parts = path.split(separator: "/").dropLast()
    var directory = path.hasPrefix("/") ? "" : "."
    for part in parts {
      directory += "/" + part
      mkdir(directory, 0o700)
    }
  }
}
