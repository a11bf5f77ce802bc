import Tensors

/// States to go back to. Copies share memory with the present state until one of them changes; what the copies alone
/// hold is bounded, and the oldest go first.
struct History {
  /// States before each top-level statement that changed something, oldest first.
  private(set) var undoStack: [State] = []
  private(set) var redoStack: [State] = []
  var definitionLimit = 4096
  static let limit = 200
  /// Bytes that old values may take, here and for single steps.
  static let byteLimit = 512 << 20
  private var costs: [Int] = []

  var states: [State] { undoStack + redoStack }

  /// Records the state before a statement that led to `after`.
  mutating func record(_ before: State, after: State) {
    undoStack.append(before)
    redoStack = []
    costs.append(before.bytes(notIn: after))
    var total = costs.reduce(0, +)
    while undoStack.count > Self.limit || total > Self.byteLimit && undoStack.count > 1 {
      total -= costs.removeFirst()
      undoStack.removeFirst()
    }
  }

  /// The state `count` statements ago; nil when there are not so many.
  var undoCount: Int { undoStack.count }
  var redoCount: Int { redoStack.count }

  mutating func undo(_ count: Int, from now: State) -> State? {
    guard count > 0, undoStack.count >= count else { return nil }
    var current = now
    for _ in 0..<count {
      redoStack.append(current)
      current = undoStack.removeLast()
      costs.removeLast()
    }
    return current
  }

  mutating func redo(_ count: Int, from now: State) -> State? {
    guard count > 0, redoStack.count >= count else { return nil }
    var current = now
    for _ in 0..<count {
      let next = redoStack.removeLast()
      costs.append(current.bytes(notIn: next))
      undoStack.append(current)
      current = next
    }
    return current
  }
}

extension State {
  /// Bytes of tensors that this state holds and the other does not.
  func bytes(notIn other: State) -> Int {
    globals.reduce(0) { total, item in
      let kept = Set((other.globals[item.key]?.tensors ?? []).map { ObjectIdentifier($0.sharedStorage) })
      let lost = item.value.tensors.filter { !kept.contains(ObjectIdentifier($0.sharedStorage)) }
      return total + lost.reduce(0) { $0 + $1.sharedStorage.byteCount }
    }
  }
}

extension Binding {
  /// Every tensor inside.
  var tensors: [Tensor] {
    switch self {
    case .variable(let v): return v.value.tensors
    case .param(let leaf), .data(let leaf): return [leaf.value]
    case .random(let leaf): return leaf.value.tensors
    case .definition, .function: return []
    }
  }
}

extension Value {
  /// Every tensor inside, in order.
  var tensors: [Tensor] {
    switch self {
    case .tensor(let t), .blockMatrix(let t, _, _): return [t]
    case .sparse(let matrix, _, _): return [matrix.values]
    case .bundle(_, let tensors): return tensors
    case .record(let fields): return fields.flatMap(\.value.tensors)
    case .tuple(let items): return items.flatMap(\.tensors)
    case .string, .nothing: return []
    }
  }
}

extension Value {
  /// The same kind of value with other tensors of the same shapes; nil when they do not fit.
  func replacing(_ tensors: [Tensor]) -> Value? {
    guard tensors.map(\.shape) == self.tensors.map(\.shape) else { return nil }
    switch self {
    case .tensor: return tensors.first.map { .tensor($0) }
    case .bundle(let names, _): return .bundle(names: names, tensors: tensors)
    default: return nil
    }
  }
}
