extension SVGRenderer {
  private var titleStyle: [(String, String)] { [("font-size", "15"), ("font-weight", "600")] }

  /// Grid lines under the marks, where no image covers them, and the clipping path of the frame.
  mutating func drawGrid() {
    writer.open("clipPath", [("id", id)])
    writer.rectangle(x: left, y: top, width: width, height: height, [])
    writer.close("clipPath")
    guard !layout.figure.marks.contains(where: \.isOpaque) else { return }
    writer.open("g", [("stroke", SVGWriter.faint), ("stroke-width", "1")])
    let isNamed = layout.x.fixedTicks != nil
    if !isNamed { for tick in xTicks { gridLine(x: tick.position) } }
    for tick in yTicks { gridLine(y: tick.position) }
    writer.close("g")
    writer.open("g", [("stroke", "#f3f3f3"), ("stroke-width", "1")])
    for value in minor(layout.x) { if let place = layout.x.position(value) { gridLine(x: place) } }
    for value in minor(layout.y) { if let place = layout.y.position(value) { gridLine(y: place) } }
    writer.close("g")
  }

  private func minor(_ axis: AxisLayout) -> [Double] {
    axis.scale == .log && axis.fixedTicks == nil ? Ticks.minorLog(axis.low, axis.high) : []
  }

  private mutating func gridLine(x: Double) {
    writer.line(pixel(Point(x: x, y: 0)), pixel(Point(x: x, y: 1)), [])
  }

  private mutating func gridLine(y: Double) {
    writer.line(pixel(Point(x: 0, y: y)), pixel(Point(x: 1, y: y)), [])
  }

  /// The frame, ticks, labels and the title.
  mutating func drawAxes() {
    let bottom = top + height
    writer.open("g", [("stroke", "#666666"), ("stroke-width", "1"), ("fill", "none")])
    writer.rectangle(x: left, y: top, width: width, height: height, [])
    for tick in xTicks {
      let x = pixel(Point(x: tick.position, y: 0)).x
      writer.line(Point(x: x, y: bottom), Point(x: x, y: bottom + 5), [])
    }
    for tick in yTicks {
      let y = pixel(Point(x: 0, y: tick.position)).y
      writer.line(Point(x: left - 5, y: y), Point(x: left, y: y), [])
    }
    writer.close("g")
    for tick in xTicks {
      let x = pixel(Point(x: tick.position, y: 0)).x
      writer.text(TickFormat.superscript(tick.label), at: Point(x: x, y: bottom + 19))
    }
    for tick in yTicks {
      let y = pixel(Point(x: 0, y: tick.position)).y
      writer.text(TickFormat.superscript(tick.label), at: Point(x: left - 9, y: y + 4), anchor: "end")
    }
    drawTitles(bottom)
  }

  private mutating func drawTitles(_ bottom: Double) {
    let figure = layout.figure
    let middle = left + width / 2
    for (row, line) in titleLines.enumerated() {
      let half = SVGWriter.width(line) * SVGRenderer.titleScale / 2
      let place = Point(x: within(middle, half, size.x), y: 27 + 20 * Double(row))
      writer.text(line, at: place, titleStyle)
    }
    let scale = 13 / SVGWriter.fontSize
    let xLabel = SVGWriter.fitted(figure.xAxis.label, to: size.x - 16, scale: scale)
    if !xLabel.isEmpty {
      let x = within(middle, SVGWriter.width(xLabel) * scale / 2, size.x)
      writer.text(xLabel, at: Point(x: x, y: bottom + 40), [("font-size", "13")])
    }
    let yLabel = SVGWriter.fitted(figure.yAxis.label, to: size.y - 16, scale: scale)
    if !yLabel.isEmpty {
      let y = within(top + height / 2, SVGWriter.width(yLabel) * scale / 2, size.y)
      let place = Point(x: left - yLabelWidth - 22, y: y)
      let turn = "rotate(-90 \(SVGWriter.number(place.x)) \(SVGWriter.number(place.y)))"
      writer.text(yLabel, at: place, [("font-size", "13"), ("transform", turn)])
    }
  }

  /// The middle of a text moved so far that both ends are on the page.
  private func within(_ middle: Double, _ half: Double, _ length: Double) -> Double {
    min(max(middle, half + 8), max(length - half - 8, length / 2))
  }

  // MARK: - Key

  private var keyMap: ColorMap? {
    if case .ramp(let map) = layout.key { return map }
    return nil
  }

  private var keyLevels: [ContourLevel] {
    if case .levels(let levels) = layout.key { return levels }
    return []
  }

  private var keyTicks: [(position: Double, label: String)] {
    guard let map = keyMap else { return [] }
    return AxisLayout(scale: map.scale, low: map.low, high: map.high).ticks(target: max(Int(height / 60), 2))
  }

