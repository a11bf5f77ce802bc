/// What a figure is drawn on, as far as its layout depends on it.
struct Medium {
  var isTerminal: Bool
  /// The margin around the data, a fraction of its range.
  var margin: Double
  /// How many contour levels can be told apart.
  var levelCount: Int
}

/// A figure with everything decided that backends share: ranges, colours, levels, legend and key.
struct FigureLayout {
  let figure: Figure
  let x: AxisLayout
  let y: AxisLayout
  /// A colour and a number for each mark; the number picks glyphs.
  let inks: [(color: Color, number: Int)]
  /// Contour lines by mark, from the lowest level to the highest.
  let contours: [Int: [ContourLevel]]
  let colorMaps: [Int: ColorMap]
  let legend: [LegendEntry]
  let key: ColorKey?

  init(_ figure: Figure, on medium: Medium) {
    self.figure = figure
    let marks = figure.marks
    x = FigureLayout.xAxis(figure, margin: medium.margin)
    y = FigureLayout.yAxis(figure, margin: medium.margin)
    let hasImage = marks.contains(where: \.isImage)
    var inks: [(Color, Int)] = []
    var used = 0
    for mark in marks {
      let plain = medium.isTerminal ? Palette.terminalSeries : Palette.series
      let colors = hasImage ? Palette.overlay : plain
      inks.append((colors[used % colors.count], used))
      if !mark.isImage { used += 1 }
    }
    self.inks = inks
    var contours: [Int: [ContourLevel]] = [:]
    var maps: [Int: ColorMap] = [:]
    for (index, mark) in marks.enumerated() {
      switch mark {
      case .contour(let grid, let levels):
        contours[index] = ContourLevel.all(of: grid, at: levels, medium: medium)
      case .heatmap(let grid):
        maps[index] = ColorMap(covering: grid.values, scale: figure.colorBar.scale, isSigned: false)
      case .matrix(let matrix):
        maps[index] = ColorMap(covering: matrix.values, scale: .linear, isSigned: true)
      default: break
      }
    }
    self.contours = contours
    colorMaps = maps
    legend = LegendEntry.entries(marks, hasImage: hasImage)
    key = figure.colorBar.isShown ? ColorKey(marks, contours: contours, maps: maps) : nil
  }

  /// The place of a point in the frame, (0, 0) at its lower left; nil for a gap.
  func place(_ point: Point) -> Point? {
    guard let across = x.position(point.x), let up = y.position(point.y) else { return nil }
    return Point(x: across, y: up)
  }

  /// The runs of places between gaps.
  func runs(_ points: [Point]) -> [[Point]] {
    points.map(place).split(separator: nil).map { $0.compactMap { $0 } }
  }

  /// The height in the frame on which bars and stems stand.
  var baseline: Double { min(max(y.position(0) ?? 0, 0), 1) }

  /// Whether lines of text carry the glyph of their series: without colours, and where there are more series than colours.
  func marksSeries(_ options: TextOptions) -> Bool {
    options.color == .none || (inks.map(\.number).max() ?? 0) >= Palette.series.count
  }

  /// The matrix, when the figure shows one.
  var matrix: Matrix? {
    for case .matrix(let matrix) in figure.marks { return matrix }
    return nil
  }

  private static func xAxis(_ figure: Figure, margin: Double) -> AxisLayout {
    let axis = figure.xAxis
    var extent = Extent(scale: axis.scale)
    var ticks: [Tick]?
    var margin = margin
    for mark in figure.marks {
      for value in mark.xValues { extent.include(value) }
      switch mark {
      case .line, .band: extent.isTight = true
      case .contour, .heatmap: extent.setContinuous()
      case .matrix, .histogram: extent.isTight = true
      case .stems: margin = max(margin, 0.03)
      case .bars(let bars):
        extent.isTight = true
        ticks = bars.values.indices.map { Tick(value: Double($0), label: bars.label($0)) }
      default: break
      }
      if case .matrix(let matrix) = mark { ticks = indexTicks(matrix.columns, matrix.blocks) }
    }
    return layout(axis, extent, margin: margin, ticks: ticks)
  }

