/// The key to the right of the frame: contour levels, or a bar of colours with values.
struct TextKey {
  private var rows: [TextLine]
  private(set) var width = 0

  init?(_ layout: FigureLayout, style: TextStyle, rows count: Int) {
    guard let key = layout.key, count > 0 else { return nil }
    switch key {
    case .levels(let levels): rows = TextKey.levels(levels, style, count)
    case .ramp(let map): rows = TextKey.ramp(map, style, count)
    }
    width = rows.map(\.width).max() ?? 0
  }

  func line(_ row: Int) -> TextLine { row < rows.count ? rows[row] : TextLine() }

  /// One level to a row, the highest on top; evenly thinned where there are more levels than rows.
  private static func levels(_ levels: [ContourLevel], _ style: TextStyle, _ count: Int) -> [TextLine] {
    let stride = (levels.count + count - 1) / count
    let shown = levels.reversed().enumerated().filter { $0.offset % max(stride, 1) == 0 }.map(\.element)
    return shown.map { level in
      var line = TextLine(" ")
      let usesSymbol = !style.options.hasManyColors || !style.options.usesBraille
      line.append(usesSymbol ? String(level.symbol) : "──", color: level.color)
      line.append(" " + level.label)
      return line
    }
  }

  private static func ramp(_ map: ColorMap, _ style: TextStyle, _ count: Int) -> [TextLine] {
    let axis = AxisLayout(scale: map.scale, low: map.low, high: map.high)
    var labels = [String](repeating: "", count: count)
    for tick in axis.ticks(target: max((count + 1) / 3, 2)) {
      labels[Int(((1 - tick.position) * Double(count - 1)).rounded())] = tick.label
    }
    let halves = style.options.hasManyColors && style.options.unicode ? 2 : 1
    return labels.enumerated().map { row, label in
      let steps = max(count * halves - 1, 1)
      let values = (0..<halves).map { half in
        axis.value(at: 1 - Double(row * halves + half) / Double(steps))
      }
      let cell = style.image(values, map)
      var line = TextLine(" ")
      line.append(cell)
      line.append(cell)
      if !label.isEmpty { line.append(" " + label) }
      return line
    }
  }
}

/// The legend below a text plot.
struct TextLegend {
  let layout: FigureLayout
  let style: TextStyle

  /// The entries side by side, on as many lines as they need.
  func lines(width: Int) -> [TextLine] {
    var lines: [TextLine] = []
    for entry in layout.legend {
      let item = self.item(entry, width: width)
      if var line = lines.last, line.width + 3 + item.width <= width {
        line.append("   ")
        line.append(item)
        lines[lines.count - 1] = line
      } else {
        lines.append(item)
      }
    }
    return lines
  }

  private func item(_ entry: LegendEntry, width: Int) -> TextLine {
    let (color, number) = layout.inks[entry.mark]
    var line = TextLine(sample(entry.sample, number), color: color)
    let name = entry.name.plotText(unicode: style.options.unicode)
    line.append(" " + name.truncated(to: max(width - line.width - 1, 1), unicode: style.options.unicode))
    return line
  }

  private func sample(_ sample: LegendEntry.Sample, _ number: Int) -> String {
    let glyph = style.series(number)
    let isColored = !layout.marksSeries(style.options)
    switch sample {
    case .line:
      if style.options.usesBraille { return isColored ? "──" : "─\(glyph)─" }
      return "\(glyph)\(glyph)"
    case .path:
      let step = style.options.usesBraille ? style.horizontal : style.step
      return "\(style.start)\(step)\(style.iterate(number))\(step)\(style.end)"
    case .point: return "\(glyph)"
    case .stem: return "\(style.stem)\(glyph)"
    case .area:
      return isBand(number) ? "\(style.shade(number))\(style.shade(number))" : "\(style.block(number))"
    case .arrow: return "\(style.step)\(style.arrowHead(dx: 1, dy: 0))"
    }
  }

  private func isBand(_ number: Int) -> Bool {
    zip(layout.figure.marks, layout.inks).contains { mark, ink in
      if case .band = mark { return ink.number == number && !mark.isImage }
      return false
    }
  }
}
