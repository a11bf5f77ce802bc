/// Letters in use around an expression.
struct MathScope {
  var used: Set<String>

  /// A letter of the pool that is free here, or a numbered one.
  mutating func fresh(_ pool: [String], _ digits: (Int) -> String) -> String {
    if let free = pool.first(where: { !used.contains($0) }) {
      used.insert(free)
      return free
    }
    var number = 1
    while used.contains(pool[0] + digits(number)) { number += 1 }
    used.insert(pool[0] + digits(number))
    return pool[0] + digits(number)
  }

  static let result = ["i", "j", "k", "l", "a", "b", "c", "d"]
  static let summed = ["n", "k", "l", "m", "p", "r", "s", "u", "v", "h", "i", "j", "a"]
}

extension MathBuilder {
  func freshLetter(_ pool: [String], _ scope: inout MathScope) -> String {
    scope.fresh(pool) { isUnicode ? MathNumber.subscript($0) : "\($0)" }
  }

  /// The entry of a node at some indices.
  func entry(_ id: NodeID, at indices: [AffineIndex], in scope: MathScope) -> MathExpression {
    if isDefined(id) { return at(.reference(id), indices, id) }
    return expandedEntry(id, at: indices, in: scope)
  }

  private func at(_ base: MathExpression, _ indices: [AffineIndex], _ id: NodeID) -> MathExpression {
    indices.isEmpty ? base : indexed(base, indices.map { .at($0) }, id)
  }

  /// The same, never a reference to the node itself.
  func expandedEntry(_ id: NodeID, at indices: [AffineIndex], in scope: MathScope) -> MathExpression {
    let node = graph[id]
    switch node.op {
    case .leaf(let index): return at(.name(graph.leaves[index].name), indices, id)
    case .tensor(let index): return constantEntry(index, indices, id)
    case .selector(let s): return selectorEntry(s, node.shape, indices, scope)
    case .table: return tableEntry(node, indices, scope)
    case .contract(let scale): return contractEntry(node, scale, indices, scope)
    case .add(let coefficients):
      var terms: [MathTerm] = []
      for (coefficient, operand) in zip(coefficients, node.operands).prefix(Self.sortLimit) {
        let body = entry(operand.node, at: operand.labels.map { indices[$0] }, in: scope)
        terms.append(MathTerm(coefficient: coefficient, body: body))
      }
      return sum(terms)
    case .map(let f):
      let arguments = node.operands.map { entry($0.node, at: $0.labels.map { indices[$0] }, in: scope) }
      return function(f, arguments, rank: 0)
    case .stop, .dense: return entry(node.operands[0].node, at: indices, in: scope)
    case .reduceMax: return extremum("max", node.operands[0], indices, scope)
    case .argmax:
      let rank = node.shape.count
      return extremum("argmax", Operand(node.operands[0].node, Array(0...rank)), indices, scope)
    case .external(.differential): return .differential(entry(node.operands[0].node, at: indices, in: scope))
    case .argsort, .matrix, .external: return at(opaque(id), indices, id)
    }
  }

  /// A node that has no entries of its own in symbols, as a whole.
  private func opaque(_ id: NodeID) -> MathExpression { expanded(id) ?? reference(id) }

  private func constantEntry(_ index: Int, _ indices: [AffineIndex], _ id: NodeID) -> MathExpression {
    let tensor = graph.constants[index]
    let fixed = indices.compactMap(\.fixed)
    if fixed.count == indices.count {
      let strides = tensor.shape.rowMajorStrides
      return .number(tensor[flat: zip(fixed, strides).reduce(0) { $0 + $1.0 * $1.1 }])
    }
    return at(expanded(id) ?? .reference(id), indices, id)
  }

  private func extremum(
    _ name: String, _ operand: Operand, _ indices: [AffineIndex], _ scope: MathScope
  ) -> MathExpression {
    var scope = scope
    var places = indices
    var letters: [String] = []
    for label in Set(operand.labels).sorted() where label >= indices.count {
      let letter = freshLetter(MathScope.summed, &scope)
      letters.append(letter)
      places.append(AffineIndex(.name(letter)))
    }
    return .over(name, letters, entry(operand.node, at: operand.labels.map { places[$0] }, in: scope))
  }

