import Graph
import Syntax
import Tensors

/// One name of the session, as `vars` and `show` describe it.
struct NameSummary {
  let name: String
  let kind: String
  let shape: String
  /// The value when it is short, a summary when it is long, the text of a formula or function.
  let value: String

  init(_ name: String, _ interpreter: Interpreter) {
    self.name = name
    let text = interpreter.valueText
    switch interpreter.lookup(name) {
    case .param(let leaf)?:
      (kind, shape, value) = ("param", leaf.value.shape.shapeDescription, text.summary(leaf.value))
    case .data(let leaf)?:
      (kind, shape, value) = ("data", leaf.value.shape.shapeDescription, text.summary(leaf.value))
    case .random(let leaf)?: (kind, shape, value) = ("random", leaf.value.shapeText, text.summary(leaf.value))
    case .variable(let v)?: (kind, shape, value) = ("variable", v.value.shapeText, text.summary(v.value))
    case .definition?:
      kind = interpreter.state.objective == name ? "objective" : "formula"
      let found = Self.formula(name, interpreter)
      (shape, value) = (found.shape, found.value)
    case .function(let f)?:
      (kind, shape) = ("function", "")
      value = Self.head(f.declaration)
    case nil: (kind, shape, value) = ("", "", "")
    }
  }

  private static func formula(_ name: String, _ interpreter: Interpreter) -> (shape: String, value: String) {
    let written = interpreter.definitionText(name).map { String($0.dropFirst(name.count + 1)) } ?? ""
    let elaborator = Elaborator(
      interpreter, environment: FormulaEnvironment(frameTag: interpreter.currentFrameTag))
    let here = Span(SourceText(name: "", text: ""), 0, 0)
    guard let meaning = try? elaborator.name(name, here) else { return ("?", written) }
    guard case .node(let node) = meaning else { return (meaning.kindName, written) }
    let shape = interpreter.graph.shape(node)
    guard shape.isEmpty,
      let value = try? interpreter.evaluate(key: "value of \(name)", owner: nil, { try $0.name(name, here) })
    else { return (shape.shapeDescription, written) }
    return ("scalar", "\(interpreter.valueText.inline.text(value))   \(written)")
  }

  private static func head(_ declaration: FunctionDeclaration) -> String {
    let head = "\(declaration.name)(\(declaration.formals.map(\.span.text).joined(separator: ", ")))"
    switch declaration.body {
    case .expression(let e): return "\(head) := \(e.span.text)"
    case .block: return "\(head) { … }"
    }
  }

  /// Columns of name, kind, shape and value, each row on one line.
  static func table(_ rows: [NameSummary], for interpreter: Interpreter) -> String {
    let width = interpreter.textWidth
    let cells = rows.map {
      [$0.name, $0.kind, $0.shape, String($0.value.split(separator: "\n").first ?? "")]
    }
    return TextTable(cells, left: [0, 1, 2, 3], gap: 3).spelled(for: interpreter).lines.map { line in
      line.count <= width ? line : line.prefix(max(width - 1, 20)) + "…"
    }.joined(separator: "\n")
  }

  // MARK: show

  func details(_ binding: Binding, _ interpreter: Interpreter) -> [String] {
    let text = interpreter.valueText
    switch binding {
    case .param(let leaf):
      let bounds = leaf.bounds.map { " in \($0.text)" } ?? ""
      var lines = ["param \(name) = \(leaf.declaration.span.text)\(bounds)", "shape \(shape)"]
      lines.append(text.labeled("value", showing: leaf.value))
      if leaf.value.doubles != leaf.initial.doubles {
        lines.append(text.labeled("declared", showing: leaf.initial))
      }
      return lines
    case .data(let leaf):
      return [
        "data \(name) = \(leaf.declaration.span.text)", "shape \(shape)",
        text.labeled("value", showing: leaf.value),
      ]
    case .random(let leaf):
      let feed = leaf.feed.map { feed in
        [
          "batch \(feed.batch + 1) of \(feed.batchesPerEpoch) in epoch \(feed.epoch), of \(feed.rowCount) rows"
        ]
      }
      return ["\(name) ~ \(leaf.source.span.text)", "shape \(shape)"] + (feed ?? [])
        + [text.labeled("drawn", showing: leaf.value)]
    case .variable(let v):
      return [
        "\(name) : variable\(shape.isEmpty ? "" : " \(shape)")", text.labeled("value", showing: v.value),
      ]
    case .function(let f): return functionLines(f.declaration)
    case .definition: return definitionLines(interpreter)
    }
  }

