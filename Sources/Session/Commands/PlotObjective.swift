import Graph
import Optimization
import Plotting
import Syntax
import Tensors

/// One number among the params of a formula.
struct Coordinate {
  /// `x`, `x[0]`, `W[1, 2]`
  let name: String
  let leaf: Leaf
  let entry: Int
}

/// Scalar formulas over the params that they depend on.
struct Landscape {
  let names: [String]
  let formulas: [NodeID]
  let leaves: [Leaf]

  var count: Int { leaves.reduce(0) { $0 + $1.shape.elementCount } }

  var coordinates: [Coordinate] {
    leaves.flatMap { leaf in
      (0..<leaf.shape.elementCount).map { entry in
        Coordinate(
          name: leaf.shape == [1] ? leaf.name : leaf.name + leaf.shape.subscripts(entry), leaf: leaf,
          entry: entry)
      }
    }
  }
}

/// Points that somebody went through, one list of coordinates each, in the order of a landscape's coordinates.
struct NamedPath {
  /// For the legend; empty for none.
  var name = ""
  let points: [[Double]]

  /// The first two coordinates as a mark.
  var mark: Mark {
    let series = Series(points.map { $0[0] }, points.map { $0[1] }, name: name)
    return points.count > 1 ? .path(series) : .scatter(series)
  }
}

extension CommandCall {
  func plot(_ landscape: Landscape) throws {
    switch landscape.count {
    case 1:
      let figure = try curve(landscape)
      try show(figure)
      warnOfPlace(landscape)
      noteIdle(except: Set(["range", "steps"] + (landscape.names.count == 1 ? ["model"] : [])))
      for (name, mark) in zip(landscape.names, figure.marks) {
        mark.curve.map { warnOfGaps(name, $0.ys, isLog: figure.yAxis.scale == .log) }
      }
    case 2:
      let figure = try map(landscape)
      try show(figure)
      warnOfPlace(landscape)
      noteIdle(except: try contourOptions().union(["range", "steps", "model"]))
      try figure.marks.first?.grid.map { try warnOfGaps(landscape.names[0], $0) }
    default:
      let isObjective = subject.map { $0.span.text == interpreter.state.objective } ?? true
      guard isObjective else { throw tooMany(landscape) }
      try show(history())
      noteIdle()
    }
  }

  private func tooMany(_ landscape: Landscape) -> Diagnostic {
    Diagnostic(
      .domain, "\(landscape.names[0]) depends on \(landscape.count) numbers, and a plot shows one or two",
      at: subject?.span, notes: ["params \(landscape.leaves.map(\.name).joined(separator: ", "))"],
      hint: "plot it along a line: plot f(x = x + t*d) for t in -1..1")
  }

  // MARK: One number

  private func curve(_ landscape: Landscape) throws -> Figure {
    let coordinate = landscape.coordinates[0]
    let walk = walked(landscape)
    let range = try ranges(axes: 1).first ?? Self.spans(walk)[0]
    let points = range.points(try stepCount(241))
    let evaluation = try coordinatePoints(landscape)
    let values = try evaluation(points.map { [$0] } + walk).map(\.doubles)
    let isSingle = landscape.names.count == 1
    let isNamed = try !isSingle || wantsModel()
    var marks = try landscape.names.indices.map { k in
      try curve(
        Series(points, Array(values[k].prefix(points.count)), name: isNamed ? landscape.names[k] : ""),
        of: "a formula of one number")
    }
    let heights = values[0].dropFirst(points.count)
    let visited = zip(walk.map { $0[0] }, heights).filter { range.contains($0.0) }
    let series = Series(visited.map(\.0), visited.map(\.1))
    if isSingle { marks.append(.path(series)) }
    if try wantsModel(), isSingle, let here = walk.last {
      let model = try evaluation.model(at: here, name: landscape.names[0])
      marks.append(.line(model.parabola(over: points, near: Array(values[0].prefix(points.count)))))
    }
    return Figure(
      xAxis: Axis(coordinate.name), yAxis: Axis(isSingle ? landscape.names[0] : "", scale: try scale(false)),
      marks: marks)
  }

  // MARK: Two numbers

  private func map(_ landscape: Landscape) throws -> Figure {
    guard landscape.names.count == 1 else {
      throw Diagnostic(
        .type, "over two numbers, one formula is plotted at a time", at: command.subjects[1].span)
    }
    return try map(
      landscape, paths: [NamedPath(points: walked(landscape))], ranges: try ranges(axes: 2),
      count: try stepCount(81)
    )
  }

