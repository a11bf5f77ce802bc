import CLibedit

extension LineEditor {
  /// Tab: inserts what all completions share; lists them when that is nothing. In the white space that starts a
  /// line it indents.
  func complete() -> Int32 {
    let (text, cursor) = line
    let before = parts.before
    let word = before.unicodeScalars.reversed().prefix { $0 != "\n" }
    if before.contains("\n") && word.allSatisfy({ $0 == " " }) {
      insert("  ")
      return CC_REFRESH
    }
    let (start, candidates) = host.completions(in: text, at: cursor)
    guard !candidates.isEmpty, start >= 0, start <= cursor else { return CC_ERROR }
    let typed = String(decoding: Array(text.utf8)[start..<cursor], as: UTF8.self)
    let shared = TextLayout.commonPrefix(candidates)
    let isProgress = candidates.count == 1 || shared.unicodeScalars.count > typed.unicodeScalars.count
    if isProgress && shared != typed {
      deleteBackward(typed.unicodeScalars.count)
      insert(shared)
      return CC_REFRESH
    }
    if candidates.count > 1 { list(candidates, shared: shared) }
    return CC_NORM
  }

  /// Shows candidates below the text, without the directories that all of them share, and draws the line again.
  private func list(_ candidates: [String], shared: String) {
    guard let handle else { return }
    let directory =
      shared.lastIndex(of: "/").map { shared.distance(from: shared.startIndex, to: $0) + 1 } ?? 0
    let names = candidates.map { String($0.dropFirst(directory)) }
    let lines = TextLayout.columns(
      names, screenWidth: TerminalEnvironment.screenWidth(),
      maximumRows: max(4, TerminalEnvironment.screenHeight() / 2))
    write(rowsBelowCursor() + "\r\n" + lines.map { $0 + "\r\n" }.joined())
    hl_redraw(handle)
  }
}
