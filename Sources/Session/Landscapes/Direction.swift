import Engine
import LinearAlgebra
import Optimization
import Tensors

/// A direction in the space of all params of a landscape.
struct Direction {
  /// As it was written, or what it is: `grad`, `eig(1)`, `x[0]`.
  var name: String
  /// As long as the params have entries.
  var vector: [Double]
}

/// How random directions are scaled.
///
/// Li, Xu, Taylor, Studer and Goldstein, *Visualizing the loss landscape of neural nets* (NeurIPS 2018,
/// arXiv:1712.09913), section 4: d ← d/‖d‖·‖θ‖, filter by filter (dᵢⱼ ← dᵢⱼ/‖dᵢⱼ‖·‖θᵢⱼ‖ for filter j of layer i) or
/// layer by layer. Without it, how sharp a network looks depends on the scale of its weights, which rectifiers make
/// arbitrary. As in the authors' code, biases (params of rank below 2) stay where they are as long as there are weights.
enum DirectionScaling: String, CaseIterable {
  case filter, layer, none

  /// Which axis of a weight tensor tells filters apart.
  enum FilterAxis: String, CaseIterable {
    /// The last: a column of W in X @ W.
    case columns
    /// The first: a row of W in W @ x.
    case rows
  }

  /// A direction scaled to the params at `origin`; `shapes` are those of the params.
  func scaled(_ direction: [Double], to origin: [Double], shapes: [Shape], filters: FilterAxis) -> [Double] {
    guard self != .none else { return direction }
    var result = direction
    let hasWeights = shapes.contains { $0.count >= 2 }
    var start = 0
    for shape in shapes {
      let range = start..<(start + shape.elementCount)
      start = range.upperBound
      if shape.count < 2, hasWeights {
        for k in range { result[k] = 0 }
        continue
      }
      for filter in groups(shape, filters) {
        Self.scale(filter.map { $0 + range.lowerBound }, &result, origin)
      }
    }
    return result
  }

  /// The row-major places of each filter; one group for a whole layer.
  private func groups(_ shape: Shape, _ filters: FilterAxis) -> [[Int]] {
    let count = shape.elementCount
    guard self == .filter, shape.count >= 2 else { return [Array(0..<count)] }
    let (axis, size) = filters == .columns ? (shape.count - 1, shape[shape.count - 1]) : (0, shape[0])
    let stride = shape.rowMajorStrides[axis]
    var result = [[Int]](repeating: [], count: size)
    for place in 0..<count { result[place / stride % size].append(place) }
    return result
  }

  private static func scale(_ places: [Int], _ direction: inout [Double], _ origin: [Double]) {
    let length = norm(places.map { direction[$0] })
    guard length > 0 else { return }
    let factor = norm(places.map { origin[$0] }) / length
    for k in places { direction[k] *= factor }
  }
}

/// A plane (or line) through a point, spanned by directions that need not be orthogonal.
struct ParamPlane {
  let origin: [Double]
  let directions: [Direction]

  /// Two directions that are parallel, as far as rounding lets one tell.
  var isDegenerate: Bool {
    guard directions.count == 2 else { return false }
    let (a, b) = (Scaled(directions[0].vector).vector, Scaled(directions[1].vector).vector)
    let share = Self.dot(a, b) / Self.dot(a, a)
    let rest = zip(b, a).map { $0 - share * $1 }
    return Self.dot(rest, rest) <= Self.smallestPart * Self.dot(b, b)
  }

  /// The square of the part of a direction across the other one below which it is rounding.
  private static let smallestPart = 1e-24

  /// A point as it is seen in the plane: the coefficients of the nearest point of it, and how far away that is.
  typealias Projection = (coefficients: [Double], distance: Double)

  func projections(of points: [[Double]]) throws -> [Projection] {
    let axes = directions.map { Scaled($0.vector) }
    return try points.map { point in
      try Interruption.check()
      let offset = Scaled(zip(point, origin).map { $0 - $1 })
      let (coefficients, distance) = Self.projection(of: offset.vector, on: axes.map(\.vector))
      return (zip(coefficients, axes).map { $0 * $1.scale / offset.scale }, distance / offset.scale)
    }
  }

  /// A vector whose largest entry is near 1.
  private struct Scaled {
    let scale: Double
    let vector: [Double]

    init(_ vector: [Double]) {
      let scale = unitScale(vector)
      (self.scale, self.vector) = (scale, vector.map { $0 * scale })
    }
  }

  private static func projection(of offset: [Double], on vectors: [[Double]]) -> Projection {
    var coefficients = vectors.map { _ in 0.0 }
    // Gram–Schmidt for at most two directions, with the coefficients carried back.
    if let first = vectors.first {
      let square = dot(first, first)
      if vectors.count == 1 {
        coefficients[0] = square > 0 ? dot(offset, first) / square : 0
      } else {
        let share = square > 0 ? dot(first, vectors[1]) / square : 0
        let second = zip(vectors[1], first).map { $0 - share * $1 }
        let length = dot(second, second)
        coefficients[1] =
          length > smallestPart * dot(vectors[1], vectors[1]) ? dot(offset, second) / length : 0
        coefficients[0] = square > 0 ? dot(offset, first) / square - share * coefficients[1] : 0
      }
    }
    var rest = offset
    for (c, vector) in zip(coefficients, vectors) { for k in rest.indices { rest[k] -= c * vector[k] } }
    return (coefficients, norm(rest))
  }

  private static func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
}
