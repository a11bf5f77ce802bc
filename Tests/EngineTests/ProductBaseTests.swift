import Graph
import Tensors
import TestSupport
import Testing

@testable import Engine

/// Small products that begin with the array they are added to, against the definition.
struct ProductBaseTests: GraphTest {
  let graph = TensorGraph()

  /// tanh(Σ x·w + Σ terms) of shape [m, n], or over a batch in front; the steps of the plan.
  func check(
    _ batch: Shape, _ m: Int, _ k: Int, _ n: Int, _ terms: [(coefficient: Double, labels: [Label])]
  ) throws -> [String] {
    let shape = batch + [m, n]
    let (outer, row, column) = (Array(batch.indices), batch.count, batch.count + 1)
    let (x, w) = (leaf(0, batch + [m, k]), leaf(1, batch + [k, n]))
    var leaves = [0: values(batch + [m, k], 0), 1: values(batch + [k, n], 1)]
    let product = graph.contract(
      1, [Operand(x, outer + [row, 9]), Operand(w, outer + [9, column])], to: outer + [row, column])
    var summands = [Summand(1, Operand(product, Array(shape.indices)))]
    for (place, term) in terms.enumerated() {
      let own = term.labels.map { shape[$0] }
      leaves[place + 2] = values(own, Double(place))
      summands.append(Summand(term.coefficient, Operand(leaf(place + 2, own), term.labels)))
    }
    let y = graph.map(.tanh, graph.add(summands, shape: shape))
    let expected = try ReferenceInterpreter(graph: graph, leaves: leaves).evaluate([y])[0].doubles
    var listing: [String] = []
    for (precision, tolerance) in [(Precision.f64, 1e-14 * Double(k)), (.f32, 1e-6 * Double(k))] {
      let plan = try Plan(graph, outputs: [y], precision: precision)
      let result = try plan.run(plan.inputs.map { leaves[$0.id] ?? Tensor([], [0]) })[0].doubles
      let isNear = zip(result, expected).allSatisfy { ($0 - $1).magnitude <= tolerance }
      #expect(isNear && result.count == expected.count, "\(plan.listing)")
      listing = plan.listing
    }
    return listing
  }

  private func isJoined(_ listing: [String]) -> Bool { listing.contains { $0.contains("gemm b") } }

  @Test(arguments: [(256, 32, 32), (300, 9, 10), (128, 8, 17), (1100, 3, 7)])
  func biases(m: Int, k: Int, n: Int) throws {
    #expect(isJoined(try check([], m, k, n, [(1, [1])])))
    #expect(isJoined(try check([9], m, k, n, [(1, [0, 2])])))
    #expect(isJoined(try check([9], m, k, n, [(1, [2])])))
    #expect(isJoined(try check([3, 4], m, k, n, [(1, [1, 3])])))
  }

  /// A whole array, of which every row is another one.
  @Test func residuals() throws {
    #expect(isJoined(try check([], 200, 16, 12, [(1, [0, 1])])))
    #expect(isJoined(try check([5], 200, 16, 12, [(1, [0, 1, 2])])))
    #expect(isJoined(try check([5], 200, 16, 12, [(1, [1, 2])])))
  }

  /// The sum itself is wanted: nothing is copied into its place first.
  @Test func sums() throws {
    let shape: Shape = [200, 12]
    let leaves = [0: values([200, 16], 0), 1: values([16, 12], 1), 2: values(shape, 2), 3: values([12], 3)]
    let product = graph.contract(
      1, [Operand(leaf(0, [200, 16]), [0, 2]), Operand(leaf(1, [16, 12]), [2, 1])], to: [0, 1])
    for (other, labels, scale) in [(leaf(2, shape), [0, 1], -3.0), (leaf(3, [12]), [1], 1)] {
      let y = graph.add(
        [Summand(scale, Operand(product, [0, 1])), Summand(1, Operand(other, labels))], shape: shape)
      let expected = try ReferenceInterpreter(graph: graph, leaves: leaves).evaluate([y])[0].doubles
      let plan = try Plan(graph, outputs: [y])
      let result = try plan.run(plan.inputs.map { leaves[$0.id] ?? Tensor([], [0]) })[0].doubles
      #expect(zip(result, expected).allSatisfy { ($0 - $1).magnitude <= 1e-13 })
      #expect(isJoined(plan.listing), "\(plan.listing)")
    }
  }

