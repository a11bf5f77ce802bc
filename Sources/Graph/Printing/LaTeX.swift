/// Names, numbers and statements in LaTeX.
public enum LaTeX {
  static let relations = ["≤": "\\leq", "≠": "\\neq", "∧": "\\wedge", "∨": "\\vee"]

  /// A line of an `align*`: a row with `&` before its sign, or words between rows.
  public enum AlignedLine: Sendable {
    case row(String)
    case text(String)
  }

  /// The lines as one `align*`. Words stand between rows: they need a row before them.
  public static func aligned(_ lines: [AlignedLine]) -> [String] {
    var result = ["\\begin{align*}"]
    for (index, line) in lines.enumerated() {
      switch line {
      case .row(let row): result.append("  \(row)" + (index + 1 < lines.count ? " \\\\" : ""))
      case .text(let text): result.append("\\intertext{\(text)}")
      }
    }
    return result + ["\\end{align*}"]
  }

  // MARK: Names

  /// A variable: `x`, `W_{1}` for W1 and W₁, `\lambda`, `\mathit{loss}`; with indices, `x_{0}` for `x[0]`. Any other text is
  /// set as it is typed.
  public static func name(_ text: String) -> String {
    if let bracket = text.firstIndex(of: "["), text.hasSuffix("]"), isName(text[..<bracket]) {
      let inside = text[text.index(after: bracket)...].dropLast()
      let indices = inside.split(separator: ",").map { $0.filter { $0 != " " } }
      if indices.allSatisfy({
        $0.allSatisfy { $0.isASCII && ($0.isNumber || $0.isLetter || ":-+".contains($0)) }
      }) {
        return indexed(name(String(text[..<bracket])), indices)
      }
    }
    guard isName(text[...]) else { return "\\texttt{\(escaped(text))}" }
    let plain = text.map { $0.subscriptDigit ?? $0 }
    let digits = plain.reversed().prefix { $0.isASCII && $0.isNumber }.reversed()
    let stem = plain.dropLast(digits.count)
    let isIndexed = stem.count == 1 || text.last?.subscriptDigit != nil
    if isIndexed && !digits.isEmpty { return "\(letters(Array(stem)))_{\(String(digits))}" }
    return letters(plain)
  }

  /// base_{i,j}, with braces where a second subscript would be an error.
  static func indexed(_ base: String, _ indices: [String]) -> String {
    "\(grouped(base, against: "_"))_{\(indices.joined(separator: ","))}"
  }

  /// base^{exponent}, with braces where a second power would be an error.
  static func raised(_ base: String, _ exponent: String) -> String {
    "\(grouped(base, against: "^"))^{\(exponent)}"
  }

  private static func grouped(_ base: String, against sign: Character) -> String {
    var depth = 0
    for c in base.replacing("\\left", with: "{").replacing("\\right", with: "}") {
      if c == "{" { depth += 1 }
      if c == "}" { depth -= 1 }
      if c == sign && depth == 0 { return "{\(base)}" }
    }
    return base
  }

  /// About how many characters wide the formula is when it is set. A fraction is as wide as the wider of its sides, a block
  /// as its widest row.
  static func width(_ text: String) -> Int {
    var rest = Substring(text)
    return width(&rest)
  }

  /// Up to a closing brace or the end of an environment, which are read as well.
  private static func width(_ rest: inout Substring) -> Int {
    var (width, widest) = (0, 0)
    while let c = rest.popFirst() {
      switch c {
      case "}": return max(width, widest)
      case "{": width += self.width(&rest)
      case "_", "^", " ", "&": break
      // The spaces around a sign take up about as much as it does.
      case "+", "=", "<": width += 2
      case "\\":
        let command = rest.prefix { $0.isLetter && $0.isASCII }
        let name = String(command.isEmpty ? rest.prefix(1) : command)
        rest = rest.dropFirst(name.count)
        switch name {
        case "\\": (width, widest) = (0, max(width, widest))
        case "frac", "tfrac": width += 1 + max(argumentWidth(&rest), argumentWidth(&rest))
        case "begin", "end":
          rest = rest.drop { $0 != "}" }.dropFirst()
          if name == "end" { return max(width, widest) }
          width += self.width(&rest)
        case "left", "right", "mathrm", "mathit", "mathbf", "operatorname", ",": break
        case "quad", "cdot", "odot": width += 2
        default: width += command.isEmpty ? 1 : min(name.count, 4)
        }
      default: width += 1
      }
    }
    return max(width, widest)
  }

