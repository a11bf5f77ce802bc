import CKernels

/// The team of threads, for Swift closures.
public enum Team {
  public static var size: Int { Int(hk_team_size()) }

  /// Calls `body` for each task in 0..<tasks, in any order, on all threads. A task must not depend on which thread
  /// takes it; BLAS has no other threads for it (`BLASThreads`).
  public static func run(_ tasks: Int, _ body: (Int) -> Void) {
    guard tasks > 1 else {
      if tasks == 1 { body(0) }
      return
    }
    withoutActuallyEscaping(body) { escapable in
      var held = escapable
      withUnsafeMutablePointer(to: &held) { pointer in
        BLASThreads.whileTeamWorks {
          hk_team_run(
            Int64(tasks),
            { context, task in
              context?.assumingMemoryBound(to: ((Int) -> Void).self).pointee(Int(task))
            }, pointer)
        }
      }
    }
  }
}
