extension SVGRenderer {
  /// The part of a round in which paths are drawn; then they rest.
  private static let movingPart = 0.85

  /// A path through places in the frame that draws itself: all paths of a figure take their steps at the same times.
  mutating func drawMovingPath(_ places: [Point], _ color: String, _ duration: Double) {
    guard let first = places.first.map(pixel), places.count > 1 else {
      for place in places { drawEnd(pixel(place), color) }
      return
    }
    let pace = Self.movingPart / Double(longestPath - 1)
    let track = track(places)
    let (points, times) = (track.map(\.point), track.map { $0.progress * pace })
    drawGrowingLine(points, times, color, duration)
    if places.count <= 300 {
      for (step, place) in places.enumerated() {
        drawAppearing(pixel(place), Double(step) * pace, color, duration)
      }
    }
    drawStart(first, color)
    let marker = [("r", "5"), ("fill", color), ("stroke", "#ffffff"), ("stroke-width", "1.5")]
    writer.open("circle", [("cx", SVGWriter.number(first.x)), ("cy", SVGWriter.number(first.y))] + marker)
    animate("cx", points.map { SVGWriter.number($0.x) }, times, duration)
    animate("cy", points.map { SVGWriter.number($0.y) }, times, duration)
    writer.close("circle")
  }

  /// Points of the longest path: the steps of a round.
  private var longestPath: Int {
    layout.figure.marks.reduce(2) { longest, mark in
      if case .path(let series) = mark { return max(longest, series.points.count) }
      return longest
    }
  }

  /// A dashed line whose only dash grows with the steps.
  private mutating func drawGrowingLine(
    _ points: [Point], _ times: [Double], _ color: String, _ duration: Double
  ) {
    var lengths = [0.0]
    for (a, b) in zip(points, points.dropFirst()) { lengths.append((lengths.last ?? 0) + distance(a, b)) }
    let total = max(lengths.last ?? 0, 1e-6)
    let rest = lengths.map { Self.fine(1 - $0 / total) }
    let attributes = [
      ("d", SVGWriter.polyline(points)), ("fill", "none"), ("stroke", color), ("stroke-width", "2"),
      ("stroke-linejoin", "round"), ("pathLength", "1"), ("stroke-dasharray", "1"),
      ("stroke-dashoffset", "0"),
    ]
    writer.open("path", attributes)
    animate("stroke-dashoffset", rest, times, duration)
    writer.close("path")
  }

  private mutating func drawAppearing(_ place: Point, _ time: Double, _ color: String, _ duration: Double) {
    writer.open(
      "circle",
      [
        ("cx", SVGWriter.number(place.x)), ("cy", SVGWriter.number(place.y)), ("r", "2.6"), ("fill", color),
      ])
    if time > 0 {
      writer.element(
        "animate",
        [
          ("attributeName", "opacity"), ("values", "0;1"), ("keyTimes", "0;\(Self.fine(time))"),
          ("calcMode", "discrete"), ("dur", "\(SVGWriter.number(duration))s"), ("repeatCount", "indefinite"),
        ])
    }
    writer.close("circle")
  }

  /// Values at times of a round; the first is there from its beginning, the last stays until its end.
  private mutating func animate(
    _ attribute: String, _ values: [String], _ times: [Double], _ duration: Double
  ) {
    guard let first = values.first, let last = values.last, let start = times.first else { return }
    let isLate = start > 0
    let all = (isLate ? [first] : []) + values + [last]
    let keys = (isLate ? [Self.fine(0)] : []) + times.map(Self.fine) + ["1"]
    writer.element(
      "animate",
      [
        ("attributeName", attribute), ("values", all.joined(separator: ";")),
        ("keyTimes", keys.joined(separator: ";")), ("dur", "\(SVGWriter.number(duration))s"),
        ("repeatCount", "indefinite"),
      ])
  }

  /// Fractions need more decimals than pixels.
  private static func fine(_ fraction: Double) -> String { formatted("%.*f", 5, fraction) }
}

extension SVGWriter {
  /// Path data through all points, so that lengths along it are those of the points.
  static func polyline(_ points: [Point]) -> String {
    points.enumerated().map { "\($0.offset == 0 ? "M" : "L")\(number($0.element.x)) \(number($0.element.y))" }
      .joined()
  }
}
