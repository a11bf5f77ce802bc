import Curvature
import Engine
import Graph
import LinearAlgebra
import Syntax
import Tensors

/// Single figures of a matrix: exact, from its entries, or estimated from products.
extension Commands {
  static var conditionCommand: CommandDefinition {
    CommandDefinition(
      verb: "condition", usage: "condition [FORMULA | MATRIX] [wrt TARGETS]",
      summary: "The condition number of the Hessian (or of a matrix): largest over smallest singular value.",
      example: "condition"
    ) { call in
      let c = try call.curvature()
      try call.requireFinite(c)
      let isSymmetric = c.matrix.shape[0] == c.matrix.shape[1] && c.matrix.asymmetry == nil
      let exact = c.matrix.converted(to: .f64)
      let values = try call.algebra {
        isSymmetric ? try symmetricEigenvalues(exact).doubles : try singularValues(exact).doubles
      }
      let result = ratio(values)
      let remark = Exactness.conditionText(result, order: values.count, c.matrix.precision)
      call.print(call.lookText.remarked("condition(\(c.name)) = \(call.format(result))", remark))
      return .number(result)
    }
  }

  private static let estimateOptions: [(name: String, text: String)] = [
    ("probes", "estimates from about so many products instead"),
    ("seed", "of the probes; otherwise drawn, and printed"),
  ]

  static var traceCommand: CommandDefinition {
    CommandDefinition(
      verb: "trace", usage: "trace [FORMULA | MATRIX | OPERATOR] [wrt TARGETS]",
      summary:
        "The trace of the Hessian (or of a matrix): exact, or an estimate with its 95 % interval when that does not fit into memory, for an operator, or on request.",
      options: [
        ("estimate", "hutchinson, hutchpp (Hutch++) or xtrace (the default) instead of the exact trace")
      ]
        + estimateOptions,
      example: "trace"
    ) { call in
      let method = try call.choice("estimate", TraceEstimator.self)
      return try call.exactOrEstimated(isForced: method != nil) {
        let diagonal = try diagonalEntries(call)
        let entries = diagonal.values.doubles
        let sum = entries.reduce(0, +)
        call.print(
          call.lookText.remarked(
            "tr \(diagonal.name) = \(call.format(sum))",
            sum.isFinite ? Exactness.text(Exactness.sum(entries, diagonal.values.precision)) : ""))
        call.warnNonFinite("the trace", [Tensor(scalar: sum)])
        return .number(sum)
      } estimate: { a, name, probes, generator in
        let seed = generator.seed
        let method = method ?? .xtrace
        let found = try method.trace(of: a, products: probes, generator: &generator)
        call.print(
          found.text(call, "tr \(name)", "\(method.rawValue), \(found.products) products", seed: seed))
        return found.record
      }
    }
  }

  static var diagCommand: CommandDefinition {
    CommandDefinition(
      verb: "diag", usage: "diag [FORMULA | MATRIX | OPERATOR] [wrt TARGETS]",
      summary: "The diagonal of the Hessian (or of a matrix): exact, or an estimate (XDiag) of each entry.",
      options: estimateOptions, example: "diag"
    ) { call in
      let text = call.interpreter.valueText
      return try call.exactOrEstimated(isForced: false) {
        let diagonal = try diagonalEntries(call)
        call.print(
          call.lookText.remarked(
            text.labeled("diag \(diagonal.name)", showing: diagonal.values), "exact: entries, not estimates"))
        call.warnNonFinite("the diagonal", [diagonal.values])
        return .tensor(diagonal.values)
      } estimate: { a, name, probes, generator in
        let seed = generator.seed
        let found = try DiagonalEstimator.diagonal(of: a, products: probes, generator: &generator)
        let values = Tensor(vector: found.map(\.value))
        let worst = found.map { ($0.high - $0.low) / 2 }.max() ?? 0
        call.print(
          text.labeled("diag \(name)", showing: values)
            + "\nestimate: each within ±\(LookText.rough(worst)) or less"
            + " (95 %); xdiag, \(found.first?.products ?? 0) products, seed \(seed)")
        return .record([
          ("values", .tensor(values)), ("errors", .tensor(Tensor(vector: found.map(\.standardError)))),
          ("low", .tensor(Tensor(vector: found.map(\.low)))),
          ("high", .tensor(Tensor(vector: found.map(\.high)))),
        ])
      }
    }
  }

