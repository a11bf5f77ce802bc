import CKernels
import COpenBLAS
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

/// C (+)= alpha · A·B for a batch of row-major matrices at strided places.
final class GemmInstruction: Instruction {
  struct Matrix {
    var buffer: Int
    var offset: Int
    /// Leading dimension; transposed when the row index is the contiguous one.
    var leading: Int
    var transposed: Bool
    var batchStrides: [Int]
  }

  let a: Matrix
  let b: Matrix
  let c: Matrix
  let (m, n, k): (Int, Int, Int)
  let batch: [Int]
  let alpha: Double
  let beta: Double

  init(
    _ a: Matrix, _ b: Matrix, _ c: Matrix, m: Int, n: Int, k: Int, batch: [Int], alpha: Double,
    accumulate: Bool
  ) {
    self.a = a
    self.b = b
    self.c = c
    (self.m, self.n, self.k) = (m, n, k)
    self.batch = batch
    self.alpha = alpha
    beta = accumulate ? 1 : 0
    super.init(reads: [a.buffer, b.buffer] + (accumulate ? [c.buffer] : []), writes: [c.buffer])
  }

  override func run(_ memory: Memory) throws {
    var index = [Int](repeating: 0, count: batch.count)
    var (pa, pb, pc) = (a.offset, b.offset, c.offset)
    while true {
      multiply(memory, pa, pb, pc)
      if hk_interrupt_get() != 0 { throw EngineError.interrupted }
      var axis = batch.count - 1
      while axis >= 0 {
        index[axis] += 1
        pa += a.batchStrides[axis]
        pb += b.batchStrides[axis]
        pc += c.batchStrides[axis]
        if index[axis] < batch[axis] { break }
        pa -= a.batchStrides[axis] * index[axis]
        pb -= b.batchStrides[axis] * index[axis]
        pc -= c.batchStrides[axis] * index[axis]
        index[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }

  private func multiply(_ memory: Memory, _ pa: Int, _ pb: Int, _ pc: Int) {
    let ta = a.transposed ? CblasTrans : CblasNoTrans
    let tb = b.transposed ? CblasTrans : CblasNoTrans
    let (m, n, k) = (Int32(m), Int32(n), Int32(k))
    let (la, lb, lc) = (Int32(a.leading), Int32(b.leading), Int32(c.leading))
    switch memory.precision {
    case .f64:
      let x = memory.pointer(a.buffer, Double.self) + pa
      let y = memory.pointer(b.buffer, Double.self) + pb
      cblas_dgemm(
        CblasRowMajor, ta, tb, m, n, k, alpha, x, la, y, lb, beta, memory.pointer(c.buffer, Double.self) + pc,
        lc)
    case .f32:
      let x = memory.pointer(a.buffer, Float.self) + pa
      let y = memory.pointer(b.buffer, Float.self) + pb
      let z = memory.pointer(c.buffer, Float.self) + pc
      cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, Float(alpha), x, la, y, lb, Float(beta), z, lc)
    }
  }

  override var multiplications: Double { Double(m) * Double(n) * Double(k) * Double(batch.elementCount) }

  override var summary: String {
    let times = batch.isEmpty ? "" : " × \(batch.elementCount)"
    return "gemm \(m)×\(k)·\(k)×\(n)\(times) → b\(c.buffer)"
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
    let arguments = zip(reads, shapes).map {
      Tensor(viewing: memory.pointer($0, UInt8.self), $1, memory.precision)
    }
    let result = try body(arguments).converted(to: memory.precision)
    let bytes = result.count * memory.precision.byteCount
    UnsafeMutableRawPointer(memory.pointer(writes[0], UInt8.self))
      .copyMemory(from: result.sharedStorage.pointer, byteCount: bytes)
  }

  override var summary: String { "\(name) → b\(writes[0])" }
}
