import Tensors

extension TensorGraph {
  /// The same operation on other operands, through the smart constructors.
  public func rebuild(_ node: Node, _ operands: [Operand], _ shape: Shape) -> NodeID {
    switch node.op {
    case .contract(let scale):
      var sizes: [Label: Int] = [:]
      for axis in shape.indices { sizes[axis] = shape[axis] }
      return contract(scale, operands, to: Array(shape.indices), sizes: sizes)
    case .add(let coefficients):
      return add(zip(coefficients, operands).map { Summand($0, $1) }, shape: shape)
    case .map(let f): return map(f, operands, shape: shape)
    case .table: return table(shape[0], operands[0].node)
    case .stop: return stop(operands[0].node)
    case .dense: return dense(operands[0].node)
    case .leaf, .tensor, .selector, .reduceMax, .argmax, .argsort, .matrix, .external:
      return intern(node.op, operands, shape)
    }
  }

  /// `roots` with some nodes replaced by others of the same shape. Iterative and shared: each node once.
  public func substitute(_ roots: [NodeID], _ replacements: [NodeID: NodeID]) -> [NodeID] {
    guard !replacements.isEmpty else { return roots }
    var image = replacements
    for id in reachable(from: roots, stoppingAt: Set(replacements.keys)) where image[id] == nil {
      let node = self[id]
      guard node.operands.contains(where: { (image[$0.node] ?? $0.node) != $0.node }) else { continue }
      let operands = node.operands.map { Operand(image[$0.node] ?? $0.node, $0.labels) }
      image[id] = rebuild(node, operands, node.shape)
      if let name = names[id], let made = image[id], names[made] == nil { names[made] = name }
    }
    return roots.map { image[$0] ?? $0 }
  }

  /// The variables, and the nodes of `order` (operands first) that one of them enters.
  public func dependents(of variables: Set<NodeID>, in order: [NodeID]) -> Set<NodeID> {
    order.reduce(into: variables) { found, id in
      if self[id].operands.contains(where: { found.contains($0.node) }) { found.insert(id) }
    }
  }

  /// The leaves that `roots` depend on, in order of first appearance in the arena.
  public func leaves(below roots: [NodeID]) -> [NodeID] {
    reachable(from: roots).filter { if case .leaf = self[$0].op { return true } else { return false } }
  }
}
