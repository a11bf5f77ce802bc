import Engine
import Graph
import Syntax
import Tensors

/// The plan behind a formula or its derivatives, in words.
struct Explanation {
  let call: CommandCall
  let part: FormulaPart
  private let elaborator: Elaborator
  private var interpreter: Interpreter { call.interpreter }
  private var graph: TensorGraph { elaborator.graph }

  private typealias Row = (name: String, text: String)

  /// Lines of the plan, and of the formula, that are shown; what is between is left out.
  private static let (stepLimit, formulaLimit) = (60, 24)

  init(_ call: CommandCall, _ part: FormulaPart) throws {
    self.call = call
    self.part = part
    elaborator = call.elaborator()
  }

  func run() throws -> Value {
    let (f, outputs) = try roots()
    let stored = try interpreter.withoutFilledZeros(outputs, .sparse, indices: elaborator.knownIndices)
    let precision = interpreter.state.settings.precision
    let nodes = graph.reachable(from: outputs).count
    var rows: [Row] = []
    if part == .hessian { rows += try blockRows(f) }
    for case let pattern? in stored.patterns {
      rows.append(("pattern", interpreter.valueText.describe(pattern)))
    }
    let used: any Computation
    if part == .value {
      used = try interpreter.computation(of: stored.nodes)
    } else {
      let plan = try Plan(graph, outputs: stored.nodes, precision: precision)
      let forms = part == .hessian ? try hessianForms(outputs, plan, stored.patterns) : []
      rows += formRows(forms)
      used = forms.first?.computation ?? plan
    }
    rows += planRows(used, precision)
    let formula = part == .hessian ? try Derivation(call, .hessian).lines().cutMiddle(Self.formulaLimit) : []
    let listing = used.listing.cutMiddle(Self.stepLimit).map { "  \($0)" }
    call.print(
      ExplanationText(
        heading(f, nodes), [TextTable(facts: rows).spelled(for: call.interpreter).lines, listing, formula]
      ).text)
    return .record([
      ("nodes", .number(Double(nodes))), ("steps", .number(Double(used.stepCount))),
      ("largest", .number(Double(used.largestBuffer))), ("bytes", .number(Double(used.workingBytes))),
      ("multiplications", .number(used.multiplications)),
    ])
  }

  private func count(_ n: Int, _ thing: String) -> String { "\(n) \(thing)\(n == 1 ? "" : "s")" }

  private func heading(_ f: NodeID, _ nodes: Int) -> String {
    let notation = DerivativeNotation(
      interpreter.state.settings.isASCII ? .ascii : .unicode, of: call.subjectSymbol)
    let own = count(graph.reachable(from: [f]).count, "node")
    switch part {
    case .value: return "plan of \(call.subjectName): \(own)"
    case .grad: return "plan of \(notation.gradient(nil)): \(own), with derivatives \(nodes)"
    case .hessian: return "plan of \(notation.hessian(nil)): \(own), with derivatives \(nodes)"
    }
  }

  private func planRows(_ plan: any Computation, _ precision: Precision) -> [Row] {
    let largest = plan.largestBuffer
    let entries = "\(largest) \(largest == 1 ? "entry" : "entries")"
    let bytes = Machine.describe(Double(largest) * Double(precision.byteCount))
    return [
      ("largest buffer", "\(entries), \(bytes)"),
      ("memory", "\(Machine.describe(Double(plan.workingBytes))) in \(precision.rawValue)"),
      ("steps", "\(plan.stepCount)"),
    ]
  }

  // MARK: Forms of a Hessian

  /// The forms that were weighed; the first is the one that is used.
  private func hessianForms(_ outputs: [NodeID], _ plan: Plan, _ patterns: [SparsePattern?]) throws
    -> [HessianForm]
  {
    guard let source = outputs.first.flatMap({ interpreter.hessians[$0] }) else { return [] }
    let isSparse = patterns.contains { $0 != nil }
    let own = HessianForm(kind: isSparse ? .sparse : .structured, computation: plan)
    let products = try interpreter.byProducts(source)
    if isSparse {
      let whole = try Plan(graph, outputs: outputs, precision: plan.precision)
      let structured = HessianForm(kind: .structured, computation: whole)
      return [own, structured, products]
    }
    return products.isBetter(than: own, memory: interpreter.memoryLimit) ? [products, own] : [own, products]
  }

  private func formRows(_ forms: [HessianForm]) -> [Row] {
    var rows: [Row] = forms.enumerated().map { place, form in
      let bytes = Machine.describe(Double(form.computation.workingBytes))
      let cost = "\(work(of: form.computation)), \(bytes)"
      return (name(of: form.kind), cost + (place == 0 ? "   (used)" : ""))
    }
    if !forms.isEmpty, !forms.contains(where: { $0.kind == .sparse }) {
      rows.append(("sparse", "no: it is small, or most of its entries are there"))
    }
    return rows
  }

  /// Those of scalar programs are not counted, nor what gathers, sorts and fills.
  private func work(of computation: any Computation) -> String {
    guard computation.multiplications > 0 else {
      return computation.isScalar ? "a few operations" : count(computation.stepCount, "step")
    }
    return "\(NumberFormat.formatted(computation.multiplications, ".3g") ?? "") multiplications"
  }

  private func name(of kind: HessianForm.Kind) -> String {
    switch kind {
    case .structured: return "structured"
    case .products(let atATime): return "H·eᵢ, \(atATime) at a time"
    case .sparse: return "sparse"
    }
  }

  // MARK: What is explained

  /// The formula, and what is computed of it.
  private func roots() throws -> (NodeID, [NodeID]) {
    if let subject = call.subject { elaborator.callResults = try interpreter.runProcedures(in: subject) }
    if part == .value {
      let nodes =
        try call.subject.map { try elaborator.meaning($0).nodes } ?? [call.scalarNode(elaborator)]
      guard let first = nodes.first else {
        throw Diagnostic(.type, "'explain' needs a formula", at: call.subject?.span)
      }
      return (first, nodes)
    }
    let f = try call.scalarNode(elaborator)
    if part == .grad {
      return (f, try elaborator.gradient(of: f, wrt: call.wrt(elaborator), call.command.span).nodes)
    }
    let h = try elaborator.hessian(of: f, wrt: call.wrt(elaborator), tensor: false, call.command.span)
    return (f, h.nodes)
  }

  /// One row a block of the lower triangle.
  private func blockRows(_ f: NodeID) throws -> [Row] {
    let targets = try elaborator.targets(call.wrt(elaborator), of: [f], call.command.span)
    guard targets.part == nil else { return [] }
    let blocks = graph.hessianBlocks(f, wrt: targets.leaves)
    var rows: [Row] = []
    for i in blocks.indices {
      for j in 0...i {
        let (p, q) = (graph.shape(targets.leaves[i]), graph.shape(targets.leaves[j]))
        let size = "\(p.elementCount)×\(q.elementCount)"
        let zero = graph.isZero(blocks[i][j]) ? ", zero" : ""
        rows.append(("block \(targets.names[i]).\(targets.names[j])", size + zero))
      }
    }
    return rows.count <= 30 ? rows : [("blocks", "\(rows.count)")]
  }
}
