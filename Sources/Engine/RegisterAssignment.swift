import CKernels

/// The registers of the kernels for a program in which every operation has a register of its own. Registers that are
/// no longer needed are used again, so that a block's working set stays in L1.
struct RegisterAssignment {
  /// Constants first: they are set once for all blocks.
  private(set) var ops: [hk_op] = []
  /// The kernels' register of each of the program's.
  private(set) var places: [Int]
  private(set) var count = 0
  private var free: [Int] = []

  /// - Parameters:
  ///   - inputs: registers that hold arrays; they and constants keep their place.
  ///   - kept: registers that are needed to the end.
  ///   - count: how many registers the program has.
  /// - Throws: when the kernels have too few.
  init(_ program: [hk_op], inputs: [Int], kept: [Int], count total: Int) throws {
    places = [Int](repeating: 0, count: total)
    var last = [Int](repeating: -1, count: total)
    for (index, op) in program.enumerated() {
      for source in Self.sources(op) { last[source] = index }
    }
    for register in kept { last[register] = .max }
    var holdsReusable = [Bool](repeating: true, count: total)
    for register in inputs {
      places[register] = fresh()
      holdsReusable[register] = false
    }
    for op in program where op.code == Int32(HK_LOAD_CONSTANT.rawValue) {
      holdsReusable[Int(op.dst)] = false
      append(op, to: fresh())
    }
    for (index, op) in program.enumerated() where op.code != Int32(HK_LOAD_CONSTANT.rawValue) {
      let renamed = renamedSources(op)
      for source in Set(Self.sources(op)) where last[source] == index && holdsReusable[source] {
        free.append(places[source])
      }
      switch hk_opcode(UInt32(op.code)) {
      case HK_EMIT: ops.append(renamed)
      case HK_LOAD:
        var load = renamed
        load.dst = Int32(places[Int(op.dst)])
        ops.append(load)
      default: append(renamed, to: free.popLast() ?? fresh(), of: Int(op.dst))
      }
    }
    guard count <= Int(HK_MAX_REGISTERS) else { throw EngineError.tooComplex("inputs of one loop") }
  }

  private mutating func fresh() -> Int {
    count += 1
    return count - 1
  }

  private mutating func append(_ op: hk_op, to place: Int, of register: Int? = nil) {
    var op = op
    places[register ?? Int(op.dst)] = place
    op.dst = Int32(place)
    ops.append(op)
  }

  private func renamedSources(_ op: hk_op) -> hk_op {
    var op = op
    op.a = Int32(places[Int(op.a)])
    op.b = Int32(places[Int(op.b)])
    op.c = Int32(places[Int(op.c)])
    return op
  }

  static func sources(_ op: hk_op) -> [Int] {
    [op.a, op.b, op.c].prefix(LoopInstruction.operandCount(hk_opcode(UInt32(op.code)))).map { Int($0) }
  }
}
