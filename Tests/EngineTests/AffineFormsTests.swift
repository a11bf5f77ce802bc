import Graph
import Tensors
import TestSupport
import Testing

@testable import Engine

/// Products with what is affine in numbers that vary are multiplied out over a batch, against one plan for each entry.
struct AffineFormsTests: GraphTest {
  let graph = TensorGraph()
  private let s = Leaf(id: 50, name: "s", shape: [])
  private let t = Leaf(id: 51, name: "t", shape: [])

  /// W + s·D + t²·E, of the shape of leaves `first`, `first` + 1 and `first` + 2.
  private func moved(_ first: Int, _ shape: Shape) -> NodeID {
    let axes = Array(shape.indices)
    let square = graph.contract(1, [Operand(graph.leaf(t), []), Operand(graph.leaf(t), [])], to: [])
    func times(_ number: NodeID, _ leaf: Int) -> NodeID {
      graph.contract(1, [Operand(number, []), Operand(self.leaf(leaf, shape), axes)], to: axes)
    }
    return graph.add(
      [leaf(first, shape), times(graph.leaf(s), first + 1), times(square, first + 2)], shape: shape)
  }

  /// Nodes over many values of s and t, in a batch and one after the other; the batch's multiplications.
  private func check(_ outputs: [NodeID], count: Int = 40, limit: Int = .max) throws -> BatchPlan {
    var next = 100
    func identity() -> Int {
      next += 1
      return next
    }
    let columns = [s, t].map { Leaf(id: $0.id + 10, name: $0.name, shape: [count]) }
    let variables = zip([s, t], columns).map {
      BatchPlan.Variable(leaf: graph.leaf($0), values: graph.leaf($1), axes: [0])
    }
    let plan = try BatchPlan.multipliedOut(
      graph, outputs, variables, batch: [count], piece: 7, precision: .f64, limit: limit, identity: identity)
    let moves = columns.indices.map { values([count], Double($0)) }
    func value(_ leaf: Leaf) -> Tensor { values(leaf.shape, Double(leaf.id)) }
    let results = try plan.run(
      plan.inputs.map { leaf in columns.firstIndex { $0.id == leaf.id }.map { moves[$0] } ?? value(leaf) })
    let single = try Plan(graph, outputs: outputs)
    for k in [0, 1, count / 2, count - 1] {
      let expected = try single.run(
        single.inputs.map { leaf in
          leaf.id == s.id
            ? Tensor([moves[0].doubles[k]], [])
            : leaf.id == t.id ? Tensor([moves[1].doubles[k]], []) : value(leaf)
        })
      for (all, one) in zip(results, expected) {
        let own = all.doubles[(k * one.count)..<((k + 1) * one.count)]
        #expect(zip(own, one.doubles).allSatisfy { ($0 - $1).magnitude <= 1e-12 * max(1, $1.magnitude) })
      }
    }
    return plan
  }

  /// Σ over the first layer's inputs is done once, whatever the number of points.
  @Test func firstLayer() throws {
    let (n, inputs, hidden) = (30, 200, 9)
    let product = graph.contract(
      1, [Operand(leaf(0, [n, inputs]), [0, 2]), Operand(moved(1, [inputs, hidden]), [2, 1])], to: [0, 1])
    let bias = moved(4, [hidden])
    let layer = graph.map(
      .tanh,
      graph.add(
        [Summand(1, Operand(product, [0, 1])), Summand(-2, Operand(bias, [1]))], shape: [n, hidden]))
    let out = graph.contract(1, [Operand(layer, [0, 1]), Operand(moved(7, [hidden]), [1])], to: [0])
    let loss = graph.contract(1, [Operand(out, [0]), Operand(out, [0])], to: [])
    let plan = try check([loss, layer, product])
    #expect(plan.multiplications < 10 * Double(n * inputs * hidden))
  }

  /// Two points: not worth it.
  @Test func fewValues() throws {
    let product = graph.contract(
      1, [Operand(leaf(0, [30, 200]), [0, 2]), Operand(moved(1, [200, 9]), [2, 1])], to: [0, 1])
    let plan = try check([graph.map(.exp, product)], count: 2)
    #expect(plan.multiplications < 3 * Double(30 * 200 * 9))
  }

