/// Columns of text: numbers right-aligned, words left-aligned.
struct TextTable {
  let rows: [[String]]
  /// The columns that are left-aligned.
  private let left: Set<Int>
  private let gap: String

  /// - Parameter left: the columns of words; by default the first and the last.
  init(_ rows: [[String]], left: Set<Int>? = nil, gap: Int = 2) {
    self.rows = rows
    self.gap = String(repeating: " ", count: gap)
    self.left = left ?? [0, (rows.map(\.count).max() ?? 0) - 1]
  }

  /// Names with what there is to say about each.
  init(facts: [(name: String, text: String)]) {
    self.init(facts.map { [$0.name, $0.text] }, left: [0, 1], gap: 3)
  }

  /// The table with its cells in the characters that the session prints, so that columns stand under each other.
  func spelled(for interpreter: Interpreter) -> TextTable {
    guard interpreter.state.settings.isASCII else { return self }
    return TextTable(rows.map { $0.map(PlainText.ascii) }, left: left, gap: gap.count)
  }

  var lines: [String] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { c in rows.map { c < $0.count ? $0[c].count : 0 }.max() ?? 0 }
    return rows.map { row in
      let cells = row.enumerated().map { c, cell -> String in
        let pad = String(repeating: " ", count: widths[c] - cell.count)
        return left.contains(c) ? cell + pad : pad + cell
      }
      let line = cells.joined(separator: gap)
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }

  var text: String { lines.joined(separator: "\n") }
}

/// What `explain` prints: a heading, then parts with a line between them.
struct ExplanationText {
  let heading: String
  let parts: [[String]]

  init(_ heading: String, _ parts: [[String]]) {
    self.heading = heading
    self.parts = parts.filter { !$0.isEmpty }
  }

  var text: String { ([[heading]] + parts).map { $0.joined(separator: "\n") }.joined(separator: "\n\n") }
}
