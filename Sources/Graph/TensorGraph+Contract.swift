import Tensors

/// scale · Π factors, where no label is summed: sums have moved inward, into factors of their own.
public struct Product: Sendable {
  public var scale: Double
  public var factors: [Operand]
  public init(scale: Double, factors: [Operand]) {
    self.scale = scale
    self.factors = factors
  }
}

extension TensorGraph {
  /// scale · Π operands, summed over the labels that are not in `result`; `result` gives the order of the axes.
  /// `sizes` is needed only for labels of the result that no operand has (broadcast).
  public func contract(
    _ scale: Double = 1, _ operands: [Operand], to result: [Label], sizes: [Label: Int] = [:]
  ) -> NodeID {
    let shape: Shape = result.map { label in size(of: label, in: operands) ?? sizes[label] ?? 1 }
    guard let product = normalized(scale, operands, to: result) else { return zero(shape) }
    return node(for: product, result, shape)
  }

  /// The node of a product in normal form.
  public func node(for product: Product, _ result: [Label], _ shape: Shape) -> NodeID {
    if product.scale == 1 && product.factors.count == 1 && product.factors[0].labels == result {
      return product.factors[0].node
    }
    return internContract(product.scale, product.factors, result, shape)
  }

  /// The size of a label by the operands that carry it.
  public func size(of label: Label, in operands: [Operand]) -> Int? {
    for operand in operands {
      if let axis = operand.labels.firstIndex(of: label) { return self[operand.node].shape[axis] }
    }
    return nil
  }

  /// The normal form: nested products flattened, selectors eliminated or composed, every connected group of
  /// operands with summed labels made one inner node. Nil for the structural zero.
  public func normalized(_ scale: Double, _ operands: [Operand], to result: [Label]) -> Product? {
    var product = Product(scale: scale, factors: [])
    guard flatten(operands, result, into: &product) else { return nil }
    let kept = Set(result)
    guard eliminateSelectors(&product, kept) else { return nil }
    if let inside = withDiagonalsInside(product.factors) {
      return normalized(product.scale, inside, to: result)
    }
    divideConstants(&product)
    return groupSums(product, kept)
  }

  // MARK: Flattening

  /// Products with more factors than this stay nested, so that a product built by a loop costs linear time.
  private static var flattenLimit: Int { 32 }

  /// Splices the operands of nested products without sums; false for a structural zero.
  private func flatten(_ operands: [Operand], _ result: [Label], into product: inout Product) -> Bool {
    var pending: [Operand] = operands.reversed()
    while let operand = pending.popLast() {
      let node = self[operand.node]
      switch node.op {
      case .contract(let inner)
      where !node.sumsLabels
        && (node.operands.count <= 1
          || product.factors.count + pending.count + node.operands.count <= Self.flattenLimit):
        product.scale *= inner
        // Axes that a broadcast inner product does not use count when they are summed here.
        for use in node.operands.reversed() {
          pending.append(Operand(use.node, use.labels.map { operand.labels[$0] }))
        }
        for (axis, label) in operand.labels.enumerated()
        where !node.operands.contains(where: { $0.labels.contains(axis) }) {
          pending.append(Operand(ones(node.shape[axis]), [label]))
        }
      case .add(let coefficients) where coefficients.isEmpty: return false
      default: product.factors.append(operand)
      }
    }
    removeOnes(&product, Set(result))
    return true
  }

  /// A quotient of constants is one constant.
  private func divideConstants(_ product: inout Product) {
    let divisors = product.factors.map { constantDivisor($0.node) }
    guard divisors.count == divisors.compactMap({ $0 }).count, product.scale != 1 || divisors.count > 1 else {
      return
    }
    for divisor in divisors { product.scale /= divisor ?? 1 }
    product.factors = []
  }

  /// A broadcast axis kept as a factor until its fate is known: a rank-one selector that takes every place.
  public func ones(_ n: Int) -> NodeID {
    intern(.selector(Selector(extents: [n], starts: [0], steps: [[1]])), [], [n])
  }

  private func isOnes(_ id: NodeID) -> Bool {
    if case .selector(let s) = self[id].op {
      return s.rank == 1 && s.covers(axis: 0, size: self[id].shape[0])
    }
    return false
  }

