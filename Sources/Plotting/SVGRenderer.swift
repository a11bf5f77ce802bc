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

  let xTicks: [(position: Double, label: String)]
  let yTicks: [(position: Double, label: String)]
  private let legendRows: [[LegendEntry]]

  init(_ layout: FigureLayout, _ options: SVGOptions) {
    self.layout = layout
    id = options.id
    func bounded(_ length: Double) -> Double { length.isFinite ? min(max(length, 120), 20_000) : 480 }
    size = Point(x: bounded(options.width), y: bounded(options.height))
    yTicks = layout.y.ticks(target: max(Int(size.y / 60), 2))
    xTicks = SVGRenderer.fittingTicks(layout.x, width: size.x * 0.8)
    legendRows = SVGRenderer.rows(of: layout.legend, width: size.x - 40)
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

  /// The definition of the clipping path comes with the frame.
  private mutating func placeFrame() {
    let figure = layout.figure
    let labelWidth = yTicks.map { SVGWriter.width($0.label) }.max() ?? 0
    left = 16 + labelWidth + (figure.yAxis.label.isEmpty ? 4 : 24)
    top = figure.title.isEmpty ? 18 : 44
    let bottom = 30 + (figure.xAxis.label.isEmpty ? 4 : 22) + Double(legendRows.count) * 22
    let right = layout.key == nil ? 22.0 : 46 + keyWidth
    width = max(size.x - left - right, 20)
    height = max(size.y - top - bottom, 20)
    guard let matrix = layout.matrix, matrix.rows > 0, matrix.columns > 0 else { return }
    let entry = min(width / Double(matrix.columns), height / Double(matrix.rows))
    let square = Point(x: entry * Double(matrix.columns), y: entry * Double(matrix.rows))
    left += (width - square.x) / 2
    (width, height) = (square.x, square.y)
  }

  /// A place in the frame, in pixels.
  func pixel(_ place: Point) -> Point {
    // Bounded, so that lines may leave the frame but stay in the range of SVG viewers.
    let x = min(max(place.x, -50), 50)
    let y = min(max(place.y, -50), 50)
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

  /// As many ticks as leave room between their labels.
  private static func fittingTicks(_ axis: AxisLayout, width: Double) -> [(position: Double, label: String)] {
    for target in stride(from: max(Int(width / 70), 2), to: 1, by: -1) {
      let ticks = axis.ticks(target: axis.fixedTicks.map { max(target, $0.count * target / 8) } ?? target)
      let room = width / Double(max(ticks.count, 1))
      if ticks.allSatisfy({ SVGWriter.width($0.label) + 8 < room }) { return ticks }
    }
    return axis.ticks(target: 2)
  }
}
