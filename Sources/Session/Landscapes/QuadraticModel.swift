import Graph
import LinearAlgebra
import Plotting
import Tensors

/// The second-order model of a formula at a point of a line or plane: f + g·d + ½ dᵀHd, d in its coefficients.
struct QuadraticModel {
  /// Where it stands, one or two coefficients.
  let centre: [Double]
  let value: Double
  let gradient: [Double]
  /// 1×1 or 2×2, row-major.
  let hessian: [Double]
  /// Of the formula, for the legend.
  let name: String

  /// Shorter arrows are left out, as parts of the frame.
  private static let leastArrow = 0.01

  /// Of a line: the model over some places, as far as it stays near the formula's own values.
  func parabola(over ts: [Double], near values: [Double]) -> Series {
    let finite = values.filter(\.isFinite)
    let (low, high) = (finite.min() ?? 0, finite.max() ?? 0)
    let margin = 0.1 * (high - low)
    let ys = ts.map { t -> Double in
      let d = t - centre[0]
      let y = value + gradient[0] * d + hessian[0] / 2 * d * d
      return y >= low - margin && y <= high + margin ? y : .nan
    }
    return Series(ts, ys, name: "second order")
  }

  /// Of a plane: curves of equal curvature, ½ dᵀHd = ±c, and arrows for the eigenvectors up to them; an arrow for the Newton step.
  /// c is chosen so that the longest arrow takes a third of the frame.
  func marks(across: ClosedRange<Double>, up: ClosedRange<Double>) throws -> [Mark] {
    let found = try symmetricEigen(Tensor(hessian, [2, 2]))
    let (values, vectors) = (found.values.doubles, found.vectors.doubles)
    let largest = values.map(abs).max() ?? 0
    guard largest > 0, largest.isFinite else { return [] }
    let (width, height) = (
      across.upperBound - across.lowerBound, up.upperBound - up.lowerBound
    )
    // Semi-axes for c = 1/2, and what a unit of them takes of the frame.
    let axes = (0..<2).compactMap { k -> (value: Double, vector: [Double], length: Double)? in
      guard abs(values[k]) > 1e-12 * largest else { return nil }
      return (values[k], [vectors[k], vectors[2 + k]], 1 / abs(values[k]).squareRoot())
    }
    let reach = axes.map { max(abs($0.vector[0]) / width, abs($0.vector[1]) / height) * $0.length }
    let scale = 1 / (3 * (reach.max() ?? 1))
    let halves = axes.map { axis in axis.vector.map { $0 * axis.length * scale } }
    // The head of an arrow too short to see would hide the point.
    func isSeen(_ d: [Double]) -> Bool { max(abs(d[0]) / width, abs(d[1]) / height) > Self.leastArrow }
    let ends = halves.filter(isSeen).flatMap { [$0, $0.map { -$0 }] }
    var marks: [Mark] = []
    if let curve = curve(axes.map(\.value), halves) { marks.append(.line(curve)) }
    marks.append(
      .arrows(
        Arrows(
          tails: ends.map { _ in (centre[0], centre[1]) },
          heads: ends.map { (centre[0] + $0[0], centre[1] + $0[1]) }, name: "eigenvectors")))
    if let step = newtonStep(values, vectors, largest), step.allSatisfy(\.isFinite), isSeen(step) {
      let head = (centre[0] + step[0], centre[1] + step[1])
      let isInside = across.contains(head.0) && up.contains(head.1)
      let name = isInside ? "Newton step" : "Newton step, leaves the frame"
      marks.append(.arrows(Arrows(tails: [(centre[0], centre[1])], heads: [head], name: name)))
    }
    return marks
  }

  /// The ellipse, or the four branches of the hyperbolas, through the ends of the half axes.
  private func curve(_ values: [Double], _ halves: [[Double]]) -> Series? {
    guard halves.count == 2 else { return nil }
    var xs: [Double] = []
    var ys: [Double] = []
    func add(_ a: Double, _ b: Double) {
      xs.append(centre[0] + a * halves[0][0] + b * halves[1][0])
      ys.append(centre[1] + a * halves[0][1] + b * halves[1][1])
    }
    let isEllipse = values[0] * values[1] > 0
    if isEllipse {
      for k in 0...128 { add(Wave.cosine(k, of: 128), Wave.sine(k, of: 128)) }
    } else {
      for (sign, swaps) in [(1.0, false), (-1, false), (1, true), (-1, true)] {
        for k in -32...32 {
          let (c, s) = (sign * Wave.hyperbolicCosine(k), Wave.hyperbolicSine(k))
          if swaps { add(s, c) } else { add(c, s) }
        }
        xs.append(.nan)
        ys.append(.nan)
      }
    }
    return Series(xs, ys, name: isEllipse ? "ellipse of ∇²\(name)" : "hyperbolas of ∇²\(name)")
  }

  /// −H⁻¹g; nil for a singular H.
  private func newtonStep(_ values: [Double], _ vectors: [Double], _ largest: Double) -> [Double]? {
    guard values.allSatisfy({ abs($0) > 1e-12 * largest }) else { return nil }
    var step = [0.0, 0.0]
    for k in 0..<2 {
      let v = [vectors[k], vectors[2 + k]]
      let part = (v[0] * gradient[0] + v[1] * gradient[1]) / values[k]
      step = [step[0] - part * v[0], step[1] - part * v[1]]
    }
    return step
  }
}

extension LandscapePoints {
  /// Value, gradient and Hessian of the first formula by the coefficients, at one point of the plane.
  func model(at point: [Double], name: String) throws -> QuadraticModel {
    let found = try derivatives(at: point)
    return QuadraticModel(
      centre: point, value: found[0].scalarValue, gradient: found[1].doubles, hessian: found[2].doubles,
      name: name)
  }
}
