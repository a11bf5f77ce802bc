import ArgumentParser
import Session
import Terminal

extension ColorChoice: ExpressibleByArgument {}

@main
struct HlabCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hlab",
    abstract: "A language for loss landscapes: gradients, Hessians and the steps they suggest.",
    usage: usage.map { $0.call + String(repeating: " ", count: 42 - $0.call.count) + $0.text }
      .joined(separator: "\n"),
    discussion: discussion.joined(separator: "\n") + "\nExit codes: "
      + exitCodes.map { "\($0.code) \($0.text)" }.joined(separator: ", ") + "; 'quit N' gives N.",
    version: "hlab \(hlabVersion)")

  @Option(
    name: .short, parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Run TEXT, after FILE if there is one.", valueName: "text"))
  var e: [String] = []

  @Flag(name: [.customShort("i"), .customLong("interactive")], help: "Start the session afterwards.")
  var isInteractive = false

  @Flag(help: "Results and messages as JSON, one object a line, on standard output.")
  var json = false

  @Option(
    help: ArgumentHelp("Add what is printed to FILE, with version, seed and options.", valueName: "file"))
  var log: String?

  @Flag(name: .customLong("options"), help: "List the options of the script, and run nothing.")
  var listsOptions = false

  @Option(help: ArgumentHelp("Colour output: auto, always or never.", valueName: "when"))
  var color = ColorChoice.auto

  @Flag(help: "With 'help': the whole reference, as Markdown.")
  var reference = false

  @Flag(help: "With 'help': the man page.")
  var man = false

  @Argument(help: ArgumentHelp("A script, and values for its names.", valueName: "file"))
  var arguments: [String] = []

  func run() throws {
    var plan = try Plan(arguments: arguments, texts: e, isInteractive: isInteractive, color: color)
    if json && isInteractive {
      throw ValidationError("--json is for scripts, not for the interactive session.")
    }
    if listsOptions && plan.file == nil { throw ValidationError("'--options' needs a file.") }
    (plan.isJSON, plan.listsOptions, plan.log) = (json, listsOptions, log)
    if reference || man {
      guard arguments == ["help"], reference != man else {
        throw ValidationError("--reference and --man stand after 'help', one of them alone.")
      }
      plan.page = man ? .manual : .reference
    }
    reserveStandardStreams()
    let exitCode = withLargeStack { Runner(plan).run() }
    throw ExitCode(exitCode)
  }

  // MARK: The same for the man page

  private static let usage: [(call: String, text: String)] = [
    ("hlab [-i] [--color WHEN]", "start the interactive session"),
    ("hlab [run] FILE [NAME=VALUE ...]", "run a script ('-' is standard input)"),
    ("hlab -e TEXT [-e TEXT ...]", "run TEXT"),
    ("hlab lesson [NUMBER [PARAGRAPH]]", "list the lessons, or open one"),
    ("hlab help [NAME]", "explain a name, or show what there is"),
  ]

  private static let discussion = [
    "A script stops at its first error. Results go to standard output, messages to standard error.",
    "NAME=VALUE sets what the script declares with 'option NAME = DEFAULT'; --options lists these.",
  ]

  private static let exitCodes: [(code: Int, text: String)] = [
    (0, "success"), (64, "usage (an unknown option, a value of the wrong kind)"), (65, "syntax error"),
    (70, "error at run time (a failed assertion, too)"), (74, "a file cannot be read or written"),
    (130, "interrupted"),
  ]

  private static let environment: [(name: String, text: String)] = [
    ("NO_COLOR", "turns colour off where it is not empty; --color decides against it."),
    ("TERM", "a dumb terminal gets neither colour nor line editing."),
    ("COLUMNS", "the width of results where the terminal does not tell it."),
    ("COLORTERM", "truecolor or 24bit says that the terminal shows all colours."),
    ("LC_ALL, LC_CTYPE, LANG", "a character set other than UTF-8 gets results in ASCII."),
    (
      "XDG_STATE_HOME",
      "entries of the interactive session are kept below it, in hlab/history; $HOME/.local/state without it."
    ),
  ]

  static var manual: CommandLinePage {
    CommandLinePage(
      abstract: configuration.abstract, usage: usage, discussion: discussion, options: options,
      exitCodes: exitCodes, environment: environment)
  }

  /// The options as the help lists them, one a line: `  -e <text>   Run TEXT.`
  private static var options: [(name: String, text: String)] {
    let lines = helpMessage(columns: 1000).split(separator: "\n", omittingEmptySubsequences: false)
    let listed = lines.drop { $0 != "OPTIONS:" }.dropFirst().prefix { !$0.isEmpty }
    return listed.compactMap { line in
      let words = line.drop { $0 == " " }
      guard let gap = words.firstRange(of: "  ") else { return nil }
      return (String(words[..<gap.lowerBound]), String(words[gap.upperBound...].drop { $0 == " " }))
    }
  }
}
