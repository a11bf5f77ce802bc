import Graph
import Tensors
import TestSupport
import Testing

@testable import Engine

/// Terms of a sum that are the same for many of its entries are added up once.
struct RepeatedTermsTests: GraphTest {
  let graph = TensorGraph()

  /// tanh of a sum of leaves over the axes that they have, against the definition; the steps of the plan.
  func check(_ terms: [(coefficient: Double, labels: [Label])], _ shape: Shape) throws -> [String] {
    var leaves: [Int: Tensor] = [:]
    let summands = terms.enumerated().map { k, term in
      let own = term.labels.map { shape[$0] }
      leaves[k] = values(own, Double(k))
      return Summand(term.coefficient, Operand(leaf(k, own), term.labels))
    }
    let y = graph.map(.tanh, graph.add(summands, shape: shape))
    let expected = try ReferenceInterpreter(graph: graph, leaves: leaves).evaluate([y])[0].doubles
    let plan = try Plan(graph, outputs: [y])
    let result = try plan.run(plan.inputs.map { leaves[$0.id] ?? Tensor([], [0]) })[0].doubles
    #expect(zip(result, expected).allSatisfy { ($0 - $1).magnitude <= 1e-14 })
    return plan.listing
  }

  @Test func biasesOfABatch() throws {
    let listing = try check([(1, [0, 1, 2]), (1, [0, 2]), (-2, [0, 2]), (1, [2])], [9, 256, 32])
    #expect(listing.count == 2)
    #expect(listing.first?.hasPrefix("loop 9×32") == true)
  }

  @Test func scalarsAndConstants() throws {
    let listing = try check([(1, []), (3, [0]), (-1, []), (0.5, [])], [20_000])
    #expect(listing.count == 2)
  }

  /// A row and a column reach every entry together: nothing is gained.
  @Test func rowsAndColumns() throws {
    #expect(try check([(1, [0]), (1, [1]), (1, [0, 1])], [150, 200]).count == 1)
    #expect(try check([(1, [0]), (1, [1]), (-1, [1])], [150, 200]).count == 2)
    #expect(try check([(1, [0]), (1, [0]), (1, [0, 1])], [20, 30]).count == 1)
  }

  /// Two loops read the same sum, one of them with its axes exchanged.
  @Test func readByTwoLoops() throws {
    let (m, n) = (200, 300)
    let leaves = [0: values([m, n], 0), 1: values([n], 1), 2: values([n], 2)]
    let (x, a, b) = (leaf(0, [m, n]), leaf(1, [n]), leaf(2, [n]))
    func moved(_ row: Label, _ column: Label, _ shape: Shape) -> NodeID {
      graph.add(
        [
          Summand(1, Operand(x, [row, column])), Summand(1, Operand(a, [column])),
          Summand(-1, Operand(b, [column])),
        ],
        shape: shape)
    }
    let outputs = [
      graph.map(.tanh, moved(0, 1, [m, n])),
      graph.contract(1, [Operand(graph.map(.sin, moved(1, 0, [n, m])), [0, 1])], to: [1]),
    ]
    let expected = try ReferenceInterpreter(graph: graph, leaves: leaves).evaluate(outputs)
    let plan = try Plan(graph, outputs: outputs)
    let results = try plan.run(plan.inputs.map { leaves[$0.id] ?? Tensor([], [0]) })
    for (result, exact) in zip(results, expected) {
      #expect(zip(result.doubles, exact.doubles).allSatisfy { ($0 - $1).magnitude <= 1e-12 })
    }
    #expect(plan.listing.count { $0.hasPrefix("loop 300,") } == 1, "\(plan.listing)")
  }
}
