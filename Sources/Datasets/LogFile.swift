#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A text file that lines are added to, each as it comes.
public final class LogFile {
  public let path: String
  private let descriptor: Int32

  /// Opens the file for adding to it, or begins one. Throws `cannotWrite`.
  public init(addingTo path: String) throws(DatasetError) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .cannotWrite(path: path, reason: systemReason()) }
  }

  deinit { close(descriptor) }

  /// Adds a text and a line break. Throws `cannotWrite`.
  public func write(_ text: String) throws(DatasetError) {
    try writeAll(descriptor, Array((text + "\n").utf8), path)
  }
}
