extension SVGRenderer {
  mutating func draw(_ mark: Mark, _ index: Int) {
    let color = layout.inks[index].color.hex
    switch mark {
    case .line(let series): drawLine(series, color, layout.inks[index].number)
    case .path(let series): drawPath(series, color)
    case .scatter(let series):
      writer.open("g", [("fill", color), ("fill-opacity", "0.8")])
      for place in places(series.points) { writer.circle(place, radius: 3, []) }
      writer.close("g")
    case .stems(let series): drawStems(series, color)
    case .band(let band): drawBand(band, color)
    case .arrows(let arrows):
      for shaft in shafts(of: arrows) { drawArrow(from: shaft[0], to: shaft[1], color) }
    case .contour: drawContours(layout.contours[index] ?? [])
    case .heatmap(let grid): drawHeatmap(grid, layout.colorMaps[index])
    case .matrix(let matrix): drawMatrix(matrix, layout.colorMaps[index])
    case .histogram(let histogram):
      for bin in histogram.bins { drawBar(bin.left, bin.right, bin.height, color, edge: "#ffffff") }
    case .bars(let bars):
      for (slot, value) in bars.values.enumerated() {
        drawBar(Double(slot) - 0.36, Double(slot) + 0.36, value, color, edge: "none")
      }
    }
  }

  func places(_ points: [Point]) -> [Point] { points.compactMap(layout.place).map(pixel) }

  /// Arrows with two ends, as lines.
  func shafts(of arrows: Arrows) -> [[Point]] {
    zip(arrows.tails, arrows.heads).map { line([$0, $1].compactMap(layout.place)) }.filter { $0.count == 2 }
  }

  // MARK: - Lines and points

  private mutating func drawLine(_ series: Series, _ color: String, _ number: Int) {
    for run in layout.runs(series.points) {
      if run.count == 1, let only = run.first {
        writer.circle(pixel(only), radius: 3, [("fill", color)])
      } else {
        drawPolyline(line(run), color, width: 1.8, SVGRenderer.dashes(number))
      }
    }
  }

  /// Series beyond the colours of the palette are dashed.
  static func dashes(_ number: Int) -> [(String, String)] {
    let patterns = ["", "7 3", "2 3", "9 3 2 3"]
    let pattern = patterns[number / Palette.series.count % patterns.count]
    return pattern.isEmpty ? [] : [("stroke-dasharray", pattern)]
  }

  mutating func drawPolyline(
    _ points: [Point], _ color: String, width: Double, isClosed: Bool = false,
    _ more: [(String, String)] = []
  ) {
    guard !points.isEmpty else { return }
    let data = SVGWriter.path(points, isClosed: isClosed)
    let stroke = [("stroke", color), ("stroke-width", SVGWriter.number(width)), ("stroke-linejoin", "round")]
    writer.element("path", [("d", data), ("fill", "none")] + stroke + more)
  }

  private mutating func drawPath(_ series: Series, _ color: String) {
    if let duration = layout.figure.duration, duration > 0 {
      return drawMovingPath(series.points.compactMap(layout.place), color, duration)
    }
    let runs = lines(series.points)
    for run in runs where run.count > 1 {
      drawPolyline(run, "#ffffff", width: 4, [("stroke-opacity", "0.7")])
      drawPolyline(run, color, width: 2)
    }
    let all = places(series.points)
    if all.count <= 300 {
      writer.open("g", [("fill", color)])
      for place in all { writer.circle(place, radius: 2.6, []) }
      writer.close("g")
    }
    for run in runs { drawDirections(run, color) }
    if let first = all.first { drawStart(first, color) }
    if let last = all.last { drawEnd(last, color) }
  }

  /// A small arrow head on long steps, not closer to each other than some pixels.
  private mutating func drawDirections(_ run: [Point], _ color: String) {
    var walked = 0.0
    for (a, b) in zip(run, run.dropFirst()) {
      let length = distance(a, b)
      walked += length
      guard length > 18, walked > 36 else { continue }
      walked = 0
      drawHead(Point(x: (a.x + b.x) / 2, y: (a.y + b.y) / 2), from: a, color, size: 4)
    }
  }

  mutating func drawStart(_ point: Point, _ color: String) {
    writer.circle(point, radius: 4.5, [("fill", "#ffffff"), ("stroke", color), ("stroke-width", "2")])
  }

  mutating func drawEnd(_ point: Point, _ color: String) {
    writer.circle(point, radius: 5, [("fill", color), ("stroke", "#ffffff"), ("stroke-width", "1.5")])
  }

  mutating func drawArrow(from tail: Point, to head: Point, _ color: String) {
    writer.line(tail, head, [("stroke", color), ("stroke-width", "2")])
    drawHead(head, from: tail, color, size: 5)
  }

  private mutating func drawHead(_ tip: Point, from tail: Point, _ color: String, size: Double) {
    let length = distance(tip, tail)
    guard length > 0 else { return }
    let (dx, dy) = ((tip.x - tail.x) / length * size, (tip.y - tail.y) / length * size)
    let corners = [
      Point(x: tip.x + dx, y: tip.y + dy), Point(x: tip.x - dx - dy, y: tip.y - dy + dx),
      Point(x: tip.x - dx + dy, y: tip.y - dy - dx),
    ]
    writer.element("path", [("d", SVGWriter.path(corners, isClosed: true)), ("fill", color)])
  }

