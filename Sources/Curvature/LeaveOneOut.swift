import Tensors

/// Test vectors ω, the span Q of their products Aω = QR, and for each of them the unit direction s in it that is
/// orthogonal to all other products: Q(I − ssᵀ)Qᵀ projects onto the span of the others.
private struct LeaveOneOut {
  let omega: Rows
  let basis: Rows
  /// AQ.
  let image: Rows
  private let r: SmallMatrix
  /// One row a test vector.
  let directions: [[Double]]

  init(_ a: CountedOperator, _ omega: Rows) throws {
    self.omega = omega
    let y = try a.products(omega)
    let (basis, r) = y.orthonormalBasis(cutoff: 1e-13 * largestNorm(y))
    self.basis = basis
    self.r = r
    image = try a.products(basis)
    directions = (0..<y.count).map { Self.orthogonal(to: $0, r) }
  }

  var count: Int { omega.count }

  /// Aω in the basis.
  func product(_ i: Int) -> [Double] { r.column(i) }

  /// Orthogonal to all columns of r but one; zero when that one depends on the others, as leaving it out changes nothing.
  private static func orthogonal(to left: Int, _ r: SmallMatrix) -> [Double] {
    let n = r.rows
    var others = Rows(count: 0, length: n)
    for j in 0..<r.columns where j != left { others.append(Rows(r.column(j), length: n)) }
    let span = others.orthonormalBasis(cutoff: 1e-13 * largestNorm(others)).basis
    var rest = Rows(r.column(left), length: n)
    let before = rest.norm(0)
    rest.orthogonalize(against: span)
    let norm = rest.norm(0)
    guard norm > 1e-12 * before else { return [Double](repeating: 0, count: n) }
    rest.scale(row: 0, by: 1 / norm)
    return rest.entries
  }

  /// An orthonormal basis of what leaves the span when test vectors i and j are left out, as combinations of their
  /// directions: sᵢ, and α·sᵢ + β·sⱼ.
  func second(_ i: Int, _ j: Int) -> (alpha: Double, beta: Double) {
    let along = dot(directions[i], directions[j])
    let size = max(1 - along * along, 0).squareRoot()
    guard size > 1e-8, dot(directions[j], directions[j]) > 0 else { return (0, 0) }
    return (-along / size, 1 / size)
  }
}

extension TraceEstimator {
  /// With P the projection onto the span of all A·ω but one, tr A = tr PA + E μᵀAμ for μ = (I − P)ω, ω the one left out.
  /// The estimates for each ω depend on each other, so the error is the jackknife's.
  func xTrace(_ a: CountedOperator, _ products: Int, _ generator: inout CounterGenerator) throws -> Estimate {
    let k = min(products / 2, a.order)
    guard a.order >= 3 else { throw CurvatureError.tooSmall(order: a.order) }
    guard k >= 3 else { throw CurvatureError.tooFewProbes(needed: 6) }
    let parts = try LeaveOneOut(a, .normal(k, length: a.order, &generator))
    // All products are zero.
    guard parts.basis.count > 0 else {
      return Estimate(samples: [Double](repeating: 0, count: k), products: a.count)
    }
    let tables = LeaveOneOutTables(parts)
    let room = a.order - k
    let samples = (0..<k).map { tables.sample($0, without: $0, 0, 0, room: room) }
    let without = (0..<k).map { j -> Double in
      let others = (0..<k).filter { $0 != j }
      return others.reduce(0) { sum, i in
        let (alpha, beta) = parts.second(i, j)
        return sum + tables.sample(i, without: j, alpha, beta, room: room)
      } / Double(k - 1)
    }
    return Estimate(
      samples: samples, leavingOut: without, products: a.count,
      floor: a.rounding(samples + [tables.inside]))
  }
}

/// Products of all vectors of a `LeaveOneOut` with each other and through H = QᵀAQ, so that an estimate costs a few
/// operations. Column i of W is Qᵀω, of R is QᵀAω, of S the direction.
private struct LeaveOneOutTables {
  /// The trace of H.
  let inside: Double
  private let sHs: SmallMatrix
  private let sHw: SmallMatrix
  private let sw: SmallMatrix
  private let sr: SmallMatrix
  private let ww: [Double]
  private let wr: [Double]
  private let wHw: [Double]
  private let lengths: [Double]

  init(_ parts: LeaveOneOut) {
    let (k, m) = (parts.count, parts.basis.count)
    let h = parts.basis.dots(0..<m, parts.image)
    inside = (0..<m).reduce(0) { $0 + h[$1, $1] }
    let wColumns = parts.basis.dots(0..<m, parts.omega)
    let w = Rows((0..<k).flatMap(wColumns.column), length: m)
    let s = Rows(parts.directions.flatMap { $0 }, length: m)
    let hRows = Rows(h.entries, length: m)
    func times(_ rows: Rows) -> Rows {
      var columns = SmallMatrix(m, k)
      for i in 0..<k { for j in 0..<m { columns[j, i] = rows.entries[i * m + j] } }
      return hRows.combined(columns)
    }
    let (hs, hw) = (times(s), times(w))
    sHs = s.dots(0..<k, hs)
    sHw = s.dots(0..<k, hw)
    sw = s.dots(0..<k, w)
    sr = s.dots(0..<k, Rows((0..<k).flatMap(parts.product), length: m))
    ww = rowDots(w, w)
    wr = (0..<k).map { dot(wColumns.column($0), parts.product($0)) }
    wHw = rowDots(w, hw)
    lengths = rowDots(parts.omega, parts.omega)
  }

