import Engine
import Graph
import Syntax
import Tensors

/// What `derive` and `explain` were asked for.
enum FormulaPart: String {
  case value, grad, hessian
}

extension Commands {
  static var formulaCommands: [CommandDefinition] { [deriveCommand, graphCommand, explainCommand] }

  private static var deriveCommand: CommandDefinition {
    CommandDefinition(
      verb: "derive", usage: "derive [grad | hessian] [FORMULA] [wrt TARGETS]",
      summary:
        "The gradient and the Hessian as mathematics; of a formula that is no scalar, the formula itself.",
      options: [("ascii", "true writes without Unicode; also: set ascii true")], example: "derive hessian"
    ) { call in
      let call = call.splittingPart()
      try call.call.noMoreSubjects()
      let lines = try Derivation(call.call, call.part).lines()
      call.call.print(lines.joined(separator: "\n"))
      return .string(lines.joined(separator: "\n"))
    }
  }

  private static var graphCommand: CommandDefinition {
    CommandDefinition(
      verb: "graph", usage: "graph [FORMULA] [dot=true]",
      summary: "The nodes of a formula: number, operation with its index pattern, operands, shape, name.",
      options: [("dot", "true gives the drawing in Graphviz's language")], example: "graph"
    ) { call in
      try call.noMoreSubjects()
      let elaborator = call.elaborator()
      let roots: [NodeID]
      if let subject = call.subject {
        elaborator.callResults = try call.interpreter.runProcedures(in: subject)
        roots = try elaborator.meaning(subject).nodes
      } else {
        roots = [try elaborator.objective(call.command.verbSpan).node]
      }
      let graph = elaborator.graph
      if try call.option("dot")?.tensor?.scalarValue ?? 0 != 0 {
        let text = GraphListing(graph).dot(roots)
        call.print(text)
        return .string(text)
      }
      let count = graph.reachable(from: roots).count
      call.print(
        (GraphListing(graph, limit: 200).nodeList(roots) + ["\(count) node\(count == 1 ? "" : "s")"]).joined(
          separator: "\n"))
      return .number(Double(count))
    }
  }

  private static var explainCommand: CommandDefinition {
    CommandDefinition(
      verb: "explain",
      usage: "explain [value | grad | hessian] [FORMULA] [wrt TARGETS] | explain step METHOD …",
      summary:
        "How a formula or its derivatives are computed: nodes, blocks, memory, the steps of the plan; for a Hessian "
        + "its forms, what each costs, and the formula of its blocks. Of a first step of a method: its parts along the "
        + "eigenvectors, what the quadratic model predicts and what comes of it; nothing moves.",
      example: "explain hessian\nexplain step newton"
    ) { call in
      if let step = try call.innerStep() { return try StepExplanation(step).run() }
      let split = call.splittingPart()
      try split.call.noMoreSubjects()
      return try Explanation(split.call, split.part ?? .value).run()
    }
  }
}

extension CommandCall {
  /// `derive hessian f`: the word before the formula, and the command without it. A name that is bound is a formula.
  fileprivate func splittingPart() -> (part: FormulaPart?, call: CommandCall) {
    guard let first = subject, case .name(let word) = first.kind, let part = FormulaPart(rawValue: word),
      interpreter.lookup(word) == nil
    else { return (nil, self) }
    let rest = Command(
      verb: command.verb, verbSpan: command.verbSpan, subjects: Array(command.subjects.dropFirst()),
      clauses: command.clauses, options: command.options, block: command.block, span: command.span)
    return (
      part,
      CommandCall(interpreter: interpreter, command: rest, definition: definition, isAssigned: isAssigned)
    )
  }

  /// The command `step …` that stands as the subject.
  fileprivate func innerStep() throws -> CommandCall? {
    guard let subject, case .command(let step) = subject.kind, let definition = Commands.table[step.verb]
    else {
      return nil
    }
    try noMoreSubjects()
    if let clause = command.clauses.first {
      throw Diagnostic(.syntax, "'\(clause.keyword)' belongs to the step", at: clause.span)
    }
    return CommandCall(
      interpreter: interpreter, command: step, definition: definition, isAssigned: isAssigned)
  }

  func elaborator() -> Elaborator {
    Elaborator(interpreter, environment: FormulaEnvironment(frameTag: interpreter.currentFrameTag))
  }
}

/// Derivatives written out.
struct Derivation {
  let call: CommandCall
  let part: FormulaPart?
  let elaborator: Elaborator
  let style: MathStyle
  var graph: TensorGraph { elaborator.graph }

  init(_ call: CommandCall, _ part: FormulaPart?) throws {
    self.call = call
    self.part = part
    elaborator = call.elaborator()
    let settings = call.interpreter.state.settings
    let isASCII = try call.option("ascii")?.tensor.map { $0.scalarValue != 0 } ?? settings.isASCII
    style = isASCII ? .ascii : .unicode
  }

