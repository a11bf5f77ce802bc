import Tensors

/// NumPy's array files (`.npy`), formats 1.0, 2.0 and 3.0, as NumPy's `numpy/lib/format.py` documents them.
///
/// Reads f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1 of either byte order, in C or Fortran order, into a row-major tensor: f4
/// in single precision, all others in double precision (8-byte integers beyond 2^53 are rounded). Writes f4 and f8,
/// little-endian, in C order.
public enum Npy {
  /// Reads a file. Throws `cannotRead` and what `decode` throws.
  public static func read(_ path: String) throws(DatasetError) -> Tensor {
    try decode(readFile(path))
  }

  /// Writes a file atomically. Throws `cannotWrite`.
  public static func write(_ tensor: Tensor, to path: String) throws(DatasetError) {
    try writeFile(path, encode(tensor))
  }

  /// The array in the bytes of a file. Throws `notNpy`, `unsupportedNpyVersion`, `malformedNpyHeader`,
  /// `unsupportedDtype`, `truncated` and `trailingBytes`.
  public static func decode(_ bytes: [UInt8]) throws(DatasetError) -> Tensor {
    guard bytes.starts(with: magic) else { throw .notNpy }
    guard bytes.count >= 8 else { throw .truncated(expected: 8, found: bytes.count) }
    let (major, minor) = (Int(bytes[6]), Int(bytes[7]))
    guard (1...3).contains(major), minor == 0 else {
      throw .unsupportedNpyVersion(major: major, minor: minor)
    }
    let lengthBytes = major == 1 ? 2 : 4
    let headerStart = 8 + lengthBytes
    guard bytes.count >= headerStart else {
      throw .truncated(expected: headerStart, found: bytes.count)
    }
    let length = (0..<lengthBytes).reduce(0) { $0 | Int(bytes[8 + $1]) << (8 * $1) }
    let dataStart = headerStart + length
    guard bytes.count >= dataStart else {
      throw .truncated(expected: dataStart, found: bytes.count)
    }
    let header = try NpyHeader(bytes[headerStart..<dataStart])
    let count = try header.checkedCount()
    let (size, overflow) = count.multipliedReportingOverflow(by: header.dtype.byteCount)
    let (end, overflowEnd) = size.addingReportingOverflow(dataStart)
    guard !overflow, !overflowEnd else {
      throw .malformedNpyHeader("the shape has too many entries")
    }
    guard bytes.count >= end else { throw .truncated(expected: end, found: bytes.count) }
    guard bytes.count == end else { throw .trailingBytes(bytes.count - end) }
    let stored = bytes.withUnsafeBytes { header.dtype.values($0, from: dataStart, count: count) }
    let precision = header.dtype.precision
    guard header.fortranOrder, header.shape.count > 1 else {
      return Tensor(stored, header.shape, precision)
    }
    return Tensor(rowMajor(stored, header.shape), header.shape, precision)
  }

