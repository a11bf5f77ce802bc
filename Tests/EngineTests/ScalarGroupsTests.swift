import CKernels
import TestSupport
import Testing

@testable import Engine

/// Equal operations of a straight-line program are one on neighbouring registers, and compute the same numbers.
struct ScalarGroupsTests {
  private func op(_ code: hk_opcode, _ dst: Int, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, imm: Double = 0)
    -> hk_scalar_op
  {
    hk_scalar_op(
      code: Int32(code.rawValue), dst: Int32(dst), a: Int32(a), b: Int32(b), c: Int32(c), n: 2, imm: imm,
      count: 1, steps: 0)
  }

  private func load(_ dst: Int, entry: Int) -> hk_scalar_op {
    hk_scalar_op(
      code: Int32(HK_SCALAR_LOAD), dst: Int32(dst), a: 0, b: 0, c: 0, n: Int32(entry), imm: 0, count: 1,
      steps: 0)
  }

  private func store(_ register: Int, entry: Int) -> hk_scalar_op {
    hk_scalar_op(
      code: Int32(HK_SCALAR_STORE), dst: 0, a: 1, b: Int32(register), c: 0, n: Int32(entry), imm: 0, count: 1,
      steps: 0)
  }

  /// What a program makes of 64 numbers.
  private func run(_ program: [hk_scalar_op], registers: Int) -> [UInt64] {
    let input = (0..<64).map { (Double($0) * 0.37).remainder(dividingBy: 1.9) }
    var output = [Double](repeating: 7, count: 64)
    var memory = [Double](repeating: 0, count: registers)
    let end = hk_scalar_op(
      code: Int32(HK_SCALAR_END), dst: 0, a: 0, b: 0, c: 0, n: 0, imm: 0, count: 1, steps: 0)
    input.withUnsafeBytes { input in
      output.withUnsafeMutableBytes { output in
        let buffers = [UnsafeMutableRawPointer(mutating: input.baseAddress), output.baseAddress]
        hk_scalar_run_f64(program + [end], buffers, &memory)
      }
    }
    return output.map(\.bitPattern)
  }

  /// y[k] = (x[k] − x[32 + k])·3, twenty times, entry after entry as a loop is unrolled.
  @Test func elementwise() {
    var ops: [hk_scalar_op] = []
    var stores: [hk_scalar_op] = []
    for k in 0..<20 {
      ops += [load(4 * k, entry: k), load(4 * k + 1, entry: 32 + k)]
      ops += [op(HK_SUB, 4 * k + 2, 4 * k, 4 * k + 1), op(HK_MUL_CONSTANT, 4 * k + 3, 4 * k + 2, imm: 3)]
      stores.append(store(4 * k + 3, entry: k))
    }
    let program = ScalarGroups(ops, stores: stores, registers: 80).program
    // Two runs of loads, two operations, one run of stores.
    #expect(program.count == 5)
    #expect(program.allSatisfy { $0.count == 20 })
    #expect(run(program, registers: 80) == run(ops + stores, registers: 80))
  }

  /// Programs of any operations on any earlier registers, some of them alike.
  @Test func randomPrograms() {
    var random = SmallRandom(seed: 5)
    func below(_ n: Int) -> Int { random.below(n) }
    let codes: [hk_opcode] = [
      HK_ADD, HK_SUB, HK_MUL, HK_MUL_ADD, HK_MUL_CONSTANT, HK_AXPY, HK_SELECT, HK_LESS, HK_RELU, HK_TANH,
      HK_POWER, HK_FLOOR, HK_MAX, HK_NEG, HK_EXP, HK_LOAD_CONSTANT,
    ]
    for _ in 0..<300 {
      var ops = (0..<24).map { load($0, entry: below(2) == 0 ? $0 : below(64)) }
      while ops.count < 120 {
        let code = codes[below(codes.count)]
        let (a, b, c) = (below(ops.count), below(ops.count), below(ops.count))
        let (da, db, dc) = (below(2), below(2), below(2))
        let count = 1 + below(9)
        let first = ops.count
        for k in 0..<count {
          let operands = [a + k * da, b + k * db, c + k * dc].map { min($0, first - 1) }
          ops.append(op(code, ops.count, operands[0], operands[1], operands[2], imm: 0.5))
        }
      }
      let stores = (0..<40).map { store(ops.count - 1 - $0 * 2, entry: ($0 * 7) % 64) }
      let grouped = ScalarGroups(ops, stores: stores, registers: ops.count).program
      #expect(grouped.reduce(0) { $0 + Int($1.count) } == ops.count + stores.count)
      #expect(run(grouped, registers: ops.count) == run(ops + stores, registers: ops.count))
    }
  }
}
