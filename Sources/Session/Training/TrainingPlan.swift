import Syntax
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a `train` command asks for.
struct TrainingPlan {
  let epochs: Int
  /// Rows of a batch, where the command says so.
  let batch: Int?
  /// The gradient's largest norm.
  let clip: Double?
  let schedule: RateSchedule?
  /// Epochs without a better validation value after which it ends.
  let patience: Int?
  /// Ends at the params of the epoch with the least validation value.
  let keepsBest: Bool
  let checkpoint: CheckpointFile?
  let log: (path: String, span: Span)?
  let validation: Tracked?
  let tracked: [Tracked]
  let condition: Expr?

  /// A formula that is evaluated after each epoch.
  struct Tracked {
    let name: String
    let expr: Expr
  }

  static let options: [(name: String, text: String)] = [
    ("epochs", "passes over the data, 10 unless given"),
    ("batch", "rows of a batch; the data are cut into batches where the formula has none"),
    ("clip", "largest norm of the gradient, longer ones are shortened to it"),
    ("schedule", "of the step size over the epochs: cosine, linear, or a factor as a formula of epoch"),
    ("warmup", "epochs over which the step size grows to lr"),
    ("patience", "epochs without a better validation value (or loss) after which training ends"),
    ("best", "true ends at the params of the epoch with the least validation value (or loss)"),
    ("checkpoint", "a .npz file that is written after each epoch; training goes on from it when it exists"),
    (
      "log",
      "a file that is added to: version, seed and options, and for each epoch a line with all digits"
    ),
  ]

  init(_ call: CommandCall) throws {
    epochs = try call.count("epochs", default: 10)
    batch = call.command.option("batch") == nil ? nil : try call.count("batch", default: 1)
    clip = try call.positive("clip")
    patience = call.command.option("patience") == nil ? nil : try call.count("patience", default: 1)
    keepsBest = try call.flag("best")
    schedule = try RateSchedule(call)
    checkpoint = try call.command.option("checkpoint").map {
      CheckpointFile(path: try call.path($0.value), span: $0.value.span)
    }
    log = try call.command.option("log").map { (try call.path($0.value), $0.value.span) }
    validation = call.command.clause("validate")?.values.first.map { Tracked(name: "validation", expr: $0) }
    tracked = try Self.named(call.command.clause("track")?.values ?? [])
    condition = try call.until()
  }

  /// Columns are named by the formulas; what is no name is made one.
  private static func named(_ exprs: [Expr]) throws -> [Tracked] {
    var seen = Set(["epoch", "loss", "validation", "rate", "seconds"])
    return try exprs.map { expr in
      let words = expr.span.text.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
      let name = words.joined(separator: "_")
      guard seen.insert(name).inserted else {
        throw Diagnostic(
          .name, "the history has a column '\(name)' already", at: expr.span,
          hint: "define the formula under another name and track that")
      }
      return Tracked(name: name, expr: expr)
    }
  }
}

/// A factor of the step size for each epoch.
struct RateSchedule {
  private enum Shape {
    case constant, cosine, linear
    case formula(Expr)
  }

  private let shape: Shape
  private let warmup: Int

  /// Nil where the step size stays.
  init?(_ call: CommandCall) throws {
    warmup = call.command.option("warmup") == nil ? 0 : try call.count("warmup", default: 1)
    if let value = call.command.option("schedule")?.value {
      var word = ""
      if case .name(let name) = value.kind { word = name }
      if case .string(let parts) = value.kind, case .text(let text)? = parts.first { word = text }
      switch word {
      case "cosine": shape = .cosine
      case "linear": shape = .linear
      default: shape = .formula(value)
      }
    } else if warmup > 0 {
      shape = .constant
    } else {
      return nil
    }
  }

  /// The factor in an epoch, counted from 1. Cosine: ½(1 + cos(π·k/n)) with k epochs done of n (Loshchilov and Hutter,
  /// *SGDR*, 2017, equation 5, without restarts).
  func factor(_ epoch: Int, of epochs: Int, _ interpreter: Interpreter) throws -> Double {
    let done = Double(epoch - 1) / Double(epochs)
    let growth = warmup > 0 ? min(1, Double(epoch) / Double(warmup)) : 1
    switch shape {
    case .constant: return growth
    case .cosine: return growth * 0.5 * (1 + cos(.pi * done))
    case .linear: return growth * (1 - done)
    case .formula(let expr):
      let factor = try interpreter.number(expr)
      guard factor > 0, factor.isFinite else {
        throw Diagnostic(
          .domain, "the factor of the step size must be positive, not \(NumberFormat()(factor))",
          at: expr.span)
      }
      return growth * factor
    }
  }
}
