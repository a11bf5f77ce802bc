import Engine
import Graph
import Syntax
import Tensors

/// A formula compiled for one place in the source: what to run, and how to read the results.
final class CompiledFormula {
  let plan: any Computation
  /// The outcome with nodes replaced by places in the plan's outputs.
  let shape: ResultShape
  let dependencies: Dependencies
  let hasFixedValues: Bool
  /// Where the plan's inputs come from.
  let sources: [SlotSource?]
  /// Procedures run before the formula does.
  let callsProcedures: Bool
  var version: Int
  /// Keeps the expression alive whose identity keys the cache.
  let owner: AnyObject?
  /// When it was last wanted, on the cache's clock.
  fileprivate(set) var used = 0

  init(
    plan: any Computation, shape: ResultShape, dependencies: Dependencies, sources: [SlotSource?],
    callsProcedures: Bool,
    version: Int, owner: AnyObject?
  ) {
    self.plan = plan
    self.shape = shape
    self.dependencies = dependencies
    hasFixedValues = dependencies.hasFixedValues
    self.sources = sources
    self.callsProcedures = callsProcedures
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
  case sparse(Int, SparsePattern, [String], [Int])

  func value(_ tensors: [Tensor]) -> Value {
    switch self {
    case .tensor(let k): return .tensor(tensors[k])
    case .string(let s): return .string(s)
    case .bundle(let names, let places): return .bundle(names: names, tensors: places.map { tensors[$0] })
    case .record(let fields): return .record(fields.map { ($0.0, $0.1.value(tensors)) })
    case .tuple(let items): return .tuple(items.map { $0.value(tensors) })
    case .blockMatrix(let k, let names, let sizes):
      return .blockMatrix(tensors[k], names: names, sizes: sizes)
    case .sparse(let k, let pattern, let names, let sizes):
      return .sparse(SparseMatrix(pattern, tensors[k]), names: names, sizes: sizes)
    }
  }
}

/// Compiled formulas, the least recently used forgotten first. What depends on random leaves is kept in a few forms,
/// so that batches of two sizes find their plans again.
struct PlanCache<Key: Hashable> {
  private var entries: [Key: [CompiledFormula]] = [:]
  private var clock = 0
  private var limit: Int { 512 }
  /// Forms of one formula.
  private var formLimit: Int { 3 }

  /// The first form that holds.
  mutating func find(_ key: Key, where holds: (CompiledFormula) -> Bool) -> CompiledFormula? {
    guard let forms = entries[key], let place = forms.firstIndex(where: holds) else { return nil }
    clock += 1
    forms[place].used = clock
    if place > 0 { entries[key]?.swapAt(0, place) }
    return forms[place]
  }

  /// Keeps a form of which none holds.
  mutating func insert(_ formula: CompiledFormula, for key: Key) {
    clock += 1
    formula.used = clock
    let others = (entries[key] ?? []).filter(\.dependencies.mentionsRandomLeaf)
    entries[key] = [formula] + others.prefix(formLimit - 1)
    if entries.count > limit {
      let cut = entries.values.map { Self.lastUse($0) }.sorted()[limit / 4]
      entries = entries.filter { Self.lastUse($0.value) > cut }
    }
  }

  private static func lastUse(_ forms: [CompiledFormula]) -> Int { forms.map(\.used).max() ?? 0 }

  var values: [CompiledFormula] { entries.values.flatMap { $0 } }

