import Engine
import Plotting
import Syntax
import Tensors
import Tuning

extension Commands {
  static var tuneCommand: CommandDefinition {
    CommandDefinition(
      verb: "tune",
      usage: "tune NAME in [log] [int] A..B, … trials=N [by tpe | random | grid] { … return VALUE }",
      summary:
        "Runs a block with values for names, from the same state each time, and looks for the least value.",
      options: [
        ("trials", "how many, 20 by default"), ("seed", "of the search, the session's by default"),
        ("study", "a file that keeps the trials; what it holds already is not run again"),
        ("prune", "false lets hopeless trials, by the median of what others report, go on"),
        ("plot", "true draws the trials, and each name against the value"),
        ("title", "of the figures"), ("size", "columns of a figure"), ("height", "its lines"),
      ],
      example:
        "r = tune lr in log 1e-5..1e-2 trials=6 by random {\n  repeat 5 { step gd lr=lr }\n  return f\n}\nprint r.best.lr < 1e-2"
    ) { call in try Tune(call).run() }
  }

  static var reportCommand: CommandDefinition {
    CommandDefinition(
      verb: "report", usage: "report VALUE",
      summary:
        "In the block of tune, an intermediate value: a trial that is hopeless beside the others ends here.",
      example: "tune a in 1..2 trials=4 by grid { report a^2; return a }"
    ) { call in
      try call.noMoreSubjects()
      guard let subject = call.subject else {
        throw Diagnostic(.syntax, "'report' needs a value", at: call.command.span, hint: "report loss")
      }
      let value = try call.interpreter.number(subject)
      guard var trial = call.interpreter.trial else { return .nothing }
      trial.reports.append(value)
      call.interpreter.trial = trial
      if trial.isHopeless { throw PrunedTrial() }
      return .nothing
    }
  }
}

/// What the trial being run has reported, and whom it is compared with.
struct RunningTrial {
  var reports: [Double] = []
  let others: [Trial]
  /// Nil: no trial is given up.
  let rule: MedianPruning?

  var isHopeless: Bool { rule?.isHopeless(reports, among: others) ?? false }
}

/// Ends a hopeless trial.
private struct PrunedTrial: Error {}

/// One run of `tune`.
private struct Tune {
  private let call: CommandCall
  private let choices: [Choice]
  private let trialCount: Int
  private let sampler: any TrialSampler
  private let samplerName: String
  private let seed: UInt64
  private let file: StudyFile?

  private var interpreter: Interpreter { call.interpreter }

  /// A name that the search chooses a value for.
  private struct Choice {
    let parameter: Parameter
    /// Values to choose among, by the number that the search chooses; empty for a range.
    let items: [Double]

    func value(_ chosen: Double) -> Double { items.isEmpty ? chosen : items[Int(chosen)] }
  }

  init(_ call: CommandCall) throws {
    self.call = call
    try call.noMoreSubjects(than: 0)
    guard let bindings = call.command.clause("for")?.bindings, !bindings.isEmpty, call.command.block != nil
    else {
      throw Diagnostic(
        .syntax, "'tune' needs names with ranges, and a block", at: call.command.span,
        hint: "tune lr in log 1e-5..1e-1 trials=10 { …; return loss }")
    }
    guard call.interpreter.trial == nil else {
      throw Diagnostic(.type, "a trial of 'tune' runs no other 'tune'", at: call.command.span)
    }
    choices = try bindings.map { try Self.choice($0, call) }
    trialCount = try call.integer("trials", default: 20)
    guard (1...100_000).contains(trialCount) else {
      throw Diagnostic(
        .domain, "trials are 1 to 100000, not \(trialCount)", at: call.command.option("trials")?.value.span)
    }
    let word = call.command.clause("by")?.values.first
    samplerName = word?.span.text ?? "tpe"
    switch samplerName {
    case "tpe": sampler = TPESampler()
    case "random": sampler = RandomSampler()
    case "grid": sampler = GridSampler(trials: trialCount, parameters: choices.count)
    default:
      throw Diagnostic(
        .name, "there is no search '\(samplerName)'", at: word?.span,
        hint: closestMatch(to: samplerName, in: ["tpe", "random", "grid"]).map { "did you mean '\($0)'?" }
          ?? "it is tpe, random or grid")
    }
    seed = try call.seed() ?? call.interpreter.state.generator.seed
    file = try call.command.option("study").map { option in
      StudyFile(path: try call.path(option.value), span: option.value.span)
    }
  }

