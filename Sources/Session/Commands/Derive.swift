import Calculus
import Graph
import Syntax
import Tensors

/// Derivatives written out.
struct Derivation {
  let call: CommandCall
  let part: FormulaPart?
  let elaborator: Elaborator
  let notation: DerivativeNotation
  private let showsSteps: Bool
  var graph: TensorGraph { elaborator.graph }

  init(_ call: CommandCall, _ part: FormulaPart?) throws {
    self.call = call
    self.part = part
    elaborator = call.elaborator()
    let isASCII = try call.isOn("ascii") ?? call.interpreter.state.settings.isASCII
    let isLaTeX = try call.isOn("latex") ?? false
    notation = DerivativeNotation(isLaTeX ? .latex : (isASCII ? .ascii : .unicode), of: call.subjectSymbol)
    showsSteps = try call.isOn("steps") ?? false
  }

  var printer: MathPrinter {
    MathPrinter(graph, style: notation.style, width: call.interpreter.options.width)
  }

  /// The lines that are printed: those of a whole `align*` for LaTeX.
  func document() throws -> [String] {
    if showsSteps { return try DerivationSteps(self).document() }
    let lines = try self.lines()
    guard notation.style == .latex else { return lines }
    return LaTeX.aligned(lines.map { .row($0) })
  }

  func lines() throws -> [String] {
    if let subject = call.subject {
      elaborator.callResults = try call.interpreter.runProcedures(in: subject)
      let meaning = try elaborator.meaning(subject)
      if part == nil, call.command.clause("wrt") == nil, isWrittenOut(meaning, subject) {
        return printer.formulas(named(meaning, subject.span.text)).lines
      }
    }
    let f = try call.scalarNode(elaborator)
    if part == .value { return printer.formula(f, left: notation.name(call.subjectName)).lines }
    let targets = try elaborator.targets(call.wrt(elaborator), of: [f], call.command.span)
    let gradients = graph.grad(f, wrt: targets.leaves)
    var pieces: [Piece] = []
    if part != .hessian { pieces += gradientPieces(gradients, targets) }
    if part != .grad { pieces += hessianPieces(f, targets).flatMap { $0 } }
    return printed(pieces)
  }

  /// Formulas of derivatives, and all that is no scalar, are printed themselves.
  private func isWrittenOut(_ meaning: Meaning, _ subject: Expr) -> Bool {
    guard case .node(let node) = meaning, graph.shape(node).isEmpty else { return true }
    if case .call(let callee, _) = subject.kind, case .name(let name) = callee.kind {
      return CalculusFunction(rawValue: name) != nil && call.interpreter.lookup(name) == nil
    }
    return false
  }

  private func named(_ meaning: Meaning, _ name: String) -> [(left: String, node: NodeID)] {
    switch meaning {
    case .bundle(let b): return zip(b.names, b.nodes).map { (notation.component(name, $0), $1) }
    default: return meaning.nodes.map { (notation.name(name), $0) }
    }
  }

  /// What is printed: entries of a vector put together from scalars, or a formula as a whole.
  enum Piece {
    case entries([MathPrinter.Item])
    case whole(MathPrinter.Item)

    var items: [MathPrinter.Item] {
      switch self {
      case .entries(let items): return items
      case .whole(let item): return [item]
      }
    }
  }

  /// Formulas that stand together share the lines that say what their names mean.
  private func printed(_ pieces: [Piece]) -> [String] {
    var result: [String] = []
    var open: [MathPrinter.Item] = []
    func close() {
      if !open.isEmpty { result += printer.text(of: open).lines }
      open = []
    }
    for piece in pieces {
      switch piece {
      case .whole(let item): open.append(item)
      case .entries(let items):
        close()
        result += printer.text(of: items).lines
      }
    }
    close()
    return result
  }

  func gradientPieces(_ gradients: [NodeID], _ targets: Targets) -> [Piece] {
    if let places = targets.part {
      return [.whole(.init(notation.partial([partName(targets)]), elaborator.indexed(gradients[0], places)))]
    }
    return zip(targets.names, gradients).map { name, node in
      if let entries = printer.entryItems(of: node, left: { notation.partial([notation.entry(name, $0)]) }) {
        return .entries(entries)
      }
      if graph.shape(node).isEmpty {
        return .whole(.init(notation.partial([notation.name(name)]), node))
      }
      return .whole(.init(notation.gradient(targets.isSingle ? nil : name), node))
    }
  }

