/// The characters of a text plot: one set in ASCII, one in Unicode.
struct TextStyle {
  let options: TextOptions

  private var unicode: Bool { options.unicode }

  // Frame.
  var horizontal: Character { unicode ? "─" : "-" }
  var vertical: Character { unicode ? "│" : "|" }
  var leftTick: Character { unicode ? "┤" : "+" }
  var bottomTick: Character { unicode ? "┬" : "+" }
  /// Into the frame, where blocks meet.
  var topTick: Character { unicode ? "┬" : "+" }
  var rightTick: Character { unicode ? "┤" : "+" }
  var corners: [Character] { unicode ? ["┌", "┐", "└", "┘"] : ["+", "+", "+", "+"] }

  /// The character that draws series `number` where there is no braille, and marks it where braille is black
  /// and white.
  func series(_ number: Int) -> Character {
    if options.usesBraille { return pick("●▲■◆○△□◇", number) }
    return unicode ? pick("•+○×▪△", number) : pick("*+ox#%", number)
  }

  /// A point of a line that has no neighbours.
  func point(_ number: Int) -> Character {
    options.usesBraille && options.color != .none ? "•" : series(number)
  }

  /// Iterates along a path.
  func iterate(_ number: Int) -> Character {
    if options.color != .none { return unicode ? "•" : "*" }
    return unicode ? pick("•▪▴×", number) : pick("*+x#", number)
  }

  /// The line between iterates where there is no braille.
  var step: Character { unicode ? "·" : "." }
  var start: Character { unicode ? "○" : "o" }
  var end: Character { unicode ? "●" : "@" }
  var stem: Character { unicode ? "│" : "|" }
  func shade(_ number: Int) -> Character { unicode ? pick("░▒▓", number) : pick(":;,", number) }
  func block(_ number: Int) -> Character { unicode ? "█" : pick("#=%&", number) }

  /// A block filled to so many eighths from below.
  func block(eighths: Int) -> Character {
    let blocks = Array(" ▁▂▃▄▅▆▇█")
    return blocks[min(max(eighths, 0), 8)]
  }

  /// An arrow head that points along a direction on the screen, y upward.
  func arrowHead(dx: Double, dy: Double) -> Character {
    let octant = (Int((angleInDegrees(dx: dx, dy: dy) / 45).rounded()) + 8) % 8
    return Array(unicode ? "→↗↑↖←↙↓↘" : ">/^\\</v\\")[octant]
  }

  private func pick(_ glyphs: String, _ number: Int) -> Character {
    let all = Array(glyphs)
    return all[number % all.count]
  }
}
