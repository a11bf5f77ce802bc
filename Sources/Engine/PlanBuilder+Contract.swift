import CKernels
import Graph
import Tensors

/// How a product reaches its memory.
enum WriteMode {
  /// It is the whole of a buffer.
  case store
  /// It is added to what is there.
  case accumulate
  /// It fills a part of a buffer that nothing else writes.
  case place
}

extension PlanBuilder {
  /// alpha · Σ Π operands into `out` (strides by the labels of `result`). Selectors become strided views, index
  /// tables gathers and scatters; what remains is multiplied out two at a time.
  func contract(
    _ alpha: Double, _ operands: [Operand], to result: [Label], _ shape: Shape, into out: Access,
    mode: WriteMode, node: NodeID? = nil
  ) throws {
    var task = Contraction(alpha: alpha, out: out, accumulate: mode == .accumulate)
    task.node = node
    for (label, n) in zip(result, shape) { task.sizes[label] = n }
    task.result = Set(result)
    task.nextLabel = ((operands.flatMap(\.labels) + result).max() ?? -1) + 1
    try collect(operands, into: &task)
    try resolveSelectors(&task)
    try resolveTables(&task)
    if task.sizes.values.contains(0) || task.needsZero, mode == .store {
      try clear(out, shape)
      task.accumulate = true
    }
    task.whole = (out, shape)
    task.isPlaced = mode == .place
    if task.sizes.values.contains(0) {
      if task.isPlaced { try clearPlace(task) }
      return
    }
    try multiplyOut(task)
  }

  /// Sets a term's own part of a buffer to zero.
  private func clearPlace(_ task: Contraction) throws {
    var program = LoopProgram(sizes: task.sizes.filter { task.out[$0.key] != 0 })
    let zero = program.constant(0)
    try emit(program, [(task.out, zero, HK_STORE)])
  }

  /// Splices reopened inner sums; their summed labels become fresh ones.
  private func collect(_ operands: [Operand], into task: inout Contraction) throws {
    for operand in operands {
      let id = resolved(operand.node)
      let node = graph[id]
      for (axis, label) in operand.labels.enumerated() { task.sizes[label] = node.shape[axis] }
      if reopened.contains(id), case .contract(let scale) = node.op {
        task.alpha *= scale
        // An axis that the inner product merely broadcasts still counts where it is summed.
        task.broadcast.formUnion(operand.labels)
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
        if node.shape[0] > 1 << 24 { try checkPrecision(of: index.node) }
        let indices = Access(
          buffer: try buffer(of: index.node), shape: graph.shape(index.node),
          labels: Array(operand.labels.dropFirst()))
        task.tables.append(IndexTable(label: operand.labels[0], extent: node.shape[0], indices: indices))
      default:
        if let value = graph.constantValue(id) {
          if let divisor = graph.constantDivisor(id) { task.alpha /= divisor } else { task.alpha *= value }
          // Summed labels that only a constant has would be lost; ones keep them.
          for label in operand.labels { task.broadcast.insert(label) }
        } else {
          task.factors.append(try access(Operand(id, operand.labels)))
          task.sources.append(Operand(id, operand.labels))
        }
      }
    }
  }

  /// f32 rounds indices from 2²⁴ on: another place. Constant ones, those of sparse patterns among them, are looked at.
  private func checkPrecision(of indices: NodeID) throws {
    guard precision == .f32 else { return }
    guard case .tensor(let k) = graph[indices].op else { throw EngineError.indexPrecision(0x1p24 + 1) }
    if let lost = graph.constants[k].doubles.first(where: { Double(Float($0)) != $0 }) {
      throw EngineError.indexPrecision(lost)
    }
  }

  // MARK: Selectors

  /// Every selector replaces its axes' labels by affine functions of its parameters. A label that one parameter
  /// merely renames can be replaced again; a selector on any other replaced label is filled in.
  private func resolveSelectors(_ task: inout Contraction) throws {
    while !task.selectors.isEmpty {
      let free = task.selectors.indices.filter { task.canReplace(task.selectors[$0].labels) }
      guard let next = free.first(where: { task.leavesOthers($0) }) ?? free.first else {
        for (s, labels, shape) in task.selectors {
          task.factors.append(try filled(s, labels, shape, task))
          task.sources.append(nil)
        }
        task.selectors = []
        return
      }
      let (s, labels, shape) = task.selectors.remove(at: next)
      task.substitute(s, labels.map { task.current($0) ?? $0 }, shape)
    }
  }

