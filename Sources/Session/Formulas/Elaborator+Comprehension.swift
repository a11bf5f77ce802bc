import Engine
import Graph
import Syntax
import Tensors

/// A loop variable while the element of its comprehension is built: a leaf that stands for one entry of the domain.
struct LoopVariable {
  let name: String
  let placeholder: NodeID
  /// The entries, along the first axis.
  let domain: NodeID
  let count: Int
  /// Random numbers of the element: one entry's, and those of all entries.
  var draws: [(one: NodeID, all: NodeID)] = []
}

/// Thrown where a shape, an axis or a count needs the value of a loop variable, which has many: its comprehension
/// then builds its element for each entry apart.
struct NeedsLoopValue: Error {
  let variable: NodeID
  /// What needs it, for the error when that cannot be done.
  let what: String
  let span: Span
}

/// A comprehension as it was before its element was repeated, for evaluation piece by piece.
struct BatchRecord {
  /// The element, over the placeholders.
  let elements: [NodeID]
  let variables: [BatchPlan.Variable]
  /// Entries of each clause.
  let counts: [Int]
  /// The whole, as the formula has it.
  let results: [NodeID]
}

extension Elaborator {
  /// Entries of a domain whose elements are built one by one.
  private static var unrollLimit: Int { 4096 }
  /// Scopes of placeholders, apart from those of functions.
  private static var loopScope: Int { -1_000_000 }

  /// `[e for a in A, b in B]`: e is built once, for a leaf in the place of each variable; then the leaf becomes the
  /// whole domain, and what depends on it gets one more axis.
  func comprehension(_ element: Expr, _ clauses: [ComprehensionClause]) throws -> Meaning {
    let isOutermost = loops.isEmpty
    var variables: [LoopVariable] = []
    var elements: [NodeID]? = []
    let result = try each(element, clauses[...], &variables, &elements)
    if isOutermost, let elements, let first = result.nodes.first, variables.count == clauses.count {
      interpreter.batches[first] = record(elements, variables.reversed(), result)
    }
    return result
  }

  /// The clauses from here on. `variables` collects those that were batched, innermost first; `elements` becomes nil
  /// when some clause was not.
  private func each(
    _ element: Expr, _ clauses: ArraySlice<ComprehensionClause>, _ variables: inout [LoopVariable],
    _ elements: inout [NodeID]?
  ) throws -> Meaning {
    guard let clause = clauses.first else {
      let value = try self.element(element)
      if elements != nil { elements = value.nodes }
      return value
    }
    let domain = try self.domain(clause)
    let shape = graph.shape(domain)
    let placeholder = interpreter.placeholder(
      clause.name, Array(shape.dropFirst()), function: Self.loopScope, depth: depth)
    let saved = environment.locals[clause.name]
    let scope = environment
    defer { scope.locals[clause.name] = saved }
    environment.locals[clause.name] = .node(placeholder)
    loops.append(LoopVariable(name: clause.name, placeholder: placeholder, domain: domain, count: shape[0]))
    let open = loops.count
    do {
      let value = try each(element, clauses.dropFirst(), &variables, &elements)
      let loop = loops.removeLast()
      variables.append(loop)
      return batched(value, loop)
    } catch let need as NeedsLoopValue where need.variable == placeholder {
      loops.removeSubrange((open - 1)...)
      elements = nil
      return try unrolled(element, clauses, domain, need)
    } catch {
      loops.removeSubrange((open - 1)...)
      throw error
    }
  }

  /// What is stacked: tensors, or bundles, tuples and records of them.
  private func element(_ expr: Expr) throws -> Meaning {
    let value = try meaning(expr)
    switch value {
    case .range, .blockMatrix, .operator: return .node(try asNode(value, expr.span))
    case .string:
      throw Diagnostic(.type, "a comprehension stacks tensors, not strings", at: expr.span)
    default: return value
    }
  }

  private func batched(_ value: Meaning, _ loop: LoopVariable) -> Meaning {
    var variables = [loop.placeholder: loop.domain]
    for draw in loop.draws { variables[draw.one] = draw.all }
    return value.replacing(graph.batched(value.nodes, variables, count: loop.count))
  }

  // MARK: Domains

