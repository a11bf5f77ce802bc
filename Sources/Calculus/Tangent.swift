import Graph
import Tensors

/// A tangent that is linear in a seed, as a list of products. Labels `0..<rank` are the node's axes, the labels
/// after them the seed's. An empty list is zero. Keeping the terms apart keeps symbolic deltas unfilled.
public typealias Tangent = [Product]

/// Simplifies lists of terms: adds like terms, and merges two terms (common factors outside, what differs added up)
/// where nothing larger than what is there already has to be formed.
struct TermMerger {
  let graph: TensorGraph
  /// Longer lists merge at any price in memory that is no worse than the sum's.
  static let limit = 48

  /// Merges what may be merged; `sizes` are those of all labels of the terms.
  func merged(_ terms: Tangent, sizes: [Int]) -> Tangent {
    var terms = combined(terms)
    var changed = true
    while changed && terms.count > 1 {
      changed = false
      search: for i in terms.indices {
        for j in terms.indices where j > i {
          guard let sum = merge(terms[i], terms[j], sizes, force: terms.count > Self.limit) else { continue }
          terms[i] = sum
          terms.remove(at: j)
          changed = true
          break search
        }
      }
    }
    return terms
  }

  private func combined(_ terms: Tangent) -> Tangent {
    var place: [[Operand]: Int] = [:]
    var result: Tangent = []
    for term in terms {
      let key = term.factors.sorted(by: precedes)
      if let known = place[key] {
        result[known].scale += term.scale
      } else {
        place[key] = result.count
        result.append(Product(scale: term.scale, factors: key))
      }
    }
    return result
  }

  private func precedes(_ a: Operand, _ b: Operand) -> Bool {
    let (x, y) = (graph[a.node].structuralHash, graph[b.node].structuralHash)
    if x != y { return x < y }
    if a.node != b.node { return a.node < b.node }
    return a.labels.lexicographicallyPrecedes(b.labels)
  }

  /// The common factors of two terms, and what each has besides.
  static func split(_ a: Product, _ b: Product) -> (common: [Operand], a: [Operand], b: [Operand]) {
    var rest = b.factors
    var common: [Operand] = []
    var mine: [Operand] = []
    for factor in a.factors {
      if let match = rest.firstIndex(of: factor) {
        rest.remove(at: match)
        common.append(factor)
      } else {
        mine.append(factor)
      }
    }
    return (common, mine, rest)
  }

  private func isSelector(_ operand: Operand) -> Bool {
    if case .selector = graph[operand.node].op { return true }
    return false
  }

  private func merge(_ a: Product, _ b: Product, _ sizes: [Int], force: Bool) -> Product? {
    let (common, mine, theirs) = Self.split(a, b)
    let labels = Set((mine + theirs).flatMap(\.labels)).sorted()
    let volume = labels.map { sizes[$0] }.elementCount
    let dense =
      (mine + theirs).filter { !isSelector($0) }.map { graph.shape($0.node).elementCount }.max() ?? 1
    guard volume <= max(dense, 1) || (force && !(mine + theirs).contains(where: isSelector)) else {
      return nil
    }
    return sum(a.scale, mine, b.scale, theirs, common, labels, sizes)
  }

  /// common · (Σ of the rests), the sum formed as one node over `labels`.
  func sum(
    _ scaleA: Double, _ mine: [Operand], _ scaleB: Double, _ theirs: [Operand], _ common: [Operand],
    _ labels: [Label],
    _ sizes: [Int]
  ) -> Product? {
    let shape = labels.map { sizes[$0] }
    var labelSizes: [Label: Int] = [:]
    for label in labels { labelSizes[label] = sizes[label] }
    let parts = [(scaleA, mine), (scaleB, theirs)].map { scale, factors in
      graph.contract(scale, factors, to: labels, sizes: labelSizes)
    }
    let total = graph.add(parts, shape: shape)
    return graph.normalized(1, common + [Operand(total, labels)], to: Array(sizes.indices))
  }
}
