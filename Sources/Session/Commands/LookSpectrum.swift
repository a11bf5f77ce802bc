import LinearAlgebra
import Syntax
import Tensors

/// Eigenvalues as a command reports them, in the order in which they are printed.
struct EigenReport {
  var values: [Double]
  /// One column an eigenvalue; nil when vectors were not computed.
  var vectors: Tensor?
  /// ‖Hv − λv‖ of each pair.
  var residuals: [Double] = []
  /// max|λ| / min|λ|; nil unless all eigenvalues are known.
  var condition: Double?

  var value: Value {
    var fields: [(name: String, value: Value)] = [("values", .tensor(Tensor(vector: values)))]
    if let vectors {
      fields.append(("vectors", .tensor(vectors)))
      fields.append(("residuals", .tensor(Tensor(vector: residuals))))
    }
    if let condition { fields.append(("condition", .number(condition))) }
    return .record(fields)
  }
}

/// Which eigenvalues `eig` was asked for.
enum EigenSelection {
  case all
  case top(Int)
  case bottom(Int)
  case near(Double, count: Int)
}

extension Commands {
  static var spectrumCommands: [CommandDefinition] {
    [eigCommand, conditionCommand, traceCommand, diagCommand, normCommand]
  }

  private static var eigCommand: CommandDefinition {
    CommandDefinition(
      verb: "eig", usage: "eig [FORMULA | MATRIX] [top K | bottom K | near S [top K]] [wrt TARGETS]",
      summary:
        "Eigenvalues of the Hessian of the objective (or of a formula or symmetric matrix), largest first.",
      options: [("vectors", "true prints the eigenvectors, as columns, and the residuals ‖Hv − λv‖")],
      example: "eig top 2"
    ) { call in
      let c = try call.curvature()
      try call.requireFinite(c.isHessian ? "the Hessian" : c.name, c.matrix.doubles)
      try call.requireSymmetric(c)
      let selection = try call.eigenSelection()
      let showsVectors = try call.option("vectors")?.tensor?.scalarValue ?? 0 != 0
      let needsVectors = showsVectors || call.isAssigned && c.order <= 2000
      let report = try call.algebra { try eigen(c.matrix, selection, needsVectors) }
      call.print(eigText(call, c, selection, report, showsVectors))
      return report.value
    }
  }

  static func eigen(_ matrix: Tensor, _ selection: EigenSelection, _ needsVectors: Bool) throws -> EigenReport
  {
    let n = matrix.shape[0]
    let exact = matrix.converted(to: .f64)
    let found: SymmetricEigen
    var places: [Int]
    switch selection {
    case .all:
      let values = needsVectors ? nil : try symmetricEigenvalues(exact).doubles
      if let values { return EigenReport(values: values.reversed(), condition: ratio(values)) }
      found = try symmetricEigen(exact)
      places = (0..<n).reversed()
    case .top(let k):
      found = try symmetricEigen(exact, range: .highest(k))
      places = (0..<found.values.count).reversed()
    case .bottom(let k):
      found = try symmetricEigen(exact, range: .lowest(k))
      places = Array(0..<found.values.count)
    case .near(let s, let k):
      found = try symmetricEigen(exact)
      let distances = found.values.doubles.map { abs($0 - s) }
      places = Array((0..<n).sorted { (distances[$0], $0) < (distances[$1], $1) }.prefix(k))
    }
    let values = found.values.doubles
    let vectors = found.vectors.columns(places)
    var condition: Double?
    if case .all = selection { condition = ratio(values) }
    let chosen = places.map { values[$0] }
    return EigenReport(
      values: chosen, vectors: vectors, residuals: residuals(exact, chosen, vectors), condition: condition)
  }

  /// max|λ| / min|λ|; 1 for the empty matrix.
  static func ratio(_ eigenvalues: [Double]) -> Double {
    let sizes = eigenvalues.map(abs)
    guard let largest = sizes.max(), let smallest = sizes.min() else { return 1 }
    return smallest == 0 ? .infinity : largest / smallest
  }

