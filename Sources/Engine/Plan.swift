import CKernels
import Graph
import Tensors
import Glibc
private let profiling = getenv("HLAB_PROFILE") != nil
private func nowNs() -> Int { var t = timespec(); clock_gettime(CLOCK_MONOTONIC, &t); return Int(t.tv_sec) * 1_000_000_000 + Int(t.tv_nsec) }

/// A compiled computation: instructions over buffers, ready to run any number of times on new inputs.
/// Not for use by two threads at once.
public final class Plan {
  public let precision: Precision
  /// The leaves whose values `run` takes, in order.
  public let inputs: [Leaf]
  let instructions: [Instruction]
  private let outputs: [(buffer: Int, shape: Shape)]
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
    resultBuffers = buffers.indices.filter {
      if case .output = buffers[$0].place { return true } else { return false }
    }
    (offsets, arenaBytes) = ArenaLayout.assign(buffers, instructions, entryBytes: precision.byteCount)
    table = .allocate(capacity: max(buffers.count, 1))
    table.initialize(repeating: nil, count: max(buffers.count, 1))
    for (index, buffer) in buffers.enumerated() {
      if case .constant(let tensor) = buffer.place { table[index] = tensor.sharedStorage.pointer }
    }
  }

  deinit { table.deallocate() }

  /// Compiles `outputs` of a graph.
  public convenience init(_ graph: TensorGraph, outputs: [NodeID], precision: Precision = .f64) throws {
    let builder = PlanBuilder(graph, outputs: outputs, precision: precision)
    let (instructions, results) = try builder.build()
    self.init(precision: precision, buffers: builder.buffers, instructions: instructions, outputs: results)
  }

  /// Bytes of memory that a run needs besides its inputs.
  public var workingBytes: Int {
    arenaBytes + outputs.reduce(0) { $0 + $1.shape.elementCount * precision.byteCount }
  }

  /// Runs on values for `inputs` (same order, same shapes). Throws when interrupted, when an index is out of range
  /// or a matrix singular.
  public func run(_ values: [Tensor]) throws -> [Tensor] { try run(values, watching: nil) }

  /// Before each instruction (and once after the last) calls `watcher` with its place.
  func run(_ values: [Tensor], watching watcher: ((Int, Memory) -> Void)?) throws -> [Tensor] {
    let values = values.map { $0.converted(to: precision) }
    for (buffer, value) in zip(inputBuffers, values) { table[buffer] = value.sharedStorage.pointer }
    if arena == nil { placeArena() }
    var results = resultBuffers.map { Tensor(uninitialized: [buffers[$0].count], precision) }
    for (place, buffer) in resultBuffers.enumerated() { table[buffer] = results[place].uniquePointer() }
    let memory = Memory(table: table, precision: precision)
    try withExtendedLifetime((values, results)) {
      for (time, instruction) in instructions.enumerated() {
        watcher?(time, memory)
        let t0 = profiling ? nowNs() : 0
        try instruction.run(memory)
        if profiling { profile[time] += nowNs() - t0 }
        if hk_interrupt_get() != 0 { throw EngineError.interrupted }
      }
      watcher?(instructions.count, memory)
    }
    if profiling { runs += 1; if runs % 5 == 0 { dump() } }
    return outputs.map { output in
      if let place = resultBuffers.firstIndex(of: output.buffer) {
        return results[place].reshaped(output.shape)
      }
      if let place = inputBuffers.firstIndex(of: output.buffer) {
        return values[place].reshaped(output.shape)
      }
      if case .constant(let tensor) = buffers[output.buffer].place { return tensor.reshaped(output.shape) }
      return Tensor(uninitialized: output.shape, precision)
    }
  }

  private var runs = 0
  private lazy var profile = [Int](repeating: 0, count: instructions.count)
  private func dump() {
    let total = profile.reduce(0, +)
    if total / 5 < 30_000 { profile = [Int](repeating: 0, count: instructions.count); return }
    print("== plan total \(Double(total) / 5e6) ms")
    for k in instructions.indices where profile[k] > total / 200 {
      print("\(k): \(Double(profile[k] / 500) / 10) us \(instructions[k].summary)")
    }
    profile = [Int](repeating: 0, count: instructions.count)
  }
  /// The arena is made at the first run and stays.
  private func placeArena() {
    let made = Storage(byteCount: arenaBytes)
    for index in buffers.indices where offsets[index] >= 0 { table[index] = made.pointer + offsets[index] }
    arena = made
  }

  /// Entries of the largest buffer that the plan makes, results included.
  public var largestBuffer: Int {
    buffers.reduce(0) { most, buffer in
      switch buffer.place {
      case .arena, .output: return max(most, buffer.count)
      default: return most
      }
    }
  }

  /// Multiplications of all sums of products: each loop's size times the factors that it multiplies, m·n·k of a
  /// matrix product.
  public var multiplications: Double { instructions.reduce(0) { $0 + $1.multiplications } }

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
