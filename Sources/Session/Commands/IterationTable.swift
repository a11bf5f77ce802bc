import Optimization

/// When a step is so small that a run ends.
struct StepTolerances {
  /// ‖Δx‖ ≤ step·(1 + ‖x‖).
  let step: Double?
  /// |Δf| ≤ decrease·(1 + |f|).
  let decrease: Double?

  /// The reason to end after the step from one point to another.
  func reached(_ before: Evaluation, _ after: Evaluation, _ name: String) -> String? {
    if let step, length(before, after) <= step * (1 + norm(after.x)) {
      return "the step is shorter than xtol·(1 + ‖x‖)"
    }
    if let decrease, (before.value - after.value).magnitude <= decrease * (1 + after.value.magnitude) {
      return "\(name) changes by less than ftol·(1 + |\(name)|)"
    }
    return nil
  }

  private func length(_ a: Evaluation, _ b: Evaluation) -> Double { norm(zip(a.x, b.x).map { $1 - $0 }) }
}

/// A line for every step of a run, printed as the step is made: f, the norms of gradient and step, how the fall of f
/// compares with what the method's model expected, and what the method says.
struct IterationTable {
  private let call: CommandCall
  private let name: String
  private let width: Int

  init(_ call: CommandCall, _ name: String) {
    self.call = call
    self.name = name
    // A sign, the digits, a point and an exponent.
    width = call.interpreter.state.settings.digits + 7
  }

  func begin(_ start: Evaluation) {
    line(["step", name, "‖∇\(name)‖", "‖Δx‖", "Δ\(name)/model"], "")
    line(["0", call.format(start.value), call.format(start.gradientNorm), "", ""], "")
  }

  func add(_ step: Int, _ before: Evaluation, _ after: Evaluation, _ move: Move) {
    let moved = norm(zip(before.x, after.x).map { $1 - $0 })
    let ratio = move.predicted.flatMap { $0 > 0 ? (before.value - after.value) / $0 : nil }
    line(
      [
        "\(step)", call.format(after.value), call.format(after.gradientNorm), call.format(moved),
        ratio.map { NumberFormat(digits: 3)($0) } ?? "",
      ], move.notes.joined(separator: "; "))
  }

  private func line(_ cells: [String], _ remark: String) {
    let padded = zip(cells, [5, width, width, width, 9]).map { cell, width in
      String(repeating: " ", count: max(0, width - cell.count)) + cell
    }
    let text = padded.joined(separator: "  ") + (remark.isEmpty ? "" : "  " + remark)
    call.print(String(text.reversed().drop { $0 == " " }.reversed()))
  }
}
