import Plotting
import Tensors

/// A cut through a landscape: formulas over one or two coefficients. What `slice` and `surface` give, and what `plot`
/// draws again.
struct LandscapeCut {
  /// What was evaluated: one name for each list of values.
  var names: [String]
  /// What the axes run along.
  var along: [String]
  /// Coefficients along each axis.
  var axes: [[Double]]
  /// A list for each name; over two axes the first runs fastest.
  var values: [[Double]]
  /// The path walked: coefficients of the nearest points of the plane, and how far away they are.
  var path: [[Double]] = []
  var distances: [Double] = []
  /// Fractions of the variance of the path that the axes stand for.
  var explained: [Double] = []
  /// f at the origin, where that lies in the cut.
  var here: Double?
  /// Of curves between two points: how far f rises above the line between its ends.
  var barriers: [Double] = []

  /// The local quadratic model at the origin.
  var model: QuadraticModel?

  var isSurface: Bool { axes.count == 2 }

  /// The first values over two axes; nil for one axis.
  var grid: Grid? {
    guard isSurface, let values = values.first else { return nil }
    let ranges = axes.map { ($0.min() ?? 0)...($0.max() ?? 0) }
    return Grid(
      columns: axes[0].count, rows: axes[1].count, xRange: ranges[0], yRange: ranges[1], values: values)
  }
}

// MARK: - As a value

extension LandscapeCut {
  var value: Value {
    var fields: [(name: String, value: Value)] = [
      ("kind", .string(isSurface ? "surface" : "slice")), ("formula", Self.words(names)),
      ("along", Self.words(along)),
    ]
    let letters = isSurface ? ["s", "t"] : ["t"]
    for (letter, points) in zip(letters, axes) { fields.append((letter, .tensor(Tensor(vector: points)))) }
    let shape = axes.reversed().map(\.count)
    let whole = names.count == 1 ? shape : [names.count] + shape
    fields.append(("values", .tensor(Tensor(values.flatMap { $0 }, whole))))
    if let here { fields.append(("here", .number(here))) }
    if !path.isEmpty {
      fields.append(("path", .tensor(Tensor(path.flatMap { $0 }, [path.count, axes.count]))))
      fields.append(("distance", .tensor(Tensor(vector: distances))))
    }
    if !explained.isEmpty { fields.append(("explained", .tensor(Tensor(vector: explained)))) }
    if !barriers.isEmpty { fields.append(("barrier", .tensor(Tensor(vector: barriers)))) }
    if let model {
      fields.append(("gradient", .tensor(Tensor(vector: model.gradient))))
      fields.append(("hessian", .tensor(Tensor(model.hessian, [axes.count, axes.count]))))
    }
    return .record(fields)
  }

  private static func words(_ words: [String]) -> Value {
    words.count == 1 ? .string(words[0]) : .tuple(words.map { .string($0) })
  }

  private static func words(_ value: Value?) -> [String]? {
    switch value {
    case .string(let word)?: return [word]
    case .tuple(let items)?:
      return items.compactMap { if case .string(let word) = $0 { return word } else { return nil } }
    default: return nil
    }
  }

  /// The cut that a record holds; nil for other values.
  ///
  /// - Parameter name: what it is called where the record has lost its words, as in an .npz file; with nil it must have them.
  init?(_ value: Value, named name: String? = nil) {
    let letters = value[field: "s"] == nil ? ["t"] : ["s", "t"]
    let axes = letters.compactMap { value[field: $0]?.tensor }.filter { $0.rank == 1 && $0.count > 0 }
      .map(\.doubles)
    guard axes.count == letters.count, let entries = value[field: "values"]?.tensor?.doubles else {
      return nil
    }
    let size = axes.reduce(1) { $0 * $1.count }
    let (names, along): ([String], [String])
    if case .string(let kind)? = value[field: "kind"] {
      guard kind == (letters.count == 2 ? "surface" : "slice"),
        let formulas = Self.words(value[field: "formula"]),
        let directions = Self.words(value[field: "along"]),
        directions.count == axes.count || kind == "slice"
      else { return nil }
      (names, along) = (formulas, directions)
    } else {
      guard let name else { return nil }
      let count = entries.count / size
      names = count == 1 ? [name] : (0..<count).map { "\(name)[\($0)]" }
      along = letters.count == 2 ? letters : []
    }
    guard !names.isEmpty, entries.count == size * names.count else { return nil }
    self.init(
      names: names, along: along, axes: axes,
      values: names.indices.map { Array(entries[($0 * size)..<(($0 + 1) * size)]) })
    here = value[field: "here"]?.tensor?.scalarValue
    if let path = value[field: "path"]?.tensor, path.rank == 2, path.shape[1] == axes.count {
      let flat = path.doubles
      self.path = (0..<path.shape[0]).map { row in axes.indices.map { flat[row * axes.count + $0] } }
      distances = value[field: "distance"]?.tensor?.doubles ?? []
    }
    explained = value[field: "explained"]?.tensor?.doubles ?? []
    barriers = value[field: "barrier"]?.tensor?.doubles ?? []
    if let gradient = value[field: "gradient"]?.tensor, let hessian = value[field: "hessian"]?.tensor,
      let here,
      gradient.count == axes.count, hessian.count == axes.count * axes.count
    {
      model = QuadraticModel(
        centre: axes.map { _ in 0 }, value: here, gradient: gradient.doubles, hessian: hessian.doubles,
        name: names[0])
    }
  }

