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

  /// Where the line that begins at `start` ends: everything if it fits, else the best break.
  private func lineEnd(_ pieces: [MathPiece], from start: Int, room: Int) -> Int {
    var used = 0
    var best: (place: Int, depth: Int)?
    for index in start..<pieces.count {
      if index > start, let depth = pieces[index].breakDepth {
        // The outermost break wins, but not one that leaves the line mostly empty.
        let early = best.map { $0.place == start } ?? true
        if early || depth <= (best?.depth ?? depth) || bestIsShort(pieces, start, best?.place ?? start, room) {
          if used <= room || best == nil { best = (index, depth) }
        }
      }
      used += pieces[index].text.count
      if used > room, let best { return best.place }
    }
    return pieces.count
  }

  private func bestIsShort(_ pieces: [MathPiece], _ start: Int, _ place: Int, _ room: Int) -> Bool {
    pieces[start..<place].reduce(0) { $0 + $1.text.count } < room / 3
  }

  private func trimmed(_ line: String) -> String {
    guard let last = line.lastIndex(where: { $0 != " " }) else { return "" }
    return String(line[...last])
  }
}
