extension Lexer {
  mutating func scanString() {
    let lower = position
    position += 1
    var segments: [StringSegment] = []
    var text: [UInt8] = []
    func flush() {
      if !text.isEmpty { segments.append(.text(String(decoding: text, as: UTF8.self))) }
      text = []
    }
    while position < limit && byte() != 0x0A {
      switch byte() {
      case UInt8(ascii: "\""):
        position += 1
        flush()
        list.strings.append(segments)
        return add(.string, from: lower, payload: list.strings.count - 1)
      case UInt8(ascii: "\\"): scanEscape(into: &text)
      case UInt8(ascii: "{") where byte(1) != UInt8(ascii: "{"):
        flush()
        guard let code = scanCode() else { return addInvalidString(from: lower) }
        segments.append(code)
      case UInt8(ascii: "{"), UInt8(ascii: "}"):
        text.append(byte())
        position += byte(1) == byte() ? 2 : 1
      default:
        text.append(byte())
        position += 1
      }
    }
    if position > lower + 1 && bytes[position - 1] == 0x0D { position -= 1 }
    addInvalid(.unterminatedString, from: lower)
  }

  private mutating func scanEscape(into text: inout [UInt8]) {
    let lower = position
    let escaped = byte(1)
    switch escaped {
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(escaped)
    case 0, 0x0A, 0x0D:
      position += 1
      return
    default:
      position += 1
      position += scalar(at: position).length
      return report(.unknownEscape(Span(list.source, lower, position).text), from: lower)
    }
    position += 2
  }

  /// The code between braces, up to a colon of its own level and the format after it.
  private mutating func scanCode() -> StringSegment? {
    let brace = position
    position += 1
    let lower = position
    var colon: Int?
    var depth = 0
    while position < limit && byte() != 0x0A {
      switch byte() {
      case UInt8(ascii: "\""): skipInnerString()
      case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "}") where depth == 0:
        let upper = colon ?? position
        position += 1
        let format = colon.map { String(decoding: bytes[($0 + 1)..<(position - 1)], as: UTF8.self) }
        guard bytes[lower..<upper].contains(where: { $0 != 0x20 }) else {
          report(.emptyInterpolation, from: brace)
          return .text("")
        }
        return .code(lower: lower, upper: upper, format: format)
      case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"): depth = max(0, depth - 1)
      case UInt8(ascii: ":") where depth == 0 && colon == nil: colon = position
      default: break
      }
      position += 1
    }
    list.diagnostics.append(
      SyntaxError.unclosedInterpolation.diagnostic(at: Span(list.source, brace, brace + 1)))
    return nil
  }

  /// Passes over a string inside code inside a string, up to its closing quote. A stack, not recursion, keeps
  /// track of code and strings in it.
  private mutating func skipInnerString() {
    var isText = [true]
    position += 1
    while position < limit && byte() != 0x0A {
      let inText = isText.last ?? true
      switch byte() {
      case UInt8(ascii: "\"") where inText:
        isText.removeLast()
        if isText.isEmpty { return }
      case UInt8(ascii: "\""): isText.append(true)
      case UInt8(ascii: "\\") where inText && byte(1) != 0x0A: position += 1
      case UInt8(ascii: "{") where inText && byte(1) == UInt8(ascii: "{"): position += 1
      case UInt8(ascii: "{"): isText.append(false)
      case UInt8(ascii: "}") where !inText: isText.removeLast()
      default: break
      }
      position += 1
    }
    position -= 1
  }

  private mutating func addInvalidString(from lower: Int) {
    while position < limit && byte() != 0x0A { position += 1 }
    add(.invalid, from: lower)
  }
}
