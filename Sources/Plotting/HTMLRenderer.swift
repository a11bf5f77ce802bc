/// Draws a figure as a self-contained HTML page: the SVG within, and a read-out of the coordinates under the pointer, with
/// the value there for contours and heat maps and the nearest point of lines. Nothing is loaded from elsewhere.
public func renderHTML(_ figure: Figure, _ options: SVGOptions = SVGOptions()) -> String {
  let page = Medium(isTerminal: false, margin: 0.04, levelCount: 10)
  var renderer = SVGRenderer(FigureLayout(figure, on: page), options)
  renderer.draw()
  let picture = renderer.writer.document(
    width: renderer.size.x, height: renderer.size.y, title: figure.title, isInline: true)
  let title = SVGWriter.escaped(figure.title.isEmpty ? "figure" : figure.title)
  return """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <title>\(title)</title>
    <style>
    body { margin: 1.5em; font: 14px Helvetica, Arial, sans-serif; color: #333333; background: #ffffff }
    svg { max-width: 100%; height: auto }
    #readout { min-height: 1.4em; font-variant-numeric: tabular-nums }
    </style>
    </head>
    <body>
    \(picture)<p id="readout"></p>
    <script>
    \(PointerScript(renderer).text)
    </script>
    </body>
    </html>

    """
}

/// The script that tells what is under the pointer.
private struct PointerScript {
  let renderer: SVGRenderer
  private var layout: FigureLayout { renderer.layout }

  init(_ renderer: SVGRenderer) { self.renderer = renderer }

  var text: String {
    let frame = [renderer.left, renderer.top, renderer.width, renderer.height].map(SVGWriter.number)
    return """
      const frame = [\(frame.joined(separator: ", "))];
      const x = \(axis(layout.x, layout.figure.xAxis.label, "x")), y = \(axis(layout.y, layout.figure.yAxis.label, "y"));
      const series = [\(series.joined(separator: ",\n"))];
      const grid = \(grid);
      \(Self.program)
      """
  }

  private func axis(_ axis: AxisLayout, _ label: String, _ fallback: String) -> String {
    "{ low: \(number(axis.low)), high: \(number(axis.high)), log: \(axis.scale == .log), "
      + "flipped: \(axis.isFlipped), name: \(string(label.isEmpty ? fallback : label)) }"
  }

  private var series: [String] {
    layout.figure.marks.compactMap { mark -> String? in
      switch mark {
      case .line(let series), .path(let series), .scatter(let series), .stems(let series):
        let points = series.points.prefix(5000).map { "[\(number($0.x)), \(number($0.y))]" }
        return "{ name: \(string(series.name)), points: [\(points.joined(separator: ", "))] }"
      default: return nil
      }
    }
  }

  /// The values of a grid or matrix, unless there are so many that the page would grow beyond use.
  private var grid: String {
    for mark in layout.figure.marks {
      switch mark {
      case .contour(let grid, _) where grid.values.count > Self.valueLimit,
        .heatmap(let grid) where grid.values.count > Self.valueLimit:
        return "null"
      case .matrix(let matrix) where matrix.values.count > Self.valueLimit: return "null"
      case .contour(let grid, _), .heatmap(let grid):
        let values = grid.values.map { number($0, digits: 5) }
        return
          "{ columns: \(grid.columns), rows: \(grid.rows), x: \(pair(grid.xRange)), y: \(pair(grid.yRange)), "
          + "values: [\(values.joined(separator: ", "))] }"
      case .matrix(let matrix):
        let values = matrix.values.map { number($0, digits: 5) }
        return "{ columns: \(matrix.columns), rows: \(matrix.rows), x: [0, \(matrix.columns - 1)], "
          + "y: [0, \(matrix.rows - 1)], values: [\(values.joined(separator: ", "))] }"
      default: break
      }
    }
    return "null"
  }

  private static var valueLimit: Int { 1 << 16 }

  private func pair(_ range: ClosedRange<Double>) -> String {
    "[\(number(range.lowerBound)), \(number(range.upperBound))]"
  }

  private func number(_ value: Double, digits: Int = 12) -> String {
    value.isFinite ? "\(TickFormat.rounded(value, digits: digits))" : "null"
  }

  /// A text as a literal that cannot end the script.
  private func string(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar -> String in
      switch scalar {
      case "\"", "\\": return "\\\(scalar)"
      case "<": return "\\u003c"
      case _ where scalar.value < 32 || scalar.value == 0x2028 || scalar.value == 0x2029: return " "
      default: return String(scalar)
      }
    }
    return "\"\(escaped.joined())\""
  }

  private static let program = """
    const svg = document.querySelector("svg"), out = document.getElementById("readout");
    const show = v => v === null ? "none" : String(Number(v.toPrecision(6)));
    function at(axis, f) {
      if (axis.flipped) f = 1 - f;
      return axis.log ? Math.exp(Math.log(axis.low) * (1 - f) + Math.log(axis.high) * f)
        : axis.low * (1 - f) + axis.high * f;
    }
    function place(axis, v) {
      const f = axis.log ? Math.log(v / axis.low) / Math.log(axis.high / axis.low)
        : (v - axis.low) / (axis.high - axis.low);
      return axis.flipped ? 1 - f : f;
    }
    function value(u, v) {
      const i = Math.round((u - grid.x[0]) / ((grid.x[1] - grid.x[0]) || 1) * (grid.columns - 1));
      const j = Math.round((v - grid.y[0]) / ((grid.y[1] - grid.y[0]) || 1) * (grid.rows - 1));
      return i < 0 || j < 0 || i >= grid.columns || j >= grid.rows ? undefined : grid.values[j * grid.columns + i];
    }
    svg.addEventListener("mousemove", event => {
      const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      const a = (p.x - frame[0]) / frame[2], b = 1 - (p.y - frame[1]) / frame[3];
      if (a < 0 || a > 1 || b < 0 || b > 1) { out.textContent = ""; return; }
      const u = at(x, a), v = at(y, b);
      let text = `${x.name} = ${show(u)}, ${y.name} = ${show(v)}`;
      const z = grid ? value(u, v) : undefined;
      if (z !== undefined) text += `: ${show(z)}`;
      let best = null;
      for (const s of series) for (const q of s.points) {
        if (q[0] === null || q[1] === null) continue;
        const dx = (place(x, q[0]) - a) * frame[2], dy = (place(y, q[1]) - b) * frame[3], d = dx * dx + dy * dy;
        if (d < 400 && (!best || d < best.d)) best = { d, q, name: s.name };
      }
      if (best) text += `   nearest ${best.name} (${show(best.q[0])}, ${show(best.q[1])})`;
      out.textContent = text;
    });
    svg.addEventListener("mouseleave", () => { out.textContent = ""; });
    """
}
