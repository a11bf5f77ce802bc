import Graph
import Tensors

/// A compiled computation: instructions over buffers, ready to run any number of times on new inputs.
/// Not for use by two threads at once.
///
/// `run` takes and gives tensors. Who runs the same plan very often binds memory instead (`bind(input:to:)`,
/// `bind(result:to:)`) and calls `execute`, which allocates nothing.
public final class Plan {
  /// Where an output is found after a run.
  public enum OutputPlace {
    /// The memory bound for a result.
    case result(Int)
    /// It is an input, unchanged.
    case input(Int)
    case constant(Tensor)
    /// It has no entries.
    case empty
  }

  public let precision: Precision
  /// The leaves whose values `run` takes, in order.
  public let inputs: [Leaf]
  let instructions: [Instruction]
  /// The same, as they are run: without reference counting.
  private let steps: UnsafeMutablePointer<Unmanaged<Instruction>>
  private let outputs: [(buffer: Int, shape: Shape)]
  public let outputPlaces: [OutputPlace]
  let buffers: [PlanBuilder.Buffer]
  private let inputBuffers: [Int]
  /// Buffers of results, which the caller keeps.
  private let resultBuffers: [Int]
  /// Byte offsets of arena buffers.
  private let offsets: [Int]
  public let arenaBytes: Int
  private var arena: Storage?
  private let table: UnsafeMutablePointer<UnsafeMutableRawPointer?>

  init(
    precision: Precision, buffers: [PlanBuilder.Buffer], instructions: [Instruction],
    outputs: [(buffer: Int, shape: Shape)]
  ) {
    self.precision = precision
    self.buffers = buffers
    self.instructions = instructions
    self.outputs = outputs
    steps = .allocate(capacity: max(instructions.count, 1))
    for (k, instruction) in instructions.enumerated() {
      (steps + k).initialize(to: .passUnretained(instruction))
    }
    var leaves: [Leaf] = []
    var places: [Int] = []
    for (index, buffer) in buffers.enumerated() {
      if case .input(let leaf) = buffer.place {
        leaves.append(leaf)
        places.append(index)
      }
    }
    inputs = leaves
    inputBuffers = places
    let results = buffers.indices.filter {
      if case .output = buffers[$0].place { return true } else { return false }
    }
    resultBuffers = results
    outputPlaces = outputs.map { output in
      switch buffers[output.buffer].place {
      case .output: return results.firstIndex(of: output.buffer).map { .result($0) } ?? .empty
      case .input: return places.firstIndex(of: output.buffer).map { .input($0) } ?? .empty
      case .constant(let tensor): return .constant(tensor)
      case .arena: return .empty
      }
    }
    (offsets, arenaBytes) = ArenaLayout.assign(buffers, instructions, entryBytes: precision.byteCount)
    table = .allocate(capacity: max(buffers.count, 1))
    table.initialize(repeating: nil, count: max(buffers.count, 1))
    for (index, buffer) in buffers.enumerated() {
      if case .constant(let tensor) = buffer.place { table[index] = tensor.sharedStorage.pointer }
    }
  }

  deinit {
    table.deallocate()
    steps.deallocate()
  }

  /// Compiles `outputs` of a graph. Large arrays that reductions alone read are computed in tiles, see `limits`.
  public convenience init(
    _ graph: TensorGraph, outputs: [NodeID], precision: Precision = .f64,
    limits: MemoryLimits = MemoryLimits()
  ) throws {
    let compilation = TiledCompilation(graph: graph, precision: precision, limits: limits)
    let (builder, instructions, results) = try compilation.build(outputs)
    self.init(precision: precision, buffers: builder.buffers, instructions: instructions, outputs: results)
  }

  /// Compiles `outputs` with every array stored.
  convenience init(untiled graph: TensorGraph, outputs: [NodeID], precision: Precision) throws {
    let builder = PlanBuilder(graph, outputs: outputs, precision: precision)
    let (instructions, results) = try builder.build()
    self.init(precision: precision, buffers: builder.buffers, instructions: instructions, outputs: results)
  }

