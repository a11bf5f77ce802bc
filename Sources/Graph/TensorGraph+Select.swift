import Tensors

extension TensorGraph {
  /// a where c ≠ 0, else b, pointwise. A lane that is not taken contributes an exact zero to every derivative,
  /// even where its value is infinite or not a number: inputs of a branch are replaced, in the lanes that it is
  /// not taken in, by numbers inside the domain of its functions.
  public func select(_ c: Operand, _ a: Operand, _ b: Operand, shape: Shape) -> NodeID {
    if constantValue(c.node) != nil { return map(.select, [c, a, b], shape: shape) }
    let sizes: [Int] = shape
    let otherwise = Operand(map(.not, c, sizes), c.labels)
    let first = needsGuard(a) ? guarded(a, by: c, sizes) : a
    let second = needsGuard(b) ? guarded(b, by: otherwise, sizes) : b
    return map(.select, [c, first, second], shape: shape)
  }

  /// f of one operand on that operand's own axes.
  private func map(_ f: MapFunction, _ operand: Operand, _ sizes: [Int]) -> NodeID {
    let axes = Array(operand.labels.indices)
    return map(f, [Operand(operand.node, axes)], shape: self.shape(operand.node))
  }

  private func isPointwise(_ node: Node) -> Bool {
    switch node.op {
    case .map, .add: return !node.operands.isEmpty
    case .contract: return !node.operands.isEmpty && !node.sumsLabels
    default: return false
    }
  }

  /// A branch that is linear in plain inputs has constant derivatives and needs no guard.
  private func needsGuard(_ operand: Operand) -> Bool {
    var stack = [operand.node]
    var seen = Set<NodeID>()
    while let id = stack.popLast() {
      guard seen.insert(id).inserted else { continue }
      let node = self[id]
      guard isPointwise(node) else { continue }
      switch node.op {
      case .map(let f) where !f.isPiecewiseConstant: return true
      case .contract where node.operands.count > 1: return true
      default: stack += node.operands.map(\.node)
      }
    }
    return false
  }

  /// The pointwise region below `operand`, rebuilt with guarded inputs; labels are axes of the selection.
  private func guarded(_ operand: Operand, by c: Operand, _ sizes: [Int]) -> Operand {
    var memo: [Operand: Operand] = [:]
    var stack: [(Operand, Bool)] = [(operand, false)]
    while let (current, ready) = stack.popLast() {
      if memo[current] != nil { continue }
      let node = self[current.node]
      guard isPointwise(node), memo.count < 4096 else {
        memo[current] = constantValue(current.node) != nil ? current : masked(current, by: c, sizes)
        continue
      }
      let inner = node.operands.map { Operand($0.node, $0.labels.map { current.labels[$0] }) }
      if !ready {
        stack.append((current, true))
        for operand in inner where memo[operand] == nil { stack.append((operand, false)) }
        continue
      }
      memo[current] = rebuiltPointwise(node, inner.map { memo[$0] ?? $0 }, c, sizes)
    }
    return memo[operand] ?? operand
  }

  private func rebuiltPointwise(_ node: Node, _ inner: [Operand], _ c: Operand, _ sizes: [Int]) -> Operand {
    var operands = inner
    if case .map(let f) = node.op, f.hasSingularities {
      operands = operands.map { masked($0, by: c, sizes) }
    }
    let axes = Set(operands.flatMap(\.labels)).sorted()
    let shape = axes.map { sizes[$0] }
    let local = operands.map { Operand($0.node, $0.labels.map { axes.firstIndex(of: $0) ?? 0 }) }
    return Operand(rebuild(node, local, shape), axes)
  }

  /// select(c, operand, a number inside every domain): distinct inputs get distinct numbers, so that a
  /// difference of two does not vanish.
  private func masked(_ operand: Operand, by c: Operand, _ sizes: [Int]) -> Operand {
    if case .map(.select) = self[operand.node].op, self[operand.node].operands.first?.node == c.node {
      return operand
    }
    let axes = Set(operand.labels + c.labels).sorted()
    func local(_ o: Operand) -> Operand { Operand(o.node, o.labels.map { axes.firstIndex(of: $0) ?? 0 }) }
    let spread = Double(self[operand.node].structuralHash % 1009) / 1009
    let safe = Operand(fill(0.35 + 0.3 * spread), [])
    return Operand(map(.select, [local(c), local(operand), safe], shape: axes.map { sizes[$0] }), axes)
  }
}

extension MapFunction {
  /// Somewhere the value or a derivative is infinite or not a number (overflow included).
  var hasSingularities: Bool {
    switch self {
    case .exp, .expm1, .log, .log1p, .sqrt, .tan, .asin, .acos, .sinh, .cosh, .reciprocal, .rootAtZero,
      .reciprocalRootAtZero, .power, .pow, .atan2, .modulo:
      return true
    default: return false
    }
  }
}
