/// Reads program text: a recursive descent over statements and commands, precedence climbing for expressions.
///
/// Depth is bounded for the parser's recursion and for the trees it makes, so that neither it nor what walks
/// its trees can run out of stack; long chains of operators are flat and unbounded.
public final class Parser {
  /// Thrown after a diagnostic was recorded, to get back to the statement loop.
  struct Abort: Error {}

  /// What depends on where in the text the parser is; saved and restored around brackets.
  struct Context {
    /// Inside round and square brackets line breaks are white space.
    var ignoresNewlines = false
    /// Directly inside an index, where a range may lack an end.
    var isIndex = false
    /// Among the arguments of a command.
    var grammar: CommandGrammar?
  }

  static let maximalDepth = 200
  static let maximalErrors = 20

  let list: TokenList
  var index = 0
  var context = Context()
  /// Names bound so far: verbs among them are names.
  var bound: Set<String>
  /// Openers whose closers have not been reached.
  var open: [Int] = []
  var depth = 0
  /// The height of the expression parsed last.
  var height = 0
  var shadowed: [ParseResult.ShadowedVerb] = []
  private(set) var diagnostics: [Diagnostic]
  private var isInvalid: Bool
  private var hasReportedEnd = false
  let isNested: Bool

  /// Parses a whole text.
  ///
  /// - Parameter shadowedVerbs: names the user has bound; verbs among them do not begin commands.
  /// - Complexity: O(n) in the length of the text.
  public static func parse(_ source: SourceText, shadowedVerbs: Set<String> = []) -> ParseResult {
    let parser = Parser(Lexer.tokenize(source), bound: shadowedVerbs)
    return parser.result(parser.parseStatements(inBlock: false))
  }

  init(_ list: TokenList, bound: Set<String>, depth: Int = 0, isNested: Bool = false) {
    self.list = list
    self.bound = bound
    self.depth = depth
    self.isNested = isNested
    diagnostics = list.diagnostics
    isInvalid = !list.diagnostics.isEmpty
  }

  private func result(_ statements: [Statement]) -> ParseResult {
    var sorted = diagnostics.enumerated().sorted { left, right in
      let (a, b) = (left.element.span?.lower ?? 0, right.element.span?.lower ?? 0)
      return a == b ? left.offset < right.offset : a < b
    }.map(\.element)
    if sorted.count > Self.maximalErrors {
      let last = sorted[Self.maximalErrors - 1].span ?? Span(list.source, 0, 0)
      sorted.removeSubrange(Self.maximalErrors...)
      sorted.append(SyntaxError.tooManyErrors.diagnostic(at: last))
    }
    return ParseResult(
      statements: statements, diagnostics: sorted,
      completeness: sorted.isEmpty ? .complete : isInvalid ? .invalid : .incomplete, shadowedVerbs: shadowed)
  }

  // MARK: Tokens

  var token: Token { list.tokens[index] }
  var tokenKind: Token.Kind { list.tokens[index].kind }
  var previous: Token { list.tokens[max(index - 1, 0)] }

  func peek(_ ahead: Int = 1) -> Token { list.tokens[min(index + ahead, list.tokens.count - 1)] }

  func advance() { if tokenKind != .end { index += 1 } }

  /// The statement cannot go on here: the text or, where that matters, the line is at its end.
  var isAtLineEnd: Bool { tokenKind == .end || (token.newlineBefore && !context.ignoresNewlines) }

  /// The token is of this kind and on the same line.
  func isAt(_ kind: Token.Kind) -> Bool { tokenKind == kind && !isAtLineEnd }

  func accept(_ kind: Token.Kind) -> Bool {
    guard isAt(kind) else { return false }
    advance()
    return true
  }

  func span(of token: Token) -> Span { Span(list.source, token.lower, token.upper) }

  /// From a token's start to the end of what was read last.
  func span(from lower: Int) -> Span { Span(list.source, lower, max(lower, previous.upper)) }

  var name: String? { tokenKind == .identifier ? list.names[token.payload] : nil }

  // MARK: Errors

  func report(_ error: SyntaxError, at span: Span, labels: [Diagnostic.Label] = [], isEnd: Bool = false) {
    if isEnd && hasReportedEnd { return }
    if isEnd { hasReportedEnd = true }
    if !isEnd || isNested { isInvalid = true }
    let found = error.diagnostic(at: span, labels: labels)
    // Recovery may come upon the same token again.
    if diagnostics.contains(where: { $0.span?.lower == span.lower && $0.message == found.message }) { return }
    diagnostics.append(found)
  }

  /// Says an error that was reported at a place in other words.
  func restate(_ error: SyntaxError, as other: SyntaxError, at span: Span) {
    let old = error.diagnostic(at: span)
    guard
      let place = diagnostics.firstIndex(where: {
        $0.span?.lower == span.lower && $0.message == old.message && $0.hint == old.hint
      })
    else { return }
    diagnostics[place] = other.diagnostic(at: span)
  }

  /// Takes over what a parser of code inside a string has found.
  func adopt(_ other: Parser) {
    diagnostics += other.diagnostics
    isInvalid = isInvalid || !other.diagnostics.isEmpty
  }

  func fail(_ error: SyntaxError, at span: Span, labels: [Diagnostic.Label] = []) -> Abort {
    report(error, at: span, labels: labels)
    return Abort()
  }

  /// An error at the token, or just before it where the line ends. The lexer has reported an invalid token.
  func failHere(_ error: (_ found: String) -> SyntaxError, labels: [Diagnostic.Label] = []) -> Abort {
    guard tokenKind != .invalid || isAtLineEnd else { return Abort() }
    report(error(found), at: foundSpan, labels: labels, isEnd: tokenKind == .end)
    return Abort()
  }