  /// The same instructions with memory of their own, for another thread.
  func copy() -> Plan {
    Plan(
      precision: precision, buffers: buffers, instructions: instructions.map { $0.copied() }, outputs: outputs
    )
  }

  var canBeCopied: Bool { instructions.allSatisfy(\.canBeCopied) }

  /// Runs with what lies between inputs and results in memory that the caller lends, of at least `arenaBytes`.
  func run(_ values: [Tensor], in workspace: Storage) throws -> [Tensor] {
    place(in: workspace)
    defer { arena = nil }
    return try run(values)
  }

  /// Told how far reductions in tiles have come while they run; they stop when it throws.
  public var progress: ((TileProgress) throws -> Void)? {
    didSet { for case let tiled as TiledInstruction in instructions { tiled.report = progress } }
  }

  /// Bytes of memory that a run needs besides its inputs.
  public var workingBytes: Int {
    arenaBytes + outputs.reduce(0) { $0 + $1.shape.elementCount * precision.byteCount }
      + (instructions.map(\.workspaceBytes).max() ?? 0)
  }

  /// Runs on values for `inputs` (same order, same shapes). Throws when interrupted, when an index is out of range
  /// or a matrix singular.
  public func run(_ values: [Tensor]) throws -> [Tensor] { try run(values, watching: nil) }

  /// Before each instruction (and once after the last) calls `watcher` with its place.
  func run(_ values: [Tensor], watching watcher: ((Int, Memory) -> Void)?) throws -> [Tensor] {
    let isReady = values.allSatisfy { $0.precision == precision }
    let values = isReady ? values : values.map { $0.converted(to: precision) }
    for (place, value) in values.enumerated() { bind(input: place, to: value.sharedStorage.pointer) }
    var results = resultBuffers.map { Tensor(uninitialized: [buffers[$0].count], precision) }
    for place in results.indices { bind(result: place, to: results[place].uniquePointer()) }
    try withExtendedLifetime((values, results)) {
      guard let watcher else { return try execute() }
      prepare()
      let memory = Memory(table: table, precision: precision)
      for (time, instruction) in instructions.enumerated() {
        watcher(time, memory)
        try instruction.run(memory)
        try Interruption.check()
      }
      watcher(instructions.count, memory)
    }
    return outputs.indices.map { k in
      let shape = outputs[k].shape
      switch outputPlaces[k] {
      case .result(let place): return results[place].reshaped(shape)
      case .input(let place): return values[place].reshaped(shape)
      case .constant(let tensor): return tensor.reshaped(shape)
      case .empty: return Tensor(uninitialized: shape, precision)
      }
    }
  }

  // MARK: Bound runs

  /// Where an input is read from, until another place is bound. The caller keeps the memory alive.
  @inline(__always)
  public func bind(input: Int, to pointer: UnsafeMutableRawPointer) { table[inputBuffers[input]] = pointer }

  /// Where a result is written to, until another place is bound; it must not overlap an input.
  @inline(__always)
  public func bind(result: Int, to pointer: UnsafeMutableRawPointer) {
    table[resultBuffers[result]] = pointer
  }

  /// Entries of each result.
  public var resultCounts: [Int] { resultBuffers.map { buffers[$0].count } }

  public func outputShape(_ output: Int) -> Shape { outputs[output].shape }

  /// Entries of an output.
  public func outputCount(_ output: Int) -> Int { outputs[output].shape.elementCount }

  public var stepCount: Int { instructions.count }

  public var isScalar: Bool { instructions.allSatisfy { $0 is ScalarInstruction } }

  /// How many instructions must have run before an output is complete.
  public func completion(ofOutput output: Int) -> Int {
    let buffer = outputs[output].buffer
    return (instructions.lastIndex { $0.writes.contains(buffer) }).map { $0 + 1 } ?? 0
  }

  /// Runs the instructions of a range (by default all) on the memory that is bound. Throws like `run`.
  public func execute(_ range: Range<Int>? = nil) throws {
    prepare()
    let memory = Memory(table: table, precision: precision)
    let (start, end) = (range?.lowerBound ?? 0, range?.upperBound ?? instructions.count)
    var time = start
    while time < end {
      try steps[time]._withUnsafeGuaranteedRef { try $0.run(memory) }
      try Interruption.check()
      time += 1
    }
  }

