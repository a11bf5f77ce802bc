/// How text is written where only ASCII is allowed.
public enum PlainSpelling {
  /// A piece of text with what stands for it.
  public struct Piece: Equatable {
    public let source: Substring
    public let spelled: String
  }

  /// A text as pieces that are spelled each by itself: characters, but exponents (`⁻²` is `^-2`) and indices (`ᵢ` is
  /// `_i`) together.
  public static func pieces(_ text: String) -> [Piece] {
    var pieces: [Piece] = []
    var rest = text[...]
    while let first = rest.first {
      let piece = nextPiece(rest, first, after: pieces.last?.source.last)
      pieces.append(piece)
      rest = rest.dropFirst(piece.source.count)
    }
    return pieces
  }

  /// The text in ASCII. What has no spelling is a question mark.
  public static func ascii(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
    return pieces(text).map(\.spelled).joined()
  }

  private static func nextPiece(_ rest: Substring, _ first: Character, after before: Character?) -> Piece {
    if first.isASCII { return Piece(source: rest.prefix(1), spelled: String(first)) }
    let powers = rest.prefix { exponents[$0] != nil }
    if !powers.isEmpty {
      return Piece(
        source: powers, spelled: "^" + powers.compactMap { exponents[$0] }.map(String.init).joined())
    }
    let places = rest.prefix { indices[$0] != nil }
    if !places.isEmpty {
      let spelled = places.compactMap { indices[$0] }.map(String.init).joined()
      return Piece(source: places, spelled: (spelled.allSatisfy(\.isNumber) ? "" : "_") + spelled)
    }
    let next = rest.dropFirst().first
    if first == "∇", next == "²" { return Piece(source: rest.prefix(2), spelled: "hessian ") }
    guard let word = words[first] ?? letters[first] else {
      return Piece(
        source: rest.prefix(1), spelled: String(repeating: "?", count: max(first.terminalWidth, 1)))
    }
    // λv is a product, and θ₁ or μ_x a name.
    let isWord = word.count > 1 && word.allSatisfy(\.isLetter)
    return Piece(source: rest.prefix(1), spelled: isWord && next?.isLetter == true ? word + " " : word)
  }

  private static let exponents = Dictionary(
    uniqueKeysWithValues: zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+"))

  private static let indices = Dictionary(
    uniqueKeysWithValues: zip("₀₁₂₃₄₅₆₇₈₉₋ₐₑₒₓₕₖₗₘₙₚₛₜᵢⱼᵣᵤᵥ", "0123456789-aeoxhklmnpstijruv"))

  private static let words: [Character: String] = [
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi",
    "ρ": "rho", "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
    "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma",
    "Υ": "Upsilon", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
    "ϵ": "epsilon", "ϑ": "theta", "ϕ": "phi", "ϱ": "rho", "ϰ": "kappa",
    "∆": "Delta",
    "∇": "grad ", "∂": "d", "‖": "||", "∥": "||", "·": "*", "⋅": "*", "∗": "*", "×": "x", "÷": "/",
    "−": "-", "–": "-", "—": "-", "½": "1/2", "±": "+-", "√": "sqrt", "∞": "inf", "ℓ": "l", "µ": "u",
    "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "∈": "in", "∧": "and", "∨": "or", "¬": "not ",
    "∑": "sum", "∏": "prod", "⊙": "*", "⊗": "(x)", "⊘": "/", "ᵀ": "'", "′": "'", "″": "''", "‴": "'''",
    "⌊": "[", "⌋": "]", "⌈": "[", "⌉": "]", "⟨": "<", "⟩": ">",
    "→": "->", "←": "<-", "↑": "^", "↓": "v", "⋮": ":", "⋱": "\\", "…": "...", "•": "*", "°": "deg",
    "“": "\"", "”": "\"", "„": "\"", "«": "\"", "»": "\"", "‘": "'", "’": "'", "\u{A0}": " ",
    "─": "-", "│": "|", "┌": "+", "┐": "+", "└": "+", "┘": "+", "├": "+", "┤": "+", "┬": "+", "┴": "+",
    "█": "#", "░": ".", "▒": ":", "▓": "%", "●": "o",
  ]

  /// Letters with marks, without them.
  private static let letters: [Character: String] = {
    let groups = [
      ("A", "ÀÁÂÃÅĀ"), ("Ae", "Ä"), ("AE", "Æ"), ("C", "ÇĆČ"), ("E", "ÈÉÊËĒĚ"), ("I", "ÌÍÎÏĪ"), ("N", "ÑŃ"),
      ("O", "ÒÓÔÕØŌ"), ("Oe", "Ö"), ("S", "ŚŠ"), ("U", "ÙÚÛŪ"), ("Ue", "Ü"), ("Y", "Ý"), ("Z", "ŹŻŽ"),
      ("a", "àáâãåā"), ("ae", "äæ"), ("c", "çćč"), ("e", "èéêëēě"), ("i", "ìíîïī"), ("n", "ñń"),
      ("o", "òóôõøō"), ("oe", "öœ"), ("s", "śš"), ("ss", "ß"), ("u", "ùúûū"), ("ue", "ü"), ("y", "ýÿ"),
      ("z", "źżž"), ("l", "ł"), ("L", "Ł"),
    ]
    return Dictionary(groups.flatMap { word, marked in marked.map { ($0, word) } }) { first, _ in first }
  }()
}
