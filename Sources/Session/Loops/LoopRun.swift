import Engine
import Graph
import Syntax
import Tensors

/// A compiled loop being run: registers hold the values, and the session is told at the end, when the interpreter has
/// to run a statement, and before an error leaves.
///
/// What a plan cannot do (a singular matrix, a place outside an axis, a value that is not finite) changes nothing: the
/// interpreter then runs the same statements again, and says what is wrong where it is wrong.
final class LoopRun {
  enum Outcome {
    case next, broke, continued
    /// The condition of a `while` does not hold.
    case ended
    case returned(Value)
  }

  private let interpreter: Interpreter
  private let compiled: CompiledLoop
  private let registers: LoopRegisters
  /// The names have changed: the interpreter goes on alone.
  private(set) var isStale = false
  /// The last step, while nothing has told yet whether it led to finite values.
  private var unverified: (step: StepCode, segment: LoopSegment)?
  private var segment: LoopSegment?

  init(_ interpreter: Interpreter, _ compiled: CompiledLoop) {
    self.interpreter = interpreter
    self.compiled = compiled
    registers = compiled.registers
  }

  /// Iterations from `first` on. Gives the number of the first iteration that is left to the interpreter, or how the
  /// loop ended.
  func run(from first: Int, to end: Int?) throws -> (outcome: Outcome, next: Int) {
    defer { registers.flush(interpreter) }
    let result = try iterate(compiled.code, from: first, to: end)
    try settle()
    return result
  }

  // MARK: Loops

  private func iterate(_ loop: LoopCode, from first: Int, to end: Int?) throws -> (
    outcome: Outcome, next: Int
  ) {
    interpreter.loopDepth += 1
    defer { interpreter.loopDepth -= 1 }
    let isOuter = loop === compiled.code
    var k = first
    while end.map({ k < $0 }) ?? true {
      if isStale, isOuter { return (.next, k) }
      try Interruption.check()
      if case .range(let variable, _) = loop.kind {
        if isStale {
          interpreter.bindLoopVariable(variable.name, .number(Double(k)))
        } else {
          variable.setNumber(Double(k))
        }
      }
      switch try body(loop) {
      case .next, .continued: break
      case .broke: return (.broke, k)
      case .ended: return (.ended, k)
      case .returned(let value): return (.returned(value), k)
      }
      k += 1
    }
    return (.next, k)
  }

  private func body(_ loop: LoopCode) throws -> Outcome {
    guard isStale else { return try run(loop.block) }
    if case .condition(let condition) = loop.kind, !(try interpreter.holds(condition)) { return .ended }
    return outcome(try interpreter.run(loop.block.statements))
  }

  private func nested(_ loop: LoopCode) throws -> Outcome? {
    let ends: (Int, Int?)
    switch loop.kind {
    case .count(let count):
      guard let n = try whole(count, 0) else { return nil }
      ends = (0, n)
    case .range(_, let bounds):
      guard let low = try whole(bounds, 0), let high = try whole(bounds, 1) else { return nil }
      ends = (low, high)
    case .condition: ends = (0, nil)
    }
    switch try iterate(loop, from: ends.0, to: ends.1).outcome {
    case .returned(let value): return .returned(value)
    default: return .next
    }
  }

  /// A whole number that a segment gives; nil when it gives something else.
  private func whole(_ segment: LoopSegment, _ output: Int) throws -> Int? {
    if output == 0, try !computes(segment) { return nil }
    guard segment.count(output) == 1 else { return nil }
    return Int(exactly: segment.number(output))
  }

  // MARK: Blocks

  private func run(_ block: LoopBlock) throws -> Outcome {
    for place in block.items.indices {
      var result: Outcome?
      if let segment = block.segments[place] {
        result = try segment._withUnsafeGuaranteedRef { try run($0) }
        if case .next? = result { continue }
      } else {
        result = try run(block.items[place].code)
      }
      let item = block.items[place]
      let done = try result ?? interpret(block, item)
      if case .next = done {} else { return done }
      if isStale {
        let rest = Array(block.statements[item.range.upperBound...])
        return rest.isEmpty ? .next : outcome(try interpreter.run(rest))
      }
    }
    return .next
  }

