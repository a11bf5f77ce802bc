import Graph
import Tensors
import Testing

@testable import Calculus
@testable import Engine

/// Scatters into a part of an array that other terms fill.
struct ScatterTests {
  /// The gradient of an embedding beside another one, in memory that held something else: rows that no index names are
  /// zero, and rows named twice are added up from zero.
  @Test(arguments: [Precision.f64, .f32]) func partsBeginAtZero(_ precision: Precision) throws {
    let graph = TensorGraph()
    let rows = graph.leaf(Leaf(id: 0, name: "rows", shape: [4, 3]))
    let other = graph.leaf(Leaf(id: 1, name: "other", shape: [2]))
    let table = graph.table(5, graph.constant(Tensor(vector: [0, 2, 2, 4])))
    let scattered = graph.contract(1, [Operand(table, [0, 2]), Operand(rows, [2, 1])], to: [0, 1])
    let plan = try Plan(
      graph, outputs: [graph.concatenated([graph.scaled(2, scattered), other])], precision: precision)
    let values: [Int: Tensor] = [
      0: Tensor((1...12).map(Double.init), [4, 3], precision), 1: Tensor([7, 8], [2], precision),
    ]
    for _ in 0..<4 {
      // What the next allocation of this size finds.
      _ = Tensor([Double](repeating: 99, count: 17), [17], precision)
      let result = try plan.run(plan.inputs.map { values[$0.id] ?? Tensor([], [0]) })[0].doubles
      #expect(result == [2, 4, 6, 0, 0, 0, 22, 26, 30, 0, 0, 0, 20, 22, 24, 7, 8])
    }
  }
}
