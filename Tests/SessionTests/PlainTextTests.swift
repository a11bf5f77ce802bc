import Plotting
import Syntax
import Testing

@testable import Session

/// A session whose screen shows nothing but ASCII.
@Suite struct PlainTextTests {
  private let transcript = Transcript(unicode: false)
  private static let model = "param λ = [1, 2]; f := λ[0]^2 + 3*λ[1]^4\n"

  @Test(arguments: [
    "grad", "hessian", "eig", "derive f", "explain hessian", "plot f model=true", "step newton",
    "compare gd, newton steps=2", "minimize newton max 3 table=true", "surface f along eig", "vars",
    "explain step newton", "?eig", "f", "set", "check", "print \"∇ – λ\"",
  ])
  func everythingIsASCII(command: String) {
    let text = transcript.run(Self.model + command)
    #expect(transcript.outcome == .ok && !text.isEmpty, "\(transcript.messages)")
    #expect(text.utf8.allSatisfy { $0 < 0x80 }, "\(text)")
  }

  /// The marks stand under what is spelled.
  @Test func messagesAreSpelledAndPointAtTheirPlace() {
    transcript.run("λ = 2\nprint λ + naïveté*3")
    #expect(
      transcript.messages == """
        error: 'naivete' is not bound
         --> <test>:2:11
        2 | print lambda + naivete*3
          |                ^^^^^^^
          hint: bind it to a value, naivete = ..., to a formula, naivete := ..., or as param naivete = ...
        """)
  }

  @Test func columnsStandUnderTheirHeads() {
    let lines = transcript.run(Self.model + "compare gd, newton steps=2").split(separator: "\n").prefix(3)
    #expect(lines.first?.hasSuffix("||grad f||") == true)
    #expect(Set(lines.map(\.count)).count == 1, "\(lines)")
  }

  @Test func theSettingSaysSoAndCanBeChanged() {
    #expect(transcript.run("s = set; print s.ascii") == "1")
    #expect(transcript.run("set ascii false; print \"λ\"") == "λ")
  }

  @Test func plotsDoWithoutBraille() {
    let transcript = Transcript()
    transcript.session.options.braille = false
    let text = transcript.run(Self.model + "plot f")
    #expect(text.contains("┌") && !text.unicodeScalars.contains { (0x2800...0x28FF).contains($0.value) })
  }

  /// One table spells in plots and in results, another reads names; they agree on Greek letters.
  @Test func lettersAreSpelledAsNamesAre() {
    for letter in "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ" {
      #expect(PlainSpelling.ascii(String(letter)) == Names.spelled(String(letter)))
    }
  }
}

/// Prose that spelling makes wider than the screen is folded anew, what is indented stays.
@Test func proseIsFoldedToTheScreen() {
  let session = Session(options: SessionOptions(color: false, unicode: false, width: 40, isInteractive: true))
  { _ in }
  let prose = ["The step from λmax is 2/λmax, and", "‖∇f‖ falls.", "  λ = 1,", "so it goes."]
  let folded = session.folded(prose)
  #expect(folded.allSatisfy { $0.count <= 40 && $0.utf8.allSatisfy { $0 < 0x80 } })
  #expect(folded.suffix(2) == ["  lambda = 1,", "so it goes."])
  let words = folded.joined(separator: " ").split(separator: " ")
  #expect(words.last == "goes." && words.first == "The" && folded.count == 4)
  session.options.width = 80
  #expect(session.folded(["short", "lines"]) == ["short", "lines"])
}
