/// Numbers as labels: the one place that decides how many digits are shown.
enum TickFormat {
  /// Labels for numbers shown side by side: as few digits as tell each within `tolerance`, the same number
  /// of decimals for all, or powers such as `2e-6` where plain decimals would be long.
  static func labels(_ values: [Double], tolerance: Double) -> [String] {
    let powers = values.map { scientific($0, tolerance: tolerance) }
    guard let plain = fixedLabels(values, tolerance: tolerance) else { return powers }
    let plainLength = longest(plain)
    return plainLength <= 6 || plainLength <= longest(powers) ? plain : powers
  }

  /// Labels for ticks of a log axis: plain from 0.01 to 1000, powers of ten otherwise.
  static func logLabels(_ values: [Double]) -> [String] {
    let isPlain = values.allSatisfy { $0 >= 0.0099 && $0 < 9999 }
    return values.map { isPlain ? short($0) : scientific($0, tolerance: $0 * 1e-9) }
  }

  /// One number by itself, with up to `digits` significant digits.
  static func short(_ value: Double, digits: Int = 4) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
    let isPlain = abs(value) < 99_999 && abs(value) >= 1
    return tidy(formatted("%.*g", isPlain ? max(digits, 5) : digits, rounded(value, digits: digits)))
  }

  /// The value with only so many significant digits.
  static func rounded(_ value: Double, digits: Int) -> Double {
    Double(formatted("%.*e", max(digits - 1, 0), value)) ?? value
  }

  /// Distinct labels for values that are not evenly spaced, such as levels: 3 digits, more where needed.
  static func distinctLabels(_ values: [Double]) -> [String] {
    for digits in 3...16 {
      let labels = values.map { short($0, digits: digits) }
      if Set(labels).count == Set(values).count { return labels }
    }
    return values.map { short($0, digits: 17) }
  }

  /// A label with its power typeset: `2e-6` becomes `2×10⁻⁶`.
  static func superscript(_ label: String) -> String {
    let parts = label.split(separator: "e", maxSplits: 1)
    guard parts.count == 2, Double(label) != nil else { return label.replacingMinus }
    let digits: [Character: Character] = [
      "-": "⁻", "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷", "8": "⁸",
      "9": "⁹",
    ]
    let power = "10" + String(parts[1].map { digits[$0] ?? $0 })
    switch parts[0] {
    case "1": return power
    case "-1": return "−" + power
    default: return String(parts[0]).replacingMinus + "×" + power
    }
  }

  /// A coordinate with at most two decimals, for SVG.
  static func coordinate(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e7 else { return "0" }
    let hundredths = Int((value * 100).rounded())
    let (whole, rest) = abs(hundredths).quotientAndRemainder(dividingBy: 100)
    let sign = hundredths < 0 ? "-" : ""
    if rest == 0 { return "\(sign)\(whole)" }
    return rest % 10 == 0 ? "\(sign)\(whole).\(rest / 10)" : "\(sign)\(whole).\(rest < 10 ? "0" : "")\(rest)"
  }

  private static func fixedLabels(_ values: [Double], tolerance: Double) -> [String]? {
    guard values.allSatisfy({ abs($0) < 1e15 }) else { return nil }
    for decimals in 0...17 {
      let labels = values.map { formatted("%.*f", decimals, $0 == 0 ? 0 : $0) }
      if zip(labels, values).allSatisfy({ isClose($0, $1, tolerance) }) {
        return labels.map { Double($0) == 0 ? String($0.drop { $0 == "-" }) : $0 }
      }
    }
    return nil
  }

  private static func scientific(_ value: Double, tolerance: Double) -> String {
    if abs(value) <= tolerance { return "0" }
    for digits in 0...16 {
      let label = formatted("%.*e", digits, value)
      if isClose(label, value, tolerance) { return tidy(label) }
    }
    return tidy(formatted("%.*e", 16, value))
  }

  private static func isClose(_ label: String, _ value: Double, _ tolerance: Double) -> Bool {
    guard let shown = Double(label) else { return false }
    return abs(shown - value) <= tolerance
  }

  /// `1.50e+06` becomes `1.5e6`, and `1e+00` becomes `1`.
  private static func tidy(_ label: String) -> String {
    let parts = label.split(separator: "e", maxSplits: 1)
    guard parts.count == 2, let exponent = Int(parts[1]) else { return label }
    var mantissa = parts[0]
    if mantissa.contains(".") {
      while mantissa.last == "0" { mantissa.removeLast() }
      if mantissa.last == "." { mantissa.removeLast() }
    }
    return exponent == 0 ? String(mantissa) : "\(mantissa)e\(exponent)"
  }

  private static func longest(_ labels: [String]) -> Int {
    labels.map { $0.count - ($0.hasPrefix("-") ? 1 : 0) }.max() ?? 0
  }
}

extension String {
  /// With the typographic minus sign.
  fileprivate var replacingMinus: String { hasPrefix("-") ? "−" + dropFirst() : self }
}
