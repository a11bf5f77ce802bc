/// Formulas as text: their lines, and the lines that say what the names in them stand for.
public struct MathText: Sendable, Equatable {
  public var formulas: [String] = []
  /// `where z = X·w`, one or more lines.
  public var definitions: [String] = []

  public var lines: [String] { formulas + definitions }
}

/// Prints nodes of a graph as mathematics: in matrix notation where it fits, else entry by entry with index letters.
/// Pointwise functions act on entries (`exp(A)`, `x²`), `⊙` multiplies and `⊘` divides entry by entry; a scalar
/// next to a vector is added to every entry. Σ covers the product after it, up to the next + or −. A condition in
/// brackets is 1 or 0; a term with 0 counts for nothing, even where its indices leave their range.
public struct MathPrinter {
  let graph: TensorGraph
  let style: MathStyle
  let width: Int
  /// Names of definitions are replaced by what they stand for.
  let expandsNames: Bool
  /// At most this many `where` lines.
  let definitionLimit: Int

  public init(
    _ graph: TensorGraph, style: MathStyle = .unicode, width: Int = 80, expandsNames: Bool = false,
    definitionLimit: Int = 24
  ) {
    self.graph = graph
    self.style = style
    self.width = max(width, 20)
    self.expandsNames = expandsNames
    self.definitionLimit = definitionLimit
  }

  /// What to print: `left = node`, or one entry of the node.
  struct Item {
    var left: String
    var node: NodeID
    var indices: [Int]?
  }

  /// `left = formula`; without `left`, the node's name or nothing. The node itself is always written out.
  public func formula(_ node: NodeID, left: String? = nil) -> MathText {
    formulas([(left ?? graph.names[node] ?? "", node)])
  }

  /// Several formulas that share their `where` lines.
  public func formulas(_ items: [(left: String, node: NodeID)]) -> MathText {
    print(items.map { Item(left: $0.left, node: $0.node) })
  }

  // MARK: Entries

  /// Single entries, for a vector or a matrix put together from scalars in fixed places, like the gradient of a
  /// function of `x[0]` and `x[1]`; nil when the node is not of that kind or larger than 6×6. A symmetric matrix may
  /// ask for its lower triangle. `left` names an entry by its indices.
  public func entries(of node: NodeID, lowerTriangle: Bool = false, left: ([Int]) -> String) -> MathText? {
    let shape = graph.shape(node)
    guard (1...2).contains(shape.count), shape.allSatisfy({ $0 <= 6 }), isPlaced(node) else { return nil }
    let places = places(shape).filter { !lowerTriangle || $0.count < 2 || $0[1] <= $0[0] }
    return print(places.map { Item(left: left($0), node: node, indices: $0) })
  }

  /// The same as (indices, formula), every formula on one line.
  public func entries(of node: NodeID) -> [(indices: [Int], formula: String)]? {
    let all = MathPrinter(graph, style: style, width: .max, expandsNames: expandsNames)
    guard let text = all.entries(of: node, left: { _ in "" }) else { return nil }
    return Array(zip(places(graph.shape(node)), text.formulas).map { ($0, $1) })
  }

  /// `∂f/∂x`, `∂²f/∂x∂y`.
  public static func partial(_ f: String, _ variables: [String], style: MathStyle = .unicode) -> String {
    let d = style == .unicode ? "∂" : "d"
    let order = variables.count
    let power = order == 1 ? "" : (style == .unicode ? MathNumber.superscript(order) : "^\(order)")
    return "\(d)\(power)\(f)/" + variables.map { d + $0 }.joined()
  }

  private func places(_ shape: [Int]) -> [[Int]] {
    if shape.count == 1 { return (0..<shape[0]).map { [$0] } }
    return (0..<shape[0]).flatMap { i in (0..<shape[1]).map { [i, $0] } }
  }

