/// Adam (Kingma and Ba, 2015, algorithm 1) and, with `decay`, AdamW (Loshchilov and Hutter, 2019, algorithm 2: the decay
/// is not part of the gradient).
public struct Adam: UpdateRule {
  public static let name = "adam"
  public static let decayingName = "adamw"
  public static let remembered = ["first", "second"]

  public struct Options: Sendable {
    public var learningRate = 1e-3
    public var beta1 = 0.9
    public var beta2 = 0.999
    public var epsilon = 1e-8
    public var decay = 0.0
    public init() {}
  }

  public let options: Options
  public var state = RuleState()

  public init(_ options: Options) { self.options = options }

  public func coefficients(step k: Int) -> [Double] {
    let o = options
    let (bias1, bias2) = (1 - power(o.beta1, k), 1 - power(o.beta2, k))
    return [
      o.beta1, 1 - o.beta1, o.beta2, 1 - o.beta2, 1 - o.learningRate * o.decay, -o.learningRate / bias1,
      1 / bias2, o.epsilon,
    ]
  }

  public func update<A: UpdateArithmetic>(
    _ x: A.Vector, _ gradient: A.Vector, _ memory: [A.Vector], _ c: [A.Scalar], _ a: A
  ) -> (x: A.Vector, memory: [A.Vector]) {
    let first = a.combination([(c[0], memory[0]), (c[1], gradient)])
    let second = a.combination([(c[2], memory[1]), (c[3], a.product(gradient, gradient))])
    let decayed = a.combination([(c[4], x)])
    return (a.sum(decayed, c[5], first, overRootOf: second, times: c[6], plus: c[7]), [first, second])
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
public struct RMSProp: UpdateRule {
  public static let name = "rmsprop"
  public static let remembered = ["square"]
  public let learningRate: Double
  public let smoothing: Double
  public let epsilon: Double
  public var state = RuleState()

  public init(learningRate: Double, smoothing: Double, epsilon: Double) {
    self.learningRate = learningRate
    self.smoothing = smoothing
    self.epsilon = epsilon
  }

  public func coefficients(step k: Int) -> [Double] { [smoothing, 1 - smoothing, -learningRate, epsilon] }

  public func update<A: UpdateArithmetic>(
    _ x: A.Vector, _ gradient: A.Vector, _ memory: [A.Vector], _ c: [A.Scalar], _ a: A
  ) -> (x: A.Vector, memory: [A.Vector]) {
    let square = a.combination([(c[0], memory[0]), (c[1], a.product(gradient, gradient))])
    return (a.sum(x, c[2], gradient, overRootOf: square, times: nil, plus: c[3]), [square])
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
