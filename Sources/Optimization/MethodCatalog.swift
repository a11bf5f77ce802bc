/// Options of a method, by name.
public struct MethodOptions: Sendable {
  public var numbers: [String: Double]
  public init(_ numbers: [String: Double] = [:]) { self.numbers = numbers }
  public subscript(_ name: String) -> Double? { numbers[name] }

  /// The same with another step size.
  public func with(rate: Double) -> MethodOptions { MethodOptions(numbers.merging(["lr": rate]) { $1 }) }

  /// A number above 0.
  func positive(_ name: String) throws -> Double? {
    try checked(name, "positive", "give a number above 0") { $0 > 0 }
  }

  /// A number from 0 on.
  func nonNegative(_ name: String) throws -> Double? {
    try checked(name, "not negative", "give a number from 0 on") { $0 >= 0 }
  }

  /// A number from 0 to below 1.
  func fraction(_ name: String) throws -> Double? {
    try checked(name, "from 0 to below 1", "0.9 is usual") { $0 >= 0 && $0 < 1 }
  }

  func whole(_ name: String) throws -> Int? {
    let value = try checked(name, "a whole number above 0", "10 is usual") {
      $0 >= 1 && $0 <= 1e6 && $0 == $0.rounded()
    }
    return value.map { Int($0) }
  }

  /// True or false, which are 1 and 0; nil where it is not given.
  func flag(_ name: String) throws -> Bool? {
    guard let value = numbers[name] else { return nil }
    guard value == 0 || value == 1 else {
      throw Refusal("'\(name)' is true or false, not \(value.short)", hint: "\(name)=true", option: name)
    }
    return value == 1
  }

  private func checked(_ name: String, _ what: String, _ hint: String, _ isGood: (Double) -> Bool) throws
    -> Double?
  {
    guard let value = numbers[name] else { return nil }
    guard value.isFinite else { throw Refusal("'\(name)' must be finite", hint: hint, option: name) }
    guard isGood(value) else { throw Refusal("'\(name)' must be \(what)", hint: hint, option: name) }
    return value
  }
}

/// What is known about a method without running it.
public struct MethodDescription: Sendable {
  public let name: String
  public let summary: String
  public let options: [(name: String, text: String)]
  /// A command that runs, for help; run by the tests.
  public let example: String
  public let make: @Sendable (MethodOptions) throws -> any Method

  /// Without an example of its own, a method is shown by a plain step.
  init(
    name: String, summary: String, options: [(name: String, text: String)], example: String? = nil,
    make: @escaping @Sendable (MethodOptions) throws -> any Method
  ) {
    (self.name, self.summary, self.options, self.make) = (name, summary, options, make)
    self.example = example ?? "step \(name)"
  }
}

public enum Methods {
  /// The step size of `sgd`, `momentum`, `nesterov`, `rmsprop` and `sam` when none is given.
  public static let standardRate = 0.01

  public static let all: [MethodDescription] = firstOrder + secondOrder + quasiNewton

  public static let byName: [String: MethodDescription] = Dictionary(
    uniqueKeysWithValues: all.map { ($0.name, $0) })

  private static let rate: (name: String, text: String) = ("lr", "step size")

