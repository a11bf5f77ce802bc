import CKernels
import Tensors

/// The base addresses of a plan's buffers while it runs.
struct Memory {
  let table: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  let precision: Precision

  @inline(__always)
  func pointer<T>(_ buffer: Int, _: T.Type) -> UnsafeMutablePointer<T> {
    // Buffers are set before the first instruction runs.
    table[buffer].unsafelyUnwrapped.assumingMemoryBound(to: T.self)
  }
}

/// One step of a plan. Instructions know which buffers they touch, so that memory can be shared by liveness.
class Instruction {
  let reads: [Int]
  let writes: [Int]
  init(reads: [Int], writes: [Int]) {
    self.reads = reads
    self.writes = writes
  }
  func run(_ memory: Memory) throws {}
  /// What it multiplies, for estimates and tests.
  var multiplications: Double { 0 }
  /// A line for `explain plan`.
  var summary: String { "\(type(of: self))" }
}

/// Sets a whole buffer to one number.
final class FillInstruction: Instruction {
  let buffer: Int
  let count: Int
  let value: Double
  init(_ buffer: Int, count: Int, value: Double = 0) {
    self.buffer = buffer
    self.count = count
    self.value = value
    super.init(reads: [], writes: [buffer])
  }
  override func run(_ memory: Memory) {
    switch memory.precision {
    case .f64: memory.pointer(buffer, Double.self).update(repeating: value, count: count)
    case .f32: memory.pointer(buffer, Float.self).update(repeating: Float(value), count: count)
    }
  }
  override var summary: String { "fill b\(buffer)[\(count)] = \(value)" }
}

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

/// A strided array with an index tensor in place of one label: out[l…, j…] = in[l…, t[j…]], or the transpose.
final class IndexedInstruction: Instruction {
  enum Direction { case gather, scatterAdd }

  let direction: Direction
  let sizes: [Int]
  /// Strides a dimension of the dense side, the indexed side (without the index) and the index tensor.
  let dense: hk_access
  let indexed: hk_access
  let table: hk_access
  /// Stride and size of the indexed axis.
  let stride: Int
  let extent: Int

  init(
    _ direction: Direction, sizes: [Int], dense: hk_access, indexed: hk_access, table: hk_access, stride: Int,
    extent: Int
  ) {
    self.direction = direction
    self.sizes = sizes
    self.dense = dense
    self.indexed = indexed
    self.table = table
    self.stride = stride
    self.extent = extent
    let (d, i) = (Int(dense.buffer), Int(indexed.buffer))
    let reads = [Int(table.buffer)] + (direction == .gather ? [i] : [d, i])
    super.init(reads: reads, writes: [direction == .gather ? d : i])
  }

  override func run(_ memory: Memory) throws {
    switch memory.precision {
    case .f64: try run(memory, Double.self)
    case .f32: try run(memory, Float.self)
    }
  }

  private func run<T: TensorScalar>(_ memory: Memory, _: T.Type) throws {
    guard !sizes.contains(0) else { return }
    let d = memory.pointer(Int(dense.buffer), T.self)
    let x = memory.pointer(Int(indexed.buffer), T.self)
    let t = memory.pointer(Int(table.buffer), T.self)
    let strides = (0..<sizes.count).map { (dense[stride: $0], indexed[stride: $0], table[stride: $0]) }
    var index = [Int](repeating: 0, count: sizes.count)
    var (pd, px, pt) = (Int(dense.offset), Int(indexed.offset), Int(table.offset))
    while true {
      let place = try Self.place(Double(t[pt]), extent)
      switch direction {
      case .gather: d[pd] = x[px + place * stride]
      case .scatterAdd: x[px + place * stride] += d[pd]
      }
      var axis = sizes.count - 1
      while axis >= 0 {
        index[axis] += 1
        pd += strides[axis].0
        px += strides[axis].1
        pt += strides[axis].2
        if index[axis] < sizes[axis] { break }
        pd -= strides[axis].0 * index[axis]
        px -= strides[axis].1 * index[axis]
        pt -= strides[axis].2 * index[axis]
        index[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }

  private static func place(_ value: Double, _ extent: Int) throws -> Int {
    guard let whole = Int(exactly: value) else { throw EngineError.index(value, size: extent) }
    let place = whole < 0 ? whole + extent : whole
    guard place >= 0, place < extent else { throw EngineError.index(value, size: extent) }
    return place
  }

  override var summary: String { direction == .gather ? "gather → b\(writes[0])" : "scatter → b\(writes[0])" }
}

extension hk_access {
  /// The stride of one dimension.
  subscript(stride dimension: Int) -> Int {
    get { withUnsafeBytes(of: strides) { Int($0.load(fromByteOffset: 8 * dimension, as: Int64.self)) } }
    set {
      withUnsafeMutableBytes(of: &strides) {
        $0.storeBytes(of: Int64(newValue), toByteOffset: 8 * dimension, as: Int64.self)
      }
    }
  }
}

/// Calls a function on whole row-major buffers: sorting, linear algebra.
final class TensorInstruction: Instruction {
  let name: String
  let shapes: [Shape]
  let body: ([Tensor]) throws -> Tensor

  init(
    _ name: String, inputs: [Int], shapes: [Shape], output: Int, body: @escaping ([Tensor]) throws -> Tensor
  ) {
    self.name = name
    self.shapes = shapes
    self.body = body
    super.init(reads: inputs, writes: [output])
  }

  override func run(_ memory: Memory) throws {
    let arguments = zip(reads, shapes).map { buffer, shape -> Tensor in
      var tensor = Tensor(uninitialized: shape, memory.precision)
      let bytes = shape.elementCount * memory.precision.byteCount
      tensor.uniquePointer().copyMemory(from: memory.pointer(buffer, UInt8.self), byteCount: bytes)
      return tensor
    }
    let result = try body(arguments).converted(to: memory.precision)
    let bytes = result.count * memory.precision.byteCount
    UnsafeMutableRawPointer(memory.pointer(writes[0], UInt8.self))
      .copyMemory(from: result.sharedStorage.pointer, byteCount: bytes)
  }

  override var summary: String { "\(name) → b\(writes[0])" }
}
