import LinearAlgebra
import Tensors

/// Points where ∇f = 0, from many starts.
///
/// From each start Levenberg and Marquardt's method runs on ½‖∇f‖², whose Jacobian is the Hessian: it goes to minima,
/// maxima and saddles alike. Where f goes flat far out, ‖∇f‖ falls that way too, and all starts may be lost: from some of
/// them eigenvectors are followed, uphill along the lowest of them and downhill along the rest, which leads out of tails.
/// What is found is then deflated (Farrell, Birkisson and Funke, *Deflation techniques for
/// finding distinct solutions of nonlinear partial differential equations*, 2015): with ∇f multiplied by
/// Π(1/‖x − r‖² + 1) over the points r found, the same starts cannot lead to them again.
public struct CriticalSearch {
  /// f, ∇f and the Hessian, row-major, at a point.
  public typealias Jet = (value: Double, gradient: [Double], hessian: [Double])

  public struct Point: Sendable {
    public let x: [Double]
    public let value: Double
    public let gradientNorm: Double
    /// Ascending.
    public let eigenvalues: [Double]
    /// Which of them are zero as far as the iterates tell.
    public let isZero: [Bool]
    /// About how far the point may lie from where it should be; known for degenerate points, 0 for others.
    public let uncertainty: Double
    /// Starts that led here; 0 when only deflation found it.
    public fileprivate(set) var starts: Int

    public init(
      x: [Double], value: Double, gradientNorm: Double, eigenvalues: [Double], isZero: [Bool],
      uncertainty: Double = 0, starts: Int = 0
    ) {
      (self.x, self.value, self.gradientNorm) = (x, value, gradientNorm)
      (self.eigenvalues, self.isZero, self.uncertainty) = (eigenvalues, isZero, uncertainty)
      self.starts = starts
    }

    public var isDegenerate: Bool { isZero.contains(true) }
  }

  public private(set) var points: [Point] = []
  /// Starts that led out of the box.
  public private(set) var outside = 0
  /// Starts from which ‖∇f‖ did not go to zero.
  public private(set) var failed = 0
  /// The largest |f| at the starts: f near zero is not known better than to the rounding of that.
  public private(set) var scale = 0.0

  private let box: [ClosedRange<Double>]
  /// Relative errors of points and gradients below this count as none.
  private let tolerance: Double
  private let jet: ([Double]) throws -> Jet

  private static let iterations = 200
  /// Degenerate points after which there is no point in deflating: they fill curves.
  private static let isolated = 10
  /// Points that are kept at most.
  private static let limit = 1000
  /// Starts from which deflated functions are searched, points that one start may find so, and points up to which
  /// deflating is tried.
  private static let (restarts, findings, deflatable) = (12, 20, 200)

  public init(
    box: [ClosedRange<Double>], tolerance: Double, _ jet: @escaping ([Double]) throws -> Jet
  ) {
    self.box = box
    self.tolerance = tolerance
    self.jet = jet
  }

  /// Runs from the starts, then from the first of them along eigenvectors, and with deflation.
  public mutating func run(from starts: [[Double]]) throws {
    for start in starts {
      guard let point = try search(from: start, deflating: []) else {
        failed += 1
        continue
      }
      guard isInside(point.x) else {
        outside += 1
        continue
      }
      if let known = place(of: point) {
        points[known].starts += 1
      } else if points.count < Self.limit {
        points.append(point)
        points[points.count - 1].starts = 1
      }
    }
    for start in starts.prefix(Self.restarts) {
      for index in Self.indices(start.count) where points.count < Self.limit {
        guard let point = try follow(from: start, index: index), isInside(point.x), place(of: point) == nil
        else { continue }
        points.append(point)
      }
    }
    for start in starts.prefix(Self.restarts) {
      for _ in 0..<Self.findings where isDeflatable {
        guard let point = try search(from: start, deflating: points.map(\.x)), isInside(point.x),
          place(of: point) == nil
        else { break }
        points.append(point)
      }
    }
    points = points.map { (order($0), $0) }.sorted { $0.0.lexicographicallyPrecedes($1.0) }.map(\.1)
  }

  /// By value, then by place, both without the digits that are rounding.
  private func order(_ point: Point) -> [Double] {
    let (unit, length) = (max(1e-10 * scale, 1e-300), tolerance * (1 + norm(point.x)))
    return [(point.value / unit).rounded()] + point.x.map { ($0 / length).rounded() }
  }

  private var isDeflatable: Bool {
    !points.isEmpty && points.count <= Self.deflatable && points.count(where: \.isDegenerate) <= Self.isolated
  }

  private func isInside(_ x: [Double]) -> Bool {
    zip(x, box).allSatisfy { value, range in
      let slack = tolerance * (1 + value.magnitude)
      return value >= range.lowerBound - slack && value <= range.upperBound + slack
    }
  }

  /// The known point that this one is.
  private func place(of point: Point) -> Int? {
    points.firstIndex { known in
      let distance = norm(difference(known.x, point.x))
      return distance
        <= tolerance * (1 + norm(point.x)) + 20 * (known.uncertainty + point.uncertainty)
    }
  }

  // MARK: From one start

