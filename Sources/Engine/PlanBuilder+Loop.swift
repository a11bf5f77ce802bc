import CKernels
import Graph
import Tensors

/// A loop nest under construction: inputs, operations on registers, outputs, over labels with sizes.
struct LoopProgram {
  var sizes: [Label: Int]
  private(set) var inputs: [Access] = []
  private(set) var ops: [hk_op] = []
  private var values: [Operand: Int] = [:]
  private var constants: [UInt64: Int] = [:]
  private(set) var registers = 0

  init(sizes: [Label: Int]) { self.sizes = sizes }

  mutating func load(_ access: Access) -> Int {
    if let known = inputs.firstIndex(of: access) { return inputRegisters[known] }
    inputs.append(access)
    inputRegisters.append(registers)
    registers += 1
    return registers - 1
  }
  private(set) var inputRegisters: [Int] = []

  mutating func constant(_ value: Double) -> Int {
    if let known = constants[value.bitPattern] { return known }
    let r = apply(HK_LOAD_CONSTANT, imm: value)
    constants[value.bitPattern] = r
    return r
  }

  mutating func apply(
    _ code: hk_opcode, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, n: Int = 0, imm: Double = 0
  ) -> Int {
    ops.append(
      hk_op(
        code: Int32(code.rawValue), dst: Int32(registers), a: Int32(a), b: Int32(b), c: Int32(c), n: Int32(n),
        imm: imm))
    registers += 1
    return registers - 1
  }

  mutating func remember(_ operand: Operand, _ register: Int) { values[operand] = register }
  func known(_ operand: Operand) -> Int? { values[operand] }
}

/// A term of a sum over fewer entries than its loop has; `axes` are places in that sum's shape.
struct RepeatedTerm: Hashable {
  var coefficient: Double
  var node: NodeID
  var axes: [Int]
}

extension PlanBuilder {
  /// A pointwise node or a reduction, with what is fused below it.
  func loop(_ id: NodeID, _ node: Node, into out: Access) throws {
    var program = LoopProgram(sizes: labelSizes(node))
    let axes = Array(node.shape.indices)
    let value: Int
    var mode = HK_STORE
    switch node.op {
    case .reduceMax:
      value = try self.value(node.operands[0], &program)
      mode = HK_MAXIMUM
    default:
      value = try compute(node, labels: axes, &program)
      if node.sumsLabels { mode = HK_ACCUMULATE }
    }
    try emit(program, [(out, value, mode)], startsReduction: true)
  }

  /// Σ coefficient · operand: one loop, or several that add up when the terms are many. `isAdded`: to what is there.
  func loop(summing terms: [(Double, Operand)], _ shape: Shape, into out: Access, isAdded: Bool = false)
    throws
  {
    var sizes: [Label: Int] = [:]
    for (axis, n) in shape.enumerated() { sizes[axis] = n }
    for start in stride(from: 0, to: terms.count, by: Self.fusionLimit) {
      var program = LoopProgram(sizes: sizes)
      var value = try sum(Array(terms[start..<min(start + Self.fusionLimit, terms.count)]), &program)
      if isAdded { value = program.apply(HK_ADD, program.load(out), value) }
      try emit(program, [(out, value, start == 0 ? HK_STORE : HK_ACCUMULATE)])
    }
  }

  private func labelSizes(_ node: Node) -> [Label: Int] {
    var sizes: [Label: Int] = [:]
    for (axis, n) in node.shape.enumerated() { sizes[axis] = n }
    for operand in node.operands {
      for (axis, label) in operand.labels.enumerated() { sizes[label] = graph.shape(operand.node)[axis] }
    }
    return sizes
  }

  /// Orders and merges the dimensions and emits the loop. A reduction that starts covers the whole of its buffer;
  /// others add to what is there.
  func emit(
    _ program: LoopProgram, _ outputs: [(access: Access, register: Int, mode: hk_mode)],
    startsReduction: Bool = false
  ) throws {
    let arrays = outputs.map(\.access) + program.inputs
    var dimensions = loopOrder(program.sizes, arrays)
    let sizes = merge(&dimensions, program.sizes, arrays)
    guard dimensions.count <= Int(HK_MAX_DIMS) else { throw EngineError.tooComplex("labels in one loop") }
    let assigned = try RegisterAssignment(
      program.ops, inputs: program.inputRegisters, kept: outputs.map(\.register), count: program.registers)
    let inputs = zip(program.inputs, program.inputRegisters).map { access, register in
      access.kernel(dimensions, register: assigned.places[register])
    }
    let written = outputs.map { access, register, mode in
      var isFresh = startsReduction && mode != HK_STORE
      if isFresh && !access.covers(buffers[access.buffer].count, program.sizes) {
        let start = mode == HK_MAXIMUM ? -Double.infinity : 0
        emit(FillInstruction(access.buffer, count: buffers[access.buffer].count, value: start))
        isFresh = false
      }
      return hk_output(
        access: access.kernel(dimensions, register: assigned.places[register]), mode: Int32(mode.rawValue),
        fresh: isFresh ? 1 : 0, direct: 0, early: 0)
    }
    emit(
      LoopInstruction(
        sizes: sizes, inputs: inputs, ops: assigned.ops, outputs: written, registers: assigned.count))
  }