  /// The entries of a clause's domain along the first axis of a node.
  private func domain(_ clause: ComprehensionClause) throws -> NodeID {
    let value = try meaning(clause.domain)
    if case .range(let a?, let b?) = value, !loops.isEmpty, let moving = try range(from: a, to: b, clause) {
      return moving
    }
    let node = try asNode(value, clause.domain.span)
    guard !graph.shape(node).isEmpty else {
      throw Diagnostic(
        .type, "a comprehension runs over a range or a tensor, not a number", at: clause.domain.span,
        hint: "a range is 0..\(clause.domain.span.text)")
    }
    return node
  }

  /// A range whose ends move with variables of outer clauses, when its length does not; nil when they stand still.
  private func range(from a: NodeID, to b: NodeID, _ clause: ComprehensionClause) throws -> NodeID? {
    guard usesLoops(a) || usesLoops(b), graph.shape(a).isEmpty, graph.shape(b).isEmpty else { return nil }
    let length = graph.add([Summand(1, Operand(b, [])), Summand(-1, Operand(a, []))], shape: [])
    guard let lengths = loopValues(length)?.doubles, let first = lengths.first else { return nil }
    guard lengths.allSatisfy({ max($0, 0) == max(first, 0) }), let count = Int(exactly: max(first, 0)) else {
      guard let loop = innermostLoop(below: [standingFor(length)]) else { return nil }
      throw NeedsLoopValue(
        variable: loop.placeholder, what: "the range of '\(clause.name)'", span: clause.domain.span)
    }
    let offsets = graph.constant(Tensor(vector: (0..<count).map(Double.init)))
    return graph.add([Summand(1, Operand(a, [])), Summand(1, Operand(offsets, [0]))], shape: [count])
  }

  // MARK: Values of variables

  /// True when a node depends on the variable of a comprehension that is being built.
  func usesLoops(_ node: NodeID) -> Bool { innermostLoop(below: [standingFor(node)]) != nil }

  private func innermostLoop(below nodes: [NodeID]) -> LoopVariable? {
    guard !loops.isEmpty else { return nil }
    let leaves = Set(graph.leaves(below: nodes))
    return loops.last { leaves.contains($0.placeholder) }
  }

  /// The values of a node for all entries of the loop variables that it depends on, on new first axes, when they are
  /// constants; nil when they are not.
  func loopValues(_ node: NodeID) -> Tensor? {
    var actual = standingFor(node)
    for loop in loops.reversed() {
      let leaves = graph.leaves(below: [actual])
      guard leaves.contains(loop.placeholder) else { continue }
      guard leaves.allSatisfy({ leaf in loops.contains { $0.placeholder == leaf } }) else { return nil }
      let domain = standingFor(loop.domain)
      actual = graph.batched([actual], [loop.placeholder: domain], count: loop.count)[0]
    }
    if let value = graph.constantValue(actual) { return Tensor(repeating: value, graph.shape(actual)) }
    if case .tensor(let index) = graph[actual].op { return graph.constants[index] }
    return nil
  }

  /// The value that a node has in every entry; nil when it depends on no loop variable. Where it differs, the
  /// comprehension must build its elements apart.
  func commonLoopValue(_ node: NodeID, _ span: Span, _ what: String) throws -> Tensor? {
    guard let loop = innermostLoop(below: [node]) else { return nil }
    let shape = graph.shape(node)
    if let all = loopValues(node), all.count > 0 {
      let values = all.doubles
      let size = max(shape.elementCount, 1)
      let first = Array(values.prefix(shape.elementCount))
      if values.indices.allSatisfy({ values[$0] == first[$0 % size] }) { return Tensor(first, shape) }
    }
    throw NeedsLoopValue(variable: loop.placeholder, what: what, span: span)
  }

  // MARK: Elements one by one

  private func unrolled(
    _ element: Expr, _ clauses: ArraySlice<ComprehensionClause>, _ domain: NodeID, _ need: NeedsLoopValue
  ) throws -> Meaning {
    let count = graph.shape(domain)[0]
    let name = clauses.first?.name ?? ""
    guard count <= Self.unrollLimit else {
      throw Diagnostic(
        .resource,
        "\(need.what) depends on '\(name)', so each of \(count) entries would be a formula of its own",
        at: need.span, hint: "at most \(Self.unrollLimit) entries can be; use a for loop")
    }
    guard count > 0 else {
      throw Diagnostic(
        .shape, "\(need.what) depends on '\(name)', which has no entries", at: need.span,
        hint: "the shape of this comprehension is not known")
    }
    var parts: [Meaning] = []
    for k in 0..<count {
      environment.locals[name] = .node(entry(k, of: domain))
      var (variables, elements): ([LoopVariable], [NodeID]?) = ([], nil)
      parts.append(try each(element, clauses.dropFirst(), &variables, &elements))
      try checkShapes(parts[0], parts[k], k, need, name)
    }
    let nodes = parts[0].nodes.indices.map { place in
      graph.stacked(parts.map { $0.nodes[place] })
    }
    return parts[0].replacing(nodes)
  }

