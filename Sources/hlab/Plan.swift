import ArgumentParser
import Terminal

/// What a command line asks for.
struct Plan {
  /// What the script is run with: names, and the text of their values.
  var values: [(name: String, text: String)] = []
  var isJSON = false
  var listsOptions = false
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
    if rest.first == "run" {
      rest.removeFirst()
      if rest.isEmpty { throw ValidationError("'run' needs a file.") }
    }
    file = rest.popFirst()
    for argument in rest {
      guard let equals = argument.firstIndex(of: "="), Plan.isName(argument[..<equals]) else {
        throw ValidationError("'\(argument)' after the file is not of the form NAME=VALUE.")
      }
      let value = argument[argument.index(after: equals)...]
      if value.isEmpty { throw ValidationError("'\(argument)' has no value.") }
      values.append((name: String(argument[..<equals]), text: String(value)))
    }
  }

  /// Letters, digits and underscores, and no digit first.
  private static func isName(_ text: Substring) -> Bool {
    guard let first = text.first, first.isLetter || first == "_" else { return false }
    return text.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
  }
}
