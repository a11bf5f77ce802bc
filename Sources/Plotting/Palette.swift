/// A colour, with the number of the ANSI foreground that comes closest in a terminal of 16 colours.
struct Color: Equatable, Hashable, Sendable {
  var red: UInt8
  var green: UInt8
  var blue: UInt8
  var ansi16: UInt8
  /// Its index among 256 colours, where that is not the nearest one.
  var chosen256: UInt8?

  init(_ hex: UInt32, ansi16: UInt8 = 39) {
    red = UInt8(hex >> 16 & 0xFF)
    green = UInt8(hex >> 8 & 0xFF)
    blue = UInt8(hex & 0xFF)
    self.ansi16 = ansi16
  }

  /// `#rrggbb`.
  var hex: String {
    let digits = String(UInt32(red) << 16 | UInt32(green) << 8 | UInt32(blue), radix: 16)
    return "#" + String(repeating: "0", count: 6 - digits.count) + digits
  }

  /// The index in the 256-colour table: its 6×6×6 cube or its greys.
  var ansi256: Int {
    if let chosen256 { return Int(chosen256) }
    let steps = [0, 95, 135, 175, 215, 255]
    func nearest(_ value: UInt8) -> Int {
      steps.indices.min { abs(steps[$0] - Int(value)) < abs(steps[$1] - Int(value)) } ?? 0
    }
    let (r, g, b) = (nearest(red), nearest(green), nearest(blue))
    let mean = (Int(red) + Int(green) + Int(blue)) / 3
    let grey = min(max((mean - 3) / 10, 0), 23)
    func distance(_ x: Int, _ y: Int, _ z: Int) -> Int {
      let (dr, dg, db) = (x - Int(red), y - Int(green), z - Int(blue))
      return dr * dr + dg * dg + db * db
    }
    let level = 8 + 10 * grey
    let isGrey = distance(level, level, level) < distance(steps[r], steps[g], steps[b])
    return isGrey ? 232 + grey : 16 + 36 * r + 6 * g + b
  }

  /// Relative brightness, 0 to 1.
  var luminance: Double { (0.2126 * Double(red) + 0.7152 * Double(green) + 0.0722 * Double(blue)) / 255 }

  /// The colour itself where it can be told from a background, by brightness or by hue, otherwise black or white.
  func legible(on background: Color) -> Color {
    if abs(luminance - background.luminance) > 0.3 || distance(to: background) > 220 { return self }
    return background.luminance > 0.65 ? Palette.black : Palette.white
  }

  /// How different two colours look, 0 to about 765 (Riemersma, *Colour metric*, compuphase.com/cmetric.htm).
  private func distance(to other: Color) -> Double {
    let mean = (Double(red) + Double(other.red)) / 2
    let (r, g, b) = (
      Double(red) - Double(other.red), Double(green) - Double(other.green), Double(blue) - Double(other.blue)
    )
    return ((2 + mean / 256) * r * r + 4 * g * g + (2 + (255 - mean) / 256) * b * b).squareRoot()
  }

  /// The colour between two others.
  static func mix(_ a: Color, _ b: Color, _ fraction: Double) -> Color {
    func channel(_ x: UInt8, _ y: UInt8) -> UInt8 {
      UInt8(min(max((Double(x) + (Double(y) - Double(x)) * fraction).rounded(), 0), 255))
    }
    var mixed = fraction < 0.5 ? a : b
    mixed.red = channel(a.red, b.red)
    mixed.green = channel(a.green, b.green)
    mixed.blue = channel(a.blue, b.blue)
    return mixed
  }
}

/// Colours that remain distinct to colour-blind readers.
enum Palette {
  /// Bright blue where there are 16 colours: the other one is too dark for black screens.
  static let blue = Color(0x0072B2, ansi16: 94)
  static let vermillion = Color(0xD55E00, ansi16: 31)
  static let green = Color(0x009E73, ansi16: 32)
  static let purple = Color(0xCC79A7, ansi16: 35)
  static let orange = Color(0xE69F00, ansi16: 33)
  static let sky = Color(0x56B4E9, ansi16: 36)

  /// Okabe and Ito's colours for series, in order of use.
  static let series = [blue, vermillion, green, purple, orange, sky]

  /// The same for terminals, which may be dark: the darkest last.
  static let terminalSeries = [sky, vermillion, green, purple, orange, blue]

  /// Series that lie over contours or images, whose own colours run from blue to yellow.
  static let overlay = [vermillion, purple, orange, blue, sky, green]

  static let black = Color(0x000000, ansi16: 30)
  static let white = Color(0xFFFFFF, ansi16: 37)

