import Syntax

/// What Tab offers.
struct Completion {
  let interpreter: Interpreter

  init(_ interpreter: Interpreter) { self.interpreter = interpreter }

  func candidates(_ text: String, _ utf8Offset: Int) -> (replaceFrom: Int, candidates: [String]) {
    (utf8Offset, [])
  }
}
