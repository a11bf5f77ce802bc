import CKernels
import Tensors

/// One or several loops over the same entries as one program, in which every value has a register of its own and
/// equal operations are done once. A value that one loop stores and another loads stays in its register.
struct FusedLoop {
  /// An array as the nest walks it.
  struct Place: Hashable {
    var buffer: Int
    var offset: Int
    var strides: [Int]
  }

  struct Input {
    var place: Place
    var register: Int
    /// Read within the block that has just written it.
    var isLate = false
  }

  struct Output {
    var place: Place
    var register: Int
    var mode: hk_mode
    var isFresh: Bool
    /// Written before the operations that read it again.
    var isEarly = false
  }

  private struct Key: Hashable {
    var code, a, b, c, n: Int32
    var imm: UInt64
  }

  var sizes: [Int]
  var inputs: [Input] = []
  var ops: [hk_op] = []
  var outputs: [Output] = []
  var holdsRows = false
  private(set) var registers = 0
  private var known: [Key: Int] = [:]

  init(_ loop: LoopInstruction) {
    sizes = loop.sizeList
    add(loop) { $0 }
  }

  var reads: Set<Int> {
    Set(
      inputs.map(\.place.buffer) + outputs.filter { $0.mode != HK_STORE && !$0.isFresh }.map(\.place.buffer))
  }
  var writes: Set<Int> { Set(outputs.map(\.place.buffer)) }

  // MARK: Merging

  /// The same nest with another loop's results, and how many whole arrays need not be read for it. Nil when the two
  /// do not walk the same entries, when one needs all of what the other makes, or when nothing is saved.
  func merged(with loop: LoopInstruction) -> (loop: FusedLoop, saved: Int)? {
    guard sizes.elementCount == loop.entries,
      outputs.count + loop.outputList.count <= Int(HK_MAX_OUTPUTS)
    else { return nil }
    var best: (alignment: Alignment, saved: Int)?
    for alignment in Alignment.all(sizes, loop.sizeList) {
      guard let saved = saved(by: loop, alignment), saved > best?.saved ?? 0 else { continue }
      best = (alignment, saved)
    }
    guard let (alignment, saved) = best else { return nil }
    var result = self
    result.align(to: alignment)
    result.add(loop) { alignment.second($0) }
    // Reading arrays twice costs less than one that is scattered.
    guard result.scattered <= scattered + FusedLoop(loop).scattered else { return nil }
    return (result, saved)
  }

  private func saved(by loop: LoopInstruction, _ alignment: Alignment) -> Int? {
    if holdsRows && alignment.sizes.last != sizes.last { return nil }
    for output in loop.outputList {
      let buffer = Int(output.access.buffer)
      if inputs.contains(where: { $0.place.buffer == buffer }) { return nil }
      if outputs.contains(where: { $0.place.buffer == buffer }) { return nil }
    }
    var saved = 0
    for input in loop.inputList {
      let place = Self.place(input, loop.sizeList.count, alignment.second)
      let isWhole = !place.strides.contains(0)
      let made = outputs.filter { $0.place.buffer == place.buffer }
      if made.isEmpty {
        let isShared = inputs.contains {
          $0.place.buffer == place.buffer && $0.place.offset == place.offset
            && alignment.first($0.place.strides) == place.strides
        }
        if isShared && isWhole { saved += 1 }
        continue
      }
      guard made.count == 1, made[0].place.offset == place.offset,
        alignment.first(made[0].place.strides) == place.strides
      else { return nil }
      if made[0].mode == HK_STORE && isWhole {
        saved += 2
      } else if !Self.isReducedOverRows(made[0], place.strides, alignment.sizes) {
        return nil
      }
    }
    return saved
  }

  /// What is complete once a block that holds whole rows has been through.
  private static func isReducedOverRows(_ output: Output, _ strides: [Int], _ sizes: [Int]) -> Bool {
    guard output.mode != HK_STORE, output.isFresh, strides.count >= 2, strides.last == 0,
      let width = sizes.last, width <= Int(HK_BLOCK)
    else { return false }
    return !strides.dropLast().contains(0)
  }

  private mutating func align(to alignment: Alignment) {
    for k in inputs.indices { inputs[k].place.strides = alignment.first(inputs[k].place.strides) }
    for k in outputs.indices { outputs[k].place.strides = alignment.first(outputs[k].place.strides) }
    sizes = alignment.sizes
  }

  // MARK: Building