  /// Ones on a label of the result, or on one that another factor has, go; else they are a sum: the size.
  private func removeOnes(_ product: inout Product, _ kept: Set<Label>) {
    var index = 0
    while index < product.factors.count {
      let factor = product.factors[index]
      guard isOnes(factor.node) else {
        index += 1
        continue
      }
      product.factors.remove(at: index)
      let label = factor.labels[0]
      if !kept.contains(label) && !product.factors.contains(where: { $0.labels.contains(label) }) {
        product.scale *= Double(self[factor.node].shape[0])
      }
    }
  }

  // MARK: Selectors

  private func selector(of operand: Operand) -> Selector? {
    if case .selector(let s) = self[operand.node].op { return s }
    return nil
  }

  /// Renames through identities, composes chains and sums out what stands alone, until nothing changes.
  private func eliminateSelectors(_ product: inout Product, _ kept: Set<Label>) -> Bool {
    guard product.factors.contains(where: { selector(of: $0) != nil }) else { return true }
    var changed = true
    while changed {
      changed = false
      for index in product.factors.indices where selector(of: product.factors[index]) != nil {
        guard let step = eliminate(at: index, in: &product, kept) else { continue }
        if step == .zero { return false }
        changed = true
        break
      }
    }
    return true
  }

  enum Elimination { case zero, changed }

  private func eliminate(at index: Int, in product: inout Product, _ kept: Set<Label>) -> Elimination? {
    let operand = product.factors[index]
    guard let s = selector(of: operand) else { return nil }
    let shape = self[operand.node].shape
    if s.extents.contains(0) { return .zero }
    if isOnes(operand.node) {
      removeOnes(&product, kept)
      return .changed
    }
    if let met = meet(at: index, in: &product) { return met }
    if let parts = split(s, shape, operand.labels) {
      product.factors.replaceSubrange(index...index, with: parts)
      return .changed
    }
    if s.isIdentity(shape) {
      let (i, j) = (operand.labels[0], operand.labels[1])
      if i == j {
        product.factors[index] = Operand(ones(shape[0]), [i])
        return .changed
      }
      if !kept.contains(i) || !kept.contains(j) {
        product.factors.remove(at: index)
        let (from, to) = kept.contains(i) ? (j, i) : (i, j)
        rename(from, to, in: &product)
        // The label may have stood in this delta alone: then its sum is over ones.
        product.factors.append(Operand(ones(shape[0]), [to]))
        removeOnes(&product, kept)
        return .changed
      }
    }
    return compose(at: index, in: &product, kept)
  }

  private func rename(_ from: Label, _ to: Label, in product: inout Product) {
    for k in product.factors.indices {
      for a in product.factors[k].labels.indices where product.factors[k].labels[a] == from {
        product.factors[k].labels[a] = to
      }
    }
  }

  /// Factors of a selector whose axes do not share parameters (one-hots, separate diagonals); nil when it is one.
  private func split(_ s: Selector, _ shape: Shape, _ labels: [Label]) -> [Operand]? {
    guard s.rank > 1 else { return nil }
    var groupOf = Array(0..<s.rank)
    for p in s.extents.indices {
      let users = (0..<s.rank).filter { s.steps[$0][p] != 0 }
      if users.isEmpty { return nil }
      for user in users.dropFirst() {
        let (from, to) = (groupOf[user], groupOf[users[0]])
        for k in groupOf.indices where groupOf[k] == from { groupOf[k] = to }
      }
    }
    let groups = Set(groupOf).sorted()
    guard groups.count > 1 else { return nil }
    return groups.map { group in
      let axes = (0..<s.rank).filter { groupOf[$0] == group }
      let parameters = s.extents.indices.filter { p in axes.contains { s.steps[$0][p] != 0 } }
      let part = Selector(
        extents: parameters.map { s.extents[$0] }, starts: axes.map { s.starts[$0] },
        steps: axes.map { axis in parameters.map { s.steps[axis][$0] } })
      return Operand(selector(part, axes.map { shape[$0] }), axes.map { labels[$0] })
    }
  }

