import CKernels
import Graph
import Tensors

/// Lowers nodes of a graph to a flat list of instructions over buffers.
///
/// Pointwise nodes that one consumer reads in its own iteration space are fused into that consumer's loop; sums of
/// products go to `contract` (matrix products, slices, gathers); sums of terms are accumulated in place.
final class PlanBuilder {
  let graph: TensorGraph
  let precision: Precision
  let outputs: [NodeID]
  /// Reductions that run in tiles; leaves of theirs stand for the results.
  let tiled: [TiledGroup]

  enum Place {
    case input(Leaf)
    case constant(Tensor)
    case arena
    case output
  }

  struct Buffer {
    var place: Place
    var count: Int
  }

  private(set) var buffers: [Buffer] = []
  private(set) var instructions: [Instruction] = []
  var bufferOf: [NodeID: Int] = [:]
  /// Uses of each node by nodes of the plan; outputs count too.
  var uses: [NodeID: Int] = [:]
  /// Nodes computed inside their consumer's loop.
  var fused: Set<NodeID> = []
  /// Inner sums that their one consumer multiplies out together with its own operands.
  var reopened: Set<NodeID> = []
  /// Terms of sums that are accumulated straight into the result.
  var inPlace: Set<NodeID> = []
  /// Arrays that lie inside the buffer of another node: slices, transposes, blocks of an assembled matrix.
  var views: [NodeID: Access] = [:]
  /// Blocks that are computed in their place of an assembled matrix.
  var regions: [NodeID: Region] = [:]
  /// In which orders loops walk what they read beside products.
  private var walks: Walks = [:]
  /// Buffers of sums that loops read over and over.
  var repeatedSums: [[RepeatedTerm]: Int] = [:]
  /// Partial products computed so far.
  var partial = KnownProducts()
  lazy var prover = SymmetryProver(graph)
  /// Buffers of matrices whose blocks were computed in place before the matrix itself came up.
  var assemblies: [NodeID: Int] = [:]

  init(_ graph: TensorGraph, outputs: [NodeID], precision: Precision, tiled: [TiledGroup] = []) {
    self.graph = graph
    self.precision = precision
    self.outputs = outputs
    self.tiled = tiled
  }

  /// The instructions, over `buffers`, and where the outputs lie.
  func build() throws -> (instructions: [Instruction], outputs: [(buffer: Int, shape: Shape)]) {
    let order = graph.reachable(from: outputs + tiled.flatMap(\.boundary))
    countUses(order)
    for id in order.reversed() where isMaterialized(id) { decideFusion(id) }
    for id in order where isMaterialized(id) { decideRegions(id) }
    walks = collectWalks(order)
    for id in order where isMaterialized(id) { try lower(id) }
    let results = try outputs.map { id in (buffer: try result(resolved(id)), shape: graph.shape(id)) }
    let kept = Set(results.map(\.buffer))
    let loops = try LoopFusion.apply(instructions, kept: kept) { buffer in
      if case .arena = buffers[buffer].place { return true } else { return false }
    }
    let joined = ScalarFusion.apply(loops, kept: kept)
    return (joined, results)
  }

  // MARK: Nodes

  func resolved(_ id: NodeID) -> NodeID { graph.resolved(id) }

  private func countUses(_ order: [NodeID]) {
    for id in order {
      if graph.isTransparent(id) { continue }
      let divides = isDividingLoop(graph[id])
      for operand in graph[id].operands {
        let read = (divides ? divisor(operand) : nil) ?? operand
        uses[resolved(read.node), default: 0] += 1
      }
    }
    for id in outputs + tiled.flatMap(\.boundary) { uses[resolved(id), default: 0] += 2 }
  }

  /// A product whose loop divides by what its reciprocals are of: a/b is one rounding wherever it stands.
  func isDividingLoop(_ node: Node) -> Bool {
    if case .contract = node.op { return isLoop(node) }
    return false
  }