  private var printer: MathPrinter { MathPrinter(graph, style: style, width: call.interpreter.options.width) }

  func lines() throws -> [String] {
    if let subject = call.subject {
      elaborator.callResults = try call.interpreter.runProcedures(in: subject)
      let meaning = try elaborator.meaning(subject)
      if part == nil, call.command.clause("wrt") == nil, isWrittenOut(meaning, subject) {
        return printer.formulas(named(meaning, subject.span.text)).lines
      }
    }
    let f = try call.scalarNode(elaborator)
    if part == .value { return printer.formula(f, left: call.subjectName).lines }
    let targets = try elaborator.targets(call.wrt(elaborator), of: [f], call.command.span)
    let gradients = graph.grad(f, wrt: targets.leaves)
    if let places = targets.part { return printed(partialPieces(f, targets, places, gradients[0])) }
    var pieces: [Piece] = []
    if part != .hessian { pieces += gradientPieces(gradients, targets) }
    if part != .grad { pieces += hessianPieces(f, targets) }
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
    case .bundle(let b): return zip(b.names, b.nodes).map { ("(\(name)).\($0)", $1) }
    default: return meaning.nodes.map { (name, $0) }
    }
  }

  private var symbol: (grad: String, hessian: String) {
    let f = call.subjectSymbol
    return style == .unicode ? ("∇\(f)", "∇²\(f)") : ("grad \(f)", "hessian \(f)")
  }

  /// What is printed: entries of a vector put together from scalars, or a formula as a whole.
  private enum Piece {
    case lines([String])
    case whole(left: String, node: NodeID)
  }

  /// Formulas that stand together share the lines that say what their names mean.
  private func printed(_ pieces: [Piece]) -> [String] {
    var result: [String] = []
    var open: [(left: String, node: NodeID)] = []
    func close() {
      if !open.isEmpty { result += printer.formulas(open).lines }
      open = []
    }
    for piece in pieces {
      switch piece {
      case .whole(let left, let node): open.append((left, node))
      case .lines(let lines):
        close()
        result += lines
      }
    }
    close()
    return result
  }

  private func gradientPieces(_ gradients: [NodeID], _ targets: Targets) -> [Piece] {
    zip(targets.names, gradients).map { name, node in
      if let entries = printer.entries(of: node, left: { partialName([entry(name, $0)]) }) {
        return .lines(entries.lines)
      }
      if graph.shape(node).isEmpty { return .whole(left: partialName([name]), node: node) }
      return .whole(left: targets.isSingle ? symbol.grad : "\(symbol.grad).\(name)", node: node)
    }
  }

  private func hessianPieces(_ f: NodeID, _ targets: Targets) -> [Piece] {
    let blocks = graph.hessianBlocks(f, wrt: targets.leaves)
    return blocks.indices.flatMap { i in
      (0...i).map { j in
        let (row, column) = (targets.names[i], targets.names[j])
        return blockPiece(blocks[i][j], row, column, isDiagonal: i == j, isSingle: targets.isSingle)
      }
    }
  }

  private func blockPiece(
    _ node: NodeID, _ row: String, _ column: String, isDiagonal: Bool, isSingle: Bool
  ) -> Piece {
    let shape = graph.shape(node)
    if shape.isEmpty { return .whole(left: partialName([row, column]), node: node) }
    if shape.count == 2, isDiagonal {
      let entries = printer.entries(of: node, lowerTriangle: true) { index in
        partialName([entry(row, [index[0]]), entry(column, [index[1]])])
      }
      if let entries { return .lines(entries.lines) }
    }
    return .whole(left: isSingle ? symbol.hessian : "\(symbol.hessian).\(row).\(column)", node: node)
  }

  /// `x[0]` or a slice as the target.
  private func partialPieces(
    _ f: NodeID, _ targets: Targets, _ places: [AxisIndex], _ gradient: NodeID
  ) -> [Piece] {
    let name = call.command.clause("wrt")?.values.first?.span.text ?? targets.names[0]
    var result: [Piece] = []
    if part != .hessian {
      result.append(.whole(left: partialName([name]), node: elaborator.indexed(gradient, places)))
    }
    if part != .grad {
      let h = elaborator.partialHessian(f, targets.leaves[0], places)
      result.append(.whole(left: partialName([name, name]), node: h))
    }
    return result
  }

  private func entry(_ name: String, _ index: [Int]) -> String {
    "\(name)[\(index.map(String.init).joined(separator: ","))]"
  }

  private func partialName(_ variables: [String]) -> String {
    MathPrinter.partial(call.subjectSymbol, variables, style: style)
  }
}
