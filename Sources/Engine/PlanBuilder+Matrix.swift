import CKernels
import Graph
import Tensors

extension PlanBuilder {
  /// Products below this many multiplications run as a plain loop.
  private static var gemmThreshold: Int { 512 }

  /// Lowers a product of two arrays to matrix products, packing what does not lie right. False when a plain loop
  /// is better.
  func matrixProduct(
    _ a: Access, _ b: Access, _ la: Set<Label>, _ lb: Set<Label>, _ alpha: Double, _ task: Contraction
  ) throws -> Bool {
    func live(_ labels: Set<Label>) -> [Label] { labels.filter { task.sizes[$0] ?? 1 > 1 }.sorted() }
    let k = live(la.intersection(lb).subtracting(task.result))
    let batch = live(la.intersection(lb).intersection(task.result))
    var (la, lb) = (la, lb)
    let m = live(la.subtracting(lb).intersection(task.result))
    let n = live(lb.subtracting(la).intersection(task.result))
    let size = { (labels: [Label]) -> Int in labels.reduce(1) { $0 * (task.sizes[$1] ?? 1) } }
    let work = size(m) * size(n) * size(k)
    guard size(k) > 1, size(m) > 1 || size(n) > 1, work >= Self.gemmThreshold, work * size(batch) >= 4096,
      live(task.result.subtracting(la).subtracting(lb)).isEmpty
    else { return false }
    let groups = Groups(
      batch: ordered(batch, task.out), m: ordered(m, task.out), n: ordered(n, task.out), k: k)
    let isPlain = live(la.subtracting(k + batch + m)).isEmpty && live(lb.subtracting(k + batch + n)).isEmpty
    if isPlain, isCopiedForVector(a, b, groups, task.sizes) { return false }
    // Labels that one side alone sums are summed first.
    let left = try presummed(a, &la, keeping: Set(k + batch + m), task.sizes)
    let right = try presummed(b, &lb, keeping: Set(k + batch + n), task.sizes)
    try emitProduct(left, right, groups, alpha, task)
    return true
  }

  /// A matrix times a vector reads the matrix once: where that would have to be copied first, a loop is faster.
  private func isCopiedForVector(_ a: Access, _ b: Access, _ groups: Groups, _ sizes: [Label: Int]) -> Bool {
    let (rows, columns) = (groups.m.isEmpty, groups.n.isEmpty)
    guard rows != columns else { return false }
    let k = commonOrder(groups.k, a, b, sizes)
    return rows
      ? matrix(b, k, groups.n, groups.batch, sizes) == nil
      : matrix(a, groups.m, k, groups.batch, sizes) == nil
  }

  struct Groups {
    var batch, m, n, k: [Label]
  }

  /// Rows and columns that do not lie as one dimension are taken one at a time, as entries of a batch, where that
  /// costs less than copies.
  private func split(_ groups: Groups, _ a: Access, _ b: Access, _ task: Contraction) -> Groups {
    let movable = groups.m + groups.n
    guard movable.count <= 6 else { return groups }
    var best = (groups: groups, cost: cost(groups, a, b, task))
    guard best.cost.copied > 0 else { return groups }
    for subset in 1..<(1 << movable.count) {
      let moved = movable.indices.filter { subset >> $0 & 1 == 1 }.map { movable[$0] }
      var candidate = groups
      candidate.m.removeAll(where: moved.contains)
      candidate.n.removeAll(where: moved.contains)
      guard candidate.m.isEmpty == groups.m.isEmpty, candidate.n.isEmpty == groups.n.isEmpty else { continue }
      candidate.batch = ordered(groups.batch + moved, task.out)
      let cost = cost(candidate, a, b, task)
      if cost.total < best.cost.total { best = (candidate, cost) }
    }
    return best.groups
  }

  /// In multiplications: copies of operands and of the result, and what a small product takes longer.
  private func cost(_ groups: Groups, _ a: Access, _ b: Access, _ task: Contraction) -> (
    total: Double, copied: Double
  ) {
    func size(_ labels: [Label]) -> Double { labels.reduce(1) { $0 * Double(task.sizes[$1] ?? 1) } }
    func copies(_ x: Access, _ rows: [Label], _ columns: [Label]) -> Double {
      if matrix(x, rows, columns, groups.batch, task.sizes) != nil { return 0 }
      return Self.copyCost * size((groups.batch + rows + columns).filter { x[$0] != 0 })
    }
    let k = commonOrder(groups.k, a, b, task.sizes)
    let copied = copies(a, groups.m, k) + copies(b, k, groups.n) + copies(task.out, groups.m, groups.n)
    let (m, n, count) = (size(groups.m), size(groups.n), size(groups.batch))
    let work = count * m * n * size(k)
    return (work * (1 + 4 / m + 4 / n) + Self.callCost * count + copied, copied)
  }

  /// Multiplications in the time that an entry takes to be copied out of order, and in that of one call.
  private static var copyCost: Double { 24 }
  private static var callCost: Double { 400 }

  private func ordered(_ labels: [Label], _ access: Access) -> [Label] {
    labels.sorted { (abs(access[$0]), $1) > (abs(access[$1]), $0) }
  }

