import Optimization
import Syntax

/// What the memory of a method goes by.
struct MethodKey: Hashable, Sendable {
  /// What is moved and how, for messages: `train f adam lr=0.1`.
  let title: String
  /// The method with all its options, where the title does not say them.
  let detail: String
  /// Which of the places in loops and procedures that have come up so far; nil for steps that were typed one by one and
  /// for training, which go on wherever they are asked for.
  let place: Int?

  func isAlike(_ other: MethodKey) -> Bool { title == other.title && detail == other.detail }

  /// The same in another loop or procedure.
  func isAlikeElsewhere(_ other: MethodKey) -> Bool { isAlike(other) && place != nil && other.place != nil }
}

/// What a method of an earlier session remembered, until the method is asked for again.
struct KeptMemory {
  let key: MethodKey
  var memory: MethodMemory
  /// It can forget single weights.
  let isPlainRule: Bool
}

extension State {
  /// A method as it stands, or with what a checkpoint kept for it, or as it is made. What was kept for another place of a
  /// script is for the first that asks: a script that goes on may have its loop elsewhere.
  func method(_ key: MethodKey, fresh: any Method) -> any Method {
    if let known = methods[key] { return known }
    let kept =
      keptMemories.first { $0.key == key }
      ?? keptMemories.first { $0.key.isAlikeElsewhere(key) && !isAskedFor($0.key) }
    var method = fresh
    if let kept { method.memory = kept.memory }
    return method
  }

  private func isAskedFor(_ kept: MethodKey) -> Bool {
    methods.keys.contains { $0 == kept || $0.isAlikeElsewhere(kept) }
  }

  /// The method begins anew the next time.
  mutating func forget(_ key: MethodKey) {
    methods[key] = nil
    keptMemories.removeAll { $0.key.isAlike(key) }
  }

  /// Methods begin anew.
  mutating func forgetMethods() {
    methods = [:]
    keptMemories = []
  }

  /// Of weights that have moved for other reasons, by their places among `count`, nothing is remembered.
  mutating func forget(_ places: [Int], of count: Int) {
    for key in methods.keys { methods[key]?.forget(places, of: count) }
    for k in keptMemories.indices {
      keptMemories[k].memory.forget(places, of: count, isPlainRule: keptMemories[k].isPlainRule)
    }
  }

  /// All that methods remember, in an order that does not depend on the run.
  var memories: [KeptMemory] {
    let known = methods.map { KeptMemory(key: $0, memory: $1.memory, isPlainRule: $1.isPlainRule) }
    let waiting = keptMemories.filter { !isAskedFor($0.key) }
    return (known + waiting).sorted {
      ($0.key.title, $0.key.detail, $0.key.place ?? -1) < ($1.key.title, $1.key.detail, $1.key.place ?? -1)
    }
  }
}

extension Interpreter {
  /// The number of a command's place in the text. A script that runs the same way gives it the same one.
  func methodPlace(_ command: Command) -> Int {
    let known = methodPlaces[ObjectIdentifier(command)] ?? (methodPlaces.count, command)
    methodPlaces[ObjectIdentifier(command)] = known
    return known.0
  }
}