  /// One entry of a domain; a number where it is known.
  private func entry(_ k: Int, of domain: NodeID) -> NodeID {
    let shape = graph.shape(domain)
    if shape.count == 1, case .tensor(let index) = graph[domain].op {
      return graph.fill(graph.constants[index][flat: k])
    }
    return indexed(domain, [.place(k)] + shape.dropFirst().map { .all($0) })
  }

  private func checkShapes(
    _ first: Meaning, _ other: Meaning, _ k: Int, _ need: NeedsLoopValue, _ name: String
  )
    throws
  {
    let (a, b) = (first.nodes.map(graph.shape), other.nodes.map(graph.shape))
    guard a != b else { return }
    let differing = zip(a, b).first { $0 != $1 }
    throw Diagnostic(
      .shape, "the shape of this element depends on '\(name)'", at: need.span,
      notes: [
        differing.map {
          "entry 0 has shape \($0.0.shapeDescription), entry \(k) has shape \($0.1.shapeDescription)"
        } ?? "entries have different parts"
      ],
      hint: "the elements of a comprehension have one shape")
  }

  // MARK: Random numbers

  /// Numbers drawn anew for every entry of the comprehensions being built: one leaf for all, whose parts the
  /// placeholders of the loops stand for.
  func drawInLoops(_ distribution: Distribution, _ shape: Shape) -> NodeID {
    let counts = loops.map(\.count)
    var node = interpreter.drawnLeaf(distribution, counts + shape)
    for k in loops.indices {
      let part = Array(counts[(k + 1)...]) + shape
      let one = graph.leaf(Leaf(id: interpreter.slots.identity(), name: "draw", shape: part))
      loops[k].draws.append((one: one, all: node))
      node = one
    }
    return node
  }

  // MARK: Evaluation piece by piece

  /// The comprehension for evaluation in pieces; nil when a domain moves with an outer variable.
  private func record(_ elements: [NodeID], _ loops: [LoopVariable], _ result: Meaning) -> BatchRecord? {
    let placeholders = Set(loops.map(\.placeholder))
    guard placeholders.isDisjoint(with: graph.leaves(below: loops.map(\.domain))) else { return nil }
    var variables = loops.enumerated().map {
      BatchPlan.Variable(leaf: $1.placeholder, values: $1.domain, axes: [$0])
    }
    // The chain of a draw begins at the outermost loop and ends at the innermost.
    if let outer = loops.first, let inner = loops.last {
      for (all, one) in zip(outer.draws.map(\.all), inner.draws.map(\.one)) {
        variables.append(BatchPlan.Variable(leaf: one, values: all, axes: Array(loops.indices)))
      }
    }
    return BatchRecord(
      elements: elements, variables: variables, counts: loops.map(\.count), results: result.nodes)
  }
}

extension Meaning {
  /// The same kind of value with other nodes, in the order of `nodes`.
  fileprivate func replacing(_ nodes: [NodeID]) -> Meaning {
    var rest = nodes[...]
    return replacing(&rest)
  }

  private func replacing(_ nodes: inout ArraySlice<NodeID>) -> Meaning {
    switch self {
    case .node, .blockMatrix: return .node(nodes.removeFirst())
    case .bundle(let b):
      return .bundle(Bundle(names: b.names, nodes: b.nodes.map { _ in nodes.removeFirst() }))
    case .tuple(let items): return .tuple(items.map { $0.replacing(&nodes) })
    case .fields(let fields): return .record(fields.map { ($0.name, $0.value.replacing(&nodes)) })
    case .range(let a, let b):
      return .range(a.map { _ in nodes.removeFirst() }, b.map { _ in nodes.removeFirst() })
    case .string, .operator: return self
    }
  }
}