  private static func argumentWidth(_ rest: inout Substring) -> Int {
    guard rest.popFirst() == "{" else { return 1 }
    return width(&rest)
  }

  private static func isName(_ text: Substring) -> Bool {
    guard let first = text.first, first.isLetter || first == "_" else { return false }
    return text.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
  }

  private static func letters(_ characters: [Character]) -> String {
    if characters.count == 1, let only = characters.first { return letter(only) }
    if characters.allSatisfy({ $0.isASCII }) { return "\\mathit{\(escaped(String(characters)))}" }
    return "{" + characters.map(letter).joined() + "}"
  }

  private static func letter(_ c: Character) -> String {
    if let greek = greek[c] { return "\\\(greek) " }
    if c == "_" { return "\\_" }
    return c.isASCII ? String(c) : "\\text{\(c)}"
  }

  private static let greek: [Character: String] = [
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi",
    "ρ": "rho", "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "varphi", "χ": "chi", "ψ": "psi",
    "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi",
    "Σ": "Sigma", "Υ": "Upsilon", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
  ]

  /// Text with the characters that LaTeX gives a meaning to.
  public static func escaped(_ text: String) -> String {
    var result = ""
    for c in text {
      switch c {
      case "_", "{", "}", "&", "%", "#", "$": result += "\\\(c)"
      case "^": result += "\\^{}"
      case "~": result += "\\~{}"
      case "\\": result += "\\textbackslash{}"
      default: result += greek[c].map { "$\\\($0)$" } ?? String(c)
      }
    }
    return result
  }

  // MARK: Functions and numbers

  private static let functions = [
    "sigmoid": "\\sigma", "asin": "\\arcsin", "acos": "\\arccos", "atan": "\\arctan",
    "trace": "\\operatorname{tr}",
    "diagonal": "\\operatorname{diag}", "sech2": "\\operatorname{sech}^{2}", "eigvals": "\\lambda",
    "eigvecs": "V",
    "not": "\\neg", "mod": "\\operatorname{mod}",
  ]
  private static let known: Set<String> = [
    "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "max", "min", "det",
  ]

  static func function(_ name: String) -> String {
    functions[name] ?? (known.contains(name) ? "\\\(name)" : "\\operatorname{\(escaped(name))}")
  }

  /// A number that is not negative.
  static func number(_ value: Double) -> String {
    if value == 2 / Double.pi.squareRoot() { return "\\tfrac{2}{\\sqrt{\\pi}}" }
    if value.isNaN { return "\\mathrm{nan}" }
    if value.isInfinite { return "\\infty" }
    if value == .pi { return "\\pi" }
    if let (p, q) = MathNumber.fraction(value) { return q == 1 ? "\(p)" : "\\tfrac{\(p)}{\(q)}" }
    let text = MathNumber.decimal(value)
    guard let e = text.firstIndex(of: "e") else { return text }
    let exponent = text[text.index(after: e)...].drop { $0 == "+" }
    return "\(text[..<e]) \\cdot 10^{\(exponent)}"
  }
}

extension Character {
  /// ₁ as 1.
  fileprivate var subscriptDigit: Character? {
    let digits: [Character: Character] = [
      "₀": "0", "₁": "1", "₂": "2", "₃": "3", "₄": "4", "₅": "5", "₆": "6", "₇": "7", "₈": "8", "₉": "9",
    ]
    return digits[self]
  }
}
