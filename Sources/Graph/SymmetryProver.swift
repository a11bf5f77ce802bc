import Tensors

/// Proves from structure alone that a product does not change when two of its labels of one size are exchanged:
/// xᵢ·xⱼ in (i, j), and Σc Wᵢc·Wⱼc·pc in (i, j) however its factors are nested.
///
/// Products are expanded into sums of monomials over nodes that are neither sums nor products; a product is invariant
/// when each monomial with the labels exchanged is one of the monomials, up to names of summed labels. False means
/// "not proven": expansions are bounded.
public final class SymmetryProver {
  /// scale · Π atoms, summed over labels that are not outer ones.
  private struct Monomial {
    var scale: Double
    var atoms: [Operand]
  }

  private struct Question: Hashable {
    let node: NodeID
    let a, b: Int
  }

  private static let monomialLimit = 48
  private static let atomLimit = 24
  private static let depthLimit = 40

  private let graph: TensorGraph
  private var answers: [Question: Bool] = [:]
  private var nextLabel = 1 << 40

  public init(_ graph: TensorGraph) { self.graph = graph }

  /// Whether Σ Π operands, as an array over `outer`, is the same with labels `a` and `b` exchanged.
  public func isInvariant(_ operands: [Operand], outer: Set<Label>, exchanging a: Label, _ b: Label) -> Bool {
    isInvariant(operands, outer: outer, a, b, depth: 0)
  }

  /// Two of some labels, of one size from four up, in which Σ Π operands over `outer` is proven to be symmetric.
  public func symmetricPair(
    _ operands: [Operand], outer: Set<Label>, among labels: [Label], _ sizes: [Label: Int]
  ) -> (Label, Label)? {
    for (index, u) in labels.enumerated() where sizes[u] ?? 1 >= 4 {
      for v in labels[(index + 1)...] where sizes[u] == sizes[v] {
        if isInvariant(operands, outer: outer, exchanging: u, v) { return (u, v) }
      }
    }
    return nil
  }

  private func isInvariant(_ operands: [Operand], outer: Set<Label>, _ a: Label, _ b: Label, depth: Int)
    -> Bool
  {
    guard depth < Self.depthLimit, let monomials = expanded(operands, outer, depth) else { return false }
    var rest = monomials
    for monomial in monomials {
      var image = monomial
      for k in image.atoms.indices {
        image.atoms[k].labels = image.atoms[k].labels.map { $0 == a ? b : $0 == b ? a : $0 }
      }
      image = renamedByIdentities(image)
      guard let match = rest.firstIndex(where: { isSame(image, $0, outer, depth) }) else { return false }
      rest.remove(at: match)
    }
    return true
  }

  /// The same for two axes of a node. Answers are kept.
  private func isSymmetric(_ id: NodeID, _ i: Int, _ j: Int, depth: Int) -> Bool {
    let question = Question(node: id, a: i, b: j)
    if let known = answers[question] { return known }
    let shape = graph.shape(id)
    guard shape[i] == shape[j], shape[i] > 1, depth < Self.depthLimit else { return false }
    let axes = Array(shape.indices)
    let node = graph[id]
    let proven: Bool
    switch node.op {
    case .contract, .add: proven = isInvariant([Operand(id, axes)], outer: Set(axes), i, j, depth: depth + 1)
    case .map:
      proven = node.operands.allSatisfy { operand in
        let (p, q) = (operand.labels.firstIndex(of: i), operand.labels.firstIndex(of: j))
        guard let p, let q else { return p == nil && q == nil }
        return isSymmetric(operand.node, min(p, q), max(p, q), depth: depth + 1)
      }
    case .selector(let s): proven = s.starts[i] == s.starts[j] && s.steps[i] == s.steps[j]
    default: proven = false
    }
    answers[question] = proven
    return proven
  }

  // MARK: Expansion

  private func expanded(_ operands: [Operand], _ outer: Set<Label>, _ depth: Int) -> [Monomial]? {
    var pending: [(monomial: Monomial, rest: [Operand])] = [(Monomial(scale: 1, atoms: []), operands)]
    var result: [Monomial] = []
    while var (monomial, rest) = pending.popLast() {
      var isSplit = false
      while let operand = rest.popLast() {
        let node = graph[operand.node]
        switch node.op {
        case .stop: rest.append(Operand(node.operands[0].node, operand.labels))
        case .contract(let scale):
          monomial.scale *= scale
          rest += inlined(node, operand.labels)
        case .add(let coefficients):
          guard !isAtom(operand, depth) else { fallthrough }
          for (c, term) in zip(coefficients, node.operands) {
            var copy = monomial
            copy.scale *= c
            let labels = term.labels.map { operand.labels[$0] }
            pending.append((copy, rest + [Operand(term.node, labels)]))
          }
          isSplit = true
        default: monomial.atoms.append(operand)
        }
        if isSplit { break }
        guard monomial.atoms.count + rest.count <= Self.atomLimit else { return nil }
      }
      guard pending.count + result.count <= Self.monomialLimit else { return nil }
      if isSplit { continue }
      result.append(renamedByIdentities(monomial))
    }
    return carrySummedLabels(result, operands, outer) ? result : nil
  }