  /// The arena is made at the first run and stays.
  @inline(__always)
  private func prepare() { if arena == nil { place(in: Storage(byteCount: arenaBytes)) } }

  /// Gives the memory between inputs and results back; the next run takes it anew.
  func releaseMemory() { arena = nil }

  private func place(in storage: Storage) {
    for index in buffers.indices where offsets[index] >= 0 { table[index] = storage.pointer + offsets[index] }
    arena = storage
  }

  /// Entries of the largest buffer that the plan makes, results included.
  public var largestBuffer: Int {
    buffers.indices.reduce(0) { most, index in
      switch buffers[index].place {
      case .arena where offsets[index] >= 0, .output: return max(most, buffers[index].count)
      default: return most
      }
    }
  }

  /// Multiplications of all sums of products: each loop's size times the factors that it multiplies, m·n·k of a
  /// matrix product.
  public var multiplications: Double { instructions.reduce(0) { $0 + $1.multiplications } }

  /// About how long a run takes, in nanoseconds.
  var nanoseconds: Double { instructions.reduce(0) { $0 + $1.nanoseconds } }

  /// One line an instruction.
  public var listing: [String] { instructions.map(\.summary) }
}

/// Places arena buffers so that those never live at the same time share memory.
enum ArenaLayout {
  static func assign(
    _ buffers: [PlanBuilder.Buffer], _ instructions: [Instruction], entryBytes: Int
  ) -> (offsets: [Int], total: Int) {
    var first = [Int](repeating: .max, count: buffers.count)
    var last = [Int](repeating: -1, count: buffers.count)
    for (time, instruction) in instructions.enumerated() {
      for buffer in instruction.reads + instruction.writes {
        first[buffer] = min(first[buffer], time)
        last[buffer] = time
      }
    }
    var offsets = [Int](repeating: -1, count: buffers.count)
    var total = 0
    var free: [(offset: Int, bytes: Int)] = []
    var starts: [Int: [Int]] = [:]
    var ends: [Int: [Int]] = [:]
    for (index, buffer) in buffers.enumerated() {
      guard case .arena = buffer.place, last[index] >= 0 else { continue }
      starts[first[index], default: []].append(index)
      ends[last[index], default: []].append(index)
    }
    func bytes(_ index: Int) -> Int { (buffers[index].count * entryBytes + 63) / 64 * 64 }
    for time in instructions.indices {
      for index in starts[time] ?? [] {
        let need = bytes(index)
        if let place = bestFit(free, need) {
          offsets[index] = free[place].offset
          free[place].offset += need
          free[place].bytes -= need
          if free[place].bytes == 0 { free.remove(at: place) }
        } else {
          offsets[index] = total
          total += need
        }
      }
      for index in ends[time] ?? [] { release(&free, offsets[index], bytes(index)) }
    }
    return (offsets, total)
  }

  private static func bestFit(_ free: [(offset: Int, bytes: Int)], _ need: Int) -> Int? {
    var best: Int?
    // Of very many holes, the last ones: the search stays short.
    for place in free.indices.suffix(256) where free[place].bytes >= need {
      if best.map({ free[$0].bytes > free[place].bytes }) ?? true { best = place }
    }
    return best
  }

  /// Returns a hole and joins it with its neighbours.
  private static func release(_ free: inout [(offset: Int, bytes: Int)], _ offset: Int, _ bytes: Int) {
    guard bytes > 0 else { return }
    var (place, end) = (0, free.count)
    while place < end {
      let middle = (place + end) / 2
      if free[middle].offset > offset { end = middle } else { place = middle + 1 }
    }
    free.insert((offset, bytes), at: place)
    if place + 1 < free.count, free[place].offset + free[place].bytes == free[place + 1].offset {
      free[place].bytes += free[place + 1].bytes
      free.remove(at: place + 1)
    }
    if place > 0, free[place - 1].offset + free[place - 1].bytes == free[place].offset {
      free[place - 1].bytes += free[place].bytes
      free.remove(at: place)
      place -= 1
    }
  }
}
