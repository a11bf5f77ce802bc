import Calculus
import Graph
import Syntax
import Tensors

/// Derivatives as functions of the language; they take formulas and give formulas.
enum CalculusFunction: String, CaseIterable {
  case grad, hessian, jacobian, hvp, jvp, vjp, ggn, fisher, kfac, laplacian
  case hessianOperator = "hessian_op"
  case gaussNewtonOperator = "ggn_op"
}

/// What a derivative is taken by: leaves, or parts of one.
struct Targets {
  var names: [String]
  var leaves: [NodeID]
  /// `x[0]`: the part of the only leaf.
  var part: [AxisIndex]?
  /// One leaf named by itself: results have its shape. Otherwise they are bundles, and Hessians P×P.
  var isSingle: Bool
}

extension Elaborator {
  func calculus(_ function: CalculusFunction, _ arguments: [Argument], _ span: Span) throws -> Meaning {
    let call = try CalculusCall(function, arguments, span)
    let (f, targets) = try differentiated(placed(try call.required("f")), by: call["wrt"], span)
    switch function {
    case .grad: return try result(gradients(of: scalar(f, call), targets), targets)
    case .hessian:
      let keepsAxes = try call["tensor"].map { try staticTruth($0, "'tensor'") } ?? false
      return try hessian(of: scalar(f, call), targets, tensor: keepsAxes, span)
    case .jacobian: return try jacobian(of: f, targets)
    case .hvp:
      let v = try call.required("v")
      let parts = try directions(try meaning(v), targets, v.span)
      return try result(graph.hvp(try scalar(f, call), wrt: targets.leaves, parts), targets)
    case .jvp:
      let v = try call.required("v")
      let parts = try directions(try meaning(v), targets, v.span)
      return .node(graph.jvp(of: [f.node], wrt: targets.leaves, parts)[0])
    case .vjp: return try result(pulled(f, targets, call), targets)
    case .ggn:
      guard targets.part == nil else { throw Diagnostic(.type, "ggn takes whole params", at: span) }
      return try gaussNewton(scalar(f, call), targets, at: call["at"], span)
    case .fisher: return try fisher(f, targets, call)
    case .kfac: return try kronecker(scalar(f, call), targets, at: call["at"], span)
    case .hessianOperator:
      return .operator(try hessianOperator(scalar(f, call), targets, name: "∇²\(f.span.text)", span))
    case .gaussNewtonOperator:
      let name = "GGN(\(f.span.text))"
      return .operator(try gaussNewtonOperator(scalar(f, call), targets, at: call["at"], name: name, span))
    case .laplacian:
      guard targets.part != nil else {
        return .node(graph.laplacian(try scalar(f, call), wrt: targets.leaves))
      }
      let matrix = try asNode(hessian(of: scalar(f, call), targets, tensor: false, span), span)
      if graph.shape(matrix).isEmpty { return .node(matrix) }
      return .node(graph.contract(1, [Operand(matrix, [0, 0])], to: []))
    }
  }

  /// The gradient of a function weighted by a cotangent.
  private func pulled(_ f: PlacedNode, _ targets: Targets, _ call: CalculusCall) throws -> [NodeID] {
    let u = try placed(try call.required("v"))
    guard graph.shape(u.node) == graph.shape(f.node) else {
      throw Diagnostic(
        .shape, "the cotangent must have the shape of the function", at: u.span,
        labels: [
          .init(f.span, "shape \(graph.shape(f.node).shapeDescription)"),
          .init(u.span, "shape \(graph.shape(u.node).shapeDescription)"),
        ])
    }
    return graph.vjp(of: [f.node], [u.node], wrt: targets.leaves)
  }

  private func scalar(_ f: PlacedNode, _ call: CalculusCall) throws -> NodeID {
    let shape = graph.shape(f.node)
    guard shape.isEmpty else {
      throw Diagnostic(
        .shape,
        "\(call.function.rawValue) needs a scalar function, not one of shape \(shape.shapeDescription)",
        at: f.span, hint: "reduce it with sum or mean, or take jacobian")
    }
    return f.node
  }

  // MARK: Targets

  /// The params that nodes depend on, in order of declaration.
  func paramsBundle(of roots: [NodeID]) -> Bundle {
    let found = graph.leaves(below: roots).compactMap { id -> (order: Int, name: String, node: NodeID)? in
      guard let leaf = graph.leaf(of: id), let order = interpreter.paramOrder(leaf) else { return nil }
      return (order, leaf.name, id)
    }.sorted { $0.order < $1.order }
    return Bundle(names: found.map(\.name), nodes: found.map(\.node))
  }

