import Calculus
import Graph
import Syntax
import Tensors

extension Elaborator {
  func build(_ expr: Expr) throws -> Meaning {
    switch expr.kind {
    case .number(let x): return .node(graph.fill(x))
    case .boolean(let b): return .node(graph.fill(b ? 1 : 0))
    case .string(let parts): return try .string(text(parts, expr.span))
    case .name(let name): return try self.name(name, expr.span)
    case .literal(let rows): return .node(try literal(rows, expr.span))
    case .comprehension(let element, let clauses): return try comprehension(element, clauses)
    case .tuple(let items): return .tuple(try items.map(meaning))
    case .chain(let first, let rest): return try chain(first, rest)
    case .power(let base, let exponent): return try power(base, exponent)
    case .unary(let op, let operand): return try unary(op, operand)
    case .transpose(let operand): return .node(try transpose(operand))
    case .comparison(let first, let rest): return .node(try comparison(first, rest))
    case .logical(let op, let items): return .node(try logical(op, items))
    case .conditional(let c, let a, let b): return try conditional(c, a, b)
    case .range(let a, let b): return .range(try a.map(node), try b.map(node))
    case .index(let base, let items): return try index(base, items, expr.span)
    case .call(let callee, let arguments): return try call(expr, callee, arguments)
    case .field(let base, let name): return try field(base, name, expr.span)
    case .command(let command):
      throw Diagnostic(
        .type, "the command '\(command.verb)' cannot be part of a formula", at: expr.span,
        hint: "assign its result first: r = \(command.verb) …")
    }
  }

  private func text(_ parts: [StringPart], _ span: Span) throws -> String {
    var result = ""
    for part in parts {
      guard case .text(let text) = part else {
        throw Diagnostic(.type, "values cannot be inserted into a string here", at: span)
      }
      result += text
    }
    return result
  }

  // MARK: Literals

  private func literal(_ rows: [[Expr]], _ span: Span) throws -> NodeID {
    let nodes = try rows.map { try stack($0, span) }
    return nodes.count == 1 ? nodes[0] : try stack(nodes, rows.map { $0.first?.span ?? span }, span)
  }

  private func stack(_ items: [Expr], _ span: Span) throws -> NodeID {
    // Long rows of plain numbers are a constant at once.
    var numbers: [Double] = []
    for item in items {
      guard case .number(let x) = item.kind else { break }
      numbers.append(x)
    }
    if numbers.count == items.count { return graph.constant(Tensor(vector: numbers)) }
    return try stack(items.map(node), items.map(\.span), span)
  }

  /// Puts nodes of one shape side by side on a new first axis.
  private func stack(_ nodes: [NodeID], _ spans: [Span], _ span: Span) throws -> NodeID {
    guard let first = nodes.first else { return graph.constant(Tensor(vector: [])) }
    let shape = graph.shape(first)
    for (node, place) in zip(nodes, spans) where graph.shape(node) != shape {
      let (a, b) = (shape.shapeDescription, graph.shape(node).shapeDescription)
      throw Diagnostic(
        .shape, "the parts of a literal must have one shape", at: place,
        labels: [.init(spans[0], "shape \(a)"), .init(place, "shape \(b)")],
        hint: "brackets stack their parts on a new axis; cat(a, b) joins along an axis")
    }
    return graph.stacked(nodes)
  }

  // MARK: Operators

  private func chain(_ first: Expr, _ rest: [ChainLink]) throws -> Meaning {
    var result = try meaning(first)
    var span = first.span
    for link in rest {
      let right = try meaning(link.operand)
      result = try combine(result, span, link.op, right, link.operand.span)
      span = span.union(link.operand.span)
    }
    return result
  }

  /// A binary operator, on bundles param by param.
  private func combine(
    _ a: Meaning, _ spanA: Span, _ op: BinaryOperator, _ b: Meaning, _ spanB: Span
  ) throws -> Meaning {
    if let result: Meaning = try combine(operators: a, spanA, op, b, spanB) { return result }
    if op != .matmul, let pair = try bundles(a, spanA, b, spanB) {
      let nodes = try pair.nodes.map { x, y in
        try arithmetic(PlacedNode(node: x, span: spanA), op, PlacedNode(node: y, span: spanB))
      }
      return .bundle(Bundle(names: pair.names, nodes: nodes))
    }
    let left = PlacedNode(node: try asNode(a, spanA), span: spanA)
    let right = PlacedNode(node: try asNode(b, spanB), span: spanB)
    return .node(try arithmetic(left, op, right))
  }

