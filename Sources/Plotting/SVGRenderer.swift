/// The size of an SVG figure in pixels, and its name within a page.
public struct SVGOptions: Sendable, Equatable {
  public var width: Double
  public var height: Double
  /// The id of the clipping path: figures within one HTML page need different ones.
  public var id: String

  public init(width: Double = 720, height: Double = 480, id: String = "frame") {
    self.width = width
    self.height = height
    self.id = id
  }
}

/// Draws a figure as a complete standalone SVG document. The same figure always gives the same text.
public func renderSVG(_ figure: Figure, _ options: SVGOptions = SVGOptions()) -> String {
  let page = Medium(isTerminal: false, margin: 0.04, levelCount: 10)
  var renderer = SVGRenderer(FigureLayout(figure, on: page), options)
  renderer.draw()
  return renderer.writer.document(width: renderer.size.x, height: renderer.size.y, title: figure.title)
}

/// Places the parts of a figure on the page; extensions draw them.
struct SVGRenderer {
  let layout: FigureLayout
  let size: Point
  let id: String
  /// The inside of the axes, in pixels, y downward.
  private(set) var left = 0.0
  private(set) var top = 0.0
  private(set) var width = 0.0
  private(set) var height = 0.0
  var writer = SVGWriter()

  private(set) var xTicks: [AxisLayout.Label] = []
  private(set) var yTicks: [AxisLayout.Label] = []
  let titleLines: [String]
  private let legendRows: [[LegendEntry]]

  init(_ layout: FigureLayout, _ options: SVGOptions) {
    self.layout = layout
    id = options.id
    func bounded(_ length: Double) -> Double { length.isFinite ? min(max(length, 120), 20_000) : 480 }
    let size = Point(x: bounded(options.width), y: bounded(options.height))
    self.size = size
    titleLines = SVGWriter.wrapped(
      layout.figure.title, to: size.x - 24, scale: SVGRenderer.titleScale, lines: 2)
    let entries = layout.legend.map { entry in
      var entry = entry
      entry.name = SVGWriter.fitted(entry.name, to: size.x - 110)
      return entry
    }
    legendRows = SVGRenderer.rows(of: entries, width: size.x - 40)
    placeFrame()
  }

  mutating func draw() {
    drawGrid()
    writer.open("g", [("clip-path", "url(#\(id))")])
    for (index, mark) in layout.figure.marks.enumerated() { draw(mark, index) }
    writer.close("g")
    drawAxes()
    drawKey()
    drawLegend()
  }

  /// Bold titles against texts of the usual size.
  static let titleScale = 15 / SVGWriter.fontSize * 1.08
  /// The widest labels of a y axis, as a part of the page.
  private static let widestLabel = 0.3

  /// Room for what stands around the frame, ticks for its size, and the frame.
  private mutating func placeFrame() {
    let figure = layout.figure
    top = titleLines.isEmpty ? 18 : 24 + 20 * Double(titleLines.count)
    let bottom = 30 + (figure.xAxis.label.isEmpty ? 4 : 22) + Double(legendRows.count) * 22
    height = max(size.y - top - bottom, 20)
    yTicks = verticalTicks()
    left = 16 + yLabelWidth + (figure.yAxis.label.isEmpty ? 4 : 24)
    // The last label of the x axis reaches past the frame.
    let last =
      horizontalTicks(width: size.x * 0.8).last.map { $0.position > 0.9 ? tickWidth($0) / 2 : 0 } ?? 0
    let right = max(layout.key == nil ? 22 : 46 + keyWidth, last + 8)
    width = max(size.x - left - right, 20)
    shapeFrame()
    yTicks = verticalTicks()
    xTicks = horizontalTicks(width: width)
  }

