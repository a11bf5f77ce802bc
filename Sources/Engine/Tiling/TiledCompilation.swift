import Graph
import Tensors

/// How much memory a plan may take, and what it does not store for that.
public struct MemoryLimits: Sendable {
  /// Bytes that a run may take besides its inputs.
  public var total: Int
  /// Bytes of the largest array that is stored although reductions alone read it; larger ones are computed in tiles.
  public var stored: Int
  /// Bytes of the arrays of one tile.
  public var tile: Int

  public init(total: Int, stored: Int, tile: Int) {
    self.total = total
    self.stored = stored
    self.tile = tile
  }

  /// For runs that may take `total` bytes besides their inputs.
  public init(total: Int = .max) {
    self.total = total
    stored = min(64 << 20, total / 16)
    tile = min(3 << 20, total / 16)
  }
}

/// Compiles outputs such that large arrays, which reductions alone read, are computed in tiles.
struct TiledCompilation {
  let graph: TensorGraph
  let precision: Precision
  let limits: MemoryLimits

  typealias Built = (
    builder: PlanBuilder, instructions: [Instruction], outputs: [(buffer: Int, shape: Shape)]
  )

  func build(_ outputs: [NodeID]) throws -> Built {
    var factoring = SumFactoring(graph)
    let outputs = factoring.rewritten(outputs)
    let plain = try lowered(outputs, [])
    guard largest(plain) > limits.stored else { return plain }
    let blocks = BlockReductions(graph) { isLarge($0) }.rewritten(outputs)
    var best = plain
    if blocks != outputs {
      let built = try lowered(blocks, [])
      if memory(built) <= memory(best) { best = built }
      if largest(built) <= limits.stored { return best }
    }
    let (roots, groups) = try tiled(blocks)

    guard !groups.isEmpty else { return best }
    let built = try lowered(roots, groups)
    return isBetter(built, than: best) ? built : best
  }

  /// Less memory without more arithmetic; where what is stored is a good part of the memory, at any price.
  private func isBetter(_ tiled: Built, than stored: Built) -> Bool {
    guard memory(tiled) < memory(stored) else { return false }
    if memory(stored) > limits.total / 2 { return true }
    func work(_ built: Built) -> Double { built.instructions.reduce(0) { $0 + $1.multiplications } }
    return work(tiled) <= 1.1 * work(stored)
  }

  private func lowered(_ outputs: [NodeID], _ groups: [TiledGroup]) throws -> Built {
    let builder = PlanBuilder(graph, outputs: outputs, precision: precision, tiled: groups)
    let (instructions, results) = try builder.build()
    return (builder, instructions, results)
  }

  private func bytes(_ id: NodeID) -> Int { graph.shape(id).elementCount * precision.byteCount }

  private func isLarge(_ id: NodeID) -> Bool {
    guard bytes(id) > limits.stored, graph.constantValue(id) == nil else { return false }
    switch graph[id].op {
    case .contract, .add, .map, .reduceMax: return true
    default: return false
    }
  }

  /// Bytes of the largest array that instructions touch.
  private func largest(_ built: Built) -> Int {
    let touched = Set(built.instructions.flatMap { $0.reads + $0.writes })
    return touched.reduce(0) { most, index in
      let buffer = built.builder.buffers[index]
      switch buffer.place {
      case .arena, .output: return max(most, buffer.count * precision.byteCount)
      default: return most
      }
    }
  }

  /// Bytes of all arrays of a plan, the workspace of tiles apart, which `limits` bounds.
  private func memory(_ built: Built) -> Int {
    let arena = ArenaLayout.assign(
      built.builder.buffers, built.instructions, entryBytes: precision.byteCount
    ).total
    return built.outputs.reduce(arena) { $0 + $1.shape.elementCount * precision.byteCount }
  }

  // MARK: Finding reductions