  /// Sums a label that selectors alone carry: in one, it is dropped; in two, they compose.
  private func compose(at index: Int, in product: inout Product, _ kept: Set<Label>) -> Elimination? {
    let operand = product.factors[index]
    guard let s = selector(of: operand), Set(operand.labels).count == operand.labels.count else { return nil }
    for (axis, label) in operand.labels.enumerated() where !kept.contains(label) {
      let others = product.factors.indices.filter {
        $0 != index && product.factors[$0].labels.contains(label)
      }
      if others.isEmpty, let reduced = dropAxis(axis, of: s, operand) {
        product.scale *= reduced.scale
        product.factors.replaceSubrange(index...index, with: reduced.factors)
        return .changed
      }
      guard others.count == 1, let other = selector(of: product.factors[others[0]]) else { continue }
      let partner = product.factors[others[0]]
      guard Set(partner.labels).count == partner.labels.count,
        Set(partner.labels).intersection(operand.labels) == [label],
        let b = partner.labels.firstIndex(of: label), let c = s.composed(axis, other, b)
      else { continue }
      if c.extents.contains(0) { return .zero }
      let mine = operand.labels.indices.filter { $0 != axis }
      let theirs = partner.labels.indices.filter { $0 != b }
      let shape = mine.map { self[operand.node].shape[$0] } + theirs.map { self[partner.node].shape[$0] }
      let labels = mine.map { operand.labels[$0] } + theirs.map { partner.labels[$0] }
      for k in [index, others[0]].sorted(by: >) { product.factors.remove(at: k) }
      // What moved along the summed axis alone is counted.
      let moving = c.extents.indices.filter { p in c.steps.contains { $0[p] != 0 } }
      for p in c.extents.indices where !moving.contains(p) { product.scale *= Double(c.extents[p]) }
      guard !labels.isEmpty else { return .changed }
      let left = Selector(
        extents: moving.map { c.extents[$0] }, starts: c.starts,
        steps: c.steps.map { row in moving.map { row[$0] } })
      product.factors.append(Operand(selector(left, shape), labels))
      return .changed
    }
    return nil
  }

  /// Σ over one axis of a lone selector: exact when every parameter still shows alone on another axis, or is
  /// counted out.
  private func dropAxis(_ axis: Int, of s: Selector, _ operand: Operand) -> Product? {
    let rest = (0..<s.rank).filter { $0 != axis }
    var scale = 1.0
    var parameters: [Int] = []
    for p in s.extents.indices {
      if rest.contains(where: { k in s.steps[k][p] != 0 }) {
        guard
          rest.contains(where: { k in s.steps[k].indices.allSatisfy { (s.steps[k][$0] != 0) == ($0 == p) } })
        else { return nil }
        parameters.append(p)
      } else {
        scale *= Double(s.extents[p])
      }
    }
    guard !rest.isEmpty else { return Product(scale: scale, factors: []) }
    let part = Selector(
      extents: parameters.map { s.extents[$0] }, starts: rest.map { s.starts[$0] },
      steps: rest.map { k in parameters.map { s.steps[k][$0] } })
    let shape = rest.map { self[operand.node].shape[$0] }
    return Product(
      scale: scale, factors: [Operand(selector(part, shape), rest.map { operand.labels[$0] })])
  }

  // MARK: Sums inward

  /// Operands connected by summed labels become one inner node; the others stay outside.
  private func groupSums(_ product: Product, _ kept: Set<Label>) -> Product {
    let factors = product.factors
    guard factors.contains(where: { $0.labels.contains { !kept.contains($0) } }) else { return product }
    var group = Array(factors.indices)
    var owner: [Label: Int] = [:]
    for (index, factor) in factors.enumerated() {
      for label in factor.labels where !kept.contains(label) {
        if let first = owner[label] {
          let (from, to) = (group[index], group[first])
          for k in group.indices where group[k] == from { group[k] = to }
        } else {
          owner[label] = index
        }
      }
    }
    var result = Product(scale: product.scale, factors: [])
    for g in Set(group).sorted() {
      let members = factors.indices.filter { group[$0] == g }.map { factors[$0] }
      if members.allSatisfy({ $0.labels.allSatisfy(kept.contains) }) {
        result.factors += members
        continue
      }
      var outer: [Label] = []
      for member in members {
        for l in member.labels where kept.contains(l) && !outer.contains(l) { outer.append(l) }
      }
      outer.sort()
      let shape: Shape = outer.map { size(of: $0, in: members) ?? 1 }
      result.factors.append(Operand(internContract(1, members, outer, shape), outer))
    }
    return result
  }