  /// What every entry of a large array would be summed over stays in the small one that it is made of.
  @Test func outerProducts() throws {
    let product = graph.contract(
      1, [Operand(leaf(0, [5, 300]), [0, 2]), Operand(moved(1, [300, 4]), [2, 1])], to: [0, 1])
    let wide = graph.contract(
      1, [Operand(product, [0, 1]), Operand(leaf(4, [2000]), [2])], to: [0, 1, 2])
    let sum = graph.contract(1, [Operand(graph.map(.exp, wide), [0, 1, 2])], to: [])
    let plan = try check([sum])
    let large = plan.listing.filter { $0.contains("40000") || $0.contains("20×2000") }
    #expect(plan.plain != nil && !large.isEmpty)
    // One array and one vector, not three arrays.
    #expect(plan.multiplications < 2.5 * 40 * 40_000, "\(plan.listing)")
  }

  @Test func memory() throws {
    let product = graph.contract(
      1, [Operand(leaf(0, [30, 200]), [0, 2]), Operand(moved(1, [200, 9]), [2, 1])], to: [0, 1])
    let f = graph.map(.tanh, product)
    #expect(try check([f]).plain != nil)
    #expect(try check([f], limit: 1000).plain == nil)
  }

  /// 0·∞ does not stand in X·(W + t·D) as it was written.
  @Test func infinities() throws {
    let product = graph.contract(
      1, [Operand(leaf(0, [6, 50]), [0, 2]), Operand(moved(1, [50, 3]), [2, 1])], to: [0, 1])
    let all = Leaf(id: 60, name: "s", shape: [12])
    let variables = [
      BatchPlan.Variable(leaf: graph.leaf(s), values: graph.leaf(all), axes: [0]),
      BatchPlan.Variable(leaf: graph.leaf(t), values: graph.leaf(all), axes: [0]),
    ]
    var next = 100
    let plan = try BatchPlan.multipliedOut(
      graph, [graph.map(.tanh, product)], variables, batch: [12], piece: 5, precision: .f64, limit: .max,
      identity: {
        next += 1
        return next
      })
    #expect(plan.plain != nil)
    let result = try plan.run(
      plan.inputs.map { leaf in
        switch leaf.id {
        case all.id: return Tensor((0..<12).map { Double($0) / 4 }, [12])
        // X·D overflows, X·(0·D) does not.
        case 0: return Tensor(repeating: 1e10, leaf.shape, .f64)
        case 2: return Tensor(repeating: 1e299, leaf.shape, .f64)
        default: return values(leaf.shape, Double(leaf.id))
        }
      })[0].doubles
    #expect(result.prefix(18).allSatisfy { !$0.isNaN } && result.suffix(18).allSatisfy { $0 == 1 })
  }

  /// Products of two moved arrays, functions of them, short sums, transposes and chains of products.
  @Test func otherFormulas() throws {
    let (a, b) = (moved(1, [40, 40]), moved(4, [40, 40]))
    let x = leaf(0, [40, 40])
    func product(_ a: NodeID, _ b: NodeID) -> NodeID {
      graph.contract(1, [Operand(a, [0, 2]), Operand(b, [2, 1])], to: [0, 1])
    }
    let chain = product(x, product(a, x))
    let both = product(product(x, a), b)
    let inside = product(x, graph.map(.sin, a))
    let transposed = graph.contract(1, [Operand(x, [0, 2]), Operand(a, [1, 2])], to: [1, 0])
    let difference = graph.add(
      [Summand(1, Operand(product(x, a), [0, 1])), Summand(-1, Operand(product(b, x), [1, 0]))],
      shape: [40, 40])
    let short = graph.contract(
      1, [Operand(leaf(9, [50, 2]), [0, 2]), Operand(moved(10, [2, 3]), [2, 1])], to: [0, 1])
    #expect(try check([chain, both, inside, transposed, difference, short]).plain != nil)
    #expect(try check([inside, short]).plain == nil)
    _ = try check([graph.map(.exp, difference), graph.contract(1, [Operand(chain, [0, 0])], to: [])])
  }
}
