import Curvature
import Engine
import LinearAlgebra
import Syntax
import Tensors

extension CommandCall {
  /// Orders up to which the entries of an operator are computed where that says more.
  private static var smallOrder: Int { 1000 }

  /// The operator that a command speaks of: its subject when that is a large one; with `always` any, and also the Hessian
  /// of a formula. Nil for matrices, and for parts of a param.
  func formulaOperator(always: Bool) throws -> FormulaOperator? {
    try noMoreSubjects()
    return try interpreter.formulaOperator(
      key: CommandKey(command, "operator \(always)"), owner: command, subject?.span ?? command.verbSpan
    ) { elaborator in
      if let subject {
        let meaning = try elaborator.meaning(subject)
        if case .operator(let form) = meaning {
          return always || elaborator.order(form) > Self.smallOrder ? form : nil
        }
        guard always, !interpreter.isHessian(subject),
          elaborator.graph.shape(try elaborator.asNode(meaning, subject.span)).isEmpty
        else {
          return nil
        }
      } else if !always {
        return nil
      }
      let f = try scalarNode(elaborator)
      let targets = try elaborator.targets(wrt(elaborator), of: [f], command.span)
      guard targets.part == nil else { return nil }
      return try elaborator.hessianOperator(f, targets, name: "∇²\(subjectSymbol)", command.span)
    }
  }

  /// A matrix subject as an operator, or the one of a formula.
  func anyOperator() throws -> (operator: any SymmetricOperator, name: String) {
    if let found = try formulaOperator(always: true) {
      guard found.order > 0 else {
        throw Diagnostic(.domain, "\(found.name) is empty: there is nothing to look at", at: command.span)
      }
      return (found, found.name)
    }
    let c = try curvature()
    try requireFinite(c)
    try requireSymmetric(c)
    return (MatrixOperator(c.matrix), c.name)
  }

  /// The seed given as an option.
  func seed() throws -> UInt64? {
    guard let option = command.option("seed") else { return nil }
    let seed = try interpreter.whole(option.value)
    guard seed >= 0 else { throw Diagnostic(.domain, "a seed is not negative", at: option.span) }
    return UInt64(seed)
  }

  /// The generator that `seed=` names, or one drawn from the session's.
  func probeGenerator() throws -> CounterGenerator {
    // Small enough to be typed again.
    CounterGenerator(seed: try seed() ?? interpreter.state.generator.next() % 1_000_000)
  }

  /// A count given as an option.
  func count(_ name: String, default fallback: Int, atLeast least: Int = 1) throws -> Int {
    let value = try integer(name, default: fallback)
    guard value >= least else {
      throw Diagnostic(
        .domain, "'\(name)' is at least \(least), not \(value)", at: command.option(name)?.value.span)
    }
    return value
  }

  /// One of a few words given as an option.
  func choice<T: RawRepresentable & CaseIterable>(_ name: String, _: T.Type) throws -> T?
  where T.RawValue == String {
    guard let (text, span) = try word(name) else { return nil }
    if let found = T(rawValue: text) { return found }
    let known = T.allCases.map(\.rawValue)
    throw Diagnostic(
      .name, "'\(name)' cannot be '\(text)'", at: span, notes: ["it is \(known.joined(separator: ", "))"],
      hint: closestMatch(to: text, in: known).map { "did you mean '\($0)'?" })
  }

  /// Runs a matrix-free method, its errors placed at the command.
  func matrixFree<T>(_ body: () throws -> T) throws -> T {
    try interpreter.matrixFree(at: subject?.span ?? command.verbSpan, body)
  }

  /// The progress of a run that lasts, twice a second.
  func progress() -> (String) -> Void {
    var reported = Machine.now
    return { [interpreter] text in
      guard Machine.now - reported > 0.5 else { return }
      reported = Machine.now
      interpreter.output(.progress(text))
    }
  }
}

extension Estimate {
  /// `12.3 ± 0.4   estimate: …`.
  func text(_ call: CommandCall, _ name: String, _ how: String, seed: UInt64) -> String {
    let half = LookText.rough((high - low) / 2)
    return call.lookText.remarked(
      "\(name) = \(call.format(value)) ± \(half)",
      "estimate: 95 % in [\(call.format(low)), \(call.format(high))]; \(how), seed \(seed)")
  }

  var record: Value {
    .record([
      ("value", .number(value)), ("error", .number(standardError)), ("low", .number(low)),
      ("high", .number(high)),
      ("probes", .number(Double(probes))), ("products", .number(Double(products))),
    ])
  }
}