  private mutating func add(_ loop: LoopInstruction, _ strides: ([Int]) -> [Int]) {
    var local: [Int32: Int] = [:]
    for input in loop.inputList where input.late == 0 {
      local[input.reg] = load(Self.place(input, loop.sizeList.count, strides))
    }
    for op in loop.opList {
      let (a, b, c) = (local[op.a] ?? 0, local[op.b] ?? 0, local[op.c] ?? 0)
      local[op.dst] = apply(hk_opcode(UInt32(op.code)), a, b, c, n: op.n, imm: op.imm)
    }
    for output in loop.outputList {
      outputs.append(
        Output(
          place: Self.place(output.access, loop.sizeList.count, strides),
          register: local[output.access.reg] ?? 0, mode: hk_mode(UInt32(output.mode)),
          isFresh: output.fresh != 0))
    }
  }

  private static func place(_ access: hk_access, _ dimensions: Int, _ strides: ([Int]) -> [Int]) -> Place {
    Place(
      buffer: Int(access.buffer), offset: Int(access.offset),
      strides: strides((0..<dimensions).map { access[stride: $0] }))
  }

  private mutating func load(_ place: Place) -> Int {
    // What an earlier loop has written, even where it read the same place before.
    guard let made = outputs.lastIndex(where: { $0.place == place }) else {
      if let same = inputs.first(where: { $0.place == place }) { return same.register }
      inputs.append(Input(place: place, register: newRegister()))
      return registers - 1
    }
    if outputs[made].mode == HK_STORE { return outputs[made].register }
    if let same = inputs.first(where: { $0.place == place && $0.isLate }) { return same.register }
    holdsRows = true
    if !outputs[made].isEarly {
      outputs[made].isEarly = true
      ops.append(
        hk_op(
          code: Int32(HK_EMIT.rawValue), dst: 0, a: Int32(outputs[made].register), b: 0, c: 0, n: Int32(made),
          imm: 0))
    }
    inputs.append(Input(place: place, register: newRegister(), isLate: true))
    ops.append(
      hk_op(
        code: Int32(HK_LOAD.rawValue), dst: Int32(registers - 1), a: 0, b: 0, c: 0,
        n: Int32(inputs.count - 1), imm: 0))
    return registers - 1
  }

  private mutating func newRegister() -> Int {
    registers += 1
    return registers - 1
  }

  private mutating func apply(_ code: hk_opcode, _ a: Int, _ b: Int, _ c: Int, n: Int32, imm: Double) -> Int {
    let used = LoopInstruction.operandCount(code)
    let key = Key(
      code: Int32(code.rawValue), a: used > 0 ? Int32(a) : 0, b: used > 1 ? Int32(b) : 0,
      c: used > 2 ? Int32(c) : 0, n: n, imm: imm.bitPattern)
    if let same = known[key] { return same }
    let register = newRegister()
    ops.append(
      hk_op(code: key.code, dst: Int32(register), a: key.a, b: key.b, c: key.c, n: n, imm: imm))
    known[key] = register
    return register
  }
}

/// Two nests of the same number of entries walked as one: both cut into the same dimensions.
struct Alignment {
  let sizes: [Int]
  private let firstSizes: [Int]
  private let secondSizes: [Int]
  /// The order in which the second nest's dimensions are taken.
  private let order: [Int]

  func first(_ strides: [Int]) -> [Int] { Self.cut(strides, firstSizes, into: sizes) }
  func second(_ strides: [Int]) -> [Int] { Self.cut(order.map { strides[$0] }, secondSizes, into: sizes) }

  /// The ways to walk them together, the natural one first.
  static func all(_ first: [Int], _ second: [Int]) -> [Alignment] {
    orders(second.count).compactMap { order in
      let permuted = order.map { second[$0] }
      return refinement(first, permuted).map {
        Alignment(sizes: $0, firstSizes: first, secondSizes: permuted, order: order)
      }
    }
  }

  private static func orders(_ n: Int) -> [[Int]] {
    switch n {
    case 2: return [[0, 1], [1, 0]]
    case 3: return [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    default: return [Array(0..<n)]
    }
  }

  /// The coarsest sizes of which both lists are products of neighbours.
  private static func refinement(_ a: [Int], _ b: [Int]) -> [Int]? {
    if a == b { return a }
    guard a.elementCount == b.elementCount, a.elementCount > 0 else { return nil }
    var (left, right) = (a, b)
    var result: [Int] = []
    while let x = left.last, let y = right.last {
      let size = min(x, y)
      guard max(x, y) % size == 0 else { return nil }
      result.append(size)
      left.removeLast()
      right.removeLast()
      if x > size { left.append(x / size) }
      if y > size { right.append(y / size) }
    }
    return result.count <= Int(HK_MAX_DIMS) ? result.reversed() : nil
  }

  private static func cut(_ strides: [Int], _ sizes: [Int], into parts: [Int]) -> [Int] {
    if sizes == parts { return strides }
    var result: [Int] = []
    var place = sizes.count - 1
    var covered = 1
    for part in parts.reversed() {
      result.append(strides[place] * covered)
      covered *= part
      if covered == sizes[place] {
        place -= 1
        covered = 1
      }
    }
    return result.reversed()
  }
}
