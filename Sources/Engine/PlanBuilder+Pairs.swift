import CKernels
import Graph
import Tensors

/// Two labels of one size in which an array is symmetric.
struct LabelPair {
  let u, v: Label
  let order: Int
  /// The label of the pairs u ≤ v.
  let packed: Label
  var count: Int { order * (order + 1) / 2 }
  /// The part of all places that the pairs are.
  var share: Double { Double(count) / Double(order * order) }
}

/// first[…, u, run] · second[…, v, run] for the pairs u ≤ v alone, in which it is symmetric.
struct OuterPairs {
  let first, second: Access
  let pair: LabelPair
  let plain: [Label]
  let run: Label

  /// The axes of an array of it, outermost first.
  var order: [Label] { [pair.packed] + plain + [run] }

  func access(buffer: Int, _ sizes: [Label: Int]) -> Access {
    let shape = order.map { $0 == pair.packed ? pair.count : sizes[$0] ?? 1 }
    return Access(buffer: buffer, shape: shape, labels: order)
  }
}

/// A matrix product one or both of whose operands are symmetric in two labels.
struct PairedProduct {
  var groups: PlanBuilder.Groups
  var left, right: LabelPair?
  var pairs: [LabelPair] { [left, right].compactMap { $0 } }
  /// The part of the multiplications that is left.
  var share: Double { pairs.reduce(1) { $0 * $1.share } }
}

extension PlanBuilder {
  /// What a product of two groups of factors is when some of its labels come in pairs (xₙᵢxₙⱼ in i and j, a layer's
  /// Hessian in its outputs): nil for others, and for products too small for that.
  func pairing(
    _ a: (labels: Set<Label>, parts: [Int]), _ b: (labels: Set<Label>, parts: [Int]), _ task: Contraction
  ) -> PairedProduct? {
    guard let groups = plainGroups(a.labels, b.labels, task) else { return nil }
    func pair(_ labels: [Label], _ side: (labels: Set<Label>, parts: [Int])) -> LabelPair? {
      let operands = side.parts.compactMap { task.sources[$0] }
      guard operands.count == side.parts.count,
        let (u, v) = prover.symmetricPair(operands, outer: side.labels, among: labels, task.sizes)
      else { return nil }
      // The one that walks the result in smaller steps comes second, and runs inside.
      let (first, second) = abs(task.out[u]) < abs(task.out[v]) ? (v, u) : (u, v)
      return LabelPair(u: first, v: second, order: task.sizes[u] ?? 1, packed: -1 - first)
    }
    var result = PairedProduct(groups: groups, left: pair(groups.m, a), right: pair(groups.n, b))
    if let x = result.left, let y = result.right, min(x.order, y.order) > Int(HK_PAIR_INNER) {
      // One of two pairs runs inside a block of limited size.
      if x.order > y.order { result.right = nil } else { result.left = nil }
    }
    return result.pairs.isEmpty ? nil : result
  }

  /// A product whose operands are symmetric in two of their labels: each pair is multiplied once, and the result is
  /// written in both places. A quarter of the work when both operands are symmetric.
  func pairedProduct(_ a: ProductFactor, _ b: ProductFactor, _ alpha: Double, _ task: Contraction) throws
    -> Bool
  {
    guard let product = pairing((a.labels, a.parts), (b.labels, b.parts), task) else { return false }
    let groups = product.groups
    var sizes = task.sizes
    for pair in product.pairs { sizes[pair.packed] = pair.count }
    if outerProduct(a, b, product, alpha, sizes, task) { return true }
    func side(_ factor: ProductFactor, _ labels: [Label], _ pair: LabelPair?) -> (Access, [Label]) {
      guard let pair else { return (factor.access, labels) }
      let kept = labels.filter { $0 != pair.u && $0 != pair.v } + [pair.packed]
      return (packed(factor, groups.k, kept, pair, sizes), kept)
    }
    let (x, m) = side(a, groups.m, product.left)
    let (y, n) = side(b, groups.n, product.right)
    let shape = (m + n).map { sizes[$0] ?? 1 }
    var part = Contraction(
      alpha: alpha, out: Access(buffer: newBuffer(shape.elementCount), shape: shape, labels: m + n),
      accumulate: false)
    part.sizes = sizes
    part.result = Set(m + n)
    try emitProduct(x, y, Groups(batch: [], m: m, n: n, k: groups.k), alpha, part)
    let plain = (m + n).filter { label in !product.pairs.contains { $0.packed == label } }
    expand(part.out, product.pairs, plain, sizes, into: task.out, task.accumulate)
    return true
  }