  /// ‖A·v − λ·v‖ for each column v.
  private static func residuals(_ a: Tensor, _ values: [Double], _ vectors: Tensor) -> [Double] {
    let (n, k) = (a.shape[0], values.count)
    let (entries, v) = (a.doubles, vectors.doubles)
    var sums = [Double](repeating: 0, count: k)
    for i in 0..<n {
      var row = values.indices.map { -values[$0] * v[i * k + $0] }
      for j in 0..<n {
        let entry = entries[i * n + j]
        if entry != 0 { for c in 0..<k { row[c] += entry * v[j * k + c] } }
      }
      for c in 0..<k { sums[c] += row[c] * row[c] }
    }
    return sums.map { $0.squareRoot() }
  }

  private static func eigText(
    _ call: CommandCall, _ c: Curvature, _ selection: EigenSelection, _ report: EigenReport,
    _ showsVectors: Bool
  ) -> String {
    let look = call.lookText
    var lines: [String] = []
    if case .all = selection {
      let sign = Definiteness(eigenvalues: report.values, c.matrix.precision)
      let condition =
        report.condition.map {
          (sign.inertia.zero > 0 ? "singular" : "condition \(LookText.rough($0))") + "   "
        } ?? ""
      lines.append(
        look.remarked(
          "λ = \(look.list(report.values))", report.values.isEmpty ? "" : condition + sign.shape(of: c)))
    } else {
      lines.append("λ = \(look.list(report.values))   of \(c.order)")
    }
    if report.vectors != nil, !report.values.isEmpty {
      lines.append(
        "‖\(c.isHessian ? "H" : "A")v − λv‖ = \(report.residuals.map(LookText.rough).cutMiddle(12).joined(separator: ", "))"
      )
    }
    if showsVectors, let vectors = report.vectors { lines.append(look.matrix("v", vectors)) }
    return lines.joined(separator: "\n")
  }

  // MARK: Single figures

  private static var conditionCommand: CommandDefinition {
    CommandDefinition(
      verb: "condition", usage: "condition [FORMULA | MATRIX] [wrt TARGETS]",
      summary: "The condition number of the Hessian (or of a matrix): largest over smallest singular value.",
      example: "condition"
    ) { call in
      let c = try call.curvature()
      try call.requireFinite(c.isHessian ? "the Hessian" : c.name, c.matrix.doubles)
      let isSymmetric = c.matrix.shape[0] == c.matrix.shape[1] && c.matrix.asymmetry == nil
      let exact = c.matrix.converted(to: .f64)
      let values = try call.algebra {
        isSymmetric ? try symmetricEigenvalues(exact).doubles : try singularValues(exact).doubles
      }
      let result = ratio(values)
      let bound = Curvature.tolerance(values.count, c.matrix.precision, largest: 1)
      let remark = result * bound >= 1 ? "singular to working precision" : ""
      call.print(call.lookText.remarked("condition(\(c.name)) = \(call.format(result))", remark))
      return .number(result)
    }
  }

  private static var traceCommand: CommandDefinition {
    CommandDefinition(
      verb: "trace", usage: "trace [FORMULA | MATRIX] [wrt TARGETS]",
      summary: "The trace of the Hessian (or of a matrix), exact.", example: "trace"
    ) { call in
      let diagonal = try diagonalEntries(call)
      let sum = diagonal.values.doubles.reduce(0, +)
      call.print("tr \(diagonal.name) = \(call.format(sum))")
      call.warnNonFinite("the trace", [sum])
      return .number(sum)
    }
  }

