#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Numbers as people read them: so many significant digits, no trailing zeros, exponents only when needed.
struct NumberFormat: Sendable, Equatable {
  /// Significant digits.
  var digits = 6

  func callAsFunction(_ x: Double) -> String {
    if x.isNaN { return "nan" }
    if x.isInfinite { return x < 0 ? "-inf" : "inf" }
    if x == 0 { return "0" }
    // Whole numbers are read as such, not as 1.22e6.
    if x == x.rounded(), x.magnitude < 1e9 { return String(Int(x)) }
    return Self.tidy(Self.printf("%.*g", digits, x))
  }

  /// `%.4` as in `{e:.4}`: digits after the point; `e` and `g` as in C.
  static func formatted(_ x: Double, _ format: String) -> String? {
    var body = Substring(format)
    var kind: Character = "f"
    if let last = body.last, "feg".contains(last) {
      kind = last
      body = body.dropLast()
    }
    guard body.first == ".", let places = Int(body.dropFirst()), places >= 0, places <= 60 else { return nil }
    if !x.isFinite { return NumberFormat()(x) }
    return printf("%.*\(kind)", places, x)
  }

  /// A column of numbers with the same number of digits after the point, or each on its own when they are too far
  /// apart.
  func column(_ values: [Double]) -> [String] {
    let finite = values.filter { $0.isFinite && $0 != 0 }.map(\.magnitude)
    guard let largest = finite.max(), let smallest = finite.min() else { return values.map { self($0) } }
    if largest >= 1e7 || smallest < 1e-5 && largest / smallest > 1e5 || largest < 1e-4 {
      return values.map { self($0) }
    }
    let whole = max(1, Int(log10(largest).rounded(.down)) + 1)
    let allowed = max(0, digits - whole)
    let needed = finite.map { places($0, allowed) }.max() ?? 0
    return values.map { $0.isFinite ? Self.printf("%.*f", needed, $0 == 0 ? 0 : $0) : self($0) }
  }

  /// Digits after the point that a number needs, up to a limit.
  private func places(_ x: Double, _ limit: Int) -> Int {
    let text = Self.printf("%.*f", limit, x)
    guard let point = text.firstIndex(of: ".") else { return 0 }
    let fraction = text[text.index(after: point)...]
    return fraction.count - fraction.reversed().prefix { $0 == "0" }.count
  }

  /// 1e-05 → 1e-5; nothing else.
  private static func tidy(_ text: String) -> String {
    guard let e = text.firstIndex(of: "e") else { return text }
    let mantissa = text[..<e]
    guard let exponent = Int(text[text.index(after: e)...]) else { return text }
    return "\(mantissa)e\(exponent)"
  }

  static func printf(_ format: String, _ places: Int, _ x: Double) -> String {
    var buffer = [CChar](repeating: 0, count: 400)
    let length = withVaList([Int32(places), x]) { vsnprintf(&buffer, buffer.count, format, $0) }
    return String(
      decoding: buffer.prefix(Int(max(0, min(length, 399)))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