  /// δ(i,j)·pᵢ and δ(i,j)·pⱼ are one: beside an identity, its first label stands for both.
  private func renamedByIdentities(_ monomial: Monomial) -> Monomial {
    var result = monomial
    for (index, atom) in monomial.atoms.enumerated() {
      guard case .selector(let s) = graph[atom.node].op, s.isIdentity(graph.shape(atom.node)) else {
        continue
      }
      let (low, high) = (min(atom.labels[0], atom.labels[1]), max(atom.labels[0], atom.labels[1]))
      for k in result.atoms.indices where k != index {
        result.atoms[k].labels = result.atoms[k].labels.map { $0 == high ? low : $0 }
      }
    }
    return result
  }

  /// A sum that is symmetric in two of its axes stays whole: it can stand either way.
  private func isAtom(_ operand: Operand, _ depth: Int) -> Bool {
    depth > 0 && !symmetries(of: operand.node, depth).isEmpty
  }

  private func inlined(_ node: Node, _ labels: [Label]) -> [Operand] {
    var fresh: [Label: Label] = [:]
    return node.operands.map { use in
      Operand(
        use.node,
        use.labels.map { label in
          if label < labels.count { return labels[label] }
          if let known = fresh[label] { return known }
          nextLabel += 1
          fresh[label] = nextLabel
          return nextLabel
        })
    }
  }

  /// A summed label that a monomial lost (broadcast by a term of a sum) would count its size: not followed here.
  private func carrySummedLabels(_ monomials: [Monomial], _ operands: [Operand], _ outer: Set<Label>) -> Bool
  {
    let summed = Set(operands.flatMap(\.labels)).subtracting(outer)
    return monomials.allSatisfy { monomial in
      summed.allSatisfy { label in monomial.atoms.contains { $0.labels.contains(label) } }
    }
  }

  // MARK: Matching

  /// Pairs of axes in which a node is known to be symmetric.
  private func symmetries(of id: NodeID, _ depth: Int) -> [(Int, Int)] {
    let shape = graph.shape(id)
    guard shape.count >= 2, shape.count <= 4 else { return [] }
    var pairs: [(Int, Int)] = []
    for i in shape.indices {
      for j in (i + 1)..<max(shape.count, i + 1) where shape[i] == shape[j] && shape[i] > 1 {
        if isSymmetric(id, i, j, depth: depth + 1) { pairs.append((i, j)) }
      }
    }
    return pairs
  }

  private func isSame(_ a: Monomial, _ b: Monomial, _ outer: Set<Label>, _ depth: Int) -> Bool {
    guard a.atoms.count == b.atoms.count, (a.scale - b.scale).magnitude <= 1e-14 * b.scale.magnitude,
      a.atoms.map(\.node).sorted() == b.atoms.map(\.node).sorted()
    else { return false }
    // Atoms with many outer labels first: they fix the most.
    let order = a.atoms.sorted { x, y in
      x.labels.count(where: outer.contains) > y.labels.count(where: outer.contains)
    }
    var used = [Bool](repeating: false, count: b.atoms.count)
    var budget = 2000
    return match(order[...], b.atoms, &used, [:], [:], outer, depth, &budget)
  }

  private func match(
    _ rest: ArraySlice<Operand>, _ atoms: [Operand], _ used: inout [Bool], _ forth: [Label: Label],
    _ back: [Label: Label], _ outer: Set<Label>, _ depth: Int, _ budget: inout Int
  ) -> Bool {
    guard let first = rest.first else { return true }
    budget -= 1
    guard budget > 0 else { return false }
    for k in atoms.indices where !used[k] && atoms[k].node == first.node {
      for labels in arrangements(of: atoms[k], depth) {
        var (forth, back) = (forth, back)
        guard unify(first.labels, labels, &forth, &back, outer) else { continue }
        used[k] = true
        if match(rest.dropFirst(), atoms, &used, forth, back, outer, depth, &budget) { return true }
        used[k] = false
      }
    }
    return false
  }

  private func arrangements(of atom: Operand, _ depth: Int) -> [[Label]] {
    [atom.labels]
      + symmetries(of: atom.node, depth).map { i, j in
        var labels = atom.labels
        labels.swapAt(i, j)
        return labels
      }
  }

  private func unify(
    _ a: [Label], _ b: [Label], _ forth: inout [Label: Label], _ back: inout [Label: Label],
    _ outer: Set<Label>
  ) -> Bool {
    for (x, y) in zip(a, b) {
      if outer.contains(x) || outer.contains(y) {
        if x != y { return false }
      } else {
        if forth[x] ?? y != y || back[y] ?? x != x { return false }
        forth[x] = y
        back[y] = x
      }
    }
    return true
  }
}