  /// The selector as an array of zeros and ones, over labels that earlier selectors may have replaced.
  private func filled(
    _ s: Selector, _ labels: [Label], _ shape: Shape, _ task: Contraction
  ) throws -> Access {
    let buffer = newBuffer(shape.elementCount)
    emit(FillInstruction(buffer, count: shape.elementCount))
    var ones = Access(buffer: buffer, shape: shape, labels: Array(shape.indices))
    var sizes: [Label: Int] = [:]
    for (p, n) in s.extents.enumerated() { sizes[shape.count + p] = n }
    for axis in shape.indices {
      ones.substitute(
        axis, start: s.starts[axis],
        parameters: s.extents.indices.map { (shape.count + $0, s.steps[axis][$0]) })
    }
    var program = LoopProgram(sizes: sizes)
    let one = program.constant(1)
    try emit(program, [(ones, one, HK_STORE)])
    var access = Access(buffer: buffer, shape: shape, labels: labels)
    for substitution in task.substitutions {
      access.substitute(substitution.label, start: substitution.start, parameters: substitution.parameters)
    }
    return access
  }

  // MARK: Tables

  /// Each table becomes a gather from what carries its label, a scatter into the result, or both. Where its label
  /// is no plain one (another table or its own indices have it, a selector cut it), it is filled in.
  private func resolveTables(_ task: inout Contraction) throws {
    while let table = task.tables.popLast() {
      guard let label = task.wholeLabel(table) else {
        task.factors.append(try filled(table, task))
        task.sources.append(nil)
        continue
      }
      for k in task.factors.indices where task.factors[k].strides[label] != nil {
        task.factors[k] = try gathered(task.factors[k], label, table, &task)
        task.sources[k] = nil
      }
      for k in task.tables.indices where task.tables[k].indices.strides[label] != nil {
        task.tables[k].indices = try gathered(task.tables[k].indices, label, table, &task)
      }
      task.broadcast.formUnion(table.indices.strides.keys)
      task.broadcast.remove(label)
      if task.result.contains(label) {
        task.scatters.append(IndexTable(label: label, extent: table.extent, indices: table.indices))
        task.needsZero = true
      } else {
        task.sizes[label] = nil
      }
    }
  }

  /// The table as an array of zeros and ones.
  private func filled(_ table: IndexTable, _ task: Contraction) throws -> Access {
    let labels = table.indices.strides.keys.sorted()
    let sizes = labels.map { task.sizes[$0] ?? 1 }
    let axes = Array(sizes.indices)
    let shape = [table.extent] + sizes
    let buffer = newBuffer(shape.elementCount)
    let one = newBuffer(1)
    emit(FillInstruction(buffer, count: shape.elementCount))
    emit(FillInstruction(one, count: 1, value: 1))
    let ones = Access(buffer: buffer, shape: sizes, labels: axes)
    var indices = Access(buffer: table.indices.buffer, offset: table.indices.offset)
    for (axis, label) in labels.enumerated() { indices.strides[axis] = table.indices[label] }
    emit(
      IndexedInstruction(
        .scatterAdd, sizes: sizes, dense: Access(buffer: one).kernel(axes, register: 0),
        indexed: ones.kernel(axes, register: 0), table: indices.kernel(axes, register: 0),
        stride: sizes.elementCount, extent: table.extent))
    var access = Access(buffer: buffer, shape: sizes, labels: labels)
    // Only the table's own label is still as it was.
    var own = Access(buffer: buffer, strides: [table.label: sizes.elementCount])
    for s in task.substitutions { own.substitute(s.label, start: s.start, parameters: s.parameters) }
    access.offset = own.offset
    for (label, stride) in own.strides { access.strides[label, default: 0] += stride }
    return access
  }

  /// in[…, t[j…], …] as a new dense array over the remaining labels and j.
  private func gathered(
    _ source: Access, _ label: Label, _ table: IndexTable, _ task: inout Contraction
  ) throws -> Access {
    var indexed = source
    let stride = indexed.strides.removeValue(forKey: label) ?? 0
    let labels = Set(indexed.strides.keys).union(table.indices.strides.keys).sorted()
    let moving = labels.filter { task.sizes[$0] != 1 }
    let sizes = moving.map { task.sizes[$0] ?? 1 }
    var dense = Access(buffer: newBuffer(sizes.elementCount), shape: sizes, labels: moving)
    for label in labels where dense.strides[label] == nil { dense.strides[label] = 0 }
    emit(
      IndexedInstruction(
        .gather, sizes: sizes, dense: dense.kernel(moving, register: 0),
        indexed: indexed.kernel(moving, register: 0),
        table: table.indices.kernel(moving, register: 0), stride: stride, extent: table.extent))
    return dense
  }

  // MARK: Scatters

  /// The rest of the product, then out[…, t[j…], …] += it.
  func scatter(_ task: Contraction) throws {
    var part = task
    let table = part.scatters.removeLast()
    part.result.remove(table.label)
    part.result.formUnion(table.indices.strides.keys)
    let labels = part.result.sorted()
    let sizes = labels.map { task.sizes[$0] ?? 1 }
    let dense = Access(buffer: newBuffer(sizes.elementCount), shape: sizes, labels: labels)
    part.out = dense
    part.whole = nil
    part.node = nil
    part.isPlaced = false
    part.accumulate = !part.scatters.isEmpty
    if part.accumulate { emit(FillInstruction(dense.buffer, count: sizes.elementCount)) }
    if !part.result.contains(table.label) { part.sizes[table.label] = nil }
    try multiplyOut(part)
    // What is placed into a part of a buffer has found that part as it was.
    if task.isPlaced { try clearPlace(task) }
    var target = task.out
    let stride = target.strides.removeValue(forKey: table.label) ?? 0
    emit(
      IndexedInstruction(
        .scatterAdd, sizes: sizes, dense: dense.kernel(labels, register: 0),
        indexed: target.kernel(labels, register: 0), table: table.indices.kernel(labels, register: 0),
        stride: stride, extent: table.extent))
  }

