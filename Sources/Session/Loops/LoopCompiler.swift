import Calculus
import Engine
import Graph
import Optimization
import Syntax
import Tensors

/// Builds the compiled form of a loop, for the shapes that its names have now.
///
/// A run of assignments becomes one plan. What an earlier statement assigns stands in later ones behind `stop`: it is
/// computed once, and no formula is rewritten across it, so that results are those of one statement after another.
final class LoopCompiler {
  /// A statement that the interpreter must run.
  private struct Unsupported: Error {}

  private let interpreter: Interpreter
  /// What the compiled form was built from.
  private(set) var dependencies = Dependencies()
  let registers = LoopRegisters()
  private(set) var hasSteps = false
  /// Names that the loop binds.
  private let assigned: Set<String>
  /// Names that the innermost loop around what is being compiled binds, and whether it moves the params.
  private var innermost: (names: Set<String>, movesParams: Bool) = ([], false)
  /// Statements print nothing.
  private let isQuiet: Bool

  init(_ interpreter: Interpreter, _ loop: Statement) {
    self.interpreter = interpreter
    isQuiet = interpreter.movesAreQuiet
    assigned = Self.boundNames([loop], interpreter)
  }

  /// Nil when nothing of the loop can be compiled.
  func compile(_ loop: Statement) -> LoopCode? {
    guard let code = try? self.loop(loop, isQuiet: isQuiet || loop.isSilent), code.block.isWorthwhile else {
      return nil
    }
    return (try? preparePath()) == nil ? nil : code
  }

  // MARK: Names

  private static func boundNames(_ statements: [Statement], _ interpreter: Interpreter) -> Set<String> {
    var names = Set<String>()
    for statement in statements {
      names.formUnion(interpreter.boundNames(statement))
      switch statement.kind {
      case .assign(let targets, _):
        for case .index(let base, _) in targets.map(\.kind) {
          if case .name(let name) = base.kind { names.insert(name) }
        }
      case .forLoop(let loopNames, _, let body):
        names.formUnion(loopNames)
        names.formUnion(boundNames(body, interpreter))
      case .whileLoop(_, let body), .repeatLoop(_, let body): names.formUnion(boundNames(body, interpreter))
      case .conditional(let branches, let otherwise):
        for branch in branches { names.formUnion(boundNames(branch.body, interpreter)) }
        names.formUnion(boundNames(otherwise ?? [], interpreter))
      default: break
      }
    }
    return names
  }

  /// Whether there are commands, which may move the params.
  private static func hasCommands(_ statements: [Statement]) -> Bool {
    statements.contains { statement in
      switch statement.kind {
      case .command: return true
      case .forLoop(_, _, let body), .whileLoop(_, let body), .repeatLoop(_, let body):
        return hasCommands(body)
      case .conditional(let branches, let otherwise):
        return branches.contains { hasCommands($0.body) } || hasCommands(otherwise ?? [])
      default: return false
      }
    }
  }

  /// The register of a name that a statement assigns.
  private func target(_ name: String, isLoopVariable: Bool = false) throws -> Register {
    let locals = interpreter.state.frames.last?.locals
    let local = locals?[name]
    let key = DependencyKey(name: name, frameTag: interpreter.currentFrameTag)
    let binding = local ?? interpreter.state.globals[name]
    let word = SpecialName(rawValue: name)
    guard let binding, word != .params, word?.isResult != true else { throw Unsupported() }
    dependencies.record(key, interpreter.stamp(binding))
    switch binding {
    case .variable(let v):
      guard locals == nil || local != nil, case .tensor(let value) = v.value else { throw Unsupported() }
      return try register(
        name, isLoopVariable || v.isLoopVariable ? .loopVariable : .variable, isLocal: local != nil, v.id,
        value, assigned: isLoopVariable ? .loopVariable : .variable)
    case .param(let leaf):
      guard leaf.bounds == nil else { throw Unsupported() }
      return try register(name, .param, isLocal: false, leaf.id, leaf.value, assigned: .param)
    case .data(let leaf):
      return try register(name, .data, isLocal: false, leaf.id, leaf.value, assigned: .data)
    default: throw Unsupported()
    }
  }

