import CKernels
import Graph
import Tensors

/// Where a block of an assembled matrix lies: the sum that assembles it, and the block's strides in there.
struct Region {
  /// The sum whose buffer holds the block.
  let matrix: NodeID
  /// The sum's term that puts the block there; other terms (mirror images) copy from it.
  let term: NodeID
  let offset: Int
  let strides: [Int]
}

extension PlanBuilder {
  // MARK: Views

  /// A slice, transpose, reshape or broadcast of one array, as strides into that array's buffer; nil for what has to
  /// be computed.
  func pureView(_ id: NodeID) throws -> Access? {
    let node = graph[id]
    guard case .contract(let scale) = node.op, scale == 1, !outputs.contains(where: { resolved($0) == id })
    else { return nil }
    let arrays = node.operands.filter { !isSymbolic($0.node) }
    guard arrays.count == 1, isStored(resolved(arrays[0].node)), node.shape.elementCount > 1 else {
      return nil
    }
    let axes = Array(node.shape.indices)
    var task = Contraction(
      alpha: 1, out: Access(buffer: -1, shape: node.shape, labels: axes), accumulate: false)
    for (label, n) in zip(axes, node.shape) { task.sizes[label] = n }
    task.result = Set(axes)
    task.nextLabel = (node.operands.flatMap(\.labels).max() ?? 0) + axes.count + 1
    for operand in node.operands {
      for (axis, label) in operand.labels.enumerated() { task.sizes[label] = graph.shape(operand.node)[axis] }
      guard isSymbolic(operand.node) else { continue }
      guard case .selector(let s) = graph[operand.node].op else { return nil }
      task.selectors.append((s, operand.labels, graph.shape(operand.node)))
    }
    // A sum over nothing is zero, not a view of nothing.
    guard !task.sizes.values.contains(0) else { return nil }
    task.factors = [try access(Operand(resolved(arrays[0].node), arrays[0].labels))]
    task.sources = [nil]
    return view(&task, node.shape)
  }

  /// Memory of its own, or a view: not a number, not fused into something else.
  private func isStored(_ id: NodeID) -> Bool {
    if graph.constantValue(id) != nil || fused.contains(id) || inPlace.contains(id) { return false }
    return !reopened.contains(id) && !isSymbolic(id)
  }

  /// Resolves the selectors; what is left is a view when every place of the result is one place of the array.
  private func view(_ task: inout Contraction, _ shape: Shape) -> Access? {
    while !task.selectors.isEmpty {
      let free = task.selectors.indices.filter { task.canReplace(task.selectors[$0].labels) }
      guard let next = free.first(where: { task.leavesOthers($0) }) ?? free.first else { return nil }
      let (s, labels, size) = task.selectors.remove(at: next)
      task.substitute(s, labels.map { task.current($0) ?? $0 }, size)
    }
    guard !task.needsZero, task.out.offset == 0 else { return nil }
    // Labels of the result by their strides in a dense array of the result's shape.
    var view = Access(buffer: task.factors[0].buffer, offset: task.factors[0].offset)
    var left = task.factors[0].strides.filter { task.sizes[$0.key] ?? 1 > 1 }
    let dense = shape.rowMajorStrides
    for (axis, n) in shape.enumerated() where n > 1 {
      let label = task.result.first { task.out[$0] == dense[axis] && task.sizes[$0] == n }
      guard let label else { return nil }
      view.strides[axis] = left.removeValue(forKey: label) ?? 0
    }
    let isSummed = task.broadcast.contains { !task.result.contains($0) && task.sizes[$0] ?? 1 > 1 }
    return left.isEmpty && !isSummed ? view : nil
  }

  /// A view as a row-major array of its own, for those who read whole buffers.
  func copied(_ view: Access, _ id: NodeID) throws -> Int {
    let shape = graph.shape(id)
    let axes = Array(shape.indices)
    let buffer = newBuffer(shape.elementCount)
    bufferOf[id] = buffer
    var program = LoopProgram(sizes: Dictionary(uniqueKeysWithValues: zip(axes, shape)))
    let value = program.load(view)
    try emit(program, [(Access(buffer: buffer, shape: shape, labels: axes), value, HK_STORE)])
    return buffer
  }

