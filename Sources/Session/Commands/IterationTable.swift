import Optimization

/// When a step is so small that a run ends.
struct StepTolerances {
  /// ‖Δx‖ ≤ step·(1 + ‖x‖).
  let step: Double?
  /// |Δf| ≤ decrease·(1 + |f|).
  let decrease: Double?

  /// The reason to end after the step from one point to another.
  func reached(_ before: Evaluation, _ after: Evaluation, _ name: String) -> String? {
    if let step, before.distance(to: after) <= step * (1 + norm(after.x)) {
      return "the step is shorter than xtol·(1 + ‖x‖)"
    }
    if let decrease, (before.value - after.value).magnitude <= decrease * (1 + after.value.magnitude) {
      return "\(name) changes by less than ftol·(1 + |\(name)|)"
    }
    return nil
  }
}

/// A table that is printed line by line, while its rows come to be.
struct RunningTable {
  private let call: CommandCall
  private let widths: [Int]

  /// - Parameter widths: of the columns; nil for numbers of the session's digits.
  init(_ call: CommandCall, widths: [Int?]) {
    self.call = call
    // A sign, the digits, a point and an exponent.
    let number = call.interpreter.state.settings.digits + 7
    self.widths = widths.map { $0 ?? number }
  }

  func line(_ cells: [String], _ remark: String = "") {
    let isASCII = call.interpreter.state.settings.isASCII
    let padded = zip(cells, widths).map { cell, width in
      let cell = isASCII ? PlainText.ascii(cell) : cell
      return String(repeating: " ", count: max(0, width - cell.count)) + cell
    }
    let text = padded.joined(separator: "  ") + (remark.isEmpty ? "" : "  " + remark)
    call.print(String(text.reversed().drop { $0 == " " }.reversed()))
  }
}

/// A line for every step of a run, printed as the step is made: f, the norms of gradient and step, how the fall of f
/// compares with what the method's model expected, and what the method says.
struct IterationTable {
  private let call: CommandCall
  private let name: String
  private let table: RunningTable

  init(_ call: CommandCall, _ name: String) {
    self.call = call
    self.name = name
    table = RunningTable(call, widths: [5, nil, nil, nil, 9])
  }

  func begin(_ start: Evaluation) {
    table.line(["step", name, "‖∇\(name)‖", "‖Δx‖", "Δ\(name)/model"])
    table.line(["0", call.format(start.value), call.format(start.gradientNorm)])
  }

  func add(_ step: Int, _ before: Evaluation, _ after: Evaluation, _ move: Move) {
    let ratio = move.predicted.flatMap { $0 > 0 ? (before.value - after.value) / $0 : nil }
    table.line(
      [
        "\(step)", call.format(after.value), call.format(after.gradientNorm),
        call.format(before.distance(to: after)),
        ratio.map { NumberFormat(digits: 3)($0) } ?? "",
      ], move.notes.joined(separator: "; "))
  }
}
