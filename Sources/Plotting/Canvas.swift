/// What is drawn with: a colour, the character that stands for it without braille, and a layer.
struct Pen: Equatable {
  var color: Color
  var glyph: Character = "*"
  /// A cell shows its highest layer only, so that lines above stay legible.
  var layer = 1
  /// Every how many dots one is set: 1 for a solid line.
  var period = 1
}

/// A raster of dots that ends up as characters. Places are fractions of the canvas, y upward.
protocol Canvas {
  var columns: Int { get }
  var rows: Int { get }
  /// Dots to a character, across and down.
  static var dotsPerCell: (across: Int, down: Int) { get }
  /// Sets a dot, counted from the upper left.
  mutating func setDot(_ x: Int, _ y: Int, _ pen: Pen)
  /// What a cell shows; nil where nothing was drawn.
  func cell(column: Int, row: Int) -> TextCell?
}

extension Canvas {
  private var width: Int { columns * Self.dotsPerCell.across }
  private var height: Int { rows * Self.dotsPerCell.down }

  /// The dot at a place, which must lie in the canvas.
  private func dot(_ place: Point) -> (x: Int, y: Int) {
    (Self.dot(place.x, of: width), Self.dot(1 - place.y, of: height))
  }

  private static func dot(_ fraction: Double, of count: Int) -> Int {
    Int((min(max(fraction, 0), 1) * Double(count - 1)).rounded())
  }

  /// The row of a place on the y axis of a canvas of so many rows.
  static func row(at y: Double, of rows: Int) -> Int {
    dot(1 - y, of: rows * dotsPerCell.down) / dotsPerCell.down
  }

  /// The column and row at a place.
  func cellIndex(_ place: Point) -> (column: Int, row: Int) {
    let dot = dot(place)
    return (dot.x / Self.dotsPerCell.across, dot.y / Self.dotsPerCell.down)
  }

  mutating func dot(at place: Point, _ pen: Pen) {
    guard place.isInFrame else { return }
    let dot = dot(place)
    setDot(dot.x, dot.y, pen)
  }

  /// Joins places in order; a single place is a dot.
  mutating func polyline(_ places: [Point], _ pen: Pen) {
    if places.count == 1, let only = places.first { dot(at: only, pen) }
    var phase = 0
    for (a, b) in zip(places, places.dropFirst()) {
      if let (from, to) = clip(a, b) { segment(dot(from), dot(to), pen, &phase) }
    }
  }

  /// Bresenham's line.
  private mutating func segment(_ a: (x: Int, y: Int), _ b: (x: Int, y: Int), _ pen: Pen, _ phase: inout Int)
  {
    let (dx, dy) = (abs(b.x - a.x), -abs(b.y - a.y))
    let (stepX, stepY) = (a.x < b.x ? 1 : -1, a.y < b.y ? 1 : -1)
    var (x, y, error) = (a.x, a.y, dx + dy)
    while true {
      if phase % pen.period == 0 { setDot(x, y, pen) }
      if x == b.x && y == b.y { return }
      phase += 1
      let twice = 2 * error
      if twice >= dy {
        error += dy
        x += stepX
      }
      if twice <= dx {
        error += dx
        y += stepY
      }
    }
  }
}

extension Point {
  var isInFrame: Bool { x > -1e-6 && x < 1 + 1e-6 && y > -1e-6 && y < 1 + 1e-6 }
}

/// The part of a segment inside the unit square (Liang and Barsky); nil if there is none.
func clip(_ a: Point, _ b: Point) -> (Point, Point)? {
  let (dx, dy) = (b.x - a.x, b.y - a.y)
  guard dx.isFinite, dy.isFinite else { return nil }
  var (enter, leave) = (0.0, 1.0)
  for (direction, distance) in [(-dx, a.x), (dx, 1 - a.x), (-dy, a.y), (dy, 1 - a.y)] {
    if direction == 0 {
      if distance < -1e-9 { return nil }
    } else if direction < 0 {
      enter = max(enter, distance / direction)
    } else {
      leave = min(leave, distance / direction)
    }
  }
  guard enter <= leave else { return nil }
  let from = Point(x: a.x + enter * dx, y: a.y + enter * dy)
  let to = Point(x: a.x + leave * dx, y: a.y + leave * dy)
  return (enter == 0 ? a : from, leave == 1 ? b : to)
}

/// One dot to a character, shown as the glyph of its pen.
struct CharacterCanvas: Canvas {
  static let dotsPerCell = (across: 1, down: 1)
  let columns: Int
  let rows: Int
  private var pens: [Pen?]

  init(columns: Int, rows: Int) {
    self.columns = columns
    self.rows = rows
    pens = Array(repeating: nil, count: columns * rows)
  }

  mutating func setDot(_ x: Int, _ y: Int, _ pen: Pen) {
    let index = y * columns + x
    if let present = pens[index], present.layer > pen.layer { return }
    pens[index] = pen
  }

  func cell(column: Int, row: Int) -> TextCell? {
    pens[row * columns + column].map { TextCell(glyph: $0.glyph, color: $0.color) }
  }
}

/// Eight dots to a character, from the braille block.
struct BrailleCanvas: Canvas {
  static let dotsPerCell = (across: 2, down: 4)
  let columns: Int
  let rows: Int
  private var bits: [UInt8]
  private var pens: [Pen?]

  init(columns: Int, rows: Int) {
    self.columns = columns
    self.rows = rows
    bits = Array(repeating: 0, count: columns * rows)
    pens = Array(repeating: nil, count: columns * rows)
  }

  mutating func setDot(_ x: Int, _ y: Int, _ pen: Pen) {
    let index = y / 4 * columns + x / 2
    let layer = pens[index]?.layer ?? pen.layer
    if layer > pen.layer { return }
    if layer < pen.layer { bits[index] = 0 }
    let table: [UInt8] = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80]
    bits[index] |= table[y % 4 * 2 + x % 2]
    pens[index] = pen
  }

  func cell(column: Int, row: Int) -> TextCell? {
    let index = row * columns + column
    guard let pen = pens[index], let scalar = Unicode.Scalar(0x2800 + UInt32(bits[index])) else { return nil }
    return TextCell(glyph: Character(scalar), color: pen.color)
  }
}