  // MARK: Products

  private func contractEntry(
    _ node: Node, _ scale: Double, _ indices: [AffineIndex], _ scope: MathScope
  ) -> MathExpression {
    if node.operands.isEmpty { return .number(scale) }
    var scope = scope
    var places: [Label: AffineIndex] = [:]
    for (label, index) in indices.enumerated() { places[label] = index }
    var letters: [String] = []
    var factors: [MathExpression] = []
    let labels = Set(node.operands.flatMap(\.labels)).sorted()
    while let open = labels.first(where: { places[$0] == nil }) {
      if determine(node, &places, scope) { continue }
      if let condition = invert(node, &places) {
        factors.append(condition)
        continue
      }
      let label = preferredLabel(node, places) ?? open
      let letter = freshLetter(MathScope.summed, &scope)
      letters.append(letter)
      places[label] = AffineIndex(.name(letter))
    }
    for operand in node.operands.prefix(Self.termLimit) {
      factors.append(entry(operand.node, at: operand.labels.compactMap { places[$0] }, in: scope))
    }
    if node.operands.count > Self.termLimit { factors.append(.symbol(.ellipsis)) }
    let product = scalarProduct(1, factors)
    return product == .zero ? .zero : scalarProduct(scale, [.summed(letters, product)])
  }

  /// Fixes one open label that a selector or an index table determines by its other labels.
  private func determine(_ node: Node, _ places: inout [Label: AffineIndex], _ scope: MathScope) -> Bool {
    for operand in node.operands {
      switch graph[operand.node].op {
      case .selector(let s):
        let shape = graph.shape(operand.node)
        let open = operand.labels.indices.filter { places[operand.labels[$0]] == nil }
        for axis in open {
          let known = operand.labels.indices.map { places[operand.labels[$0]] }
          guard let parameters = parameters(of: s, shape, known, coveredOnly: true) else { continue }
          places[operand.labels[axis]] = image(s, axis, parameters)
          return true
        }
      case .table where places[operand.labels[0]] == nil:
        let rest = operand.labels.dropFirst().compactMap { places[$0] }
        guard rest.count == operand.labels.count - 1 else { continue }
        let table = graph[operand.node].operands[0].node
        places[operand.labels[0]] = AffineIndex(entry(table, at: rest, in: scope))
        return true
      default: continue
      }
    }
    return false
  }

  /// Fixes one open label by the place of another that a selector shifts it to, under the condition that it gets
  /// there at all: Σⱼ δ(i,j+1)·g[j] = [1 ≤ i]·g[i−1].
  private func invert(_ node: Node, _ places: inout [Label: AffineIndex]) -> MathExpression? {
    for operand in node.operands {
      guard case .selector(let s) = graph[operand.node].op, s.extents.count == 1 else { continue }
      let shape = graph.shape(operand.node)
      for open in operand.labels.indices where places[operand.labels[open]] == nil && isUnit(s, open, 0) {
        for axis in operand.labels.indices where isUnit(s, axis, 0) {
          guard let known = places[operand.labels[axis]] else { continue }
          var index = known
          index.constant += s.starts[open] - s.starts[axis]
          places[operand.labels[open]] = index
          return within(known, low: s.starts[axis], high: s.starts[axis] + s.extents[0], size: shape[axis])
        }
      }
    }
    return nil
  }

  /// An open label that would determine others: the short axis of a selector, the positions of a table.
  private func preferredLabel(_ node: Node, _ places: [Label: AffineIndex]) -> Label? {
    for operand in node.operands {
      let shape = graph.shape(operand.node)
      switch graph[operand.node].op {
      case .selector(let s):
        for axis in operand.labels.indices where places[operand.labels[axis]] == nil {
          let covering = s.extents.indices.contains { isCover(s, shape, axis, $0) }
          if covering { return operand.labels[axis] }
        }
      case .table:
        if let label = operand.labels.dropFirst().first(where: { places[$0] == nil }) { return label }
      default: continue
      }
    }
    return nil
  }

