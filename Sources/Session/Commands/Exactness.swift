import Tensors

/// What figures from direct methods say of themselves: exact, and how far rounding may have moved them. Bounds are those
/// of rounding error analysis (Higham, *Accuracy and Stability of Numerical Algorithms*, 2002), for f64, and for f32 where a figure is made of numbers that were computed so.
enum Exactness {
  private static let epsilon = Double.ulpOfOne

  static func text(_ bound: Double) -> String { "exact: within rounding, \(LookText.rough(bound))" }

  /// Eigenvalues and singular values are those of a matrix this near: n·ε·‖A‖, in the Frobenius norm.
  static func eigenvalues(_ matrix: Tensor) -> Double {
    Double(matrix.shape.max() ?? 0) * epsilon * matrix.frobeniusNorm
  }

  /// A sum of some terms of a precision, one after the other.
  static func sum(_ terms: [Double], _ precision: Precision) -> Double {
    Double(terms.count) * roundoff(precision) * terms.reduce(0) { $0 + $1.magnitude }
  }

  /// The root of a sum of squares of numbers of a precision.
  static func norm(_ value: Double, terms: Double, _ precision: Precision) -> Double {
    (terms / 2 + 1) * roundoff(precision) * value
  }

  private static func roundoff(_ precision: Precision) -> Double {
    precision == .f64 ? epsilon : Double(Float.ulpOfOne)
  }

  /// max|λ| / min|λ|, to first order.
  static func condition(_ value: Double, order: Int) -> Double { Double(order) * epsilon * value * value }

  /// What there is to say about the condition of a matrix that was computed in some precision.
  static func conditionText(_ value: Double, order: Int, _ precision: Precision) -> String {
    let isSingular = value * Curvature.tolerance(order, precision, largest: 1) >= 1
    return isSingular ? "singular to working precision" : text(condition(value, order: order))
  }

  /// log det by Cholesky's factors: n times the relative error n·ε·κ of an inverse.
  static func logDeterminant(order n: Int, condition: Double) -> Double {
    Double(n) * Double(n) * epsilon * condition
  }
}
