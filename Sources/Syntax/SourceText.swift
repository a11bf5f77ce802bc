/// A piece of program text with a name for messages: a file's path, `<input 3>` for a REPL entry, `<-e>`.
public final class SourceText: Sendable {
  public let name: String
  public let text: String
  /// The UTF-8 bytes of `text`; spans count in these.
  public let utf8: [UInt8]
  /// UTF-8 offset of the start of each line.
  public let lineStarts: [Int]

  public init(name: String, text: String) {
    self.name = name
    self.text = text
    utf8 = Array(text.utf8)
    var starts = [0]
    for (offset, byte) in utf8.enumerated() where byte == UInt8(ascii: "\n") { starts.append(offset + 1) }
    lineStarts = starts
  }

  /// Zero-based line that holds the UTF-8 offset.
  public func line(at offset: Int) -> Int {
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    return low
  }

  /// The text of a zero-based line without its line break.
  public func lineText(_ line: Int) -> String {
    let start = lineStarts[line]
    var end = line + 1 < lineStarts.count ? lineStarts[line + 1] - 1 : utf8.count
    if end > start && utf8[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    return String(decoding: utf8[start..<max(start, end)], as: UTF8.self)
  }

  /// One-based line, and one-based column in characters (not bytes).
  public func position(at offset: Int) -> (line: Int, column: Int) {
    let line = line(at: offset)
    let start = lineStarts[line]
    let prefix = String(decoding: utf8[start..<max(start, min(offset, utf8.count))], as: UTF8.self)
    return (line + 1, prefix.count + 1)
  }
}

/// A range of UTF-8 offsets in a source text. Spans of definitions outlive the REPL entry they were typed in,
/// so a span holds its source.
public struct Span: Sendable {
  public let source: SourceText
  public let lower: Int
  public let upper: Int

  public init(_ source: SourceText, _ lower: Int, _ upper: Int) {
    self.source = source
    self.lower = lower
    self.upper = upper
  }

  /// The text, or what stands in its first line when there are more.
  public var firstLine: String {
    let lines = text.split(maxSplits: 1, omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    return lines.count > 1 ? "\(lines[0]) …" : text
  }

  /// The smallest span that covers both.
  public func union(_ other: Span) -> Span {
    Span(source, min(lower, other.lower), max(upper, other.upper))
  }

  /// The text covered.
  public var text: String {
    String(decoding: source.utf8[lower..<min(upper, source.utf8.count)], as: UTF8.self)
  }
}
