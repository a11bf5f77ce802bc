/// Lines may leave the frame, but stay in the range of SVG viewers: out of sight they are cut, along their direction.
extension SVGRenderer {
  /// How far lines go to either side of the lower left corner, in frames.
  static let reach = 50.0

  /// A point of a line, and where along it that is: 1.5 halfway between the second place that it was made of and the
  /// third.
  struct Vertex: Equatable {
    var point: Point
    let progress: Double
  }

  /// A line through places in the frame, in pixels.
  ///
  /// - Parameter isClosed: the line goes on from the last place to the first: the outline of an area.
  func line(_ places: [Point], isClosed: Bool = false) -> [Point] {
    track(places, isClosed: isClosed).map(\.point)
  }

  /// The lines of a series, one for each run between gaps.
  func lines(_ points: [Point]) -> [[Point]] { layout.runs(points).map { line($0) } }

  /// A line through places in the frame, in pixels, with what part of the way each point is.
  func track(_ places: [Point], isClosed: Bool = false) -> [Vertex] {
    let whole = places.enumerated().map { Vertex(point: $0.element, progress: Double($0.offset)) }
    return SVGRenderer.withinReach(whole, isClosed: isClosed).map {
      Vertex(point: pixel($0.point), progress: $0.progress)
    }
  }

  /// What lies within reach, one side of the square after the other (Sutherland and Hodgman): where the line is outside
  /// it follows the sides, and an outline stays one.
  static func withinReach(_ line: [Vertex], isClosed: Bool) -> [Vertex] {
    if line.allSatisfy({ max(abs($0.point.x), abs($0.point.y)) <= reach }) { return line }
    var line = line
    for axis in [\Point.x, \Point.y] {
      for sign in [1.0, -1] { line = cut(line, isClosed: isClosed, axis, sign) }
    }
    return line
  }

  /// The part of a line on one side of sign · axis = reach, with the points where it meets that.
  private static func cut(
    _ line: [Vertex], isClosed: Bool, _ axis: WritableKeyPath<Point, Double>, _ sign: Double
  ) -> [Vertex] {
    func room(_ vertex: Vertex) -> Double { reach - sign * vertex.point[keyPath: axis] }
    var kept: [Vertex] = []
    var last = isClosed ? line.last : nil
    for vertex in line {
      if let last, (room(last) < 0) != (room(vertex) < 0) {
        // From inside, where numbers are small: what is far away may be so by any power of ten.
        let (inner, outer) = room(vertex) < 0 ? (last, vertex) : (vertex, last)
        let part = room(inner) / (room(inner) - room(outer))
        var point = Point(
          x: interpolate(inner.point.x, outer.point.x, part),
          y: interpolate(inner.point.y, outer.point.y, part))
        point[keyPath: axis] = sign * reach
        kept.append(Vertex(point: point, progress: interpolate(inner.progress, outer.progress, part)))
      }
      if room(vertex) >= 0 { kept.append(vertex) }
      last = vertex
    }
    return kept
  }
}
