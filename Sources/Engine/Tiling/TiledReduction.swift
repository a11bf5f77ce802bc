import Graph
import Tensors

/// Reductions over large arrays that are never stored: the arrays are computed in tiles, and each tile is reduced
/// at once. What lies below the large arrays (the boundary) is computed before, once.
///
/// A tile fixes a range of some label classes, its *tile classes*. They are summed by the reductions alone, so that
/// the parts of tiles add up (or have a common maximum). Where the large arrays all come from one array `core` with
/// permutations of its axes that leave it as it is, one tile of each orbit is computed and reduced in all places.
struct TiledReduction {
  let graph: TensorGraph
  /// Large nodes, in topological order, and the reductions that read them.
  let inner: [NodeID]
  let exits: [NodeID]
  private let classes: LabelClasses
  /// What is cut, with its size.
  private(set) var tileClasses: [(root: Int, size: Int)] = []
  /// The large array that all others come from, if there is one, and its symmetries as permutations of its axes.
  private(set) var core: NodeID?
  private(set) var symmetries: [[Int]] = []
  /// Large arrays that come from the core, or have nothing to do with it.
  private(set) var aboveCore: [NodeID] = []

  /// Nil when no label can be cut.
  init?(
    _ graph: TensorGraph, inner: [NodeID], exits: [NodeID], storedBytes: (NodeID) -> Bool,
    _ symmetry: inout TileSymmetry
  ) {
    self.graph = graph
    self.inner = inner.sorted()
    self.exits = exits.sorted()
    let members = (inner + exits).sorted()
    classes = LabelClasses(graph, members: members, source: graph.resolved)
    let blocked = blockedClasses(members, isTooLarge: storedBytes)
    tileClasses = classes.all.filter { !blocked.contains($0) && classes.sizes[$0] > 1 }
      .map { (root: $0, size: classes.sizes[$0]) }
    // Labels that no large array has (those of a reduction's other operands) give nothing.
    let carried = Set(inner.flatMap { id in graph.shape(id).indices.compactMap { classes[id, $0] } })
    tileClasses.removeAll { !carried.contains($0.root) }
    guard !tileClasses.isEmpty else { return nil }
    core = dominator()
    aboveCore = largeNodes(stoppingAt: core).sorted()
    symmetries = usableSymmetries(&symmetry)
  }

  func tileClass(_ node: NodeID, _ label: Label) -> Int? {
    guard let root = classes[node, label] else { return nil }
    return tileClasses.firstIndex { $0.root == root }
  }

  // MARK: What can be cut

  /// Classes that stand twice in a node, that a large array sums, or that a symbolic operand carries and cannot be
  /// cut along.
  private func blockedClasses(_ members: [NodeID], isTooLarge: (NodeID) -> Bool) -> Set<Int> {
    let large = Set(inner)
    var blocked: Set<Int> = []
    for id in members {
      let node = graph[id]
      var own: [Int: Label] = [:]
      for label in Set(Array(node.shape.indices) + node.operands.flatMap(\.labels)) {
        guard let c = classes[id, label] else { continue }
        if own[c] != nil { blocked.insert(c) }
        own[c] = label
        if label >= node.shape.count && large.contains(id) { blocked.insert(c) }
      }
      for operand in node.operands where isSymbolic(operand.node) && isTooLarge(operand.node) {
        guard !isIdentity(operand.node) else { continue }
        blocked.formUnion(operand.labels.compactMap { classes[id, $0] })
      }
    }
    return blocked
  }

  private func isSymbolic(_ id: NodeID) -> Bool {
    switch graph[id].op {
    case .selector, .table: return true
    default: return false
    }
  }

  func isIdentity(_ id: NodeID) -> Bool {
    if case .selector(let s) = graph[id].op { return s.isIdentity(graph.shape(id)) }
    return false
  }

  // MARK: Symmetry

  /// The least large node without which no reduction would read a sum of products.
  private func dominator() -> NodeID? {
    let heavy = Set(inner.filter { graph[$0].sumsLabels })
    guard !heavy.isEmpty else { return nil }
    return inner.first { heavy.isDisjoint(with: largeNodes(stoppingAt: $0)) }
  }

  /// Large nodes that reductions reach without passing `core`.
  private func largeNodes(stoppingAt core: NodeID?) -> Set<NodeID> {
    let large = Set(inner)
    var seen: Set<NodeID> = []
    var pending = exits
    while let id = pending.popLast() {
      for operand in graph[id].operands {
        let read = graph.resolved(operand.node)
        if large.contains(read), read != core, seen.insert(read).inserted { pending.append(read) }
      }
    }
    return seen
  }

  /// Symmetries of the core that map tile classes to tile classes.
  private func usableSymmetries(_ symmetry: inout TileSymmetry) -> [[Int]] {
    guard let core else { return [] }
    let group = symmetry.group(of: core).filter { g in
      g.indices.allSatisfy { (tileClass(core, $0) == nil) == (tileClass(core, g[$0]) == nil) }
    }
    return group
  }

  /// The tile whose entries of the core are those of `tile` with the axes permuted by `g`.
  func image(_ tile: [Int], _ g: [Int]) -> [Int] {
    guard let core else { return tile }
    var moved = tile
    for axis in g.indices {
      if let from = tileClass(core, axis), let to = tileClass(core, g[axis]) { moved[to] = tile[from] }
    }
    return moved
  }

  /// Tile classes that symmetries take into each other, or identity matrices link: they are cut alike.
  var classGroups: [[Int]] {
    var groupOf = Array(tileClasses.indices)
    func join(_ a: Int, _ b: Int) {
      let (old, new) = (max(groupOf[a], groupOf[b]), min(groupOf[a], groupOf[b]))
      for k in groupOf.indices where groupOf[k] == old { groupOf[k] = new }
    }
    for g in symmetries {
      for (to, from) in image(Array(tileClasses.indices), g).enumerated() { join(to, from) }
    }
    for pair in links { join(pair[0], pair[1]) }
    return Set(groupOf).sorted().map { g in groupOf.indices.filter { groupOf[$0] == g } }
  }

  // MARK: Places of reductions

  /// For each axis of a reduction, the tile class that it walks.
  func axes(ofExit id: NodeID) -> [Int?] { graph.shape(id).indices.map { tileClass(id, $0) } }

  /// Tile classes that a reduction knows nothing of: the first tile along them alone counts for it.
  func unknownClasses(ofExit id: NodeID) -> [Int] {
    let node = graph[id]
    let known = Set(
      (Array(node.shape.indices) + node.operands.flatMap(\.labels)).compactMap { tileClass(id, $0) })
    return tileClasses.indices.filter { !known.contains($0) }
  }

  func isMaximum(_ id: NodeID) -> Bool {
    if case .reduceMax = graph[id].op { return true }
    return false
  }
}
