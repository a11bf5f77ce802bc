import Syntax
import Testing

@testable import Session

/// Words with a meaning of their own: help, completion and hints know the same ones.
@Suite struct SpecialNameTests {
  @Test(arguments: SpecialName.words) func everyWordIsKnownEverywhere(word: String) {
    let c = Conversation()
    #expect(c.say("?\(word)").hasPrefix(word == "false" ? "true" : word))
    #expect(c.outcome == .ok)
    let text = "print \(word.dropLast())"
    let found = Completion(c.interpreter).candidates(text, text.utf8.count).candidates
    #expect(found.contains(word))
    #expect(Help.topics(c.interpreter).contains(word))
    guard word.count > 2 else { return }
    #expect(c.say("print \(word)\(word.suffix(1))").contains("did you mean '\(word)'?"))
  }

  @Test func greekNamesAreMeantBySpelling() {
    let c = Conversation()
    #expect(c.say("print ppi").contains("did you mean 'pi'?"))
    #expect(c.say("lambda = 1; print lamda").contains("did you mean 'lambda'?"))
    #expect(c.say("?pi") == c.say("?π"))
  }

  @Test func constantsAreNumbers() {
    let c = Conversation()
    #expect(c.say("set digits 12; print pi, e, inf, nan") == "3.14159265359 2.71828182846 inf nan")
  }

  @Test func overviewNamesWhatIsNoCommand() throws {
    let names = try #require(Conversation().say("?").split(separator: "\n").first { $0.contains("  names") })
    #expect(
      names.split(separator: " ").dropFirst().map(String.init)
        == ["params", "ans", "history", "π", "e", "inf", "nan", "true", "false"])
  }

  /// A command is meant where a statement begins, and nowhere else.
  @Test(arguments: [
    ("plto", true), ("plto # a slip", true), ("1; plto", true), ("if 1 { plto }", true), ("1\nplto\n2", true),
    ("repeat 2 { x = [1]\nplto }", true), ("x = [1,\nplto\n]", false), ("x = (\nplto\n)", false),
    ("x = 1 +\nplto", false), ("print \"{plto}\"", false), ("print plto", false),
  ])
  func verbsAreMeantAtTheStartOfStatements(program: String, isMeant: Bool) {
    #expect(Conversation().say(program).contains("did you mean 'plot'?") == isMeant)
  }
}
