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
      // Each run is one thread's for a moment: their bases have nothing in common.
      runs.withUnsafeMutableBufferPointer { runs in
        Team.run(open.count) { place in runs[open[place]].advance(products.rows(place..<place + 1)) }
      }
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

  /// Takes A times the last vector: first what the recurrence says is there is taken away, then what rounding brought
  /// in, again where little is left (Daniel, Gragg, Kaufman and Stewart, *Reorthogonalization and stable algorithms for
  /// updating the Gram–Schmidt QR factorization*, Math. Comp. 30, 1976).
  mutating func advance(_ product: Rows) {
    var w = product
    let last = basis.count - 1
    let first = max(0, last - 1)
    let near = basis.dots(first..<last + 1, w)
    w.subtract(near, of: basis, from: first)
    var alpha = near[last - first, 0]
    let before = w.norm(0)
    alpha += w.orthogonalize(against: basis, passes: 1)[last, 0]
    var beta = w.norm(0)
    if beta < before * 0.5.squareRoot() {
      alpha += w.orthogonalize(against: basis, passes: 1)[last, 0]
      beta = w.norm(0)
    }
    diagonal.append(alpha)
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