  // MARK: Canonical form

  /// Interns a contract whose operands are final: labels of the result become 0..<rank, operands are sorted by
  /// structure, summed labels numbered by first use, and equal operands tried in each order.
  func internContract(_ scale: Double, _ operands: [Operand], _ result: [Label], _ shape: Shape) -> NodeID {
    var position: [Label: Int] = [:]
    for (index, label) in result.enumerated() { position[label] = index }
    let color = colors(operands, position)
    func key(_ operand: Operand) -> [Int] { operand.labels.map { position[$0] ?? color[$0] ?? Int.max } }
    let sorted = operands.map { (operand: $0, hash: self[$0.node].structuralHash, key: key($0)) }.sorted {
      a, b in
      if a.hash != b.hash { return a.hash < b.hash }
      if a.operand.node != b.operand.node { return a.operand.node < b.operand.node }
      return a.key.lexicographicallyPrecedes(b.key)
    }
    // Operands that nothing but the names of their summed labels tells apart can stand in any order.
    var runs: [[Operand]] = []
    for (index, item) in sorted.enumerated() {
      if index > 0, sorted[index - 1].operand.node == item.operand.node, sorted[index - 1].key == item.key,
        item.operand.labels.contains(where: { position[$0] == nil })
      {
        runs[runs.count - 1].append(item.operand)
      } else {
        runs.append([item.operand])
      }
    }
    var best: [Operand]?
    for order in arrangements(runs) {
      let candidate = numbered(order, position, result.count)
      if let known = best, !precedes(candidate, known) { continue }
      best = candidate
    }
    return intern(.contract(scale: scale), best ?? [], shape)
  }

  /// For products in which a node stands twice: a number for each summed label that depends on where it stands and
  /// not on its name (two rounds of colour refinement). Numbers are at least 2³², beyond the labels of any result.
  private func colors(_ operands: [Operand], _ position: [Label: Int]) -> [Label: Int] {
    guard Set(operands.map(\.node)).count < operands.count else { return [:] }
    var color: [Label: Int] = [:]
    for _ in 0..<2 {
      var next: [Label: UInt64] = [:]
      for operand in operands {
        var around = StructuralHasher()
        around.combine(self[operand.node].structuralHash)
        for label in operand.labels { around.combine(position[label] ?? color[label] ?? -1) }
        for (axis, label) in operand.labels.enumerated() where position[label] == nil {
          var place = around
          place.combine(axis)
          next[label, default: 0] &+= place.finish()
        }
      }
      color = next.mapValues { Int($0 >> 2) | 1 << 32 }
    }
    return color
  }

  private func numbered(_ operands: [Operand], _ position: [Label: Int], _ rank: Int) -> [Operand] {
    var position = position
    var next = rank
    return operands.map { operand in
      Operand(
        operand.node,
        operand.labels.map { label in
          if let known = position[label] { return known }
          position[label] = next
          next += 1
          return next - 1
        })
    }
  }

  private func precedes(_ a: [Operand], _ b: [Operand]) -> Bool {
    for (x, y) in zip(a, b) where x.labels != y.labels { return x.labels.lexicographicallyPrecedes(y.labels) }
    return false
  }

  /// The orders in which the operands of each run can stand (beyond 24, the given order alone).
  private func arrangements(_ runs: [[Operand]]) -> [[Operand]] {
    var total = 1
    for run in runs { for k in 1...run.count where total <= 24 { total *= k } }
    guard total > 1, total <= 24 else { return [runs.flatMap { $0 }] }
    var results: [[Operand]] = [[]]
    for run in runs {
      let orders = permutations(run)
      results = results.flatMap { prefix in orders.map { prefix + $0 } }
    }
    return results
  }

  private func permutations(_ items: [Operand]) -> [[Operand]] {
    guard items.count > 1 else { return [items] }
    return items.indices.flatMap { index -> [[Operand]] in
      var rest = items
      let first = rest.remove(at: index)
      return permutations(rest).map { [first] + $0 }
    }
  }
}
