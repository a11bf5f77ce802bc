import CKernels
import Tensors

/// A loop nest with a program (`hk_loop`). Owns the C arrays.
final class LoopInstruction: Instruction {
  private let inputs: UnsafeMutablePointer<hk_access>
  private let ops: UnsafeMutablePointer<hk_op>
  private let outputs: UnsafeMutablePointer<hk_output>
  private var loop = hk_loop()

  init(sizes: [Int], inputs: [hk_access], ops: [hk_op], outputs: [hk_output]) {
    self.inputs = Self.copied(inputs)
    self.ops = Self.copied(ops)
    self.outputs = Self.copied(outputs)
    sizeList = sizes
    loop.dims = Int32(sizes.count)
    loop.inputs = Int32(inputs.count)
    loop.ops = Int32(ops.count)
    loop.outputs = Int32(outputs.count)
    withUnsafeMutableBytes(of: &loop.sizes) { bytes in
      for (k, n) in sizes.enumerated() { bytes.storeBytes(of: Int64(n), toByteOffset: 8 * k, as: Int64.self) }
    }
    loop.input = UnsafePointer(self.inputs)
    loop.op = UnsafePointer(self.ops)
    loop.output = UnsafePointer(self.outputs)
    let written = outputs.map { Int($0.access.buffer) }
    let accumulated = outputs.filter { $0.mode != Int32(HK_STORE.rawValue) }.map { Int($0.access.buffer) }
    super.init(reads: inputs.map { Int($0.buffer) } + accumulated, writes: written)
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
  let sizeList: [Int]
  /// Entries of the iteration space.
  var entries: Int { sizeList.elementCount }

  /// Registers that an operation reads.
  static func operandCount(_ code: hk_opcode) -> Int {
    switch code {
    case HK_LOAD_CONSTANT: return 0
    case HK_SELECT: return 3
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

  override var multiplications: Double {
    let volume = (0..<Int(loop.dims)).reduce(1.0) { total, k in
      total * Double(withUnsafeBytes(of: loop.sizes) { $0.load(fromByteOffset: 8 * k, as: Int64.self) })
    }
    let products = (0..<Int(loop.ops)).count { ops[$0].code == Int32(HK_MUL.rawValue) }
    return volume * Double(products)
  }

  override var summary: String {
    "loop \(sizeList.shapeDescription), \(loop.ops) ops, reads \(reads.map { "b\($0)" }.joined(separator: " ")), writes b\(writes[0])"
  }
}
