import CKernels
import Tensors

/// A loop nest with a program (`hk_loop`). Owns the C arrays.
final class LoopInstruction: Instruction {
  private let inputs: UnsafeMutablePointer<hk_access>
  private let ops: UnsafeMutablePointer<hk_op>
  private let outputs: UnsafeMutablePointer<hk_output>
  private var loop = hk_loop()
  let sizeList: [Int]
  /// Nanoseconds for one entry.
  private let entryCost: Double

  /// - Parameter holdsRows: a block holds the whole innermost dimension (`hk_loop.whole`).
  init(
    sizes: [Int], inputs: [hk_access], ops: [hk_op], outputs: [hk_output], registers: Int,
    holdsRows: Bool = false
  ) {
    self.inputs = Self.copied(inputs)
    self.ops = Self.copied(ops)
    self.outputs = Self.copied(outputs)
    sizeList = sizes
    loop.dims = Int32(sizes.count)
    loop.inputs = Int32(inputs.count)
    loop.ops = Int32(ops.count)
    loop.outputs = Int32(outputs.count)
    loop.registers = Int32(registers)
    loop.whole = holdsRows ? 1 : 0
    // Threads must not meet in one entry.
    let isParallel = outputs.allSatisfy { output in
      hk_access.isInjective(
        sizes.indices.map { (output.access[stride: $0], sizes[$0]) }.filter { $0.0 != 0 })
    }
    entryCost = LoopCost.nanoseconds(sizes, inputs, ops, outputs)
    loop.nanoseconds = isParallel ? entryCost : 0
    withUnsafeMutableBytes(of: &loop.sizes) { bytes in
      for (k, n) in sizes.enumerated() { bytes.storeBytes(of: Int64(n), toByteOffset: 8 * k, as: Int64.self) }
    }
    loop.input = UnsafePointer(self.inputs)
    loop.op = UnsafePointer(self.ops)
    loop.output = UnsafePointer(self.outputs)
    // An array that is only added to counts as read.
    let extended = outputs.filter { $0.mode != Int32(HK_STORE.rawValue) && $0.fresh == 0 }
    super.init(
      reads: (inputs + extended.map(\.access)).map { Int($0.buffer) },
      writes: outputs.map { Int($0.access.buffer) })
  }

  deinit {
    inputs.deallocate()
    ops.deallocate()
    outputs.deallocate()
  }

  private static func copied<T>(_ values: [T]) -> UnsafeMutablePointer<T> {
    let memory = UnsafeMutablePointer<T>.allocate(capacity: max(values.count, 1))
    memory.initialize(from: values, count: values.count)
    return memory
  }

  /// The loop as lists, for those who rewrite it.
  var inputList: UnsafeBufferPointer<hk_access> {
    UnsafeBufferPointer(start: inputs, count: Int(loop.inputs))
  }
  var opList: UnsafeBufferPointer<hk_op> { UnsafeBufferPointer(start: ops, count: Int(loop.ops)) }
  var outputList: UnsafeBufferPointer<hk_output> {
    UnsafeBufferPointer(start: outputs, count: Int(loop.outputs))
  }
  var registers: Int { Int(loop.registers) }
  var holdsRows: Bool { loop.whole != 0 }
  /// Entries of the iteration space.
  var entries: Int { sizeList.elementCount }

  /// Registers that an operation reads.
  static func operandCount(_ code: hk_opcode) -> Int {
    switch code {
    case HK_LOAD_CONSTANT, HK_LOAD: return 0
    case HK_SELECT, HK_MUL_ADD, HK_MUL_SUB, HK_SUB_MUL: return 3
    case HK_AXPY, HK_ADD, HK_SUB, HK_MUL, HK_DIV, HK_POW, HK_ATAN2, HK_MAX, HK_MIN, HK_MODULO, HK_LESS,
      HK_LESS_EQUAL, HK_EQUAL, HK_NOT_EQUAL, HK_AND, HK_OR:
      return 2
    default: return 1
    }
  }

  override func run(_ memory: Memory) {
    let table = UnsafeRawPointer(memory.table).assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
    switch memory.precision {
    case .f64: hk_run_f64(&loop, table)
    case .f32: hk_run_f32(&loop, table)
    }
  }

  override var nanoseconds: Double { 100 + entryCost * Double(entries) }

  override var multiplications: Double {
    let volume = sizeList.reduce(1.0) { $0 * Double($1) }
    let products = opList.reduce(0) { total, op in
      switch hk_opcode(UInt32(op.code)) {
      case HK_MUL, HK_MUL_ADD, HK_MUL_SUB, HK_SUB_MUL: return total + 1
      default: return total
      }
    }
    return volume * Double(products)
  }

  override var summary: String {
    let read = reads.map { "b\($0)" }.joined(separator: " ")
    let written = writes.map { "b\($0)" }.joined(separator: " ")
    return "loop \(sizeList.shapeDescription), \(loop.ops) ops, reads \(read), writes \(written)"
  }
}

/// What a loop costs, for the choice of how many chunks it is cut into.
private enum LoopCost {
  /// For one entry of the iteration space, on one core with 256-bit vectors.
  static func nanoseconds(
    _ sizes: [Int], _ inputs: [hk_access], _ ops: [hk_op], _ outputs: [hk_output]
  ) -> Double {
    let memory = (inputs + outputs.map(\.access)).reduce(0.05) { total, array in
      let moves = sizes.indices.allSatisfy { array[stride: $0] != 0 }
      let isStrided = sizes.indices.last.map { !(0...1).contains(array[stride: $0]) } ?? false
      return total + (isStrided ? 0.8 : moves ? 0.2 : 0.05)
    }
    return ops.reduce(memory) { $0 + nanoseconds(hk_opcode(UInt32($1.code))) }
  }

  private static func nanoseconds(_ code: hk_opcode) -> Double {
    switch code {
    case HK_LOAD_CONSTANT: return 0
    case HK_DIV, HK_RECIP, HK_SQRT, HK_RSQRT_AT_ZERO: return 0.5
    case HK_POW, HK_ATAN2, HK_MODULO: return 15
    case HK_TAN, HK_ASIN, HK_ACOS, HK_ATAN, HK_SINH, HK_COSH: return 8
    case HK_EXP, HK_EXPM1, HK_LOG, HK_LOG1P, HK_SIN, HK_COS, HK_TANH, HK_SIGMOID, HK_SOFTPLUS, HK_ERF,
      HK_SECH2:
      return 1.5
    default: return 0.1
    }
  }
}
