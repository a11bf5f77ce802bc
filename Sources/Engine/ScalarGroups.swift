import CKernels

/// Arranges a straight-line program so that equal operations on neighbouring registers are one operation on many: what a
/// small loop does to its entries. Every number is computed as before, so that results stay the same to the last bit.
struct ScalarGroups {
  /// Fewer operations of a kind stay as they are.
  private static let fewest: Int32 = 4

  private struct Kind: Hashable {
    var level: Int
    var code, source, n: Int32
    var imm: UInt64
  }

  private(set) var program: [hk_scalar_op] = []
  private var places: [Int32]

  /// - Parameters:
  ///   - ops: each assigns a register of its own, after those that it reads.
  ///   - stores: of registers, each to a place of its own.
  init(_ ops: [hk_scalar_op], stores: [hk_scalar_op], registers: Int) {
    places = [Int32](repeating: 0, count: registers)
    var next: Int32 = 0
    for group in Self.kinds(ops, registers: registers) {
      for op in group {
        places[Int(op.dst)] = next
        next += 1
      }
      join(group.map(placed))
    }
    join(stores.map(placed).sorted { ($0.a, $0.n) < ($1.a, $1.n) })
  }

  /// Operations that do not depend on each other and do the same, in the order in which the first of each comes.
  private static func kinds(_ ops: [hk_scalar_op], registers: Int) -> [[hk_scalar_op]] {
    var levels = [Int](repeating: 0, count: registers)
    var numbers: [Kind: Int] = [:]
    var groups: [(level: Int, ops: [hk_scalar_op])] = []
    for op in ops {
      let isLoad = op.code == Int32(HK_SCALAR_LOAD)
      let level = op.operands.map { levels[Int($0)] + 1 }.max() ?? 0
      levels[Int(op.dst)] = level
      let kind = Kind(
        level: level, code: op.code, source: isLoad ? op.a : 0, n: isLoad ? 0 : op.n, imm: op.imm.bitPattern)
      let number = numbers[kind] ?? groups.count
      if number == groups.count {
        numbers[kind] = number
        groups.append((level, []))
      }
      groups[number].ops.append(op)
    }
    let sorted = groups.indices.sorted { (groups[$0].level, $0) < (groups[$1].level, $1) }
    return sorted.map { number in
      let ops = groups[number].ops
      return ops[0].code == Int32(HK_SCALAR_LOAD) ? ops.sorted { $0.n < $1.n } : ops
    }
  }

  /// With the registers' new places.
  private func placed(_ op: hk_scalar_op) -> hk_scalar_op {
    var op = op
    switch op.code {
    case Int32(HK_SCALAR_LOAD): op.dst = places[Int(op.dst)]
    case Int32(HK_SCALAR_STORE): op.b = places[Int(op.b)]
    default:
      let used = LoopInstruction.operandCount(hk_opcode(UInt32(op.code)))
      op.dst = places[Int(op.dst)]
      op.a = used > 0 ? places[Int(op.a)] : 0
      op.b = used > 1 ? places[Int(op.b)] : 0
      op.c = used > 2 ? places[Int(op.c)] : 0
    }
    return op
  }

  /// Appends operations of one kind, those that follow each other as one.
  private mutating func join(_ ops: [hk_scalar_op]) {
    var start = 0
    while start < ops.count {
      var end = start + 1
      var steps: Int32 = 0
      if end < ops.count, let first = Self.steps(ops[start], ops[end]) {
        steps = first
        while end < ops.count, Self.steps(ops[end - 1], ops[end]) == steps { end += 1 }
      }
      let count = Int32(end - start)
      if count < Self.fewest {
        program += ops[start..<end]
      } else {
        var all = ops[start]
        all.code += Int32(HK_SCALAR_MANY)
        (all.count, all.steps) = (count, steps)
        program.append(all)
      }
      start = end
    }
  }

  /// Which of the operands move by one from an operation to the next; nil when one moves otherwise.
  private static func steps(_ x: hk_scalar_op, _ y: hk_scalar_op) -> Int32? {
    let isLoad = x.code == Int32(HK_SCALAR_LOAD)
    if isLoad || x.code == Int32(HK_SCALAR_STORE) {
      return x.a == y.a && y.n == x.n + 1 && (isLoad || y.b == x.b + 1) ? 0 : nil
    }
    let moves = [y.a - x.a, y.b - x.b, y.c - x.c]
    guard moves.allSatisfy({ $0 == 0 || $0 == 1 }) else { return nil }
    return moves[0] | moves[1] << 1 | moves[2] << 2
  }
}

extension hk_scalar_op {
  /// The registers that it reads, when it assigns one; a load reads memory.
  var operands: ArraySlice<Int32> {
    guard code != Int32(HK_SCALAR_LOAD) else { return [] }
    return [a, b, c].prefix(LoopInstruction.operandCount(hk_opcode(UInt32(code))))
  }
}
