import Testing

@testable import Terminal

@Suite struct TextLayoutTests {
  @Test func columnsGoDownFirst() {
    let lines = TextLayout.columns(["aa", "bb", "cc", "dd", "ee"], screenWidth: 11)
    #expect(lines == ["aa  cc  ee", "bb  dd"])
  }

  @Test func columnsWithoutRoom() {
    #expect(TextLayout.columns(["abcdef", "gh"], screenWidth: 3) == ["abcdef", "gh"])
    #expect(TextLayout.columns([], screenWidth: 80) == [])
    #expect(TextLayout.columns(["x"], screenWidth: 0) == ["x"])
  }

  @Test func columnsAreBounded() {
    let items = (10..<60).map(String.init)
    let lines = TextLayout.columns(items, screenWidth: 10, maximumRows: 4)
    #expect(lines == ["10  13", "11  14", "12  15", "and 44 more"])
  }

  @Test(arguments: [
    (["step", "stop"], "st"), (["a"], "a"), (["a", "b"], ""), ([], ""), (["λ1", "λ2"], "λ"),
    (["ab", "a"], "a"),
  ])
  func commonPrefix(items: [String], prefix: String) {
    #expect(TextLayout.commonPrefix(items) == prefix)
  }

  @Test(arguments: [
    ("", 0), ("abc", 0), ("a\nb", 1), ("abcd", 1), ("abcde\n", 2), ("\n\n", 2), ("a\n0123456789", 2),
    ("a\n012345678", 1),
  ])
  func rowsOfWrappedText(text: String, row: Int) {
    #expect(TextLayout.row(after: text, promptWidth: 6, screenWidth: 10) == row)
  }

  @Test(arguments: [
    ("repeat 3 {", 2), ("f(", 2), ("f(g(", 4), ("repeat 3 { if a {", 4), ("print \"{(\" # {\nx = [", 2),
    ("a = ", 2),
  ])
  func indentation(text: String, spaces: Int) {
    #expect(TextLayout.indentation(after: text) == String(repeating: " ", count: spaces))
  }

  @Test func progressFitsOneLine() {
    #expect(OutputStreams.fit("abcdef", width: 3) == "abc")
    #expect(OutputStreams.fit("ab\ncd", width: 10) == "ab")
  }
}

@Suite struct TranscriptTests {
  @Test func cleansPastedText() {
    #expect(Transcript.clean("a\r\nb\rc\n\td\u{1b}[0m\n\n") == "a\nb\nc\n  d[0m")
  }

  @Test func takesInputOutOfATranscript() {
    let text = "hlab> repeat 2 {\n  x\n}\nresult\nhlab> y\nmore"
    let typed = Transcript.withoutPrompts(text) { $0.contains("{") && !$0.contains("}") }
    #expect(typed == "repeat 2 {\n  x\n}\ny")
  }

  @Test func leavesOtherTextAlone() {
    let text = "a\nhlab> b"
    #expect(Transcript.withoutPrompts(text) { _ in false } == text)
  }
}

@Suite struct InputDecoderTests {
  private func decode(_ chunks: [[UInt8]]) -> String {
    var decoder = InputDecoder()
    var text = ""
    for chunk in chunks {
      decoder.append(chunk)
      while let scalar = decoder.scalar() { text.unicodeScalars.append(scalar) }
    }
    return text
  }

  @Test func decodesAcrossReads() {
    let bytes = Array("aλ∇😀²".utf8)
    #expect(decode([bytes]) == "aλ∇😀²")
    #expect(decode(bytes.map { [$0] }) == "aλ∇😀²")
  }

  @Test func replacesBrokenBytes() {
    #expect(decode([[0x61, 0xFF, 0x62]]) == "a\u{FFFD}b")
    #expect(decode([[0xCE, 0x61]]) == "\u{FFFD}a")
    #expect(decode([[0xE0, 0x80, 0x80, 0x61]]).hasSuffix("a"))
  }
}

