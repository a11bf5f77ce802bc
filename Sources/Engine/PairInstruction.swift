import CKernels
import Graph
import Tensors

/// Copies between a full array, or the product of two that it would be, and one that keeps each pair of two symmetric
/// axes once.
final class PairInstruction: Instruction {
  enum Direction { case pack, outer, expand, add }

  /// Strides of a pair's axis in the packed array, and of its two axes in the full one.
  struct Pair {
    let order, packed, u, v: Int
  }

  private var pairs = hk_pairs()
  private let direction: Direction
  private let packed: (buffer: Int, offset: Int)
  private let full: (buffer: Int, offset: Int)
  /// The second factor of an outer product; `full` is the first.
  private let other: (buffer: Int, offset: Int)

  init(
    _ direction: Direction, packed: Access, full: Access, pairs places: [Pair], plain: [Label],
    sizes: [Label: Int]
  ) {
    self.direction = direction
    self.packed = (packed.buffer, packed.offset)
    self.full = (full.buffer, full.offset)
    other = self.full
    let isPack = direction == .pack
    super.init(
      reads: isPack ? [full.buffer] : direction == .add ? [packed.buffer, full.buffer] : [packed.buffer],
      writes: [isPack ? packed.buffer : full.buffer])
    pairs.accumulates = direction == .add ? 1 : 0
    var axes = plain.map { (size: sizes[$0] ?? 1, packed: packed[$0], full: full[$0]) }
    (pairs.run, pairs.packed_run, pairs.full_run) = (1, 0, 0)
    if isPack {
      set(0, places[0])
    } else {
      setExpansion(places, &axes)
    }
    setPlain(axes)
  }

  /// An outer product for its pairs alone.
  init(_ outer: OuterPairs, packed: Access, sizes: [Label: Int]) {
    let (a, b, pair, run) = (outer.first, outer.second, outer.pair, outer.run)
    direction = .outer
    self.packed = (packed.buffer, packed.offset)
    full = (a.buffer, a.offset)
    other = (b.buffer, b.offset)
    super.init(reads: [a.buffer, b.buffer], writes: [packed.buffer])
    (pairs.order.0, pairs.packed_pair.0) = (Int64(pair.order), Int64(packed[pair.packed]))
    (pairs.full_u.0, pairs.other_v) = (Int64(a[pair.u]), Int64(b[pair.v]))
    (pairs.run, pairs.packed_run) = (Int64(sizes[run] ?? 1), Int64(packed[run]))
    (pairs.full_run, pairs.other_run) = (Int64(a[run]), Int64(b[run]))
    setPlain(outer.plain.map { (size: sizes[$0] ?? 1, packed: packed[$0], full: a[$0]) })
    withUnsafeMutableBytes(of: &pairs.other) { store(outer.plain.map { b[$0] }, $0) }
  }

  private func setPlain(_ axes: [(size: Int, packed: Int, full: Int)]) {
    pairs.dims = Int32(axes.count)
    withUnsafeMutableBytes(of: &pairs.sizes) { store(axes.map(\.size), $0) }
    withUnsafeMutableBytes(of: &pairs.packed) { store(axes.map(\.packed), $0) }
    withUnsafeMutableBytes(of: &pairs.full) { store(axes.map(\.full), $0) }
  }

  /// The pair that walks memory in the smallest steps runs inside, if it is not too wide; without one, an axis does.
  private func setExpansion(_ places: [Pair], _ axes: inout [(size: Int, packed: Int, full: Int)]) {
    var order = places.sorted { abs($0.v) > abs($1.v) }
    if order.count == 2, order[1].order > Int(HK_PAIR_INNER) { order.swapAt(0, 1) }
    guard let last = order.last else { return }
    let least = axes.indices.min { abs(axes[$0].full) < abs(axes[$1].full) }
    let runsInside = least.map { abs(axes[$0].full) >= abs(last.v) } ?? true
    if last.order <= Int(HK_PAIR_INNER), runsInside || order.count == 2 {
      set(1, last)
      if order.count == 2 { set(0, order[0]) }
      return
    }
    set(0, order[0])
    if let least {
      let axis = axes.remove(at: least)
      (pairs.run, pairs.packed_run, pairs.full_run) = (Int64(axis.size), Int64(axis.packed), Int64(axis.full))
    }
  }

  private func set(_ place: Int, _ pair: Pair) {
    if place == 0 {
      (pairs.order.0, pairs.packed_pair.0) = (Int64(pair.order), Int64(pair.packed))
      (pairs.full_u.0, pairs.full_v.0) = (Int64(pair.u), Int64(pair.v))
    } else {
      (pairs.order.1, pairs.packed_pair.1) = (Int64(pair.order), Int64(pair.packed))
      (pairs.full_u.1, pairs.full_v.1) = (Int64(pair.u), Int64(pair.v))
    }
  }

  private func store(_ values: [Int], _ bytes: UnsafeMutableRawBufferPointer) {
    for (k, value) in values.enumerated() {
      bytes.storeBytes(of: Int64(value), toByteOffset: 8 * k, as: Int64.self)
    }
  }

  override func run(_ memory: Memory) {
    switch memory.precision {
    case .f64:
      run(memory, Double.self, hk_pack_pairs_f64, hk_outer_pairs_f64, hk_expand_pairs_f64)
    case .f32:
      run(memory, Float.self, hk_pack_pairs_f32, hk_outer_pairs_f32, hk_expand_pairs_f32)
    }
  }

  private typealias Copy<T> = (UnsafePointer<hk_pairs>, UnsafePointer<T>, UnsafeMutablePointer<T>) -> Void
  private typealias Outer<T> = (
    UnsafePointer<hk_pairs>, UnsafePointer<T>, UnsafePointer<T>, UnsafeMutablePointer<T>
  ) -> Void

  private func run<T>(_ memory: Memory, _: T.Type, _ pack: Copy<T>, _ outer: Outer<T>, _ expand: Copy<T>) {
    let p = memory.pointer(packed.buffer, T.self) + packed.offset
    let f = memory.pointer(full.buffer, T.self) + full.offset
    switch direction {
    case .pack: pack(&pairs, f, p)
    case .outer: outer(&pairs, f, memory.pointer(other.buffer, T.self) + other.offset, p)
    case .expand, .add: expand(&pairs, p, f)
    }
  }

  override var multiplications: Double {
    guard direction == .outer else { return 0 }
    let (p, n) = (pairs, Double(pairs.order.0))
    let sizes = withUnsafeBytes(of: p.sizes) {
      $0.bindMemory(to: Int64.self).prefix(Int(p.dims)).map(Double.init)
    }
    return sizes.reduce(Double(p.run) * n * (n + 1) / 2, *)
  }

  override var summary: String {
    let verb: String
    switch direction {
    case .pack: verb = "pack"
    case .outer: return "outer pairs b\(full.buffer)·b\(other.buffer) → b\(packed.buffer)"
    case .add: verb = "add pairs"
    case .expand: verb = "expand pairs"
    }
    return "\(verb) b\(reads[0]) → b\(writes[0])"
  }
}