  /// The critical point that a start leads to; nil when ‖∇f‖ stays above zero.
  private mutating func search(from start: [Double], deflating roots: [[Double]]) throws -> Point? {
    var x = start
    var at = try jet(x)
    guard isFinite(at) else { return nil }
    scale = max(scale, at.value.magnitude)
    var deflation = Deflation(roots, x)
    guard deflation.factor.isFinite else { return nil }
    var (damping, growth) = (1e-3, 2.0)
    for _ in 0..<Self.iterations {
      let size = norm(at.hessian)
      if norm(at.gradient) <= 1e-3 * tolerance * size { break }
      let system = GaussNewtonSystem(at, deflation)
      guard let step = try system.step(damping) else { return nil }
      let next = sum(x, 1, step.d)
      let there = try jet(next)
      let moved = Deflation(roots, next)
      let (now, then) = (deflation.factor * norm(at.gradient), moved.factor * norm(there.gradient))
      let predicted = deflation.factor * deflation.factor * step.decrease
      let ratio = isFinite(there) && then.isFinite ? (now * now - then * then) / predicted : -1
      if ratio > 1e-4 {
        let bound = 1 - (2 * ratio - 1) * (2 * ratio - 1) * (2 * ratio - 1)
        (damping, growth) = (max(damping * max(1.0 / 3, bound), 1e-16), 2)
        (x, at, deflation) = (next, there, moved)
      } else {
        damping *= growth
        growth *= 2
      }
      if norm(step.d) <= 1e-12 * (1 + norm(x)) || damping > 1e12 { break }
    }
    return try polished(x, at)
  }

  // MARK: Along eigenvectors

  /// Indices of the points that are sought so: all where they are few, else minima, saddles of index 1 and maxima.
  private static func indices(_ order: Int) -> [Int] { order <= 4 ? Array(0...order) : [0, 1, order] }

  /// The critical point of some index that eigenvectors lead to (Wales, *Energy landscapes*, 2003, section 6.2): uphill
  /// along the `index` lowest, downhill along the others, each step by |λ| and within a radius that holds as long as the
  /// Hessian foretells the gradient. Nil when it leads out of the box, or nowhere.
  private mutating func follow(from start: [Double], index: Int) throws -> Point? {
    var x = start
    var at = try jet(x)
    guard isFinite(at) else { return nil }
    scale = max(scale, at.value.magnitude)
    let width = box.reduce(0) { max($0, $1.upperBound - $1.lowerBound) }
    var radius = width / 20
    for _ in 0..<Self.iterations {
      let spectrum = try Spectrum(at)
      let d = spectrum.followingStep(at.gradient, index: index, within: radius)
      let length = norm(d)
      if length <= 1e-12 * (1 + norm(x)) { break }
      let next = sum(x, 1, d)
      let there = try jet(next)
      let foretold = spectrum.product(d)
      let error = norm(difference(difference(there.gradient, at.gradient), foretold)) / norm(foretold)
      guard isFinite(there), error <= 1 || !error.isFinite else {
        radius = length / 4
        if radius < 1e-10 * width { return nil }
        continue
      }
      if error < 0.25 { radius = min(2 * radius, width / 4) } else if error > 0.5 { radius = length / 2 }
      (x, at) = (next, there)
      guard zip(x, box).allSatisfy({ $0 > $1.lowerBound - width / 2 && $0 < $1.upperBound + width / 2 })
      else {
        return nil
      }
    }
    return try polished(x, at)
  }

  private func isFinite(_ at: Jet) -> Bool {
    at.value.isFinite && at.gradient.allSatisfy(\.isFinite) && at.hessian.allSatisfy(\.isFinite)
  }

  /// Newton's steps as long as they make the gradient smaller; nil when that does not lead to a critical point.
  private func polished(_ start: [Double], _ jetThere: Jet) throws -> Point? {
    var (x, at) = (start, jetThere)
    var spectrum = try Spectrum(at)
    var last: (eigenvalues: [Double], length: Double)?
    for _ in 0..<Self.iterations where norm(at.gradient) > 0 {
      let d = spectrum.newtonStep(at.gradient)
      let next = sum(x, 1, d)
      let there = try jet(next)
      guard isFinite(there), norm(there.gradient) < 0.9 * norm(at.gradient) else { break }
      last = (spectrum.values, norm(d))
      (x, at) = (next, there)
      spectrum = try Spectrum(at)
    }
    let scale = tolerance * (1 + norm(x))
    // Far out, where f goes flat, gradients are small, but Newton's step is not.
    guard norm(at.gradient) <= norm(at.hessian) * scale, norm(spectrum.newtonStep(at.gradient)) <= scale
    else { return nil }
    // Where an eigenvalue vanishes, steps only divide the distance, and the eigenvalue shrinks along with it.
    let largest = spectrum.values.reduce(0) { max($0, $1.magnitude) }
    let isZero = spectrum.values.indices.map { k -> Bool in
      let value = spectrum.values[k].magnitude
      if value <= 1e-13 * largest { return true }
      return last.map { value <= 3 * (spectrum.values[k] - $0.eigenvalues[k]).magnitude } ?? false
    }
    return Point(
      x: x, value: at.value, gradientNorm: norm(at.gradient), eigenvalues: spectrum.values, isZero: isZero,
      uncertainty: isZero.contains(true) ? max(last?.length ?? 0, scale) : 0, starts: 0)
  }
}

