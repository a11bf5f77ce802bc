import Calculus
import Engine
import Graph
import Optimization
import Syntax
import Tensors

/// The session's engine room: the state, the graph that definitions live in, and the plans compiled so far.
final class Interpreter {
  var state = State()
  var definitions: [Int: Definition] = [:]
  private(set) var graph = TensorGraph()
  /// Nodes after which the graph is looked through for what is still in use.
  private var graphLimit = 3_000_000
  let slots = SlotTable()
  /// Plans by the place in the source (or the command) that they were compiled for.
  var plans = PlanCache<AnyHashable>()
  /// Plans of expressions.
  var formulas = PlanCache<ObjectIdentifier>()
  /// Comprehensions in the graph, by their first result.
  var batches: [NodeID: BatchRecord] = [:]
  /// What the whole Hessians of formulas are Hessians of.
  var hessians: [NodeID: HessianSource] = [:]
  var operators: [AnyHashable: CompiledOperator] = [:]
  /// Statements of networks, by their text.
  var networks: [String: [Statement]] = [:]
  /// Grows with every change of what names are (not of their values).
  private(set) var structureVersion = 0
  var options: SessionOptions
  private let sink: (SessionOutput) -> Void
  /// Names that the text being run binds further down.
  var laterNames: Set<String> = []
  var history = History()
  /// Values that procedures returned, for the formula being evaluated.
  var procedureResults: [Int: Value] = [:]
  /// Leaves for what update rules remember, by the method's place.
  var ruleInputs: [CommandKey: Int] = [:]
  /// Changes of global names so far; tells whether a failed statement left something behind.
  var changeCount = 0
  /// The state before the simple statement being run, once something in it was about to change the state.
  var rescue: State?
  /// The error under way was met by the simple statement that it broke off.
  var isSettled = false
  var callDepth = 0
  var loopDepth = 0
  /// The statement being run was undo or redo, which is not itself undone.
  var isHistoryMove = false
  /// Words of the language that are known to be hidden by bound names.
  var notedNames: Set<String> = []
  /// Scripts that `run` has open, outermost first, to find cycles.
  var openScripts: [String] = []
  /// The trial of `tune` being run: its commands print nothing.
  var trial: RunningTrial?
  /// Values for options of the script being run.
  var givenOptions: [GivenOption] = []
  /// Functions by their declaration in the text.
  var functionIDs: [ObjectIdentifier: (id: Int, declaration: FunctionDeclaration)] = [:]
  /// Commands in loops and procedures whose methods remember, by the order in which they came up.
  var methodPlaces: [ObjectIdentifier: (number: Int, command: Command)] = [:]
  /// Grows with every change of a value, so that results at a point can be used again.
  var valueVersion = 0
  var lastEvaluation: (version: Int, owner: ObjectIdentifier, evaluation: Evaluation)?
  /// Identities of the directions that methods multiply by, by their number of entries.
  var directions: [Int: Int] = [:]
  /// Loops that have run often enough to be compiled, by their statement.
  var loops: [ObjectIdentifier: LoopEntry] = [:]
  /// The iteration of a loop at which compiling it is tried first.
  var loopThreshold = 4
  /// How points of the path are laid out, for the params of `structureVersion`.
  var knownPathLayout: (version: Int, layout: Path.Layout)?
  /// What single steps can be taken back to.
  var stepHistory: [StepRecord] = []
  /// Moves reported (or left out) since the top-level statement began.
  var moveLines = 0
  var pendingMove: (() -> String)?
  var movesAreQuiet = false
  var lastProgress = 0.0
  /// Where all that is printed is kept, too.
  var log: RunLog?
  /// The options of the script being run, with their values as they are printed.
  var declaredOptions: [(name: String, text: String)] = []
  /// The plot that is drawn again while the params move.
  var live: LivePlot?

  init(options: SessionOptions, output: @escaping (SessionOutput) -> Void) {
    self.options = options
    sink = output
    state.settings.isASCII = !options.unicode
  }

  /// Passes on what is laid out already.
  func send(_ item: SessionOutput) {
    keepInLog(item)
    sink(item)
  }

