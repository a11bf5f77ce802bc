import CKernels
import COpenBLAS
import LinearAlgebra
import Tensors

/// C (+)= alpha · A·B for a batch of row-major matrices at strided places. Runs on the team of threads: entries of a
/// batch apart, or panels of one product's columns or rows, with OpenBLAS on one thread inside.
final class GemmInstruction: Instruction {
  struct Matrix {
    var buffer: Int
    var offset: Int
    /// Leading dimension; transposed when the row index is the contiguous one.
    var leading: Int
    var transposed: Bool
    var batchStrides: [Int]

    /// Entries between neighbouring rows and columns.
    var rowStride: Int { transposed ? 1 : leading }
    var columnStride: Int { transposed ? leading : 1 }
  }

  /// An array that a small product is added to: rows of contiguous entries, of which all may be the same one.
  struct Base: Equatable {
    var buffer: Int
    var offset: Int
    var rowStride: Int
    var batchStrides: [Int]
  }

  let a: Matrix
  let b: Matrix
  let c: Matrix
  let (m, n, k): (Int, Int, Int)
  let batch: [Int]
  let alpha: Double
  let beta: Double
  let base: Base?
  /// What skips columns that groups of rows have no entries in, where their sizes allow it.
  let skipping: ZeroSkipping?

  init(
    _ a: Matrix, _ b: Matrix, _ c: Matrix, m: Int, n: Int, k: Int, batch: [Int], alpha: Double,
    accumulate: Bool, base: Base? = nil, skipping: ZeroSkipping? = nil
  ) {
    self.a = a
    self.b = b
    self.c = c
    (self.m, self.n, self.k) = (m, n, k)
    self.batch = batch
    self.alpha = alpha
    beta = accumulate ? 1 : 0
    self.base = base
    self.skipping = skipping
    let added = (accumulate ? [c.buffer] : []) + (base.map { [$0.buffer] } ?? [])
    // Rows that it makes itself are read from what makes them.
    let (left, made) = skipping?.prepare.map { ($0.reads, $0.writes) } ?? ([a.buffer], [])
    super.init(
      reads: left + [b.buffer] + added, writes: [c.buffer] + made + (skipping.map { [$0.room] } ?? []))
  }

  /// The same product with rows that a loop would make for it alone; nil where the product cannot take that over.
  func gated(by loop: FusedLoop) throws -> GemmInstruction? {
    // What the product reads beside its left side is there before it runs.
    guard ![b.buffer, c.buffer, base?.buffer].contains(a.buffer),
      let skipping = try skipping?.gated(self, by: loop)
    else { return nil }
    return GemmInstruction(
      a, b, c, m: m, n: n, k: k, batch: batch, alpha: alpha, accumulate: beta == 1, base: base,
      skipping: skipping)
  }

  /// Whether hlab's own kernels are meant for it; larger products are BLAS's.
  var isSmall: Bool { hk_product_is_small(Int64(m), Int64(n), Int64(k)) != 0 }

  /// Multiplications from which a second thread pays for being woken, and for operands and results that go from the
  /// cache of one core to that of the other: about 20 µs of work.
  private static let sharedWork = 300_000
  /// The width of panels along a side of this length. It depends on nothing else: rounding differs between panels of
  /// different widths, and results must not depend on the number of threads. Panels are as even as the vectors of
  /// BLAS's kernels allow, and few: each of them brings the other operand into order again.
  static func panelWidth(_ length: Int) -> Int {
    let pieces = length < 1536 ? 2 : length < 4096 ? 4 : 8
    let unit = length >= 384 ? 16 : 4
    return (length + pieces * unit - 1) / (pieces * unit) * unit
  }

  override func run(_ memory: Memory) throws {
    BLASThreads.useOne()
    let count = batch.elementCount
    let isShared = m * n * k * count >= Self.sharedWork
    if count > 1 {
      let groups = isShared && Team.size > 1 ? min(count, 4 * Team.size) : 1
      Team.run(groups) { group in
        run(memory, entries: (group * count / groups)..<((group + 1) * count / groups))
      }
    } else if isShared {
      if skipping?.multiply(self, memory) != true {
        skipping?.prepare?.run(memory)
        panels(memory)
      }
    } else {
      multiply(memory, a.offset, b.offset, c.offset, base?.offset ?? 0, m, n)
    }
    try Interruption.check()
  }