/// M(x) = Π(1/‖x − r‖² + 1), and ∇M/M.
private struct Deflation {
  private(set) var factor = 1.0
  private(set) var slope: [Double]

  init(_ roots: [[Double]], _ x: [Double]) {
    slope = [Double](repeating: 0, count: x.count)
    for root in roots {
      let offset = difference(x, root)
      let square = dot(offset, offset)
      factor *= 1 / square + 1
      slope = sum(slope, -2 / (square * (1 + square)), offset)
    }
  }
}

/// The Gauss–Newton system of M·∇f, divided by M: its Jacobian is H + ∇f·(∇M/M)ᵀ.
private struct GaussNewtonSystem {
  private let gradient: [Double]
  private let jacobian: [Double]
  private var order: Int { gradient.count }

  init(_ at: CriticalSearch.Jet, _ deflation: Deflation) {
    gradient = at.gradient
    var entries = at.hessian
    let n = gradient.count
    for i in 0..<n { for j in 0..<n { entries[i * n + j] += gradient[i] * deflation.slope[j] } }
    jacobian = entries
  }

  /// d with (AᵀA + μI)·d = −Aᵀ∇f, μ the damping times the largest diagonal entry, and the decrease ‖∇f‖² − ‖∇f + A·d‖²
  /// that it promises; nil where A has no part.
  func step(_ damping: Double) throws -> (d: [Double], decrease: Double)? {
    let n = order
    var (matrix, right) = ([Double](repeating: 0, count: n * n), [Double](repeating: 0, count: n))
    for k in 0..<n {
      for i in 0..<n {
        let a = jacobian[k * n + i]
        right[i] -= a * gradient[k]
        for j in 0...i { matrix[i * n + j] += a * jacobian[k * n + j] }
      }
    }
    let largest = (0..<n).reduce(0.0) { max($0, matrix[$1 * n + $1]) }
    guard largest > 0, largest.isFinite else { return nil }
    var mu = damping * largest
    for i in 0..<n { for j in 0..<i { matrix[j * n + i] = matrix[i * n + j] } }
    while mu.isFinite {
      var shifted = matrix
      for i in 0..<n { shifted[i * n + i] += mu }
      if let factor = try? Cholesky(Tensor(shifted, [n, n])) {
        let d = try factor.solve(Tensor(vector: right)).doubles
        let moved = (0..<n).map { i in
          (0..<n).reduce(gradient[i]) { $0 + jacobian[i * n + $1] * d[$1] }
        }
        return (d, dot(gradient, gradient) - dot(moved, moved))
      }
      mu = max(10 * mu, 1e-16 * largest)
    }
    return nil
  }
}

/// The eigenvalues of a Hessian, and Newton's step by them.
private struct Spectrum {
  /// Ascending.
  let values: [Double]
  private let vectors: [Double]

  init(_ at: CriticalSearch.Jet) throws {
    let n = at.gradient.count
    let found = try symmetricEigen(Tensor(at.hessian, [n, n]))
    values = found.values.doubles
    vectors = found.vectors.doubles
  }

  /// H·d.
  func product(_ d: [Double]) -> [Double] { combined(zip(values, parts(d)).map { $0 * $1 }) }

  /// −∇f/|λ| along the eigenvectors, with the other sign along the `index` lowest, no longer than `radius`.
  func followingStep(_ gradient: [Double], index: Int, within radius: Double) -> [Double] {
    let floor = 1e-13 * max(values.reduce(0) { max($0, $1.magnitude) }, .leastNormalMagnitude)
    let along = zip(values, parts(gradient)).enumerated().map { k, pair in
      (k < index ? 1 : -1) * pair.1 / max(pair.0.magnitude, floor)
    }
    let length = norm(along)
    return combined(length > radius ? scaled(radius / length, along) : along)
  }

  /// Coordinates in the eigenbasis, and back.
  private func parts(_ d: [Double]) -> [Double] {
    let n = values.count
    return (0..<n).map { k in (0..<n).reduce(0.0) { $0 + vectors[$1 * n + k] * d[$1] } }
  }

  private func combined(_ parts: [Double]) -> [Double] {
    let n = values.count
    return (0..<n).map { i in (0..<n).reduce(0.0) { $0 + vectors[i * n + $1] * parts[$1] } }
  }

  /// −H⁺∇f: without the parts along eigenvectors whose eigenvalue is rounding.
  func newtonStep(_ gradient: [Double]) -> [Double] {
    let n = values.count
    let floor = 1e-13 * values.reduce(0) { max($0, $1.magnitude) }
    var d = [Double](repeating: 0, count: n)
    for k in 0..<n where values[k].magnitude > floor {
      var part = 0.0
      for i in 0..<n { part += vectors[i * n + k] * gradient[i] }
      for i in 0..<n { d[i] -= part / values[k] * vectors[i * n + k] }
    }
    return d
  }
}
