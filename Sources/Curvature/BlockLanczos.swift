import LinearAlgebra
import Tensors

/// Which end of a spectrum.
public enum SpectrumEnd: Sendable { case top, bottom }

/// How eigenpairs are sought.
public struct EigenSearch: Sendable {
  public let count: Int
  public let end: SpectrumEnd
  /// A pair has converged when ‖Av − λv‖ is at most this times the largest |λ| seen.
  public var tolerance: Double
  /// Vectors multiplied at a time: copies of an eigenvalue that one Krylov space shows.
  public var block: Int
  /// Vectors of the basis before it is restarted.
  public var basis: Int
  public var maxProducts: Int

  /// - Parameters:
  ///   - count: pairs sought, at most the order.
  ///   - roundoff: of the operator's products; no smaller residual is asked for.
  public init(_ count: Int, _ end: SpectrumEnd, order: Int, roundoff: Double = Double.ulpOfOne) {
    self.count = min(count, order)
    self.end = end
    tolerance = max(1e-9, 50 * roundoff)
    block = max(1, min(2, order))
    basis = min(order, max(4 * count + 24, 64))
    maxProducts = max(500, min(20 * order, 2000))
  }
}

/// Some eigenpairs of a symmetric operator.
public struct PartialEigen: Sendable {
  /// From the end of the spectrum inwards.
  public let values: [Double]
  /// Orthonormal eigenvectors, in the same order.
  public let vectors: Rows
  /// ‖Av − λv‖ of each pair, from products made anew.
  public let residuals: [Double]
  /// The pairs whose residual is within the tolerance.
  public let converged: Int
  public let products: Int
  public let restarts: Int
  /// Residuals up to this count as converged.
  public let bound: Double
}

/// The ends of a symmetric operator's spectrum: block Lanczos with full reorthogonalisation and thick restarts.
///
/// Sources: Wu and Simon, *Thick-restart Lanczos method for large symmetric eigenvalue problems* (SIAM J. Matrix Anal.
/// Appl. 22, 2000); Stewart, *A Krylov–Schur algorithm for large eigenproblems* (2001); blocks after Zhou and Saad,
/// *Block Krylov–Schur method for large symmetric eigenvalue problems* (2008).
///
/// A run ends by residuals, never by the change of a value. A Krylov space shows at most as many copies of an
/// eigenvalue as its block has vectors; so a converged run is followed by a short one outside the space found, and what
/// that finds above the last value is taken in.
public struct BlockLanczos {
  let a: CountedOperator
  let search: EigenSearch
  private let sign: Double
  private var generator: CounterGenerator
  /// Called after each block of products with their number and the number of converged pairs; may throw to stop.
  let report: (Int, Int) throws -> Void

  /// Ritz vectors that are kept, and the orthonormal block that their residuals lie in.
  private(set) var basis: Rows
  private(set) var projection: SmallMatrix
  private(set) var active: Range<Int>
  /// First vector that the active block's products are known to couple to.
  private var coupled = 0
  private(set) var restarts = 0
  /// Converged vectors of earlier runs; the search stays orthogonal to them.
  private var locked: Rows

  init(
    _ a: CountedOperator, _ search: EigenSearch, _ generator: CounterGenerator, locked: Rows,
    _ report: @escaping (Int, Int) throws -> Void
  ) {
    self.a = a
    self.search = search
    self.generator = generator
    self.report = report
    self.locked = locked
    sign = search.end == .top ? 1 : -1
    basis = Rows(count: 0, length: a.order)
    projection = SmallMatrix(0, 0)
    active = 0..<0
  }

  /// The `search.count` eigenpairs at an end. Throws `CurvatureError.notFinite` and what products throw.
  public static func eigenpairs(
    of base: any SymmetricOperator, _ search: EigenSearch, generator: CounterGenerator,
    report: @escaping (_ products: Int, _ converged: Int) throws -> Void = { _, _ in }
  ) throws -> PartialEigen {
    let a = CountedOperator(base)
    guard search.count > 0, a.order > 0 else {
      return PartialEigen(
        values: [], vectors: Rows(count: 0, length: a.order), residuals: [], converged: 0, products: 0,
        restarts: 0, bound: 0)
    }
    var run = BlockLanczos(a, search, generator, locked: Rows(count: 0, length: a.order), report)
    var found = try run.pairs()
    var restarts = run.restarts
    // Copies that the block was too narrow for show up outside the space found.
    while found.isConverged, found.values.count < a.order, a.count < search.maxProducts {
      var check = search
      check.maxProducts = min(search.maxProducts, a.count + 24)
      check.basis = min(a.order - found.values.count, 64)
      var next = BlockLanczos(a, check, run.generator, locked: found.vectors, report)
      let last = found.values[search.count - 1]
      let more = try next.values(above: last + max(search.tolerance, 4 * base.roundoff) * found.scale)
      guard let more else { break }
      // Something above the last value was missed: it is sought until it has converged, and takes its place.
      var rest = search
      rest.basis = check.basis
      next = BlockLanczos(a, rest, next.generator, locked: found.vectors, report)
      next.start(more)
      let extra = try next.pairs(sought: min(search.block, a.order - found.values.count))
      restarts += next.restarts
      found = found.merged(extra, keeping: search.count)
      if !extra.isConverged { break }
    }
    return try found.checked(by: a, sign: run.sign, search, restarts: restarts)
  }

