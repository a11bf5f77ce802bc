/// The exact trust-region method: each step minimises the quadratic model within a radius that follows how well the model
/// predicts (Nocedal and Wright, algorithm 4.1). Small problems are solved exactly, the hard case included, in the
/// eigenbasis; large ones, on request, by Steihaug's conjugate gradients (algorithm 7.2).
public struct TrustRegion: Method {
  public static let name = "trust"
  public let initialRadius: Double
  public let largestRadius: Double
  /// Steps are by conjugate gradients and products; the Hessian is not formed.
  public let isIterative: Bool
  /// The region is an ellipsoid, ‖√D·d‖ ≤ radius with D the largest |diagonal| of H so far (Moré, *Recent developments in
  /// algorithms and software for trust region methods*, 1983): steps do not depend on the units of the params.
  public let isScaled: Bool
  private var radius: Double?
  /// D, when the region is scaled.
  private var scale: [Double] = []

  public init(initialRadius: Double, largestRadius: Double, isIterative: Bool, isScaled: Bool = false) {
    self.initialRadius = initialRadius
    self.largestRadius = largestRadius
    self.isIterative = isIterative
    self.isScaled = isScaled
  }

  public var order: DerivativeOrder { isIterative ? .gradient : .hessian }

  public var memory: MethodMemory {
    get {
      var memory = MethodMemory()
      memory[number: "radius"] = radius
      memory[vector: "scale"] = scale
      return memory
    }
    set { (radius, scale) = (newValue[number: "radius"], newValue[vector: "scale"]) }
  }

  /// A step within the radius, the decrease that the model predicts for it, and what there is to say.
  private typealias Trial = (d: [Double], predicted: Double, shift: Double?, notes: [String])

  /// Radii tried before the method gives up.
  private static let limit = 60

  public mutating func step(_ at: Evaluation, _ f: any Oracle) throws -> Move {
    guard isScaled else { return try stepWithin(at, f) }
    let scaling = try DiagonalScaling(at, past: scale)
    scale = scaling.squares
    var move = try stepWithin(scaling.scaled(at), ScaledOracle(scaling: scaling, f: f))
    move.x = scaling.original(move.x)
    // τ would speak of H + τD.
    move.shift = nil
    return move
  }

  private mutating func stepWithin(_ at: Evaluation, _ f: any Oracle) throws -> Move {
    let model = isIterative ? nil : try SpectralModel(at)
    if at.gradientNorm == 0, model.map({ $0.least >= 0 }) ?? true {
      return Move(x: at.x, notes: ["the gradient is zero"])
    }
    var radius = min(self.radius ?? initialRadius, largestRadius)
    for _ in 0..<Self.limit {
      let trial = try model.map { exact($0, radius) } ?? iterative(at, radius, f)
      let (x, length) = (sum(at.x, 1, trial.d), norm(trial.d))
      let decrease = try Decrease(at, trial.d, to: x, predicted: trial.predicted, f)
      let reached = radius
      if decrease.ratio < 0.25 && !decrease.isAtRounding {
        radius = 0.25 * length
      } else if decrease.ratio > 0.75 && length >= 0.99 * radius {
        radius = min(2 * radius, largestRadius)
      }
      if decrease.isEnough() {
        self.radius = radius
        return Move(
          x: x, notes: ["radius \(reached.short)"] + trial.notes, predicted: trial.predicted,
          shift: trial.shift)
      }
    }
    self.radius = nil
    throw Refusal(
      "no step within a trust region decreases the function",
      hint: "the point may be a minimum to machine precision")
  }

  private func exact(_ model: SpectralModel, _ radius: Double) -> Trial {
    let step = model.step { _ in radius }
    var notes: [String] = []
    if step.isHardCase {
      notes = ["hard case: the gradient has no part along the lowest curvature"]
    } else if step.shift > 0 {
      notes = ["shift \(step.shift.short)"]
    }
    return (model.direction(step.coordinates), -model.value(step.coordinates), step.shift, notes)
  }

  private func iterative(_ at: Evaluation, _ radius: Double, _ f: any Oracle) throws -> Trial {
    let found = try ConjugateGradients(at, f).steihaug(radius: radius)
    return (found.d, found.predicted, nil, [found.note])
  }
}

/// Adaptive regularisation with cubics: each step minimises g·d + ½dᵀHd + σ/3·‖d‖³ exactly, and σ follows how well that
/// predicts (Cartis, Gould and Toint, *Adaptive cubic regularisation methods*, 2011, algorithm 2.1).
public struct CubicRegularisation: Method {
  public static let name = "cubic"
  public let initialWeight: Double
  private var weight: Double?

  public init(initialWeight: Double) { self.initialWeight = initialWeight }

  public var order: DerivativeOrder { .hessian }

  public var memory: MethodMemory {
    get { weight.map { ["weight": [$0]] } ?? [:] }
    set { weight = newValue[number: "weight"] }
  }

  private static let limit = 60

  public mutating func step(_ at: Evaluation, _ f: any Oracle) throws -> Move {
    let model = try SpectralModel(at)
    if at.gradientNorm == 0 && model.least >= 0 { return Move(x: at.x, notes: ["the gradient is zero"]) }
    var sigma = weight ?? initialWeight
    for _ in 0..<Self.limit {
      let step = model.step { $0 / sigma }
      let length = norm(step.coordinates)
      let predicted = -model.value(step.coordinates) - sigma / 3 * length * length * length
      let d = model.direction(step.coordinates)
      let x = sum(at.x, 1, d)
      let decrease = try Decrease(at, d, to: x, predicted: predicted, f)
      if decrease.isEnough(0.1) {
        weight = decrease.isEnough(0.9) ? max(sigma / 2, 1e-16) : sigma
        let notes = ["σ = \(sigma.short)"] + (step.isHardCase ? ["hard case"] : [])
        return Move(x: x, notes: notes, predicted: predicted, shift: step.shift)
      }
      sigma *= 2
    }
    weight = nil
    throw Refusal(
      "no cubic step decreases the function", hint: "the point may be a minimum to machine precision")
  }
}