  /// The formula over its two numbers, on a grid of count×count points, with paths over it: a colour and an entry in the
  /// legend for each that has a name. Without ranges the grid reaches around all of them.
  func map(
    _ landscape: Landscape, paths: [NamedPath], ranges given: [ClosedRange<Double>] = [], count: Int = 81
  ) throws -> Figure {
    let standard = Self.spans(paths.flatMap(\.points))
    let (x, y) = (given.first ?? standard[0], given.last ?? standard[1])
    let (xs, ys) = (x.points(count), y.points(count))
    let points = try coordinatePoints(landscape)
    let values = try points.grid(xs, ys).values
    let grid = Grid(columns: count, rows: count, xRange: x, yRange: y, values: values)
    let coordinates = landscape.coordinates
    var figure = Figure(
      title: landscape.names[0], xAxis: Axis(coordinates[0].name, range: x),
      yAxis: Axis(coordinates[1].name, range: y),
      marks: try planes(grid) + paths.map(\.mark) + modelMarks(points, landscape, x, y),
      colorBar: try colorBar())
    figure.hasEqualUnits = try wantsModel()
    return figure
  }

  /// A grid as contour lines, as colours, or as both.
  func planes(_ grid: Grid) throws -> [Mark] {
    switch try self.kind() ?? .contour {
    case .heat: return [.heatmap(grid)]
    case .contour: return [.contour(grid, levels: try levels())]
    case .filled: return [.heatmap(grid), .contour(grid, levels: try levels())]
    case let kind: throw unfit(kind, "a formula of two numbers", PlotKind.ofGrids)
    }
  }

  private func levels() throws -> Levels {
    let count = try bounded("levels", 1...100)
    switch (try isLog(), count) {
    case (true?, let count): return .logarithmic(count ?? 10)
    case (false?, let count): return .linear(count ?? 10)
    case (nil, let count?): return .linear(count)
    case (nil, nil): return .automatic
    }
  }

  func colorBar() throws -> ColorBar { ColorBar(scale: try isLog() == true ? .log : .linear) }

  func scale(_ fallback: Bool) throws -> Scale { try isLog() ?? fallback ? .log : .linear }

  func stepCount(_ fallback: Int) throws -> Int {
    let count = try integer("steps", default: fallback)
    guard (2...2001).contains(count) else {
      throw Diagnostic(.domain, "'steps' is 2 to 2001, not \(count)", at: command.option("steps")?.value.span)
    }
    return count
  }

  // MARK: The path

  /// The objective as a landscape: what paths are drawn over when `count` is 2.
  func objectiveLandscape() throws -> Landscape {
    let elaborator = interpreter.elaborator()
    let (name, node) = try elaborator.objective(command.verbSpan)
    return landscape([name], [node], elaborator)
  }

  func landscape(_ names: [String], _ nodes: [NodeID], _ elaborator: Elaborator) -> Landscape {
    let leaves = elaborator.paramsBundle(of: nodes).nodes.compactMap(elaborator.graph.leaf(of:))
    return Landscape(names: names, formulas: nodes, leaves: leaves)
  }

  /// Where the path has been, and the present point at its end, one list of coordinates a point.
  func walked(_ landscape: Landscape) -> [[Double]] {
    func flat(_ value: (Leaf) -> Tensor?) -> [Double]? {
      let parts = landscape.leaves.map { leaf in
        value(leaf).flatMap { $0.shape == leaf.shape ? $0.doubles : nil }
      }
      let numbers = parts.compactMap { $0 }.flatMap { $0 }
      return parts.contains { $0 == nil } || numbers.contains { !$0.isFinite } ? nil : numbers
    }
    var points = interpreter.state.path.points.compactMap { point in flat { point.params[$0.name] } }
    if let present = flat({ interpreter.currentValue(of: $0) }), points.last != present {
      points.append(present)
    }
    return points.isEmpty ? [[Double](repeating: 0, count: landscape.count)] : points
  }

  /// A present point that no plot can show.
  private func warnOfPlace(_ landscape: Landscape) {
    guard command.clause("range") == nil,
      let lost = landscape.leaves.first(where: { interpreter.currentValue(of: $0)?.isFinite == false })
    else { return }
    let place = walked(landscape).contains { $0.contains { $0 != 0 } } ? "where it has been" : "0"
    warn("\(lost.name) is not finite now; this is around \(place)")
  }

