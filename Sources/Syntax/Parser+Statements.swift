extension Parser {
  /// Statements up to the end of the text or of the block. Those with errors are left out.
  func parseStatements(inBlock: Bool) -> [Statement] {
    var result: [Statement] = []
    while !isExhausted {
      while tokenKind == .semicolon { advance() }
      if tokenKind == .end || (inBlock && tokenKind == .rightBrace) { break }
      let start = index
      let saved = (context: context, open: open.count, depth: depth)
      do throws(Abort) {
        result.append(try parseTerminated())
      } catch {
        context = saved.context
        depth = saved.depth
        recover(from: start, openCount: saved.open)
        // A closer that belongs to no block must not stop the loop.
        if !inBlock && tokenKind == .rightBrace { index += 1 }
        if index == start && tokenKind != .rightBrace { advance() }
      }
    }
    return result
  }

  /// A statement and the `;` or line break after it.
  private func parseTerminated() throws(Abort) -> Statement {
    let lower = token.lower
    let kind = try parseStatement()
    let span = span(from: lower)
    guard isAtLineEnd || tokenKind == .semicolon || isBlockEnd else { throw failTrailing(kind) }
    guard tokenKind == .semicolon else { return Statement(kind, span) }
    while tokenKind == .semicolon { advance() }
    return Statement(kind, span, isSilent: isAtLineEnd)
  }

  private var isBlockEnd: Bool { tokenKind == .rightBrace && list.partners[index] >= 0 }

  func parseStatement() throws(Abort) -> Statement.Kind {
    switch tokenKind {
    case .ifWord: try parseIf()
    case .forWord: try parseFor()
    case .whileWord: try parseWhile()
    case .returnWord: try parseReturn()
    case .breakWord: simple(.breaking)
    case .continueWord: simple(.continuing)
    case .question: parseHelp()
    case .elseWord: throw fail(.elseWithoutIf, at: span(of: token))
    case .identifier: try parseNamed()
    default: try parseExpressionStatement()
    }
  }

  private func simple(_ kind: Statement.Kind) -> Statement.Kind {
    advance()
    return kind
  }

  /// A statement that begins with a name: which one is decided by the name and by what follows.
  private func parseNamed() throws(Abort) -> Statement.Kind {
    guard let name else { return try parseExpressionStatement() }
    let next = peek()
    let isBinding = next.kind == .assign || next.kind == .define || next.kind == .tilde
    if !bound.contains(name) && !isBinding {
      let isNameNext = next.kind == .identifier && !next.newlineBefore
      switch name {
      case "print": return try parsePrint()
      case "assert": return try parseAssert()
      case "repeat": return try parseRepeat()
      case "residuals" where isNameNext && peek(2).kind == .define: return try parseResiduals()
      case "option" where isNameNext && peek(2).kind == .assign: return try parseOption()
      case "param" where isNameNext, "data" where isNameNext: return try parseDeclaration(name)
      default: break
      }
      if isNameNext, let hint = ForeignWords.keywords[list.text(of: token)] {
        throw fail(.foreignKeyword(list.text(of: token), hint: hint), at: span(of: token))
      }
    }
    if isFunctionHead { return try parseFunction(name) }
    if next.kind == .define { return try parseDefinition(name) }
    if readsAsCommand { return .command(try parseCommand()) }
    return try parseExpressionStatement()
  }

  // MARK: Bindings

  /// An expression, or the targets of `=` or `~`.
  private func parseExpressionStatement() throws(Abort) -> Statement.Kind {
    let target = try parseExpression()
    guard !isAtLineEnd else { return .expression(target) }
    switch tokenKind {
    case .assign: return try parseAssignment(to: target)
    case .tilde:
      let names = try targets(of: target).map(nameOfTarget)
      let value = try parseValue(allowsCommand: false)
      bound.formUnion(names)
      return .random(names: names, value: value)
    case .define:
      throw fail(.notATarget(hint: "':=' defines a name or a function: f := e, f(x) := e"), at: target.span)
    default: return .expression(target)
    }
  }

  private func parseAssignment(to target: Expr) throws(Abort) -> Statement.Kind {
    let targets = try targets(of: target)
    let value = try parseValue(allowsCommand: true)
    if isAt(.assign) {
      throw fail(
        .strayAssignment(hint: "write one assignment a line, or '==' to compare"), at: span(of: token))
    }
    for case .name(let name) in targets.map(\.kind) { bound.insert(name) }
    return .assign(targets: targets, value: value)
  }

  /// The names and index expressions that are bound by an expression left of `=`.
  private func targets(of target: Expr) throws(Abort) -> [Expr] {
    var result = [target]
    if case .tuple(let elements) = target.kind { result = elements }
    for element in result {
      switch element.kind {
      case .name: break
      case .index(let base, _):
        guard case .name = base.kind else {
          throw fail(
            .notATarget(hint: "name the tensor first, then assign to its elements"), at: element.span)
        }
      case .call(let callee, let arguments):
        if case .name(let keyword) = callee.kind, keyword == "param" || keyword == "data" {
          throw fail(.notATarget(hint: "each is declared by itself: \(keyword) a = 1"), at: element.span)
        }
        let isPlace = arguments.contains {
          if case .number = $0.value.kind { return true } else { return false }
        }
        let place = "an element is set in square brackets: \(callee.span.text)[…] = e"
        throw fail(.notATarget(hint: isPlace ? place : ForeignWords.function), at: element.span)
      default:
        throw fail(.notATarget(hint: "'=' binds a name or elements; '==' compares"), at: element.span)
      }
    }
    return result
  }

  private func nameOfTarget(_ target: Expr) throws(Abort) -> String {
    if case .name(let name) = target.kind { return name }
    throw fail(.notATarget(hint: "'~' binds a name: v ~ randn(3)"), at: target.span)
  }

  /// What stands after `=`, `:=` or `~`.
  private func parseValue(allowsCommand: Bool) throws(Abort) -> Expr {
    let sign = token
    advance()
    if tokenKind == .end || isAt(.semicolon) || (token.newlineBefore && beginsBinding) {
      report(
        .missingValue(after: list.text(of: sign)), at: span(of: sign), isEnd: tokenKind == .end)
      throw Abort()
    }
    guard allowsCommand && tokenKind == .identifier && readsAsCommand else { return try parseExpression() }
    let command = try parseCommand()
    return Expr(.command(command), command.span)
  }

  /// The token begins a statement that can be nothing else, so that a value before it is missing.
  private var beginsBinding: Bool {
    guard tokenKind == .identifier else { return tokenKind.isReservedWord && tokenKind != .ifWord }
    switch peek().kind {
    case .assign, .define, .tilde: return true
    case .identifier, .number, .string: return !peek().newlineBefore
    default: return false
    }
  }

  private func parseDefinition(_ name: String) throws(Abort) -> Statement.Kind {
    let nameSpan = span(of: token)
    advance()
    let value = try parseValue(allowsCommand: false)
    bound.insert(name)
    return .define(name: name, nameSpan: nameSpan, value: value)
  }

  private func parseDeclaration(_ keyword: String) throws(Abort) -> Statement.Kind {
    advance()
    let nameSpan = span(of: token)
    let name = name ?? ""
    advance()
    if isAt(.define) { throw fail(.definedDeclaration(keyword: keyword), at: span(of: token)) }
    guard isAt(.assign) else {
      guard isAtLineEnd || tokenKind == .semicolon else {
        let hint: String? =
          switch tokenKind {
          case .leftBracket: "the value gives the shape: \(keyword) \(name) = zeros(2)"
          case .comma: "each is declared by itself: \(keyword) \(name) = 1"
          default: nil
          }
        throw failHere { .expected("'=' after '\(keyword) \(name)'", found: $0, hint: hint) }
      }
      throw fail(.bareDeclaration(keyword: keyword, name: nameSpan.text), at: nameSpan)
    }
    let value = try parseValue(allowsCommand: true)
    let bounds = keyword == "param" && accept(.inWord) ? try parseExpression() : nil
    bound.insert(name)
    return keyword == "param"
      ? .param(name: name, nameSpan: nameSpan, value: value, bounds: bounds)
      : .data(name: name, nameSpan: nameSpan, value: value)
  }

  /// `option name = e`
  private func parseOption() throws(Abort) -> Statement.Kind {
    advance()
    let nameSpan = span(of: token)
    let name = name ?? ""
    advance()
    let value = try parseValue(allowsCommand: false)
    bound.insert(name)
    return .option(name: name, nameSpan: nameSpan, value: value)
  }

  /// `residuals r := e`
  private func parseResiduals() throws(Abort) -> Statement.Kind {
    advance()
    let nameSpan = span(of: token)
    guard let name, case .define(_, _, let value) = try parseDefinition(name) else {
      throw failHere { .expected("a name", found: $0) }
    }
    return .residuals(name: name, nameSpan: nameSpan, value: value)
  }

  // MARK: Functions

  /// `name(…)` with `:=` or a block after it.
  private var isFunctionHead: Bool {
    guard peek().kind == .leftParen, !peek().newlineBefore else { return false }
    let closer = list.partners[index + 1]
    guard closer >= 0 else { return false }
    let next = list.tokens[closer + 1]
    return next.kind == .define || (next.kind == .leftBrace && !next.newlineBefore)
  }

  private func parseFunction(_ name: String) throws(Abort) -> Statement.Kind {
    let nameSpan = span(of: token)
    let outside = bound
    defer { bound = outside.union([name]) }
    advance()
    let bracket = try openBracket()
    let formals = try parseFormals()
    try close(bracket)
    let body: FunctionDeclaration.Body
    bound.formUnion(formals.map(\.name) + [name])
    if tokenKind == .define {
      body = .expression(try parseValue(allowsCommand: false))
    } else {
      body = .block(try parseBlock())
    }
    return .function(FunctionDeclaration(name: name, nameSpan: nameSpan, formals: formals, body: body))
  }

  private func parseFormals() throws(Abort) -> [FunctionDeclaration.Formal] {
    var formals: [FunctionDeclaration.Formal] = []
    while tokenKind != .rightParen {
      let nameSpan = span(of: token)
      guard let name else { throw failHere { .expected("the name of a parameter", found: $0) } }
      advance()
      if formals.contains(where: { $0.name == name }) { throw fail(.repeatedFormal(name), at: nameSpan) }
      let value = accept(.assign) ? try parseExpression() : nil
      if value == nil, formals.last?.defaultValue != nil {
        throw fail(.requiredAfterDefault(name), at: nameSpan)
      }
      formals.append(FunctionDeclaration.Formal(name: name, span: nameSpan, defaultValue: value))
      guard accept(.comma) else { break }
    }
    return formals
  }

  // MARK: Control flow

  /// Statements in braces.
  func parseBlock() throws(Abort) -> [Statement] {
    guard tokenKind == .leftBrace else {
      throw failHere { .expected("'{'", found: $0, hint: "a block stands in braces: { … }") }
    }
    try enter(Self.blockLevels)
    defer { depth -= Self.blockLevels }
    let bracket = try openBracket(Context())
    let statements = parseStatements(inBlock: true)
    try close(bracket)
    return statements
  }

  /// Levels of the depth budget that a block takes: its functions need more stack than those of an expression.
  private static var blockLevels: Int { 3 }

  /// The statement, or an expression that begins with a conditional.
  private func parseIf() throws(Abort) -> Statement.Kind {
    let lower = token.lower
    advance()
    var condition = try parseCondition()
    if tokenKind == .thenWord { return .expression(try finishConditional(condition, from: lower)) }
    var branches: [Statement.Branch] = []
    while true {
      branches.append(Statement.Branch(condition: condition, body: try parseBlock()))
      guard tokenKind == .elseWord else { return .conditional(branches: branches, otherwise: nil) }
      advance()
      guard accept(.ifWord) else { break }
      condition = try parseCondition()
    }
    return .conditional(branches: branches, otherwise: try parseBlock())
  }

  private func parseFor() throws(Abort) -> Statement.Kind {
    advance()
    let hasParentheses = accept(.leftParen)
    var names: [String] = []
    repeat {
      guard let name, !isAtLineEnd else {
        throw failHere { .expected("the name of a loop variable", found: $0) }
      }
      names.append(name)
      advance()
    } while accept(.comma)
    if hasParentheses { try expect(.rightParen, "')'") }
    try expect(.inWord, "'in'", hint: "a loop is written: for i in 0..10 { … }")
    let domain = try parseExpression()
    bound.formUnion(names)
    return .forLoop(names: names, domain: domain, body: try parseBlock())
  }

  private func parseWhile() throws(Abort) -> Statement.Kind {
    advance()
    let condition = try parseCondition()
    return .whileLoop(condition: condition, body: try parseBlock())
  }

  private func parseRepeat() throws(Abort) -> Statement.Kind {
    advance()
    let count = try parseExpression()
    return .repeatLoop(count: count, body: try parseBlock())
  }

  private func parseReturn() throws(Abort) -> Statement.Kind {
    advance()
    if isAtLineEnd || tokenKind == .semicolon || tokenKind == .rightBrace { return .returning(nil) }
    let lower = token.lower
    let values = try parseList()
    if values.count == 1 { return .returning(values[0]) }
    return .returning(try make(.tuple(values), from: lower, over: height))
  }

  // MARK: Output

  private func parsePrint() throws(Abort) -> Statement.Kind {
    advance()
    if isAtLineEnd || tokenKind == .semicolon || tokenKind == .rightBrace { return .print([]) }
    return .print(Self.spread(try parseList()))
  }

  private func parseAssert() throws(Abort) -> Statement.Kind {
    advance()
    let values = Self.spread(try parseList())
    if isAt(.assign) { throw fail(.assignmentInCondition, at: span(of: token)) }
    guard let condition = values.first, values.count <= 2 else {
      throw failHere { .expected("a condition and a message", found: $0) }
    }
    return .assertion(condition, message: values.count > 1 ? values[1] : nil)
  }

  /// Expressions with commas between them; leaves the height of the highest.
  private func parseList() throws(Abort) -> [Expr] {
    var values: [Expr] = []
    var highest = 0
    repeat {
      values.append(try parseExpression())
      highest = max(highest, height)
    } while accept(.comma)
    height = highest
    return values
  }

  /// `print(a, b)` prints two values, like `print a, b`.
  private static func spread(_ values: [Expr]) -> [Expr] {
    if values.count == 1, case .tuple(let elements) = values[0].kind { return elements }
    return values
  }

  /// `?name`, for whatever may be looked up: names, verbs, methods, operators.
  private func parseHelp() -> Statement.Kind {
    advance()
    if isAtLineEnd || tokenKind == .semicolon { return .help(nil) }
    if let word = parseWord() { return .help(word.name) }
    let text = list.text(of: token)
    advance()
    return .help(text)
  }
}
