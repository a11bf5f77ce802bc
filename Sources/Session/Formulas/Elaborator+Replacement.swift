import Calculus
import Graph
import Syntax
import Tensors

extension Elaborator {
  /// A leaf to be replaced, and what by.
  private struct Replacement {
    let name: String
    let span: Span
    let value: Meaning
    let valueSpan: Span
  }

  /// `f(x = e)`: the formula with a leaf replaced. Derivatives inside are by the leaf, taken before.
  func replacement(_ callee: Expr, _ arguments: [Argument], _ span: Span) throws -> Meaning {
    if let fault = moduleFault(callee) { throw fault }
    let given = try arguments.map { argument -> Replacement in
      guard let name = argument.name else { throw try unnamed(argument, arguments, of: callee) }
      let value = try meaning(argument.value)
      return Replacement(name: name, span: argument.span, value: value, valueSpan: argument.value.span)
    }
    let (formula, dependencies) = try recording { try meaning(callee) }
    var pairs: [(placeholder: NodeID, argument: NodeID)] = []
    let saved = replacements
    defer { replacements = saved }
    for item in given { try replace(item, in: callee, formula, dependencies, &pairs) }
    let isRebuilt =
      replacements.count != saved.count || replacements.contains { saved[$0.key]?.nodes != $0.value.nodes }
    let result = isRebuilt ? try meaning(callee) : formula
    var replaced: [NodeID: NodeID] = [:]
    for pair in pairs { replaced[pair.placeholder] = pair.argument }
    return map(result) { graph.substitute([$0], replaced)[0] }
  }

  private func unnamed(_ argument: Argument, _ all: [Argument], of callee: Expr) throws -> Diagnostic {
    let text = callee.span.text
    if case .comparison(let first, let rest) = argument.value.kind, case .name(let leaf) = first.kind,
      rest.count == 1, rest[0].op == .equal
    {
      return Diagnostic(
        .type, "a leaf is replaced with '=', not '=='", at: argument.span,
        hint: "write \(text)(\(leaf) = \(rest[0].operand.span.text))")
    }
    if case .name(let name) = callee.kind {
      let hidden = "the function \(name) is hidden by the name you bound; call that something else"
      switch interpreter.lookup(name) {
      case .variable(let v) where v.value.tensor?.shape.isEmpty == true:
        return Diagnostic(
          .type, "'\(name)' is no function: it holds a number", at: argument.span,
          hint: Interpreter.isFunction(name)
            ? hidden
            : "a function is defined with ':=', as in \(name)(x) := x^2, a formula as in \(name) := x^2")
      case .param, .data, .random, .variable:
        let places = all.map(\.value.span.text).joined(separator: ", ")
        return Diagnostic(
          .type, "'\(name)' is no function", at: argument.span,
          hint: Interpreter.isFunction(name)
            ? hidden : "an entry is written in square brackets: \(name)[\(places)]")
      default: break
      }
    }
    let leaf = paramsBundle(of: try meaning(callee).nodes).names.first ?? "x"
    return Diagnostic(
      .type, "a formula is called with names: \(text)(\(leaf) = …)", at: argument.span,
      hint: "each argument replaces the leaf of that name")
  }

  private func replace(
    _ item: Replacement, in callee: Expr, _ formula: Meaning, _ dependencies: Dependencies,
    _ pairs: inout [(placeholder: NodeID, argument: NodeID)]
  ) throws {
    let old = try replaced(item, in: callee, formula, dependencies)
    if case .bundle(let bundle) = old {
      pairs += zip(bundle.nodes, try asParts(item.value, like: bundle.nodes, item.valueSpan)).map { ($0, $1) }
      return
    }
    let leaf = try asNode(old, item.span)
    let value = try asNode(item.value, item.valueSpan)
    guard let info = graph.leaf(of: leaf) else {
      throw Diagnostic(
        .type, "'\(item.name)' is a formula, not a leaf", at: item.span,
        hint: "params, data and assigned names can be replaced")
    }
    if graph.shape(value) == info.shape {
      pairs.append((leaf, value))
      return
    }
    // Another shape: the formula is built again around a leaf of that shape.
    guard graph.shape(value).count == info.shape.count else {
      throw Diagnostic(
        .shape,
        "'\(item.name)' has shape \(info.shape.shapeDescription), its replacement \(graph.shape(value).shapeDescription)",
        at: item.span, hint: "sizes of axes may differ, their number may not")
    }
    let placeholder = interpreter.placeholder(item.name, graph.shape(value), function: -1, depth: depth)
    replacements[item.name] = .node(placeholder)
    pairs.append((placeholder, value))
  }

  /// What a name to be replaced means in the formula: a leaf that it depends on, or a formal parameter.
  private func replaced(
    _ item: Replacement, in callee: Expr, _ formula: Meaning, _ dependencies: Dependencies
  ) throws -> Meaning {
    if item.name == "params" { return .bundle(paramsBundle(of: formula.nodes)) }
    if dependencies.names.contains(item.name) {
      let saved = environment
      environment = FormulaEnvironment(captured: saved.captured, frameTag: saved.frameTag)
      defer { environment = saved }
      return try name(item.name, item.span)
    }
    if let local = environment.local(item.name), case .node(let node) = local,
      graph.leaves(below: formula.nodes).contains(node)
    {
      return local
    }
    throw notReplaceable(item, callee, dependencies)
  }

  private func notReplaceable(_ item: Replacement, _ callee: Expr, _ dependencies: Dependencies) -> Diagnostic
  {
    if case .name(let name) = callee.kind, case .variable? = interpreter.lookup(name) {
      return Diagnostic(
        .name, "'\(name)' holds a value, which does not depend on '\(item.name)'", at: item.span,
        hint: "a formula that follows '\(item.name)' is bound with ':=', as in \(name) := …")
    }
    let leaves = dependencies.leafNames.sorted()
    var hint = closestMatch(to: item.name, in: leaves).map { "did you mean '\($0)'?" }
    for leaf in leaves {
      guard case .random(let random)? = interpreter.lookup(leaf, frameTag: nil),
        FreeNames.of(random.source).contains(item.name)
      else { continue }
      hint =
        "'\(leaf)' was drawn from '\(item.name)'; replace '\(leaf)' itself: \(callee.span.text)(\(leaf) = …)"
    }
    return Diagnostic(
      .name, "'\(callee.span.text)' does not depend on '\(item.name)'", at: item.span,
      notes: [leaves.isEmpty ? "it is constant" : "it depends on \(leaves.joined(separator: ", "))"],
      hint: hint)
  }
}

extension Dependencies {
  /// Names that were looked up and found.
  fileprivate var names: Set<String> {
    Set(stamps.compactMap { $0.value == .absent ? nil : $0.key.name })
  }

  /// Names of values: what can be replaced.
  fileprivate var leafNames: Set<String> {
    Set(
      stamps.compactMap { key, stamp in
        switch stamp {
        case .leaf, .fixed, .contents: return key.name
        default: return nil
        }
      })
  }
}
