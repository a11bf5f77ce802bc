import LinearAlgebra
import Synchronization

/// A plan with copies of it, so that threads run it at the same time on pieces of one piece of work.
///
/// Not for use by two threads at once.
final class PlanLanes {
  let plan: Plan
  private var copies: [Plan] = []

  init(_ plan: Plan) { self.plan = plan }

  /// Calls `body` for each of `count` pieces, with a plan that no other thread uses meanwhile; with fewer than `least`
  /// pieces a thread one after the other, so that threads share the work in each. What a piece gives does not depend
  /// on the thread.
  func run(_ count: Int, least: Int = 1, _ body: (Plan, Int) throws -> Void) throws {
    let lanes = min(Team.size, count)
    guard lanes > 1, count >= least * lanes, plan.canBeCopied else {
      for k in 0..<count { try body(plan, k) }
      return
    }
    while copies.count < lanes - 1 { copies.append(plan.copy()) }
    let next = Atomic<Int>(0)
    let errors = Mutex<(piece: Int, error: any Error)?>(nil)
    Team.run(lanes) { lane in
      let own = lane == 0 ? plan : copies[lane - 1]
      while true {
        let k = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard k < count else { return }
        do {
          try body(own, k)
        } catch {
          // The first piece's error is the one that a single thread would meet; the others are left.
          errors.withLock { known in if known.map({ k < $0.piece }) ?? true { known = (k, error) } }
          next.store(count, ordering: .relaxed)
        }
      }
    }
    if let failed = errors.withLock({ $0 }) { throw failed.error }
  }
}
