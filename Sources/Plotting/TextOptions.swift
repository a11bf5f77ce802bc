/// How a figure is drawn as text.
public struct TextOptions: Sendable, Equatable {
  /// The greatest number of columns of any line.
  public var width: Int
  /// The number of lines aimed at, all included.
  public var height: Int
  /// Characters beyond ASCII may be used.
  public var unicode: Bool
  /// Lines are drawn with braille dots, 2 × 4 to a character; needs `unicode`.
  public var braille: Bool
  public var color: ColorMode

  public init(
    width: Int = 72, height: Int = 20, unicode: Bool = true, braille: Bool = true, color: ColorMode = .none
  ) {
    self.width = width
    self.height = height
    self.unicode = unicode
    self.braille = braille
    self.color = color
  }

  var usesBraille: Bool { unicode && braille }
  /// Enough colours for an image without shades.
  var hasManyColors: Bool { color == .ansi256 || color == .trueColor }
}

/// The colours that a terminal can show.
public enum ColorMode: String, Sendable, Equatable, CaseIterable {
  case none, ansi16, ansi256, trueColor
}
