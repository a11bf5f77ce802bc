import Graph
import Tensors
import TestSupport
import Testing

@testable import Engine

/// Terms of a sum that share factors are multiplied by them once.
struct SumFactoringTests: GraphTest {
  let graph = TensorGraph()

  /// The rewritten sum against the definition of the given one; multiplications of both.
  func check(_ node: NodeID, _ leaves: [Int: Tensor]) throws -> (before: Double, after: Double) {
    let expected = try ReferenceInterpreter(graph: graph, leaves: leaves).evaluate([node])[0].doubles
    let plan = try Plan(graph, outputs: [node])
    let result = try plan.run(plan.inputs.map { leaves[$0.id] ?? Tensor([], [0]) })[0].doubles
    let size = expected.reduce(1) { max($0, $1.magnitude) }
    #expect(zip(result, expected).allSatisfy { ($0 - $1).magnitude <= 1e-12 * size })
    return (try Plan(untiled: graph, outputs: [node], precision: .f64).multiplications, plan.multiplications)
  }

  func sum(_ terms: [(Double, NodeID)]) -> NodeID {
    let shape = graph.shape(terms[0].1)
    return graph.add(terms.map { Summand($0.0, Operand($0.1, Array(shape.indices))) }, shape: shape)
  }

  /// Σₙ aₙᵢ bₙⱼ + 2 Σₘ aₘᵢ cₘⱼ − Σₙ aₙᵢ bₙⱼ wⱼ: one matrix product instead of three.
  @Test func oneProductForTermsThatShareAFactor() throws {
    let (n, d, k) = (90, 70, 60)
    let (a, b, c, w) = (leaf(0, [n, d]), leaf(1, [n, k]), leaf(2, [n, k]), leaf(3, [k]))
    let first = graph.contract(1, [Operand(a, [2, 0]), Operand(b, [2, 1])], to: [0, 1])
    let second = graph.contract(1, [Operand(a, [7, 0]), Operand(c, [7, 1])], to: [0, 1])
    let third = graph.contract(
      1, [Operand(a, [2, 0]), Operand(b, [2, 1]), Operand(c, [2, 1]), Operand(w, [1])], to: [0, 1])
    let leaves = [0: values([n, d], 1), 1: values([n, k], 2), 2: values([n, k], 3), 3: values([k], 4)]
    let (before, after) = try check(sum([(1, first), (2, second), (-1, third)]), leaves)
    #expect(before > 2.9 * Double(n * d * k))
    #expect(after < 1.1 * Double(n * d * k))
  }

  /// The sum inside the parentheses is one with an equal sum elsewhere, whatever the order of its axes: out[n,i] =
  /// Σⱼ pₙⱼ wᵢⱼ + qₙᵢ rₙᵢ is not computed again for Σₙ xₙₖ·out[n,i].
  @Test func oneWithAnEqualSum() throws {
    let (n, j, i, k) = (90, 70, 60, 50)
    let (p, w, q, r, x) = (
      leaf(0, [n, j]), leaf(1, [i, j]), leaf(2, [n, i]), leaf(3, [n, i]), leaf(4, [n, k])
    )
    let inner = sum([
      (1, graph.contract(1, [Operand(p, [0, 2]), Operand(w, [1, 2])], to: [0, 1])),
      (1, graph.contract(1, [Operand(q, [0, 1]), Operand(r, [0, 1])], to: [0, 1])),
    ])
    let outer = sum([
      (1, graph.contract(1, [Operand(x, [2, 0]), Operand(p, [2, 3]), Operand(w, [1, 3])], to: [0, 1])),
      (1, graph.contract(1, [Operand(x, [2, 0]), Operand(q, [2, 1]), Operand(r, [2, 1])], to: [0, 1])),
    ])
    let plan = try Plan(graph, outputs: [inner, outer])
    #expect(plan.multiplications < 1.1 * Double(n * j * i + n * k * i))
    let leaves = [
      0: values([n, j], 1), 1: values([i, j], 2), 2: values([n, i], 3), 3: values([n, i], 4),
      4: values([n, k], 5),
    ]
    let expected = try ReferenceInterpreter(graph: graph, leaves: leaves).evaluate([inner, outer])
    let results = try plan.run(plan.inputs.map { leaves[$0.id] ?? Tensor([], [0]) })
    for (result, expected) in zip(results, expected) {
      #expect(zip(result.doubles, expected.doubles).allSatisfy { ($0 - $1).magnitude <= 1e-11 })
    }
  }

  /// Different arrays, or the same ones along other axes, share nothing.
  @Test func nothingInCommon() throws {
    let n = 80
    let (a, b) = (leaf(0, [n, n]), leaf(1, [n, n]))
    let first = graph.contract(1, [Operand(a, [2, 0]), Operand(b, [2, 1])], to: [0, 1])
    let second = graph.contract(1, [Operand(a, [0, 2]), Operand(b, [1, 2])], to: [0, 1])
    let (before, after) = try check(
      sum([(1, first), (3, second)]), [0: values([n, n], 1), 1: values([n, n], 2)])
    #expect(before == after)
  }

