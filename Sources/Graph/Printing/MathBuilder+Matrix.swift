extension MathBuilder {
  /// What selectors say about summed labels: one place, or a regular range of another label.
  private struct Bindings {
    struct Range {
      var start: Int
      var step: Int
      var count: Int
      var label: Label
    }
    var places: [Label: Int] = [:]
    var ranges: [Label: Range] = [:]
  }

  /// A product in matrix notation.
  func contraction(_ node: Node, _ scale: Double) -> MathExpression? {
    let rank = node.shape.count
    if node.operands.isEmpty { return rank == 0 ? .number(scale) : filled(rank).scaled(scale) }
    guard node.operands.count <= Self.termLimit else { return nil }
    var product = MathContraction(self, rank: rank)
    guard let bindings = bindSelectors(node, into: &product) else { return nil }
    for operand in node.operands where !graph.isSymbol(graph[operand.node]) {
      guard place(operand, bindings, into: &product) else { return nil }
    }
    guard let body = product.body() else { return nil }
    if rank == 0 { return scalarProduct(scale * product.scale, product.scalars) }
    return scaledBody(scale * product.scale, product.scalars, body)
  }

  private func filled(_ rank: Int) -> MathExpression {
    let ones = MathExpression.symbol(.ones)
    return rank == 1 ? ones : .matrixProduct([ones, ones.transposed])
  }

  /// Takes indices and slices out of the selectors; unit vectors and identities become factors. Nil when one is
  /// neither.
  private func bindSelectors(_ node: Node, into product: inout MathContraction) -> Bindings? {
    var bindings = Bindings()
    for operand in node.operands {
      guard case .selector(let s) = graph[operand.node].op else { continue }
      let shape = graph.shape(operand.node)
      let labels = operand.labels
      let isNew = labels.allSatisfy { bindings.places[$0] == nil && bindings.ranges[$0] == nil }
      guard isNew else { return nil }
      if s.rank == 1, s.extents.isEmpty, labels[0] >= product.rank, isShared(labels[0], node) {
        bindings.places[labels[0]] = s.starts[0]
      } else if s.rank == 1, let symbol = symbol(s, shape) {
        product.weights[labels[0], default: []].append(symbol)
      } else if s.isIdentity(shape), labels[0] != labels[1] {
        product.edges.append(.init(from: labels[0], to: labels[1], chain: [.symbol(.identity)]))
      } else if let (label, range) = slice(s, shape, labels, product.rank) {
        bindings.ranges[label] = range
      } else {
        return nil
      }
    }
    return bindings
  }

  /// Another operand than selectors has the label.
  private func isShared(_ label: Label, _ node: Node) -> Bool {
    node.operands.contains { !graph.isSymbol(graph[$0.node]) && $0.labels.contains(label) }
  }

  /// A selector that takes a range of its summed axis, in the order of its other axis.
  private func slice(_ s: Selector, _ shape: [Int], _ labels: [Label], _ rank: Int) -> (
    Label, Bindings.Range
  )? {
    guard s.rank == 2, s.extents.count == 1, labels[0] != labels[1] else { return nil }
    for (long, short) in [(0, 1), (1, 0)] where labels[long] >= rank {
      guard s.covers(axis: short, size: shape[short]), s.steps[long][0] > 0 else { continue }
      return (
        labels[long],
        .init(start: s.starts[long], step: s.steps[long][0], count: s.extents[0], label: labels[short])
      )
    }
    return nil
  }

  /// Adds an operand with its indices and slices applied.
  private func place(_ operand: Operand, _ bindings: Bindings, into product: inout MathContraction) -> Bool {
    guard let base = matrix(operand.node) else { return false }
    let shape = graph.shape(operand.node)
    var labels: [Label] = []
    var indices: [MathIndex] = []
    for (axis, label) in operand.labels.enumerated() {
      if let place = bindings.places[label] {
        indices.append(.at(AffineIndex(place)))
      } else if let range = bindings.ranges[label] {
        // A slice of a label that is itself bound would need both.
        guard bindings.places[range.label] == nil, bindings.ranges[range.label] == nil else { return false }
        indices.append(.slice(text(range, size: shape[axis])))
        labels.append(range.label)
      } else {
        indices.append(.slice(":"))
        labels.append(label)
      }
    }
    let part = indexed(base, indices, operand, bindings).separated
    product.scale *= part.coefficient
    let e = part.body
    switch labels.count {
    case 0: product.scalars.append(e)
    case 1: product.weights[labels[0], default: []].append(e)
    case 2 where labels[0] == labels[1]:
      product.weights[labels[0], default: []].append(.call("diagonal", [e]))
    case 2: product.edges.append(.init(from: labels[0], to: labels[1], chain: e.chain))
    default: return false
    }
    return true
  }

  /// base[indices], or one entry of a pointwise formula written out.
  private func indexed(
    _ base: MathExpression, _ indices: [MathIndex], _ operand: Operand, _ bindings: Bindings
  ) -> MathExpression {
    let places = operand.labels.compactMap { bindings.places[$0] }
    guard !places.isEmpty, places.count == indices.count, !isDefined(operand.node) else {
      return indexed(base, indices, operand.node)
    }
    switch graph[operand.node].op {
    case .map, .add:
      return entry(operand.node, at: places.map { AffineIndex($0) }, in: MathScope(used: outline.reserved))
    default: return indexed(base, indices, operand.node)
    }
  }

  /// base[indices]; rows of a packed eigenproblem have names.
  func indexed(_ base: MathExpression, _ indices: [MathIndex], _ id: NodeID) -> MathExpression {
    let all = MathIndex.slice(":")
    if case .differential(let inner) = base { return .differential(indexed(inner, indices, id)) }
    if case .call("eigh", let arguments) = base, indices.count == 2 {
      let vectors = MathExpression.call("eigvecs", arguments)
      switch indices[0] {
      case .at(AffineIndex(0)):
        let values = MathExpression.call("eigvals", arguments)
        return indices[1] == all ? values : .indexed(values, [indices[1]])
      case .slice("1:"): return indices[1] == all ? vectors : .indexed(vectors, [all, indices[1]])
      case .at(var row) where row.constant > 0 && row.terms.allSatisfy { $0.coefficient > 0 }:
        row.constant -= 1
        return .indexed(vectors, [.at(row), indices[1]])
      default: break
      }
    }
    return indices.allSatisfy { $0 == all } ? base : .indexed(base, indices)
  }

  private func text(_ range: Bindings.Range, size: Int) -> String {
    if range.step == 1 {
      let end = range.start + range.count
      let start = range.start == 0 ? "" : "\(range.start)"
      if end == size { return start + ":" }
      return start + ":" + (end > size - 3 && end > range.start + 2 ? "-\(size - end)" : "\(end)")
    }
    let end = range.start + range.step * range.count
    return (range.start == 0 ? "" : "\(range.start)") + ":" + (end >= size ? "" : "\(end)") + ":\(range.step)"
  }
}
