import Engine
import Optimization
import Syntax
import Tensors

extension Commands {
  static var trainCommand: CommandDefinition {
    CommandDefinition(
      verb: "train",
      usage:
        "train METHOD [epochs=N] [batch=N] [validate FORMULA] [track FORMULA, …] [until CONDITION] [option=value …] [{ … }]",
      summary:
        "Steps through the data in epochs of batches, with a line and an entry of history for each epoch. `epoch` counts them in the block.",
      options: TrainingPlan.options + methodOptions,
      example: "train adam lr=0.1 epochs=3 track norm(x)\nprint history.loss", changesState: true
    ) { call in try TrainingRun(call).run() }
  }
}

/// `train METHOD epochs=N batch=N …`.
final class TrainingRun {
  private let call: CommandCall
  private let plan: TrainingPlan
  private let chosen: ChosenMethod
  private let stepper: Stepper
  private let report: TrainingReport
  private let key: MethodKey
  private var checkpoint: CheckpointFile? { plan.checkpoint }
  private var best: (value: Double, params: [Tensor])?
  private var stepsTaken = 0

  private var interpreter: Interpreter { call.interpreter }

  init(_ original: CommandCall) throws {
    let (plan, chosen) = (try TrainingPlan(original), try original.chosenMethod())
    let call = try original.inBatches(plan.batch)
    let options = chosen.options.numbers.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
    key = MethodKey(
      title: "train \(original.objectiveName) \(chosen.name)\(options)", detail: "", place: nil)
    (self.plan, self.chosen, self.call) = (plan, chosen, call)
    stepper = try Stepper(call, chosen.name, chosen.method, key: key)
    guard plan.schedule == nil || chosen.options["lr"] != nil else {
      throw Diagnostic(
        .domain, "a schedule multiplies the step size, and none is given",
        at: (call.command.option("schedule") ?? call.command.option("warmup"))?.value.span,
        hint: "write train \(chosen.name) lr=…")
    }
    report = try TrainingReport(original, plan, chosen.name)
  }

  func run() throws -> Value {
    try call.warnOfDeadTerms()
    interpreter.loopDepth += 1
    let outer = interpreter.state.globals["epoch"]
    defer {
      interpreter.loopDepth -= 1
      interpreter.state.globals["epoch"] = outer
      interpreter.structureChanged()
    }
    do {
      try train()
    } catch {
      report.failed(error)
      throw error
    }
    return interpreter.state.training?.value ?? .nothing
  }

  private func train() throws {
    let (first, last) = try begin()
    var epoch = first
    report.begin(epochs: first..<last)
    var reason: String?
    while reason == nil && epoch < last {
      epoch += 1
      interpreter.bindLoopVariable("epoch", .number(Double(epoch)))
      let rate = try interpreter.atom { try setRate(epoch - (checkpoint == nil ? first : 0)) }
      let loss = try pass(epoch)
      reason = try finish(epoch, loss, rate)
    }
    try interpreter.atom { try goBackToBest() }
    report.end(stepsTaken, reason)
  }

  // MARK: Beginning

  /// Batches begin an epoch; what a checkpoint holds is taken up. The epochs done, and those there are to be.
  private func begin() throws -> (done: Int, all: Int) {
    let columns =
      ["epoch", "loss"] + (plan.validation == nil ? [] : ["validation"]) + plan.tracked.map(\.name)
      + (chosen.options["lr"] == nil ? [] : ["rate"]) + ["seconds"]
    return try interpreter.atom {
      interpreter.willChange()
      let feeds = interpreter.feeds.map(\.feed)
      if feeds.contains(where: { $0.batch > 0 || $0.size != plan.batch ?? $0.size }) {
        try interpreter.beginEpoch(size: plan.batch)
      }
      let fresh = TrainingHistory(report.objective, columns)
      guard let checkpoint else {
        if interpreter.state.training.map({ $0.names != columns || $0.objective != fresh.objective }) ?? true
        {
          interpreter.state.training = fresh
        }
        let done = interpreter.state.training?.count ?? 0
        return (done, done + plan.epochs)
      }
      if checkpoint.exists {
        try takeUp(checkpoint, columns)
      } else {
        interpreter.state.training = fresh
      }
      let done = interpreter.state.training?.count ?? 0
      if done < plan.epochs { try checkpoint.requireWritable() }
      return (done, max(done, plan.epochs))
    }
  }

