/// Armijo's backtracking: the first t = initial·shrinkⁿ with f(x + t·d) ≤ f(x) + c·t·slope (Nocedal and Wright,
/// *Numerical Optimization*, algorithm 3.1).
public struct Backtracking: Sendable {
  public var initial = 1.0
  public var shrink = 0.5
  public var decrease = 1e-4
  public var limit = 60

  public init() {}

  public struct Outcome: Sendable {
    public let step: Double
    public let value: Double
    public let evaluations: Int
  }

  /// Nil when no step of the sequence decreases f enough. `slope` is gᵀ·d, negative.
  public func search(from value: Double, slope: Double, _ f: (Double) throws -> Double) rethrows -> Outcome? {
    var t = initial
    for evaluations in 1...limit {
      let candidate = try f(t)
      if candidate <= value + decrease * t * slope {
        return Outcome(step: t, value: candidate, evaluations: evaluations)
      }
      t *= shrink
    }
    return nil
  }
}
