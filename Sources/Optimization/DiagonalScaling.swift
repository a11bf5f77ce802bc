import Tensors

/// Params measured in units that the curvature gives: x̂ = √D·x with D the largest |Hᵢᵢ| seen so far.
struct DiagonalScaling {
  /// D; 1 where nothing has curved so far.
  let squares: [Double]
  private let root: [Double]

  /// `past` is the last D, or empty. Throws `Refusal` when the matrix is too large.
  init(_ at: Evaluation, past: [Double]) throws {
    let n = at.x.count
    let matrix = try at.denseMatrix().doubles
    (squares, root) = Self.scales((0..<n).map { matrix[$0 * n + $0].magnitude }, past)
  }

  /// D, the larger of a diagonal and what is left of the last D (or empty), and its root, which is 1 for a param
  /// without influence so far.
  static func scales(_ diagonal: [Double], _ past: [Double]) -> (squares: [Double], root: [Double]) {
    let squares = past.count == diagonal.count ? zip(past, diagonal).map { max($0, $1) } : diagonal
    return (squares, squares.map { $0 > 0 ? $0.squareRoot() : 1 })
  }

  /// The same function in x̂: gradient D^−½·g, Hessian D^−½·H·D^−½.
  func scaled(_ at: Evaluation) throws -> Evaluation {
    let n = root.count
    var entries = try at.denseMatrix().doubles
    for i in 0..<n { for j in 0..<n { entries[i * n + j] /= root[i] * root[j] } }
    return Evaluation(
      x: zip(at.x, root).map { $0 * $1 }, value: at.value, gradient: zip(at.gradient, root).map { $0 / $1 },
      hessian: .dense(Tensor(entries, [n, n])), order: at.order)
  }

  func original(_ x: [Double]) -> [Double] { zip(x, root).map { $0 / $1 } }

  fileprivate func gradient(_ g: [Double]) -> [Double] { zip(g, root).map { $0 / $1 } }
}

/// A function of the params in those units.
struct ScaledOracle: Oracle {
  let scaling: DiagonalScaling
  let f: any Oracle

  func value(at x: [Double]) throws -> Double { try f.value(at: scaling.original(x)) }

  func slope(at x: [Double]) throws -> (value: Double, gradient: [Double]) {
    let (value, gradient) = try f.slope(at: scaling.original(x))
    return (value, scaling.gradient(gradient))
  }

  func product(_ v: [Double]) throws -> [Double] { scaling.gradient(try f.product(scaling.original(v))) }

  func gaussNewtonProduct(_ v: [Double]) throws -> [Double] {
    scaling.gradient(try f.gaussNewtonProduct(scaling.original(v)))
  }
}