  func output(_ item: SessionOutput) {
    if options.isJSON {
      switch item {
      case .text(let text): return emit([("text", .string(text))])
      case .diagnostic(let text):
        // The key says what it is.
        let message = text.hasPrefix("warning: ") ? String(text.dropFirst(9)) : text
        return send(.diagnostic(ValueJSON.object([("warning", ValueJSON.quoted(message))])))
      case .progress: return
      }
    }
    guard state.settings.isASCII else { return send(item) }
    switch item {
    case .text(let text): send(.text(PlainText.ascii(text)))
    case .diagnostic(let text): send(.diagnostic(PlainText.ascii(text)))
    case .progress(let text): send(.progress(PlainText.ascii(text)))
    }
  }

  /// Columns for results that are laid out before they are spelled: in ASCII an ellipsis, a norm and a Greek letter take
  /// more of them.
  var textWidth: Int { state.settings.isASCII ? max(options.width - 8, 20) : options.width }

  // MARK: Names

  /// What a name stands for, seen from a procedure (by its tag) or from the top.
  func lookup(_ name: String, frameTag: Int?) -> Binding? {
    var tag = frameTag
    while let current = tag {
      guard let frame = state.frames.last(where: { $0.tag == current }) else { break }
      if let local = frame.locals[name] { return local }
      tag = frame.parent
    }
    if let global = state.globals[name] { return global }
    guard let value = resultValue(name) else { return nil }
    return .variable(Variable(id: slots.bindingID(name, frameTag: nil), value: value))
  }

  private func resultValue(_ name: String) -> Value? {
    switch SpecialName(rawValue: name) {
    case .ans: return state.answer
    case .history: return state.training?.value
    default: return nil
    }
  }

  /// The scope that statements run in.
  var currentFrameTag: Int? { state.frames.last?.tag }

  func lookup(_ name: String) -> Binding? { lookup(name, frameTag: currentFrameTag) }

  /// Binds a name where statements run now.
  func bind(_ name: String, _ binding: Binding) {
    guard !state.frames.isEmpty else { return bindGlobal(name, binding) }
    valueVersion += 1
    let place = state.frames.count - 1
    if !hasSameStamp(state.frames[place].locals[name], binding) { structureVersion += 1 }
    state.frames[place].locals[name] = binding
  }

  /// Replaces the binding of a global name, wherever statements run.
  func bindGlobal(_ name: String, _ binding: Binding) {
    valueVersion += 1
    if !hasSameStamp(state.globals[name], binding) { structureVersion += 1 }
    changeCount += 1
    state.globals[name] = binding
  }

  /// Whether formulas built on one binding stand on the other.
  private func hasSameStamp(_ old: Binding?, _ new: Binding) -> Bool {
    // The case of loops, without making stamps.
    if case .variable(let a)? = old, case .variable(let b) = new, case .tensor(let x) = a.value,
      case .tensor(let y) = b.value
    {
      return a.id == b.id && x.shape == y.shape
    }
    return old.map(stamp) == stamp(new)
  }

  func structureChanged() {
    structureVersion += 1
    valueVersion += 1
  }

  /// Names in reach, for messages and completion.
  var visibleNames: [String] {
    Array(state.globals.keys) + (state.frames.last.map { Array($0.locals.keys) } ?? [])
  }

  func isDeclaredLater(_ name: String) -> Bool { laterNames.contains(name) }

  func stamp(_ binding: Binding) -> Stamp {
    switch binding {
    case .variable(let v):
      return .leaf(
        id: v.id, kind: .variable, shapes: v.value.shapes, texts: v.value.texts, patterns: v.value.patterns)
    case .param(let leaf):
      return .leaf(
        id: leaf.id, kind: leaf.bounds == nil ? .param : .boundedParam, shapes: [leaf.value.shape])
    case .data(let leaf): return .leaf(id: leaf.id, kind: .data, shapes: [leaf.value.shape])
    case .random(let leaf): return .leaf(id: leaf.id, kind: .random, shapes: leaf.value.shapes)
    case .definition(let id): return .definition(id)
    case .function(let f): return .function(f.id)
    }
  }

  func stamp(named name: String) -> Stamp { lookup(name, frameTag: nil).map(stamp) ?? .absent }

