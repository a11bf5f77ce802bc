/// A character of a text plot with its colours.
struct TextCell: Equatable {
  var glyph: Character = " "
  var color: Color?
  var background: Color?
  var isBold = false

  /// Nothing to see: may be trimmed at the end of a line.
  var isBlank: Bool { glyph == " " && background == nil }
}

/// A line of text being put together.
struct TextLine {
  private(set) var cells: [TextCell] = []
  private(set) var width = 0

  init(_ text: String = "", color: Color? = nil, isBold: Bool = false) {
    append(text, color: color, isBold: isBold)
  }

  mutating func append(_ text: String, color: Color? = nil, isBold: Bool = false) {
    for glyph in text { append(TextCell(glyph: glyph, color: color, isBold: isBold)) }
  }

  mutating func append(_ cell: TextCell) {
    cells.append(cell)
    width += cell.glyph.terminalWidth
  }

  mutating func append(_ line: TextLine) { for cell in line.cells { append(cell) } }

  /// Adds spaces until the line is `width` wide.
  mutating func pad(to width: Int) {
    while self.width < width { append(TextCell()) }
  }

  /// The line, not wider than `width`, without spaces at its end.
  func rendered(_ mode: ColorMode, clippedTo width: Int) -> String {
    var kept: [TextCell] = []
    var used = 0
    for cell in cells {
      used += cell.glyph.terminalWidth
      if used > width { break }
      kept.append(cell)
    }
    while let last = kept.last, mode == .none ? last.glyph == " " : last.isBlank { kept.removeLast() }
    if mode == .none { return String(kept.map(\.glyph)) }
    var result = ""
    var style = ""
    for cell in kept {
      let next = TextLine.style(of: cell, mode)
      if next != style { result += next.isEmpty ? "\u{1B}[0m" : style.isEmpty ? next : "\u{1B}[0m" + next }
      style = next
      result.append(cell.glyph)
    }
    return style.isEmpty ? result : result + "\u{1B}[0m"
  }

  /// The SGR sequence of a cell; empty for the terminal's own colours.
  private static func style(of cell: TextCell, _ mode: ColorMode) -> String {
    var codes: [String] = cell.isBold ? ["1"] : []
    let isVisible = cell.glyph != " "
    if isVisible, let color = cell.color { codes.append(code(color, mode, isBackground: false)) }
    if let color = cell.background { codes.append(code(color, mode, isBackground: true)) }
    return codes.isEmpty ? "" : "\u{1B}[" + codes.joined(separator: ";") + "m"
  }

  private static func code(_ color: Color, _ mode: ColorMode, isBackground: Bool) -> String {
    switch mode {
    case .none, .ansi16: return "\(Int(color.ansi16) + (isBackground ? 10 : 0))"
    case .ansi256: return "\(isBackground ? 48 : 38);5;\(color.ansi256)"
    case .trueColor: return "\(isBackground ? 48 : 38);2;\(color.red);\(color.green);\(color.blue)"
    }
  }
}
