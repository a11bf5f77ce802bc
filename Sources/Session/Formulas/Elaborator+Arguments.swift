import Graph
import Syntax
import Tensors

/// Derivatives in the bodies of functions. Formal parameters are leaves there, and a derivative by one of them is partial:
/// with h(a) := grad(a^2*x, a), h(x) is 2x². But what is differentiated by x may be an argument, as with
/// h(g) := hessian(g, x), which is no constant for it.
extension Elaborator {
  /// A function and what it is differentiated by, with arguments that depend on that in the place of their formal
  /// parameters. Throws where the function depends on it both by itself and through an argument: the derivative may be
  /// partial or total.
  func differentiated(_ f: PlacedNode, by wrt: Expr?, _ span: Span) throws -> (f: PlacedNode, Targets) {
    let whole = standingFor(f.node)
    var targets = try self.targets(wrt, of: [whole], span)
    try refuseValues(whole, f, targets, span)
    guard !arguments.isEmpty else { return (f, targets) }
    let inside = differentiableLeaves(f.node)
    var seen: [NodeID: NodeID] = [:]
    for (k, leaf) in targets.leaves.enumerated() {
      guard let actual = arguments[leaf] else {
        let hidden = formals(inside, dependingOn: leaf)
        if let formal = hidden.keys.first, inside.contains(leaf) {
          throw ambiguous(formal, targets.names[k], f, span)
        }
        seen.merge(hidden) { a, _ in a }
        continue
      }
      // A formal parameter of which the function is itself a formula is a leaf.
      guard !inside.contains(leaf), dependsOn(whole, actual) else { continue }
      guard let known = graph.leaf(of: actual) else {
        throw Diagnostic(
          .domain, "'\(targets.names[k])' stands for a formula here, and derivatives are taken by leaves",
          at: span,
          notes: ["'\(f.span.text)' depends on what it stands for"],
          hint: "give a param, data or assigned name as the argument")
      }
      seen.merge(formals(inside, dependingOn: actual)) { a, _ in a }
      (targets.leaves[k], targets.names[k]) = (actual, known.name)
    }
    return (PlacedNode(node: graph.substitute([f.node], seen)[0], span: f.span), targets)
  }

  /// In a procedure that runs, arguments are values, which do not depend on anything.
  private func refuseValues(_ whole: NodeID, _ f: PlacedNode, _ targets: Targets, _ span: Span) throws {
    guard let tag = environment.frameTag else { return }
    let leaves = graph.leaves(below: [whole])
    guard !targets.leaves.contains(where: { leaves.contains(standingFor($0)) }) else { return }
    let local = leaves.compactMap { graph.leaf(of: $0) }
      .first { interpreter.slots.source($0.id)?.frameTag == tag }
    guard let local else { return }
    throw Diagnostic(
      .domain, "'\(local.name)' is a value in this procedure, and does not depend on '\(targets.names[0])'",
      at: span, notes: ["so the derivative of '\(f.span.text)' would be zero"],
      hint: "a function of formulas is written h(\(local.name)) := …; or define what calls it: u := h(f)")
  }

  /// The leaves of a formula but for what `stop` holds constant.
  private func differentiableLeaves(_ node: NodeID) -> Set<NodeID> {
    let stops = graph.reachable(from: [node]).filter { if case .stop = graph[$0].op { true } else { false } }
    return Set(graph.reachable(from: [node], stoppingAt: Set(stops)).filter { graph.leaf(of: $0) != nil })
  }

  /// Formal parameters among leaves whose arguments depend on a leaf, with these arguments.
  private func formals(_ leaves: Set<NodeID>, dependingOn target: NodeID) -> [NodeID: NodeID] {
    arguments.filter { formal, argument in
      formal != target && leaves.contains(formal) && graph.leaves(below: [argument]).contains(target)
    }
  }

  /// Whether a formula depends on a leaf that another one has.
  private func dependsOn(_ f: NodeID, _ other: NodeID) -> Bool {
    !Set(graph.leaves(below: [f])).isDisjoint(with: graph.leaves(below: [other]))
  }

  private func ambiguous(_ formal: NodeID, _ target: String, _ f: PlacedNode, _ span: Span) -> Diagnostic {
    let name = graph.leaf(of: formal)?.name ?? ""
    return Diagnostic(
      .domain, "the derivative by '\(target)' may be partial or total here", at: span,
      notes: [
        "'\(f.span.text)' depends on '\(target)' itself, and '\(name)' stands for what depends on it, too"
      ],
      hint:
        "stop(\(name)) holds the argument constant; a formula outside of the function is differentiated as a whole"
    )
  }
}