  /// Square entries of matrices and equal units where they are asked for, as long as the frame does not become a strip.
  private mutating func shapeFrame() {
    var units: Point?
    if let matrix = layout.matrix, matrix.rows > 0, matrix.columns > 0 {
      units = Point(x: Double(matrix.columns), y: Double(matrix.rows))
    } else if layout.figure.hasEqualUnits, layout.x.scale == .linear, layout.y.scale == .linear {
      units = Point(x: layout.x.high - layout.x.low, y: layout.y.high - layout.y.low)
    }
    guard let units, units.x > 0, units.y > 0 else { return }
    let unit = min(width / units.x, height / units.y)
    let shape = Point(x: unit * units.x, y: unit * units.y)
    guard shape.x.isFinite, shape.y.isFinite else { return }
    let isMatrix = layout.matrix != nil
    // A long matrix keeps some thickness; other axes keep the whole frame.
    if !isMatrix, min(shape.x, shape.y) < min(width, height) * 0.4 { return }
    let least = min(width, height) * 0.25
    let (across, down) = (max(shape.x, min(least, width)), max(shape.y, min(least, height)))
    left += (width - across) / 2
    (width, height) = (across, down)
  }

  /// The width of the labels of the y axis.
  var yLabelWidth: Double { yTicks.map(tickWidth).max() ?? 0 }

  private func tickWidth(_ label: AxisLayout.Label) -> Double {
    SVGWriter.width(TickFormat.superscript(label.label))
  }

  /// A place in the frame, in pixels; of one out of reach the next that is not. Lines have directions to keep: see
  /// `line`.
  func pixel(_ place: Point) -> Point {
    let x = min(max(place.x, -Self.reach), Self.reach)
    let y = min(max(place.y, -Self.reach), Self.reach)
    return Point(x: left + x * width, y: top + (1 - y) * height)
  }

  var legendTop: Double {
    top + height + 30 + (layout.figure.xAxis.label.isEmpty ? 4 : 22)
  }

  /// Entries with their left edges, centred below the frame.
  var legendItems: [(entry: LegendEntry, x: Double, y: Double)] {
    legendRows.enumerated().flatMap { row, entries in
      let total = entries.reduce(0) { $0 + SVGRenderer.width(of: $1) }
      var x = max(left + width / 2 - total / 2, 8)
      return entries.map { entry in
        defer { x += SVGRenderer.width(of: entry) }
        return (entry, x, legendTop + 10 + Double(row) * 22)
      }
    }
  }

  private static func width(of entry: LegendEntry) -> Double { 58 + SVGWriter.width(entry.name) }

  private static func rows(of entries: [LegendEntry], width: Double) -> [[LegendEntry]] {
    var rows: [[LegendEntry]] = []
    var used = Double.infinity
    for entry in entries {
      let own = self.width(of: entry)
      if used + own > width {
        rows.append([entry])
        used = own
      } else {
        rows[rows.count - 1].append(entry)
        used += own
      }
    }
    return rows
  }

  private func verticalTicks() -> [AxisLayout.Label] {
    guard layout.y.fixedTicks != nil else { return layout.y.ticks(target: max(Int(height / 46), 2)) }
    let labels = layout.y.ticks(target: 1).map {
      (position: $0.position, label: SVGWriter.fitted($0.label, to: size.x * Self.widestLabel))
    }
    return AxisLayout.spaced(labels) {
      let place = $0.position * height
      return place - 7..<place + 7
    }
  }

  /// As many ticks as leave room between their labels.
  private func horizontalTicks(width: Double) -> [AxisLayout.Label] {
    if layout.x.fixedTicks != nil {
      let labels = layout.x.ticks(target: 1).map {
        (position: $0.position, label: SVGWriter.fitted($0.label, to: width / 2))
      }
      return AxisLayout.spaced(labels) {
        let (place, half) = ($0.position * width, tickWidth($0) / 2 + 4)
        return place - half..<place + half
      }
    }
    for target in stride(from: max(Int(width / 70), 2), to: 1, by: -1) {
      let ticks = layout.x.ticks(target: target)
      let room = width / Double(max(ticks.count, 1))
      if ticks.allSatisfy({ tickWidth($0) + 8 < room }) { return ticks }
    }
    return layout.x.ticks(target: 2)
  }
}
