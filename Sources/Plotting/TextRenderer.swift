/// Draws a figure with characters.
///
/// Lines are at most `options.width` columns wide and have no spaces at their ends. The result ends with a
/// newline.
public func renderText(_ figure: Figure, _ options: TextOptions = TextOptions()) -> String {
  var options = options
  options.width = min(max(options.width, 1), 10_000)
  options.height = min(max(options.height, 1), 10_000)
  let medium = Medium(isTerminal: true, margin: 0, levelCount: min(max(options.height / 4, 4), 12))
  let renderer = TextRenderer(FigureLayout(figure, on: medium), options)
  let lines = renderer.lines().map { $0.rendered(options.color, clippedTo: options.width) }
  return lines.joined(separator: "\n") + "\n"
}

/// Puts title, axes, frame, key and legend around the surface of a plot.
private struct TextRenderer {
  let layout: FigureLayout
  let options: TextOptions
  let style: TextStyle
  let legend: [TextLine]
  private var xLabel = ""
  private var yLabel = ""
  private var title = ""
  /// Columns taken by the labels of the y axis.
  private var gutter = 0
  private var key: TextKey?
  private var surface: TextSurface

  init(_ layout: FigureLayout, _ options: TextOptions) {
    self.layout = layout
    self.options = options
    style = TextStyle(options: options)
    let figure = layout.figure
    let unicode = options.unicode
    title = figure.title.plotText(unicode: unicode)
    xLabel = figure.xAxis.label.plotText(unicode: unicode)
    yLabel = figure.yAxis.label.plotText(unicode: unicode)
    legend = TextLegend(layout: layout, style: style).lines(width: options.width)
    let taken = 3 + legend.count + (title.isEmpty ? 0 : 1) + (xLabel.isEmpty ? 0 : 1)
    let rows = max(options.height - taken, 3)

    let labels = TextRenderer.yTicks(layout, rows: rows, options).map {
      $0.label.plotText(unicode: unicode).terminalWidth
    }
    // Names leave the plot most of the width.
    gutter = min((labels.max() ?? 0) + 1, options.width / (layout.y.fixedTicks == nil ? 2 : 3))
    key = TextKey(layout, style: style, rows: rows)
    if options.width - gutter - 2 - (key?.width ?? 0) < 12 { key = nil }
    if options.width - gutter - 2 < 8 { gutter = 0 }
    let columns = max(options.width - gutter - 2 - (key?.width ?? 0), 1)
    let size = TextRenderer.size(columns, rows, layout, options)
    if size.rows != rows, key != nil { key = TextKey(layout, style: style, rows: size.rows) }
    surface = TextSurface(layout, style: style, columns: size.columns, rows: size.rows)
  }

  /// A tick every third row or so, fewer where their rows would lie unevenly; indices and names may take every row.
  private static func yTicks(_ layout: FigureLayout, rows: Int, _ options: TextOptions) -> [AxisLayout.Label]
  {
    guard layout.y.fixedTicks != nil else {
      let most = max((rows + 1) / 3, 2)
      // More where fewer would leave one tick alone.
      let targets = Array((1...most).reversed()) + Array(most..<max(rows, most))
      let choices = targets.lazy.map { layout.y.ticks(target: $0) }
      // Two of three that are uneven are better than one.
      let usual = layout.y.ticks(target: most)
      let ends = usual.count == 3 ? [usual[0], usual[2]] : usual
      func row(_ y: Double) -> Int {
        options.usesBraille ? BrailleCanvas.row(at: y, of: rows) : CharacterCanvas.row(at: y, of: rows)
      }
      return choices.first { $0.count > 1 && AxisLayout.isEven($0, row: row) } ?? ends
    }
    return AxisLayout.spaced(layout.y.ticks(target: rows)) {
      let place = ((1 - $0.position) * Double(rows) - 1e-6).rounded(.down)
      return place..<place + 1
    }
  }

  /// A matrix gets square entries that cover whole characters, where there is room; a long one keeps some thickness.
  private static func size(
    _ columns: Int, _ rows: Int, _ layout: FigureLayout, _ options: TextOptions
  ) -> (columns: Int, rows: Int) {
    guard let matrix = layout.matrix, matrix.rows > 0, matrix.columns > 0 else { return (columns, rows) }
    let usesHalves = options.hasManyColors && options.unicode
    // In units of squares: half a character high, or two characters wide.
    let across = Double(usesHalves ? columns : columns / 2)
    let down = Double(usesHalves ? rows * 2 : rows)
    var scale = min(across / Double(matrix.columns), down / Double(matrix.rows))
    if scale >= 1 { scale = scale.rounded(.down) }
    if usesHalves, scale >= 2, matrix.rows % 2 == 1, Int(scale) % 2 == 1 { scale -= 1 }
    let width = (scale * Double(matrix.columns)).rounded() * (usesHalves ? 1 : 2)
    let height = (scale * Double(matrix.rows) / (usesHalves ? 2 : 1)).rounded(.up)
    return (
      min(max(Int(width), thickness(columns, matrix.columns)), columns),
      min(max(Int(height), thickness(rows, matrix.rows)), rows)
    )
  }

  /// A quarter of the room at least, in whole characters for each entry where they fit.
  private static func thickness(_ room: Int, _ entries: Int) -> Int {
    let least = max(room / 4, 1)
    return entries <= least ? least / entries * entries : least
  }

