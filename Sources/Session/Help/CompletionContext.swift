import Syntax

/// What stands before a cursor, as far as completion needs it: strings, comments, brackets and the statement.
struct CompletionContext {
  /// The unfinished string around the cursor: the offset of its first character.
  private(set) var stringStart: Int?
  private(set) var isComment = false
  /// The present statement up to the word that is being written.
  let statement: String
  /// The word being written, and its UTF-8 offset.
  let word: String
  let wordStart: Int
  /// The name before the innermost open parenthesis: `sum` in `sum(x, ax`.
  let callee: String?
  /// Inside round or square brackets, or a string's braces, where expressions alone can stand.
  let isBracketed: Bool

  init(_ before: String) {
    let characters = Array(before)
    var scanner = Scanner()
    for (index, character) in characters.enumerated() {
      scanner.take(character, index)
      if character.isNewline, scanner.isAtEndOfLine, !Self.goesOn(characters[scanner.statementStart..<index])
      {
        scanner.statementStart = index + 1
      }
    }
    isComment = scanner.isComment
    var start = characters.count
    while start > 0, Self.isPart(characters[start - 1]) { start -= 1 }
    if start > 0, characters[start - 1] == "\\" { start -= 1 }
    word = String(characters[start...])
    wordStart = before.utf8.count - word.utf8.count
    let first = min(scanner.statementStart, start)
    statement = String(String(characters[first..<start]).drop { $0.isWhitespace })
    isBracketed = scanner.isBracketed
    stringStart = scanner.stringStart.map { String(characters[..<$0]).utf8.count }
    callee = scanner.opened.last.flatMap { place in
      guard characters[place] == "(" else { return nil }
      let name = String(characters[..<place].reversed().prefix(while: Self.isPart).reversed())
      return name.isEmpty ? nil : name
    }
  }

  /// A statement has not ended with a line: the next one belongs to it.
  private static func goesOn(_ statement: ArraySlice<Character>) -> Bool {
    Parser.parse(SourceText(name: "<completion>", text: String(statement))).completeness == .incomplete
  }

  static func isPart(_ character: Character) -> Bool {
    character == "_" || character.isLetter || character.isNumber
  }

  /// Follows the text from its start.
  private struct Scanner {
    var statementStart = 0
    var isComment = false
    /// Places of open brackets, and of braces of values inside strings.
    var opened: [Int] = []
    var stringStart: Int?
    var isBracketed: Bool { kinds.last.map { $0 != "{" } ?? false }
    private var kinds: [Character] = []
    private var outer: [Int] = []
    private var isEscaped = false

    mutating func take(_ character: Character, _ index: Int) {
      if isComment {
        guard character.isNewline else { return }
        isComment = false
      }
      if stringStart != nil { return takeInString(character, index) }
      switch character {
      case "#": isComment = true
      case "\"": stringStart = index + 1
      case "(", "[": open(character, index)
      case "{":
        open(character, index)
        statementStart = index + 1
      case ")", "]", "}": close(character, index)
      default:
        if character == ";", !isBracketed { statementStart = index + 1 }
      }
    }

    /// A line break here may end a statement.
    var isAtEndOfLine: Bool { stringStart == nil && !isBracketed }

    private mutating func takeInString(_ character: Character, _ index: Int) {
      if isEscaped {
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if character == "\"" || character.isNewline {
        stringStart = nil
      } else if character == "{", let start = stringStart {
        outer.append(start)
        stringStart = nil
        open("\"", index)
      }
    }

    private mutating func open(_ kind: Character, _ index: Int) {
      kinds.append(kind)
      opened.append(index)
    }

    private mutating func close(_ character: Character, _ index: Int) {
      guard let kind = kinds.popLast() else { return }
      opened.removeLast()
      if kind == "\"" { stringStart = outer.popLast() }
      if kind == "{" { statementStart = index + 1 }
    }
  }
}
