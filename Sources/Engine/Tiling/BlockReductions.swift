import Graph
import Tensors

/// Rewrites reductions of a matrix that is made of flattened blocks (a Hessian over several params) as reductions
/// of the blocks over their own axes: what is pointwise between the blocks and the reduction moves inside.
struct BlockReductions {
  let graph: TensorGraph
  let isLarge: (NodeID) -> Bool
  /// More combinations of blocks than this stay as they are.
  private var limit: Int { 4096 }

  init(_ graph: TensorGraph, isLarge: @escaping (NodeID) -> Bool) {
    self.graph = graph
    self.isLarge = isLarge
  }

  /// The outputs, with every reduction rewritten that can be.
  func rewritten(_ outputs: [NodeID]) -> [NodeID] {
    var outputs = outputs
    // A reduction may read another one; each pass rewrites those that it can reach.
    for _ in 0..<8 {
      var replacements: [NodeID: NodeID] = [:]
      let stored = Set(outputs.map(graph.resolved))
      for id in graph.reachable(from: outputs) where !isLarge(id) || isPart(id) {
        guard let made = rewrite(id, stored), made != id else { continue }
        replacements[id] = made
      }
      if replacements.isEmpty { break }
      outputs = graph.substitute(outputs, replacements)
    }
    return outputs
  }

  /// A large array that is a small part of a larger one: a block of a Hessian.
  private func isPart(_ id: NodeID) -> Bool {
    let node = graph[id]
    guard case .contract = node.op, node.sumsLabels else { return false }
    let arrays = node.operands.filter { operand in
      if case .selector = graph[operand.node].op { return false } else { return true }
    }
    return arrays.count == 1
      && graph.shape(arrays[0].node).elementCount >= 2 * node.shape.elementCount
  }

  private func rewrite(_ id: NodeID, _ stored: Set<NodeID>) -> NodeID? {
    let node = graph[id]
    switch node.op {
    case .contract: guard node.sumsLabels else { return nil }
    case .reduceMax: break
    default: return nil
    }
    guard node.operands.contains(where: { isLarge(graph.resolved($0.node)) }),
      let reduction = BlockReduction(graph, id, isLarge, stored), reduction.combinations <= limit
    else { return nil }
    return reduction.rewritten()
  }
}

/// A part of an axis, and the axes whose row-major flattening it is.
private struct AxisPart: Hashable {
  var offset: Int
  var shape: [Int]
  var count: Int { shape.elementCount }
}

/// A product that fills a block of a matrix: scale · Π operands, some axes of which are flattened into parts of the
/// result's.
private struct PlacedBlock {
  var scale: Double
  /// All but the selectors that place.
  var operands: [Operand] = []
  /// Per axis of the result: the labels that are flattened into it, and the part that they fill (nil: the axis itself).
  var axes: [(labels: [Label], part: AxisPart?)]

  /// Nil when no axis is flattened.
  init?(_ graph: TensorGraph, _ id: NodeID) {
    let node = graph[id]
    guard case .contract(let scale) = node.op else { return nil }
    self.scale = scale
    let rank = node.shape.count
    var found: [Label: (labels: [Label], part: AxisPart?)] = [:]
    for operand in node.operands {
      let inner = Array(operand.labels.dropFirst())
      if case .selector(let s) = graph[operand.node].op, let target = operand.labels.first, target < rank,
        found[target] == nil, let part = Self.flattening(s, graph.shape(operand.node)),
        inner.allSatisfy({ $0 >= rank }), Set(inner).count == inner.count
      {
        found[target] = (inner, part)
      } else {
        operands.append(operand)
      }
    }
    guard !found.isEmpty, !operands.contains(where: { $0.labels.contains { found[$0] != nil } }) else {
      return nil
    }
    axes = node.shape.indices.map { found[$0] ?? ([$0], nil) }
  }

