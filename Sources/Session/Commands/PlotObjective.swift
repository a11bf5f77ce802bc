import Graph
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
        Coordinate(name: leaf.name + Self.index(entry, leaf.shape), leaf: leaf, entry: entry)
      }
    }
  }

  private static func index(_ entry: Int, _ shape: Shape) -> String {
    if shape.isEmpty || shape == [1] { return "" }
    let places = zip(shape, shape.rowMajorStrides).map { entry / $1 % $0 }
    return "[\(places.map(String.init).joined(separator: ", "))]"
  }
}

extension CommandCall {
  func plot(_ landscape: Landscape) throws {
    switch landscape.count {
    case 1: try show(curve(landscape))
    case 2: try show(map(landscape))
    default:
      let isObjective = subject.map { $0.span.text == interpreter.state.objective } ?? true
      guard isObjective else { throw tooMany(landscape) }
      try show(history())
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
    let range = try ranges().first ?? Self.spans(walk)[0]
    let points = range.points(try stepCount(241))
    let sweep = try self.sweep(landscape, total: points.count + walk.count)
    let values = try points.map { try sweep.values([$0]) }
    let isSingle = landscape.names.count == 1
    var marks = landscape.names.indices.map { k in
      Mark.line(Series(points, values.map { $0[k] }, name: isSingle ? "" : landscape.names[k]))
    }
    let heights = try walk.map { try sweep.values($0)[0] }
    let visited = zip(walk.map { $0[0] }, heights).filter { range.contains($0.0) }
    let series = Series(visited.map(\.0), visited.map(\.1))
    if isSingle { marks.append(visited.count > 1 ? .path(series) : .scatter(series)) }
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
      landscape, paths: [("", walked(landscape))], ranges: try ranges(), count: try stepCount(81))
  }

  /// The formula over its two numbers, on a grid of count×count points around all the paths, and the paths.
  func map(
    _ landscape: Landscape, paths: [(name: String, points: [[Double]])],
    ranges given: [ClosedRange<Double>] = [],
    count: Int = 81
  ) throws -> Figure {
    let standard = Self.spans(paths.flatMap(\.points))
    let x = given.first ?? standard[0]
    let y = given.last ?? standard[1]
    let (xs, ys) = (x.points(count), y.points(count))
    let sweep = try self.sweep(landscape, total: count * count)
    var values: [Double] = []
    values.reserveCapacity(count * count)
    for b in ys { for a in xs { values.append(try sweep.values([a, b])[0]) } }
    let grid = Grid(columns: count, rows: count, xRange: x, yRange: y, values: values)
    let walks = paths.map { path -> Mark in
      let series = Series(path.points.map { $0[0] }, path.points.map { $0[1] }, name: path.name)
      return path.points.count > 1 ? .path(series) : .scatter(series)
    }
    let coordinates = landscape.coordinates
    return Figure(
      title: landscape.names[0], xAxis: Axis(coordinates[0].name, range: x),
      yAxis: Axis(coordinates[1].name, range: y),
      marks: [try plane(grid)] + walks, colorBar: try colorBar())
  }

  /// A grid as contour lines or as colours.
  func plane(_ grid: Grid) throws -> Mark {
    let kind = try self.kind() ?? .contour
    let levels = try command.option("levels").map { try interpreter.whole($0.value) }
    switch kind {
    case .heat: return .heatmap(grid)
    case .contour:
      switch (try isLog(), levels) {
      case (true?, let count): return .contour(grid, levels: .logarithmic(count ?? 10))
      case (false?, let count): return .contour(grid, levels: .linear(count ?? 10))
      case (nil, let count?): return .contour(grid, levels: .linear(count))
      case (nil, nil): return .contour(grid)
      }
    default: throw unfit(kind, "a formula of two numbers", [.contour, .heat])
    }
  }

  func colorBar() throws -> ColorBar { ColorBar(scale: try isLog() == true ? .log : .linear) }

  func scale(_ fallback: Bool) throws -> Scale { try isLog() ?? fallback ? .log : .linear }

  func stepCount(_ fallback: Int) throws -> Int {
    let count = try integer("steps", default: fallback)
    guard (2...2001).contains(count) else {
      throw Diagnostic(.domain, "'steps' is 2 to 2001, not \(count)", at: command.option("steps")?.span)
    }
    return count
  }

  // MARK: The path

  /// Where the path has been, and the present point at its end, one list of coordinates a point.
  private func walked(_ landscape: Landscape) -> [[Double]] {
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

  private func sweep(_ landscape: Landscape, total: Int) throws -> LandscapeSweep {
    try LandscapeSweep(interpreter, landscape, total: total)
  }
}

/// Evaluates the formulas of a landscape at any point.
struct LandscapeSweep {
  private let sweep: Sweep
  private let leaves: [Leaf]

  init(_ interpreter: Interpreter, _ landscape: Landscape, total: Int) throws {
    leaves = landscape.leaves
    var start: [Int: Tensor] = [:]
    for leaf in leaves { start[leaf.id] = try interpreter.inputValue(leaf) }
    sweep = try Sweep(interpreter, landscape.formulas, varying: start, total: total)
  }

  func values(_ point: [Double]) throws -> [Double] {
    var replaced: [Int: Tensor] = [:]
    var offset = 0
    for leaf in leaves {
      let count = leaf.shape.elementCount
      replaced[leaf.id] = Tensor(Array(point[offset..<(offset + count)]), leaf.shape)
      offset += count
    }
    return try sweep(replaced).map(\.scalarValue)
  }
}

// MARK: - History

extension CommandCall {
  /// The objective and the norm of its gradient at the points of the path.
  func history() throws -> Figure {
    let elaborator = Elaborator(
      interpreter, environment: FormulaEnvironment(frameTag: interpreter.currentFrameTag))
    let (name, f) = try elaborator.objective(command.verbSpan)
    let points = interpreter.state.path.points
    guard points.count > 1 else {
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
      norms.append(found[1].doubles.reduce(0) { $0 + $1 * $1 }.squareRoot())
    }
    return try historyFigure(name, values, norms)
  }

  /// On a log axis; a function that has negative values is shown above its least value.
  private func historyFigure(_ name: String, _ values: [Double], _ norms: [Double]) throws -> Figure {
    let scale = try self.scale(true)
    let least = values.filter(\.isFinite).min() ?? 0
    let isShifted = scale == .log && least < 0
    let shown = isShifted ? values.map { $0 - least } : values
    let path = interpreter.state.path
    let label = path.count > path.points.count ? "move (thinned out)" : "move"
    return Figure(
      title: "history of \(name)", xAxis: Axis(label), yAxis: Axis(scale: scale),
      marks: [
        .line(Series(shown, name: isShifted ? "\(name) - min \(name)" : name)),
        .line(Series(norms, name: "‖∇\(name)‖")),
      ])
  }
}
