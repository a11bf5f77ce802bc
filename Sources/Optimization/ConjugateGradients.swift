/// Conjugate gradients on H·d = −g by Hessian-vector products, which stop where H is not positive definite.
struct ConjugateGradients {
  let gradient: [Double]
  let f: any Oracle

  init(_ at: Evaluation, _ f: any Oracle) {
    gradient = at.gradient
    self.f = f
  }

  struct Outcome {
    var d: [Double]
    /// −(g·d + ½dᵀHd).
    var predicted: Double
    var products: Int
    var note: String { "\(products) product\(products == 1 ? "" : "s")" }
    /// A direction p with pᵀHp ≤ 0, g·p < 0, and pᵀHp/‖p‖².
    var descending: (p: [Double], curvature: Double)?
  }

  /// ‖r‖ ≤ min(½, √‖g‖)·‖g‖ makes the convergence of the outer iteration superlinear (Nocedal and Wright, section 7.1).
  private var tolerance: Double {
    let size = norm(gradient)
    return min(0.5, size.squareRoot()) * size
  }

  private var limit: Int { min(2 * gradient.count + 10, 2000) }

  /// The truncated Newton direction (algorithm 7.1, without the line search).
  func newton() throws -> Outcome { try run(radius: .infinity) }

  /// The step within a radius (Steihaug, algorithm 7.2).
  func steihaug(radius: Double) throws -> Outcome { try run(radius: radius) }

  private func run(radius: Double) throws -> Outcome {
    var (z, hz) = (
      [Double](repeating: 0, count: gradient.count), [Double](repeating: 0, count: gradient.count)
    )
    var (r, p) = (gradient, scaled(-1, gradient))
    var products = 0
    func outcome(_ t: Double, _ hp: [Double], _ descending: (p: [Double], curvature: Double)? = nil)
      -> Outcome
    {
      let (d, hd) = (sum(z, t, p), sum(hz, t, hp))
      return Outcome(
        d: d, predicted: -(dot(gradient, d) + 0.5 * dot(d, hd)), products: products, descending: descending)
    }
    while products < limit {
      let hp = try f.product(p)
      products += 1
      let (curvature, square) = (dot(p, hp), dot(p, p))
      guard curvature.isFinite else {
        throw Refusal(
          "a Hessian-vector product is not finite", hint: "go back with undo, and take a shorter step")
      }
      if curvature <= 1e-16 * square * norm(hp) / max(square.squareRoot(), 1e-300) {
        let found = (p, curvature / square)
        return radius.isFinite ? outcome(toBound(z, p, radius), hp, found) : outcome(0, hp, found)
      }
      let alpha = dot(r, r) / curvature
      if norm(sum(z, alpha, p)) >= radius { return outcome(toBound(z, p, radius), hp) }
      (z, hz) = (sum(z, alpha, p), sum(hz, alpha, hp))
      let next = sum(r, alpha, hp)
      if norm(next) <= tolerance {
        return outcome(0, hp)
      }
      p = sum(scaled(-1, next), dot(next, next) / dot(r, r), p)
      r = next
    }
    return outcome(0, p)
  }

  /// The positive t with ‖z + t·p‖ = radius.
  private func toBound(_ z: [Double], _ p: [Double], _ radius: Double) -> Double {
    let (a, b, c) = (dot(p, p), dot(z, p), dot(z, z) - radius * radius)
    let root = max(b * b - a * c, 0).squareRoot()
    // The form without cancellation.
    return b > 0 ? -c / (b + root) : (root - b) / a
  }
}

/// Newton's direction by truncated conjugate gradients on products, and Armijo's backtracking. Along a direction of negative
/// curvature the step grows as long as f falls.
public struct NewtonCG: Method {
  public static let name = "newton-cg"

  public init() {}

  public var order: DerivativeOrder { .gradient }

  public mutating func step(_ at: Evaluation, _ f: any Oracle) throws -> Move {
    if at.gradientNorm == 0 { return Move(x: at.x, notes: ["the gradient is zero"]) }
    let found = try ConjugateGradients(at, f).newton()
    guard let (p, curvature) = found.descending else {
      return try Backtracking().move(
        at, found.d, dot(at.gradient, found.d), "the direction", notes: [found.note], f)
    }
    return try descend(at, p, [found.note, "negative curvature \(curvature.short)"], f)
  }

  private func descend(_ at: Evaluation, _ p: [Double], _ notes: [String], _ f: any Oracle) throws -> Move {
    let d = scaled(at.gradientNorm / norm(p), p)
    var move = try Backtracking().move(at, d, dot(at.gradient, d), "the direction", notes: notes, f)
    var (value, step) = (try f.value(at: move.x), difference(move.x, at.x))
    for _ in 0..<40 {
      step = scaled(2, step)
      let x = sum(at.x, 1, step)
      let next = try f.value(at: x)
      guard next < value, next.isFinite else { break }
      (move.x, value) = (x, next)
    }
    return move
  }
}
