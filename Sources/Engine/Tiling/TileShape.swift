import Graph
import Tensors

/// The size of tiles, chosen by estimated cost among those whose arrays fit into the memory given.
struct TileShape {
  let reduction: TiledReduction
  let precision: Precision
  /// More candidates than this are thinned out.
  private var candidateLimit: Int { 256 }
  /// What a tile costs besides its arithmetic, in multiplications.
  private var tileCost: Double { 100_000 }
  /// Memory traffic an entry, in multiplications.
  private var entryCost: Double { 6 }

  init(_ reduction: TiledReduction, _ precision: Precision) {
    self.reduction = reduction
    self.precision = precision
  }

  /// A size for each tile class; nil when even single places do not fit into `bytes`.
  func best(bytes: Int) -> [Int]? {
    let groups = reduction.classGroups
    let sizes = groups.map { reduction.tileClasses[$0[0]].size }
    var best: (cost: Double, sizes: [Int])?
    for choice in candidates(sizes) {
      var tile = [Int](repeating: 1, count: reduction.tileClasses.count)
      for (k, group) in groups.enumerated() { for c in group { tile[c] = choice[k] } }
      let estimate = estimate(tile)
      guard estimate.entries * Double(precision.byteCount) <= Double(bytes) else { continue }
      let total = estimate.cost * tileCount(tile)
      if best.map({ total < $0.cost }) ?? true { best = (total, tile) }
    }
    return best?.sizes
  }

  /// Whole, halves, quarters and so on down to one, in steps that keep the number of combinations small.
  private func candidates(_ sizes: [Int]) -> [[Int]] {
    var step = 2
    while true {
      let ladders = sizes.map { size -> [Int] in
        var ladder = [size]
        var pieces = step
        while let last = ladder.last, last > 1 {
          ladder.append(max(1, (size + pieces - 1) / pieces))
          pieces *= step
        }
        return ladder.reduce(into: []) { if $0.last != $1 { $0.append($1) } }
      }
      if ladders.reduce(1, { $0 * $1.count }) <= candidateLimit || step >= 1 << 20 {
        return ladders.reduce([[]]) { all, ladder in all.flatMap { prefix in ladder.map { prefix + [$0] } } }
      }
      step *= 2
    }
  }

  /// Tiles to compute: the orbits of the symmetry group, by Burnside's lemma.
  func tileCount(_ tile: [Int]) -> Double {
    let counts = tile.indices.map { (reduction.tileClasses[$0].size + tile[$0] - 1) / tile[$0] }
    guard reduction.symmetries.count > 1 else { return counts.reduce(1.0) { $0 * Double($1) } }
    var fixed = 0.0
    for g in reduction.symmetries {
      let moved = reduction.image(Array(counts.indices), g)
      var seen: Set<Int> = []
      var product = 1.0
      for start in counts.indices where !seen.contains(start) {
        product *= Double(counts[start])
        var place = start
        while seen.insert(place).inserted { place = moved[place] }
      }
      fixed += product
    }
    return fixed / Double(reduction.symmetries.count)
  }

  // MARK: One tile

  /// Multiplications (what memory traffic costs included) and entries of arrays.
  private func estimate(_ tile: [Int]) -> (cost: Double, entries: Double) {
    var cost = tileCost
    var entries = 0.0
    let images = Double(max(reduction.symmetries.count, 1))
    for id in reduction.inner + reduction.exits {
      let sizes = labelSizes(id, tile)
      let node = reduction.graph[id]
      let isExit = reduction.exits.contains(id)
      entries += volume(node.shape.indices, sizes)
      guard node.sumsLabels, !isExit else {
        // Loops are short where every label is.
        let length = Double(sizes.values.max() ?? 1)
        let times = isExit ? images : 1
        cost += volume(sizes.keys, sizes) * entryCost * (1 + 64 / length) * times
        continue
      }
      let product = productCost(node, sizes)
      cost += product.cost
      entries += product.entries
    }
    return (cost, entries)
  }

  private func volume(_ labels: some Sequence<Label>, _ sizes: [Label: Int]) -> Double {
    labels.reduce(1) { $0 * Double(sizes[$1] ?? 1) }
  }

  /// A product multiplied out two operands at a time; narrow matrices cost more an entry.
  private func productCost(_ node: Node, _ sizes: [Label: Int]) -> (cost: Double, entries: Double) {
    let result = Set(node.shape.indices)
    var labels = node.operands.map { Set($0.labels) }
    let path = ContractionPlanner(
      operands: node.operands.map(\.labels), result: Array(result), sizes: sizes
    ).path()
    var cost = 0.0
    var entries = labels.reduce(0) { $0 + volume($1, sizes) }
    for (index, step) in path.steps.enumerated() {
      let (a, b) = (labels[step.left], labels[step.right])
      var outside = result
      for later in path.steps[(index + 1)...] {
        for place in [later.left, later.right] where place < labels.count { outside.formUnion(labels[place]) }
      }
      let kept = a.union(b).intersection(outside)
      let summed = volume(a.intersection(b).subtracting(kept), sizes)
      let (rows, columns) = (volume(a.subtracting(b), sizes), volume(b.subtracting(a), sizes))
      let narrow = 1 + 8 / rows + 8 / columns + 16 / summed
      cost += volume(a.union(b), sizes) * narrow
      cost += entryCost * (volume(kept, sizes) + volume(a, sizes) + volume(b, sizes))
      entries += volume(kept, sizes)
      labels.append(kept)
    }
    return (cost, entries)
  }

  private func labelSizes(_ id: NodeID, _ tile: [Int]) -> [Label: Int] {
    let node = reduction.graph[id]
    var sizes: [Label: Int] = [:]
    for (axis, n) in node.shape.enumerated() { sizes[axis] = n }
    for operand in node.operands {
      for (axis, label) in operand.labels.enumerated() {
        sizes[label] = reduction.graph.shape(operand.node)[axis]
      }
    }
    for label in sizes.keys { if let c = reduction.tileClass(id, label) { sizes[label] = tile[c] } }
    return sizes
  }
}
