import Tensors

/// Diagonals are taken before anything is multiplied out: what walks a diagonal of a product, a sum or a pointwise
/// function walks those of the operands.
extension TensorGraph {
  /// The factors with diagonals moved inside composed nodes; nil when there are none.
  func withDiagonalsInside(_ factors: [Operand]) -> [Operand]? {
    var changed = false
    let result = factors.map { factor -> Operand in
      guard let inside = diagonal(factor) else { return factor }
      changed = true
      return inside
    }
    return changed ? result : nil
  }

  /// The diagonal that an operand walks as a node over distinct labels; nil when it walks none, or the node is not
  /// composed of others.
  private func diagonal(_ operand: Operand) -> Operand? {
    var distinct: [Label] = []
    for label in operand.labels where !distinct.contains(label) { distinct.append(label) }
    guard distinct.count < operand.labels.count else { return nil }
    let node = self[operand.node]
    switch node.op {
    case .contract, .map, .add: guard !node.operands.isEmpty else { return nil }
    default: return nil
    }
    var position: [Label: Int] = [:]
    for (place, label) in distinct.enumerated() { position[label] = place }
    let place = operand.labels.map { position[$0] ?? 0 }
    var shape = [Int](repeating: 1, count: distinct.count)
    for (axis, n) in node.shape.enumerated() { shape[place[axis]] = n }
    let operands = node.operands.map { use in
      let moved = Operand(use.node, use.labels.map { $0 < place.count ? place[$0] : $0 })
      if case .contract = node.op { return moved }
      return onDistinctLabels(moved)
    }
    return Operand(rebuild(node, operands, shape), distinct)
  }

  /// Sums and pointwise functions read operands over distinct labels.
  private func onDistinctLabels(_ operand: Operand) -> Operand {
    let distinct = Set(operand.labels).sorted()
    guard distinct.count < operand.labels.count else { return operand }
    return Operand(contract(1, [operand], to: distinct), distinct)
  }

  /// Two selectors that share a label whose place determines the parameters of both: the same image twice says that
  /// their other labels are equal, images apart make the product zero.
  func meet(at index: Int, in product: inout Product) -> Elimination? {
    // Identities that share a label would only change places, for ever.
    guard let (s, labels) = plainSelector(product.factors[index]),
      !s.isIdentity(self[product.factors[index].node].shape)
    else { return nil }
    for (axis, label) in labels.enumerated() where s.isInjective(s.steps[axis]) {
      for other in product.factors.indices where other > index {
        guard let (t, partners) = plainSelector(product.factors[other]),
          let b = partners.firstIndex(of: label), t.isInjective(t.steps[b])
        else { continue }
        if !s.reach(axis: axis).overlaps(t.reach(axis: b)) { return .zero }
        guard s.rank > 1, t.rank > 1, s.extents == t.extents, s.starts[axis] == t.starts[b],
          s.steps[axis] == t.steps[b],
          let pairs = equated(product.factors[index], axis, product.factors[other], b)
        else { continue }
        product.factors.remove(at: other)
        for pair in pairs { product.factors.append(Operand(delta(pair.size), [pair.mine, pair.theirs])) }
        return .changed
      }
    }
    return nil
  }

  private func plainSelector(_ operand: Operand) -> (selector: Selector, labels: [Label])? {
    guard case .selector(let s) = self[operand.node].op, !s.extents.contains(0),
      Set(operand.labels).count == operand.labels.count
    else { return nil }
    return (s, operand.labels)
  }

  /// Labels of two selectors with the same parameters that are the same parameter; nil when some label of the
  /// second is not a parameter that the first has as a label.
  private func equated(_ first: Operand, _ a: Int, _ second: Operand, _ b: Int)
    -> [(mine: Label, theirs: Label, size: Int)]?
  {
    guard let (s, mine) = plainSelector(first), let (t, theirs) = plainSelector(second) else { return nil }
    let (shape, other) = (self[first.node].shape, self[second.node].shape)
    var pairs: [(mine: Label, theirs: Label, size: Int)] = []
    for axis in theirs.indices where axis != b {
      guard let p = t.renamedParameter(axis: axis, size: other[axis]),
        let match = mine.indices.first(where: {
          $0 != a && s.renamedParameter(axis: $0, size: shape[$0]) == p
        })
      else { return nil }
      if mine[match] != theirs[axis] { pairs.append((mine[match], theirs[axis], other[axis])) }
    }
    return pairs
  }
}
