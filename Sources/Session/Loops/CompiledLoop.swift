import Engine
import Syntax
import Tensors

/// A loop's compiled form, with what it was built for.
final class CompiledLoop {
  let code: LoopCode
  let registers: LoopRegisters
  private let dependencies: Dependencies
  private let hasFixedValues: Bool
  private let hasSteps: Bool
  private let precision: Precision
  private let frameTag: Int?
  private let isQuiet: Bool
  private let declarations: Int
  private var version: Int
  /// What a record of a step holds, and how many are kept.
  let steppedRegisters: [Register]
  let stepLimit: Int

  init(_ code: LoopCode, _ compiler: LoopCompiler, _ interpreter: Interpreter) {
    self.code = code
    registers = compiler.registers
    dependencies = compiler.dependencies
    hasFixedValues = dependencies.hasFixedValues
    hasSteps = compiler.hasSteps
    precision = interpreter.state.settings.precision
    frameTag = interpreter.currentFrameTag
    isQuiet = interpreter.movesAreQuiet
    declarations = interpreter.state.declarations
    version = interpreter.structureVersion
    steppedRegisters = registers.all.filter { $0.role != .constant && !$0.isLocal }
    stepLimit = StepRecord.limit(bytesEach: steppedRegisters.reduce(0) { $0 + $1.byteCount })
  }

  /// True while the names mean what they meant.
  func isValid(_ interpreter: Interpreter) -> Bool {
    guard precision == interpreter.state.settings.precision, frameTag == interpreter.currentFrameTag,
      isQuiet == interpreter.movesAreQuiet, declarations == interpreter.state.declarations
    else { return false }
    if version == interpreter.structureVersion && !hasFixedValues { return true }
    if hasSteps && interpreter.hasRandomLeaves { return false }
    guard interpreter.isValid(dependencies) else { return false }
    version = interpreter.structureVersion
    return true
  }
}

/// What is known about a loop of the text.
final class LoopEntry {
  /// Keeps the identity that it is found by.
  let statement: Statement
  var compiled: CompiledLoop?
  /// Iterations that began in the interpreter.
  var iterations = 0
  /// When compiling is tried next.
  var nextAttempt: Int
  var isRunning = false

  init(_ statement: Statement, firstAttempt: Int) {
    self.statement = statement
    nextAttempt = firstAttempt
  }
}

extension Interpreter {
  private static var loopLimit: Int { 256 }

  /// Runs iterations of a loop from `k` on in compiled form, if it has one. `k` is then the first iteration that is
  /// left to the interpreter; a flow says that the loop has ended.
  func runCompiled(_ statement: Statement, _ k: inout Int, to end: Int?) throws -> Flow? {
    let entry = loopEntry(statement)
    // A recursive procedure may come here while an outer call runs the same loop.
    guard !entry.isRunning, let loop = compiled(entry) else { return nil }
    entry.isRunning = true
    defer { entry.isRunning = false }
    let (outcome, next) = try LoopRun(self, loop).run(from: k, to: end)
    k = next
    switch outcome {
    case .next, .continued: return nil
    case .broke, .ended: return .next
    case .returned(let value): return .returned(value)
    }
  }

  private func loopEntry(_ statement: Statement) -> LoopEntry {
    if let known = loops[ObjectIdentifier(statement)] { return known }
    if loops.count >= Self.loopLimit { loops = loops.filter { $0.value.isRunning } }
    let made = LoopEntry(statement, firstAttempt: loopThreshold)
    loops[ObjectIdentifier(statement)] = made
    return made
  }

  private func compiled(_ entry: LoopEntry) -> CompiledLoop? {
    entry.iterations += 1
    if let known = entry.compiled, known.isValid(self), known.registers.load(self) { return known }
    guard entry.iterations >= entry.nextAttempt else { return nil }
    // Loops whose names keep changing are tried ever less often.
    entry.nextAttempt = entry.iterations * 2
    let compiler = LoopCompiler(self, entry.statement)
    guard let code = compiler.compile(entry.statement) else { return nil }
    let made = CompiledLoop(code, compiler, self)
    guard made.registers.load(self) else { return nil }
    entry.compiled = made
    return made
  }
}
