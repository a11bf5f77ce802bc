import Graph
import Tensors

/// Where the value of a leaf comes from when a plan runs.
struct SlotSource {
  enum Kind {
    /// A name, and the fields below it that lead to the tensor.
    case binding(path: [Int])
    /// Drawn anew in every run.
    case draw(Distribution, Shape)
    /// A formal parameter: always replaced before anything runs.
    case placeholder
    /// The value of a procedure that ran just before.
    case result(path: [Int])
  }
  let name: String
  let bindingID: Int
  let frameTag: Int?
  let kind: Kind
}

/// Identities of leaves. A name in one scope keeps its identity when it is assigned again, and a procedure's local
/// has the same one in every call, so that plans are found again.
final class SlotTable {
  private struct Key: Hashable {
    var name: String
    var scope: Int
    var path: [Int]
    var shape: Shape
  }

  private var bindings: [Key: Int] = [:]
  private var leaves: [Key: Int] = [:]
  private var sources: [Int: SlotSource] = [:]
  private var next = 0

  private func fresh() -> Int {
    next += 1
    return next
  }

  /// The identity of a name in a scope (nil: global).
  func bindingID(_ name: String, frameTag: Int?) -> Int {
    let key = Key(name: name, scope: frameTag ?? 0, path: [], shape: [])
    if let known = bindings[key] { return known }
    let id = fresh()
    bindings[key] = id
    return id
  }

  func identity() -> Int { fresh() }

  /// The leaf for a tensor inside a binding's value.
  func leafID(_ name: String, binding: Int, frameTag: Int?, path: [Int], isResult: Bool = false) -> Int {
    let key = Key(name: isResult ? "()" : name, scope: binding, path: path, shape: [])
    if let known = leaves[key] { return known }
    let id = path.isEmpty && !isResult ? binding : fresh()
    leaves[key] = id
    sources[id] = SlotSource(
      name: name, bindingID: binding, frameTag: frameTag,
      kind: isResult ? .result(path: path) : .binding(path: path))
    return id
  }

  func placeholderID(_ name: String, _ shape: Shape, function: Int, depth: Int) -> Int {
    let key = Key(name: name, scope: -1 - function, path: [depth], shape: shape)
    if let known = leaves[key] { return known }
    let id = fresh()
    leaves[key] = id
    sources[id] = SlotSource(name: name, bindingID: id, frameTag: nil, kind: .placeholder)
    return id
  }

  func drawID(_ distribution: Distribution, _ shape: Shape) -> Int {
    let id = fresh()
    sources[id] = SlotSource(name: "draw", bindingID: id, frameTag: nil, kind: .draw(distribution, shape))
    return id
  }

  func source(_ leaf: Int) -> SlotSource? { sources[leaf] }

  /// Forgets a draw's leaf when its plan goes.
  func release(_ leaf: Int) { sources[leaf] = nil }
}
