/// Numbers in formulas: integers, small fractions, else the shortest decimal.
enum MathNumber {
  /// The text of a number that is not negative.
  static func text(_ value: Double, _ style: MathStyle) -> String {
    if value == 2 / Double.pi.squareRoot() { return style == .unicode ? "2/√π" : "2/sqrt(pi)" }
    if value.isNaN { return "nan" }
    if value.isInfinite { return style == .unicode ? "∞" : "inf" }
    if value == .pi { return style == .unicode ? "π" : "pi" }
    if let (p, q) = fraction(value) { return q == 1 ? "\(p)" : "\(p)/\(q)" }
    return decimal(value)
  }

  /// The text is a quotient, which needs care next to other factors.
  static func isFraction(_ value: Double) -> Bool {
    if value == 2 / Double.pi.squareRoot() { return true }
    if let (_, q) = fraction(value) { return q != 1 }
    return false
  }

  /// p/q that is the very same number in double precision.
  static func fraction(_ value: Double) -> (Int, Int)? {
    let x = value.magnitude
    guard x.isFinite, x < 1e15 else { return nil }
    if x == x.rounded() { return (Int(x), 1) }
    let inverse = (1 / x).rounded()
    if inverse < 1e7, 1 / inverse == x { return (1, Int(inverse)) }
    for q in 2...1000 {
      let p = (x * Double(q)).rounded()
      if p <= 100, p / Double(q) == x { return (Int(p), q) }
    }
    return nil
  }

  static func decimal(_ value: Double) -> String {
    let text = "\(value)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  static func superscript(_ n: Int) -> String {
    let digits: [Character] = ["⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"]
    return String(String(n).map { $0.wholeNumberValue.map { digits[$0] } ?? "⁻" })
  }

  static func `subscript`(_ n: Int) -> String {
    let digits: [Character] = ["₀", "₁", "₂", "₃", "₄", "₅", "₆", "₇", "₈", "₉"]
    return String(String(n).map { $0.wholeNumberValue.map { digits[$0] } ?? "₋" })
  }

  private static let letters: [Character: Character] = [
    "a": "ₐ", "e": "ₑ", "h": "ₕ", "i": "ᵢ", "j": "ⱼ", "k": "ₖ", "l": "ₗ", "m": "ₘ", "n": "ₙ", "o": "ₒ",
    "p": "ₚ",
    "r": "ᵣ", "s": "ₛ", "t": "ₜ", "u": "ᵤ", "v": "ᵥ", "x": "ₓ", "₀": "₀", "₁": "₁", "₂": "₂", "₃": "₃",
    "₄": "₄",
    "₅": "₅", "₆": "₆", "₇": "₇", "₈": "₈", "₉": "₉",
  ]

  /// Index letters as a subscript: `ₙₖ`.
  static func `subscript`(_ names: [String]) -> String {
    String(names.joined().map { letters[$0] ?? $0 })
  }
}
