import Tensors

extension TensorGraph {
  /// f(operands), pointwise; labels are axes of the result (`0..<shape.count`) and missing ones broadcast.
  public func map(_ f: MapFunction, _ operands: [Operand], shape: Shape) -> NodeID {
    let operands = operands.map(withoutViews)
    if let values = constants(operands) {
      if f == .reciprocal, !hasExactReciprocal(values[0]) {
        let quotient = intern(.map(.reciprocal), [Operand(fill(values[0]), [])], [])
        return contract(1, [Operand(quotient, [])], to: Array(shape.indices), sizes: sizes(shape))
      }
      let value = f(values[0], values.count > 1 ? values[1] : 0, values.count > 2 ? values[2] : 0)
      return fill(value, shape)
    }
    if let folded = folded(f, operands, shape) { return folded }
    // Computed on the axes that the operands have, then broadcast.
    let used = shape.indices.filter { axis in operands.contains { $0.labels.contains(axis) } }
    guard used.count == shape.count else {
      var position: [Label: Label] = [:]
      for (index, axis) in used.enumerated() { position[axis] = index }
      let inner = operands.map { Operand($0.node, $0.labels.map { position[$0] ?? 0 }) }
      let small = intern(.map(f), inner, used.map { shape[$0] })
      var sizes: [Label: Int] = [:]
      for axis in shape.indices { sizes[axis] = shape[axis] }
      return contract(1, [Operand(small, used)], to: Array(shape.indices), sizes: sizes)
    }
    return intern(.map(f), operands, shape)
  }

  /// f of nodes of one shape.
  public func map(_ f: MapFunction, _ nodes: NodeID...) -> NodeID {
    let shape = self.shape(nodes[0])
    return map(f, nodes.map { Operand($0, Array(shape.indices)) }, shape: shape)
  }

  private func sizes(_ shape: Shape) -> [Label: Int] {
    Dictionary(uniqueKeysWithValues: shape.enumerated().map { ($0, $1) })
  }

  private func hasExactReciprocal(_ x: Double) -> Bool {
    x == 0 || !x.isFinite || x.significand == 1 && (1 / x).isNormal
  }

  /// Looks through transposes and broadcasts, which are products of one operand.
  private func withoutViews(_ operand: Operand) -> Operand {
    var operand = operand
    while true {
      let node = self[operand.node]
      guard case .contract(let scale) = node.op, !node.sumsLabels else { return operand }
      if node.operands.isEmpty { return operand.labels.isEmpty ? operand : Operand(fill(scale), []) }
      guard scale == 1, node.operands.count == 1 else { return operand }
      let labels = operand.labels
      operand = Operand(node.operands[0].node, node.operands[0].labels.map { labels[$0] })
    }
  }

  private func constants(_ operands: [Operand]) -> [Double]? {
    var values: [Double] = []
    for operand in operands {
      guard let value = constantValue(operand.node) else { return nil }
      values.append(value)
    }
    return values.isEmpty ? nil : values
  }

  /// Identities that hold for every value, NaN included.
  private func folded(_ f: MapFunction, _ operands: [Operand], _ shape: Shape) -> NodeID? {
    var sizes: [Label: Int] = [:]
    for axis in shape.indices { sizes[axis] = shape[axis] }
    let axes = Array(shape.indices)
    switch f {
    case .power(0): return fill(1, shape)
    case .power(1): return contract(1, [operands[0]], to: axes, sizes: sizes)
    case .power(-1): return map(.reciprocal, operands, shape: shape)
    case .power(let n) where n % 2 == 0:
      // The square of a norm is smooth at 0, where the norm is not.
      guard case .map(.rootAtZero) = self[operands[0].node].op else { return nil }
      let (root, labels) = (self[operands[0].node], operands[0].labels)
      let inner = root.operands.map { Operand($0.node, $0.labels.map { labels[$0] }) }
      return map(.power(n / 2), inner, shape: shape)
    case .select:
      if let c = constantValue(operands[0].node) {
        return contract(1, [operands[c != 0 ? 1 : 2]], to: axes, sizes: sizes)
      }
      if operands[1] == operands[2] { return contract(1, [operands[1]], to: axes, sizes: sizes) }
      return nil
    default: return nil
    }
  }

  // MARK: Shorthands on nodes of one shape

