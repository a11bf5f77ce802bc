import Graph
import Optimization
import Plotting
import Syntax
import Tensors

extension Commands {
  private static let directionOptions: [(name: String, text: String)] = [
    ("at", "the point to start from instead of the present params: a bundle, such as params saved before"),
    (
      "filters",
      "what random directions are scaled by in a weight matrix: columns (X @ W, the default) or rows"
    ),
    ("steps", "points along each axis"),
  ]

  static var sliceCommand: CommandDefinition {
    CommandDefinition(
      verb: "slice",
      usage: "slice [FORMULA, …] along D [range A..B] | slice [FORMULA, …] from P to Q [bend=true]",
      summary:
        "f along a line through the params, or between two points: straight, or on a trained curve with its barrier.",
      options: directionOptions + [
        ("model", "true adds the parabola of value, slope and curvature at the origin"),
        ("bend", "true trains a quadratic Bézier curve between the points (mode connectivity)"),
        ("training", "steps of that training, 200 unless given"),
        ("lr", "of that training (adam), in units of the points' distance per param"),
      ] + figureOptions,
      example: "slice f along grad range -1..1\na = params; step newton; slice f from a to params"
    ) { call in try LandscapeCommand(call).slice() }
  }

  static var surfaceCommand: CommandDefinition {
    CommandDefinition(
      verb: "surface", usage: "surface [FORMULA] along D1, D2 [range A..B [, C..D]]",
      summary: "f over a plane through the params, with the path walked as it is seen from there.",
      options: directionOptions + [
        ("kind", "contour, heat or filled (both)"), ("levels", "about how many contour lines"),
        ("model", "true adds the local quadratic model: ellipse, eigenvectors, Newton step"),
      ] + figureOptions,
      example: "surface f along eig(1), eig(2) steps=21\ns = surface f along x[0], x[1] steps=21; plot s"
    ) { call in try LandscapeCommand(call).surface() }
  }

  static var pathCommand: CommandDefinition {
    CommandDefinition(
      verb: "path", usage: "path [FORMULA] [along D1, D2]",
      summary:
        "The points walked, seen in a plane: that of their principal components unless directions are given.",
      options: directionOptions.filter { $0.name != "steps" } + figureOptions,
      example: "repeat 3 { step gd }; path along x[0], x[1]"
    ) { call in try LandscapeCommand(call).path() }
  }
}

/// One `slice`, `surface` or `path`.
struct LandscapeCommand {
  let call: CommandCall
  let landscape: Landscape
  let origin: [Double]
  /// The path, its last point being the present one; empty for another origin.
  let walk: [[Double]]

  var interpreter: Interpreter { call.interpreter }
  private var command: Command { call.command }

  init(_ call: CommandCall) throws {
    self.call = call
    landscape = try call.formulaLandscape()
    let walk = call.walked(landscape)
    let here = walk.last ?? []
    if let at = call.command.option("at") {
      origin = try call.point(at.value, landscape)
      self.walk = origin == here ? walk : []
    } else {
      (origin, self.walk) = (here, walk)
    }
  }

  private func directions(_ count: Int, default fallback: Expr? = nil) throws -> DirectionList {
    let exprs = command.clause("along")?.values ?? fallback.map { [$0] } ?? []
    guard !exprs.isEmpty else {
      throw Diagnostic(
        .syntax, "'\(command.verb)' needs \(count == 1 ? "a direction" : "two directions")", at: command.span,
        hint: "\(command.verb) \(landscape.names[0]) along \(count == 1 ? "grad" : "eig(1), eig(2)")")
    }
    let reader = DirectionReader(
      call: call, landscape: landscape, origin: origin, walk: walk,
      share: exprs.count > 1 ? 1 : count)
    let found = try reader.list(exprs)
    guard found.directions.count >= count else {
      throw Diagnostic(
        .syntax, "'\(command.verb)' takes two directions, and this is one", at: command.clause("along")?.span,
        hint: "write along \(found.directions[0].name), random")
    }
    if found.directions.count > count {
      let names = found.directions.prefix(count).map(\.name).joined(separator: ", ")
      call.warn("\(found.directions.count) directions are given, \(names) \(count == 1 ? "is" : "are") taken")
    }
    let taken = found.first(count)
    if count == 2, ParamPlane(origin: origin, directions: taken.directions).isDegenerate {
      throw parallel(taken.directions[0].name, taken.directions[1].name)
    }
    return taken
  }