  /// For each coordinate a range around all points; alike in width unless the points stretch far more one way.
  private static func spans(_ points: [[Double]]) -> [ClosedRange<Double>] {
    let bounds = points[0].indices.map { k -> (centre: Double, half: Double) in
      let values = points.map { $0[k] }
      let (low, high) = (values.min() ?? 0, values.max() ?? 0)
      let centre = low / 2 + high / 2
      return (centre, max((high / 2 - low / 2) * 1.25, 1.5, abs(centre) * 0.05))
    }
    let widest = bounds.map(\.half).max() ?? 1.5
    return bounds.map { bound in
      let half = widest / bound.half < 5 ? widest : bound.half
      return (bound.centre - half)...(bound.centre + half)
    }
  }

  /// The formulas over the coordinates themselves.
  private func coordinatePoints(_ landscape: Landscape) throws -> LandscapePoints {
    let count = landscape.count
    let axes = (0..<count).map { k in (0..<count).map { $0 == k ? 1.0 : 0 } }
    return try LandscapePoints(
      interpreter, landscape, origin: [Double](repeating: 0, count: count), directions: axes,
      label: command.verb)
  }

  /// With `model=true` the local quadratic model at the present point.
  private func modelMarks(
    _ points: LandscapePoints, _ landscape: Landscape, _ x: ClosedRange<Double>, _ y: ClosedRange<Double>
  ) throws -> [Mark] {
    guard try wantsModel(), let here = walked(landscape).last else { return [] }
    let model = try points.model(at: here, name: landscape.names[0])
    return try algebra { try model.marks(across: x, up: y) }
  }

  func wantsModel() throws -> Bool { try flag("model") }
}

// MARK: - History

/// A live plot of a history that has yet to begin.
struct NothingYet: Error {}

extension CommandCall {
  /// The objective and the norm of its gradient at the points of the path.
  func history() throws -> Figure {
    let elaborator = Elaborator(
      interpreter, environment: FormulaEnvironment(frameTag: interpreter.currentFrameTag))
    let (name, f) = try elaborator.objective(command.verbSpan)
    let points = interpreter.state.path.points
    guard points.count > 1 else {
      if command.clause("live") != nil { throw NothingYet() }
      throw Diagnostic(
        .domain, "there is no history of \(name) yet", at: command.span,
        hint: "walk first: step, minimize, or assign to a param")
    }
    let bundle = elaborator.paramsBundle(of: [f])
    let gradient = interpreter.graph.concatenated(interpreter.graph.grad(f, wrt: bundle.nodes))
    let leaves = bundle.nodes.compactMap(interpreter.graph.leaf(of:))
    let start = Dictionary(uniqueKeysWithValues: try leaves.map { ($0.id, try interpreter.inputValue($0)) })
    let sweep = try Sweep(interpreter, [f, gradient], varying: start, total: points.count)
    var values: [Double] = []
    var norms: [Double] = []
    for point in points {
      if let value = point.value, let norm = point.gradientNorm {
        values.append(value)
        norms.append(norm)
        continue
      }
      var replaced = start
      for leaf in leaves {
        if let old = point.params[leaf.name], old.shape == leaf.shape { replaced[leaf.id] = old }
      }
      let found = try sweep(replaced)
      values.append(found[0].scalarValue)
      norms.append(norm(found[1].doubles))
    }
    return try historyFigure(name, points.map { Double($0.number) }, values, norms)
  }

  /// What training recorded, over its epochs.
  func trainingFigure(_ training: TrainingHistory) throws -> Figure {
    let epochs = training["epoch"]
    let shown = training.shown
    return Figure(
      title: "training", xAxis: Axis("epoch"),
      yAxis: Axis(shown.count == 1 ? shown[0].name : "", scale: try scale(false)),
      marks: try shown.map { try curve(Series(epochs, $0.values, name: $0.name), of: "a history") })
  }

  /// On a log axis; a function that has negative values is shown above its least value.
  private func historyFigure(
    _ name: String, _ moves: [Double], _ values: [Double], _ norms: [Double]
  ) throws -> Figure {
    let scale = try self.scale(true)
    let least = values.filter(\.isFinite).min() ?? 0
    let isShifted = scale == .log && least < 0
    let shown = isShifted ? values.map { $0 - least } : values
    let label = interpreter.state.path.count > moves.count ? "move (not all are kept)" : "move"
    return Figure(
      title: "history of \(name)", xAxis: Axis(label), yAxis: Axis(scale: scale),
      marks: [
        try curve(Series(moves, shown, name: isShifted ? "\(name) - min \(name)" : name), of: "a history"),
        try curve(Series(moves, norms, name: "‖∇\(name)‖"), of: "a history"),
      ])
  }
}
