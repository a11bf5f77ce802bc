/// Formulas as text: their lines, and the lines that say what the names in them stand for.
public struct MathText: Sendable, Equatable {
  public var formulas: [String] { statements.flatMap { $0 } }
  /// The lines of each formula.
  public var statements: [[String]] = []
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
  /// What two formulas have in common gets a line of its own, not only what one formula has twice.
  let sharesAcross: Bool

  public init(
    _ graph: TensorGraph, style: MathStyle = .unicode, width: Int = 80, expandsNames: Bool = false,
    definitionLimit: Int = 24, sharesAcross: Bool = true
  ) {
    self.graph = graph
    self.style = style
    self.width = max(width, 20)
    self.expandsNames = expandsNames
    self.definitionLimit = definitionLimit
    self.sharesAcross = sharesAcross
  }

  /// What to print: `left = node`, or one entry of the node. The left side is written in the printer's style.
  public struct Item: Sendable {
    public let left: String
    public let node: NodeID
    var indices: [Int]?
    public init(_ left: String, _ node: NodeID) {
      self.left = left
      self.node = node
    }
  }

  /// `left = formula`; without `left`, the node's name or nothing. The node itself is always written out.
  public func formula(_ node: NodeID, left: String? = nil) -> MathText {
    formulas([(left ?? graph.names[node] ?? "", node)])
  }

  /// Several formulas that share their `where` lines.
  public func formulas(_ items: [(left: String, node: NodeID)]) -> MathText {
    text(of: items.map { Item($0.left, $0.node) })
  }

  /// The formula alone, on one line, with nothing left to `where` lines.
  public func inline(_ node: NodeID) -> String {
    let outline = MathOutline(graph, [], expandingNames: true)
    let builder = MathBuilder(graph, outline, style == .ascii ? .ascii : .unicode, [:])
    let e = builder.expanded(node) ?? builder.reference(node)
    if style == .latex {
      var latex = LaTeXRenderer(names: [:])
      return latex.lines(e, width: .max).joined()
    }
    var text = MathRenderer(style: style, names: [:])
    return text.text(e)
  }

  // MARK: Entries

  /// Single entries, for a vector or a matrix put together from scalars in fixed places, like the gradient of a
  /// function of `x[0]` and `x[1]`; nil when the node is not of that kind or larger than 6×6. A symmetric matrix may
  /// ask for its lower triangle. `left` names an entry by its indices.
  public func entries(of node: NodeID, lowerTriangle: Bool = false, left: ([Int]) -> String) -> MathText? {
    entryItems(of: node, lowerTriangle: lowerTriangle, left: left).map { text(of: $0) }
  }

  /// The same, to be printed with other formulas.
  public func entryItems(of node: NodeID, lowerTriangle: Bool = false, left: ([Int]) -> String) -> [Item]? {
    let shape = graph.shape(node)
    guard (1...2).contains(shape.count), shape.allSatisfy({ $0 <= 6 }), isPlaced(node) else { return nil }
    let places = places(shape).filter { !lowerTriangle || $0.count < 2 || $0[1] <= $0[0] }
    return places.map { place in
      var item = Item(left(place), node)
      item.indices = place
      return item
    }
  }

  /// The same as (indices, formula), every formula on one line.
  public func entries(of node: NodeID) -> [(indices: [Int], formula: String)]? {
    let all = MathPrinter(graph, style: style, width: .max, expandsNames: expandsNames)
    guard let text = all.entries(of: node, left: { _ in "" }) else { return nil }
    return Array(zip(places(graph.shape(node)), text.formulas).map { ($0, $1) })
  }

  /// `∂f/∂x`, `∂²f/∂x∂y`.
  public static func partial(_ f: String, _ variables: [String], style: MathStyle = .unicode) -> String {
    if style == .latex {
      let power = variables.count == 1 ? "" : "^{\(variables.count)}"
      let below = variables.map { "\\partial \($0)" }.joined(separator: " \\, ")
      return "\\frac{\\partial\(power) \(f)}{\(below)}"
    }
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
  public func text(of items: [Item]) -> MathText {
    let outline = MathOutline(
      graph, items.map(\.node), expandingNames: expandsNames, sharingAcross: sharesAcross)
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
      func candidate() -> String { letter + (style == .ascii ? "\(number)" : MathNumber.subscript(number)) }
      while used.contains(candidate()) { number += 1 }
      names[id] = candidate()
      used.insert(candidate())
    }
    return names
  }
}
