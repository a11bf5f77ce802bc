import LinearAlgebra
import Tensors

/// How far derivatives are needed.
public enum DerivativeOrder: Int, Comparable, Sendable {
  case value, gradient, hessian
  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// A symmetric matrix as it is stored.
public enum HessianMatrix: Sendable {
  case dense(Tensor)
  case sparse(SparseMatrix)
}

/// A scalar function at a point of P params, flat.
public struct Evaluation: Sendable {
  public var x: [Double]
  public var value: Double
  public var gradient: [Double]
  /// P×P; nil when the method did not ask for it.
  public var hessian: HessianMatrix?

  public init(x: [Double], value: Double, gradient: [Double], hessian: HessianMatrix?) {
    self.x = x
    self.value = value
    self.gradient = gradient
    self.hessian = hessian
  }

  public var gradientNorm: Double { norm(gradient) }
}

/// The Euclidean norm, without overflow for large entries.
public func norm(_ x: [Double]) -> Double {
  if x.contains(where: \.isNaN) { return .nan }
  let scale = x.reduce(0) { max($0, $1.magnitude) }
  guard scale > 0, scale.isFinite else { return scale }
  return scale * x.reduce(0) { $0 + ($1 / scale) * ($1 / scale) }.squareRoot()
}

/// Where a method goes, and what a person should know about it.
public struct Move: Sendable {
  public var x: [Double]
  /// Facts about the step: the step length of a line search, an indefinite Hessian.
  public var notes: [String]
  public init(x: [Double], notes: [String] = []) {
    self.x = x
    self.notes = notes
  }
}

/// Why a method does not step; the point stays.
public struct Refusal: Error, Sendable {
  public let reason: String
  public let hint: String
  public init(_ reason: String, hint: String) {
    self.reason = reason
    self.hint = hint
  }
}

/// An optimisation method: a rule that moves from one point to the next, with whatever it remembers in between.
public protocol Method: Sendable {
  static var name: String { get }
  /// Derivatives needed at the point.
  var order: DerivativeOrder { get }
  /// The next point. `value` evaluates the function elsewhere, for line searches. Throws `Refusal`.
  mutating func step(_ at: Evaluation, value: ([Double]) throws -> Double) throws -> Move
}

/// Options of a method, by name.
public struct MethodOptions: Sendable {
  public var numbers: [String: Double]
  public init(_ numbers: [String: Double] = [:]) { self.numbers = numbers }
  public subscript(_ name: String) -> Double? { numbers[name] }
}

/// What is known about a method without running it.
public struct MethodDescription: Sendable {
  public let name: String
  public let summary: String
  public let options: [(name: String, text: String)]
  public let make: @Sendable (MethodOptions) throws -> any Method
}

public enum Methods {
  /// The step size of `sgd` when none is given.
  public static let standardRate = 0.01

  public static let all: [MethodDescription] = [
    MethodDescription(
      name: GradientDescent.name,
      summary: "x − lr·∇f; without lr, a backtracking line search finds the step.",
      options: [("lr", "fixed step size")], make: { GradientDescent(learningRate: try positive($0, "lr")) }),
    MethodDescription(
      name: "sgd",
      summary: "x − lr·∇f with a fixed step size, for batches that are drawn or sliced between steps.",
      options: [("lr", "step size, \(standardRate) by default")],
      make: { GradientDescent(learningRate: try positive($0, "lr") ?? standardRate) }),
    MethodDescription(
      name: Newton.name, summary: "x − lr·H⁻¹∇f with the exact Hessian, never modified.",
      options: [("lr", "fraction of the full step, 1 by default")],
      make: { Newton(learningRate: try positive($0, "lr") ?? 1) }),
    MethodDescription(
      name: DampedNewton.name,
      summary: "Newton's direction, shortened by a backtracking line search until f decreases.",
      options: [], make: { _ in DampedNewton() }),
  ]

  public static let byName: [String: MethodDescription] = Dictionary(
    uniqueKeysWithValues: all.map { ($0.name, $0) })

  private static func positive(_ options: MethodOptions, _ name: String) throws -> Double? {
    guard let value = options[name] else { return nil }
    guard value.isFinite, value > 0 else {
      throw Refusal("'\(name)' must be positive", hint: "give a number above 0")
    }
    return value
  }
}
