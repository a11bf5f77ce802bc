import CKernels
import Graph
import Tensors

/// A straight-line program: what many small loops compute, with values handed on in registers.
final class ScalarInstruction: Instruction {
  private let ops: UnsafeMutablePointer<hk_scalar_op>
  private let count: Int
  private let registerCount: Int
  private let registers: UnsafeMutableRawPointer

  init(_ program: [hk_scalar_op], registers: Int, reads: [Int], writes: [Int]) {
    count = program.count
    ops = .allocate(capacity: count + 1)
    ops.initialize(from: program, count: count)
    (ops + count).initialize(
      to: hk_scalar_op(
        code: Int32(HK_SCALAR_END), dst: 0, a: 0, b: 0, c: 0, n: 0, imm: 0, count: 1, steps: 0))
    registerCount = registers
    self.registers = .allocate(byteCount: 8 * max(registers, 1), alignment: 64)
    self.registers.initializeMemory(as: UInt8.self, repeating: 0, count: 8 * max(registers, 1))
    super.init(reads: reads, writes: writes)
  }

  deinit {
    ops.deallocate()
    registers.deallocate()
  }

  override func run(_ memory: Memory) {
    let table = UnsafeRawPointer(memory.table).assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
    switch memory.precision {
    case .f64: hk_scalar_run_f64(ops, table, registers.assumingMemoryBound(to: Double.self))
    case .f32: hk_scalar_run_f32(ops, table, registers.assumingMemoryBound(to: Float.self))
    }
  }

  override func copied() -> Instruction {
    ScalarInstruction(
      Array(UnsafeBufferPointer(start: ops, count: count)), registers: registerCount, reads: reads,
      writes: writes)
  }

  override var summary: String {
    let operations = UnsafeBufferPointer(start: ops, count: count).reduce(0) { $0 + Int($1.count) }
    return "scalar program, \(operations) operations → "
      + writes.map { "b\($0)" }.joined(separator: " ")
  }
}

/// Joins neighbouring small instructions into scalar programs. A value that one stores and another loads stays in a
/// register, equal operations are done once, and what nobody reads is dropped.
struct ScalarFusion {
  /// Entries that one loop may compute here, and operations that one program may have.
  static let entryLimit = 32
  static let operationLimit = 3000

  static func apply(_ instructions: [Instruction], kept: Set<Int>) -> [Instruction] {
    var result: [Instruction] = []
    var run: [Instruction] = []
    var work = 0
    var lastRead: [Int: Int] = [:]
    for (time, instruction) in instructions.enumerated() {
      for buffer in instruction.reads { lastRead[buffer] = time }
    }
    func close(at time: Int) {
      if run.count > 1 || work <= 64 && !run.isEmpty {
        var builder = ScalarBuilder()
        for instruction in run { builder.add(instruction) }
        result.append(builder.finish { kept.contains($0) || lastRead[$0] ?? -1 >= time })
      } else {
        result += run
      }
      run = []
      work = 0
    }
    for (time, instruction) in instructions.enumerated() {
      guard let cost = ScalarBuilder.cost(of: instruction) else {
        close(at: time)
        result.append(instruction)
        continue
      }
      if work + cost > operationLimit { close(at: time) }
      run.append(instruction)
      work += cost
    }
    close(at: instructions.count)
    return result
  }
}

/// Runs instructions symbolically: memory holds registers.
private struct ScalarBuilder {
  private struct Place: Hashable {
    var buffer: Int
    var index: Int
  }

  private struct Key: Hashable {
    var code: Int32
    var a, b, c, n: Int32
    var imm: UInt64
  }

  private var ops: [hk_scalar_op] = []
  private var memory: [Place: Int32] = [:]
  private var written: [Place] = []
  private var isWritten: Set<Place> = []
  private var known: [Key: Int32] = [:]
  private var registers: Int32 = 0
  /// Registers that hold a constant.
  private var constants: [Int32: Double] = [:]

  /// Operations that an instruction takes here; nil when it must stay as it is.
  static func cost(of instruction: Instruction) -> Int? {
    if let fill = instruction as? FillInstruction { return fill.count <= 64 ? fill.count : nil }
    guard let loop = instruction as? LoopInstruction, loop.entries <= ScalarFusion.entryLimit,
      !loop.holdsRows, loop.entries > 0 || loop.sizeList.allSatisfy({ $0 <= 8 }) && loop.sizeList.count <= 2,
      (loop.inputList.map { $0 } + loop.outputList.map(\.access)).allSatisfy({ reaches($0, loop.sizeList) })
    else { return nil }
    return loop.entries * (loop.opList.count + loop.inputList.count + loop.outputList.count)
  }

  /// Operations hold places of entries in 32 bits.
  private static func reaches(_ access: hk_access, _ sizes: [Int]) -> Bool {
    let last = sizes.indices.reduce(Int(access.offset)) { $0 + max(sizes[$1] - 1, 0) * access[stride: $1] }
    return Int32(exactly: access.offset) != nil && Int32(exactly: last) != nil
  }

  mutating func add(_ instruction: Instruction) {
    if let fill = instruction as? FillInstruction {
      let value = apply(HK_LOAD_CONSTANT, imm: fill.value)
      for index in 0..<fill.count { store(Place(buffer: fill.buffer, index: index), value) }
    } else if let loop = instruction as? LoopInstruction {
      unroll(loop)
    }
  }

