import LinearAlgebra
import Tensors

/// Lower and upper bounds of the params, flat; infinite where there is none.
public struct Bounds: Sendable, Equatable {
  public let lower: [Double]
  public let upper: [Double]

  public init(lower: [Double], upper: [Double]) {
    self.lower = lower
    self.upper = upper
  }

  public func projected(_ x: [Double]) -> [Double] {
    x.indices.map { min(max(x[$0], lower[$0]), upper[$0]) }
  }

  /// ‖P(x − g) − x‖: zero exactly where x is stationary within the bounds.
  public func stationarity(_ x: [Double], _ gradient: [Double]) -> Double {
    norm(difference(projected(difference(x, gradient)), x))
  }

  /// Places that stand at a bound, or next to it, with the gradient holding them there.
  func held(_ x: [Double], _ gradient: [Double]) -> [Bool] {
    // Bertsekas' ε: without it steps to a bound that is very near may zigzag.
    let least = min(1e-8, stationarity(x, gradient))
    return x.indices.map { k in
      let reach = least * (1 + x[k].magnitude)
      return gradient[k] > 0 && x[k] - lower[k] <= reach || gradient[k] < 0 && upper[k] - x[k] <= reach
    }
  }

  /// Places that stand at a bound.
  public func atBound(_ x: [Double]) -> [Int] {
    x.indices.filter { x[$0] <= lower[$0] || x[$0] >= upper[$0] }
  }
}

/// Any method within bounds (Bertsekas, *Projected Newton methods for optimization problems with simple constraints*,
/// 1982): params that the gradient holds at a bound stand still, the method works on the others as if they were all there
/// is, and every point that it tries is projected. When other params are held than before, what the method remembers is
/// forgotten, because it speaks of other directions.
///
/// Methods that only add to the params what their rule says (gradient descent with a fixed step size, Adam and the like)
/// keep their memory; their steps are projected.
public struct BoundedMethod: Method {
  public static let name = "bounded"
  private let initial: any Method
  private var inner: any Method
  public let bounds: Bounds
  private var free: [Int] = []

  public init(_ method: any Method, _ bounds: Bounds) {
    initial = method
    inner = method
    self.bounds = bounds
  }

  public var order: DerivativeOrder { initial.order }

  public var memory: MethodMemory {
    get {
      var memory = inner.memory
      memory[vector: "free"] = free.map(Double.init)
      return memory
    }
    set {
      inner.memory = newValue
      free = newValue[vector: "free"].map { Int($0) }
    }
  }

  public mutating func step(_ at: Evaluation, _ f: any Oracle) throws -> Move {
    if initial.isPlainRule {
      var move = try inner.step(
        at, ProjectedOracle(base: at.x, free: Array(at.x.indices), bounds: bounds, f: f))
      move.x = bounds.projected(move.x)
      move.notes += notes(at.x, move.x)
      return move
    }
    let held = bounds.held(at.x, at.gradient)
    let now = at.x.indices.filter { !held[$0] }
    if now != free { inner = initial }
    free = now
    guard !free.isEmpty else { return Move(x: at.x, notes: notes(at.x, at.x)) }
    let oracle = ProjectedOracle(base: bounds.projected(at.x), free: free, bounds: bounds, f: f)
    var move = try inner.step(try at.restricted(to: free), oracle)
    move.x = oracle.whole(move.x)
    // Where a bound cuts the step short, the model speaks of another one.
    if bounds.atBound(move.x) != bounds.atBound(at.x) {
      (move.predicted, move.shift, move.rate) = (nil, nil, nil)
    }
    move.notes += notes(at.x, move.x)
    return move
  }

  private func notes(_ from: [Double], _ to: [Double]) -> [String] {
    let count = bounds.atBound(to).count
    return count == 0 ? [] : ["\(count) of \(to.count) numbers at a bound"]
  }
}

/// The function of the free params alone, every point projected.
private struct ProjectedOracle: Oracle {
  let base: [Double]
  let free: [Int]
  let bounds: Bounds
  let f: any Oracle

  func whole(_ part: [Double]) -> [Double] {
    var x = base
    for (k, place) in free.enumerated() { x[place] = part[k] }
    return bounds.projected(x)
  }

  func value(at x: [Double]) throws -> Double { try f.value(at: whole(x)) }

  func slope(at x: [Double]) throws -> (value: Double, gradient: [Double]) {
    let (value, gradient) = try f.slope(at: whole(x))
    return (value, free.map { gradient[$0] })
  }

  func product(_ v: [Double]) throws -> [Double] { restricted(try f.product(spread(v))) }

  func gaussNewtonProduct(_ v: [Double]) throws -> [Double] {
    restricted(try f.gaussNewtonProduct(spread(v)))
  }

  private func spread(_ v: [Double]) -> [Double] {
    var direction = [Double](repeating: 0, count: base.count)
    for (k, place) in free.enumerated() { direction[place] = v[k] }
    return direction
  }

  private func restricted(_ v: [Double]) -> [Double] { free.map { v[$0] } }
}

extension Evaluation {
  /// The same of some params alone; the whole where they are all.
  fileprivate func restricted(to free: [Int]) throws -> Evaluation {
    guard free.count < x.count else { return self }
    let n = x.count
    var part: HessianMatrix?
    if hessian != nil {
      let entries = try denseMatrix().doubles
      part = .dense(Tensor(free.flatMap { i in free.map { entries[i * n + $0] } }, [free.count, free.count]))
    }
    return Evaluation(
      x: free.map { x[$0] }, value: value, gradient: free.map { gradient[$0] }, hessian: part, order: order)
  }
}