  /// Two operands as bundles when either is one: a scalar goes with every part, a flat vector is cut.
  func bundles(
    _ a: Meaning, _ spanA: Span, _ b: Meaning, _ spanB: Span
  ) throws -> (names: [String], nodes: [(NodeID, NodeID)])? {
    switch (a, b) {
    case (.bundle(let x), .bundle(let y)):
      guard x.names == y.names else {
        throw Diagnostic(
          .shape, "these bundles are over different params", at: spanA.union(spanB),
          labels: [
            .init(spanA, x.names.joined(separator: ", ")), .init(spanB, y.names.joined(separator: ", ")),
          ])
      }
      return (x.names, Array(zip(x.nodes, y.nodes)))
    case (.bundle(let x), _):
      let parts = try asParts(b, like: x.nodes, spanB)
      return (x.names, Array(zip(x.nodes, parts)))
    case (_, .bundle(let y)):
      let parts = try asParts(a, like: y.nodes, spanA)
      return (y.names, Array(zip(parts, y.nodes)))
    default: return nil
    }
  }

  /// A value as one tensor for each of `models`: a bundle or tuple as it is, a scalar repeated, a flat vector cut.
  func asParts(_ value: Meaning, like models: [NodeID], _ span: Span) throws -> [NodeID] {
    switch value {
    case .bundle(let bundle) where bundle.nodes.map(graph.shape) == models.map(graph.shape):
      return bundle.nodes
    case .tuple(let items) where items.count == models.count: return try items.map { try asNode($0, span) }
    default: break
    }
    let node = try asNode(value, span)
    let shape = graph.shape(node)
    if shape.isEmpty { return models.map { _ in node } }
    if models.count == 1, shape == graph.shape(models[0]) { return [node] }
    let total = models.reduce(0) { $0 + graph.shape($1).elementCount }
    guard shape == [total] else {
      throw Diagnostic(
        .shape, "a tensor of shape \(shape.shapeDescription) does not fit the params", at: span,
        notes: ["params have \(total) entries in all"],
        hint: "use a bundle over the same params, or a flat vector")
    }
    var offset = 0
    return models.map { model in
      let s = graph.shape(model)
      let place = graph.selector(.flatten(offset: offset, s), [total] + s)
      offset += s.elementCount
      return graph.contract(
        1, [Operand(node, [s.count]), Operand(place, [s.count] + Array(s.indices))], to: Array(s.indices))
    }
  }

  func arithmetic(_ a: PlacedNode, _ op: BinaryOperator, _ b: PlacedNode) throws -> NodeID {
    if op == .matmul { return try matmul(a, b) }
    let (operands, shape) = try graph.broadcast([a, b], "'\(op.rawValue)'")
    var sizes: [Label: Int] = [:]
    for axis in shape.indices { sizes[axis] = shape[axis] }
    let axes = Array(shape.indices)
    switch op {
    case .add: return graph.add([Summand(1, operands[0]), Summand(1, operands[1])], shape: shape)
    case .subtract: return graph.add([Summand(1, operands[0]), Summand(-1, operands[1])], shape: shape)
    case .multiply: return graph.contract(1, operands, to: axes, sizes: sizes)
    case .divide:
      if let x = graph.constantValue(operands[0].node), let y = graph.constantValue(operands[1].node) {
        return graph.fill(x / y, shape)
      }
      let small = operands[1].labels.indices.map { $0 }
      let inverse = graph.map(
        .reciprocal, [Operand(operands[1].node, small)], shape: graph.shape(operands[1].node))
      return graph.contract(1, [operands[0], Operand(inverse, operands[1].labels)], to: axes, sizes: sizes)
    case .remainder: return graph.map(.modulo, operands, shape: shape)
    case .matmul: return try matmul(a, b)
    }
  }

