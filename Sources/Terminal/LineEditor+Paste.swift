import CLibedit
import Glibc

extension LineEditor {
  /// A bracketed paste: takes everything up to its end as text. Enter runs it.
  func paste() -> Int32 {
    var text = ""
    let end = Array("\u{1b}[201~".unicodeScalars)
    var scalars: [Unicode.Scalar] = []
    while !scalars.suffix(end.count).elementsEqual(end) {
      guard let scalar = nextPastedScalar() else { return CC_NORM }
      scalars.append(scalar)
    }
    text.unicodeScalars.append(contentsOf: scalars.dropLast(end.count))
    let cleaned = Transcript.clean(text)
    insert(Transcript.withoutPrompts(cleaned) { host.state(of: $0) == .incomplete })
    return CC_REFRESH
  }

  /// A character of the paste; nil when the input ended or was interrupted.
  private func nextPastedScalar() -> Unicode.Scalar? {
    guard let handle else { return nil }
    var wide: wchar_t = 0
    guard el_wgetc(handle, &wide) == 1 else { return nil }
    return Unicode.Scalar(UInt32(bitPattern: wide))
  }
}

/// Text that comes from elsewhere.
enum Transcript {
  /// The text with plain line breaks, spaces for tabs, no other control characters, and nothing blank at its end.
  static func clean(_ text: String) -> String {
    var result = ""
    var previous: Unicode.Scalar = " "
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n" where previous == "\r": break
      case "\r", "\n": result += "\n"
      case "\t": result += "  "
      case _ where scalar.properties.generalCategory == .control: break
      default: result.unicodeScalars.append(scalar)
      }
      previous = scalar
    }
    return LineEditor.trimmed(result)
  }

  /// What was typed in a pasted transcript of a session: the lines after a prompt and those that continue them.
  /// Results are left out. A text that does not start with a prompt stays as it is.
  static func withoutPrompts(_ text: String, isIncomplete: (String) -> Bool) -> String {
    let prompt = LineEditor.promptText
    guard text.hasPrefix(prompt) else { return text }
    var entries: [String] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix(prompt) {
        entries.append(String(line.dropFirst(prompt.count)))
      } else if let last = entries.last, isIncomplete(last) {
        entries[entries.count - 1] = last + "\n" + line
      }
    }
    return entries.joined(separator: "\n")
  }
}
