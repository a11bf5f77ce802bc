import CKernels
import Testing

/// Every task runs once, whether the others of the team come in time or not.
@Suite struct TeamTests {
  private final class Counts {
    let values = UnsafeMutablePointer<Int32>.allocate(capacity: 64)
    init() { clear() }
    deinit { values.deallocate() }
    func clear() { values.initialize(repeating: 0, count: 64) }
  }

  private static let count: @convention(c) (UnsafeMutableRawPointer?, Int64) -> Void = { context, task in
    context!.assumingMemoryBound(to: Int32.self)[Int(task)] += 1
  }

  @Test func everyTaskOnce() {
    let counts = Counts()
    for run in 0..<20_000 {
      let tasks = 1 + run % 64
      counts.clear()
      hk_team_run(Int64(tasks), Self.count, counts.values)
      let isRight = (0..<64).allSatisfy { counts.values[$0] == ($0 < tasks ? 1 : 0) }
      #expect(isRight, "run \(run)")
      if !isRight { return }
    }
  }

  /// A task that asks for the team does its tasks itself.
  @Test func tasksWithin() {
    let counts = Counts()
    hk_team_run(
      8,
      { context, task in
        let own = context!.assumingMemoryBound(to: Int32.self) + Int(task) * 8
        hk_team_run(8, TeamTests.count, own)
      }, counts.values)
    #expect((0..<64).allSatisfy { counts.values[$0] == 1 })
  }
}