  private func register(
    _ name: String, _ role: Register.Role, isLocal: Bool, _ id: Int, _ value: Tensor, assigned: Register.Role?
  ) throws -> Register {
    if let known = registers[id] {
      // A loop's variable that is assigned as well would change its kind.
      if let assigned, known.role != assigned { throw Unsupported() }
      return known
    }
    if let assigned, role != assigned { throw Unsupported() }
    _ = interpreter.leafNode(id, name, value.shape)
    let made = Register(
      name, role, isLocal: isLocal, Leaf(id: id, name: name, shape: value.shape), bindingID: id, value,
      interpreter.state.settings.precision)
    registers.add(made)
    return made
  }

  /// The register that an input of a plan reads.
  private func source(_ leaf: Leaf) throws -> Register {
    if let known = registers[leaf.id] { return known }
    guard let source = interpreter.slots.source(leaf.id) else { throw Unsupported() }
    guard case .binding(let path) = source.kind else { throw Unsupported() }
    if path.isEmpty, let known = try named(source) { return known }
    guard !assigned.contains(source.name), let value = interpreter.currentValue(of: leaf, from: source) else {
      throw Unsupported()
    }
    let made = Register(
      source.name, .constant, isLocal: false, leaf, bindingID: source.bindingID, value,
      interpreter.state.settings.precision)
    registers.add(made)
    return made
  }

  /// The register of a name that a statement could assign; nil for others.
  private func named(_ source: SlotSource) throws -> Register? {
    switch interpreter.binding(of: source) {
    case .variable(let v)?:
      guard case .tensor(let value) = v.value else { return nil }
      let isLocal = Self.variable(interpreter.state.frames.last?.locals[source.name]) == v.id
      guard isLocal || Self.variable(interpreter.state.globals[source.name]) == v.id else { return nil }
      return try register(
        source.name, v.isLoopVariable ? .loopVariable : .variable, isLocal: isLocal, v.id, value,
        assigned: nil)
    case .param(let leaf)?:
      return try register(source.name, .param, isLocal: false, leaf.id, leaf.value, assigned: nil)
    case .data(let leaf)?:
      return try register(source.name, .data, isLocal: false, leaf.id, leaf.value, assigned: nil)
    default: return nil
    }
  }

  private static func variable(_ binding: Binding?) -> Int? {
    if case .variable(let v)? = binding { return v.id }
    return nil
  }

  /// Registers for the params that points of the path tell.
  private func preparePath() throws {
    guard interpreter.state.objective != nil else { return }
    let layout = interpreter.pathLayout
    registers.setPath(
      try layout.names.map { name in
        guard case .param(let leaf)? = interpreter.state.globals[name] else { throw Unsupported() }
        dependencies.record(DependencyKey(name: name, frameTag: nil), interpreter.stamp(named: name))
        return try register(name, .param, isLocal: false, leaf.id, leaf.value, assigned: nil)
      }, layout)
    dependencies.record(.objective, .objective(interpreter.state.objective))
    dependencies.record(.params, .params(interpreter.allParams.map(\.name)))
  }

  // MARK: Blocks

  private func loop(_ statement: Statement, isQuiet: Bool) throws -> LoopCode {
    let outer = innermost
    defer { innermost = outer }
    func enter() {
      let names = Self.boundNames([statement], interpreter)
      innermost = (names, names.contains("params") || Self.hasCommands([statement]))
    }
    switch statement.kind {
    case .repeatLoop(let count, let body):
      let number = try numbers([count])
      enter()
      return LoopCode(statement, .count(number), try block(body, isQuiet: isQuiet))
    case .forLoop(let names, let domain, let body):
      guard names.count == 1, case .range(let low?, let high?) = domain.kind else { throw Unsupported() }
      let variable = try target(names[0], isLoopVariable: true)
      let ends = try numbers([low, high])
      enter()
      return LoopCode(statement, .range(variable, ends), try block(body, isQuiet: isQuiet))
    case .whileLoop(let condition, let body):
      enter()
      return LoopCode(
        statement, .condition(condition), try block(body, isQuiet: isQuiet, condition: condition))
    default: throw Unsupported()
    }
  }

