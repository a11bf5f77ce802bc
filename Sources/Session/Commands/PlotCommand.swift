import Graph
import Plotting
import Syntax
import Tensors

extension Commands {
  /// What any figure takes.
  static let figureOptions: [(name: String, text: String)] = [
    ("log", "a logarithmic axis, levels or colours"),
    ("title", "the line above"),
    ("xlabel", "the text below"),
    ("ylabel", "the text at the left"),
    ("size", "columns, on a terminal no more than it has"),
    ("height", "lines"),
  ]

  static var plotCommand: CommandDefinition {
    CommandDefinition(
      verb: "plot", usage: "plot [FORMULA, …] [for t in A..B [, s in C..D]] [range A..B [, C..D]] [live]",
      summary:
        "Draws a curve, contour, heat map, history, matrix or histogram, chosen by what it is given; live, again after every step. "
        + "plot eig shows the eigenvalues of the objective's Hessian as stems, or with kind=hist as a histogram.",
      options: [
        ("kind", "line, scatter, stems, bars, hist, matrix, pattern, heat, contour or filled"),
        ("range", "what the params run over: range=-2..2"),
        ("steps", "points along each axis"),
        ("levels", "about how many contour lines"),
        ("bins", "bars of a histogram, at most 10000"),
        ("model", "true adds the local quadratic model: ellipse, eigenvectors, Newton step"),
      ] + figureOptions,
      example: "plot f\nplot sin(t), cos(t) for t in -3..3\nplot eig kind=hist"
    ) { call in
      do {
        let result = try call.plotCommand()
        call.keepLive()
        return result
      } catch is NothingYet {
        call.keepLive()
        call.print("nothing to show yet: the plot appears when the params move")
        return .nothing
      }
    }
  }
}

extension CommandCall {
  func plotCommand() throws -> Value {
    if let bindings = command.clause("for")?.bindings { return try plotOver(bindings) }
    try refuseLooseRanges()
    if command.subjects.isEmpty {
      try plot(objectiveLandscape())
      return .nothing
    }
    if case .name("history")? = subject?.kind, interpreter.state.globals["history"] == nil {
      try show(interpreter.state.training.map(trainingFigure) ?? history())
      noteIdle()
      return .nothing
    }
    if case .name("eig")? = subject?.kind, interpreter.lookup("eig") == nil { return try plotEigenvalues() }
    if let landscape = try subjectsLandscape() {
      try plot(landscape)
      return .nothing
    }
    if let lines = try literalVectors() {
      let marks = lines.map { Mark.line(Series($0.tensor.doubles, name: $0.name)) }
      let scale = try scale(false)
      try show(Figure(xAxis: Axis("index"), yAxis: Axis(scale: scale), marks: marks))
      noteIdle()
      for line in lines { warnOfGaps(line.name, line.tensor.doubles, isLog: scale == .log) }
      return .nothing
    }
    let values = try command.subjects.map { (value: try interpreter.evaluate($0), expr: $0) }
    try plot(values)
    return isAssigned ? values[0].value : .nothing
  }

  /// Notes options of `plot` that this plot does not heed.
  func noteIdle(except heeded: Set<String> = []) {
    noteIdle(
      [
        "range": "formulas of params", "steps": "formulas", "levels": "contour lines", "bins": "kind=hist",
        "model": "formulas of one or two params",
      ], except: heeded)
  }

  /// Options that concern contour lines, where there are some.
  func contourOptions() throws -> Set<String> { try kind() == .heat ? [] : ["levels"] }

  // MARK: for t in …