  /// The width of the labels of the key.
  var keyWidth: Double {
    let ticks = keyMap.map {
      AxisLayout(scale: $0.scale, low: $0.low, high: $0.high).ticks(target: 6).map(\.label)
    }
    let widths = (ticks ?? keyLevels.map(\.label)).map { SVGWriter.width(TickFormat.superscript($0)) }
    return min(widths.max() ?? 0, size.x / 4)
  }

  /// The bar of colours, or the list of levels, to the right of the frame.
  mutating func drawKey() {
    guard layout.key != nil else { return }
    let x = left + width + 16
    if let map = keyMap { drawRamp(map, x: x) }
    let levels = keyLevels
    let step = min(height / Double(max(levels.count, 1)), 20)
    let thinning = max(Int((13 / max(step, 0.1)).rounded(.up)), 1)
    let shown = levels.reversed().enumerated().filter { $0.offset % thinning == 0 }.map(\.element)
    for (row, level) in shown.enumerated() {
      let y = top + 8 + Double(row) * step * Double(thinning)
      writer.line(
        Point(x: x, y: y), Point(x: x + 14, y: y), [("stroke", level.color.hex), ("stroke-width", "2.5")])
      writer.text(TickFormat.superscript(level.label), at: Point(x: x + 20, y: y + 4), anchor: "start")
    }
    let label = layout.figure.colorBar.label
    if !label.isEmpty { writer.text(label, at: Point(x: x, y: top - 7), anchor: "start") }
  }

  private mutating func drawRamp(_ map: ColorMap, x: Double) {
    let steps = 64
    let axis = AxisLayout(scale: map.scale, low: map.low, high: map.high)
    for step in 0..<steps {
      guard let color = map.color(axis.value(at: (Double(step) + 0.5) / Double(steps))) else { continue }
      let y = top + height * Double(steps - 1 - step) / Double(steps)
      let overlap = step == 0 ? 0 : 0.5
      writer.rectangle(
        x: x, y: y, width: 14, height: height / Double(steps) + overlap, [("fill", color.hex)])
    }
    let edge = [("fill", "none"), ("stroke", "#666666")]
    writer.rectangle(x: x, y: top, width: 14, height: height, edge)
    for tick in keyTicks {
      let y = top + (1 - tick.position) * height
      writer.line(Point(x: x + 14, y: y), Point(x: x + 18, y: y), [("stroke", "#666666")])
      writer.text(TickFormat.superscript(tick.label), at: Point(x: x + 22, y: y + 4), anchor: "start")
    }
  }

  // MARK: - Legend

  mutating func drawLegend() {
    for item in legendItems {
      let color = layout.inks[item.entry.mark].color.hex
      let number = layout.inks[item.entry.mark].number
      let opacity = layout.figure.marks[item.entry.mark].isBand ? Self.bandOpacity : "0.8"
      drawSample(item.entry.sample, color, number, Point(x: item.x, y: item.y), opacity)
      writer.text(item.entry.name, at: Point(x: item.x + 36, y: item.y + 4), anchor: "start")
    }
  }

  private mutating func drawSample(
    _ sample: LegendEntry.Sample, _ color: String, _ number: Int, _ at: Point, _ opacity: String
  ) {
    let end = Point(x: at.x + 28, y: at.y)
    let stroke = [("stroke", color), ("stroke-width", "2")]
    switch sample {
    case .line: writer.line(at, end, stroke + SVGRenderer.dashes(number))
    case .path:
      writer.line(at, end, stroke)
      drawStart(Point(x: at.x + 2, y: at.y), color)
      drawEnd(Point(x: end.x - 2, y: end.y), color)
    case .point: writer.circle(Point(x: at.x + 14, y: at.y), radius: 3.5, [("fill", color)])
    case .stem:
      writer.line(Point(x: at.x + 14, y: at.y + 6), Point(x: at.x + 14, y: at.y - 4), stroke)
      writer.circle(Point(x: at.x + 14, y: at.y - 4), radius: 3, [("fill", color)])
    case .area:
      writer.rectangle(
        x: at.x + 6, y: at.y - 5, width: 18, height: 10, [("fill", color), ("fill-opacity", opacity)])
    case .arrow: drawArrow(from: at, to: Point(x: end.x - 4, y: end.y), color)
    }
  }
}

extension Mark {
  fileprivate var isBand: Bool {
    if case .band = self { return true }
    return false
  }

  /// Covers the whole frame, grid lines included.
  fileprivate var isOpaque: Bool {
    switch self {
    case .heatmap, .matrix: return true
    default: return false
    }
  }
}
