/// A strict reader of the LaTeX that formulas are written in: what amsmath would refuse, it refuses, and also what it does
/// not know.
public struct LaTeXReader {
  /// The first thing that is wrong; nil for a text of paragraphs and `align*` environments that compiles.
  public static func fault(in text: String) -> String? {
    var reader = LaTeXReader(Array(text.unicodeScalars))
    do {
      try reader.document()
      return nil
    } catch {
      return "\(error)"
    }
  }

  struct Fault: Error, CustomStringConvertible {
    let description: String
  }

  private let text: [Unicode.Scalar]
  private var place = 0

  private init(_ text: [Unicode.Scalar]) { self.text = text }

  /// Commands that take no argument.
  private static let symbols: Set<String> = [
    "alpha", "beta", "gamma", "delta", "varepsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
    "nu", "xi",
    "pi", "rho", "sigma", "tau", "upsilon", "varphi", "chi", "psi", "omega", "Gamma", "Delta", "Theta",
    "Lambda", "Xi",
    "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega", "partial", "nabla", "odot", "oslash", "circ", "cdot",
    "cdots", "ldots",
    "top", "sum", "max", "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "min", "det", "arcsin",
    "arccos",
    "arctan", "neg", "leq", "neq", "wedge", "vee", "infty", "quad", "lVert", "rVert", "lfloor", "rfloor",
    "lceil", "rceil",
    ",", "_", "{", "}",
  ]
  private static let arguments = [
    "frac": 2, "tfrac": 2, "sqrt": 1, "mathrm": 1, "mathit": 1, "mathbf": 1, "operatorname": 1,
  ]
  private static let pairs = [
    "(": ")", "[": "]", "|": "|", "\\lVert": "\\rVert", "\\lfloor": "\\rfloor", "\\lceil": "\\rceil",
  ]

  // MARK: Documents

  private mutating func document() throws {
    while place < text.count {
      if try take("\\begin{align*}") {
        try rows(until: "\\end{align*}")
      } else {
        try prose(untilBrace: false)
      }
    }
  }

  /// Words with formulas between dollars.
  private mutating func prose(untilBrace: Bool) throws {
    var depth = 0
    while place < text.count {
      if !untilBrace, starts(with: "\\begin{") { return }
      let c = text[place]
      place += 1
      switch c {
      case "$":
        try list { $0.starts(with: "$") }
        place += 1
      case "{": depth += 1
      case "}":
        if depth == 0 && untilBrace { return }
        depth -= 1
        if depth < 0 { throw fault("a closing brace too many") }
      case "\\": place += 1
      case "_", "^", "&", "#", "%", "~": throw fault("'\(c)' in words")
      default: break
      }
    }
    if untilBrace || depth > 0 { throw fault("words that do not end") }
  }

  /// Rows of an `align*`: at most one `&` each, words only after a row that has ended.
  private mutating func rows(until end: String) throws {
    var hasEnded = false
    var cells = 0
    while true {
      try list {
        $0.starts(with: "&") || $0.starts(with: "\\\\") || $0.starts(with: "\\intertext")
          || $0.starts(with: end)
      }
      if try take("&") {
        cells += 1
        if cells > 1 { throw fault("a second & in a row") }
        hasEnded = false
      } else if try take("\\\\") {
        if cells == 0 { throw fault("a row without &") }
        (cells, hasEnded) = (0, true)
      } else if try take("\\intertext{") {
        if !hasEnded { throw fault("\\intertext before the row has ended") }
        try prose(untilBrace: true)
      } else if try take(end) {
        if cells == 0 { throw fault("an empty last row") }
        return
      } else {
        throw fault("an align* that does not end")
      }
    }
  }

  // MARK: Formulas

  /// Atoms with their scripts, until `end` holds.
  private mutating func list(_ end: (LaTeXReader) -> Bool) throws {
    var scripts: Set<Unicode.Scalar> = ["_", "^"]
    while true {
      skipSpaces()
      if end(self) { return }
      guard place < text.count else { throw fault("a formula that does not end") }
      if text[place] == "_" || text[place] == "^" {
        let sign = text[place]
        if !scripts.insert(sign).inserted { throw fault("a second '\(sign)', or one without a base") }
        place += 1
        try group()
      } else {
        try atom()
        scripts = []
      }
    }
  }

  private mutating func group() throws {
    guard try take("{") else { throw fault("a brace is missing") }
    try list { $0.starts(with: "}") }
    place += 1
  }

  private mutating func atom() throws {
    if starts(with: "{") { return try group() }
    let c = text[place]
    guard c == "\\" else {
      guard c.isASCII, !"}&$#%~".unicodeScalars.contains(c) else { throw fault("'\(c)' in a formula") }
      place += 1
      return
    }
    let name = command()
    switch name {
    case "left": try pair()
    case "begin": try environment()
    case "text", "texttt":
      guard try take("{") else { throw fault("a brace is missing") }
      try prose(untilBrace: true)
    case "operatorname*": try group()
    default:
      if let count = Self.arguments[name] {
        for _ in 0..<count { try group() }
      } else if !Self.symbols.contains(name) {
        throw fault("\\\(name), which is not known here")
      }
    }
  }

  private mutating func pair() throws {
    let open = delimiter()
    guard let close = Self.pairs[open] else { throw fault("\\left\(open)") }
    try list { $0.starts(with: "\\right") && !$0.starts(with: "\\rightarrow") }
    _ = command()
    let found = delimiter()
    if found != close { throw fault("\\left\(open) and \\right\(found)") }
  }

  private mutating func delimiter() -> String {
    if starts(with: "\\") { return "\\" + command() }
    defer { place += 1 }
    return place < text.count ? String(text[place]) : ""
  }

  private mutating func environment() throws {
    let name = ["cases", "aligned"].first { starts(with: "{\($0)}") } ?? "bmatrix"
    guard try take("{\(name)}") else { throw fault("an environment that is not known here") }
    let end = "\\end{\(name)}"
    while true {
      try list { $0.starts(with: "&") || $0.starts(with: "\\\\") || $0.starts(with: end) }
      if try take(end) { return }
      if try !take("&") { _ = try take("\\\\") }
    }
  }

  // MARK: Characters

  private mutating func command() -> String {
    place += 1
    let letters = text[place...].prefix { $0.isASCII && $0.properties.isAlphabetic }
    guard letters.isEmpty else {
      place += letters.count
      var name = String(String.UnicodeScalarView(letters))
      if name == "operatorname", starts(with: "*") {
        place += 1
        name += "*"
      }
      return name
    }
    defer { place += 1 }
    return place < text.count ? String(text[place]) : ""
  }

  private mutating func skipSpaces() {
    while place < text.count, text[place].properties.isWhitespace { place += 1 }
  }

  private func starts(with prefix: String) -> Bool { text[place...].starts(with: prefix.unicodeScalars) }

  private mutating func take(_ prefix: String) throws -> Bool {
    guard starts(with: prefix) else { return false }
    place += prefix.unicodeScalars.count
    return true
  }

  private func fault(_ what: String) -> Fault {
    let around = text[max(0, place - 30)..<min(text.count, place + 20)]
    return Fault(description: "\(what), at …\(String(String.UnicodeScalarView(around)))…")
  }
}
