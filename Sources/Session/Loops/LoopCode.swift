import Engine
import Graph
import Syntax
import Tensors

/// A block of statements as plans over registers. What has no compiled form is left to the interpreter.
final class LoopBlock {
  /// Neighbouring statements, and what they became.
  struct Item {
    let range: Range<Int>
    let code: Code
  }

  enum Code {
    case segment(LoopSegment)
    case slice(SliceCode)
    case entry(EntryCode)
    /// Conditions with their blocks, and what is run when none holds.
    case conditional([(condition: LoopSegment, block: LoopBlock)], otherwise: LoopBlock?)
    case loop(LoopCode)
    case breaking
    case continuing
    case interpreted
  }

  let statements: [Statement]
  let items: [Item]
  /// Those of the items that are segments, without reference counting.
  let segments: [Unmanaged<LoopSegment>?]
  /// Of the `while` whose body this is; the guard of the first item.
  let condition: Expr?

  init(_ statements: [Statement], _ items: [Item], condition: Expr?) {
    self.statements = statements
    self.items = items
    segments = items.map { item in
      if case .segment(let segment) = item.code { return .passUnretained(segment) } else { return nil }
    }
    self.condition = condition
  }

  /// Something in it runs without the interpreter.
  var isWorthwhile: Bool {
    items.contains { item in
      switch item.code {
      case .interpreted, .breaking, .continuing: return false
      case .conditional(let branches, let otherwise):
        return branches.contains { $0.block.isWorthwhile } || otherwise?.isWorthwhile ?? false
      case .loop(let loop): return loop.block.isWorthwhile
      case .segment, .slice, .entry: return true
      }
    }
  }
}

/// A loop with a compiled body.
final class LoopCode {
  enum Kind {
    /// `repeat n`
    case count(LoopSegment)
    /// `for k in a..b`
    case range(Register, LoopSegment)
    /// `while c`: the condition is the guard of the block's first segment.
    case condition(Expr)
  }

  let statement: Statement
  let kind: Kind
  let block: LoopBlock

  init(_ statement: Statement, _ kind: Kind, _ block: LoopBlock) {
    self.statement = statement
    self.kind = kind
    self.block = block
  }
}

/// Assignments that run as one plan, perhaps after a condition, or numbers that a statement needs.
final class LoopSegment {
  /// What becomes of results once the plan has run.
  enum Commit {
    /// Targets that change together; a move of params is a point of the path.
    case assign([Target], isMove: Bool)
    case step(StepCode)
  }

  struct Target {
    let register: Register
    let output: Int
  }

  /// Where an input of the plan is read from.
  enum Source {
    case register(Register)
    /// A result of the prelude.
    case prelude(Int)
  }

  /// The same without reference counting.
  private enum InputPlace {
    case register(Unmanaged<Register>)
    case prelude(Int)

    init(_ source: Source) {
      switch source {
      case .register(let register): self = .register(.passUnretained(register))
      case .prelude(let output): self = .prelude(output)
      }
    }
  }

  let plan: Plan
  private let prelude: LoopPrelude?
  /// Keeps the inputs' registers alive.
  private let inputs: [Source]
  private let inputPlaces: [InputPlace]
  private let commits: [Commit]
  /// The same for each iteration, without reference counting.
  private let commitList: CommitList
  /// The register whose spare memory a result is written to; others go to memory of the segment.
  private let owners: [Unmanaged<Register>?]
  private let scratch: [Storage?]
  /// Targets whose output is no result of their own: copies of other registers, of results or of constants.
  private let copies: [Target]
  /// The condition's output, and how many instructions lead to it.
  private let guardOutput: Int?
  private let guardCompletion: Int

  init(_ plan: Plan, inputs: [Source], prelude: LoopPrelude?, commits: [Commit], guardOutput: Int?) {
    self.plan = plan
    self.prelude = prelude
    self.inputs = inputs
    self.commits = commits
    self.guardOutput = guardOutput
    guardCompletion = guardOutput.map { plan.completion(ofOutput: $0) } ?? 0
    inputPlaces = inputs.map(InputPlace.init)
    commitList = CommitList(commits)
    var owners = [Register?](repeating: nil, count: plan.resultCounts.count)
    var copies: [Target] = []
    for target in commits.flatMap(\.targets) {
      if case .result(let place) = plan.outputPlaces[target.output], owners[place] == nil {
        owners[place] = target.register
      } else {
        copies.append(target)
      }
    }
    self.owners = owners.map { $0.map { .passUnretained($0) } }
    self.copies = copies
    scratch = zip(owners, plan.resultCounts).map { owner, count in
      owner == nil ? Storage(byteCount: count * plan.precision.byteCount) : nil
    }
  }

  var hasGuard: Bool { guardOutput != nil }
  var hasPrelude: Bool { prelude != nil }

  /// Runs the condition and, where it holds, the plan; false when it does not hold. Nothing is committed.
  func compute(always: Bool = false) throws -> Bool {
    try prelude?.update()
    bind()
    guard let guardOutput, !always else {
      try plan.execute()
      return true
    }
    try plan.execute(0..<guardCompletion)
    guard isTrue(guardOutput) else { return false }
    try plan.execute(guardCompletion..<plan.stepCount)
    return true
  }