  /// Viridis, for values from low to high.
  static let sequential = [
    Color(0x440154, ansi16: 94), Color(0x482878, ansi16: 94), Color(0x3E4A89, ansi16: 94),
    Color(0x31688E, ansi16: 36), Color(0x26828E, ansi16: 36), Color(0x1F9E89, ansi16: 36),
    Color(0x35B779, ansi16: 32), Color(0x6DCD59, ansi16: 32), Color(0xB4DE2C, ansi16: 33),
    Color(0xFDE725, ansi16: 33),
  ]

  /// Blue through near-white to orange, for signed values.
  static let diverging = [
    Color(0x2166AC, ansi16: 94), Color(0x4393C3, ansi16: 94), Color(0x92C5DE, ansi16: 36),
    Color(0xD1E5F0, ansi16: 36), Color(0xF7F7F7, ansi16: 39), Color(0xFEE0B6, ansi16: 33),
    Color(0xFDB863, ansi16: 33), Color(0xE08214, ansi16: 33), Color(0xB35806, ansi16: 31),
  ]

  /// The same among 256 colours, of which the nearest ones to the pale middle would be pink, violet and green.
  static let diverging256: [UInt8] = [25, 67, 74, 110, 153, 189, 255, 230, 223, 215, 208, 172, 130]

  /// The colour of a signed value, 0 to 1.
  static func signed(_ fraction: Double) -> Color {
    var color = color(diverging, at: fraction)
    let last = Double(diverging256.count - 1)
    color.chosen256 = diverging256[Int((min(max(fraction, 0), 1) * last).rounded())]
    return color
  }

  /// The colour at a fraction of a palette.
  static func color(_ stops: [Color], at fraction: Double) -> Color {
    guard let first = stops.first, let last = stops.last, fraction > 0 else { return stops.first ?? blue }
    if fraction >= 1 || stops.count == 1 { return stops.count == 1 ? first : last }
    let position = fraction * Double(stops.count - 1)
    let index = min(Int(position), stops.count - 2)
    return Color.mix(stops[index], stops[index + 1], position - Double(index))
  }

  /// The colour of contour line `index` of `count`: the part of viridis that is legible on the page, or on
  /// light and dark terminals.
  static func level(_ index: Int, of count: Int, onTerminal: Bool) -> Color {
    let (low, high) = onTerminal ? (0.28, 0.92) : (0.12, 0.88)
    return color(sequential, at: interpolate(low, high, Double(index) / Double(max(count - 1, 1))))
  }
}

/// How values become colours and shades.
struct ColorMap: Equatable, Sendable {
  var low: Double
  var high: Double
  var scale = Scale.linear
  /// Signed values around zero instead of values from low to high.
  var isSigned = false

  /// Covers the finite values; the signed kind always includes zero. A log scale spans 8 decades at most, and
  /// what lies below it, zero included, has its lowest colour.
  init(covering values: [Double], scale: Scale, isSigned: Bool) {
    let usable = values.filter { $0.isFinite && (scale == .linear || isSigned || $0 > 0) }
    self.isSigned = isSigned
    self.scale = isSigned ? .linear : scale
    low = usable.min() ?? (self.scale == .log ? 1 : 0)
    high = usable.max() ?? 1
    if isSigned {
      low = min(low, 0)
      high = low == 0 && high <= 0 ? 1 : max(high, 0)
    } else if low >= high {
      (low, high) = AxisLayout.widened(low, high, scale: self.scale)
    }
    if self.scale == .log { low = max(low, high * 1e-8) }
  }

  /// The place in the palette, 0 to 1, or nil for a gap.
  func fraction(_ value: Double) -> Double? {
    guard value.isFinite else { return nil }
    if isSigned {
      let reach = max(abs(low), abs(high))
      return 0.5 + 0.5 * min(max(value / reach, -1), 1)
    }
    if scale == .log, value <= low { return 0 }
    return AxisLayout(scale: scale, low: low, high: high).position(value).map { min(max($0, 0), 1) }
  }

  /// The colour of a value, one of so many if `steps` is given; nil for a gap.
  func color(_ value: Double, steps: Double? = nil) -> Color? {
    fraction(value).map { fraction in
      let place = steps.map { (fraction * $0).rounded() / $0 } ?? fraction
      return isSigned ? Palette.signed(place) : Palette.color(Palette.sequential, at: place)
    }
  }

  /// The shade of a value where there are no colours; a space for a gap.
  func shade(_ value: Double, unicode: Bool) -> Character {
    guard let fraction = fraction(value) else { return " " }
    if isSigned && value == 0 { return " " }
    let ramp = Array(
      isSigned ? (unicode ? "≡=-·░▒█" : "%=-.+*#") : (unicode ? " ·░▒▓█" : " .:-=+*#%@"))
    return ramp[min(Int(fraction * Double(ramp.count)), ramp.count - 1)]
  }
}
