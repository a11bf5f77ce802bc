import Engine
import Graph
import Optimization
import Syntax
import Tensors

/// Formulas compiled once and evaluated at many values of some of their leaves.
final class Sweep {
  private let plan: Plan
  private var inputs: [Tensor]
  private var places: [Int: Int] = [:]
  private let total: Int
  private let report: (String) -> Void
  private var done = 0
  private var reported = Machine.now

  /// - Parameters:
  ///   - varying: the leaves that every evaluation replaces, with their present values.
  ///   - total: evaluations to come, about, and what they are for: the progress line.
  init(
    _ interpreter: Interpreter, _ nodes: [NodeID], varying: [Int: Tensor], total: Int, label: String = "plot"
  ) throws {
    plan = try Plan(interpreter.graph, outputs: nodes, precision: interpreter.state.settings.precision)
    inputs = []
    self.total = total
    report = { interpreter.output(.progress("\(label): \($0)")) }
    for (place, leaf) in plan.inputs.enumerated() {
      if let value = varying[leaf.id] {
        places[leaf.id] = place
        inputs.append(value)
      } else {
        inputs.append(try interpreter.inputValue(leaf))
      }
    }
  }

  /// Whether the formulas depend on a leaf at all.
  func varies(with leaf: Int) -> Bool { places[leaf] != nil }

  /// The formulas with leaves replaced.
  func callAsFunction(_ replaced: [Int: Tensor]) throws -> [Tensor] {
    for (leaf, value) in replaced { if let place = places[leaf] { inputs[place] = value } }
    done += 1
    try Interruption.check()
    if done & 63 == 0, Machine.now - reported > 0.5 {
      reported = Machine.now
      report("\(min(99, 100 * done / max(total, 1)))%")
    }
    return try plan.run(inputs)
  }
}

/// `t in [log] a..b`: the points at which a plot is evaluated.
struct SweepAxis {
  let name: String
  let points: [Double]
  let isLog: Bool

  var range: ClosedRange<Double> { (points.min() ?? 0)...(points.max() ?? 0) }
}

extension CommandCall {
  /// The points of a binding; a vector names them itself.
  func axis(_ binding: Command.Binding, count: Int) throws -> SweepAxis {
    if binding.scale?.hasSuffix("int") == true {
      throw Diagnostic(
        .type, "a plot runs over all numbers of a range", at: binding.span,
        hint: "name the points: \(binding.name) in range(1, 9)")
    }
    guard case .range(let a?, let b?) = binding.domain.kind else {
      guard let points = try interpreter.evaluate(binding.domain).tensor, points.rank == 1, points.count > 1
      else {
        throw Diagnostic(
          .type, "'\(binding.name)' runs over a range or a vector", at: binding.domain.span,
          hint: "write \(binding.name) in -1..1")
      }
      return SweepAxis(name: binding.name, points: points.doubles, isLog: binding.scale == "log")
    }
    let (low, high) = (try interpreter.number(a), try interpreter.number(b))
    let range = try checked(low, high, binding.domain.span)
    guard binding.scale == "log" else {
      return SweepAxis(name: binding.name, points: range.points(count), isLog: false)
    }
    guard low > 0 else {
      throw Diagnostic(.domain, "a log range begins above zero", at: binding.domain.span)
    }
    let exponents = Self.logs(range).points(count)
    return SweepAxis(name: binding.name, points: exponents.map(Self.power), isLog: true)
  }

  func checked(_ low: Double, _ high: Double, _ span: Span) throws -> ClosedRange<Double> {
    guard low.isFinite, high.isFinite else {
      throw Diagnostic(.domain, "a range needs finite ends", at: span)
    }
    guard low < high else {
      throw Diagnostic(.domain, "this range is empty: it must run from a number to a greater one", at: span)
    }
    guard (high - low).isFinite else {
      throw Diagnostic(.domain, "this range is too wide: its length is infinite", at: span)
    }
    return low...high
  }

