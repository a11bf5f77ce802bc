import CKernels
import Graph
import Tensors

/// Which nodes are computed inside the loop, the product or the sum of their one consumer.
extension PlanBuilder {
  /// Runs as one loop nest: pointwise, a reduction, or a sum of products whose operands all share its labels.
  func isLoop(_ id: NodeID) -> Bool { isLoop(graph[id]) }

  func isLoop(_ node: Node) -> Bool {
    switch node.op {
    case .map, .reduceMax: return true
    case .add: return true
    case .contract:
      if node.operands.count > Self.fusionLimit { return false }
      if node.operands.contains(where: { isSymbolic($0.node) }) { return false }
      guard node.sumsLabels else { return !node.operands.contains { reopened.contains(resolved($0.node)) } }
      if node.operands.count == 1 { return true }
      let all = Set(node.operands.flatMap(\.labels))
      return node.operands.allSatisfy { Set($0.labels) == all }
    default: return false
    }
  }

  func isSymbolic(_ id: NodeID) -> Bool {
    switch graph[id].op {
    case .selector, .table: return true
    default: return false
    }
  }

  /// Pointwise nodes, which can be computed inside another loop.
  func isPointwise(_ id: NodeID) -> Bool {
    let node = graph[id]
    switch node.op {
    case .map: return true
    case .add: return !node.operands.isEmpty && !node.operands.contains { isAccumulated($0, of: node) }
    case .contract: return isLoop(id) && !node.sumsLabels
    default: return false
    }
  }

  /// A sum of products proper: it goes through the contraction path.
  func isProductSum(_ id: NodeID) -> Bool {
    guard case .contract = graph[id].op, !graph[id].operands.isEmpty else { return false }
    if graph[id].operands.contains(where: { isSymbolic($0.node) }) { return true }
    return graph[id].sumsLabels && !isLoop(id) || graph[id].operands.count > Self.fusionLimit
  }

  /// A term of a sum that is multiplied out straight into the sum's memory.
  func isAccumulated(_ operand: Operand, of node: Node) -> Bool {
    let id = resolved(operand.node)
    return uses[id] == 1 && isProductSum(id) && Set(operand.labels).count == node.shape.count
      && operand.labels.count == node.shape.count && node.shape.elementCount > 1
  }

  /// Operands of one loop, those of fused nodes included: each takes at most one of the kernels' registers.
  static var fusionLimit: Int { Int(HK_MAX_REGISTERS) - 16 }

  /// Decides, for a node that gets memory, which nodes below it are computed with it.
  func decideFusion(_ root: NodeID) {
    let node = graph[root]
    if case .add = node.op {
      for operand in node.operands where isAccumulated(operand, of: node) {
        inPlace.insert(resolved(operand.node))
        reopen(graph[resolved(operand.node)])
      }
    }
    if isProductSum(root) || isScaledProduct(root) { return reopen(node) }
    guard isLoop(root) else { return }
    fuse(below: node, volume: volume(node))
  }

  /// scale · (one inner sum), or that by a constant: the scale joins the inner product.
  private func isScaledProduct(_ id: NodeID) -> Bool {
    let node = graph[id]
    guard case .contract = node.op, !node.sumsLabels else { return false }
    let factors = node.operands.filter { graph.constantValue(resolved($0.node)) == nil }
    guard factors.count == 1 else { return false }
    let inner = resolved(factors[0].node)
    return uses[inner] == 1 && isProductSum(inner)
  }

  private func reopen(_ node: Node) {
    var count = node.operands.count
    for operand in node.operands {
      let id = resolved(operand.node)
      guard uses[id] == 1, isProductSum(id), count + graph[id].operands.count - 1 <= 8 else { continue }
      reopened.insert(id)
      count += graph[id].operands.count - 1
      reopen(graph[id])
    }
  }

  private func volume(_ node: Node) -> Int {
    var sizes: [Label: Int] = [:]
    for (axis, n) in node.shape.enumerated() { sizes[axis] = n }
    for operand in node.operands {
      for (axis, label) in operand.labels.enumerated() { sizes[label] = graph.shape(operand.node)[axis] }
    }
    return sizes.values.reduce(1, *)
  }

  private func fuse(below root: Node, volume: Int) {
    var budget = Self.fusionLimit - root.operands.count
    var pending = [root]
    while let node = pending.popLast() {
      let divides = isDividingLoop(node)
      for use in node.operands {
        let operand = (divides ? divisor(use) : nil) ?? use
        let id = resolved(operand.node)
        guard budget >= graph[id].operands.count, uses[id] == 1, !fused.contains(id), !inPlace.contains(id),
          isPointwise(id), graph.shape(id).elementCount == volume,
          Set(operand.labels).count == operand.labels.count
        else { continue }
        fused.insert(id)
        budget -= max(1, graph[id].operands.count)
        pending.append(graph[id])
      }
    }
  }
}
