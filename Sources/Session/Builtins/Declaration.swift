import Graph
import Syntax
import Tensors

extension Builtin {
  /// `parameters` are written as the reference prints them: `x, axis=, keepdims=false` or `shape…, like=`. What
  /// has `=` may be omitted, and so may what has `…`.
  init(
    _ name: String, _ parameters: String, aliases: [String] = [], _ group: Group, _ summary: String,
    _ example: String, _ exampleOutput: String, _ build: @escaping @Sendable (BuiltinCall) throws -> Meaning
  ) {
    let list = parameters.split(separator: ",").map { text -> Parameter in
      let word = text.drop { $0 == " " }
      if word.hasSuffix("…") {
        return Parameter(name: String(word.dropLast()), defaultText: nil, isVariadic: true)
      }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return Parameter(name: String(parts[0]), defaultText: parts.count > 1 ? String(parts[1]) : nil)
    }
    self.init(
      name: name, aliases: aliases, group: group, parameters: list, summary: summary, example: example,
      exampleOutput: exampleOutput, build: build)
  }

  /// `sum(x, axis=, keepdims=false)`
  var signature: String {
    let list = parameters.map { p in
      p.isVariadic ? p.name + "…" : p.defaultText.map { "\(p.name)=\($0)" } ?? p.name
    }
    return "\(name)(\(list.joined(separator: ", ")))"
  }
}

extension BuiltinCall {
  /// An error about the argument `name`.
  func error(
    _ kind: DiagnosticKind, _ message: String, _ name: String, notes: [String] = [], hint: String? = nil
  ) -> Diagnostic {
    Diagnostic(kind, message, at: arguments[name]?.first?.span ?? span, notes: notes, hint: hint)
  }

  func flag(_ name: String) throws -> Bool {
    guard has(name) else { return false }
    return try Truth.of(try staticTensor(name), try placed(name).span, "'\(name)' of \(builtin.name)")
  }

  /// The bundle of an argument, when it is one.
  func bundle(_ name: String) -> Bundle? {
    if case .bundle(let bundle) = arguments[name]?.first?.value { return bundle }
    return nil
  }

  func string(_ name: String) throws -> String {
    if case .string(let text) = arguments[name]?.first?.value { return text }
    throw error(.type, "'\(name)' of \(builtin.name) must be a string", name)
  }

  /// A whole number in a range.
  func integer(_ name: String, in range: ClosedRange<Int>, default fallback: Int? = nil) throws -> Int {
    let value = try integer(name, default: fallback)
    guard range.contains(value) else {
      let bounds =
        range.upperBound == Int.max
        ? "at least \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
      throw error(.domain, "'\(name)' of \(builtin.name) must be \(bounds), not \(value)", name)
    }
    return value
  }

  /// One axis, counted from the end when negative.
  func axis(_ name: String = "axis", rank: Int, default fallback: Int) throws -> Int {
    guard let list = try axes(name, rank: rank) else {
      guard rank > 0 else {
        throw error(.shape, "\(builtin.name) needs a tensor with axes, not a scalar", "x")
      }
      return fallback < 0 ? fallback + rank : fallback
    }
    guard list.count == 1 else {
      throw error(.shape, "\(builtin.name) takes one axis, not \(list.count)", name)
    }
    return list[0]
  }

  /// Distinct axes; all of them when the argument is absent.
  func reducedAxes(rank: Int) throws -> [Int] {
    guard let list = try axes("axis", rank: rank) else { return Array(0..<rank) }
    guard Set(list).count == list.count else { throw error(.shape, "an axis is given twice", "axis") }
    return list.sorted()
  }

  /// Whole numbers given one by one, as a vector, or as a tuple.
  func integers(_ name: String) throws -> [Int] {
    var result: [Int] = []
    for argument in arguments[name] ?? [] {
      let parts: [Meaning]
      if case .tuple(let items) = argument.value { parts = items } else { parts = [argument.value] }
      for part in parts {
        let node = try asNode(part, argument.span)
        let what = "'\(name)' of \(builtin.name)"
        for value in try context.staticValue(node, argument.span, what).doubles {
          guard let whole = Int(exactly: value) else {
            throw Diagnostic(.domain, "\(what) must be whole numbers, not \(value)", at: argument.span)
          }
          result.append(whole)
        }
      }
    }
    return result
  }

  /// A shape of sizes that are not negative and whose product a machine can hold.
  func shape(_ name: String = "shape") throws -> Shape {
    let sizes = try integers(name)
    if let negative = sizes.first(where: { $0 < 0 }) {
      throw error(.domain, "a size cannot be negative, as \(negative) is", name)
    }
    try checkCount(sizes, name)
    return sizes
  }

