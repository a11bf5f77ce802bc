import Syntax
import Tensors

extension Commands {
  static var checkCommand: CommandDefinition {
    CommandDefinition(
      verb: "check", usage: "check [FORMULA] [wrt TARGETS] [tol=T] [samples=N]",
      summary:
        "Compares every first and second derivative with Ridders-extrapolated finite differences, in float64.",
      options: [
        ("tol", "the largest relative error that agrees, 1e-5 by default"),
        ("samples", "beyond this many entries (\(DerivativeCheck.sampleLimit)) columns are sampled"),
      ],
      example: "check"
    ) { call in
      try call.noMoreSubjects()
      let samples = try call.integer("samples", default: DerivativeCheck.sampleLimit)
      let tolerance = try call.number("tol", default: 1e-5)
      let interpreter = call.interpreter
      let elaborator = Elaborator(
        interpreter, environment: FormulaEnvironment(frameTag: interpreter.currentFrameTag))
      if let subject = call.subject { elaborator.callResults = try interpreter.runProcedures(in: subject) }
      let f = try call.scalarNode(elaborator)
      let targets = try elaborator.targets(call.wrt(elaborator), of: [f], call.command.span)
      let check = try DerivativeCheck(f, targets, elaborator, samples: max(1, samples))
      try call.requireFinite(call.subjectName, [Tensor(scalar: check.value)])
      try call.requireFinite("the gradient", [Tensor(vector: check.gradient)])
      try call.requireFinite("the Hessian", [Tensor(vector: check.secondDerivatives.flatMap { $0 })])
      let found = try check.run()
      let result = CheckResult(check: check, first: found.first, second: found.second, tolerance: tolerance)
      try call.print(result.text(call))
      return result.value(of: call.subjectSymbol)
    }
  }
}

/// The outcome of `check`.
private struct CheckResult {
  let check: DerivativeCheck
  let first: [DerivativeCheck.Comparison]
  let second: [DerivativeCheck.Comparison]
  let tolerance: Double

  private func worst(_ items: [DerivativeCheck.Comparison]) -> DerivativeCheck.Comparison? {
    items.filter { !$0.isUncertain }.max { $0.error < $1.error }
  }

  private var failures: [DerivativeCheck.Comparison] {
    (first + second).filter { !$0.isUncertain && !($0.error <= tolerance) }
  }

  func value(of f: String) -> Value {
    let worst = worst(first + second)
    return .record([
      ("agrees", .number(failures.isEmpty ? 1 : 0)), ("first", .number(self.worst(first)?.error ?? 0)),
      ("second", .number(self.worst(second)?.error ?? 0)),
      ("worst", .string(worst.map { check.label($0, of: f) } ?? "")),
    ])
  }

  func text(_ call: CommandCall) throws -> String {
    let f = call.subjectSymbol
    let n = check.names.count
    guard n > 0 else { return "there is nothing to differentiate by: the params are empty" }
    var lines: [String] = []
    let sampled = check.columns.count < n
    lines.append(
      "\(first.count) first, \(second.count) second derivatives"
        + (sampled ? " (\(check.columns.count) of \(n) entries sampled)" : "")
        + " against extrapolated differences in float64")
    for item in [worst(first), worst(second)].compactMap({ $0 }) {
      lines.append("worst \(check.label(item, of: f)) = \(figures(call, item))")
    }
    let uncertain = (first + second).filter(\.isUncertain)
    if let example = uncertain.first {
      lines.append(
        "\(uncertain.count) undecided, such as \(check.label(example, of: f)): the differences do not settle there"
      )
    }
    try lines.append(verdict(f))
    return lines.joined(separator: "\n")
  }

  private func figures(_ call: CommandCall, _ item: DerivativeCheck.Comparison) -> String {
    "\(call.format(item.exact)), differences \(call.format(item.estimate)) (error \(LookText.rough(item.error)))"
  }

  private func verdict(_ f: String) throws -> String {
    let failed = failures
    guard let example = failed.max(by: { $0.error < $1.error }) else {
      let undecided = (first + second).contains(where: \.isUncertain)
      if worst(first + second) == nil { return "nothing could be compared" }
      return "\(undecided ? "the others" : "all") agree to \(LookText.rough(tolerance))"
    }
    let kink =
      try check.hasKink(example)
      ? "; \(f) has a kink there, where differences say nothing" : ""
    return "\(failed.count) disagree by more than \(LookText.rough(tolerance))\(kink)"
  }
}
