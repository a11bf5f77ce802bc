import Graph
import Tensors

/// A part of an array outside that a tile reads: for each axis the tile class that it is cut along, in one of the
/// places where the tile's reductions lie.
struct TileInput: Hashable {
  var node: NodeID
  var axes: [Int?]
  /// Which place (an index of `TileVariant.images`); 0 for arrays that are not cut.
  var place: Int
}

/// What tells tiles apart: tiles of one variant run the same plan.
struct TileVariant: Hashable {
  /// The tile's size along each class.
  var sizes: [Int]
  /// The symmetries that take the tile to places of its own, the identity first.
  var images: [[Int]]
  /// For each of them and each pair of classes that an identity matrix links: whether both are cut at the same
  /// place.
  var onDiagonal: [[Bool]]
}

/// The computation of one tile as a graph of its own. Axes along which the tile has a single place are left out.
struct TileGraph {
  let reduction: TiledReduction
  let variant: TileVariant
  private let links: [[Int]]
  let target = TensorGraph()
  private(set) var inputs: [TileInput] = []
  /// For each place, the reductions.
  private(set) var outputs: [[NodeID]] = []

  init(_ reduction: TiledReduction, _ variant: TileVariant) {
    self.reduction = reduction
    self.variant = variant
    links = reduction.links
    var core: NodeID?
    for place in variant.images.indices {
      let sizes = reduction.image(variant.sizes, variant.images[place])
      var copy = Copy(sizes: sizes, place: place)
      if place > 0, let source = reduction.core, let core {
        copy.made[source] = permuted(core, variant.images[place], copy)
      }
      // In the places of images the core is there; what lies below it is not computed again.
      let wanted = place > 0 ? reduction.aboveCore : reduction.inner
      for id in wanted where copy.made[id] == nil { instantiate(id, &copy) }
      for id in reduction.exits { instantiate(id, &copy) }
      outputs.append(reduction.exits.map { copy.made[$0] ?? target.fill(0) })
      if place == 0, let source = reduction.core { core = copy.made[source] }
    }
  }

  private struct Copy {
    var sizes: [Int]
    var place: Int
    var made: [NodeID: NodeID] = [:]
  }

  /// Labels that stay, renumbered: those of the result first.
  private func kept(_ id: NodeID, _ copy: Copy) -> [Label: Label] {
    let node = reduction.graph[id]
    var renamed: [Label: Label] = [:]
    for label in Array(node.shape.indices) + node.operands.flatMap(\.labels) where renamed[label] == nil {
      if let c = reduction.tileClass(id, label), copy.sizes[c] == 1 { continue }
      renamed[label] = renamed.count
    }
    return renamed
  }

  /// The core of the first place with its axes permuted, as an image reads it.
  private func permuted(_ core: NodeID, _ g: [Int], _ copy: Copy) -> NodeID {
    guard let source = reduction.core else { return core }
    let labels = kept(source, copy)
    let moved = g.compactMap { labels[$0] }
    return target.contract(1, [Operand(core, moved)], to: moved.sorted())
  }

  private mutating func instantiate(_ id: NodeID, _ copy: inout Copy) {
    let node = reduction.graph[id]
    let labels = kept(id, copy)
    let shape = node.shape.indices.filter { labels[$0] != nil }.map { axis in
      reduction.tileClass(id, axis).map { copy.sizes[$0] } ?? node.shape[axis]
    }
    var operands: [Operand] = []
    for operand in node.operands { operands.append(instance(operand, of: id, labels, copy)) }
    if case .reduceMax = node.op {
      copy.made[id] = maximum(operands[0], shape)
    } else {
      copy.made[id] = target.rebuild(node, operands, shape)
    }
  }

  private mutating func instance(
    _ operand: Operand, of reader: NodeID, _ labels: [Label: Label], _ copy: Copy
  ) -> Operand {
    let graph = reduction.graph
    let read = graph.resolved(operand.node)
    let own = operand.labels.compactMap { labels[$0] }
    if let known = copy.made[read] { return Operand(known, own) }
    let axes = operand.labels.map { reduction.tileClass(reader, $0) }
    let shape = zip(graph.shape(read), operand.labels).filter { labels[$0.1] != nil }.map { n, label in
      reduction.tileClass(reader, label).map { copy.sizes[$0] } ?? n
    }
    if let divisor = graph.constantDivisor(read) {
      return Operand(target.map(.reciprocal, target.fill(divisor)), own)
    }
    if let value = graph.constantValue(read) { return Operand(target.fill(value, shape), own) }
    if case .selector(let s) = graph[read].op {
      if axes.allSatisfy({ $0 == nil }) { return Operand(target.selector(s, shape), own) }
      if let link = link(axes, read) {
        guard variant.onDiagonal[copy.place][link] else { return Operand(target.zero(shape), own) }
        return Operand(shape.isEmpty ? target.fill(1) : target.delta(shape[0]), own)
      }
    }
    let isCut = axes.contains { $0 != nil }
    let input = TileInput(node: read, axes: axes, place: isCut ? copy.place : 0)
    let index = inputs.firstIndex(of: input) ?? inputs.count
    if index == inputs.count { inputs.append(input) }
    return Operand(target.leaf(Leaf(id: index, name: "t\(index)", shape: shape)), own)
  }

  private func link(_ axes: [Int?], _ id: NodeID) -> Int? {
    guard reduction.isIdentity(id), let a = axes[0], let b = axes[1] else { return nil }
    return links.firstIndex(of: [min(a, b), max(a, b)])
  }

  private func maximum(_ operand: Operand, _ shape: Shape) -> NodeID {
    if let value = target.constantValue(operand.node) { return target.fill(value, shape) }
    return target.reduceMax(
      operand.node, axes: operand.labels.indices.filter { operand.labels[$0] >= shape.count })
  }
}

extension TiledReduction {
  /// Pairs of tile classes that an identity matrix links.
  var links: [[Int]] {
    var found: Set<[Int]> = []
    for id in inner + exits {
      for operand in graph[id].operands where isIdentity(operand.node) {
        let pair = operand.labels.compactMap { tileClass(id, $0) }
        if pair.count == 2, pair[0] != pair[1] { found.insert(pair.sorted()) }
      }
    }
    return found.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// Arrays that tiles read: all that large arrays and reductions read from outside.
  var boundary: [NodeID] {
    let large = Set(inner)
    var found: Set<NodeID> = []
    for id in inner + exits {
      for operand in graph[id].operands {
        let read = graph.resolved(operand.node)
        if large.contains(read) || graph.constantValue(read) != nil { continue }
        if case .selector = graph[read].op {
          let axes = operand.labels.map { tileClass(id, $0) }
          if axes.allSatisfy({ $0 == nil }) { continue }
          if isIdentity(read), let a = axes[0], let b = axes[1], links.contains([min(a, b), max(a, b)]) {
            continue
          }
        }
        found.insert(read)
      }
    }
    return found.sorted()
  }
}
