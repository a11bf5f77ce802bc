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

  /// The eigenpairs at an end by products, when the subject is an operator, large, or `method=lanczos`; else nil.
  func productEigen(_ selection: EigenSelection) throws -> EigenReport? {
    let method = try choice("method", EigenMethod.self)
    let (count, end): (Int, SpectrumEnd)
    switch selection {
    case .top(let k): (count, end) = (k, .top)
    case .bottom(let k): (count, end) = (k, .bottom)
    case .all, .near:
      guard method != .dense, let found = try formulaOperator(always: method == .lanczos) else { return nil }
      throw Diagnostic(
        .type, "products alone find the ends of the spectrum of \(found.name)", at: command.verbSpan,
        hint: "eig \(subject?.span.text ?? "") top 5, or bottom 5; spectrum for the whole")
    }
    if method == .lanczos {
      let (a, name) = try anyOperator()
      return try report(a, name, count, end)
    }
    guard method == nil else { return nil }
    if let own = try formulaOperator(always: false) { return try report(own, own.name, count, end) }
    guard let hessian = try formulaOperator(always: true), hessian.order > Self.largeOrder,
      count * 20 <= hessian.order
    else { return nil }
    return try report(hessian, hessian.name, count, end)
  }

  private func report(_ a: any SymmetricOperator, _ name: String, _ count: Int, _ end: SpectrumEnd) throws
    -> EigenReport
  {
    var search = EigenSearch(count, end, order: a.order, roundoff: a.roundoff)
    search.tolerance = try number("tolerance", default: search.tolerance)
    search.maxProducts = try self.count("products", default: search.maxProducts)
    search.block = min(try self.count("block", default: search.block), max(a.order, 1))
    let progress = self.progress()
    let found = try matrixFree {
      try BlockLanczos.eigenpairs(of: a, search, generator: CounterGenerator(seed: 1)) {
        products, converged in
        progress("\(products) products, \(converged) of \(search.count) converged")
      }
    }
    if found.converged < found.values.count {
      warn(
        "\(found.converged) of \(found.values.count) eigenvalues have converged after \(found.products) products: "
          + "the others lie within the residuals shown; products=\(2 * search.maxProducts) goes on longer")
    }
    var vectors = [Double](repeating: 0, count: a.order * found.vectors.count)
    for k in 0..<found.vectors.count {
      for (i, x) in found.vectors[k].enumerated() { vectors[i * found.vectors.count + k] = x }
    }
    return EigenReport(
      values: found.values, vectors: Tensor(vectors, [a.order, found.vectors.count]),
      residuals: found.residuals,
      order: a.order, products: found.products,
      how: "residual-bounded: an eigenvalue lies that near; \(found.products) products")
  }
}
