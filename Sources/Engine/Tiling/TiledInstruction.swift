import Foundation
import Graph
import LinearAlgebra
import Tensors

/// Runs a `TiledReduction`: tile after tile on all threads, each reduced and added to the results.
///
/// Tiles run in rounds, whose length depends on their sizes alone. Those of a round are computed in any order, each by one thread, and then
/// added in theirs, in double precision: results do not depend on the number of threads. Memory is that of the
/// results, of a round's reduced tiles, and of one tile's arrays a thread.
final class TiledInstruction: Instruction {
  private let reduction: TiledReduction
  private let precision: Precision
  private let places: TilePlaces
  private let bufferOf: [NodeID: Int]
  private var programs: [TileVariant: TileProgram] = [:]
  private let work: Double
  /// Tiles of one round.
  private let roundLength: Int
  /// Told how much is done, between rounds; stops the run when it throws.
  var report: ((TileProgress) throws -> Void)?

  /// - Parameters:
  ///   - inputs: buffers of the arrays that tiles read.
  ///   - outputs: buffers of the reductions.
  init(_ group: TiledGroup, _ precision: Precision, inputs: [NodeID: Int], outputs: [Int]) throws {
    reduction = group.reduction
    self.precision = precision
    places = TilePlaces(reduction, tile: group.tile)
    bufferOf = inputs
    // Nearly all variants, with what they take.
    var work = 0.0
    for sample in places.samples where places.isFirstOfOrbit(sample.place) {
      let variant = places.variant(sample.place).variant
      let program = try programs[variant] ?? TileProgram(TileGraph(reduction, variant), precision)
      programs[variant] = program
      work += sample.weight * program.multiplications
    }
    self.work = work
    let results = programs.values.map(\.resultBytes).max() ?? 0
    roundLength = max(8, min(64, group.bytes / max(results, 1)))
    super.init(reads: inputs.values.sorted(), writes: outputs)
  }

  private func program(_ variant: TileVariant) throws -> TileProgram {
    if let known = programs[variant] { return known }
    let made = try TileProgram(TileGraph(reduction, variant), precision)
    programs[variant] = made
    return made
  }

  // MARK: Running

  override var canBeCopied: Bool { false }

  override func run(_ memory: Memory) throws {
    let tile = places.tile
    let sources = TileSources(reduction, bufferOf, memory, tile: tile)
    let workspaces = TileWorkspaces()
    var totals = reduction.exits.map { TileTotal(reduction, $0, tile: tile) }
    var progress = TileProgress(total: places.total, start: Date())
    var walk = places.all
    while !walk.isAtEnd {
      let jobs = try nextRound(&walk, &progress)
      try TileJob.run(jobs, sources, workspaces)
      for job in jobs {
        for (k, place) in job.places.enumerated() {
          for exit in totals.indices { totals[exit].add(job.results[k * totals.count + exit], at: place) }
        }
        progress.done += Double(job.places.count)
      }
      try Interruption.check()
      try report?(progress)
    }
    for (total, buffer) in zip(totals, writes) { total.store(memory, buffer) }
  }

  /// The next tiles that add something; others count as done.
  private func nextRound(_ walk: inout TilePlaces.Walk, _ progress: inout TileProgress) throws -> [TileJob] {
    var jobs: [TileJob] = []
    while jobs.count < roundLength, let place = walk.next() {
      guard places.isFirstOfOrbit(place) else { continue }
      let (variant, images) = places.variant(place)
      let program = try program(variant)
      if program.isZero {
        progress.done += Double(images.count)
      } else {
        jobs.append(TileJob(program, images))
      }
      try Interruption.check()
    }
    return jobs
  }

  // MARK: What it takes

  /// Bytes besides the buffers of the plan.
  override var workspaceBytes: Int {
    let one = programs.values.map(\.bytes).max() ?? 0
    let results = programs.values.map(\.resultBytes).max() ?? 0
    let totals = reduction.exits.reduce(0) { $0 + reduction.graph.shape($1).elementCount * 8 }
    return totals + one * Team.size + results * roundLength
  }

  override var multiplications: Double { work }

  override var summary: String {
    let cuts = zip(places.tile, reduction.tileClasses).map { "\($0) of \($1.size)" }.joined(separator: ", ")
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
