import Datasets
import Engine
import Syntax

/// What `train` prints: a line for an epoch, and on a terminal how far it has come.
final class TrainingReport {
  private let call: CommandCall
  private let plan: TrainingPlan
  private let method: String
  private let started = Machine.now
  private let log: RunLog?
  private let table: RunningTable
  private var epochs = 0..<0
  private var lastLoss = ""
  private var stepsSeen = 0
  /// Epochs between two lines.
  private var stride = 1

  private var interpreter: Interpreter { call.interpreter }

  /// The name of what is trained, as the command has it.
  var objective: String { call.objectiveName }
  private static let lines = 60

  /// Throws when the log cannot be written.
  init(_ call: CommandCall, _ plan: TrainingPlan, _ method: String) throws {
    self.call = call
    log = try plan.log.map { file in
      try placingFile(file.span) { () throws(DatasetError) in
        try RunLog(file.path) { call.warn($0) }
      }
    }
    log?.begin(
      call.command.span.text, seed: call.interpreter.state.generator.seed,
      options: call.interpreter.declaredOptions)
    self.plan = plan
    self.method = method
    let others = (plan.validation == nil ? 0 : 1) + plan.tracked.count
    table = RunningTable(call, widths: [5] + [Int?](repeating: nil, count: 1 + others))
  }

  var seconds: Double { Machine.now - started }

  func begin(epochs: Range<Int>) {
    self.epochs = epochs
    stride = max(1, (epochs.count + Self.lines - 1) / Self.lines)
    guard !epochs.isEmpty else { return }
    table.line(
      ["epoch", objective] + (plan.validation.map { [$0.name] } ?? []) + plan.tracked.map(\.name))
  }

  func resumed(after epoch: Int, _ file: String) {
    let text = "\(file): going on after epoch \(epoch)"
    log?.remark(text)
    call.print(text)
  }

  func failed(_ error: any Error) {
    let isInterrupt = (error as? EngineError) == .interrupted
    log?.remark(isInterrupt ? "interrupted" : "error: \((error as? Diagnostic)?.message ?? "\(error)")")
  }

  func progress(_ epoch: Int, _ step: Int, of count: Int, _ loss: Double) {
    stepsSeen += 1
    guard interpreter.options.isInteractive, Machine.now - interpreter.lastProgress > 0.1 else { return }
    interpreter.lastProgress = Machine.now
    let rate = Double(stepsSeen) / max(seconds, 1e-9)
    let left = Double((epochs.upperBound - epoch) * count + count - step) / rate
    let width = 20
    let done = width * step / max(count, 1)
    let bar = String(repeating: "█", count: done) + String(repeating: "·", count: width - done)
    interpreter.showProgress(
      "epoch \(epoch)/\(epochs.upperBound) \(bar) \(step)/\(count)   loss \(NumberFormat(digits: 4)(loss))"
        + "\(lastLoss)   \(NumberFormat(digits: 3)(rate)) steps/s   \(Self.time(left)) left")
  }

  private static func time(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded(.up))
    if whole < 60 { return "\(whole) s" }
    return whole < 3600 ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole / 60 % 60) min"
  }

  func line(_ row: [Double]) {
    if plan.validation != nil { lastLoss = "   validation \(NumberFormat(digits: 4)(row[2]))" }
    let epoch = Int(row[0])
    guard (epoch - epochs.lowerBound) % stride == 0 || epoch == epochs.upperBound else { return }
    table.line(["\(epoch)"] + row.dropFirst().map { call.format($0) })
  }

  /// A whole row of the history, with all digits.
  func log(_ names: [String], _ row: [Double]) {
    guard let log else { return }
    let cells = zip(names, row).map { name, x in
      "\(name) " + (Int(exactly: x).map(String.init) ?? "\(x)")
    }
    log.write(cells.joined(separator: "  "))
  }

  func end(_ steps: Int, _ reason: String?) {
    // Of this run; where nothing was left to do, of what a checkpoint holds.
    let all = interpreter.state.training?["loss"] ?? []
    let losses = all.count > epochs.lowerBound ? Array(all[epochs.lowerBound...]) : all
    let count = losses.count
    guard let first = losses.first, let last = losses.last else { return }
    let stopped = reason.map { "; \($0)" } ?? ""
    let text =
      "\(method): \(count) \(count == 1 ? "epoch" : "epochs"), \(steps) \(steps == 1 ? "step" : "steps"); "
      + "\(objective): \(call.format(first)) → \(call.format(last))\(stopped)"
    log?.remark(text)
    call.print(text)
  }
}
