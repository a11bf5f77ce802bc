import Graph
import Tensors

/// Forward mode with seeds of any rank: pushes term lists through the graph, one derivative rule a primitive.
/// A batch of tangents, a whole Jacobian with a symbolic delta as its seed, and a single direction are one code.
struct ForwardMode {
  let graph: TensorGraph
  /// Sizes of the seed's axes.
  let seedShape: Shape
  private var tangents: [NodeID: Tangent] = [:]
  private let merger: TermMerger

  /// `seeds` gives tangents of nodes; a seeded node's own rule is not used (it may be an inner node).
  init(_ graph: TensorGraph, seeds: [NodeID: Tangent], seedShape: Shape) {
    self.graph = graph
    self.seedShape = seedShape
    tangents = seeds
    merger = TermMerger(graph: graph)
  }

  /// Tangents of `outputs` as term lists over (axes, seed axes).
  mutating func tangents(of outputs: [NodeID]) -> [Tangent] {
    let seeded = Set(tangents.keys)
    for id in graph.reachable(from: outputs, stoppingAt: seeded) where tangents[id] == nil {
      let node = graph[id]
      guard node.operands.contains(where: { !(tangents[$0.node]?.isEmpty ?? true) }) else { continue }
      tangents[id] = propagate(id, node)
    }
    return outputs.map { tangents[$0] ?? [] }
  }

  private func propagate(_ id: NodeID, _ node: Node) -> Tangent {
    let rank = node.shape.count
    let sizes = node.shape + seedShape
    var terms: Tangent = []
    for piece in graph.linearPieces(id) {
      let operand = node.operands[piece.operand].node
      guard let incoming = tangents[operand], !incoming.isEmpty else { continue }
      let shape = graph.shape(operand)
      let factors = piece.factors.map { Operand($0.node, $0.labels.map { lift($0, rank) }) }
      let labels = piece.labels.map { lift($0, rank) }
      var products = incoming.map { placed($0, shape, labels, rank, piece.scale) }
      products = mergedAtSum(products, factors, rank, sizes)
      let result = Array(0..<(rank + seedShape.count))
      for product in products {
        if let term = graph.normalized(product.scale, factors + product.factors, to: result) {
          terms.append(term)
        }
      }
    }
    return merger.merged(terms, sizes: sizes)
  }

  /// Summed labels of a rule make room for the seed's.
  private func lift(_ label: Label, _ rank: Int) -> Label { label < rank ? label : label + seedShape.count }

  /// A term of an operand with its labels written as the node's; axes that it broadcasts become ones, so that a
  /// sum over them counts.
  private func placed(_ term: Product, _ shape: Shape, _ labels: [Label], _ rank: Int, _ scale: Double)
    -> Product
  {
    var factors = term.factors.map { factor in
      Operand(
        factor.node, factor.labels.map { $0 < shape.count ? labels[$0] : rank + $0 - shape.count })
    }
    for axis in shape.indices where !term.factors.contains(where: { $0.labels.contains(axis) }) {
      factors.append(Operand(graph.ones(shape[axis]), [labels[axis]]))
    }
    return Product(scale: scale * term.scale, factors: factors)
  }

  // MARK: Merging before a sum

  /// Before labels are summed, two terms merge when multiplying the sum out is cheaper than both apart.
  private func mergedAtSum(_ products: [Product], _ factors: [Operand], _ rank: Int, _ sizes: [Int])
    -> [Product]
  {
    guard products.count > 1, products.count <= 24, factors.count <= 6 else { return products }
    let kept = rank + seedShape.count
    guard (factors + products[0].factors).contains(where: { $0.labels.contains { $0 >= kept } }) else {
      return products
    }
    var products = products
    var all = sizes
    for factor in factors + products.flatMap(\.factors) {
      for (axis, label) in factor.labels.enumerated() where label >= all.count || all[label] == 0 {
        while all.count <= label { all.append(0) }
        all[label] = graph.shape(factor.node)[axis]
      }
    }
    let cost = TermCost(graph: graph, kept: kept, sizes: all)
    var changed = true
    while changed && products.count > 1 {
      changed = false
      search: for i in products.indices {
        for j in products.indices where j > i {
          guard let sum = mergeIfCheaper(products[i], products[j], factors, cost) else { continue }
          products[i] = sum
          products.remove(at: j)
          changed = true
          break search
        }
      }
    }
    return products
  }

  private func mergeIfCheaper(_ a: Product, _ b: Product, _ factors: [Operand], _ cost: TermCost) -> Product?
  {
    let (common, mine, theirs) = TermMerger.split(a, b)
    guard !mine.isEmpty, !theirs.isEmpty else { return nil }
    let labels = Set((mine + theirs).flatMap(\.labels)).sorted()
    guard labels.allSatisfy({ cost.sizes[$0] > 0 }) else { return nil }
    let apart = cost.of(factors + a.factors) + cost.of(factors + b.factors)
    let union = Operand(graph.zero([]), labels)
    let volume = labels.reduce(1.0) { $0 * Double(cost.sizes[$1]) }
    let together =
      cost.of(factors + common + [union]) + cost.of(mine, to: labels) + cost.of(theirs, to: labels) + 2
      * volume
    guard together < 0.9 * apart else { return nil }
    var labelSizes: [Label: Int] = [:]
    for label in labels { labelSizes[label] = cost.sizes[label] }
    let shape = labels.map { cost.sizes[$0] }
    let parts = [(a.scale, mine), (b.scale, theirs)].map {
      graph.contract($0.0, $0.1, to: labels, sizes: labelSizes)
    }
    return Product(scale: 1, factors: common + [Operand(graph.add(parts, shape: shape), labels)])
  }
}

/// Estimated multiplications of a product of operands, deltas identified instead of filled.
struct TermCost {
  let graph: TensorGraph
  /// Labels below this stay; the others are summed.
  let kept: Int
  let sizes: [Int]

  func of(_ operands: [Operand], to result: [Label]? = nil) -> Double {
    var parent = Array(sizes.indices)
    func root(_ l: Label) -> Label {
      var l = l
      while parent[l] != l { l = parent[l] }
      return l
    }
    var dense: [[Label]] = []
    for operand in operands {
      if case .selector(let s) = graph[operand.node].op {
        if s.isIdentity(graph.shape(operand.node)) {
          parent[root(operand.labels[1])] = root(operand.labels[0])
        }
      } else if !operand.labels.isEmpty {
        dense.append(operand.labels)
      }
    }
    let relabeled = dense.map { $0.map(root) }
    let target = (result ?? Array(0..<kept)).map(root)
    let used = Set(relabeled.flatMap { $0 })
    var table: [Label: Int] = [:]
    for label in sizes.indices { table[label] = sizes[label] }
    return ContractionPlanner(operands: relabeled, result: target.filter(used.contains), sizes: table).path()
      .cost
  }
}
