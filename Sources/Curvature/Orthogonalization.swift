import Tensors

extension Rows {
  /// Standard normal vectors.
  public static func normal(_ count: Int, length: Int, _ generator: inout CounterGenerator) -> Rows {
    Rows(generator.normals(count * length), length: length)
  }

  /// Vectors of −1 and 1.
  public static func rademacher(_ count: Int, length: Int, _ generator: inout CounterGenerator) -> Rows {
    var result = Rows(count: count, length: length)
    result.entries.withUnsafeMutableBufferPointer { generator.fillRademacher($0) }
    return result
  }

  /// Makes the vectors orthogonal to an orthonormal basis, twice, which is enough (Kahan; Parlett, The Symmetric
  /// Eigenvalue Problem, 6.9), and returns what was taken away: basis.count×count coefficients.
  @discardableResult
  mutating func orthogonalize(against basis: Rows, passes: Int = 2) -> SmallMatrix {
    var total = SmallMatrix(basis.count, count)
    for _ in 0..<passes {
      let c = basis.dots(0..<basis.count, self)
      subtract(c, of: basis)
      for i in c.entries.indices { total.entries[i] += c.entries[i] }
    }
    return total
  }

  /// An orthonormal basis of the vectors' span with self[k] = Σⱼ r[j, k]·basis[j]. A vector that depends on those
  /// before it within `cutoff` adds none.
  func orthonormalBasis(cutoff: Double) -> (basis: Rows, r: SmallMatrix) {
    var basis = Rows(count: 0, length: length)
    var columns: [[Double]] = []
    for k in 0..<count {
      var row = rows(k..<k + 1)
      var column = row.orthogonalize(against: basis).entries
      let norm = row.norm(0)
      if norm > cutoff {
        row.scale(row: 0, by: 1 / norm)
        basis.append(row)
        column.append(norm)
      }
      columns.append(column)
    }
    var r = SmallMatrix(basis.count, count)
    for (k, column) in columns.enumerated() { for (j, value) in column.enumerated() { r[j, k] = value } }
    return (basis, r)
  }

  /// Random vectors with E vvᵀ = I: of −1 and 1, or of length √n in uniform directions where there are so few signs that
  /// they may coincide.
  public static func probes(_ count: Int, length: Int, _ generator: inout CounterGenerator) -> Rows {
    if length >= 64 { return rademacher(count, length: length, &generator) }
    var result = normal(count, length: length, &generator)
    for k in 0..<count {
      result.scale(row: k, by: Double(length).squareRoot() / max(result.norm(k), .leastNormalMagnitude))
    }
    return result
  }

  /// An orthonormal basis of the vectors' span.
  public func orthonormalSpan() -> Rows { orthonormalBasis(cutoff: 1e-13 * largestNorm(self)).basis }

  /// Adds random unit vectors, orthogonal to these and to `others`, until there are `size`.
  mutating func fill(to size: Int, outside others: [Rows], _ generator: inout CounterGenerator) {
    while count < size {
      var row = Rows.normal(1, length: length, &generator)
      for _ in 0..<2 {
        for other in others { row.orthogonalize(against: other, passes: 1) }
        row.orthogonalize(against: self, passes: 1)
        let norm = row.norm(0)
        row.scale(row: 0, by: norm > 0 ? 1 / norm : 0)
      }
      append(row)
    }
  }
}
