import Tensors

/// Why a linear algebra routine gives no result. Orders and pivots count from 1, rows and columns from 0.
public enum LinearAlgebraError: Error, Equatable, Sendable {
  /// A factor's diagonal entry is exactly zero.
  case singular(pivot: Int)
  /// The leading minor of this order is not positive.
  case notPositiveDefinite(order: Int)
  /// A square matrix is needed.
  case notSquare(Shape)
  /// An entry is infinite or NaN.
  case notFinite(row: Int, column: Int)
  /// An iteration of LAPACK did not converge.
  case didNotConverge
  /// A matrix and a right-hand side do not belong together, or an operand is no matrix.
  case shapeMismatch(Shape, Shape)
  /// The problem does not fit LAPACK's 32-bit integers, or memory.
  case tooLarge(Shape)
  /// A library that is not installed.
  case unavailable(String)
}

extension LinearAlgebraError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .singular(let pivot):
      return "the matrix is singular: pivot \(pivot) is zero"
    case .notPositiveDefinite(let order):
      return "the matrix is not positive definite: the leading minor of order \(order) is not positive"
    case .notSquare(let shape):
      return "a square matrix is needed, not \(shape.shapeDescription)"
    case .notFinite(let row, let column):
      return "the entry in row \(row), column \(column) is infinite or not a number"
    case .didNotConverge:
      return "the iteration did not converge"
    case .shapeMismatch(let left, let right):
      return "shapes \(left.shapeDescription) and \(right.shapeDescription) do not match"
    case .unavailable(let library):
      return "this matrix needs \(library), which is not installed (Debian: libsuitesparse-dev)"
    case .tooLarge(let shape):
      return "a problem of \(shape.shapeDescription) is too large for LAPACK or for memory"
    }
  }
}
