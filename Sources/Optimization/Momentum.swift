/// v ← μ·v + ∇f, x ← x − lr·v (Polyak's heavy ball); Nesterov's looks ahead: x ← x − lr·(∇f + μ·v) (Sutskever et al.,
/// *On the importance of initialization and momentum in deep learning*, 2013, in the form of torch.optim.SGD).
public struct Momentum: UpdateRule {
  public static let name = "momentum"
  public static let nesterovName = "nesterov"
  public static let remembered = ["velocity"]
  public let learningRate: Double
  public let momentum: Double
  public let looksAhead: Bool
  public var state = RuleState()

  public init(learningRate: Double, momentum: Double, looksAhead: Bool) {
    self.learningRate = learningRate
    self.momentum = momentum
    self.looksAhead = looksAhead
  }

  public func coefficients(step k: Int) -> [Double] { [momentum, -learningRate] }

  public func update<A: UpdateArithmetic>(
    _ x: A.Vector, _ gradient: A.Vector, _ memory: [A.Vector], _ c: [A.Scalar], _ a: A
  ) -> (x: A.Vector, memory: [A.Vector]) {
    let velocity = a.combination([(nil, gradient), (c[0], memory[0])])
    let direction = looksAhead ? a.combination([(nil, gradient), (c[0], velocity)]) : velocity
    return (a.combination([(nil, x), (c[1], direction)]), [velocity])
  }
}