  func checkCount(_ sizes: Shape, _ name: String) throws {
    var count = 1
    for size in sizes {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow, product <= 1 << 40 else {
        throw error(.resource, "a tensor of shape \(sizes.shapeDescription) does not fit in memory", name)
      }
      count = product
    }
  }

  /// A tensor of `shape…`, or one shaped `like` another (a bundle makes a bundle).
  func construct(_ make: (Shape) throws -> NodeID) throws -> Meaning {
    guard let like = arguments["like"]?.first else { return try .node(make(shape())) }
    if has("shape") { throw error(.type, "\(builtin.name) takes sizes or 'like', not both", "like") }
    if case .bundle(let model) = like.value {
      return try .bundle(Bundle(names: model.names, nodes: model.nodes.map { try make(graph.shape($0)) }))
    }
    return try .node(make(graph.shape(asNode(like.value, like.span))))
  }

  // MARK: Pointwise

  /// f on broadcast tensors; with bundles, on each of their parts (the other arguments are bundles of the same
  /// params or scalars).
  func pointwise(_ names: [String], _ f: ([PlacedNode]) throws -> NodeID) throws -> Meaning {
    let items = names.flatMap { arguments[$0] ?? [] }
    let bundles = items.compactMap { item -> (Bundle, Span)? in
      if case .bundle(let bundle) = item.value { return (bundle, item.span) }
      return nil
    }
    guard let (model, _) = bundles.first else {
      return try .node(f(items.map { PlacedNode(node: try asNode($0.value, $0.span), span: $0.span) }))
    }
    for (other, span) in bundles where other.names != model.names {
      throw Diagnostic(.shape, "bundles of different params do not fit in \(builtin.name)", at: span)
    }
    let nodes = try model.nodes.indices.map { k in try f(items.map { try part(k, $0.value, $0.span) }) }
    return .bundle(Bundle(names: model.names, nodes: nodes))
  }

  private func part(_ k: Int, _ value: Meaning, _ span: Span) throws -> PlacedNode {
    if case .bundle(let bundle) = value { return PlacedNode(node: bundle.nodes[k], span: span) }
    let node = try asNode(value, span)
    guard graph.shape(node).isEmpty else {
      throw Diagnostic(
        .shape, "\(builtin.name) of a bundle takes bundles and scalars besides, not a tensor", at: span,
        labels: [.init(span, "shape \(graph.shape(node).shapeDescription)")])
    }
    return PlacedNode(node: node, span: span)
  }

  /// One map on broadcast operands.
  func mapped(_ f: MapFunction, _ items: [PlacedNode]) throws -> NodeID {
    let (operands, shape) = try graph.broadcast(items, builtin.name)
    return graph.map(f, operands, shape: shape)
  }

  // MARK: Shapes

  func matrix(_ name: String) throws -> NodeID {
    let node = try node(name)
    guard graph.shape(node).count == 2 else {
      throw error(
        .shape, "\(builtin.name) needs a matrix, not \(graph.shape(node).kindName)",
        name, hint: hessianHint(node, name))
    }
    return node
  }

  /// `eig(f)` of a scalar formula is meant as that of its Hessian.
  func hessianHint(_ node: NodeID, _ name: String) -> String? {
    guard graph.shape(node).isEmpty, let text = arguments[name]?.first?.span.text else { return nil }
    if text.hasPrefix("hessian") {
      return "the Hessian by one number is a number, too, and stands for itself"
    }
    let command = CommandGrammar[verb: builtin.name] == nil ? "" : ", or as a command \(builtin.name) \(text)"
    return "of a formula's Hessian: \(builtin.name)(hessian(\(text)))\(command)"
  }

  func squareMatrix(_ name: String) throws -> NodeID {
    let node = try matrix(name)
    let shape = graph.shape(node)
    guard shape != [0, 0] else { throw error(.domain, "\(builtin.name) needs entries", name) }
    guard shape[0] == shape[1] else {
      throw error(
        .shape, "\(builtin.name) needs a square matrix, not one of shape \(shape.shapeDescription)", name,
        hint: builtin.name == "solve" ? "least squares: solve(A' @ A, A' @ b)" : nil)
    }
    return node
  }

  /// Two arguments of one shape.
  func sameShape(_ first: String, _ second: String, hint: String? = nil) throws -> (NodeID, NodeID) {
    let (a, b) = (try placed(first), try placed(second))
    let (left, right) = (graph.shape(a.node), graph.shape(b.node))
    guard left == right else {
      throw Diagnostic(
        .shape, "shapes \(left.shapeDescription) and \(right.shapeDescription) do not fit in \(builtin.name)",
        at: a.span.union(b.span),
        labels: [
          .init(a.span, "shape \(left.shapeDescription)"), .init(b.span, "shape \(right.shapeDescription)"),
        ], hint: hint ?? "both must have the same shape")
    }
    return (a.node, b.node)
  }
}
