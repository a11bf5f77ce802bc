extension Parser {
  /// A primary and the postfix operators that touch it.
  func parsePostfix() throws(Abort) -> Expr {
    let lower = token.lower
    var operand = try parsePrimary()
    while !isAtLineEnd, let next = try parseSuffix(of: operand, from: lower) { operand = next }
    return operand
  }

  private func parseSuffix(of operand: Expr, from lower: Int) throws(Abort) -> Expr? {
    switch tokenKind {
    case .quote:
      advance()
      return try make(.transpose(operand), from: lower, over: height)
    case .leftBracket where !token.spaceBefore: return try parseIndex(of: operand, from: lower)
    case .leftParen where isCall(of: operand): return try parseCall(of: operand, from: lower)
    case .dot where !token.spaceBefore: return try parseField(of: operand, from: lower)
    case .percent where isPercentage: return try parsePercentage(of: operand, from: lower)
    default: return nil
    }
  }

  /// A space before the arguments is allowed after a name, but not in a command, where it separates.
  private func isCall(of operand: Expr) -> Bool {
    if token.newlineBefore { return false }
    switch operand.kind {
    case .number, .string, .boolean, .literal, .comprehension: return false
    case .name, .field: return !token.spaceBefore || context.grammar == nil
    default: return !token.spaceBefore
    }
  }

  func parseCall(of callee: Expr, from lower: Int) throws(Abort) -> Expr {
    let below = height
    let bracket = try openBracket()
    let arguments = try parseArguments()
    try close(bracket)
    return try make(.call(callee, arguments), from: lower, over: max(below, height))
  }

  /// Arguments up to a closer; leaves the height of the highest.
  private func parseArguments() throws(Abort) -> [Argument] {
    var arguments: [Argument] = []
    var names: Set<String> = []
    var highest = 0
    while tokenKind != .rightParen {
      let argument = try parseArgument()
      highest = max(highest, height)
      if let name = argument.name {
        guard names.insert(name).inserted else { throw fail(.repeatedArgument(name), at: argument.span) }
      } else if !names.isEmpty {
        throw fail(.positionalAfterNamed, at: argument.span)
      }
      arguments.append(argument)
      guard accept(.comma) else { break }
    }
    height = highest
    return arguments
  }

  /// `value` or `name = value`.
  func parseArgument() throws(Abort) -> Argument {
    let lower = token.lower
    guard let name, peek().kind == .assign else {
      let value = try parseExpression()
      return Argument(name: nil, value: value, span: span(from: lower))
    }
    advance()
    advance()
    let value = try parseExpression()
    return Argument(name: name, value: value, span: span(from: lower))
  }

  private func parseField(of operand: Expr, from lower: Int) throws(Abort) -> Expr {
    let below = height
    advance()
    guard let name, !isAtLineEnd else { throw failHere { .expected("a field name after '.'", found: $0) } }
    advance()
    return try make(.field(operand, name), from: lower, over: below)
  }

  // MARK: Percentages

  /// Among the arguments of a command, a `%` with nothing after it to divide by: `top 10% of W`.
  private var isPercentage: Bool {
    guard let grammar = context.grammar else { return false }
    let next = peek()
    if next.newlineBefore { return true }
    switch next.kind {
    case .end, .comma, .semicolon, .leftBrace, .rightBrace: return true
    case .identifier: return grammar.operand(of: list.names[next.payload]) != nil
    default: return false
    }
  }

  private func parsePercentage(of operand: Expr, from lower: Int) throws(Abort) -> Expr {
    let opSpan = span(of: token)
    advance()
    let hundred = ChainLink(.divide, opSpan, Expr(.number(100), opSpan))
    return try make(.chain(first: operand, rest: [hundred]), from: lower, over: height)
  }

  // MARK: Indices

  private func parseIndex(of operand: Expr, from lower: Int) throws(Abort) -> Expr {
    let below = height
    let bracket = try openBracket(Context(ignoresNewlines: true, isIndex: true))
    let items = try parseIndexItems()
    try close(bracket)
    return try make(.index(operand, items), from: lower, over: max(below, height))
  }

  private func parseIndexItems() throws(Abort) -> [IndexItem] {
    var items: [IndexItem] = []
    var highest = 0
    repeat {
      items.append(try parseIndexItem())
      highest = max(highest, height)
    } while accept(.comma) && tokenKind != .rightBracket
    height = highest
    return items
  }

  private func parseIndexItem() throws(Abort) -> IndexItem {
    let lower = token.lower
    var highest = 0
    func part() throws(Abort) -> Expr? {
      guard tokenKind != .colon, tokenKind != .comma, tokenKind != .rightBracket else { return nil }
      let value = try parseExpression()
      highest = max(highest, height)
      return value
    }
    if tokenKind != .colon {
      let start = try parseExpression()
      highest = height
      guard tokenKind == .colon else { return .at(start) }
      advance()
      let stop = try part()
      let step = accept(.colon) ? try part() : nil
      height = highest
      return .slice(start: start, stop: stop, step: step, span(from: lower))
    }
    advance()
    let stop = try part()
    let step = accept(.colon) ? try part() : nil
    height = highest
    return .slice(start: nil, stop: stop, step: step, span(from: lower))
  }

  // MARK: Primaries

  private func parsePrimary() throws(Abort) -> Expr {
    switch tokenKind {
    case .number: return parseLeaf(.number(list.numbers[token.payload]))
    case .identifier: return parseLeaf(.name(list.names[token.payload]))
    case .trueWord: return parseLeaf(.boolean(true))
    case .falseWord: return parseLeaf(.boolean(false))
    case .string: return try parseString()
    case .leftParen: return try parseGroup()
    case .leftBracket: return try parseLiteral()
    case .normBar: return try parseNorm()
    default: throw failOperand()
    }
  }

  private func parseLeaf(_ kind: Expr.Kind) -> Expr {
    let expression = Expr(kind, span(of: token))
    advance()
    height = 1
    return expression
  }

  private func failOperand() -> Abort {
    let before = previous
    var after: String?
    if index > 0 {
      switch before.kind {
      case .number, .string, .identifier, .rightParen, .rightBracket, .rightBrace, .semicolon, .quote,
        .leftBrace, .invalid:
        break
      default: after = "'\(list.text(of: before))'"
      }
    }
    if tokenKind.opener != nil && list.partners[index] < 0 {
      return fail(.unmatchedCloser(list.text(of: token)), at: span(of: token))
    }
    // Reported already.
    if tokenKind == .invalid { return Abort() }
    // An operand may stand on the next line, so that the end of a line is not what is wrong here.
    if after == nil, token.newlineBefore, tokenKind != .end {
      let text = list.text(of: token)
      let goesOn = index > 0 && (tokenKind.infixLevel != nil || tokenKind == .comma)
      let hint =
        goesOn ? "a line goes on after an operator: put '\(text)' at the end of the line before" : nil
      return fail(
        .expectedExpression(after: nil, found: "'\(text)'", hint: operandHint ?? hint), at: span(of: token))
    }
    return failHere { .expectedExpression(after: after, found: $0, hint: operandHint) }
  }

  /// What was meant by a sign that cannot begin an operand.
  private var operandHint: String? {
    switch tokenKind {
    case .colon where previous.kind == .leftParen:
      "entries are chosen in square brackets: A[:, 1]"
    case .colon: "an interval is written a..b"
    case .percent where index == 0 || token.newlineBefore: "a comment begins with #"
    case .leftBrace where previous.kind == .assign: "a vector is written in square brackets: [1, 2]"
    case .assign where context.grammar != nil: "'=' assigns; to compare, write '==' or '<'"
    case .inWord where context.grammar?.operand(of: "for") != nil:
      "what it runs over stands after for: for t in -1..1"
    case .whileWord where context.grammar?.operand(of: "until") != nil: "'until' says when to stop"
    case .caret where previous.kind == .nabla: "the Hessian is ∇²f, or hessian(f)"
    default: nil
    }
  }

  /// `(e)`, or a tuple `(a, b)`.
  private func parseGroup() throws(Abort) -> Expr {
    let lower = token.lower
    let bracket = try openBracket()
    if tokenKind == .rightParen {
      let word =
        index > 1 && list.tokens[index - 2].kind == .identifier ? list.tokens[index - 2].payload : nil
      let verb = word.map { list.names[$0] }.flatMap { CommandGrammar[verb: $0]?.verb }
      throw fail(.emptyParentheses(verb: verb), at: Span(list.source, lower, token.upper))
    }
    var elements = [try parseExpression()]
    var isTuple = false
    var highest = height
    while accept(.comma) {
      isTuple = true
      if tokenKind == .rightParen { break }
      elements.append(try parseExpression())
      highest = max(highest, height)
    }
    try close(bracket)
    height = highest
    return isTuple ? try make(.tuple(elements), from: lower, over: highest) : elements[0]
  }

  /// `[a, b; c, d]`, or a comprehension.
  private func parseLiteral() throws(Abort) -> Expr {
    let lower = token.lower
    let bracket = try openBracket()
    var rows: [[Expr]] = []
    var highest = 0
    while tokenKind != .rightBracket {
      var row: [Expr] = []
      repeat {
        if tokenKind == .forWord { throw failComprehension(after: row + rows.joined()) }
        row.append(try parseExpression())
        highest = max(highest, height)
        guard tokenKind != .forWord else {
          if row.count > 1 || !rows.isEmpty { throw failComprehension(after: row + rows.joined()) }
          return try parseComprehension(of: row[0], bracket)
        }
      } while accept(.comma) && tokenKind != .rightBracket && tokenKind != .semicolon
      rows.append(row)
      guard accept(.semicolon) else { break }
    }
    try close(bracket)
    return try make(.literal(rows: rows), from: lower, over: highest)
  }

  /// `‖e‖` is `norm(e)`.
  private func parseNorm() throws(Abort) -> Expr {
    try enter()
    defer { depth -= 1 }
    let opener = token
    let saved = context
    advance()
    context = Context(ignoresNewlines: context.ignoresNewlines)
    let operand = try parseExpression()
    context = saved
    guard isAt(.normBar) else {
      let label = Diagnostic.Label(span(of: opener), "opened here")
      throw failHere({ .expected("'‖'", found: $0) }, labels: [label])
    }
    advance()
    let argument = Argument(name: nil, value: operand, span: operand.span)
    let callee = Expr(.name("norm"), span(of: opener))
    return try make(.call(callee, [argument]), from: opener.lower, over: height)
  }

  // MARK: Strings

  /// Levels of the depth budget that code in a string takes, since it runs a parser of its own.
  private static var stringLevels: Int { 20 }

  private func parseString() throws(Abort) -> Expr {
    let lower = token.lower
    var parts: [StringPart] = []
    var highest = 0
    for segment in list.strings[token.payload] {
      switch segment {
      case .text(let text): parts.append(.text(text))
      case .code(let from, let to, let format):
        parts.append(.value(try parseCode(from: from, to: to), format: format))
        highest = max(highest, height)
      }
    }
    advance()
    return try make(.string(parts), from: lower, over: highest)
  }

  private func parseCode(from lower: Int, to upper: Int) throws(Abort) -> Expr {
    try enter(Self.stringLevels)
    defer { depth -= Self.stringLevels }
    let inner = Parser(
      Lexer.tokenize(list.source, from: lower, to: upper), bound: bound, depth: depth, isNested: true)
    defer { adopt(inner) }
    let expression = try inner.parseExpression()
    guard inner.token.kind == .end else { throw inner.failHere { .expected("'}'", found: $0) } }
    height = inner.height
    return expression
  }
}
