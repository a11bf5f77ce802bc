import Plotting
import Syntax
import Tensors

extension CommandCall {
  /// Something that is not a formula of one or two numbers: a vector, a matrix, or several vectors.
  func plot(_ values: [(value: Value, expr: Expr)]) throws {
    if values.count == 1, let cut = LandscapeCut(values[0].value, named: values[0].expr.span.text) {
      try show(figure(cut))
      return noteIdle()
    }
    let whole = values.count == 1 ? values[0] : nil
    if let figure = try whole.flatMap({ try spectrum($0.value) ?? pattern($0.value, $0.expr) }) {
      try show(figure)
      return noteIdle()
    }
    let vectors = try values.map { try shown($0.value, $0.expr) }
    if vectors.count == 1 {
      return try plotOne(vectors[0].tensor, vectors[0].blocks, name: values[0].expr.span.text, values[0].expr)
    }
    for (vector, item) in zip(vectors, values) where vector.tensor.rank != 1 {
      throw Diagnostic(
        .shape,
        "several values are plotted together when all are vectors, and this is \(item.value.kindName)",
        at: item.expr.span)
    }
    let x = vectors[0].tensor
    for (vector, item) in zip(vectors, values) where vector.tensor.count != x.count {
      throw Diagnostic(
        .shape, "vectors of \(x.count) and \(vector.tensor.count) entries do not fit in one plot",
        at: values[0].expr.span.union(item.expr.span),
        labels: [
          .init(values[0].expr.span, "\(x.count) entries"),
          .init(item.expr.span, "\(vector.tensor.count) entries"),
        ])
    }
    let series = zip(vectors, values).dropFirst().map { vector, item in
      Series(x.doubles, vector.tensor.doubles, name: values.count > 2 ? item.expr.span.text : "")
    }
    try show(
      figure(
        try series.map(joined), x: values[0].expr.span.text,
        y: values.count > 2 ? "" : values[1].expr.span.text))
    noteIdle()
    let isLog = try scale(false) == .log
    warnOfGaps(values[0].expr.span.text, x.doubles, isLog: false)
    for (series, item) in zip(series, values.dropFirst()) {
      warnOfGaps(item.expr.span.text, series.ys, isLog: isLog)
    }
  }

  /// What `spectrum` gives, drawn again: the density, with its band where there is one.
  private func spectrum(_ value: Value) throws -> Figure? {
    let fields = ["grid", "density", "low", "high"].compactMap { value[field: $0]?.tensor }
    guard fields.count == 4, fields.allSatisfy({ $0.rank == 1 && $0.count == fields[0].count }) else {
      return nil
    }
    let (grid, density, low, high) = (
      fields[0].doubles, fields[1].doubles, fields[2].doubles, fields[3].doubles
    )
    let hasBand = low != high
    let band = hasBand ? [Mark.band(Band(grid, lower: low, upper: high, name: "95 %"))] : []
    return try figure(
      band + [.line(Series(grid, density, name: hasBand ? "mean" : ""))], x: "λ", y: "density")
  }

  private func figure(_ marks: [Mark], x: String, y: String) throws -> Figure {
    Figure(xAxis: Axis(x), yAxis: Axis(y, scale: try scale(false)), marks: marks)
  }

  private func joined(_ series: Series) throws -> Mark {
    switch try kind() ?? .line {
    case .line: return .line(series)
    case .scatter: return .scatter(series)
    case .stems: return .stems(series)
    case .bars:
      return .bars(Bars(series.xs.map { NumberFormat(digits: 4)($0) }, series.ys, name: series.name))
    case let kind: throw unfit(kind, "a vector", [.line, .scatter, .stems, .bars, .hist])
    }
  }