@Suite struct EnvironmentTests {
  private func environment(_ variables: [String: String]) -> TerminalEnvironment {
    TerminalEnvironment(
      inputIsTerminal: true, outputIsTerminal: true, errorIsTerminal: true, isUnicode: true,
      environment: { variables[$0] })
  }

  @Test func colorFollowsTheConventions() {
    let plain = environment(["TERM": "xterm"])
    #expect(plain.usesColor(.auto, onTerminal: true))
    #expect(!plain.usesColor(.auto, onTerminal: false))
    #expect(!plain.usesColor(.never, onTerminal: true))
    #expect(plain.usesColor(.always, onTerminal: false))
    #expect(!environment(["TERM": "dumb"]).usesColor(.auto, onTerminal: true))
    #expect(!environment(["TERM": "xterm", "NO_COLOR": "1"]).usesColor(.auto, onTerminal: true))
    #expect(environment(["TERM": "xterm", "NO_COLOR": ""]).usesColor(.auto, onTerminal: true))
  }

  @Test(arguments: [
    ("UTF-8", ["LANG": "de_DE.UTF-8"], true), ("UTF-8", ["TERM": "vt100"], true),
    // Nothing chosen, as in many containers.
    ("ANSI_X3.4-1968", [:], true), ("ANSI_X3.4-1968", ["TERM": "vt100"], false),
    ("ANSI_X3.4-1968", ["LC_ALL": "", "LANG": ""], true),
    // Chosen.
    ("ANSI_X3.4-1968", ["LC_ALL": "C"], false), ("ANSI_X3.4-1968", ["LANG": "POSIX"], false),
    ("ANSI_X3.4-1968", ["LC_ALL": "C", "LANG": "en_US.UTF-8"], false),
    ("ANSI_X3.4-1968", ["LC_CTYPE": "C", "LANG": "en_US.UTF-8"], false),
    // Chosen, but not installed here.
    ("ANSI_X3.4-1968", ["LANG": "en_US.UTF-8"], true), ("ANSI_X3.4-1968", ["LANG": "en_US.utf8"], true),
    ("ISO-8859-1", ["LANG": "en_US.ISO-8859-1"], false),
  ])
  func unicodeIsWhatTheLocaleSays(codeset: String, variables: [String: String], isUnicode: Bool) {
    #expect(
      TerminalEnvironment.isUnicode(codeset: codeset, environment: { variables[$0] }) == isUnicode)
  }

  @Test func theConsoleHasNoBraille() {
    #expect(!environment(["TERM": "linux"]).hasBraille)
    #expect(environment(["TERM": "xterm"]).hasBraille && environment([:]).hasBraille)
  }

  @Test func videoTerminalsHaveNoColours() {
    #expect(!environment(["TERM": "vt100"]).usesColor(.auto, onTerminal: true))
    #expect(environment(["TERM": "vt100"]).usesColor(.always, onTerminal: true))
    #expect(environment(["TERM": "vte-256color"]).usesColor(.auto, onTerminal: true))
  }

  @Test func readsNoMissingFile() {
    #expect(throws: FileError(path: "/nowhere/x", code: 2)) { try readFile("/nowhere/x") }
    #expect(FileError(path: "x", code: 2).description == "cannot read 'x': No such file or directory")
  }

  @Test func runsOnALargeStack() {
    func depth(_ n: Int) -> Int { n == 0 ? 0 : 1 + depth(n - 1) }
    #expect(withLargeStack { depth(1_000_000) == 1_000_000 ? 7 : 1 } == 7)
  }

  @Test(arguments: [
    (["TERM": "xterm"], TerminalEnvironment.ColorDepth.ansi16), (["TERM": "xterm-256color"], .ansi256),
    (["TERM": "screen", "COLORTERM": "truecolor"], .trueColor), (["TERM": "xterm-direct"], .trueColor),
    (["TERM": "xterm", "COLORTERM": "1"], .ansi256), ([:], .ansi16),
  ])
  func colorsAreWhatTheTerminalSays(variables: [String: String], depth: TerminalEnvironment.ColorDepth) {
    #expect(environment(variables).colorDepth == depth)
  }
}