  private func parallel(_ first: String, _ second: String) -> Diagnostic {
    let line = "slice \(landscape.names[0]) along \(first)"
    return Diagnostic(
      .domain, "\(first) and \(second) are parallel: they span a line, not a plane",
      at: command.clause("along")?.span ?? command.span,
      notes: landscape.count == 1 ? ["\(landscape.names[0]) depends on one number"] : [],
      hint: landscape.count == 1 ? "a line is shown by \(line)" : "write along \(first), random; or \(line)")
  }

  private func points(_ directions: [Direction]) throws -> LandscapePoints {
    try LandscapePoints(
      interpreter, landscape, origin: origin, directions: directions.map(\.vector), label: command.verb)
  }

  // MARK: slice

  func slice() throws -> Value {
    if command.clause("from") != nil || command.clause("to") != nil { return try between() }
    let list = try directions(1)
    let range = try call.ranges(axes: 1).first ?? -1...1
    let ts = range.points(try call.stepCount(201))
    // The origin is evaluated with the rest.
    let evaluation = try points(list.directions)
    let values = try evaluation((ts + [0]).map { [$0] }).map(\.doubles)
    let here = values[0].last
    var cut = LandscapeCut(
      names: landscape.names, along: list.directions.map(\.name), axes: [ts],
      values: values.map { Array($0.dropLast()) }, explained: list.explained,
      here: range.contains(0) ? here : nil)
    if try call.wantsModel(), range.contains(0) {
      cut.model = try evaluation.model(at: [0], name: landscape.names[0])
    }
    try call.show(call.figure(cut))
    noteModel(cut)
    call.noteIdle(Self.bendOptions)
    try report(cut, here)
    return call.isAssigned ? cut.value : .nothing
  }

  static let bendOptions: KeyValuePairs = [
    "bend": "slice from P to Q", "training": "bend=true", "lr": "bend=true",
  ]

  private func noteModel(_ cut: LandscapeCut) {
    if cut.model == nil, (try? call.wantsModel()) == true {
      call.warn("the quadratic model is left out: the point that it is taken at, 0, is not in the range")
    }
  }

  /// The least value, and the one at the origin.
  private func report(_ cut: LandscapeCut, _ here: Double?) throws {
    let format = call.format
    for (name, values) in zip(cut.names, cut.values) {
      guard let place = values.indices.filter({ values[$0].isFinite }).min(by: { values[$0] < values[$1] })
      else {
        call.warn("\(name) is not finite anywhere here")
        continue
      }
      let inner = cut.axes[0].count
      let coefficients =
        cut.isSurface
        ? "(\(format(cut.axes[0][place % inner])), \(format(cut.axes[1][place / inner])))"
        : "t = \(format(cut.axes[0][place]))"
      var line = "least \(name) = \(format(values[place])) at \(coefficients)"
      if let here, cut.names.count == 1 { line += "; \(name) = \(format(here)) at the origin" }
      call.print(line)
      if let grid = cut.grid {
        try call.warnOfGaps(name, grid)
      } else {
        call.warnOfGaps(name, values, isLog: try call.scale(false) == .log)
      }
    }
  }

  // MARK: surface

  func surface() throws -> Value {
    let cut = try surfaceCut()
    try call.show(call.figure(cut))
    noteModel(cut)
    try report(cut, cut.here)
    reportPath(cut)
    return call.isAssigned ? cut.value : .nothing
  }