  /// The exact diagonal of the Hessian that a command speaks of.
  static func diagonal(of call: CommandCall) throws -> [Double] {
    try diagonalEntries(call).values.doubles
  }

  /// Of a Hessian without building it; of a matrix given as such.
  private static func diagonalEntries(_ call: CommandCall) throws -> (name: String, values: Tensor) {
    try call.noMoreSubjects()
    let value = try call.evaluated("diagonal") { elaborator in
      if let matrix = try call.givenMatrix(elaborator) { return .tuple([.string("matrix"), matrix]) }
      let f = try call.scalarNode(elaborator)
      let targets = try elaborator.targets(call.wrt(elaborator), of: [f], call.command.span)
      let diagonals = elaborator.graph.hessianDiagonals(f, wrt: targets.leaves)
      if let part = targets.part {
        return .tuple([.string("hessian"), .node(elaborator.flat(elaborator.indexed(diagonals[0], part)))])
      }
      return .tuple([.string("hessian"), .node(elaborator.graph.concatenated(diagonals))])
    }
    guard case .tuple(let parts) = value, case .string(let kind) = parts[0], let found = parts[1].tensor
    else {
      throw Diagnostic(.type, "'\(call.command.verb)' needs a formula", at: call.command.span)
    }
    if kind == "hessian" { return ("∇²\(call.subjectSymbol)", found.reshaped([found.count])) }
    let (rows, columns) = (found.shape[0], found.shape[1])
    guard rows == columns else {
      throw Diagnostic(
        .shape, "'\(call.command.verb)' needs a square matrix, not \(rows)×\(columns)", at: call.subject?.span
      )
    }
    let values = found.doubles
    return (call.subjectSymbol, Tensor(vector: (0..<rows).map { values[$0 * rows + $0] }, found.precision))
  }

  static var normCommand: CommandDefinition {
    CommandDefinition(
      verb: "norm", usage: "norm [FORMULA | TENSOR | OPERATOR] [wrt TARGETS]",
      summary:
        "The Frobenius norm of the Hessian of a scalar formula, or of the tensor given: exact, or an estimate.",
      options: estimateOptions, example: "norm"
    ) { call in
      try call.exactOrEstimated(isForced: false) {
        if let subject = call.subject, command(call, hasTensor: subject) {
          let parts = try call.interpreter.evaluate(subject).tensors
          let norm = Tensor(vector: parts.map(\.frobeniusNorm)).frobeniusNorm
          let count = parts.reduce(0) { $0 + $1.count }
          call.print(
            call.lookText.remarked(
              "‖\(subject.span.text)‖ = \(call.format(norm))", normText(norm, Double(count), .f64)))
          call.warnNonFinite("the norm", [Tensor(scalar: norm)])
          return .number(norm)
        }
        let (norm, count) = try hessianNorm(call)
        let text = normText(norm, count, call.interpreter.state.settings.precision)
        call.print(
          call.lookText.remarked(
            "‖∇²\(call.subjectSymbol)‖ = \(call.format(norm))", "Frobenius norm, " + text))
        call.warnNonFinite("the norm", [Tensor(scalar: norm)])
        return .number(norm)
      } estimate: { a, name, probes, generator in
        let seed = generator.seed
        let found = try NormEstimator.frobenius(of: a, probes: probes, generator: &generator)
        call.print(found.text(call, "‖\(name)‖", "Frobenius norm, \(found.products) products", seed: seed))
        return found.record
      }
    }
  }

