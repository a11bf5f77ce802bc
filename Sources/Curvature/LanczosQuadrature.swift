import LinearAlgebra
import Tensors

/// Gauss quadrature of a symmetric matrix's spectrum as seen by a vector v: Σⱼ wⱼ·g(θⱼ) for vᵀg(A)v, exact for
/// polynomials g of degree below twice the number of nodes.
public struct LanczosQuadrature: Sendable {
  /// Nodes, ascending: Ritz values.
  public let nodes: [Double]
  /// Weights, which sum up to 1: v is taken as a unit vector.
  public let weights: [Double]

  init(nodes: [Double], weights: [Double]) {
    self.nodes = nodes
    self.weights = weights
  }

  /// All eigenvalues, each with the same weight.
  public init(eigenvalues: [Double]) {
    self.init(
      nodes: eigenvalues,
      weights: [Double](repeating: 1 / Double(max(eigenvalues.count, 1)), count: eigenvalues.count))
  }

  /// Σⱼ wⱼ·g(θⱼ).
  public func integral(_ g: (Double) -> Double) -> Double {
    zip(nodes, weights).reduce(0) { $0 + ($1.1 == 0 ? 0 : $1.1 * g($1.0)) }
  }

  /// Lanczos steps with full reorthogonalisation from each of several start vectors, whose products are taken together.
  ///
  /// Sources: Golub and Meurant, *Matrices, Moments and Quadrature* (2010), chapter 6; Ubaru, Chen and Saad, *Fast
  /// estimation of tr(f(A)) via stochastic Lanczos quadrature* (SIAM J. Matrix Anal. Appl. 38, 2017).
  ///
  /// - Parameters:
  ///   - starts: vectors other than zero; scaled to length 1.
  ///   - steps: nodes for each; fewer where the space that a start spans is exhausted.
  /// - Throws: `CurvatureError.notFinite` and what products throw.
  public static func quadratures(
    of a: any SymmetricOperator, from starts: Rows, steps: Int, report: (Int) throws -> Void = { _ in }
  ) throws -> [LanczosQuadrature] {
    let counted = CountedOperator(a)
    var runs = (0..<starts.count).map { LanczosRun(starts.rows($0..<$0 + 1), steps: min(steps, a.order)) }
    while true {
      let open = runs.indices.filter { !runs[$0].isDone }
      guard !open.isEmpty else { break }
      var block = Rows(count: 0, length: a.order)
      for k in open { block.append(runs[k].last) }
      let products = try counted.products(block)
      for (place, k) in open.enumerated() { runs[k].advance(products.rows(place..<place + 1)) }
      try report(counted.count)
    }
    return try runs.map { try $0.quadrature() }
  }
}

/// One start vector's tridiagonal matrix, as far as it has come.
private struct LanczosRun {
  private let steps: Int
  private var basis: Rows
  private var diagonal: [Double] = []
  private var coupling: [Double] = []
  private(set) var isDone = false

  init(_ start: Rows, steps: Int) {
    self.steps = steps
    basis = start
    let norm = start.norm(0)
    basis.scale(row: 0, by: norm > 0 ? 1 / norm : 0)
    basis.entries.reserveCapacity(steps * start.length)
    if norm == 0 || steps == 0 { isDone = true }
  }

  var last: Rows { basis.rows(basis.count - 1..<basis.count) }

  /// Takes A times the last vector.
  mutating func advance(_ product: Rows) {
    var w = product
    let c = w.orthogonalize(against: basis)
    diagonal.append(c[basis.count - 1, 0])
    let beta = w.norm(0)
    let scale = diagonal.map(abs).max() ?? 0
    guard diagonal.count < steps, beta > 1e-13 * max(scale, coupling.max() ?? 0, .leastNormalMagnitude) else {
      isDone = true
      return
    }
    coupling.append(beta)
    w.scale(row: 0, by: 1 / beta)
    basis.append(w)
  }

  func quadrature() throws -> LanczosQuadrature {
    guard !diagonal.isEmpty else { return LanczosQuadrature(nodes: [], weights: []) }
    let eigen = try symmetricTridiagonalEigen(diagonal: diagonal, offDiagonal: coupling)
    let firsts = eigen.vectors.doubles.prefix(diagonal.count)
    return LanczosQuadrature(nodes: eigen.values.doubles, weights: firsts.map { $0 * $0 })
  }
}