  mutating func removeAll() { entries = [:] }
}

extension Interpreter {
  /// The value of an expression now. Compiled once for its place in the source.
  func evaluate(_ expr: Expr, mayDraw: Bool = true, projectsGradients: Bool = false) throws -> Value {
    switch expr.kind {
    case .string(let parts): return .string(try interpolate(parts))
    case .number(let x): return .number(x)
    case .command(let command): return try run(command, isAssigned: true)
    case .name(let name):
      if let quick = quickValue(name) { return quick }
    case .tuple(let items): return .tuple(try items.map { try evaluate($0, mayDraw: mayDraw) })
    default: break
    }
    let key = ObjectIdentifier(expr)
    if let known = formulas.find(key, where: { !$0.callsProcedures && isValid($0) }) {
      return known.shape.value(try run(known))
    }
    let results = try runProcedures(in: expr)
    if let known = formulas.find(key, where: isValid) { return known.shape.value(try run(known)) }
    let compiled = try compile(owner: expr, callsProcedures: !results.isEmpty) { elaborator in
      elaborator.mayDraw = mayDraw
      elaborator.projectsGradients = projectsGradients
      elaborator.callResults = results
      return try elaborator.meaning(expr)
    }
    formulas.insert(compiled, for: key)
    return compiled.shape.value(try run(compiled))
  }

  /// Whether an expression that was evaluated last depends on random leaves, or on procedures, which may draw.
  func dependsOnDraws(_ expr: Expr) -> Bool {
    if case .name(let name) = expr.kind, case .random? = lookup(name) { return true }
    return formulas.find(ObjectIdentifier(expr), where: isValid)
      .map { $0.callsProcedures || $0.dependencies.mentionsRandomLeaf } ?? false
  }

  /// Whether a plan still computes what its formula says.
  private func isValid(_ known: CompiledFormula) -> Bool {
    guard known.plan.precision == state.settings.precision else { return false }
    if known.version == structureVersion && !known.hasFixedValues { return true }
    guard isValid(known.dependencies) else { return false }
    known.version = structureVersion
    return true
  }

  /// A plain look-up needs no plan.
  private func quickValue(_ name: String) -> Value? {
    switch lookup(name) {
    case .variable(let v)?: return v.value
    case .param(let leaf)?, .data(let leaf)?: return .tensor(leaf.value)
    case .random(let leaf)?: return leaf.value
    default: return nil
    }
  }

  /// Builds (or finds) the plan for a formula and runs it.
  func evaluate(
    key: AnyHashable, owner: AnyObject?, storage: MatrixStorage = .dense,
    _ build: (Elaborator) throws -> Meaning
  ) throws -> Value {
    if let known = plans.find(key, where: isValid) {
      return known.shape.value(try run(known))
    }
    let compiled = try compile(owner: owner, storage: storage, build)
    plans.insert(compiled, for: key)
    return compiled.shape.value(try run(compiled))
  }

  func compile(
    owner: AnyObject?, callsProcedures: Bool = false, storage: MatrixStorage = .sparse,
    _ build: (Elaborator) throws -> Meaning
  ) throws -> CompiledFormula {
    trimGraph()
    let elaborator = Elaborator(self, environment: FormulaEnvironment(frameTag: currentFrameTag))
    let meaning = try build(elaborator)
    var nodes: [NodeID] = []
    var shape = try resultShape(meaning, elaborator, &nodes)
    nodes = try storedSparse(nodes, storage, elaborator, &shape)
    let plan = try computation(of: nodes)
    try checkMemory(plan, elaborator)
    return CompiledFormula(
      plan: plan, shape: shape, dependencies: elaborator.dependencies,
      sources: plan.inputs.map { slots.source($0.id) },
      callsProcedures: callsProcedures, version: structureVersion, owner: owner)
  }

  private func resultShape(_ meaning: Meaning, _ elaborator: Elaborator, _ nodes: inout [NodeID]) throws
    -> ResultShape
  {
    func place(_ node: NodeID) -> Int {
      nodes.append(node)
      return nodes.count - 1
    }
    switch meaning {
    case .node(let n): return .tensor(place(n))
    case .bundle(let b): return .bundle(b.names, b.nodes.map(place))
    case .tuple(let items): return .tuple(try items.map { try resultShape($0, elaborator, &nodes) })
    case .fields(let fields):
      return .record(try fields.map { ($0.name, try resultShape($0.value, elaborator, &nodes)) })
    case .string(let s): return .string(s)
    case .blockMatrix(let n, let names, let sizes): return .blockMatrix(place(n), names, sizes)
    case .operator(let form): return .tensor(place(graph.matrix(form)))
    case .range(let a, let b):
      guard let a, let b else { throw Diagnostic(.type, "a range needs both ends here") }
      let here = Span(SourceText(name: "", text: ""), 0, 0)
      return .tensor(place(try elaborator.integers(from: a, to: b, here)))
    }
  }

