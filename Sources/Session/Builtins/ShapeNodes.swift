import Graph
import Tensors

/// Rearrangements of tensors as products with selectors.
extension TensorGraph {
  func axes(_ node: NodeID) -> [Int] { Array(shape(node).indices) }

  /// Axis k of the result is axis `order[k]` of the node.
  func transposed(_ node: NodeID, _ order: [Int]) -> NodeID {
    contract(1, [Operand(node, axes(node))], to: order)
  }

  /// The same entries in row-major order under another shape of as many entries. Runs of axes whose products
  /// agree are merged and split on their own, so axes that stay are not touched.
  func reshaped(_ node: NodeID, _ target: Shape) -> NodeID {
    let source = shape(node)
    if source == target { return node }
    if target.elementCount == 0 { return fill(0, target) }
    var labels = source.indices.map { target.count + $0 }
    var selectors: [Operand] = []
    var next = target.count + source.count
    for (from, to) in Self.blocks(source, target) {
      if from.count == 1, to.count == 1 {
        labels[from[0]] = to[0]
        continue
      }
      let flat = to.count == 1 ? to[0] : from.count == 1 ? labels[from[0]] : next
      next += 1
      if from.count > 1 {
        selectors.append(flattening(from.map { source[$0] }, flat, from.map { labels[$0] }))
      }
      if to.count > 1 { selectors.append(flattening(to.map { target[$0] }, flat, to)) }
    }
    var sizes: [Label: Int] = [:]
    for axis in target.indices { sizes[axis] = target[axis] }
    return contract(1, [Operand(node, labels)] + selectors, to: Array(target.indices), sizes: sizes)
  }

  private func flattening(_ sizes: Shape, _ flat: Label, _ labels: [Label]) -> Operand {
    Operand(selector(.flatten(sizes), [sizes.elementCount] + sizes), [flat] + labels)
  }

  /// Shortest runs of axes (those of size 1 left out) with equal products.
  private static func blocks(_ source: Shape, _ target: Shape) -> [(from: [Int], to: [Int])] {
    var left = source.indices.filter { source[$0] != 1 }[...]
    var right = target.indices.filter { target[$0] != 1 }[...]
    var result: [(from: [Int], to: [Int])] = []
    while let a = left.popFirst(), let b = right.popFirst() {
      var block = (from: [a], to: [b])
      var (p, q) = (source[a], target[b])
      while p != q {
        if p < q, let next = left.popFirst() {
          block.from.append(next)
          p *= source[next]
        } else if let next = right.popFirst() {
          block.to.append(next)
          q *= target[next]
        } else {
          break
        }
      }
      result.append(block)
    }
    return result
  }

  /// Entries start, start + step, … along an axis.
  func sliced(_ node: NodeID, axis: Int, start: Int, step: Int = 1, count: Int) -> NodeID {
    let n = shape(node)[axis]
    if start == 0, step == 1, count == n { return node }
    let taken = selector(.slice(start: start, step: step, count: count), [n, count])
    return rearranged(node, axis: axis, by: taken, output: 1)
  }

  /// The result's axis is `count` long and holds the node's entries from `start` on; zero elsewhere.
  func placed(_ node: NodeID, axis: Int, start: Int, count: Int) -> NodeID {
    let n = shape(node)[axis]
    if n == count { return node }
    return rearranged(
      node, axis: axis, by: selector(.slice(start: start, step: 1, count: n), [count, n]), output: 0)
  }

  /// Σ over one axis of the node times a matrix whose axis `output` replaces it.
  func rearranged(_ node: NodeID, axis: Int, by matrix: NodeID, output: Int) -> NodeID {
    let axes = self.axes(node)
    var labels = axes
    labels[axis] = axes.count
    let sides = output == 0 ? [axis, axes.count] : [axes.count, axis]
    return contract(
      1, [Operand(node, labels), Operand(matrix, sides)], to: axes, sizes: [axis: shape(matrix)[output]])
  }

  /// One place of an axis; the axis goes.
  func picked(_ node: NodeID, axis: Int, at place: Int) -> NodeID {
    let axes = self.axes(node)
    let one = Operand(selector(.oneHot(place), [shape(node)[axis]]), [axis])
    return contract(1, [Operand(node, axes), one], to: axes.filter { $0 != axis })
  }

