import Tensors

/// IDX files, as MNIST's authors document them (yann.lecun.com/exdb/mnist): two zero bytes, a byte for the type of the
/// entries, a byte for the rank, a big-endian 32-bit size for each axis, the entries in row-major order. Plain, or
/// compressed with gzip.
public enum Idx {
  /// Unsigned bytes with their shape.
  public struct Bytes: Sendable {
    public let shape: Shape
    let storage: [UInt8]
    let start: Int

    /// The first `count` entries of the first axis as numbers.
    public func tensor(first count: Int, scaledBy scale: Double = 1, _ precision: Precision) -> Tensor {
      let kept = [min(count, shape[0])] + shape.dropFirst()
      return storage.withUnsafeBytes { bytes in
        let part = UnsafeRawBufferPointer(rebasing: bytes[start..<(start + kept.elementCount)])
        return Tensor(bytes: part, scaledBy: scale, kept, precision)
      }
    }
  }

  /// Reads a file of unsigned bytes. Throws `cannotRead` and what `decode` throws.
  public static func read(_ path: String) throws(DatasetError) -> Bytes { try decode(readFile(path)) }

  /// The array in the bytes of a file. Throws `cannotInflate`, `notIdx`, `unsupportedIdxType`, `truncated` and
  /// `trailingBytes`.
  public static func decode(_ file: [UInt8]) throws(DatasetError) -> Bytes {
    let isGzip = file.starts(with: [0x1F, 0x8B])
    let bytes = isGzip ? try inflated(file[...], .gzip, limit: 1 << 34) : file
    guard bytes.count >= 4 else { throw .truncated(expected: 4, found: bytes.count) }
    guard bytes[0] == 0, bytes[1] == 0 else { throw .notIdx }
    guard bytes[2] == 8 else { throw .unsupportedIdxType(bytes[2]) }
    let start = 4 + 4 * Int(bytes[3])
    guard bytes[3] > 0 else { throw .notIdx }
    guard bytes.count >= start else { throw .truncated(expected: start, found: bytes.count) }
    let shape = (0..<Int(bytes[3])).map { axis in
      (0..<4).reduce(0) { $0 << 8 | Int(bytes[4 + 4 * axis + $1]) }
    }
    var end = 1
    for size in shape {
      let (product, overflow) = end.multipliedReportingOverflow(by: size)
      guard !overflow else { throw .truncated(expected: Int.max, found: bytes.count) }
      end = product
    }
    end += start
    guard bytes.count >= end else { throw .truncated(expected: end, found: bytes.count) }
    guard bytes.count == end else { throw .trailingBytes(bytes.count - end) }
    return Bytes(shape: shape, storage: bytes, start: start)
  }
}
