import Tensors

/// States to go back to. Copies share memory with the present state until one of them changes.
struct History {
  /// States before each top-level statement that changed something, oldest first.
  private(set) var undoStack: [State] = []
  private(set) var redoStack: [State] = []
  var definitionLimit = 4096
  static let limit = 200

  var states: [State] { undoStack + redoStack }

  mutating func record(_ before: State) {
    undoStack.append(before)
    redoStack = []
    if undoStack.count > Self.limit { undoStack.removeFirst(undoStack.count - Self.limit) }
  }

  /// The state `count` statements ago; nil when there are not so many.
  mutating func undo(_ count: Int, from now: State) -> State? {
    guard count > 0, undoStack.count >= count else { return nil }
    var current = now
    for _ in 0..<count {
      redoStack.append(current)
      current = undoStack.removeLast()
    }
    return current
  }

  mutating func redo(_ count: Int, from now: State) -> State? {
    guard count > 0, redoStack.count >= count else { return nil }
    var current = now
    for _ in 0..<count {
      undoStack.append(current)
      current = redoStack.removeLast()
    }
    return current
  }
}