  /// δ(i ↔ offset + row-major position of (j…)).
  private static func flattening(_ s: Selector, _ shape: Shape) -> AxisPart? {
    let kept = shape.dropFirst().enumerated().filter { $0.element != 1 }
    guard s.steps[0] == s.extents.rowMajorStrides, kept.map(\.element) == s.extents else { return nil }
    for (parameter, axis) in kept.map(\.offset).enumerated() {
      let steps = s.steps[axis + 1]
      guard s.starts[axis + 1] == 0,
        steps.indices.allSatisfy({ steps[$0] == ($0 == parameter ? 1 : 0) })
      else { return nil }
    }
    return AxisPart(offset: s.starts[0], shape: Array(shape.dropFirst()))
  }
}

/// One reduction over a tree of pointwise nodes whose leaves hold placed blocks.
private struct BlockReduction {
  let graph: TensorGraph
  let id: NodeID
  /// Large pointwise nodes below the reduction.
  private var tree: Set<NodeID> = []
  private var placed: [NodeID: PlacedBlock] = [:]
  private let classes: LabelClasses
  /// The parts of each class that blocks cut.
  private var parts: [Int: [AxisPart]] = [:]

  init?(_ graph: TensorGraph, _ id: NodeID, _ isLarge: (NodeID) -> Bool, _ stored: Set<NodeID>) {
    self.graph = graph
    self.id = id
    var pending = [id]
    while let next = pending.popLast() {
      for operand in graph[next].operands {
        let read = graph.resolved(operand.node)
        guard isLarge(read), !stored.contains(read), !tree.contains(read), placed[read] == nil else {
          continue
        }
        if graph.isPointwise(read) {
          tree.insert(read)
          pending.append(read)
        } else if let block = PlacedBlock(graph, read) {
          placed[read] = block
        }
      }
    }
    if placed.isEmpty { return nil }
    let members = tree.union(placed.keys).union([id]).sorted()
    classes = LabelClasses(graph, members: members, source: graph.resolved)
    // A class that stands twice in a node ties its axes together; they cannot be cut apart.
    for member in members {
      let own = graph.shape(member).indices.map { classes[member, $0] }
      if Set(own).count < own.count { return nil }
    }
    for (node, block) in placed {
      for (axis, place) in block.axes.enumerated() {
        if let part = place.part, let c = classes[node, axis] { parts[c, default: []].append(part) }
      }
    }
    for (c, found) in parts {
      guard let whole = Self.partition(found, classes.sizes[c]) else { return nil }
      parts[c] = whole
    }
  }

  /// Distinct parts in order, gaps filled; nil when some overlap.
  private static func partition(_ found: [AxisPart], _ size: Int) -> [AxisPart]? {
    var result: [AxisPart] = []
    var end = 0
    for part in Set(found).sorted(by: { ($0.offset, $0.count) < ($1.offset, $1.count) }) where part.count > 0
    {
      guard part.offset >= end else { return nil }
      if part.offset > end { result.append(AxisPart(offset: end, shape: [part.offset - end])) }
      result.append(part)
      end = part.offset + part.count
    }
    if end < size { result.append(AxisPart(offset: end, shape: [size - end])) }
    return result
  }

  var combinations: Int { parts.values.reduce(1) { $0 * $1.count } }

  func rewritten() -> NodeID? {
    let node = graph[id]
    let cut = parts.keys.sorted()
    let keptClasses = Set(node.shape.indices.compactMap { classes[id, $0] })
    var terms: [Summand] = []
    let axes = Array(node.shape.indices)
    for kept in choices(cut.filter(keptClasses.contains)) {
      var reduced: [NodeID] = []
      for summed in choices(cut.filter { !keptClasses.contains($0) }) {
        var instance = BlockInstance(self, kept.merging(summed) { a, _ in a })
        guard let made = instance.reduction() else { return nil }
        reduced.append(made)
      }
      guard let shape = reduced.first.map(graph.shape) else { return nil }
      let whole: NodeID
      if case .reduceMax = node.op {
        whole = reduced.dropFirst().reduce(reduced[0]) { graph.map(.max, $0, $1) }
      } else {
        whole = graph.add(reduced, shape: shape)
      }
      terms.append(Summand(1, Operand(placedBack(whole, kept, node.shape), axes)))
    }
    return graph.add(terms, shape: node.shape)
  }

