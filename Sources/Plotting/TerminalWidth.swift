extension Character {
  /// Columns that a terminal gives the character: 0, 1 or 2.
  var terminalWidth: Int {
    guard let first = unicodeScalars.first else { return 0 }
    if first.isASCII { return first.value < 32 || first.value == 127 ? 0 : 1 }
    let hasEmojiStyle = unicodeScalars.contains { $0.value == 0xFE0F }
    if hasEmojiStyle || first.properties.isEmojiPresentation || Character.isWide(first.value) { return 2 }
    switch first.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: return 1
    }
  }

  /// East Asian wide and fullwidth blocks.
  private static func isWide(_ value: UInt32) -> Bool {
    switch value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,
      0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F,
      0x1F900...0x1F9FF, 0x20000...0x3FFFD:
      return true
    default: return false
    }
  }
}

extension String {
  /// Columns that a terminal gives the text.
  var terminalWidth: Int { reduce(0) { $0 + $1.terminalWidth } }

  /// The text on one line, without control characters; in ASCII where Unicode is not allowed.
  func plotText(unicode: Bool) -> String {
    let line = String(map { $0.isNewline || $0 == "\t" ? " " : $0 }.filter { $0.terminalWidth > 0 })
    return unicode ? line : PlainSpelling.ascii(line)
  }

  /// The text cut to a width, with an ellipsis where something is missing.
  public func truncated(to width: Int, unicode: Bool) -> String {
    if terminalWidth <= width { return self }
    let ellipsis = unicode ? "…" : width > 3 ? "..." : ""
    var result = ""
    var used = ellipsis.terminalWidth
    for character in self {
      used += character.terminalWidth
      if used > width { break }
      result.append(character)
    }
    return width > 0 ? result + ellipsis : ""
  }
}
