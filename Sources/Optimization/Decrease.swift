/// How far a step lowers f, where the rounding of f may hide it.
///
/// Near a minimum two values of f agree in almost all of their digits, and their difference is noise long before the
/// params have reached their last digit. The gradients at both ends still tell: by the trapezoidal rule f falls by
/// −½(g₀ + g₁)ᵀd. Hager and Zhang's approximate Wolfe conditions rest on the same (*A new conjugate gradient method with
/// guaranteed descent and an efficient line search*, 2005).
struct Decrease {
  /// The actual against the predicted decrease.
  let ratio: Double
  /// Neither values nor gradients are of use: the step is as good as any.
  let isAtRounding: Bool

  /// Predicted decreases below this part of |f| are judged by gradients,
  private static let resolution = 1e-8
  /// unless the values of f differ by more than this part of it.
  private static let tolerance = 1e-6

  /// Of the step d to x = at.x + d, where the method expects `predicted`.
  init(_ at: Evaluation, _ d: [Double], to x: [Double], predicted: Double, _ f: any Oracle) throws {
    let (value, size) = (try f.value(at: x), at.value.magnitude)
    ratio = try Self.actual(at, d, x, value: value, predicted: predicted, f) / predicted
    isAtRounding = predicted <= 1e-15 * size && value <= at.value + 1e-14 * size
  }

  /// The step is taken when f falls by more than this part of what was predicted.
  func isEnough(_ part: Double = 1e-4) -> Bool { ratio > part || isAtRounding }

  /// The decrease along d to x = at.x + d, with `value` = f(x), where the method expects `predicted`.
  static func actual(
    _ at: Evaluation, _ d: [Double], _ x: [Double], value: Double, predicted: Double, _ f: any Oracle
  ) throws -> Double {
    let plain = at.value - value
    let size = at.value.magnitude
    guard predicted <= resolution * size, plain.magnitude <= tolerance * size else { return plain }
    let (_, gradient) = try f.slope(at: x)
    let found = -0.5 * (dot(at.gradient, d) + dot(gradient, d))
    return found.isFinite ? found : plain
  }
}

/// λ of (G + λD)·d = −g from one step to the next: it follows how well the model predicts (Nielsen, *Damping parameter in
/// Marquardt's method*, 1999).
struct Damping {
  private(set) var value: Double?
  /// By what it grows at the next refusal.
  private var growth = 2.0

  /// Where growing begins when it has become nothing.
  private static let least = 1e-16

  var memory: MethodMemory {
    get {
      var memory = MethodMemory()
      memory[number: "damping"] = value
      memory[number: "growth"] = growth
      return memory
    }
    set { (value, growth) = (newValue[number: "damping"], newValue[number: "growth"] ?? 2) }
  }

  /// The step with it was taken.
  mutating func accept(_ lambda: Double, _ decrease: Decrease) {
    let excess = 2 * decrease.ratio - 1
    let bound = decrease.isAtRounding ? 0 : 1 - excess * excess * excess
    (value, growth) = (lambda * max(1.0 / 3, bound), 2)
  }

  /// The step with it was not: what to try next. `scale` is the size of λ where it is next to nothing.
  mutating func grown(_ lambda: Double, scale: Double = 1) -> Double {
    defer { growth *= 2 }
    return max(lambda, Self.least * scale) * growth
  }

  /// It stays as it is.
  mutating func keep(_ lambda: Double) { value = lambda }

  /// No step was taken, whatever it was.
  mutating func giveUp() { growth = 2 }
}
