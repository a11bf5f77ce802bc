import Graph
import Tensors
import TestSupport
import Testing

@testable import Engine

/// Sums and maxima of rows of few entries.
struct NarrowRowTests: GraphTest {
  let graph = TensorGraph()

  /// Sixteen slots, of which those that a row lacks are 0, fold into eight, these into four, then neighbours: the order
  /// in which every processor adds.
  private func folded<T: BinaryFloatingPoint>(_ row: [T]) -> T {
    var slots = row + [T](repeating: 0, count: 16 - row.count)
    for half in [8, 4] { slots = (0..<half).map { slots[$0] + slots[$0 + half] } }
    return (slots[0] + slots[1]) + (slots[2] + slots[3])
  }

  private func rows(_ x: Tensor, _ width: Int) -> [[Double]] {
    let values = x.doubles
    return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<($0 + width)]) }
  }

  private func reductions(_ x: Tensor, _ precision: Precision) throws -> [[Double]] {
    let leaf = leaf(0, x.shape)
    let outputs = [
      graph.contract(1, [Operand(leaf, [0, 1])], to: [0]), graph.reduceMax(leaf, axes: [1]),
    ]
    return try Plan(graph, outputs: outputs, precision: precision).run([x]).map(\.doubles)
  }

  @Test(arguments: [1, 2, 3, 4, 7, 8, 10, 11, 12, 15], [1, 3, 4, 5, 16, 17, 200])
  func sumsAndMaxima(width: Int, count: Int) throws {
    for precision in [Precision.f64, .f32] {
      let x = values([count, width], 0.3).converted(to: precision)
      let found = try reductions(x, precision)
      for (k, row) in rows(x, width).enumerated() {
        let sum = precision == .f64 ? folded(row) : Double(folded(row.map(Float.init)))
        // Rows of one entry are no reduction, and a few numbers are no loop.
        let isExact = width > 1 && count >= 16
        let tolerance = isExact ? 0 : precision == .f64 ? 1e-15 : 1e-6
        #expect((found[0][k] - sum).magnitude <= tolerance * Double(width), "\(precision) \(width) \(k)")
        #expect(found[1][k] == row.max(), "\(precision) \(width) \(k)")
      }
    }
  }

  /// A NaN is the maximum wherever it stands; infinities are numbers.
  @Test(arguments: [2, 5, 8, 10, 15]) func specialValues(width: Int) throws {
    for precision in [Precision.f64, .f32] {
      for place in 0..<width {
        for special in [Double.nan, .infinity, -.infinity] {
          var data = values([37, width], 1).doubles
          for row in [0, 6, 17, 36] { data[row * width + place] = special }
          data[9 * width] = .infinity
          data[9 * width + 1] = -.infinity
          let x = Tensor(data, [37, width]).converted(to: precision)
          let found = try reductions(x, precision)
          for (k, row) in rows(x, width).enumerated() {
            let hasNaN = row.contains { $0.isNaN }
            #expect(found[1][k].isNaN == hasNaN)
            if !hasNaN { #expect(found[1][k] == row.max()) }
            let sum = row.reduce(0, +)
            #expect(found[0][k].isNaN == sum.isNaN)
            if !sum.isFinite && !sum.isNaN { #expect(found[0][k] == sum) }
          }
        }
      }
    }
  }

  /// Of zeros of both signs the first one, in whatever company the row stands.
  @Test(arguments: [4, 6, 8, 12, 15]) func signedZeros(width: Int) throws {
    for precision in [Precision.f64, .f32] {
      for hasNaN in [false, true] {
        var data = [Double](repeating: -0.0, count: 33 * width)
        for row in 0..<33 where row % 2 == 0 { data[row * width] = 0 }
        if hasNaN { for row in [3, 20, 32] { data[row * width + 2] = .nan } }
        let found = try reductions(Tensor(data, [33, width]).converted(to: precision), precision)[1]
        for row in 0..<33 where !found[row].isNaN {
          #expect(found[row].sign == (row % 2 == 0 ? .plus : .minus), "\(precision) \(row)")
        }
        #expect(found.count { $0.isNaN } == (hasNaN ? 3 : 0))
      }
    }
  }

  /// Results that do not follow each other, and sums onto what is there.
  @Test func placesOfResults() throws {
    let (a, b, width) = (23, 40, 10)
    let (x, y) = (leaf(0, [a, b, width]), leaf(1, [b, a, width]))
    let sums = graph.add(
      [
        Summand(
          1, Operand(graph.contract(1, [Operand(graph.map(.sin, x), [0, 1, 2])], to: [1, 0]), [0, 1])),
        Summand(
          1, Operand(graph.contract(1, [Operand(graph.map(.cos, y), [0, 1, 2])], to: [0, 1]), [0, 1])),
      ], shape: [b, a])
    let leaves = [0: values([a, b, width], 0), 1: values([b, a, width], 1)]
    let outputs = [sums, graph.reduceMax(x, axes: [2])]
    let expected = try ReferenceInterpreter(graph: graph, leaves: leaves).evaluate(outputs)
    let plan = try Plan(graph, outputs: outputs)
    let found = try plan.run(plan.inputs.map { leaves[$0.id] ?? Tensor([], [0]) })
    for (result, exact) in zip(found, expected) {
      #expect(zip(result.doubles, exact.doubles).allSatisfy { ($0 - $1).magnitude <= 1e-14 })
    }
  }
}
