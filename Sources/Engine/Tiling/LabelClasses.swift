import Graph

/// Labels of different nodes that walk the same axis: what an operand's label names in its node and in the node that
/// reads it is one class.
struct LabelClasses {
  private struct Key: Hashable {
    var node: NodeID
    var label: Label
  }

  private var index: [Key: Int] = [:]
  private var parent: [Int] = []
  private(set) var sizes: [Int] = []

  /// Classes over `members`, joined wherever one of them reads another. `source` looks through nodes that only
  /// pass a value on.
  init(_ graph: TensorGraph, members: [NodeID], source: (NodeID) -> NodeID) {
    let inside = Set(members)
    for id in members {
      let node = graph[id]
      for (axis, n) in node.shape.enumerated() { add(id, axis, n) }
      for operand in node.operands {
        let read = source(operand.node)
        for (axis, label) in operand.labels.enumerated() {
          add(id, label, graph.shape(read)[axis])
          if inside.contains(read) {
            add(read, axis, graph.shape(read)[axis])
            unite(root(id, label), root(read, axis))
          }
        }
      }
    }
  }

  private mutating func add(_ node: NodeID, _ label: Label, _ size: Int) {
    let key = Key(node: node, label: label)
    guard index[key] == nil else { return }
    index[key] = parent.count
    parent.append(parent.count)
    sizes.append(size)
  }

  private mutating func unite(_ a: Int, _ b: Int) { parent[Swift.max(a, b)] = Swift.min(a, b) }

  private func root(_ node: NodeID, _ label: Label) -> Int { self[node, label] ?? -1 }

  /// The class of a node's label.
  subscript(_ node: NodeID, _ label: Label) -> Int? {
    guard var place = index[Key(node: node, label: label)] else { return nil }
    while parent[place] != place { place = parent[place] }
    return place
  }

  var all: [Int] { parent.indices.filter { parent[$0] == $0 } }
}

extension TensorGraph {
  /// Computed an entry at a time from the entries of its operands.
  func isPointwise(_ id: NodeID) -> Bool {
    let node = self[id]
    switch node.op {
    case .map: return true
    case .add: return !node.operands.isEmpty
    case .contract: return !node.operands.isEmpty && !node.sumsLabels
    default: return false
    }
  }
}
