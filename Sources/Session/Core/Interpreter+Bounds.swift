import Optimization
import Syntax
import Tensors

extension Interpreter {
  // MARK: Bounds

  /// `a..b` after `in`: numbers, or tensors of the param's shape.
  func leafBounds(_ expr: Expr, _ shape: Shape) throws -> LeafBounds {
    guard case .range(let low?, let high?) = expr.kind else {
      throw Diagnostic(
        .type, "bounds are written a..b", at: expr.span, hint: "as in 0..1, or 0..inf for what is positive")
    }
    let (lower, upper) = (try entries(low, shape), try entries(high, shape))
    guard zip(lower, upper).allSatisfy({ $0 < $1 }) else {
      throw Diagnostic(.domain, "a lower bound must be below the upper one", at: expr.span)
    }
    return LeafBounds(lower: lower, upper: upper, text: expr.span.text)
  }

  private func entries(_ expr: Expr, _ shape: Shape) throws -> [Double] {
    guard let tensor = try evaluate(expr).tensor, tensor.count == 1 || tensor.shape == shape else {
      throw Diagnostic(
        .shape, "a bound is a number, or has the param's shape \(shape.shapeDescription)", at: expr.span)
    }
    return tensor.count == 1
      ? [Double](repeating: tensor.scalarValue, count: shape.elementCount) : tensor.doubles
  }

  /// Refuses values outside the bounds.
  func check(_ tensor: Tensor, _ bounds: LeafBounds, _ name: String, _ span: Span) throws {
    guard let bad = bounds.firstOutside(tensor) else { return }
    throw Diagnostic(
      .domain, "\(NumberFormat()(tensor.doubles[bad])) is outside the bounds of '\(name)', \(bounds.text)",
      at: span,
      hint: "declare it with other bounds: param \(name) = … in a..b")
  }

  /// The bounds of params, one after the other; nil when none has any.
  func bounds(of names: [String]) -> Bounds? {
    let leaves = names.compactMap { name -> LeafBinding? in
      if case .param(let leaf)? = lookup(name, frameTag: nil) { return leaf }
      return nil
    }
    guard leaves.contains(where: { $0.bounds != nil }) else { return nil }
    func all(_ side: (LeafBounds) -> [Double], _ without: Double) -> [Double] {
      leaves.flatMap { $0.bounds.map(side) ?? [Double](repeating: without, count: $0.value.count) }
    }
    return Bounds(lower: all(\.lower, -.infinity), upper: all(\.upper, .infinity))
  }

  // MARK: Residuals

  /// The name of ½‖r‖² for residuals r, as in SciPy's least_squares.
  static let costName = "cost"
  private static let costSource = "residuals"

  /// `residuals r := e`: the formula, and half the sum of its squares as the objective.
  func declareResiduals(_ name: String, _ span: Span, _ expr: Expr, echoes: Bool) throws {
    guard state.frames.isEmpty else {
      throw Diagnostic(.type, "residuals are declared at the top level", at: span)
    }
    guard name != Self.costName, !isTaken(Self.costName) else {
      throw Diagnostic(
        .name, "'\(Self.costName)' is the name of half the sum of squared residuals, and it is taken",
        at: span,
        hint: "give what you named '\(Self.costName)' another name")
    }
    willChange()
    let text = SourceText(name: Self.costSource, text: "\(Self.costName) := sum(\(name)^2)/2")
    guard case .define(_, let costSpan, let cost)? = Parser.parse(text).statements.first?.kind else {
      throw Diagnostic(.name, "'\(name)' cannot name residuals", at: span)
    }
    try define(name, span, expr, echoes: echoes)
    let elaborator = elaborator()
    let node = try elaborator.asNode(try elaborator.name(name, span), span)
    guard dependsOnParam(node) else {
      throw Diagnostic(
        .domain, "'\(name)' depends on no param", at: expr.span, hint: "declare what it may vary: param a = 1"
      )
    }
    if state.objective != Self.costName {
      state.objective = Self.costName
      state.path.clear()
    }
    state.objectiveIsChosen = false
    try define(Self.costName, costSpan, cost, echoes: echoes)
  }

  /// The name stands for something of the user's own.
  private func isTaken(_ name: String) -> Bool {
    guard let binding = lookup(name, frameTag: nil) else { return false }
    if case .definition(let id) = binding { return definitions[id]?.expr.span.source.name != Self.costSource }
    return true
  }
}