  private mutating func unroll(_ loop: LoopInstruction) {
    let sizes = loop.sizeList
    var index = [Int](repeating: 0, count: sizes.count)
    var started = Set<Place>()
    if loop.entries == 0 { startReductions(loop) }
    for _ in 0..<loop.entries {
      compute(loop, index, &started)
      for axis in sizes.indices.reversed() {
        index[axis] += 1
        if index[axis] < sizes[axis] { break }
        index[axis] = 0
      }
    }
  }

  /// Reductions of nothing.
  private mutating func startReductions(_ loop: LoopInstruction) {
    for output in loop.outputList where output.fresh != 0 {
      let value = apply(
        HK_LOAD_CONSTANT, imm: output.mode == Int32(HK_MAXIMUM.rawValue) ? -.infinity : 0)
      let moving = loop.sizeList.indices.filter { output.access[stride: $0] != 0 }
      let sizes = moving.map { loop.sizeList[$0] }
      for entry in 0..<sizes.elementCount {
        var (rest, offset) = (entry, Int(output.access.offset))
        for (axis, n) in zip(moving, sizes).reversed() {
          offset += rest % n * output.access[stride: axis]
          rest /= n
        }
        store(Place(buffer: Int(output.access.buffer), index: offset), value)
      }
    }
  }

  private mutating func compute(_ loop: LoopInstruction, _ index: [Int], _ started: inout Set<Place>) {
    var local: [Int32: Int32] = [:]
    for input in loop.inputList { local[input.reg] = load(Self.place(input, index)) }
    for op in loop.opList {
      local[op.dst] = apply(
        hk_opcode(UInt32(op.code)), local[op.a] ?? 0, local[op.b] ?? 0, local[op.c] ?? 0, n: op.n, imm: op.imm
      )
    }
    for output in loop.outputList {
      let place = Self.place(output.access, index)
      let value = local[output.access.reg] ?? 0
      if output.fresh != 0 && started.insert(place).inserted {
        store(place, value)
        continue
      }
      switch hk_mode(UInt32(output.mode)) {
      case HK_ACCUMULATE:
        let old = load(place)
        store(place, constants[old] == 0 ? value : apply(HK_ADD, old, value))
      case HK_MAXIMUM:
        let old = load(place)
        store(place, constants[old] == -.infinity ? value : apply(HK_MAX, old, value))
      default: store(place, value)
      }
    }
  }

  private static func place(_ access: hk_access, _ index: [Int]) -> Place {
    var offset = Int(access.offset)
    for (axis, k) in index.enumerated() { offset += k * access[stride: axis] }
    return Place(buffer: Int(access.buffer), index: offset)
  }

  private mutating func load(_ place: Place) -> Int32 {
    if let known = memory[place] { return known }
    ops.append(
      hk_scalar_op(
        code: Int32(HK_SCALAR_LOAD), dst: registers, a: Int32(place.buffer), b: 0, c: 0,
        n: Int32(place.index),
        imm: 0, count: 1, steps: 0))
    memory[place] = registers
    registers += 1
    return registers - 1
  }

  private mutating func store(_ place: Place, _ value: Int32) {
    memory[place] = value
    if isWritten.insert(place).inserted { written.append(place) }
  }

  private mutating func apply(
    _ code: hk_opcode, _ a: Int32 = 0, _ b: Int32 = 0, _ c: Int32 = 0, n: Int32 = 0, imm: Double = 0
  ) -> Int32 {
    let used = LoopInstruction.operandCount(code)
    let key = Key(
      code: Int32(code.rawValue), a: used > 0 ? a : 0, b: used > 1 ? b : 0, c: used > 2 ? c : 0, n: n,
      imm: imm.bitPattern)
    if let same = known[key] { return same }
    ops.append(
      hk_scalar_op(
        code: key.code, dst: registers, a: key.a, b: key.b, c: key.c, n: n, imm: imm, count: 1, steps: 0))
    known[key] = registers
    if code == HK_LOAD_CONSTANT { constants[registers] = imm }
    registers += 1
    return registers - 1
  }

  /// Stores what is read later, and keeps the operations that lead to it.
  mutating func finish(isLive: (Int) -> Bool) -> ScalarInstruction {
    let stores = written.filter { isLive($0.buffer) }.map { place in
      hk_scalar_op(
        code: Int32(HK_SCALAR_STORE), dst: 0, a: Int32(place.buffer), b: memory[place] ?? 0, c: 0,
        n: Int32(place.index), imm: 0, count: 1, steps: 0)
    }
    var needed = [Bool](repeating: false, count: Int(registers))
    for store in stores { needed[Int(store.b)] = true }
    var kept: [hk_scalar_op] = []
    for op in ops.reversed() where needed[Int(op.dst)] {
      kept.append(op)
      for operand in op.operands { needed[Int(operand)] = true }
    }
    kept.reverse()
    let program = ScalarGroups(kept, stores: stores, registers: Int(registers)).program
    let loads = kept.filter { $0.code == Int32(HK_SCALAR_LOAD) }.map { Int($0.a) }
    // A buffer that is only partly written keeps its other entries: it counts as read.
    let targets = Array(Set(stores.map { Int($0.a) })).sorted()
    return ScalarInstruction(
      program, registers: Int(registers), reads: Array(Set(loads)).sorted(), writes: targets)
  }
}
