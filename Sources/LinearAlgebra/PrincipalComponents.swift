import Tensors

/// The directions along which a set of points varies most (Pearson 1901), from the eigenvectors of the points' Gram
/// matrix: with m points in P dimensions it is m×m, so P may be large.
public struct PrincipalComponents: Sendable {
  /// Orthonormal, the largest variance first. Turned so that the way from the first point to the last has no negative
  /// part along them.
  public let directions: [[Double]]
  /// The fraction of the total variance along each.
  public let explained: [Double]

  /// - Parameters:
  ///   - points: two or more, all of one length. Fewer directions than asked for when they span less.
  ///   - check: called for each point now and then; what it throws ends the work.
  /// - Throws: `LinearAlgebraError` and what `check` throws.
  /// - Complexity: O(m²·P + m³).
  public init(_ points: [[Double]], count: Int, check: () throws -> Void = {}) throws {
    let m = points.count
    let length = points.first?.count ?? 0
    var mean = [Double](repeating: 0, count: length)
    for point in points { for k in 0..<length { mean[k] += point[k] / Double(m) } }
    var centred = points.map { point in zip(point, mean).map { $0 - $1 } }
    let scale = unitScale(centred.lazy.joined())
    for i in centred.indices { for k in 0..<length { centred[i][k] *= scale } }
    var gram = [Double](repeating: 0, count: m * m)
    for i in 0..<m {
      try check()
      for j in 0...i {
        let product = zip(centred[i], centred[j]).reduce(0) { $0 + $1.0 * $1.1 }
        (gram[i * m + j], gram[j * m + i]) = (product, product)
      }
    }
    let found = try symmetricEigen(Tensor(gram, [m, m]))
    let (values, vectors) = (found.values.doubles, found.vectors.doubles)
    let total = values.reduce(0) { $0 + max($1, 0) }
    var directions: [[Double]] = []
    var explained: [Double] = []
    for place in stride(from: m - 1, through: max(m - count, 0), by: -1) {
      // What rounding leaves is no direction.
      guard values[place] > 1e-13 * total else { break }
      var direction = [Double](repeating: 0, count: length)
      for i in 0..<m {
        try check()
        let weight = vectors[i * m + place] / values[place].squareRoot()
        for k in 0..<length { direction[k] += weight * centred[i][k] }
      }
      let forward = zip(direction, zip(centred[m - 1], centred[0])).reduce(0) {
        $0 + $1.0 * ($1.1.0 - $1.1.1)
      }
      directions.append(forward < 0 ? direction.map { -$0 } : direction)
      explained.append(values[place] / total)
    }
    self.directions = directions
    self.explained = explained
  }
}
