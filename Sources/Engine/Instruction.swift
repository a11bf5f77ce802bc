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
  /// The instruction for a plan that runs at the same time on another thread: a new one where it keeps memory of its own.
  func copied() -> Instruction { self }
  /// Whether a copy may run at the same time on another thread.
  var canBeCopied: Bool { true }
  /// Memory of its own while it runs, in bytes.
  var workspaceBytes: Int { 0 }
  /// What it multiplies, for estimates and tests.
  var multiplications: Double { 0 }
  /// About how long it takes, in nanoseconds.
  var nanoseconds: Double { 100 + 0.05 * multiplications }
  /// A line for `explain plan`.
  var summary: String { "\(type(of: self))" }
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
    let arguments = zip(reads, shapes).map {
      Tensor(viewing: memory.pointer($0, UInt8.self), $1, memory.precision)
    }
    let result = try body(arguments).converted(to: memory.precision)
    let bytes = result.count * memory.precision.byteCount
    UnsafeMutableRawPointer(memory.pointer(writes[0], UInt8.self))
      .copyMemory(from: result.sharedStorage.pointer, byteCount: bytes)
  }

  // Sorting and linear algebra take a row's length for each entry, more or less.
  override var nanoseconds: Double {
    shapes.reduce(1000) { $0 + Double($1.elementCount) * Double($1.last ?? 1) }
  }

  override var summary: String { "\(name) → b\(writes[0])" }
}
