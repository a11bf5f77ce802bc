import CKernels
import COpenBLAS
import Foundation
import Graph
import Synchronization
import Tensors

/// Runs a `TiledReduction`: tile after tile on all threads, each reduced and added to the results.
///
/// Tiles run in rounds of a fixed number. Those of a round are computed in any order, each by one thread, and then
/// added in theirs, in double precision: results do not depend on the number of threads. Memory is that of the
/// results, of a round's reduced tiles, and of one tile's arrays a thread.
final class TiledInstruction: Instruction {
  /// Tiles of one round.
  static let roundLength = 64

  private let reduction: TiledReduction
  private let precision: Precision
  /// The size of whole tiles, and the number of tiles, along each class.
  private let tile: [Int]
  private let counts: [Int]
  private let links: [[Int]]
  private let bufferOf: [NodeID: Int]
  private var programs: [TileVariant: TileProgram] = [:]
  /// Told how much is done, between rounds.
  var report: ((TileProgress) -> Void)?

  init(
    _ reduction: TiledReduction, tile: [Int], _ precision: Precision, inputs: [NodeID: Int], outputs: [Int]
  ) throws {
    self.reduction = reduction
    self.precision = precision
    self.tile = tile
    counts = tile.indices.map { (reduction.tileClasses[$0].size + tile[$0] - 1) / tile[$0] }
    links = reduction.links
    bufferOf = inputs
    super.init(reads: inputs.values.sorted(), writes: outputs)
    // The first tiles, one with all images, tell what a tile takes.
    var places = TilePlaces(counts)
    while let place = places.next(), place.first ?? 0 <= 1, programs.count < 16 {
      if isFirstOfOrbit(place) { _ = try program(variant(place).variant) }
    }
  }

  // MARK: Tiles

  private func isFirstOfOrbit(_ place: [Int]) -> Bool {
    for g in reduction.symmetries.dropFirst()
    where reduction.image(place, g).lexicographicallyPrecedes(place) { return false }
    return true
  }

  private func sizes(_ place: [Int]) -> [Int] {
    place.indices.map { min(tile[$0], reduction.tileClasses[$0].size - place[$0] * tile[$0]) }
  }

  /// How the tile at a place is computed, and where its images lie.
  private func variant(_ place: [Int]) -> (variant: TileVariant, places: [[Int]]) {
    let identity = reduction.core.map { Array(reduction.graph.shape($0).indices) } ?? []
    var places = [place]
    var images = [identity]
    for g in reduction.symmetries.dropFirst() {
      let image = reduction.image(place, g)
      if !places.contains(image) {
        places.append(image)
        images.append(g)
      }
    }
    let diagonal = places.map { place in links.map { place[$0[0]] == place[$0[1]] } }
    return (TileVariant(sizes: sizes(place), images: images, onDiagonal: diagonal), places)
  }

  private func program(_ variant: TileVariant) throws -> TileProgram {
    if let known = programs[variant] { return known }
    let made = try TileProgram(TileGraph(reduction, variant, links: links), precision)
    programs[variant] = made
    return made
  }

  // MARK: Running

  override func run(_ memory: Memory) throws {
    let sources = try TileSources(reduction, bufferOf, memory, tile: tile)
    var totals = reduction.exits.map { TileTotal(reduction, $0, tile: tile) }
    let threads = openblas_get_num_threads()
    openblas_set_num_threads(1)
    defer { openblas_set_num_threads(threads) }
    var places = TilePlaces(counts)
    var progress = TileProgress(total: Double(counts.reduce(1) { $0 * $1 }), start: Date())
    var isDone = false
    while !isDone {
      var jobs: [TileJob] = []
      while jobs.count < Self.roundLength, hk_interrupt_get() == 0 {
        guard let place = places.next() else {
          isDone = true
          break
        }
        guard isFirstOfOrbit(place) else { continue }
        let (variant, images) = variant(place)
        let program = try program(variant)
        if program.isZero {
          progress.done += Double(images.count)
        } else {
          jobs.append(TileJob(program, images))
        }
      }
      try TileJob.run(jobs, sources)
      for job in jobs {
        for (k, place) in job.places.enumerated() {
          for exit in totals.indices { totals[exit].add(job.results[k * totals.count + exit], at: place) }
          progress.done += 1
        }
      }
      if hk_interrupt_get() != 0 { throw EngineError.interrupted }
      report?(progress)
    }
    for (total, buffer) in zip(totals, writes) { total.store(memory, buffer) }
  }

  // MARK: What it takes

  /// Bytes besides the buffers of the plan.
  override var workspaceBytes: Int {
    let one = programs.values.map { $0.bytes }.max() ?? 0
    let results = programs.values.map { $0.resultBytes }.max() ?? 0
    let totals = reduction.exits.reduce(0) { $0 + reduction.graph.shape($1).elementCount * 8 }
    return totals + one * Int(hk_team_size()) + results * Self.roundLength
  }

