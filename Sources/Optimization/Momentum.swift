/// v ← μ·v + ∇f, x ← x − lr·v (Polyak's heavy ball); Nesterov's looks ahead: x ← x − lr·(∇f + μ·v) (Sutskever et al.,
/// *On the importance of initialization and momentum in deep learning*, 2013, in the form of torch.optim.SGD).
public struct Momentum: Method {
  public static let name = "momentum"
  public static let nesterovName = "nesterov"
  public let learningRate: Double
  public let momentum: Double
  public let looksAhead: Bool
  private var velocity: [Double] = []

  public init(learningRate: Double, momentum: Double, looksAhead: Bool) {
    self.learningRate = learningRate
    self.momentum = momentum
    self.looksAhead = looksAhead
  }

  public var order: DerivativeOrder { .gradient }
  public var isPlainRule: Bool { true }

  public var memory: MethodMemory {
    get { velocity.isEmpty ? [:] : ["velocity": velocity] }
    set { velocity = newValue[vector: "velocity"] }
  }

  public mutating func step(_ at: Evaluation, _ f: any Oracle) throws -> Move {
    let g = at.gradient
    velocity = velocity.count == g.count ? sum(g, momentum, velocity) : g
    return Move(x: sum(at.x, -learningRate, looksAhead ? sum(g, momentum, velocity) : velocity))
  }
}
