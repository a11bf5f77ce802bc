import CLibedit

/// Where text ends up on the screen.
enum TextLayout {
  /// The columns that a scalar takes, by the locale's table; unprintable scalars are drawn as two or more columns
  /// by the editor and count as two here.
  static func width(of scalar: Unicode.Scalar) -> Int {
    if scalar.isASCII && scalar.value >= 32 && scalar.value != 127 { return 1 }
    let width = Int(wcwidth(wchar_t(bitPattern: scalar.value)))
    return width < 0 ? 2 : width
  }

  /// The columns of a text without line breaks.
  static func width(of text: String) -> Int { text.unicodeScalars.reduce(0) { $0 + width(of: $1) } }

  /// The row, counted from the start of the prompt, where the cursor stands after `text`.
  static func row(after text: String, promptWidth: Int, screenWidth: Int) -> Int {
    let screenWidth = max(1, screenWidth)
    var row = promptWidth / screenWidth
    var column = promptWidth % screenWidth
    for scalar in text.unicodeScalars {
      if scalar == "\n" {
        row += 1
        column = 0
        continue
      }
      let width = width(of: scalar)
      if column + width > screenWidth {
        row += 1
        column = 0
      }
      column += width
      if column >= screenWidth {
        row += 1
        column = 0
      }
    }
    return row
  }

  /// Lines that show `items` in columns, as `ls` does: down first, then across. At most `maximumRows` lines, the
  /// last of which then says how many more there are.
  static func columns(_ items: [String], screenWidth: Int, maximumRows: Int = .max) -> [String] {
    guard let widest = items.map({ width(of: $0) }).max() else { return [] }
    let cell = widest + 2
    let perRow = max(1, (screenWidth + 1) / cell)
    let rows = (items.count + perRow - 1) / perRow
    let shownRows = rows > maximumRows ? max(1, maximumRows - 1) : rows
    let shown = rows > maximumRows ? Array(items.prefix(shownRows * perRow)) : items
    var lines = (0..<shownRows).map { row in
      var line = ""
      for index in stride(from: row, to: shown.count, by: shownRows) {
        let isLast = index + shownRows >= shown.count
        let padding = isLast ? 0 : cell - width(of: shown[index])
        line += shown[index] + String(repeating: " ", count: padding)
      }
      return line
    }
    if shown.count < items.count { lines.append("and \(items.count - shown.count) more") }
    return lines
  }

  /// The longest text that all of `items` start with.
  static func commonPrefix(_ items: [String]) -> String {
    guard var prefix = items.first.map({ Array($0.unicodeScalars) }) else { return "" }
    for item in items.dropFirst() {
      let matching = zip(prefix, item.unicodeScalars).prefix { $0 == $1 }.count
      prefix.removeLast(prefix.count - matching)
    }
    return String(String.UnicodeScalarView(prefix))
  }

  /// The spaces that a line after `text` starts with: two for each bracket that is open. Strings and comments do
  /// not count.
  static func indentation(after text: String) -> String {
    var depth = 0
    var inString = false
    var inComment = false
    var previous: Unicode.Scalar = " "
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n":
        inComment = false
        inString = false
      case _ where inComment: break
      case "\"" where previous != "\\": inString.toggle()
      case _ where inString: break
      case "#": inComment = true
      case "(", "[", "{": depth += 1
      case ")", "]", "}": depth = max(0, depth - 1)
      default: break
      }
      previous = scalar
    }
    return String(repeating: "  ", count: max(1, depth))
  }
}
