import CLibedit
import Glibc

extension LineEditor {
  /// Keys that nobody types, for editor commands that key functions end with.
  private enum Hidden {
    static let submit = "\u{1f}s"
    static let olderEntry = "\u{1f}p"
    static let newerEntry = "\u{1f}n"
  }

  /// Names the key functions and binds keys, hlab's own and those that people know from other shells.
  func bindKeys() {
    define("hlab-enter", "Run the entry, or continue it on a new line") { el, _ in
      LineEditor.perform(el) { $0.enter() }
    }
    define("hlab-newline", "Start a new line") { el, _ in
      LineEditor.perform(el) { $0.newLine() }
    }
    define("hlab-up", "The line above, or the entry before") { el, _ in
      LineEditor.perform(el) { $0.moveVertically(up: true) }
    }
    define("hlab-down", "The line below, or the entry after") { el, _ in
      LineEditor.perform(el) { $0.moveVertically(up: false) }
    }
    define("hlab-line-start", "To the start of the line") { el, _ in
      LineEditor.perform(el) { $0.moveToLineStart() }
    }
    define("hlab-line-end", "To the end of the line") { el, _ in
      LineEditor.perform(el) { $0.moveToLineEnd() }
    }
    define("hlab-complete", "Complete the word") { el, _ in
      LineEditor.perform(el) { $0.complete() }
    }
    define("hlab-paste", "Insert a pasted text") { el, _ in
      LineEditor.perform(el) { $0.paste() }
    }
    define("hlab-close", "Insert a closing brace") { el, _ in
      LineEditor.perform(el) { $0.closeBlock() }
    }
    let bindings: [(key: String, function: String)] = [
      ("^M", "hlab-enter"), ("^J", "hlab-enter"), ("\\e^M", "hlab-newline"), ("\\e^J", "hlab-newline"),
      ("\\e[A", "hlab-up"), ("\\eOA", "hlab-up"), ("\\e[B", "hlab-down"), ("\\eOB", "hlab-down"),
      ("^P", "hlab-up"), ("^N", "hlab-down"), ("^A", "hlab-line-start"), ("^E", "hlab-line-end"),
      ("\\e[H", "hlab-line-start"), ("\\eOH", "hlab-line-start"), ("\\e[1~", "hlab-line-start"),
      ("\\e[F", "hlab-line-end"), ("\\eOF", "hlab-line-end"), ("\\e[4~", "hlab-line-end"),
      ("\\e[C", "ed-next-char"), ("\\eOC", "ed-next-char"), ("\\e[D", "ed-prev-char"),
      ("\\eOD", "ed-prev-char"), ("\\e[3~", "ed-delete-next-char"),
      ("\\e[1;5C", "em-next-word"), ("\\e[1;5D", "ed-prev-word"), ("\\e[1;3C", "em-next-word"),
      ("\\e[1;3D", "ed-prev-word"), ("^W", "ed-delete-prev-word"), ("^U", "vi-kill-line-prev"),
      ("^R", "em-inc-search-prev"), ("^I", "hlab-complete"), ("\\e[200~", "hlab-paste"),
      ("}", "hlab-close"),
      (Hidden.submit, "ed-newline"), (Hidden.olderEntry, "ed-prev-history"),
      (Hidden.newerEntry, "ed-next-history"),
    ]
    guard let handle else { return }
    for (key, function) in bindings { hl_bind(handle, key, function) }
  }

  /// Enter: runs the entry when it can be run, wherever the cursor is, and continues it otherwise.
  private func enter() -> Int32 {
    if host.state(of: line.text) == .incomplete { return newLine() }
    push(Hidden.submit)
    return CC_NORM
  }

  /// Starts a line with the indentation of the block around it.
  private func newLine() -> Int32 {
    insert("\n" + TextLayout.indentation(after: parts.before))
    return CC_REFRESH
  }

  /// A closing brace on a line of its own stands one level further left.
  private func closeBlock() -> Int32 {
    let start = parts.before.unicodeScalars.reversed().prefix { $0 != "\n" }
    let isOwnLine = parts.before.contains("\n") && start.allSatisfy { $0 == " " }
    if isOwnLine { deleteBackward(min(2, start.count)) }
    insert("}")
    return CC_REFRESH
  }

  /// Up and Down move inside a text of several lines, and through the history at its first and last line.
  private func moveVertically(up: Bool) -> Int32 {
    let (before, after) = parts
    let lead = before.unicodeScalars.reversed().prefix { $0 != "\n" }.count
    if up {
      guard before.contains("\n") else {
        push(Hidden.olderEntry)
        return CC_NORM
      }
      let above = before.unicodeScalars.dropLast(lead + 1).reversed().prefix { $0 != "\n" }.count
      move(by: -(lead + 1 + max(0, above - lead)))
    } else {
      guard after.contains("\n") else {
        push(Hidden.newerEntry)
        return CC_NORM
      }
      let rest = after.unicodeScalars.prefix { $0 != "\n" }.count
      let below = after.unicodeScalars.dropFirst(rest + 1).prefix { $0 != "\n" }.count
      move(by: rest + 1 + min(lead, below))
    }
    return CC_CURSOR
  }

  private func moveToLineStart() -> Int32 {
    let before = parts.before.unicodeScalars
    let lead = before.reversed().prefix { $0 != "\n" }.count
    move(by: lead > 0 ? -lead : -before.count)
    return CC_CURSOR
  }

  private func moveToLineEnd() -> Int32 {
    let after = parts.after.unicodeScalars
    let rest = after.prefix { $0 != "\n" }.count
    move(by: rest > 0 ? rest : after.count)
    return CC_CURSOR
  }
}

// MARK: - Key functions as C callbacks

extension LineEditor {
  /// Names a key function. C callbacks cannot capture: each finds its editor by `perform`.
  private func define(_ name: String, _ help: String, _ function: @escaping hl_key_function) {
    if let handle { hl_add_function(handle, name, help, function) }
  }

  /// Runs an action on the editor behind a handle.
  private static func perform(_ handle: OpaquePointer?, _ action: (LineEditor) -> Int32) -> UInt8 {
    guard let editor = LineEditor.of(handle) else { return UInt8(CC_ERROR) }
    return UInt8(truncatingIfNeeded: action(editor))
  }
}