  /// Goes on from a file that is of this training.
  private func takeUp(_ file: CheckpointFile, _ columns: [String]) throws {
    let stored = try file.read()
    guard let history = stored.history, stored.memories.contains(where: { $0.key == key }) else {
      let others = stored.memories.map(\.key.title).filter { $0.hasPrefix("train ") }
      throw file.problem(
        others.isEmpty
          ? "it is of no training" : "it is of '\(others.joined(separator: "', '"))', this is '\(key.title)'")
    }
    guard history.names == columns, history.objective == report.objective else {
      throw file.problem(
        "it records \(history.names.joined(separator: ", ")) of \(history.objective), this "
          + "\(columns.joined(separator: ", ")) of \(report.objective)")
    }
    try file.restore(stored, interpreter)
    if let size = plan.batch, let other = interpreter.feeds.map(\.feed.size).first(where: { $0 != size }) {
      throw file.problem("its batches have \(other) rows, those of this training \(size)")
    }
    best = stored.best
    report.resumed(after: history.count, file.path)
  }

  /// The step size of an epoch, counted from 1; nil for a method's own.
  private func setRate(_ epoch: Int) throws -> Double? {
    guard let base = chosen.options["lr"], let schedule = plan.schedule else { return chosen.options["lr"] }
    let rate = base * (try schedule.factor(epoch, of: plan.epochs, interpreter))
    let method = try call.made(
      chosen.description, chosen.options.with(rate: max(rate, .leastNormalMagnitude)),
      call.command.options, call.command.span)
    try stepper.replaceMethod(by: method)
    return rate
  }

  // MARK: Epochs

  /// Steps of an epoch; without batches the whole data are one.
  private var batches: Int { interpreter.feeds.map(\.feed.batchesPerEpoch).max() ?? 1 }

  /// One pass over the data: the mean of the objective over its samples, each batch seen before its step.
  private func pass(_ epoch: Int) throws -> Double {
    let count = batches
    var (sum, weight) = (0.0, 0.0)
    for step in 0..<count {
      let rows = Double(interpreter.feeds.map(\.feed.places.count).max() ?? 1)
      let value = try steppingBack {
        try Interruption.check()
        interpreter.willChange()
        return try stepper.train(clip: plan.clip, afterMove: stepsTaken > 0)
      }
      stepsTaken += 1
      sum += rows * value
      weight += rows
      report.progress(epoch, step + 1, of: count, sum / weight)
    }
    return sum / weight
  }

  /// One atom. Where it finds that the last step led to nan or infinity, that step is taken back.
  private func steppingBack(_ body: () throws -> Double) throws -> Double {
    do {
      return try interpreter.atom(body)
    } catch let error as Diagnostic where error.kind == .numeric && stepsTaken > 0 {
      _ = interpreter.undoSteps(1)
      throw error
    }
  }

  /// What is recorded, written, run and printed after an epoch, and why training ends with it, if it does.
  private func finish(_ epoch: Int, _ loss: Double, _ rate: Double?) throws -> String? {
    var reason: String?
    try interpreter.atom {
      interpreter.willChange()
      let validation = try plan.validation.map { try interpreter.number($0.expr) }
      let tracked = try plan.tracked.map { try interpreter.number($0.expr) }
      let shown = [Double(epoch), loss] + (validation.map { [$0] } ?? []) + tracked
      let row = shown + (rate.map { [$0] } ?? []) + [report.seconds]
      interpreter.state.training?.append(row)
      report.log(interpreter.state.training?.names ?? [], row)
      keep(validation ?? loss)
      report.line(shown)
      reason = patienceIsOver ? "no better \(criterion) for \(plan.patience ?? 0) epochs" : nil
    }
    if let block = call.command.block, case .broke = try interpreter.run(block) {
      reason = "the block ended it"
    }
    if reason == nil, let condition = plan.condition {
      let value = try interpreter.atom { try interpreter.number(condition) }
      if value != 0 {
        call.warnOfTruth(condition, value)
        reason = condition.span.text
      }
    }
    try checkpoint?.write(Checkpoint(of: interpreter, best: best))
    return reason
  }

