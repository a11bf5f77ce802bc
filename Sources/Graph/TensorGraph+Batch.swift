import Tensors

extension TensorGraph {
  /// `roots` for every entry of a batch at once. Each variable (a leaf) gives way to a node with one more axis in
  /// front, of `count` entries, and every node that depends on a variable gets this axis as well: one more label that
  /// its dependent operands share. What depends on none is computed once.
  ///
  /// - Returns: nodes of shape [count] + the root's shape; roots without a variable are repeated.
  public func batched(_ roots: [NodeID], _ variables: [NodeID: NodeID], count: Int) -> [NodeID] {
    if count == 0 { return roots.map { fill(0, [0] + shape($0)) } }
    var batch = Batch(self, variables, count)
    for id in reachable(from: roots, stoppingAt: Set(variables.keys)) { batch.add(id) }
    return roots.map { batch.whole($0) }
  }
}

/// Builds the images of nodes in a batch.
private struct Batch {
  /// A node with the batch's axis, and where that stands among its axes: in front, save in index tables.
  private struct Image {
    var node: NodeID
    var axis = 0
  }

  private let graph: TensorGraph
  private let count: Int
  private var images: [NodeID: Image]

  init(_ graph: TensorGraph, _ variables: [NodeID: NodeID], _ count: Int) {
    self.graph = graph
    self.count = count
    images = variables.mapValues { Image(node: $0) }
  }

  /// Builds the image of a node that depends on a variable. Nodes must come in topological order.
  mutating func add(_ id: NodeID) {
    let node = graph[id]
    guard images[id] == nil, node.operands.contains(where: { images[$0.node] != nil }) else { return }
    let image = self.image(node)
    images[id] = image
    if let name = graph.names[id], graph.names[image.node] == nil, graph.leaf(of: image.node) == nil {
      graph.names[image.node] = name
    }
  }

  /// The node with the batch's axis in front.
  func whole(_ id: NodeID) -> NodeID {
    let axes = graph.shape(id).indices.map { $0 + 1 }
    guard let image = images[id] else {
      return graph.contract(1, [Operand(id, axes)], to: [0] + axes, sizes: [0: count])
    }
    if image.axis == 0 { return image.node }
    var labels = axes
    labels.insert(0, at: image.axis)
    return graph.contract(1, [Operand(image.node, labels)], to: [0] + axes)
  }

  private func image(_ node: Node) -> Image {
    let shape = [count] + node.shape
    switch node.op {
    case .table: return Image(node: table(node.shape[0], whole(node.operands[0].node)), axis: 1)
    case .stop: return Image(node: graph.stop(whole(node.operands[0].node)))
    case .dense: return Image(node: graph.dense(whole(node.operands[0].node)))
    case .argmax: return Image(node: graph.argmax(whole(node.operands[0].node)))
    case .argsort: return Image(node: graph.argsort(whole(node.operands[0].node)))
    case .matrix(let f): return Image(node: matrix(f, node, shape))
    case .leaf, .tensor, .selector, .contract, .add, .map, .reduceMax, .external:
      let operands = node.operands.map(lifted)
      return Image(
        node: graph.foldedConstants(node.op, operands, shape) ?? graph.rebuild(node, operands, shape))
    }
  }

  /// An operand among labels that make room for the batch's, which is 0.
  private func lifted(_ operand: Operand) -> Operand {
    var labels = operand.labels.map { $0 + 1 }
    guard let image = images[operand.node] else { return Operand(operand.node, labels) }
    labels.insert(0, at: image.axis)
    return Operand(image.node, labels)
  }

  // MARK: Indices

  /// δ(i ↔ t[j…]). Indices that are known and regular make a symbolic selector: `x[i + 1]` for a range of i is a
  /// slice.
  private func table(_ extent: Int, _ indices: NodeID) -> NodeID {
    let shape = graph.shape(indices)
    guard case .tensor(let place) = graph[indices].op, shape.elementCount > 0 else {
      return graph.table(extent, indices)
    }
    var places: [Int] = []
    for value in graph.constants[place].doubles {
      guard let k = Int(exactly: value), k >= -extent, k < extent else { return graph.table(extent, indices) }
      places.append(k < 0 ? k + extent : k)
    }
    guard let steps = steps(places, shape) else { return graph.table(extent, indices) }
    let rows = shape.indices.map { axis in shape.indices.map { $0 == axis ? 1 : 0 } }
    let selector = Selector(
      extents: shape, starts: [places[0]] + shape.map { _ in 0 }, steps: [steps] + rows)
    // Windows that overlap would be written to twice by what scatters through them.
    guard selector.isInjective(steps) else { return graph.table(extent, indices) }
    return graph.selector(selector, [extent] + shape)
  }