  func distance(_ a: Point, _ b: Point) -> Double {
    ((a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y)).squareRoot()
  }

  private mutating func drawStems(_ series: Series, _ color: String) {
    let ground = layout.baseline
    if ground > 0, ground < 1 {
      writer.line(
        pixel(Point(x: 0, y: ground)), pixel(Point(x: 1, y: ground)), [("stroke", "#999999")])
    }
    for place in series.points.compactMap(layout.place) {
      let foot = pixel(Point(x: place.x, y: ground))
      writer.line(foot, pixel(place), [("stroke", color), ("stroke-width", "2")])
      writer.circle(pixel(place), radius: 4, [("fill", color)])
    }
  }

  // MARK: - Areas

  static let bandOpacity = "0.22"

  private mutating func drawBand(_ band: Band, _ color: String) {
    let indices = 0..<band.count
    let upper = indices.map { layout.place(Point(x: band.xs[$0], y: band.upper[$0])) }
    let lower = indices.map { layout.place(Point(x: band.xs[$0], y: band.lower[$0])) }
    let both = zip(upper, lower).map { top, bottom -> (Point, Point)? in
      if let top, let bottom { return (top, bottom) }
      return nil
    }
    for run in both.split(whereSeparator: { $0 == nil }) {
      let pairs = run.compactMap { $0 }
      let outline = line(pairs.map(\.0) + pairs.reversed().map(\.1), isClosed: true)
      guard !outline.isEmpty else { continue }
      let data = SVGWriter.path(outline, isClosed: true)
      writer.element("path", [("d", data), ("fill", color), ("fill-opacity", Self.bandOpacity)])
    }
  }

  private mutating func drawBar(
    _ low: Double, _ high: Double, _ value: Double, _ color: String, edge: String
  ) {
    guard let start = layout.x.position(low), let end = layout.x.position(high),
      let tip = layout.y.position(value)
    else { return }
    let ground = layout.baseline
    let corner = pixel(Point(x: start, y: max(ground, tip)))
    let opposite = pixel(Point(x: end, y: min(ground, tip)))
    writer.rectangle(
      x: corner.x, y: corner.y, width: opposite.x - corner.x, height: opposite.y - corner.y,
      [("fill", color), ("fill-opacity", "0.8"), ("stroke", edge), ("stroke-width", "0.8")])
  }

  private mutating func drawHeatmap(_ grid: Grid, _ map: ColorMap?) {
    guard let map else { return }
    let stepX = 0.5 / Double(max(grid.columns - 1, 1))
    let stepY = 0.5 / Double(max(grid.rows - 1, 1))
    func edges(_ range: ClosedRange<Double>, _ index: Int, _ step: Double) -> (Double, Double) {
      let centre = 2 * step * Double(index)
      return (
        interpolate(range.lowerBound, range.upperBound, centre - step),
        interpolate(range.lowerBound, range.upperBound, centre + step)
      )
    }
    drawTiles(rows: grid.rows, columns: grid.columns) { row, column in
      map.color(grid.value(column: column, row: row), steps: 96)
    } across: {
      edges(grid.xRange, $0, stepX)
    } up: {
      edges(grid.yRange, $0, stepY)
    }
  }

  private mutating func drawMatrix(_ matrix: Matrix, _ map: ColorMap?) {
    guard let map else { return }
    drawTiles(rows: matrix.rows, columns: matrix.columns) { row, column in
      map.color(matrix.value(row: row, column: column))
    } across: {
      (Double($0) - 0.5, Double($0) + 0.5)
    } up: {
      (Double($0) - 0.5, Double($0) + 0.5)
    }
    for border in matrix.borders {
      guard let x = layout.x.position(Double(border) - 0.5), let y = layout.y.position(Double(border) - 0.5)
      else { continue }
      let thin = [("stroke", "#333333"), ("stroke-width", "0.8")]
      writer.line(pixel(Point(x: x, y: 0)), pixel(Point(x: x, y: 1)), thin)
      writer.line(pixel(Point(x: 0, y: y)), pixel(Point(x: 1, y: y)), thin)
    }
  }

  /// Fills tiles, joining neighbours of one colour in a row, and all of one colour in one path.
  private mutating func drawTiles(
    rows: Int, columns: Int, color: (_ row: Int, _ column: Int) -> Color?,
    across: (Int) -> (Double, Double), up: (Int) -> (Double, Double)
  ) {
    var paths: [Color: String] = [:]
    var order: [Color] = []
    for row in 0..<rows {
      var column = 0
      while column < columns {
        let start = column
        let fill = color(row, column)
        while column < columns, color(row, column) == fill { column += 1 }
        guard let fill, let x0 = layout.x.position(across(start).0),
          let x1 = layout.x.position(across(column - 1).1),
          let y0 = layout.y.position(up(row).0), let y1 = layout.y.position(up(row).1)
        else { continue }
        let (a, b) = (pixel(Point(x: x0, y: y0)), pixel(Point(x: x1, y: y1)))
        if paths[fill] == nil { order.append(fill) }
        let number = SVGWriter.number
        paths[fill, default: ""] +=
          "M\(number(a.x)) \(number(a.y))H\(number(b.x))V\(number(b.y))H\(number(a.x))Z"
      }
    }
    writer.open("g", [("shape-rendering", "crispEdges")])
    for fill in order { writer.element("path", [("d", paths[fill] ?? ""), ("fill", fill.hex)]) }
    writer.close("g")
  }
}