  /// `params` by itself: those of the objective; all when there is none, or when this is a part of it.
  func paramsBundle(_ span: Span) throws -> Bundle {
    let objective = interpreter.state.objective
    if let objective, !isInside(objective) { return paramsBundle(of: [try self.objective(span).node]) }
    let all = interpreter.allParams
    record(.objective, .objective(objective))
    record(.params, .params(all.map(\.name)))
    guard !all.isEmpty else {
      throw Diagnostic(.name, "there are no params", at: span, hint: "declare one: param x = [1, 2]")
    }
    for (name, _) in all { record(DependencyKey(name: name, frameTag: nil), interpreter.stamp(named: name)) }
    return Bundle(
      names: all.map(\.name),
      nodes: all.map { interpreter.leafNode($0.leaf.id, $0.name, $0.leaf.value.shape) })
  }

  func targets(_ expr: Expr?, of roots: [NodeID], _ span: Span) throws -> Targets {
    guard let expr else {
      let bundle = paramsBundle(of: roots)
      guard !bundle.nodes.isEmpty else {
        throw Diagnostic(
          .domain, "this formula depends on no param", at: span,
          hint: "name what to differentiate by; a Hessian elsewhere is hessian(f, x)(x = …)")
      }
      return Targets(names: bundle.names, leaves: bundle.nodes, part: nil, isSingle: bundle.nodes.count == 1)
    }
    switch expr.kind {
    case .tuple(let items):
      let parts = try items.map { try targets($0, of: roots, span) }
      if let partial = parts.firstIndex(where: { $0.part != nil }) {
        throw Diagnostic(
          .type, "several targets must be whole params", at: items[partial].span)
      }
      let names = parts.flatMap(\.names)
      if let twice = names.indices.first(where: { names[..<$0].contains(names[$0]) }) {
        throw Diagnostic(.name, "'\(names[twice])' is named twice", at: expr.span)
      }
      return Targets(names: names, leaves: parts.flatMap(\.leaves), part: nil, isSingle: false)
    case .name("params"):
      if environment.locals["params"] == nil {
        let bundle = paramsBundle(of: roots)
        return Targets(names: bundle.names, leaves: bundle.nodes, part: nil, isSingle: false)
      }
    case .index(let base, let items):
      var whole = try targets(base, of: roots, span)
      guard whole.leaves.count == 1, whole.part == nil else {
        throw Diagnostic(.type, "only a part of one leaf can be a target", at: expr.span)
      }
      whole.part = try axisIndices(items, graph.shape(whole.leaves[0]), base, expr.span)
      return whole
    default: break
    }
    switch try meaning(expr) {
    case .bundle(let bundle):
      return Targets(names: bundle.names, leaves: bundle.nodes, part: nil, isSingle: false)
    case .node(let node) where graph.leaf(of: node) != nil:
      return Targets(names: [graph.leaf(of: node)?.name ?? ""], leaves: [node], part: nil, isSingle: true)
    default:
      throw Diagnostic(
        .type, "derivatives are taken by leaves, and '\(expr.span.text)' is not one", at: expr.span,
        hint: targetHint(expr))
    }
  }

  private func targetHint(_ expr: Expr) -> String {
    if case .literal(let rows) = expr.kind, rows.count == 1 {
      return "several leaves stand in parentheses: (\(rows[0].map(\.span.text).joined(separator: ", ")))"
    }
    return "name a param, data or assigned name, a part such as x[0], or a formal parameter"
  }

  /// A direction with a tensor for each target.
  private func directions(_ value: Meaning, _ targets: Targets, _ span: Span) throws -> [NodeID] {
    if let part = targets.part {
      let node = try asNode(value, span)
      let shape = graph.shape(targets.leaves[0])
      let (selectors, result) = selection(shape, part)
      guard graph.shape(node).count == result.count else {
        throw Diagnostic(.shape, "the direction must have the shape of the part", at: span)
      }
      let axes = Array(shape.indices)
      let sizes = Dictionary(uniqueKeysWithValues: axes.map { ($0, shape[$0]) })
      return [graph.contract(1, [Operand(node, result)] + selectors, to: axes, sizes: sizes)]
    }
    let parts = try asParts(value, like: targets.leaves, span)
    for (part, leaf) in zip(parts, targets.leaves) where graph.shape(part) != graph.shape(leaf) {
      throw Diagnostic(
        .shape,
        "the direction has shape \(graph.shape(part).shapeDescription), the param \(graph.shape(leaf).shapeDescription)",
        at: span)
    }
    return parts
  }

