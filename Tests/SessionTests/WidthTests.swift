import Testing

@testable import Session

/// What is printed keeps to the width of the screen.
@Suite struct WidthTests {
  private static let names = """
    seed 1
    param a = randn(12)
    param W = randn(3, 14)
    f := norm(a)^2 + norm(W)^4
    long_name = a*1000
    """
  private static let shown = [
    "a", "long_name", "params", "value a", "grad", "hessian", "eig", "diag", "vars", "show a", "check", "W",
    "spectrum kind=stems",
    "explain step gd lr=0.1", "explain hessian", "explain plan f", "eig top 3",
    "compare gd(lr=0.01), newton steps=2",
    "randn(2, 3, 14)", "watch long_name; step gd lr=0.001", "set", "plot eig", "trace", "classify",
    "kfac damping=0.1",
  ]

  @Test(arguments: [(80, true), (120, true), (80, false)]) func linesFit(width: Int, unicode: Bool) {
    final class Lines: @unchecked Sendable { var all: [String] = [] }
    let lines = Lines()
    let options = SessionOptions(color: false, unicode: unicode, width: width, isInteractive: false)
    let session = Session(options: options) {
      if case .text(let text) = $0 { lines.all += text.split(separator: "\n").map(String.init) }
    }
    #expect(session.run(Self.names + "\n" + Self.shown.joined(separator: "\n"), name: "<test>") == .ok)
    #expect(lines.all.count > 150)
    for line in lines.all where line.count > width { Issue.record("\(line.count) columns: \(line)") }
    for line in lines.all where !unicode && !line.allSatisfy(\.isASCII) { Issue.record("not ASCII: \(line)") }
  }

  /// All entries of a vector that is not long are there, under the first one.
  @Test func vectorsContinueUnderTheFirstEntry() {
    let text = Transcript().run("x = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]/7; y = x[:3]; watch x, y; x")
    #expect(
      text == """
        x = [0.142857, 0.285714, 0.428571, 0.571429, 0.714286, 0.857143, 1, 1.14286,
             1.28571, 1.42857]
        y = [0.142857, 0.285714, 0.428571]
        [0.142857, 0.285714, 0.428571, 0.571429, 0.714286, 0.857143, 1, 1.14286,
         1.28571, 1.42857]
        """)
  }

  /// Within other text a vector stays on its line.
  @Test func interpolatedVectorsStayOnTheLine() {
    let text = Transcript().run(
      "x = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]/7; print \"{x}\"; print x, x; print (x, x)")
    #expect(text.split(separator: "\n").count == 3)
  }

  @Test func eigenvalueStems() {
    #expect(
      Transcript().run("param w = zeros(6); f := sum([1, 1, 1, 2, 2, 6]*w^2)/2; plot eig size=40 height=6")
        == """
                    eigenvalues of ∇²f
          ┌─ λ ────────────────────────────────┐
        5 ┤ ●                                  │
          │ ⡇     ●      ●                     │
        0 ┤ ⡇     ⢸      ⢸      ●      ●     ● │
          └─┬─────┬──────┬──────┬──────┬─────┬─┘
            0     1      2      3      4     5
                           index
        """)
  }

  @Test func eigenvalueHistogram() {
    let desk = "param w = zeros(6); f := sum([1, 1, 1, 2, 2, 6]*w^2)/2\n"
    let drawn = """
        ┌─ eigenvalues ──────────────────────┐
        │███████                             │
      2 ┤██████████████                      │
      0 ┤██████████████               ███████│
        └┬──────┬──────┬──────┬──────┬──────┬┘
         1      2      3      4      5      6
                           λ
      """
    let plot = Transcript().run(desk + "plot eig kind=hist bins=5 size=40 height=6")
    #expect(plot == "            eigenvalues of ∇²f\n" + drawn)
    // The same bars as of the eigenvalues of a matrix, and of `spectrum`.
    let spectrum = Transcript().run(desk + "spectrum kind=hist bins=5 size=40 height=6")
    #expect(spectrum.hasSuffix(drawn))
    let values = Transcript().run(desk + "v = plot eig kind=hist size=40 height=6; print v")
    #expect(values.hasSuffix("[6, 2, 2, 1, 1, 1]"))
  }

  @Test(arguments: [
    ("plot eig, f", "takes the objective's Hessian alone"), ("plot eig kind=bars", "cannot be shown as bars"),
    ("plot eig kind=hist bins=0", "'bins' is 1 to 10000, not 0"), ("eig = 3; plot eig", "'eig' is a number"),
  ]) func eigenvaluesThatCannotBeDrawn(command: String, message: String) {
    let transcript = Transcript()
    transcript.run("param w = zeros(2); f := w[0]*w[1]\n" + command)
    #expect(transcript.messages.contains(message), "\(transcript.messages)")
  }

  /// Which entries would have to hold is not guessed.
  @Test(arguments: [
    "if x > 0 { y = 1 }", "while x > 0 { x = x - 1 }", "repeat 3 { if x > 0 { x = x - 1 } }",
    "for k in 0..3 { y = k; while x > y { x = x - 1 } }",
    "h(a) { if a > 0 { return 1 }; return 2 }\nprint h(x)",
    "h(a) { if a > 0 { return 1 }; return 2 }\ng := h([1, 2])\nprint g", "if x { y = 1 }",
  ]) func conditionsAreOneNumber(program: String) {
    let transcript = Transcript()
    transcript.run("x = [1, 2, 0]\n" + program)
    #expect(
      transcript.messages.contains("a condition is one number, not a tensor of shape"),
      "\(transcript.messages)")
    #expect(transcript.messages.contains("all("))
    #expect(transcript.run("print x") == "[1, 2, 0]")
  }

  @Test func conditionsOfAllOrAnyEntry() {
    let program =
      "x = [1, 2, 0]; n = 0; while any(x > 0) { x = x - 1; n = n + 1 }; if all(x <= 0) { n = n + 10 }; assert x <= 0"
    #expect(Transcript().run(program + "\nif [3] > 2 { print n }") == "12")
  }
}
