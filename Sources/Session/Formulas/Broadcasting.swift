import Graph
import Syntax
import Tensors

/// An operand with its place in the source, for shape errors.
struct PlacedNode {
  let node: NodeID
  let span: Span
}

extension TensorGraph {
  /// NumPy's rule: axes are matched from the last; sizes are equal, or 1 stretches. Gives the common shape and
  /// each operand with labels of that shape (axes of size 1 that stretch are dropped).
  func broadcast(_ items: [PlacedNode], _ operation: String) throws -> (operands: [Operand], shape: Shape) {
    let shapes = items.map { shape($0.node) }
    let rank = shapes.map(\.count).max() ?? 0
    var result = [Int](repeating: 1, count: rank)
    for axis in 0..<rank {
      var owner: Int?
      for (k, shape) in shapes.enumerated() {
        let own = axis - (rank - shape.count)
        guard own >= 0, shape[own] != 1 else { continue }
        if let first = owner, result[axis] != shape[own] {
          throw ShapeErrors.mismatch(
            operation, items[first], shapes[first], items[k], shapes[k], axis: axis, of: rank)
        }
        owner = owner ?? k
        result[axis] = shape[own]
      }
    }
    let operands = items.enumerated().map { k, item -> Operand in
      let missing = rank - shapes[k].count
      let stretched = shapes[k].indices.filter { shapes[k][$0] == 1 && result[missing + $0] != 1 }
      if stretched.isEmpty { return Operand(item.node, shapes[k].indices.map { $0 + missing }) }
      return squeezed(item.node, stretched, offset: missing)
    }
    return (operands, result)
  }

  /// The node without some axes of size 1.
  private func squeezed(_ node: NodeID, _ axes: [Int], offset: Int) -> Operand {
    let kept = shape(node).indices.filter { !axes.contains($0) }
    let small = contract(1, [Operand(node, Array(shape(node).indices))], to: kept)
    return Operand(small, kept.map { $0 + offset })
  }

  /// The operand spread over all axes of `shape`.
  func expanded(_ operand: Operand, to shape: Shape) -> NodeID {
    var sizes: [Label: Int] = [:]
    for axis in shape.indices { sizes[axis] = shape[axis] }
    return contract(1, [operand], to: Array(shape.indices), sizes: sizes)
  }
}

/// Wording of shape errors: both shapes, aligned, and the axis.
enum ShapeErrors {
  static func mismatch(
    _ operation: String, _ a: PlacedNode, _ shapeA: Shape, _ b: PlacedNode, _ shapeB: Shape, axis: Int,
    of rank: Int
  ) -> Diagnostic {
    let (left, right) = (shapeA.shapeDescription, shapeB.shapeDescription)
    let axisA = axis - (rank - shapeA.count)
    let axisB = axis - (rank - shapeB.count)
    return Diagnostic(
      .shape, "shapes \(left) and \(right) do not fit in \(operation)", at: a.span.union(b.span),
      labels: [.init(a.span, "shape \(left)"), .init(b.span, "shape \(right)")],
      notes: [
        "axis \(axisA) of the first has \(shapeA[axisA]), axis \(axisB) of the second has \(shapeB[axisB])"
      ],
      hint: "sizes must be equal, or 1")
  }
}
