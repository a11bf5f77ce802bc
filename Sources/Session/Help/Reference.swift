/// The reference: every page of help, and what its example prints.
public enum Reference {
  /// `docs/reference.md`. Runs every example.
  public static func markdown() -> String {
    let head = """
      # Reference

      Every word, function, command and method of hlab, with an example and what it prints (`#>`). The examples of
      commands and methods follow these lines:

      ```
      \(HelpPage.valley)
      ```

      `make reference` writes this file from the declarations in the source, which `?name` and `hlab help name` show as
      well. The language is specified in [grammar.md](../grammar.md).
      """
    let contents = HelpPage.sections.map { "* [\($0.title)](#\(anchor($0.title)))" }.joined(separator: "\n")
    let sections = HelpPage.sections.map { section in
      (["## \(section.title)"] + section.pages.map { markdown($0, run($0).output) }).joined(separator: "\n\n")
    }
    return ([head, contents] + sections).joined(separator: "\n\n")
  }

  /// The part of `docs/reference.md` about one page.
  static func markdown(_ page: HelpPage, _ output: String) -> String {
    var parts = [heading(page), "    \(page.usage)"]
    let others = page.aliases.map { "`\($0)`" }.joined(separator: ", ")
    parts.append(escaped(page.summary) + (others.isEmpty ? "" : " Also \(others)."))
    if !page.options.isEmpty {
      parts.append(page.options.map { "* `\($0.name)=`: \(escaped($0.text))" }.joined(separator: "\n"))
    }
    let printed = output.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.isEmpty ? "#>" : "#> \($0)" }
    let lines = [page.example] + (output.isEmpty ? [] : printed)
    parts.append("```\n\(lines.joined(separator: "\n"))\n```")
    return parts.joined(separator: "\n\n")
  }

  static func heading(_ page: HelpPage) -> String { "### `\(page.name)`" }

  /// Runs a page's example in a session of its own: what it prints, and how it ended.
  static func run(_ page: HelpPage, width: Int = 80) -> (
    output: String, messages: String, outcome: RunOutcome
  ) {
    var (texts, messages): ([String], [String]) = ([], [])
    let options = SessionOptions(color: false, unicode: true, width: width, isInteractive: false)
    let session = Session(options: options) { output in
      switch output {
      case .text(let text): texts.append(text)
      case .diagnostic(let text): messages.append(text)
      case .progress: break
      }
    }
    let before = session.run(page.setting, name: "<setting>")
    let outcome = before == .ok ? session.run(page.example, name: "<example>") : before
    let lines = texts.joined(separator: "\n").split(separator: "\n", omittingEmptySubsequences: false)
    let output = lines.map { String($0.reversed().drop { $0 == " " }.reversed()) }.joined(separator: "\n")
    return (output, messages.joined(separator: "\n"), outcome)
  }

  /// GitHub's name for a heading.
  private static func anchor(_ title: String) -> String {
    String(title.lowercased().compactMap { $0 == " " ? "-" : $0.isLetter ? $0 : nil })
  }

  /// Text in which Markdown finds no marks.
  private static func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      if "*_<>|[]`".contains(character) { result.append("\\") }
      result.append(character)
    }
  }
}