  override var multiplications: Double {
    TileShape(reduction, precision).tileCount(tile) * (programs.values.map(\.multiplications).max() ?? 0)
  }

  override var summary: String {
    let cuts = tile.indices.map { "\(tile[$0]) of \(reduction.tileClasses[$0].size)" }.joined(separator: ", ")
    let symmetry = reduction.symmetries.count > 1 ? ", \(reduction.symmetries.count) symmetries" : ""
    return "tiles of \(cuts)\(symmetry) → \(writes.map { "b\($0)" }.joined(separator: " "))"
  }
}

/// How far a tiled reduction has come.
public struct TileProgress: Sendable {
  /// Tiles, those that symmetry gives included.
  public var total: Double
  public var done = 0.0
  let start: Date

  init(total: Double, start: Date) {
    self.total = total
    self.start = start
  }

  public var fraction: Double { total > 0 ? done / total : 1 }
  /// Seconds since the start, and an estimate of those to come.
  public var elapsed: Double { Date().timeIntervalSince(start) }
  public var remaining: Double { done > 0 ? elapsed * (total - done) / done : .infinity }
}

/// All places of tiles, the last class fastest.
struct TilePlaces {
  private let counts: [Int]
  private var place: [Int]?

  init(_ counts: [Int]) {
    self.counts = counts
    place = counts.contains(0) ? nil : counts.map { _ in 0 }
  }

  mutating func next() -> [Int]? {
    guard let current = place else { return nil }
    var following = current
    var axis = counts.count - 1
    while axis >= 0 {
      following[axis] += 1
      if following[axis] < counts[axis] { break }
      following[axis] = 0
      axis -= 1
    }
    place = axis < 0 ? nil : following
    return current
  }
}

/// The plan of one variant of tiles, as many copies of it as threads want.
final class TileProgram: @unchecked Sendable {
  private struct Pool: @unchecked Sendable { var idle: [Plan] }

  let inputs: [TileInput]
  let bytes: Int
  let resultBytes: Int
  let multiplications: Double
  /// Adds nothing to any sum.
  let isZero: Bool
  private let pool: Mutex<Pool>
  private let first: Plan

  init(_ tile: TileGraph, _ precision: Precision) throws {
    let plan = try Plan(untiled: tile.target, outputs: tile.outputs.flatMap { $0 }, precision: precision)
    inputs = plan.inputs.map { tile.inputs[$0.id] }
    resultBytes = tile.outputs.joined().reduce(0) {
      $0 + tile.target.shape($1).elementCount * precision.byteCount
    }
    bytes =
      plan.workingBytes
      + plan.inputs.reduce(0) { total, leaf in
        let isCut = tile.inputs[leaf.id].axes.contains { $0 != nil }
        return total + (isCut ? leaf.shape.elementCount * precision.byteCount : 0)
      }
    multiplications = plan.multiplications
    isZero =
      !tile.reduction.exits.contains(where: tile.reduction.isMaximum)
      && tile.outputs.joined().allSatisfy(tile.target.isZero)
    pool = Mutex(Pool(idle: [plan]))
    first = plan
  }

  func run(_ values: [Tensor]) throws -> [Tensor] {
    let idle = pool.withLock { pool in Pool(idle: pool.idle.popLast().map { [$0] } ?? []) }
    let plan = Pool(idle: idle.idle.isEmpty ? [first.copy()] : idle.idle)
    defer { pool.withLock { $0.idle += plan.idle } }
    return try plan.idle[0].run(values)
  }
}

/// One tile of a round.
final class TileJob: @unchecked Sendable {
  let program: TileProgram
  let places: [[Int]]
  private(set) var results: [Tensor] = []
  private var failure: (any Error)?

  init(_ program: TileProgram, _ places: [[Int]]) {
    self.program = program
    self.places = places
  }

  private func run(_ sources: TileSources) {
    guard hk_interrupt_get() == 0 else {
      failure = EngineError.interrupted
      return
    }
    do {
      results = try program.run(program.inputs.map { sources.value($0, places) })
    } catch {
      failure = error
    }
  }

  private final class Round {
    let jobs: [TileJob]
    let sources: TileSources
    init(_ jobs: [TileJob], _ sources: TileSources) {
      self.jobs = jobs
      self.sources = sources
    }
  }

  /// All jobs, each on one thread; the first error in their order is thrown.
  static func run(_ jobs: [TileJob], _ sources: TileSources) throws {
    let round = Round(jobs, sources)
    withExtendedLifetime(round) {
      hk_team_run(
        Int64(jobs.count),
        { context, task in
          guard let context else { return }
          let round = Unmanaged<Round>.fromOpaque(context).takeUnretainedValue()
          round.jobs[Int(task)].run(round.sources)
        }, Unmanaged.passUnretained(round).toOpaque())
    }
    for job in jobs { if let failure = job.failure { throw failure } }
  }
}
