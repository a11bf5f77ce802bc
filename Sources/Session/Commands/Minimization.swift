import Engine
import Optimization
import Syntax
import Tensors

/// `minimize METHOD until … max N { … }`.
struct Minimization {
  let call: CommandCall
  private let limit: Int
  private let condition: Expr?
  /// Seconds.
  private let time: Double?
  private let tolerances: StepTolerances
  private let showsTable: Bool

  static let options: [(name: String, text: String)] = [
    ("table", "true prints a line for every step"), ("time", "seconds after which it ends"),
    ("xtol", "ends when a step is shorter than this times 1 + ‖x‖"),
    ("ftol", "ends when f falls by less than this times 1 + |f|"),
  ]

  private var interpreter: Interpreter { call.interpreter }

  init(_ call: CommandCall) throws {
    self.call = call
    limit = try call.command.clause("max")?.values.first.map { try call.interpreter.whole($0) } ?? 1000
    guard limit >= 0 else {
      throw Diagnostic(.domain, "'max' is not negative", at: call.command.clause("max")?.values.first?.span)
    }
    condition = try call.until()
    time = try call.positive("time")
    tolerances = StepTolerances(step: try call.positive("xtol"), decrease: try call.positive("ftol"))
    showsTable = try call.flag("table") && !call.isAssigned
  }

  func run() throws -> Value {
    let (name, method) = try call.singleMethod()
    let stepper = try Stepper(call, name, method)
    stepper.forget()
    try call.warnOfDeadTerms()
    interpreter.loopDepth += 1
    defer { interpreter.loopDepth -= 1 }
    let start = try stepper.evaluation()
    var current = start
    var steps = 0
    let began = Machine.now
    let table = IterationTable(call, stepper.objectiveName)
    if showsTable { table.begin(start) }
    var rounding = RoundingWatch()
    var reason = try finished(current, stepper)
    while reason == nil {
      if steps >= limit {
        reason = "the limit of \(limit) steps was reached"
        break
      }
      let before = current
      var made: Move?
      do {
        // Each step stands or falls by itself.
        current = try interpreter.atom {
          try Interruption.check()
          interpreter.willChange()
          let (after, move) = try stepper.step(from: before)
          made = move
          return after
        }
      } catch let diagnostic as Diagnostic where diagnostic.kind == .numeric && steps > 0 {
        call.warn(diagnostic.message + (diagnostic.hint.map { "; \($0)" } ?? ""))
        reason = "stopped: \(diagnostic.message)"
        break
      }
      steps += 1
      if showsTable, let made { table.add(steps, before, current, made) } else { progress(steps, current) }
      if let block = call.command.block {
        if case .broke = try interpreter.run(block) { reason = "the block ended it" }
      }
      if reason == nil { reason = try interpreter.atom { try finished(current, stepper) } }
      if reason == nil, current.x == before.x { reason = "the step no longer changes the params" }
      if reason == nil { reason = tolerances.reached(before, current, stepper.objectiveName) }
      if reason == nil, let time, Machine.now - began >= time {
        reason = "\(call.format(time)) s have passed"
      }
      if !interpreter.hasRandomLeaves, rounding.isOver(made?.predicted, current.value), reason == nil {
        reason = "the decrease of \(stepper.objectiveName) is lost in its rounding"
      }
    }
    if reason == condition?.span.text { try warnOfSign() }
    return try report(name, stepper, start, current, steps, reason ?? "")
  }

  /// Of one number, `grad < 1e-6` holds wherever f falls.
  private func warnOfSign() throws {
    guard case .comparison(let first, let rest)? = condition?.kind, rest.count == 1,
      [.less, .lessEqual].contains(rest[0].op), interpreter.isGradient(first),
      let value = try interpreter.evaluate(first).tensor, value.count == 1, value.doubles[0] < 0
    else { return }
    let text = first.span.text
    call.warn("\(text) is negative here, and so less than any bound; its size is norm(\(text))")
  }

  private func finished(_ e: Evaluation, _ stepper: Stepper) throws -> String? {
    guard let condition else {
      let (norm, symbol) = try stepper.stationarity(e)
      return norm < 1e-8 ? "\(symbol) < 1e-8" : nil
    }
    let found = try interpreter.evaluate(condition, projectsGradients: try stepper.isBounded)
    guard let value = found.tensor else {
      throw Diagnostic(.type, "the condition must be a number", at: condition.span)
    }
    // `grad < 1e-6` holds for any gradient that points down.
    guard value.count == 1 else {
      throw Diagnostic(
        .shape, "the condition must be one number, not \(value.count)", at: condition.span,
        hint: "the length of a vector is its norm: norm(grad) < 1e-6")
    }
    guard value.scalarValue != 0 else { return nil }
    call.warnOfTruth(condition, value.scalarValue)
    return condition.span.text
  }

  private func progress(_ steps: Int, _ e: Evaluation) {
    guard interpreter.options.isInteractive, Machine.now - interpreter.lastProgress > 0.1 else { return }
    interpreter.lastProgress = Machine.now
    interpreter.showProgress(
      "step \(steps)   f = \(call.format(e.value))   ‖∇f‖ = \(call.format(e.gradientNorm))")
  }

  private func report(
    _ name: String, _ stepper: Stepper, _ start: Evaluation, _ end: Evaluation, _ steps: Int, _ reason: String
  ) throws -> Value {
    let f = stepper.objectiveName
    let (before, symbol) = try stepper.stationarity(start)
    let after = try stepper.stationarity(end).norm
    let values = "\(f): \(call.format(start.value)) → \(call.format(end.value))"
    let norms = "\(symbol): \(call.format(before)) → \(call.format(after))"
    let gap = String(repeating: " ", count: max(4, LookText.remarkColumn - values.count))
    call.print("\(values)\(gap)\(norms)\n\(name): \(steps) \(steps == 1 ? "step" : "steps"); \(reason)")
    if !call.isAssigned, interpreter.loopDepth == 1 { interpreter.printWatched() }
    return .record([
      ("value", .number(end.value)), ("gradient_norm", .number(after)),
      ("steps", .number(Double(steps))),
      ("reason", .string(reason)),
    ])
  }
}

/// Notices when a run has reached what rounding allows: the decrease that the method expects is below the rounding of f,
/// and has stopped getting smaller.
private struct RoundingWatch {
  private var least = Double.infinity
  private var fruitless = 0
  /// Steps without a smaller expectation.
  private static let limit = 5

  mutating func isOver(_ predicted: Double?, _ value: Double) -> Bool {
    guard let predicted, predicted <= 1e-15 * value.magnitude else {
      self = RoundingWatch()
      return false
    }
    fruitless = predicted < least ? 0 : fruitless + 1
    least = min(least, predicted)
    return fruitless >= Self.limit
  }
}