  @inline(__always)
  private func bind() {
    for k in inputPlaces.indices {
      if let memory = pointer(ofInput: k) { plan.bind(input: k, to: memory) }
    }
    for k in owners.indices {
      plan.bind(result: k, to: memory(ofResult: k))
    }
  }

  @inline(__always)
  private func memory(ofResult k: Int) -> UnsafeMutableRawPointer {
    owners[k]?._withUnsafeGuaranteedRef { $0.spareMemory() } ?? scratch[k].unsafelyUnwrapped.pointer
  }

  @inline(__always)
  private func pointer(ofInput k: Int) -> UnsafeMutableRawPointer? {
    switch inputPlaces[k] {
    case .register(let register): return register._withUnsafeGuaranteedRef { $0.pointer }
    case .prelude(let output): return prelude?.pointer(output)
    }
  }

  /// The results take effect, statement by statement.
  func commit(_ run: LoopRun) {
    for k in copies.indices { copy(copies[k]) }
    commitList.commit(self, run)
  }

  /// Steps of the segment may go on from here.
  func isAcceptable() -> Bool {
    for case .step(let step) in commits where !step.isAcceptable(self) { return false }
    return true
  }

  private func copy(_ target: Target) {
    guard let source = memory(of: target.output) else { return }
    target.register.spareMemory().copyMemory(from: source, byteCount: target.register.byteCount)
  }

  /// Where an output's entries are after the plan has run, before the commit.
  func memory(of output: Int) -> UnsafeRawPointer? {
    switch plan.outputPlaces[output] {
    case .result(let place):
      return UnsafeRawPointer(memory(ofResult: place))
    case .input(let place): return pointer(ofInput: place).map { UnsafeRawPointer($0) }
    case .constant(let tensor): return UnsafeRawPointer(tensor.sharedStorage.pointer)
    case .empty: return nil
    }
  }

  func number(_ output: Int, _ k: Int = 0) -> Double {
    memory(of: output).map { Register.number($0, k, plan.precision) } ?? .nan
  }

  func count(_ output: Int) -> Int { plan.outputCount(output) }

  /// All entries of an output are other than zero.
  func isTrue(_ output: Int) -> Bool {
    for k in 0..<count(output) where number(output, k) == 0 { return false }
    return true
  }
}

/// What a segment commits, statement by statement, without reference counting: the segment keeps alive what is in it.
private struct CommitList {
  private var registers: [Unmanaged<Register>] = []
  /// Up to which register each statement assigns, and whether that moves params or is a step.
  private var statements: [(end: Int, isMove: Bool, step: Unmanaged<StepCode>?)] = []

  init(_ commits: [LoopSegment.Commit]) {
    for commit in commits {
      registers += commit.targets.map { .passUnretained($0.register) }
      switch commit {
      case .assign(_, let isMove): statements.append((registers.count, isMove, nil))
      case .step(let step): statements.append((registers.count, false, .passUnretained(step)))
      }
    }
  }

  @inline(__always)
  func commit(_ segment: LoopSegment, _ run: LoopRun) {
    var k = 0
    for place in statements.indices {
      let (end, isMove, step) = statements[place]
      if isMove { run.recordMove() }
      step?._withUnsafeGuaranteedRef { run.begin($0) }
      while k < end {
        registers[k]._withUnsafeGuaranteedRef { $0.commit() }
        k += 1
      }
      if isMove { run.notePoint() }
      step?._withUnsafeGuaranteedRef { run.end($0, value: segment.number($0.value)) }
    }
  }
}

extension LoopSegment.Commit {
  var targets: [LoopSegment.Target] {
    switch self {
    case .assign(let targets, _): return targets
    case .step(let step): return step.targets
    }
  }
}

/// `step gd lr=…` and its like: a formula for the new params.
final class StepCode {
  let statement: Statement
  let targets: [LoopSegment.Target]
  /// The output that is the objective before the step.
  let value: Int
  /// The output that must be a positive number.
  let learningRate: Int?

  init(_ statement: Statement, targets: [LoopSegment.Target], value: Int, learningRate: Int?) {
    self.statement = statement
    self.targets = targets
    self.value = value
    self.learningRate = learningRate
  }

  fileprivate func isAcceptable(_ segment: LoopSegment) -> Bool {
    guard segment.number(value).isFinite else { return false }
    guard let learningRate else { return true }
    let rate = segment.number(learningRate)
    return rate > 0 && rate.isFinite
  }
}

/// `name = base[…]` with bounds that change: a copy of a box.
final class SliceCode {
  let base: Register
  let target: Register
  let bounds: LoopSegment
  let axes: [AxisBounds]

  init(_ base: Register, _ target: Register, _ bounds: LoopSegment, _ axes: [AxisBounds]) {
    self.base = base
    self.target = target
    self.bounds = bounds
    self.axes = axes
  }
}

/// `name[…] = e` with places that change: entries written in place.
final class EntryCode {
  let target: Register
  let numbers: LoopSegment
  let axes: [AxisBounds]
  /// The output with the new entries.
  let value: Int

  init(_ target: Register, _ numbers: LoopSegment, _ axes: [AxisBounds], value: Int) {
    self.target = target
    self.numbers = numbers
    self.axes = axes
    self.value = value
  }
}

/// How an axis is indexed, by outputs of a segment.
enum AxisBounds {
  case place(Int)
  /// From one output (or the beginning) to another (or the end).
  case slice(Int?, Int?)
}