  /// Some term puts a scalar into one place.
  private func isPlaced(_ node: NodeID) -> Bool {
    var stack = [node]
    var budget = 1000
    while let id = stack.popLast(), budget > 0 {
      budget -= 1
      let current = graph[id]
      switch current.op {
      case .add: stack += current.operands.map(\.node)
      case .contract:
        let units = current.operands.filter {
          isUnit($0.node) && ($0.labels.first ?? .max) < current.shape.count
        }
        if !units.isEmpty { return true }
      case .selector: if isUnit(id) { return true }
      default: break
      }
    }
    return false
  }

  private func isUnit(_ id: NodeID) -> Bool {
    if case .selector(let s) = graph[id].op { return s.rank == 1 && s.extents.isEmpty }
    return false
  }

  // MARK: Printing

  /// Twice: first to see which names are used, in which order, then with those names.
  private func print(_ items: [Item]) -> MathText {
    let outline = MathOutline(graph, items.map(\.node), expandingNames: expandsNames)
    var names: [NodeID: String] = [:]
    for id in outline.isDefined { names[id] = definedName(id) ?? "t" }
    let first = MathWriter(self, outline, names, items, isDraft: true)
    let shown = first.definitions.prefix(definitionLimit)
    let last = MathWriter(self, outline, numbered(shown, outline), items, isDraft: false)
    return last.text(isCut: first.definitions.count > shown.count)
  }

  private func definedName(_ id: NodeID) -> String? { expandsNames ? nil : graph.names[id] }

  private func numbered(_ ids: ArraySlice<NodeID>, _ outline: MathOutline) -> [NodeID: String] {
    var names: [NodeID: String] = [:]
    var used = outline.reserved
    for id in ids {
      if let name = definedName(id) {
        names[id] = name
        continue
      }
      let letter = graph.isTable(graph[id]) ? "C" : "t"
      var number = 1
      func candidate() -> String { letter + (style == .unicode ? MathNumber.subscript(number) : "\(number)") }
      while used.contains(candidate()) { number += 1 }
      names[id] = candidate()
      used.insert(candidate())
    }
    return names
  }
}

/// One pass over the formulas and the definitions that they use.
struct MathWriter {
  private let printer: MathPrinter
  private let builder: MathBuilder
  private let outline: MathOutline
  private var renderer: MathRenderer
  private var formulas: [String] = []
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
    builder = MathBuilder(printer.graph, outline, printer.style, names)
    renderer = MathRenderer(style: printer.style, names: names)
    for item in items { formulas += lines(item, "", 4) }
    let written = Set(items.filter { $0.left == printer.graph.names[$0.node] }.map(\.node))
    var next = 0
    // One more than are shown, to know that some are not.
    while next < renderer.mentions.count, definitions.count <= printer.definitionLimit {
      let id = renderer.mentions[next]
      next += 1
      if written.contains(id) { continue }
      definitions.append(id)
      guard let name = names[id] ?? (isDraft ? "t" : nil) else { continue }
      let lead = definitionLines.isEmpty ? "  where " : "        "
      definitionLines.append(lines(.init(left: name, node: id), lead, 12))
    }
  }

  func text(isCut: Bool) -> MathText {
    let rest = isCut ? [printer.style == .unicode ? "        …" : "        ..."] : []
    return MathText(formulas: formulas, definitions: definitionLines.flatMap { $0 } + rest)
  }

  private mutating func lines(_ item: MathPrinter.Item, _ lead: String, _ indent: Int) -> [String] {
    let (left, body) = sides(item)
    renderer.pieces = []
    renderer.emit(body)
    let prefix = lead + (left.isEmpty ? "" : left + " = ")
    return MathLayout(width: printer.width).lines(prefix: prefix, renderer.pieces, indent: indent)
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
    let left = item.left.isEmpty ? "entry" : item.left
    return (letters.isEmpty ? item.left : "\(left)[\(letters.joined(separator: ","))]", body)
  }
}
