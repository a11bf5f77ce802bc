import LinearAlgebra
import Syntax
import Tensors

/// What kind of point a formula is at.
struct PointKind {
  let isCritical: Bool
  let inertia: Inertia

  /// The word in the record that `classify` returns.
  var word: String {
    guard isCritical else { return "not critical" }
    switch (inertia.positive > 0, inertia.negative > 0, inertia.zero > 0) {
    case (true, false, false): return "minimum"
    case (false, true, false): return "maximum"
    case (true, true, _): return "saddle"
    default: return "degenerate"
    }
  }

  var sentence: String {
    switch word {
    case "minimum": return "local minimum"
    case "maximum": return "local maximum"
    case "saddle": return "saddle of index \(inertia.negative)" + (inertia.zero > 0 ? ", degenerate" : "")
    case "degenerate": return "degenerate critical point"
    default: return "not a critical point"
    }
  }
}

extension Commands {
  static var classifyCommand: CommandDefinition {
    CommandDefinition(
      verb: "classify", usage: "classify [FORMULA] [wrt TARGETS] [tol=T]",
      summary:
        "Minimum, maximum, saddle (with its index) or degenerate, from ‖∇f‖ and the signs of the eigenvalues.",
      options: [("tol", "‖∇f‖ up to this counts as zero; 1e-6·max(1, ‖∇²f‖) by default")], example: "classify"
    ) { call in
      try call.noMoreSubjects()
      let view = try call.view(.hessian)
      guard let gradient = view.gradient, case .dense(let matrix)? = view.hessian else { return .nothing }
      guard gradient.count > 0 else {
        throw Diagnostic(.domain, "the params are empty, there is nothing to classify", at: call.command.span)
      }
      try call.requireFinite(view.name, [Tensor(scalar: view.value)])
      try call.requireFinite("the gradient", [gradient])
      try call.requireFinite("the Hessian", [matrix])
      let bound = try call.number("tol", default: 1e-6 * max(1, matrix.frobeniusNorm))
      let place = try call.boundedPlace(view, gradient, matrix, tolerance: bound)
      let values = try call.algebra {
        place.hessian.shape[0] <= 2000
          ? try symmetricEigenvalues(place.hessian).doubles.reversed() : [Double]()
      }
      let sign =
        values.isEmpty && place.hessian.count > 0
        ? try call.algebra { try Definiteness(place.hessian) }
        : Definiteness(eigenvalues: values, matrix.precision)
      let kind = PointKind(isCritical: place.norm <= bound, inertia: place.inertia(sign.inertia))
      call.print(classifyText(call, view, kind, sign, values, place, bound: bound))
      return .record([
        ("kind", .string(kind.word)), ("index", .number(Double(kind.inertia.negative))),
        ("gradient", .number(place.norm)), ("value", .number(view.value)),
        ("eigenvalues", .tensor(Tensor(vector: values))),
        ("held", .tensor(Tensor(vector: place.held.map(Double.init)))),
      ])
    }
  }

  private static func classifyText(
    _ call: CommandCall, _ view: ObjectiveView, _ kind: PointKind, _ sign: Definiteness, _ values: [Double],
    _ place: BoundedPlace, bound: Double
  ) -> String {
    let look = call.lookText
    let limit = "\(kind.isCritical ? "≤" : ">") \(LookText.rough(bound))"
    let symbol = place.held.isEmpty ? "‖∇\(view.name)‖" : "projected ‖∇\(view.name)‖"
    let facts = "\(view.name) = \(call.format(view.value))   \(symbol) = \(call.format(place.norm)) \(limit)"
    let c = Curvature(
      name: "", subject: view.name, isHessian: !kind.isCritical || sign.inertia.zero > 0,
      matrix: Tensor([], [0, 0]), blocks: [])
    var signs = sign.shape(of: c)
    if kind.isCritical, sign.inertia.zero == 0 { signs = String(signs.prefix { $0 != ":" }) }
    let isKnown = !values.isEmpty || place.hessian.count == 0
    let spectrum = isKnown ? "λ = \(look.list(values))" : "λ not computed"
    if place.hessian.count == 0 { signs = "" }
    var lines = [look.remarked(kind.sentence, facts), look.remarked(spectrum, signs)]
    lines += place.lines(call)
    if kind.word == "degenerate" {
      lines.append("the second order does not decide between minimum, maximum and saddle")
    }
    return lines.joined(separator: "\n")
  }
}