  private func choices(_ classes: [Int]) -> [[Int: AxisPart]] {
    classes.reduce([[:]]) { all, c in
      all.flatMap { chosen in
        (parts[c] ?? []).map { part in chosen.merging([c: part]) { _, new in new } }
      }
    }
  }

  /// A result over the blocks' axes in its place of the reduction's axes.
  private func placedBack(_ node: NodeID, _ chosen: [Int: AxisPart], _ shape: Shape) -> NodeID {
    var next = shape.count
    var labels: [Label] = []
    var selectors: [Operand] = []
    for axis in shape.indices {
      guard let part = classes[id, axis].flatMap({ chosen[$0] }) else {
        labels.append(axis)
        continue
      }
      let own = part.shape.indices.map { next + $0 }
      next += own.count
      labels += own
      let selector = graph.selector(.flatten(offset: part.offset, part.shape), [shape[axis]] + part.shape)
      selectors.append(Operand(selector, [axis] + own))
    }
    let sizes = Dictionary(uniqueKeysWithValues: shape.enumerated().map { ($0, $1) })
    return graph.contract(1, [Operand(node, labels)] + selectors, to: Array(shape.indices), sizes: sizes)
  }

  /// The tree with one part chosen for each class.
  struct BlockInstance {
    let owner: BlockReduction
    let chosen: [Int: AxisPart]
    private var made: [NodeID: NodeID] = [:]

    init(_ owner: BlockReduction, _ chosen: [Int: AxisPart]) {
      self.owner = owner
      self.chosen = chosen
    }

    private var graph: TensorGraph { owner.graph }

    /// Sizes that stand for a label of a node now.
    private func shape(_ node: NodeID, _ label: Label) -> Shape {
      guard let c = owner.classes[node, label] else { return [] }
      return chosen[c]?.shape ?? [owner.classes.sizes[c]]
    }

    mutating func reduction() -> NodeID? {
      let node = graph[owner.id]
      guard let (operands, labels) = operands(of: owner.id) else { return nil }
      let result = node.shape.indices.flatMap { labels[$0] ?? [] }
      let resultShape = node.shape.indices.flatMap { shape(owner.id, $0) }
      guard case .reduceMax = node.op else { return graph.rebuild(node, operands, resultShape) }
      let operand = operands[0]
      if let value = graph.constantValue(operand.node) { return graph.fill(value, resultShape) }
      let axes = operand.labels.indices.filter { operand.labels[$0] >= result.count }
      guard operand.labels.filter({ $0 < result.count }) == Array(result.indices) else { return nil }
      return graph.reduceMax(operand.node, axes: axes)
    }

    /// The operands with their labels expanded; labels of the result are numbered first.
    private mutating func operands(of id: NodeID) -> (operands: [Operand], labels: [Label: [Label]])? {
      let node = graph[id]
      var labels: [Label: [Label]] = [:]
      var next = 0
      for label in Array(node.shape.indices) + node.operands.flatMap(\.labels) where labels[label] == nil {
        let count = shape(id, label).count
        labels[label] = (0..<count).map { next + $0 }
        next += count
      }
      var operands: [Operand] = []
      for operand in node.operands {
        let read = graph.resolved(operand.node)
        let expanded = operand.labels.flatMap { labels[$0] ?? [] }
        if owner.tree.contains(read) || owner.placed[read] != nil {
          guard let made = instance(read) else { return nil }
          operands.append(Operand(made, expanded))
        } else {
          operands.append(restricted(Operand(operand.node, operand.labels), id, labels))
        }
      }
      return (operands, labels)
    }

    private mutating func instance(_ id: NodeID) -> NodeID? {
      if let known = made[id] { return known }
      let newShape = graph.shape(id).indices.flatMap { shape(id, $0) }
      var result: NodeID?
      if let placed = owner.placed[id] {
        result = block(placed, id, newShape)
      } else if let (operands, _) = operands(of: id) {
        result = graph.rebuild(graph[id], operands, newShape)
      }
      made[id] = result
      return result
    }

