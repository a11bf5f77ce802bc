/// The inside of the frame of a text plot: an image below, dots above it, glyphs on top.
struct TextSurface {
  let layout: FigureLayout
  let style: TextStyle
  let columns: Int
  let rows: Int
  private var image: [TextCell]
  private var canvas: any Canvas
  private var glyphs: [TextCell?]

  private var options: TextOptions { style.options }

  init(_ layout: FigureLayout, style: TextStyle, columns: Int, rows: Int) {
    self.layout = layout
    self.style = style
    self.columns = max(columns, 1)
    self.rows = max(rows, 1)
    image = Array(repeating: TextCell(), count: self.columns * self.rows)
    glyphs = Array(repeating: nil, count: self.columns * self.rows)
    canvas =
      style.options.usesBraille
      ? BrailleCanvas(columns: self.columns, rows: self.rows)
      : CharacterCanvas(columns: self.columns, rows: self.rows)
    for (index, mark) in layout.figure.marks.enumerated() { paint(mark, index) }
  }

  /// The finished row, counted from above.
  func line(_ row: Int) -> TextLine {
    var line = TextLine()
    for column in 0..<columns {
      let index = row * columns + column
      var cell = image[index]
      let over = glyphs[index] ?? canvas.cell(column: column, row: row)
      if let over {
        // Under a glyph the background is one colour: that of its lower half.
        let ground = cell.background ?? (cell.glyph == "▀" || cell.glyph == "▄" ? cell.color : nil)
        cell = TextCell(glyph: over.glyph, color: over.color, background: ground)
        if let ground { cell.color = over.color?.legible(on: ground) }
      }
      line.append(cell)
    }
    return line
  }

  /// The column of a place on the x axis.
  func column(at position: Double) -> Int {
    if layout.matrix != nil { return tile(position, of: columns) }
    return canvas.cellIndex(Point(x: position, y: 0)).column
  }

  /// The row of a place on the y axis.
  func row(at position: Double) -> Int {
    if layout.matrix != nil { return tile(1 - position, of: rows) }
    return canvas.cellIndex(Point(x: 0, y: position)).row
  }

  /// The cell that a place falls into where entries cover whole cells.
  private func tile(_ position: Double, of count: Int) -> Int {
    min(max(Int((position * Double(count) - 1e-6).rounded(.down)), 0), count - 1)
  }

  private mutating func paint(_ mark: Mark, _ index: Int) {
    let (color, number) = layout.inks[index]
    switch mark {
    case .line(let series): paintLine(series, color, number)
    case .path(let series): paintPath(series, color, number)
    case .scatter(let series):
      for place in series.points.compactMap(layout.place) { put(style.series(number), color, at: place) }
    case .stems(let series): paintStems(series, color, number)
    case .band(let band): paintBand(band, color, number)
    case .arrows(let arrows): paintArrows(arrows, color)
    case .contour: paintContours(layout.contours[index] ?? [])
    case .heatmap(let grid): paintHeatmap(grid, layout.colorMaps[index])
    case .matrix(let matrix): paintMatrix(matrix, layout.colorMaps[index])
    case .histogram(let histogram): paintHistogram(histogram, color, number)
    case .bars(let bars): paintBars(bars, color, number)
    }
  }

  private mutating func put(_ glyph: Character, _ color: Color, at place: Point) {
    guard place.isInFrame else { return }
    let (column, row) = canvas.cellIndex(place)
    glyphs[row * columns + column] = TextCell(glyph: glyph, color: color)
  }
}

// MARK: - Lines and points

extension TextSurface {
  private mutating func paintLine(_ series: Series, _ color: Color, _ number: Int) {
    let runs = layout.runs(series.points)
    let pen = Pen(color: color, glyph: style.series(number), layer: 2)
    for run in runs {
      // One dot would be lost.
      if run.count == 1, let only = run.first { put(style.point(number), color, at: only) }
      canvas.polyline(run, pen)
    }
    guard options.usesBraille, layout.marksSeries(options), layout.legend.count > 1 else { return }
    for run in runs { markLine(run, pen, number) }
  }

  /// Puts the glyph of a series on its line in regular distances, each series at other places.
  private mutating func markLine(_ run: [Point], _ pen: Pen, _ number: Int) {
    let period = 1 / 6.0
    var next = (Double(number % 4) + 0.5) * period / 4
    for (a, b) in zip(run, run.dropFirst()) where b.x > a.x {
      while next <= min(b.x, 1) {
        let height = interpolate(a.y, b.y, (next - a.x) / (b.x - a.x))
        if next >= a.x { put(pen.glyph, pen.color, at: Point(x: next, y: height)) }
        next += period
      }
    }
  }

