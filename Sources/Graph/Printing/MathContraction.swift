/// A product over labelled axes as a graph: labels are vertices that carry vectors, matrices are edges. It shrinks
/// by the laws of matrix algebra (chains multiply, parallel edges multiply entry by entry, dangling edges become
/// vectors) until a matrix formula is left, or until no law applies.
struct MathContraction {
  struct Edge {
    var from: Label
    var to: Label
    /// The factors of the matrix from `from` to `to`.
    var chain: [MathExpression]

    func oriented(from start: Label) -> [MathExpression] {
      start == from ? chain : chain.reversed().map(\.transposed)
    }
    func other(_ label: Label) -> Label { label == from ? to : from }
  }

  let builder: MathBuilder
  let rank: Int
  /// Numbers taken out of the factors.
  var scale = 1.0
  var scalars: [MathExpression] = []
  var weights: [Label: [MathExpression]] = [:]
  var edges: [Edge] = []

  init(_ builder: MathBuilder, rank: Int) {
    self.builder = builder
    self.rank = rank
  }

  /// The formula of the result, without the scalars; nil when matrix notation does not reach that far.
  mutating func body() -> MathExpression? {
    while simplify() {}
    let vertices = Set(weights.keys).union(edges.flatMap { [$0.from, $0.to] })
    guard vertices.allSatisfy({ $0 < rank }) else { return nil }
    switch rank {
    case 0: return .one
    case 1: return weights[0].map { builder.pointwise($0, rank: 1) } ?? .symbol(.ones)
    default: return matrixBody()
    }
  }

  private mutating func matrixBody() -> MathExpression? {
    let (left, right) = (weights[0] ?? [], weights[1] ?? [])
    guard let edge = edges.first else {
      let row = right.isEmpty ? MathExpression.symbol(.ones) : builder.pointwise(right, rank: 1)
      let column = left.isEmpty ? MathExpression.symbol(.ones) : builder.pointwise(left, rank: 1)
      return outer(column, row)
    }
    let chain = edge.oriented(from: 0)
    if chain == [.symbol(.identity)] {
      let all = left + right
      return all.isEmpty ? .symbol(.identity) : .call("diag", [builder.pointwise(all, rank: 1)])
    }
    return .matrixProduct(diagonal(left) + chain + diagonal(right))
  }

  private func outer(_ column: MathExpression, _ row: MathExpression) -> MathExpression {
    let (a, b) = (column.separated, row.separated)
    return MathExpression.matrixProduct([a.body, b.body.transposed]).scaled(a.coefficient * b.coefficient)
  }

  private func diagonal(_ weights: [MathExpression]) -> [MathExpression] {
    weights.isEmpty ? [] : [.call("diag", [builder.pointwise(weights, rank: 1)])]
  }

  // MARK: Laws

  /// Applies one law; false when none does.
  private mutating func simplify() -> Bool {
    mergeTrace() || mergeParallel() || mergeSeries() || closeEdge() || closeVertex() || mergeDangling()
  }

  private func edges(at label: Label) -> [Int] {
    edges.indices.filter { edges[$0].from == label || edges[$0].to == label }
  }

  private var summed: [Label] {
    Set(weights.keys).union(edges.flatMap { [$0.from, $0.to] }).filter { $0 >= rank }.sorted()
  }

  /// Σᵢⱼ aᵢⱼ·bⱼᵢ = tr(A·B), where that takes fewer transposes than sum(A⊙Bᵀ).
  private mutating func mergeTrace() -> Bool {
    for first in edges.indices {
      for second in edges.indices where second > first {
        let (a, b) = (edges[first].from, edges[first].to)
        guard a >= rank, b >= rank, edges[second].from == b || edges[second].to == b,
          edges[second].other(b) == a,
          edges(at: a).count == 2, edges(at: b).count == 2
        else { continue }
        let closing = edges[second].oriented(from: b)
        let parallel = edges[second].oriented(from: a)
        guard transposes(closing) < transposes(parallel) else { continue }
        let (wa, wb) = (diagonal(weights[a] ?? []), diagonal(weights[b] ?? []))
        scalars.append(.call("trace", [.matrixProduct(wa + edges[first].chain + wb + closing)]))
        edges.remove(at: second)
        edges.remove(at: first)
        weights[a] = nil
        weights[b] = nil
        return true
      }
    }
    return false
  }

  private func transposes(_ chain: [MathExpression]) -> Int { chain.reduce(0) { $0 + $1.transposeCount } }

  private mutating func mergeParallel() -> Bool {
    for first in edges.indices {
      let (a, b) = (edges[first].from, edges[first].to)
      let all = edges.indices.filter {
        (edges[$0].from == a && edges[$0].to == b) || (edges[$0].from == b && edges[$0].to == a)
      }
      guard all.count > 1 else { continue }
      let parts = all.map { MathExpression.matrixProduct(edges[$0].oriented(from: a)) }
      for index in all.reversed() { edges.remove(at: index) }
      if let identity = parts.firstIndex(of: .symbol(.identity)) {
        for (index, part) in parts.enumerated() where index != identity && part != .symbol(.identity) {
          weights[a, default: []].append(.call("diagonal", [part]))
        }
        edges.append(Edge(from: a, to: b, chain: [.symbol(.identity)]))
      } else {
        edges.append(Edge(from: a, to: b, chain: [builder.pointwise(parts, rank: 2)]))
      }
      return true
    }
    return false
  }

