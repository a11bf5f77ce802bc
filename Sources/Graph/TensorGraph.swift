import Tensors

/// An immutable, hash-consed graph of tensors with labelled axes, in an arena. Operands always have smaller
/// indices than the nodes that use them, so ascending index order is a topological order.
///
/// Nodes are made by smart constructors (`contract`, `add`, `map`, …) that fold structural zeros, ones and
/// selectors and bring products into one normal form; equal formulas are one node.
public final class TensorGraph {
  public private(set) var nodes: [Node] = []
  public private(set) var leaves: [Leaf] = []
  public private(set) var constants: [Tensor] = []
  /// Names of definitions, for printing.
  public var names: [NodeID: String] = [:]
  /// Matrices that equal their transposes by what they are: Hessians, and what is put together from them.
  public var symmetricNodes: Set<NodeID> = []
  /// Matrices that stand for values stored at the places of a pattern.
  public var sparseViews: [NodeID: (pattern: SparsePattern, values: NodeID)] = [:]

  /// Open addressing by structural hash; 0 is empty, else index + 1.
  private var table: [UInt32] = Array(repeating: 0, count: 1024)
  private var leafNodes: [Int: NodeID] = [:]

  public init() {}

  public subscript(_ id: NodeID) -> Node { nodes[Int(id.index)] }

  /// Every node made so far, in topological order.
  public var nodeIDs: LazyMapSequence<Range<Int>, NodeID> { (0..<nodes.count).lazy.map { NodeID($0) } }

  public func shape(_ id: NodeID) -> Shape { nodes[Int(id.index)].shape }

  // MARK: Leaves and constants

  /// The leaf with this identity. One identity has one shape in one graph.
  public func leaf(_ leaf: Leaf) -> NodeID {
    if let known = leafNodes[leaf.id], nodes[Int(known.index)].shape == leaf.shape { return known }
    leaves.append(leaf)
    let node = intern(.leaf(leaves.count - 1), [], leaf.shape)
    leafNodes[leaf.id] = node
    return node
  }

  /// The leaf behind a node, if it is one.
  public func leaf(of id: NodeID) -> Leaf? {
    if case .leaf(let index) = self[id].op { return leaves[index] }
    return nil
  }

  /// A constant tensor.
  public func constant(_ tensor: Tensor) -> NodeID {
    if tensor.rank == 0 { return fill(tensor.scalarValue) }
    constants.append(tensor)
    let made = intern(.tensor(constants.count - 1), [], tensor.shape)
    if case .tensor(let index) = self[made].op, index != constants.count - 1 { constants.removeLast() }
    return made
  }

  /// The same number everywhere.
  public func fill(_ value: Double, _ shape: Shape = []) -> NodeID {
    intern(.contract(scale: value), [], shape)
  }

  /// The structural zero: it absorbs products and vanishes from sums.
  public func zero(_ shape: Shape) -> NodeID { intern(.add(coefficients: []), [], shape) }

  public func isZero(_ id: NodeID) -> Bool {
    let node = self[id]
    if case .add(let c) = node.op { return c.isEmpty }
    return false
  }

  /// The number of a constant fill (a scalar or a broadcast one).
  public func constantValue(_ id: NodeID) -> Double? {
    let node = self[id]
    if case .contract(let scale) = node.op, node.operands.isEmpty { return scale }
    if let divisor = constantDivisor(id) { return 1 / divisor }
    return isZero(id) ? 0 : nil
  }

  /// c, for the node 1/c of a constant. It stays apart from scales, so that x/c is a division and exact where a
  /// division is (49/49, the mean of equal numbers).
  public func constantDivisor(_ id: NodeID) -> Double? {
    let node = self[id]
    guard case .map(.reciprocal) = node.op, node.shape.isEmpty else { return nil }
    if case .contract(let scale) = self[node.operands[0].node].op,
      self[node.operands[0].node].operands.isEmpty
    {
      return scale
    }
    return nil
  }

  /// δ(i, j).
  public func delta(_ n: Int) -> NodeID { selector(.identity(n), [n, n]) }

  public func selector(_ selector: Selector, _ shape: Shape) -> NodeID {
    intern(.selector(selector.simplified()), [], shape)
  }

  /// δ(i ↔ t[j…]) for i in 0..<n and an index tensor t.
  public func table(_ n: Int, _ indices: NodeID) -> NodeID {
    let shape = [n] + self.shape(indices)
    return intern(.table, [Operand(indices, Array(1..<shape.count))], shape)
  }

