import CKernels
import Graph
import Tensors

/// An operand of a product under way: one of the product's own factors, or what several of them gave.
struct ProductFactor {
  var access: Access
  var labels: Set<Label>
  /// Places of the factors that it is made of.
  var parts: [Int]
}

extension PlanBuilder {
  // MARK: Multiplying out

  /// Multiplies the factors out, two at a time, in the cheapest order; partial products that this plan has are used
  /// again.
  func multiplyOut(_ task: Contraction) throws {
    guard task.scatters.isEmpty else { return try scatter(task) }
    if task.factors.isEmpty { return try spread(task) }
    var factors = task.factors.enumerated().map { place, access in
      ProductFactor(access: access, labels: Set(access.strides.keys), parts: [place])
    }
    let lost = task.broadcast.filter { l in
      !task.result.contains(l) && !factors.contains { $0.labels.contains(l) }
    }
    let alpha = lost.reduce(task.alpha) { $0 * Double(task.sizes[$1] ?? 1) }
    if factors.count == 1 { return try multiply(factors[0], nil, alpha, task) }
    let products = PartialProducts(task)
    let path = ContractionPlanner(
      operands: factors.map { Array($0.labels) }, result: Array(task.result), sizes: task.sizes,
      isKnown: { self.partial.contains(products, subset: $0) }
    ).path()
    for (index, step) in path.steps.enumerated() {
      let (a, b) = (factors[step.left], factors[step.right])
      if index == path.steps.count - 1 {
        try multiply(a, b, alpha, task)
        if task.isNode, alpha == 1, !task.accumulate, !task.needsZero {
          partial.remember(products, parts: a.parts + b.parts, kept: task.result, at: task.out)
        }
        return
      }
      factors.append(try intermediate(a, b, factors, path.steps, index, products, task))
    }
  }

  /// One step on the way: a·b over the labels that something still needs.
  private func intermediate(
    _ a: ProductFactor, _ b: ProductFactor, _ factors: [ProductFactor], _ steps: [(left: Int, right: Int)],
    _ index: Int, _ products: PartialProducts, _ task: Contraction
  ) throws -> ProductFactor {
    let live = steps[(index + 1)...].flatMap { [$0.left, $0.right] }.filter { $0 < factors.count }
    let outside = live.reduce(into: task.result) { $0.formUnion(factors[$1].labels) }
    let kept = a.labels.union(b.labels).filter(outside.contains)
    let parts = a.parts + b.parts
    if let known = partial.access(products, parts: parts, kept: kept) {
      return ProductFactor(access: known, labels: kept, parts: parts)
    }
    let next = partner(of: factors.count, in: steps, after: index).flatMap {
      $0 < factors.count ? factors[$0] : nil
    }
    let order = intermediateOrder(kept, a.labels, b.labels, next, task.out)
    let shape = order.map { task.sizes[$0] ?? 1 }
    var part = Contraction(
      alpha: 1, out: Access(buffer: newBuffer(shape.elementCount), shape: shape, labels: order),
      accumulate: false)
    part.sizes = task.sizes
    part.result = kept
    part.sources = task.sources
    try multiply(a, b, 1, part)
    partial.remember(products, parts: parts, kept: kept, at: part.out)
    return ProductFactor(access: part.out, labels: kept, parts: parts)
  }

  /// A product of constants alone.
  private func spread(_ task: Contraction) throws {
    var program = LoopProgram(
      sizes: task.sizes.filter { task.result.contains($0.key) || task.broadcast.contains($0.key) })
    let value = program.constant(task.alpha)
    try emitFinal(program, value, task)
  }

  /// The place of what a coming step multiplies with the array at `place`.
  private func partner(of place: Int, in steps: [(left: Int, right: Int)], after index: Int) -> Int? {
    for step in steps[(index + 1)...] {
      if step.left == place { return step.right }
      if step.right == place { return step.left }
    }
    return nil
  }

  /// Batch labels first, then those of the left operand, then of the right, each as the result walks them. A product
  /// without a sum is written in any order: it takes the one in which the array that it meets next walks what they
  /// share.
  private func intermediateOrder(
    _ kept: Set<Label>, _ a: Set<Label>, _ b: Set<Label>, _ partner: ProductFactor?, _ out: Access
  ) -> [Label] {
    func walked(_ labels: Set<Label>) -> [Label] {
      labels.sorted { (-abs(out[$0]), $0) < (-abs(out[$1]), $1) }
    }
    if let partner, a.union(b).isSubset(of: kept) {
      let shared = kept.filter(partner.labels.contains).sorted {
        (abs(partner.access[$0]), $1) > (abs(partner.access[$1]), $0)
      }
      return shared + walked(kept.subtracting(partner.labels))
    }
    let both = kept.intersection(a).intersection(b)
    let summedLater = kept.filter { out.strides[$0] == nil }
    if a.union(b).isSubset(of: kept), summedLater == both {
      return both.sorted() + walked(kept.subtracting(both))
    }
    return both.sorted() + kept.intersection(a).subtracting(both).sorted() + kept.subtracting(a).sorted()
  }

  /// alpha · a · b (b may be absent) into the task's result.
  private func multiply(_ a: ProductFactor, _ b: ProductFactor?, _ alpha: Double, _ task: Contraction) throws
  {
    if let b {
      if try pairedProduct(a, b, alpha, task) { return }
      if try matrixProduct(a.access, b.access, a.labels, b.labels, alpha, task) { return }
    }
    let labels = a.labels.union(b?.labels ?? [])
    var program = LoopProgram(
      sizes: task.sizes.filter { labels.contains($0.key) || task.result.contains($0.key) })
    var value = program.load(a.access)
    if let b { value = program.apply(HK_MUL, value, program.load(b.access)) }
    if alpha != 1 { value = program.apply(HK_MUL_CONSTANT, value, imm: alpha) }
    try emitFinal(program, value, task)
  }
}
