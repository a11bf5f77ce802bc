#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Names of files for completion.
enum FileNames {
  /// Paths that begin as `partial` does; directories end in a slash. Hidden ones only when asked for.
  static func matching(_ partial: String) -> [String] {
    let slash = partial.lastIndex(of: "/")
    let directory = slash.map { String(partial[...$0]) } ?? ""
    let base = slash.map { String(partial[partial.index(after: $0)...]) } ?? partial
    return entries(directory.isEmpty ? "." : directory).filter { name in
      name.hasPrefix(base) && (base.hasPrefix(".") ? name != "." && name != ".." : !name.hasPrefix("."))
    }.map { name in
      let path = directory + name
      return isDirectory(path) ? path + "/" : path
    }
  }

  private static func entries(_ directory: String) -> [String] {
    guard let handle = opendir(directory) else { return [] }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      names.append(name)
    }
    return names
  }

  private static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
