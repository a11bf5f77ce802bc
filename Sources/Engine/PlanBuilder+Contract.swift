import CKernels
import Graph
import Tensors

extension PlanBuilder {
  /// alpha · Σ Π operands into `out` (strides by the labels of `result`). Selectors become strided views, index
  /// tables gathers and scatters; what remains is multiplied out two at a time.
  func contract(
    _ alpha: Double, _ operands: [Operand], to result: [Label], _ shape: Shape, into out: Access, accumulate: Bool
  ) throws {
    var task = Contraction(alpha: alpha, out: out, accumulate: accumulate)
    for (label, n) in zip(result, shape) { task.sizes[label] = n }
    task.result = Set(result)
    task.nextLabel = ((operands.flatMap(\.labels) + result).max() ?? -1) + 1
    try collect(operands, into: &task)
    try resolveSelectors(&task)
    try resolveTables(&task)
    let outCount = out.buffer < buffers.count ? buffers[out.buffer].count : 0
    if task.sizes.values.contains(0) || task.needsZero, !accumulate {
      emit(FillInstruction(out.buffer, count: outCount))
      task.accumulate = true
    }
    if task.sizes.values.contains(0) { return }
    try multiplyOut(task)
  }

  /// Splices reopened inner sums; their summed labels become fresh ones.
  private func collect(_ operands: [Operand], into task: inout Contraction) throws {
    for operand in operands {
      let id = resolved(operand.node)
      let node = graph[id]
      for (axis, label) in operand.labels.enumerated() { task.sizes[label] = node.shape[axis] }
      if reopened.contains(id), case .contract(let scale) = node.op {
        task.alpha *= scale
        var fresh: [Label: Label] = [:]
        let inner = node.operands.map { use in
          Operand(
            use.node,
            use.labels.map { label in
              if label < node.shape.count { return operand.labels[label] }
              if let known = fresh[label] { return known }
              fresh[label] = task.nextLabel
              task.nextLabel += 1
              return task.nextLabel - 1
            })
        }
        try collect(inner, into: &task)
        continue
      }
      switch node.op {
      case .selector(let s): task.selectors.append((s, operand.labels, node.shape))
      case .table:
        let index = node.operands[0]
        let table = Access(buffer: try buffer(of: index.node), shape: graph.shape(index.node), labels: Array(operand.labels.dropFirst()))
        task.tables.append((operand.labels[0], table, node.shape[0], Array(operand.labels.dropFirst())))
      default:
        if let value = graph.constantValue(id) {
          task.alpha *= value
          // Summed labels that only a constant has would be lost; ones keep them.
          for label in operand.labels { task.broadcast.insert(label) }
        } else {
          task.factors.append(try access(Operand(id, operand.labels)))
        }
      }
    }
  }

  // MARK: Selectors

  /// Every selector replaces its axes' labels by affine functions of its parameters; a label can be replaced once,
  /// so a second selector on it is filled in.
  private func resolveSelectors(_ task: inout Contraction) throws {
    var replaced = Set<Label>()
    for (s, labels, shape) in task.selectors {
      if labels.contains(where: replaced.contains) || Set(labels).count < labels.count {
        task.factors.append(try filled(s, labels, shape, &task, replaced))
        continue
      }
      replaced.formUnion(labels)
      task.substitute(s, labels, shape)
    }
  }

  /// The selector as an array of zeros and ones, over labels that earlier selectors may have replaced.
  private func filled(
    _ s: Selector, _ labels: [Label], _ shape: Shape, _ task: inout Contraction, _ replaced: Set<Label>
  ) throws -> Access {
    let buffer = newBuffer(shape.elementCount)
    emit(FillInstruction(buffer, count: shape.elementCount))
    var ones = Access(buffer: buffer, shape: shape, labels: Array(shape.indices))
    var sizes: [Label: Int] = [:]
    for (p, n) in s.extents.enumerated() { sizes[shape.count + p] = n }
    for axis in shape.indices {
      ones.substitute(axis, start: s.starts[axis], parameters: s.extents.indices.map { (shape.count + $0, s.steps[axis][$0]) })
    }
    var program = LoopProgram(sizes: sizes)
    let one = program.constant(1)
    try emit(program, [(ones, one, HK_STORE)])
    var access = Access(buffer: buffer, shape: shape, labels: labels)
    for substitution in task.substitutions where replaced.contains(substitution.label) {
      access.substitute(substitution.label, start: substitution.start, parameters: substitution.parameters)
    }
    return access
  }

