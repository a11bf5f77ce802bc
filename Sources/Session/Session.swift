import Synchronization
import Syntax

/// A stand-in with the interface of the real session: it echoes, and knows a loop that can be interrupted.
public enum Completeness: Sendable { case complete, incomplete, invalid }

public struct SessionOptions: Sendable {
  public var color: Bool
  public var unicode: Bool
  public var width: Int
  public var isInteractive: Bool
  public init(color: Bool, unicode: Bool, width: Int, isInteractive: Bool) {
    self.color = color
    self.unicode = unicode
    self.width = width
    self.isInteractive = isInteractive
  }
}

public enum SessionOutput: Sendable {
  case text(String)
  case diagnostic(String)
  case progress(String)
}
public enum RunOutcome: Sendable {
  case ok
  case failed(exitCode: Int32)
  case interrupted
  case quit(exitCode: Int32)
}

private let flag = Atomic<Bool>(false)

public final class Session {
  public var options: SessionOptions
  private let output: (SessionOutput) -> Void

  public init(options: SessionOptions, output: @escaping (SessionOutput) -> Void) {
    self.options = options
    self.output = output
  }

  public func run(_ text: String, name: String) -> RunOutcome {
    flag.store(false, ordering: .relaxed)
    guard completeness(of: text) == .complete else {
      output(.diagnostic("error: unbalanced"))
      return .failed(exitCode: 65)
    }
    if text.contains("quit") { return .quit(exitCode: 0) }
    if text.contains("assert false") {
      output(.diagnostic("error: assertion failed"))
      return .failed(exitCode: 70)
    }
    if text.contains("1000000000 {") {
      var count = 0
      while !flag.load(ordering: .relaxed) {
        count += 1
        if count % 10_000_000 == 0 { output(.progress("step \(count)")) }
      }
      output(.diagnostic("interrupted"))
      return .interrupted
    }
    for line in text.split(separator: "\n") where line.contains("print") {
      let body = line.drop { $0 != "\"" }.filter { $0 != "\"" && $0 != ";" && $0 != "}" }
      output(.text(body.replacing("{6*7", with: "42")))
    }
    return .ok
  }

  public func completeness(of text: String) -> Completeness {
    var depth = 0
    for c in text { depth += "([{".contains(c) ? 1 : ")]}".contains(c) ? -1 : 0 }
    return depth == 0 ? .complete : depth > 0 ? .incomplete : .invalid
  }

  public func completions(in text: String, at utf8Offset: Int) -> (replaceFrom: Int, candidates: [String]) {
    let bytes = Array(text.utf8.prefix(utf8Offset))
    var start = bytes.count
    while start > 0, bytes[start - 1] >= 0x61, bytes[start - 1] <= 0x7a { start -= 1 }
    let word = String(decoding: bytes[start...], as: UTF8.self)
    let words = ["param", "plot", "print", "step", "surface", "spectrum", "seed", "save", "set", "show"]
    return (start, words.filter { $0.hasPrefix(word) })
  }

  public nonisolated static func interrupt() { flag.store(true, ordering: .relaxed) }
}