  /// b, for an operand 1/b.
  func divisor(_ operand: Operand) -> Operand? {
    let node = graph[resolved(operand.node)]
    guard case .map(.reciprocal) = node.op else { return nil }
    return Operand(node.operands[0].node, node.operands[0].labels.map { operand.labels[$0] })
  }

  func isMaterialized(_ id: NodeID) -> Bool {
    if graph.constantValue(id) != nil { return outputs.contains { resolved($0) == id } }
    if graph.isTransparent(id) { return false }
    if case .selector = graph[id].op { return uses[id] ?? 0 >= 2 && outputs.contains { resolved($0) == id } }
    if case .table = graph[id].op { return outputs.contains { resolved($0) == id } }
    if fused.contains(id) || reopened.contains(id) || inPlace.contains(id) { return false }
    return (uses[id] ?? 0) > 0
  }

  // MARK: Buffers

  func newBuffer(_ count: Int) -> Int {
    buffers.append(Buffer(place: .arena, count: count))
    return buffers.count - 1
  }

  func emit(_ instruction: Instruction) { instructions.append(instruction) }

  /// The buffer of a node that needs no computing, or was computed before.
  func buffer(of id: NodeID) throws -> Int {
    let id = resolved(id)
    if let known = bufferOf[id] { return known }
    if let group = tiled.first(where: { $0.leaves.contains(id) }) {
      try reduce(group)
      if let made = bufferOf[id] { return made }
    }
    let count = graph.shape(id).elementCount
    if let view = views[id] { return try copied(view, id) }
    let made = buffers.count
    bufferOf[id] = made
    switch graph[id].op {
    case .leaf(let index): buffers.append(Buffer(place: .input(graph.leaves[index]), count: count))
    case .tensor(let index):
      buffers.append(Buffer(place: .constant(graph.constants[index].converted(to: precision)), count: count))
    default:
      // Fills, selectors and tables that are read as arrays after all.
      buffers.append(Buffer(place: .arena, count: count))
      try lowerInto(id, made)
    }
    return made
  }

  private func reduce(_ group: TiledGroup) throws {
    var inputs: [NodeID: Int] = [:]
    for id in group.boundary { inputs[id] = try buffer(of: id) }
    for leaf in group.leaves { bufferOf[leaf] = newBuffer(graph.shape(leaf).elementCount) }
    let outputs = group.leaves.compactMap { bufferOf[$0] }
    emit(try TiledInstruction(group, precision, inputs: inputs, outputs: outputs))
  }

  /// Outputs get memory of their own, which the caller keeps.
  private func result(_ id: NodeID) throws -> Int {
    let source = try buffer(of: id)
    if case .arena = buffers[source].place { buffers[source].place = .output }
    return source
  }

  /// The operand as an array over its labels.
  func access(_ operand: Operand) throws -> Access {
    if let view = views[resolved(operand.node)] { return view.relabeled(operand.labels) }
    return Access(
      buffer: try buffer(of: operand.node), shape: graph.shape(operand.node), labels: operand.labels)
  }

  // MARK: Lowering

  private func lower(_ id: NodeID) throws {
    switch graph[id].op {
    case .leaf, .tensor: _ = try buffer(of: id)
    default:
      if bufferOf[id] != nil { return }
      // Blocks that came first have put the matrix into a buffer of its own.
      if let region = regions[id], assemblies[id] == nil { return try lowerIntoRegion(id, region) }
      if let view = try pureView(id) {
        views[id] = view
        return
      }
      if let layout = chosenLayout(id, walks) { return try lower(id, layout) }
      let buffer = assemblies[id] ?? newBuffer(graph.shape(id).elementCount)
      bufferOf[id] = buffer
      try lowerInto(id, buffer)
    }
  }

  /// With its axes in another order in memory.
  private func lower(_ id: NodeID, _ layout: [Int]) throws {
    let shape = layout.map { graph.shape(id)[$0] }
    let out = Access(buffer: newBuffer(shape.elementCount), shape: shape, labels: layout)
    views[id] = out
    try lowerInto(id, out)
  }

