import Calculus
import Graph
import Syntax
import Tensors

/// A square matrix that is known by its product with a vector: a Hessian or Gauss–Newton matrix that is never formed, and
/// sums, multiples and products of such.
struct OperatorForm {
  /// `∇²f`, for headings.
  let name: String
  /// A leaf of shape [n], the same for all operators of one order.
  let direction: NodeID
  /// The product with `direction`, of shape [n].
  let product: NodeID
  /// Known to equal its transpose.
  let isSymmetric: Bool
  /// Of a Hessian: what its structured form is built from.
  var hessian: HessianSource?

  /// With other nodes, as by putting arguments in the place of formal parameters.
  func mapped(_ change: (NodeID) -> NodeID) -> OperatorForm {
    var result = OperatorForm(
      name: name, direction: direction, product: change(product), isSymmetric: isSymmetric)
    if let hessian, hessian.leaves.allSatisfy({ change($0) == $0 }) {
      result.hessian = HessianSource(f: change(hessian.f), leaves: hessian.leaves)
    }
    return result
  }
}

extension TensorGraph {
  /// The entries of an operator, where a matrix is wanted.
  func matrix(_ form: OperatorForm) -> NodeID {
    if let hessian = form.hessian { return hessianMatrix(hessian.f, wrt: hessian.leaves) }
    let n = shape(form.direction)[0]
    let rows = batched([form.product], [form.direction: delta(n)], count: n)
    return contract(1, [Operand(rows[0], [1, 0])], to: [0, 1])
  }
}

extension Elaborator {
  func order(_ form: OperatorForm) -> Int { graph.shape(form.direction)[0] }

  /// The leaf that stands for the vector which operators of order n multiply.
  private func direction(_ n: Int) -> NodeID {
    interpreter.placeholder("v", [n], function: -4, depth: 0)
  }

  /// ∇²f over all targets, flattened, row-major and in their order.
  func hessianOperator(_ f: NodeID, _ targets: Targets, name: String, _ span: Span) throws -> OperatorForm {
    var form = try operatorForm(targets, name: name, span) { graph.hvp(f, wrt: targets.leaves, $0) }
    form.hessian = HessianSource(f: f, leaves: targets.leaves)
    return form
  }

  /// The generalised Gauss–Newton matrix, as `ggn` splits the loss.
  func gaussNewtonOperator(_ f: NodeID, _ targets: Targets, at: Expr?, name: String, _ span: Span) throws
    -> OperatorForm
  {
    try operatorForm(targets, name: name, span) { try gaussNewtonProduct(f, targets, at: at, $0, span) }
  }

  /// Its product with directions of the targets' shapes.
  func gaussNewtonProduct(_ f: NodeID, _ targets: Targets, at: Expr?, _ directions: [NodeID], _ span: Span)
    throws -> [NodeID]
  {
    let products = try split(f, targets, at, span).enumerated().map { k, term in
      graph.ggnProduct(
        term.loss, at: term.output, wrt: targets.leaves, directions,
        output: interpreter.placeholderLeaf(
          "y", graph.shape(term.output), function: -3 - 2 * k, depth: depth))
    }
    return targets.leaves.indices.map { i in
      graph.add(products.map { $0[i] }, shape: graph.shape(targets.leaves[i]))
    }
  }

  private func operatorForm(
    _ targets: Targets, name: String, _ span: Span, _ product: ([NodeID]) throws -> [NodeID]
  ) throws -> OperatorForm {
    guard targets.part == nil else {
      throw Diagnostic(
        .type, "an operator is over whole params", at: span, hint: "hessian takes a part: x[0]")
    }
    let v = direction(targets.leaves.reduce(0) { $0 + graph.shape($1).elementCount })
    let parts = try asParts(.node(v), like: targets.leaves, span)
    return OperatorForm(
      name: name, direction: v, product: graph.concatenated(try product(parts)), isSymmetric: true)
  }

  // MARK: Arithmetic