  private static var diagCommand: CommandDefinition {
    CommandDefinition(
      verb: "diag", usage: "diag [FORMULA | MATRIX] [wrt TARGETS]",
      summary: "The diagonal of the Hessian (or of a matrix), exact.", example: "diag"
    ) { call in
      let diagonal = try diagonalEntries(call)
      let text = call.interpreter.valueText
      call.print(text.labeled("diag \(diagonal.name)", text.text(diagonal.values)))
      call.warnNonFinite("the diagonal", diagonal.values.doubles)
      return .tensor(diagonal.values)
    }
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

  private static var normCommand: CommandDefinition {
    CommandDefinition(
      verb: "norm", usage: "norm [FORMULA | TENSOR] [wrt TARGETS]",
      summary: "The Frobenius norm of the Hessian of a scalar formula, or of the tensor given.",
      example: "norm"
    ) { call in
      if let subject = call.subject, command(call, hasTensor: subject) {
        let parts = try call.interpreter.evaluate(subject).tensors
        let norm = Tensor(vector: parts.map(\.frobeniusNorm)).frobeniusNorm
        call.print("‖\(subject.span.text)‖ = \(call.format(norm))")
        call.warnNonFinite("the norm", [norm])
        return .number(norm)
      }
      let norm = try hessianNorm(call)
      call.print(
        call.lookText.remarked(
          "‖∇²\(call.subjectSymbol)‖ = \(call.format(norm))", "Frobenius norm of the Hessian"))
      call.warnNonFinite("the norm", [norm])
      return .number(norm)
    }
  }

  /// As an expression, so that a Hessian that does not fit into memory is reduced in tiles.
  private static func hessianNorm(_ call: CommandCall) throws -> Double {
    try call.noMoreSubjects()
    let value = try call.evaluated("norm") { elaborator in
      let h = try elaborator.asNode(try call.fullHessian(elaborator), call.command.span)
      return .node(elaborator.graph.frobeniusNorm(h))
    }
    return value.tensor?.scalarValue ?? .nan
  }

  /// True when the subject is no scalar formula: its own norm is meant.
  private static func command(_ call: CommandCall, hasTensor subject: Expr) -> Bool {
    guard let value = try? call.interpreter.evaluate(subject) else { return false }
    return value.tensor.map { $0.rank > 0 } ?? true
  }
}

extension CommandCall {
  /// `top k`, `bottom k`, `near s`, `near s top k`.
  func eigenSelection() throws -> EigenSelection {
    func count(_ clause: Command.Clause) throws -> Int {
      guard let expr = clause.values.first else { return 1 }
      let k = try interpreter.whole(expr)
      guard k > 0 else {
        throw Diagnostic(.domain, "'\(clause.keyword)' needs a positive number of eigenvalues", at: expr.span)
      }
      return k
    }
    if let near = command.clause("near"), let target = near.values.first {
      let s = try interpreter.number(target)
      if let other = command.clause("bottom") {
        throw Diagnostic(.syntax, "'near' goes with 'top K', the number of eigenvalues", at: other.span)
      }
      return .near(s, count: try command.clause("top").map(count) ?? 1)
    }
    switch (command.clause("top"), command.clause("bottom")) {
    case (let top?, nil): return .top(try count(top))
    case (nil, let bottom?): return .bottom(try count(bottom))
    case (_?, let bottom?):
      throw Diagnostic(.syntax, "'top' and 'bottom' exclude each other", at: bottom.span)
    case (nil, nil): return .all
    }
  }
}

extension Tensor {
  /// A matrix made of some columns.
  func columns(_ places: [Int]) -> Tensor {
    let (rows, width) = (shape[0], shape[1])
    let values = doubles
    return Tensor(
      (0..<rows).flatMap { i in places.map { values[i * width + $0] } }, [rows, places.count], precision)
  }
}

extension Array where Element == String {
  /// At most `limit` items, the middle left out.
  func cutMiddle(_ limit: Int) -> [String] {
    guard count > limit else { return self }
    let head = (limit + 1) / 2
    return Array(prefix(head)) + ["…"] + Array(suffix(limit - head))
  }
}
