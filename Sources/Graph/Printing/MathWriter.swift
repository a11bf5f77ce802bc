/// One pass over the formulas and the definitions that they use.
struct MathWriter {
  private let printer: MathPrinter
  private let builder: MathBuilder
  private let outline: MathOutline
  private var text: MathRenderer
  private var latex: LaTeXRenderer
  private var statements: [[String]] = []
  private var definitionLines: [[String]] = []
  /// Nodes with lines of their own, in order of first use.
  private(set) var definitions: [NodeID] = []

  /// A draft gives every node a line, whether or not it has a name yet.
  init(
    _ printer: MathPrinter, _ outline: MathOutline, _ names: [NodeID: String], _ items: [MathPrinter.Item],
    isDraft: Bool
  ) {
    self.printer = printer
    self.outline = outline
    builder = MathBuilder(printer.graph, outline, printer.style == .ascii ? .ascii : .unicode, names)
    text = MathRenderer(style: printer.style, names: names)
    latex = LaTeXRenderer(names: names)
    for item in items { statements.append(lines(item, "", 4)) }
    let written = Set(items.filter { $0.left == printer.graph.names[$0.node] }.map(\.node))
    var next = 0
    // One more than are shown, to know that some are not.
    while next < mentions.count, definitions.count <= printer.definitionLimit {
      let id = mentions[next]
      next += 1
      if written.contains(id) { continue }
      definitions.append(id)
      guard let name = names[id] ?? (isDraft ? "t" : nil) else { continue }
      let lead = definitionLines.isEmpty ? "  where " : "        "
      let left = isLaTeX ? LaTeX.name(name) : name
      definitionLines.append(lines(.init(left, id), isLaTeX ? "" : lead, 12))
    }
  }

  /// Characters of a formula on a line of a printed page: of LaTeX's article, less a few, since the widest left side of an
  /// environment makes room for itself in all its rows.
  private static let pageWidth = 54

  private var isLaTeX: Bool { printer.style == .latex }
  private var mentions: [NodeID] { isLaTeX ? latex.mentions : text.mentions }

  func text(isCut: Bool) -> MathText {
    let dots = isLaTeX ? "&\\ldots" : (printer.style == .unicode ? "        …" : "        ...")
    return MathText(
      statements: statements, definitions: definitionLines.flatMap { $0 } + (isCut ? [dots] : []))
  }

  private mutating func lines(_ item: MathPrinter.Item, _ lead: String, _ indent: Int) -> [String] {
    let (left, body) = sides(item)
    if isLaTeX {
      let lines = latex.lines(body, width: max(Self.pageWidth - LaTeX.width(left) - 2, Self.pageWidth / 2))
      return lines.enumerated().map { $0 == 0 ? "\(left) &= \($1)" : "&\\quad \($1)" }
    }
    text.pieces = []
    text.emit(body)
    return MathLayout(width: printer.width).lines(
      prefix: lead + (left.isEmpty ? "" : left + " = "), text.pieces, indent: indent)
  }

  /// The left side with index letters where the right side needs them.
  private mutating func sides(_ item: MathPrinter.Item) -> (String, MathExpression) {
    let graph = printer.graph
    let shape = graph.shape(item.node)
    var scope = MathScope(used: outline.reserved)
    if let indices = item.indices {
      return (item.left, builder.expandedEntry(item.node, at: indices.map { AffineIndex($0) }, in: scope))
    }
    if graph.isTable(graph[item.node]) {
      return (item.left, .name("(\(shape.map { "\($0)" }.joined(separator: "×")) constants)"))
    }
    if let whole = builder.expanded(item.node) { return (item.left, whole) }
    let letters = shape.map { _ in builder.freshLetter(MathScope.result, &scope) }
    let body = builder.expandedEntry(item.node, at: letters.map { AffineIndex(.name($0)) }, in: scope)
    return (letters.isEmpty ? item.left : indexed(item.left, letters), body)
  }

  private func indexed(_ left: String, _ letters: [String]) -> String {
    guard isLaTeX else { return "\(left.isEmpty ? "entry" : left)[\(letters.joined(separator: ","))]" }
    let base = left.contains(" ") ? "\\left(\(left)\\right)" : (left.isEmpty ? "\\text{entry}" : left)
    return LaTeX.indexed(base.hasPrefix("\\left") ? "{\(base)}" : base, letters.map(LaTeX.name))
  }
}