  /// The formula over the plane of two directions, all points in one batch.
  func surfaceCut() throws -> LandscapeCut {
    guard landscape.names.count == 1 else {
      throw Diagnostic(
        .type, "a surface shows one formula", at: command.subjects[1].span,
        hint: call.misplacedHint(command.subjects[1]))
    }
    let isAnimated = command.verb == "animate"
    let list = try directions(2, default: isAnimated ? Expr(.name("pca"), command.verbSpan) : nil)
    let plane = ParamPlane(origin: origin, directions: list.directions)
    let seen = walk.count > 1 ? try plane.projections(of: walk) : []
    let given = try call.ranges(axes: 2)
    let fitting = list.explained.isEmpty ? [-1...1] : Self.ranges(around: seen.map(\.coefficients))
    let across = given.first ?? fitting[0]
    let up = given.last ?? fitting.last ?? across
    let count = try call.stepCount(51)
    let (ss, ts) = (across.points(count), up.points(count))
    let evaluation = try self.points(list.directions)
    let (values, here) = try evaluation.grid(ss, ts)
    let containsOrigin = across.contains(0) && up.contains(0)
    var cut = LandscapeCut(
      names: landscape.names, along: list.directions.map(\.name), axes: [ss, ts],
      values: [values], path: seen.map(\.coefficients), distances: seen.map(\.distance),
      explained: list.explained, here: containsOrigin ? here : nil)
    if try call.wantsModel(), containsOrigin {
      cut.model = try evaluation.model(at: [0, 0], name: landscape.names[0])
    }
    return cut
  }

  /// Ranges that show all points, with a margin.
  private static func ranges(around points: [[Double]]) -> [ClosedRange<Double>] {
    let bounds = (0..<2).map { k -> (low: Double, high: Double) in
      let values = points.map { $0[k] }
      return (values.min() ?? -1, values.max() ?? 1)
    }
    let widest = bounds.map { $0.high - $0.low }.max() ?? 1
    return bounds.map { bound in
      let margin = max((bound.high - bound.low) * 0.25, widest * 0.1, 1e-12)
      return (bound.low - margin)...(bound.high + margin)
    }
  }

  private func reportPath(_ cut: LandscapeCut) {
    let format = call.format
    if !cut.explained.isEmpty {
      let parts = zip(cut.along, cut.explained).map { "\($0) \(NumberFormat(digits: 4)(100 * $1)) %" }
      let total = NumberFormat(digits: 4)(100 * cut.explained.reduce(0, +))
      call.print("variance of the path: \(parts.joined(separator: ", ")); together \(total) %")
    }
    guard !cut.distances.isEmpty else { return }
    let text = interpreter.valueText
    let most = cut.distances.max() ?? 0
    let reach = walk.map { norm(zip($0, origin).map { $0 - $1 }) }.max() ?? 0
    if most <= 1e-12 * reach { return call.print("the path lies in the plane") }
    let list = text.beside(2).text(Tensor(vector: cut.distances))
    call.print(
      "distance of the path from the plane, at most \(format(most)):\n  " + ValueText.indented(list, by: 2))
  }

  // MARK: path

  func path() throws -> Value {
    guard walk.count > 1 else {
      throw Diagnostic(
        .domain, "nothing has been walked yet", at: command.span, hint: "walk first: step, minimize or train")
    }
    let own = Expr(.name("pca"), command.verbSpan)
    let list = try directions(2, default: own)
    let plane = ParamPlane(origin: origin, directions: list.directions)
    let seen = try plane.projections(of: walk)
    let cut = LandscapeCut(
      names: landscape.names, along: list.directions.map(\.name), axes: [[], []], values: [[]],
      path: seen.map(\.coefficients), distances: seen.map(\.distance), explained: list.explained)
    try call.show(
      Figure(
        title: "path of \(landscape.leaves.map(\.name).joined(separator: ", "))",
        xAxis: Axis(cut.axisNames[0]), yAxis: Axis(cut.axisNames[1]),
        marks: [NamedPath(points: cut.path).mark]))
    reportPath(cut)
    guard call.isAssigned else { return .nothing }
    let points = Tensor(walk.flatMap { $0 }, [walk.count, landscape.count])
    let kept: Set = ["along", "path", "distance", "explained"]
    guard case .record(let fields) = cut.value else { return .nothing }
    return .record([("points", .tensor(points))] + fields.filter { kept.contains($0.name) })
  }
}

