import Testing

@testable import Session

@Suite struct BookmarkTests {
  private func lesson() -> Transcript {
    let transcript = Transcript()
    transcript.run("param x = [1, 2]; f := sum(x^2); k = 3; s = \"a\"; data D = [1]; g(a) := a^2")
    return transcript
  }

  @Test(arguments: [
    ("step gd lr=0.1", ["x"]), ("f := sum(x^4)", ["f"]), ("k = 4", ["k"]), ("x = [7, 7]", ["x"]),
    ("s = \"b\"", ["s"]),
    ("D = [2]; k = 4", ["D", "k"]), ("g(a) := a^3", ["g"]), ("h := x[0]^2; objective h", ["f"]),
    ("grad; print f", []), ("new = 1", []), ("step gd lr=0.1\nundo", []), ("k = 3 + 0", ["k"]),
  ])
  func namesWhatHasChanged(text: String, names: [String]) {
    let transcript = lesson()
    let bookmark = transcript.session.bookmark
    transcript.run(text)
    #expect(transcript.outcome == .ok, "\(transcript.messages)")
    #expect(transcript.session.resume(bookmark) == names)
    #expect(transcript.run("print x, f, k, s, D, g(2)") == "[1, 2] 5 3 a [1] 4")
    #expect(transcript.run("objective").hasPrefix("f := sum(x^2)"))
  }

  /// What hides a word of the language would stand in the way of a text that uses it.
  @Test func putsNamesAsideThatHideWords() {
    let transcript = lesson()
    let bookmark = transcript.session.bookmark
    transcript.run("objective = f; exp = 3; mine = 4")
    #expect(transcript.session.resume(bookmark) == ["exp", "objective"])
    #expect(transcript.run("objective f").hasPrefix("f := sum(x^2)"))
    #expect(transcript.run("print exp(0), mine") == "1 4")
    transcript.run("undo 2")
    #expect(transcript.run("print exp, mine") == "3 4")
  }

  @Test func keepsWhatIsNewAndCanBeTakenBack() {
    let transcript = lesson()
    let bookmark = transcript.session.bookmark
    transcript.run("new := 10*x; x = [3, 4]")
    #expect(transcript.session.resume(bookmark) == ["x"])
    #expect(transcript.run("print new") == "[10, 20]")
    transcript.run("undo")
    #expect(transcript.run("print new, f") == "[30, 40] 25")
    transcript.run("redo")
    #expect(transcript.run("print new, f") == "[10, 20] 5")
  }
}
