import ArgumentParser
import Lessons
import Syntax
import Terminal

/// What a command line asks for.
struct Plan {
  /// Something to read instead of running scripts.
  enum Page {
    case lessons
    /// A lesson from a paragraph on, counted from 1.
    case lesson(Lesson, paragraph: Int)
    /// Help on a name, or the overview.
    case help(String?)
    case reference, manual
  }

  var page: Page?
  /// What the script is run with: names, and the text of their values.
  var values: [(name: String, text: String)] = []
  var isJSON = false
  var listsOptions = false
  /// A file that what is printed is added to.
  var log: String?
  /// A script, `-` for standard input.
  var file: String?
  var texts: [String]
  var isInteractive: Bool
  var color: ColorChoice

  /// - Throws: a usage error.
  init(arguments: [String], texts: [String], isInteractive: Bool, color: ColorChoice) throws {
    self.texts = texts
    self.isInteractive = isInteractive
    self.color = color
    var rest = arguments[...]
    let word = rest.first
    if word == "lesson" || word == "help" {
      guard texts.isEmpty, !isInteractive else {
        throw ValidationError("'\(word ?? "")' takes neither -e nor -i.")
      }
      page = try word == "help" ? Plan.help(rest.dropFirst()) : Plan.lesson(rest.dropFirst())
      return
    }
    if word == "run" {
      rest.removeFirst()
      if rest.isEmpty { throw ValidationError("'run' needs a file.") }
    }
    file = rest.popFirst()
    for argument in rest {
      guard let equals = argument.firstIndex(of: "="), Names.isName(String(argument[..<equals])) else {
        throw ValidationError("'\(argument)' after the file is not of the form NAME=VALUE.")
      }
      let value = argument[argument.index(after: equals)...]
      if value.isEmpty { throw ValidationError("'\(argument)' has no value.") }
      let name = Names.canonical(String(argument[..<equals]))
      if values.contains(where: { $0.name == name }) { throw ValidationError("'\(name)' is given twice.") }
      values.append((name: name, text: String(value)))
    }
  }

  /// `lesson`, `lesson 3`, `lesson 3 5`
  private static func lesson(_ arguments: ArraySlice<String>) throws -> Page {
    guard let word = arguments.first else { return .lessons }
    guard arguments.count <= 2, let lesson = Lesson.all.first(where: { "\($0.number)" == word }) else {
      throw ValidationError("'lesson' takes a number from 1 to \(Lesson.all.count), or nothing for a list.")
    }
    guard let place = arguments.dropFirst().first else { return .lesson(lesson, paragraph: 1) }
    let count = lesson.paragraphs.count
    guard let paragraph = Int(place), (1...count).contains(paragraph) else {
      throw ValidationError(
        "lesson \(lesson.number) has paragraphs 1 to \(count); '\(place)' is none of them.")
    }
    return .lesson(lesson, paragraph: paragraph)
  }

  /// `help`, `help eig`
  private static func help(_ arguments: ArraySlice<String>) throws -> Page {
    guard let word = arguments.first else { return .help(nil) }
    guard arguments.count == 1, !word.contains(where: { $0.isWhitespace }) else {
      throw ValidationError("'help' takes one name, or nothing for an overview.")
    }
    return .help(word)
  }
}