  // MARK: Tables

  private func resolveTables(_ task: inout Contraction) throws {
    for (label, table, extent, indexLabels) in task.tables {
      var table = table
      for s in task.substitutions { table.substitute(s.label, start: s.start, parameters: s.parameters) }
      let stride = task.out[label]
      for k in task.factors.indices where task.factors[k][label] != 0 || extent == 1 {
        guard task.factors[k].strides[label] != nil else { continue }
        task.factors[k] = try gathered(task.factors[k], label, table, extent, &task)
      }
      if task.result.contains(label) {
        task.scatters.append((label, table, stride, extent))
        task.result.remove(label)
        task.out.strides[label] = nil
      } else if !task.factors.contains(where: { f in indexLabels.contains { f.strides[$0] != nil } }) {
        for l in indexLabels { task.broadcast.insert(l) }
      }
      for l in indexLabels where task.sizes[l] == nil { task.sizes[l] = 1 }
      task.sizes[label] = nil
    }
  }

  /// in[…, t[j…], …] as a new dense array over the remaining labels and j.
  private func gathered(
    _ source: Access, _ label: Label, _ table: Access, _ extent: Int, _ task: inout Contraction
  ) throws -> Access {
    var indexed = source
    let stride = indexed.strides.removeValue(forKey: label) ?? 0
    let labels = Set(indexed.strides.keys).union(table.strides.keys).sorted().filter { task.sizes[$0] != 1 }
    let sizes = labels.map { task.sizes[$0] ?? 1 }
    let dense = Access(buffer: newBuffer(sizes.elementCount), shape: sizes, labels: labels)
    emit(
      IndexedInstruction(
        .gather, sizes: sizes, dense: dense.kernel(labels, register: 0), indexed: indexed.kernel(labels, register: 0),
        table: table.kernel(labels, register: 0), stride: stride, extent: extent))
    return dense
  }

  // MARK: Multiplying out

  private func multiplyOut(_ task: Contraction) throws {
    guard task.scatters.isEmpty else { return try scatter(task) }
    var factors = task.factors
    var labels = factors.map { f in Set(f.strides.keys) }
    let result = task.result
    if factors.isEmpty {
      var program = LoopProgram(sizes: task.sizes.filter { result.contains($0.key) || task.broadcast.contains($0.key) })
      let value = program.constant(task.alpha)
      return try emitFinal(program, value, task)
    }
    let plan = ContractionPlanner(operands: labels.map(Array.init), result: Array(result), sizes: task.sizes).path()
    var lost = task.broadcast.filter { l in !result.contains(l) && !labels.contains { $0.contains(l) } }
    var alpha = task.alpha
    for label in lost { alpha *= Double(task.sizes[label] ?? 1) }
    lost.removeAll()
    if factors.count == 1 { return try multiply(factors[0], nil, labels[0], [], alpha, task) }
    for (index, step) in plan.steps.enumerated() {
      let isLast = index == plan.steps.count - 1
      let (a, b) = (factors[step.left], factors[step.right])
      let (la, lb) = (labels[step.left], labels[step.right])
      if isLast { return try multiply(a, b, la, lb, alpha, task) }
      let live = plan.steps[(index + 1)...].flatMap { [$0.left, $0.right] }.filter { $0 < factors.count }
      let outside = live.reduce(into: result) { $0.formUnion(labels[$1]) }
      let kept = la.union(lb).filter(outside.contains)
      let order = intermediateOrder(kept, la, lb)
      let shape = order.map { task.sizes[$0] ?? 1 }
      var part = Contraction(alpha: 1, out: Access(buffer: newBuffer(shape.elementCount), shape: shape, labels: order), accumulate: false)
      part.sizes = task.sizes
      part.result = Set(kept)
      try multiply(a, b, la, lb, 1, part)
      factors.append(part.out)
      labels.append(Set(kept))
    }
  }

  /// Batch labels first, then those of the left operand, then of the right.
  private func intermediateOrder(_ kept: Set<Label>, _ a: Set<Label>, _ b: Set<Label>) -> [Label] {
    let batch = kept.filter { a.contains($0) && b.contains($0) }.sorted()
    return batch + kept.filter { a.contains($0) && !b.contains($0) }.sorted()
      + kept.filter { !a.contains($0) }.sorted()
  }

