/// Turns nodes into expressions: `matrix(_:)` in matrix notation where that is possible, `entry(_:at:in:)` entry by
/// entry with index letters always.
final class MathBuilder {
  /// Longer sums and products are cut off with `…`.
  static let termLimit = 40
  /// This many terms of a sum are put in order before it is cut off.
  static let sortLimit = 2000

  let graph: TensorGraph
  let outline: MathOutline
  private var renderer: MathRenderer
  private var memo: [NodeID: MathExpression?] = [:]
  private var forced = Set<NodeID>()
  private var keys: [MathExpression: MathOrder] = [:]

  init(_ graph: TensorGraph, _ outline: MathOutline, _ style: MathStyle, _ names: [NodeID: String]) {
    self.graph = graph
    self.outline = outline
    renderer = MathRenderer(style: style, names: names)
  }

  // MARK: Matrix notation

  /// The node in matrix notation; a reference when it has a line of its own; nil when it cannot be written so.
  func matrix(_ id: NodeID) -> MathExpression? {
    isDefined(id) ? .reference(id) : expanded(id)
  }

  /// The node has a line of its own.
  func isDefined(_ id: NodeID) -> Bool { outline.isDefined.contains(id) || forced.contains(id) }

  /// Gives the node a line of its own, for places that entries cannot be written in.
  func reference(_ id: NodeID) -> MathExpression {
    forced.insert(id)
    return .reference(id)
  }

  private func whole(_ id: NodeID) -> MathExpression { matrix(id) ?? reference(id) }

  /// The same, never a reference to the node itself.
  func expanded(_ id: NodeID) -> MathExpression? {
    if let known = memo[id] { return known }
    let made = written(id)
    memo[id] = .some(made)
    return made
  }

  private func written(_ id: NodeID) -> MathExpression? {
    let node = graph[id]
    let rank = node.shape.count
    if case .leaf(let index) = node.op { return .name(graph.leaves[index].name) }
    guard rank <= 2 else { return nil }
    switch node.op {
    case .leaf, .table: return nil
    case .tensor(let index): return literal(index)
    case .contract(let scale): return contraction(node, scale)
    case .add(let coefficients): return matrixSum(node, coefficients)
    case .map(let f): return matrixMap(f, node)
    case .selector(let s): return symbol(s, node.shape)
    case .stop, .dense: return matrix(node.operands[0].node)
    case .reduceMax:
      return rank == 0 ? matrix(node.operands[0].node).map { .call("max", [$0]) } : nil
    case .argmax: return .call("argmax", [whole(node.operands[0].node)])
    case .argsort: return .call("argsort", [whole(node.operands[0].node)])
    case .external(.differential): return .differential(whole(node.operands[0].node))
    case .external(let f): return .call(f.name, node.operands.map { whole($0.node) })
    case .matrix(let f): return linearAlgebra(f, node.operands.map { whole($0.node) })
    }
  }

  private func literal(_ index: Int) -> MathExpression? {
    let tensor = graph.constants[index]
    guard tensor.rank <= 2, tensor.count <= 9, tensor.count > 0 else { return nil }
    let columns = tensor.shape.last ?? 1
    let values = tensor.doubles
    return .literal(
      stride(from: 0, to: values.count, by: columns).map { Array(values[$0..<($0 + columns)]) })
  }

  func symbol(_ s: Selector, _ shape: [Int]) -> MathExpression? {
    if s.isIdentity(shape) { return .symbol(.identity) }
    if s.rank == 1 && s.covers(axis: 0, size: shape[0]) { return .symbol(.ones) }
    if s.rank == 1 && s.extents.isEmpty { return .symbol(.unit(s.starts[0])) }
    return nil
  }

  private func matrixSum(_ node: Node, _ coefficients: [Double]) -> MathExpression? {
    if node.operands.isEmpty { return .zero }
    var terms: [MathTerm] = []
    for (coefficient, operand) in zip(coefficients, node.operands).prefix(Self.sortLimit) {
      guard let body = view(operand, node.shape.count) else { return nil }
      terms.append(MathTerm(coefficient: coefficient, body: body))
    }
    return sum(terms)
  }

  private func matrixMap(_ f: MapFunction, _ node: Node) -> MathExpression? {
    var arguments: [MathExpression] = []
    for operand in node.operands {
      guard let argument = view(operand, node.shape.count) else { return nil }
      arguments.append(argument)
    }
    return function(f, arguments, rank: node.shape.count)
  }

  /// An operand of a pointwise operation, transposed or broadcast to its rank; scalars stay as they are.
  private func view(_ operand: Operand, _ rank: Int) -> MathExpression? {
    guard let base = matrix(operand.node) else { return nil }
    let labels = operand.labels
    if labels.isEmpty || labels == Array(0..<rank) { return base }
    switch (rank, labels) {
    case (1, [0, 0]): return .call("diagonal", [base])
    case (2, [1, 0]): return base.transposed
    case (2, [0]): return .matrixProduct([base, MathExpression.symbol(.ones).transposed])
    case (2, [1]): return .matrixProduct([.symbol(.ones), base.transposed])
    default: return nil
    }
  }

  // MARK: Ordered sums and products

  var isUnicode: Bool { renderer.style == .unicode }

  func text(_ e: MathExpression) -> String { renderer.text(e) }

  func order(_ e: MathExpression) -> MathOrder {
    if let known = keys[e] { return known }
    var names: [String] = []
    let degree = e.collect(into: &names) { self.text($0) }
    let made = MathOrder(
      isIdentity: e.isIdentity, names: Set(names).sorted(by: MathOrder.naturally), degree: degree,
      text: text(e))
    keys[e] = made
    return made
  }