  private mutating func paintPath(_ series: Series, _ color: Color, _ number: Int) {
    let runs = layout.runs(series.points)
    let iterates = runs.flatMap { $0 }
    let glyph = options.usesBraille ? style.iterate(number) : style.step
    for run in runs { canvas.polyline(run, Pen(color: color, glyph: glyph, layer: 3)) }
    if iterates.count <= columns || !options.usesBraille {
      for place in iterates { put(style.iterate(number), color, at: place) }
    }
    for run in runs { paintDirections(run, color) }
    if let first = iterates.first { put(style.start, color, at: first) }
    if let last = iterates.last { put(style.end, color, at: last) }
  }

  /// An arrow head in the middle of long steps, not closer to each other than some characters.
  private mutating func paintDirections(_ run: [Point], _ color: Color) {
    var walked = 0.0
    for (a, b) in zip(run, run.dropFirst()) {
      // A character is twice as high as wide.
      let (dx, dy) = ((b.x - a.x) * Double(columns), (b.y - a.y) * Double(rows) * 2)
      let length = (dx * dx + dy * dy).squareRoot()
      walked += length
      guard length > 6, walked > 14 else { continue }
      walked = 0
      put(style.arrowHead(dx: dx, dy: dy), color, at: Point(x: (a.x + b.x) / 2, y: (a.y + b.y) / 2))
    }
  }

  private mutating func paintStems(_ series: Series, _ color: Color, _ number: Int) {
    if layout.baseline > 0, layout.baseline < 1 {
      let ends = [Point(x: 0, y: layout.baseline), Point(x: 1, y: layout.baseline)]
      canvas.polyline(ends, Pen(color: color, glyph: style.horizontal, period: 2))
    }
    for place in series.points.compactMap(layout.place) {
      let foot = Point(x: place.x, y: layout.baseline)
      canvas.polyline([foot, place], Pen(color: color, glyph: style.stem, layer: 2))
      put(style.series(number), color, at: place)
    }
  }

  private mutating func paintArrows(_ arrows: Arrows, _ color: Color) {
    for (tail, head) in zip(arrows.tails, arrows.heads) {
      guard let from = layout.place(tail), let to = layout.place(head) else { continue }
      canvas.polyline([from, to], Pen(color: color, glyph: style.step, layer: 3))
      let (dx, dy) = ((to.x - from.x) * Double(columns), (to.y - from.y) * Double(rows) * 2)
      put(style.arrowHead(dx: dx, dy: dy), color, at: to)
    }
  }

  private mutating func paintContours(_ levels: [ContourLevel]) {
    for level in levels {
      let pen = Pen(color: level.color, glyph: level.symbol, layer: 1)
      for line in level.lines {
        for run in layout.runs(line.points) { canvas.polyline(run, pen) }
      }
    }
    guard !options.hasManyColors, options.usesBraille else { return }
    for level in levels {
      guard let longest = level.lines.max(by: { $0.points.count < $1.points.count }) else { continue }
      labelContour(longest.points.compactMap(layout.place), level)
    }
  }

  /// Writes the symbol of a level on its longest line, where no other is near.
  private mutating func labelContour(_ places: [Point], _ level: ContourLevel) {
    guard !places.isEmpty else { return }
    for step in [4, 2, 6, 3, 5, 1, 7] {
      let place = places[min(places.count * step / 8, places.count - 1)]
      guard place.isInFrame else { continue }
      let (column, row) = canvas.cellIndex(place)
      let near = max(column - 1, 0)...min(column + 1, columns - 1)
      if near.allSatisfy({ glyphs[row * columns + $0] == nil }) {
        glyphs[row * columns + column] = TextCell(glyph: level.symbol, color: level.color)
        return
      }
    }
  }
}

// MARK: - Areas

extension TextSurface {
  /// The centre of a column as a fraction of the frame.
  private func centre(_ column: Int) -> Double { (Double(column) + 0.5) / Double(columns) }

  private mutating func paintBand(_ band: Band, _ color: Color, _ number: Int) {
    for column in 0..<columns {
      let x = layout.x.value(at: centre(column))
      for index in 0..<max(band.count - 1, 0) where band.xs[index] <= x && x <= band.xs[index + 1] {
        let span = band.xs[index + 1] - band.xs[index]
        let fraction = span > 0 ? (x - band.xs[index]) / span : 0
        let ends = [band.lower, band.upper].compactMap {
          layout.y.position(interpolate($0[index], $0[index + 1], fraction))
        }
        guard ends.count == 2, let low = ends.min(), let high = ends.max() else { continue }
        for row in 0..<rows {
          let height = 1 - (Double(row) + 0.5) / Double(rows)
          guard height >= low, height <= high else { continue }
          image[row * columns + column] = TextCell(glyph: style.shade(number), color: color)
        }
      }
    }
  }

  private mutating func paintHistogram(_ histogram: Histogram, _ color: Color, _ number: Int) {
    for bin in histogram.bins where bin.height.isFinite {
      guard let left = layout.x.position(bin.left), let right = layout.x.position(bin.right),
        right > 0, left < 1
      else { continue }
      let start = Int((max(left, 0) * Double(columns)).rounded())
      let end = max(Int((min(right, 1) * Double(columns)).rounded()), start + 1)
      fill(start..<end, to: bin.height, color, number)
    }
  }

