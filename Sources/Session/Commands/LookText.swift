import Syntax
import Tensors

/// How the results of looking commands are laid out.
struct LookText {
  let format: NumberFormat
  let width: Int
  private let isASCII: Bool
  /// Where remarks begin.
  static let remarkColumn = 30

  init(_ call: CommandCall) { self.init(call.interpreter, call.format) }

  init(_ interpreter: Interpreter, _ format: NumberFormat? = nil) {
    self.format = format ?? NumberFormat(digits: interpreter.state.settings.digits)
    width = interpreter.options.width
    isASCII = interpreter.state.settings.isASCII
  }

  /// A text in the characters that are printed: what is measured.
  private func spelled(_ text: String) -> String { isASCII ? PlainText.ascii(text) : text }

  /// A few digits, for figures that only say how large something is.
  static func rough(_ x: Double) -> String { NumberFormat(digits: 3)(x) }

  /// The body with a remark beside its last line, or below it when there is no room.
  func remarked(_ body: String, _ remark: String) -> String {
    let (body, remark) = (spelled(body), spelled(remark))
    guard !remark.isEmpty else { return body }
    let last = body.split(separator: "\n", omittingEmptySubsequences: false).last.map(\.count) ?? 0
    let start = max(Self.remarkColumn, last + 3)
    guard start + remark.count <= max(width, 60) else {
      // A remark of a fact and what it means stands on two lines where one does not hold it.
      let parts = remark.count > width ? remark.split(separator: ": ", maxSplits: 1) : []
      return body + "\n" + (parts.count == 2 ? "\(parts[0]):\n  \(parts[1])" : remark)
    }
    return body + String(repeating: " ", count: start - last) + remark
  }

  /// Numbers of one kind with the same count of significant digits; whole ones stay whole when all are.
  func significant(_ values: [Double]) -> [String] {
    let plain = values.map { format($0) }
    guard plain.contains(where: { $0.contains(".") && !$0.contains("e") }) else { return plain }
    return zip(values, plain).map { value, text in
      guard value.isFinite, value != 0, !text.contains("e") else { return text }
      let padded = NumberFormat.printf("%#.*g", format.digits, value)
      return padded.contains("e") || padded.hasSuffix(".") ? text : padded
    }
  }

  /// Numbers after each other, the middle of a long list left out.
  func list(_ values: [Double], limit: Int = 12) -> String {
    if values.isEmpty { return "none" }
    let texts = significant(values)
    // Beside `λ = `.
    let room = width - spelled("λ = ").count
    let whole = texts.joined(separator: ", ")
    if texts.count <= limit, texts.count <= 4 || whole.count <= room { return whole }
    var line = ""
    for count in stride(from: min(limit, texts.count - 1), through: 4, by: -1) {
      let head = (count + 1) / 2
      line =
        (texts.prefix(head) + ["…"] + texts.suffix(count - head)).joined(separator: ", ")
        + "   (\(values.count) in all)"
      if spelled(line).count <= room { break }
    }
    return line
  }

  // MARK: Matrices

  /// `name =   a   b` with aligned columns; the names of blocks above and at the left when there are several.
  func matrix(_ name: String, _ t: Tensor, blocks: [(name: String, size: Int)] = []) -> String {
    guard t.count > 0 else { return "\(name) = []   (\(t.shape.shapeDescription))" }
    // As many columns as fit.
    for limit in stride(from: min(12, t.shape[1]), to: 4, by: -1) {
      let text = spelled(matrix(name, t, blocks, columnLimit: limit))
      if text.split(separator: "\n").allSatisfy({ $0.count <= max(width, 60) }) { return text }
    }
    return matrix(name, t, blocks, columnLimit: 4)
  }

  private func matrix(
    _ name: String, _ t: Tensor, _ blocks: [(name: String, size: Int)], columnLimit: Int
  ) -> String {
    let (rows, columns) = (t.shape[0], t.shape[1])
    let shownRows = Self.cut(rows, 12)
    let shownColumns = Self.cut(columns, columnLimit)
    let values = t.doubles
    var cells = shownColumns.map { column -> [String] in
      guard let column else { return shownRows.map { $0 == nil ? "⋱" : "…" } }
      var texts = format.column(shownRows.compactMap { $0.map { values[$0 * columns + column] } })[...]
      return shownRows.map { $0 == nil ? "⋮" : texts.popFirst() ?? "" }
    }
    if blocks.count > 1 { addBlockNames(blocks, shownRows, shownColumns, &cells) }
    let widths = cells.map { $0.map(\.count).max() ?? 0 }
    let lines = (cells.first ?? []).indices.map { row in
      let line = zip(cells, widths).map { column, width in
        String(repeating: " ", count: 3 + width - column[row].count) + column[row]
      }.joined()
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
    let head = "\(name) ="
    let isCut = shownRows.contains { $0 == nil } || shownColumns.contains { $0 == nil }
    let body = lines.joined(separator: "\n" + String(repeating: " ", count: head.count))
    return head + body + (isCut ? "\n(\(rows)×\(columns))" : "")
  }

  private func addBlockNames(
    _ blocks: [(name: String, size: Int)], _ rows: [Int?], _ columns: [Int?], _ cells: inout [[String]]
  ) {
    func names(_ places: [Int?]) -> [String] {
      var last: Int?
      return places.map { place in
        guard let place, let block = Self.block(of: place, blocks), block != last else { return "" }
        last = block
        return blocks[block].name
      }
    }
    for (k, name) in names(columns).enumerated() { cells[k].insert(name, at: 0) }
    let left = [""] + names(rows)
    let width = left.map(\.count).max() ?? 0
    cells.insert(left.map { $0 + String(repeating: " ", count: width - $0.count) }, at: 0)
  }

  private static func block(of place: Int, _ blocks: [(name: String, size: Int)]) -> Int? {
    var end = 0
    for (k, block) in blocks.enumerated() {
      end += block.size
      if place < end { return k }
    }
    return nil
  }

  /// Indices to show, nil for the gap.
  private static func cut(_ count: Int, _ limit: Int) -> [Int?] {
    if count <= limit { return (0..<count).map { $0 } }
    let head = (limit + 1) / 2
    return (0..<head).map { $0 } + [nil] + ((count - (limit - head))..<count).map { $0 }
  }
}

extension CommandCall {
  var lookText: LookText { LookText(self) }

  /// A message about entries that are not numbers; nil when all are finite.
  func nonFinite(_ what: String, _ tensors: [Tensor]) -> String? {
    guard !tensors.allSatisfy(\.isFinite) else { return nil }
    let values = tensors.flatMap(\.doubles)
    if values.count == 1 { return "\(what) is \(format(values[0]))" }
    let bad = values.filter { !$0.isFinite }
    let nans = bad.count { $0.isNaN }
    let kind = nans == bad.count ? "nan" : nans == 0 ? "infinite" : "nan or infinite"
    return
      "\(what) is not finite: \(bad.count) of \(values.count) entries \(bad.count == 1 ? "is" : "are") \(kind)"
  }

  func warnNonFinite(_ what: String, _ tensors: [Tensor]) {
    if let message = nonFinite(what, tensors) { warn(message) }
  }

  /// Stops a command that needs finite numbers.
  func requireFinite(_ what: String, _ tensors: [Tensor]) throws {
    guard let message = nonFinite(what, tensors) else { return }
    throw Diagnostic(
      .numeric, message, at: subject?.span ?? command.verbSpan,
      hint: "look at value and grad, and move the params to where the formula is defined")
  }
}
