/// Armijo's backtracking: the first t = initial·shrinkⁿ with f(x + t·d) ≤ f(x) + c·t·slope (Nocedal and Wright,
/// *Numerical Optimization*, algorithm 3.1).
public struct Backtracking: Sendable {
  public var initial = 1.0
  public var shrink = 0.5
  public var decrease = 1e-4
  public var limit = 60

  public init() {}

  public struct Outcome: Sendable {
    public let step: Double
    public let value: Double
    public let evaluations: Int
  }

  /// Nil when no step of the sequence decreases f enough. `slope` is gᵀ·d, negative.
  public func search(from value: Double, slope: Double, _ f: (Double) throws -> Double) rethrows -> Outcome? {
    var t = initial
    for evaluations in 1...limit {
      let candidate = try f(t)
      if candidate <= value + decrease * t * slope {
        return Outcome(step: t, value: candidate, evaluations: evaluations)
      }
      t *= shrink
    }
    return nil
  }
}

extension Backtracking {
  /// The move along a direction of descent d with slope gᵀd. Throws `Refusal` when nothing decreases f.
  func move(
    _ at: Evaluation, _ d: [Double], _ slope: Double, _ name: String, notes: [String] = [], _ f: any Oracle
  ) throws -> Move {
    if at.gradientNorm == 0 { return Move(x: at.x, notes: ["the gradient is zero"]) }
    // At the end of a run rounding hides the decrease; the full step is then the best there is.
    if -slope <= 1e-15 * at.value.magnitude {
      return Move(x: sum(at.x, 1, d), notes: notes, predicted: -0.5 * slope)
    }
    let found = try search(from: at.value, slope: slope) { t in
      let (x, step) = (sum(at.x, t, d), scaled(t, d))
      let value = try f.value(at: x)
      return try at.value - Decrease.actual(at, step, x, value: value, predicted: -t * slope, f)
    }
    guard let found else {
      throw Refusal(
        "no step along \(name) decreases the function",
        hint: "the point may be a minimum to machine precision")
    }
    let length = found.step == 1 ? [] : ["step length \(found.step.short)"]
    return Move(x: sum(at.x, found.step, d), notes: notes + length, predicted: -0.5 * slope)
  }
}

/// The strong Wolfe conditions, f(t) ≤ f(0) + c₁·t·f′(0) and |f′(t)| ≤ c₂·|f′(0)|, by bracketing and cubic
/// interpolation (Nocedal and Wright, *Numerical Optimization*, algorithms 3.5 and 3.6).
public struct StrongWolfe: Sendable {
  public var decrease = 1e-4
  public var curvature = 0.9
  public var limit = 60

  /// c₂ of a search that goes on to the minimum along the line.
  public static let exact = 1e-9

  public init() {}

  /// A point on the line, with f and its derivative along it.
  private struct Point {
    let t: Double
    let value: Double
    let slope: Double
    let gradient: [Double]
  }

  public struct Outcome: Sendable {
    public let step: Double
    public let value: Double
    public let gradient: [Double]
  }

  /// Nil when the line goes up, or no step of enough decrease is found. A search that cannot meet the second condition
  /// to rounding gives the lowest point that meets the first.
  public func search(_ at: Evaluation, _ d: [Double], initial: Double, _ f: any Oracle) throws -> Outcome? {
    let start = Point(t: 0, value: at.value, slope: dot(at.gradient, d), gradient: at.gradient)
    guard start.slope < 0 else { return nil }
    func point(_ t: Double) throws -> Point {
      let (value, gradient) = try f.slope(at: sum(at.x, t, d))
      let slope = dot(gradient, d)
      // Outside the domain counts as infinitely high, rising.
      guard value.isFinite, slope.isFinite else {
        return Point(t: t, value: .infinity, slope: .infinity, gradient: gradient)
      }
      return Point(t: t, value: value, slope: slope, gradient: gradient)
    }
    var previous = start
    var t = initial
    for _ in 0..<limit {
      let now = try point(t)
      if isTooHigh(now, start) || (previous.t > 0 && isAbove(now, previous)) {
        return outcome(try zoom(previous, now, start, point))
      }
      if isFlat(now, start) { return outcome(now) }
      if now.slope >= 0 { return outcome(try zoom(now, previous, start, point)) }
      previous = now
      t *= 2
    }
    return previous.t > 0 ? outcome(previous) : nil
  }

  private func isTooHigh(_ p: Point, _ start: Point) -> Bool {
    p.value > start.value + decrease * p.t * start.slope
  }

  /// Where rounding hides which of two points is lower, the flatter one is (after Hager and Zhang's approximate Wolfe
  /// conditions, 2005).
  private func isAbove(_ a: Point, _ b: Point) -> Bool {
    let rounding = 1e-14 * b.value.magnitude
    if (a.value - b.value).magnitude <= rounding { return a.slope.magnitude >= b.slope.magnitude }
    return a.value > b.value
  }

  private func isFlat(_ p: Point, _ start: Point) -> Bool { p.slope.magnitude <= -curvature * start.slope }

  private func outcome(_ p: Point?) -> Outcome? {
    p.map { Outcome(step: $0.t, value: $0.value, gradient: $0.gradient) }
  }

  /// Narrows a bracket whose `low` end has enough decrease.
  private func zoom(_ low: Point, _ high: Point, _ start: Point, _ point: (Double) throws -> Point) rethrows
    -> Point?
  {
    var (low, high) = (low, high)
    var width = Double.infinity
    for _ in 0..<limit {
      // One end may stay: then the middle is taken, as Moré and Thuente do (1994, section 4).
      let next = (high.t - low.t).magnitude
      let t = next > 0.66 * width ? low.t + (high.t - low.t) / 2 : interpolated(low, high)
      width = next
      if t == low.t || t == high.t { break }
      let now = try point(t)
      if isTooHigh(now, start) || isAbove(now, low) {
        high = now
        continue
      }
      if isFlat(now, start) { return now }
      if now.slope * (high.t - low.t) >= 0 { high = low }
      low = now
    }
    return low.t > 0 ? low : nil
  }

  /// The minimum of the cubic through both ends, kept away from them (Nocedal and Wright, equation 3.59).
  private func interpolated(_ a: Point, _ b: Point) -> Double {
    let middle = a.t + (b.t - a.t) / 2
    guard b.value.isFinite, b.slope.isFinite else { return middle }
    let d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t)
    let root = d1 * d1 - a.slope * b.slope
    guard root >= 0 else { return middle }
    let d2 = (b.t > a.t ? 1.0 : -1.0) * root.squareRoot()
    let t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    let margin = 0.05 * (b.t - a.t).magnitude
    let (least, most) = (min(a.t, b.t) + margin, max(a.t, b.t) - margin)
    return t.isFinite ? min(max(t, least), most) : middle
  }
}
