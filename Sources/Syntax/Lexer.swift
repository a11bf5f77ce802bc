/// Cuts program text into tokens. Errors become tokens of kind `invalid` and diagnostics, so that the rest of
/// the text is still read.
public struct Lexer {
  var list: TokenList
  let bytes: [UInt8]
  let limit: Int
  var position: Int
  private var spaceSeen = false
  private var newlineSeen = false
  /// The first line carries a prompt, so that lines without one are output that was pasted along.
  private var isTranscript = false

  /// The tokens of a whole text. White space, comments and the prompts of a pasted transcript are left out.
  /// - Complexity: O(n) in the length of the text.
  public static func tokenize(_ source: SourceText) -> TokenList {
    var lexer = Lexer(source: source, from: 0, to: source.utf8.count)
    lexer.startText()
    return lexer.run()
  }

  /// The tokens of a part of a text, such as the code in a string.
  static func tokenize(_ source: SourceText, from lower: Int, to upper: Int) -> TokenList {
    Lexer(source: source, from: lower, to: upper).run()
  }

  private init(source: SourceText, from lower: Int, to upper: Int) {
    list = TokenList(source: source)
    bytes = source.utf8
    position = lower
    limit = upper
  }

  private consuming func run() -> TokenList {
    while true {
      skipBlank()
      guard position < limit else { break }
      scanToken()
    }
    list.tokens.append(
      Token(kind: .end, spaceBefore: true, newlineBefore: newlineSeen, lower: limit, upper: limit, payload: 0)
    )
    list.pairBrackets()
    return list
  }

  // MARK: Characters

  func byte(_ ahead: Int = 0) -> UInt8 { position + ahead < limit ? bytes[position + ahead] : 0 }

  func isDigit(_ ahead: Int = 0) -> Bool { (0x30...0x39).contains(byte(ahead)) }

  /// The scalar at a byte offset, and its length. The text is valid UTF-8 since it comes from a `String`.
  func scalar(at offset: Int) -> (scalar: Unicode.Scalar, length: Int) {
    let lead = bytes[offset]
    let length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
    var value = lead < 0x80 ? UInt32(lead) : UInt32(lead) & (0xFF >> UInt32(length + 1))
    for index in 1..<max(length, 1) where offset + index < bytes.count {
      value = value << 6 | UInt32(bytes[offset + index] & 0x3F)
    }
    return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
  }

  // MARK: White space

  private mutating func startText() {
    if limit >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF { position = 3 }
    let start = position
    while position < limit && (byte() == 0x0A || byte() == 0x0D || byte() == 0x20 || byte() == 0x09) {
      position += 1
    }
    isTranscript = promptLength() != nil
    position = start
    startLine()
  }

  /// At the start of a line: passes over a prompt, or over a line of output in a transcript.
  private mutating func startLine() {
    let start = position
    while byte() == 0x20 || byte() == 0x09 { position += 1 }
    if let length = promptLength() {
      position += length
    } else if isTranscript {
      skipLine()
    } else {
      position = start
    }
  }

  private func promptLength() -> Int? {
    for prompt in ["hlab>", "....>"] where bytes[position..<limit].starts(with: prompt.utf8) {
      let next = byte(5)
      if next == 0x20 || next == 0x0A || next == 0x0D || position + 5 == limit { return 5 }
    }
    return nil
  }

  private mutating func skipLine() {
    while position < limit && bytes[position] != 0x0A { position += 1 }
  }

  private mutating func skipBlank() {
    spaceSeen = false
    newlineSeen = false
    while position < limit {
      switch bytes[position] {
      case 0x0A:
        newlineSeen = true
        position += 1
        startLine()
      case 0x20, 0x09, 0x0D, 0x0B, 0x0C: position += 1
      case UInt8(ascii: "#"): skipLine()
      case 0x80...:
        let (scalar, length) = scalar(at: position)
        guard scalar.properties.isWhitespace || scalar == "\u{FEFF}" else { return }
        position += length
      default: return
      }
      spaceSeen = true
    }
  }

  // MARK: Tokens

  mutating func add(_ kind: Token.Kind, from lower: Int, payload: Int = 0) {
    list.tokens.append(
      Token(
        kind: kind, spaceBefore: spaceSeen || list.tokens.isEmpty, newlineBefore: newlineSeen, lower: lower,
        upper: position, payload: payload))
  }

  /// Reports an error in the text from `lower` to the position, and leaves an invalid token for it.
  mutating func addInvalid(_ error: SyntaxError, from lower: Int) {
    report(error, from: lower)
    add(.invalid, from: lower)
  }

  mutating func report(_ error: SyntaxError, from lower: Int) {
    list.diagnostics.append(error.diagnostic(at: Span(list.source, lower, position)))
  }

  private mutating func scanToken() {
    let first = bytes[position]
    if isDigit() || (first == UInt8(ascii: ".") && isDigit(1)) { return scanNumber() }
    if first == UInt8(ascii: "\"") { return scanString() }
    if first == UInt8(ascii: "'") { return scanQuote() }
    let (scalar, length) = scalar(at: position)
    if Names.isStart(scalar) { return scanName() }
    if let foreign = foreignOperator() {
      let lower = position
      position += foreign.text.utf8.count
      return addInvalid(.foreignOperator(foreign.text, hint: foreign.hint), from: lower)
    }
    let lower = position
    if let (kind, length) = operatorHere(scalar, length) {
      position += length
      return add(kind, from: lower)
    }
    position += length
    addInvalid(.unknownCharacter(scalar), from: lower)
  }

  private mutating func scanName() {
    let lower = position
    skipName()
    let text = String(decoding: bytes[lower..<position], as: UTF8.self)
    if let word = Token.Kind.reservedWords[text] { return add(word, from: lower) }
    list.names.append(Names.canonical(text))
    add(.identifier, from: lower, payload: list.names.count - 1)
  }

  mutating func skipName() {
    while position < limit {
      let (scalar, length) = scalar(at: position)
      guard Names.isPart(scalar) else { return }
      position += length
    }
  }

  /// A `'` that touches an operand transposes it; any other was meant to quote a string.
  private mutating func scanQuote() {
    let lower = position
    position += 1
    if let last = list.tokens.last, last.upper == lower, last.kind.endsOperand {
      return add(.quote, from: lower)
    }
    var end = position
    while end < limit && bytes[end] != 0x0A && bytes[end] != UInt8(ascii: "'") { end += 1 }
    if end < limit && bytes[end] == UInt8(ascii: "'") { position = end + 1 }
    addInvalid(.singleQuotes, from: lower)
  }
}
