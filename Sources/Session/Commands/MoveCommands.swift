import LinearAlgebra
import Optimization
import Syntax
import Tensors

extension Commands {
  static var moveCommands: [CommandDefinition] { [] }
  static var seeCommands: [CommandDefinition] { [] }
  static var keepCommands: [CommandDefinition] { [] }
}
enum Help {
  static func text(for name: String?, _ span: Span, _ interpreter: Interpreter) throws -> String { "" }
}
struct Completion {
  let interpreter: Interpreter
  init(_ interpreter: Interpreter) { self.interpreter = interpreter }
  func candidates(_ text: String, _ offset: Int) -> (replaceFrom: Int, candidates: [String]) { (offset, []) }
}
