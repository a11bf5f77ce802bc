import CKernels
import Graph
import Tensors

/// Two labels of one size in which an array is symmetric.
private struct LabelPair {
  let u, v: Label
  let order: Int
  /// The label of the pairs u ≤ v.
  let packed: Label
  var count: Int { order * (order + 1) / 2 }
}

extension PlanBuilder {
  /// Products below this many multiplications are not worth the proof.
  private static var pairedWork: Int { 300_000 }

  /// A matrix product whose operands are symmetric in two of their labels (xₙᵢxₙⱼ in i and j, a layer's Hessian in its
  /// outputs): each pair is multiplied once, and the result is written in both places. A quarter of the work when
  /// both operands are symmetric.
  func pairedProduct(_ a: ProductFactor, _ b: ProductFactor, _ alpha: Double, _ task: Contraction) throws
    -> Bool
  {
    guard let groups = plainGroups(a.labels, b.labels, task) else { return false }
    var left = symmetricPair(groups.m, a, task)
    var right = symmetricPair(groups.n, b, task)
    if let x = left, let y = right, min(x.order, y.order) > Int(HK_PAIR_INNER) {
      // One of two pairs runs inside a block of limited size.
      if x.order > y.order { right = nil } else { left = nil }
    }
    guard left != nil || right != nil else { return false }
    var sizes = task.sizes
    for pair in [left, right].compactMap({ $0 }) { sizes[pair.packed] = pair.count }
    let x = try left.map { try packed(a.access, groups.k, groups.m, $0, &sizes) } ?? a.access
    let y = try right.map { try packed(b.access, groups.k, groups.n, $0, &sizes) } ?? b.access
    let m = left.map { pair in groups.m.filter { $0 != pair.u && $0 != pair.v } + [pair.packed] } ?? groups.m
    let n = right.map { pair in groups.n.filter { $0 != pair.u && $0 != pair.v } + [pair.packed] } ?? groups.n
    let shape = (m + n).map { sizes[$0] ?? 1 }
    var part = Contraction(
      alpha: alpha, out: Access(buffer: newBuffer(shape.elementCount), shape: shape, labels: m + n),
      accumulate: false)
    part.sizes = sizes
    part.result = Set(m + n)
    try emitProduct(x, y, Groups(batch: [], m: m, n: n, k: groups.k), alpha, part)
    let plain = (m + n).filter { $0 != left?.packed && $0 != right?.packed }
    expand(part.out, [left, right].compactMap { $0 }, plain, sizes, into: task.out, task.accumulate)
    return true
  }

  /// The labels of a plain product large enough; nil when one side sums alone, or both keep a label.
  private func plainGroups(_ la: Set<Label>, _ lb: Set<Label>, _ task: Contraction) -> Groups? {
    func live(_ labels: Set<Label>) -> [Label] { labels.filter { task.sizes[$0] ?? 1 > 1 }.sorted() }
    let shared = la.intersection(lb)
    guard live(shared.intersection(task.result)).isEmpty,
      live(la.union(lb).subtracting(shared).subtracting(task.result)).isEmpty,
      live(task.result.subtracting(la).subtracting(lb)).isEmpty
    else { return nil }
    let m = live(la.subtracting(lb))
    let n = live(lb.subtracting(la))
    let work = (live(shared) + m + n).reduce(1) { $0 * (task.sizes[$1] ?? 1) }
    guard work >= Self.pairedWork, m.count + n.count <= Int(HK_PAIR_DIMS), !shared.isEmpty else { return nil }
    return Groups(batch: [], m: m, n: n, k: live(shared))
  }

  private func symmetricPair(_ labels: [Label], _ factor: ProductFactor, _ task: Contraction) -> LabelPair? {
    let operands = factor.parts.compactMap { task.sources[$0] }
    guard operands.count == factor.parts.count, labels.count >= 2 else { return nil }
    for (index, u) in labels.enumerated() {
      for v in labels[(index + 1)...] where task.sizes[u] == task.sizes[v] {
        let order = task.sizes[u] ?? 1
        guard order >= 4, prover.isInvariant(operands, outer: factor.labels, exchanging: u, v) else {
          continue
        }
        // The one that walks the result in smaller steps comes second, and runs inside.
        let (first, second) = abs(task.out[u]) < abs(task.out[v]) ? (v, u) : (u, v)
        return LabelPair(u: first, v: second, order: order, packed: -1 - first)
      }
    }
    return nil
  }

  /// The upper half of an operand, summed labels outermost.
  private func packed(
    _ x: Access, _ k: [Label], _ labels: [Label], _ pair: LabelPair, _ sizes: inout [Label: Int]
  ) throws -> Access {
    let plain =
      k.sorted { (abs(x[$0]), $1) > (abs(x[$1]), $0) } + labels.filter { $0 != pair.u && $0 != pair.v }
    let order = plain + [pair.packed]
    let shape = order.map { sizes[$0] ?? 1 }
    let out = Access(buffer: newBuffer(shape.elementCount), shape: shape, labels: order)
    emit(
      PairInstruction(.pack, packed: out, full: x, pairs: [pair.places(out, x)], plain: plain, sizes: sizes))
    return out
  }

  private func expand(
    _ packed: Access, _ pairs: [LabelPair], _ plain: [Label], _ sizes: [Label: Int], into out: Access,
    _ accumulates: Bool
  ) {
    let places = pairs.map { $0.places(packed, out) }
    emit(
      PairInstruction(
        accumulates ? .add : .expand, packed: packed, full: out, pairs: places, plain: plain, sizes: sizes))
  }
}

extension LabelPair {
  fileprivate func places(_ packed: Access, _ full: Access) -> PairInstruction.Pair {
    PairInstruction.Pair(order: order, packed: packed[self.packed], u: full[u], v: full[v])
  }
}

/// Copies between a full array and one that keeps each pair of two symmetric axes once.
final class PairInstruction: Instruction {
  enum Direction { case pack, expand, add }

  /// Strides of a pair's axis in the packed array, and of its two axes in the full one.
  struct Pair {
    let order, packed, u, v: Int
  }

  private var pairs = hk_pairs()
  private let direction: Direction
  private let packed: (buffer: Int, offset: Int)
  private let full: (buffer: Int, offset: Int)

  init(
    _ direction: Direction, packed: Access, full: Access, pairs places: [Pair], plain: [Label],
    sizes: [Label: Int]
  ) {
    self.direction = direction
    self.packed = (packed.buffer, packed.offset)
    self.full = (full.buffer, full.offset)
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
      let p = memory.pointer(packed.buffer, Double.self) + packed.offset
      let f = memory.pointer(full.buffer, Double.self) + full.offset
      if direction == .pack { hk_pack_pairs_f64(&pairs, f, p) } else { hk_expand_pairs_f64(&pairs, p, f) }
    case .f32:
      let p = memory.pointer(packed.buffer, Float.self) + packed.offset
      let f = memory.pointer(full.buffer, Float.self) + full.offset
      if direction == .pack { hk_pack_pairs_f32(&pairs, f, p) } else { hk_expand_pairs_f32(&pairs, p, f) }
    }
  }

  override var summary: String {
    let verb = direction == .pack ? "pack" : direction == .add ? "add pairs" : "expand pairs"
    return "\(verb) b\(reads[0]) → b\(writes[0])"
  }
}
