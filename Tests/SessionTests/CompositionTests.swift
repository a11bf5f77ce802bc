import Foundation
import Tensors
import Testing

@testable import Graph
@testable import Session

/// Chains of rearrangements, folded by the graph as they are built, against the same steps one by one.
@Suite struct CompositionTests {
  private struct Generator {
    var state: UInt64
    mutating func below(_ n: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(n))
    }
  }

  /// One random step that fits the node's shape.
  private func step(_ graph: TensorGraph, _ x: NodeID, _ kind: Int, _ random: Int) -> NodeID {
    let shape = graph.shape(x)
    let count = shape.elementCount
    guard !shape.isEmpty else { return graph.withAxes(x, [0]) }
    let axis = random % shape.count
    let n = shape[axis]
    let labels = graph.axes(x)
    switch kind {
    case 0: return graph.sliced(x, axis: axis, start: n - 1, step: -1, count: n)
    case 1: return graph.sliced(x, axis: axis, start: random % n, count: n - random % n)
    case 2:
      return graph.sliced(x, axis: axis, start: random % 2 % n, step: 2, count: (n - random % 2 % n + 1) / 2)
    case 3: return graph.transposed(x, Array(labels.reversed()))
    case 4: return graph.reshaped(x, [count])
    case 5:
      let factor = [2, 3, 4, 6].first { count % $0 == 0 } ?? 1
      return graph.reshaped(x, random % 2 == 0 ? [factor, count / factor] : [count / factor, factor, 1])
    case 6: return count > 24 ? x : graph.joined([x, graph.scaled(2, x)], axis: axis)
    case 7: return graph.placed(x, axis: axis, start: random % 2, count: n + 2)
    case 8: return shape.count > 1 ? graph.summed(x, over: [axis]) : x
    case 9: return shape.count > 1 || n > 1 ? graph.picked(x, axis: axis, at: random % n) : x
    case 10: return graph.multiplied(x, graph.sliced(x, axis: axis, start: n - 1, step: -1, count: n))
    case 11: return graph.mergedLast(x, [axis])
    case 12: return graph.map(.sin, x)
    case 13: return shape.count == 2 ? Builtins.diagonal(graph, x) : graph.withAxes(x, [axis])
    case 14:
      return count > 6
        ? x : graph.contract(1, [Operand(x, labels), Operand(graph.delta(3), [8, 9])], to: labels + [8, 9])
    default:
      let ends = [
        graph.sliced(x, axis: axis, start: n - 1, count: 1),
        graph.sliced(x, axis: axis, start: 0, count: n - 1),
      ]
      return n > 1 ? graph.joined(ends, axis: axis) : x
    }
  }

  /// FUZZ=100 tries a hundred times as many.
  @Test(arguments: 0..<(36 * effort)) func chain(seed: Int) throws {
    var random = Generator(state: UInt64(seed &* 7919 &+ 13))
    let start = Tensor(
      (0..<12).map { 0.1 + 0.37 * Double($0 * $0 % 11) }, [[12], [3, 4], [2, 3, 2]][seed % 3])
    let lab = BuiltinLab()
    let leaf = lab.leaf("x", start)
    var (node, value, trace) = (leaf, start, [String]())
    for _ in 0..<(3 + random.below(5)) {
      let (kind, choice) = (random.below(16), random.below(12))
      node = step(lab.graph, node, kind, choice)
      let single = BuiltinLab()
      let next = step(single.graph, single.leaf("y", value), kind, choice)
      value = try single.interpreter.evaluate(next)
      trace.append("\(kind)/\(choice) \(value.shape.shapeDescription)")
      if value.count > 60 { break }
    }
    let folded = try lab.interpreter.evaluate(node)
    #expect(folded.shape == value.shape && isClose(folded.doubles, value.doubles, 1e-12), "\(trace)")
    if seed % 6 == 0 {
      try checkDerivatives(of: node, wrt: [leaf], lab, "\(trace)", third: false, tolerance: 1e-6)
    }
  }
}