  /// The result with axes of size 1 put in, at `axes` of the result.
  func withAxes(_ node: NodeID, _ inserted: [Int]) -> NodeID {
    let rank = shape(node).count + inserted.count
    let kept = (0..<rank).filter { !inserted.contains($0) }
    var sizes: [Label: Int] = [:]
    for axis in inserted { sizes[axis] = 1 }
    return contract(1, [Operand(node, kept)], to: Array(0..<rank), sizes: sizes)
  }

  /// Without some axes of size 1 (or summed over any).
  func summed(_ node: NodeID, over axes: [Int]) -> NodeID {
    let all = self.axes(node)
    return contract(1, [Operand(node, all)], to: all.filter { !axes.contains($0) })
  }

  /// Some axes merged into one, which comes last; the others stay, in order.
  func mergedLast(_ node: NodeID, _ merged: [Int]) -> NodeID {
    let shape = self.shape(node)
    let kept = shape.indices.filter { !merged.contains($0) }
    let moved = transposed(node, kept + merged)
    return reshaped(moved, kept.map { shape[$0] } + [merged.map { shape[$0] }.elementCount])
  }

  /// One axis moved to the end, and back.
  func movedLast(_ node: NodeID, _ axis: Int) -> NodeID {
    transposed(node, axes(node).filter { $0 != axis } + [axis])
  }

  func movedBack(_ node: NodeID, _ axis: Int) -> NodeID {
    var order = Array(axes(node).dropLast())
    order.insert(shape(node).count - 1, at: axis)
    return transposed(node, order)
  }

  /// Joined along an axis; the other axes must agree.
  func joined(_ parts: [NodeID], axis: Int) -> NodeID {
    if parts.count == 1 { return parts[0] }
    var shape = self.shape(parts[0])
    shape[axis] = parts.reduce(0) { $0 + self.shape($1)[axis] }
    var start = 0
    let placed = parts.map { part -> NodeID in
      defer { start += self.shape(part)[axis] }
      return self.placed(part, axis: axis, start: start, count: shape[axis])
    }
    return add(placed.filter { !self.shape($0).contains(0) || shape.contains(0) }, shape: shape)
  }

  /// Nodes of one shape side by side on a new first axis.
  func stacked(_ nodes: [NodeID]) -> NodeID {
    guard let first = nodes.first else { return constant(Tensor(vector: [])) }
    let shape = self.shape(first)
    if let tensors = constantTensors(nodes) {
      return constant(Tensor(tensors.flatMap(\.doubles), [nodes.count] + shape))
    }
    let axes = shape.indices.map { $0 + 1 }
    let sizes = Dictionary(uniqueKeysWithValues: axes.map { ($0, shape[$0 - 1]) })
    let summands = nodes.enumerated().map { k, node -> Summand in
      let place = Operand(selector(.oneHot(k), [nodes.count]), [0])
      return Summand(
        1, Operand(contract(1, [Operand(node, axes), place], to: [0] + axes, sizes: sizes), [0] + axes))
    }
    return add(summands, shape: [nodes.count] + shape)
  }

  private func constantTensors(_ nodes: [NodeID]) -> [Tensor]? {
    var result: [Tensor] = []
    for node in nodes {
      if let value = constantValue(node) {
        result.append(Tensor(repeating: value, shape(node)))
      } else if case .tensor(let index) = self[node].op {
        result.append(constants[index])
      } else {
        return nil
      }
    }
    return result
  }

  /// Entries along the last axis at the places that an index tensor of the same leading axes gives.
  func gathered(_ node: NodeID, _ places: NodeID) -> NodeID {
    let axes = self.axes(node)
    let last = axes.count - 1
    let table = self.table(shape(node)[last], places)
    let entries = Operand(node, axes.dropLast() + [axes.count])
    return contract(1, [entries, Operand(table, [axes.count] + axes.dropLast() + [last])], to: axes)
  }

  /// The difference of two nodes of one shape.
  func difference(_ a: NodeID, _ b: NodeID) -> NodeID {
    let axes = self.axes(a)
    return add([Summand(1, Operand(a, axes)), Summand(-1, Operand(b, axes))], shape: shape(a))
  }

  /// A node times a scalar one.
  func scaled(_ node: NodeID, by factor: NodeID) -> NodeID {
    let axes = self.axes(node)
    return contract(1, [Operand(factor, []), Operand(node, axes)], to: axes)
  }

  /// scale · Σ a∘b over all entries.
  func innerProduct(_ a: NodeID, _ b: NodeID, scale: Double = 1) -> NodeID {
    contract(scale, [Operand(a, axes(a)), Operand(b, axes(b))], to: [])
  }
}
