import LinearAlgebra
import Tensors

/// x − lr·H⁻¹∇f: the plain method. An indefinite Hessian is used as it is, and said so; a singular one is refused.
public struct Newton: Method {
  public static let name = "newton"
  public let learningRate: Double

  public init(learningRate: Double = 1) { self.learningRate = learningRate }

  public var order: DerivativeOrder { .hessian }

  public mutating func step(_ at: Evaluation, value: ([Double]) throws -> Double) throws -> Move {
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

  public mutating func step(_ at: Evaluation, value: ([Double]) throws -> Double) throws -> Move {
    let newton = try NewtonDirection.at(at)
    if at.gradientNorm == 0 { return Move(x: at.x, notes: ["the gradient is zero"]) }
    guard newton.slope < 0 else {
      throw Refusal(
        "Newton's direction does not descend here: the Hessian is indefinite",
        hint: "take a step gd first, or step newton to go for the saddle")
    }
    let d = newton.direction.doubles
    func point(_ t: Double) -> [Double] { zip(at.x, d).map { $0 + t * $1 } }
    // At the end of a run rounding hides the decrease; the full step is then the best there is.
    if -newton.slope <= 1e-15 * at.value.magnitude { return Move(x: point(1)) }
    guard let found = try Backtracking().search(from: at.value, slope: newton.slope, { try value(point($0)) })
    else {
      throw Refusal(
        "no step along Newton's direction decreases the function",
        hint: "the point may be a minimum to machine precision")
    }
    return Move(x: point(found.step), notes: found.step == 1 ? [] : ["step length \(found.step.short)"])
  }
}

extension NewtonDirection {
  /// The direction at a point, or a refusal that says why there is none.
  static func at(_ point: Evaluation) throws -> NewtonDirection {
    guard let hessian = point.hessian else {
      throw Refusal("there is no Hessian", hint: "this is a mistake in hlab")
    }
    do {
      return try NewtonDirection(gradient: Tensor(vector: point.gradient), hessian: hessian)
    } catch LinearAlgebraError.singular {
      throw Refusal(
        "the Hessian is singular, so there is no Newton step",
        hint: "add a small quadratic term to the objective, or take a step gd")
    } catch LinearAlgebraError.unavailable(let library) {
      throw Refusal(
        "a sparse Hessian of this form is factored with \(library), which is not installed",
        hint: "install it (Debian: libsuitesparse-dev), or take a step gd")
    } catch LinearAlgebraError.notFinite(let row, let column) {
      throw Refusal(
        "entry (\(row), \(column)) of the Hessian is not finite",
        hint: "go back with undo, and take a shorter step")
    }
  }
}