  /// The estimate from test vector i when sᵢ and t = α·sᵢ + β·sⱼ, orthonormal, have left the span.
  func sample(_ i: Int, without j: Int, _ alpha: Double, _ beta: Double, room: Int) -> Double {
    let isPair = beta != 0
    /// sᵢᵀHt and tᵀHt.
    let sHt: Double = alpha * sHs[i, i] + beta * sHs[i, j]
    let tHt: Double = alpha * alpha * sHs[i, i] + 2 * alpha * beta * sHs[i, j] + beta * beta * sHs[j, j]
    let a = sw[i, i]
    let b: Double = alpha * sw[i, i] + beta * sw[j, i]
    // μ = ω − Q·kept with kept = w − a·s − b·t, and Aω = Q·r.
    let keptR: Double = wr[i] - a * sr[i, i] - b * (alpha * sr[i, i] + beta * sr[j, i])
    let tHw: Double = alpha * sHw[i, i] + beta * sHw[j, i]
    let linear: Double = wHw[i] - 2 * a * sHw[i, i] - 2 * b * tHw
    let keptHKept: Double = linear + a * a * sHs[i, i] + b * b * tHt + 2 * a * b * sHt
    let energy = wr[i] - 2 * keptR + keptHKept
    let size: Double = lengths[i] - (ww[i] - a * a - b * b)
    // ω is normal, so the direction of μ is uniform: its length adds nothing but noise.
    let outside = size > 0 ? energy * Double(room + (isPair ? 2 : 1)) / size : 0
    return inside - sHs[i, i] - tHt + outside
  }
}

/// The diagonal from products.
public enum DiagonalEstimator {
  /// XDiag (Epperly, Tropp and Webber 2024): the diagonal of the dominant part, and of what remains as each probe, left
  /// out of it, sees it. One estimate an entry, with the jackknife's error.
  ///
  /// Throws `CurvatureError` for non-finite products and for fewer than 6 products.
  public static func diagonal(
    of base: any SymmetricOperator, products: Int, generator: inout CounterGenerator
  ) throws -> [Estimate] {
    let a = CountedOperator(base)
    let (n, k) = (a.order, min(products / 2, a.order))
    guard n >= 3 else { throw CurvatureError.tooSmall(order: n) }
    guard k >= 3 else { throw CurvatureError.tooFewProbes(needed: 6) }
    let parts = try LeaveOneOut(a, .rademacher(k, length: n, &generator))
    var s = SmallMatrix(parts.basis.count, k)
    for i in 0..<k { for j in 0..<parts.basis.count { s[j, i] = parts.directions[i][j] } }
    // Qs and AQs for each direction s.
    let (q, z) = (parts.basis.combined(s), parts.image.combined(s))
    var inside = [Double](repeating: 0, count: n)
    for j in 0..<parts.basis.count {
      for x in 0..<n { inside[x] += parts.basis.entries[j * n + x] * parts.image.entries[j * n + x] }
    }
    /// Adds to `sums` what test vector i gives when α·sᵢ + β·sⱼ leaves the span.
    func add(_ i: Int, _ j: Int, _ alpha: Double, _ beta: Double, to sums: inout [Double], from start: Int) {
      let r = parts.product(i)
      let along = alpha * dot(parts.directions[i], r) + beta * dot(parts.directions[j], r)
      for x in 0..<n {
        let qu = alpha * q.entries[i * n + x] + beta * q.entries[j * n + x]
        let zu = alpha * z.entries[i * n + x] + beta * z.entries[j * n + x]
        sums[start + x] += qu * (along * parts.omega.entries[i * n + x] - zu)
      }
    }
    var samples = [Double](repeating: 0, count: k * n)
    var without = [Double](repeating: 0, count: k * n)
    for i in 0..<k {
      add(i, i, 1, 0, to: &samples, from: i * n)
      for j in 0..<k where j != i {
        let (alpha, beta) = parts.second(i, j)
        add(i, i, 1, 0, to: &without, from: j * n)
        add(i, j, alpha, beta, to: &without, from: j * n)
      }
    }
    return (0..<n).map { x -> Estimate in
      let own: [Double] = (0..<k).map { inside[x] + samples[$0 * n + x] }
      let others: [Double] = (0..<k).map { inside[x] + without[$0 * n + x] / Double(k - 1) }
      return Estimate(samples: own, leavingOut: others, products: a.count, floor: a.rounding([inside[x]]))
    }
  }
}
