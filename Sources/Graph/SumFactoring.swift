import Tensors

/// Terms of a sum that share factors are multiplied by those once: Σₙ aₙbₙ + Σₙ aₙcₙ = Σₙ aₙ·(bₙ + cₙ), where that
/// takes fewer multiplications. Derivatives come as sums of products; the terms of a Hessian's block differ in few of
/// their factors.
public struct SumFactoring {
  /// scale · Π factors over the sum's axes (labels below its rank); other labels are summed.
  private struct Term {
    var scale: Double
    var factors: [Operand]
  }

  /// Factors that two terms share, and how the second term's summed labels are called in the first.
  private struct Match {
    var left: Set<Int> = []
    var right: Set<Int> = []
    var forth: [Label: Label] = [:]
    var back: [Label: Label] = [:]
  }

  private static let termLimit = 12
  private static let factorLimit = 12
  private static let rounds = 4

  private let graph: TensorGraph
  private let prover: SymmetryProver
  private var uses: [NodeID: Int] = [:]
  private var settled: Set<NodeID> = []
  private var nextLabel: Label = 1 << 20
  private let leastWork: Double

  /// - Parameter leastWork: terms below this many multiplications are left as they are.
  public init(_ graph: TensorGraph, leastWork: Double = 100_000) {
    self.graph = graph
    self.leastWork = leastWork
    prover = SymmetryProver(graph)
  }

  /// The same values from fewer multiplications.
  public mutating func rewritten(_ roots: [NodeID]) -> [NodeID] {
    var roots = roots
    for _ in 0..<Self.rounds {
      let order = graph.reachable(from: roots)
      uses = [:]
      for id in order { for operand in graph[id].operands { uses[operand.node, default: 0] += 1 } }
      for id in roots { uses[id, default: 0] += 2 }
      var replacements: [NodeID: NodeID] = [:]
      for id in order where !settled.contains(id) {
        settled.insert(id)
        if let better = factored(id) { replacements[id] = better }
      }
      if replacements.isEmpty { break }
      roots = graph.substitute(roots, replacements)
    }
    return roots
  }

  /// The sum with its terms joined as far as that pays; nil when none can be.
  private mutating func factored(_ id: NodeID) -> NodeID? {
    let node = graph[id]
    guard case .add(let coefficients) = node.op, (2...Self.termLimit).contains(coefficients.count),
      node.shape.count > 0
    else { return nil }
    var rest: [Summand] = []
    var terms: [(term: Term, cost: Cost)] = []
    for (coefficient, operand) in zip(coefficients, node.operands) {
      let term = term(coefficient, operand, node.shape)
      if let term, let cost = cost(term, node.shape), cost.work >= leastWork {
        terms.append((term, cost))
      } else {
        rest.append(Summand(coefficient, operand))
      }
    }
    guard terms.count > 1 else { return nil }
    let before = terms.count
    while let (i, j, joined, cost) = bestPair(terms, node.shape) {
      terms.remove(at: j)
      terms[i] = (joined, cost)
    }
    guard terms.count < before else { return nil }
    let axes = Array(node.shape.indices)
    let products = terms.map { item in
      Summand(1, Operand(self.node(item.term, axes, node.shape), axes))
    }
    return graph.add(rest + products, shape: node.shape)
  }

  private mutating func bestPair(_ terms: [(term: Term, cost: Cost)], _ shape: Shape) -> (
    Int, Int, Term, Cost
  )? {
    var best: (i: Int, j: Int, term: Term, cost: Cost, gain: Double)?
    for i in terms.indices {
      for j in terms.indices where j > i {
        guard let (joined, cost) = joined(terms[i].term, terms[j].term, shape) else { continue }
        let (a, b) = (terms[i].cost, terms[j].cost)
        let gain = a.work + b.work - cost.work
        let isSmall = cost.largest <= max(a.largest, b.largest)
        if isSmall, gain > (a.work + b.work) / 16, gain > best?.gain ?? 0 {
          best = (i, j, joined, cost, gain)
        }
      }
    }
    return best.map { ($0.i, $0.j, $0.term, $0.cost) }
  }

  // MARK: Terms