  /// What formulas are at all points of one or two axes: a series for each formula, or entry of a vector. Compiled
  /// once where that is possible; otherwise the names are bound anew at each point, which also serves procedures.
  func sweep(_ exprs: [Expr], _ bindings: [Command.Binding]) throws -> SweepResult {
    let steps = command.option("steps") == nil ? 0 : try stepCount(0)
    let standard = bindings.count == 1 ? 241 : 81
    do {
      let axes = try bindings.map { try axis($0, count: steps > 1 ? steps : standard) }
      if let result = try compiledSweep(exprs, axes) { return result }
    } catch let error as Diagnostic where error.kind == .domain || error.kind == .type {}
    let axes = try bindings.map { try axis($0, count: steps > 1 ? steps : (standard - 1) / 4 + 1) }
    return try reboundSweep(exprs, axes)
  }

  /// `for x` runs over a number; of a param with several entries it is none of them.
  private func entriesNote(_ name: String) -> String {
    guard case .param(let leaf)? = interpreter.lookup(name), leaf.value.count > 1 else { return "" }
    return ", a number here; the param of that name is replaced by \(name) = […], or plotted with range -1..1"
  }

  /// Nil when a value of the names decides on the form of the formula.
  private func compiledSweep(_ exprs: [Expr], _ axes: [SweepAxis]) throws -> SweepResult? {
    interpreter.trimGraph()
    let environment = FormulaEnvironment(frameTag: interpreter.currentFrameTag)
    let leaves = axes.map { axis -> Leaf in
      if let id = interpreter.scalarLeaf(axis.name) { return Leaf(id: id, name: axis.name, shape: []) }
      let leaf = interpreter.placeholderLeaf(axis.name, [], function: -3, depth: 0)
      environment.locals[axis.name] = .node(interpreter.graph.leaf(leaf))
      return leaf
    }
    let elaborator = Elaborator(interpreter, environment: environment)
    elaborator.mayDraw = true
    let nodes = try exprs.map { try elaborator.node($0) }
    let isFixed = elaborator.dependencies.stamps.values.contains {
      if case .fixed(let id, _) = $0 { return leaves.contains { $0.id == id } }
      return false
    }
    if isFixed { return nil }
    for (expr, node) in zip(exprs, nodes) { try checkSeries(interpreter.graph.shape(node), expr) }
    let batch = PointBatch(interpreter, nodes, varying: leaves, label: command.verb)
    for (axis, leaf) in zip(axes, leaves) where !batch.varies(with: leaf) {
      warn("what is plotted does not depend on '\(axis.name)'\(entriesNote(axis.name))")
    }
    var result = SweepResult(axes: axes)
    result.set(try batch(result.columns))
    result.name(exprs)
    return result
  }

  private func reboundSweep(_ exprs: [Expr], _ axes: [SweepAxis]) throws -> SweepResult {
    let before = Trial(interpreter)
    defer { before.end(interpreter) }
    interpreter.movesAreQuiet = true
    var result = SweepResult(axes: axes)
    try result.fill { point in
      before.restart(interpreter)
      for (axis, value) in zip(axes, point) {
        let id = interpreter.variableID(axis.name)
        interpreter.bind(axis.name, .variable(Variable(id: id, value: .number(value))))
      }
      return try exprs.map(series)
    }
    result.name(exprs)
    return result
  }

  private func series(_ expr: Expr) throws -> Tensor {
    let value = try interpreter.evaluate(expr)
    guard let tensor = value.tensor else {
      throw Diagnostic(.type, "a plot shows numbers, not \(value.kindName)", at: expr.span)
    }
    try checkSeries(tensor.shape, expr)
    return tensor
  }

  private func checkSeries(_ shape: Shape, _ expr: Expr) throws {
    guard shape.count > 1 || shape.elementCount > SweepResult.seriesLimit else { return }
    throw Diagnostic(
      .shape, "a plot over a range shows numbers, not a tensor of shape \(shape.shapeDescription)",
      at: expr.span,
      hint: "reduce it with sum or norm, or pick an entry")
  }
}

/// The session before procedures were tried out at several points, none of which leaves a trace.
private struct Trial {
  private let state: State
  private let changeCount: Int
  private let steps: [StepRecord]
  private let isQuiet: Bool