  public func scaled(_ factor: Double, _ node: NodeID) -> NodeID {
    let axes = Array(shape(node).indices)
    return contract(factor, [Operand(node, axes)], to: axes)
  }

  /// node / divisor, entry by entry; exact where a division is.
  public func divided(_ node: NodeID, by divisor: Double) -> NodeID {
    let axes = Array(shape(node).indices)
    return contract(1, [Operand(node, axes), Operand(map(.reciprocal, fill(divisor)), [])], to: axes)
  }

  public func multiplied(_ a: NodeID, _ b: NodeID) -> NodeID {
    let axes = Array(shape(a).indices)
    return contract(1, [Operand(a, axes), Operand(b, axes)], to: axes)
  }

  /// c + k·a
  public func affine(_ constant: Double, _ factor: Double, _ node: NodeID) -> NodeID {
    let shape = self.shape(node)
    return add(
      [Summand(factor, Operand(node, Array(shape.indices))), Summand(constant, Operand(fill(1), []))],
      shape: shape)
  }

  /// Holds a value constant for derivatives.
  public func stop(_ node: NodeID) -> NodeID {
    if constantValue(node) != nil { return node }
    return intern(.stop, [Operand(node, Array(shape(node).indices))], shape(node))
  }

  /// The same matrix, stored with its zeros.
  public func dense(_ node: NodeID) -> NodeID {
    if case .leaf = self[node].op { return node }
    return intern(.dense, [Operand(node, Array(shape(node).indices))], shape(node))
  }

  /// f of whole tensors.
  public func external(_ f: ExternalFunction, _ operands: [NodeID], shape: Shape) -> NodeID {
    var next = shape.count
    let uses = operands.map { id -> Operand in
      let labels = self.shape(id).indices.map { next + $0 }
      next += labels.count
      return Operand(id, labels)
    }
    return intern(.external(f), uses, shape)
  }

  /// d(node), of the node's shape: stands for its tangent in formulas that are read, not computed.
  public func differential(_ node: NodeID) -> NodeID {
    external(.differential, [node], shape: shape(node))
  }

  /// The maximum over some axes; the others stay, in order.
  public func reduceMax(_ node: NodeID, axes: [Int]) -> NodeID {
    let shape = self.shape(node)
    let kept = shape.indices.filter { !axes.contains($0) }
    var labels = [Label](repeating: 0, count: shape.count)
    for (index, axis) in kept.enumerated() { labels[axis] = index }
    for (index, axis) in shape.indices.filter({ axes.contains($0) }).enumerated() {
      labels[axis] = kept.count + index
    }
    if axes.isEmpty { return node }
    return intern(.reduceMax, [Operand(node, labels)], kept.map { shape[$0] })
  }

  /// Positions of the maximum along the last axis.
  public func argmax(_ node: NodeID) -> NodeID {
    let shape = self.shape(node)
    return intern(.argmax, [Operand(node, Array(shape.indices))], Array(shape.dropLast()))
  }

  /// Positions of the ascending order along the last axis (stable).
  public func argsort(_ node: NodeID) -> NodeID {
    let shape = self.shape(node)
    return intern(.argsort, [Operand(node, Array(shape.indices))], shape)
  }

  /// Linear algebra on matrices, the last two axes; axes before them are a batch, and so are those of the result. An
  /// operand without batch axes serves every entry. Shapes must have been checked.
  public func matrix(_ f: MatrixFunction, _ operands: [NodeID]) -> NodeID {
    let batch = operands.map { shape($0).dropLast(2) }.max { $0.count < $1.count } ?? []
    let a = Array(shape(operands[0]).suffix(2))
    let result: Shape
    switch f {
    case .inverse, .cholesky: result = a
    case .solve: result = Array(shape(operands[1]).suffix(2))
    case .logdet, .det: result = []
    case .eigh: result = [a[0] + 1, a[0]]
    case .svdvals: result = [min(a[0], a[1])]
    case .eigvals: result = [2, a[0]]
    }
    var next = batch.count + result.count
    let uses = operands.map { id -> Operand in
      let labels = Array(0..<(shape(id).count - 2)) + [next, next + 1]
      next += 2
      return Operand(id, labels)
    }
    return intern(.matrix(f), uses, batch + result)
  }
}
