/// A piece of program text as the lexer cut it. Small on purpose: what it spells is kept in `TokenList`.
public struct Token: Sendable {
  public enum Kind: UInt8, Sendable {
    case number, string, identifier
    case plus, minus, star, slash, percent, at, caret, quote
    case leftParen, rightParen, leftBracket, rightBracket, leftBrace, rightBrace
    case comma, semicolon, colon, define, assign, tilde, dot, dotDot, question
    case equal, notEqual, less, lessEqual, greater, greaterEqual
    case normBar, nabla, nablaSquared
    case ifWord, thenWord, elseWord, andWord, orWord, notWord, trueWord, falseWord
    case forWord, inWord, whileWord, returnWord, breakWord, continueWord
    /// Something the lexer has reported already.
    case invalid
    case end
  }

  public let kind: Kind
  /// White space (or a line break) stands before the token.
  public let spaceBefore: Bool
  /// A line break stands before the token.
  public let newlineBefore: Bool
  public let lower: Int
  public let upper: Int
  /// Where `TokenList` keeps the name, number or string.
  let payload: Int
}

/// A string literal as the lexer cut it: text, and code between braces that the parser reads later.
enum StringSegment: Sendable {
  case text(String)
  case code(lower: Int, upper: Int, format: String?)
}

/// All tokens of a text, ending with one of kind `end`.
public struct TokenList: Sendable {
  public let source: SourceText
  public internal(set) var tokens: [Token] = []
  public internal(set) var diagnostics: [Diagnostic] = []
  var names: [String] = []
  var numbers: [Double] = []
  var strings: [[StringSegment]] = []
  /// For each bracket the index of its partner, −1 for a token that has none.
  var partners: [Int] = []

  init(source: SourceText) { self.source = source }

  /// The canonical name of an identifier token.
  public func name(of token: Token) -> String? {
    token.kind == .identifier ? names[token.payload] : nil
  }

  /// The value of a number token.
  public func number(of token: Token) -> Double? {
    token.kind == .number ? numbers[token.payload] : nil
  }

  /// The token as the user wrote it.
  public func text(of token: Token) -> String { Span(source, token.lower, token.upper).text }

  /// Pairs brackets up. A closer skips unclosed round and square brackets to find its opener, but a round or
  /// square one never reaches out of its block, so that one slip does not disturb the statements around it.
  mutating func pairBrackets() {
    partners = Array(repeating: -1, count: tokens.count)
    var open: [Int] = []
    for (index, token) in tokens.enumerated() {
      guard let opener = token.kind.opener else {
        if token.kind.isOpener { open.append(index) }
        continue
      }
      var candidate = open.count - 1
      while candidate >= 0 && tokens[open[candidate]].kind != opener {
        if tokens[open[candidate]].kind == .leftBrace { candidate = 0 }
        candidate -= 1
      }
      guard candidate >= 0 else { continue }
      partners[open[candidate]] = index
      partners[index] = open[candidate]
      open.removeSubrange(candidate...)
    }
  }
}

extension TokenList {
  /// The token at a span is a statement by itself.
  func isWholeStatement(_ span: Span) -> Bool {
    guard let place = tokens.firstIndex(where: { $0.lower == span.lower && $0.upper == span.upper }) else {
      return false
    }
    let bracket = tokens[..<place].indices.last { tokens[$0].kind.isOpener && partners[$0] > place }
    if let bracket, tokens[bracket].kind != .leftBrace { return false }
    let next = tokens[place + 1]
    let ends = next.newlineBefore || [.end, .semicolon, .rightBrace].contains(next.kind)
    guard ends, place > 0 else { return ends }
    let before = tokens[place - 1].kind
    // After an operator or a comma a line break is white space.
    return [.semicolon, .leftBrace, .rightBrace].contains(before)
      || tokens[place].newlineBefore
        && (before.endsOperand || [.breakWord, .continueWord].contains(before))
  }
}

extension Span {
  /// It is one word, and nothing else stands between the ends of the statement that it is in. Reads the whole text.
  public var isWholeStatement: Bool { Lexer.tokenize(source).isWholeStatement(self) }
}

extension Token.Kind {
  var isOpener: Bool { self == .leftParen || self == .leftBracket || self == .leftBrace }

  /// The opener that this closer belongs to.
  var opener: Token.Kind? {
    switch self {
    case .rightParen: .leftParen
    case .rightBracket: .leftBracket
    case .rightBrace: .leftBrace
    default: nil
    }
  }

  var isReservedWord: Bool {
    rawValue >= Token.Kind.ifWord.rawValue && rawValue <= Token.Kind.continueWord.rawValue
  }

  /// An operand can end with this token, so that a `'` which touches it is a transpose.
  var endsOperand: Bool {
    switch self {
    case .number, .string, .identifier, .rightParen, .rightBracket, .quote, .normBar, .trueWord, .falseWord:
      true
    default: false
    }
  }

  static let reservedWords: [String: Token.Kind] = [
    "if": .ifWord, "then": .thenWord, "else": .elseWord, "and": .andWord, "or": .orWord, "not": .notWord,
    "true": .trueWord, "false": .falseWord, "for": .forWord, "in": .inWord, "while": .whileWord,
    "return": .returnWord, "break": .breakWord, "continue": .continueWord,
  ]
}
