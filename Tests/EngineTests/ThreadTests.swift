import CKernels
import Graph
import LinearAlgebra
import Tensors
import TestSupport
import Testing

@testable import Engine

/// Plans on any number of threads, and several at the same time.
struct ThreadTests: GraphTest {
  let graph = TensorGraph()

  func wave(_ shape: Shape, _ speed: Double) -> Tensor {
    Tensor((0..<shape.elementCount).map { MapFunction.sin(speed * Double($0 * $0 % 7919)) }, shape)
  }

  /// Where a product is cut depends on its sizes alone: rounding is the same on one thread and on all.
  @Test(arguments: [(70, 500, 90), (500, 70, 90), (257, 1700, 33), (45, 44, 300)], [Precision.f64, .f32])
  func products(_ sizes: (m: Int, n: Int, k: Int), _ precision: Precision) throws {
    let (m, n, k) = sizes
    let (a, b) = (leaf(1, [m, k]), leaf(2, [k, n]))
    let product = graph.contract(1, [Operand(a, [0, 2]), Operand(b, [2, 1])], to: [0, 1])
    let plan = try Plan(graph, outputs: [product], precision: precision)
    #expect(plan.instructions.contains { $0 is GemmInstruction })
    let values = [wave([m, k], 0.7), wave([k, n], 0.3)]
    hk_team_limit(1)
    defer { hk_team_limit(0) }
    let alone = try plan.run(values)[0].doubles
    hk_team_limit(0)
    let together = try plan.run(values)[0].doubles
    #expect(zip(alone, together).allSatisfy { $0.bitPattern == $1.bitPattern })
    let (x, y) = (values[0].converted(to: precision).doubles, values[1].converted(to: precision).doubles)
    let tolerance = precision == .f64 ? 1e-12 : 1e-4
    for (i, j) in [(0, 0), (m - 1, n - 1), (m / 2, n / 2), (m / 2 - 1, n / 2 + 1)] {
      let exact = (0..<k).reduce(0) { $0 + x[i * k + $1] * y[$1 * n + j] }
      #expect(abs(alone[i * n + j] - exact) < tolerance)
    }
  }

  @Test(arguments: [1, 3, 47, 48, 383, 384, 1000, 1535, 1536, 5000, 100_003])
  func panelsCoverTheWhole(_ length: Int) {
    let width = GemmInstruction.panelWidth(length)
    let count = (length + width - 1) / width
    #expect(width > 0 && count <= 8 && count * width >= length)
    if length >= 64 { #expect(count >= 2 && Double(width) <= 1.2 * Double(length) / Double(count)) }
  }

  /// Copies of a plan share no memory that they write: scalar programs keep registers, solvers their factors.
  @Test func copiesRunAtTheSameTime() throws {
    let (x, a) = (leaf(1, [5]), leaf(2, [3, 3]))
    let small = graph.map(.tanh, graph.contract(1, [Operand(graph.map(.exp, x), [0])], to: []))
    let solved = graph.matrix(
      .solve, [a, graph.contract(1, [Operand(a, [0, 2]), Operand(a, [1, 2])], to: [0, 1])])
    let plan = try Plan(graph, outputs: [small, solved])
    #expect(plan.instructions.contains { $0 is ScalarInstruction })
    #expect(plan.instructions.contains { $0 is SolveInstruction })
    let inputs = (0..<8).map { k in [wave([5], 0.1 * Double(k + 1)), wave([3, 3], 0.4 * Double(k + 1))] }
    let expected = try inputs.map { try plan.run($0).map(\.doubles) }
    let runs = Runs(copies: inputs.map { _ in plan.copy() }, inputs: inputs, expected: expected)
    Team.run(inputs.count) { runs.repeatRun($0, 2000) }
    #expect(runs.wrong == Array(repeating: 0, count: inputs.count))
  }

  /// One plan a task; `wrong` counts results that differ.
  private final class Runs: @unchecked Sendable {
    let copies: [Plan]
    let inputs: [[Tensor]]
    let expected: [[[Double]]]
    private let counts: UnsafeMutablePointer<Int>
    var wrong: [Int] { copies.indices.map { counts[$0] } }

    init(copies: [Plan], inputs: [[Tensor]], expected: [[[Double]]]) {
      (self.copies, self.inputs, self.expected) = (copies, inputs, expected)
      counts = .allocate(capacity: copies.count)
      counts.initialize(repeating: 0, count: copies.count)
    }

    deinit { counts.deallocate() }

    func repeatRun(_ task: Int, _ times: Int) {
      for _ in 0..<times {
        let found = try? copies[task].run(inputs[task]).map(\.doubles)
        if found != expected[task] { counts[task] += 1 }
      }
    }
  }
}