  func emitFinal(_ program: LoopProgram, _ value: Int, _ task: Contraction) throws {
    let reduces = program.sizes.contains { $0.value > 1 && task.out[$0.key] == 0 }
    var starts = !task.isPlaced && !task.accumulate
    if reduces && task.isPlaced {
      try clearPlace(task)
    } else if reduces && starts, !task.out.covers(buffers[task.out.buffer].count, program.sizes),
      let whole = task.whole
    {
      try clear(whole.out, whole.shape)
      starts = false
    }
    try emit(
      program, [(task.out, value, reduces || task.accumulate ? HK_ACCUMULATE : HK_STORE)],
      startsReduction: starts)
  }
}

extension Operand {
  fileprivate func renaming(_ label: Label, to new: Label) -> Operand {
    Operand(node, labels.map { $0 == label ? new : $0 })
  }
}

/// label = start + Σ step · parameter, in the order in which it was done.
struct Substitution {
  var label: Label
  var start: Int
  var parameters: [(label: Label, step: Int)]
  /// The one parameter that takes the label's whole range, if it is that.
  var renamed: Label?
}

/// δ(label ↔ indices[j…]), the label over 0..<extent.
struct IndexTable {
  var label: Label
  var extent: Int
  var indices: Access
}

/// A product on its way to instructions.
struct Contraction {
  var alpha: Double
  var out: Access
  var accumulate: Bool
  /// The result before selectors cut it; nil for an intermediate, which has a buffer to itself.
  var whole: (out: Access, shape: Shape)?
  /// The node that the product is, when it is all that its memory will hold: it can be used again.
  var node: NodeID?
  /// Only a part of the buffer is this product's.
  var isPlaced = false
  var sizes: [Label: Int] = [:]
  var result: Set<Label> = []
  var nextLabel = 0
  var factors: [Access] = []
  /// The nodes that the factors are, over the same labels; nil for what selectors or tables made of them.
  var sources: [Operand?] = []
  var selectors: [(selector: Selector, labels: [Label], shape: Shape)] = []
  var tables: [IndexTable] = []
  /// Tables whose label is one of the result.
  var scatters: [IndexTable] = []
  /// Labels that constants carry: summed, they count their size.
  var broadcast: Set<Label> = []
  var substitutions: [Substitution] = []
  /// Not every entry of the result is written.
  var needsZero = false

  init(alpha: Double, out: Access, accumulate: Bool) {
    self.alpha = alpha
    self.out = out
    self.accumulate = accumulate
  }

  /// The parameter that a label is now, when it has been renamed at most; nil when it is more than that.
  func current(_ label: Label) -> Label? {
    var label = label
    for s in substitutions where s.label == label {
      guard let renamed = s.renamed else { return nil }
      label = renamed
    }
    return label
  }

  /// A selector on these labels can replace them: they are distinct and plain.
  func canReplace(_ labels: [Label]) -> Bool {
    let plain = labels.compactMap(current)
    return plain.count == labels.count && Set(plain).count == labels.count
  }

  /// What this selector does to its labels leaves the other selectors' labels plain.
  func leavesOthers(_ index: Int) -> Bool {
    let (s, labels, shape) = selectors[index]
    let spoilt = labels.indices.filter { s.renamedParameter(axis: $0, size: shape[$0]) == nil }.map {
      current(labels[$0])
    }
    return selectors.indices.allSatisfy { other in
      other == index || !selectors[other].labels.contains { spoilt.contains(current($0)) }
    }
  }

  /// The label (or the parameter that replaced it) by which a table indexes whole arrays, if there is one.
  func wholeLabel(_ table: IndexTable) -> Label? {
    guard let label = current(table.label) else { return nil }
    let others = tables.contains { current($0.label) ?? label == label }
    let scattered = scatters.contains { $0.label == label || $0.indices.strides[label] != nil }
    return others || scattered || table.indices.strides[label] != nil ? nil : label
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
      let renamed = s.renamedParameter(axis: axis, size: shape[axis]).map { parameters[$0] }
      substitutions.append(
        Substitution(label: label, start: s.starts[axis], parameters: steps, renamed: renamed))
      for k in factors.indices where factors[k].strides[label] != nil {
        factors[k].substitute(label, start: s.starts[axis], parameters: steps)
        sources[k] = renamed.flatMap { sources[k]?.renaming(label, to: $0) }
      }
      for k in tables.indices {
        tables[k].indices.substitute(label, start: s.starts[axis], parameters: steps)
      }
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