  /// The innermost dimension is the one that most arrays walk contiguously; the others follow the output.
  private func loopOrder(_ sizes: [Label: Int], _ arrays: [Access]) -> [Label] {
    let labels = sizes.filter { $0.value != 1 }.keys.sorted()
    func score(_ label: Label) -> Int {
      let contiguous = arrays.reduce(0) { $0 + ($1[label] == 1 ? 4 : ($1[label] == 0 ? 1 : 0)) }
      return contiguous * 16 + min(sizes[label] ?? 1, 15)
    }
    guard let inner = labels.max(by: { (score($0), $0) < (score($1), $1) }) else { return [] }
    func reach(_ label: Label) -> [Int] { arrays.map { -abs($0[label]) } }
    let outer = labels.filter { $0 != inner }.sorted { reach($0).lexicographicallyPrecedes(reach($1)) }
    return outer + [inner]
  }

  /// Merges neighbouring dimensions that every array walks as one; returns the sizes.
  private func merge(_ dimensions: inout [Label], _ sizes: [Label: Int], _ arrays: [Access]) -> [Int] {
    var result = dimensions.map { sizes[$0] ?? 1 }
    var d = dimensions.count - 2
    while d >= 0 {
      let (outer, inner) = (dimensions[d], dimensions[d + 1])
      if arrays.allSatisfy({ $0[outer] == $0[inner] * result[d + 1] }) {
        result[d + 1] *= result[d]
        result.remove(at: d)
        dimensions.remove(at: d)
      }
      d -= 1
    }
    return result
  }

  // MARK: Values

  /// The register that holds an operand in this loop's iteration space.
  func value(_ operand: Operand, _ program: inout LoopProgram) throws -> Int {
    let id = resolved(operand.node)
    let operand = Operand(id, operand.labels)
    if let known = program.known(operand) { return known }
    let register: Int
    if let constant = graph.constantValue(id) {
      register = program.constant(constant)
    } else if fused.contains(id) {
      register = try compute(graph[id], labels: operand.labels, &program)
    } else {
      register = program.load(try access(operand))
    }
    program.remember(operand, register)
    return register
  }

  /// The operations of a pointwise node (or of the summand of a reduction); `labels` name the node's axes.
  private func compute(_ node: Node, labels: [Label], _ program: inout LoopProgram) throws -> Int {
    func mapped(_ operand: Operand) -> Operand {
      Operand(operand.node, operand.labels.map { $0 < labels.count ? labels[$0] : $0 })
    }
    switch node.op {
    case .add(let coefficients):
      return try sum(zip(coefficients, node.operands).map { ($0, mapped($1)) }, &program)
    case .contract(let scale): return try product(scale, node.operands.map(mapped), &program)
    case .map(let f): return try apply(f, node.operands.map(mapped), &program)
    default: throw EngineError.tooComplex("operation in a loop")
    }
  }

  private func sum(_ terms: [(Double, Operand)], _ program: inout LoopProgram) throws -> Int {
    var constant = 0.0
    var rest: [(Double, Int)] = []
    let few = repeated(terms, program.sizes)
    if let few { rest.append((1, program.load(try sum(few.map { terms[$0] }, program.sizes)))) }
    for (place, (c, operand)) in terms.enumerated() where few?.contains(place) != true {
      if let value = graph.constantValue(resolved(operand.node)) {
        constant += c * value
      } else {
        rest.append((c, try value(operand, &program)))
      }
    }
    if terms.contains(where: { isProductSum(resolved($0.1.node)) }) {
      // A product can begin with what is added to it first.
      rest = rest.filter { $0.0 == 1 } + rest.filter { $0.0 != 1 }
    } else if let unit = rest.firstIndex(where: { $0.0 == 1 }) {
      // Start with a term of coefficient 1, so that a + b − c costs two operations.
      rest.swapAt(0, unit)
    }
    guard let first = rest.first else { return program.constant(constant) }
    var result = first.0 == 1 ? first.1 : program.apply(HK_MUL_CONSTANT, first.1, imm: first.0)
    for (c, register) in rest.dropFirst() {
      switch c {
      case 1: result = program.apply(HK_ADD, result, register)
      case -1: result = program.apply(HK_SUB, result, register)
      default: result = program.apply(HK_AXPY, result, register, imm: c)
      }
    }
    return constant == 0 ? result : program.apply(HK_ADD_CONSTANT, result, imm: constant)
  }

