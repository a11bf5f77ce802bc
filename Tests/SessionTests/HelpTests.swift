import Foundation
import Syntax
import TestSupport
import Testing

@testable import Session

@Suite struct HelpTests {
  /// The text on one line.
  private static func unwrapped(_ text: String) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  /// One run of each example: it ends well, prints what is declared, and what `docs/reference.md` says.
  @Test(arguments: HelpPage.all.indices)
  func examplesPrintWhatTheySay(index: Int) throws {
    let page = HelpPage.all[index]
    let (output, messages, outcome) = Reference.run(page)
    #expect(outcome == (page.name == "quit" ? .quit(exitCode: 0) : .ok), "\(messages)")
    if let declared = page.output { #expect(output == declared) }
    // An example shows something, but for words whose success is silent.
    #expect(
      !output.isEmpty || ["assert", "quit"].contains(page.name), "the example of \(page.name) prints nothing")
    #expect(!page.example.isEmpty && page.summary.hasSuffix("."))
    let known = try #require(ReferenceDocument.parts[ReferenceDocument.key(page)], "run make reference")
    let now = Reference.markdown(page, page.varies ? "" : output)
    let difference = firstDifference(now, page.varies ? ReferenceDocument.withoutOutput(known) : known)
    #expect(
      difference == nil,
      "docs/reference.md is not what the source gives; run make reference: \(difference ?? "")")
  }

  @Test func referenceHasWhatIsDeclaredAndNoMore() {
    let names = HelpPage.all.map(ReferenceDocument.key)
    #expect(Set(ReferenceDocument.parts.keys) == Set(names) && Set(names).count == names.count)
    #expect(Set(Builtins.all.map(\.signature)).isSubset(of: HelpPage.all.map(\.usage)))
    #expect(HelpTopic.all.allSatisfy { topic in HelpPage.all.contains { $0.usage == topic.usage } })
    for page in HelpPage.all {
      for option in page.options { #expect(!option.text.isEmpty, "\(page.name) \(option.name)") }
    }
  }

  @Test(arguments: Commands.all.map(\.verb))
  func commandsHaveTheirPage(verb: String) throws {
    let command = try #require(Commands.table[verb])
    let page = Transcript().run("?\(verb)")
    #expect(Self.unwrapped(page).contains(command.usage) && Self.unwrapped(page).contains(command.summary))
    #expect(command.usage.hasPrefix(verb))
    #expect(CommandGrammar[verb: verb] != nil)
  }

  @Test func manualKeepsWhatTroffWouldRead() {
    let page = CommandLinePage(
      abstract: "It is.", usage: [("hlab X", "runs")], discussion: [".hidden\n'too \\ done"],
      options: [("-e <text>", "Run it.")], exitCodes: [(0, "success")], environment: [("TERM", "looked at")])
    let lines = Reference.manual(page).split(separator: "\n")
    let requests = lines.filter { $0.hasPrefix(".") }.map { $0.prefix { $0 != " " } }
    #expect(Set(requests) == [".TH", ".SH", ".TP", ".PP", ".br", ".sp", ".nf", ".fi", ".in"])
    #expect(lines.contains("\\&.hidden") && lines.contains("\\(aqtoo \\e done"))
    #expect(lines.filter { $0 == ".TP" }.count == HelpPage.all.count + 4)
    let titles = lines.filter { $0.hasPrefix(".SH ") }.map { $0.dropFirst(4) }
    #expect(
      titles.prefix(7) == [
        "NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "WORDS",
      ])
    let synopsis = lines.drop { $0 != ".SH SYNOPSIS" }.dropFirst().prefix { !$0.hasPrefix(".SH") }
    #expect(synopsis == [".nf", "hlab X", ".fi"])
  }

  /// Examples fit the screen, and pages of methods' commands leave the options to the methods.
  @Test func pagesFitTheScreen() {
    for page in HelpPage.all {
      let wide = page.text.split(separator: "\n").filter { $0.count > 80 }
      #expect(wide.isEmpty, "\(page.name): \(wide)")
    }
    for verb in ["step", "minimize", "hessian", "eig", "derive", "compare"] {
      #expect(Transcript().run("?\(verb)").split(separator: "\n").count <= 23, "\(verb)")
    }
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

/// `docs/reference.md`, page by page.
enum ReferenceDocument {
  static let parts: [String: String] = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try? String(contentsOf: root.appendingPathComponent("docs/reference.md"), encoding: .utf8)
    var result: [String: String] = [:]
    var lines: [Substring] = []
    func close() {
      if lines.count > 2, lines[0].hasPrefix("### ") {
        result[lines[0...2].joined(separator: "\n")] = lines.joined(separator: "\n")
      }
      lines = []
    }
    for line in (text ?? "").split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("## ") || line.hasPrefix("### ") { close() }
      lines.append(line)
    }
    close()
    return result
  }()

  static func key(_ page: HelpPage) -> String {
    Reference.markdown(page, "").split(separator: "\n", omittingEmptySubsequences: false)[0...2]
      .joined(separator: "\n")
  }

  static func withoutOutput(_ part: String) -> String {
    part.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("#>") }
      .joined(separator: "\n")
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
