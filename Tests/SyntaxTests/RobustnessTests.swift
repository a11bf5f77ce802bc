import Syntax
import Testing

@Suite struct RobustnessTests {
  private static let many = 10_000

  /// Texts that nest deeply, each made from a part that is repeated.
  private static let deep: [(String, String, String)] = [
    ("", "(", ""), ("", "(", "x" + String(repeating: ")", count: many)), ("", "-", "x"), ("", "not ", "x"),
    ("", "[", ""), ("", "{", ""), ("", "repeat 2 {", ""), ("if a {", "} else if a {", "}"), ("f", "(x)", ""),
    ("x", "[0]", ""), ("x", ".y", ""), ("A", "'", ""), ("2", "^2", ""), ("", "‖", ""), ("", "∇", "f"),
    ("", "f(", ""), ("", "x[", ""), ("", "if a then b else ", "c"), ("", "if ", ""), ("", "\"{", ""),
    ("", "time ", ""), ("", "eig ", ""), ("x = ", "(a or b and c < d .. e + f * -", "x"), ("", "a^-", "x"),
    ("", "f(a=[", ""), ("", "f(x) { ", ""), ("", "x[1:", ""), ("", "for i in X {", ""), ("", "a = ", "1"),
    ("", "tune a in b {", ""), ("", "(a, ", ""), ("", "[a; ", ""), ("", "}", ""), ("", ")", ""),
    ("", "f(x)'[0].y(", ""),
  ]

  @Test(arguments: deep.indices)
  func deepNesting(index: Int) async {
    let (head, part, tail) = Self.deep[index]
    let count = part.utf8.count > 8 ? Self.many / 10 : Self.many
    let text = head + String(repeating: part, count: count) + tail
    let errors = await onSmallStack(bytes: 512 << 10) { parse(text).diagnostics.count }
    #expect(errors <= 21)
  }

  @Test(arguments: [
    ("(", ")"), ("-", ""), ("[", "]"), ("f(", ")"), ("not ", ""), ("2^", ""), ("if a then b else ", ""),
    ("(a or b and c < d .. e + f * -", ")"), ("x[", "]"), ("(1, ", ")"), ("\"{", "}\""),
    ("repeat 2 { ", " }"), ("∇", ""),
    ("time ", ""), ("if a { ", "}"), ("f(x) { ", "}"), ("[a; ", "]"), ("x[1:", "]"), ("‖", "‖"),
  ])
  func depthUpToTheLimitNeedsLittleStack(head: String, tail: String) async {
    // The deepest text that is still accepted; it must be parsed, and shown, on the smallest stack.
    let depth = await onSmallStack(bytes: 512 << 10) {
      var accepted = 0
      for depth in 1...400 {
        let result = parse(
          String(repeating: head, count: depth) + "x" + String(repeating: tail, count: depth))
        guard result.diagnostics.isEmpty else { break }
        accepted = depth
      }
      return accepted
    }
    #expect(depth >= 7)
    #expect(depth < 400)
  }

  @Test func tooDeepIsAResourceError() {
    let result = parse(String(repeating: "(", count: 1000) + "x" + String(repeating: ")", count: 1000))
    #expect(result.diagnostics.map(\.kind) == [.resource])
    #expect(result.diagnostics.first?.message == "this is nested more than 200 levels deep")
    #expect(result.completeness == .invalid)
  }

  @Test(arguments: ["1+", "a and ", "a < ", "a*", "a or "])
  func longChainsAreFlat(part: String) async {
    let text = String(repeating: part, count: Self.many) + "1"
    let isComplete = await onSmallStack(bytes: 512 << 10) { parse(text).completeness == .complete }
    #expect(isComplete)
  }

  @Test func manyStatements() {
    let result = parse(String(repeating: "x = x + 1\n", count: 5_000))
    #expect(result.statements.count == 5_000)
  }

  private static let vocabulary = [
    "1", "2.5", "x", "f", "λ", "(", ")", "[", "]", "{", "}", ",", ";", ":", ":=", "=", "==", "<", "~", "..",
    ".", "+",
    "-", "*", "^", "@", "'", "‖", "∇", "?", "\n", " ", " ", "if", "then", "else", "for", "in", "while", "and",
    "not",
    "return", "param", "data", "print", "repeat", "eig", "top", "hessian", "wrt", "step", "newton-cg", "plot",
    "tune",
    "time", "\"a{", "\"", "}\"", "\\", "$", "%", "until", "#", "1e", "hlab> ", "minimize", "save",
  ]

  @Test func randomTokenSoupsTerminate() {
    var generator = Generator(state: 42)
    for _ in 0..<10_000 {
      let count = Int(generator.next() % 30)
      let words = (0..<count).map { _ in
        Self.vocabulary[Int(generator.next() % UInt64(Self.vocabulary.count))]
          + (generator.next() % 2 == 0 ? " " : "")
      }
      let text = words.joined()
      let result = parse(text)
      #expect((result.completeness == .complete) == result.diagnostics.isEmpty, "\(text)")
      _ = DiagnosticRenderer(.ansi, width: 20).render(result.diagnostics)
      _ = result.statements.map(\.debugDescription)
    }
  }

  @Test func randomBytesTerminate() {
    var generator = Generator(state: 7)
    for _ in 0..<2_000 {
      let bytes = (0..<Int(generator.next() % 40)).map { _ in UInt8(truncatingIfNeeded: generator.next() >> 8)
      }
      let result = parse(String(decoding: bytes, as: UTF8.self))
      _ = DiagnosticRenderer().render(result.diagnostics)
    }
  }

  /// SplitMix64.
  private struct Generator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }
}
