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
