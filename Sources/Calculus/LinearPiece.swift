import Graph
import Tensors

/// How the tangent of one operand enters the tangent of a node:
///
///     ṅ[0..<rank] += scale · Σ Π factors · ṫ[labels]
///
/// summed over the labels that are not axes of the node. This is the only derivative rule of a primitive: forward
/// mode applies it, reverse mode transposes it by exchanging the roles of ṅ and ṫ.
struct LinearPiece {
  let operand: Int
  var scale: Double = 1
  var factors: [Operand] = []
  /// Labels of the operand's axes.
  let labels: [Label]
}

extension TensorGraph {
  /// The derivative rule of a node: one piece for each operand that the node depends on differentiably.
  func linearPieces(_ id: NodeID) -> [LinearPiece] {
    let node = self[id]
    switch node.op {
    case .leaf, .tensor, .selector, .table, .stop, .argmax, .argsort, .external: return []
    case .dense: return [LinearPiece(operand: 0, labels: node.operands[0].labels)]
    case .contract(let scale):
      return node.operands.indices.map { k in
        var others = node.operands
        others.remove(at: k)
        return LinearPiece(operand: k, scale: scale, factors: others, labels: node.operands[k].labels)
      }
    case .add(let coefficients):
      return node.operands.indices.map {
        LinearPiece(operand: $0, scale: coefficients[$0], labels: node.operands[$0].labels)
      }
    case .map(let f):
      if f.isPiecewiseConstant { return [] }
      return node.operands.indices.compactMap { k in
        guard let derivative = partial(f, of: id, by: k) else { return nil }
        return LinearPiece(
          operand: k, factors: [Operand(derivative, Array(node.shape.indices))],
          labels: node.operands[k].labels)
      }
    case .reduceMax: return [maximumPiece(id)]
    case .matrix(let f): return matrixPieces(f, id)
    }
  }

  /// Ties share the tangent equally.
  private func maximumPiece(_ id: NodeID) -> LinearPiece {
    let node = self[id]
    let operand = node.operands[0]
    let kept = Array(node.shape.indices)
    var shape = node.shape + [Int](repeating: 0, count: operand.labels.count - node.shape.count)
    for (axis, label) in operand.labels.enumerated() { shape[label] = self[operand.node].shape[axis] }
    let attained = map(.equal, [operand, Operand(id, kept)], shape: shape)
    let all = Array(shape.indices)
    let ties = contract(1, [Operand(attained, all)], to: kept)
    let share = map(.reciprocal, [Operand(ties, kept)], shape: node.shape)
    return LinearPiece(
      operand: 0, factors: [Operand(stop(attained), all), Operand(stop(share), kept)], labels: operand.labels)
  }
}
