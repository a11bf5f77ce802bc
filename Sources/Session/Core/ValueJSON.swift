import Syntax
import Tensors

/// Values as JSON (RFC 8259): numbers with as many digits as tell them apart, tensors as nested arrays, records and
/// bundles as objects. What JSON has no number for is a string: "nan", "inf", "-inf".
enum ValueJSON {
  static func text(_ value: Value) -> String {
    switch value {
    case .tensor(let t), .blockMatrix(let t, _, _): return text(t)
    case .sparse(let matrix, _, _):
      return sparse(matrix)
    case .string(let s): return quoted(s)
    case .bundle(let names, let tensors): return object(zip(names, tensors).map { ($0, text($1)) })
    case .record(let fields): return object(fields.map { ($0.name, text($0.value)) })
    case .tuple(let items): return array(items.map(text))
    case .nothing: return "null"
    }
  }

  /// The stored entries by their places; of a symmetric matrix that keeps one half, that half.
  private static func sparse(_ matrix: SparseMatrix) -> String {
    var (rows, columns): ([String], [String]) = ([], [])
    matrix.pattern.forEachEntry { row, column, _ in
      rows.append("\(row)")
      columns.append("\(column)")
    }
    return object([
      ("shape", array(matrix.shape.map(String.init))), ("lower_half", "\(matrix.pattern.isLowerHalf)"),
      ("rows", array(rows)), ("columns", array(columns)),
      ("values", text(matrix.values)),
    ])
  }

  static func object(_ fields: [(String, String)]) -> String {
    "{" + fields.map { "\(quoted($0)):\($1)" }.joined(separator: ",") + "}"
  }

  static func array(_ items: [String]) -> String { "[" + items.joined(separator: ",") + "]" }

  private static func text(_ tensor: Tensor) -> String {
    let entries: [String]
    switch tensor.precision {
    case .f64: entries = tensor.withEntries(Double.self) { $0.map { number("\($0)", $0.isFinite) } }
    case .f32: entries = tensor.withEntries(Float.self) { $0.map { number("\($0)", $0.isFinite) } }
    }
    return nested(entries[...], tensor.shape[...])
  }

  private static func nested(_ entries: ArraySlice<String>, _ shape: ArraySlice<Int>) -> String {
    guard let count = shape.first else { return entries.first ?? "null" }
    if shape.count == 1 { return array(Array(entries)) }
    let each = count == 0 ? 0 : entries.count / count
    return array(
      (0..<count).map { k in
        let start = entries.startIndex + k * each
        return nested(entries[start..<(start + each)], shape.dropFirst())
      })
  }

  /// Whole numbers without a fraction.
  private static func number(_ text: String, _ isFinite: Bool) -> String {
    guard isFinite else { return "\"\(text)\"" }
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      default:
        if scalar.value < 0x20 {
          let digits = String(scalar.value, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }

  /// An error, warning or note with its place; lines and columns count from 1.
  static func text(_ diagnostic: Diagnostic) -> String {
    var fields = [
      ("kind", quoted(diagnostic.kind.rawValue)), ("message", quoted(diagnostic.message)),
    ]
    if let span = diagnostic.span {
      let place = span.source.position(at: span.lower)
      fields += [
        ("file", quoted(span.source.name)), ("line", "\(place.line)"), ("column", "\(place.column)"),
        ("text", quoted(span.text)),
      ]
    }
    if !diagnostic.notes.isEmpty { fields.append(("notes", array(diagnostic.notes.map(quoted)))) }
    if let hint = diagnostic.hint { fields.append(("hint", quoted(hint))) }
    return object([(diagnostic.severity.rawValue, object(fields))])
  }
}

extension Interpreter {
  /// A line of JSON.
  func emit(_ fields: [(String, Value)]) {
    send(.text(ValueJSON.object(fields.map { ($0, ValueJSON.text($1)) })))
  }
}