  /// The bytes of a file.
  public static func encode(_ tensor: Tensor) -> [UInt8] {
    let sizes = tensor.shape.map(String.init).joined(separator: ", ")
    let shape = tensor.rank == 1 ? "(\(sizes),)" : "(\(sizes))"
    let descr = tensor.precision == .f64 ? "<f8" : "<f4"
    let text = "{'descr': '\(descr)', 'fortran_order': False, 'shape': \(shape), }"
    // The data begins at a multiple of 64 bytes; the header ends in a newline.
    let version = text.utf8.count + 74 <= 0xFFFF ? 1 : 2
    let prefix = version == 1 ? 10 : 12
    let padding = (64 - (prefix + text.utf8.count + 1) % 64) % 64
    let length = text.utf8.count + padding + 1
    var bytes = magic + [UInt8(version), 0]
    bytes.reserveCapacity(prefix + length + tensor.count * tensor.precision.byteCount)
    for i in 0..<(prefix - 8) { bytes.append(UInt8(truncatingIfNeeded: length >> (8 * i))) }
    bytes += text.utf8
    bytes += repeatElement(UInt8(ascii: " "), count: padding)
    bytes.append(UInt8(ascii: "\n"))
    func append<T, Bits: FixedWidthInteger>(
      _ entries: UnsafeBufferPointer<T>, as _: Bits.Type, _ bits: (T) -> Bits
    ) {
      #if _endian(little)
        bytes += UnsafeRawBufferPointer(entries)
      #else
        for x in entries { withUnsafeBytes(of: bits(x).littleEndian) { bytes += $0 } }
      #endif
    }
    switch tensor.precision {
    case .f64: tensor.withEntries(Double.self) { append($0, as: UInt64.self) { $0.bitPattern } }
    case .f32: tensor.withEntries(Float.self) { append($0, as: UInt32.self) { $0.bitPattern } }
    }
    return bytes
  }

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Entries in row-major order from entries whose first index runs fastest.
  private static func rowMajor(_ stored: [Double], _ shape: Shape) -> [Double] {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in 1..<shape.count { strides[axis] = strides[axis - 1] * shape[axis - 1] }
    var index = [Int](repeating: 0, count: shape.count)
    var offset = 0
    return stored.indices.map { _ in
      let value = stored[offset]
      for axis in shape.indices.reversed() {
        index[axis] += 1
        offset += strides[axis]
        if index[axis] < shape[axis] { break }
        offset -= strides[axis] * shape[axis]
        index[axis] = 0
      }
      return value
    }
  }
}

/// How a `.npy` file stores a number.
struct NpyDtype: Equatable {
  let kind: Character
  let byteCount: Int
  let bigEndian: Bool

  /// Reads `<f8`, `|u1`, `>i4`…; throws `unsupportedDtype`.
  init(_ text: String) throws(DatasetError) {
    let characters = Array(text)
    guard characters.count == 3, "<>|=".contains(characters[0]) else {
      throw .unsupportedDtype("'\(text)'")
    }
    switch (characters[1], characters[2]) {
    case ("f", "4"), ("f", "8"), ("i", "1"), ("i", "2"), ("i", "4"), ("i", "8"), ("u", "1"),
      ("u", "2"), ("u", "4"), ("u", "8"), ("b", "1"):
      kind = characters[1]
      byteCount = characters[2].wholeNumberValue!
      bigEndian = characters[0] == ">"
    default: throw .unsupportedDtype("'\(text)'")
    }
  }

  var precision: Precision { kind == "f" && byteCount == 4 ? .f32 : .f64 }

  /// The numbers in `count` stored entries.
  func values(_ bytes: UnsafeRawBufferPointer, from start: Int, count: Int) -> [Double] {
    func load<T: FixedWidthInteger>(_: T.Type, _ convert: (T) -> Double) -> [Double] {
      let size = MemoryLayout<T>.size
      return (0..<count).map { i in
        let raw = bytes.loadUnaligned(fromByteOffset: start + i * size, as: T.self)
        return convert(bigEndian ? T(bigEndian: raw) : T(littleEndian: raw))
      }
    }
    switch (kind, byteCount) {
    case ("f", 8): return load(UInt64.self) { Double(bitPattern: $0) }
    case ("f", _): return load(UInt32.self) { Double(Float(bitPattern: $0)) }
    case ("i", 1): return load(Int8.self) { Double($0) }
    case ("i", 2): return load(Int16.self) { Double($0) }
    case ("i", 4): return load(Int32.self) { Double($0) }
    case ("i", _): return load(Int64.self) { Double($0) }
    case ("u", 1): return load(UInt8.self) { Double($0) }
    case ("u", 2): return load(UInt16.self) { Double($0) }
    case ("u", 4): return load(UInt32.self) { Double($0) }
    case ("u", _): return load(UInt64.self) { Double($0) }
    default: return load(UInt8.self) { $0 == 0 ? 0 : 1 }
    }
  }
}
