import CKernels
import Graph
import Tensors

/// An operand of a product under way: one of the product's own factors, or what several of them gave.
struct ProductFactor {
  var access: Access
  var labels: Set<Label>
  /// Places of the factors that it is made of.
  var parts: [Int]
  /// An outer product that is not made yet, for pairs of two of the labels.
  var outer: OuterPairs?
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
    if try gramProduct(alpha, task) { return }
    let products = PartialProducts(task)
    if alpha == 1, let node = task.node, isKnown(node, products, task) { return }
    let path = ContractionPlanner(
      operands: factors.map { Array($0.labels) }, result: Array(task.result), sizes: task.sizes,
      layout: walked(task.result, by: task.out), isKnown: { self.partial.contains(products, subset: $0) },
      share: { self.pairing(products.side($0), products.side($1), task)?.share ?? 1 }
    ).path()
    let needed = neededSteps(path.steps, products)
    let uses = pairedUses(path.steps, products, task)
    for (index, step) in path.steps.enumerated() {
      let (a, b) = (factors[step.left], factors[step.right])
      guard needed[index] else {
        // Nothing reads it: a product that is known already takes its place.
        factors.append(ProductFactor(access: a.access, labels: [], parts: a.parts + b.parts))
        continue
      }
      if index == path.steps.count - 1 {
        try multiply(a, b, alpha, task)
        if task.node != nil, alpha == 1, !task.accumulate, !task.needsZero {
          partial.remember(products, parts: a.parts + b.parts, kept: task.result, at: task.out)
        }
        return
      }
      let kept = products.kept(a.parts + b.parts)
      let packed = try packedOuter(a, b, kept: kept, for: uses[factors.count], task)
      factors.append(try packed ?? intermediate(a, b, factors, path.steps, index, products, task))
    }
  }

  /// The operands of the last step, by their places, that it takes by pairs of labels.
  private func pairedUses(
    _ steps: [(left: Int, right: Int)], _ products: PartialProducts, _ task: Contraction
  ) -> [Int: PairedUse] {
    guard steps.count > 1, let last = steps.last else { return [:] }
    let parts = parts(steps, products)
    let (left, right) = (products.side(parts[last.left]), products.side(parts[last.right]))
    guard let product = pairing(left, right, task) else { return [:] }
    var uses: [Int: PairedUse] = [:]
    if let pair = product.left { uses[last.left] = (pair, product.groups.k) }
    if let pair = product.right { uses[last.right] = (pair, product.groups.k) }
    return uses
  }

  /// The factors of each array of a path, the given ones first.
  private func parts(_ steps: [(left: Int, right: Int)], _ products: PartialProducts) -> [[Int]] {
    steps.reduce(into: products.factors.indices.map { [$0] }) { $0.append($0[$1.left] + $0[$1.right]) }
  }

  /// A node that another product made on its way is that array.
  private func isKnown(_ node: NodeID, _ products: PartialProducts, _ task: Contraction) -> Bool {
    let isOwn = bufferOf[node] == task.out.buffer && regions[node] == nil && assemblies[node] == nil
    guard isOwn, task.substitutions.isEmpty, !task.accumulate, !task.needsZero,
      !outputs.contains(where: { resolved($0) == node }),
      let known = partial.access(
        products, parts: Array(products.factors.indices), kept: products.kept(Array(products.factors.indices))
      ),
      task.result.allSatisfy({ known.strides[$0] != nil })
    else { return false }
    bufferOf[node] = nil
    views[node] = known
    return true
  }

  /// The steps that have to be run: what leads only to products that the plan has already is left out.
  private func neededSteps(_ steps: [(left: Int, right: Int)], _ products: PartialProducts) -> [Bool] {
    let given = products.factors.count
    let parts = parts(steps, products)
    var needed = [Bool](repeating: false, count: steps.count)
    needed[steps.count - 1] = true
    for (index, step) in steps.enumerated().reversed() where needed[index] {
      let own = parts[given + index]
      let isLast = index == steps.count - 1
      if !isLast, partial.access(products, parts: own, kept: products.kept(own)) != nil { continue }
      for place in [step.left, step.right] where place >= given { needed[place - given] = true }
    }
    return needed
  }

  /// One step on the way: a·b over the labels that something still needs.
  private func intermediate(
    _ a: ProductFactor, _ b: ProductFactor, _ factors: [ProductFactor], _ steps: [(left: Int, right: Int)],
    _ index: Int, _ products: PartialProducts, _ task: Contraction
  ) throws -> ProductFactor {
    let parts = a.parts + b.parts
    let kept = products.kept(parts)
    if let known = partial.access(products, parts: parts, kept: kept) {
      return ProductFactor(access: known, labels: kept, parts: parts)
    }
    let next = partner(of: factors.count, in: steps, after: index).flatMap {
      $0 < factors.count ? factors[$0] : nil
    }
    let order = intermediateOrder(kept, a, b, next, task)
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

  /// Batch labels first, then those of the left operand, then of the right, or of the right and then of the left where
  /// an array that it meets next, entry by entry, is walked so. A product without a sum is written in any order: it
  /// takes one in which the array that it meets next walks what they share.
  private func intermediateOrder(
    _ kept: Set<Label>, _ a: ProductFactor, _ b: ProductFactor, _ partner: ProductFactor?, _ task: Contraction
  ) -> [Label] {
    func walked(_ labels: Set<Label>) -> [Label] { self.walked(labels, by: task.out) }
    let isOuter = a.labels.union(b.labels).isSubset(of: kept)
    if isOuter, let partner {
      let shared = kept.filter(partner.labels.contains).sorted {
        (abs(partner.access[$0]), $1) > (abs(partner.access[$1]), $0)
      }
      let own = walked(kept.subtracting(partner.labels))
      return closest([shared + own, own + shared], to: [a, b], task.sizes)
    }
    let both = kept.intersection(a.labels).intersection(b.labels)
    if isOuter, both == kept.filter({ task.out.strides[$0] == nil }) {
      return both.sorted() + walked(kept.subtracting(both))
    }
    let left = kept.intersection(a.labels).subtracting(both).sorted()
    let right = kept.subtracting(a.labels).sorted()
    let (own, exchanged) = (both.sorted() + left + right, both.sorted() + right + left)
    guard let partner, partner.labels.isSubset(of: kept) else { return own }
    return closest([own, exchanged], to: [partner], task.sizes)
  }

  private func walked(_ labels: Set<Label>, by access: Access) -> [Label] {
    labels.sorted { (-abs(access[$0]), $0) < (-abs(access[$1]), $1) }
  }

  /// Entries along memory from which a loop over them is as good as any.
  private static let longRun = 16

  /// Of some orders the one in which the larger operands are read along their memory, in runs that are not short; the
  /// first of equals.
  private func closest(_ orders: [[Label]], to operands: [ProductFactor], _ sizes: [Label: Int]) -> [Label] {
    func gain(_ order: [Label]) -> Int {
      guard let inner = order.last(where: { sizes[$0] ?? 1 > 1 }) else { return 0 }
      let entries = operands.reduce(0) { total, operand in
        let entries = operand.labels.reduce(1) { $0 * (sizes[$1] ?? 1) }
        return total + (abs(operand.access[inner]) <= 1 ? entries : 0)
      }
      return entries * min(sizes[inner] ?? 1, Self.longRun)
    }
    return orders.dropFirst().reduce(orders[0]) { gain($1) > gain($0) ? $1 : $0 }
  }

  /// alpha · a · b (b may be absent) into the task's result.
  private func multiply(_ a: ProductFactor, _ b: ProductFactor?, _ alpha: Double, _ task: Contraction) throws
  {
    if let b {
      if try pairedProduct(a, b, alpha, task) { return }
      // An operand made for its pairs alone is nothing else: never a wrong product.
      if a.outer != nil || b.outer != nil { throw EngineError.tooComplex("product of symmetric arrays") }
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
