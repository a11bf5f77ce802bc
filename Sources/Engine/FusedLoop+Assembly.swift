import CKernels
import Tensors

extension FusedLoop {
  /// Removes results that nobody wants, and all that led only to them.
  mutating func drop(unless isWanted: (Output) -> Bool) {
    while true {
      // What is read again within the block stays.
      let reread = Set(inputs.filter(\.isLate).map(\.place))
      let kept = outputs.indices.filter { isWanted(outputs[$0]) || reread.contains(outputs[$0].place) }
      let before = (inputs.count, outputs.count)
      removeOutputs(keeping: kept)
      removeUnused()
      if before == (inputs.count, outputs.count) { break }
    }
    holdsRows = inputs.contains(where: \.isLate)
  }

  private mutating func removeOutputs(keeping kept: [Int]) {
    guard kept.count < outputs.count else { return }
    var renumbered: [Int32: Int32] = [:]
    for (new, old) in kept.enumerated() { renumbered[Int32(old)] = Int32(new) }
    outputs = kept.map { outputs[$0] }
    ops = ops.compactMap { op in
      guard op.code == Int32(HK_EMIT.rawValue) else { return op }
      guard let new = renumbered[op.n] else { return nil }
      var op = op
      op.n = new
      return op
    }
  }

  mutating func removeUnused() {
    var needed = [Bool](repeating: false, count: registers)
    for output in outputs { needed[output.register] = true }
    var kept: [hk_op] = []
    for op in ops.reversed() where op.code == Int32(HK_EMIT.rawValue) || needed[Int(op.dst)] {
      kept.append(op)
      for source in RegisterAssignment.sources(op) { needed[source] = true }
    }
    let used = inputs.indices.filter { needed[inputs[$0].register] }
    var renumbered: [Int32: Int32] = [:]
    for (new, old) in used.enumerated() { renumbered[Int32(old)] = Int32(new) }
    inputs = used.map { inputs[$0] }
    ops = kept.reversed().map { op in
      guard op.code == Int32(HK_LOAD.rawValue) else { return op }
      var op = op
      op.n = renumbered[op.n] ?? 0
      return op
    }
    // What is no longer read again is written at the end.
    for k in outputs.indices where outputs[k].isEarly {
      if inputs.contains(where: { $0.isLate && $0.place == outputs[k].place }) { continue }
      outputs[k].isEarly = false
      ops.removeAll { $0.code == Int32(HK_EMIT.rawValue) && $0.n == Int32(k) }
    }
  }

  /// A product that one sum alone uses is multiplied and added in one pass.
  private func paired() -> [hk_op] {
    var uses = [Int](repeating: 0, count: registers)
    for op in ops { for source in RegisterAssignment.sources(op) { uses[source] += 1 } }
    for output in outputs { uses[output.register] += 2 }
    var products: [Int32: hk_op] = [:]
    for op in ops where op.code == Int32(HK_MUL.rawValue) && uses[Int(op.dst)] == 1 { products[op.dst] = op }
    var joined = Set<Int32>()
    let result = ops.map { op -> hk_op in
      func pair(_ code: hk_opcode, _ product: hk_op, _ other: Int32) -> hk_op {
        joined.insert(product.dst)
        return hk_op(
          code: Int32(code.rawValue), dst: op.dst, a: product.a, b: product.b, c: other, n: 0, imm: 0)
      }
      switch hk_opcode(UInt32(op.code)) {
      case HK_ADD:
        if let product = products[op.a] { return pair(HK_MUL_ADD, product, op.b) }
        if let product = products[op.b] { return pair(HK_MUL_ADD, product, op.a) }
      case HK_SUB:
        if let product = products[op.a] { return pair(HK_MUL_SUB, product, op.b) }
        if let product = products[op.b] { return pair(HK_SUB_MUL, product, op.a) }
      default: break
      }
      return op
    }
    return result.filter { !joined.contains($0.dst) || $0.code != Int32(HK_MUL.rawValue) }
  }

  /// The kernels' registers that the program takes; nil when there are too few of them.
  var registerCount: Int? {
    try? RegisterAssignment(
      ops, inputs: inputs.map(\.register), kept: outputs.map(\.register), count: registers
    ).count
  }

  func instruction() throws -> LoopInstruction { try withRowsAlongMemory().assembled() }

