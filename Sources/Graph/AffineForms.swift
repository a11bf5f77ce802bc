import Tensors

/// Formulas in which products with what is affine in numbers that vary are multiplied out, where that leaves the product
/// to what does not vary: X·(W + t·D) = X·W + t·(X·D). Over many values of t both products are computed once.
///
/// An affine form is Σ mₖ·Fₖ with numbers mₖ, which products of varying ones give, and arrays Fₖ that no variable enters.
private struct AffineForms {
  /// One summand.
  private struct Term {
    /// Varying numbers that multiply the array.
    var numbers: [NodeID]
    var array: NodeID
  }

  private struct Form {
    var terms: [Term]
    /// Multiplications that all values of the variables cost less by this form.
    var saving: Double
  }

  /// More terms, and more entries in the arrays of one product, are not worth the memory.
  private static let (largestForm, largestArrays) = (8, 1 << 25)
  /// Multiplications of a matrix product that take as long as one of a term, with arrays in the cache or not.
  private static let (cachedTerm, streamedTerm, cachedEntries) = (6.0, 24.0, 1 << 17)

  private let graph: TensorGraph
  /// How many values the variables take.
  private let count: Double
  private let formulas: [NodeID]
  private let variables: Set<NodeID>
  /// The nodes below the formulas, operands first, and those of them that a variable enters.
  private let order: [NodeID]
  private let dependent: Set<NodeID>
  private var forms: [NodeID: Form] = [:]

  init(_ graph: TensorGraph, _ formulas: [NodeID], variables: Set<NodeID>, count: Int) {
    self.graph = graph
    self.count = Double(count)
    self.formulas = formulas
    self.variables = variables
    order = graph.reachable(from: formulas, stoppingAt: variables)
    dependent = graph.dependents(of: variables, in: order)
    for id in order where dependent.contains(id) { forms[id] = form(of: id) }
  }

  // MARK: Forms

  private func form(of id: NodeID) -> Form? {
    let node = graph[id]
    // A number is a factor as it is.
    if node.shape.isEmpty { return Form(terms: [Term(numbers: [id], array: graph.fill(1))], saving: 0) }
    if variables.contains(id) { return nil }
    switch node.op {
    case .add(let coefficients): return sum(node, coefficients)
    case .contract(let scale): return product(node, scale)
    default: return nil
    }
  }

  /// Terms with the same numbers become one.
  private func sum(_ node: Node, _ coefficients: [Double]) -> Form? {
    var parts: [(numbers: [NodeID], summands: [Summand])] = []
    var saving = 0.0
    func add(_ numbers: [NodeID], _ summand: Summand) {
      if let known = parts.firstIndex(where: { $0.numbers == numbers }) {
        parts[known].summands.append(summand)
      } else {
        parts.append((numbers, [summand]))
      }
    }
    for (coefficient, operand) in zip(coefficients, node.operands) {
      guard dependent.contains(operand.node) else {
        add([], Summand(coefficient, operand))
        continue
      }
      guard let form = forms[operand.node] else { return nil }
      saving += form.saving
      for term in form.terms { add(term.numbers, Summand(coefficient, Operand(term.array, operand.labels))) }
    }
    guard parts.count <= Self.largestForm else { return nil }
    let entries = node.shape.elementCount
    let whole = node.operands.filter { graph.shape($0.node).elementCount == entries }
    // The sum itself reads its operands, and forms of its shape have been counted.
    let before = whole.reduce(node.operands.count) { max($0, forms[$1.node]?.terms.count ?? 1) }
    saving -= cost(max(parts.count - before, 0), entries)
    let terms = parts.map { Term(numbers: $0.numbers, array: graph.add($0.summands, shape: node.shape)) }
    return Form(terms: terms, saving: saving)
  }

