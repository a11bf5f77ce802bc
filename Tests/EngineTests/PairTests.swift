import Graph
import Tensors
import TestSupport
import Testing

@testable import Calculus
@testable import Engine

/// Products of symmetric operands are multiplied once a pair.
struct PairTests: GraphTest {
  let graph = TensorGraph()

  /// The plan against the definition, in both precisions; the listing.
  @discardableResult
  func check(_ node: NodeID, _ leaves: [Int: Tensor]) throws -> [String] {
    let expected = try ReferenceInterpreter(graph: graph, leaves: leaves).evaluate([node])[0].doubles
    var listing: [String] = []
    for precision in [Precision.f64, .f32] {
      let plan = try Plan(graph, outputs: [node], precision: precision)
      let result = try plan.run(plan.inputs.map { leaves[$0.id] ?? Tensor([], [0]) })[0].doubles
      let tolerance = precision == .f64 ? 1e-12 : 1e-4
      let size = expected.reduce(1) { max($0, $1.magnitude) }
      #expect(zip(result, expected).allSatisfy { ($0 - $1).magnitude <= tolerance * size })
      listing = plan.listing
    }
    return listing
  }

  /// Σₙ xₙᵢ xₙⱼ (Σc Wₒc Wₚc eₙc): both operands are symmetric, the second one by its structure only.
  @Test func bothSides() throws {
    let (n, d, o, c) = (80, 9, 8, 5)
    let (x, w, e) = (leaf(0, [n, d]), leaf(1, [o, c]), leaf(2, [n, c]))
    let weighted = graph.contract(1, [Operand(w, [0, 3]), Operand(e, [1, 3])], to: [1, 0, 3])
    let s = graph.add(
      [
        Summand(
          2,
          Operand(
            graph.contract(1, [Operand(weighted, [0, 1, 3]), Operand(w, [2, 3])], to: [0, 1, 2]), [0, 1, 2])),
        Summand(
          -1,
          Operand(
            graph.contract(
              1, [Operand(e, [0, 3]), Operand(w, [1, 3]), Operand(e, [0, 4]), Operand(w, [2, 4])],
              to: [0, 1, 2]),
            [0, 1, 2])),
      ], shape: [n, o, o])
    let h = graph.contract(
      1, [Operand(x, [4, 0]), Operand(x, [4, 2]), Operand(s, [4, 1, 3])], to: [0, 1, 2, 3])
    let leaves = [0: values([n, d], 1), 1: values([o, c], 2), 2: values([n, c], 3)]
    let listing = try check(h, leaves)
    #expect(
      listing.contains { $0.contains("for 45 pairs ×80·80×36") || $0.contains("for 36 pairs ×80·80×45") })
  }

  /// An operand that only looks symmetric is multiplied out whole.
  @Test func notSymmetric() throws {
    let (n, d, o) = (40, 9, 8)
    let (x, y, s) = (leaf(0, [n, d]), leaf(1, [n, d]), leaf(2, [n, o, o]))
    let h = graph.contract(
      1, [Operand(x, [4, 0]), Operand(y, [4, 2]), Operand(s, [4, 1, 3])], to: [0, 1, 2, 3])
    let listing = try check(h, [0: values([n, d], 1), 1: values([n, d], 2), 2: values([n, o, o], 3)])
    #expect(!listing.contains { $0.hasPrefix("pack") })
  }

  /// One symmetric operand, the other with labels of its own; and a term added to what is there.
  @Test func oneSideAndSums() throws {
    let (n, d, o) = (50, 12, 7)
    let (x, s) = (leaf(0, [n, d]), leaf(1, [n, o]))
    let product = graph.contract(
      1, [Operand(x, [3, 0]), Operand(x, [3, 1]), Operand(s, [3, 2])], to: [0, 1, 2])
    let second = graph.contract(
      0.5, [Operand(x, [3, 0]), Operand(x, [3, 1]), Operand(s, [3, 2]), Operand(s, [3, 2])], to: [0, 1, 2])
    let sum = graph.add([product, second], shape: [d, d, o])
    let leaves = [0: values([n, d], 1), 1: values([n, o], 2)]
    try check(product, leaves)
    try check(sum, leaves)
    // The pair's axes are not neighbours in memory.
    try check(
      graph.contract(1, [Operand(x, [3, 0]), Operand(x, [3, 2]), Operand(s, [3, 1])], to: [0, 1, 2]), leaves)
  }

  /// Wider than the block in which an inner pair is expanded.
  @Test func widePairs() throws {
    let (n, d) = (3, 150)
    let x = leaf(0, [n, d])
    let s = leaf(1, [n, 3])
    let h = graph.contract(
      1, [Operand(x, [4, 0]), Operand(x, [4, 1]), Operand(s, [4, 2]), Operand(s, [4, 3])], to: [2, 0, 1, 3])
    try check(h, [0: values([n, d], 1), 1: values([n, 3], 2)])
  }

  /// Σₙ xₙᵢ xₙₖ (δⱼₗ pₙⱼ − pₙⱼ pₙₗ), a last layer under softmax: xₙᵢxₙₖ is made for pairs alone, and never whole.
  @Test func outerProductsByPairs() throws {
    let (n, d, c) = (30, 40, 6)
    let (x, p) = (leaf(0, [n, d]), leaf(1, [n, c]))
    let identity = graph.selector(.identity(c), [c, c])
    let first = graph.contract(
      1, [Operand(x, [4, 0]), Operand(x, [4, 2]), Operand(p, [4, 1]), Operand(identity, [1, 3])],
      to: [0, 1, 2, 3])
    let second = graph.contract(
      1, [Operand(x, [4, 0]), Operand(x, [4, 2]), Operand(p, [4, 1]), Operand(p, [4, 3])], to: [0, 1, 2, 3])
    let h = graph.add(
      [Summand(0.5, Operand(first, [0, 1, 2, 3])), Summand(-0.5, Operand(second, [0, 1, 2, 3]))],
      shape: [d, c, d, c])
    let leaves = [0: values([n, d], 1), 1: values([n, c], 2)]
    let listing = try check(h, leaves)
    #expect(listing.contains { $0.hasPrefix("outer product") && $0.contains("for 820 pairs ×30·30×21") })
    #expect(try Plan(graph, outputs: [h]).multiplications < Double(n * (820 * 21 + 820 + 100)))
    // Summed over two labels, and with a factor that has but one of them.
    let (y, w) = (leaf(2, [5, n, d]), leaf(3, [5, c]))
    try check(
      graph.contract(
        1,
        [
          Operand(y, [4, 5, 0]), Operand(y, [4, 5, 2]), Operand(w, [4, 1]), Operand(w, [4, 3]),
          Operand(p, [5, 1]),
        ],
        to: [0, 1, 2, 3]),
      [1: values([n, c], 2), 2: values([5, n, d], 3), 3: values([5, c], 4)])
  }

  /// One summed entry and several depths of a block; pairs of one; the inner pair too wide for a block of rows.
  @Test func outerProductsOfEverySize() throws {
    for (n, d, c) in [(1, 40, 30), (700, 9, 5), (600, 5, 8), (300, 33, 1), (40, 25, 3), (20, 7, 60)] {
      let (x, p) = (leaf(0, [n, d]), leaf(1, [n, c]))
      let h = graph.contract(
        -2, [Operand(x, [4, 0]), Operand(x, [4, 2]), Operand(p, [4, 1]), Operand(p, [4, 3])],
        to: [0, 1, 2, 3])
      let listing = try check(h, [0: values([n, d], 1), 1: values([n, c], 2)])
      if c == 60 { #expect(!listing.contains { $0.hasPrefix("outer product") }) }
    }
  }

  @Test func provesWhatItShould() {
    let prover = SymmetryProver(graph)
    let (w, m) = (leaf(0, [6, 4]), leaf(1, [6, 6]))
    let gram = graph.contract(1, [Operand(w, [0, 2]), Operand(w, [1, 2])], to: [0, 1])
    let both = graph.add([Summand(1, Operand(m, [0, 1])), Summand(1, Operand(m, [1, 0]))], shape: [6, 6])
    let skew = graph.add([Summand(1, Operand(m, [0, 1])), Summand(-1, Operand(m, [1, 0]))], shape: [6, 6])
    func isSymmetric(_ id: NodeID) -> Bool {
      prover.isInvariant([Operand(id, [0, 1])], outer: [0, 1], exchanging: 0, 1)
    }
    #expect(isSymmetric(gram))
    #expect(isSymmetric(both))
    #expect(
      isSymmetric(
        graph.contract(
          1, [Operand(both, [0, 2]), Operand(gram, [2, 3]), Operand(both, [3, 1])], to: [0, 1])))
    #expect(!isSymmetric(graph.contract(1, [Operand(both, [0, 2]), Operand(gram, [2, 1])], to: [0, 1])))
    #expect(!isSymmetric(m))
    #expect(!isSymmetric(skew))
    // δᵢⱼ·pᵢ − pᵢpⱼ is symmetric although its first term names i alone; δᵢⱼ·pᵢ − pᵢqⱼ is not.
    let (p, q) = (leaf(2, [6]), leaf(3, [6]))
    let diagonal = graph.contract(
      1, [Operand(graph.selector(.identity(6), [6, 6]), [0, 1]), Operand(p, [0])], to: [0, 1])
    func less(_ other: NodeID) -> NodeID {
      let outer = graph.contract(1, [Operand(p, [0]), Operand(other, [1])], to: [0, 1])
      return graph.add(
        [Summand(1, Operand(diagonal, [0, 1])), Summand(-1, Operand(outer, [0, 1]))], shape: [6, 6])
    }
    #expect(isSymmetric(less(p)))
    #expect(!isSymmetric(less(q)))
  }

  /// A partial product of one node is used by another that contains it.
  @Test func partialProductsAreShared() throws {
    let (w, f, v, t) = (leaf(0, [20, 10]), leaf(1, [30, 20]), leaf(2, [25, 20]), leaf(3, [30, 10, 25]))
    let j = graph.contract(
      1, [Operand(w, [3, 1]), Operand(f, [0, 3]), Operand(v, [2, 3])], to: [0, 1, 2])
    let d = graph.contract(
      1, [Operand(w, [3, 4]), Operand(f, [0, 3]), Operand(v, [1, 3]), Operand(t, [0, 4, 1])], to: [0, 1])
    let leaves = [
      0: values([20, 10], 1), 1: values([30, 20], 2), 2: values([25, 20], 3), 3: values([30, 10, 25], 4),
    ]
    let expected = try ReferenceInterpreter(graph: graph, leaves: leaves).evaluate([j, d])
    let plan = try Plan(graph, outputs: [j, d])
    let result = try plan.run(plan.inputs.map { leaves[$0.id] ?? Tensor([], [0]) })
    for (a, b) in zip(result, expected) {
      #expect(zip(a.doubles, b.doubles).allSatisfy { ($0 - $1).magnitude < 1e-11 })
    }
    let alone = try Plan(graph, outputs: [j]).multiplications + Plan(graph, outputs: [d]).multiplications
    #expect(plan.multiplications < 0.7 * alone)
  }
}
