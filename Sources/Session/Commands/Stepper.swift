import Engine
import Graph
import Optimization
import Syntax
import Tensors

/// Moves the params of the objective by a method: evaluates, asks the method, moves, evaluates again.
struct Stepper {
  let call: CommandCall
  let methodName: String
  let method: any Method
  let objectiveName: String
  let stateKey: MethodKey

  var interpreter: Interpreter { call.interpreter }

  /// With a `key` the method's memory goes by that, wherever it is asked for.
  init(_ call: CommandCall, _ name: String, _ method: any Method, key: MethodKey? = nil) throws {
    self.call = call
    methodName = name
    objectiveName = call.objectiveName
    // Typed one by one, steps of a method follow one another; in a loop each place has its own.
    let interpreter = call.interpreter
    let isTyped = interpreter.loopDepth == 0 && interpreter.callDepth == 0
    stateKey =
      key
      ?? MethodKey(
        title: "\(objectiveName) \(name)", detail: "\(method)",
        place: isTyped ? nil : interpreter.methodPlace(call.command))
    self.method = method
  }

  /// The method begins anew, whatever this place in the text has seen.
  func forget() { interpreter.state.forget(stateKey) }

  /// Function, gradient and, where the method wants it, Hessian at the present params.
  func evaluation(_ order: Optimization.DerivativeOrder? = nil, afterMove: Bool = false) throws -> Evaluation
  {
    let wanted = order ?? method.order
    if let known = interpreter.lastEvaluation, known.version == interpreter.valueVersion,
      known.owner == ObjectIdentifier(call.command), known.evaluation.order == wanted || wanted <= .gradient
    {
      return known.evaluation
    }
    let view = try call.view(max(wanted, .gradient), storage: .sparseOrDiagonal)
    let evaluation = Evaluation(
      x: view.params.flatMap(\.tensor.doubles), value: view.value, gradient: view.gradient?.doubles ?? [],
      hessian: view.hessian, order: max(wanted, .gradient))
    try checkFinite(evaluation, afterMove: afterMove)
    return evaluation
  }

  private func checkFinite(_ e: Evaluation, afterMove: Bool) throws {
    let place = afterMove ? "after this step" : "here"
    let hint =
      afterMove
      ? "the point before it is kept; take a shorter step"
      : "look at value and grad, and move the params to where the formula is defined"
    let notes = afterMove ? [] : interpreter.nonFiniteLeaves.map { "\($0) holds nan or inf" }
    guard e.value.isFinite else {
      throw Diagnostic(
        .numeric, "\(objectiveName) is \(NumberFormat()(e.value)) \(place)", at: call.command.span,
        notes: notes, hint: hint)
    }
    let bad = e.gradient.filter { !$0.isFinite }.count
    guard bad == 0 else {
      throw Diagnostic(
        .numeric,
        "the gradient of \(objectiveName) is not finite \(place): \(bad) of \(e.gradient.count) entries",
        at: call.command.span, notes: notes, hint: hint)
    }
  }

  /// One step. When it fails, nothing has changed.
  func step(from before: Evaluation) throws -> (evaluation: Evaluation, move: Move) {
    try attempt(from: before) { names, move in
      if interpreter.state.path.isEmpty { note(before) }
      interpreter.move(names, to: move.x)
      let after = try evaluation(interpreter.loopDepth > 0 ? nil : .gradient, afterMove: true)
      note(after)
      if interpreter.hasRandomLeaves {
        try interpreter.redraw()
      } else {
        interpreter.lastEvaluation = (interpreter.valueVersion, ObjectIdentifier(call.command), after)
      }
      return (after, move)
    }
  }

  /// One step of training from a point on the present draw, and the next draw. What f is after the step only the next
  /// batch tells. When it fails, nothing has changed.
  func advance(from before: Evaluation) throws {
    try attempt(from: before) { names, move in
      note(before)
      interpreter.move(names, to: move.x)
      try interpreter.redraw()
    }
  }

  private func note(_ e: Evaluation) { interpreter.notePoint(value: e.value, gradientNorm: e.gradientNorm) }

  /// Asks the method for a move and does with it what `finish` says; the method's memory and the step are kept when
  /// that succeeds.
  private func attempt<T>(from before: Evaluation, _ finish: ([String], Move) throws -> T) throws -> T {
    let names = try targetNames()
    var method = presentMethod(names)
    return try committing {
      let move = try method.step(before, Surroundings(call: call, names: names))
      interpreter.recordStep()
      let result = try finish(names, move)
      keep(method)
      return result
    }
  }