  /// Nil: the interpreter has to run the item.
  private func run(_ code: LoopBlock.Code) throws -> Outcome? {
    switch code {
    case .segment(let segment): return try run(segment)
    case .slice(let slice): return try run(slice)
    case .entry(let entry): return try run(entry)
    case .conditional(let branches, let otherwise): return try choose(branches, otherwise)
    case .loop(let loop): return try nested(loop)
    case .breaking: return .broke
    case .continuing: return .continued
    case .interpreted: return nil
    }
  }

  /// Whether a segment's condition holds, when its plan could be run; nil where the interpreter has to say what stops it.
  @inline(__always)
  private func holds(_ segment: LoopSegment) throws -> Bool? {
    do {
      return try segment.compute()
    } catch EngineError.interrupted {
      throw EngineError.interrupted
    } catch {
      return nil
    }
  }

  /// Whether a segment without a condition could be run.
  private func computes(_ segment: LoopSegment) throws -> Bool { try holds(segment) != nil }

  /// Nil: the interpreter has to run these statements.
  private func run(_ segment: LoopSegment) throws -> Outcome? {
    guard let holds = try holds(segment) else { return nil }
    guard holds else { return .ended }
    guard segment.isAcceptable() else { return nil }
    if self.segment !== segment { self.segment = segment }
    segment.commit(self)
    return .next
  }

  private func choose(_ branches: [(condition: LoopSegment, block: LoopBlock)], _ otherwise: LoopBlock?)
    throws
    -> Outcome?
  {
    for branch in branches {
      guard try computes(branch.condition) else { return nil }
      if branch.condition.isTrue(0) { return try run(branch.block) }
    }
    return try otherwise.map { try run($0) } ?? .next
  }

  // MARK: Parts of tensors

  /// The box that bounds choose, by the interpreter's rules; nil where it would object.
  private func box(_ axes: [AxisBounds], _ numbers: LoopSegment, _ shape: Shape) -> [Range<Int>]? {
    var result: [Range<Int>] = []
    for (axis, n) in zip(axes, shape) {
      switch axis {
      case .place(let output):
        guard let k = Int(exactly: numbers.number(output)), k >= -n, k < n else { return nil }
        let place = k < 0 ? k + n : k
        result.append(place..<place + 1)
      case .slice(let a, let b):
        guard let low = bound(a, 0, numbers, n), let high = bound(b, n, numbers, n) else { return nil }
        result.append(low..<max(low, high))
      }
    }
    return result
  }

  private func bound(_ output: Int?, _ fallback: Int, _ numbers: LoopSegment, _ n: Int) -> Int? {
    guard let output else { return fallback }
    guard let k = Int(exactly: numbers.number(output)) else { return nil }
    return min(max(k < 0 ? k + n : k, 0), n)
  }

  /// The shape of the part: places drop their axis.
  private func shape(_ box: [Range<Int>], _ axes: [AxisBounds]) -> Shape {
    zip(box, axes).compactMap { range, axis in
      if case .place = axis { return nil } else { return range.count }
    }
  }

  private func run(_ slice: SliceCode) throws -> Outcome? {
    guard try computes(slice.bounds), let box = box(slice.axes, slice.bounds, slice.base.shape),
      shape(box, slice.axes) == slice.target.shape, slice.base !== slice.target
    else { return nil }
    let bytes = slice.base.precision.byteCount
    let target = slice.target.spareMemory()
    var written = 0
    slice.base.shape.forEachRun(of: box) { offset, count in
      (target + written).copyMemory(from: slice.base.pointer + offset * bytes, byteCount: count * bytes)
      written += count * bytes
    }
    commit(slice.target) { slice.target.commit() }
    return .next
  }