  private static func yAxis(_ figure: Figure, margin: Double) -> AxisLayout {
    var extent = Extent(scale: figure.yAxis.scale)
    var ticks: [Tick]?
    var isFlipped = false
    for mark in figure.marks {
      for value in mark.yValues { extent.include(value) }
      switch mark {
      case .contour, .heatmap: extent.setContinuous()
      case .histogram, .bars, .stems: extent.startsAtZero = true
      case .matrix(let matrix):
        extent.isTight = true
        isFlipped = true
        ticks = indexTicks(matrix.rows, matrix.blocks)
      default: break
      }
    }
    var result = layout(figure.yAxis, extent, margin: margin, ticks: ticks)
    result.isFlipped = isFlipped
    return result
  }

  private static func layout(_ axis: Axis, _ extent: Extent, margin: Double, ticks: [Tick]?) -> AxisLayout {
    if let range = axis.range, range.lowerBound.isFinite, range.upperBound.isFinite,
      axis.scale == .linear || range.lowerBound > 0
    {
      let (low, high) = AxisLayout.widened(range.lowerBound, range.upperBound, scale: axis.scale)
      return AxisLayout(
        scale: axis.scale, low: low, high: high, isIntegral: axis.isIntegral && high - low >= 1,
        fixedTicks: ticks)
    }
    let (low, high) = extent.range(margin: margin)
    let isIntegral = (axis.isIntegral || extent.isIntegral) && high - low >= 1 && high - low < 1e6
    return AxisLayout(scale: axis.scale, low: low, high: high, isIntegral: isIntegral, fixedTicks: ticks)
  }

  /// Ticks at round indices; small matrices have all of them. Blocks have their names instead.
  private static func indexTicks(_ count: Int, _ blocks: [Matrix.Block]) -> [Tick] {
    var start = 0
    let names = blocks.map { block in
      defer { start += max(block.size, 0) }
      return Tick(value: Double(start) + Double(max(block.size, 1) - 1) / 2, label: block.name)
    }
    if !names.isEmpty { return names }
    guard count > 0 else { return [] }
    let step = count <= 10 ? 1 : Int(max(Ticks.roundStep(atLeast: Double(count) / 10), 1))
    return stride(from: 0, to: count, by: step).map { Tick(value: Double($0), label: "\($0)") }
  }
}

extension Mark {
  /// Colours the plane by value, rather than being one of several series.
  var isImage: Bool {
    switch self {
    case .contour, .heatmap, .matrix: return true
    default: return false
    }
  }

  /// The values that the x axis has to reach.
  var xValues: [Double] {
    switch self {
    case .line(let series), .path(let series), .scatter(let series), .stems(let series):
      return series.points.map(\.x)
    case .band(let band): return Array(band.xs.prefix(band.count))
    case .contour(let grid, _), .heatmap(let grid): return [grid.xRange.lowerBound, grid.xRange.upperBound]
    case .matrix(let matrix): return [-0.5, Double(max(matrix.columns, 1)) - 0.5]
    case .histogram(let histogram): return histogram.bins.flatMap { [$0.left, $0.right] }
    case .bars(let bars): return [-0.5, Double(max(bars.values.count, 1)) - 0.5]
    case .arrows(let arrows): return (arrows.tails + arrows.heads).map(\.x)
    }
  }

  /// The values that the y axis has to reach.
  var yValues: [Double] {
    switch self {
    case .line(let series), .path(let series), .scatter(let series), .stems(let series):
      return series.points.map(\.y)
    case .band(let band): return Array(band.lower.prefix(band.count) + band.upper.prefix(band.count))
    case .contour(let grid, _), .heatmap(let grid): return [grid.yRange.lowerBound, grid.yRange.upperBound]
    case .matrix(let matrix): return [-0.5, Double(max(matrix.rows, 1)) - 0.5]
    case .histogram(let histogram): return histogram.bins.map(\.height)
    case .bars(let bars): return bars.values
    case .arrows(let arrows): return (arrows.tails + arrows.heads).map(\.y)
    }
  }
}