  /// `a @ b`: the last axis of a with the last but one of b (the only one of a vector); leading axes broadcast.
  private func matmul(_ a: PlacedNode, _ b: PlacedNode) throws -> NodeID {
    let (p, q) = (graph.shape(a.node), graph.shape(b.node))
    guard !p.isEmpty, !q.isEmpty else {
      throw Diagnostic(
        .shape, "'@' multiplies matrices and vectors, not scalars", at: a.span.union(b.span), hint: "use *")
    }
    let inner = q.count == 1 ? q[0] : q[q.count - 2]
    guard p[p.count - 1] == inner else {
      let isOuter = p.count == 1 && q.count == 1
      throw Diagnostic(
        .shape, "shapes \(p.shapeDescription) and \(q.shapeDescription) do not fit in '@'",
        at: a.span.union(b.span),
        labels: [
          .init(a.span, "shape \(p.shapeDescription): last axis \(p[p.count - 1])"),
          .init(
            b.span, "shape \(q.shapeDescription): \(q.count == 1 ? "its axis" : "last but one") \(inner)"),
        ],
        hint: isOuter
          ? "outer(a, b) multiplies every entry with every entry" : "the inner sizes must be equal")
    }
    let batch = max(p.count, q.count, 2) - 2
    let (m, n, k) = (batch, batch + 1, batch + 2)
    func labels(_ shape: Shape, _ own: [Label]) -> [Label] {
      let lead = shape.count - own.count
      return (0..<lead).map { $0 + batch - lead } + own
    }
    let la = labels(p, p.count == 1 ? [k] : [m, k])
    let lb = labels(q, q.count == 1 ? [k] : [k, n])
    for label in 0..<batch {
      if let i = la.firstIndex(of: label), let j = lb.firstIndex(of: label), p[i] != q[j] {
        throw Diagnostic(
          .shape, "shapes \(p.shapeDescription) and \(q.shapeDescription) do not fit in '@'",
          at: a.span.union(b.span), hint: "leading axes must be equal")
      }
    }
    let result = Array(0..<batch) + (p.count == 1 ? [] : [m]) + (q.count == 1 ? [] : [n])
    return graph.contract(1, [Operand(a.node, la), Operand(b.node, lb)], to: result)
  }

  private func power(_ base: Expr, _ exponent: Expr) throws -> Meaning {
    let x = try placed(base)
    let y = try placed(exponent)
    if let n = try integerExponent(y, exponent) { return .node(graph.map(.power(n), x.node)) }
    if let value = knownNumber(y.node), value == 0.5 { return .node(graph.map(.sqrt, x.node)) }
    let (operands, shape) = try graph.broadcast([x, y], "'^'")
    return .node(graph.map(.pow, operands, shape: shape))
  }

  /// Integer exponents are static: constants, and names bound to whole numbers (their value then counts).
  private func integerExponent(_ y: PlacedNode, _ expr: Expr) throws -> Int? {
    guard graph.shape(y.node).isEmpty else { return nil }
    if let value = knownNumber(y.node) { return value.magnitude <= 512 ? Int(exactly: value) : nil }
    guard let leaf = graph.leaf(of: standingFor(y.node)), let source = interpreter.slots.source(leaf.id),
      case .variable(let v)? = interpreter.binding(of: source), !v.isLoopVariable,
      let value = interpreter.currentValue(of: leaf), let n = Int(exactly: value.scalarValue),
      n.magnitude <= 64
    else { return nil }
    _ = try staticValue(y.node, expr.span, "an exponent")
    return n
  }

  private func unary(_ op: UnaryOperator, _ operand: Expr) throws -> Meaning {
    let value = try meaning(operand)
    switch op {
    case .plus: return value
    case .negate:
      if case .bundle = value { return map(value) { graph.scaled(-1, $0) } }
      if case .operator(let form) = value { return .operator(try negated(form, operand.span)) }
      return .node(graph.scaled(-1, try asNode(value, operand.span)))
    case .not: return .node(graph.map(.not, try asNode(value, operand.span)))
    }
  }

  private func transpose(_ operand: Expr) throws -> NodeID {
    let x = try node(operand)
    let rank = graph.shape(x).count
    if rank == 0 { try refusePrime(operand, x) }
    guard rank >= 2 else { return x }
    var labels = Array(0..<rank)
    labels.swapAt(rank - 1, rank - 2)
    return graph.contract(1, [Operand(x, labels)], to: Array(0..<rank))
  }

  /// `f'` of a scalar formula is meant as its derivative; the formula itself would pass for it.
  private func refusePrime(_ operand: Expr, _ node: NodeID) throws {
    guard case .name = operand.kind, graph.leaf(of: node) == nil,
      let param = paramsBundle(of: [node]).names.first
    else { return }
    throw Diagnostic(
      .type, "' transposes, and '\(operand.span.text)' is a number", at: operand.span,
      hint: "a derivative is written grad(\(operand.span.text), \(param))")
  }

  private func comparison(_ first: Expr, _ rest: [ComparisonLink]) throws -> NodeID {
    let start = try meaning(first)
    if case .string(let text) = start, rest.count == 1 { return try textComparison(text, rest[0]) }
    var left = PlacedNode(node: try asNode(start, first.span), span: first.span)
    var result: NodeID?
    for link in rest {
      let right = try placed(link.operand)
      let (operands, shape) = try graph.broadcast([left, right], "'\(link.op.rawValue)'")
      let (x, y) = (operands[0], operands[1])
      let part: NodeID
      switch link.op {
      case .less: part = graph.map(.less, [x, y], shape: shape)
      case .lessEqual: part = graph.map(.lessEqual, [x, y], shape: shape)
      case .greater: part = graph.map(.less, [y, x], shape: shape)
      case .greaterEqual: part = graph.map(.lessEqual, [y, x], shape: shape)
      case .equal: part = graph.map(.equal, [x, y], shape: shape)
      case .notEqual: part = graph.map(.notEqual, [x, y], shape: shape)
      }
      result = try result.map { try join(.and, $0, part, first.span, link.operand.span) } ?? part
      left = right
    }
    return result ?? left.node
  }

