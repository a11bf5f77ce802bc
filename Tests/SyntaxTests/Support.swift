import Foundation
import Syntax

/// Parses a text as a file named `t.hlab`.
func parse(_ text: String, shadowing: Set<String> = []) -> ParseResult {
  Parser.parse(SourceText(name: "t.hlab", text: text), shadowedVerbs: shadowing)
}

/// The statements as S-expressions, one a line; the messages when there are errors.
func tree(_ text: String, shadowing: Set<String> = []) -> String {
  let result = parse(text, shadowing: shadowing)
  guard result.diagnostics.isEmpty else {
    return result.diagnostics.map { "error: " + $0.message }.joined(separator: "\n")
  }
  return result.statements.map(\.debugDescription).joined(separator: "\n")
}

/// The error messages, with hints in parentheses.
func messages(_ text: String) -> [String] {
  parse(text).diagnostics.map { $0.message + ($0.hint.map { " (\($0))" } ?? "") }
}

/// The kinds of tokens, without the one that ends the text.
func kinds(_ text: String) -> [Token.Kind] {
  Lexer.tokenize(SourceText(name: "t", text: text)).tokens.dropLast().map(\.kind)
}

func rendered(_ text: String) -> String {
  DiagnosticRenderer().render(parse(text).diagnostics)
}

/// Runs work on a thread with little stack.
func onSmallStack<T: Sendable>(bytes: Int, _ work: @escaping @Sendable () -> T) async -> T {
  await withCheckedContinuation { continuation in
    let thread = Thread { continuation.resume(returning: work()) }
    thread.stackSize = bytes
    thread.start()
  }
}
