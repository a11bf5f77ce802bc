import Syntax
import Testing

@Suite struct RendererTests {
  @Test func caretUnderTheToken() {
    #expect(
      rendered("y = 2\nx = 1 ** 2") == """
        error: unknown operator '**'
         --> t.hlab:2:7
        2 | x = 1 ** 2
          |       ^^
          hint: power is written ^
        """)
  }

  @Test func labelsOnTheirOwnLines() {
    #expect(
      rendered("A = [1, 2,\n 3 4\n ]") == """
        error: expected ']', found '4'
         --> t.hlab:2:4
        1 | A = [1, 2,
          |     - opened here
        2 |  3 4
          |    ^
          hint: separate elements with ','
        """)
  }

  @Test func distantLabelsNotesAndOtherSources() {
    let source = SourceText(name: "a.hlab", text: String(repeating: "x\n", count: 8) + "A @ B\n\nC")
    let other = SourceText(name: "<input 1>", text: "param B = 1")
    let diagnostic = Diagnostic(
      .shape, "the shapes do not fit", at: Span(source, 16, 21),
      labels: [
        Diagnostic.Label(Span(source, 23, 24), "here"), Diagnostic.Label(Span(other, 6, 7), "declared here"),
      ],
      notes: ["left   3×4", "right  5×6"], hint: "transpose one")
    #expect(
      DiagnosticRenderer().render(diagnostic) == """
        error: the shapes do not fit
          --> a.hlab:9:1
         9 | A @ B
           | ^^^^^
           ⋮
        11 | C
           | - here
          --> <input 1>:1:7
         1 | param B = 1
           |       - declared here
           = left   3×4
           = right  5×6
           hint: transpose one
        """)
  }

  @Test func tabsAndWideCharacters() {
    #expect(
      rendered("\ty = \"日本語\" $") == """
        error: unknown character '$'
         --> t.hlab:1:12
        1 |     y = "日本語" $
          |                  ^
          hint: names consist of letters, digits and '_'
        """)
    #expect(rendered("‖λ‖ $").contains("1 | ‖λ‖ $\n  |     ^\n"))
  }

  @Test func spansOverSeveralLinesAreClipped() {
    let source = SourceText(name: "t", text: "f(1,\n  2)")
    let text = DiagnosticRenderer().render(Diagnostic(.type, "no", at: Span(source, 0, 9)))
    #expect(text == "error: no\n --> t:1:1\n1 | f(1,\n  | ^^^^")
  }

  @Test func longLinesShowAWindow() {
    let text = "x = " + String(repeating: "a + ", count: 200) + "$" + String(repeating: " + b", count: 200)
    let lines = DiagnosticRenderer(.plain, width: 40).render(parse(text).diagnostics).split(separator: "\n")
    #expect(lines[2].count == 4 + 40)
    #expect(lines[2].hasPrefix("1 | …"))
    #expect(lines[2].hasSuffix("…"))
    let caret = lines[3].firstIndex(of: "^").map { lines[3].distance(from: lines[3].startIndex, to: $0) } ?? 0
    #expect(Array(lines[2])[caret] == "$")
  }

  @Test func placesBeyondTheEnd() {
    #expect(rendered("x = 1 +").hasSuffix("1 | x = 1 +\n  |        ^"))
    #expect(rendered("x :=\n").contains("1 | x :=\n  |   ^^"))
    #expect(DiagnosticRenderer().render(Diagnostic(.io, "no such file")) == "error: no such file")
  }

  @Test func colourChangesNothingButColour() {
    let diagnostics = parse("x = (1 + 2]").diagnostics
    let coloured = DiagnosticRenderer(.ansi).render(diagnostics)
    #expect(coloured.hasPrefix("\u{1B}[1;31merror:\u{1B}[0m"))
    var plain = ""
    var isEscape = false
    for character in coloured {
      if character == "\u{1B}" { isEscape = true }
      if !isEscape { plain.append(character) }
      if character == "m" { isEscape = false }
    }
    #expect(plain == DiagnosticRenderer().render(diagnostics))
  }

  @Test func warningsAndNotes() {
    let warning = Diagnostic(.usage, "careful", severity: .warning)
    #expect(DiagnosticRenderer().render(warning) == "warning: careful")
  }

  @Test func longTextsBreakBetweenWords() {
    let words = Array(repeating: "word", count: 12).joined(separator: " ")
    let diagnostic = Diagnostic(.usage, words, notes: ["short", words], hint: words)
    let lines = DiagnosticRenderer(.plain, width: 40, folds: true).render(diagnostic).split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 40 })
    #expect(DiagnosticRenderer(.plain, width: 40).render(diagnostic).hasPrefix("error: \(words)\n"))
    #expect(
      lines == [
        "error: word word word word word word", "  word word word word word word", "  = short",
        "  = word word word word word word word", "    word word word word word",
        "  hint: word word word word word word", "    word word word word word word",
      ])
  }
}