  private func plotOver(_ bindings: [Command.Binding]) throws -> Value {
    guard bindings.count <= 2 else {
      throw Diagnostic(.syntax, "a plot runs over one or two names", at: bindings[2].span)
    }
    for binding in bindings where command.option("kind") == nil {
      guard case .literal = binding.domain.kind, let range = Self.pair(binding.domain) else { continue }
      warn("'\(binding.name)' takes these two values alone; a range is written \(range)")
    }
    let subjects = command.subjects.isEmpty ? try objectiveSubject() : command.subjects
    let result = try sweep(subjects, bindings)
    if bindings.count == 1 {
      try show(curves(result))
      noteIdle(except: ["steps"])
      let isLog = try scale(false) == .log
      for (name, values) in zip(result.names, result.values) { warnOfGaps(name, values, isLog: isLog) }
    } else {
      let grid = try grid(result)
      try show(map(result, grid))
      noteIdle(except: try contourOptions().union(["steps"]))
      try warnOfGaps(result.names[0], grid)
    }
    guard isAssigned else { return .nothing }
    let axes = result.axes.map { ($0.name, Value.tensor(Tensor(vector: $0.points))) }
    let shape = result.axes.reversed().map(\.points.count)
    let values = result.values.count == 1 ? result.values[0] : result.values.flatMap { $0 }
    let whole = result.values.count == 1 ? shape : [result.values.count] + shape
    return .record(axes + [("values", .tensor(Tensor(values, whole)))])
  }

  private func objectiveSubject() throws -> [Expr] {
    let (name, _) = try interpreter.elaborator().objective(command.verbSpan)
    return [Expr(.name(name), Span(SourceText(name: "<plot>", text: name), 0, name.utf8.count))]
  }

  private func curves(_ result: SweepResult) throws -> Figure {
    let axis = result.axes[0]
    let isSingle = result.values.count == 1
    let marks = try zip(result.names, result.values).map { name, values in
      try curve(Series(axis.points, values, name: isSingle ? "" : name), of: "a formula of one number")
    }
    return Figure(
      xAxis: Axis(axis.name, scale: axis.isLog ? .log : .linear),
      yAxis: Axis(isSingle ? result.names[0] : "", scale: try scale(false)), marks: marks)
  }

  private func grid(_ result: SweepResult) throws -> Grid {
    guard result.values.count == 1 else {
      throw Diagnostic(
        .type, "over two names, one number is plotted at a time", at: command.subjects.last?.span)
    }
    let (x, y) = (result.axes[0], result.axes[1])
    if let uneven = [x, y].firstIndex(where: \.isLog) {
      throw Diagnostic(
        .domain, "a plot over two names has linear axes", at: command.clause("for")?.bindings[uneven].span,
        hint: "plot over the exponent: for r in -3..0, with 10^r in the formula")
    }
    return Grid(
      columns: x.points.count, rows: y.points.count, xRange: x.range, yRange: y.range,
      values: result.values[0])
  }

  private func map(_ result: SweepResult, _ grid: Grid) throws -> Figure {
    let (x, y) = (result.axes[0], result.axes[1])
    return Figure(
      title: result.names[0], xAxis: Axis(x.name, range: x.range), yAxis: Axis(y.name, range: y.range),
      marks: try planes(grid), colorBar: try colorBar())
  }

  // MARK: Without for

  /// The subjects as formulas of params, when all are numbers that depend on one.
  private func subjectsLandscape() throws -> Landscape? {
    for expr in command.subjects { if case .command = expr.kind { return nil } }
    let elaborator = interpreter.elaborator()
    elaborator.mayDraw = true
    var nodes: [NodeID] = []
    for expr in command.subjects {
      elaborator.callResults.merge(try interpreter.runProcedures(in: expr)) { $1 }
      guard case .node(let node) = try elaborator.meaning(expr), elaborator.graph.shape(node).isEmpty,
        !elaborator.paramsBundle(of: [node]).nodes.isEmpty
      else { return nil }
      nodes.append(node)
    }
    return landscape(command.subjects.map(\.span.text), nodes, elaborator)
  }

  /// `plot [a, b]` with named vectors shows lines with a legend; other literals are matrices.
  private func literalVectors() throws -> [(name: String, tensor: Tensor)]? {
    guard command.subjects.count == 1, command.option("kind") == nil,
      case .literal(let rows)? = subject?.kind,
      rows.count == 1, rows[0].count > 1
    else { return nil }
    var lines: [(name: String, tensor: Tensor)] = []
    for item in rows[0] {
      if case .literal = item.kind { return nil }
      guard let tensor = try interpreter.evaluate(item).tensor, tensor.rank == 1 else { return nil }
      lines.append((item.span.text, tensor))
    }
    return lines
  }
}

extension Interpreter {
  /// For formulas in the present scope.
  func elaborator() -> Elaborator {
    Elaborator(self, environment: FormulaEnvironment(frameTag: currentFrameTag))
  }
}
