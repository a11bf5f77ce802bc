import Curvature
import Engine
import Graph
import Syntax
import Tensors

extension Commands {
  static var estimateCommand: CommandDefinition {
    CommandDefinition(
      verb: "estimate", usage: "estimate [FORMULA] [draws=N] [seed=N]",
      summary:
        "The mean of a random formula over independent draws of all random leaves, with its standard error and 95 % interval. Params, draws on show and the place in the batches stay.",
      options: [
        ("draws", "how many, 100 unless given, 2 at least"),
        ("seed", "of the draws; without it one from the session's generator, which is told"),
      ],
      example: "v ~ rademacher(2)\nestimate dot(v, hvp(f, x, v)) draws=50 seed=1"
    ) { call in try DrawEstimate(call).run() }
  }
}

/// One run of `estimate`: the formula at the present params, over draws of its own.
private struct DrawEstimate {
  private let call: CommandCall
  private let formula: Expr
  /// Its text.
  private let name: String
  private let draws: Int

  private var interpreter: Interpreter { call.interpreter }

  init(_ call: CommandCall) throws {
    self.call = call
    try call.noMoreSubjects()
    name = call.subjectName
    draws = try call.count("draws", default: 100, atLeast: 2)
    if let subject = call.subject {
      formula = subject
    } else {
      guard let objective = call.interpreter.state.objective else {
        throw Diagnostic(
          .name, "'estimate' needs a formula", at: call.command.span, hint: "estimate loss draws=100")
      }
      formula = Expr(.name(objective), call.command.verbSpan)
    }
  }

  /// What the draws gave.
  private struct Found {
    /// The value at the first draw, for its kind and shapes.
    let model: Value
    let moments: RunningMoments
    /// Every draw, of a formula that is one number.
    let samples: [Double]
  }

  func run() throws -> Value {
    let generator = try call.probeGenerator()
    let found = try inPassing { try collect(generator) }
    let estimates = Interval(found)
    call.print(text(found, estimates, generator.seed))
    warn(found)
    return record(found, estimates, generator.seed)
  }

  /// Draws, and brings everything back but for what the session's generator has given for the seed.
  private func inPassing<T>(_ body: () throws -> T) throws -> T {
    interpreter.willChange()
    let before = (state: interpreter.state, changes: interpreter.changeCount)
    defer {
      interpreter.restore(before.state)
      interpreter.changeCount = before.changes
    }
    return try body()
  }

  private func collect(_ generator: CounterGenerator) throws -> Found {
    interpreter.state.generator = generator
    var model: Value?
    var moments = RunningMoments(entries: 0)
    var samples: [Double] = []
    let progress = call.progress()
    for draw in 1...draws {
      try Interruption.check()
      try interpreter.redraw(independently: true)
      let drawn = interpreter.state.generator
      let value = try interpreter.evaluate(formula)
      let entries = try entries(of: value, like: model)
      if model == nil {
        model = value
        try requireRandomness(drawsItself: interpreter.state.generator != drawn)
        moments = RunningMoments(entries: entries.count)
      }
      try requireFinite(entries, draw, generator.seed)
      moments.add(entries)
      if entries.count == 1 { samples.append(entries[0]) }
      progress("draw \(draw) of \(draws)")
    }
    return Found(model: model ?? .nothing, moments: moments, samples: samples)
  }

  private func entries(of value: Value, like model: Value?) throws -> [Double] {
    switch value {
    case .tensor, .bundle: break
    default:
      throw Diagnostic(
        .type, "'estimate' needs a formula of numbers, not \(value.kindName)", at: formula.span,
        hint: "a part of it, or norm or sum of it, is")
    }
    guard model == nil || model?.shapes == value.shapes else {
      throw Diagnostic(
        .shape, "the shape of \(name) depends on the draw, so it has no mean", at: formula.span)
    }
    return value.tensors.flatMap(\.doubles)
  }

  private func requireRandomness(drawsItself: Bool) throws {
    guard !drawsItself, !interpreter.dependsOnDraws(formula) else { return }
    throw Diagnostic(
      .type, "nothing in \(name) is random: every draw would give the same", at: formula.span,
      hint: interpreter.hasRandomLeaves ? nil : "a random leaf is declared with: v ~ rademacher(3)")
  }

  private func requireFinite(_ entries: [Double], _ draw: Int, _ seed: UInt64) throws {
    guard let message = call.nonFinite(name, [Tensor(vector: entries)]) else { return }
    throw Diagnostic(
      .numeric, "\(message) at draw \(draw) of seed \(seed), so there is no mean", at: formula.span)
  }

  /// Ends of the intervals, an entry each.
  private struct Interval {
    let errors: [Double]
    let low: [Double]
    let high: [Double]

    init(_ found: Found) {
      errors = found.moments.standardErrors
      let factor = found.moments.factor
      low = zip(found.moments.means, errors).map { $0 - factor * $1 }
      high = zip(found.moments.means, errors).map { $0 + factor * $1 }
    }
  }

  // MARK: Telling

  private func text(_ found: Found, _ interval: Interval, _ seed: UInt64) -> String {
    let valueText = interpreter.valueText
    let means = found.model.replacing(entries: found.moments.means)
    let how = "\(draws) draws, seed \(seed)"
    guard found.samples.isEmpty else {
      let half = LookText.rough(found.moments.factor * interval.errors[0])
      let spread =
        interval.errors[0] == 0
        ? "all \(draws) draws of seed \(seed) are equal"
        : "standard error \(LookText.rough(interval.errors[0])); 95 % in [\(call.format(interval.low[0])), "
          + "\(call.format(interval.high[0]))]; \(how)"
      return call.lookText.remarked("\(name) = \(call.format(found.moments.means[0])) ± \(half)", spread)
    }
    let errors = found.model.replacing(entries: interval.errors)
    return [
      call.lookText.remarked(valueText.labeled(name, valueText.text(means)), "means; \(how)"),
      valueText.labeled("standard errors", valueText.text(errors)),
    ].joined(separator: "\n")
  }

  /// Student's interval is that of a mean that is nearly normal.
  private func warn(_ found: Found) {
    let skewness = SamplingSkewness.skewness(found.samples)
    let needed = SamplingSkewness.samplesNeeded(skewness: skewness)
    guard needed > Double(draws) else { return }
    call.warn(
      "the draws are skewed (\(LookText.rough(skewness))): the interval misses the mean more often than 5 % of the time; "
        + "at least \(LookText.rough(needed.rounded(.up))) draws are needed for it")
  }

  private func record(_ found: Found, _ interval: Interval, _ seed: UInt64) -> Value {
    func like(_ entries: [Double]) -> Value { found.model.replacing(entries: entries) }
    let draws: [(name: String, value: Value)] =
      found.samples.isEmpty ? [] : [("samples", .tensor(Tensor(vector: found.samples)))]
    return .record(
      [
        ("value", like(found.moments.means)), ("error", like(interval.errors)), ("low", like(interval.low)),
        ("high", like(interval.high)), ("draws", .number(Double(self.draws))),
        ("seed", .number(Double(seed))),
      ] + draws)
  }
}

extension Value {
  /// A tensor or bundle of the same shapes with other entries, in their order, in double precision.
  fileprivate func replacing(entries: [Double]) -> Value {
    var start = 0
    let tensors = tensors.map { tensor -> Tensor in
      defer { start += tensor.count }
      return Tensor(Array(entries[start..<(start + tensor.count)]), tensor.shape)
    }
    return replacing(tensors) ?? .nothing
  }
}