  static var logdetCommand: CommandDefinition {
    CommandDefinition(
      verb: "logdet", usage: "logdet [FORMULA | MATRIX | OPERATOR] [wrt TARGETS]",
      summary:
        "log det of a positive definite Hessian (or matrix), exact by Cholesky; or an estimate by stochastic Lanczos quadrature.",
      options: estimateOptions + [("steps", "of the quadrature for each probe, 30 unless given")],
      example: "logdet [4, 1; 1, 9]"
    ) { call in
      try call.exactOrEstimated(isForced: false) {
        let c = try call.curvature()
        try call.requireFinite(c)
        try call.requireSymmetric(c)
        let factor = try call.algebra { try Cholesky(c.matrix.converted(to: .f64)) }
        let reciprocal = try call.algebra { c.order > 0 ? try factor.reciprocalCondition() : 1 }
        let bound = Exactness.logDeterminant(order: c.order, condition: 1 / reciprocal)
        call.print(
          call.lookText.remarked(
            "log det \(c.name) = \(call.format(factor.logDeterminant))", Exactness.text(bound)))
        return .number(factor.logDeterminant)
      } estimate: { a, name, probes, generator in
        let seed = generator.seed
        let steps = try call.count("steps", default: 30)
        let found = try NormEstimator.logDeterminant(
          of: a, probes: probes, steps: steps, generator: &generator)
        call.print(
          found.text(
            call, "log det \(name)", "\(found.probes) probes of \(steps) steps, \(found.products) products",
            seed: seed))
        return found.record
      }
    }
  }

  /// As an expression, so that a Hessian that does not fit into memory is reduced in tiles.
  private static func hessianNorm(_ call: CommandCall) throws -> (norm: Double, entries: Double) {
    try call.noMoreSubjects()
    return try call.frobeniusNorm("norm") { elaborator in
      try elaborator.asNode(try call.fullHessian(elaborator), call.command.span)
    }
  }

  private static func normText(_ norm: Double, _ terms: Double, _ precision: Precision) -> String {
    norm.isFinite ? Exactness.text(Exactness.norm(norm, terms: terms, precision)) : "not finite"
  }

  /// True when the subject is no scalar formula: its own norm is meant.
  private static func command(_ call: CommandCall, hasTensor subject: Expr) -> Bool {
    guard let value = try? call.interpreter.evaluate(subject) else { return false }
    if call.interpreter.isHessian(subject) { return true }
    return value.tensor.map { $0.rank > 0 } ?? true
  }
}

extension CommandCall {
  /// Products that estimates take unless `probes` says otherwise.
  private static var defaultProbes: Int { 30 }

  /// A figure from the entries; or from products, for an operator, when asked for, and where the entries would not fit
  /// into memory.
  func exactOrEstimated(
    isForced: Bool, exact: () throws -> Value,
    estimate: (any SymmetricOperator, String, Int, inout CounterGenerator) throws -> Value
  ) throws -> Value {
    func estimated(_ a: any SymmetricOperator, _ name: String) throws -> Value {
      let probes = try count("probes", default: Self.defaultProbes)
      var generator = try probeGenerator()
      return try matrixFree { try estimate(a, name, probes, &generator) }
    }
    if let own = try formulaOperator(always: false) { return try estimated(own, own.name) }
    if isForced || command.option("probes") != nil {
      let (a, name) = try anyOperator()
      return try estimated(a, name)
    }
    do {
      return try exact()
    } catch let error where Self.isTooLarge(error) {
      guard let hessian = try formulaOperator(always: true) else { throw error }
      return try estimated(hessian, hessian.name)
    }
  }

  private static func isTooLarge(_ error: any Error) -> Bool {
    if let error = error as? EngineError, case .memory = error { return true }
    return (error as? Diagnostic)?.kind == .resource
  }
}