  /// Values of nodes that no plan is kept for: shapes, bounds.
  func evaluateNow(_ nodes: [NodeID]) throws -> [Tensor] { try run(try Plan(graph, outputs: nodes)) }

  func run(_ plan: Plan) throws -> [Tensor] {
    try plan.run(try plan.inputs.map { try inputValue($0, slots.source($0.id)) })
  }

  private func run(_ formula: CompiledFormula) throws -> [Tensor] {
    let inputs = formula.plan.inputs
    return try formula.plan.run(try inputs.indices.map { try inputValue(inputs[$0], formula.sources[$0]) })
  }

  /// What a leaf holds now.
  func inputValue(_ leaf: Leaf) throws -> Tensor { try inputValue(leaf, slots.source(leaf.id)) }

  func inputValue(_ leaf: Leaf, _ source: SlotSource?) throws -> Tensor {
    if let source, case .draw(let distribution, let shape) = source.kind {
      // As doubles: the product of sizes may be beyond integers.
      let needed = shape.reduce(Double(state.settings.precision.byteCount)) { $0 * Double($1) }
      guard needed <= Double(memoryLimit) else {
        throw EngineError.memory(needed: Int(min(needed, 1e18)), limit: memoryLimit)
      }
      return sample(distribution, shape)
    }
    guard let source, let value = currentValue(of: leaf, from: source) else {
      throw Diagnostic(.name, "'\(leaf.name)' has no value here")
    }
    return value
  }

  // MARK: Limits

  /// Refuses a plan that needs more memory than there may be; a Hessian that has to be stored is named.
  func checkMemory(_ plan: any Computation, _ elaborator: Elaborator? = nil) throws {
    guard plan.workingBytes > memoryLimit else { return }
    throw elaborator?.largeHessian ?? EngineError.memory(needed: plan.workingBytes, limit: memoryLimit)
  }

  /// The error for a Hessian whose entries do not fit into memory; nil when they do.
  func hessianRefusal(_ counts: [Int], _ names: [String], _ span: Span) -> Diagnostic? {
    let p = counts.reduce(0, +)
    let bytes = Double(p) * Double(p) * Double(state.settings.precision.byteCount)
    let limit = Double(memoryLimit)
    guard bytes > limit else { return nil }
    let large = zip(names, counts).map { "\($0): \($1)" }.joined(separator: ", ")
    return Diagnostic(
      .resource,
      "a Hessian over \(p) params needs \(Machine.describe(bytes)), the limit is \(Machine.describe(limit))",
      at: span,
      notes: [
        "params \(large)",
        "diag, trace, norm and sums such as sum(abs(hessian(f)), axis=1) do not store it",
      ],
      hint:
        "take one block (hessian(f, \(names.last ?? "W"))), products (hvp), or raise the limit with set memory"
    )
  }

  func report(_ progress: TileProgress) {
    let percent = Int(100 * progress.fraction)
    let rest = progress.remaining < 1e6 ? ", \(Int(progress.remaining.rounded(.up))) s to go" : ""
    output(.progress("\(percent) %\(rest)"))
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
    guard let format else { return valueText.inline.text(value) }
    guard let tensor = value.tensor, NumberFormat.formatted(0, format) != nil else {
      throw Diagnostic(
        .type, "the format '\(format)' does not fit \(value.kindName)", at: expr.span,
        hint: "formats are .4 (digits after the point), .3e and .6g")
    }
    let items = tensor.doubles.map { NumberFormat.formatted($0, format) ?? "" }
    return tensor.rank == 0 ? items[0] : "[" + items.joined(separator: ", ") + "]"
  }

  var valueText: ValueText {
    ValueText(format: NumberFormat(digits: state.settings.digits), width: textWidth)
  }
}
