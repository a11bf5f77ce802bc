import Glibc

/// Runs `body` on a thread with a stack of up to `bytes` (address space, not memory, until it is used) and waits
/// for it, so that deeply nested input meets hlab's own limits before the end of the stack. Where the system
/// refuses such a stack, a smaller one serves.
public func withLargeStack(bytes: Int = 1 << 30, _ body: @escaping () -> Int32) -> Int32 {
  let box = Unmanaged.passRetained(ThreadBody(body))
  var size = bytes
  while size >= 1 << 23 {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, size)
    var thread = pthread_t()
    let status = pthread_create(&thread, &attributes, runThreadBody, box.toOpaque())
    if status == 0 {
      pthread_join(thread, nil)
      return box.takeRetainedValue().result
    }
    size /= 2
  }
  return box.takeRetainedValue().body()
}

private final class ThreadBody {
  let body: () -> Int32
  var result: Int32 = 70
  init(_ body: @escaping () -> Int32) { self.body = body }
}

private func runThreadBody(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument else { return nil }
  let work = Unmanaged<ThreadBody>.fromOpaque(argument).takeUnretainedValue()
  work.result = work.body()
  return nil
}
