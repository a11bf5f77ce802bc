import Glibc
import Synchronization

/// Signals as data: handlers only set bits and write a byte to a pipe, which the line editor polls together with
/// the keyboard, so that no signal is lost between a check and a wait, whichever thread it arrives on.
public enum Signals {
  /// What SIGINT means now.
  enum Phase: Int {
    /// Somebody is typing: the line editor is told.
    case prompt
    /// A statement of the REPL runs: it is asked to stop.
    case evaluating
    /// A script runs: it is asked to stop, and a second SIGINT ends the process.
    case batch
  }

  /// The pipe's ends, or −1 before `install`. Written once, before any handler exists.
  nonisolated(unsafe) private static var readEnd: Int32 = -1
  nonisolated(unsafe) private static var writeEnd: Int32 = -1
  /// Called by the handler, hence async-signal-safe. Written once, before any handler exists.
  nonisolated(unsafe) private static var onInterrupt: @convention(c) () -> Void = {}
  private static let pending = Atomic<UInt64>(0)
  private static let phase = Atomic<Int>(Phase.batch.rawValue)
  private static let repeats = Atomic<Int>(0)

  /// Routes SIGINT to `onInterrupt`, which must be async-signal-safe. Call once, before other threads start.
  public static func install(onInterrupt: @escaping @convention(c) () -> Void) {
    self.onInterrupt = onInterrupt
    var ends: [Int32] = [-1, -1]
    if pipe(&ends) == 0 {
      for end in ends {
        _ = fcntl(end, F_SETFL, O_NONBLOCK)
        _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      }
      readEnd = ends[0]
      writeEnd = ends[1]
    }
    // The first use of a lazily initialised global must not happen in a handler.
    pending.store(0, ordering: .relaxed)
    repeats.store(0, ordering: .relaxed)
    phase.store(Phase.batch.rawValue, ordering: .relaxed)
    if !isIgnored(SIGINT) { handle(SIGINT) }
  }

  /// Whether the parent asked for `signal` to be ignored, as shells do for SIGINT of a background job.
  private static func isIgnored(_ signal: Int32) -> Bool {
    var action = sigaction()
    sigaction(signal, nil, &action)
    return action.__sigaction_handler.sa_handler.map { unsafeBitCast($0, to: Int.self) } == 1
  }

  /// Ctrl-C was pressed while something ran, and the terminal has shown it as `^C`.
  static var hasEcho: Bool { repeats.load(ordering: .relaxed) > 0 }

  /// The descriptor that becomes readable when a signal arrives.
  static var wakeDescriptor: Int32 { readEnd }

  static func enter(_ new: Phase) {
    repeats.store(0, ordering: .relaxed)
    phase.store(new.rawValue, ordering: .relaxed)
  }

  /// Catches `signal`, also where the parent had blocked it; interrupted system calls are restarted.
  static func handle(_ signal: Int32) {
    var unblocked = sigset_t()
    sigemptyset(&unblocked)
    sigaddset(&unblocked, signal)
    pthread_sigmask(SIG_UNBLOCK, &unblocked, nil)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { Signals.received($0) }
    action.sa_flags = SA_RESTART
    sigaction(signal, &action, nil)
  }

  /// Gives `signal` its default effect again.
  static func release(_ signal: Int32) {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = SIG_DFL
    sigaction(signal, &action, nil)
  }

  /// The signals since the last call, and an empty pipe.
  static func take() -> SignalSet {
    var bytes: (UInt64, UInt64) = (0, 0)
    while readEnd >= 0, read(readEnd, &bytes, 16) > 0 {}
    return SignalSet(bits: pending.exchange(0, ordering: .acquiring))
  }

  /// The handler. Async-signal-safe: atomics, `write` and `_exit` only.
  private static func received(_ signal: Int32) {
    let savedError = errno
    defer { errno = savedError }
    let current = phase.load(ordering: .relaxed)
    if signal == SIGINT && current != Phase.prompt.rawValue {
      onInterrupt()
      let count = repeats.wrappingAdd(1, ordering: .relaxed).newValue
      if current == Phase.batch.rawValue && count > 1 { _exit(130) }
      if current == Phase.evaluating.rawValue && count == 3 { sayPatience() }
      return
    }
    pending.bitwiseOr(1 << UInt64(signal), ordering: .releasing)
    var byte: UInt8 = 0
    _ = write(writeEnd, &byte, 1)
  }

  private static func sayPatience() {
    let text: StaticString = "\n(stopping at the next safe point; Ctrl-\\ ends hlab at once)\n"
    _ = write(2, text.utf8Start, text.utf8CodeUnitCount)
  }
}

/// A set of signal numbers.
struct SignalSet {
  var bits: UInt64
  func contains(_ signal: Int32) -> Bool { bits & (1 << UInt64(signal)) != 0 }
}
