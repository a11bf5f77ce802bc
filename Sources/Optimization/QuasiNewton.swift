/// BFGS with the inverse Hessian's approximation stored whole (Nocedal and Wright, algorithm 6.1), and the strong Wolfe
/// line search.
public struct BFGS: Method {
  public static let name = "bfgs"
  /// Params beyond which the matrix is refused.
  private static let largest = 20_000
  /// P×P, row-major; empty before the first update.
  private var inverse: [Double] = []
  private var last: (x: [Double], gradient: [Double])?

  public init() {}

  public var order: DerivativeOrder { .gradient }

  public var memory: MethodMemory {
    get {
      var memory = MethodMemory()
      memory[vector: "inverse"] = inverse
      memory.last = last
      return memory
    }
    set { (inverse, last) = (newValue[vector: "inverse"], newValue.last) }
  }

  public mutating func step(_ at: Evaluation, _ f: any Oracle) throws -> Move {
    let n = at.x.count
    guard n <= Self.largest else {
      throw Refusal("bfgs stores \(n)×\(n) entries", hint: "lbfgs needs a few vectors only")
    }
    if let last, last.x.count == n {
      update(difference(at.x, last.x), difference(at.gradient, last.gradient))
    }
    last = (at.x, at.gradient)
    var d = inverse.count == n * n ? scaled(-1, multiplied(at.gradient)) : scaled(-1, at.gradient)
    if dot(d, at.gradient) >= 0 {
      inverse = []
      d = scaled(-1, at.gradient)
    }
    return try QuasiNewton.move(at, d, isFirst: inverse.isEmpty, f)
  }

  private func multiplied(_ v: [Double]) -> [Double] {
    let n = v.count
    return (0..<n).map { i in
      var sum = 0.0
      for j in 0..<n { sum += inverse[i * n + j] * v[j] }
      return sum
    }
  }

  /// H ← (I − ρsyᵀ)·H·(I − ρysᵀ) + ρssᵀ with ρ = 1/yᵀs (equation 6.17); left out where yᵀs is not positive.
  private mutating func update(_ s: [Double], _ y: [Double]) {
    let n = s.count
    let curvature = dot(s, y)
    guard curvature > 1e-14 * norm(s) * norm(y) else { return }
    if inverse.count != n * n {
      // The first scale (equation 6.20).
      inverse = [Double](repeating: 0, count: n * n)
      for i in 0..<n { inverse[i * n + i] = curvature / dot(y, y) }
    }
    let hy = multiplied(y)
    let factor = (1 + dot(y, hy) / curvature) / curvature
    for i in 0..<n {
      for j in 0..<n {
        inverse[i * n + j] += factor * s[i] * s[j] - (hy[i] * s[j] + s[i] * hy[j]) / curvature
      }
    }
  }
}

/// Limited-memory BFGS: the two-loop recursion over the last steps (Nocedal and Wright, algorithms 7.4 and 7.5).
public struct LBFGS: Method {
  public static let name = "lbfgs"
  /// Steps remembered.
  public let window: Int
  private var pairs: [(s: [Double], y: [Double], curvature: Double)] = []
  private var last: (x: [Double], gradient: [Double])?

  public init(window: Int) { self.window = window }

  public var order: DerivativeOrder { .gradient }

  public var memory: MethodMemory {
    get {
      var memory = MethodMemory()
      memory[vector: "steps"] = pairs.flatMap(\.s)
      memory[vector: "changes"] = pairs.flatMap(\.y)
      memory[vector: "curvatures"] = pairs.map(\.curvature)
      memory.last = last
      return memory
    }
    set {
      last = newValue.last
      let (steps, changes) = (newValue[vector: "steps"], newValue[vector: "changes"])
      let (curvatures, n) = (newValue[vector: "curvatures"], last?.x.count ?? 0)
      guard steps.count == n * curvatures.count, changes.count == steps.count else {
        pairs = []
        return
      }
      pairs = curvatures.indices.map { k in
        let place = k * n..<(k + 1) * n
        return (Array(steps[place]), Array(changes[place]), curvatures[k])
      }
    }
  }

  public mutating func step(_ at: Evaluation, _ f: any Oracle) throws -> Move {
    if let last, last.x.count == at.x.count {
      let (s, y) = (difference(at.x, last.x), difference(at.gradient, last.gradient))
      let curvature = dot(s, y)
      if curvature > 1e-14 * norm(s) * norm(y) {
        pairs.append((s, y, curvature))
        if pairs.count > window { pairs.removeFirst() }
      }
    } else {
      pairs = []
    }
    last = (at.x, at.gradient)
    var d = direction(at.gradient)
    if dot(d, at.gradient) >= 0 {
      pairs = []
      d = scaled(-1, at.gradient)
    }
    return try QuasiNewton.move(at, d, isFirst: pairs.isEmpty, f)
  }

  private func direction(_ gradient: [Double]) -> [Double] {
    var q = gradient
    var weights: [Double] = []
    for pair in pairs.reversed() {
      let weight = dot(pair.s, q) / pair.curvature
      weights.append(weight)
      q = sum(q, -weight, pair.y)
    }
    if let newest = pairs.last { q = scaled(newest.curvature / dot(newest.y, newest.y), q) }
    for (pair, weight) in zip(pairs, weights.reversed()) {
      q = sum(q, weight - dot(pair.y, q) / pair.curvature, pair.s)
    }
    return scaled(-1, q)
  }
}

extension MethodMemory {
  /// The point before, and the gradient there.
  fileprivate var last: (x: [Double], gradient: [Double])? {
    get {
      guard let x = self["last"], let gradient = self["last gradient"], x.count == gradient.count else {
        return nil
      }
      return (x, gradient)
    }
    set { (self["last"], self["last gradient"]) = (newValue?.x, newValue?.gradient) }
  }
}

enum QuasiNewton {
  /// The move along d by the strong Wolfe conditions. The first step has no scale yet: its length is at most 1.
  static func move(_ at: Evaluation, _ d: [Double], isFirst: Bool, _ f: any Oracle) throws -> Move {
    let length = norm(d)
    if length == 0 { return Move(x: at.x, notes: ["the gradient is zero"]) }
    let initial = isFirst ? min(1, 1 / length) : 1
    let predicted = -0.5 * dot(at.gradient, d)
    if let found = try StrongWolfe().search(at, d, initial: initial, f) {
      let notes = found.step == 1 ? [] : ["step length \(found.step.short)"]
      return Move(x: sum(at.x, found.step, d), notes: notes, predicted: predicted)
    }
    // At the end of a run rounding hides the decrease.
    if predicted <= 1e-13 * at.value.magnitude { return Move(x: sum(at.x, 1, d), predicted: predicted) }
    throw Refusal(
      "no step along the quasi-Newton direction decreases the function",
      hint: "the point may be a minimum to machine precision")
  }
}