  /// Two or more terms that together reach few of a large loop's entries (biases of a batch, that are the same for
  /// every sample): their sum is made once, before. Nil when there are none.
  private func repeated(_ terms: [(Double, Operand)], _ sizes: [Label: Int]) -> [Int]? {
    let volume = sizes.values.reduce(1, *)
    guard terms.count > 2, volume >= Self.repeatedVolume else { return nil }
    let arrays = terms.indices.filter {
      let id = resolved(terms[$0].1.node)
      return !fused.contains(id) && graph.constantValue(id) == nil
    }
    let labels = terms.map { Set($0.1.labels) }
    var most: [Int] = []
    for widest in arrays {
      let reach = labels[widest].reduce(1) { $0 * (sizes[$1] ?? 1) }
      guard reach <= volume / Self.repeatedShare else { continue }
      let group = arrays.filter { labels[$0].isSubset(of: labels[widest]) }
      if group.count > most.count { most = group }
    }
    return most.count > 1 ? most : nil
  }

  /// Σ coefficient · operand over the labels that the terms have, computed once for all loops that read it.
  private func sum(_ terms: [(Double, Operand)], _ sizes: [Label: Int]) throws -> Access {
    let labels = Set(terms.flatMap(\.1.labels)).sorted()
    let shape = labels.map { sizes[$0] ?? 1 }
    let key = terms.map { coefficient, operand in
      RepeatedTerm(
        coefficient: coefficient, node: resolved(operand.node),
        axes: operand.labels.compactMap(labels.firstIndex(of:)))
    }
    let known = repeatedSums[key]
    let out = Access(buffer: known ?? newBuffer(shape.elementCount), shape: shape, labels: labels)
    guard known == nil else { return out }
    repeatedSums[key] = out.buffer
    var program = LoopProgram(sizes: Dictionary(uniqueKeysWithValues: zip(labels, shape)))
    let value = try sum(terms, &program)
    try emit(program, [(out, value, HK_STORE)])
    return out
  }

  /// Loops of fewer entries add every term as it comes; each entry of a sum made before is read so often at least.
  private static var repeatedVolume: Int { 16384 }
  private static var repeatedShare: Int { 16 }

  /// A product; it divides by what a reciprocal is of.
  private func product(_ scale: Double, _ operands: [Operand], _ program: inout LoopProgram) throws -> Int {
    var numerators: [Operand] = []
    var denominators: [Operand] = []
    for operand in operands {
      if let divisor = divisor(operand) {
        denominators.append(divisor)
      } else {
        numerators.append(operand)
      }
    }
    var result: Int?
    for operand in numerators {
      let register = try value(operand, &program)
      result = result.map { program.apply(HK_MUL, $0, register) } ?? register
    }
    if let value = result, scale != 1 { result = program.apply(HK_MUL_CONSTANT, value, imm: scale) }
    var total = result ?? program.constant(scale)
    for operand in denominators { total = program.apply(HK_DIV, total, try value(operand, &program)) }
    return total
  }

  private func apply(_ f: MapFunction, _ operands: [Operand], _ program: inout LoopProgram) throws -> Int {
    let r = try operands.map { try value($0, &program) }
    let (a, b, c) = (r[0], r.count > 1 ? r[1] : 0, r.count > 2 ? r[2] : 0)
    if case .power(let n) = f { return program.apply(HK_POWER, a, n: n) }
    return program.apply(Self.opcode(f), a, b, c)
  }

  private static func opcode(_ f: MapFunction) -> hk_opcode {
    switch f {
    case .exp: return HK_EXP
    case .expm1: return HK_EXPM1
    case .log: return HK_LOG
    case .log1p: return HK_LOG1P
    case .sqrt, .rootAtZero: return HK_SQRT
    case .reciprocalRootAtZero: return HK_RSQRT_AT_ZERO
    case .sin: return HK_SIN
    case .cos: return HK_COS
    case .tan: return HK_TAN
    case .asin: return HK_ASIN
    case .acos: return HK_ACOS
    case .atan: return HK_ATAN
    case .sinh: return HK_SINH
    case .cosh: return HK_COSH
    case .tanh: return HK_TANH
    case .sigmoid: return HK_SIGMOID
    case .softplus: return HK_SOFTPLUS
    case .sech2: return HK_SECH2
    case .erf: return HK_ERF
    case .abs: return HK_ABS
    case .sign: return HK_SIGN
    case .relu: return HK_RELU
    case .floor: return HK_FLOOR
    case .ceil: return HK_CEIL
    case .round: return HK_ROUND
    case .reciprocal: return HK_RECIP
    case .step: return HK_STEP
    case .power: return HK_POWER
    case .pow: return HK_POW
    case .atan2: return HK_ATAN2
    case .max: return HK_MAX
    case .min: return HK_MIN
    case .modulo: return HK_MODULO
    case .less: return HK_LESS
    case .lessEqual: return HK_LESS_EQUAL
    case .equal: return HK_EQUAL
    case .notEqual: return HK_NOT_EQUAL
    case .and: return HK_AND
    case .or: return HK_OR
    case .not: return HK_NOT
    case .isFinite: return HK_IS_FINITE
    case .isNaN: return HK_IS_NAN
    case .select: return HK_SELECT
    }
  }
}
