import Glibc

/// A system call on a file that failed.
public struct FileError: Error, Equatable, CustomStringConvertible {
  public let path: String
  public let code: Int32

  public init(path: String, code: Int32) {
    self.path = path
    self.code = code
  }

  /// `cannot read 'x.hlab': No such file or directory`
  public var description: String { "cannot read '\(path)': \(String(cString: strerror(code)))" }
}

/// Reads a whole file, or standard input when `path` is `-`.
public func readFile(_ path: String) throws(FileError) -> [UInt8] {
  if path == "-" { return try readAll(0, path: "<stdin>") }
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw FileError(path: path, code: errno) }
  defer { close(descriptor) }
  return try readAll(descriptor, path: path)
}

/// Takes the places of standard streams that the parent has closed, so that no file is opened there and written to by
/// mistake. Using them stays an error: input cannot be read, output cannot be written.
public func reserveStandardStreams() {
  for descriptor in 0...2 as ClosedRange<Int32> where fcntl(descriptor, F_GETFD) < 0 {
    // The lowest one that is free, which is this.
    _ = open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY)
  }
}

/// The bytes from a descriptor's position to its end.
func readAll(_ descriptor: Int32, path: String) throws(FileError) -> [UInt8] {
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = read(descriptor, &chunk, chunk.count)
    if count > 0 {
      bytes.append(contentsOf: chunk[..<count])
    } else if count == 0 {
      return bytes
    } else if errno != EINTR {
      throw FileError(path: path, code: errno)
    }
  }
}

/// Writes all bytes to a descriptor. The error is an errno.
func writeAll(_ descriptor: Int32, _ bytes: some Collection<UInt8>) throws(FileError) {
  var rest = Array(bytes)[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count >= 0 {
      rest = rest.dropFirst(count)
    } else if errno == EAGAIN {
      var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      poll(&request, 1, -1)
    } else if errno != EINTR {
      throw FileError(path: "", code: errno)
    }
  }
}
