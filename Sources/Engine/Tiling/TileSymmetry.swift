import Graph
import Tensors

/// Finds the permutations of a node's axes that leave it as it is, by its structure alone: permuted operands give
/// the same canonical node, of the formula itself or of its products multiplied out over their sums.
struct TileSymmetry {
  let graph: TensorGraph
  private var known: [NodeID: [[Int]]] = [:]
  /// Nodes with more axes, and groups with more elements, are not looked into.
  private var rankLimit: Int { 6 }
  private var groupLimit: Int { 48 }
  private var termLimit: Int { 24 }

  init(_ graph: TensorGraph) { self.graph = graph }

  /// All of them, the identity first: permutations g with T[x] = T[y] wherever y[g[a]] = x[a] for each axis a.
  mutating func group(of id: NodeID) -> [[Int]] {
    let id = graph.resolved(id)
    if let found = known[id] { return found }
    let shape = graph.shape(id)
    let identity = Array(shape.indices)
    known[id] = [identity]
    guard (2...rankLimit).contains(shape.count), isComposed(id) else { return [identity] }
    let swaps = involutions(shape).filter { isInvariant(id, $0) }
    let group = closure(swaps, identity)
    known[id] = group
    return group
  }

  private func isComposed(_ id: NodeID) -> Bool {
    switch graph[id].op {
    case .contract, .add, .map: return !graph[id].operands.isEmpty
    default: return false
    }
  }

  /// Products of swaps of axes of the same size, without the identity.
  private func involutions(_ shape: Shape) -> [[Int]] {
    var result: [[Int]] = []
    func extend(_ permutation: [Int], from axis: Int) {
      guard axis < shape.count else {
        if permutation != Array(shape.indices) { result.append(permutation) }
        return
      }
      extend(permutation, from: axis + 1)
      guard permutation[axis] == axis else { return }
      for other in shape.indices
      where other > axis && permutation[other] == other && shape[other] == shape[axis] {
        var swapped = permutation
        swapped.swapAt(axis, other)
        extend(swapped, from: axis + 1)
      }
    }
    extend(Array(shape.indices), from: 0)
    return result
  }

  private func closure(_ generators: [[Int]], _ identity: [Int]) -> [[Int]] {
    var group = [identity]
    var place = 0
    while place < group.count, group.count <= groupLimit {
      for g in generators {
        let product = group[place].map { g[$0] }
        if !group.contains(product) { group.append(product) }
      }
      place += 1
    }
    return group.count <= groupLimit ? group : [identity]
  }

  private mutating func isInvariant(_ id: NodeID, _ permutation: [Int]) -> Bool {
    let identity = Array(permutation.indices)
    if relabeled(id, permutation) == relabeled(id, identity) { return true }
    guard let plain = multipliedOut(id, identity), let permuted = multipliedOut(id, permutation) else {
      return false
    }
    return plain == permuted
  }

  /// The node with its axes permuted, its operands' labels brought to the least order that their own symmetry allows.
  private mutating func relabeled(_ id: NodeID, _ permutation: [Int]) -> NodeID {
    let node = graph[id]
    var operands: [Operand] = []
    for operand in node.operands {
      operands.append(
        canonical(Operand(operand.node, operand.labels.map { $0 < permutation.count ? permutation[$0] : $0 }))
      )
    }
    return graph.rebuild(node, operands, node.shape)
  }

  private mutating func canonical(_ operand: Operand) -> Operand {
    var best = operand
    for g in group(of: operand.node) {
      let labels = g.map { operand.labels[$0] }
      if labels.lexicographicallyPrecedes(best.labels) { best.labels = labels }
    }
    return best
  }

  /// A product over sums as the sum of its products; nil when that is long, or the node no product of sums.
  private mutating func multipliedOut(_ id: NodeID, _ permutation: [Int]) -> NodeID? {
    let node = graph[id]
    guard case .contract(let scale) = node.op else { return nil }
    var terms = [(scale: scale, operands: [Operand]())]
    for operand in node.operands {
      let labels = operand.labels.map { $0 < permutation.count ? permutation[$0] : $0 }
      let inner = graph[operand.node]
      guard case .add(let coefficients) = inner.op, !coefficients.isEmpty else {
        let placed = canonical(Operand(operand.node, labels))
        for k in terms.indices { terms[k].operands.append(placed) }
        continue
      }
      guard terms.count * coefficients.count <= termLimit else { return nil }
      terms = terms.flatMap { term in
        zip(coefficients, inner.operands).map { c, use in
          (term.scale * c, term.operands + [Operand(use.node, use.labels.map { labels[$0] })])
        }
      }
    }
    guard terms.count > 1 else { return nil }
    let axes = Array(node.shape.indices)
    let sizes = Dictionary(uniqueKeysWithValues: node.shape.enumerated().map { ($0, $1) })
    let products = terms.map {
      Summand(1, Operand(graph.contract($0.scale, $0.operands, to: axes, sizes: sizes), axes))
    }
    return graph.add(products, shape: node.shape)
  }
}
