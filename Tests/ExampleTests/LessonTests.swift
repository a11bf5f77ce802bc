import Foundation
import Lessons
import Session
import TestSupport
import Testing

/// Every lesson runs as on a person's screen, entry by entry, and prints what stands in it after `#>`.
///
/// `HLAB_RECORD=1 swift test --filter LessonTests` writes the output anew; read the difference before committing it.
struct LessonTests {
  static let folder = ExampleTests.folder.appendingPathComponent("lessons")

  static var files: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".hlab") }.sorted()
  }

  @Test func theExecutableCarriesThemAll() throws {
    let texts = try Self.files.map {
      try String(contentsOf: Self.folder.appendingPathComponent($0), encoding: .utf8)
    }
    #expect(texts.count == 8)
    #expect(Lesson.texts == texts)
    #expect(Lesson.all.map(\.number) == Array(1...8))
  }

  @Test(arguments: files)
  func printsWhatItSays(file: String) throws {
    let url = Self.folder.appendingPathComponent(file)
    let text = try String(contentsOf: url, encoding: .utf8)
    let lesson = try Lesson(text: text)
    let (replayed, failure) = onLargeStack { Self.replay(lesson) }
    #expect(failure == nil)
    if records {
      try replayed.text.write(to: url, atomically: true, encoding: .utf8)
      return
    }
    #expect(lesson.text == text, "HLAB_RECORD=1 puts \(file) into its usual form")
    for (old, new) in zip(lesson.entries, replayed.entries) {
      let difference = firstDifference(
        new.output.joined(separator: "\n"), old.output.joined(separator: "\n"))
      #expect(difference == nil, "\(file), after '\(old.code)': \(difference ?? "")")
    }
  }

  /// The lesson with the output of this run, and the first entry that failed.
  private static func replay(_ lesson: Lesson) -> (Lesson, failure: String?) {
    let collected = Collected()
    let options = SessionOptions(color: false, unicode: true, width: 80, isInteractive: true)
    let session = Session(options: options) { collected.add($0) }
    var (result, failure): (Lesson, String?) = (lesson, nil)
    for p in result.paragraphs.indices {
      for e in result.paragraphs[p].entries.indices {
        let outcome = session.run(result.paragraphs[p].entries[e].code, name: "<lesson>")
        let lines = collected.take().split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        result.paragraphs[p].entries[e].output = lines.map(withoutTrailingSpaces)
        if outcome != .ok, failure == nil { failure = lines.joined(separator: "\n") }
      }
    }
    return (result, failure)
  }

  private static func withoutTrailingSpaces(_ line: Substring) -> String {
    String(line.reversed().drop { $0 == " " }.reversed())
  }

  /// On a screen of 80 columns nothing wraps, and every exercise has its answer, checked, in the next paragraph.
  @Test(arguments: files)
  func isFitForAClass(file: String) throws {
    let lesson = try Lesson(
      text: String(contentsOf: Self.folder.appendingPathComponent(file), encoding: .utf8))
    let listed = "  \(lesson.number)  \(lesson.title)  \(lesson.summary)"
    let prose = lesson.paragraphs.flatMap(\.prose)
    let code = lesson.entries.flatMap { $0.code.split(separator: "\n").map { "hlab> \($0)" } }
    let tooWide = ([listed] + prose + code + lesson.entries.flatMap(\.output)).filter { $0.count > 80 }
    #expect(tooWide == [])
    let exercises = lesson.paragraphs.indices.filter {
      lesson.paragraphs[$0].prose.first?.hasPrefix("Exercise") == true
    }
    #expect(exercises.count >= 2)
    for index in exercises {
      let answer = lesson.paragraphs.dropFirst(index + 1).prefix(2)
      #expect(lesson.paragraphs[index].entries.isEmpty)
      #expect(answer.first?.prose.first?.hasPrefix("An answer") == true)
      #expect(
        answer.flatMap(\.entries).contains { $0.code.hasPrefix("assert ") },
        "\(lesson.paragraphs[index].prose)")
    }
  }

  /// Where a terminal has only ASCII, prose and code are spelled out like results.
  @Test(arguments: files)
  func canBeSpelledOut(file: String) throws {
    let lesson = try Lesson(
      text: String(contentsOf: Self.folder.appendingPathComponent(file), encoding: .utf8))
    let collected = Collected()
    let options = SessionOptions(color: false, unicode: false, width: 80, isInteractive: true)
    let session = Session(options: options) { collected.add($0) }
    for line in lesson.paragraphs.flatMap(\.prose) + lesson.entries.map(\.code) { session.say(line) }
    let rest = collected.text.filter { !$0.isASCII }
    #expect(rest.isEmpty)
  }

  @Test(arguments: [
    ("print 1\n", 1), ("# Lesson 1: A\n", 2), ("# Lesson one: A\n# B\n", 1), ("# Lesson 1:\n# B\n", 1),
    ("# Lesson 1: A\n# B\n\n#> 1\n", 4), ("# Lesson 1: A\n# B\n\nprint 1)\n", 4),
    ("# Lesson 1: A\n# B\n\nrepeat 2 {\n", 5),
  ])
  func saysWhatIsWrong(text: String, line: Int) {
    #expect { _ = try Lesson(text: text) } throws: { ($0 as? LessonError)?.line == line }
  }
}

extension Lesson {
  var entries: [Entry] { paragraphs.flatMap(\.entries) }
}