  /// The method with what it remembers.
  func presentMethod(_ names: [String]) -> any Method {
    let bounds = interpreter.bounds(of: names)
    // A method that remembers goes on where it stopped, with the same options.
    let known = interpreter.state.method(stateKey, fresh: within(bounds))
    // The params may have been declared with other bounds since.
    return (known as? BoundedMethod)?.bounds == bounds ? known : within(bounds)
  }

  func keep(_ method: any Method) { interpreter.state.methods[stateKey] = method }

  /// Changes all or nothing.
  func committing<T>(_ body: () throws -> T) throws -> T {
    let (saved, stepsTaken) = (interpreter.state.globals, interpreter.state.stepsTaken)
    do {
      return try body()
    } catch {
      interpreter.state.globals = saved
      interpreter.state.stepsTaken = stepsTaken
      interpreter.valueVersion += 1
      throw told(error)
    }
  }

  /// The method goes on with other options and what it remembers.
  func replaceMethod(by method: any Method) throws {
    var next = Stepper.within(interpreter.bounds(of: try targetNames()), method)
    next.memory = interpreter.state.method(stateKey, fresh: next).memory
    interpreter.state.methods[stateKey] = next
  }

  /// Where a first step would lead, and f there. Nothing changes, the method's memory included. Throws the method's
  /// `Refusal`.
  func trial(from before: Evaluation) throws -> (move: Move, value: Double) {
    let names = try targetNames()
    var method = within(interpreter.bounds(of: names))
    let generator = interpreter.state.generator
    defer { interpreter.state.generator = generator }
    let surroundings = Surroundings(call: call, names: names)
    let move = try method.step(before, surroundings)
    return (move, try surroundings.value(at: move.x))
  }

  /// A method that refuses is told at the command.
  private func told(_ error: any Error) -> any Error {
    guard let refusal = error as? Refusal else { return error }
    return Diagnostic(.numeric, refusal.reason, at: call.command.span, hint: refusal.hint)
  }

  private func within(_ bounds: Bounds?) -> any Method { Self.within(bounds, method) }

  private static func within(_ bounds: Bounds?, _ method: any Method) -> any Method {
    bounds.map { BoundedMethod(method, $0) } ?? method
  }

  /// Some of the params that move have bounds.
  var isBounded: Bool {
    get throws { interpreter.bounds(of: try targetNames()) != nil }
  }

  /// ‖∇f‖, or within bounds ‖P(x − ∇f) − x‖, which is zero where no step within them lowers f.
  func stationarity(_ e: Evaluation) throws -> (norm: Double, symbol: String) {
    guard let bounds = interpreter.bounds(of: try targetNames()) else {
      return (e.gradientNorm, "‖∇\(objectiveName)‖")
    }
    return (bounds.stationarity(e.x, e.gradient), "projected ‖∇\(objectiveName)‖")
  }

  func targetNames() throws -> [String] {
    let view = try call.interpreter.evaluate(key: CommandKey(call.command, "targets"), owner: call.command) {
      elaborator in
      let f = try call.scalarNode(elaborator)
      let targets = try elaborator.targets(call.wrt(elaborator), of: [f], call.command.span)
      guard targets.part == nil else {
        throw Diagnostic(.type, "steps move whole params", at: call.command.span)
      }
      for (name, leaf) in zip(targets.names, targets.leaves) {
        guard let found = elaborator.graph.leaf(of: leaf), interpreter.paramOrder(found) != nil else {
          throw Diagnostic(
            .type, "'\(name)' is not a param, so it cannot be moved", at: call.command.span,
            hint: "params are declared with: param \(name) = …")
        }
      }
      return .tuple(targets.names.map { .string($0) })
    }
    guard case .tuple(let items) = view else { return [] }
    return items.compactMap { if case .string(let s) = $0 { return s } else { return nil } }
  }
}

/// The objective around the present point, for methods that search; the params stay where they are.
struct Surroundings: Oracle {
  let call: CommandCall
  let names: [String]

  func value(at x: [Double]) throws -> Double {
    let value = try at(x) { try call.view(.value).value }
    // Outside the domain counts as infinitely high.
    return value.isNaN ? .infinity : value
  }

  func slope(at x: [Double]) throws -> (value: Double, gradient: [Double]) {
    let view = try at(x) { try call.view(.gradient) }
    return (view.value.isNaN ? .infinity : view.value, view.gradient?.doubles ?? [])
  }