  // MARK: Interning

  /// The node with this content, made if it is new. Only smart constructors call it.
  func intern(_ op: Op, _ operands: [Operand], _ shape: Shape) -> NodeID {
    let hash = structuralHash(op, operands, shape)
    var slot = Int(truncatingIfNeeded: hash) & (table.count - 1)
    while table[slot] != 0 {
      let index = Int(table[slot] - 1)
      if nodes[index].structuralHash == hash && isEqual(nodes[index], op, operands, shape) {
        return NodeID(index)
      }
      slot = (slot + 1) & (table.count - 1)
    }
    nodes.append(Node(op: op, operands: operands, shape: shape, structuralHash: hash))
    table[slot] = UInt32(nodes.count)
    if nodes.count * 2 > table.count { growTable() }
    return NodeID(nodes.count - 1)
  }

  private func isEqual(_ node: Node, _ op: Op, _ operands: [Operand], _ shape: Shape) -> Bool {
    guard node.shape == shape, node.operands == operands else { return false }
    if case .tensor(let a) = node.op, case .tensor(let b) = op {
      return a == b
        || constants[a].doubles.elementsEqual(constants[b].doubles) { $0.bitPattern == $1.bitPattern }
    }
    if case .contract(let a) = node.op, case .contract(let b) = op { return a.bitPattern == b.bitPattern }
    return node.op == op
  }

  private func growTable() {
    table = Array(repeating: 0, count: table.count * 4)
    for (index, node) in nodes.enumerated() {
      var slot = Int(truncatingIfNeeded: node.structuralHash) & (table.count - 1)
      while table[slot] != 0 { slot = (slot + 1) & (table.count - 1) }
      table[slot] = UInt32(index + 1)
    }
  }

  private func structuralHash(_ op: Op, _ operands: [Operand], _ shape: Shape) -> UInt64 {
    var hasher = StructuralHasher()
    hashOp(op, into: &hasher)
    for n in shape { hasher.combine(n) }
    for operand in operands {
      hasher.combine(nodes[Int(operand.node.index)].structuralHash)
      for label in operand.labels { hasher.combine(label) }
    }
    return hasher.finish()
  }

  private func hashOp(_ op: Op, into hasher: inout StructuralHasher) {
    switch op {
    case .leaf(let index):
      hasher.combine(1)
      hasher.combine(leaves[index].name)
    case .tensor(let index):
      hasher.combine(2)
      for value in constants[index].doubles { hasher.combine(value) }
    case .contract(let scale):
      hasher.combine(3)
      hasher.combine(scale)
    case .add(let coefficients):
      hasher.combine(4)
      for c in coefficients { hasher.combine(c) }
    case .map(let f):
      hasher.combine(5)
      hasher.combine(f.name)
      // The one name that two functions share.
      if f == .rootAtZero { hasher.combine(1) }
    case .selector(let s):
      hasher.combine(6)
      for n in s.extents + s.starts + s.steps.flatMap({ $0 }) { hasher.combine(n) }
    case .table: hasher.combine(7)
    case .reduceMax: hasher.combine(8)
    case .stop: hasher.combine(9)
    case .argmax: hasher.combine(10)
    case .argsort: hasher.combine(11)
    case .matrix(let f):
      hasher.combine(12)
      hasher.combine(f.rawValue)
    case .dense: hasher.combine(13)
    case .external(let f):
      hasher.combine(14)
      hasher.combine(f.name)
    }
  }

  // MARK: Traversal

  /// Nodes that `roots` depend on, themselves included, in topological order. Iterative: depth is no limit.
  public func reachable(from roots: [NodeID], stoppingAt stops: Set<NodeID> = []) -> [NodeID] {
    guard let greatest = roots.max() else { return [] }
    var seen = [Bool](repeating: false, count: Int(greatest.index) + 1)
    var least = Int(greatest.index)
    var count = 0
    var stack: [NodeID] = []
    func visit(_ id: NodeID) {
      guard !seen[Int(id.index)] else { return }
      seen[Int(id.index)] = true
      least = min(least, Int(id.index))
      count += 1
      if stops.isEmpty || !stops.contains(id) { stack.append(id) }
    }
    for root in roots { visit(root) }
    while let id = stack.popLast() {
      for operand in nodes[Int(id.index)].operands { visit(operand.node) }
    }
    var order: [NodeID] = []
    order.reserveCapacity(count)
    for index in least..<seen.count where seen[index] { order.append(NodeID(index)) }
    return order
  }
}
