/// Adam (Kingma and Ba, 2015, algorithm 1) and, with `decay`, AdamW (Loshchilov and Hutter, 2019, algorithm 2: the decay
/// is not part of the gradient).
public struct Adam: Method {
  public static let name = "adam"
  public static let decayingName = "adamw"

  public struct Options: Sendable {
    public var learningRate = 1e-3
    public var beta1 = 0.9
    public var beta2 = 0.999
    public var epsilon = 1e-8
    public var decay = 0.0
    public init() {}
  }

  public let options: Options
  private var first: [Double] = []
  private var second: [Double] = []
  private var count = 0

  public init(_ options: Options) { self.options = options }

  public var order: DerivativeOrder { .gradient }
  public var isPlainRule: Bool { true }

  public var memory: MethodMemory {
    get {
      guard count > 0 else { return [:] }
      return ["first": first, "second": second, "count": [Double(count)]]
    }
    set {
      (first, second) = (newValue[vector: "first"], newValue[vector: "second"])
      count = first.count == second.count ? Int(newValue[number: "count"] ?? 0) : 0
      if count == 0 { (first, second) = ([], []) }
    }
  }

  public mutating func step(_ at: Evaluation, _ f: any Oracle) throws -> Move {
    let (g, o) = (at.gradient, options)
    if first.count != g.count {
      first = [Double](repeating: 0, count: g.count)
      second = first
      count = 0
    }
    count += 1
    let (bias1, bias2) = (1 - power(o.beta1, count), 1 - power(o.beta2, count))
    var x = at.x
    for k in x.indices {
      first[k] = o.beta1 * first[k] + (1 - o.beta1) * g[k]
      second[k] = o.beta2 * second[k] + (1 - o.beta2) * g[k] * g[k]
      x[k] -= o.learningRate * o.decay * x[k]
      x[k] -= o.learningRate * (first[k] / bias1) / ((second[k] / bias2).squareRoot() + o.epsilon)
    }
    return Move(x: x)
  }

  private func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, square, rest) = (1.0, base, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result *= square }
      square *= square
      rest >>= 1
    }
    return result
  }
}

/// v ← α·v + (1 − α)·∇f², x ← x − lr·∇f/(√v + ε) (Tieleman and Hinton, 2012, lecture 6.5, in the form of
/// torch.optim.RMSprop).
public struct RMSProp: Method {
  public static let name = "rmsprop"
  public let learningRate: Double
  public let smoothing: Double
  public let epsilon: Double
  private var square: [Double] = []

  public init(learningRate: Double, smoothing: Double, epsilon: Double) {
    self.learningRate = learningRate
    self.smoothing = smoothing
    self.epsilon = epsilon
  }

  public var order: DerivativeOrder { .gradient }
  public var isPlainRule: Bool { true }

  public var memory: MethodMemory {
    get { square.isEmpty ? [:] : ["square": square] }
    set { square = newValue[vector: "square"] }
  }

  public mutating func step(_ at: Evaluation, _ f: any Oracle) throws -> Move {
    let g = at.gradient
    if square.count != g.count { square = [Double](repeating: 0, count: g.count) }
    var x = at.x
    for k in x.indices {
      square[k] = smoothing * square[k] + (1 - smoothing) * g[k] * g[k]
      x[k] -= learningRate * g[k] / (square[k].squareRoot() + epsilon)
    }
    return Move(x: x)
  }
}

/// x ← x − lr·∇f(x + ρ·∇f/‖∇f‖): the gradient at the worst point nearby, to first order (Foret et al.,
/// *Sharpness-aware minimization*, 2021, equation 3).
public struct SharpnessAware: Method {
  public static let name = "sam"
  public let learningRate: Double
  public let radius: Double

  public init(learningRate: Double, radius: Double) {
    self.learningRate = learningRate
    self.radius = radius
  }

  public var order: DerivativeOrder { .gradient }
  public var isPlainRule: Bool { true }

  public mutating func step(_ at: Evaluation, _ f: any Oracle) throws -> Move {
    let length = at.gradientNorm
    if length == 0 { return Move(x: at.x, notes: ["the gradient is zero"]) }
    let (value, gradient) = try f.slope(at: sum(at.x, radius / length, at.gradient))
    guard value.isFinite, gradient.allSatisfy(\.isFinite) else {
      throw Refusal("the function is not finite at distance ρ", hint: "give a smaller rho")
    }
    return Move(x: sum(at.x, -learningRate, gradient), notes: ["f within ρ: \(value.short)"])
  }
}
