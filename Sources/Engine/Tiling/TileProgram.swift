import Graph
import LinearAlgebra
import Synchronization
import Tensors

/// The plan of one variant of tiles, with copies for threads that want it at the same time.
final class TileProgram: Sendable {
  private struct Pool: @unchecked Sendable { var idle: [Plan] }

  let inputs: [TileInput]
  let arenaBytes: Int
  /// What one tile takes, its inputs and results included.
  let bytes: Int
  let resultBytes: Int
  let multiplications: Double
  /// Adds nothing to any sum.
  let isZero: Bool
  private let pool: Mutex<Pool>
  private let source: Pool

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
    arenaBytes = plan.arenaBytes
    multiplications = plan.multiplications
    isZero =
      !tile.reduction.exits.contains(where: tile.reduction.isMaximum)
      && tile.outputs.joined().allSatisfy(tile.target.isZero)
    source = Pool(idle: [plan])
    pool = Mutex(Pool(idle: [plan.copy()]))
  }

  func run(_ values: [Tensor], in workspace: Storage) throws -> [Tensor] {
    let taken = pool.withLock { pool in Pool(idle: Array(pool.idle.popLast().map { [$0] } ?? [])) }
    let plan = taken.idle.first ?? source.idle[0].copy()
    let returned = Pool(idle: [plan])
    defer { pool.withLock { $0.idle += returned.idle } }
    return try plan.run(values, in: workspace)
  }
}

/// Memory for the arrays of tiles, one block for each tile that runs at the same time.
final class TileWorkspaces: Sendable {
  private let idle = Mutex<[Storage]>([])

  func with<R>(_ bytes: Int, _ body: (Storage) throws -> R) rethrows -> R {
    let taken = idle.withLock { $0.popLast() }
    let storage = taken.flatMap { $0.byteCount >= bytes ? $0 : nil } ?? Storage(byteCount: bytes)
    defer { idle.withLock { $0.append(storage) } }
    return try body(storage)
  }
}

/// One tile of a round.
final class TileJob: @unchecked Sendable {
  let program: TileProgram
  /// Of the tile and its images.
  let places: [[Int]]
  /// The reductions, for each place.
  private(set) var results: [Tensor] = []
  private var failure: (any Error)?

  init(_ program: TileProgram, _ places: [[Int]]) {
    self.program = program
    self.places = places
  }

  private func run(_ sources: TileSources, _ workspaces: TileWorkspaces) {
    do {
      try Interruption.check()
      let values = program.inputs.map { sources.value($0, places) }
      results = try workspaces.with(program.arenaBytes) { try program.run(values, in: $0) }
    } catch {
      failure = error
    }
  }

  /// All jobs, each on one thread; the first error in their order is thrown.
  static func run(_ jobs: [TileJob], _ sources: TileSources, _ workspaces: TileWorkspaces) throws {
    Team.run(jobs.count) { jobs[$0].run(sources, workspaces) }
    for job in jobs { if let failure = job.failure { throw failure } }
  }
}