  private func presummed(_ x: Access, _ labels: inout Set<Label>, keeping: Set<Label>, _ sizes: [Label: Int])
    throws -> Access
  {
    let lone = labels.filter { !keeping.contains($0) && sizes[$0] ?? 1 > 1 }
    guard !lone.isEmpty else { return x }
    let kept = labels.subtracting(lone).filter { sizes[$0] ?? 1 > 1 }.sorted()
    let shape = kept.map { sizes[$0] ?? 1 }
    let out = Access(buffer: newBuffer(shape.elementCount), shape: shape, labels: kept)
    var program = LoopProgram(sizes: sizes.filter { labels.contains($0.key) })
    let value = program.load(x)
    try emit(program, [(out, value, HK_ACCUMULATE)], startsReduction: true)
    labels.subtract(lone)
    return out
  }

  /// A copy with the labels in the given order.
  func arranged(_ x: Access, _ labels: [Label], _ sizes: [Label: Int]) throws -> Access {
    let shape = labels.map { sizes[$0] ?? 1 }
    let out = Access(buffer: newBuffer(shape.elementCount), shape: shape, labels: labels)
    var program = LoopProgram(sizes: sizes.filter { labels.contains($0.key) })
    let value = program.load(x)
    try emit(program, [(out, value, HK_STORE)])
    return out
  }

  func emitProduct(_ a: Access, _ b: Access, _ groups: Groups, _ alpha: Double, _ task: Contraction)
    throws
  {
    var groups = split(groups, a, b, task)
    groups.k = commonOrder(groups.k, a, b, task.sizes)
    var (a, b) = (a, b)
    if matrix(a, groups.m, groups.k, groups.batch, task.sizes) == nil {
      a = try arranged(a, groups.batch.filter { a[$0] != 0 } + groups.m + groups.k, task.sizes)
    }
    if matrix(b, groups.k, groups.n, groups.batch, task.sizes) == nil {
      b = try arranged(b, groups.batch.filter { b[$0] != 0 } + groups.k + groups.n, task.sizes)
    }
    let direct = matrix(task.out, groups.m, groups.n, groups.batch, task.sizes)
    var target = task.out
    if direct == nil {
      let order = groups.batch + groups.m + groups.n
      let shape = order.map { task.sizes[$0] ?? 1 }
      target = Access(buffer: newBuffer(shape.elementCount), shape: shape, labels: order)
    }
    try emitGemm(a, b, target, groups, alpha, task.sizes, accumulate: direct != nil && task.accumulate)
    guard direct == nil else { return }
    var program = LoopProgram(
      sizes: task.sizes.filter { (groups.batch + groups.m + groups.n).contains($0.key) })
    let value = program.load(target)
    try emit(program, [(task.out, value, task.accumulate ? HK_ACCUMULATE : HK_STORE)])
  }

  private func emitGemm(
    _ a: Access, _ b: Access, _ c: Access, _ groups: Groups, _ alpha: Double, _ sizes: [Label: Int],
    accumulate: Bool
  ) throws {
    guard let ma = matrix(a, groups.m, groups.k, groups.batch, sizes),
      let mb = matrix(b, groups.k, groups.n, groups.batch, sizes),
      let mc = matrix(c, groups.m, groups.n, groups.batch, sizes)
    else { throw EngineError.tooComplex("layout of a matrix product") }
    let size = { (labels: [Label]) -> Int in labels.reduce(1) { $0 * (sizes[$1] ?? 1) } }
    let extents = { (labels: [Label]) -> [Int] in labels.map { sizes[$0] ?? 1 } }
    let batch = extents(groups.batch)
    // A column-major result is the transposed product.
    var (x, y, z) = mc.transposed ? (mb, ma, mc) : (ma, mb, mc)
    if mc.transposed {
      x.transposed.toggle()
      y.transposed.toggle()
      z.transposed = false
    }
    let (rows, columns) = mc.transposed ? (groups.n, groups.m) : (groups.m, groups.n)
    let skipping =
      batch.isEmpty
      ? ZeroSkipping(
        rows: extents(rows), n: size(columns), k: size(groups.k), precision, newBuffer: newBuffer)
      : nil
    emit(
      GemmInstruction(
        x, y, z, m: size(rows), n: size(columns), k: size(groups.k), batch: batch, alpha: alpha,
        accumulate: accumulate, skipping: skipping))
  }

  /// An order of the summed labels in which both operands walk them as one dimension, if there is one.
  private func commonOrder(_ labels: [Label], _ a: Access, _ b: Access, _ sizes: [Label: Int]) -> [Label] {
    let byA = ordered(labels, a)
    let byB = ordered(labels, b)
    if b.merged(byA, sizes) != nil { return byA }
    if a.merged(byB, sizes) != nil { return byB }
    return byA
  }

  /// The array as a row-major (or transposed) matrix rows × columns, or nil when it must be packed.
  private func matrix(
    _ x: Access, _ rows: [Label], _ columns: [Label], _ batch: [Label], _ sizes: [Label: Int]
  ) -> GemmInstruction.Matrix? {
    guard let r = x.merged(rows, sizes), let c = x.merged(columns, sizes) else { return nil }
    let strides = batch.map { x[$0] }
    func made(_ leading: Int, _ transposed: Bool) -> GemmInstruction.Matrix {
      GemmInstruction.Matrix(
        buffer: x.buffer, offset: x.offset, leading: leading, transposed: transposed, batchStrides: strides)
    }
    if c.stride == 1 || c.size == 1 {
      if r.size == 1 { return made(max(c.size, 1), false) }
      if r.stride >= c.size && (c.size > 1 || r.stride >= 1) { return made(r.stride, false) }
    }
    if r.stride == 1 || r.size == 1 {
      if c.size == 1 { return made(max(r.size, 1), true) }
      if c.stride >= r.size { return made(c.stride, true) }
    }
    return nil
  }
}
