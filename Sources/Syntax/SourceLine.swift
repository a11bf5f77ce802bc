/// A source line in terminal columns: tabs expanded, wide characters counted twice, combining marks not at all.
struct SourceLine {
  private struct Cell {
    let text: String
    let offset: Int
    let column: Int
    let width: Int
  }

  private var cells: [Cell] = []
  private let length: Int
  private(set) var columns = 0
  private static let tabWidth = 4

  init(_ text: String) {
    length = text.utf8.count
    var offset = 0
    for character in text {
      let width = character == "\t" ? Self.tabWidth - columns % Self.tabWidth : Self.width(of: character)
      let shown = character == "\t" ? String(repeating: " ", count: width) : Self.visible(character)
      cells.append(Cell(text: shown, offset: offset, column: columns, width: width))
      offset += character.utf8.count
      columns += width
    }
  }

  /// The columns of a range of UTF-8 offsets, clipped to the line; at least one wide.
  func columns(from lower: Int, to upper: Int) -> Range<Int> {
    let first = column(at: lower, roundingUp: false)
    let last = column(at: min(upper, length), roundingUp: true)
    return first..<max(last, first + 1)
  }

  private func column(at offset: Int, roundingUp: Bool) -> Int {
    var low = 0
    var high = cells.count
    while low < high {
      let middle = (low + high) / 2
      if cells[middle].offset < offset { low = middle + 1 } else { high = middle }
    }
    if low < cells.count && cells[low].offset == offset { return cells[low].column }
    // Past the end, or inside a character.
    guard low > 0, low < cells.count || offset < length else { return columns }
    return roundingUp ? cells[low - 1].column + cells[low - 1].width : cells[low - 1].column
  }

  /// The columns to show so that the beginning of the range is in view.
  func window(around range: Range<Int>, width: Int) -> Range<Int> {
    guard columns > width else { return 0..<columns }
    let marked = min(range.count, width / 2)
    let start = max(0, min(range.lowerBound - (width - marked) / 2, columns - width))
    return start..<(start + width)
  }

  /// The text of a window, with `…` where the line goes on.
  func text(in window: Range<Int>) -> String {
    var result = ""
    for cell in cells where cell.column < window.upperBound && cell.column + cell.width > window.lowerBound {
      let isCut =
        (cell.column <= window.lowerBound && window.lowerBound > 0)
        || (cell.column + cell.width >= window.upperBound && window.upperBound < columns)
      let visible = min(cell.column + cell.width, window.upperBound) - max(cell.column, window.lowerBound)
      result += isCut ? "…" + String(repeating: " ", count: max(visible - 1, 0)) : cell.text
    }
    return result
  }

  /// A control character would disturb the terminal.
  private static func visible(_ character: Character) -> String {
    guard let scalar = character.unicodeScalars.first else { return "" }
    return scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) ? "\u{FFFD}" : String(character)
  }

  /// Columns a terminal gives to a character.
  private static func width(of character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    if scalar.value < 0x300 { return 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    return wideRanges.contains { $0.contains(scalar.value) } ? 2 : 1
  }

  /// East Asian wide and full-width characters, and emoji.
  private static let wideRanges: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
    0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF,
    0x1F900...0x1F9FF, 0x20000...0x3FFFD,
  ]
}
