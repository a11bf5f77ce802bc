import Foundation
import Graph
import Tensors
import TestSupport
import Testing

@testable import Engine

/// Random graphs: the plan against the definition.
struct EvaluatorFuzzTests {
  func small() -> RandomGraph.Options { RandomGraph.Options() }

  /// FUZZ=100 tries a hundred times as many seeds.
  static let effort = Int(ProcessInfo.processInfo.environment["FUZZ"] ?? "1") ?? 1

  @Test func smallGraphs() throws {
    for seed in 0..<(1500 * Self.effort) { try check(UInt64(seed), small(), .f64) }
  }

  @Test func sizesZeroAndOne() throws {
    var options = small()
    options.sizes = [0, 1, 1, 2, 3]
    options.maxRank = 5
    for seed in 1_000_000..<(1_000_000 + 700 * Self.effort) { try check(UInt64(seed), options, .f64) }
  }

  @Test func singlePrecision() throws {
    for seed in 2_000_000..<(2_000_000 + 300 * Self.effort) { try check(UInt64(seed), small(), .f32) }
  }

  /// Large enough for matrix products.
  @Test func matrixProducts() throws {
    var options = small()
    options.sizes = [7, 8, 11, 16, 20]
    options.maxRank = 3
    options.volume = 20_000
    for seed in 3_000_000..<(3_000_000 + 60 * Self.effort) {
      try check(UInt64(seed), options, .f64, nodes: 5)
    }
  }

  /// Long enough for many blocks and for chunks on several threads.
  @Test func longLoops() throws {
    var options = small()
    options.sizes = [2, 9, 33, 70, 600]
    options.maxRank = 3
    options.volume = 50_000
    for seed in 4_000_000..<(4_000_000 + 40 * Self.effort) {
      try check(UInt64(seed), options, .f64, nodes: 6)
    }
  }

  func check(_ seed: UInt64, _ options: RandomGraph.Options, _ precision: Precision, nodes: Int = 9) throws {
    var made = RandomGraph(seed: seed, options)
    for _ in 0..<3 { made.leaf(made.shape()) }
    for _ in 0..<(2 + made.random.below(nodes)) { made.grow() }
    var roots = [made.pool[made.pool.count - 1]]
    for _ in 0..<made.random.below(3) { roots.append(made.random.pick(made.pool)) }
    let reference = ReferenceInterpreter(graph: made.graph, leaves: made.values)
    let expected = try reference.evaluate(roots)
    do {
      let plan = try Plan(made.graph, outputs: roots, precision: precision)
      let inputs = plan.inputs.map { made.values[$0.id] ?? Tensor([], [0]) }
      let results = try plan.run(inputs)
      for (root, (a, b)) in zip(roots, zip(results, expected)) {
        #expect(a.shape == b.shape, "seed \(seed)")
        let tolerance = precision == .f64 ? 1e-11 : 2e-3
        let size = b.doubles.reduce(1) { max($0, $1.isFinite ? $1.magnitude : 0) }
        let same = zip(a.doubles, b.doubles).allSatisfy { x, y in
          x == y || x.isNaN && y.isNaN || (x - y).magnitude <= tolerance * size
        }
        if !same {
          Issue.record(
            "seed \(seed), node \(root.index): \(a.doubles.prefix(12)) for \(b.doubles.prefix(12))\n\(describe(made.graph, root))\n\(plan.listing.joined(separator: "\n"))"
          )
        }
      }
      let poisoned = try plan.runPoisoned(inputs)
      for (a, b) in zip(results, poisoned) {
        let same = zip(a.doubles, b.doubles).allSatisfy { $0.bitPattern == $1.bitPattern }
        #expect(
          same, "seed \(seed): reads memory that holds nothing\n\(plan.listing.joined(separator: "\n"))")
      }
    } catch {
      Issue.record("seed \(seed): \(error)")
    }
  }
}

extension Plan {
  /// A run in which memory holds NaN before the first use of a buffer and after its last.
  func runPoisoned(_ values: [Tensor]) throws -> [Tensor] {
    var first: [Int: Int] = [:]
    var last: [Int: Int] = [:]
    for (time, instruction) in instructions.enumerated() {
      for buffer in instruction.reads + instruction.writes {
        if first[buffer] == nil { first[buffer] = time }
        last[buffer] = time
      }
    }
    return try run(
      values,
      watching: { time, memory in
        for (index, buffer) in self.buffers.enumerated() {
          switch buffer.place {
          case .arena where first[index] == time || last[index] == time - 1: break
          case .output where first[index] == time: break
          default: continue
          }
          switch memory.precision {
          case .f64: memory.pointer(index, Double.self).update(repeating: .nan, count: buffer.count)
          case .f32: memory.pointer(index, Float.self).update(repeating: .nan, count: buffer.count)
          }
        }
      })
  }
}

/// The nodes below a root, one a line.
func describe(_ graph: TensorGraph, _ root: NodeID) -> String {
  graph.reachable(from: [root]).map { id in
    let node = graph[id]
    let operands = node.operands.map { "\($0.node.index)\($0.labels)" }.joined(separator: " ")
    return "  \(id.index): \(node.op) \(node.shape) ← \(operands)"
  }.joined(separator: "\n")
}
