/// Greek letters may be typed or spelled: `lambda` and `λ` are one name, and so are `theta1` and `θ1`.
public enum Names {
  private static let letters: [String: String] = [
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ",
    "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
    // Variant forms that look like another letter of the list.
    "µ": "μ", "ϵ": "ε", "ϑ": "θ", "ϕ": "φ", "ϱ": "ρ", "ϰ": "κ", "∆": "Δ", "Ω": "Ω",
  ]

  private static let spellings: [String: String] = {
    var result: [String: String] = [:]
    for (spelled, letter) in letters where spelled.utf8.allSatisfy({ $0 < 0x80 }) { result[letter] = spelled }
    return result
  }()

  /// The one spelling that stands for a name in the syntax tree: with the Greek letter, digits kept.
  public static func canonical(_ name: String) -> String {
    replaceStem(of: name, from: letters)
  }

  /// The name in letters that every keyboard has, where there are some: `λ` gives `lambda`.
  public static func spelled(_ name: String) -> String {
    replaceStem(of: name, from: spellings)
  }

  /// The names, and how those with Greek letters are spelled.
  public static func spellings(_ names: [String]) -> [String] {
    names + names.map(spelled).filter { $0.utf8.allSatisfy { $0 < 0x80 } && !names.contains($0) }
  }

  private static func replaceStem(of name: String, from table: [String: String]) -> String {
    guard let last = name.lastIndex(where: { !isDigit($0) }) else { return name }
    let end = name.index(after: last)
    guard let stem = table[String(name[..<end])] else { return name }
    return stem + name[end...]
  }

  private static func isDigit(_ character: Character) -> Bool {
    guard let scalar = character.unicodeScalars.first else { return false }
    return (0x30...0x39).contains(scalar.value) || (0x2080...0x2089).contains(scalar.value)
  }

  /// It can be bound: written as a name, and no word of the language.
  public static func isName(_ text: String) -> Bool {
    guard let first = text.unicodeScalars.first, isStart(first) else { return false }
    return text.unicodeScalars.allSatisfy(isPart) && Token.Kind.reservedWords[text] == nil
  }

  static func isStart(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar == "_" || isASCIILetter(scalar) }
    return scalar.properties.isAlphabetic || scalar == "∆"
  }

  static func isPart(_ scalar: Unicode.Scalar) -> Bool {
    if isStart(scalar) || (0x30...0x39).contains(scalar.value) { return true }
    guard !scalar.isASCII else { return false }
    if (0x2080...0x2089).contains(scalar.value) { return true }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .decimalNumber: return true
    default: return false
    }
  }

  private static func isASCIILetter(_ scalar: Unicode.Scalar) -> Bool {
    (0x41...0x5A).contains(scalar.value) || (0x61...0x7A).contains(scalar.value)
  }
}
