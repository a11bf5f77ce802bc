import Curvature
import LinearAlgebra
import Syntax
import Tensors

/// How `eig` finds eigenvalues.
enum EigenMethod: String, CaseIterable {
  /// LAPACK, from all entries.
  case dense
  /// Products only.
  case lanczos
}

extension CommandCall {
  /// Orders from which a few eigenvalues are found by products, unless `method` says otherwise.
  private static var largeOrder: Int { 1000 }
  /// Orders up to which what lies inside a spectrum comes from the entries.
  private static var largestDense: Int { 10_000 }

  /// Some eigenpairs by products, when the subject is an operator, large, or `method=lanczos`; else nil.
  func productEigen(_ selection: EigenSelection) throws -> EigenReport? {
    let method = try choice("method", EigenMethod.self)
    guard method != .dense else { return nil }
    let isForced = method == .lanczos
    guard let count = selection.count else {
      guard let found = try formulaOperator(always: isForced) else { return nil }
      throw Diagnostic(
        .type, "products alone find the ends of the spectrum of \(found.name)", at: command.verbSpan,
        hint: "eig \(subject?.span.text ?? "") top 5, or bottom 5; spectrum for the whole")
    }
    if isForced {
      let (a, name) = try anyOperator()
      return try report(a, name, count, selection)
    }
    if let own = try formulaOperator(always: false) { return try report(own, own.name, count, selection) }
    guard let hessian = try formulaOperator(always: true), hessian.order > Self.largeOrder,
      count * 20 <= hessian.order
    else { return nil }
    // The inside of a spectrum takes many products: entries are better as long as there is room for them.
    if case .near = selection, hessian.order <= Self.largestDense { return nil }
    return try report(hessian, hessian.name, count, selection)
  }

  private func report(_ a: any SymmetricOperator, _ name: String, _ count: Int, _ selection: EigenSelection)
    throws
    -> EigenReport
  {
    var search = EigenSearch(count, selection.end, order: a.order, roundoff: a.roundoff)
    search.tolerance = try number("tolerance", default: search.tolerance)
    search.maxProducts = try self.count("products", default: search.maxProducts)
    // The basis and its image at a restart.
    let affordable = interpreter.memoryLimit / (4 * 8 * max(a.order, 1))
    search.basis = min(search.basis, max(affordable, 2 * count + 8))
    search.block = min(try self.count("block", default: search.block), max(a.order, 1))
    let found = try found(a, search, selection)
    if found.converged < found.values.count {
      warn(
        "\(found.converged) of \(found.values.count) eigenvalues have converged after \(found.products) products: "
          + "the others lie within the residuals shown; products=\(2 * search.maxProducts) goes on longer")
    }
    let columns = Tensor(found.vectors.columns, [a.order, found.vectors.count])
    let isConfirmed = try confirmed(found, selection)
    let bound =
      "residual-bounded: an eigenvalue lies that near\(isConfirmed ? ", and none is missing (inertia)" : "")"
    return EigenReport(
      values: found.values, vectors: columns, residuals: found.residuals, order: a.order,
      products: found.products,
      how: "\(bound); \(found.products) products")
  }

  /// With `confirm=true`: whether the inertia of the matrix less a number just beyond the last eigenvalue found counts as
  /// many eigenvalues as were found (Sylvester's law).
  private func confirmed(_ found: PartialEigen, _ selection: EigenSelection) throws -> Bool {
    guard try flag("confirm"), let last = found.values.last else {
      return false
    }
    let sign: Double
    switch selection {
    case .top: sign = -1
    case .bottom: sign = 1
    case .near, .all:
      throw Diagnostic(
        .type, "inertia confirms eigenvalues at an end of the spectrum",
        at: command.option("confirm")?.value.span,
        hint: "eig top K or eig bottom K")
    }
    let c = try curvature()
    // Beyond the residuals, and beyond the rounding of the factors.
    let margin = max(4 * found.bound, Curvature.tolerance(c.order, .f64, largest: c.matrix.frobeniusNorm))
    var shifted = c.matrix.converted(to: .f64)
    for i in 0..<c.order { shifted[flat: i * (c.order + 1)] -= last + sign * margin }
    let inertia = try algebra { try LDLT(shifted).inertia(tolerance: 0) }
    let count = sign < 0 ? inertia.positive : inertia.negative
    if count != found.values.count {
      warn(
        "inertia counts \(count) eigenvalues beyond \(format(last + sign * margin)), and \(found.values.count) were found: "
          + "\(count > found.values.count ? "some are missing, or lie within the margin" : "not all have converged")"
      )
    }
    return count == found.values.count
  }

  private func found(_ a: any SymmetricOperator, _ search: EigenSearch, _ selection: EigenSelection) throws
    -> PartialEigen
  {
    let progress = self.progress()
    func report(_ products: Int, _ converged: Int) {
      progress("\(products) products, \(converged) of \(search.count) converged")
    }
    let generator = CounterGenerator(seed: 1)
    return try matrixFree {
      if case .near(let target, _) = selection {
        // The basis, and its image for a moment at the end.
        let widest = max(interpreter.memoryLimit / (4 * 8 * max(a.order, 1)), 2 * search.count + 8)
        return try BlockLanczos.eigenpairs(
          of: a, near: target, search, widest: widest, generator: generator, report: report)
      }
      return try BlockLanczos.eigenpairs(of: a, search, generator: generator, report: report)
    }
  }
}

extension EigenSelection {
  /// How many are asked for; nil for all.
  fileprivate var count: Int? {
    switch self {
    case .all: return nil
    case .top(let k), .bottom(let k), .near(_, let k): return k
    }
  }

  /// Where the search goes; what is nearest to a number is the top of another operator.
  fileprivate var end: SpectrumEnd {
    if case .bottom = self { return .bottom }
    return .top
  }
}
