/// Decides which nodes get a `where` line: named ones, shared ones larger than a few symbols, and large ones.
struct MathOutline {
  /// A shared node of at most this many symbols is repeated.
  static let repeated = 5
  /// More symbols, or more nesting, than this are cut off into a line of their own.
  static let largest = 90
  static let deepest = 12

  private(set) var order: [NodeID] = []
  private(set) var isDefined = Set<NodeID>()
  /// Names that index letters must not take.
  private(set) var reserved = Set<String>()

  /// - Parameter sharingAcross: uses count over all roots together, not in each by itself.
  init(_ graph: TensorGraph, _ roots: [NodeID], expandingNames: Bool, sharingAcross: Bool = true) {
    order = graph.reachable(from: roots)
    let count = order.last.map { Int($0.index) + 1 } ?? 0
    let uses = graph.uses(sharingAcross ? [order] : roots.map { graph.reachable(from: [$0]) }, count)
    // What a root merely scales or transposes is written out in it.
    var spared = Set<NodeID>()
    for root in roots where graph.isView(graph[root]) { spared.formUnion(graph[root].operands.map(\.node)) }
    var size = [Int32](repeating: 1, count: count)
    var depth = [Int32](repeating: 0, count: count)
    for id in order {
      let node = graph[id]
      let index = Int(id.index)
      if let leaf = graph.leaf(of: id) { reserved.insert(leaf.name) }
      if let name = graph.names[id], !expandingNames { reserved.insert(name) }
      var total: Int32 = graph.isView(node) ? 0 : 1
      var deepest: Int32 = 0
      for operand in node.operands.prefix(MathBuilder.termLimit) {
        let inner = Int(operand.node.index)
        total += isDefined.contains(operand.node) ? 1 : size[inner]
        deepest = max(deepest, isDefined.contains(operand.node) ? 0 : depth[inner] + 1)
      }
      size[index] = graph.isSymbol(node) ? 0 : total
      depth[index] = deepest
      guard graph.mayHaveLine(node) else { continue }
      let named = graph.names[id] != nil && !expandingNames
      let shared = uses[index] > 1 && size[index] > Self.repeated
      let large = (size[index] > Self.largest || deepest > Self.deepest) && !spared.contains(id)
      if named || shared || large || graph.isTable(node) { isDefined.insert(id) }
    }
  }
}

extension TensorGraph {
  /// How often each node is an operand, at most in one of the groups.
  fileprivate func uses(_ groups: [[NodeID]], _ count: Int) -> [UInt32] {
    var most = [UInt32](repeating: 0, count: count)
    for group in groups {
      var uses = [UInt32](repeating: 0, count: count)
      for id in group {
        for operand in self[id].operands { uses[Int(operand.node.index)] &+= 1 }
      }
      for id in group { most[Int(id.index)] = max(most[Int(id.index)], uses[Int(id.index)]) }
    }
    return most
  }

  /// A transpose, slice or broadcast of one operand.
  func isView(_ node: Node) -> Bool {
    guard case .contract = node.op else { return false }
    return node.operands.filter { !isSymbol(self[$0.node]) }.count <= 1
  }

  /// Printed as a letter at most.
  func isSymbol(_ node: Node) -> Bool {
    if case .selector = node.op { return true }
    return false
  }

  /// Leaves and plain numbers are never defined in a line of their own.
  func mayHaveLine(_ node: Node) -> Bool {
    switch node.op {
    case .leaf, .selector, .table, .external(.differential): return false
    case .contract, .add: return !node.operands.isEmpty
    default: return true
    }
  }

  /// A constant with too many entries to write out.
  func isTable(_ node: Node) -> Bool {
    if case .tensor = node.op { return node.shape.elementCount > 9 || node.shape.count > 2 }
    return false
  }
}
