/// A bit of text; a line may begin with it when it has a depth of nesting.
struct MathPiece {
  var text: String
  var breakDepth: Int?
}

/// Breaks formulas into lines, at the outermost operators that serve.
struct MathLayout {
  let width: Int

  /// `prefix` and the pieces in lines no longer than `width` where operators permit; continued lines are indented.
  func lines(prefix: String, _ pieces: [MathPiece], indent: Int) -> [String] {
    let margin = String(repeating: " ", count: min(indent, width / 2))
    var lines: [String] = []
    var line = prefix
    var start = 0
    while start < pieces.count {
      let end = lineEnd(pieces, from: start, room: width - line.count)
      for piece in pieces[start..<end] { line += piece.text }
      lines.append(trimmed(line))
      line = margin
      start = end
    }
    return lines.isEmpty ? [prefix] : lines
  }

  /// Where the line that begins at `start` ends: everything if it fits, else the break that fills the line best,
  /// where every level of nesting weighs like an eighth of a line.
  private func lineEnd(_ pieces: [MathPiece], from start: Int, room: Int) -> Int {
    var used = 0
    var best: (place: Int, score: Int)?
    for index in start..<pieces.count {
      if index > start, let depth = pieces[index].breakDepth, used <= room || best == nil {
        let score = used - depth * max(room / 8, 1)
        if score >= best?.score ?? .min { best = (index, score) }
      }
      used += pieces[index].text.count
      if used > room, let best { return best.place }
    }
    return pieces.count
  }

  private func trimmed(_ line: String) -> String {
    guard let last = line.lastIndex(where: { $0 != " " }) else { return "" }
    return String(line[...last])
  }
}