  var foundSpan: Span {
    isAtLineEnd ? Span(list.source, previous.upper, previous.upper) : span(of: token)
  }

  /// How messages call the token.
  var found: String {
    if tokenKind == .end { return isNested ? "'}'" : "the end of the input" }
    return isAtLineEnd ? "the end of the line" : "'\(list.text(of: token))'"
  }

  func expect(_ kind: Token.Kind, _ what: String, hint: String? = nil) throws(Abort) {
    guard isAt(kind) else { throw failHere { .expected(what, found: $0, hint: hint) } }
    advance()
  }

  // MARK: Depth

  /// Counts a level of recursion; `depth` goes back where the caller returns.
  func enter(_ levels: Int = 1) throws(Abort) {
    guard depth + levels <= Self.maximalDepth else { throw failTooDeep() }
    depth += levels
  }

  /// A node over parts of the given height.
  func make(_ kind: Expr.Kind, from lower: Int, over parts: Int) throws(Abort) -> Expr {
    guard parts < Self.maximalDepth else { throw failTooDeep() }
    height = parts + 1
    return Expr(kind, span(from: lower))
  }

  /// Too deep to go on with any of the text: reported once, and the rest is skipped.
  private func failTooDeep() -> Abort {
    let span = span(of: token)
    index = list.tokens.count - 1
    defer { hasReportedEnd = true }
    return fail(.tooDeep(limit: Self.maximalDepth), at: span)
  }

  // MARK: Brackets

  /// A bracket that is being read, and the context to go back to after it.
  struct Bracket {
    let opener: Int
    let saved: Context
  }

  /// Reads the opener at the token. Line breaks are white space up to the closer.
  ///
  /// Brackets count twice: their functions need more stack than those of operators.
  func openBracket(_ inside: Context = Context(ignoresNewlines: true)) throws(Abort) -> Bracket {
    try enter()
    let bracket = Bracket(opener: index, saved: context)
    open.append(index)
    advance()
    context = inside
    return bracket
  }

  /// Reads the closer of a bracket.
  func close(_ bracket: Bracket) throws(Abort) {
    guard tokenKind.opener == list.tokens[bracket.opener].kind else { throw failToClose(bracket.opener) }
    advance()
    open.removeLast()
    context = bracket.saved
    depth -= 1
  }

  private func failToClose(_ opener: Int) -> Abort {
    let opening = list.tokens[opener]
    let text = list.text(of: opening)
    if tokenKind == .end {
      // What could not be read may have held the closer, and is to be mended first.
      let isCutShort = diagnostics.contains { ($0.span?.lower ?? 0) > span(of: opening).lower }
      if isCutShort { return Abort() }
      report(.unclosed(text), at: span(of: opening), isEnd: true)
      return Abort()
    }
    guard tokenKind != .invalid else { return Abort() }
    let label = Diagnostic.Label(span(of: opening), "opened here")
    if tokenKind.opener != nil {
      return fail(
        .wrongCloser(found: list.text(of: token), opener: text), at: span(of: token), labels: [label])
    }
    if tokenKind == .assign {
      let isPart = opening.kind == .leftParen && previous.kind == .rightBracket
      let hint = isPart ? "a replacement names a whole leaf: f(x = [1, 2])" : nil
      return fail(.strayAssignment(hint: hint), at: span(of: token))
    }
    if tokenKind == .colon { return fail(.strayColon(hint: nil), at: span(of: token)) }
    if list.partners[opener] < 0 {
      return fail(
        .unclosed(text), at: span(of: opening),
        labels: [Diagnostic.Label(span(of: token), "expected '\(SyntaxError.closer(of: text))' before this")])
    }
    let hint = opening.kind == .leftBrace ? nil : elementHint
    return failHere(
      { .expected("'\(SyntaxError.closer(of: text))'", found: $0, hint: hint) }, labels: [label])
  }

  /// What is missing between an element and the token.
  private var elementHint: String {
    switch tokenKind {
    case .define: "':=' defines a name; an argument is given with '='"
    case .forWord: "a comprehension stands in square brackets: sum([x^2 for x in 0..5])"
    case .identifier where previous.kind == .number: "a product is written with '*'"
    case .identifier, .number, .leftParen, .leftBracket:
      juxtapositionHint.map { "\($0); elements are separated with ','" } ?? "separate elements with ','"
    default: "separate elements with ','"
    }
  }

  /// Two operands side by side: a call without parentheses, or a product without its sign.
  var juxtapositionHint: String? {
    switch previous.kind {
    case .identifier:
      let word = list.text(of: previous)
      return "a call is written \(word)(…), a product \(word)*…"
    case .quote, .rightBracket, .rightParen: return "a product is written with '*', or '@' for matrices"
    default: return nil
    }
  }

  // MARK: Recovery

  /// After an error: skips to the next statement of the same block.
  func recover(from start: Int, openCount: Int) {
    if open.count > openCount {
      let partner = list.partners[open[openCount]]
      if partner >= index { index = partner + 1 }
      open.removeSubrange(openCount...)
    }
    while tokenKind != .end && tokenKind != .semicolon && tokenKind != .rightBrace {
      if token.newlineBefore && index > start { return }
      let partner = tokenKind.isOpener ? list.partners[index] : -1
      index = partner >= 0 ? partner + 1 : index + 1
    }
  }

  var isExhausted: Bool { diagnostics.count > Self.maximalErrors }
}
