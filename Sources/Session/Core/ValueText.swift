import Tensors

/// Values as text: scalars on a line, vectors on a line or on as many as they need, matrices in aligned rows, large ones
/// cut in the middle.
struct ValueText {
  var format = NumberFormat()
  var width = 80
  /// Columns that a name before the value takes.
  private var head = 0
  /// Whether a vector may take several lines; within other text it stays on one.
  private var wraps = true
  /// Rows and columns shown of a large matrix.
  var limit = 12

  init(format: NumberFormat = NumberFormat(), width: Int = 80) {
    self.format = format
    self.width = width
  }

  /// For values within other text.
  var inline: ValueText {
    var copy = self
    copy.wraps = false
    return copy
  }

  /// For values to the right of `columns` of other text.
  func beside(_ columns: Int) -> ValueText {
    var copy = self
    copy.head += columns
    return copy
  }

  func text(_ value: Value) -> String {
    switch value {
    case .tensor(let t), .blockMatrix(let t, _, _): return text(t)
    case .sparse(let matrix, _, _): return text(matrix)
    case .string(let s): return s
    case .bundle(let names, let tensors):
      return zip(names, tensors).map { labeled($0, showing: $1) }.joined(separator: "\n")
    case .record(let fields):
      return fields.map { labeled($0.name, showing: $0.value) }.joined(separator: "\n")
    case .tuple(let items): return "(" + items.map(inline.text).joined(separator: ", ") + ")"
    case .nothing: return ""
    }
  }

  /// `name = …`; the parts of a record or bundle as `name.part = …`.
  func labeled(_ name: String, _ value: Value) -> String {
    switch value {
    case .record(let fields) where !fields.isEmpty:
      return fields.map { labeled("\(name).\($0.name)", $0.value) }.joined(separator: "\n")
    case .bundle(let names, let tensors) where !names.isEmpty:
      return zip(names, tensors).map { labeled("\(name).\($0)", .tensor($1)) }.joined(separator: "\n")
    default: return labeled(name, showing: value)
    }
  }

  /// `name = value`, in the width that the name leaves.
  func labeled(_ name: String, showing value: Value) -> String {
    labeled(name, beside(name.count + 3).text(value))
  }
  func labeled(_ name: String, showing tensor: Tensor) -> String { labeled(name, showing: .tensor(tensor)) }

  /// `name = text`, further lines indented under the first.
  func labeled(_ name: String, _ body: String) -> String {
    let head = "\(name) = "
    return head + Self.indented(body, by: head.count)
  }

  static func indented(_ body: String, by columns: Int) -> String {
    let pad = String(repeating: " ", count: columns)
    return body.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n" + pad)
  }

  func text(_ t: Tensor) -> String {
    switch t.rank {
    case 0: return format(t.scalarValue)
    case 1: return vector(t.doubles)
    case 2: return matrix(t.doubles, rows: t.shape[0], columns: t.shape[1])
    default: return deep(t)
    }
  }

  private func vector(_ values: [Double]) -> String {
    if values.isEmpty { return "[]" }
    let most = max(limit, width / (format.digits + 4))
    if values.count <= most { return wrapped(values.map { format($0) }) }
    let note = "   (\(values.count) entries)"
    var text = ""
    // As many entries as fit beside a name.
    for count in stride(from: most, to: 3, by: -1) {
      let items = cut(values.count, count).map { index in index.map { format(values[$0]) } ?? "…" }
      text = "[" + items.joined(separator: ", ") + "]" + note
      if text.count <= width - max(head, 8) { break }
    }
    return text
  }

  /// The entries on one line, or where they do not fit on several.
  private func wrapped(_ entries: [String]) -> String {
    let room = max(width - head, 20)
    var lines = ["["]
    for (place, entry) in entries.enumerated() {
      let text = entry + (place + 1 < entries.count ? "," : "]")
      let last = lines[lines.count - 1]
      if wraps, place > 0, last.count + 1 + text.count > room {
        lines.append(" " + text)
      } else {
        lines[lines.count - 1] = last + (place > 0 ? " " : "") + text
      }
    }
    return lines.joined(separator: "\n")
  }

  /// Right-aligned columns, without brackets.
  func matrix(_ values: [Double], rows: Int, columns: Int) -> String {
    if rows == 0 || columns == 0 { return "[]   (\(rows)×\(columns))" }
    // As many columns as fit beside a short name.
    let most = min(columns, max(4, min(limit, width / (format.digits + 5))))
    for count in stride(from: most, to: 3, by: -1) {
      let text = matrix(values, rows: rows, columns: columns, shown: count)
      if text.prefix(while: { $0 != "\n" }).count <= width - max(head, 6) { return text }
    }
    return matrix(values, rows: rows, columns: columns, shown: min(columns, 3))
  }

  private func matrix(_ values: [Double], rows: Int, columns: Int, shown columnLimit: Int) -> String {
    let shownRows = cut(rows, limit)
    let shownColumns = cut(columns, columnLimit)
    let cells = shownColumns.map { column -> [String] in
      guard let column else { return shownRows.map { $0 == nil ? "⋱" : "…" } }
      let texts = format.column(shownRows.compactMap { $0.map { values[$0 * columns + column] } })
      var next = 0
      return shownRows.map { row in
        guard row != nil else { return "⋮" }
        next += 1
        return texts[next - 1]
      }
    }
    let widths = cells.map { $0.map(\.count).max() ?? 0 }
    let lines = shownRows.indices.map { r in
      zip(cells, widths).map { column, w in String(repeating: " ", count: w - column[r].count) + column[r] }
        .joined(separator: "  ")
    }
    let isCut = shownRows.contains { $0 == nil } || shownColumns.contains { $0 == nil }
    return lines.joined(separator: "\n") + (isCut ? "\n(\(rows)×\(columns))" : "")
  }

  /// Slices along the first axis.
  private func deep(_ t: Tensor) -> String {
    let inner = Array(t.shape.dropFirst())
    let count = inner.elementCount
    let values = t.doubles
    let shown = cut(t.shape[0], 4)
    let parts = shown.map { index -> String in
      guard let index else { return "…" }
      let slice = Tensor(Array(values[(index * count)..<((index + 1) * count)]), inner)
      let lead = "[\(index)] "
      return lead + Self.indented(beside(lead.count).text(slice), by: lead.count)
    }
    return parts.joined(separator: "\n") + "\n(\(t.shape.shapeDescription))"
  }

  /// Indices to show, nil for the gap.
  private func cut(_ count: Int, _ limit: Int) -> [Int?] {
    if count <= limit { return (0..<count).map { $0 } }
    let head = (limit + 1) / 2
    return (0..<head).map { $0 } + [nil] + ((count - (limit - head))..<count).map { $0 }
  }
}