  private func run(_ entry: EntryCode) throws -> Outcome? {
    let target = entry.target
    guard try computes(entry.numbers), let box = box(entry.axes, entry.numbers, target.shape) else {
      return nil
    }
    let part = shape(box, entry.axes)
    let count = entry.numbers.count(entry.value)
    guard let source = entry.numbers.memory(of: entry.value) else { return nil }
    let valueShape = entry.numbers.plan.outputShape(entry.value)
    guard count == 1 || valueShape == part || valueShape == part.filter({ $0 != 1 }) else { return nil }
    let bytes = target.precision.byteCount
    commit(target) {
      let memory = target.ownMemory()
      var read = 0
      target.shape.forEachRun(of: box) { offset, run in
        for k in 0..<run {
          (memory + (offset + k) * bytes).copyMemory(from: source + read, byteCount: bytes)
          if count > 1 { read += bytes }
        }
      }
    }
    return .next
  }

  private func commit(_ target: Register, _ change: () -> Void) {
    let isMove = target.role == .param
    if isMove { recordMove() }
    change()
    if isMove { notePoint() }
  }

  // MARK: Moves

  func recordMove() {
    if interpreter.state.path.isEmpty { notePoint() }
  }

  func notePoint() { registers.notePoint(interpreter) }

  func begin(_ step: StepCode) {
    let kept = compiled.steppedRegisters.map { ($0, $0.share()) }
    interpreter.recordStep(
      StepRecord(
        number: interpreter.state.stepsTaken, base: interpreter.state.globals, overlay: kept,
        generator: interpreter.state.generator, methods: interpreter.state.methods), limit: compiled.stepLimit
    )
    recordMove()
  }

  func end(_ step: StepCode, value: Double) {
    // The value belongs to the point before this step.
    interpreter.state.path.describeLast(value: value, gradientNorm: nil)
    notePoint()
    unverified = segment.map { (step, $0) }
  }

  /// Makes sure that the last step led to finite values; takes it back and lets the interpreter explain when it did
  /// not.
  private func settle() throws {
    guard let (step, segment) = unverified else { return }
    unverified = nil
    let value = step.value
    if (try? segment.compute(always: true)) != nil, segment.number(value).isFinite,
      step.targets.allSatisfy({ $0.register.isFinite })
    {
      interpreter.state.path.describeLast(value: segment.number(value), gradientNorm: nil)
      return
    }
    registers.flush(interpreter)
    try explain(step)
    reload()
  }

  /// Runs the last step again, by the interpreter, from the last point where all params were finite.
  private func explain(_ step: StepCode) throws {
    let (state, steps) = (interpreter.state, interpreter.stepHistory)
    var back = 1
    while interpreter.undoableSteps > back, !interpreter.isFinite(stepsBack: back) { back += 1 }
    guard interpreter.undoSteps(back) else { return }
    _ = try interpreter.run([step.statement])
    // It was the data that changed in between: the next step will tell.
    (interpreter.state, interpreter.stepHistory) = (state, steps)
    interpreter.structureChanged()
  }

  // MARK: The interpreter

  private func interpret(_ block: LoopBlock, _ item: LoopBlock.Item) throws -> Outcome {
    try settle()
    registers.flush(interpreter)
    defer { reload() }
    if case .segment(let segment) = item.code, segment.hasGuard, let condition = block.condition,
      !(try interpreter.holds(condition))
    {
      return .ended
    }
    return outcome(try interpreter.run(Array(block.statements[item.range])))
  }

  private func outcome(_ flow: Flow) -> Outcome {
    switch flow {
    case .next: return .next
    case .broke: return .broke
    case .continued: return .continued
    case .returned(let value): return .returned(value)
    }
  }

  private func reload() {
    if !compiled.isValid(interpreter) || !registers.load(interpreter) { isStale = true }
  }
}