  private func block(_ statements: [Statement], isQuiet: Bool, condition: Expr? = nil) throws -> LoopBlock {
    var items: [LoopBlock.Item] = []
    var open = SegmentBuilder()
    var start = 0
    if let condition {
      open.guardNode = try number(condition)
      // It must stand on its own, or there is nothing to fall back to.
      if statements.isEmpty { throw Unsupported() }
    }
    func close(at end: Int) throws {
      defer { open = SegmentBuilder() }
      guard !open.isEmpty else { return }
      items.append(LoopBlock.Item(range: start..<end, code: .segment(try segment(open))))
    }
    for (place, statement) in statements.enumerated() {
      if let extended = try? extending(open, by: statement, isQuiet: isQuiet) {
        if open.isEmpty { start = place }
        open = extended
        continue
      }
      try close(at: place)
      if let fresh = try? extending(open, by: statement, isQuiet: isQuiet) {
        (open, start) = (fresh, place)
        continue
      }
      let code = (try? self.code(statement, isQuiet: isQuiet)) ?? .interpreted
      items.append(LoopBlock.Item(range: place..<place + 1, code: code))
    }
    try close(at: statements.count)
    return LoopBlock(statements, items, condition: condition)
  }

  /// Statements that are more than a formula.
  private func code(_ statement: Statement, isQuiet: Bool) throws -> LoopBlock.Code {
    let quiet = isQuiet || statement.isSilent
    switch statement.kind {
    case .breaking: return .breaking
    case .continuing: return .continuing
    case .forLoop, .whileLoop, .repeatLoop: return .loop(try loop(statement, isQuiet: quiet))
    case .conditional(let branches, let otherwise):
      return .conditional(
        try branches.map { branch in
          _ = try number(branch.condition)
          return (try numbers([branch.condition]), try block(branch.body, isQuiet: quiet))
        },
        otherwise: try otherwise.map { try block($0, isQuiet: quiet) })
    case .assign(let targets, let value):
      guard targets.count == 1 else { throw Unsupported() }
      switch (targets[0].kind, value.kind) {
      case (.name(let name), .index(let base, let items)): return .slice(try slice(name, base, items))
      case (.index(let base, let items), _): return .entry(try entry(base, items, value))
      default: throw Unsupported()
      }
    default: throw Unsupported()
    }
  }

  // MARK: Formulas

  /// The formula of an expression, whose structure does not depend on what the loop changes.
  private func formula(_ expr: Expr) throws -> NodeID {
    guard case .node(let node) = try meaning(expr) else { throw Unsupported() }
    return node
  }

  /// A condition; what is no single number is left to the interpreter, which says so.
  private func number(_ condition: Expr) throws -> NodeID {
    let node = try formula(condition)
    guard interpreter.graph.shape(node).elementCount == 1 else { throw Unsupported() }
    return node
  }

  private func meaning(_ expr: Expr) throws -> Meaning {
    guard interpreter.procedureCalls(in: expr).isEmpty else { throw Unsupported() }
    return try elaborated { try $0.meaning(expr) }
  }

  /// What `build` makes, unless its structure depends on what the loop changes.
  private func elaborated<T>(_ build: (Elaborator) throws -> T) throws -> T {
    let elaborator = Elaborator(
      interpreter, environment: FormulaEnvironment(frameTag: interpreter.currentFrameTag))
    let result = try build(elaborator)
    for (key, stamp) in elaborator.dependencies.stamps {
      if case .fixed = stamp, assigned.contains(key.name) { throw Unsupported() }
    }
    dependencies.merge(elaborator.dependencies)
    return result
  }

  /// A plan for numbers that a statement needs.
  private func numbers(_ exprs: [Expr]) throws -> LoopSegment {
    var builder = SegmentBuilder()
    builder.outputs = try exprs.map { try formula($0) }
    return try segment(builder)
  }

