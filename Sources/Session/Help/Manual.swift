/// What the man page says about the command line.
public struct CommandLinePage: Sendable {
  /// One sentence.
  public var abstract: String
  /// Ways to call the executable, each with a few words.
  public var usage: [(call: String, text: String)]
  /// Paragraphs.
  public var discussion: [String]
  public var options: [(name: String, text: String)]
  public var exitCodes: [(code: Int, text: String)]
  /// Variables of the environment that are looked at.
  public var environment: [(name: String, text: String)]

  public init(
    abstract: String, usage: [(call: String, text: String)], discussion: [String],
    options: [(name: String, text: String)], exitCodes: [(code: Int, text: String)],
    environment: [(name: String, text: String)]
  ) {
    self.abstract = abstract
    self.usage = usage
    self.discussion = discussion
    self.options = options
    self.exitCodes = exitCodes
    self.environment = environment
  }
}

extension Reference {
  /// Columns of an example and of what it prints, so that the page fits a terminal of 80.
  private static let manualWidth = 72

  /// `hlab(1)`, for troff. Runs every example.
  public static func manual(_ page: CommandLinePage) -> String {
    var lines = [".TH HLAB 1", ".SH NAME", "hlab \\- a language for loss landscapes", ".SH SYNOPSIS", ".nf"]
    lines += page.usage.flatMap { troff($0.call) } + [".fi", ".SH DESCRIPTION"] + troff(page.abstract)
    for (call, text) in page.usage { lines += [".TP", "\\fB\(troff(call).joined())\\fR"] + troff(text) }
    for paragraph in page.discussion { lines += [".PP"] + troff(paragraph) }
    lines += list("OPTIONS", page.options)
    lines += list("EXIT STATUS", page.exitCodes.map { ("\($0.code)", $0.text) })
    lines += list("ENVIRONMENT", page.environment)
    for section in HelpPage.sections {
      lines.append(".SH \(section.title.uppercased())")
      for page in section.pages { lines += manual(page) }
    }
    return lines.joined(separator: "\n")
  }

  private static func list(_ title: String, _ items: [(name: String, text: String)]) -> [String] {
    [".SH \(title)"]
      + items.flatMap { [".TP", "\\fB\(troff($0.name).joined())\\fR"] + troff($0.text) }
  }

  private static func manual(_ page: HelpPage) -> [String] {
    let others = page.aliases.isEmpty ? "" : " Also \(page.aliases.joined(separator: ", "))."
    var lines = [".TP", "\\fB\(troff(page.usage).joined())\\fR"] + troff(page.summary + others)
    for option in page.options {
      lines += [
        ".br", "\\fB\(troff(option.name).joined())=\\fR \(troff(option.text).joined(separator: " "))",
      ]
    }
    let output = page.output ?? run(page, width: manualWidth).output
    let example = page.example(width: manualWidth) + Help.indented(output, "  ")
    return lines + [".sp", ".nf", ".in 4"] + example.flatMap(troff) + [".in", ".fi"]
  }

  /// Lines of text in which troff finds no requests.
  private static func troff(_ text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let plain = line.reduce(into: "") { result, character in
        switch character {
        case "\\": result += "\\e"
        case "-": result += "\\-"
        case "'": result += "\\(aq"
        case "^": result += "\\(ha"
        case "~": result += "\\(ti"
        case "`": result += "\\(ga"
        default: result.append(character)
        }
      }
      return plain.hasPrefix(".") ? "\\&" + plain : plain
    }
  }
}