  /// Places of the innermost dimension and of the one that blocks have as rows: one along which arrays are contiguous
  /// that are not so along the innermost. Blocks of rows and columns then reach whole lines of the cache on both sides.
  private var blockDimensions: (row: Int, column: Int)? {
    let last = sizes.count - 1
    guard last >= 1 else { return nil }
    guard last >= 2, !holdsRows else { return (last - 1, last) }
    let strides = (inputs.map(\.place) + outputs.map(\.place)).map(\.strides).filter { $0[last] > 1 }
    func gain(_ axis: Int) -> Int { strides.reduce(0) { $1[axis] == 1 ? $0 + entries($1) : $0 } }
    let row = (0..<last).max { (gain($0), $0) < (gain($1), $1) } ?? last - 1
    return (gain(row) > gain(last - 1) ? row : last - 1, last)
  }

  /// Entries that an array has in the nest. They count, so that a small array that stays in the cache does not stand
  /// against a large one.
  private func entries(_ strides: [Int]) -> Int {
    zip(strides, sizes).reduce(1) { $1.0 == 0 ? $0 : $0 * $1.1 }
  }

  /// Large arrays that blocks walk along memory in neither of their dimensions: every entry is another line of the cache.
  var scattered: Int {
    guard let (row, column) = blockDimensions else { return 0 }
    return (inputs.map(\.place) + outputs.map(\.place)).count { place in
      place.strides[column] > 1 && place.strides[row] > 1 && entries(place.strides) >= Self.scatteredEntries
    }
  }

  private static let scatteredEntries = 1 << 15

  private func withRowsAlongMemory() -> FusedLoop {
    guard let (row, last) = blockDimensions, row < last - 1 else { return self }
    func moved<T>(_ values: [T]) -> [T] {
      var values = values
      values.insert(values.remove(at: row), at: last - 1)
      return values
    }
    var result = self
    result.sizes = moved(sizes)
    for k in inputs.indices { result.inputs[k].place.strides = moved(inputs[k].place.strides) }
    for k in outputs.indices { result.outputs[k].place.strides = moved(outputs[k].place.strides) }
    return result
  }

  private func assembled() throws -> LoopInstruction {
    let assigned = try RegisterAssignment(
      paired(), inputs: inputs.map(\.register), kept: outputs.map(\.register), count: registers)
    let dimensions = mergedDimensions()
    func access(_ place: Place, _ register: Int) -> hk_access {
      var access = hk_access()
      access.buffer = Int32(place.buffer)
      access.reg = Int32(assigned.places[register])
      access.offset = Int64(place.offset)
      for (k, dimension) in dimensions.enumerated() { access[stride: k] = place.strides[dimension.axis] }
      return access
    }
    let read = inputs.map { input -> hk_access in
      var array = access(input.place, input.register)
      array.late = input.isLate ? 1 : 0
      return array
    }
    var claimed = Set(inputs.map(\.register))
    for op in ops where op.code == Int32(HK_LOAD_CONSTANT.rawValue) { claimed.insert(Int(op.dst)) }
    let buffers = Set(inputs.map(\.place.buffer))
    let written = outputs.map { output -> hk_output in
      let isDirect =
        output.mode == HK_STORE && !buffers.contains(output.place.buffer)
        && claimed.insert(output.register).inserted
      return hk_output(
        access: access(output.place, output.register), mode: Int32(output.mode.rawValue),
        fresh: output.isFresh ? 1 : 0, direct: isDirect ? 1 : 0, early: output.isEarly ? 1 : 0)
    }
    return LoopInstruction(
      sizes: dimensions.map(\.size), inputs: read, ops: assigned.ops, outputs: written,
      registers: assigned.count, holdsRows: holdsRows)
  }

  /// Neighbouring dimensions that every array walks as one are one; with the axis whose strides it keeps.
  private func mergedDimensions() -> [(axis: Int, size: Int)] {
    let places = inputs.map(\.place) + outputs.map(\.place)
    var result = sizes.enumerated().map { (axis: $0.offset, size: $0.element) }
    var d = result.count - 2
    while d >= 0 {
      let (outer, inner) = (result[d], result[d + 1])
      let isWhole = holdsRows && d == result.count - 2
      if !isWhole, places.allSatisfy({ $0.strides[outer.axis] == $0.strides[inner.axis] * inner.size }) {
        result[d + 1].size *= outer.size
        result.remove(at: d)
      }
      d -= 1
    }
    return result
  }
}