  /// A summed label between two matrices: they multiply, with its vector as a diagonal between them.
  private mutating func mergeSeries() -> Bool {
    for label in summed {
      let all = edges(at: label)
      guard all.count == 2 else { continue }
      let (first, second) = (edges[all[0]], edges[all[1]])
      let (a, b) = (first.other(label), second.other(label))
      guard a != b else { continue }
      let middle = diagonal(weights[label] ?? [])
      let chain = first.oriented(from: a) + middle + second.oriented(from: label)
      edges.remove(at: all[1])
      edges.remove(at: all[0])
      weights[label] = nil
      edges.append(oriented(Edge(from: a, to: b, chain: chain)))
      return true
    }
    return false
  }

  /// From the lower label of the result, or else with fewer transposes.
  private func oriented(_ edge: Edge) -> Edge {
    let flipped = Edge(from: edge.to, to: edge.from, chain: edge.oriented(from: edge.to))
    if edge.from < rank || edge.to < rank { return edge.from <= edge.to ? edge : flipped }
    return transposes(flipped.chain) < transposes(edge.chain) ? flipped : edge
  }

  /// A matrix between two summed labels that nothing else touches: uᵀ·A·v.
  private mutating func closeEdge() -> Bool {
    for index in edges.indices {
      let (a, b) = (edges[index].from, edges[index].to)
      guard a >= rank, b >= rank, edges(at: a).count == 1, edges(at: b).count == 1 else { continue }
      let left = weights[a].map { builder.pointwise($0, rank: 1) }
      let right = weights[b].map { builder.pointwise($0, rank: 1) }
      scalars.append(bilinear(left, edges[index], right))
      edges.remove(at: index)
      weights[a] = nil
      weights[b] = nil
      return true
    }
    return false
  }

  private func bilinear(_ left: MathExpression?, _ edge: Edge, _ right: MathExpression?) -> MathExpression {
    let forward = edge.oriented(from: edge.from)
    let backward = edge.oriented(from: edge.to)
    guard let left, let right else {
      guard let vector = left ?? right else { return total(.matrixProduct(forward)) }
      return total(product((right == nil ? backward : forward), vector))
    }
    let one = outerChain(left, forward, right)
    let two = outerChain(right, backward, left)
    if one.transposes != two.transposes { return (one.transposes < two.transposes ? one : two).formula }
    return builder.text(one.formula) <= builder.text(two.formula) ? one.formula : two.formula
  }

  private func outerChain(_ u: MathExpression, _ middle: [MathExpression], _ v: MathExpression)
    -> (formula: MathExpression, transposes: Int)
  {
    let (a, b) = (u.separated, v.separated)
    let formula = MathExpression.matrixProduct([a.body.transposed] + middle + [b.body])
    return (formula.scaled(a.coefficient * b.coefficient), transposes(formula.chain))
  }

  private func product(_ chain: [MathExpression], _ vector: MathExpression) -> MathExpression {
    let part = vector.separated
    return MathExpression.matrixProduct(chain + [part.body]).scaled(part.coefficient)
  }

  private func total(_ e: MathExpression) -> MathExpression {
    let part = e.separated
    if case .call("diagonal", let matrix) = part.body {
      return MathExpression.call("trace", matrix).scaled(part.coefficient)
    }
    return MathExpression.call("sum", [part.body]).scaled(part.coefficient)
  }

  /// A summed label that carries vectors alone: their sum or inner product.
  private mutating func closeVertex() -> Bool {
    for label in summed where edges(at: label).isEmpty {
      let factors = weights.removeValue(forKey: label) ?? []
      scalars.append(inner(factors))
      return true
    }
    return false
  }

  private func inner(_ factors: [MathExpression]) -> MathExpression {
    if factors.count == 1, case .power(let base, 2, rank: 1) = factors[0] {
      return .power(.fence(.norm, base), 2, rank: 0)
    }
    guard factors.count == 2, !factors.contains(where: \.isQuotient) else {
      return total(builder.pointwise(factors, rank: 1))
    }
    let sorted = factors.sorted { a, b in
      if a.isAtomic != b.isAtomic { return a.isAtomic }
      return builder.text(a) < builder.text(b)
    }
    return outerChain(sorted[0], [], sorted[1]).formula
  }

  /// A summed label at the end of one matrix: matrix times vector.
  private mutating func mergeDangling() -> Bool {
    for label in summed {
      let all = edges(at: label)
      guard all.count == 1 else { continue }
      let edge = edges.remove(at: all[0])
      let vector = weights.removeValue(forKey: label).map { builder.pointwise($0, rank: 1) } ?? .symbol(.ones)
      weights[edge.other(label), default: []].append(product(edge.oriented(from: edge.other(label)), vector))
      return true
    }
    return false
  }
}

extension MathExpression {
  var isQuotient: Bool {
    if case .quotient = self { return true }
    return false
  }
}