  private func result(_ nodes: [NodeID], _ targets: Targets) throws -> Meaning {
    if let part = targets.part { return .node(indexed(nodes[0], part)) }
    if targets.isSingle { return .node(nodes[0]) }
    return .bundle(Bundle(names: targets.names, nodes: nodes))
  }

  // MARK: First and second order

  func gradient(of f: NodeID, wrt expr: Expr?, _ span: Span) throws -> Meaning {
    let targets = try self.targets(expr, of: [f], span)
    return try result(gradients(of: f, targets), targets)
  }

  /// ∇f; or x − P(x − ∇f), which is zero where no step within the bounds of the params lowers f.
  private func gradients(of f: NodeID, _ targets: Targets) -> [NodeID] {
    let plain = graph.grad(f, wrt: targets.leaves)
    guard projectsGradients else { return plain }
    return zip(targets.leaves, plain).map { leaf, gradient in
      guard let name = graph.leaf(of: leaf)?.name,
        case .param(let binding)? = interpreter.lookup(name, frameTag: nil),
        let bounds = binding.bounds
      else { return gradient }
      let shape = graph.shape(leaf)
      let moved = graph.map(
        .max, graph.difference(leaf, gradient), graph.constant(Tensor(bounds.lower, shape)))
      return graph.difference(leaf, graph.map(.min, moved, graph.constant(Tensor(bounds.upper, shape))))
    }
  }

  func hessian(of f: NodeID, wrt expr: Expr?, tensor: Bool, _ span: Span) throws -> Meaning {
    try hessian(of: f, targets(expr, of: [f], span), tensor: tensor, span)
  }

  private func hessian(of f: NodeID, _ targets: Targets, tensor: Bool, _ span: Span) throws -> Meaning {
    if let part = targets.part { return .node(partialHessian(f, targets.leaves[0], part)) }
    let counts = targets.leaves.map { graph.shape($0).elementCount }
    largeHessian = interpreter.hessianRefusal(counts, targets.names, span) ?? largeHessian
    if targets.isSingle && (tensor || graph.shape(targets.leaves[0]).count <= 1) {
      let block = graph.hessianBlocks(f, wrt: targets.leaves)[0][0]
      if graph.shape(block).count == 2 {
        interpreter.hessians[block] = HessianSource(f: f, leaves: targets.leaves)
      }
      return .node(block)
    }
    let matrix = graph.hessianMatrix(f, wrt: targets.leaves)
    interpreter.hessians[matrix] = HessianSource(f: f, leaves: targets.leaves)
    if targets.isSingle { return .node(matrix) }
    return .blockMatrix(matrix, names: targets.names, sizes: counts)
  }

  func hessianSource(of matrix: NodeID) -> HessianSource? { interpreter.hessians[matrix] }

  /// ∂²f over a part of one leaf, flattened when the part has more than one axis.
  func partialHessian(_ f: NodeID, _ leaf: NodeID, _ part: [AxisIndex]) -> NodeID {
    let first = indexed(graph.grad(f, wrt: [leaf])[0], part)
    let shape = graph.shape(first)
    let whole = graph.jacobians(of: [first], wrt: leaf)[0]
    let h = indexed(whole, shape.map { .all($0) } + part)
    return shape.count <= 1 ? h : flattened(h, shape, shape)
  }

  /// Rows and columns of a tensor as a matrix.
  private func flattened(_ node: NodeID, _ rows: Shape, _ columns: Shape) -> NodeID {
    let (m, n) = (rows.elementCount, columns.elementCount)
    let r = rows.indices.map { 2 + $0 }
    let c = columns.indices.map { 2 + rows.count + $0 }
    return graph.contract(
      1,
      [
        Operand(node, r + c), Operand(graph.selector(.flatten(rows), [m] + rows), [0] + r),
        Operand(graph.selector(.flatten(columns), [n] + columns), [1] + c),
      ], to: [0, 1], sizes: [0: m, 1: n])
  }

  private func jacobian(of f: PlacedNode, _ targets: Targets) throws -> Meaning {
    let nodes = targets.leaves.map { leaf -> NodeID in
      graph.shape(f.node).isEmpty
        ? graph.grad(f.node, wrt: [leaf])[0] : graph.jacobians(of: [f.node], wrt: leaf)[0]
    }
    if let part = targets.part {
      return .node(indexed(nodes[0], graph.shape(f.node).map { .all($0) } + part))
    }
    if targets.isSingle { return .node(nodes[0]) }
    return .bundle(Bundle(names: targets.names, nodes: nodes))
  }

