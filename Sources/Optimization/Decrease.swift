/// How far a step lowers f, where the rounding of f may hide it.
///
/// Near a minimum two values of f agree in almost all of their digits, and their difference is noise long before the
/// params have reached their last digit. The gradients at both ends still tell: by the trapezoidal rule f falls by
/// −½(g₀ + g₁)ᵀd. Hager and Zhang's approximate Wolfe conditions rest on the same (*A new conjugate gradient method with
/// guaranteed descent and an efficient line search*, 2005).
enum Decrease {
  /// Predicted decreases below this part of |f| are judged by gradients,
  private static let resolution = 1e-8
  /// unless the values of f differ by more than this part of it.
  private static let tolerance = 1e-6

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

  /// Neither values nor gradients are of use: the step is as good as any.
  static func isLost(_ at: Evaluation, predicted: Double, value: Double) -> Bool {
    predicted <= 1e-15 * at.value.magnitude && value <= at.value + 1e-14 * at.value.magnitude
  }
}