  /// The blocks of the lower triangle, a list for each row.
  func hessianPieces(_ f: NodeID, _ targets: Targets) -> [[Piece]] {
    if let places = targets.part {
      let name = partName(targets)
      let h = elaborator.partialHessian(f, targets.leaves[0], places)
      return [[.whole(.init(notation.partial([name, name]), h))]]
    }
    let blocks = graph.hessianBlocks(f, wrt: targets.leaves)
    return blocks.indices.map { i in (0...i).map { blockPiece(blocks[i][$0], targets, i, $0) } }
  }

  private func blockPiece(_ node: NodeID, _ targets: Targets, _ i: Int, _ j: Int) -> Piece {
    let (row, column) = (targets.names[i], targets.names[j])
    let shape = graph.shape(node)
    if shape.isEmpty {
      return .whole(.init(notation.partial([notation.name(row), notation.name(column)]), node))
    }
    if shape.count == 2, i == j {
      let entries = printer.entryItems(of: node, lowerTriangle: true) { index in
        notation.partial([notation.entry(row, [index[0]]), notation.entry(column, [index[1]])])
      }
      if let entries { return .entries(entries) }
    }
    return .whole(.init(notation.hessian(targets.isSingle ? nil : (row, column)), node))
  }

  /// `x[0]` or a slice as the target.
  private func partName(_ targets: Targets) -> String {
    notation.name(call.command.clause("wrt")?.values.first?.span.text ?? targets.names[0])
  }
}

/// How derivatives of a formula are written in text and in LaTeX.
struct DerivativeNotation {
  let style: MathStyle
  /// The formula, as it stands after ∇.
  private let f: String

  init(_ style: MathStyle, of f: String) {
    self.style = style
    self.f = style == .latex ? LaTeX.name(f) : f
  }

  /// A variable or a piece of a formula as it was typed.
  func name(_ text: String) -> String { style == .latex ? LaTeX.name(text) : text }

  func entry(_ name: String, _ index: [Int]) -> String {
    self.name("\(name)[\(index.map(String.init).joined(separator: ","))]")
  }

  /// A field of a bundle.
  func component(_ bundle: String, _ field: String) -> String {
    style == .latex ? "\(LaTeX.name(bundle))_{\(LaTeX.name(field))}" : "(\(bundle)).\(field)"
  }

  func partial(_ variables: [String]) -> String { MathPrinter.partial(f, variables, style: style) }

  /// ∇f, or its part of one param among several.
  func gradient(_ param: String?) -> String {
    switch style {
    case .latex: return "\\nabla\(param.map { "_{\(LaTeX.name($0))}" } ?? "") \(f)"
    case .unicode: return "∇\(f)" + (param.map { ".\($0)" } ?? "")
    case .ascii: return "grad \(f)" + (param.map { ".\($0)" } ?? "")
    }
  }

  /// ∇²f, or one block of it.
  func hessian(_ block: (row: String, column: String)?) -> String {
    let suffix = block.map { ".\($0.row).\($0.column)" } ?? ""
    switch style {
    case .latex:
      let place = block.map { "_{\(LaTeX.name($0.row)),\(LaTeX.name($0.column))}" } ?? ""
      return "\\nabla^{2}\(place) \(f)"
    case .unicode: return "∇²\(f)" + suffix
    case .ascii: return "hessian \(f)" + suffix
    }
  }

  /// d of something already written.
  func differential(_ text: String) -> String {
    let isShort = text.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
    switch style {
    case .latex:
      return "\\mathrm{d}" + (text.contains(" ") || text.contains("/") ? "\\left(\(text)\\right)" : text)
    default: return isShort ? "d\(text)" : "d(\(text))"
    }
  }
  var differential: String { differential(f) }
}

extension CommandCall {
  /// An option that is true or false; nil when it is not given.
  func isOn(_ name: String) throws -> Bool? { command.option(name) == nil ? nil : try flag(name) }
}
