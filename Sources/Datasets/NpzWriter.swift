import Tensors

extension Npz {
  /// Writes arrays as a zip file of stored `.npy` members, in one step: a reader never sees half a file. Throws
  /// `cannotWrite`.
  public static func write(_ arrays: [(name: String, tensor: Tensor)], to path: String) throws(DatasetError) {
    try writeFile(path, encode(arrays))
  }

  /// The bytes of such a file; sizes beyond 32 bits stand in zip64 fields.
  public static func encode(_ arrays: [(name: String, tensor: Tensor)]) -> [UInt8] {
    var zip = ZipWriter()
    for (name, tensor) in arrays { zip.add(name + ".npy", Npy.encode(tensor)) }
    return zip.finished()
  }
}

/// A zip archive that grows (APPNOTE 6.3, sections 4.3.7, 4.3.12, 4.3.14 to 4.3.16 and 4.5.3).
private struct ZipWriter {
  private var bytes: [UInt8] = []
  private var directory: [UInt8] = []
  private var count = 0

  private static func number(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private static func numbers(_ fields: [(Int, Int)]) -> [UInt8] { fields.flatMap { number($0.0, $0.1) } }

  mutating func add(_ name: String, _ contents: [UInt8]) {
    let (text, start, size) = (Array(name.utf8), bytes.count, contents.count)
    let crc = Int(checksum(contents))
    let isWide = size >= 0xFFFF_FFFF || start >= 0xFFFF_FFFF
    let short = isWide ? 0xFFFF_FFFF : size
    // Version, flags (names in UTF-8), method 0, the first day of 1980.
    let common = [
      (isWide ? 45 : 20, 2), (0x800, 2), (0, 2), (0, 2), (0x21, 2), (crc, 4), (short, 4), (short, 4),
    ]
    let wide = isWide ? Self.numbers([(1, 2), (16, 2), (size, 8), (size, 8)]) : []
    bytes += Self.numbers([(0x0403_4B50, 4)] + common + [(text.count, 2), (wide.count, 2)]) + text + wide
    bytes += contents
    let far = isWide ? Self.numbers([(1, 2), (24, 2), (size, 8), (size, 8), (start, 8)]) : []
    directory += Self.numbers([(0x0201_4B50, 4), (isWide ? 45 : 20, 2)] + common)
    directory += Self.numbers([
      (text.count, 2), (far.count, 2), (0, 2), (0, 2), (0, 2), (0, 4), (isWide ? 0xFFFF_FFFF : start, 4),
    ])
    directory += text + far
    count += 1
  }

  func finished() -> [UInt8] {
    let start = bytes.count
    var end: [UInt8] = []
    let isWide = start >= 0xFFFF_FFFF || count >= 0xFFFF
    if isWide {
      let record = start + directory.count
      end += Self.numbers([
        (0x0606_4B50, 4), (44, 8), (45, 2), (45, 2), (0, 4), (0, 4), (count, 8), (count, 8),
        (directory.count, 8),
        (start, 8), (0x0706_4B50, 4), (0, 4), (record, 8), (1, 4),
      ])
    }
    end += Self.numbers([
      (0x0605_4B50, 4), (0, 2), (0, 2), (isWide ? 0xFFFF : count, 2), (isWide ? 0xFFFF : count, 2),
      (directory.count, 4), (isWide ? 0xFFFF_FFFF : start, 4), (0, 2),
    ])
    return bytes + directory + end
  }
}
