import CKernels
import Graph
import Tensors

/// out[u, v, c, d] (+)= alpha · Σₙ first[u, n] · second[v, n] · columns[n, cd] for pairs of u and v and of c and d
/// (`hk_pair_product`): a quarter of the products, and no outer product in memory.
final class PairProductInstruction: Instruction {
  private let first, second, columns, out: (buffer: Int, offset: Int)
  private let panels: Int
  private var product: hk_pair_product

  /// - Parameters:
  ///   - columns: the packed array of the other pair.
  ///   - newBuffer: a buffer of so many entries, to work in.
  init(
    _ outer: OuterPairs, _ columns: Access, _ pair: LabelPair, k: Label, alpha: Double, out: Access,
    adds: Bool, sizes: [Label: Int], precision: Precision, newBuffer: (Int) -> Int
  ) {
    let (a, b, rows) = (outer.first, outer.second, outer.pair)
    first = (a.buffer, a.offset)
    second = (b.buffer, b.offset)
    self.columns = (columns.buffer, columns.offset)
    self.out = (out.buffer, out.offset)
    var product = hk_pair_product()
    product.order = (Int64(rows.order), Int64(pair.order))
    product.u = (Int64(out[rows.u]), Int64(out[pair.u]))
    product.v = (Int64(out[rows.v]), Int64(out[pair.v]))
    product.k = Int64(sizes[k] ?? 1)
    (product.a_u, product.a_k) = (Int64(a[rows.u]), Int64(a[k]))
    (product.b_v, product.b_k) = (Int64(b[rows.v]), Int64(b[k]))
    (product.p_k, product.p_pair) = (Int64(columns[k]), Int64(columns[pair.packed]))
    product.alpha = alpha
    product.accumulates = adds ? 1 : 0
    self.product = product
    let entries = precision == .f64 ? hk_pair_panels_f64(&product) : hk_pair_panels_f32(&product)
    panels = newBuffer(Int(entries))
    super.init(
      reads: [a.buffer, b.buffer, columns.buffer] + (adds ? [out.buffer] : []), writes: [panels, out.buffer])
  }

  override func run(_ memory: Memory) throws {
    switch memory.precision {
    case .f64: run(memory, Double.self, hk_pair_product_f64)
    case .f32: run(memory, Float.self, hk_pair_product_f32)
    }
    try Interruption.check()
  }

  private typealias Kernel<T> = (
    UnsafePointer<hk_pair_product>, UnsafePointer<T>, UnsafePointer<T>, UnsafePointer<T>,
    UnsafeMutablePointer<T>, UnsafeMutablePointer<T>
  ) -> Void

  private func run<T>(_ memory: Memory, _: T.Type, _ kernel: Kernel<T>) {
    func place(_ array: (buffer: Int, offset: Int)) -> UnsafeMutablePointer<T> {
      memory.pointer(array.buffer, T.self) + array.offset
    }
    kernel(
      &product, place(first), place(second), place(columns), memory.pointer(panels, T.self), place(out))
  }

  /// Pairs of rows, and of columns.
  private var counts: (rows: Int, columns: Int) {
    let (m, n) = (Int(product.order.0), Int(product.order.1))
    return (m * (m + 1) / 2, n * (n + 1) / 2)
  }

  override var multiplications: Double {
    Double(counts.rows) * Double(product.k) * (1 + Double(counts.columns))
  }

  override var summary: String {
    "outer product b\(first.buffer)·b\(second.buffer) for \(counts.rows) pairs ×\(product.k)"
      + "·\(product.k)×\(counts.columns), writes b\(out.buffer)"
  }
}
