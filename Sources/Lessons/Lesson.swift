import Syntax

/// A script whose comments are prose and which carries what it prints: `grammar.md`, "Lessons", has the format.
public struct Lesson: Sendable {
  /// Statements that are run together, and what they print.
  public struct Entry: Sendable {
    public var code: String
    public var output: [String]
  }

  /// Prose, then code; either may be missing. New prose begins a new one.
  public struct Paragraph: Sendable {
    public var prose: [String] = []
    public var entries: [Entry] = []
  }

  public let number: Int
  public let title: String
  /// One line.
  public let summary: String
  public var paragraphs: [Paragraph]
}

/// What is wrong with the text of a lesson, and where.
public struct LessonError: Error, Equatable, CustomStringConvertible {
  public let line: Int
  public let message: String
  public var description: String { "line \(line): \(message)" }
}

// MARK: - Reading

extension Lesson {
  private static let outputMark = "#>"

  /// Reads a lesson.
  public init(text: String) throws(LessonError) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard let (number, title) = Lesson.heading(lines.first ?? "") else {
      throw LessonError(line: 1, message: "expected '# Lesson NUMBER: TITLE'")
    }
    guard lines.count > 1, let summary = Lesson.prose(lines[1]), !summary.isEmpty else {
      throw LessonError(line: 2, message: "expected one line that says what the lesson is about")
    }
    (self.number, self.title, self.summary) = (number, title, summary)
    paragraphs = try Lesson.paragraphs(lines, from: 2)
  }

  /// `# Lesson 3: Newton's method`
  private static func heading(_ line: String) -> (Int, String)? {
    let mark = "# Lesson "
    guard line.hasPrefix(mark), let colon = line.firstIndex(of: ":"),
      let number = Int(line[line.index(line.startIndex, offsetBy: mark.count)..<colon])
    else { return nil }
    let title = line[line.index(after: colon)...].drop { $0 == " " }
    return title.isEmpty ? nil : (number, String(title))
  }

  /// The text of a line of prose; nil for what is none.
  private static func prose(_ line: String) -> String? {
    guard line.hasPrefix("#"), !line.hasPrefix(outputMark) else { return nil }
    return String(line.dropFirst(line.hasPrefix("# ") ? 2 : 1))
  }

  private static func paragraphs(_ lines: [String], from first: Int) throws(LessonError) -> [Paragraph] {
    var result: [Paragraph] = []
    var current = Paragraph()
    // Lines of an entry that is not complete.
    var pending: [String] = []
    var isAfterBlank = true
    func close() {
      if !current.prose.isEmpty || !current.entries.isEmpty { result.append(current) }
      current = Paragraph()
    }
    for (index, line) in lines.enumerated().dropFirst(first) {
      if !pending.isEmpty || !(line.isEmpty || line.hasPrefix("#")) {
        pending.append(line)
        switch completeness(pending) {
        case .incomplete: continue
        case .invalid: throw LessonError(line: index + 1, message: "this is not a statement: \(line)")
        case .complete: current.entries.append(Entry(code: pending.joined(separator: "\n"), output: []))
        }
        pending = []
      } else if line.isEmpty {
        isAfterBlank = true
      } else if let text = prose(line) {
        if isAfterBlank || !current.entries.isEmpty { close() }
        current.prose.append(text)
        isAfterBlank = false
      } else if current.entries.isEmpty {
        throw LessonError(line: index + 1, message: "output without a statement before it")
      } else {
        let text = line.dropFirst(outputMark.count)
        current.entries[current.entries.count - 1].output.append(
          String(text.dropFirst(text.hasPrefix(" ") ? 1 : 0)))
      }
    }
    guard pending.isEmpty else { throw LessonError(line: lines.count, message: "a statement does not end") }
    close()
    return result
  }

  private static func completeness(_ lines: [String]) -> ParseResult.Completeness {
    Parser.parse(SourceText(name: "<lesson>", text: lines.joined(separator: "\n"))).completeness
  }
}

// MARK: - Writing

extension Lesson {
  /// The text that reads as this lesson.
  public var text: String {
    let head = ["# Lesson \(number): \(title)", "# \(summary)"].joined(separator: "\n")
    let body = paragraphs.map { paragraph in
      let prose = paragraph.prose.map { $0.isEmpty ? "#" : "# \($0)" }
      let code = paragraph.entries.flatMap { entry in
        [entry.code] + entry.output.map { $0.isEmpty ? Lesson.outputMark : "\(Lesson.outputMark) \($0)" }
      }
      let gap = prose.isEmpty || code.isEmpty ? [] : [""]
      return (prose + gap + code).joined(separator: "\n")
    }
    return ([head] + body).joined(separator: "\n\n") + "\n"
  }
}