  private func segment(_ builder: SegmentBuilder) throws -> LoopSegment {
    var outputs = builder.outputs
    if let condition = builder.guardNode { outputs.append(condition) }
    outputs = try withoutFilledZeros(outputs)
    let plan = try Plan(interpreter.graph, outputs: outputs, precision: interpreter.state.settings.precision)
    try interpreter.checkMemory(plan)
    let guardOutput = builder.guardNode == nil ? nil : outputs.count - 1
    let registers = try plan.inputs.map { try source($0) }
    let varying = Set(registers.filter(isChanged).map(\.leaf.id))
    if let stages = try PlanStages(
      interpreter.graph, outputs: outputs, whole: plan, varying: varying, identity: interpreter.slots.identity
    ) {
      return try segment(stages, builder.commits, guardOutput)
    }
    return LoopSegment(
      plan, inputs: registers.map { .register($0) }, prelude: nil, commits: builder.commits,
      guardOutput: guardOutput)
  }

  /// Whether the innermost loop may change a register. What it changes all the same is noticed when it runs.
  private func isChanged(_ register: Register) -> Bool {
    innermost.names.contains(register.name) || register.role == .param && innermost.movesParams
  }

  /// A segment that leaves out what the loop does not change.
  private func segment(_ stages: PlanStages, _ commits: [LoopSegment.Commit], _ guardOutput: Int?) throws
    -> LoopSegment
  {
    let prelude = LoopPrelude(stages.prelude, inputs: try stages.prelude.inputs.map { try source($0) })
    let inputs = try stages.sources.map { source -> LoopSegment.Source in
      switch source {
      case .leaf(let leaf): return .register(try self.source(leaf))
      case .prelude(let output): return .prelude(output)
      }
    }
    return LoopSegment(
      stages.rest, inputs: inputs, prelude: prelude, commits: commits, guardOutput: guardOutput)
  }

  /// The same values, with sparse matrices inside never filled in.
  private func withoutFilledZeros(_ outputs: [NodeID]) throws -> [NodeID] {
    try interpreter.withoutFilledZeros(outputs, .dense) { indices in
      var isFixed = true
      let values = try self.interpreter.knownIndices(indices) { key, stamp in
        if self.assigned.contains(key.name) { isFixed = false } else { self.dependencies.record(key, stamp) }
      }
      return isFixed ? values : nil
    }.nodes
  }

  // MARK: Segments

  private struct SegmentBuilder {
    var guardNode: NodeID?
    var outputs: [NodeID] = []
    var commits: [LoopSegment.Commit] = []
    /// What names that were assigned stand for, by their leaf.
    var values: [NodeID: NodeID] = [:]
    var isEmpty: Bool { outputs.isEmpty && guardNode == nil }

    mutating func add(_ node: NodeID) -> Int {
      outputs.append(node)
      return outputs.count - 1
    }
  }

  private func extending(_ builder: SegmentBuilder, by statement: Statement, isQuiet: Bool) throws
    -> SegmentBuilder
  {
    switch statement.kind {
    case .assign(let targets, let value):
      guard targets.count == 1, case .name(let name) = targets[0].kind else { throw Unsupported() }
      if name == "params" { return try assigningParams(builder, value) }
      return try assigning(builder, [name: try formula(value)])
    case .command(let command):
      guard command.verb == "step", isQuiet || statement.isSilent else { throw Unsupported() }
      return try stepping(builder, statement, command)
    default: throw Unsupported()
    }
  }

  private func assigningParams(_ builder: SegmentBuilder, _ value: Expr) throws -> SegmentBuilder {
    guard interpreter.lookup("params") == nil, case .bundle(let bundle) = try meaning(value) else {
      throw Unsupported()
    }
    return try assigning(builder, Dictionary(zip(bundle.names, bundle.nodes), uniquingKeysWith: { $1 }))
  }

  private func assigning(_ builder: SegmentBuilder, _ values: [String: NodeID]) throws -> SegmentBuilder {
    var builder = builder
    let targets = try place(values, in: &builder)
    builder.commits.append(.assign(targets, isMove: targets.contains { $0.register.role == .param }))
    return builder
  }