  private static func choice(_ binding: Command.Binding, _ call: CommandCall) throws -> Choice {
    let interpreter = call.interpreter
    try interpreter.checkAssignable(binding.name, binding.span)
    guard case .range(let a?, let b?) = binding.domain.kind else {
      guard let items = try interpreter.evaluate(binding.domain).tensor, items.rank == 1, items.count > 0
      else {
        throw Diagnostic(
          .type, "'\(binding.name)' is chosen from a range or a vector", at: binding.domain.span,
          hint: "write \(binding.name) in 1..10, or in [8, 16, 32]")
      }
      let parameter = Parameter(binding.name, 0, Double(items.count - 1), isInteger: true)
      return Choice(parameter: parameter, items: items.doubles)
    }
    let (low, high) = (try interpreter.number(a), try interpreter.number(b))
    let isLog = binding.scale?.hasPrefix("log") ?? false
    let isInteger = binding.scale?.hasSuffix("int") ?? false
    guard low.isFinite, high.isFinite, low < high else {
      throw Diagnostic(
        .domain,
        "a range goes from a number to a greater one, not from \(call.format(low)) to \(call.format(high))",
        at: binding.domain.span)
    }
    if isLog, low <= 0 {
      throw Diagnostic(
        .domain, "a logarithmic range begins above 0, not at \(call.format(low))", at: binding.domain.span)
    }
    if isInteger, low != low.rounded() || high != high.rounded() {
      throw Diagnostic(.domain, "a range of whole numbers has whole ends", at: binding.domain.span)
    }
    return Choice(
      parameter: Parameter(binding.name, low, high, isLog: isLog, isInteger: isInteger), items: [])
  }

  // MARK: Trials

  func run() throws -> Value {
    let parameters = choices.map(\.parameter)
    let rule: MedianPruning? = try call.flag("prune", default: true) ? MedianPruning() : nil
    var trials = try file?.read(parameters, choices.map(\.items), seed: seed) ?? []
    let known = trials.count
    if known < trialCount { try file?.requireWritable() }
    let before = (
      state: interpreter.state, history: interpreter.stepHistory, changes: interpreter.changeCount,
      quiet: interpreter.movesAreQuiet
    )
    defer {
      interpreter.trial = nil
      interpreter.movesAreQuiet = before.quiet
      interpreter.stepHistory = before.history
      interpreter.changeCount = before.changes
      let figure = interpreter.state.figure
      interpreter.restore(before.state)
      interpreter.state.figure = figure
    }
    var problem: String?
    while trials.count < trialCount {
      try Interruption.check()
      // A generator for each trial: a search that is taken up again chooses what it would have chosen.
      var generator = CounterGenerator(seed: seed, stream: UInt64(trials.count) + 2)
      let values = sampler.suggest(parameters, after: trials, &generator)
      interpreter.restore(before.state)
      interpreter.stepHistory = before.history
      interpreter.movesAreQuiet = true
      interpreter.trial = RunningTrial(others: trials, rule: rule)
      let trial = try self.trial(values, &problem)
      trials.append(trial)
      try file?.write(parameters, choices.map(\.items), trials, seed: seed)
      if let best = trials.best, let value = trials[best].objective {
        interpreter.output(.progress("trial \(trials.count) of \(trialCount)   best \(call.format(value))"))
      }
    }
    interpreter.restore(before.state)
    return try report(trials, known: min(known, trialCount), problem)
  }

  private func trial(_ values: [Double], _ problem: inout String?) throws -> Trial {
    do {
      for (choice, value) in zip(choices, values) {
        let span = call.command.span
        try interpreter.assign(
          [Expr(.name(choice.parameter.name), span)], .number(choice.value(value)),
          Expr(.number(choice.value(value)), span))
      }
      guard case .returned(let value) = try interpreter.run(call.command.block ?? []) else {
        throw Diagnostic(
          .type, "the block of 'tune' returns what is to be small", at: call.command.span,
          hint: "end it with: return loss")
      }
      guard let number = value.tensor, number.count == 1 else {
        throw Diagnostic(
          .type, "the block of 'tune' returns a number, not \(value.kindName)", at: call.command.span)
      }
      let reports = interpreter.trial?.reports ?? []
      let isNumber = !number.scalarValue.isNaN
      return Trial(values, isNumber ? .done : .failed, isNumber ? number.scalarValue : nil, reports: reports)
    } catch is PrunedTrial {
      interpreter.isSettled = false
      let reports = interpreter.trial?.reports ?? []
      return Trial(values, .pruned, reports.last, reports: reports)
    } catch let diagnostic as Diagnostic where [.numeric, .domain, .resource].contains(diagnostic.kind) {
      // These values do not work; others may.
      interpreter.isSettled = false
      if interpreter.trial?.others.count == 0 || problem == nil { problem = diagnostic.message }
      return Trial(values, .failed, nil, reports: interpreter.trial?.reports ?? [])
    }
  }

