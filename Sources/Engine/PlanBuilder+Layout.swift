import Graph
import Tensors

/// In which order products are laid out in memory. Readers address them by strides, and a product is as fast in either
/// order, so that it takes the one in which the loops that read it walk their other arrays.
extension PlanBuilder {
  /// How the loops that read an array walk their other arrays, for products that may be laid out in another order.
  typealias Walks = [NodeID: [[Int]]]

  /// Orders of the axes of each matrix product that loops read, one for each array that such a loop walks beside it.
  func collectWalks(_ order: [NodeID]) -> Walks {
    var walks: Walks = [:]
    for id in order where isMaterialized(id) && isLoop(id) {
      let arrays = arrays(of: id)
      let axes = Array(graph.shape(id).indices)
      for (place, array) in arrays.enumerated() where canChooseLayout(array.node) {
        let others = arrays.enumerated().filter { $0.offset != place }.map(\.element.labels) + [axes]
        for labels in others {
          let order = labels.compactMap { array.labels.firstIndex(of: $0) }
          if order.count == array.labels.count { walks[array.node, default: []].append(order) }
        }
      }
    }
    return walks
  }

  /// The axes of a node in the order in which it lies in memory, when that is not their own.
  func chosenLayout(_ id: NodeID, _ walks: Walks) -> [Int]? {
    guard let orders = walks[id] else { return nil }
    let own = Array(graph.shape(id).indices)
    let exchanged = Array(own.reversed())
    let (kept, changed) = (orders.count { $0 == own }, orders.count { $0 == exchanged })
    return changed > kept ? exchanged : nil
  }

  /// A matrix that a product gives and that nothing needs in the order of its axes.
  private func canChooseLayout(_ id: NodeID) -> Bool {
    let shape = graph.shape(id)
    return shape.count == 2 && shape.allSatisfy { $0 > 1 } && isMaterialized(id) && isProductSum(id)
      && bufferOf[id] == nil && regions[id] == nil && assemblies[id] == nil
      && !outputs.contains { resolved($0) == id }
  }

  /// What the loop of a node reads, with the labels of its iteration space.
  private func arrays(of root: NodeID) -> [Operand] {
    var found: [Operand] = []
    var pending = graph[root].operands
    while let operand = pending.popLast() {
      let id = resolved(operand.node)
      guard fused.contains(id) else {
        if Set(operand.labels).count == operand.labels.count { found.append(Operand(id, operand.labels)) }
        continue
      }
      for inner in graph[id].operands {
        pending.append(
          Operand(inner.node, inner.labels.map { $0 < operand.labels.count ? operand.labels[$0] : $0 }))
      }
    }
    return found
  }
}
