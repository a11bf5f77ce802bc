import Optimization
import Syntax

/// What there is to say about one word of the language: `?name` shows it, and the reference and the man page hold
/// all of them.
struct HelpPage: Sendable {
  let name: String
  /// How it is written.
  let usage: String
  var aliases: [String] = []
  /// Sentences.
  let summary: String
  /// What may be given as `key=value`, each with a few words.
  var options: [(name: String, text: String)] = []
  /// Statements that run.
  let example: String
  /// What the example prints, where that is declared with it.
  var output: String?
  /// Statements before the example.
  var setting = ""
  /// What the example prints depends on the machine.
  var varies = false
}

extension HelpPage {
  init(_ builtin: Builtin) {
    self.init(
      name: builtin.name, usage: builtin.signature, aliases: builtin.aliases, summary: builtin.summary,
      example: builtin.example, output: builtin.exampleOutput)
  }

  init(_ topic: HelpTopic) {
    self.init(
      name: topic.name, usage: topic.usage, summary: topic.summary, example: topic.example,
      output: topic.output)
  }

  init(_ command: CommandDefinition) {
    // A method's options stand on its own page.
    let foreign = Set(Commands.methodOptions.map(\.name)).subtracting(Commands.ownOptions[command.verb] ?? [])
    let takesMethods = CommandGrammar[verb: command.verb]?.subject == .methods
    let options = command.options.filter { !takesMethods || !foreign.contains($0.name) }
      .map { ($0.name == "*" ? "NAME" : $0.name, $0.text) }
    self.init(
      name: command.verb, usage: command.usage, summary: command.summary, options: options,
      example: command.example, setting: HelpPage.valley, varies: command.outputVaries)
  }

  init(_ method: MethodDescription) {
    self.init(
      name: method.name, usage: "step \(method.name)", summary: method.summary, options: method.options,
      example: method.example, setting: HelpPage.valley)
  }

  /// What the examples of commands and methods speak of.
  static let valley = "param x = [1, 2]\nf := (1 - x[0])^2 + 100*(x[1] - x[0]^2)^2"

  /// The lines of the example; where a line is too wide, each statement on one of its own.
  func example(width: Int) -> [String] {
    example.split(separator: "\n", omittingEmptySubsequences: false).map(String.init).flatMap { line in
      guard line.count > width else { return [line] }
      let parsed = Parser.parse(SourceText(name: "<example>", text: line))
      guard parsed.completeness == .complete else { return [line] }
      return parsed.statements.map { $0.span.text + ($0.isSilent ? ";" : "") }
    }
  }

  /// Lines for the terminal.
  var text: String {
    let others = aliases.isEmpty ? "" : "   also \(aliases.joined(separator: ", "))"
    var lines = Help.hanging(usage + others) + Help.sentence(summary)
    if !options.isEmpty { lines += ["options"] + Help.table(options.map { ("\($0.name)=", $0.text) }) }
    lines += ["example"] + example(width: 78).map { "  " + $0 }
    return (lines + Help.indented(output ?? "", "    ")).joined(separator: "\n")
  }
}

// MARK: - All pages

extension HelpPage {
  struct Section: Sendable {
    let title: String
    let pages: [HelpPage]
  }

  /// Every page, once, in the order of the reference.
  static let sections: [Section] =
    [Section(title: "Words", pages: HelpTopic.words.map { HelpPage($0) })]
    + Builtin.Group.allCases.map { group in
      let calculus = group == .calculus ? HelpTopic.calculus.map { HelpPage($0) } : []
      return Section(
        title: "Functions: \(group.rawValue)",
        pages: calculus + Builtins.all.filter { $0.group == group }.map { HelpPage($0) })
    }
    + Help.commandGroups.map {
      Section(title: "Commands: \($0.name)", pages: $0.commands.map { HelpPage($0) })
    }
    + [Section(title: "Methods", pages: Methods.all.map { HelpPage($0) })]

  static let all: [HelpPage] = sections.flatMap(\.pages)
}
