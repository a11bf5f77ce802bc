/// The parts of a command as they are read.
struct CommandParts {
  var subjects: [Expr] = []
  var clauses: [Command.Clause] = []
  var options: [Argument] = []
  var block: [Statement]?
}

extension Parser {
  // MARK: Command or expression

  /// Whether the verb at the token begins a command; notes a verb that the user's binding hides.
  var readsAsCommand: Bool {
    guard let verb = name, let grammar = CommandGrammar[verb: verb], looksLikeCommand(grammar) else {
      return false
    }
    guard bound.contains(verb) else { return true }
    if !shadowed.contains(where: { $0.verb == verb }) {
      shadowed.append(ParseResult.ShadowedVerb(verb: verb, span: span(of: token)))
    }
    return false
  }

  private func looksLikeCommand(_ grammar: CommandGrammar) -> Bool {
    let next = peek()
    if next.kind == .end || next.newlineBefore { return true }
    switch next.kind {
    case .assign, .define, .tilde, .colon, .dot: return false
    case .plus, .minus: return next.spaceBefore && !peek(2).spaceBefore
    case .leftBracket, .quote: return next.spaceBefore
    case .leftParen: return next.spaceBefore || !grammar.isBuiltin
    default: return next.kind.infixLevel == nil || grammar.verb == "help"
    }
  }

  // MARK: Commands

  func parseCommand() throws(Abort) -> Command {
    try enter()
    defer { depth -= 1 }
    let verbSpan = span(of: token)
    guard let verb = name, let grammar = CommandGrammar[verb: verb] else {
      throw failHere { .expected("a command", found: $0) }
    }
    let saved = context
    context = Context(grammar: grammar)
    advance()
    var parts = CommandParts()
    try parseSubject(grammar, into: &parts)
    while !isAtCommandEnd && parts.block == nil { try parsePart(grammar, into: &parts) }
    context = saved
    return Command(
      verb: verb, verbSpan: verbSpan, subjects: parts.subjects, clauses: parts.clauses,
      options: parts.options, block: parts.block, span: span(from: verbSpan.lower))
  }

  private var isAtCommandEnd: Bool { isAtLineEnd || isAtEndOfStatement }

  private var isAtEndOfStatement: Bool {
    tokenKind == .end || tokenKind == .semicolon || tokenKind.opener != nil
  }

  /// What stands right after the verb and is not an ordinary expression.
  private func parseSubject(_ grammar: CommandGrammar, into parts: inout CommandParts) throws(Abort) {
    guard !isAtCommandEnd else { return }
    if grammar.subject == .statement { return try parseTimed(into: &parts) }
    guard !isAtOption else { return }
    if let inner = grammar.inner, name == inner, readsAsCommand {
      let command = try parseCommand()
      parts.subjects.append(Expr(.command(command), command.span))
      return
    }
    switch grammar.subject {
    case .bindings where tokenKind == .identifier && peek().kind == .inWord:
      parts.clauses.append(try parseBindings("for", span(of: token)))
    case .word:
      guard let word = parseWord() ?? parseSymbol(grammar) else { return }
      parts.subjects.append(Expr(.name(word.name), word.span))
      height = 1
    default: break
    }
  }

  private func parsePart(_ grammar: CommandGrammar, into parts: inout CommandParts) throws(Abort) {
    if isAtOption {
      restateMalformedNumber(grammar)
      let option = try parseArgument()
      if parts.options.contains(where: { $0.name == option.name }) {
        throw fail(.repeatedArgument(option.name ?? ""), at: option.span)
      }
      parts.options.append(option)
      _ = accept(.comma)
    } else if let operand = clauseOperand(grammar) {
      parts.clauses.append(try parseClause(operand))
    } else if tokenKind == .leftBrace {
      guard grammar.takesBlock else { throw fail(.noBlock(verb: grammar.verb), at: span(of: token)) }
      parts.block = try parseBlock()
    } else {
      try parseSubjects(grammar, into: &parts)
    }
  }

  /// The keyword of a clause of the command that is being read.
  private var isAtClause: Bool { context.grammar.flatMap { clauseOperand($0) } != nil }

  /// `name =`, which begins an option.
  private var isAtOption: Bool { tokenKind == .identifier && peek().kind == .assign && !peek().newlineBefore }

  /// The lexer has reported what follows `name =` as a number; it may have been meant for a text.
  private func restateMalformedNumber(_ grammar: CommandGrammar) {
    let value = span(of: peek(2))
    guard peek(2).kind == .invalid, let option = name else { return }
    restate(
      .malformedNumber(value.text),
      as: .malformedNumber(value.text, option: option, isText: grammar.takesText(option)), at: value)
  }

  /// What the clause keyword at the token takes; nil when the token is none. `max(a, b)` is a call.
  private func clauseOperand(_ grammar: CommandGrammar) -> CommandGrammar.Operand? {
    let next = peek()
    if !next.spaceBefore && (next.kind == .leftParen || next.kind == .leftBracket || next.kind == .dot) {
      return nil
    }
    if tokenKind == .forWord { return grammar.operand(of: "for") }
    return name.flatMap { grammar.operand(of: $0) }
  }