  /// Reductions replaced by leaves that tiles fill, those that depend on others after them.
  private func tiled(_ outputs: [NodeID]) throws -> (roots: [NodeID], groups: [TiledGroup]) {
    var roots = outputs
    var groups: [TiledGroup] = []
    var refused: Set<NodeID> = []
    var symmetry = TileSymmetry(graph)
    for _ in 0..<16 {
      let search = TiledSearch(graph, roots, isLarge: isLarge, refused: refused)
      var replacements: [NodeID: NodeID] = [:]
      for candidate in search.candidates() {
        guard
          let reduction = TiledReduction(
            graph, inner: candidate.inner, exits: candidate.exits,
            storedBytes: { bytes($0) > limits.stored }, &symmetry),
          let tile = TileShape(reduction, precision).best(bytes: limits.tile)
        else {
          refused.formUnion(candidate.exits)
          continue
        }
        let group = TiledGroup(reduction, tile: tile, bytes: limits.tile)
        groups.append(group)
        for (exit, leaf) in zip(reduction.exits, group.leaves) { replacements[exit] = leaf }
      }
      if replacements.isEmpty { break }
      roots = graph.substitute(roots, replacements)
    }
    return (roots, groups)
  }
}

/// A tiled reduction with the leaves that stand for its results.
struct TiledGroup {
  let reduction: TiledReduction
  let tile: [Int]
  /// What the results of the tiles of one round may take.
  let bytes: Int
  let leaves: [NodeID]
  let boundary: [NodeID]

  init(_ reduction: TiledReduction, tile: [Int], bytes: Int) {
    self.reduction = reduction
    self.tile = tile
    self.bytes = bytes
    let graph = reduction.graph
    leaves = reduction.exits.map { exit in
      // An identity that no leaf of a caller has, and a new node: all that tiles read comes before it.
      graph.leaf(Leaf(id: Int.min + graph.leaves.count, name: "reduced", shape: graph.shape(exit)))
    }
    boundary = reduction.boundary
  }
}

/// Reductions that read large arrays, and what they read.
private struct TiledSearch {
  let graph: TensorGraph
  private let order: [NodeID]
  private let large: Set<NodeID>
  private let exits: [NodeID]

  init(_ graph: TensorGraph, _ roots: [NodeID], isLarge: (NodeID) -> Bool, refused: Set<NodeID>) {
    self.graph = graph
    order = graph.reachable(from: roots)
    // Stored after all: results, and what operations on whole arrays or refused reductions read.
    var stored = Set(roots.map(graph.resolved))
    for id in order {
      let readsWhole: Bool
      switch graph[id].op {
      case .contract, .add, .map, .reduceMax, .stop, .dense: readsWhole = refused.contains(id)
      default: readsWhole = true
      }
      if readsWhole { stored.formUnion(graph[id].operands.map { graph.resolved($0.node) }) }
    }
    var large = Set(order.filter { isLarge($0) && !stored.contains($0) })
    // A node that is not large itself reads large ones by summing them, or has to have them stored.
    var exits: [NodeID] = []
    for id in order where !large.contains(id) && !graph.isTransparent(id) {
      let read = graph[id].operands.map { graph.resolved($0.node) }.filter(large.contains)
      if read.isEmpty { continue }
      if isReduction(graph, id), !isLarge(id) { exits.append(id) } else { large.subtract(read) }
    }
    self.large = large
    self.exits = exits.filter { id in
      graph[id].operands.contains { large.contains(graph.resolved($0.node)) }
    }
  }

  /// Reductions that no other reduction lies below, with the large nodes that they read; those that share some are
  /// one candidate.
  func candidates() -> [(inner: [NodeID], exits: [NodeID])] {
    var below: Set<NodeID> = []
    let ends = Set(exits)
    var found: [(inner: Set<NodeID>, exits: [NodeID])] = []
    for id in order {
      let depends = graph[id].operands.contains { below.contains($0.node) || ends.contains($0.node) }
      if depends { below.insert(id) }
      guard ends.contains(id), !depends else { continue }
      var inner = largeNodes(below: id)
      var together = [id]
      for k in found.indices.reversed() where !found[k].inner.isDisjoint(with: inner) {
        inner.formUnion(found[k].inner)
        together += found[k].exits
        found.remove(at: k)
      }
      found.append((inner, together))
    }
    return found.map { (Array($0.inner), $0.exits) }
  }

  private func largeNodes(below id: NodeID) -> Set<NodeID> {
    var seen: Set<NodeID> = []
    var pending = [id]
    while let next = pending.popLast() {
      for operand in graph[next].operands {
        let read = graph.resolved(operand.node)
        if large.contains(read), seen.insert(read).inserted { pending.append(read) }
      }
    }
    return seen
  }
}

private func isReduction(_ graph: TensorGraph, _ id: NodeID) -> Bool {
  switch graph[id].op {
  case .contract: return graph[id].sumsLabels
  case .reduceMax: return true
  default: return false
  }
}