  /// Columns for a file: the coefficients, then the values; a row for each point.
  var table: (names: [String], rows: Tensor) {
    let inner = axes[0]
    let count = values[0].count
    var entries: [Double] = []
    for place in 0..<count {
      entries.append(inner[place % inner.count])
      if isSurface { entries.append(axes[1][place / inner.count]) }
      entries += values.map { $0[place] }
    }
    let heads = (isSurface ? ["s", "t"] : ["t"]) + names
    return (heads, Tensor(entries, [count, heads.count]))
  }
}

extension LandscapeCut {
  /// The surface that a table holds as `table` writes it: rows (s, t, value) over a regular grid, s running fastest. Nil
  /// for other matrices.
  init?(table: Tensor, name: String) {
    guard table.rank == 2, table.shape[1] == 3, table.shape[0] > 3 else { return nil }
    let entries = table.doubles
    let count = table.shape[0]
    func column(_ k: Int) -> [Double] { (0..<count).map { entries[3 * $0 + k] } }
    let (s, t, values) = (column(0), column(1), column(2))
    let inner = t.firstIndex { $0 != t[0] } ?? 0
    guard inner > 1, count % inner == 0 else { return nil }
    let across = Array(s[..<inner])
    let up: [Double] = stride(from: 0, to: count, by: inner).map { t[$0] }
    guard Self.isEven(across), Self.isEven(up) else { return nil }
    for row in 0..<count where s[row] != across[row % inner] || t[row] != up[row / inner] { return nil }
    self.init(names: [name], along: ["s", "t"], axes: [across, up], values: [values])
  }

  private static func isEven(_ points: [Double]) -> Bool {
    guard points.count > 1, let first = points.first, let last = points.last, last > first else {
      return false
    }
    let step = (last - first) / Double(points.count - 1)
    for (k, point) in points.enumerated() {
      let expected: Double = first + Double(k) * step
      if abs(point - expected) > 1e-6 * step { return false }
    }
    return true
  }
}

// MARK: - As a figure

extension LandscapeCut {
  /// Of a plane's axes: coordinates count from the origin of the cut, x[0] itself would be another number.
  var axisNames: [String] {
    zip(["s", "t"], along).map { coordinate, name in
      name == coordinate ? name : "\(coordinate) along \(name)"
    }
  }
}

extension CommandCall {
  func figure(_ cut: LandscapeCut) throws -> Figure {
    if let grid = cut.grid { return try surfaceFigure(cut, grid) }
    return try sliceFigure(cut)
  }

  private func sliceFigure(_ cut: LandscapeCut) throws -> Figure {
    let isSingle = cut.names.count == 1
    var marks = try zip(cut.names, cut.values).map { name, values in
      try curve(Series(cut.axes[0], values, name: isSingle && cut.model == nil ? "" : name), of: "a slice")
    }
    if let model = cut.model, let values = cut.values.first {
      marks.append(.line(model.parabola(over: cut.axes[0], near: values)))
    }
    if let here = cut.here, isSingle { marks.append(.path(Series([0], [here]))) }
    let along = cut.along.joined(separator: ", ")
    return Figure(
      xAxis: Axis(along.isEmpty ? "t" : cut.barriers.isEmpty ? "t along \(along)" : "t \(along)"),
      yAxis: Axis(isSingle ? cut.names[0] : "", scale: try scale(false)), marks: marks)
  }

  private func surfaceFigure(_ cut: LandscapeCut, _ grid: Grid) throws -> Figure {
    let ranges = [grid.xRange, grid.yRange]
    let points = cut.path.isEmpty && cut.here != nil ? [[0, 0]] : cut.path
    let labels = zip(cut.axisNames, cut.explained.map(Optional.some) + [nil, nil]).map { axis, part in
      part.map { "\(axis), \(NumberFormat(digits: 3)(100 * $0)) % of the path's variance" } ?? axis
    }
    let distance = cut.distances.max() ?? 0
    let reach = cut.path.map { max(abs($0[0]), abs($0[1])) }.max() ?? 0
    let isOutside = distance > 1e-9 * reach
    let note = isOutside ? ", path up to \(NumberFormat(digits: 3)(distance)) from the plane" : ""
    var figure = Figure(
      title: cut.names[0] + note, xAxis: Axis(labels[0], range: ranges[0]),
      yAxis: Axis(labels[1], range: ranges[1]),
      marks: try planes(grid) + (points.isEmpty ? [] : [NamedPath(points: points).mark])
        + algebra { try cut.model?.marks(across: ranges[0], up: ranges[1]) ?? [] },
      colorBar: try colorBar())
    figure.hasEqualUnits = cut.model != nil
    return figure
  }
}
