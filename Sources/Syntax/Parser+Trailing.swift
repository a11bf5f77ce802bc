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
    switch tokenKind {
    case .comma:
      switch kind {
      case .param, .data: return "a vector is written in square brackets: [1, 2]"
      case .assign where previous.kind == .number && peek().kind == .number:
        return "a vector is written in square brackets, [1, 2], and a decimal point is a dot, 0.5"
      default: break
      }
      return "several names are bound in parentheses, (a, b) = e; values are printed with print a, b"
    case .thenWord: return "a choice is written: if c then a else b"
    case .leftBrace: return nil
    case .identifier, .number, .leftParen, .leftBracket, .string: break
    default: return nil
    }
    if name == "at" { return "a formula elsewhere is written with names: f(x = 2) is f at x = 2" }
    let before = previous
    if before.kind == .identifier {
      let word = list.names[before.payload]
      if let grammar = CommandGrammar[verb: word] {
        return "the command '\(grammar.verb)' stands at the start of a statement or right after '='"
      }
      if case .expression(let expression) = kind, case .name(let name) = expression.kind,
        tokenKind != .leftBracket
      {
        if name == "lesson" { return "lessons begin at the shell: hlab lesson 1" }
        if name == "residuals" { return "residuals are a formula: residuals r := e" }
        if let verb = closestMatch(to: name, in: CommandGrammar.verbs) {
          return "did you mean the command '\(verb)'?"
        }
        if let word = closestMatch(to: name, in: Parser.statementWords) { return "did you mean '\(word)'?" }
      }
    }
    if case .print = kind { return "what is printed stands between commas: print a, b" }
    if before.kind == .number && tokenKind != .number && tokenKind != .string {
      return "a product is written with '*'"
    }
    return "separate statements with ';' or a line break"
  }
}
