import CKernels
import Foundation
import Graph
import Tensors
import TestSupport
import Testing

@testable import Engine

/// Pieces of a batch on several threads: the same bits as on one, and the same errors.
@Suite(.serialized) struct BatchThreadTests {
  private let graph = TensorGraph()
  private let matrix = Leaf(id: 1, name: "A", shape: [12, 12])
  private let values = Leaf(id: 2, name: "V", shape: [45, 12])

  /// Results of a batch over the rows of V for every size of the team.
  private func results(_ element: (_ a: NodeID, _ row: NodeID) -> NodeID, _ arguments: [Int: Tensor]) throws
    -> [Result<[Double], EngineError>]
  {
    let row = graph.leaf(Leaf(id: 3, name: "v", shape: [12]))
    let node = element(graph.leaf(matrix), row)
    let variable = BatchPlan.Variable(leaf: row, values: graph.leaf(values), axes: [0])
    defer { hk_team_limit(0) }
    var found: [Result<[Double], EngineError>] = []
    for (size, piece) in [(1, 2), (2, 2), (3, 2), (0, 2)] {
      hk_team_limit(Int32(size))
      var next = 100
      let plan = try BatchPlan(
        graph, [node], [variable], batch: [45], piece: piece, precision: .f64,
        identity: {
          next += 1
          return next
        })
      for _ in 0..<3 {
        do {
          let result = try plan.run(plan.inputs.map { arguments[$0.id] ?? Tensor([], [0]) })
          found.append(.success(result[0].doubles))
        } catch let error as EngineError { found.append(.failure(error)) }
      }
    }
    return found
  }

  private func arguments() -> [Int: Tensor] {
    var random = SmallRandom(seed: 7)
    return [
      1: Tensor((0..<144).map { _ in random.signed() }, [12, 12]),
      2: Tensor((0..<540).map { _ in random.signed() }, [45, 12]),
    ]
  }

  @Test func sameBits() throws {
    let arguments = arguments()
    let all = try results(
      { a, v in
        let product = graph.contract(1, [Operand(a, [0, 1]), Operand(v, [1])], to: [0])
        let t = graph.map(.tanh, product)
        return graph.contract(1, [Operand(t, [0]), Operand(product, [0])], to: [])
      }, arguments)
    let first = try all[0].get()
    for other in all { #expect(try other.get().map(\.bitPattern) == first.map(\.bitPattern)) }
    let (a, v) = (arguments[1]?.doubles ?? [], arguments[2]?.doubles ?? [])
    for row in 0..<45 {
      let products = (0..<12).map { i in (0..<12).reduce(0) { $0 + a[12 * i + $1] * v[12 * row + $1] } }
      let expected = products.reduce(0) { $0 + tanh($1) * $1 }
      #expect(abs(first[row] - expected) < 1e-13)
    }
  }

  /// The error is that of the first entry that has one.
  @Test func sameError() throws {
    var arguments = arguments()
    for (entry, place) in [(17, 31.0), (30, 77.0), (44, 99.0)] { arguments[2]?[flat: 12 * entry] = place }
    for entry in 0..<45 where ![17, 30, 44].contains(entry) { arguments[2]?[flat: 12 * entry] = 5 }
    let all = try results(
      { a, v in
        let first = graph.contract(
          1,
          [
            Operand(v, [0]),
            Operand(graph.selector(Selector(extents: [1], starts: [0], steps: [[1]]), [12]), [0]),
          ],
          to: [])
        return graph.contract(1, [Operand(a, [0, 1]), Operand(graph.table(12, first), [1])], to: [0])
      }, arguments)
    for result in all {
      guard case .failure(.index(let place, _)) = result else {
        Issue.record("\(result)")
        continue
      }
      #expect(place == 31)
    }
  }
}
