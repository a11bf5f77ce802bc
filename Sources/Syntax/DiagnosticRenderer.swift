/// Lays diagnostics out for people: the message, the place, the source line with the range marked, labels, notes
/// and the hint. The decoration colours the same layout or leaves it plain.
public struct DiagnosticRenderer: Sendable {
  public enum Decoration: Sendable { case plain, ansi }

  /// What a piece of the layout is; decorations give each role its looks.
  enum Role { case error, warning, note, message, frame, source, label, hint }

  struct Piece {
    let text: String
    let role: Role
  }

  public let decoration: Decoration
  /// Columns for a source line; longer ones show a window around the range.
  public let width: Int

  /// Messages, notes and hints that are wider break between words, for people; else each stays on its line.
  public let folds: Bool

  /// How text is written where the screen has not all characters; nil where it has.
  public let spelling: (@Sendable (String) -> String)?

  public init(
    _ decoration: Decoration = .plain, width: Int = 100, folds: Bool = false,
    spelling: (@Sendable (String) -> String)? = nil
  ) {
    self.decoration = decoration
    self.width = max(width, 20)
    self.folds = folds
    self.spelling = spelling
  }

  private func spelled(_ text: String) -> String { spelling.map { $0(text) } ?? text }

  /// The diagnostic as lines of text, without a line break at the end.
  public func render(_ diagnostic: Diagnostic) -> String {
    layout(diagnostic).map { line in line.map(decorate).joined() }.joined(separator: "\n")
  }

  /// Several diagnostics with an empty line between them.
  public func render(_ diagnostics: [Diagnostic]) -> String {
    diagnostics.map { render($0) }.joined(separator: "\n\n")
  }

  private func decorate(_ piece: Piece) -> String {
    guard decoration == .ansi, !piece.text.isEmpty else { return piece.text }
    let code: String? =
      switch piece.role {
      case .error: "1;31"
      case .warning: "1;33"
      case .note: "1;36"
      case .message: "1"
      case .frame: "34"
      case .label: "36"
      case .hint: "1;32"
      case .source: nil
      }
    return code.map { "\u{1B}[\($0)m\(piece.text)\u{1B}[0m" } ?? piece.text
  }
}

// MARK: Layout

extension DiagnosticRenderer {
  /// A marked range of one line.
  private struct Mark {
    let span: Span
    let text: String
    let isPrimary: Bool
  }

  private func layout(_ diagnostic: Diagnostic) -> [[Piece]] {
    let role = Self.role(of: diagnostic.severity)
    var lines = folded(
      Piece(text: diagnostic.severity.rawValue + ":", role: role), diagnostic.message, .message, indent: 2)
    var gutter = 1
    if let span = diagnostic.span {
      var marks = [Mark(span: span, text: "", isPrimary: true)]
      marks += diagnostic.labels.map { Mark(span: $0.span, text: $0.text, isPrimary: false) }
      gutter = marks.map { String($0.span.source.line(at: $0.span.lower) + 1).count }.max() ?? 1
      lines += snippets(marks, gutter: gutter, role: role)
    }
    let indent = String(repeating: " ", count: gutter + 1)
    lines += diagnostic.notes.flatMap { note in
      folded(Piece(text: indent + "=", role: .frame), note, .source, indent: gutter + 3)
    }
    if let hint = diagnostic.hint {
      lines += folded(Piece(text: indent + "hint:", role: .hint), hint, .source, indent: gutter + 3)
    }
    return lines
  }

  /// A text and a space behind what introduces it, broken between words where it is wider than the screen.
  private func folded(_ head: Piece, _ text: String, _ role: Role, indent: Int) -> [[Piece]] {
    var rows: [String] = []
    var row = ""
    var room = folds ? width - head.text.count - 1 : .max
    for word in spelled(text).split(separator: " ", omittingEmptySubsequences: false) {
      if !row.isEmpty && row.count + 1 + word.count > room {
        rows.append(row)
        (row, room) = (String(word), width - indent)
      } else {
        row += row.isEmpty && rows.isEmpty ? word : " " + word
      }
    }
    let margin = Piece(text: String(repeating: " ", count: indent - 1), role: .source)
    return (rows + [row]).enumerated().map { index, row in
      [index == 0 ? head : margin, Piece(text: " " + row, role: role)]
    }
  }

  private static func role(of severity: Diagnostic.Severity) -> Role {
    switch severity {
    case .error: .error
    case .warning: .warning
    case .note: .note
    }
  }

  /// The lines of all marks: those of the primary source in their order, then those of other sources.
  private func snippets(_ marks: [Mark], gutter: Int, role: Role) -> [[Piece]] {
    var lines: [[Piece]] = []
    var rest = marks
    while let first = rest.first {
      let source = first.span.source
      let here = rest.filter { $0.span.source === source }
      rest.removeAll { $0.span.source === source }
      let place = source.position(at: first.span.lower)
      let arrow = String(repeating: " ", count: gutter) + "--> "
      lines.append([
        Piece(text: "\(arrow)\(spelled(source.name)):\(place.line):\(place.column)", role: .frame)
      ])
      let numbers = Set(here.map { source.line(at: $0.span.lower) }).sorted()
      var before: Int?
      for number in numbers {
        if let before, number > before + 1 {
          lines.append([Piece(text: String(repeating: " ", count: gutter) + spelled(" ⋮"), role: .frame)])
        }
        let onLine = here.filter { source.line(at: $0.span.lower) == number }
        lines += snippet(source, line: number, marks: onLine, gutter: gutter, role: role)
        before = number
      }
    }
    return lines
  }

  private func snippet(
    _ source: SourceText, line: Int, marks: [Mark], gutter: Int, role: Role
  ) -> [[Piece]] {
    let start = source.lineStarts[line]
    let text = source.lineText(line)
    let cells = SourceLine(spelled(text))
    let ranges = marks.map {
      cells.columns(from: place($0.span.lower - start, in: text), to: place($0.span.upper - start, in: text))
    }
    let window = cells.window(around: ranges.first ?? 0..<1, width: width)
    let number = String(line + 1)
    let padding = String(repeating: " ", count: gutter - number.count)
    var lines = [
      [
        Piece(text: padding + number + " | ", role: .frame),
        Piece(text: spelled(cells.text(in: window)), role: .source),
      ]
    ]
    for (mark, range) in zip(marks, ranges) {
      let lower = min(max(range.lowerBound, window.lowerBound), window.upperBound) - window.lowerBound
      let upper = min(max(range.upperBound - window.lowerBound, lower + 1), window.count + 1)
      let signs = String(repeating: mark.isPrimary ? "^" : "-", count: max(upper - lower, 1))
      var pieces = [
        Piece(text: String(repeating: " ", count: gutter) + " | ", role: .frame),
        Piece(text: String(repeating: " ", count: lower), role: .source),
        Piece(text: signs, role: mark.isPrimary ? role : .label),
      ]
      if !mark.text.isEmpty { pieces.append(Piece(text: " " + spelled(mark.text), role: .label)) }
      lines.append(pieces)
    }
    return lines
  }
  /// Where a place of a line, counted in its UTF-8, is when the line is spelled.
  private func place(_ offset: Int, in text: String) -> Int {
    guard spelling != nil, offset >= 0 else { return offset }
    let before = String(decoding: text.utf8.prefix(offset), as: UTF8.self)
    return spelled(before).utf8.count + max(offset - text.utf8.count, 0)
  }
}