  /// What is the same along a row, or lies across, stays in the loop.
  @Test func columns() throws {
    #expect(!isJoined(try check([], 200, 16, 12, [(1, [0])])))
    #expect(!isJoined(try check([], 200, 16, 12, [(1, [])])))
    #expect(!isJoined(try check([], 40, 16, 40, [(1, [1, 0])])))
    #expect(!isJoined(try check([], 200, 16, 12, [(-2, [1])])))
  }

  @Test func severalTerms() throws {
    _ = try check([7], 100, 16, 12, [(1, [2]), (1, [0, 2]), (-1, [1])])
    _ = try check([7], 200, 16, 12, [(1, [2]), (1, [0, 2]), (-1, [1])])
    _ = try check([7], 200, 16, 12, [(1, [1, 2]), (1, [0, 1, 2])])
    _ = try check([7], 200, 16, 12, [(1, [2]), (1, [0, 2]), (-1, [1]), (2, [0, 1, 2])])
  }

  /// Rows and columns of one alone, and products too large for the kernels.
  @Test func edges() throws {
    for (m, n) in [(1, 3000), (3000, 1), (2, 1500), (1500, 2)] {
      _ = try check([], m, 5, n, [(1, [1])])
      _ = try check([2], m, 5, n, [(1, [0, 2])])
    }
    #expect(!isJoined(try check([], 300, 200, 150, [(1, [1])])))
  }

  /// Every reader makes the same sum, as those of a softmax do; with biases of a batch that are sums themselves.
  @Test(arguments: [1, 2]) func sharedSums(count: Int) throws {
    let (batch, m, k, n) = (9, 256, 16, 10)
    let (x, w) = (leaf(0, [batch, m, k]), leaf(1, [batch, k, n]))
    var leaves = [0: values([batch, m, k], 0), 1: values([batch, k, n], 1)]
    let product = graph.contract(1, [Operand(x, [0, 1, 9]), Operand(w, [0, 9, 2])], to: [0, 1, 2])
    let biases = (0..<count).map { place in
      leaves[2 + place] = values([batch, n], Double(2 + place))
      return Summand(1, Operand(leaf(2 + place, [batch, n]), [0, 2]))
    }
    let logits = biases + [Summand(1, Operand(product, [0, 1, 2]))]
    let top = graph.reduceMax(graph.add(logits, shape: [batch, m, n]), axes: [2])
    let stop = graph.map(
      .select, [top, top, graph.fill(0)].map { Operand($0, graph.shape($0).isEmpty ? [] : [0, 1]) },
      shape: [batch, m])
    let lower = graph.map(
      .exp, graph.add(logits + [Summand(-1, Operand(stop, [0, 1]))], shape: [batch, m, n]))
    let sum = graph.contract(1, [Operand(lower, [0, 1, 2])], to: [0, 1])
    let expected = try ReferenceInterpreter(graph: graph, leaves: leaves).evaluate([sum])[0].doubles
    let plan = try Plan(graph, outputs: [sum])
    let result = try plan.run(plan.inputs.map { leaves[$0.id] ?? Tensor([], [0]) })[0].doubles
    #expect(zip(result, expected).allSatisfy { ($0 - $1).magnitude <= 1e-12 * $1 })
    // A sum of biases is made after the product.
    #expect(isJoined(plan.listing) == (count == 1), "\(plan.listing)")
  }

  /// The product is read elsewhere too, or the array is made after it.
  @Test func otherReaders() throws {
    let (m, k, n) = (200, 16, 12)
    let leaves = [0: values([m, k], 0), 1: values([k, n], 1), 2: values([n], 2)]
    let (x, w, b) = (leaf(0, [m, k]), leaf(1, [k, n]), leaf(2, [n]))
    let product = graph.contract(1, [Operand(x, [0, 2]), Operand(w, [2, 1])], to: [0, 1])
    let biased = graph.add(
      [Summand(1, Operand(product, [0, 1])), Summand(1, Operand(b, [1]))], shape: [m, n])
    let sums = graph.contract(1, [Operand(product, [1, 0])], to: [0])
    let later = graph.add(
      [Summand(1, Operand(product, [0, 1])), Summand(1, Operand(sums, [1]))], shape: [m, n])
    let outputs = [graph.map(.tanh, biased), graph.map(.exp, later)]
    let expected = try ReferenceInterpreter(graph: graph, leaves: leaves).evaluate(outputs)
    let plan = try Plan(graph, outputs: outputs)
    let results = try plan.run(plan.inputs.map { leaves[$0.id] ?? Tensor([], [0]) })
    for (result, exact) in zip(results, expected) {
      #expect(zip(result.doubles, exact.doubles).allSatisfy { ($0 - $1).magnitude <= 1e-12 * max(1, $1) })
    }
  }
}
