import Optimization
import Tensors

/// `explain step METHOD` where the method refuses: the matrix, why no step comes of it, and what the method says.
struct RefusalExplanation {
  let ground: StepGround
  let refusal: Refusal

  private var call: CommandCall { ground.call }
  private var eigenvalues: [Double] { ground.basis.values }
  private var precision: Precision { call.interpreter.state.settings.precision }
  private var signs: Definiteness { Definiteness(eigenvalues: eigenvalues, precision) }
  private var condition: Double { Commands.ratio(eigenvalues) }

  func run() -> Value {
    let table = ground.table([ground.gradientColumn, ground.newtonColumn(tolerance: signs.tolerance)])
    call.print(ExplanationText(ground.headline, [table, facts]).text)
    return .record([
      ("eigenvalues", .tensor(Tensor(vector: eigenvalues))),
      ("gradient", .tensor(Tensor(vector: ground.gradient))), ("condition", .number(condition)),
      ("refusal", .string(refusal.reason)),
    ])
  }

  private var facts: [String] {
    let smallest = eigenvalues.map(abs).min() ?? 0
    let rows: [(name: String, text: String)] = [
      (ground.matrixName, ground.form), ("signs", signs.text), ("smallest |λ|", call.format(smallest)),
      (
        "condition",
        "\(call.format(condition))   "
          + Exactness.conditionText(condition, order: eigenvalues.count, precision)
      ),
    ]
    return TextTable(facts: rows).spelled(for: call.interpreter).lines
      + ["note: step \(ground.stepper.methodName) refuses: \(refusal.reason)", "hint: \(refusal.hint)"]
  }
}
