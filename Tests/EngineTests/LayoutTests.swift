import Graph
import Tensors
import TestSupport
import Testing

@testable import Engine

/// Products are laid out as the loops that read them walk their other arrays.
struct LayoutTests: GraphTest {
  let graph = TensorGraph()
  let n = 60
  let m = 40
  let k = 30

  /// The plan against the definition; its steps.
  func check(_ nodes: [NodeID]) throws -> [String] {
    let plan = try Plan(graph, outputs: nodes)
    var leaves: [Int: Tensor] = [:]
    for input in plan.inputs {
      var random = SmallRandom(seed: UInt64(input.id))
      leaves[input.id] = Tensor((0..<input.shape.elementCount).map { _ in random.signed() }, input.shape)
    }
    let expected = try ReferenceInterpreter(graph: graph, leaves: leaves).evaluate(nodes)
    let results = try plan.run(plan.inputs.map { leaves[$0.id] ?? Tensor([], [0]) })
    for (result, exact) in zip(results, expected) {
      #expect(result.shape == exact.shape)
      let size = exact.doubles.reduce(1) { max($0, $1.magnitude) }
      #expect(zip(result.doubles, exact.doubles).allSatisfy { ($0 - $1).magnitude <= 1e-13 * size })
    }
    return plan.listing
  }

  /// pᵢₙ = Σₖ wᵢₖ xₙₖ, and hₙᵢ tanh(pᵢₙ) with the axes of h.
  func made() -> (product: NodeID, y: NodeID) {
    let (w, x, h) = (leaf(0, [m, k]), leaf(1, [n, k]), leaf(2, [n, m]))
    let product = graph.contract(1, [Operand(w, [0, 2]), Operand(x, [1, 2])], to: [0, 1])
    let bent = graph.map(.tanh, product)
    return (product, graph.contract(1, [Operand(h, [0, 1]), Operand(bent, [1, 0])], to: [0, 1]))
  }

  @Test func asItsReaderWalks() throws {
    let listing = try check([made().y])
    #expect(listing.contains { $0.hasPrefix("gemm \(n)×\(k)·\(k)×\(m)") })
  }

  @Test func results() throws {
    let (product, y) = made()
    let listing = try check([product, y])
    #expect(listing.contains { $0.hasPrefix("gemm \(m)×\(k)·\(k)×\(n)") })
  }

  /// Read by a loop and by what takes whole arrays: products, sorting, a slice.
  @Test func otherReaders() throws {
    let (product, y) = made()
    let v = leaf(3, [n, 4])
    let next = graph.contract(1, [Operand(product, [0, 1]), Operand(v, [1, 2])], to: [0, 2])
    let gram = graph.contract(1, [Operand(product, [0, 2]), Operand(product, [1, 2])], to: [0, 1])
    let sum = graph.contract(1, [Operand(product, [0, 1])], to: [1])
    _ = try check([y, next, gram, sum, graph.argsort(product)])
  }
}
