import CKernels
import Engine
import Graph
import Syntax
import Tensors

/// A formula compiled for one place in the source: what to run, and how to read the results.
final class CompiledFormula {
  let plan: Plan
  /// The outcome with nodes replaced by places in the plan's outputs.
  let shape: ResultShape
  let dependencies: Dependencies
  var version: Int
  /// Keeps the expression alive whose identity keys the cache.
  let owner: AnyObject?

  init(plan: Plan, shape: ResultShape, dependencies: Dependencies, version: Int, owner: AnyObject?) {
    self.plan = plan
    self.shape = shape
    self.dependencies = dependencies
    self.version = version
    self.owner = owner
  }
}

/// How a value is put together from tensors.
indirect enum ResultShape {
  case tensor(Int)
  case string(String)
  case bundle([String], [Int])
  case record([(String, ResultShape)])
  case tuple([ResultShape])
  case blockMatrix(Int, [String], [Int])

  func value(_ tensors: [Tensor]) -> Value {
    switch self {
    case .tensor(let k): return .tensor(tensors[k])
    case .string(let s): return .string(s)
    case .bundle(let names, let places): return .bundle(names: names, tensors: places.map { tensors[$0] })
    case .record(let fields): return .record(fields.map { ($0.0, $0.1.value(tensors)) })
    case .tuple(let items): return .tuple(items.map { $0.value(tensors) })
    case .blockMatrix(let k, let names, let sizes): return .blockMatrix(tensors[k], names: names, sizes: sizes)
    }
  }
}

/// Compiled formulas, the least recently used forgotten first.
struct PlanCache {
  private var entries: [AnyHashable: (formula: CompiledFormula, used: Int)] = [:]
  private var clock = 0
  private static let limit = 512

  subscript(_ key: AnyHashable) -> CompiledFormula? {
    mutating get {
      clock += 1
      entries[key]?.used = clock
      return entries[key]?.formula
    }
    set {
      clock += 1
      entries[key] = newValue.map { ($0, clock) }
      if entries.count > Self.limit {
        let cut = entries.values.map(\.used).sorted()[Self.limit / 4]
        entries = entries.filter { $0.value.used > cut }
      }
    }
  }

  mutating func removeAll() { entries = [:] }
}

extension Interpreter {
  /// The value of an expression now. Compiled once for its place in the source.
  func evaluate(_ expr: Expr, mayDraw: Bool = true) throws -> Value {
    switch expr.kind {
    case .string(let parts): return .string(try interpolate(parts))
    case .number(let x): return .number(x)
    case .command(let command): return try run(command, isAssigned: true)
    case .name(let name):
      if let quick = quickValue(name) { return quick }
    case .tuple(let items): return .tuple(try items.map { try evaluate($0, mayDraw: mayDraw) })
    default: break
    }
    let results = try runProcedures(in: expr)
    if let own = results.first(where: { $0.call === expr }) { return own.value }
    keep(results)
    let key = ExpressionKey(expr, forms: results.map { form(of: $0.value) })
    return try evaluate(key: key, owner: expr) { elaborator in
      elaborator.mayDraw = mayDraw
      elaborator.callResults = meanings(of: results)
      return try elaborator.meaning(expr)
    }
  }

  /// All of a value that a formula's form depends on.
  private func form(of value: Value) -> String {
    switch value {
    case .string(let text): return "\"\(text)\""
    case .tensor(let t): return "\(t.shape)"
    case .blockMatrix(let t, let names, let sizes): return "\(t.shape)\(names)\(sizes)"
    case .bundle(let names, let tensors): return "\(names)\(tensors.map(\.shape))"
    case .record(let fields): return "{\(fields.map { "\($0.name):\(form(of: $0.value))" }.joined(separator: ","))}"
    case .tuple(let items): return "(\(items.map(form).joined(separator: ",")))"
    case .nothing: return "nothing"
    }
  }

  /// A plain look-up needs no plan.
  private func quickValue(_ name: String) -> Value? {
    if name == "ans" { return state.answer }
    switch lookup(name) {
    case .variable(let v)?: return v.value
    case .param(let leaf)?, .data(let leaf)?: return .tensor(leaf.value)
    case .random(let leaf)?: return leaf.value
    default: return nil
    }
  }

  /// Builds (or finds) the plan for a formula and runs it.
  func evaluate(key: AnyHashable, owner: AnyObject?, _ build: (Elaborator) throws -> Meaning) throws -> Value {
    if let known = plans[key] {
      let isCurrent =
        known.version == structureVersion && !known.dependencies.hasFixedValues || isValid(known.dependencies)
      if isCurrent && known.plan.precision == state.settings.precision {
        known.version = structureVersion
        return known.shape.value(try run(known.plan))
      }
    }
    let compiled = try compile(owner: owner, build)
    plans[key] = compiled
    return compiled.shape.value(try run(compiled.plan))
  }

