/// The graph itself as text: a line for each node, or a drawing for Graphviz.
public struct GraphListing {
  let graph: TensorGraph
  let style: MathStyle
  let limit: Int

  /// At most `limit` nodes, the ones nearest to the roots.
  public init(_ graph: TensorGraph, style: MathStyle = .unicode, limit: Int = 1000) {
    self.graph = graph
    self.style = style
    self.limit = limit
  }

  /// One line a node, in the order of evaluation: `#7  contract in,n->i  #5 #6  40  z`.
  public func nodeList(_ roots: [NodeID]) -> [String] {
    let all = graph.reachable(from: roots)
    let shown = all.suffix(limit)
    var number: [NodeID: Int] = [:]
    for (index, id) in all.enumerated() { number[id] = index }
    var rows: [[String]] = []
    for id in shown {
      let node = graph[id]
      let operands = node.operands.map { "#\(number[$0.node] ?? 0)" }.joined(separator: " ")
      rows.append([
        "#\(number[id] ?? 0)", kind(node), operands, node.shape.shapeDescription, graph.names[id] ?? "",
      ])
    }
    let lines = aligned(rows)
    return shown.count < all.count
      ? ["\(style == .unicode ? "…" : "...") \(all.count - shown.count) more nodes"] + lines : lines
  }

  /// The drawing, in the language of `dot`.
  public func dot(_ roots: [NodeID]) -> String {
    let all = graph.reachable(from: roots)
    let shown = all.suffix(limit)
    let first = shown.first ?? NodeID(0)
    var text = "digraph {\n  rankdir=BT; node [shape=box, fontname=\"monospace\"];\n"
    for id in shown {
      let node = graph[id]
      var label = graph.names[id].map { "\($0) = " } ?? ""
      label += kind(node) + "\\n" + node.shape.shapeDescription
      let style = node.operands.isEmpty ? ", style=filled, fillcolor=\"#eeeeee\"" : ""
      text += "  n\(id.index) [label=\"\(escaped(label))\"\(style)];\n"
      for operand in node.operands where operand.node >= first {
        text += "  n\(operand.node.index) -> n\(id.index);\n"
      }
    }
    if shown.count < all.count {
      text += "  more [label=\"\(all.count - shown.count) more nodes\", shape=plaintext];\n"
    }
    return text + "}\n"
  }

  /// What a node does, with its labels as an index pattern.
  private func kind(_ node: Node) -> String {
    switch node.op {
    case .leaf(let index): return "leaf \(graph.leaves[index].name)"
    case .tensor: return "constant"
    case .contract(let scale):
      if node.operands.isEmpty { return "fill \(number(scale))" }
      return "contract \(pattern(node))" + (scale == 1 ? "" : " \(times) \(number(scale))")
    case .add(let coefficients):
      if coefficients.isEmpty { return "zero" }
      let plain = coefficients.allSatisfy { $0 == 1 }
      return "add \(pattern(node))"
        + (plain ? "" : " \(times) [\(coefficients.map(number).joined(separator: ", "))]")
    case .map(let f): return "\(name(f)) \(pattern(node))"
    case .selector(let s): return "selector " + describe(s, node.shape)
    case .table: return "table"
    case .reduceMax: return "max \(pattern(node))"
    case .stop: return "stop"
    case .dense: return "dense"
    case .external(let f): return f.name
    case .argmax: return "argmax"
    case .argsort: return "argsort"
    case .matrix(let f): return f.rawValue
    }
  }

  private var times: String { style == .unicode ? "×" : "*" }

  private func name(_ f: MapFunction) -> String {
    if case .power(let n) = f { return "power(\(n))" }
    return "\(f)"
  }

  private func number(_ value: Double) -> String {
    let text = MathNumber.text(value.magnitude, .ascii)
    return value < 0 ? "-" + text : text
  }

  /// `ij,jk->ik`; labels beyond the alphabet are numbers.
  private func pattern(_ node: Node) -> String {
    let letters = Array("ijklabcdefgh")
    let summed = Array("nmpqrstuvwxyz")
    func text(_ labels: [Label]) -> String {
      labels.map { label in
        let place = label < node.shape.count ? label : label - node.shape.count
        let pool = label < node.shape.count ? letters : summed
        return place < pool.count ? String(pool[place]) : "(\(label))"
      }.joined()
    }
    return node.operands.map { text($0.labels) }.joined(separator: ",") + "->"
      + text(Array(node.shape.indices))
  }

  private func describe(_ s: Selector, _ shape: [Int]) -> String {
    if s.isIdentity(shape) { return "identity" }
    if s.rank == 1 && s.extents.isEmpty { return "place \(s.starts[0])" }
    if s.rank == 1 && s.covers(axis: 0, size: shape[0]) { return "ones" }
    return "starts \(s.starts) steps \(s.steps) extents \(s.extents)"
  }

  private func aligned(_ rows: [[String]]) -> [String] {
    var widths = [Int](repeating: 0, count: 5)
    for row in rows {
      for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.count) }
    }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() where !(column == row.count - 1 && cell.isEmpty) {
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        line += (line.isEmpty ? "" : "  ") + cell + padding
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  private func escaped(_ text: String) -> String {
    var result = ""
    for character in text { result += character == "\"" ? "\\\"" : String(character) }
    return result
  }
}
