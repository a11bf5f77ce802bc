import Syntax

/// A session as it was at some time.
public struct Bookmark {
  let state: State
}

extension Session {
  /// The session as it is now, to come back to.
  public var bookmark: Bookmark { Bookmark(state: interpreter.state) }

  /// Gives the names that were bound at a bookmark what they held then, with the objective, the path and the random
  /// generator of that time. Names bound since then stay, save for those that hide a word of the language. One move,
  /// which `undo` takes back.
  ///
  /// - Returns: the names that had changed; empty when none had, and then nothing is done.
  public func resume(_ bookmark: Bookmark) -> [String] {
    let now = interpreter.state
    let changed = bookmark.state.globals.filter { name, binding in
      guard let present = now.globals[name] else { return true }
      return !binding.holdsTheSame(as: present)
    }
    let added = now.globals.filter { bookmark.state.globals[$0.key] == nil }
    let hiding = added.keys.filter(Interpreter.isWordOfTheLanguage)
    let names = (Array(changed.keys) + hiding).sorted()
    guard !names.isEmpty || now.objective != bookmark.state.objective else { return [] }
    var state = bookmark.state
    state.globals.merge(added.filter { !hiding.contains($0.key) }) { known, _ in known }
    interpreter.restore(state)
    interpreter.history.record(now, after: state, "the lesson going on")
    return names.isEmpty ? [bookmark.state.objective].compactMap { $0 } : names
  }
}

extension Session {
  /// Whether the user has given the name a meaning.
  public func isBound(_ name: String) -> Bool { interpreter.lookup(name) != nil }
}

extension Interpreter {
  /// Text that was written without a name in mind may use the word in its own meaning.
  fileprivate static func isWordOfTheLanguage(_ name: String) -> Bool {
    CommandGrammar[verb: name] != nil || Builtins.byName[name] != nil || HelpTopic.named(name) != nil
  }
}
