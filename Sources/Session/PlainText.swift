import Plotting

/// Results in ASCII, for `set ascii true` and for terminals that have nothing else.
enum PlainText {
  /// The text with every other character spelled out. Lines that were indented under a heading stay so.
  static func ascii(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let first = lines.first.map { String($0) } ?? ""
    let head = String(first.prefix { $0 != "=" })
    let growth = lines.count > 1 && head != first ? max(0, spelled(head).count - head.count) : 0
    let pad = String(repeating: " ", count: growth)
    return lines.enumerated().map { index, line in
      (index > 0 && line.hasPrefix("   ") ? pad : "") + spelled(String(line))
    }.joined(separator: "\n")
  }

  /// What a word takes more than its character is taken from the gap between columns beside it, so that columns stay.
  private static func spelled(_ line: String) -> String {
    if line.utf8.allSatisfy({ $0 < 0x80 }) { return line }
    var result = ""
    var owed = 0
    for piece in PlainSpelling.pieces(line) {
      if piece.source == " " && owed > 0 && result.hasSuffix("  ") {
        owed -= 1
        continue
      }
      var more = piece.spelled.count - piece.source.count
      while more > 0 && result.hasSuffix("   ") {
        result.removeLast()
        more -= 1
      }
      owed += max(more, 0)
      result += piece.spelled
    }
    return result
  }
}