    /// The block itself where the chosen parts are its own; zero elsewhere.
    private func block(_ placed: PlacedBlock, _ id: NodeID, _ newShape: Shape) -> NodeID {
      var operands: [Operand] = []
      var sizes: [Label: Int] = [:]
      for (axis, n) in newShape.enumerated() { sizes[axis] = n }
      var fresh = newShape.count
      var renamed: [Label: Label] = [:]
      func next() -> Label {
        fresh += 1
        return fresh - 1
      }
      var place = 0
      for (axis, own) in placed.axes.enumerated() {
        let part = owner.classes[id, axis].flatMap { chosen[$0] }
        let count = shape(id, axis).count
        if let ownPart = own.part {
          if part != ownPart { return graph.zero(newShape) }
          for (k, label) in own.labels.enumerated() {
            // A label that two axes share: the block is a diagonal.
            if let first = renamed[label] {
              operands.append(Operand(graph.delta(newShape[place + k]), [first, place + k]))
            } else {
              renamed[label] = place + k
            }
          }
        } else if let part {
          // The block has the whole axis, of which a part is wanted.
          let whole = next()
          let selector = graph.selector(
            .flatten(offset: part.offset, part.shape), [graph.shape(id)[axis]] + part.shape)
          operands.append(Operand(selector, [whole] + (0..<count).map { place + $0 }))
          renamed[axis] = whole
        } else {
          renamed[axis] = place
        }
        place += count
      }
      for operand in placed.operands {
        for label in operand.labels where renamed[label] == nil { renamed[label] = next() }
        operands.append(Operand(operand.node, operand.labels.map { renamed[$0] ?? $0 }))
      }
      return graph.contract(placed.scale, operands, to: Array(newShape.indices), sizes: sizes)
    }

    /// A slice of which a part of one axis is wanted stays symbolic.
    private func cutSelector(_ operand: Operand, _ reader: NodeID, _ labels: [Label: [Label]]) -> Operand? {
      func part(_ label: Label) -> AxisPart? { owner.classes[reader, label].flatMap { chosen[$0] } }
      let cut = operand.labels.indices.filter { part(operand.labels[$0]) != nil }
      guard case .selector(let s) = graph[operand.node].op, cut.count == 1,
        let part = part(operand.labels[cut[0]]), Set(operand.labels).count == operand.labels.count,
        let selector = s.cut(axis: cut[0], offset: part.offset, part.shape)
      else { return nil }
      let own = graph.shape(operand.node)
      let shape = own[..<cut[0]] + part.shape + own[(cut[0] + 1)...]
      let node =
        selector.extents.contains(0) ? graph.zero(Array(shape)) : graph.selector(selector, Array(shape))
      return Operand(node, operand.labels.flatMap { labels[$0] ?? [] })
    }

    /// A part of an array that is not made of blocks.
    private func restricted(_ operand: Operand, _ reader: NodeID, _ labels: [Label: [Label]]) -> Operand {
      let distinct = operand.labels.reduce(into: [Label]()) { if !$0.contains($1) { $0.append($1) } }
      let wanted = distinct.flatMap { labels[$0] ?? [] }
      func part(_ label: Label) -> AxisPart? { owner.classes[reader, label].flatMap { chosen[$0] } }
      guard distinct.contains(where: { part($0) != nil }) else {
        return Operand(operand.node, operand.labels.flatMap { labels[$0] ?? [] })
      }
      if let selector = cutSelector(operand, reader, labels) { return selector }
      var sizes: [Label: Int] = [:]
      var fresh = (wanted.max() ?? -1) + 1
      var own: [Label: Label] = [:]
      var selectors: [Operand] = []
      for label in distinct {
        let expanded = labels[label] ?? []
        guard let part = part(label) else {
          own[label] = expanded[0]
          continue
        }
        for (k, n) in part.shape.enumerated() { sizes[expanded[k]] = n }
        let n = graph.size(of: label, in: [operand]) ?? 1
        let selector = graph.selector(.flatten(offset: part.offset, part.shape), [n] + part.shape)
        selectors.append(Operand(selector, [fresh] + expanded))
        own[label] = fresh
        fresh += 1
      }
      let array = Operand(operand.node, operand.labels.map { own[$0] ?? 0 })
      return Operand(graph.contract(1, [array] + selectors, to: wanted, sizes: sizes), wanted)
    }
  }
}