  private func lowerInto(_ id: NodeID, _ buffer: Int) throws {
    let shape = graph.shape(id)
    try lowerInto(id, Access(buffer: buffer, shape: shape, labels: Array(shape.indices)))
  }

  /// Computes a node at strided places over its axes.
  func lowerInto(_ id: NodeID, _ out: Access) throws {
    let node = graph[id]
    let axes = Array(node.shape.indices)
    let buffer = out.buffer
    switch node.op {
    case .leaf, .tensor, .stop, .dense: return
    case .map, .reduceMax: try loop(id, node, into: out)
    case .contract(let scale):
      if isLoop(id) { return try loop(id, node, into: out) }
      try contract(scale, node.operands, to: axes, node.shape, into: out, mode: .store, node: id)
    case .add: try sum(id, node, into: out)
    case .selector, .table:
      try contract(1, [Operand(id, axes)], to: axes, node.shape, into: out, mode: .store)
    case .argmax: try along(node, buffer, "argmax", TensorKernels.argmax)
    case .argsort: try along(node, buffer, "argsort", TensorKernels.argsort)
    case .external(let f): try call(f, node, buffer)
    case .matrix(.solve) where node.shape.count == 2 && node.operands.allSatisfy({ $0.labels.count == 2 }):
      let (a, b) = (node.operands[0].node, node.operands[1].node)
      emit(
        SolveInstruction(
          order: node.shape[0], columns: node.shape[1], try self.buffer(of: a), try self.buffer(of: b),
          into: buffer))
    case .matrix(let f):
      try along(node, buffer, f.rawValue, MatrixBatch(f, node).evaluate)
    }
  }

  private func call(_ f: ExternalFunction, _ node: Node, _ buffer: Int) throws {
    guard let planned = f as? any PlannedFunction else { throw EngineError.tooComplex(f.name) }
    let inputs = try node.operands.map { try self.buffer(of: $0.node) }
    emit(try planned.instruction(reading: inputs, node.operands.map { graph.shape($0.node) }, into: buffer))
  }

  private func along(
    _ node: Node, _ buffer: Int, _ name: String, _ body: @escaping ([Tensor]) throws -> Tensor
  ) throws {
    let inputs = try node.operands.map { try self.buffer(of: $0.node) }
    let shapes = node.operands.map { graph.shape($0.node) }
    emit(TensorInstruction(name, inputs: inputs, shapes: shapes, output: buffer, body: body))
  }

  /// Pointwise terms in one loop, then the others accumulated into the result; terms that are only spread over it
  /// (a bias) come last, in a loop that the result's reader can join.
  private func sum(_ id: NodeID, _ node: Node, into out: Access) throws {
    guard case .add(let coefficients) = node.op else { return }
    var special = node.operands.indices.filter { inPlace.contains(resolved(node.operands[$0].node)) }
    let plain = node.operands.indices.filter { !special.contains($0) }
    let places = plain.isEmpty ? disjointPlaces(node, special) : nil
    if let places {
      if !covers(places, node.shape), assemblies[id] == nil { try clear(out, node.shape) }
      special.removeAll { isInRegion(node.operands[$0], of: id) }
    }
    let rest = plain.map { (coefficients[$0], node.operands[$0]) }
    let spreadsLast = spreads(rest, node.shape) && special.contains { isDense(node.operands[$0]) }
    if !plain.isEmpty && !spreadsLast {
      try loop(summing: rest, node.shape, into: out)
    } else if places == nil, let dense = special.firstIndex(where: { isDense(node.operands[$0]) }) {
      // The first term is stored, not added to zeros.
      special.swapAt(0, dense)
    }
    for (place, index) in special.enumerated() {
      let operand = node.operands[index]
      let inner = graph[resolved(operand.node)]
      guard case .contract(let scale) = inner.op else { continue }
      // The term's own labels come first; it writes through the sum's strides.
      var target = Access(buffer: out.buffer, offset: out.offset)
      for (axis, label) in operand.labels.enumerated() { target.strides[axis, default: 0] += out[label] }
      let mode: WriteMode =
        places != nil ? .place : (plain.isEmpty || spreadsLast) && place == 0 ? .store : .accumulate
      try contract(
        scale * coefficients[index], inner.operands, to: Array(inner.shape.indices), inner.shape,
        into: target, mode: mode)
    }
    if spreadsLast { try loop(summing: rest, node.shape, into: out, isAdded: true) }
  }