  private func functionLines(_ declaration: FunctionDeclaration) -> [String] {
    guard case .block(let statements) = declaration.body else { return [value] }
    let head = String(value.dropLast(4))
    return [head] + statements.map { "  \($0.span.text)" } + ["}"]
  }

  private func definitionLines(_ interpreter: Interpreter) -> [String] {
    var lines = [interpreter.definitionText(name) ?? name] + earlier(interpreter)
    lines.append("shape \(shape)" + (kind == "objective" ? ", the objective" : ""))
    let elaborator = Elaborator(
      interpreter, environment: FormulaEnvironment(frameTag: interpreter.currentFrameTag))
    let here = Span(SourceText(name: "", text: ""), 0, 0)
    do {
      let text = interpreter.valueText
      let meaning = try elaborator.name(name, here)
      let value = try interpreter.evaluate(key: "value of \(name)", owner: nil) { try $0.name(name, here) }
      lines.append(text.labeled("value", showing: value))
      let leaves = interpreter.graph.leaves(below: meaning.nodes).compactMap {
        interpreter.graph.leaf(of: $0)?.name
      }
      var seen = Set<String>()
      let names = leaves.filter { seen.insert($0).inserted }
      lines.append(names.isEmpty ? "depends on nothing" : "depends on \(Self.byKind(names, interpreter))")
    } catch let error as Diagnostic {
      lines.append("has no value now: \(error.message)")
    } catch {
      lines.append("has no value now: \(error)")
    }
    return lines
  }

  /// What the name meant in its own redefinition, the latest first.
  private func earlier(_ interpreter: Interpreter) -> [String] {
    guard case .definition(var id)? = interpreter.lookup(name) else { return [] }
    var lines: [String] = []
    while lines.count < 10, case .definition(let previous)? = interpreter.definitions[id]?.captured[name],
      let definition = interpreter.definitions[previous]
    {
      lines.append("  where the earlier \(name) := \(definition.expr.span.text)")
      id = previous
    }
    return lines
  }

  /// `params W, b; data X, y`
  private static func byKind(_ names: [String], _ interpreter: Interpreter) -> String {
    let ordered = interpreter.namesInOrder.filter(names.contains)
    var groups: [(kind: String, names: [String])] = []
    for name in ordered {
      let kind: String
      switch interpreter.lookup(name) {
      case .param?: kind = "param"
      case .data?: kind = "data"
      case .random?: kind = "random"
      default: kind = "variable"
      }
      if groups.last?.kind == kind {
        groups[groups.count - 1].names.append(name)
      } else {
        groups.append((kind, [name]))
      }
    }
    return groups.map { group in
      let isPlural = group.names.count > 1 && group.kind != "data" && group.kind != "random"
      return "\(group.kind)\(isPlural ? "s" : "") \(group.names.joined(separator: ", "))"
    }.joined(separator: "; ")
  }
}

extension Value {
  /// Shapes of a value in a table.
  var shapeText: String {
    switch self {
    case .tensor(let t), .blockMatrix(let t, _, _): return t.shape.shapeDescription
    case .sparse(let matrix, _, _): return matrix.shape.shapeDescription
    case .string: return "string"
    case .bundle: return "bundle"
    case .record: return "record"
    case .tuple: return "tuple"
    case .nothing: return ""
    }
  }
}

extension ValueText {
  /// A value on one line: short ones as they are, long ones by their extent.
  func summary(_ value: Value) -> String {
    switch value {
    case .tensor(let t), .blockMatrix(let t, _, _): return summary(t)
    case .sparse(let matrix, _, _): return "sparse, \(summary(matrix.values))"
    case .bundle(let names, _): return names.joined(separator: ", ")
    case .record(let fields): return fields.map(\.name).joined(separator: ", ")
    case .tuple(let items): return "\(items.count) values"
    case .string(let s): return "\"\(s)\""
    case .nothing: return ""
    }
  }

  func summary(_ t: Tensor) -> String {
    if t.rank <= 1 && t.count <= 6 { return inline.text(t) }
    if t.rank == 2 && t.count <= 6 && t.count > 0 {
      let (rows, columns) = (t.shape[0], t.shape[1])
      let values = t.doubles
      let lines = (0..<rows).map { i in
        (0..<columns).map { format(values[i * columns + $0]) }.joined(separator: ", ")
      }
      return "[\(lines.joined(separator: "; "))]"
    }
    let values = t.doubles
    let bad = values.count { !$0.isFinite }
    if bad > 0 { return "\(bad) of \(values.count) entries are not finite" }
    guard let low = values.min(), let high = values.max() else { return "empty" }
    let mean = values.reduce(0, +) / Double(values.count)
    return "from \(LookText.rough(low)) to \(LookText.rough(high)), mean \(LookText.rough(mean))"
  }
}
