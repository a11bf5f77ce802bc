import CKernels
import Graph
import Tensors
import TestSupport
import Testing

@testable import Calculus
@testable import Engine

/// Weighted Gram matrices, and products whose labels lie apart.
struct GramTests: GraphTest {
  let graph = TensorGraph()

  func wave(_ shape: Shape, _ speed: Double) -> Tensor {
    Tensor((0..<shape.elementCount).map { MapFunction.sin(speed * Double($0) + 0.3) }, shape)
  }

  /// Σₖ xₖᵢ·wₖ·yₖⱼ by its definition.
  func products(_ x: Tensor, _ w: [Double], _ y: Tensor) -> [Double] {
    let (k, m, a, b) = (x.shape[0], x.shape[1], x.doubles, y.doubles)
    var result = [Double](repeating: 0, count: m * m)
    for row in 0..<k {
      for i in 0..<m {
        let weighted = w[row] * a[row * m + i]
        for j in 0..<m { result[i * m + j] += weighted * b[row * m + j] }
      }
    }
    return result
  }

  /// The plan against what is expected, or the definition, in both precisions, on one thread and on all; the listing.
  @discardableResult
  func check(_ node: NodeID, _ leaves: [Int: Tensor], _ known: [Double]? = nil) throws -> [String] {
    let expected =
      try known ?? ReferenceInterpreter(graph: graph, leaves: leaves).evaluate([node])[0].doubles
    var listing: [String] = []
    for precision in [Precision.f64, .f32] {
      let plan = try Plan(graph, outputs: [node], precision: precision)
      let values = plan.inputs.map { leaves[$0.id] ?? Tensor([], [0]) }
      hk_team_limit(1)
      let alone = try plan.run(values)[0].doubles
      hk_team_limit(0)
      #expect(try plan.run(values)[0].doubles == alone)
      let tolerance = precision == .f64 ? 1e-12 : 1e-4
      let size = expected.reduce(1) { max($0, $1.magnitude) }
      #expect(zip(alone, expected).allSatisfy { ($0 - $1).magnitude <= tolerance * size }, "\(plan.listing)")
      listing = plan.listing
    }
    return listing
  }

  /// Xᵀ·diag(w)·X at the edges of the kernels' tiles; no weighted copy of X.
  @Test(arguments: [16, 17, 24, 25, 41]) func weighted(_ m: Int) throws {
    let k = 1300
    let (x, w) = (leaf(0, [k, m]), leaf(1, [k]))
    let h = graph.contract(0.5, [Operand(x, [2, 0]), Operand(w, [2]), Operand(x, [2, 1])], to: [0, 1])
    let leaves = [0: wave([k, m], 0.7), 1: wave([k], 1.1)]
    let listing = try check(
      h, leaves, products(wave([k, m], 0.7), wave([k], 1.1).doubles.map { 0.5 * $0 }, wave([k, m], 0.7)))
    #expect(
      listing == ["gram \(m)×\(k)·\(k)×\(m) → b\(try Plan(graph, outputs: [h]).instructions[0].writes[1])"])
    let values = try Plan(graph, outputs: [h]).run([leaves[0]!, leaves[1]!])[0].doubles
    for i in 0..<m { for j in 0..<i { #expect(values[i * m + j] == values[j * m + i]) } }
  }

  @Test func severalWeightsOrNone() throws {
    let (k, m) = (1100, 20)
    let (x, w, v) = (leaf(0, [k, m]), leaf(1, [k]), leaf(2, [k]))
    let leaves = [0: wave([k, m], 0.7), 1: wave([k], 1.1), 2: wave([k], 0.2)]
    let both = zip(wave([k], 1.1).doubles, wave([k], 0.2).doubles).map { $0 * $1 }
    let weighted = products(wave([k, m], 0.7), both, wave([k, m], 0.7))
    let two = graph.contract(
      1, [Operand(x, [2, 0]), Operand(w, [2]), Operand(v, [2]), Operand(x, [2, 1])], to: [0, 1])
    #expect(try check(two, leaves, weighted).contains { $0.hasPrefix("gram") })
    let none = graph.contract(1, [Operand(x, [2, 0]), Operand(x, [2, 1])], to: [0, 1])
    let ones = [Double](repeating: 1, count: k)
    #expect(
      try check(none, leaves, products(wave([k, m], 0.7), ones, wave([k, m], 0.7))).contains {
        $0.hasPrefix("gram")
      })
    // Added to what the sum holds already.
    let a = leaf(3, [m, m])
    let sum = graph.add([a, graph.scaled(2, two)], shape: [m, m])
    let whole = zip(wave([m, m], 0.4).doubles, weighted).map { $0 + 2 * $1 }
    #expect(
      try check(sum, leaves.merging([3: wave([m, m], 0.4)]) { a, _ in a }, whole).contains {
        $0.hasPrefix("gram")
      })
  }

  /// Two different arrays, or one shifted, are no Gram matrix.
  @Test func others() throws {
    let (k, m) = (1100, 20)
    let (x, y, w) = (leaf(0, [k, m]), leaf(1, [k, m]), leaf(2, [k]))
    let leaves = [0: wave([k, m], 0.7), 1: wave([k, m], 1.3), 2: wave([k], 0.2)]
    let mixed = graph.contract(1, [Operand(x, [2, 0]), Operand(w, [2]), Operand(y, [2, 1])], to: [0, 1])
    let expected = products(wave([k, m], 0.7), wave([k], 0.2).doubles, wave([k, m], 1.3))
    #expect(try !check(mixed, leaves, expected).contains { $0.hasPrefix("gram") })
  }

  /// x·Vₚ for a batch of matrices: nothing is copied.
  @Test func batchOfRightSides() throws {
    let (n, d, o, p) = (64, 10, 32, 6)
    let (x, v) = (leaf(0, [n, d]), leaf(1, [p, d, o]))
    let z = graph.contract(1, [Operand(x, [1, 3]), Operand(v, [0, 3, 2])], to: [0, 1, 2])
    let listing = try check(z, [0: wave([n, d], 0.7), 1: wave([p, d, o], 1.1)])
    #expect(listing.count == 1 && listing[0].hasPrefix("gemm 64×10·10×32 × 6"))
  }

  /// A batch of matrices times vectors that do not lie as matrices is one loop.
  @Test func vectorsAcross() throws {
    let (p, n, j) = (5, 70, 32)
    let (a, b) = (leaf(0, [p, n, j]), leaf(1, [n, j]))
    let s = graph.contract(1, [Operand(a, [0, 2, 1]), Operand(b, [2, 1])], to: [0, 1])
    let listing = try check(s, [0: wave([p, n, j], 0.7), 1: wave([n, j], 1.1)])
    #expect(listing.count == 1 && listing[0].hasPrefix("loop"))
  }

  /// tanh(x·W + b): the bias is added where tanh reads the product.
  @Test func biasWithItsReader() throws {
    let (n, d, o) = (90, 20, 30)
    let (x, w, b) = (leaf(0, [n, d]), leaf(1, [d, o]), leaf(2, [o]))
    let product = graph.contract(1, [Operand(x, [0, 2]), Operand(w, [2, 1])], to: [0, 1])
    let z = graph.add([Summand(1, Operand(product, [0, 1])), Summand(1, Operand(b, [1]))], shape: [n, o])
    let listing = try check(
      graph.map(.tanh, z), [0: wave([n, d], 0.7), 1: wave([d, o], 1.1), 2: wave([o], 0.9)])
    #expect(listing.count == 2, "\(listing)")
  }
}