  /// Ritz pairs, values of sign·A descending.
  struct Found {
    var values: [Double]
    var vectors: Rows
    var isConverged: Bool
    var scale: Double
  }

  // MARK: The iteration

  /// Makes `block` the first block of the basis.
  private mutating func start(_ block: Rows) {
    var first = block
    first.orthogonalize(against: locked)
    let size = first.count
    first = first.orthonormalBasis(cutoff: 1e-10).basis
    first.fill(to: size, outside: [locked], &generator)
    basis = first
    active = 0..<first.count
    coupled = 0
    projection = SmallMatrix(first.count, first.count)
  }

  private var room: Int { a.order - locked.count }

  mutating func startAtRandom() {
    guard basis.count == 0 else { return }
    start(.normal(min(search.block, room), length: a.order, &generator))
  }

  /// Runs until the pairs sought have converged or the products are spent.
  private mutating func pairs(sought: Int? = nil) throws -> Found {
    startAtRandom()
    let k = min(sought ?? search.count, room)
    while true {
      let (next, r) = try expand()
      let isWhole = next.count == 0
      // The eigenvalues of the projection are worth their price only when there can be enough of them.
      let isFull = basis.count + next.count > max(search.basis, k + search.block)
      let isDue = basis.count >= 2 * k && (basis.count / search.block) % 4 == 0
      if isWhole || isFull || isDue || a.count >= search.maxProducts {
        let ritz = try Ritz(projection)
        let residuals = (0..<min(k, basis.count)).map { ritz.residual($0, r, active) }
        let bound = search.tolerance * ritz.scale
        let converged = residuals.prefix { $0 <= bound }.count
        try report(a.count, converged)
        let isDone = isWhole || (converged == k && basis.count >= k)
        if isDone || a.count >= search.maxProducts {
          let count = min(k, basis.count)
          return Found(
            values: Array(ritz.values.prefix(count)), vectors: basis.combined(ritz.vectors(count)),
            isConverged: isDone, scale: ritz.scale)
        }
        if isFull {
          restart(ritz, k, next)
          continue
        }
      }
      append(next)
    }
  }

  /// Multiplies the active block, and returns what its products leave outside the basis: the orthonormal next block
  /// and the coefficients in it.
  mutating func expand() throws -> (next: Rows, r: SmallMatrix) {
    var w = try a.products(basis.rows(active))
    if sign < 0 { w.negate() }
    w.orthogonalize(against: locked, passes: locked.count > 0 ? 1 : 0)
    // First what the recurrence says is there, then what rounding brought in.
    let known = coupled..<basis.count
    let near = basis.dots(known, w)
    w.subtract(near, of: basis, from: coupled)
    let far = w.orthogonalize(against: basis, passes: 1)
    for (k, column) in active.enumerated() {
      for i in 0..<basis.count {
        let value = far[i, k] + (i >= coupled ? near[i - coupled, k] : 0)
        projection[i, column] = value
        projection[column, i] = value
      }
    }
    let scale = projection.entries.reduce(0) { max($0, abs($1)) }
    // A direction that the products do not lead out of gives way to a random one: an invariant subspace was found, and
    // the search goes on outside it.
    let width = min(active.count, room - basis.count)
    var (next, r) = w.orthonormalBasis(cutoff: 1e-13 * max(scale, .leastNormalMagnitude))
    if r.leadingEntries.contains(where: { $0 < 1e-6 * scale }) { (next, r) = cleaned(next, r) }
    if next.count > width { next = next.rows(0..<width) }
    next.fill(to: width, outside: [basis, locked], &generator)
    return (next, r)
  }

  /// What is left of products next to an invariant subspace is rounding, and once it has length one lies anywhere: vectors
  /// are made orthogonal again, and those that lay in the space already are given up. Elsewhere rounding grows less than
  /// a millionfold.
  private func cleaned(_ next: Rows, _ r: SmallMatrix) -> (Rows, SmallMatrix) {
    var again = next
    again.orthogonalize(against: locked, passes: 1)
    again.orthogonalize(against: basis, passes: 1)
    let (kept, s) = again.orthonormalBasis(cutoff: 0.5)
    var result = SmallMatrix(kept.count, r.columns)
    for i in 0..<kept.count {
      for k in 0..<r.columns { for j in 0..<next.count { result[i, k] += s[i, j] * r[j, k] } }
    }
    return (kept, result)
  }

