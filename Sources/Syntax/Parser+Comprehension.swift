extension Parser {
  private static var comprehensionHint: String { "as in: [x^2 for x in 0..5]" }

  /// `for a in A, b in B]`, after the element.
  func parseComprehension(of element: Expr, _ bracket: Bracket) throws(Abort) -> Expr {
    var highest = height
    advance()
    var clauses: [ComprehensionClause] = []
    repeat {
      let clause = try parseClause(isFirst: clauses.isEmpty)
      if clauses.contains(where: { $0.name == clause.name }) {
        throw fail(.repeatedLoopVariable(clause.name), at: clause.nameSpan)
      }
      clauses.append(clause)
      highest = max(highest, height)
    } while accept(.comma) && tokenKind != .rightBracket
    switch tokenKind {
    case .forWord: throw fail(.repeatedFor, at: span(of: token))
    case .ifWord: throw fail(.conditionAfterDomain, at: span(of: token))
    case .semicolon: throw fail(.comprehensionInLiteral, at: span(of: token))
    default: break
    }
    try close(bracket)
    return try make(
      .comprehension(element, clauses), from: list.tokens[bracket.opener].lower, over: highest)
  }

  /// `name in domain`
  private func parseClause(isFirst: Bool) throws(Abort) -> ComprehensionClause {
    let nameSpan = span(of: token)
    guard let name else {
      throw failHere { .expected("the name of a loop variable", found: $0, hint: Self.comprehensionHint) }
    }
    advance()
    guard tokenKind == .inWord else {
      let several = tokenKind == .comma || !isFirst
      let hint =
        several ? "each variable has a domain of its own: for a in A, b in B" : Self.comprehensionHint
      throw failHere { .expected("'in'", found: $0, hint: hint) }
    }
    advance()
    return ComprehensionClause(name: name, nameSpan: nameSpan, domain: try parseExpression())
  }

  /// A `for` where no single element stands before it.
  func failComprehension(after elements: [Expr]) -> Abort {
    fail(elements.isEmpty ? .emptyComprehension : .comprehensionInLiteral, at: span(of: token))
  }
}
