import Syntax
import Tensors

/// What is wanted where something is true or false: 1 and 0 stand for them, and no other numbers.
enum Truth {
  static func of(_ value: Tensor?, _ span: Span, _ what: String) throws -> Bool {
    guard let value, value.count == 1, [0, 1].contains(value.scalarValue) else {
      throw Diagnostic(.type, "\(what) is true or false, not \(span.text)", at: span)
    }
    return value.scalarValue == 1
  }
}
