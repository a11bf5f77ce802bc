import LinearAlgebra
import Tensors

/// Eigenvalues inside a spectrum, by products alone.
extension BlockLanczos {
  /// The eigenpairs nearest to a number. One Krylov space grows until the Ritz pairs nearest to it have converged: of all
  /// that so many products can give, polynomials of full degree, restarted ones only lose. When it would have more than
  /// `widest` vectors, the search goes on at the top of −(A − σI)², restarted, where distances are squared.
  ///
  /// Throws as `eigenpairs(of:_:generator:report:)`.
  public static func eigenpairs(
    of base: any SymmetricOperator, near target: Double, _ search: EigenSearch, widest: Int = Int.max,
    generator: CounterGenerator,
    report: @escaping (_ products: Int, _ converged: Int) throws -> Void = { _, _ in }
  ) throws -> PartialEigen {
    let a = CountedOperator(base)
    if search.count > 0, a.order > 0 {
      var run = BlockLanczos(a, search, generator, locked: Rows(count: 0, length: a.order), report)
      if let found = try run.nearest(target, widest: widest) {
        return try found.checked(by: a, sign: 1, search, restarts: 0)
      }
    }
    return try folded(a, near: target, search, generator: generator, report: report)
  }

  /// The Ritz pairs nearest to a number once they have converged, the space is whole or the products are spent; nil when
  /// there is no room for more vectors.
  private mutating func nearest(_ target: Double, widest: Int) throws -> Found? {
    startAtRandom()
    let k = min(search.count, a.order)
    var due = 2 * k + 2 * search.block
    while true {
      let (next, r) = try expand()
      let isWhole = next.count == 0
      let isSpent = a.count >= search.maxProducts
      if isWhole || isSpent || basis.count >= due {
        let ritz = try Ritz(projection)
        let places = ritz.values.indices.sorted {
          let (x, y) = ((ritz.values[$0] - target).magnitude, (ritz.values[$1] - target).magnitude)
          return (x, $0) < (y, $1)
        }.prefix(k)
        let bound = search.tolerance * ritz.scale
        let converged = places.prefix { ritz.residual($0, r, active) <= bound }.count
        try report(a.count, converged)
        if isWhole || isSpent || converged == k {
          return Found(
            values: places.map { ritz.values[$0] }, vectors: basis.combined(ritz.vectors(Array(places))),
            isConverged: isWhole || converged == k, scale: ritz.scale)
        }
        // Looking costs the cube of the dimension: seldom, but not much too late.
        due = basis.count + max(8, basis.count / 6)
      }
      if basis.count + next.count > widest { return nil }
      append(next)
    }
  }

  /// The top of −(A − σI)², and in the space found the pairs of A itself.
  private static func folded(
    _ a: CountedOperator, near target: Double, _ search: EigenSearch, generator: CounterGenerator,
    report: @escaping (_ products: Int, _ converged: Int) throws -> Void
  ) throws -> PartialEigen {
    let found = try eigenpairs(of: FoldedOperator(a, target), search, generator: generator, report: report)
    let image = try a.products(found.vectors)
    let k = found.vectors.count
    let projection = found.vectors.dots(0..<k, image)
    let eigen = try symmetricEigen(Tensor(projection.entries, [k, k]))
    let values = eigen.values.doubles
    let order = (0..<k).sorted { abs(values[$0] - target) < abs(values[$1] - target) }
    let entries = eigen.vectors.doubles
    var rotation = SmallMatrix(k, k)
    for i in 0..<k { for (j, place) in order.enumerated() { rotation[i, j] = entries[i * k + place] } }
    let (vectors, products) = (found.vectors.combined(rotation), image.combined(rotation))
    let residuals = order.indices.map { j -> Double in
      let value = values[order[j]]
      return zip(products[j], vectors[j]).reduce(0) { $0 + ($1.0 - value * $1.1) * ($1.0 - value * $1.1) }
        .squareRoot()
    }
    return PartialEigen(
      values: order.map { values[$0] }, vectors: vectors, residuals: residuals, converged: found.converged,
      products: a.count, restarts: found.restarts, bound: found.bound)
  }
}

/// −(A − σI)².
private struct FoldedOperator: SymmetricOperator {
  private let a: any SymmetricOperator
  private let target: Double

  init(_ a: any SymmetricOperator, _ target: Double) {
    self.a = a
    self.target = target
  }

  var order: Int { a.order }
  var roundoff: Double { a.roundoff }

  func products(_ block: Rows) throws -> Rows {
    var once = try a.products(block)
    for i in once.entries.indices { once.entries[i] -= target * block.entries[i] }
    var twice = try a.products(once)
    for i in twice.entries.indices { twice.entries[i] = target * once.entries[i] - twice.entries[i] }
    return twice
  }
}
