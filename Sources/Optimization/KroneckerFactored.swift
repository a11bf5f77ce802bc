import LinearAlgebra
import Tensors

/// K-FAC (Martens and Grosse, *Optimizing neural networks with Kronecker-factored approximate curvature*, ICML 2015).
///
/// The direction Δ = −(F̆ + λI)⁻¹∇f takes a block A ⊗ S for every dense layer, damped factor by factor. Its length α and the
/// share μ of the last step minimise the quadratic model of the exact Gauss–Newton matrix plus λI over αΔ + μδ (sections
/// 6.4 and 7), and λ follows the ratio of the actual to the predicted decrease, as in `lm`. With a fixed `lr` the step is
/// lr·Δ and λ stays.
public struct KroneckerFactored: Method {
  public static let name = "kfac"

  public struct Options: Sendable {
    /// A fixed fraction of the step, without a model.
    public var learningRate: Double?
    /// The first λ; by default a part of the mean of the diagonal.
    public var damping: Double?
    /// Uses the last step in the model.
    public var usesMomentum = true
    /// The share of the past in the running means of the factors.
    public var decay = 0.0
    public init() {}
  }

  public let options: Options
  private var damping = Damping()
  private var last: [Double] = []
  /// Running means of the blocks' entries, one block after the other, and how many steps they are of.
  private var mean: [Double] = []
  private var steps = 0

  public init(_ options: Options) { self.options = options }

  public var order: DerivativeOrder { .kfac }

  public var memory: MethodMemory {
    get {
      var memory = damping.memory
      memory[number: "steps"] = Double(steps)
      memory[vector: "last"] = last
      memory[vector: "mean"] = mean
      return memory
    }
    set {
      damping.memory = newValue
      steps = newValue[number: "steps"].flatMap { Int(exactly: $0) } ?? 0
      (last, mean) = (newValue[vector: "last"], newValue[vector: "mean"])
    }
  }

  /// The default of the first λ, against the mean of the diagonal.
  private static let firstDamping = 1e-3
  /// Steps that do not decrease f, one after the other.
  private static let limit = 60

  public mutating func step(_ at: Evaluation, _ f: any Oracle) throws -> Move {
    if at.gradientNorm == 0 { return Move(x: at.x, notes: ["the gradient is zero"]) }
    let blocks = try averaged(at.blocks())
    let scale = blocks.reduce(0) { $0 + $1.meanDiagonal * Double($1.places.count) } / Double(at.x.count)
    var lambda = damping.value ?? options.damping ?? Self.firstDamping * max(scale, .leastNormalMagnitude)
    if let rate = options.learningRate {
      guard let inverse = BlockInverse(blocks, damping: lambda) else { throw Self.singular }
      damping.keep(lambda)
      return Move(x: sum(at.x, -rate, try inverse(at.gradient)), notes: ["damping \(lambda.short)"])
    }
    for _ in 0..<Self.limit {
      if let trial = try trial(at, blocks, lambda, f) {
        let x = sum(at.x, 1, trial.d)
        let decrease = try Decrease(at, trial.d, to: x, predicted: trial.predicted, f)
        if decrease.isEnough() {
          damping.accept(lambda, decrease)
          last = trial.d
          return Move(x: x, notes: trial.notes + ["damping \(lambda.short)"], predicted: trial.predicted)
        }
      }
      lambda = damping.grown(lambda, scale: scale)
    }
    damping.giveUp()
    throw Refusal(
      "no damped K-FAC step decreases the function",
      hint: "the point may be a minimum to machine precision")
  }

  private static var singular: Refusal {
    Refusal("the damped K-FAC factors are singular", hint: "a larger damping makes them definite")
  }

  /// The blocks with the running mean of their entries, which begins as a plain mean.
  private mutating func averaged(_ blocks: [CurvatureBlock]) throws -> [CurvatureBlock] {
    guard options.decay > 0 else { return blocks }
    let now = blocks.flatMap(\.entries)
    if mean.count != now.count { (mean, steps) = ([], 0) }
    steps += 1
    let past = mean.isEmpty ? 0 : min(1 - 1 / Double(steps), options.decay)
    mean = mean.isEmpty ? now : zip(mean, now).map { past * $0 + (1 - past) * $1 }
    var rest = mean[...]
    return blocks.map { $0.with(entries: &rest) }
  }

