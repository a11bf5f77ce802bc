/// SplitMix64 (Steele, Lea and Flood, 2014).
struct SplitMix64 {
  var state: UInt64

  /// A number from 0 to below the bound.
  mutating func below(_ bound: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((z ^ (z >> 31)) % UInt64(bound))
  }
}

/// Random statements: valid ones, ones with a few wrong characters, and garbage. The same for the same seed.
struct ProgramGenerator {
  private var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(state: seed &* 0x9E37_79B9_7F4A_7C15) }

  private mutating func next(_ bound: Int) -> Int { random.below(bound) }

  private mutating func pick(_ choices: [String]) -> String { choices[next(choices.count)] }

  mutating func text() -> String {
    let statement = statement(depth: 3)
    switch next(10) {
    case 0..<6: return statement
    case 6..<9: return mutated(statement)
    default: return (0..<next(20)).map { _ in pick(Self.pieces) }.joined(separator: next(2) == 0 ? " " : "")
    }
  }

  private static let pieces = [
    "(", ")", "[", "]", "{", "}", ",", ";", ":", ":=", "=", "==", "<", "~", "..", ".", "+", "-", "*", "/",
    "^", "@", "'", "‖", "∇", "∇²",
    "?", "\n", "if", "then", "else", "for", "in", "while", "not", "and", "or", "return", "break", "param",
    "data", "print", "assert", "x",
    "W", "f", "g", "p", "v", "a", "λ", "1", "2.5", "1e308", "0", "-1", "grad", "hessian", "sum", "\"s\"",
    "\"{", "true", "params", "ans", "é",
  ]

  private mutating func mutated(_ text: String) -> String {
    var characters = Array(text)
    for _ in 0...next(3) {
      guard !characters.isEmpty else { break }
      let place = next(characters.count)
      switch next(4) {
      case 0: characters.remove(at: place)
      case 1: characters.insert(contentsOf: pick(Self.pieces), at: place)
      case 2: characters.swapAt(place, next(characters.count))
      default: characters[place] = Character(pick(["0", "x", "(", " ", "]", "9", "\"", "\n"]))
      }
    }
    return String(characters)
  }

  private mutating func statement(depth: Int) -> String {
    let name = pick(["x", "W", "a", "b", "f", "h", "y", "k", "v", "i", "u"])
    switch depth > 0 ? next(19) : next(9) {
    case 0, 1: return expression(3)
    case 2: return "\(name) = \(expression(3))"
    case 3: return "\(name) := \(expression(3))"
    case 4: return "print \(expression(2)), \(expression(1))"
    case 5: return "\(name)[\(index())] = \(expression(2))"
    case 6: return "(\(name), b) = (\(expression(1)), \(expression(2)))"
    case 7:
      return
        "assert \(expression(2)) \(pick(["<", "==", ">="])) \(expression(2)), \"{a} {\(expression(1)):.3}\""
    case 8: return "\(expression(1));"
    case 9: return "param \(pick(["x", "W", "q"])) = \(expression(2))"
    case 10: return "data y = \(expression(2))"
    case 11:
      return
        "\(pick(["v", "r"])) ~ \(pick(["randn(3)", "rademacher(like=params)", "rand(2, 2)", expression(2)]))"
    case 12:
      return "\(pick(["g", "q", "g2"]))(s, t = \(expression(1))) := \(expression(3, extra: ["s", "t"]))"
    case 13:
      return
        "\(pick(["p", "p2"]))(s) {\n  \(statement(depth: depth - 1))\n  u = \(expression(2, extra: ["s"]))\n  return u\n}"
    case 14:
      return
        "for i in \(pick(["0..3", "[1, 2]", "x", "0..a", "W"])) { \(statement(depth: depth - 1)); \(statement(depth: depth - 1)) }"
    case 15: return "repeat \(pick(["2", "3", "a", "-1"])) { \(statement(depth: depth - 1)) }"
    case 16:
      return "if \(expression(2)) { \(statement(depth: depth - 1)) } else { \(statement(depth: depth - 1)) }"
    case 17: return "k = 0; while k < 3 { k = k + 1; \(statement(depth: 0)) }"
    default:
      return pick([
        "value", "grad", "hessian", "grad wrt x", "hessian wrt (x, W)", "objective f", "vars", "undo", "redo",
        "step gd lr=0.01", "value a", "?grad",
      ])
    }
  }

  private mutating func index() -> String {
    pick(["0", "-1", "1:", ":", "::-1", "0, 1", "[0, 1]", "a", "x > 1", "1..2", ":, 0", "5", expression(1)])
  }

  private mutating func expression(_ depth: Int, extra: [String] = []) -> String {
    let leaf = pick(
      ["x", "W", "a", "f", "y", "v", "1", "2", "0", "0.5", "[1, 2, 3]", "[1, 2; 3, 4]", "ans", "params", "π"]
        + extra + extra)
    guard depth > 0 else { return leaf }
    let (a, b) = (expression(depth - 1, extra: extra), expression(depth - 1, extra: extra))
    switch next(24) {
    case 0, 1: return leaf
    case 2, 3, 4: return "\(a) \(pick(["+", "-", "*", "/", "%", "@"])) \(b)"
    case 5: return "(\(a))^\(pick(["2", "3", "-1", "0.5", "a", b]))"
    case 6: return "-(\(a))"
    case 7, 8:
      return
        "\(pick(["sin", "exp", "log", "sqrt", "abs", "sum", "mean", "norm", "max", "tanh", "softplus", "prod", "sort", "cumsum", "logsumexp", "softmax", "size"]))(\(a))"
    case 9: return "(\(a))[\(index())]"
    case 10: return "if \(a) \(pick(["<", ">", "=="])) \(b) then \(a) else \(b)"
    case 11:
      return
        "\(pick(["grad", "hessian", "jacobian", "laplacian", "ggn"]))(\(a), \(pick(["x", "W", "params", "x[0]", "(x, W)", b])))"
    case 12: return "\(pick(["hvp", "jvp", "vjp"]))(\(a), x, \(b))"
    case 13: return "g(\(a), \(b))"
    case 14: return "p(\(a))"
    case 15: return "f(x = \(a))"
    case 16: return "[\(a), \(b)]"
    case 17: return "(\(a))'"
    case 18: return "(\(a) < \(b) and \(a) != 1)"
    case 19: return "\(pick(["outer", "dot", "cat", "stack", "max", "min"]))(\(a), \(b))"
    case 20:
      return "\(pick(["inv", "det", "trace", "diag", "eig", "cholesky", "logdet", "svd", "solve"]))(\(a))"
    case 21: return "stop(\(a))"
    case 22: return "(\(a), \(b))"
    default:
      return
        "\(pick(["rand", "randn", "zeros", "ones", "eye", "reshape"]))(\(pick(["2", "2, 2", "0", "a", a])))"
    }
  }
}