  /// `c.kind == "saddle"`: strings are known when the formula is built.
  private func textComparison(_ a: String, _ link: ComparisonLink) throws -> NodeID {
    guard link.op == .equal || link.op == .notEqual, case .string(let b) = try meaning(link.operand) else {
      throw Diagnostic(.type, "strings are compared with == and !=, with a string", at: link.operand.span)
    }
    return graph.fill((a == b) == (link.op == .equal) ? 1 : 0)
  }

  private func join(_ f: MapFunction, _ a: NodeID, _ b: NodeID, _ spanA: Span, _ spanB: Span) throws -> NodeID
  {
    let items = [PlacedNode(node: a, span: spanA), PlacedNode(node: b, span: spanB)]
    let (operands, shape) = try graph.broadcast(items, "'\(f.name)'")
    return graph.map(f, operands, shape: shape)
  }

  private func logical(_ op: LogicalOperator, _ items: [Expr]) throws -> NodeID {
    var result = try node(items[0])
    for item in items.dropFirst() {
      result = try join(op == .and ? .and : .or, result, try node(item), items[0].span, item.span)
    }
    return result
  }

  /// A condition that is known picks its branch; another selects pointwise.
  private func conditional(_ c: Expr, _ a: Expr, _ b: Expr) throws -> Meaning {
    let condition = try placed(c)
    if let known = knownNumber(condition.node) { return try meaning(known != 0 ? a : b) }
    let items = [condition, try placed(a), try placed(b)]
    let (operands, shape) = try graph.broadcast(items, "'if'")
    return .node(graph.select(operands[0], operands[1], operands[2], shape: shape))
  }

  /// a, a+1, … below b.
  func integers(from a: NodeID, to b: NodeID, _ span: Span) throws -> NodeID {
    let low = try staticValue(a, span, "a range").scalarValue
    let high = try staticValue(b, span, "a range").scalarValue
    guard let first = Int(exactly: low), let last = Int(exactly: high), last - first < 100_000_000 else {
      throw Diagnostic(
        .domain, "a range of whole numbers needs whole ends", at: span,
        hint: "linspace(a, b, n) makes points between")
    }
    return graph.constant(Tensor(vector: first < last ? (first..<last).map(Double.init) : []))
  }

  private func field(_ base: Expr, _ name: String, _ span: Span) throws -> Meaning {
    let value = try meaning(base)
    switch value {
    case .fields(let fields):
      if let found = fields.first(where: { $0.name == name }) { return found.value }
      throw missing(name, fields.map(\.name), "this record", span)
    case .bundle(let bundle):
      if let k = bundle.names.firstIndex(of: name) { return .node(bundle.nodes[k]) }
      throw missing(name, bundle.names, "this bundle", span)
    case .blockMatrix(let node, let names, let sizes):
      guard let k = names.firstIndex(of: name) else { throw missing(name, names, "this matrix", span) }
      return rows(of: node, k, names, sizes)
    default:
      throw Diagnostic(
        .type, "\(value.kindName) has no fields", at: span, hint: hint(forField: name, of: base.span.text))
    }
  }

  /// The rows of a block matrix for one param, as a bundle of blocks.
  private func rows(of node: NodeID, _ k: Int, _ names: [String], _ sizes: [Int]) -> Meaning {
    func slice(_ place: Int) -> NodeID {
      let start = sizes[..<place].reduce(0, +)
      let total = sizes.reduce(0, +)
      return graph.selector(.slice(start: start, step: 1, count: sizes[place]), [total, sizes[place]])
    }
    let blocks = names.indices.map { j in
      graph.contract(
        1, [Operand(node, [2, 3]), Operand(slice(k), [2, 0]), Operand(slice(j), [3, 1])], to: [0, 1])
    }
    return .bundle(Bundle(names: names, nodes: blocks))
  }

  private func missing(_ name: String, _ known: [String], _ what: String, _ span: Span) -> Diagnostic {
    Diagnostic(
      .name, "\(what) has no field '\(name)'", at: span, notes: ["it has \(known.joined(separator: ", "))"],
      hint: closestMatch(to: name, in: known).map { "did you mean '\($0)'?" })
  }
}