  /// The tensor of a value that a plot can show, and the blocks of a Hessian.
  private func shown(_ value: Value, _ expr: Expr) throws -> (tensor: Tensor, blocks: [Matrix.Block]) {
    switch value {
    case .tensor(let t): return (t, [])
    case .blockMatrix(let t, let names, let sizes):
      return (t, names.count > 1 ? zip(names, sizes).map { Matrix.Block($0, size: $1) } : [])
    case .sparse(let matrix, let names, let sizes):
      guard let whole = value.tensor else {
        throw Diagnostic(
          .resource, "a sparse matrix of shape \(matrix.shape.shapeDescription) is too large to draw so",
          at: expr.span, hint: "plot it alone, without kind or with kind=pattern")
      }
      return try shown(names.isEmpty ? .tensor(whole) : .blockMatrix(whole, names: names, sizes: sizes), expr)
    case .bundle(_, let tensors): return (Tensor(vector: tensors.flatMap(\.doubles)), [])
    case .record:
      if let values = value[field: "values"] { return try shown(values, expr) }
      throw Diagnostic(
        .type, "a plot shows tensors, not a record", at: expr.span,
        hint: value.fieldNames.first.map { "pick a field: \(expr.span.text).\($0)" })
    default:
      let text = expr.span.text
      var hint: String?
      if case .tuple = value, text.hasPrefix("("), text.hasSuffix(")") {
        hint = "without parentheses: plot \(text.dropFirst().dropLast())"
      }
      throw Diagnostic(.type, "a plot shows tensors, not \(value.kindName)", at: expr.span, hint: hint)
    }
  }

  private func plotOne(_ tensor: Tensor, _ blocks: [Matrix.Block], name: String, _ expr: Expr) throws {
    guard tensor.count > 0 else {
      let state = tensor.rank == 1 ? "empty" : "of shape \(tensor.shape.shapeDescription)"
      throw Diagnostic(.domain, "there is nothing to plot: '\(name)' is \(state)", at: expr.span)
    }
    if try kind() == .hist, tensor.rank > 0 {
      try show(histogram(tensor, name))
      noteIdle(except: ["bins"])
      return warnNonFinite(name, [tensor])
    }
    switch tensor.rank {
    case 0:
      throw Diagnostic(
        .type, "there is nothing to plot: '\(name)' is a number", at: expr.span,
        hint: "say over what: plot \(name) for t in -1..1")
    case 1:
      let series = Series(tensor.doubles)
      try show(figure([try joined(series)], x: "index", y: name))
      noteIdle()
      warnOfGaps(name, tensor.doubles, isLog: try scale(false) == .log)
    case 2:
      let figure = try matrix(tensor, blocks, name)
      try show(figure)
      if let grid = figure.marks.first?.grid {
        noteIdle(except: try contourOptions())
        return try warnOfGaps(name, grid)
      }
      noteIdle()
      warnNonFinite(name, [tensor])
    default:
      throw Diagnostic(
        .shape, "a plot shows vectors and matrices, not a tensor of shape \(tensor.shape.shapeDescription)",
        at: expr.span, hint: "take a part of it, such as \(name)[0], or kind=hist")
    }
  }

  private func matrix(_ tensor: Tensor, _ blocks: [Matrix.Block], _ name: String) throws -> Figure {
    let (rows, columns) = (tensor.shape[0], tensor.shape[1])
    switch try kind() ?? .matrix {
    case .matrix:
      let picture = Matrix(rows: rows, columns: columns, values: tensor.doubles, blocks: blocks)
      return Figure(title: name, marks: [.matrix(picture)])
    case .heat, .contour, .filled:
      if let surface = LandscapeCut(table: tensor, name: name) { return try figure(surface) }
      guard rows > 1, columns > 1 else {
        throw Diagnostic(.shape, "a grid needs at least 2 rows and 2 columns", at: command.span)
      }
      let grid = Grid(
        columns: columns, rows: rows, xRange: 0...Double(columns - 1), yRange: 0...Double(rows - 1),
        values: tensor.doubles)
      return Figure(
        title: name, xAxis: Axis("column", isIntegral: true), yAxis: Axis("row", isIntegral: true),
        marks: try planes(grid), colorBar: try colorBar())
    case .line, .scatter, .stems:
      guard rows <= SweepResult.seriesLimit else {
        throw Diagnostic(
          .shape, "\(rows) rows are too many lines for one plot", at: command.span,
          hint: "at most \(SweepResult.seriesLimit); take some: \(name)[0..5, :]")
      }
      let marks = try (0..<rows).map { try joined(Series(tensor.slice($0).doubles, name: "row \($0)")) }
      return try figure(marks, x: "index", y: name)
    case let kind:
      throw unfit(
        kind, "a matrix", [.matrix, .pattern, .heat, .contour, .filled, .line, .scatter, .stems, .hist])
    }
  }
}
