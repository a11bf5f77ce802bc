import LinearAlgebra
import Optimization
import Syntax
import Tensors

/// `explain step METHOD`: what the step does along each eigenvector of the matrix it rests on, and how well the quadratic
/// model foretells it. Nothing moves.
struct StepExplanation {
  private let call: CommandCall
  private let stepper: Stepper
  private let before: Evaluation
  private let move: Move
  /// f where the step leads.
  private let after: Double
  private let d: [Double]
  private let matrix: Tensor
  private let isGaussNewton: Bool
  private let basis: EigenBasis
  private let gradient: [Double]
  private let step: [Double]

  /// Eigenvectors shown at the top and at the bottom.
  private static let (top, bottom) = (6, 4)
  /// Params up to which eigenvectors are written out.
  private static let writtenOut = 3

  /// - Parameter call: the command `step METHOD …` that is explained.
  init(_ call: CommandCall) throws {
    self.call = call
    let (name, method) = try call.singleMethod()
    stepper = try Stepper(call, name, method)
    isGaussNewton = [.ggn, .kfac].contains(method.order)
    before = try stepper.evaluation(isGaussNewton ? .ggn : .hessian)
    guard before.x.count <= EigenBasis.limit, let hessian = before.hessian else {
      throw Diagnostic(
        .resource,
        "a step of \(before.x.count) params is not shown in the eigenbasis, the limit is \(EigenBasis.limit)",
        at: call.command.span, hint: "explain it by one param: explain step \(name) wrt W")
    }
    matrix = hessian.filled(order: before.x.count)
    let (at, full) = (before, matrix)
    try call.requireFinite("the matrix", [matrix])
    basis = try call.algebra { try EigenBasis(full, turnedTo: at.gradient) }
    (move, after) = try stepper.trial(from: method.order == .kfac ? stepper.evaluation(.kfac) : before)
    d = zip(move.x, before.x).map { $0 - $1 }
    gradient = basis.coordinates(before.gradient)
    step = basis.coordinates(d)
  }

  private var symbol: String { stepper.objectiveName }

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

  func run() -> Value {
    call.print(ExplanationText(headline, [table, facts]).text)
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

  private var headline: String {
    let name = isGaussNewton ? "ggn(\(symbol))" : "∇²\(symbol)"
    return
      "step \(stepper.methodName) from \(symbol) = \(call.format(before.value)), in the eigenbasis of \(name)"
  }

  /// What the last column compares the step with: the factor by which gradient descent shrinks the gradient, or
  /// Newton's step.
  private var comparison: (name: String, value: (Int) -> Double) {
    if let rate = move.rate { return ("1 - lr·λ", { 1 - rate * basis.values[$0] }) }
    return ("Newton", { basis.values[$0] == 0 ? .nan : -gradient[$0] / basis.values[$0] })
  }

  private var table: [String] {
    let n = basis.values.count
    let isCut = n > Self.top + Self.bottom + 1
    let shown = isCut ? Array(0..<Self.top) + Array((n - Self.bottom)..<n) : Array(0..<n)
    let format = NumberFormat(digits: min(call.format.digits, 6))
    let isWritten = n <= Self.writtenOut && n > 1
    let fall = decreases
    var rows = [
      ["λ", "∇\(symbol)", "step", "decrease", comparison.name] + (isWritten ? ["eigenvector"] : [])
    ]
    for k in shown {
      let other = comparison.value(k)
      var row = [basis.values[k], gradient[k], step[k], fall[k]].map { format($0) }
      row.append(other.isNaN ? "-" : format(other))
      if isWritten {
        row.append(" [" + basis.vectors[k].map { NumberFormat(digits: 3)($0) }.joined(separator: ", ") + "]")
      }
      if isCut, k == n - Self.bottom { rows.append(rest(Self.top..<(n - Self.bottom), format)) }
      rows.append(row)
    }
    return TextTable(rows, left: [5]).spelled(for: call.interpreter).lines.map { "  " + $0 }
  }

  /// One row for the eigenvectors that are left out: norms, and the sum of the decreases.
  private func rest(_ range: Range<Int>, _ format: NumberFormat) -> [String] {
    let fall = decreases[range].reduce(0, +)
    let norms = [gradient, step].map { "‖·‖ " + format(Optimization.norm(Array($0[range]))) }
    return ["\(range.count) more"] + norms + [format(fall), ""]
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
