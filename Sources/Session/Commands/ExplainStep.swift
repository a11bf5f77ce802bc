import LinearAlgebra
import Optimization
import Syntax
import Tensors

/// `explain step METHOD`: what the step does along each eigenvector of the matrix it rests on, and how well the quadratic
/// model foretells it. Nothing moves.
struct StepExplanation {
  private let ground: StepGround
  private let move: Move
  /// f where the step leads.
  private let after: Double
  private let d: [Double]
  private let step: [Double]

  /// - Parameter call: the command `step METHOD …` that is explained.
  static func run(_ call: CommandCall) throws -> Value {
    let ground = try StepGround(call)
    do {
      let (move, after) = try ground.trial()
      return StepExplanation(ground, move, after).run()
    } catch let refusal as Refusal {
      return RefusalExplanation(ground: ground, refusal: refusal).run()
    }
  }

  private init(_ ground: StepGround, _ move: Move, _ after: Double) {
    (self.ground, self.move, self.after) = (ground, move, after)
    d = zip(move.x, ground.before.x).map { $0 - $1 }
    step = ground.basis.coordinates(d)
  }

  private var call: CommandCall { ground.call }
  private var stepper: Stepper { ground.stepper }
  private var before: Evaluation { ground.before }
  private var basis: EigenBasis { ground.basis }
  private var gradient: [Double] { ground.gradient }
  private var symbol: String { ground.symbol }

  /// By how much the quadratic model falls along each eigenvector.
  private var decreases: [Double] {
    step.indices.map { -step[$0] * (gradient[$0] + 0.5 * basis.values[$0] * step[$0]) }
  }

  private var predicted: Double { decreases.reduce(0, +) }
  private var actual: Double { before.value - after }
  private var length: Double { Optimization.norm(d) }
  private var ratio: Double { actual / predicted }
  /// Gradient descent with a longer step diverges along the first eigenvector.
  private var limit: Double? { basis.values.first.flatMap { $0 > 0 ? 2 / $0 : nil } }

  private func run() -> Value {
    call.print(ExplanationText(ground.headline, [table, facts]).text)
    return record
  }

  private var record: Value {
    var fields: [(name: String, value: Value)] = [
      ("eigenvalues", .tensor(Tensor(vector: basis.values))),
      ("gradient", .tensor(Tensor(vector: gradient))), ("step", .tensor(Tensor(vector: step))),
      ("predicted", .number(predicted)), ("actual", .number(actual)), ("ratio", .number(ratio)),
      ("length", .number(length)), ("value", .number(after)),
    ]
    if let shift = move.shift { fields.append(("shift", .number(shift))) }
    if let rate = move.rate { fields.append(("rate", .number(rate))) }
    if let limit { fields.append(("limit", .number(limit))) }
    return .record(fields)
  }

  // MARK: The table

  /// The last column compares the step with the factor by which gradient descent shrinks the gradient, or with Newton's
  /// step.
  private var table: [String] {
    ground.table([
      ground.gradientColumn, StepColumn(name: "step", values: step, rest: .norm),
      StepColumn(name: "decrease", values: decreases, rest: .sum),
      move.rate.map { rate in StepColumn(name: "1 - lr·λ", values: basis.values.map { 1 - rate * $0 }) }
        ?? ground.newtonColumn(),
    ])
  }

  // MARK: The facts

  private var facts: [String] {
    var rows: [(name: String, text: String)] = [
      ("step length", call.format(length)),
      ("predicted decrease", "\(call.format(predicted))   of the quadratic model, the sum of the column"),
      (
        "actual decrease",
        "\(call.format(actual))   \(symbol): \(call.format(before.value)) → \(call.format(after))"
      ),
      ("actual/predicted", ratioText),
    ]
    if let shift = move.shift { rows.append(("shift", shiftText(shift))) }
    rows += rateRows
    return TextTable(facts: rows).spelled(for: call.interpreter).lines + notes
  }

  /// What the method says, without the shift, which has a row.
  private var notes: [String] {
    move.notes.filter { move.shift == nil || !$0.hasPrefix("shift") }.map { "note: \($0)" }
  }

  private var ratioText: String {
    guard ratio.isFinite else { return "-" }
    let text = call.format(ratio)
    if predicted < 0 { return "\(text)   the model itself rises along this step" }
    if actual < 0 { return "\(text)   \(symbol) rises: the model does not reach that far" }
    if (0.9...1.1).contains(ratio) { return "\(text)   the model foretells the step well" }
    return "\(text)"
  }

  private func shiftText(_ shift: Double) -> String {
    let text = call.format(shift)
    let least = basis.values.last ?? 0
    if shift == 0 { return "0   the step is Newton's" }
    guard least < 0 else { return "\(text)   added to every eigenvalue, it shortens the step" }
    let lifted = least + shift
    let rest = abs(lifted) <= 1e-12 * shift ? 0 : lifted
    return "\(text)   lifts the least eigenvalue from \(call.format(least)) to \(call.format(rest))"
  }

  private var rateRows: [(name: String, text: String)] {
    guard let limit else { return [] }
    guard let rate = move.rate else {
      return stepper.method.order == .gradient
        ? [("2/λmax", "\(call.format(limit))   gradient descent with a larger lr diverges here")] : []
    }
    let diverging = basis.values.count { rate * $0 > 2 }
    let verdict: String
    if diverging > 0 {
      verdict = "lr is above: it diverges along \(diverging) eigenvector\(diverging == 1 ? "" : "s")"
    } else if basis.values.last ?? 0 < 0 {
      verdict = "lr is below; along negative λ the gradient grows"
    } else {
      verdict = "lr is below: every part of the gradient shrinks"
    }
    return [("lr", call.format(rate)), ("2/λmax", "\(call.format(limit))   \(verdict)")]
  }
}