  /// A product of numbers, of what does not vary, and of at most one array with a form.
  private func product(_ node: Node, _ scale: Double) -> Form? {
    var (numbers, fixed, affine): ([NodeID], [Operand], Operand?) = ([], [], nil)
    for operand in node.operands {
      if !dependent.contains(operand.node) {
        fixed.append(operand)
      } else if operand.labels.isEmpty {
        numbers.append(operand.node)
      } else if affine == nil {
        affine = operand
      } else {
        return nil
      }
    }
    var form = Form(terms: [Term(numbers: [], array: graph.fill(1))], saving: 0)
    if let affine {
      guard let known = forms[affine.node] else { return nil }
      form = known
    }
    let axes = Array(node.shape.indices)
    let sizes = Dictionary(uniqueKeysWithValues: axes.map { ($0, node.shape[$0]) })
    if let affine {
      if node.sumsLabels {
        form.saving += saving(node, form.terms)
      } else if node.shape.elementCount > graph.shape(affine.node).elementCount {
        form.saving -= cost(form.terms.count - 1, node.shape.elementCount)
      }
    }
    form.terms = form.terms.map { term in
      let operands = fixed + [Operand(term.array, affine?.labels ?? [])]
      return Term(
        numbers: (term.numbers + numbers).sorted(),
        array: graph.contract(scale, operands, to: axes, sizes: sizes))
    }
    return form
  }

  /// What the terms of a product with sums cost less than the product itself.
  private func saving(_ node: Node, _ terms: [Term]) -> Double {
    let entries = Double(node.shape.elementCount)
    let labels = Set(node.operands.flatMap(\.labels)).filter { $0 >= node.shape.count }
    let summed = labels.reduce(1.0) { $0 * Double(graph.size(of: $1, in: node.operands) ?? 1) }
    let arrays = entries * Double(terms.count)
    guard arrays <= Double(Self.largestArrays) else { return -.infinity }
    return entries * summed * (count - Double(terms.count)) - cost(terms.count, node.shape.elementCount)
  }

  /// What reading and adding so many arrays more costs, for all values of the variables.
  private func cost(_ terms: Int, _ entries: Int) -> Double {
    let arrays = terms * entries
    return count * Double(arrays) * (arrays <= Self.cachedEntries ? Self.cachedTerm : Self.streamedTerm)
  }

  // MARK: Rewriting

  /// The formulas with forms in place of the arrays that they are better for.
  func rewritten() -> [NodeID] {
    guard forms.values.contains(where: { $0.saving > 0 }) else { return formulas }
    let inner = order.filter { dependent.contains($0) && !variables.contains($0) }
    var needed = Set(formulas)
    for id in inner.reversed() where needed.contains(id) {
      needed.formUnion(betterForm(id)?.terms.flatMap(\.numbers) ?? graph[id].operands.map(\.node))
    }
    var images: [NodeID: NodeID] = [:]
    for id in inner where needed.contains(id) {
      let node = graph[id]
      if let form = betterForm(id) {
        images[id] = sum(form.terms, node.shape, images)
      } else {
        let operands = node.operands.map { Operand(images[$0.node] ?? $0.node, $0.labels) }
        guard operands != node.operands else { continue }
        images[id] = graph.rebuild(node, operands, node.shape)
      }
    }
    return formulas.map { images[$0] ?? $0 }
  }

  /// The form of an array that is better than the array, and than the forms of what it is made of.
  private func betterForm(_ id: NodeID) -> Form? {
    guard let form = forms[id], form.saving > 0 else { return nil }
    let inner = graph[id].operands.reduce(0) { max($0, forms[$1.node]?.saving ?? 0) }
    return form.saving >= inner ? form : nil
  }

  private func sum(_ terms: [Term], _ shape: Shape, _ images: [NodeID: NodeID]) -> NodeID {
    let axes = Array(shape.indices)
    let sizes = Dictionary(uniqueKeysWithValues: axes.map { ($0, shape[$0]) })
    let products = terms.map { term in
      graph.contract(
        1, term.numbers.map { Operand(images[$0] ?? $0, []) } + [Operand(term.array, axes)], to: axes,
        sizes: sizes)
    }
    return graph.add(products, shape: shape)
  }
}

extension TensorGraph {
  /// `formulas` with products by what is affine in varying numbers multiplied out, where that is faster over `count`
  /// values of the variables, with what no variable enters computed once.
  public func multipliedOut(_ formulas: [NodeID], variables: Set<NodeID>, count: Int) -> [NodeID] {
    AffineForms(self, formulas, variables: variables, count: count).rewritten()
  }
}