  private func parseSubjects(_ grammar: CommandGrammar, into parts: inout CommandParts) throws(Abort) {
    guard grammar.subject != .none, tokenKind != .comma else {
      let hint = isAt(.comma) ? "options follow the verb without a comma" : "see ?\(grammar.verb)"
      throw failHere { .noSubject(verb: grammar.verb, found: $0, hint: hint) }
    }
    repeat {
      // A comma may stand before the first option or a clause, too.
      if !parts.subjects.isEmpty && (isAtOption || clauseOperand(grammar) != nil) { return }
      parts.subjects.append(grammar.subject == .methods ? try parseMethod() : try parseExpression())
    } while accept(.comma)
  }

  // MARK: Clauses

  private func parseClause(_ operand: CommandGrammar.Operand) throws(Abort) -> Command.Clause {
    let keywordSpan = span(of: token)
    let keyword = list.text(of: token)
    advance()
    if operand == .nothing { return Command.Clause(keyword: keyword, span: keywordSpan, values: []) }
    // A line that ends with the keyword goes on in the next one, as after an operator, unless that is a statement.
    let beginsStatement =
      tokenKind.isReservedWord
      || (tokenKind == .identifier && [.assign, .define, .tilde].contains(peek().kind))
    if isAtEndOfStatement || (isAtLineEnd && beginsStatement) || isAt(.leftBrace) || isAt(.comma) {
      throw failHere { .missingClauseValue(keyword: keyword, found: $0) }
    }
    switch operand {
    case .bindings: return try parseBindings(keyword, keywordSpan)
    case .word:
      let value = try parseMethod()
      return Command.Clause(keyword: keyword, span: span(from: keywordSpan.lower), values: [value])
    default: return try parseClauseValues(keyword, keywordSpan)
    }
  }

  private func parseClauseValues(_ keyword: String, _ keywordSpan: Span) throws(Abort) -> Command.Clause {
    var values: [Expr] = []
    repeat {
      if !values.isEmpty && (isAtOption || isAtClause) { break }
      values.append(try parseExpression())
    } while accept(.comma)
    return Command.Clause(keyword: keyword, span: span(from: keywordSpan.lower), values: values)
  }

  private func parseBindings(_ keyword: String, _ keywordSpan: Span) throws(Abort) -> Command.Clause {
    var bindings: [Command.Binding] = []
    repeat {
      if !bindings.isEmpty && (isAtOption || isAtClause) { break }
      let binding = try parseBinding()
      if bindings.contains(where: { $0.name == binding.name }) {
        throw fail(.repeatedFormal(binding.name), at: binding.span)
      }
      bindings.append(binding)
    } while accept(.comma)
    return Command.Clause(
      keyword: keyword, span: span(from: keywordSpan.lower), values: bindings.map(\.domain),
      bindings: bindings)
  }

  /// `name in [log] [int] range`
  private func parseBinding() throws(Abort) -> Command.Binding {
    let lower = token.lower
    guard let name else { throw failHere { .expected("a name", found: $0, hint: "as in: for t in -1..1") } }
    advance()
    let entries = "the variable is a new name: plot f(\(name) = [s, t]) for s in -1..1, t in -1..1"
    try expect(.inWord, "'in'", hint: isAt(.leftBracket) ? entries : "say over what: for \(name) in -1..1")
    var scale: String?
    for words in [["log", "linear"], ["int"]] {
      guard let word = self.name, words.contains(word), beginsArgument(peek()) else { continue }
      scale = scale.map { "\($0) \(word)" } ?? word
      advance()
    }
    let domain = try parseExpression()
    return Command.Binding(name: name, scale: scale, domain: domain, span: span(from: lower))
  }

  /// The token stands apart and begins an operand, so that the word before it is no operand itself.
  private func beginsArgument(_ next: Token) -> Bool {
    guard next.spaceBefore && !next.newlineBefore else { return false }
    switch next.kind {
    case .number, .identifier, .leftParen, .leftBracket, .minus, .normBar, .nabla: return true
    default: return false
    }
  }

  // MARK: Words and methods

  /// A name that may have hyphens: `newton-cg`.
  func parseWord() -> (name: String, span: Span)? {
    guard var word = name else { return nil }
    let lower = token.lower
    advance()
    while tokenKind == .minus && !token.spaceBefore && peek().kind == .identifier && !peek().spaceBefore {
      advance()
      word += "-" + (name ?? "")
      advance()
    }
    return (word, span(from: lower))
  }

  /// What else `help` may be asked about: `help ^`, `help for`.
  private func parseSymbol(_ grammar: CommandGrammar) -> (name: String, span: Span)? {
    guard grammar.verb == "help", tokenKind.isReservedWord || tokenKind.infixLevel != nil else { return nil }
    advance()
    return (list.text(of: previous), span(of: previous))
  }

  /// A method with its own options in parentheses: `gd(lr=1e-3)`. Anything but a name is an expression.
  private func parseMethod() throws(Abort) -> Expr {
    guard peek().kind == .minus, let word = parseWord() else { return try parseExpression() }
    height = 1
    let method = Expr(.name(word.name), word.span)
    guard isAt(.leftParen) && !token.spaceBefore else { return method }
    return try parseCall(of: method, from: word.span.lower)
  }

  /// `time` takes a block, an expression, a command or any other statement.
  private func parseTimed(into parts: inout CommandParts) throws(Abort) {
    try enter(3)
    defer { depth -= 3 }
    context.grammar = nil
    if tokenKind == .leftBrace {
      parts.block = try parseBlock()
      return
    }
    let lower = token.lower
    switch try parseStatement() {
    case .expression(let expression): parts.subjects = [expression]
    case .command(let command): parts.subjects = [Expr(.command(command), command.span)]
    case let kind: parts.block = [Statement(kind, span(from: lower))]
    }
  }
}
