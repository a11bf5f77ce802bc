import Graph
import LinearAlgebra
import Optimization
import Syntax
import Tensors

/// The matrix that a command speaks of: the Hessian of the objective or of a formula, or a matrix given as such.
struct Curvature {
  /// `∇²f`, or the matrix as it was written.
  let name: String
  /// The formula or matrix as it was written.
  let subject: String
  let isHessian: Bool
  let matrix: Tensor
  let blocks: [(name: String, size: Int)]

  var order: Int { matrix.shape[0] }

  /// Eigenvalues of magnitude up to this count as zero: 10·n·ε·max|λ|.
  static func tolerance(_ n: Int, _ precision: Precision, largest: Double) -> Double {
    10 * Double(max(n, 1)) * (precision == .f64 ? Double.ulpOfOne : Double(Float.ulpOfOne)) * largest
  }
}

extension CommandCall {
  /// Calls of procedures inside the subject run first; everything else is built by `build`.
  func evaluated(
    _ use: String, storage: MatrixStorage = .dense, _ build: (Elaborator) throws -> Meaning
  ) throws -> Value {
    let results = try subject.map { try interpreter.runProcedures(in: $0) } ?? [:]
    let key = CommandKey(command, use)
    return try interpreter.evaluate(key: key, owner: command, storage: storage) { elaborator in
      elaborator.callResults = results
      return try build(elaborator)
    }
  }

  /// The matrix subject, or the Hessian of the formula.
  func curvature() throws -> Curvature {
    try noMoreSubjects()
    let value = try evaluated("curvature") { elaborator in
      if let matrix = try givenMatrix(elaborator) { return .tuple([.string("matrix"), matrix]) }
      let h = try fullHessian(elaborator)
      if case .blockMatrix = h { return .tuple([.string("hessian"), h]) }
      return .tuple([.string("hessian"), .node(elaborator.asMatrix(try elaborator.asNode(h, command.span)))])
    }
    guard case .tuple(let parts) = value, parts.count == 2, case .string(let kind) = parts[0],
      let matrix = parts[1].tensor
    else { throw Diagnostic(.type, "'\(command.verb)' needs a formula", at: command.span) }
    let isHessian = kind == "hessian"
    var blocks: [(name: String, size: Int)] = []
    if case .blockMatrix(_, let names, let sizes) = parts[1] { blocks = Array(zip(names, sizes)) }
    return Curvature(
      name: isHessian ? "∇²\(subjectSymbol)" : subjectSymbol, subject: subjectName, isHessian: isHessian,
      matrix: matrix, blocks: blocks)
  }

  /// The Hessian of the formula. A plan that has to store what is too large is refused with what it would take.
  func fullHessian(_ elaborator: Elaborator, keepsAxes: Bool = false) throws -> Meaning {
    let f = try scalarNode(elaborator)
    return try elaborator.hessian(of: f, wrt: wrt(elaborator), tensor: keepsAxes, command.span)
  }

  /// A subject of rank 2, or the Hessian by one number; nil when it is a scalar formula or there is none.
  func givenMatrix(_ elaborator: Elaborator) throws -> Meaning? {
    guard let subject else { return nil }
    let meaning = try elaborator.meaning(subject)
    if case .blockMatrix = meaning { return meaning }
    if case .operator(let form) = meaning { return .node(elaborator.graph.matrix(form)) }
    let node = try elaborator.asNode(meaning, subject.span)
    let shape = elaborator.graph.shape(node)
    if shape.isEmpty && !interpreter.isHessian(subject) { return nil }
    guard shape.isEmpty || shape.count == 2 else {
      throw Diagnostic(
        .shape,
        "'\(command.verb)' takes a scalar formula or a matrix, not a tensor of shape \(shape.shapeDescription)",
        at: subject.span, hint: shape.count == 1 ? "for a formula, reduce it with sum or mean" : nil)
    }
    if let clause = command.clause("wrt") {
      throw Diagnostic(
        .type,
        "'\(subject.span.text)' is a matrix; only the Hessian of a scalar formula is taken by something",
        at: clause.span)
    }
    return shape.isEmpty ? .node(elaborator.asMatrix(node)) : meaning
  }

  /// Runs linear algebra, its errors placed at the command.
  func algebra<T>(_ body: () throws -> T) throws -> T {
    do {
      return try body()
    } catch let error as LinearAlgebraError {
      throw Diagnostic(.numeric, error.description, at: subject?.span ?? command.verbSpan)
    }
  }

  /// Refuses what is not finite.
  func requireFinite(_ c: Curvature) throws {
    guard c.isHessian else {
      guard let message = nonFinite(c.name, [c.matrix]) else { return }
      throw Diagnostic(.numeric, message, at: subject?.span ?? command.verbSpan)
    }
    try requireFinite("the Hessian", [c.matrix])
    try warnUndefined()
  }

  /// Says so where a formula has no value though its derivatives may have one. Alone, so that a large Hessian needs no
  /// more memory, and of a name alone: what is written out may draw anew.
  func warnUndefined() throws {
    if let subject { guard case .name = subject.kind else { return } }
    do {
      let value = try interpreter.evaluate(key: CommandKey(command, "defined"), owner: command) {
        .node(try scalarNode($0))
      }
      warnNonFinite(subjectName, value.tensors)
    } catch let problem as Diagnostic where problem.kind == .resource {
      // What is too large to be evaluated may have a Hessian for all that.
    }
  }

