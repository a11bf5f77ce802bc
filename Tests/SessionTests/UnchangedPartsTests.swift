import Tensors
import Testing

@testable import Engine
@testable import Session

/// What depends on unchanged names alone is computed once, and anew as soon as one of them changes, however that comes
/// about. A formula that is typed again has a plan of its own, which has kept nothing yet.
@Suite struct UnchangedPartsTests {
  private static let setting = """
    data X = sin(reshape(range(0, 2000), 50, 40))
    param W = cos(reshape(range(0, 800), 40, 20))/4
    param b = 0.1*sin(range(0, 20))
    f := sum(tanh(X@W + b)^2)/50
    p(v) { return flatten(hvp(f, params, v)) }
    v(k) := sin(k + range(0, 820))

    """

  private func conversation() -> Conversation {
    let conversation = Conversation()
    conversation.say(Self.setting)
    #expect(conversation.outcome == .ok)
    return conversation
  }

  /// Compares the procedure's products with those of a new formula.
  private func check(_ conversation: Conversation, _ what: String, tolerance: Double = 1e-12) {
    for k in 0..<4 {
      let text = conversation.say(
        "print max(abs(p(v(\(k))) - flatten(hvp(f, params, v(\(k)))))), norm(p(v(\(k))))")
      let numbers = text.split(separator: " ").compactMap { Double($0) }
      #expect(numbers.count == 2, "\(what): \(text)")
      guard numbers.count == 2 else { return }
      #expect(numbers[0] <= tolerance * numbers[1] && numbers[1] > 0, "\(what): \(text)")
    }
  }

  @Test func changesAreSeen() {
    let conversation = conversation()
    check(conversation, "at first")
    let kept = conversation.interpreter.formulas.values.contains {
      ($0.plan as? StagedPlan)?.preludeRuns != nil
    }
    #expect(kept)
    for change in [
      "W = 1.1*W", "W[3, 4] = 0.5", "step gd lr=0.1", "undo", "undo 2", "X = X + 0.1", "b = b - 1",
      "reset", "data X = cos(reshape(range(0, 2000), 50, 40))", "params = 0.9*params",
      "set precision f32", "W = 0.7*W", "undo", "set precision f64", "repeat 5 { step gd lr=0.1;\n }",
      "reset",
    ] {
      let said = conversation.say(change)
      #expect(conversation.outcome == .ok, "\(change): \(said)")
      let isSingle = conversation.interpreter.state.settings.precision == .f32
      check(conversation, change, tolerance: isSingle ? 1e-5 : 1e-12)
    }
  }

  /// The values of all names after a program, with loops compiled at once or never.
  private func values(_ program: String, compiled: Bool) -> (values: [String: [Double]], Conversation) {
    let conversation = Conversation()
    conversation.interpreter.loopThreshold = compiled ? 1 : .max
    let said = conversation.say(Self.setting + "u = v(0); s = 0\n" + program)
    #expect(conversation.outcome == .ok, "\(said) in \(program)")
    var values: [String: [Double]] = [:]
    for (name, binding) in conversation.interpreter.state.globals {
      values[name] = binding.tensors.flatMap(\.doubles)
    }
    return (values, conversation)
  }

  private func segments(_ block: LoopBlock) -> [LoopSegment] {
    block.items.flatMap { item -> [LoopSegment] in
      switch item.code {
      case .segment(let segment): return [segment]
      case .loop(let loop): return segments(loop.block)
      case .conditional(let branches, let otherwise):
        return branches.flatMap { segments($0.block) } + (otherwise.map(segments) ?? [])
      default: return []
      }
    }
  }

  @Test(arguments: [
    ("for k in 0..10 { u = flatten(hvp(f, params, u)); u = u/norm(u) }", true),
    ("while s < 10 { u = flatten(hvp(f, params, u)); u = u/norm(u); s = s + 1 }", true),
    // The inner loop's unchanged names are the outer one's changed ones.
    ("for j in 0..4 { W = 0.9*W; for k in 0..4 { u = flatten(hvp(f, params, u)); s = s + sum(u) } }", true),
    ("for j in 0..4 { step gd lr=0.1;\n repeat 3 { u = flatten(hvp(f, params, u)); s = s + u[0] } }", true),
    ("for k in 0..6 { u = flatten(hvp(f, params, u)); step gd lr=0.1;\n }", false),
    ("for k in 0..6 { u = flatten(hvp(f, params, u)); params = 0.9*params }", false),
    ("for k in 0..9 { if k % 3 == 2 { W[k, 1] = k } else { u = flatten(hvp(f, params, u)) } }", false),
    ("for k in 0..9 { u = flatten(hvp(f, params, u)); if k == 5 { X = 0.5*X; print k } }", nil),
    ("for k in 0..9 { u = flatten(hvp(f, params, u)); if k == 5 { reset } }", nil),
  ])
  func loops(_ program: String, _ keeps: Bool?) {
    let loop = "W = 0.8*W; step gd lr=0.1\n" + program
    let (a, conversation) = values(loop, compiled: true)
    let (b, _) = values(loop, compiled: false)
    #expect(Set(a.keys) == Set(b.keys))
    for (name, value) in a {
      let other = b[name] ?? []
      let size = other.reduce(1e-30) { max($0, abs($1)) }
      #expect(
        value.count == other.count && zip(value, other).allSatisfy { abs($0 - $1) <= 1e-9 * size },
        "\(name) of \(program)")
    }
    let code = conversation.interpreter.loops.values.compactMap { $0.compiled?.code.block }
    if let keeps {
      #expect(!code.isEmpty, "\(program)")
      #expect(code.flatMap(segments).contains { $0.hasPrelude } == keeps, "\(program)")
    }
  }

  /// A compiled loop that is run again finds its names changed in between.
  @Test func loopsRunAgain() {
    let conversation = Conversation()
    conversation.interpreter.loopThreshold = 1
    conversation.say(
      Self.setting
        + "q(u) { repeat 5 { u = flatten(hvp(f, params, u)); u = u/norm(u) }; return u }\n"
        + "r(u) { for k in [0; 1; 2; 3; 4] { u = flatten(hvp(f, params, u)); u = u/norm(u) }; return u }")
    for change in ["", "W = 1.2*W", "X = 0.5*X", "b[2] = 3", "undo", "step gd lr=0.1", "reset"] {
      let said = conversation.say(change)
      #expect(conversation.outcome == .ok, "\(change): \(said)")
      let text = conversation.say("print norm(q(v(1)) - r(v(1)))")
      #expect(Double(text).map { $0 < 1e-9 } ?? false, "\(change): \(text)")
    }
  }

  /// The difference of two sums of many large logits would lose most of a small loss in single precision.
  @Test(arguments: [
    "crossentropy(z, y)", "crossentropy(z, 0.1*onehot(y, 10) + 0.09)", "binary_crossentropy(flatten(z), t)",
  ])
  func smallLossesOfLargeLogits(_ loss: String) {
    let conversation = Conversation()
    conversation.say(
      """
      data y = range(0, 1000) % 10
      data z = 6*sin(reshape(range(0, 10000), 1000, 10)) + 12 + 3*onehot(y, 10)
      data t = if flatten(z) > 9 then 1 else 0
      set precision f32
      """)
    let single = conversation.say(#"print "{\#(loss):.17e}""#)
    conversation.say("set precision f64")
    let double = conversation.say(#"print "{\#(loss):.17e}""#)
    guard let a = Double(single), let b = Double(double) else {
      Issue.record("\(single) \(double)")
      return
    }
    #expect(abs(a - b) <= 2e-7 * b, "\(loss): \(a) for \(b)")
  }
}