  /// True while everything that a formula was built from is as it was.
  func isValid(_ dependencies: Dependencies) -> Bool {
    for (key, old) in dependencies.stamps {
      switch old {
      case .objective(let name):
        if state.objective != name { return false }
        continue
      case .params(let names):
        if allParams.map(\.name) != names { return false }
        continue
      default: break
      }
      if case .result(let shapes, let texts) = old {
        guard let id = key.frameTag, let value = procedureResults[id], value.shapes == shapes,
          value.texts == texts
        else { return false }
        continue
      }
      let binding = lookup(key.name, frameTag: key.frameTag)
      if case .contents(let id, let value) = old {
        guard let now = fixedContents(binding, id), now == value else { return false }
        continue
      }
      if case .fixed(let id, let value) = old {
        guard case .variable(let v)? = binding, v.id == id, v.value.tensor?.doubles == value else {
          if case .data(let leaf)? = binding, leaf.id == id, leaf.value.doubles == value { continue }
          return false
        }
        continue
      }
      if (binding.map(stamp) ?? .absent) != old { return false }
    }
    return true
  }

  // MARK: Leaves

  func leafNode(_ id: Int, _ name: String, _ shape: Shape) -> NodeID {
    _ = slots.leafID(name, binding: id, frameTag: nil, path: [])
    return graph.leaf(Leaf(id: id, name: name, shape: shape))
  }

  /// A value as leaves of the graph, one for each tensor in it.
  func meaning(of value: Value, name: String, id: Int, frameTag: Int?, isResult: Bool = false) -> Meaning {
    meaning(of: value, at: []) { tensor, path in
      let leafID = slots.leafID(name, binding: id, frameTag: frameTag, path: path, isResult: isResult)
      return graph.leaf(Leaf(id: leafID, name: name, shape: tensor.shape))
    }
  }

  /// A captured value as constants of the graph.
  func constantMeaning(of value: Value) -> Meaning {
    meaning(of: value, at: []) { tensor, _ in graph.constant(tensor) }
  }

  /// A value with a node for each tensor in it, which is told by its place.
  private func meaning(of value: Value, at path: [Int], _ node: (Tensor, [Int]) -> NodeID) -> Meaning {
    switch value {
    case .tensor(let t): return .node(node(t, path))
    case .blockMatrix(let t, let names, let sizes):
      return .blockMatrix(node(t, path), names: names, sizes: sizes)
    case .sparse(let matrix, let names, let sizes):
      let whole = graph.sparseMatrix(matrix.pattern, node(matrix.values, path))
      return names.isEmpty ? .node(whole) : .blockMatrix(whole, names: names, sizes: sizes)
    case .string(let s): return .string(s)
    case .bundle(let names, let tensors):
      return .bundle(Bundle(names: names, nodes: tensors.enumerated().map { k, t in node(t, path + [k]) }))
    case .record(let fields):
      return .record(
        fields.enumerated().map { k, field in (field.name, meaning(of: field.value, at: path + [k], node)) })
    case .tuple(let items):
      return .tuple(items.enumerated().map { k, item in meaning(of: item, at: path + [k], node) })
    case .nothing: return .tuple([])
    }
  }

  func placeholderLeaf(_ name: String, _ shape: Shape, function: Int, depth: Int) -> Leaf {
    Leaf(id: slots.placeholderID(name, shape, function: function, depth: depth), name: name, shape: shape)
  }

  func placeholder(_ name: String, _ shape: Shape, function: Int, depth: Int) -> NodeID {
    graph.leaf(placeholderLeaf(name, shape, function: function, depth: depth))
  }

  func drawnLeaf(_ distribution: Distribution, _ shape: Shape) -> NodeID {
    graph.leaf(Leaf(id: slots.drawID(distribution, shape), name: "draw", shape: shape))
  }

  func binding(of source: SlotSource) -> Binding? { lookup(source.name, frameTag: source.frameTag) }

  /// The tensor that a leaf stands for now.
  func currentValue(of leaf: Leaf) -> Tensor? {
    slots.source(leaf.id).flatMap { currentValue(of: leaf, from: $0) }
  }

  func currentValue(of leaf: Leaf, from source: SlotSource) -> Tensor? {
    let value: Value?
    let path: [Int]
    switch source.kind {
    case .placeholder, .draw: return nil
    case .result(let places):
      value = procedureResults[source.bindingID]
      path = places
    case .binding(let places):
      path = places
      switch binding(of: source) {
      case .variable(let v)?: value = v.value
      case .param(let l)?, .data(let l)?: value = .tensor(l.value)
      case .random(let r)?: value = r.value
      default: value = nil
      }
    }
    var current = value
    for place in path { current = current?[place: place] }
    guard let tensor = current?.stored, tensor.shape == leaf.shape else { return nil }
    return tensor
  }