  func lines() -> [TextLine] {
    var lines: [TextLine] = []
    if !title.isEmpty {
      lines.append(centred(title.truncated(to: options.width, unicode: options.unicode), isBold: true))
    }
    lines.append(topOfFrame())
    lines += body()
    lines.append(bottomOfFrame())
    lines.append(xTickLabels())
    if !xLabel.isEmpty {
      lines.append(centred(xLabel.truncated(to: options.width, unicode: options.unicode)))
    }
    return lines + legend.map { line in centred(line) }
  }

  private func topOfFrame() -> TextLine {
    var line = TextLine()
    line.pad(to: gutter)
    line.append(TextCell(glyph: style.corners[0]))
    var room = surface.columns
    let label = yLabel.truncated(to: room - 4, unicode: options.unicode)
    if !label.isEmpty, room > 6 {
      line.append("\(style.horizontal) \(label) ")
      room -= 3 + label.terminalWidth
    }
    let borders = Set(blockBorders.map { Int(($0.across * Double(surface.columns)).rounded()) })
    for column in surface.columns - max(room, 0)..<surface.columns {
      line.append(TextCell(glyph: borders.contains(column) ? style.topTick : style.horizontal))
    }
    line.append(TextCell(glyph: style.corners[1]))
    if let key, !layout.figure.colorBar.label.isEmpty {
      let label = layout.figure.colorBar.label.plotText(unicode: options.unicode)
      line.append(" " + label.truncated(to: key.width - 1, unicode: options.unicode))
    }
    return line
  }

  private func body() -> [TextLine] {
    var labels = [String?](repeating: nil, count: surface.rows)
    for tick in TextRenderer.yTicks(layout, rows: surface.rows, options) {
      labels[surface.row(at: tick.position)] = tick.label
    }
    let borders = Set(blockBorders.map { Int(($0.down * Double(surface.rows)).rounded()) })
    return labels.enumerated().map { row, label in
      var line = TextLine()
      if gutter > 1, let label {
        let text = label.plotText(unicode: options.unicode)
          .truncated(to: gutter - 1, unicode: options.unicode)
        line.pad(to: gutter - 1 - text.terminalWidth)
        line.append(text)
      }
      line.pad(to: gutter)
      line.append(TextCell(glyph: label == nil ? style.vertical : style.leftTick))
      line.append(surface.line(row))
      line.append(TextCell(glyph: borders.contains(row) ? style.rightTick : style.vertical))
      if let key { line.append(key.line(row)) }
      return line
    }
  }

  /// Where the blocks of a matrix meet, as fractions of the frame from its upper left: there is no room for lines within.
  private var blockBorders: [(across: Double, down: Double)] {
    (layout.matrix?.borders ?? []).compactMap { border in
      guard let x = layout.x.position(Double(border) - 0.5), let y = layout.y.position(Double(border) - 0.5)
      else { return nil }
      return (x, 1 - y)
    }
  }

  private func bottomOfFrame() -> TextLine {
    var glyphs = [Character](repeating: style.horizontal, count: surface.columns)
    for label in xLabels() { glyphs[label.column] = style.bottomTick }
    var line = TextLine()
    line.pad(to: gutter)
    line.append(String([style.corners[2]] + glyphs + [style.corners[3]]))
    return line
  }

  private func xTickLabels() -> TextLine {
    var line = TextLine()
    for label in xLabels() {
      line.pad(to: label.start)
      line.append(label.text)
    }
    return line
  }

  private typealias XLabel = (column: Int, start: Int, text: String)

  /// As many labels as fit side by side with two spaces between them, one between names and indices.
  private func xLabels() -> [XLabel] {
    if layout.x.fixedTicks != nil {
      return AxisLayout.spaced(layout.x.ticks(target: 1)) {
        let label = xLabel($0, longest: surface.columns / 2)
        return Double(label.start)..<Double(label.start + label.text.terminalWidth + 1)
      }.map { xLabel($0, longest: surface.columns / 2) }
    }
    for target in stride(from: max(surface.columns / 6, 2), to: 0, by: -1) {
      let labels = layout.x.ticks(target: target).sorted { $0.position < $1.position }
        .map { xLabel($0, longest: surface.columns / 2) }
      let isClear = zip(labels, labels.dropFirst()).allSatisfy {
        $1.start >= $0.start + $0.text.terminalWidth + 2
      }
      if isClear { return labels }
    }
    return []
  }

  private func xLabel(_ tick: AxisLayout.Label, longest: Int) -> XLabel {
    let text = tick.label.plotText(unicode: options.unicode)
      .truncated(to: max(longest, 3), unicode: options.unicode)
    let column = surface.column(at: tick.position)
    let centred = gutter + 1 + column - (text.terminalWidth - 1) / 2
    return (column, max(min(centred, options.width - text.terminalWidth), 0), text)
  }

  private func centred(_ text: String, isBold: Bool = false) -> TextLine {
    centred(TextLine(text, isBold: isBold))
  }

  /// Over the middle of the frame, moved where it would not fit.
  private func centred(_ content: TextLine) -> TextLine {
    let middle = gutter + 1 + surface.columns / 2
    let start = min(max(middle - content.width / 2, 0), max(options.width - content.width, 0))
    var line = TextLine()
    line.pad(to: start)
    line.append(content)
    return line
  }
}