  private var criterion: String { plan.validation == nil ? "loss" : "validation value" }

  private var patienceIsOver: Bool {
    guard let patience = plan.patience, let history = interpreter.state.training else { return false }
    let values = history[plan.validation == nil ? "loss" : "validation"]
    guard let least = values.min(), let place = values.firstIndex(of: least) else { return false }
    return values.count - 1 - place >= patience
  }

  private func keep(_ value: Double) {
    guard plan.keepsBest, value < best?.value ?? .infinity else { return }
    best = (value, interpreter.allParams.map(\.leaf.value))
  }

  private func goBackToBest() throws {
    guard plan.keepsBest, let best else { return }
    interpreter.willChange()
    for ((name, leaf), value) in zip(interpreter.allParams, best.params) where leaf.value.shape == value.shape
    {
      var leaf = leaf
      leaf.value = value
      interpreter.bindGlobal(name, .param(leaf))
    }
    interpreter.notePoint()
  }
}

extension CommandCall {
  /// The command with its objective over batches, where it asks for a size and no random leaf is drawn in batches: data
  /// with one number of rows that the objective depends on are drawn together, as if by hand.
  fileprivate func inBatches(_ size: Int?) throws -> CommandCall {
    guard let size, interpreter.feeds.isEmpty else { return self }
    let names = try sampleNames()
    let batchNames = names.map { "\($0)_batch" }
    let drawn = batchNames.count == 1 ? batchNames[0] : "(\(batchNames.joined(separator: ", ")))"
    let replaced = zip(names, batchNames).map { "\($0) = \($1)" }.joined(separator: ", ")
    let text = "\(drawn) ~ batch(\(names.joined(separator: ", ")), \(size))\n(\(objectiveName))(\(replaced))"
    let statements = Parser.parse(SourceText(name: "train", text: text)).statements
    guard statements.count == 2, case .expression(let objective) = statements[1].kind else { return self }
    _ = try interpreter.run([statements[0]])
    print("\(drawn) ~ batch(\(names.joined(separator: ", ")), \(size))")
    let clauses =
      command.clauses.filter { $0.keyword != "on" }
      + [Command.Clause(keyword: "on", span: command.span, values: [objective])]
    let replacement = Command(
      verb: command.verb, verbSpan: command.verbSpan, subjects: command.subjects, clauses: clauses,
      options: command.options, block: command.block, span: command.span)
    return CommandCall(
      interpreter: interpreter, command: replacement, definition: definition, isAssigned: isAssigned)
  }

  /// Data leaves of the objective whose first axis counts the samples.
  private func sampleNames() throws -> [String] {
    let elaborator = interpreter.elaborator()
    let f = try scalarNode(elaborator)
    let leaves = Set(elaborator.graph.leaves(below: [f]).compactMap { elaborator.graph.leaf(of: $0)?.id })
    let found = interpreter.namesInOrder.compactMap { name -> (name: String, rows: Int)? in
      guard case .data(let leaf)? = interpreter.lookup(name), leaves.contains(leaf.id),
        let rows = leaf.value.shape.first
      else { return nil }
      return (name, rows)
    }
    guard let rows = found.first?.rows, found.allSatisfy({ $0.rows == rows }), rows > 0 else {
      let list = found.map { "\($0.name) with \($0.rows) rows" }.joined(separator: ", ")
      throw Diagnostic(
        .domain,
        found.isEmpty
          ? "\(objectiveName) depends on no data that could be cut into batches"
          : "it is not clear which data are samples: \(list)", at: command.option("batch")?.value.span,
        hint: "declare the batches: (xb, yb) ~ batch(X, y, 128), and write the objective with them")
    }
    return found.map(\.name)
  }
}