  func product(_ v: [Double]) throws -> [Double] {
    try Interruption.check()
    return try call.product(v)
  }

  func gaussNewtonProduct(_ v: [Double]) throws -> [Double] {
    try Interruption.check()
    return try call.gaussNewtonProduct(v)
  }

  private func at<T>(_ x: [Double], _ body: () throws -> T) throws -> T {
    try call.interpreter.at(x, of: names, body)
  }
}

extension Interpreter {
  /// Lines of moves inside loops thin out: the first twenty, then none until the statement ends.
  func reportMove(_ line: @escaping () -> String) {
    if movesAreQuiet { return }
    moveLines += 1
    if loopDepth == 0 || moveLines <= 20 {
      output(.text(line()))
      printWatched()
      return
    }
    pendingMove = line
    if options.isInteractive, moveLines % 64 == 0, Machine.now - lastProgress > 0.1 {
      lastProgress = Machine.now
      showProgress("\(moveLines) moves   \(line().split(separator: "\n").first ?? "")")
    }
  }

  /// The last of the moves whose lines were left out.
  func flushMoves() {
    if let line = pendingMove {
      output(.text("…\n\(line())    (\(moveLines) moves)"))
      printWatched()
    }
    pendingMove = nil
    moveLines = 0
  }

  /// Data and params with entries that are not finite.
  var nonFiniteLeaves: [String] {
    namesInOrder.filter { name in
      switch lookup(name) {
      case .param(let leaf)?, .data(let leaf)?: return !leaf.value.isFinite
      default: return false
      }
    }
  }

  func objectiveValue() throws -> Double {
    let value = try evaluate(key: "objective value", owner: nil) { .node(try $0.objective(nil).node) }
    return value.tensor?.scalarValue ?? .nan
  }

  /// What `undo 1 step` goes back to.
  func recordStep() {
    // What a step replaces.
    let remembered = state.methods.values.reduce(0) { $0 + (($1 as? any UpdateRule)?.state.byteCount ?? 0) }
    let bytes = state.globals.values.reduce(remembered) { total, binding in
      switch binding {
      case .param, .random: return binding.tensors.reduce(total) { $0 + $1.sharedStorage.byteCount }
      default: return total
      }
    }
    recordStep(
      StepRecord(
        number: state.stepsTaken, base: state.globals, generator: state.generator, methods: state.methods),
      limit: StepRecord.limit(bytesEach: bytes))
  }

  /// Keeps at most `limit` records.
  func recordStep(_ record: StepRecord, limit: Int) {
    // Steps that `undo` took back or that failed are forgotten now; until now `redo` might have brought them back.
    while let last = stepHistory.last, last.number >= state.stepsTaken { stepHistory.removeLast() }
    stepHistory.append(record)
    if stepHistory.count > limit { stepHistory.removeFirst(stepHistory.count - limit / 2) }
    state.stepsTaken += 1
  }

  /// Steps that can be taken back.
  var undoableSteps: Int { stepHistory.count { $0.number < state.stepsTaken } }

  func undoSteps(_ count: Int) -> Bool {
    guard undoableSteps >= count else { return false }
    let record = stepHistory[undoableSteps - count]
    state.stepsTaken -= count
    state.globals = globals(of: record)
    state.generator = record.generator
    state.methods = record.methods
    state.path.removeLast(count)
    structureChanged()
    return true
  }
}

extension Interpreter {
  /// The names before a step.
  fileprivate func globals(of record: StepRecord) -> [String: Binding] {
    var globals = record.base
    for (register, storage) in record.overlay {
      globals[register.name] = binding(register, Tensor(sharing: storage, register.shape, register.precision))
    }
    return globals
  }

  /// Whether all params were finite before the last steps.
  func isFinite(stepsBack count: Int) -> Bool {
    globals(of: stepHistory[undoableSteps - count]).values.allSatisfy { binding in
      if case .param(let leaf) = binding { return leaf.value.isFinite }
      return true
    }
  }
}

struct StepRecord {
  /// Steps taken before this one.
  let number: Int
  let base: [String: Binding]
  /// Values that differ from the base, of a loop that runs compiled.
  var overlay: [(register: Register, storage: Storage)] = []
  let generator: CounterGenerator
  let methods: [MethodKey: any Method]

  /// How many records are kept, by the memory that each holds.
  static func limit(bytesEach bytes: Int) -> Int {
    max(2, min(1000, (History.byteLimit / 4) / max(bytes, 1)))
  }
}
