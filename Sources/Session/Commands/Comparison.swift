import Engine
import Optimization
import Plotting
import Syntax
import Tensors

/// `compare A, B, C steps=N from=…`: every method from the present point, or another one; the present point stays.
struct Comparison {
  let call: CommandCall

  private struct Run {
    let label: String
    var values: [Double] = []
    var norms: [Double] = []
    /// Where it has been; kept when there are two numbers to draw.
    var points: [[Double]] = []
    var steps = 0
    var end = ""
  }

  private var interpreter: Interpreter { call.interpreter }

  init(_ call: CommandCall) { self.call = call }

  func run() throws -> Value {
    let steps = try call.count("steps", default: 20)
    let drawn = try drawn()
    let methods = try call.methods()
    let params = try call.view(.value).params
    let count = params.reduce(0) { $0 + $1.tensor.count }
    if drawn == .paths, count != 2, !call.isAssigned {
      throw Diagnostic(
        .domain, "paths are drawn where there are two numbers to move, not \(count)",
        at: call.command.option("plot")?.value.span,
        hint: "plot=\"curves\" shows f along the steps")
    }
    let before = interpreter.state
    let history = interpreter.stepHistory
    defer {
      let figure = interpreter.state.figure
      interpreter.state = before
      interpreter.state.figure = figure
      interpreter.stepHistory = history
      interpreter.structureChanged()
    }
    let start = try start(params, count)
    var runs: [Run] = []
    for chosen in methods {
      interpreter.state = before
      interpreter.structureChanged()
      if let start { interpreter.move(params.map(\.name), to: start) }
      runs.append(try follow(chosen, steps))
    }
    call.print(table(runs))
    let fields = Self.fields(runs.map(\.label))
    if !call.isAssigned { try draw(runs, drawn) }
    return .record(
      zip(fields, runs).map { field, run in
        (
          field,
          .record([
            ("values", .tensor(Tensor(vector: run.values))),
            ("gradient_norms", .tensor(Tensor(vector: run.norms))),
          ])
        )
      })
  }

  /// The point that `from=` names: a bundle, or the numbers of all params in order.
  private func start(_ params: [(name: String, tensor: Tensor)], _ count: Int) throws -> [Double]? {
    guard let option = call.command.option("from") else { return nil }
    let x = try interpreter.evaluate(option.value).tensors.flatMap(\.doubles)
    guard x.count == count else {
      throw Diagnostic(
        .shape, "a point has \(count) \(count == 1 ? "number" : "numbers") here, not \(x.count)",
        at: option.value.span,
        hint: "the numbers of \(params.map(\.name).joined(separator: ", ")), one after another")
    }
    guard x.allSatisfy(\.isFinite) else {
      throw Diagnostic(.domain, "the point holds nan or inf", at: option.value.span)
    }
    return x
  }

  private func follow(_ chosen: ChosenMethod, _ steps: Int) throws -> Run {
    interpreter.state.forgetMethods()
    let stepper = try Stepper(call, chosen.name, chosen.method)
    interpreter.loopDepth += 1
    defer { interpreter.loopDepth -= 1 }
    var run = Run(label: chosen.label)
    var current = try stepper.evaluation()
    run.values.append(current.value)
    run.norms.append(current.gradientNorm)
    if current.x.count == 2 { run.points.append(current.x) }
    for _ in 0..<steps {
      try Interruption.check()
      do {
        current = try stepper.step(from: current).evaluation
      } catch let diagnostic as Diagnostic where diagnostic.kind == .numeric {
        run.end = diagnostic.message
        break
      }
      run.steps += 1
      run.values.append(current.value)
      run.norms.append(current.gradientNorm)
      if current.x.count == 2 { run.points.append(current.x) }
    }
    return run
  }

  private func table(_ runs: [Run]) -> String {
    let f = call.objectiveName
    var rows = [["method", "steps", f, "‖∇\(f)‖", ""]]
    for run in runs {
      rows.append([
        run.label, "\(run.steps)", call.format(run.values.last ?? .nan), call.format(run.norms.last ?? .nan),
        run.end,
      ])
    }
    return TextTable(rows).spelled(for: call.interpreter).text
  }

  // MARK: Figures

  /// What `plot=` asks for.
  private enum Drawn {
    case nothing, curves, paths, all
  }

  private func drawn() throws -> Drawn {
    guard let option = call.command.option("plot") else { return .nothing }
    let value = try interpreter.evaluate(option.value)
    switch value {
    case .string("curves"): return .curves
    case .string("paths"): return .paths
    case .string(let word):
      throw Diagnostic(
        .name, "'plot' is \"curves\", \"paths\", true or false, not \"\(word)\"", at: option.value.span,
        hint: closestMatch(to: word, in: ["curves", "paths"]).map { "did you mean \"\($0)\"?" })
    default: return try Truth.of(value.tensor, option.value.span, "'plot'") ? .all : .nothing
    }
  }

  private func draw(_ runs: [Run], _ drawn: Drawn) throws {
    if drawn == .curves || drawn == .all { try call.show(curves(runs)) }
    if drawn == .paths || drawn == .all, runs.allSatisfy({ !$0.points.isEmpty }) {
      let elaborator = interpreter.elaborator()
      let node = try call.scalarNode(elaborator)
      let landscape = call.landscape([call.objectiveName], [node], elaborator)
      guard landscape.count == 2 else { return }
      try call.show(call.map(landscape, paths: runs.map { NamedPath(name: $0.label, points: $0.points) }))
    }
  }

  /// f along the steps of each method.
  private func curves(_ runs: [Run]) -> Figure {
    // Zeros fall off a logarithmic axis.
    let values = runs.flatMap(\.values)
    let isPositive = values.allSatisfy { $0 >= 0 } && values.contains { $0 > 0 }
    return Figure(
      xAxis: Axis("step"),
      yAxis: Axis(call.objectiveName, scale: isPositive ? .log : .linear),
      marks: runs.map { .line(Series($0.values, name: $0.label)) })
  }

  /// Field names: `gd(lr=1e-3)` is `gd`, the next of that name `gd_2`.
  private static func fields(_ labels: [String]) -> [String] {
    var seen: [String: Int] = [:]
    return labels.map { label in
      let name = String(label.prefix { $0 != "(" }).replacing("-", with: "_")
      seen[name, default: 0] += 1
      return seen[name] == 1 ? name : "\(name)_\(seen[name] ?? 0)"
    }
  }
}