  private struct Trial {
    let d: [Double]
    let predicted: Double
    let notes: [String]
  }

  /// The step for one λ; nil where the damped matrix is not definite to rounding, or the step leads nowhere.
  private func trial(_ at: Evaluation, _ blocks: [CurvatureBlock], _ lambda: Double, _ f: any Oracle) throws
    -> Trial?
  {
    guard let inverse = BlockInverse(blocks, damping: lambda) else { return nil }
    let direction = scaled(-1, try inverse(at.gradient))
    guard direction.allSatisfy(\.isFinite) else { return nil }
    let model = try DampedModel(at.gradient, lambda, f)
    if options.usesMomentum, last.count == at.x.count, last.contains(where: { $0 != 0 }),
      let (alpha, mu) = try model.minimum(direction, last)
    {
      let d = sum(scaled(alpha, direction), mu, last)
      return Trial(
        d: d, predicted: -0.5 * dot(at.gradient, d), notes: ["length \(alpha.short), momentum \(mu.short)"])
    }
    guard let alpha = try model.minimum(direction) else { return nil }
    let d = scaled(alpha, direction)
    return Trial(d: d, predicted: -0.5 * dot(at.gradient, d), notes: ["length \(alpha.short)"])
  }
}

/// g·d + ½dᵀ(G + λI)d with the exact Gauss–Newton matrix G, by products. At its minimum over a space it is ½g·d.
private struct DampedModel {
  private let gradient: [Double]
  private let lambda: Double
  private let f: any Oracle

  init(_ gradient: [Double], _ lambda: Double, _ f: any Oracle) throws {
    (self.gradient, self.lambda, self.f) = (gradient, lambda, f)
  }

  private func product(_ v: [Double]) throws -> [Double] {
    sum(try f.gaussNewtonProduct(v), lambda, v)
  }

  /// α that minimises it along a direction of descent.
  func minimum(_ d: [Double]) throws -> Double? {
    let (slope, curvature) = (dot(gradient, d), dot(d, try product(d)))
    guard slope < 0, curvature > 0, curvature.isFinite else { return nil }
    return -slope / curvature
  }

  /// α and μ that minimise it over αd + μe; nil where d and e are nearly parallel.
  func minimum(_ d: [Double], _ e: [Double]) throws -> (Double, Double)? {
    let image = try product(d)
    let (a, b, c) = (dot(d, image), dot(e, image), dot(e, try product(e)))
    let determinant = a * c - b * b
    guard a > 0, c > 0, determinant > 1e-12 * a * c, determinant.isFinite else { return nil }
    let (u, v) = (-dot(gradient, d), -dot(gradient, e))
    let (alpha, mu) = ((c * u - b * v) / determinant, (a * v - b * u) / determinant)
    // A direction of descent by rounding as well.
    return alpha * u + mu * v > 0 ? (alpha, mu) : nil
  }
}

extension CurvatureBlock {
  /// All numbers that it is made of.
  fileprivate var entries: [Double] {
    switch form {
    case .factors(let a, let s): return a.doubles + s.doubles
    case .full(let matrix): return matrix.doubles
    }
  }

  /// The same with the next of other entries.
  fileprivate func with(entries: inout ArraySlice<Double>) -> CurvatureBlock {
    func next(_ shape: Shape) -> Tensor {
      defer { entries = entries.dropFirst(shape.elementCount) }
      return Tensor(Array(entries.prefix(shape.elementCount)), shape)
    }
    var result = self
    switch form {
    case .factors(let a, let s): result.form = .factors(input: next(a.shape), output: next(s.shape))
    case .full(let matrix): result.form = .full(next(matrix.shape))
    }
    return result
  }
}

extension Evaluation {
  /// The blocks; a matrix that is given whole is one.
  fileprivate func blocks() throws -> [CurvatureBlock] {
    guard case .blocks(let blocks)? = hessian else {
      return [CurvatureBlock(.full(try denseMatrix()), places: Array(x.indices))]
    }
    guard blocks.allSatisfy(\.isFinite) else {
      throw Refusal(
        "an entry of the K-FAC factors is not finite", hint: "go back with undo, and take a shorter step")
    }
    return blocks
  }
}