  // MARK: Params

  var allParams: [(name: String, leaf: LeafBinding)] {
    state.globals.compactMap { name, binding in
      if case .param(let leaf) = binding { return (name, leaf) }
      return nil
    }.sorted { $0.leaf.order < $1.leaf.order }
  }

  /// The place of a param in the order of declaration; nil for other leaves.
  func paramOrder(_ leaf: Leaf) -> Int? {
    guard case .param(let found)? = state.globals[leaf.name], found.id == leaf.id else { return nil }
    return found.order
  }

  /// True when a formula depends on a param. Stops at the first one found.
  func dependsOnParam(_ root: NodeID) -> Bool {
    var seen = Set<NodeID>()
    var stack = [root]
    while let id = stack.popLast() {
      guard seen.insert(id).inserted else { continue }
      if let leaf = graph.leaf(of: id), paramOrder(leaf) != nil { return true }
      stack += graph[id].operands.map(\.node)
    }
    return false
  }

  // MARK: Graph life

  /// Definitions and plans hold all that is needed; the graph itself is a cache, dropped when it has grown.
  func trimGraph() {
    guard graph.nodes.count > graphLimit else { return }
    sweepDefinitions(always: true)
    let live = graph.reachable(from: definitions.values.flatMap { $0.cache?.meaning.nodes ?? [] })
    guard live.count < graphLimit / 2 else {
      graphLimit = live.count * 4
      return
    }
    graph = TensorGraph()
    batches = [:]
    hessians = [:]
    for definition in definitions.values { definition.cache = nil }
    plans.removeAll()
    formulas.removeAll()
    loops.removeAll()
    operators = [:]
    structureVersion += 1
  }

  /// Definitions that no name reaches any more are forgotten.
  func sweepDefinitions(always: Bool = false) {
    guard always || definitions.count > history.definitionLimit else { return }
    var live = Set<Int>()
    var stack: [Int] = []
    for state in [state] + history.states {
      for binding in state.globals.values { if case .definition(let id) = binding { stack.append(id) } }
      for frame in state.frames {
        for binding in frame.locals.values { if case .definition(let id) = binding { stack.append(id) } }
      }
    }
    while let id = stack.popLast() {
      guard live.insert(id).inserted, let definition = definitions[id] else { continue }
      for captured in definition.captured.values {
        if case .definition(let inner) = captured { stack.append(inner) }
      }
    }
    definitions = definitions.filter { live.contains($0.key) }
    history.definitionLimit = max(4096, definitions.count * 2)
  }
}

extension Value {
  /// The part at a place, in the order in which `meaning(of:)` numbers parts.
  subscript(place place: Int) -> Value? {
    switch self {
    case .bundle(_, let tensors): return tensors.indices.contains(place) ? .tensor(tensors[place]) : nil
    case .record(let fields): return fields.indices.contains(place) ? fields[place].value : nil
    case .tuple(let items): return items.indices.contains(place) ? items[place] : nil
    default: return nil
    }
  }

  /// Shapes of the tensors inside, in order.
  var shapes: [Shape] {
    switch self {
    case .tensor(let t), .blockMatrix(let t, _, _): return [t.shape]
    case .sparse(let matrix, _, _): return [matrix.shape, matrix.values.shape]
    case .bundle(_, let tensors): return tensors.map(\.shape)
    case .record(let fields): return fields.flatMap(\.value.shapes)
    case .tuple(let items): return items.flatMap(\.shapes)
    case .string, .nothing: return []
    }
  }

  /// Strings inside, in order.
  var texts: [String] {
    switch self {
    case .string(let s): return [s]
    case .record(let fields): return fields.flatMap(\.value.texts)
    case .tuple(let items): return items.flatMap(\.texts)
    case .tensor, .bundle, .blockMatrix, .sparse, .nothing: return []
    }
  }

  /// Patterns of the sparse matrices inside, in order.
  var patterns: [SparsePattern] {
    switch self {
    case .sparse(let matrix, _, _): return [matrix.pattern]
    case .record(let fields): return fields.flatMap(\.value.patterns)
    case .tuple(let items): return items.flatMap(\.patterns)
    case .string, .tensor, .bundle, .blockMatrix, .nothing: return []
    }
  }
}
