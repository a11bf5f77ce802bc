import Tensors

/// The header of a `.npy` file: a Python dictionary literal with the keys `descr`, `fortran_order` and `shape`.
struct NpyHeader {
  let dtype: NpyDtype
  let fortranOrder: Bool
  let shape: Shape

  /// Parses the literal. Throws `malformedNpyHeader`, and `unsupportedDtype` also for the list that describes a
  /// structured dtype.
  init(_ bytes: ArraySlice<UInt8>) throws(DatasetError) {
    var reader = LiteralReader(bytes)
    var (descr, order, sizes): (String?, Bool?, Shape?)
    try reader.expect("{")
    while !reader.skip("}") {
      let key = try reader.string()
      try reader.expect(":")
      switch key {
      case "descr":
        if reader.peek == UInt8(ascii: "[") { throw .unsupportedDtype("with named fields") }
        descr = try reader.string()
      case "fortran_order": order = try reader.boolean()
      case "shape": sizes = try reader.tuple()
      default: throw .malformedNpyHeader("unexpected key '\(key)'")
      }
      if !reader.skip(",") {
        try reader.expect("}")
        break
      }
    }
    guard reader.peek == nil else { throw .malformedNpyHeader("text follows the dictionary") }
    guard let descr else { throw .malformedNpyHeader("key 'descr' is missing") }
    guard let order else { throw .malformedNpyHeader("key 'fortran_order' is missing") }
    guard let sizes else { throw .malformedNpyHeader("key 'shape' is missing") }
    (dtype, fortranOrder, shape) = (try NpyDtype(descr), order, sizes)
  }

  /// The number of entries; throws `malformedNpyHeader` when a product of sizes does not fit an integer.
  func checkedCount() throws(DatasetError) -> Int {
    var count = 1
    for size in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: max(size, 1))
      guard !overflow else { throw .malformedNpyHeader("the shape has too many entries") }
      count = product
    }
    return shape.contains(0) ? 0 : count
  }
}

/// Reads the few Python literals of a header, skipping blanks between them.
private struct LiteralReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) {
    rest = bytes
    skipBlanks()
  }

  /// The next byte that is no blank, or nil at the end.
  var peek: UInt8? { rest.first }

  private mutating func skipBlanks() {
    rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\t") }
  }

  mutating func skip(_ token: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: token) else { return false }
    rest.removeFirst()
    skipBlanks()
    return true
  }

  mutating func expect(_ token: Unicode.Scalar) throws(DatasetError) {
    guard skip(token) else { throw .malformedNpyHeader("'\(token)' expected") }
  }

  mutating func string() throws(DatasetError) -> String {
    guard let quote = rest.first, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      throw .malformedNpyHeader("a quoted string expected")
    }
    let body = rest.dropFirst()
    guard let end = body.firstIndex(of: quote) else {
      throw .malformedNpyHeader("a string has no end")
    }
    let text = String(decoding: body[..<end], as: UTF8.self)
    rest = body[(end + 1)...]
    skipBlanks()
    return text
  }

  mutating func boolean() throws(DatasetError) -> Bool {
    for (word, value) in [("True", true), ("False", false)] where rest.starts(with: word.utf8) {
      rest = rest.dropFirst(word.utf8.count)
      skipBlanks()
      return value
    }
    throw .malformedNpyHeader("True or False expected")
  }

  /// `()`, `(3,)`, `(3, 4)`; Python 2 wrote `3L`.
  mutating func tuple() throws(DatasetError) -> Shape {
    var sizes: Shape = []
    try expect("(")
    while !skip(")") {
      let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      guard let size = Int(String(decoding: digits, as: UTF8.self)) else {
        throw .malformedNpyHeader("a size expected")
      }
      sizes.append(size)
      rest = rest.dropFirst(digits.count)
      _ = skip("L")
      skipBlanks()
      if !skip(",") {
        try expect(")")
        break
      }
    }
    return sizes
  }
}