  /// A term as one product, sums inside it opened; nil when it is no product with a sum over all axes of the result.
  private mutating func term(_ coefficient: Double, _ operand: Operand, _ shape: Shape) -> Term? {
    guard Set(operand.labels).count == shape.count, uses[operand.node] == 1 else { return nil }
    var term = Term(scale: coefficient, factors: [])
    open(operand, into: &term)
    let sums = term.factors.contains { $0.labels.contains { $0 >= shape.count } }
    return sums && term.factors.count > 1 ? term : nil
  }

  private mutating func open(_ operand: Operand, into term: inout Term) {
    let node = graph[operand.node]
    let carried = Set(node.operands.flatMap(\.labels))
    guard case .contract(let scale) = node.op, uses[operand.node] == 1, !node.operands.isEmpty,
      node.shape.indices.allSatisfy(carried.contains),
      term.factors.count + node.operands.count <= Self.factorLimit
    else { return term.factors.append(operand) }
    term.scale *= scale
    var fresh: [Label: Label] = [:]
    for use in node.operands {
      let labels = use.labels.map { label -> Label in
        if label < node.shape.count { return operand.labels[label] }
        if let known = fresh[label] { return known }
        nextLabel += 1
        fresh[label] = nextLabel
        return nextLabel
      }
      open(Operand(use.node, labels), into: &term)
    }
  }

  /// The term with `result` as its axes, in this order: labels are renamed, since a product's own sums have their axes in
  /// the order of the labels.
  private func node(_ term: Term, _ result: [Label], _ shape: Shape) -> NodeID {
    let factors = term.factors.map { factor in
      Operand(factor.node, factor.labels.map { result.firstIndex(of: $0) ?? $0 + result.count })
    }
    let axes = Array(result.indices)
    return graph.contract(
      term.scale, factors, to: axes, sizes: Dictionary(uniqueKeysWithValues: zip(axes, shape)))
  }

  // MARK: Joining

  /// common · (rest of a + rest of b), and what it costs.
  private mutating func joined(_ a: Term, _ b: Term, _ shape: Shape) -> (Term, Cost)? {
    guard let match = match(a, b, shape.count) else { return nil }
    let common = match.left.sorted().map { a.factors[$0] }
    let left = Term(
      scale: a.scale, factors: a.factors.indices.filter { !match.left.contains($0) }.map { a.factors[$0] })
    let right = Term(
      scale: b.scale,
      factors: b.factors.indices.filter { !match.right.contains($0) }.map { k in
        Operand(b.factors[k].node, b.factors[k].labels.map { match.back[$0] ?? $0 })
      })
    let outside = Set(common.flatMap(\.labels)).union(shape.indices)
    let kept = ordered(
      Set((left.factors + right.factors).flatMap(\.labels)).intersection(outside), left, right)
    guard !kept.isEmpty else { return nil }
    let sizes = kept.map { graph.size(of: $0, in: left.factors + right.factors) ?? 1 }
    guard let x = cost(left, kept, sizes), let y = cost(right, kept, sizes) else { return nil }
    // Entries of the inner sum are written once a term.
    let summands = [left, right].map { part -> Summand in
      let own = kept.filter { label in part.factors.contains { $0.labels.contains(label) } }
      let places = own.compactMap(kept.firstIndex)
      return Summand(
        1, Operand(node(part, own, own.compactMap { graph.size(of: $0, in: part.factors) }), places))
    }
    let inner = graph.add(summands, shape: sizes)
    let term = Term(scale: 1, factors: common + [Operand(inner, kept)])
    guard let whole = cost(term, shape) else { return nil }
    let largest = max(x.largest, y.largest, whole.largest, sizes.reduce(1) { $0 * Double($1) })
    return (term, Cost(work: x.work + y.work + whole.work, largest: largest))
  }

  /// The labels in the order in which the factors have them, those with most of them first: sums that differ in nothing
  /// but the order of their axes are two nodes, and would be computed twice.
  private func ordered(_ labels: Set<Label>, _ left: Term, _ right: Term) -> [Label] {
    let own = (left.factors + right.factors).map { factor in factor.labels.filter(labels.contains) }
    var order: [Label] = []
    for (_, labels) in own.enumerated().sorted(by: {
      ($1.element.count, $0.offset) < ($0.element.count, $1.offset)
    }) {
      for label in labels where !order.contains(label) { order.append(label) }
    }
    return order
  }

