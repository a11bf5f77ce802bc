import LinearAlgebra
import Tensors

/// How far derivatives are needed.
public enum DerivativeOrder: Int, Comparable, Sendable {
  case value, gradient
  /// The generalised Gauss–Newton matrix in the Hessian's place.
  case ggn
  /// Its Kronecker-factored approximation, block by block.
  case kfac
  case hessian
  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// A symmetric matrix as it is stored.
public enum HessianMatrix: Sendable {
  case dense(Tensor)
  case sparse(SparseMatrix)
  /// Block-diagonal.
  case blocks([CurvatureBlock])

  /// Whether there is no curvature at all; of blocks not told.
  var isZero: Bool {
    switch self {
    case .dense(let matrix): return matrix.largestMagnitude == 0
    case .sparse(let matrix): return matrix.values.largestMagnitude == 0
    case .blocks: return false
    }
  }
}

/// A scalar function at a point of P params, flat.
public struct Evaluation: Sendable {
  public var x: [Double]
  public var value: Double
  public var gradient: [Double]
  /// P×P: the Hessian, or the Gauss–Newton matrix where `order` says so; nil when the method asked for neither.
  public var hessian: HessianMatrix?
  public var order: DerivativeOrder

  public init(
    x: [Double], value: Double, gradient: [Double], hessian: HessianMatrix?, order: DerivativeOrder = .hessian
  ) {
    self.order = order
    self.x = x
    self.value = value
    self.gradient = gradient
    self.hessian = hessian
  }

  public var gradientNorm: Double { norm(gradient) }

  /// ‖Δx‖.
  public func distance(to other: Evaluation) -> Double { norm(difference(other.x, x)) }
}

/// What a method may ask about the function besides its evaluation at the present point.
public protocol Oracle {
  /// f at another point; ∞ where it is not defined.
  func value(at x: [Double]) throws -> Double
  /// f and ∇f at another point.
  func slope(at x: [Double]) throws -> (value: Double, gradient: [Double])
  /// H·v at the present point.
  func product(_ v: [Double]) throws -> [Double]
  /// G·v with the Gauss–Newton matrix at the present point.
  func gaussNewtonProduct(_ v: [Double]) throws -> [Double]
}

extension Oracle {
  public func gaussNewtonProduct(_ v: [Double]) throws -> [Double] {
    throw Refusal("this function has no Gauss–Newton matrix", hint: "take lbfgs, or trust cg=true")
  }
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
  /// By how much the method's model of f expects it to fall; nil for a method without one.
  public var predicted: Double?
  /// τ, where the step solves (H + τI)·d = −g.
  public var shift: Double?
  /// lr, where the step is −lr·∇f.
  public var rate: Double?
  public init(
    x: [Double], notes: [String] = [], predicted: Double? = nil, shift: Double? = nil, rate: Double? = nil
  ) {
    self.x = x
    self.notes = notes
    self.predicted = predicted
    self.shift = shift
    self.rate = rate
  }
}

/// Why a method does not step; the point stays.
public struct Refusal: Error, Sendable {
  public let reason: String
  public let hint: String
  /// The option whose value was refused.
  public let option: String?
  public init(_ reason: String, hint: String, option: String? = nil) {
    self.reason = reason
    self.hint = hint
    self.option = option
  }
}

/// An optimisation method: a rule that moves from one point to the next, with whatever it remembers in between.
public protocol Method: Sendable {
  static var name: String { get }
  /// Derivatives needed at the point.
  var order: DerivativeOrder { get }
  /// The step adds to the params what a rule says, whatever f is elsewhere.
  var isPlainRule: Bool { get }
  /// What it remembers between steps, as named numbers; empty before the first step. A method that gets it back goes on
  /// as if it had never stopped, to the last bit. Numbers that do not fit make it begin anew.
  var memory: MethodMemory { get set }
  /// The next point. `f` evaluates the function elsewhere, for line searches and products. Throws `Refusal`.
  mutating func step(_ at: Evaluation, _ f: any Oracle) throws -> Move
}

extension Method {
  public var isPlainRule: Bool { false }
  /// What it remembers of these params, by their places among `count`, is forgotten: they have moved for other reasons.
  /// What cannot be told apart is forgotten as a whole.
  public mutating func forget(_ places: [Int], of count: Int) {
    memory.forget(places, of: count, isPlainRule: isPlainRule)
  }

  /// Nothing is remembered.
  public var memory: MethodMemory {
    get { [:] }
    set { _ = newValue }
  }
}

/// The memory of a method, by names of its own.
public typealias MethodMemory = [String: [Double]]

extension MethodMemory {
  /// Of a plain rule the entries of these params among `count` become 0; others forget everything.
  public mutating func forget(_ places: [Int], of count: Int, isPlainRule: Bool) {
    guard isPlainRule else {
      self = [:]
      return
    }
    self = mapValues { values in
      guard values.count == count else { return values }
      var kept = values
      for place in places { kept[place] = 0 }
      return kept
    }
  }

  /// A single number.
  subscript(number name: String) -> Double? {
    get { self[name]?.first }
    set { self[name] = newValue.map { [$0] } }
  }

  /// A vector, which is empty where there is none.
  subscript(vector name: String) -> [Double] {
    get { self[name] ?? [] }
    set { self[name] = newValue.isEmpty ? nil : newValue }
  }
}