  private static let firstOrder: [MethodDescription] = [
    MethodDescription(
      name: GradientDescent.name,
      summary: "x − lr·∇f; without lr, a backtracking line search finds the step.",
      options: [
        ("lr", "fixed step size"), ("wolfe", "true searches for the strong Wolfe conditions"),
        ("exact", "true goes to the minimum along −∇f"),
      ], example: "step gd lr=1e-3", make: gradientDescent),
    MethodDescription(
      name: "sgd",
      summary: "x − lr·∇f with a fixed step size, for batches that are drawn or sliced between steps.",
      options: [("lr", "step size, \(standardRate) by default")], example: "step sgd lr=1e-3",
      make: { FixedStep(try $0.positive("lr") ?? standardRate) }),
    MethodDescription(
      name: Momentum.name, summary: "Polyak's heavy ball: v ← momentum·v + ∇f, x ← x − lr·v.",
      options: [rate, ("momentum", "0.9 by default")], make: { try momentum($0, looksAhead: false) }),
    MethodDescription(
      name: Momentum.nesterovName, summary: "Momentum that looks ahead: x ← x − lr·(∇f + momentum·v).",
      options: [rate, ("momentum", "0.9 by default")], make: { try momentum($0, looksAhead: true) }),
    MethodDescription(
      name: Adam.name, summary: "Adam: steps by the running mean of ∇f over the root of that of ∇f².",
      options: adamOptions, example: "minimize adam lr=0.1 until norm(grad) < 1e-3",
      make: { Adam(try adam($0, decay: 0)) }),
    MethodDescription(
      name: Adam.decayingName, summary: "Adam with decoupled weight decay.",
      options: adamOptions + [("decay", "weight decay, 0.01 by default")],
      make: { Adam(try adam($0, decay: 0.01)) }),
    MethodDescription(
      name: RMSProp.name, summary: "x − lr·∇f over the root of the running mean of ∇f².",
      options: [rate, ("α", "smoothing, 0.99 by default"), ("eps", "1e-8 by default")],
      make: {
        RMSProp(
          learningRate: try $0.positive("lr") ?? standardRate, smoothing: try $0.fraction("α") ?? 0.99,
          epsilon: try $0.nonNegative("eps") ?? 1e-8)
      }),
    MethodDescription(
      name: SharpnessAware.name, summary: "Gradient descent by the gradient at distance ρ uphill.",
      options: [rate, ("ρ", "distance, 0.05 by default")],
      make: {
        SharpnessAware(
          learningRate: try $0.positive("lr") ?? standardRate, radius: try $0.positive("ρ") ?? 0.05)
      }),
  ]

  private static let adamOptions: [(name: String, text: String)] = [
    rate, ("β1", "0.9 by default"), ("β2", "0.999 by default"), ("eps", "1e-8 by default"),
  ]

  private static let secondOrder: [MethodDescription] = [
    MethodDescription(
      name: Newton.name, summary: "x − lr·H⁻¹∇f with the exact Hessian, never modified.",
      options: [("lr", "fraction of the full step, 1 by default")],
      make: { Newton(learningRate: try $0.positive("lr") ?? 1) }),
    MethodDescription(
      name: DampedNewton.name,
      summary: "Newton's direction, shortened by a backtracking line search until f decreases.",
      options: [], example: "minimize damped-newton", make: { _ in DampedNewton() }),
    MethodDescription(
      name: ModifiedNewton.name,
      summary: "Newton's direction of H + τI, τ made just large enough, and told; then a line search.",
      options: [], make: { _ in ModifiedNewton() }),
    MethodDescription(
      name: GaussNewton.name,
      summary: "Newton's step with the Gauss–Newton matrix, for least squares and the like; a line search.",
      options: [], make: { _ in GaussNewton() }),
    MethodDescription(
      name: LevenbergMarquardt.name,
      summary: "Levenberg–Marquardt: Gauss–Newton, damped as much as the decrease of f asks for.",
      options: [("damping", "the first, 1e-3 by default")], example: "minimize lm damping=1e-2",
      make: { LevenbergMarquardt(initialDamping: try $0.positive("damping") ?? 1e-3) }),
    MethodDescription(
      name: KroneckerFactored.name,
      summary:
        "K-FAC: the Gauss–Newton matrix layer by layer, as a product of two small factors each; damped.",
      options: [
        ("damping", "the first λ, 1e-3 of the mean of the diagonal by default"),
        ("lr", "a fixed fraction of the step and a fixed λ, without a model, for batches"),
        ("momentum", "false leaves the last step out of the model"),
        ("decay", "share of the past in the factors, 0 by default; 0.95 is usual for batches"),
      ], example: "step kfac damping=0.1", make: kroneckerFactored),
    MethodDescription(
      name: NewtonCG.name,
      summary: "Newton's direction by truncated conjugate gradients on products; uses negative curvature.",
      options: [], make: { _ in NewtonCG() }),
    MethodDescription(
      name: TrustRegion.name,
      summary: "The quadratic model's minimum within a trust region, exact, the hard case included.",
      options: [
        ("radius", "the first, 1 by default"), ("max_radius", "1e6 by default"),
        ("cg", "true takes Steihaug's conjugate gradients on products, for many params"),
        ("scaled", "true measures steps in units of √|diagonal of H|, for params of different sizes"),
      ], example: "step trust radius=0.1", make: trust),
    MethodDescription(
      name: CubicRegularisation.name,
      summary: "The minimum of the quadratic model with σ/3·‖d‖³ added, σ adapted.",
      options: [("σ", "the first σ, 1 by default")], example: "step cubic sigma=10",
      make: { CubicRegularisation(initialWeight: try $0.positive("σ") ?? 1) }),
    MethodDescription(
      name: SaddleFree.name,
      summary: "−|H|⁻¹∇f, with the magnitudes of the eigenvalues: leaves saddles; a line search.",
      options: [
        ("lr", "a fixed fraction of the step, without a search"),
        ("damping", "added to each |λ|, 0 by default"),
        ("krylov", "dimension of a Krylov space of products that stands for the whole, for many params"),
      ], example: "step saddle-free damping=10",
      make: {
        SaddleFree(
          learningRate: try $0.positive("lr"), damping: try $0.nonNegative("damping") ?? 0,
          dimension: try $0.whole("krylov"))
      }),
  ]

