extension Lexer {
  /// The operator at the position and its length in bytes.
  func operatorHere(_ scalar: Unicode.Scalar, _ length: Int) -> (Token.Kind, Int)? {
    let next = byte(1)
    let isEqualNext = next == UInt8(ascii: "=")
    switch scalar {
    case "+": return (.plus, 1)
    case "-", "−": return (.minus, length)
    case "*", "·", "×", "⋅", "∗": return (.star, length)
    case "/": return (.slash, 1)
    case "%": return (.percent, 1)
    case "@": return (.at, 1)
    case "^": return (.caret, 1)
    case ":": return isEqualNext ? (.define, 2) : (.colon, 1)
    case "=": return isEqualNext ? (.equal, 2) : (.assign, 1)
    case "!": return isEqualNext ? (.notEqual, 2) : nil
    case "<": return isEqualNext ? (.lessEqual, 2) : (.less, 1)
    case ">": return isEqualNext ? (.greaterEqual, 2) : (.greater, 1)
    case "≠": return (.notEqual, length)
    case "≤": return (.lessEqual, length)
    case "≥": return (.greaterEqual, length)
    case ".": return next == UInt8(ascii: ".") ? (.dotDot, 2) : (.dot, 1)
    case "∇": return startsWith("∇²") ? (.nablaSquared, 5) : (.nabla, length)
    case "‖", "∥": return (.normBar, length)
    default: return punctuation(scalar).map { ($0, 1) }
    }
  }

  private func punctuation(_ scalar: Unicode.Scalar) -> Token.Kind? {
    switch scalar {
    case "(": .leftParen
    case ")": .rightParen
    case "[": .leftBracket
    case "]": .rightBracket
    case "{": .leftBrace
    case "}": .rightBrace
    case ",": .comma
    case ";": .semicolon
    case "~": .tilde
    case "?": .question
    default: nil
    }
  }

  private func startsWith(_ text: String) -> Bool { bytes[position..<limit].starts(with: text.utf8) }

  /// An operator of another language at the position, and how it is written here.
  func foreignOperator() -> (text: String, hint: String)? {
    guard Self.foreignFirstBytes.contains(bytes[position]) else { return nil }
    return Self.foreignOperators.first { startsWith($0.text) }
  }

  private static let foreignFirstBytes = Set(foreignOperators.compactMap { $0.text.utf8.first })

  // Longer ones first.
  private static let foreignOperators: [(text: String, hint: String)] = [
    ("===", "equality is written =="),
    ("**", "power is written ^"),
    ("&&", "write 'and'"),
    ("||", "write 'or', or ‖e‖ or norm(e) for a norm"),
    ("//", "a comment begins with #"),
    ("/*", "a comment begins with #"),
    ("+=", "write x = x + e"),
    ("++", "write x = x + 1"),
    ("-=", "write x = x - e"),
    ("*=", "write x = x * e"),
    ("/=", "write x = x / e, or != for 'not equal'"),
    ("^=", "write x = x ^ e"),
    ("<>", "'not equal' is written !="),
    ("=>", ForeignWords.function),
    ("->", ForeignWords.function),
    ("...", "a range has two dots, a..b"),
    (".*", "operators are pointwise already: write *"),
    ("./", "operators are pointwise already: write /"),
    (".^", "operators are pointwise already: write ^"),
    ("&", "write 'and'"),
    ("|", "write 'or', or ‖e‖ or norm(e) for a norm"),
  ]
}

extension Lexer {
  mutating func scanNumber() {
    let lower = position
    skipDigits()
    if byte() == UInt8(ascii: ".") && byte(1) != UInt8(ascii: ".") && !nameFollowsDot()
      && !operatorFollowsDot()
    {
      position += 1
      skipDigits()
    }
    if byte() == UInt8(ascii: "e") || byte() == UInt8(ascii: "E") {
      let sign = byte(1) == UInt8(ascii: "+") || byte(1) == UInt8(ascii: "-") ? 1 : 0
      if isDigit(1 + sign) {
        position += 1 + sign
        skipDigits()
      }
    }
    guard !continuesNumber() else { return scanMalformedNumber(from: lower) }
    let text = String(
      decoding: bytes[lower..<position].lazy.filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    guard let value = Double(text.hasSuffix(".") ? text + "0" : text) else {
      return addInvalid(.malformedNumber(text), from: lower)
    }
    guard value.isFinite else { return addInvalid(.numberTooLarge(text), from: lower) }
    list.numbers.append(value)
    add(.number, from: lower, payload: list.numbers.count - 1)
  }

  private mutating func skipDigits() {
    while isDigit() || (byte() == UInt8(ascii: "_") && isDigit(1)) { position += 1 }
  }

  private func nameFollowsDot() -> Bool {
    position + 1 < limit && Names.isStart(scalar(at: position + 1).scalar)
  }

  /// `2.*x` is left to the message about pointwise operators rather than read as `2. * x`.
  private func operatorFollowsDot() -> Bool {
    [UInt8(ascii: "*"), UInt8(ascii: "/"), UInt8(ascii: "^")].contains(byte(1))
  }

  private func continuesNumber() -> Bool {
    guard position < limit else { return false }
    if byte() == UInt8(ascii: ".") && isDigit(1) { return true }
    return Names.isPart(scalar(at: position).scalar)
  }

  private mutating func scanMalformedNumber(from lower: Int) {
    while continuesNumber() {
      if byte() == UInt8(ascii: ".") { position += 1 }
      skipName()
    }
    addInvalid(.malformedNumber(String(decoding: bytes[lower..<position], as: UTF8.self)), from: lower)
  }
}
