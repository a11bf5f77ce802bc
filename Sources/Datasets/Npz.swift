import Tensors

/// NumPy's archives (`.npz`): zip files of `.npy` members, stored or deflated. Read by the central directory, as the
/// zip specification (APPNOTE 6.3, sections 4.3.12 and 4.5.3 for zip64) has it.
public enum Npz {
  /// The arrays of a file by their names, in its order. Throws `cannotRead` and what `decode` throws.
  public static func read(_ path: String) throws(DatasetError) -> [(name: String, tensor: Tensor)] {
    try decode(readFile(path))
  }

  /// The arrays in the bytes of a file. Throws `malformedZip`, and `inFile` with a member's name for what is wrong
  /// with one.
  public static func decode(_ bytes: [UInt8]) throws(DatasetError) -> [(name: String, tensor: Tensor)] {
    let archive = ZipBytes(bytes)
    var result: [(String, Tensor)] = []
    for member in try archive.members() {
      let name = member.name.hasSuffix(".npy") ? String(member.name.dropLast(4)) : member.name
      do throws(DatasetError) {
        result.append((name, try Npy.decode(try archive.contents(of: member))))
      } catch { throw .inFile(path: member.name, "\(error)") }
    }
    return result
  }
}

/// A zip archive in memory.
private struct ZipBytes {
  struct Member {
    let name: String
    let method: Int
    let flags: Int
    let crc: UInt32
    let packed: Int
    let size: Int
    let header: Int
  }

  let bytes: [UInt8]
  init(_ bytes: [UInt8]) { self.bytes = bytes }

  private func number(_ place: Int, _ count: Int) throws(DatasetError) -> Int {
    guard place >= 0, place <= bytes.count - count else { throw .malformedZip("it ends too early") }
    let value = (0..<count).reduce(UInt64(0)) { $0 | UInt64(bytes[place + $1]) << UInt64(8 * $1) }
    guard let whole = Int(exactly: value) else { throw .malformedZip("a size is too large") }
    return whole
  }

  func members() throws(DatasetError) -> [Member] {
    var (count, place) = try directory()
    var result: [Member] = []
    while count > 0 {
      guard try number(place, 4) == 0x0201_4B50 else { throw .malformedZip("its directory is damaged") }
      let (nameLength, extraLength) = (try number(place + 28, 2), try number(place + 30, 2))
      let next = place + 46 + nameLength + extraLength + (try number(place + 32, 2))
      guard next <= bytes.count else { throw .malformedZip("it ends too early") }
      var sizes = [try number(place + 24, 4), try number(place + 20, 4), try number(place + 42, 4)]
      try widen(&sizes, extra: (place + 46 + nameLength)..<(place + 46 + nameLength + extraLength))
      result.append(
        Member(
          name: String(decoding: bytes[(place + 46)..<(place + 46 + nameLength)], as: UTF8.self),
          method: try number(place + 10, 2), flags: try number(place + 8, 2),
          crc: UInt32(try number(place + 16, 4)), packed: sizes[1], size: sizes[0], header: sizes[2]))
      place = next
      count -= 1
    }
    return result
  }

  /// Sizes that do not fit 32 bits stand in an extra field, in this order.
  private func widen(_ sizes: inout [Int], extra: Range<Int>) throws(DatasetError) {
    var place = extra.lowerBound
    while place + 4 <= extra.upperBound {
      let length = try number(place + 2, 2)
      if try number(place, 2) == 1 {
        var item = place + 4
        for k in sizes.indices where sizes[k] == 0xFFFF_FFFF {
          sizes[k] = try number(item, 8)
          item += 8
        }
      }
      place += 4 + length
    }
  }

  /// The number of members and where the directory begins: its end record stands at the end of the file.
  private func directory() throws(DatasetError) -> (count: Int, place: Int) {
    guard bytes.starts(with: [0x50, 0x4B]) else { throw .malformedZip("it does not begin with PK") }
    var end = bytes.count - 22
    let last = max(0, end - 0xFFFF)
    while end >= last, try number(end, 4) != 0x0605_4B50 { end -= 1 }
    guard end >= last else { throw .malformedZip("its directory is missing: the file may be truncated") }
    let (count, place) = (try number(end + 10, 2), try number(end + 16, 4))
    guard count == 0xFFFF || place == 0xFFFF_FFFF else { return (count, place) }
    let wide = try number(end - 20 + 8, 8)
    guard try number(wide, 4) == 0x0606_4B50 else { throw .malformedZip("its directory is damaged") }
    return (try number(wide + 32, 8), try number(wide + 48, 8))
  }

  func contents(of member: Member) throws(DatasetError) -> [UInt8] {
    guard try number(member.header, 4) == 0x0403_4B50 else {
      throw .malformedZip("a member is not where it should be")
    }
    guard member.flags & 1 == 0 else { throw .malformedZip("a member is encrypted") }
    let start = member.header + 30 + (try number(member.header + 26, 2)) + (try number(member.header + 28, 2))
    let (end, overflow) = start.addingReportingOverflow(member.packed)
    guard !overflow, end <= bytes.count else {
      throw .truncated(expected: overflow ? .max : end, found: bytes.count)
    }
    let contents: [UInt8]
    switch member.method {
    case 0: contents = Array(bytes[start..<end])
    case 8: contents = try inflated(bytes[start..<end], .raw, limit: member.size)
    default: throw .malformedZip("compression method \(member.method) is not supported, only 0 and 8 are")
    }
    guard contents.count == member.size else {
      throw .truncated(expected: member.size, found: contents.count)
    }
    guard checksum(contents) == member.crc else { throw .malformedZip("the check sum does not fit") }
    return contents
  }
}