extension CommandCall {
  /// The scalar formulas that a command names, or the objective, over their params.
  func formulaLandscape() throws -> Landscape {
    interpreter.trimGraph()
    if command.subjects.isEmpty { return try objectiveLandscape() }
    let elaborator = interpreter.elaborator()
    elaborator.mayDraw = true
    let nodes = try command.subjects.map { expr -> NodeID in
      elaborator.callResults.merge(try interpreter.runProcedures(in: expr)) { $1 }
      let node = try elaborator.node(expr)
      let shape = elaborator.graph.shape(node)
      guard shape.isEmpty else {
        throw Diagnostic(
          .shape, "'\(command.verb)' needs a scalar formula, not one of shape \(shape.shapeDescription)",
          at: expr.span, hint: "reduce it with sum or mean")
      }
      return node
    }
    let found = landscape(command.subjects.map(\.span.text), nodes, elaborator)
    guard found.count > 0 else {
      throw Diagnostic(
        .domain, "\(found.names[0]) depends on no param", at: subject?.span,
        hint: "params are declared with: param x = …")
    }
    return found
  }

  /// What stands after a clause that has its values already belongs to it with a sign in between.
  fileprivate func misplacedHint(_ subject: Expr) -> String? {
    let clause = command.clauses.last { $0.span.upper <= subject.span.lower }
    let option = command.options.last { $0.span.upper <= subject.span.lower }
    if let option, let name = option.name, option.span.lower >= clause?.span.upper ?? 0 {
      return "'\(name)' takes one value: \(option.span.text)"
    }
    guard let clause, let last = clause.values.last else { return nil }
    switch clause.keyword {
    case "along": return "directions stand between commas: along \(last.span.text), \(subject.span.text)"
    case "range": return "a range is written a..b: range \(last.span.text)..\(subject.span.text)"
    default: return nil
    }
  }

  /// A point of the params: a bundle over them, a flat vector, or the value of the only one.
  func point(_ expr: Expr, _ landscape: Landscape) throws -> [Double] {
    if let name = unknownWord(expr) {
      throw Diagnostic(
        .name, "'\(name)' is not bound", at: expr.span,
        hint: "keep a point before the params move, with: \(name) = params")
    }
    let value = try interpreter.evaluate(expr)
    let now = landscape.leaves.flatMap { interpreter.currentValue(of: $0)?.doubles ?? [] }
    if case .bundle(let names, let tensors) = value {
      let own = landscape.leaves.map(\.name)
      guard names.contains(where: own.contains) else {
        throw Diagnostic(
          .domain, "this point holds no param that \(landscape.names[0]) depends on", at: expr.span,
          notes: [
            "it holds \(names.joined(separator: ", "))",
            "\(landscape.names[0]) depends on \(own.joined(separator: ", "))",
          ])
      }
      return try interpreter.flat(names, tensors, landscape, expr, rest: now)
    }
    if let tensor = value.tensor {
      if tensor.shape == [landscape.count] { return tensor.doubles }
      if landscape.leaves.count == 1, tensor.shape == landscape.leaves[0].shape { return tensor.doubles }
    }
    throw Diagnostic(
      .shape, "a point holds a value for each param, and this is \(value.kindName)", at: expr.span,
      hint: "keep a point with: a = params")
  }
}
