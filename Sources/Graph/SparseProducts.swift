import Tensors

/// Finds the terms of a matrix that tie its row to its column.
///
/// A matrix is written as a sum of products over labels 0 (row) and 1 (column); sums and products inside are opened
/// wherever a selector or an index table stands in them, so that every tie shows.
public struct SparseProducts {
  let graph: TensorGraph
  /// Whether a node is a sum or product with a selector or table in every term; found once.
  private var symbolic: [NodeID: Bool] = [:]

  /// More terms than this are no structure.
  static let limit = 1 << 14

  public init(_ graph: TensorGraph) { self.graph = graph }

  /// The terms of a node over its axes; nil when some term ties nothing.
  public mutating func terms(of id: NodeID) -> [Product]? {
    let id = resolved(id)
    guard isSymbolic(id) else { return nil }
    let node = graph[id]
    let axes = Array(node.shape.indices)
    switch node.op {
    case .selector, .table: return [Product(scale: 1, factors: [Operand(id, axes)])]
    case .add(let coefficients):
      var result: [Product] = []
      for (c, operand) in zip(coefficients, node.operands) {
        guard Set(operand.labels).count == operand.labels.count, let inner = terms(of: operand.node),
          result.count + inner.count <= Self.limit
        else { return nil }
        let rank = graph.shape(operand.node).count
        for product in inner {
          var moved = renamed(product, operand.labels, rank, fresh: node.shape.count)
          moved.scale *= c
          // What the sum broadcasts is there for every place.
          for axis in axes where !operand.labels.contains(axis) {
            moved.factors.append(Operand(graph.ones(node.shape[axis]), [axis]))
          }
          result.append(moved)
        }
      }
      return result
    case .contract(let scale):
      guard let products = opened(node.operands) else { return nil }
      return products.map { product in
        var all = Product(scale: scale * product.scale, factors: product.factors)
        for axis in axes where !all.factors.contains(where: { $0.labels.contains(axis) }) {
          all.factors.append(Operand(graph.ones(node.shape[axis]), [axis]))
        }
        return all
      }
    default: return nil
    }
  }

  /// The product of some operands as a sum of products in which every operand that ties labels is opened.
  public mutating func opened(_ operands: [Operand]) -> [Product]? {
    var results = [Product(scale: 1, factors: [])]
    var fresh = (operands.flatMap(\.labels).max() ?? -1) + 1
    for operand in operands {
      let id = resolved(operand.node)
      guard isOpenable(id), let inner = terms(of: id) else {
        for k in results.indices { results[k].factors.append(Operand(id, operand.labels)) }
        continue
      }
      guard results.count * inner.count <= Self.limit else { return nil }
      let rank = graph.shape(id).count
      let moved = inner.map { renamed($0, operand.labels, rank, fresh: fresh) }
      fresh = max(fresh, (moved.flatMap(\.factors).flatMap(\.labels).max() ?? -1) + 1)
      results = results.flatMap { a in
        moved.map { Product(scale: a.scale * $0.scale, factors: a.factors + $0.factors) }
      }
    }
    return results
  }

  /// A product over the axes of an operand, with that operand's labels for them and fresh ones for its own sums.
  private func renamed(_ product: Product, _ labels: [Label], _ rank: Int, fresh: Int) -> Product {
    Product(
      scale: product.scale,
      factors: product.factors.map { factor in
        Operand(factor.node, factor.labels.map { $0 < rank ? labels[$0] : fresh + $0 - rank })
      })
  }

  /// Looks through what only derivatives see.
  private func resolved(_ id: NodeID) -> NodeID {
    var id = id
    while case .stop = graph[id].op { id = graph[id].operands[0].node }
    return id
  }

  private mutating func isOpenable(_ id: NodeID) -> Bool {
    switch graph[id].op {
    case .add, .contract: return isSymbolic(id)
    default: return false
    }
  }

  /// Iterative on the way down: sums nest deeply.
  private mutating func isSymbolic(_ root: NodeID) -> Bool {
    var stack = [root]
    while let top = stack.last {
      let id = resolved(top)
      if symbolic[id] != nil {
        stack.removeLast()
        continue
      }
      let node = graph[id]
      // Scalars and constants are factors and tie nothing.
      let inner =
        node.shape.isEmpty || !isSumOrProduct(node.op) ? [] : node.operands.map { resolved($0.node) }
      if let pending = inner.first(where: { symbolic[$0] == nil }) {
        stack.append(pending)
        continue
      }
      let marks = inner.map { symbolic[$0] ?? false }
      switch node.op {
      case .table: symbolic[id] = true
      // A selector that takes every place of its one axis is a broadcast.
      case .selector(let s): symbolic[id] = s.rank >= 2 || s.extents.elementCount < node.shape.elementCount
      case .add: symbolic[id] = !marks.isEmpty && !marks.contains(false)
      case .contract: symbolic[id] = marks.contains(true)
      default: symbolic[id] = false
      }
      stack.removeLast()
    }
    return symbolic[resolved(root)] ?? false
  }

  private func isSumOrProduct(_ op: Op) -> Bool {
    switch op {
    case .add, .contract: return true
    default: return false
    }
  }
}