  /// What places grow by along each axis, when they do so regularly.
  private func steps(_ places: [Int], _ shape: Shape) -> [Int]? {
    let strides = shape.rowMajorStrides
    let steps = shape.indices.map { shape[$0] > 1 ? places[strides[$0]] - places[0] : 0 }
    for (flat, place) in places.enumerated() {
      let moved = shape.indices.reduce(0) { $0 + flat / strides[$1] % shape[$1] * steps[$1] }
      if place != places[0] + moved { return nil }
    }
    return steps
  }

  // MARK: Matrices

  private func matrix(_ f: MatrixFunction, _ node: Node, _ shape: Shape) -> NodeID {
    let operands = node.operands.map { operand in
      images[operand.node] == nil
        ? lifted(operand) : Operand(whole(operand.node), [0] + operand.labels.map { $0 + 1 })
    }
    if f == .solve, node.shape.count == 2, images[node.operands[0].node] == nil {
      return solved(node.operands[0].node, operands[1].node, shape)
    }
    return graph.intern(.matrix(f), operands, shape)
  }

  /// One matrix, a batch of right-hand sides: more columns.
  private func solved(_ a: NodeID, _ b: NodeID, _ shape: Shape) -> NodeID {
    let (n, m) = (shape[1], shape[2])
    let columns = Operand(graph.selector(.flatten([count, m]), [count * m, count, m]), [3, 0, 2])
    let wide = graph.contract(
      1, [Operand(b, [0, 1, 2]), columns], to: [1, 3], sizes: [1: n, 3: count * m])
    let x = graph.matrix(.solve, [a, wide])
    return graph.contract(1, [Operand(x, [1, 3]), columns], to: [0, 1, 2])
  }
}

extension TensorGraph {
  private static var foldingLimit: Int { 1 << 16 }

  /// A pointwise operation on constants as a constant, so that positions computed from loop variables are known.
  fileprivate func foldedConstants(_ op: Op, _ operands: [Operand], _ shape: Shape) -> NodeID? {
    guard shape.elementCount <= Self.foldingLimit, !operands.isEmpty,
      !operands.contains(where: { operand in
        operand.labels.contains { $0 >= shape.count }
      })
    else { return nil }
    var readers: [(Int) -> Double] = []
    for operand in operands {
      guard let reader = constantReader(operand, shape) else { return nil }
      readers.append(reader)
    }
    func evaluated(_ body: ([Double]) -> Double) -> NodeID {
      let values = (0..<shape.elementCount).map { flat in body(readers.map { $0(flat) }) }
      return constant(Tensor(values, shape))
    }
    switch op {
    case .add(let coefficients):
      return evaluated { x in zip(coefficients, x).reduce(0) { $0 + $1.0 * $1.1 } }
    case .contract(let scale):
      let divisors = operands.map { constantDivisor($0.node) }
      return evaluated { x in
        zip(x, divisors).reduce(scale) { total, item in item.1.map { total / $0 } ?? total * item.0 }
      }
    // A division finds its divisor below the reciprocal.
    case .map(.reciprocal): return nil
    case .map(let f): return evaluated { x in f(x[0], x.count > 1 ? x[1] : 0, x.count > 2 ? x[2] : 0) }
    default: return nil
    }
  }

  /// The entry of a constant operand at a row-major place of `shape`, whose axes its labels are.
  private func constantReader(_ operand: Operand, _ shape: Shape) -> ((Int) -> Double)? {
    if let value = constantValue(operand.node) { return { _ in value } }
    guard case .tensor(let index) = self[operand.node].op else { return nil }
    let values = constants[index].doubles
    let strides = shape.rowMajorStrides
    let axes = zip(operand.labels, self.shape(operand.node).rowMajorStrides).map {
      (stride: strides[$0], size: shape[$0], own: $1)
    }
    return { flat in values[axes.reduce(0) { $0 + flat / $1.stride % $1.size * $1.own }] }
  }
}
