extension SVGRenderer {
  /// A value on a contour line: where it stands, along the line, and how far it reaches from there.
  private struct Label {
    let text: String
    let place: Point
    let angle: Double
    let reach: Double
  }

  /// Lines of equal value, the longest of each level with its value in a gap.
  mutating func drawContours(_ levels: [ContourLevel]) {
    var taken = obstacles.map { (place: $0, reach: 14.0) }
    for level in levels {
      let longest = level.lines.indices.max { level.lines[$0].points.count < level.lines[$1].points.count }
      let label = longest.flatMap { self.label(level, places(level.lines[$0].points), &taken) }
      let color = isOverColors ? levelInk(level) : level.color
      for (index, line) in level.lines.enumerated() {
        draw(line, color, gap: index == longest ? label : nil)
      }
      if let label { draw(label, levelInk(level)) }
    }
  }

  private mutating func draw(_ line: ContourLine, _ color: Color, gap: Label?) {
    let faint = isOverColors ? [("stroke-opacity", "0.6")] : []
    let width = isOverColors ? 1 : 1.4
    let runs = layout.runs(line.points)
    let isWhole = gap == nil && line.isClosed && runs.first?.count == line.points.count
    for run in runs.map({ self.line($0, isClosed: isWhole) }) {
      let pieces = gap.map { SVGRenderer.outside(run, $0.place, $0.reach) } ?? [run]
      for piece in pieces { drawPolyline(piece, color.hex, width: width, isClosed: isWhole, faint) }
    }
  }

  private mutating func draw(_ label: Label, _ color: Color) {
    let turn = [label.angle, label.place.x, label.place.y].map(SVGWriter.number).joined(separator: " ")
    writer.text(
      label.text, at: Point(x: label.place.x, y: label.place.y + 3.5),
      [("font-size", "10"), ("transform", "rotate(\(turn))"), ("fill", color.hex)])
  }

  private var isOverColors: Bool { !layout.colorMaps.isEmpty }

  /// Over colours, a line has one that can be told from that of its value.
  private func levelInk(_ level: ContourLevel) -> Color {
    guard let map = layout.colorMaps.values.first, let ground = map.color(level.value) else {
      return Color(0x333333)
    }
    return ground.luminance > 0.45 ? Palette.black : Palette.white
  }

  /// Places that labels should not cover: along paths, arrows and points.
  private var obstacles: [Point] {
    layout.figure.marks.flatMap { mark -> [Point] in
      switch mark {
      case .path(let series), .line(let series), .scatter(let series):
        let all = line(series.points.compactMap(layout.place))
        return all + zip(all, all.dropFirst()).flatMap(between)
      case .arrows(let arrows): return shafts(of: arrows).flatMap { between($0[0], $0[1]) }
      default: return []
      }
    }
  }

  private func between(_ a: Point, _ b: Point) -> [Point] {
    (0...8).map { Point(x: interpolate(a.x, b.x, Double($0) / 8), y: interpolate(a.y, b.y, Double($0) / 8)) }
  }

  /// The value of a line, on it where no other label is near; nil where there is no such place.
  private func label(
    _ level: ContourLevel, _ points: [Point], _ taken: inout [(place: Point, reach: Double)]
  ) -> Label? {
    guard points.count > 12 else { return nil }
    let text = TickFormat.superscript(level.label)
    let reach = SVGWriter.width(text) * 10 / SVGWriter.fontSize / 2 + 2
    for step in [4, 2, 6, 3, 5, 1, 7] {
      let index = points.count * step / 8
      let place = points[index]
      let (before, after) = (points[max(index - 2, 0)], points[min(index + 2, points.count - 1)])
      let isInside =
        place.x > left + 20 && place.x < left + width - 20 && place.y > top + 12
        && place.y < top + height - 12
      guard isInside, taken.allSatisfy({ distance($0.place, place) > $0.reach }) else { continue }
      taken.append((place, 42))
      var angle = angleInDegrees(dx: after.x - before.x, dy: after.y - before.y)
      if angle > 90 { angle -= 180 }
      if angle < -90 { angle += 180 }
      return Label(text: text, place: place, angle: angle, reach: reach)
    }
    return nil
  }

  /// The parts of a line outside a circle.
  static func outside(_ points: [Point], _ centre: Point, _ radius: Double) -> [[Point]] {
    var parts: [[Point]] = [[]]
    func add(_ point: Point) {
      if parts[parts.count - 1].last != point { parts[parts.count - 1].append(point) }
    }
    for (a, b) in zip(points, points.dropFirst()) {
      let (enter, leave) = crossing(a, b, centre, radius)
      func at(_ t: Double) -> Point { Point(x: interpolate(a.x, b.x, t), y: interpolate(a.y, b.y, t)) }
      guard enter < leave else {
        add(a)
        add(b)
        continue
      }
      if enter > 0 {
        add(a)
        add(at(enter))
      }
      parts.append([])
      if leave < 1 {
        add(at(leave))
        add(b)
      }
    }
    return parts.filter { $0.count > 1 }
  }

  /// Between which fractions of it a segment lies in a circle; an empty range where it does not.
  private static func crossing(_ a: Point, _ b: Point, _ centre: Point, _ radius: Double) -> (Double, Double)
  {
    let (dx, dy) = (b.x - a.x, b.y - a.y)
    let (x, y) = (a.x - centre.x, a.y - centre.y)
    let square = dx * dx + dy * dy
    guard square > 0 else { return (0, x * x + y * y < radius * radius ? 1 : 0) }
    let half = (x * dx + y * dy) / square
    let rest = half * half - (x * x + y * y - radius * radius) / square
    guard rest > 0 else { return (0, 0) }
    return (max(-half - rest.squareRoot(), 0), min(-half + rest.squareRoot(), 1))
  }
}