  // MARK: Gauss–Newton

  /// Σ over the terms of a loss of JᵀMJ, J the Jacobian of the term's model output, M the Hessian of the term by it.
  func gaussNewton(_ loss: NodeID, _ targets: Targets, at: Expr?, _ span: Span) throws -> Meaning {
    let shapes = targets.leaves.map(graph.shape)
    let blocks = gaussNewtonBlocks(try split(loss, targets, at, span), targets.leaves)
    if targets.isSingle && shapes[0].count <= 1 { return .node(blocks[0][0]) }
    let matrix = graph.assembled(blocks, shapes)
    if targets.isSingle { return .node(matrix) }
    return .blockMatrix(matrix, names: targets.names, sizes: shapes.map(\.elementCount))
  }
}

extension Elaborator {
  /// The terms of a loss and the model's outputs in them.
  func split(_ loss: NodeID, _ targets: Targets, _ at: Expr?, _ span: Span) throws
    -> [LossRecognition.Part]
  {
    if let at {
      let inside = Set(graph.reachable(from: [loss]))
      let given = try node(at)
      // In a function z may be written with formal parameters that the loss has no more.
      let z = inside.contains(given) ? given : standingFor(given)
      guard inside.contains(z) else {
        throw Diagnostic(
          .domain, "'\(at.span.text)' is not part of this formula", at: at.span,
          hint: "split at a definition that the loss uses, such as the model's output")
      }
      return [LossRecognition.Part(loss: loss, output: z, function: loss)]
    }
    var recognition = LossRecognition(graph)
    if let terms = recognition.terms(of: loss, wrt: targets.leaves) { return terms }
    throw Diagnostic(
      .domain, "it is not clear where this formula splits into a model and a loss", at: span,
      hint: "name the model's output, ggn(f, x, at=z), or declare what is to be small: residuals r := …")
  }
}

/// Arguments of a calculus function, bound by name.
struct CalculusCall {
  let function: CalculusFunction
  let span: Span
  private var values: [String: Expr] = [:]

  static func parameters(_ function: CalculusFunction) -> [String] {
    switch function {
    case .grad, .jacobian, .laplacian, .hessianOperator: return ["f", "wrt"]
    case .hessian: return ["f", "wrt", "tensor"]
    case .hvp, .jvp, .vjp: return ["f", "wrt", "v"]
    case .fisher: return ["f", "wrt", "kind", "draws", "error"]
    case .ggn, .gaussNewtonOperator, .kfac: return ["f", "wrt", "at"]
    }
  }

  init(_ function: CalculusFunction, _ arguments: [Argument], _ span: Span) throws {
    self.function = function
    self.span = span
    let names = Self.parameters(function)
    var position = 0
    for argument in arguments {
      let name =
        argument.name
        ?? (position
          < min(names.count, [.hessian, .ggn, .gaussNewtonOperator, .kfac].contains(function) ? 2 : 3)
          ? names[position] : nil)
      if argument.name == nil { position += 1 }
      guard let name, names.contains(name), values[name] == nil else {
        let near = argument.name.flatMap { closestMatch(to: $0, in: names) }.map { "did you mean '\($0)'?" }
        throw Diagnostic(
          .type, "\(function.rawValue) takes (\(names.joined(separator: ", ")))", at: argument.span,
          hint: near ?? (argument.name == nil ? Self.severalLeaves(function, arguments) : nil))
      }
      values[name] = argument.value
    }
  }

  subscript(_ name: String) -> Expr? { values[name] }

  func required(_ name: String) throws -> Expr {
    if let value = values[name] { return value }
    let names = Self.parameters(function)
    throw Diagnostic(
      .type, "\(function.rawValue) takes (\(names.joined(separator: ", ")))", at: span,
      hint: "'\(name)' is missing")
  }

  /// `grad(f, a, b)` is meant as `grad(f, (a, b))`.
  private static func severalLeaves(_ function: CalculusFunction, _ arguments: [Argument]) -> String? {
    guard parameters(function).count < 4, !parameters(function).contains("v"), arguments.count > 2 else {
      return nil
    }
    let leaves = arguments.dropFirst().map(\.span.text).joined(separator: ", ")
    return "several leaves stand in parentheses: \(function.rawValue)(\(arguments[0].span.text), (\(leaves)))"
  }
}