  func compile(owner: AnyObject?, _ build: (Elaborator) throws -> Meaning) throws -> CompiledFormula {
    trimGraph()
    let elaborator = Elaborator(self, environment: FormulaEnvironment(frameTag: currentFrameTag))
    let meaning = try build(elaborator)
    var nodes: [NodeID] = []
    let shape = try resultShape(meaning, elaborator, &nodes)
    let plan = try Plan(graph, outputs: nodes, precision: state.settings.precision)
    try checkMemory(plan)
    return CompiledFormula(
      plan: plan, shape: shape, dependencies: elaborator.dependencies, version: structureVersion, owner: owner)
  }

  private func resultShape(_ meaning: Meaning, _ elaborator: Elaborator, _ nodes: inout [NodeID]) throws -> ResultShape {
    func place(_ node: NodeID) -> Int {
      nodes.append(node)
      return nodes.count - 1
    }
    switch meaning {
    case .node(let n): return .tensor(place(n))
    case .bundle(let b): return .bundle(b.names, b.nodes.map(place))
    case .tuple(let items): return .tuple(try items.map { try resultShape($0, elaborator, &nodes) })
    case .record(let fields): return .record(try fields.map { ($0.name, try resultShape($0.value, elaborator, &nodes)) })
    case .string(let s): return .string(s)
    case .blockMatrix(let n, let names, let sizes): return .blockMatrix(place(n), names, sizes)
    case .range(let a, let b):
      guard let a, let b else { throw Diagnostic(.type, "a range needs both ends here") }
      let here = Span(SourceText(name: "", text: ""), 0, 0)
      return .tensor(place(try elaborator.integers(from: a, to: b, here)))
    }
  }

  /// Values of nodes that no plan is kept for: shapes, bounds.
  func evaluateNow(_ nodes: [NodeID]) throws -> [Tensor] { try run(try Plan(graph, outputs: nodes)) }

  func run(_ plan: Plan) throws -> [Tensor] {
    try plan.run(try plan.inputs.map(inputValue))
  }

  /// What a leaf holds now.
  func inputValue(_ leaf: Leaf) throws -> Tensor {
    if let source = slots.source(leaf.id), case .draw(let distribution, let shape) = source.kind {
      return sample(distribution, shape)
    }
    guard let value = currentValue(of: leaf) else {
      throw Diagnostic(.name, "'\(leaf.name)' has no value here")
    }
    return value
  }

  // MARK: Limits

  private func checkMemory(_ plan: Plan) throws {
    let limit = state.settings.memoryLimit ?? Machine.memoryBytes / 4 * 3
    guard plan.workingBytes <= limit else { throw EngineError.memory(needed: plan.workingBytes, limit: limit) }
  }

  /// Refuses a Hessian that cannot be stored before anything is built.
  func checkHessianSize(_ counts: [Int], _ names: [String], _ span: Span) throws {
    let p = counts.reduce(0, +)
    let bytes = Double(p) * Double(p) * Double(state.settings.precision.byteCount)
    let limit = Double(state.settings.memoryLimit ?? Machine.memoryBytes / 4 * 3)
    guard bytes > limit else { return }
    let large = zip(names, counts).map { "\($0): \($1)" }.joined(separator: ", ")
    throw Diagnostic(
      .resource, "a Hessian over \(p) params needs \(Machine.describe(bytes)), the limit is \(Machine.describe(limit))",
      at: span, notes: ["params \(large)"],
      hint: "take one block (hessian(f, \(names.last ?? "W"))), products (hvp), or raise the limit with set memory")
  }

  // MARK: Random numbers

  func sample(_ distribution: Distribution, _ shape: Shape) -> Tensor {
    Sampler.sample(distribution, shape, &state.generator, state.settings.precision)
  }

  // MARK: Text

  private func interpolate(_ parts: [StringPart]) throws -> String {
    var result = ""
    for part in parts {
      switch part {
      case .text(let text): result += text
      case .value(let expr, let format): result += try text(of: expr, format)
      }
    }
    return result
  }

  private func text(of expr: Expr, _ format: String?) throws -> String {
    let value = try evaluate(expr)
    guard let format else { return valueText.text(value) }
    guard let tensor = value.tensor, let first = NumberFormat.formatted(0, format) else {
      throw Diagnostic(
        .type, "the format '\(format)' does not fit \(value.kindName)", at: expr.span,
        hint: "formats are .4 (digits after the point), .3e and .6g")
    }
    _ = first
    let items = tensor.doubles.map { NumberFormat.formatted($0, format) ?? "" }
    return tensor.rank == 0 ? items[0] : "[" + items.joined(separator: ", ") + "]"
  }

  var valueText: ValueText {
    ValueText(format: NumberFormat(digits: state.settings.digits), width: options.width)
  }
}

extension Dependencies {
  var hasFixedValues: Bool {
    stamps.values.contains { if case .fixed = $0 { return true } else { return false } }
  }
}

/// The identity of an expression as a key, with the forms of what procedures in it returned.
struct ExpressionKey: Hashable {
  let id: ObjectIdentifier
  let forms: [String]

  init(_ expr: Expr, forms: [String] = []) {
    id = ObjectIdentifier(expr)
    self.forms = forms
  }
}
