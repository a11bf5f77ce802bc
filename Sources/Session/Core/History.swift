import Tensors

/// States to go back to. Copies share memory with the present state until one of them changes; what the copies alone
/// hold is bounded, and the oldest go first.
struct History {
  /// A state, and the line of the statement that it was left by, or that leads to it again.
  struct Entry {
    let state: State
    let statement: String
  }

  /// States before each top-level statement that changed something, oldest first.
  private var undoStack: [Entry] = []
  private var redoStack: [Entry] = []
  var definitionLimit = 4096
  static let limit = 200
  /// Bytes that old values may take, here and for single steps.
  static let byteLimit = 512 << 20
  private var costs: [Int] = []

  var states: [State] { (undoStack + redoStack).map(\.state) }

  /// Records the state before a statement that led to `after`.
  mutating func record(_ before: State, after: State, _ statement: String) {
    undoStack.append(Entry(state: before, statement: statement))
    redoStack = []
    costs.append(before.bytes(notIn: after))
    var total = costs.reduce(0, +)
    while undoStack.count > Self.limit || total > Self.byteLimit && undoStack.count > 1 {
      total -= costs.removeFirst()
      undoStack.removeFirst()
    }
  }

  var undoCount: Int { undoStack.count }
  var redoCount: Int { redoStack.count }

  /// A state and the statements between it and the one before, in the order in which they ran.
  typealias Travel = (state: State, statements: [String])

  /// The state `count` statements ago; nil when there are not so many.
  mutating func undo(_ count: Int, from now: State) -> Travel? {
    guard count > 0, undoStack.count >= count else { return nil }
    var travel: Travel = (now, [])
    for _ in 0..<count {
      let last = undoStack.removeLast()
      redoStack.append(Entry(state: travel.state, statement: last.statement))
      costs.removeLast()
      travel = (last.state, [last.statement] + travel.statements)
    }
    return travel
  }

  mutating func redo(_ count: Int, from now: State) -> Travel? {
    guard count > 0, redoStack.count >= count else { return nil }
    var travel: Travel = (now, [])
    for _ in 0..<count {
      let next = redoStack.removeLast()
      costs.append(travel.state.bytes(notIn: next.state))
      undoStack.append(Entry(state: travel.state, statement: next.statement))
      travel = (next.state, travel.statements + [next.statement])
    }
    return travel
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