  private mutating func paintBars(_ bars: Bars, _ color: Color, _ number: Int) {
    for (index, value) in bars.values.enumerated() {
      guard let left = layout.x.position(Double(index) - 0.5),
        let right = layout.x.position(Double(index) + 0.5),
        right > 0, left < 1
      else { continue }
      let slot = (right - left) * Double(columns)
      let width = min(max(Int(slot * 0.75), 1), columns)
      let start = Int(((left + right) / 2 * Double(columns) - Double(width) / 2).rounded())
      fill(start..<start + width, to: value, color, number)
    }
  }

  /// A bar from the baseline, which is put between rows, to a value, in eighths of rows where Unicode allows.
  private mutating func fill(_ span: Range<Int>, to value: Double, _ color: Color, _ number: Int) {
    guard let top = layout.y.position(value) else { return }
    let unit = options.unicode ? 8 : 1
    let ground = Int((layout.baseline * Double(rows)).rounded()) * unit
    let tip = Int((min(max(top, 0), 1) * Double(rows * unit)).rounded())
    let isUpward = top >= layout.baseline
    let low = isUpward ? ground : min(tip / unit * unit, ground)
    let high = isUpward ? max(tip, ground) : ground
    for column in span where (0..<columns).contains(column) {
      for row in 0..<rows {
        let floor = (rows - 1 - row) * unit
        let filled = min(high - floor, unit)
        guard filled > 0, floor >= low else { continue }
        let glyph = filled < unit ? style.block(eighths: filled) : style.block(number)
        image[row * columns + column] = TextCell(glyph: glyph, color: color)
      }
    }
  }

  private mutating func paintHeatmap(_ grid: Grid, _ map: ColorMap?) {
    guard let map else { return }
    let (x, y) = (layout.x, layout.y)
    paintImage(map) { across, up in
      let middle = Point(
        x: (across.lowerBound + across.upperBound) / 2, y: (up.lowerBound + up.upperBound) / 2)
      return grid.nearestValue(x: x.value(at: middle.x), y: y.value(at: middle.y))
    }
  }

  private mutating func paintMatrix(_ matrix: Matrix, _ map: ColorMap?) {
    guard let map else { return }
    let (x, y) = (layout.x, layout.y)
    paintImage(map) { across, up in
      let columns = Matrix.indices(
        x.value(at: across.lowerBound), x.value(at: across.upperBound), count: matrix.columns)
      let rows = Matrix.indices(y.value(at: up.upperBound), y.value(at: up.lowerBound), count: matrix.rows)
      return matrix.dominant(rows: rows, columns: columns)
    }
  }

  /// Colours each cell, or each half of it, by the value of the part of the frame that it covers.
  private mutating func paintImage(
    _ map: ColorMap, value: (_ across: ClosedRange<Double>, _ up: ClosedRange<Double>) -> Double
  ) {
    func part(_ index: Int, _ count: Int) -> ClosedRange<Double> {
      Double(index) / Double(count)...Double(index + 1) / Double(count)
    }
    let halves = options.hasManyColors && options.unicode ? 2 : 1
    for row in 0..<rows {
      for column in 0..<columns {
        let values = (0..<halves).map { half in
          value(part(column, columns), part((rows - row) * halves - 1 - half, rows * halves))
        }
        let cell = style.image(values, map)
        if !cell.isBlank { image[row * columns + column] = cell }
      }
    }
  }
}

extension TextStyle {
  /// A cell that shows one value, or two above each other.
  func image(_ values: [Double], _ map: ColorMap) -> TextCell {
    guard let upper = values.first, let lower = values.last else { return TextCell() }
    guard options.hasManyColors else {
      return TextCell(glyph: map.shade(upper, unicode: options.unicode), color: map.color(upper))
    }
    let (top, bottom) = (map.color(upper), map.color(lower))
    if values.count == 1 || top == bottom { return TextCell(background: top) }
    if let top { return TextCell(glyph: "▀", color: top, background: bottom) }
    return TextCell(glyph: "▄", color: bottom)
  }
}

extension Matrix {
  /// The indices that a cell covers whose borders lie at `low` and `high`.
  static func indices(_ low: Double, _ high: Double, count: Int) -> Range<Int> {
    guard count > 0, low.isFinite, high.isFinite else { return 0..<0 }
    func clamped(_ value: Double) -> Int { Int(min(max(value, 0), Double(count))) }
    if high - low <= 1 {
      let index = min(clamped(((low + high) / 2 + 0.5).rounded(.down)), count - 1)
      return index..<index + 1
    }
    let start = min(clamped((low + 0.5).rounded()), count - 1)
    return start..<max(clamped((high + 0.5).rounded()), start + 1)
  }
}