  /// Sets a strided array to zero.
  func clear(_ out: Access, _ shape: Shape) throws {
    let axes = Array(shape.indices)
    let whole = zip(shape, zip(axes, shape.rowMajorStrides)).allSatisfy { n, stride in
      n == 1 || out[stride.0] == stride.1
    }
    if whole, out.offset == 0, shape.elementCount == buffers[out.buffer].count {
      return emit(FillInstruction(out.buffer, count: shape.elementCount))
    }
    var program = LoopProgram(sizes: Dictionary(uniqueKeysWithValues: zip(axes, shape)))
    let zero = program.constant(0)
    try emit(program, [(out, zero, HK_STORE)])
  }

  // MARK: Regions

  /// For a sum that puts blocks side by side: each block that is computed for it is computed in its place.
  func decideRegions(_ id: NodeID) {
    let node = graph[id]
    guard case .add(let coefficients) = node.op, node.operands.count > 1 else { return }
    guard node.operands.allSatisfy({ inPlace.contains(resolved($0.node)) }),
      disjointPlaces(node, Array(node.operands.indices)) != nil
    else { return }
    let out = Access(buffer: 0, shape: node.shape, labels: Array(node.shape.indices))
    for (coefficient, operand) in zip(coefficients, node.operands) {
      let term = graph[resolved(operand.node)]
      guard case .contract(let scale) = term.op, scale * coefficient == 1,
        let block = term.operands.first(where: { !isSymbolic($0.node) })
      else { continue }
      let inner = resolved(block.node)
      guard regions[inner] == nil, canBeRegion(inner) else { continue }
      regions[inner] = region(of: block, in: term, operand, out, id)
    }
  }

  /// Sums and products that are computed for themselves; loops with reductions fill whole buffers.
  private func canBeRegion(_ id: NodeID) -> Bool {
    guard isMaterialized(id), graph.constantValue(id) == nil, graph.shape(id).elementCount > 1,
      !outputs.contains(where: { resolved($0) == id })
    else { return false }
    switch graph[id].op {
    case .add: return true
    case .contract: return !isLoop(id) || !graph[id].sumsLabels
    default: return false
    }
  }

  private func region(of block: Operand, in term: Node, _ use: Operand, _ out: Access, _ matrix: NodeID)
    -> Region
  {
    var place = Access(buffer: 0)
    for (axis, label) in use.labels.enumerated() { place.strides[axis, default: 0] += out[label] }
    var offset = 0
    var strides = block.labels.map { $0 < term.shape.count ? place[$0] : 0 }
    for operand in term.operands {
      guard case .selector(let s) = graph[operand.node].op else { continue }
      let step = place[operand.labels[0]]
      offset += step * s.starts[0]
      for (k, label) in operand.labels.dropFirst().enumerated() {
        guard let axis = block.labels.firstIndex(of: label) else { continue }
        strides[axis] += step * s.steps[0][k]
      }
    }
    return Region(matrix: matrix, term: resolved(use.node), offset: offset, strides: strides)
  }

  /// True for the term that put its block where it belongs by computing it there.
  func isInRegion(_ operand: Operand, of matrix: NodeID) -> Bool {
    let term = resolved(operand.node)
    guard let block = graph[term].operands.first(where: { !isSymbolic($0.node) }) else { return false }
    let region = regions[resolved(block.node)]
    return region?.term == term && region?.matrix == matrix && views[resolved(block.node)] != nil
  }

  func lowerIntoRegion(_ id: NodeID, _ region: Region) throws {
    let buffer = try assemblies[region.matrix] ?? startAssembly(region.matrix)
    var out = Access(buffer: buffer, offset: region.offset)
    for (axis, stride) in region.strides.enumerated() { out.strides[axis] = stride }
    try lowerInto(id, out)
    views[id] = out
  }

  private func startAssembly(_ matrix: NodeID) throws -> Int {
    let node = graph[matrix]
    let buffer = newBuffer(node.shape.elementCount)
    assemblies[matrix] = buffer
    let boxes = disjointPlaces(node, Array(node.operands.indices)) ?? []
    if boxes.reduce(0, { $0 + $1.map(\.count).elementCount }) < node.shape.elementCount {
      emit(FillInstruction(buffer, count: node.shape.elementCount))
    }
    return buffer
  }
}
