extension Parser {
  /// The error for what stands after a finished statement, with the hint that fits.
  func failTrailing(_ kind: Statement.Kind) -> Abort {
    guard tokenKind != .invalid else { return Abort() }
    if tokenKind.opener != nil && list.partners[index] < 0 {
      return fail(.unmatchedCloser(list.text(of: token)), at: span(of: token))
    }
    switch tokenKind {
    case .assign: return fail(.strayAssignment(hint: nil), at: span(of: token))
    case .colon:
      let hint = peek().kind == .assign ? "did you mean ':='?" : nil
      return fail(.strayColon(hint: hint), at: span(of: token))
    case .elseWord: return fail(.elseWithoutIf, at: span(of: token))
    default: return failHere { .trailing(found: $0, hint: trailingHint(kind)) }
    }
  }

  /// Words that begin statements and are no verbs.
  private static let statementWords = ["param", "data", "residuals", "print", "assert", "repeat"]

  private func trailingHint(_ kind: Statement.Kind) -> String? {
    if let keyword = functionKeyword { return keyword }
    if case .help = kind { return "? takes one word: ?\(list.text(of: token))" }
    switch tokenKind {
    case .comma: return commaHint(kind)
    case .thenWord: return "a choice is written: if c then a else b"
    case .question: return "help stands in front: ?\(list.text(of: previous))"
    case .identifier, .number, .leftParen, .leftBracket, .string: break
    default: return nil
    }
    if name == "at" { return "a formula elsewhere is written with names: f(x = 2) is f at x = 2" }
    if tokenKind == .identifier, let hint = ForeignWords.keywords[list.text(of: token)] { return hint }
    if list.text(of: token).first == "ᵀ" { return "a transpose is written with ': A'" }
    let before = previous
    if before.kind == .identifier {
      if isAfterPercent { return "a comment begins with #" }
      if tokenKind == .string && list.text(of: before) == "f" {
        return "every string may hold {values}, without an f before it"
      }
      if let hint = hint(afterWord: list.names[before.payload], kind) { return hint }
    }
    if case .print = kind {
      let call =
        before.kind == .identifier && !isAtLineEnd ? "; a call is written \(list.text(of: before))(…)" : ""
      return "what is printed stands between commas: print a, b\(call)"
    }
    if before.kind == .number && tokenKind != .number && tokenKind != .string {
      return "a product is written with '*'"
    }
    let isOperand = tokenKind != .string
    return isOperand ? juxtapositionHint ?? Self.separation : Self.separation
  }

  private static let separation = "separate statements with ';' or a line break"

  private func commaHint(_ kind: Statement.Kind) -> String {
    switch kind {
    case .param, .data: return "a vector is written in square brackets: [1, 2]"
    case .assign where peek().kind == .identifier && peek(2).kind == .assign: return Self.separation
    case .assign where previous.kind == .number && peek().kind == .number:
      return "a vector is written in square brackets, [1, 2], and a decimal point is a dot, 0.5"
    default: break
    }
    return "several names are bound in parentheses, (a, b) = e; values are printed with print a, b"
  }

  /// The last operand is a word: a verb out of its place, a slip, or a word that is no command.
  private func hint(afterWord word: String, _ kind: Statement.Kind) -> String? {
    if let grammar = CommandGrammar[verb: word] {
      if bound.contains(word) {
        return "'\(word)' is a name that you bound, and it hides the command; undo takes that back"
      }
      let place = "the command '\(grammar.verb)' stands at the start of a statement or right after '='"
      return grammar.isBuiltin ? "\(place); the function is called \(word)(…)" : place
    }
    guard case .expression(let expression) = kind, case .name = expression.kind, !bound.contains(word) else {
      return nil
    }
    let text = list.text(of: previous)
    if word == "residuals" { return "residuals are a formula: residuals r := e" }
    if let hint = ForeignWords.hint(for: text) { return hint }
    guard tokenKind != .leftBracket else { return nil }
    if let verb = closestMatch(to: word, in: CommandGrammar.verbs) {
      return "did you mean the command '\(verb)'?"
    }
    if let word = closestMatch(to: word, in: Parser.statementWords) { return "did you mean '\(word)'?" }
    return "a call is written \(text)(…); '\(text)' is no command (?commands lists them)"
  }

  /// A function as other languages write it, anywhere in the statement: `f = lambda x: x^2`.
  private var functionKeyword: String? {
    var place = index - 1
    while place >= 0 {
      let token = list.tokens[place]
      if token.kind == .semicolon { return nil }
      if token.kind == .identifier {
        let text = list.text(of: token)
        let isLambda = text == "lambda" && list.tokens[place + 1].kind == .identifier
        let isKeyword = isLambda || ForeignWords.keywords[text] == ForeignWords.function
        if isKeyword && !bound.contains(list.names[token.payload]) { return ForeignWords.function }
      }
      if token.newlineBefore { return nil }
      place -= 1
    }
    return nil
  }

  /// `… % a comment`: the remainder of what is before by the comment's first word.
  private var isAfterPercent: Bool { index > 1 && list.tokens[index - 2].kind == .percent }
}
