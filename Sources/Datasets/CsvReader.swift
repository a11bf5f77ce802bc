/// One field: where it stands in the file, without blanks and quotes around it.
struct CsvField {
  let range: Range<Int>
  let hasDoubledQuotes: Bool

  func text(_ bytes: [UInt8]) -> String {
    let text = String(decoding: bytes[range], as: UTF8.self)
    guard hasDoubledQuotes else { return text }
    var result = ""
    var held = false
    for character in text.unicodeScalars {
      if character == "\"" && held {
        held = false
        continue
      }
      held = character == "\""
      result.unicodeScalars.append(character)
    }
    return result
  }
}

/// The fields of one record and the line on which it begins.
struct CsvRecord {
  let fields: [CsvField]
  let line: Int
}

/// Cuts the bytes of a file into records.
struct CsvReader {
  private let bytes: [UInt8]
  private var separator: Csv.Separator?
  private var position = 0
  private var line = 1

  init(_ bytes: [UInt8], separator: Csv.Separator?) {
    self.bytes = bytes
    self.separator = separator
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  /// The next record, or nil at the end. Throws `unterminatedQuote` and `textAfterQuote`.
  mutating func nextRecord() throws(DatasetError) -> CsvRecord? {
    skipEmptyLines()
    guard position < bytes.count else { return nil }
    let separator = self.separator ?? detectSeparator()
    self.separator = separator
    let start = line
    var fields: [CsvField] = []
    while true {
      fields.append(try nextField(separator, column: fields.count + 1))
      if separator == .space {
        skipBlanks()
        if !atLineEnd { continue }
      } else if position < bytes.count, bytes[position] == separator.byte {
        position += 1
        continue
      }
      skipLineEnd()
      return CsvRecord(fields: fields, line: start)
    }
  }

  private mutating func nextField(
    _ separator: Csv.Separator, column: Int
  ) throws(DatasetError) -> CsvField {
    while position < bytes.count, isBlank(bytes[position]),
      separator == .space || bytes[position] != separator.byte
    {
      position += 1
    }
    if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
      return try quotedField(separator, column: column)
    }
    let start = position
    while !atLineEnd, !separates(bytes[position], separator) { position += 1 }
    var end = position
    while end > start, isBlank(bytes[end - 1]) { end -= 1 }
    return CsvField(range: start..<end, hasDoubledQuotes: false)
  }

  private mutating func quotedField(
    _ separator: Csv.Separator, column: Int
  ) throws(DatasetError) -> CsvField {
    let firstLine = line
    position += 1
    let start = position
    var doubled = false
    while true {
      guard position < bytes.count else { throw .unterminatedQuote(line: firstLine) }
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        guard position + 1 < bytes.count, bytes[position + 1] == byte else { break }
        doubled = true
        position += 1
      } else if isLineEnd(byte) {
        skipLineEnd()
        continue
      }
      position += 1
    }
    let field = CsvField(range: start..<position, hasDoubledQuotes: doubled)
    position += 1
    while position < bytes.count, isBlank(bytes[position]), !separates(bytes[position], separator) {
      position += 1
    }
    guard atLineEnd || separates(bytes[position], separator) else {
      throw .textAfterQuote(line: line, column: column)
    }
    return field
  }

  /// The separator of the record that begins here, by what stands in it outside quotes.
  private func detectSeparator() -> Csv.Separator {
    var (found, quoted, i): (Set<UInt8>, Bool, Int) = ([], false, position)
    while i < bytes.count, quoted || !isLineEnd(bytes[i]) {
      if bytes[i] == UInt8(ascii: "\"") { quoted.toggle() }
      if !quoted { found.insert(bytes[i]) }
      i += 1
    }
    return [.semicolon, .tab, .comma].first { found.contains($0.byte) } ?? .space
  }

  /// Skips lines that are blank or begin with `#`. A line of tabs is blank too.
  private mutating func skipEmptyLines() {
    while position < bytes.count {
      var i = position
      while i < bytes.count, isBlank(bytes[i]) { i += 1 }
      if i < bytes.count, bytes[i] == UInt8(ascii: "#") {
        while i < bytes.count, !isLineEnd(bytes[i]) { i += 1 }
      }
      guard i == bytes.count || isLineEnd(bytes[i]) else {
        return
      }
      position = i
      skipLineEnd()
    }
  }

  private mutating func skipBlanks() {
    while position < bytes.count, isBlank(bytes[position]) { position += 1 }
  }

  /// Steps over LF, CR LF or CR.
  private mutating func skipLineEnd() {
    guard position < bytes.count else { return }
    let carriageReturn = bytes[position] == 0x0D
    position += 1
    if carriageReturn, position < bytes.count, bytes[position] == 0x0A { position += 1 }
    line += 1
  }

  private var atLineEnd: Bool { position >= bytes.count || isLineEnd(bytes[position]) }
  private func isLineEnd(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }
  private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
  private func separates(_ byte: UInt8, _ separator: Csv.Separator) -> Bool {
    separator == .space ? isBlank(byte) : byte == separator.byte
  }
}

/// Decimal numbers in a file.
enum CsvNumber {
  /// The value of a field, or nil when it is no number.
  ///
  /// Up to 19 digits whose integer fits 2^53 with a power of ten up to 22 are exact in one operation (Clinger, *How
  /// to read floating point numbers accurately*, 1990); the rest goes through the standard library.
  static func parse(_ bytes: [UInt8], _ field: CsvField) -> Double? {
    var i = field.range.lowerBound
    var end = field.range.upperBound
    while i < end, bytes[i] == 0x20 || bytes[i] == 0x09 { i += 1 }
    while end > i, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
    guard i < end else { return nil }
    let start = i
    let negative = bytes[i] == UInt8(ascii: "-")
    if negative || bytes[i] == UInt8(ascii: "+") { i += 1 }
    var (mantissa, digits, scale): (UInt64, Int, Int) = (0, 0, 0)
    var point = false
    while i < end {
      let digit = bytes[i] &- UInt8(ascii: "0")
      if digit < 10 {
        guard digits < 19 else { return slow(bytes[start..<end]) }
        mantissa = mantissa * 10 + UInt64(digit)
        digits += 1
        if point { scale += 1 }
      } else if bytes[i] == UInt8(ascii: "."), !point {
        point = true
      } else {
        return slow(bytes[start..<end])
      }
      i += 1
    }
    guard digits > 0, mantissa <= 1 << 53, scale <= 22 else { return slow(bytes[start..<end]) }
    let value = Double(mantissa) / powersOfTen[scale]
    return negative ? -value : value
  }

  /// Exponents, many digits, infinities and NaN; no hexadecimal numbers.
  private static func slow(_ bytes: ArraySlice<UInt8>) -> Double? {
    guard !bytes.contains(where: { $0 | 0x20 == UInt8(ascii: "x") }) else { return nil }
    return Double(String(decoding: bytes, as: UTF8.self))
  }

  private static let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
    1e18, 1e19, 1e20, 1e21, 1e22,
  ]
}