  mutating func append(_ next: Rows) {
    coupled = active.lowerBound
    active = basis.count..<basis.count + next.count
    basis.append(next)
    var wider = SmallMatrix(basis.count, basis.count)
    for i in 0..<projection.rows { for j in 0..<projection.columns { wider[i, j] = projection[i, j] } }
    projection = wider
  }

  /// Keeps the best Ritz vectors and the block that all their residuals lie in.
  private mutating func restart(_ ritz: Ritz, _ k: Int, _ next: Rows) {
    let kept = min(k + max(search.block, (search.basis - k) / 2), basis.count - active.count)
    basis = basis.combined(ritz.vectors(kept))
    projection = SmallMatrix(kept, kept)
    for i in 0..<kept { projection[i, i] = ritz.values[i] }
    active = 0..<0
    append(next)
    coupled = 0
    restarts += 1
  }

  /// A start for values above `bound`, when a short run finds one; nil when it does not.
  private mutating func values(above bound: Double) throws -> Rows? {
    startAtRandom()
    while true {
      let (next, _) = try expand()
      if next.count == 0 || a.count >= search.maxProducts || basis.count + next.count > search.basis {
        let ritz = try Ritz(projection)
        let above = ritz.values.prefix { $0 > bound }.count
        return above > 0 ? basis.combined(ritz.vectors(min(above, search.block))) : nil
      }
      append(next)
    }
  }
}

/// The eigenpairs of a projection, largest first.
struct Ritz {
  let values: [Double]
  private let columns: SmallMatrix

  init(_ projection: SmallMatrix) throws {
    let n = projection.rows
    let eigen = try symmetricEigen(Tensor(projection.entries, [n, n]))
    values = eigen.values.doubles.reversed()
    let entries = eigen.vectors.doubles
    var reversed = SmallMatrix(n, n)
    for i in 0..<n { for j in 0..<n { reversed[i, j] = entries[i * n + n - 1 - j] } }
    columns = reversed
  }

  /// The largest |value|.
  var scale: Double { max(abs(values.first ?? 0), abs(values.last ?? 0), .leastNormalMagnitude) }

  func vectors(_ count: Int) -> SmallMatrix { vectors(Array(0..<count)) }

  func vectors(_ places: [Int]) -> SmallMatrix {
    var result = SmallMatrix(columns.rows, places.count)
    for i in 0..<columns.rows { for (j, place) in places.enumerated() { result[i, j] = columns[i, place] } }
    return result
  }

  /// ‖R·y‖ over the active block's part y of an eigenvector: the norm of the pair's residual.
  func residual(_ k: Int, _ r: SmallMatrix, _ active: Range<Int>) -> Double {
    var sum = 0.0
    for i in 0..<r.rows {
      var component = 0.0
      for (j, row) in active.enumerated() where j < r.columns { component += r[i, j] * columns[row, k] }
      sum += component * component
    }
    return sum.squareRoot()
  }
}

extension BlockLanczos.Found {
  /// With pairs found outside, the best of both.
  fileprivate func merged(_ other: Self, keeping count: Int) -> Self {
    let all =
      (values.indices.map { (values[$0], vectors.rows($0..<$0 + 1)) }
      + other.values.indices.map { (other.values[$0], other.vectors.rows($0..<$0 + 1)) })
      .sorted { $0.0 > $1.0 }.prefix(count)
    var rows = Rows(count: 0, length: vectors.length)
    for item in all { rows.append(item.1) }
    return Self(
      values: all.map(\.0), vectors: rows, isConverged: isConverged && other.isConverged,
      scale: max(scale, other.scale))
  }

  /// The pairs with residuals from one more product each.
  func checked(by a: CountedOperator, sign: Double, _ search: EigenSearch, restarts: Int) throws
    -> PartialEigen
  {
    var w = try a.products(vectors)
    let exact = values.map { sign * $0 }
    for k in 0..<w.count {
      for i in k * w.length..<(k + 1) * w.length { w.entries[i] -= exact[k] * vectors.entries[i] }
    }
    let residuals = (0..<w.count).map(w.norm)
    // The residual of a product anew differs from the recurrence's by rounding.
    let bound = search.tolerance * scale
    let converged = residuals.prefix { $0 <= 2 * bound }.count
    return PartialEigen(
      values: exact, vectors: vectors, residuals: residuals, converged: converged,
      products: a.count, restarts: restarts, bound: bound)
  }
}

extension SmallMatrix {
  /// The first entry of each row that is not zero.
  fileprivate var leadingEntries: [Double] {
    (0..<rows).map { i in
      (0..<columns).lazy.map { abs(self[i, $0]) }.first { $0 > 0 } ?? 0
    }
  }
}
