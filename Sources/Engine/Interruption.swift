import CKernels

/// The user's wish to stop, of which whatever runs long takes note.
public enum Interruption {
  /// Throws `EngineError.interrupted` once there is such a wish.
  @inlinable @inline(__always)
  public static func check() throws(EngineError) {
    if hk_interrupt_get() != 0 { throw .interrupted }
  }
}
