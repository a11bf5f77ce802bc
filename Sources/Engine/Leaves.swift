import Graph

extension [Leaf] {
  /// Each leaf once, where it comes first. Leaves are told apart by their identities.
  var distinct: [Leaf] {
    var seen: Set<Int> = []
    return filter { seen.insert($0.id).inserted }
  }

  func place(of leaf: Leaf) -> Int? { firstIndex { $0.id == leaf.id } }

  /// The places of leaves that are among these.
  func places(of leaves: [Leaf]) -> [Int] { leaves.compactMap(place(of:)) }
}
