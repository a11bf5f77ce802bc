import Graph
import Tensors

extension TensorGraph {
  /// Cotangents of `inputs` for cotangents of `outputs` (each of its output's shape): the transpose of forward
  /// mode, rule by rule. Inputs may be inner nodes; they then count as independent.
  public func vjp(of outputs: [NodeID], _ cotangents: [NodeID], wrt inputs: [NodeID]) -> [NodeID] {
    let sources = Set(inputs)
    let order = reachable(from: outputs, stoppingAt: sources)
    var active = sources
    for id in order
    where !active.contains(id) && self[id].operands.contains(where: { active.contains($0.node) }) {
      active.insert(id)
    }
    var incoming: [NodeID: [NodeID]] = [:]
    for (output, cotangent) in zip(outputs, cotangents) where active.contains(output) {
      incoming[output, default: []].append(cotangent)
    }
    for id in order.reversed() where active.contains(id) && !sources.contains(id) {
      guard let parts = incoming.removeValue(forKey: id) else { continue }
      let adjoint = add(parts, shape: shape(id))
      if isZero(adjoint) { continue }
      for piece in linearPieces(id) {
        let operand = self[id].operands[piece.operand].node
        guard active.contains(operand) else { continue }
        incoming[operand, default: []].append(transposed(piece, adjoint, shape(operand)))
      }
    }
    return inputs.map { input in add(incoming[input] ?? [], shape: shape(input)) }
  }

  /// ṫ[labels] = scale · Σ Π factors · adjoint.
  private func transposed(_ piece: LinearPiece, _ adjoint: NodeID, _ shape: Shape) -> NodeID {
    var operands = piece.factors + [Operand(adjoint, Array(self.shape(adjoint).indices))]
    var labels = piece.labels
    var next = (operands.flatMap(\.labels) + labels).max().map { $0 + 1 } ?? 0
    var sizes: [Label: Int] = [:]
    for axis in labels.indices {
      // A diagonal: equal labels become distinct ones with a delta between them.
      if let first = labels[..<axis].firstIndex(of: labels[axis]) {
        operands.append(Operand(delta(shape[axis]), [labels[first], next]))
        labels[axis] = next
        next += 1
      }
      sizes[labels[axis]] = shape[axis]
    }
    return contract(piece.scale, operands, to: labels, sizes: sizes)
  }

  /// The gradient of a scalar by each input.
  public func grad(_ f: NodeID, wrt inputs: [NodeID]) -> [NodeID] {
    vjp(of: [f], [fill(1, shape(f))], wrt: inputs)
  }
}