  /// (xᵢ·yₙ)-like terms that are cheap apart stay apart: Σₙ uₙ aₙᵢ bₙⱼ with u of one entry a row would fill in nothing,
  /// but Σₙ aₙᵢ bₙⱼ + Σₙ aₙᵢ cₙ·vⱼ is cheaper with c summed first.
  @Test func cheapTermsStayApart() throws {
    let (n, d, k) = (50, 100, 90)
    let (a, c, v) = (leaf(0, [n, d]), leaf(1, [n]), leaf(2, [k]))
    let (e, u) = (leaf(3, [n]), leaf(4, [k]))
    let first = graph.contract(1, [Operand(a, [2, 0]), Operand(c, [2]), Operand(v, [1])], to: [0, 1])
    let second = graph.contract(1, [Operand(a, [2, 0]), Operand(e, [2]), Operand(u, [1])], to: [0, 1])
    let leaves = [
      0: values([n, d], 1), 1: values([n], 2), 2: values([k], 3), 3: values([n], 4), 4: values([k], 5),
    ]
    let (before, after) = try check(sum([(1, first), (1, second)]), leaves)
    #expect(after <= before)
  }

  /// A term that something else reads is computed for that anyway, and stays.
  @Test func sharedTermsStay() throws {
    let (n, d) = (90, 70)
    let (a, b, c) = (leaf(0, [n, d]), leaf(1, [n, d]), leaf(2, [n, d]))
    let first = graph.contract(1, [Operand(a, [2, 0]), Operand(b, [2, 1])], to: [0, 1])
    let second = graph.contract(1, [Operand(a, [2, 0]), Operand(c, [2, 1])], to: [0, 1])
    let total = sum([(1, first), (1, second)])
    let leaves = [0: values([n, d], 1), 1: values([n, d], 2), 2: values([n, d], 3)]
    let expected = try ReferenceInterpreter(graph: graph, leaves: leaves).evaluate([total, first])
    let plan = try Plan(graph, outputs: [total, first])
    let result = try plan.run(plan.inputs.map { leaves[$0.id] ?? Tensor([], [0]) })
    for (x, y) in zip(result, expected) {
      #expect(zip(x.doubles, y.doubles).allSatisfy { ($0 - $1).magnitude < 1e-11 })
    }
  }

  /// A factor with nothing beside it: Σₙ aₙᵢ bₙⱼ + Σₙ aₙᵢ bₙⱼ cₙⱼ = Σₙ aₙᵢ bₙⱼ (1 + cₙⱼ); and diagonals.
  @Test func emptyRestsAndDiagonals() throws {
    let (n, d) = (60, 64)
    let (a, b, c) = (leaf(0, [n, d]), leaf(1, [n, d]), leaf(2, [n, d]))
    let identity = graph.selector(.identity(d), [d, d])
    let first = graph.contract(1, [Operand(a, [2, 0]), Operand(b, [2, 1])], to: [0, 1])
    let second = graph.contract(
      1, [Operand(a, [2, 0]), Operand(b, [2, 1]), Operand(c, [2, 1])], to: [0, 1])
    let third = graph.contract(
      1, [Operand(a, [2, 0]), Operand(c, [2, 0]), Operand(identity, [0, 1])], to: [0, 1])
    let leaves = [0: values([n, d], 1), 1: values([n, d], 2), 2: values([n, d], 3)]
    let (before, after) = try check(sum([(1, first), (0.25, second), (2, third)]), leaves)
    #expect(after < 0.6 * before)
  }

  /// Random sums of products over a few arrays, joined wherever the count says so, are the same arrays.
  @Test func randomSums() throws {
    var joined = 0
    for seed in 0..<(150 * EvaluatorFuzzTests.effort) {
      var random = SmallRandom(seed: UInt64(seed))
      let graph = TensorGraph()
      // Labels 0 and 1 are axes of the sum; 2 and 3 are summed, under other names in every other term.
      let sizes = [4, 4, 6, 3]
      var leaves: [Int: Tensor] = [:]
      let arrays = [[0, 2], [1, 2], [2], [0, 1], [1, 2, 3], [0, 3], [1], [2, 3]].enumerated().map {
        k, labels in
        let shape = labels.map { sizes[$0] }
        leaves[k] = values(shape, Double(seed + k))
        return (node: graph.leaf(Leaf(id: k, name: "x\(k)", shape: shape)), labels: labels)
      }
      let identity = graph.selector(.identity(4), [4, 4])
      let summands = (0..<(2 + random.below(3))).map { term -> Summand in
        var operands = [arrays[0], arrays[1]].filter { _ in random.below(4) > 0 }
        operands += (0..<(1 + random.below(3))).map { _ in random.pick(arrays) }
        let shift = term % 2 * 10
        var factors = operands.map { Operand($0.node, $0.labels.map { $0 < 2 ? $0 : $0 + shift }) }
        if random.below(5) == 0 { factors.append(Operand(identity, [0, 1])) }
        let node = graph.contract(Double(random.below(5)) - 2, factors, to: [0, 1], sizes: [0: 4, 1: 4])
        return Summand(1 + Double(random.below(3)), Operand(node, [0, 1]))
      }
      let sum = graph.add(summands, shape: [4, 4])
      var factoring = SumFactoring(graph, leastWork: 0)
      let better = factoring.rewritten([sum])
      if better != [sum] { joined += 1 }
      let reference = ReferenceInterpreter(graph: graph, leaves: leaves)
      let (a, b) = (try reference.evaluate([sum])[0].doubles, try reference.evaluate(better)[0].doubles)
      let size = a.reduce(1) { max($0, $1.magnitude) }
      #expect(zip(a, b).allSatisfy { ($0 - $1).magnitude <= 1e-12 * size }, "seed \(seed)")
    }
    #expect(joined > 20)
  }
}