  // MARK: Summary

  private func report(_ trials: [Trial], known: Int, _ problem: String?) throws -> Value {
    guard let best = trials.best, let value = trials[best].objective else {
      throw Diagnostic(
        .numeric, "none of \(trials.count) trials gave a value", at: call.command.span,
        notes: problem.map { ["the first of them: \($0)"] } ?? [])
    }
    try call.print(table(trials, best))
    let failed = trials.count { $0.outcome == .failed }
    let pruned = trials.count { $0.outcome == .pruned }
    call.print(
      "best of \(trials.count) trials by \(samplerName), seed \(seed): \(call.format(value)) at "
        + zip(choices, trials[best].values).map { "\($0.parameter.name) = \(call.format($0.value($1)))" }
        .joined(separator: ", ") + (pruned > 0 ? "; \(pruned) pruned" : "")
        + (failed > 0 ? "; \(failed) failed" : "") + (known > 0 ? "; \(known) from the study" : ""))
    if failed > 0, let problem { call.warn("\(failed) of \(trials.count) trials failed: \(problem)") }
    if try call.flag("plot"), !call.isAssigned { try draw(trials) }
    return record(trials, best, value)
  }

  private static var rowLimit: Int { 40 }

  /// A row for each trial; of many, for the best ones.
  private func table(_ trials: [Trial], _ best: Int) throws -> String {
    var shown = Array(trials.indices)
    if trials.count > Self.rowLimit {
      let ranks = trials.ranks
      shown = shown.filter { ranks[$0] < Self.rowLimit / 2 }
    }
    let rows = shown.map { k -> [String] in
      let trial = trials[k]
      let mark = k == best ? "best" : trial.outcome == .done ? "" : trial.outcome.rawValue
      return ["\(k + 1)"] + zip(choices, trial.values).map { call.format($0.value($1)) }
        + [trial.objective.map { call.format($0) } ?? "", mark]
    }
    let left = trials.count - shown.count
    return TextTable([["trial"] + choices.map(\.parameter.name) + ["value", ""]] + rows).spelled(
      for: call.interpreter
    ).text
      + (left > 0 ? "\n(\(left) worse ones)" : "")
  }

  private func record(_ trials: [Trial], _ best: Int, _ value: Double) -> Value {
    let entries = trials.flatMap { trial in zip(choices, trial.values).map { $0.value($1) } }
    func vector(_ values: [Double]) -> Value { .tensor(Tensor(vector: values)) }
    return .record([
      (
        "best",
        .record(
          zip(choices, trials[best].values).map { (name: $0.parameter.name, value: .number($0.value($1))) })
      ),
      ("value", .number(value)), ("trial", .number(Double(best + 1))),
      ("params", .tensor(Tensor(entries, [trials.count, choices.count]))),
      ("values", vector(trials.map { $0.objective ?? .nan })),
      ("pruned", vector(trials.map { $0.outcome == .pruned ? 1 : 0 })),
    ])
  }

  /// The trials in order with the best so far, then each name against the value.
  private func draw(_ trials: [Trial]) throws {
    let done = trials.indices.filter { trials[$0].outcome == .done && trials[$0].objective?.isFinite == true }
    let values = done.map { trials[$0].objective ?? .nan }
    let axis = Axis("value", scale: (values.min() ?? 0) > 0 ? .log : .linear)
    let numbers = done.map { Double($0 + 1) }
    var least = Double.infinity
    let bests = values.map { value -> Double in
      least = min(least, value)
      return least
    }
    try call.show(
      Figure(
        xAxis: Axis("trial"), yAxis: axis,
        marks: [
          .scatter(Series(numbers, values, name: "trial")),
          .line(Series(numbers, bests, name: "best so far")),
        ]))
    for (k, choice) in choices.enumerated() {
      let places = done.map { choice.value(trials[$0].values[k]) }
      try call.show(
        Figure(
          xAxis: Axis(choice.parameter.name, scale: choice.parameter.isLog ? .log : .linear), yAxis: axis,
          marks: [.scatter(Series(places, values))]))
    }
  }
}
