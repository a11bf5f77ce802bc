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
  /// Of the matrix.
  var order = 0
  /// Products with the matrix; nil for figures from its entries.
  var products: Int?
  /// What kind of figures these are.
  var how = ""

  var value: Value {
    var fields: [(name: String, value: Value)] = [("values", .tensor(Tensor(vector: values)))]
    if let vectors {
      fields.append(("vectors", .tensor(vectors)))
      fields.append(("residuals", .tensor(Tensor(vector: residuals))))
    }
    if let products { fields.append(("products", .number(Double(products)))) }
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
    [
      eigCommand, spectrumCommand, conditionCommand, traceCommand, diagCommand, normCommand, logdetCommand,
      sharpnessCommand, kroneckerCommand,
    ]
  }

  private static var eigCommand: CommandDefinition {
    CommandDefinition(
      verb: "eig",
      usage: "eig [FORMULA | MATRIX | OPERATOR] [top K | bottom K | near S [top K]] [wrt TARGETS]",
      summary:
        "Eigenvalues of the Hessian of the objective (or of a formula or symmetric matrix), largest first.",
      options: [
        ("vectors", "true prints the eigenvectors, as columns, and the residuals ‖Hv − λv‖"),
        ("method", "dense or lanczos: by all entries, or by products; otherwise by size"),
        ("tolerance", "of lanczos: the residual that counts as converged, against the largest |λ|"),
        ("products", "of lanczos: at most about so many"),
        ("block", "of lanczos: vectors multiplied at a time"),
        ("confirm", "of lanczos: true counts by the inertia of a factorisation that none was missed"),
      ],
      example: "eig top 2"
    ) { call in
      let selection = try call.eigenSelection()
      let showsVectors = try call.flag("vectors")
      if let report = try call.productEigen(selection) {
        call.print(partialText(call, report, "H", showsVectors))
        return report.value
      }
      let c = try call.curvature()
      try call.requireFinite(c)
      try call.requireSymmetric(c)
      let needsVectors = showsVectors || call.isAssigned && c.order <= 2000
      var report = try call.algebra { try eigen(c.matrix, selection, needsVectors) }
      (report.order, report.how) = (c.order, Exactness.text(Exactness.eigenvalues(c.matrix)))
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
      return partialText(call, report, c.isHessian ? "H" : "A", showsVectors)
    }
    let rest = residualLines(call, report, c.isHessian ? "H" : "A", showsVectors, how: report.how)
    if rest.isEmpty, !report.values.isEmpty { lines.append(look.remarked("", report.how)) }
    lines += rest
    return lines.joined(separator: "\n")
  }

  /// Some of the eigenvalues, how they were found and how far that can be trusted.
  private static func partialText(
    _ call: CommandCall, _ report: EigenReport, _ matrix: String, _ showsVectors: Bool
  ) -> String {
    let first = "λ = \(call.lookText.list(report.values))   of \(report.order)"
    return ([first] + residualLines(call, report, matrix, showsVectors, how: report.how)).joined(
      separator: "\n")
  }

  private static func residualLines(
    _ call: CommandCall, _ report: EigenReport, _ matrix: String, _ showsVectors: Bool, how: String
  ) -> [String] {
    var lines: [String] = []
    if report.vectors != nil, !report.values.isEmpty {
      let residuals = report.residuals.map(LookText.rough).cutMiddle(8).joined(separator: ", ")
      lines.append(call.lookText.remarked("‖\(matrix)v − λv‖ = \(residuals)", how))
    }
    if showsVectors, let vectors = report.vectors { lines.append(call.lookText.matrix("v", vectors)) }
    return lines
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