  /// Like terms added up, a common factor taken out, positive terms first.
  func sum(_ terms: [MathTerm]) -> MathExpression {
    var merged: [MathTerm] = []
    var place: [MathExpression: Int] = [:]
    for term in terms { flatten(term, &merged, &place) }
    // What cancelled is kept by the graph, where 0·NaN is not 0; a reader wants the rest.
    merged.removeAll { $0.coefficient == 0 }
    if merged.isEmpty { return .zero }
    merged.sort { a, b in
      if (a.coefficient < 0) != (b.coefficient < 0) { return b.coefficient < 0 }
      return order(a.body).precedes(order(b.body))
    }
    let isCut = merged.count > Self.termLimit
    if isCut { merged[Self.termLimit...] = [MathTerm(coefficient: 1, body: .symbol(.ellipsis))] }
    if merged.count == 1 { return merged[0].body.scaled(merged[0].coefficient) }
    let size = merged[0].coefficient.magnitude
    if size != 1, size.isFinite, size != 0, !isCut, merged.allSatisfy({ $0.coefficient.magnitude == size }) {
      let sign: Double = merged[0].coefficient < 0 ? -1 : 1
      let inner = merged.map { MathTerm(coefficient: $0.coefficient > 0 ? sign : -sign, body: $0.body) }
      return .product(sign * size, [.sum(inner)], .scalar)
    }
    return .sum(merged)
  }

  private func flatten(_ term: MathTerm, _ merged: inout [MathTerm], _ place: inout [MathExpression: Int]) {
    if case .sum(let inner) = term.body, term.coefficient.magnitude == 1 {
      for part in inner {
        flatten(MathTerm(coefficient: term.coefficient * part.coefficient, body: part.body), &merged, &place)
      }
      return
    }
    let part = term.body.separated
    if case .sum = part.body, part.coefficient != 1, (term.coefficient * part.coefficient).magnitude == 1 {
      return flatten(
        MathTerm(coefficient: term.coefficient * part.coefficient, body: part.body), &merged, &place)
    }
    if part.body == .one && part.coefficient == 0 { return }
    let coefficient = term.coefficient * part.coefficient
    if let known = place[part.body] {
      merged[known].coefficient += coefficient
    } else {
      place[part.body] = merged.count
      merged.append(MathTerm(coefficient: coefficient, body: part.body))
    }
  }

  /// A product of scalars: numbers in front, equal factors as powers, reciprocals below a line.
  func scalarProduct(_ scale: Double, _ factors: [MathExpression]) -> MathExpression {
    var parts = MathFactors(scale: scale)
    for factor in factors { parts.collect(factor, .scalar) }
    if parts.isZero { return .zero }
    return fraction(parts, .scalar, elementwise: false)
  }

  /// A product entry by entry of tensors of one rank (1 or 2).
  func pointwise(_ factors: [MathExpression], rank: Int) -> MathExpression {
    var parts = MathFactors(scale: 1)
    for factor in factors { parts.collect(factor, .pointwise) }
    return fraction(parts, .pointwise, elementwise: rank > 1 || !parts.top.isEmpty)
  }

  private func fraction(_ parts: MathFactors, _ kind: MathProductKind, elementwise: Bool) -> MathExpression {
    let top = joined(parts.top, kind)
    guard !parts.bottom.isEmpty else { return top.scaled(parts.scale) }
    let bottom = joined(parts.bottom, kind)
    return MathExpression.quotient(top, bottom, elementwise: elementwise).scaled(parts.scale)
  }

  private func joined(_ factors: [MathExpression], _ kind: MathProductKind) -> MathExpression {
    if factors.isEmpty { return .one }
    var factors = factors
    if kind == .scalar { factors = collectPowers(factors) }
    factors.sort { order($0).precedesAsFactor(order($1), $0.factorClass, $1.factorClass) }
    return factors.count == 1 ? factors[0] : .product(1, factors, kind)
  }

  private func collectPowers(_ factors: [MathExpression]) -> [MathExpression] {
    var exponents: [MathExpression: Int] = [:]
    var bases: [MathExpression] = []
    for factor in factors {
      var (base, n) = (factor, 1)
      if case .power(let inner, let exponent, rank: 0) = factor, exponent > 0 {
        (base, n) = (inner, exponent)
      }
      if exponents[base] == nil { bases.append(base) }
      exponents[base, default: 0] += n
    }
    return bases.map { base in
      let n = exponents[base] ?? 1
      return n == 1 ? base : .power(base, n, rank: 0)
    }
  }

  /// scalars · body, where the body is a vector or a matrix.
  func scaledBody(_ scale: Double, _ scalars: [MathExpression], _ body: MathExpression) -> MathExpression {
    let part = body.separated
    if scalars.isEmpty { return body.scaled(scale) }
    var parts = MathFactors(scale: scale * part.coefficient)
    for factor in scalars { parts.collect(factor, .scalar) }
    if parts.isZero { return .zero }
    var tail = [part.body]
    if case .product(1, let factors, .scalar) = part.body { tail = factors }
    let head: [MathExpression]
    switch joined(parts.top, .scalar) {
    case .number: head = []
    case .product(1, let factors, .scalar): head = factors
    case let single: head = [single]
    }
    let all = head + tail
    let top = all.count == 1 ? all[0] : MathExpression.product(1, all, .scalar)
    guard !parts.bottom.isEmpty else { return top.scaled(parts.scale) }
    return MathExpression.quotient(top, joined(parts.bottom, .scalar), elementwise: false).scaled(parts.scale)
  }
}
