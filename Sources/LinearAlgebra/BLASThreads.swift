import COpenBLAS
import Synchronization

/// How many threads OpenBLAS works with. It has one number for the whole process, so that each call says what it needs
/// just before: `la_` wrappers take the number where more than one may be of use, others are preceded by `use` or
/// `useOne`.
///
/// A task of the team has one thread, which the team says before its tasks begin. Were it to ask for more, the tasks beside
/// it would have more or fewer from one moment to the next, and their last digits with them.
public enum BLASThreads {
  /// How many times the team is at work now.
  private static let teams = Atomic<Int>(0)

  /// For a problem of this order; small ones run on the calling thread.
  public static func count(order: Int) -> Int32 {
    order < 192 || teams.load(ordering: .relaxed) > 0 ? 1 : openblas_get_num_procs()
  }

  /// Whatever is called next runs on as many threads as `count(order:)` says.
  public static func use(order: Int) { openblas_set_num_threads(count(order: order)) }

  /// Whatever is called next runs on the calling thread.
  public static func useOne() { openblas_set_num_threads(1) }

  /// Runs what gives work to the team.
  static func whileTeamWorks(_ body: () -> Void) {
    teams.wrappingAdd(1, ordering: .relaxed)
    defer { teams.wrappingSubtract(1, ordering: .relaxed) }
    useOne()
    body()
  }
}