  /// Adds values as outputs; later formulas of the segment see them.
  private func place(_ values: [String: NodeID], in builder: inout SegmentBuilder) throws
    -> [LoopSegment.Target]
  {
    let graph = interpreter.graph
    var targets: [LoopSegment.Target] = []
    var found: [NodeID: NodeID] = [:]
    for (name, node) in values.sorted(by: { $0.key < $1.key }) {
      let register = try target(name)
      let leaf = interpreter.leafNode(register.leaf.id, name, register.shape)
      guard builder.values[leaf] == nil, graph.shape(node) == register.shape else { throw Unsupported() }
      let value = graph.substitute([node], builder.values)[0]
      targets.append(LoopSegment.Target(register: register, output: builder.add(value)))
      found[leaf] = graph.stop(value)
    }
    builder.values.merge(found) { $1 }
    return targets
  }

  // MARK: Steps

  /// `step gd lr=…`, `sgd` and `newton`: new params by a formula.
  private func stepping(_ builder: SegmentBuilder, _ statement: Statement, _ command: Command) throws
    -> SegmentBuilder
  {
    guard let definition = Commands.table[command.verb], !interpreter.hasRandomLeaves else {
      throw Unsupported()
    }
    let call = CommandCall(
      interpreter: interpreter, command: command, definition: definition, isAssigned: true)
    guard let rule = try elaborated({ try call.stepFormula($0) }) else { throw Unsupported() }
    var builder = builder
    let graph = interpreter.graph
    let value = builder.add(graph.substitute([rule.value], builder.values)[0])
    let rate = rule.rate.map { builder.add(graph.substitute([$0], builder.values)[0]) }
    let targets = try place(
      Dictionary(zip(rule.names, rule.params), uniquingKeysWith: { $1 }), in: &builder)
    builder.commits.append(
      .step(StepCode(statement, targets: targets, value: value, learningRate: rate)))
    hasSteps = true
    return builder
  }

  // MARK: Parts

  private func slice(_ name: String, _ base: Expr, _ items: [IndexItem]) throws -> SliceCode {
    guard case .name = base.kind else { throw Unsupported() }
    let node = try formula(base)
    guard let leaf = interpreter.graph.leaf(of: node) else { throw Unsupported() }
    let (bounds, axes) = try bounds(items, leaf.shape)
    return SliceCode(try source(leaf), try target(name), try segment(bounds), axes)
  }

  private func entry(_ base: Expr, _ items: [IndexItem], _ value: Expr) throws -> EntryCode {
    guard case .name(let name) = base.kind else { throw Unsupported() }
    let register = try target(name)
    var (numbers, axes) = try bounds(items, register.shape)
    let value = numbers.add(try formula(value))
    return EntryCode(register, try segment(numbers), axes, value: value)
  }

  /// Outputs for the bounds of an index; steps and index tensors are left to the interpreter.
  private func bounds(_ items: [IndexItem], _ shape: Shape) throws -> (SegmentBuilder, [AxisBounds]) {
    guard items.count <= shape.count else { throw Unsupported() }
    var builder = SegmentBuilder()
    func number(_ expr: Expr?) throws -> Int? {
      guard let expr else { return nil }
      let node = try formula(expr)
      guard interpreter.graph.shape(node).isEmpty else { throw Unsupported() }
      return builder.add(node)
    }
    let axes = try items.map { item -> AxisBounds in
      switch item {
      case .at(let expr):
        switch expr.kind {
        case .range(let a, let b): return .slice(try number(a), try number(b))
        case .comparison, .logical, .unary(.not, _): throw Unsupported()
        default:
          guard let place = try number(expr) else { throw Unsupported() }
          return .place(place)
        }
      case .slice(let a, let b, let step, _):
        guard step == nil else { throw Unsupported() }
        return .slice(try number(a), try number(b))
      }
    }
    return (builder, axes + shape.dropFirst(items.count).map { _ in .slice(nil, nil) })
  }
}