  /// The rest of the product, then out[…, t[j…], …] += it.
  private func scatter(_ task: Contraction) throws {
    var part = task
    let (label, table, stride, extent) = part.scatters.removeLast()
    let labels = task.result.union(table.strides.keys).sorted()
    let sizes = labels.map { task.sizes[$0] ?? 1 }
    let dense = Access(buffer: newBuffer(sizes.elementCount), shape: sizes, labels: labels)
    part.out = dense
    part.result = Set(labels)
    part.accumulate = false
    _ = label
    if !part.scatters.isEmpty {
      emit(FillInstruction(dense.buffer, count: sizes.elementCount))
      part.accumulate = true
    }
    try multiplyOut(part)
    emit(
      IndexedInstruction(
        .scatterAdd, sizes: sizes, dense: dense.kernel(labels, register: 0),
        indexed: task.out.kernel(labels, register: 0), table: table.kernel(labels, register: 0), stride: stride,
        extent: extent))
  }

  /// alpha · a · b (b may be absent) into the task's result.
  private func multiply(
    _ a: Access, _ b: Access?, _ la: Set<Label>, _ lb: Set<Label>, _ alpha: Double, _ task: Contraction
  ) throws {
    if let b, try matrixProduct(a, b, la, lb, alpha, task) { return }
    var program = LoopProgram(sizes: task.sizes.filter { la.contains($0.key) || lb.contains($0.key) || task.result.contains($0.key) })
    var value = program.load(a)
    if let b { value = program.apply(HK_MUL, value, program.load(b)) }
    if alpha != 1 { value = program.apply(HK_MUL_CONSTANT, value, imm: alpha) }
    try emitFinal(program, value, task)
  }

  private func emitFinal(_ program: LoopProgram, _ value: Int, _ task: Contraction) throws {
    let reduces = program.sizes.contains { $0.value > 1 && task.out[$0.key] == 0 }
    if reduces && !task.accumulate { emit(FillInstruction(task.out.buffer, count: buffers[task.out.buffer].count)) }
    try emit(program, [(task.out, value, reduces || task.accumulate ? HK_ACCUMULATE : HK_STORE)])
  }
}

/// A product on its way to instructions.
struct Contraction {
  var alpha: Double
  var out: Access
  var accumulate: Bool
  var sizes: [Label: Int] = [:]
  var result: Set<Label> = []
  var nextLabel = 0
  var factors: [Access] = []
  var selectors: [(selector: Selector, labels: [Label], shape: Shape)] = []
  var tables: [(label: Label, table: Access, extent: Int, indexLabels: [Label])] = []
  var scatters: [(label: Label, table: Access, stride: Int, extent: Int)] = []
  /// Labels that constants carry: summed, they count their size.
  var broadcast: Set<Label> = []
  var substitutions: [(label: Label, start: Int, parameters: [(label: Label, step: Int)])] = []
  /// Not every entry of the result is written.
  var needsZero = false

  init(alpha: Double, out: Access, accumulate: Bool) {
    self.alpha = alpha
    self.out = out
    self.accumulate = accumulate
  }

  /// Labels become affine functions of the selector's parameters, in every array and in the result.
  mutating func substitute(_ s: Selector, _ labels: [Label], _ shape: Shape) {
    let parameters = s.extents.indices.map { nextLabel + $0 }
    nextLabel += parameters.count
    for (p, label) in parameters.enumerated() { sizes[label] = s.extents[p] }
    var counted = Set<Label>()
    var writes = 1
    var written = Set<Label>()
    for (axis, label) in labels.enumerated() {
      let steps = parameters.indices.map { (label: parameters[$0], step: s.steps[axis][$0]) }
      substitutions.append((label, s.starts[axis], steps))
      for k in factors.indices { factors[k].substitute(label, start: s.starts[axis], parameters: steps) }
      let moving = steps.filter { $0.step != 0 }.map(\.label)
      if broadcast.remove(label) != nil { broadcast.formUnion(moving) }
      if result.remove(label) != nil {
        out.substitute(label, start: s.starts[axis], parameters: steps)
        writes *= shape[axis]
        written.formUnion(moving)
        result.formUnion(moving)
      }
      counted.formUnion(moving)
      sizes[label] = nil
    }
    // Parameters that no array carries are summed over ones, unless the result spreads over them.
    for label in counted where !result.contains(label) { broadcast.insert(label) }
    if written.reduce(1, { $0 * (sizes[$1] ?? 1) }) != writes { needsZero = true }
  }
}