  init(_ interpreter: Interpreter) {
    state = interpreter.state
    changeCount = interpreter.changeCount
    steps = interpreter.stepHistory
    isQuiet = interpreter.movesAreQuiet
  }

  func restart(_ interpreter: Interpreter) {
    interpreter.restore(state)
    (interpreter.changeCount, interpreter.stepHistory) = (changeCount, steps)
  }

  func end(_ interpreter: Interpreter) {
    restart(interpreter)
    interpreter.movesAreQuiet = isQuiet
  }
}

/// Values over one or two axes, a list for each series; the first axis runs fastest.
struct SweepResult {
  static let seriesLimit = 12
  let axes: [SweepAxis]
  private(set) var names: [String] = []
  private(set) var values: [[Double]] = []
  private var entries: [Int] = []

  init(axes: [SweepAxis]) { self.axes = axes }

  mutating func fill(_ evaluate: ([Double]) throws -> [Tensor]) throws {
    let outer = axes.count > 1 ? axes[1].points : [0]
    for y in outer {
      for x in axes[0].points {
        try Interruption.check()
        let found = try evaluate(axes.count > 1 ? [x, y] : [x])
        entries = found.map { $0.rank == 0 ? -1 : $0.count }
        let numbers = found.flatMap(\.doubles)
        if values.isEmpty { values = numbers.map { _ in [] } }
        guard numbers.count == values.count else {
          throw Diagnostic(.shape, "the formula has another shape at \(axes[0].name) = \(NumberFormat()(x))")
        }
        for (k, number) in numbers.enumerated() { values[k].append(number) }
      }
    }
  }

  /// For each axis its value at every point, the first axis running fastest.
  var columns: [Tensor] {
    let inner = axes[0].points
    guard axes.count > 1 else { return [Tensor(vector: inner)] }
    let outer = axes[1].points
    return [
      Tensor(vector: outer.flatMap { _ in inner }),
      Tensor(vector: outer.flatMap { y in inner.map { _ in y } }),
    ]
  }

  /// Results of a batch over `columns`, each of shape [points] or [points, entries].
  mutating func set(_ found: [Tensor]) {
    entries = found.map { $0.rank > 1 ? $0.shape[1] : -1 }
    values = zip(found, entries).flatMap { tensor, count -> [[Double]] in
      let numbers = tensor.doubles
      let width = max(count, 1)
      guard count != 0 else { return [] }
      return (0..<width).map { k in stride(from: k, to: numbers.count, by: width).map { numbers[$0] } }
    }
  }

  /// Series are named by their text; entries of a vector by theirs, or by their index.
  mutating func name(_ exprs: [Expr]) {
    names = zip(exprs, entries).flatMap { expr, count -> [String] in
      if count < 0 { return [expr.span.text] }
      if case .literal(let rows) = expr.kind, rows.count == 1, rows[0].count == count {
        return rows[0].map(\.span.text)
      }
      return (0..<count).map { "\(expr.span.text)[\($0)]" }
    }
  }
}

extension ClosedRange<Double> {
  /// Evenly spaced, both ends included.
  func points(_ count: Int) -> [Double] {
    let last = Double(Swift.max(count - 1, 1))
    return (0..<Swift.max(count, 2)).map { k in
      let t = Double(k) / last
      return lowerBound * (1 - t) + upperBound * t
    }
  }
}

extension Interpreter {
  /// The leaf of a number that the user has bound: formulas see it live, so a plot over it replaces its value.
  func scalarLeaf(_ name: String) -> Int? {
    switch lookup(name) {
    case .variable(let v)?:
      guard case .tensor(let t) = v.value, t.rank == 0 else { return nil }
      _ = meaning(of: v.value, name: name, id: v.id, frameTag: currentFrameTag)
      return slots.leafID(name, binding: v.id, frameTag: currentFrameTag, path: [])
    case .param(let leaf)?, .data(let leaf)?: return leaf.value.rank == 0 ? leaf.id : nil
    default: return nil
    }
  }
}