  private func isCover(_ s: Selector, _ shape: [Int], _ axis: Int, _ p: Int) -> Bool {
    isUnit(s, axis, p) && s.starts[axis] == 0 && s.extents[p] == shape[axis]
  }

  /// The axis moves by one with parameter p and with no other.
  private func isUnit(_ s: Selector, _ axis: Int, _ p: Int) -> Bool {
    s.steps[axis].indices.allSatisfy { s.steps[axis][$0] == ($0 == p ? 1 : 0) }
  }

  // MARK: Selectors

  /// The parameters of a selector by the axes whose indices are known.
  private func parameters(
    of s: Selector, _ shape: [Int], _ known: [AffineIndex?], coveredOnly: Bool
  ) -> [AffineIndex]? {
    var result: [AffineIndex] = []
    for p in s.extents.indices {
      let axes = known.indices.filter { known[$0] != nil && isUnit(s, $0, p) }
      let best = axes.first { isCover(s, shape, $0, p) } ?? (coveredOnly ? nil : axes.first)
      guard let best, var index = known[best] else { return nil }
      index.constant -= s.starts[best]
      result.append(index)
    }
    return result
  }

  private func image(_ s: Selector, _ axis: Int, _ parameters: [AffineIndex]) -> AffineIndex {
    var index = AffineIndex(s.starts[axis])
    for (p, parameter) in parameters.enumerated() { index.add(s.steps[axis][p], parameter) }
    return index
  }

  private func selectorEntry(
    _ s: Selector, _ shape: [Int], _ indices: [AffineIndex], _ scope: MathScope
  ) -> MathExpression {
    if let parameters = parameters(of: s, shape, indices, coveredOnly: false) {
      var factors = indices.indices.map { delta(indices[$0], image(s, $0, parameters)) }
      for p in s.extents.indices where !indices.indices.contains(where: { isCover(s, shape, $0, p) }) {
        guard let axis = indices.indices.first(where: { isUnit(s, $0, p) }) else { continue }
        let low = s.starts[axis]
        factors.append(within(indices[axis], low: low, high: low + s.extents[p], size: shape[axis]))
      }
      return scalarProduct(1, factors)
    }
    // Positions of a mixed radix that no axis shows alone: sum over them.
    var scope = scope
    let letters = s.extents.map { _ in freshLetter(MathScope.summed, &scope) }
    let parameters = letters.map { AffineIndex(.name($0)) }
    let deltas = indices.indices.map { delta(indices[$0], image(s, $0, parameters)) }
    let ranges = s.extents.indices.map { within(parameters[$0], low: 0, high: s.extents[$0], size: .max) }
    return .summed(letters, scalarProduct(1, deltas + ranges))
  }

  private func tableEntry(_ node: Node, _ indices: [AffineIndex], _ scope: MathScope) -> MathExpression {
    delta(indices[0], AffineIndex(entry(node.operands[0].node, at: Array(indices.dropFirst()), in: scope)))
  }

  private func delta(_ a: AffineIndex, _ b: AffineIndex) -> MathExpression {
    var difference = a
    difference.add(-1, b)
    if let fixed = difference.fixed { return fixed == 0 ? .one : .zero }
    if a.fixed != nil || b.fixed != nil { return a.fixed == nil ? .delta(a, b) : .delta(b, a) }
    if a.length != b.length { return a.length < b.length ? .delta(a, b) : .delta(b, a) }
    return text(.delta(a, b)) <= text(.delta(b, a)) ? .delta(a, b) : .delta(b, a)
  }

  /// 1 where low ≤ index < high, for an index that is in 0..<size.
  private func within(_ index: AffineIndex, low: Int, high: Int, size: Int) -> MathExpression {
    if let fixed = index.fixed { return (low..<high).contains(fixed) ? .one : .zero }
    if low <= 0 && high >= size { return .one }
    let needed = (low > 0 || size == .max ? low : nil, high < size ? high : nil)
    return .fence(.iverson, .within(index, low: needed.0, high: needed.1))
  }
}