  /// The most factors of two terms that are the same under one naming of the summed labels.
  private func match(_ a: Term, _ b: Term, _ rank: Int) -> Match? {
    var best = Match()
    let nodes = Set(b.factors.map(\.node))
    for i in a.factors.indices where !best.left.contains(i) && nodes.contains(a.factors[i].node) {
      for j in b.factors.indices {
        var match = Match()
        guard unify(i, j, a, b, rank, &match) else { continue }
        for k in a.factors.indices where !match.left.contains(k) {
          for l in b.factors.indices where !match.right.contains(l) {
            if unify(k, l, a, b, rank, &match) { break }
          }
        }
        if match.left.count > best.left.count { best = match }
      }
    }
    return best.left.isEmpty ? nil : best
  }

  private func unify(_ i: Int, _ j: Int, _ a: Term, _ b: Term, _ rank: Int, _ match: inout Match) -> Bool {
    guard a.factors[i].node == b.factors[j].node else { return false }
    var next = match
    for (x, y) in zip(a.factors[i].labels, b.factors[j].labels) {
      if x < rank || y < rank {
        if x != y { return false }
      } else {
        if next.forth[x] ?? y != y || next.back[y] ?? x != x { return false }
        next.forth[x] = y
        next.back[y] = x
      }
    }
    next.left.insert(i)
    next.right.insert(j)
    match = next
    return true
  }

  // MARK: Cost

  /// Multiplications, with what entries cost to write, and the entries of the largest array.
  private struct Cost {
    var work: Double
    var largest: Double
  }

  private func cost(_ term: Term, _ shape: Shape) -> Cost? { cost(term, Array(shape.indices), shape) }

  /// Nil where slices or tables make that another matter.
  private func cost(_ term: Term, _ result: [Label], _ shape: Shape) -> Cost? {
    var sizes: [Label: Int] = [:]
    for (label, n) in zip(result, shape) { sizes[label] = n }
    var operands: [Operand] = []
    var same: [Label: Label] = [:]
    for factor in term.factors {
      for (label, n) in zip(factor.labels, graph.shape(factor.node)) { sizes[label] = n }
      switch graph[factor.node].op {
      case .selector(let s):
        guard s.isIdentity(graph.shape(factor.node)) else { return nil }
        same[max(factor.labels[0], factor.labels[1])] = min(factor.labels[0], factor.labels[1])
      case .table: return nil
      default: operands.append(factor)
      }
    }
    func current(_ label: Label) -> Label {
      var label = label
      while let next = same[label] { label = next }
      return label
    }
    operands = operands.map { Operand($0.node, $0.labels.map(current)) }
    let carried = Set(operands.flatMap(\.labels))
    let kept = Set(result.map(current)).intersection(carried)
    let path = ContractionPlanner(
      operands: operands.map(\.labels), result: kept.sorted(), sizes: sizes,
      share: { share($0, $1, operands, kept, sizes) }
    ).path()
    return Cost(work: path.cost, largest: path.largest)
  }

  /// What is left to multiply of two groups of factors that are symmetric in two labels each.
  private func share(
    _ a: Int, _ b: Int, _ operands: [Operand], _ result: Set<Label>, _ sizes: [Label: Int]
  ) -> Double {
    func part(_ side: Int, _ other: Int) -> Double {
      let own = operands.indices.filter { side >> $0 & 1 == 1 }.map { operands[$0] }
      let outside = operands.indices.filter { other >> $0 & 1 == 1 }.flatMap { operands[$0].labels }
      let mine = Set(own.flatMap(\.labels))
      let kept = mine.filter { result.contains($0) || outside.contains($0) }
      guard mine.intersection(outside).isDisjoint(with: result) else { return 1 }
      let free = kept.subtracting(outside).sorted()
      guard let pair = prover.symmetricPair(own, outer: kept, among: free, sizes) else { return 1 }
      let n = Double(sizes[pair.0] ?? 1)
      return (n + 1) / (2 * n)
    }
    return part(a, b) * part(b, a)
  }
}
