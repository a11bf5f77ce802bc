#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Whole text files, read and written as data files are.
public enum TextFile {
  /// Throws `cannotRead`.
  public static func read(_ path: String) throws(DatasetError) -> String {
    try decode(readFile(path), of: path)
  }

  /// The text of a file's bytes. Throws `cannotRead` with the first line that is no UTF-8.
  public static func decode(_ bytes: [UInt8], of path: String) throws(DatasetError) -> String {
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    let isUTF16 = bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF])
    let reason = isUTF16 ? "it is UTF-16" : "line \(lineOfFirstFault(bytes)) is no UTF-8"
    throw .cannotRead(path: path, reason: "\(reason); texts are saved as UTF-8")
  }

  private static func lineOfFirstFault(_ bytes: [UInt8]) -> Int {
    var (parser, rest) = (Unicode.UTF8.ForwardParser(), bytes.makeIterator())
    var line = 1
    while case .valid(let scalar) = parser.parseScalar(from: &rest) {
      if scalar.first == UInt8(ascii: "\n") { line += 1 }
    }
    return line
  }

  /// Writes atomically. Throws `cannotWrite`.
  public static func write(_ text: String, to path: String) throws(DatasetError) {
    try writeFile(path, Array(text.utf8))
  }

  /// Throws `cannotWrite` when a file could not be written there now; changes nothing. A pipe is taken at its word.
  public static func requireWritable(_ path: String) throws(DatasetError) { try checkWritable(path) }

  /// Whether there is such a file.
  public static func exists(_ path: String) -> Bool { isFile(path) }

  /// The path without links and dots, by which a file is known; the path itself when there is no such file.
  public static func canonical(_ path: String) -> String { resolved(path) }

  /// A relative path from the root, for messages; nil for one that begins there already.
  public static func absolute(_ path: String) -> String? {
    guard !path.hasPrefix("/"), let folder = getcwd(nil, 0) else { return nil }
    defer { free(folder) }
    let start = String(cString: folder)
    return start.hasSuffix("/") ? start + path : start + "/" + path
  }
}

/// Whether a path leads to something that can be read as a file.
func isFile(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFDIR
}

/// The bytes of a file. Throws `cannotRead` with the system's reason.
func readFile(_ path: String) throws(DatasetError) -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw .cannotRead(path: path, reason: systemReason()) }
  defer { close(descriptor) }
  var status = stat()
  var bytes: [UInt8] = []
  if fstat(descriptor, &status) == 0 { bytes.reserveCapacity(Int(status.st_size)) }
  let isDevice = status.st_mode & S_IFMT == S_IFCHR
  let chunk = 1 << 20
  while true {
    var failure: Int32 = 0
    // Appended in place: the array is filled without being zeroed first.
    let piece = [UInt8](unsafeUninitializedCapacity: chunk) { buffer, count in
      var received = read(descriptor, buffer.baseAddress, chunk)
      while received < 0 && errno == EINTR { received = read(descriptor, buffer.baseAddress, chunk) }
      if received < 0 { failure = errno }
      count = max(received, 0)
    }
    if failure != 0 { throw .cannotRead(path: path, reason: systemReason(failure)) }
    if piece.isEmpty { return bytes }
    bytes += piece
    if isDevice && bytes.count > deviceLimit {
      throw .cannotRead(path: path, reason: "it is a device without an end")
    }
  }
}

/// Bytes that a device may give: more than is typed at a terminal, less than fills the memory.
private let deviceLimit = 1 << 26

/// Replaces the contents of a file in one step: the bytes go to a temporary file in the same folder, which is then
/// renamed. A reader, or an interruption, never sees half a file. What is no regular file (a pipe, a device) is
/// written to directly. Throws `cannotWrite` with the system's reason.
func writeFile(_ path: String, _ bytes: [UInt8]) throws(DatasetError) {
  var status = stat()
  let exists = stat(path, &status) == 0
  if exists && status.st_mode & S_IFMT != S_IFREG {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .cannotWrite(path: path, reason: systemReason()) }
    defer { close(descriptor) }
    return try writeAll(descriptor, bytes, path)
  }
  // Through a symbolic link to the file that it names.
  let target = exists ? resolved(path) : path
  let (temporary, descriptor) = try openTemporary(beside: target, for: path)
  do throws(DatasetError) {
    if exists { _ = fchmod(descriptor, status.st_mode & 0o7777) }
    try writeAll(descriptor, bytes, path)
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw .cannotWrite(path: path, reason: systemReason())
    }
  } catch {
    close(descriptor)
    unlink(temporary)
    throw error
  }
  guard close(descriptor) == 0, rename(temporary, target) == 0 else {
    let reason = systemReason()
    unlink(temporary)
    throw .cannotWrite(path: path, reason: reason)
  }
}

/// A new file in the folder of another. Throws `cannotWrite`, about `path`.
private func openTemporary(
  beside target: String, for path: String
) throws(DatasetError) -> (name: String, descriptor: Int32) {
  var (temporary, descriptor, attempt) = ("", Int32(-1), 0)
  repeat {
    temporary = "\(target).\(getpid()).\(attempt).tmp"
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    attempt += 1
  } while descriptor < 0 && errno == EEXIST && attempt < 1000
  guard descriptor >= 0 else { throw .cannotWrite(path: path, reason: systemReason()) }
  return (temporary, descriptor)
}

/// Whether `writeFile` would get as far as writing.
private func checkWritable(_ path: String) throws(DatasetError) {
  var status = stat()
  let exists = stat(path, &status) == 0
  guard exists && status.st_mode & S_IFMT != S_IFREG else {
    let (temporary, descriptor) = try openTemporary(beside: exists ? resolved(path) : path, for: path)
    close(descriptor)
    unlink(temporary)
    return
  }
  // Opening a pipe would wait for its reader.
  guard status.st_mode & S_IFMT != S_IFIFO else { return }
  let descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK)
  guard descriptor >= 0 else { throw .cannotWrite(path: path, reason: systemReason()) }
  close(descriptor)
}

func writeAll(
  _ descriptor: Int32, _ bytes: [UInt8], _ path: String
) throws(DatasetError) {
  var done = 0
  while done < bytes.count {
    let sent = bytes.withUnsafeBytes {
      write(descriptor, $0.baseAddress! + done, bytes.count - done)
    }
    if sent < 0 && errno == EINTR { continue }
    guard sent > 0 else { throw .cannotWrite(path: path, reason: systemReason()) }
    done += sent
  }
}

/// The path behind symbolic links, or the path itself.
private func resolved(_ path: String) -> String {
  guard let real = realpath(path, nil) else { return path }
  defer { free(real) }
  return String(cString: real)
}

func systemReason(_ code: Int32 = errno) -> String { String(cString: strerror(code)).lowercased() }