  /// One product, cut along the longer side of the result.
  private func panels(_ memory: Memory) {
    let length = max(m, n)
    let width = Self.panelWidth(length)
    Team.run((length + width - 1) / width) { piece in
      let start = piece * width
      let size = min(width, length - start)
      if n >= m {
        multiply(
          memory, a.offset, b.offset + start * b.columnStride, c.offset + start * c.columnStride,
          (base?.offset ?? 0) + start, m, size)
      } else {
        multiply(
          memory, a.offset + start * a.rowStride, b.offset, c.offset + start * c.rowStride,
          (base?.offset ?? 0) + start * (base?.rowStride ?? 0), size, n)
      }
    }
  }

  /// Some entries of the batch, one after the other.
  private func run(_ memory: Memory, entries: Range<Int>) {
    for entry in entries {
      var (pa, pb, pc, start) = (a.offset, b.offset, c.offset, base?.offset ?? 0)
      var rest = entry
      var axis = batch.count - 1
      while axis >= 0 {
        let index = rest % batch[axis]
        rest /= batch[axis]
        pa += index * a.batchStrides[axis]
        pb += index * b.batchStrides[axis]
        pc += index * c.batchStrides[axis]
        if let base { start += index * base.batchStrides[axis] }
        axis -= 1
      }
      multiply(memory, pa, pb, pc, start, m, n)
      if hk_interrupt_get() != 0 { return }
    }
  }

  /// One product of m×k by k×n at the given places, with `start` that of the base.
  private func multiply(_ memory: Memory, _ pa: Int, _ pb: Int, _ pc: Int, _ start: Int, _ m: Int, _ n: Int) {
    // Of a larger product a panel may be small.
    if base != nil || hk_product_is_small(Int64(m), Int64(n), Int64(k)) != 0 {
      return multiplySmall(memory, pa, pb, pc, start, m, n)
    }
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

  private func multiplySmall(
    _ memory: Memory, _ pa: Int, _ pb: Int, _ pc: Int, _ start: Int, _ m: Int, _ n: Int
  ) {
    var product = hk_product(
      m: Int64(m), n: Int64(n), k: Int64(k), a_row: Int64(a.rowStride), a_column: Int64(a.columnStride),
      b_row: Int64(b.rowStride), b_column: Int64(b.columnStride), c_row: Int64(c.leading), alpha: alpha,
      adds: 0)
    /// Where what is there before the product lies, and how far apart its rows.
    let old: (buffer: Int, place: Int, row: Int)? =
      base.map { ($0.buffer, start, $0.rowStride) } ?? (beta == 0 ? nil : (c.buffer, pc, c.leading))
    switch memory.precision {
    case .f64:
      hk_product_onto_f64(
        &product, memory.pointer(a.buffer, Double.self) + pa, memory.pointer(b.buffer, Double.self) + pb,
        old.map { UnsafePointer(memory.pointer($0.buffer, Double.self) + $0.place) }, Int64(old?.row ?? 0),
        memory.pointer(c.buffer, Double.self) + pc)
    case .f32:
      hk_product_onto_f32(
        &product, memory.pointer(a.buffer, Float.self) + pa, memory.pointer(b.buffer, Float.self) + pb,
        old.map { UnsafePointer(memory.pointer($0.buffer, Float.self) + $0.place) }, Int64(old?.row ?? 0),
        memory.pointer(c.buffer, Float.self) + pc)
    }
  }

  override var multiplications: Double { Double(m) * Double(n) * Double(k) * Double(batch.elementCount) }

  override var summary: String {
    let times = batch.isEmpty ? "" : " × \(batch.elementCount)"
    let added = base.map { "b\($0.buffer) + " } ?? ""
    let gated = skipping?.prepare == nil ? "" : "gated "
    return "gemm \(gated)\(added)\(m)×\(k)·\(k)×\(n)\(times) → b\(c.buffer)"
  }
}