  /// A paired product one of whose operands is an outer product: a few rows of it are made at a time, multiplied and
  /// written, and nothing of that size is stored. False where the other pair does not run along the result's memory,
  /// or is too wide.
  private func outerProduct(
    _ a: ProductFactor, _ b: ProductFactor, _ product: PairedProduct, _ alpha: Double, _ sizes: [Label: Int],
    _ task: Contraction
  ) -> Bool {
    guard let left = product.left, let right = product.right, let k = product.groups.k.first,
      product.groups.k.count == 1, product.groups.m.count == 2, product.groups.n.count == 2
    else { return false }
    let sides = a.outer != nil ? (rows: a, columns: b) : (rows: b, columns: a)
    let pairs = a.outer != nil ? (rows: left, columns: right) : (rows: right, columns: left)
    guard let outer = sides.rows.outer, outer.plain.isEmpty, pairs.columns.order <= Int(HK_PAIR_COLUMNS),
      abs(task.out[pairs.columns.v]) <= abs(task.out[pairs.rows.v])
    else { return false }
    let columns = packed(sides.columns, [k], [pairs.columns.packed], pairs.columns, sizes)
    emit(
      PairProductInstruction(
        outer, columns, pairs.columns, k: k, alpha: alpha, out: task.out, adds: task.accumulate, sizes: sizes,
        precision: precision
      ) { self.newBuffer($0) })
    return true
  }

  /// Of an operand x·y of a paired product, where one factor has the first label of the pair and the other the
  /// second, only the upper half is made, and only when it is used. Nil for other operands.
  func packedOuter(
    _ x: ProductFactor, _ y: ProductFactor, kept: Set<Label>, for use: PairedUse?, _ task: Contraction
  )
    throws -> ProductFactor?
  {
    guard let (pair, k) = use, x.labels.union(y.labels) == kept else { return nil }
    func has(_ factor: ProductFactor, _ own: Label, _ other: Label) -> Bool {
      factor.labels.contains(own) && !factor.labels.contains(other)
    }
    let (a, b): (ProductFactor, ProductFactor)
    if has(x, pair.u, pair.v), has(y, pair.v, pair.u) {
      (a, b) = (x, y)
    } else if has(y, pair.u, pair.v), has(x, pair.v, pair.u) {
      (a, b) = (y, x)
    } else {
      return nil
    }
    let sizes = task.sizes
    let live = kept.filter { sizes[$0] ?? 1 > 1 && $0 != pair.u && $0 != pair.v }
    guard let run = live.intersection(k).max(by: { (sizes[$0] ?? 1, $1) < (sizes[$1] ?? 1, $0) }),
      live.count <= Int(HK_PAIR_DIMS)
    else { return nil }
    // Summed labels innermost: matrix products with few columns read such rows faster.
    let plain = live.subtracting(k).sorted() + live.intersection(k).subtracting([run]).sorted()
    let outer = OuterPairs(
      first: try walking(run, a, sizes), second: try walking(run, b, sizes), pair: pair, plain: plain,
      run: run)
    return ProductFactor(
      access: outer.access(buffer: Access.noBuffer, sizes), labels: kept, parts: x.parts + y.parts,
      outer: outer)
  }

  /// An operand in whose memory this label, if it has it, takes the smallest steps.
  private func walking(_ label: Label, _ x: ProductFactor, _ sizes: [Label: Int]) throws -> Access {
    if abs(x.access[label]) <= 1 { return x.access }
    let others = x.labels.filter { $0 != label && sizes[$0] ?? 1 > 1 }
    return try arranged(x.access, others.sorted() + [label], sizes)
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
    let work = (live(shared) + m + n).reduce(1) { $0 * Double(task.sizes[$1] ?? 1) }
    guard work >= ContractionPlanner.pairedWork, m.count + n.count <= Int(HK_PAIR_DIMS), !shared.isEmpty
    else { return nil }
    return Groups(batch: [], m: m, n: n, k: live(shared))
  }

  /// The upper half of an operand over its summed labels, outermost, and `labels`, the pair's last; an outer product
  /// with its summed labels innermost.
  private func packed(
    _ x: ProductFactor, _ k: [Label], _ labels: [Label], _ pair: LabelPair, _ sizes: [Label: Int]
  ) -> Access {
    if let outer = x.outer {
      let count = outer.order.reduce(1) { $0 * (sizes[$1] ?? 1) }
      let out = outer.access(buffer: newBuffer(count), sizes)
      emit(PairInstruction(outer, packed: out, sizes: sizes))
      return out
    }
    let order = k.sorted { (abs(x.access[$0]), $1) > (abs(x.access[$1]), $0) } + labels
    let shape = order.map { sizes[$0] ?? 1 }
    let out = Access(buffer: newBuffer(shape.elementCount), shape: shape, labels: order)
    emit(
      PairInstruction(
        .pack, packed: out, full: x.access, pairs: [pair.places(out, x.access)],
        plain: Array(order.dropLast()),
        sizes: sizes))
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

/// The pair of an operand of a paired product, and the labels that the product sums.
typealias PairedUse = (pair: LabelPair, summed: [Label])

extension LabelPair {
  fileprivate func places(_ packed: Access, _ full: Access) -> PairInstruction.Pair {
    PairInstruction.Pair(order: order, packed: packed[self.packed], u: full[u], v: full[v])
  }
}
