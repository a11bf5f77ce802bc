import LinearAlgebra
import Tensors

/// Newton's step with the generalised Gauss–Newton matrix JᵀMJ in the Hessian's place (Nocedal and Wright, section
/// 10.3), and Armijo's backtracking.
public struct GaussNewton: Method {
  public static let name = "gauss-newton"

  public init() {}

  public var order: DerivativeOrder { .ggn }

  public mutating func step(_ at: Evaluation, _ f: any Oracle) throws -> Move {
    let newton = try NewtonDirection.at(
      at, matrix: "Gauss–Newton matrix", hint: "the params are not determined here; lm adds what is missing")
    guard newton.slope < 0 || at.gradientNorm == 0 else {
      throw Refusal("the Gauss–Newton matrix is not positive definite", hint: "take a step lm")
    }
    return try Backtracking().move(
      at, newton.direction.doubles, newton.slope, "the Gauss–Newton direction", f)
  }
}

/// Levenberg–Marquardt: (G + μD)·d = −g with G the Gauss–Newton matrix and D the largest diagonal of G so far (Moré, *The
/// Levenberg–Marquardt algorithm*, 1978); μ follows the ratio of the actual to the predicted decrease. Steps do not depend
/// on the units of the params. Where μ has become next to nothing, D holds on to a diagonal that the params have left
/// behind, by many orders of magnitude in long valleys, and is let go of.
public struct LevenbergMarquardt: Method {
  public static let name = "lm"
  public let initialDamping: Double
  private var damping = Damping()
  private var scale: [Double] = []

  public init(initialDamping: Double) { self.initialDamping = initialDamping }

  public var order: DerivativeOrder { .ggn }

  public var memory: MethodMemory {
    get {
      var memory = damping.memory
      memory[vector: "scale"] = scale
      return memory
    }
    set { (damping.memory, scale) = (newValue, newValue[vector: "scale"]) }
  }

  /// Steps that do not decrease f, one after the other.
  private static let limit = 60
  /// What is left of D after a step with μ below `negligible`.
  private static let memory = 0.1
  private static let negligible = 1e-5

  public mutating func step(_ at: Evaluation, _ f: any Oracle) throws -> Move {
    if at.gradientNorm == 0 { return Move(x: at.x, notes: ["the gradient is zero"]) }
    var mu = damping.value ?? initialDamping
    let past = mu < Self.negligible ? scaled(Self.memory, scale) : scale
    let system = try DampedSystem(at, past: past)
    scale = system.scale
    for _ in 0..<Self.limit {
      if let (d, predicted) = try system.step(mu) {
        let x = sum(at.x, 1, d)
        let decrease = try Decrease(at, d, to: x, predicted: predicted, f)
        if decrease.isEnough() {
          damping.accept(mu, decrease)
          return Move(x: x, notes: ["damping \(mu.short)"], predicted: predicted)
        }
      }
      mu = damping.grown(mu)
    }
    damping.giveUp()
    throw Refusal(
      "no damped Gauss–Newton step decreases the function",
      hint: "the point may be a minimum to machine precision")
  }
}

/// (G + μD)·d = −g, in the params scaled by √D.
private struct DampedSystem {
  /// D.
  let scale: [Double]
  private let root: [Double]
  /// D^−½·G·D^−½.
  private let matrix: Matrix
  private let gradient: [Double]

  private enum Matrix {
    /// Row-major.
    case dense([Double])
    /// With the places of the diagonal.
    case sparse(SparseMatrix, diagonal: [Int])
  }

  /// `past` is what is left of the last D, or empty. A param without influence so far is damped all the same: the system
  /// would be singular.
  init(_ at: Evaluation, past: [Double]) throws {
    let n = at.x.count
    if case .sparse(let stored)? = at.hessian, let places = Self.diagonal(stored.pattern) {
      let entries = stored.values.converted(to: .f64).doubles
      (scale, root) = DiagonalScaling.scales(places.map { entries[$0] }, past)
      let root = root
      var scaled = entries
      stored.pattern.forEachEntry { i, j, place in scaled[place] = entries[place] / root[i] / root[j] }
      matrix = .sparse(SparseMatrix(stored.pattern, Tensor(vector: scaled)), diagonal: places)
    } else {
      let entries = try at.denseMatrix().doubles
      (scale, root) = DiagonalScaling.scales((0..<n).map { entries[$0 * n + $0] }, past)
      var scaled = entries
      for i in 0..<n { for j in 0..<n { scaled[i * n + j] = entries[i * n + j] / root[i] / root[j] } }
      matrix = .dense(scaled)
    }
    gradient = zip(at.gradient, root).map { $0 / $1 }
  }

  /// Where the diagonal is stored; nil when some of it is not.
  private static func diagonal(_ pattern: SparsePattern) -> [Int]? {
    var places = [Int](repeating: -1, count: pattern.rows)
    pattern.forEachEntry { i, j, place in if i == j { places[i] = place } }
    return places.contains(-1) ? nil : places
  }

  /// d, and the decrease that the model predicts, f − m(d) = ½dᵀ(μD·d − g); nil when G + μD is not positive definite.
  func step(_ mu: Double) throws -> (d: [Double], predicted: Double)? {
    guard let y = try solved(mu) else { return nil }
    return (zip(y, root).map { $0 / $1 }, 0.5 * dot(y, sum(scaled(mu, y), -1, gradient)))
  }

  private func solved(_ mu: Double) throws -> [Double]? {
    let right = Tensor(vector: scaled(-1, gradient))
    switch matrix {
    case .dense(var entries):
      let n = root.count
      for i in 0..<n { entries[i * n + i] += mu }
      return try (try? Cholesky(Tensor(entries, [n, n])))?.solve(right).doubles
    case .sparse(let stored, let diagonal):
      var entries = stored.values.doubles
      for place in diagonal { entries[place] += mu }
      // Patterns with both halves are solved with exchanges, which do not tell whether the matrix is definite.
      guard let y = try? SparseMatrix(stored.pattern, Tensor(vector: entries)).solve(right).x.doubles
      else { return nil }
      return dot(y, gradient) <= 0 ? y : nil
    }
  }
}
