import Foundation
import Syntax
import Testing

@testable import Session

@Suite struct HelpTests {
  /// The text on one line.
  private static func unwrapped(_ text: String) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  @Test(arguments: Builtins.all.map(\.name))
  func examplesOfFunctionsPrintWhatTheySay(name: String) throws {
    let builtin = try #require(Builtins.byName[name])
    let transcript = Transcript()
    #expect(transcript.run(builtin.example) == builtin.exampleOutput, "\(transcript.messages)")
    #expect(Self.unwrapped(transcript.run("?\(name)")).contains(builtin.summary))
    #expect(builtin.summary.hasSuffix("."))
  }

  @Test(arguments: HelpTopic.all.map(\.name))
  func examplesOfTopicsPrintWhatTheySay(name: String) throws {
    let topic = try #require(HelpTopic.named(name))
    let transcript = Transcript()
    #expect(transcript.run(topic.example) == topic.output, "\(transcript.messages)")
  }

  @Test(arguments: Commands.all.map(\.verb))
  func examplesOfCommandsRun(verb: String) throws {
    let command = try #require(Commands.table[verb])
    let transcript = Transcript()
    transcript.run("param x = [-1.2, 1]\nf := (1 - x[0])^2 + 100*(x[1] - x[0]^2)^2\nx = [1, 2]")
    if verb == "redo" { transcript.run("undo") }
    transcript.run(command.example)
    #expect(transcript.outcome == (verb == "quit" ? .quit(exitCode: 0) : .ok), "\(transcript.messages)")
    let page = transcript.run("?\(verb)")
    #expect(page.contains(command.usage) && Self.unwrapped(page).contains(command.summary))
    #expect(command.summary.hasSuffix("."))
    #expect(command.usage.hasPrefix(verb))
    #expect(CommandGrammar[verb: verb] != nil)
  }

  @Test func overviewNamesEverything() {
    let text = Transcript().run("?")
    for command in Commands.all { #expect(text.contains(command.verb), "\(command.verb)") }
    let lines = text.split(separator: "\n")
    #expect(lines.count <= 22 && lines.allSatisfy { $0.count <= 80 })
    #expect(Transcript().run("help") == text)
    let commands = Transcript().run("?commands")
    for command in Commands.all { #expect(commands.contains("  \(command.verb) "), "\(command.verb)") }
    let functions = Transcript().run("?functions")
    for builtin in Builtins.all { #expect(functions.contains(builtin.name), "\(builtin.name)") }
    #expect(Transcript().run("?reduction").contains("  logsumexp "))
    #expect(Transcript().run("?newton").contains("lr="))
  }

  @Test func namesOfTheUser() {
    let transcript = Transcript()
    transcript.run("param x = [1, 2]; f := sum(x^2); g(a, n = 2) := a^n; k = 3")
    #expect(transcript.run("?f") == "f := sum(x^2)   (the objective)")
    #expect(transcript.run("?g") == "g(a, n = 2) := a^n")
    #expect(transcript.run("?x").hasPrefix("x : param"))
    #expect(transcript.run("?k") == "k holds a number\nk = 3")
  }

  @Test func unknownTopics() {
    let transcript = Transcript()
    transcript.run("?plto")
    #expect(transcript.messages.contains("there is no help on 'plto'"))
    #expect(transcript.messages.contains("did you mean 'plot'?"))
  }
}

/// `grammar.md` names what the tables declare.
@Suite struct ReferenceTests {
  private static let document: String = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return (try? String(contentsOf: root.appendingPathComponent("grammar.md"), encoding: .utf8)) ?? ""
  }()

  /// The text of a section, without its code blocks.
  private static func section(_ title: String) -> String {
    let lines = document.split(separator: "\n", omittingEmptySubsequences: false)
    var isInside = false
    var isCode = false
    var result: [Substring] = []
    for line in lines {
      if line.hasPrefix("## ") { isInside = line == "## \(title)" }
      if line.hasPrefix("```") { isCode.toggle() } else if isInside && !isCode { result.append(line) }
    }
    return result.joined(separator: "\n")
  }

  /// What stands between backquotes.
  private static func quoted(_ text: String) -> [String] {
    text.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }
      .map { String($0.element) }
  }

  @Test func functionsAgree() {
    let words = Self.quoted(Self.section("Builtins"))
    let named = Set(words.map { String($0.prefix { $0 != "(" }) })
    let topics = HelpTopic.all.flatMap { [$0.name] + $0.aliases }
    let declared = Set(Builtins.byName.keys).union(CalculusFunction.allCases.map(\.rawValue))
    #expect(declared.subtracting(named).sorted() == [])
    let extra = named.subtracting(declared).subtracting(topics)
      .subtracting(["axis=", "=", "…", "like=x", "x", "pi", "~", "history"])
    #expect(extra.sorted() == [])
    #expect(Builtins.all.map(\.signature).filter { !words.contains($0) } == [])
  }

  @Test func commandsAgree() {
    let words = Self.quoted(Self.section("Commands"))
    #expect(Commands.all.map(\.usage).filter { !words.contains($0) } == [])
    let named = words.filter { !$0.contains("=t") && !$0.hasSuffix("=") && $0 != "for" }.map {
      String($0.prefix { $0.isLetter || $0 == "-" })
    }
    .filter { !$0.isEmpty && !$0.contains("=") }
    #expect(named.filter { CommandGrammar[verb: $0] == nil && !MethodNames.all.contains($0) } == [])
  }
}
