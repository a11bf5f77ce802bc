import Engine
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
    func norm(_ values: [Double]) -> Double {
      places.reduce(0) { $0 + values[$1] * values[$1] }.squareRoot()
    }
    let length = norm(direction)
    guard length > 0 else { return }
    let factor = norm(origin) / length
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
    let (a, b) = (directions[0].vector, directions[1].vector)
    let share = dot(a, b) / dot(a, a)
    let rest = zip(b, a).map { $0 - share * $1 }
    return dot(rest, rest) <= Self.smallestPart * dot(b, b)
  }

  /// The square of the part of a direction across the other one below which it is rounding.
  private static let smallestPart = 1e-24

  /// A point as it is seen in the plane: the coefficients of the nearest point of it, and how far away that is.
  typealias Projection = (coefficients: [Double], distance: Double)

  func projections(of points: [[Double]]) throws -> [Projection] {
    try points.map { point in
      try Interruption.check()
      return projection(of: point)
    }
  }

  private func projection(of point: [Double]) -> Projection {
    let offset = zip(point, origin).map { $0 - $1 }
    let vectors = directions.map(\.vector)
    var coefficients = directions.map { _ in 0.0 }
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
          length > Self.smallestPart * dot(vectors[1], vectors[1]) ? dot(offset, second) / length : 0
        coefficients[0] = square > 0 ? dot(offset, first) / square - share * coefficients[1] : 0
      }
    }
    var rest = offset
    for (c, vector) in zip(coefficients, vectors) { for k in rest.indices { rest[k] -= c * vector[k] } }
    return (coefficients, dot(rest, rest).squareRoot())
  }

  private func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
}