  /// The terms are all repeated along some axis of the sum.
  private func spreads(_ terms: [(Double, Operand)], _ shape: Shape) -> Bool {
    !terms.isEmpty && terms.count < Self.fusionLimit
      && terms.allSatisfy { graph.shape($0.1.node).elementCount < shape.elementCount }
  }

  /// A term that writes every entry of the sum.
  private func isDense(_ operand: Operand) -> Bool {
    !graph[resolved(operand.node)].operands.contains { isSymbolic($0.node) }
  }

  private func covers(_ boxes: [[Range<Int>]], _ shape: Shape) -> Bool {
    boxes.reduce(0) { $0 + $1.map(\.count).elementCount } >= shape.elementCount
  }

  /// The box that each term fills, when every term only puts an array into a place of its own: the blocks of a
  /// Hessian, the parts of a concatenation.
  func disjointPlaces(_ node: Node, _ terms: [Int]) -> [[Range<Int>]]? {
    guard terms.count <= 256 else { return nil }
    var boxes: [[Range<Int>]] = []
    for index in terms {
      let operand = node.operands[index]
      guard let box = place(graph[resolved(operand.node)]) else { return nil }
      var placed = box
      for (axis, label) in operand.labels.enumerated() { placed[label] = box[axis] }
      for other in boxes where zip(other, placed).allSatisfy({ $0.overlaps($1) }) { return nil }
      boxes.append(placed)
    }
    return boxes
  }

  /// The box of the result that a product of one array and selectors fills; nil for other products.
  func place(_ node: Node) -> [Range<Int>]? {
    let arrays = node.operands.filter { !isSymbolic($0.node) }
    guard arrays.count == 1, Set(arrays[0].labels).count == arrays[0].labels.count else { return nil }
    var box = node.shape.map { 0..<$0 }
    var covered = Set(arrays[0].labels.filter { $0 < node.shape.count })
    var walked = covered
    for operand in node.operands where isSymbolic(operand.node) {
      guard case .selector(let s) = graph[operand.node].op, let target = operand.labels.first,
        target < node.shape.count, covered.insert(target).inserted,
        s.steps[0] == s.extents.rowMajorStrides,
        graph.shape(operand.node).dropFirst().elementsEqual(s.extents)
      else { return nil }
      for (k, label) in operand.labels.dropFirst().enumerated() {
        let isParameter =
          s.starts[k + 1] == 0
          && s.steps[k + 1].indices.allSatisfy { s.steps[k + 1][$0] == ($0 == k ? 1 : 0) }
        guard isParameter, label >= node.shape.count, walked.insert(label).inserted else { return nil }
      }
      box[target] = s.starts[0]..<(s.starts[0] + s.extents.elementCount)
    }
    guard covered.count == node.shape.count, walked == Set(arrays[0].labels) else { return nil }
    return box
  }
}

extension TensorGraph {
  /// Looks through `stop`, which only derivatives see, and `dense`, which only outputs do.
  func resolved(_ id: NodeID) -> NodeID {
    var id = id
    while isTransparent(id) { id = self[id].operands[0].node }
    return id
  }

  func isTransparent(_ id: NodeID) -> Bool {
    switch self[id].op {
    case .stop, .dense: return true
    default: return false
    }
  }
}
