import Syntax

/// Text for `?name` and `help name`, from the declarations of builtins and commands.
enum Help {
  static func text(for name: String?, _ span: Span, _ interpreter: Interpreter) throws -> String { "" }
}
