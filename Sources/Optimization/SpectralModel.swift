import LinearAlgebra
import Tensors

/// The quadratic model g·d + ½dᵀHd in the basis of H's eigenvectors, where steps for any shift cost O(P²).
struct SpectralModel {
  /// Ascending.
  let values: [Double]
  /// Qᵀg.
  let gradient: [Double]
  /// Q, row-major: eigenvectors in columns.
  private let vectors: [Double]

  init(_ at: Evaluation) throws {
    let found: SymmetricEigen
    do {
      found = try symmetricEigen(try at.denseMatrix())
    } catch let error as LinearAlgebraError {
      throw Refusal("the eigenvalues of the Hessian: \(error)", hint: "try newton-cg")
    }
    values = found.values.doubles
    vectors = found.vectors.doubles
    let n = values.count
    var projected = [Double](repeating: 0, count: n)
    for i in 0..<n { for j in 0..<n { projected[j] += vectors[i * n + j] * at.gradient[i] } }
    gradient = projected
  }

  var least: Double { values.first ?? 0 }
  var largestMagnitude: Double { values.reduce(0) { max($0, $1.magnitude) } }

  /// Q·c: coordinates in the eigenbasis as a direction.
  func direction(_ coordinates: [Double]) -> [Double] {
    let n = values.count
    return (0..<n).map { i in
      var sum = 0.0
      for j in 0..<n { sum += vectors[i * n + j] * coordinates[j] }
      return sum
    }
  }

  /// g·d + ½dᵀHd.
  func value(_ d: [Double]) -> Double {
    d.indices.reduce(0.0) { $0 + d[$1] * (gradient[$1] + 0.5 * values[$1] * d[$1]) }
  }

  /// A minimiser of the model under a bound on its length.
  struct Step {
    /// In the eigenbasis.
    let coordinates: [Double]
    /// λ with (H + λI)·d = −g.
    let shift: Double
    /// The gradient has no part in the space of the least eigenvalue, along which the step goes on to the bound.
    let isHardCase: Bool
  }

  /// d with (H + λI)d = −g, H + λI positive semidefinite and ‖d‖ = `length(λ)`: the global minimiser where the
  /// length is a trust region's radius (Moré and Sorensen, *Computing a trust region step*, 1983) or λ/σ for the cubic
  /// model (Cartis, Gould and Toint, 2011). `length` must not decrease. λ is found by bisection to rounding.
  func step(boundedBy length: (Double) -> Double) -> Step {
    let base = max(0, -least)
    if least > 0 {
      let newton = coordinates(0)
      if norm(newton) <= length(0) { return Step(coordinates: newton, shift: 0, isHardCase: false) }
    }
    // Whether the shift base + s leaves the step longer than it may be.
    func isTooLong(_ s: Double) -> Bool { norm(coordinates(base, s)) > length(base + s) }
    let size = max(largestMagnitude, norm(gradient), 1e-300)
    var low = 1e-16 * size
    if !isTooLong(low) { return hardCase(base, low, length) }
    var high = max(low * 2, 1e-3 * size)
    while isTooLong(high) && high < 1e300 { high *= 4 }
    for _ in 0..<200 {
      let middle = high > 4 * low ? (low * high).squareRoot() : low + (high - low) / 2
      if middle <= low || middle >= high { break }
      if isTooLong(middle) { low = middle } else { high = middle }
    }
    return Step(coordinates: coordinates(base, high), shift: base + high, isHardCase: false)
  }

  /// Even next to −λ₁ the step is too short: it goes on along the first eigenvector to the bound.
  private func hardCase(_ base: Double, _ s: Double, _ length: (Double) -> Double) -> Step {
    var d = coordinates(base, s)
    let rest = length(base) * length(base) - dot(d, d)
    guard least < 0, rest > 0 else { return Step(coordinates: d, shift: base + s, isHardCase: false) }
    // Against the gradient's part there, if it has any.
    let b = d[0]
    let root = (b * b + rest).squareRoot()
    d[0] = gradient[0] > 0 ? -root : root
    return Step(coordinates: d, shift: base, isHardCase: true)
  }

  /// −ĝᵢ/(λᵢ + base + s); without a part of the gradient there is none of the step, whatever the eigenvalue.
  private func coordinates(_ base: Double, _ s: Double = 0) -> [Double] {
    values.indices.map { gradient[$0] == 0 ? 0 : -gradient[$0] / ((values[$0] + base) + s) }
  }
}