  /// Refuses matrices that have no real spectrum of their own.
  func requireSymmetric(_ c: Curvature) throws {
    let (rows, columns) = (c.matrix.shape[0], c.matrix.shape[1])
    let place = subject?.span ?? command.verbSpan
    guard rows == columns else {
      throw Diagnostic(.shape, "'\(command.verb)' needs a square matrix, not \(rows)×\(columns)", at: place)
    }
    guard let (i, j) = c.matrix.asymmetry else { return }
    let (a, b) = (c.matrix[flat: i * rows + j], c.matrix[flat: j * rows + i])
    throw Diagnostic(
      .domain, "'\(command.verb)' needs a symmetric matrix", at: place,
      notes: ["entry [\(i), \(j)] is \(format(a)), entry [\(j), \(i)] is \(format(b))"],
      hint: "eigvals(\(c.subject)) takes any square matrix; (A + A')/2 is the symmetric part")
  }
}

extension Tensor {
  /// The places of the first two entries of a square matrix that should be equal and differ by more than
  /// rounding.
  var asymmetry: (row: Int, column: Int)? {
    let bound = Curvature.tolerance(shape[0], precision, largest: largestMagnitude)
    return firstAsymmetry(beyond: bound).map { ($0.column, $0.row) }
  }

  var frobeniusNorm: Double { Optimization.norm(doubles) }
}

/// What the signs of the eigenvalues say.
struct Definiteness {
  let inertia: Inertia
  /// Magnitudes up to this counted as zero.
  let tolerance: Double

  /// From the eigenvalues for small matrices, from Bunch–Kaufman factors for larger ones (Sylvester's law).
  init(_ matrix: Tensor) throws {
    let n = matrix.shape[0]
    if n <= 256 {
      self.init(eigenvalues: try symmetricEigenvalues(matrix).doubles, matrix.precision)
    } else {
      let factors = try LDLT(matrix)
      let largest = factors.blockEigenvalues.reduce(0) { max($0, abs($1)) }
      let bound = Curvature.tolerance(n, matrix.precision, largest: largest)
      self.init(inertia: factors.inertia(tolerance: bound), tolerance: bound)
    }
  }

  init(inertia: Inertia, tolerance: Double) {
    (self.inertia, self.tolerance) = (inertia, tolerance)
  }

  init(eigenvalues: [Double], _ precision: Precision) {
    let largest = eigenvalues.reduce(0) { max($0, abs($1)) }
    let bound = Curvature.tolerance(eigenvalues.count, precision, largest: largest)
    self.tolerance = bound
    let positive = eigenvalues.count { $0 > bound }
    let negative = eigenvalues.count { $0 < -bound }
    inertia = Inertia(positive: positive, negative: negative, zero: eigenvalues.count - positive - negative)
  }

  private var order: Int { inertia.positive + inertia.negative + inertia.zero }

  /// Said when some eigenvalue counts as zero.
  var toleranceText: String { "tolerance \(NumberFormat(digits: 2)(tolerance))" }

  /// `positive definite`, `indefinite (2 positive, 1 negative)`, …
  var text: String {
    let (p, n, z) = (inertia.positive, inertia.negative, inertia.zero)
    let rank = "rank \(p + n) of \(order)"
    let note = tolerance > 0 ? "\(rank), \(toleranceText)" : rank
    switch (p > 0, n > 0, z > 0) {
    case (false, false, false): return "empty"
    case (true, false, false): return "positive definite"
    case (false, true, false): return "negative definite"
    case (true, false, true): return "positive semidefinite (\(note))"
    case (false, true, true): return "negative semidefinite (\(note))"
    case (false, false, true): return tolerance > 0 ? "zero (\(toleranceText))" : "zero"
    case (true, true, false): return "indefinite (\(p) positive, \(n) negative)"
    case (true, true, true): return "indefinite (\(p) positive, \(n) negative, \(z) zero, \(toleranceText))"
    }
  }

  /// `all positive: f is locally convex`, and the like.
  func shape(of c: Curvature) -> String {
    let (p, n, z) = (inertia.positive, inertia.negative, inertia.zero)
    let f = c.subject
    switch (p > 0, n > 0, z > 0) {
    case (false, false, false): return "no params, no eigenvalues"
    case (true, false, false):
      return "all positive: \(c.isHessian ? "\(f) is locally convex" : "positive definite")"
    case (false, true, false):
      return "all negative: \(c.isHessian ? "\(f) is locally concave" : "negative definite")"
    default: break
    }
    var counts = [(p, "positive"), (n, "negative")].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    if z > 0 { counts.append("\(z) zero" + (tolerance > 0 ? " (\(toleranceText))" : "")) }
    let signs = counts.joined(separator: ", ")
    guard c.isHessian else { return signs }
    if p > 0 && n > 0 { return "\(signs): \(f) curves both ways" }
    return "\(signs): \(f) is flat to second order along \(z) direction\(z == 1 ? "" : "s")"
  }
}
