import Tensors

/// A summand: coefficient · operand, with labels of the result.
public struct Summand: Sendable {
  public var coefficient: Double
  public var operand: Operand
  public init(_ coefficient: Double, _ operand: Operand) {
    self.coefficient = coefficient
    self.operand = operand
  }
}

extension TensorGraph {
  /// Nested sums are spliced up to this many terms; longer chains stay nested, so that a sum built by a loop
  /// costs linear time.
  private static var spliceLimit: Int { 12 }

  /// Σ coefficient · operand, where labels are axes of the result (`0..<shape.count`) and missing ones broadcast.
  public func add(_ summands: [Summand], shape: Shape) -> NodeID {
    var terms: [Summand] = []
    for summand in summands { collect(summand, summands.count, into: &terms) }
    terms = combined(terms)
    if terms.isEmpty { return zero(shape) }
    let axes = Array(shape.indices)
    if terms.count == 1 {
      var sizes: [Label: Int] = [:]
      for axis in axes { sizes[axis] = shape[axis] }
      return contract(terms[0].coefficient, [terms[0].operand], to: axes, sizes: sizes)
    }
    terms.sort { a, b in
      let (x, y) = (self[a.operand.node].structuralHash, self[b.operand.node].structuralHash)
      if x != y { return x < y }
      if a.operand.node != b.operand.node { return a.operand.node < b.operand.node }
      return a.operand.labels.lexicographicallyPrecedes(b.operand.labels)
    }
    return intern(.add(coefficients: terms.map(\.coefficient)), terms.map(\.operand), shape)
  }

  /// Σ over nodes of one shape.
  public func add(_ nodes: [NodeID], shape: Shape) -> NodeID {
    add(nodes.map { Summand(1, Operand($0, Array(shape.indices))) }, shape: shape)
  }

  /// Splices nested sums and takes scales out of products.
  private func collect(_ summand: Summand, _ count: Int, into terms: inout [Summand]) {
    let node = self[summand.operand.node]
    if let divisor = constantDivisor(summand.operand.node) {
      return terms.append(Summand(summand.coefficient / divisor, Operand(fill(1), [])))
    }
    let labels = summand.operand.labels
    switch node.op {
    case .add(let coefficients):
      if coefficients.isEmpty { return }
      guard coefficients.count + terms.count + count <= Self.spliceLimit else { break }
      for (c, operand) in zip(coefficients, node.operands) {
        let inner = Operand(operand.node, operand.labels.map { labels[$0] })
        collect(Summand(summand.coefficient * c, inner), count, into: &terms)
      }
      return
    case .contract(let scale) where !node.sumsLabels:
      let coefficient = summand.coefficient * scale
      if node.operands.isEmpty {
        terms.append(Summand(coefficient, Operand(fill(1), [])))
      } else if node.operands.count == 1 {
        let inner = node.operands[0]
        collect(
          Summand(coefficient, Operand(inner.node, inner.labels.map { labels[$0] })), count, into: &terms)
      } else {
        // Axes that the product merely broadcasts are broadcast by the sum.
        let used = node.shape.indices.filter { axis in node.operands.contains { $0.labels.contains(axis) } }
        let base = internContract(1, node.operands, used, used.map { node.shape[$0] })
        terms.append(Summand(coefficient, Operand(base, used.map { labels[$0] })))
      }
      return
    default: break
    }
    terms.append(summand)
  }

  /// Like terms added up. A coefficient that cancels to 0 stays: 0 · NaN is not 0.
  private func combined(_ terms: [Summand]) -> [Summand] {
    var place: [Operand: Int] = [:]
    var result: [Summand] = []
    for term in terms {
      if let known = place[term.operand] {
        result[known].coefficient += term.coefficient
      } else {
        place[term.operand] = result.count
        result.append(term)
      }
    }
    let one = fill(1)
    return result.filter { !($0.operand.node == one && $0.coefficient == 0) || result.count == 1 }
  }
}