  /// A sum, multiple or product in which at least one side is an operator.
  func combine(
    operators a: Meaning, _ spanA: Span, _ op: BinaryOperator, _ b: Meaning, _ spanB: Span
  ) throws -> Meaning? {
    switch (a, b, op) {
    case (.operator(let x), .operator(let y), .matmul):
      try sameOrder(x, order(y), spanA.union(spanB))
      let product = graph.substitute([x.product], [x.direction: y.product])[0]
      return .operator(
        OperatorForm(
          name: "\(x.name)·\(y.name)", direction: x.direction, product: product, isSymmetric: false))
    case (.operator(let x), _, .matmul): return .node(try applied(x, to: b, spanA, spanB))
    case (_, .operator(let y), .matmul):
      let left = try asNode(a, spanA)
      guard y.isSymmetric, graph.shape(left).count == 1 else {
        throw Diagnostic(
          .type, "an operator multiplies what stands at its right", at: spanA.union(spanB),
          hint: "write it in front: H @ v")
      }
      return .node(try applied(y, to: .node(left), spanB, spanA))
    case (.operator(let x), _, .add), (.operator(let x), _, .subtract):
      return .operator(try sum(x, spanA, op == .add ? 1 : -1, operatorForm(of: b, like: x, spanB), spanB))
    case (_, .operator(let y), .add), (_, .operator(let y), .subtract):
      return .operator(try sum(operatorForm(of: a, like: y, spanA), spanA, op == .add ? 1 : -1, y, spanB))
    case (.operator(let x), _, .multiply), (.operator(let x), _, .divide):
      return .operator(try scaled(x, op, PlacedNode(node: asNode(b, spanB), span: spanB)))
    case (_, .operator(let y), .multiply):
      return .operator(try scaled(y, op, PlacedNode(node: asNode(a, spanA), span: spanA)))
    case (.operator, _, _), (_, .operator, _):
      throw Diagnostic(
        .type, "'\(op.rawValue)' has no meaning for an operator", at: spanA.union(spanB),
        hint: "operators are added, multiplied by numbers and by each other (@), and applied: H @ v")
    default: return nil
    }
  }

  func negated(_ form: OperatorForm, _ span: Span) throws -> OperatorForm {
    try scaled(form, .multiply, PlacedNode(node: graph.fill(-1), span: span))
  }

  private func sameOrder(_ x: OperatorForm, _ n: Int, _ span: Span) throws {
    guard order(x) != n else { return }
    throw Diagnostic(.shape, "operators of order \(order(x)) and \(n) do not fit together", at: span)
  }

  /// A number times an operator.
  private func scaled(_ x: OperatorForm, _ op: BinaryOperator, _ factor: PlacedNode) throws -> OperatorForm {
    guard graph.shape(factor.node).isEmpty else {
      throw Diagnostic(
        .shape,
        "an operator is multiplied by numbers, not by a tensor of shape "
          + graph.shape(factor.node).shapeDescription, at: factor.span,
        hint: "its product with a vector is H @ v")
    }
    let product = try arithmetic(PlacedNode(node: x.product, span: factor.span), op, factor)
    return OperatorForm(
      name: "(\(factor.span.text))·\(x.name)", direction: x.direction, product: product,
      isSymmetric: x.isSymmetric)
  }

  private func sum(_ x: OperatorForm, _ spanX: Span, _ sign: Double, _ y: OperatorForm, _ spanY: Span) throws
    -> OperatorForm
  {
    try sameOrder(x, order(y), spanX.union(spanY))
    let product = graph.add(
      [Summand(1, Operand(x.product, [0])), Summand(sign, Operand(y.product, [0]))], shape: [order(x)])
    return OperatorForm(
      name: "(\(x.name) \(sign > 0 ? "+" : "−") \(y.name))", direction: x.direction, product: product,
      isSymmetric: x.isSymmetric && y.isSymmetric)
  }

  /// A matrix as an operator beside another one; a shift is a multiple of eye(n).
  private func operatorForm(of meaning: Meaning, like other: OperatorForm, _ span: Span) throws
    -> OperatorForm
  {
    if case .operator(let form) = meaning { return form }
    let node = try asNode(meaning, span)
    let n = order(other)
    guard graph.shape(node) == [n, n] else {
      let isNumber = graph.shape(node).isEmpty
      throw Diagnostic(
        .shape,
        isNumber
          ? "a number is not added to an operator"
          : "a tensor of shape \(graph.shape(node).shapeDescription) is not added to an operator of order \(n)",
        at: span, hint: isNumber ? "a shift is a multiple of the identity: H - 2*eye(\(n))" : nil)
    }
    return matrixForm(node, name: span.text)
  }

  /// A square matrix by its products.
  func matrixForm(_ node: NodeID, name: String) -> OperatorForm {
    let v = direction(graph.shape(node)[0])
    return OperatorForm(
      name: name, direction: v,
      product: graph.contract(1, [Operand(node, [0, 1]), Operand(v, [1])], to: [0]),
      isSymmetric: graph.isSymmetric(node))
  }

  /// An operator's product with a vector, or with each column of a matrix.
  private func applied(_ form: OperatorForm, to value: Meaning, _ place: Span, _ span: Span) throws -> NodeID
  {
    let node = try asNode(value, span)
    let (shape, n) = (graph.shape(node), order(form))
    guard (1...2).contains(shape.count), shape[0] == n else {
      throw Diagnostic(
        .shape, "an operator of order \(n) and a tensor of shape \(shape.shapeDescription) do not fit in '@'",
        at: place.union(span), hint: "it takes vectors of \(n) entries, or \(n)×k matrices")
    }
    if shape.count == 1 { return graph.substitute([form.product], [form.direction: node])[0] }
    let rows = graph.contract(1, [Operand(node, [1, 0])], to: [0, 1])
    let products = graph.batched([form.product], [form.direction: rows], count: shape[1])[0]
    return graph.contract(1, [Operand(products, [1, 0])], to: [0, 1])
  }
}
