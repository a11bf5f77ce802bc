import LinearAlgebra
import Tensors

/// x − lr·H⁻¹∇f: the plain method. An indefinite Hessian is used as it is, and said so; a singular one is refused.
public struct Newton: Method {
  public static let name = "newton"
  public let learningRate: Double

  public init(learningRate: Double = 1) { self.learningRate = learningRate }

  public var order: DerivativeOrder { .hessian }

  public mutating func step(_ at: Evaluation, _ f: any Oracle) throws -> Move {
    let newton = try NewtonDirection.at(at)
    let x = zip(at.x, newton.direction.doubles).map { $0 + learningRate * $1 }
    if newton.isPositiveDefinite { return Move(x: x) }
    let signs = newton.inertia.map { " (\($0.positive) positive, \($0.negative) negative)" } ?? ""
    return Move(x: x, notes: ["the Hessian is indefinite\(signs): the step may go uphill"])
  }
}

/// Newton's direction with Armijo's backtracking. Refuses where the direction does not descend.
public struct DampedNewton: Method {
  public static let name = "damped-newton"

  public init() {}

  public var order: DerivativeOrder { .hessian }

  public mutating func step(_ at: Evaluation, _ f: any Oracle) throws -> Move {
    let newton = try NewtonDirection.at(at)
    guard newton.slope < 0 || at.gradientNorm == 0 else {
      throw Refusal(
        "Newton's direction does not descend here: the Hessian is indefinite",
        hint: "take a step modified-newton or trust, or step newton to go for the saddle")
    }
    return try Backtracking().move(at, newton.direction.doubles, newton.slope, "Newton's direction", f)
  }
}

extension NewtonDirection {
  /// The direction at a point, or a refusal that says why there is none.
  static func at(
    _ point: Evaluation, matrix: String = "Hessian",
    hint: String = "take a step modified-newton or trust, or add a small quadratic term to the objective"
  ) throws -> NewtonDirection {
    guard let hessian = point.hessian else {
      throw Refusal("there is no \(matrix)", hint: "this is a mistake in hlab")
    }
    do {
      return try NewtonDirection(gradient: Tensor(vector: point.gradient), hessian: hessian)
    } catch LinearAlgebraError.singular {
      // Without any curvature the others have no scale either.
      throw Refusal(
        "the \(matrix) is singular, so there is no Newton step",
        hint: hessian.isZero ? "it is zero here: take a step gd or trust" : hint)
    } catch LinearAlgebraError.unavailable(let library) {
      throw Refusal(
        "a sparse \(matrix) of this form is factored with \(library), which is not installed",
        hint: "install it (Debian: libsuitesparse-dev), or take a step gd")
    } catch LinearAlgebraError.notFinite(let row, let column) {
      throw Refusal(
        "entry (\(row), \(column)) of the \(matrix) is not finite",
        hint: "go back with undo, and take a shorter step")
    }
  }
}