  private static let quasiNewton: [MethodDescription] = [
    MethodDescription(
      name: BFGS.name, summary: "Quasi-Newton with the inverse Hessian's approximation, strong Wolfe search.",
      options: [], make: { _ in BFGS() }),
    MethodDescription(
      name: LBFGS.name, summary: "BFGS from the last steps only, for many params.",
      options: [("memory", "steps remembered, 10 by default")], example: "minimize lbfgs memory=5 max 50",
      make: { LBFGS(window: try $0.whole("memory") ?? 10) }),
  ]

  private static func gradientDescent(_ options: MethodOptions) throws -> any Method {
    let (wolfe, exact) = (try options.flag("wolfe") ?? false, try options.flag("exact") ?? false)
    if let rate = try options.positive("lr") {
      guard !wolfe && !exact else {
        throw Refusal(
          "a fixed lr leaves nothing to search for", hint: "leave out lr, or the search", option: "lr")
      }
      return FixedStep(rate)
    }
    return GradientDescent(exact ? .exact : wolfe ? .wolfe : .armijo)
  }

  private static func kroneckerFactored(_ values: MethodOptions) throws -> any Method {
    var options = KroneckerFactored.Options()
    options.learningRate = try values.positive("lr")
    options.damping = try values.positive("damping")
    options.decay = try values.fraction("decay") ?? 0
    if let flag = values["momentum"], flag != 0, flag != 1 {
      throw Refusal(
        "'momentum' of kfac is true or false: the model finds how much", hint: "kfac momentum=false",
        option: "momentum")
    }
    options.usesMomentum = try values.flag("momentum") ?? options.usesMomentum
    return KroneckerFactored(options)
  }

  private static func trust(_ options: MethodOptions) throws -> any Method {
    let (isIterative, isScaled) = (try options.flag("cg") ?? false, try options.flag("scaled") ?? false)
    guard !isIterative || !isScaled else {
      throw Refusal(
        "'scaled' needs the Hessian's diagonal, 'cg' makes products only", hint: "leave out one of them",
        option: "scaled")
    }
    let (radius, largest) = (try options.positive("radius"), try options.positive("max_radius") ?? 1e6)
    if let radius, radius > largest {
      throw Refusal(
        "'radius' is above the largest radius, \(largest.short)", hint: "set max_radius with it",
        option: "radius")
    }
    return TrustRegion(
      initialRadius: radius ?? 1, largestRadius: largest, isIterative: isIterative, isScaled: isScaled)
  }

  private static func momentum(_ options: MethodOptions, looksAhead: Bool) throws -> any Method {
    Momentum(
      learningRate: try options.positive("lr") ?? standardRate,
      momentum: try options.fraction("momentum") ?? 0.9, looksAhead: looksAhead)
  }

  private static func adam(_ options: MethodOptions, decay: Double) throws -> Adam.Options {
    var result = Adam.Options()
    result.learningRate = try options.positive("lr") ?? result.learningRate
    result.beta1 = try options.fraction("β1") ?? result.beta1
    result.beta2 = try options.fraction("β2") ?? result.beta2
    result.epsilon = try options.nonNegative("eps") ?? result.epsilon
    result.decay = try options.nonNegative("decay") ?? decay
    return result
  }
}
