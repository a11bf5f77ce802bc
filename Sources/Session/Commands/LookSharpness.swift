import Curvature
import Optimization
import Syntax
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

extension Commands {
  static var sharpnessCommand: CommandDefinition {
    CommandDefinition(
      verb: "sharpness", usage: "sharpness [FORMULA] [wrt PARAMS]",
      summary:
        "How sharp the point is: the largest eigenvalue against 2/lr, the trace, the rise within a small ball, and the share of the gradient in the top eigenspace.",
      options: [
        ("ρ", "radius of the ball, 0.05 unless given"),
        ("steps", "ascent steps from each start, 20 unless given"),
        ("top", "eigenvectors of the top eigenspace, 5 unless given"),
        ("lr", "learning rate of gradient descent, to be compared with 2/λmax"),
      ],
      example: "sharpness lr=1e-3"
    ) { call in try SharpnessReport(call).run() }
  }
}

/// `sharpness`: what it looks at, and its lines.
private struct SharpnessReport {
  private let call: CommandCall
  private let radius: Double
  private let steps: Int
  private let count: Int
  private let rate: Double?

  init(_ call: CommandCall) throws {
    self.call = call
    radius = try call.positive("ρ") ?? 0.05
    steps = try call.count("steps", default: 20)
    count = try call.count("top", default: 5)
    rate = try call.command.option("lr").map { try call.interpreter.number($0.value) }
  }

  func run() throws -> Value {
    let view = try call.view(.gradient)
    try call.requireFinite(view.name, [Tensor(scalar: view.value)])
    guard let hessian = try call.formulaOperator(always: true), let gradient = view.gradient else {
      throw Diagnostic(
        .type, "'sharpness' needs a scalar formula of whole params", at: call.command.span)
    }
    guard hessian.order > 0 else {
      throw Diagnostic(.domain, "the params are empty, there is no sharpness", at: call.command.span)
    }
    try call.requireFinite("the gradient", [gradient])
    let found = try top(hessian)
    let x = view.params.flatMap(\.tensor.doubles)
    let rise = try rise(view, x, gradient.doubles, Array(found.vectors[0]))
    let diagonal = try Commands.diagonal(of: call)
    let trace = diagonal.reduce(0, +)
    let overlap = share(gradient.doubles, in: found.vectors)
    call.print(text(hessian.name, found, diagonal, rise, overlap).joined(separator: "\n"))
    return .record([
      ("largest", .number(found.values[0])), ("trace", .number(trace)), ("rise", .number(rise.best)),
      ("first", .number(rise.first)), ("overlap", .number(overlap)),
      ("values", .tensor(Tensor(vector: found.values))),
    ])
  }

  private func top(_ hessian: FormulaOperator) throws -> PartialEigen {
    let search = EigenSearch(count, .top, order: hessian.order, roundoff: hessian.roundoff)
    let found = try call.matrixFree {
      try BlockLanczos.eigenpairs(of: hessian, search, generator: CounterGenerator(seed: 1))
    }
    guard found.converged == found.values.count, !found.values.isEmpty else {
      throw Diagnostic(
        .numeric, "\(found.converged) of \(found.values.count) eigenvalues have converged",
        at: call.command.verbSpan,
        hint: "ask for fewer: sharpness top=1")
    }
    return found
  }

  /// The largest f(θ + ε) − f(θ) seen for ‖ε‖ ≤ ρ, and that of the first step along the gradient, which SAM takes
  /// (Foret, Kleiner, Mobahi and Neyshabur, *Sharpness-aware minimization*, ICLR 2021). Each ascent goes to the point of the
  /// ball farthest along the gradient where it stands; starts are the gradient and both ways along the top eigenvector.
  private func rise(_ view: ObjectiveView, _ x: [Double], _ gradient: [Double], _ sharpest: [Double]) throws
    -> (first: Double, best: Double)
  {
    let around = Surroundings(call: call, names: view.params.map(\.name))
    func moved(_ direction: [Double]) -> [Double]? {
      let size = norm(direction)
      guard size > 0, size.isFinite else { return nil }
      return zip(x, direction).map { $0 + radius * $1 / size }
    }
    var (first, best) = (0.0, 0.0)
    for (k, start) in [gradient, sharpest, sharpest.map { -$0 }].enumerated() {
      var point = moved(start)
      for step in 0..<steps {
        guard let place = point else { break }
        let there = try around.slope(at: place)
        let rise = there.value - view.value
        if k == 0 && step == 0 { first = rise }
        if rise.isNaN || rise <= best && step > 0 { break }
        best = max(best, rise)
        point = moved(there.gradient)
      }
    }
    return (first, best)
  }

  /// ‖Vᵀ∇f‖² / ‖∇f‖².
  private func share(_ gradient: [Double], in vectors: Rows) -> Double {
    let whole = norm(gradient)
    guard whole > 0, whole.isFinite else { return .nan }
    let unit = gradient.map { $0 / whole }
    return (0..<vectors.count).reduce(0.0) { sum, k in
      let along = zip(vectors[k], unit).reduce(0) { $0 + $1.0 * $1.1 }
      return sum + along * along
    }
  }

  private func text(
    _ name: String, _ found: PartialEigen, _ diagonal: [Double], _ rise: (first: Double, best: Double),
    _ overlap: Double
  ) -> [String] {
    let (look, format, largest) = (call.lookText, call.format, found.values[0])
    let trace = diagonal.reduce(0, +)
    let rounding = Exactness.sum(diagonal, call.interpreter.state.settings.precision)
    var lines = [
      look.remarked(
        "λmax = \(format(largest))", "residual-bounded: within \(LookText.rough(found.residuals[0]))")
    ]
    if largest > 0 {
      let limit = look.remarked("2/λmax = \(format(2 / largest))", "gradient descent is stable below")
      lines.append(limit)
    }
    if let rate {
      let product = rate * largest
      lines.append(
        look.remarked(
          "lr·λmax = \(format(product))",
          product > 2.1
            ? "beyond the edge of stability, 2"
            : product > 1.8 ? "at the edge of stability, 2" : "stable: below 2"))
    }
    lines.append(
      look.remarked(
        "tr \(name) = \(format(trace))",
        "\(Exactness.text(rounding)); mean λ \(LookText.rough(trace / Double(diagonal.count)))"
      ))
    lines.append(
      look.remarked(
        "rise ≥ \(format(rise.best))",
        "for ‖ε‖ ≤ \(format(radius)); SAM's step \(format(rise.first))"))
    if !overlap.isNaN {
      lines.append(
        look.remarked(
          "overlap = \(LookText.rough(overlap))",
          "share of ‖∇f‖² along the top \(found.values.count) eigenvectors"))
    }
    return lines
  }
}
