import CZlib

/// How compressed bytes are framed.
enum DeflateFrame {
  case gzip
  /// Deflate data alone, as in zip archives.
  case raw
}

/// The bytes behind deflated ones. Throws `cannotInflate` with zlib's reason, also when the data end too early or
/// give more than `limit` bytes; files of several gzip members are one after the other, as gzip has it.
func inflated(
  _ bytes: ArraySlice<UInt8>, _ frame: DeflateFrame, limit: Int
) throws(DatasetError) -> [UInt8] {
  var stream = z_stream()
  guard hz_inflate_init(&stream, frame == .gzip ? 15 + 32 : -15) == Z_OK else {
    throw .cannotInflate("zlib does not start")
  }
  defer { inflateEnd(&stream) }
  var result: [UInt8] = []
  var consumed = 0
  var failure: DatasetError?
  bytes.withUnsafeBufferPointer { source in
    let chunk = 1 << 20
    var status = Z_OK
    while failure == nil {
      let given = min(source.count - consumed, Int(Int32.max))
      let piece = [UInt8](unsafeUninitializedCapacity: chunk) { buffer, count in
        stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress.map { $0 + consumed })
        stream.avail_in = UInt32(given)
        stream.next_out = buffer.baseAddress
        stream.avail_out = UInt32(chunk)
        status = inflate(&stream, Z_NO_FLUSH)
        count = chunk - Int(stream.avail_out)
      }
      consumed += given - Int(stream.avail_in)
      result += piece
      switch status {
      case Z_STREAM_END:
        guard frame == .gzip, consumed < source.count else { return }
        inflateReset(&stream)
      case Z_OK, Z_BUF_ERROR:
        if piece.isEmpty { failure = .cannotInflate("the data end too early") }
      default: failure = .cannotInflate(stream.msg.map { String(cString: $0) } ?? "the data are damaged")
      }
      if result.count > limit { failure = .cannotInflate("there are more than \(limit) bytes") }
    }
  }
  if let failure { throw failure }
  return result
}

/// The CRC-32 of bytes.
func checksum(_ bytes: [UInt8]) -> UInt32 {
  bytes.withUnsafeBufferPointer { UInt32(truncatingIfNeeded: crc32_z(0, $0.baseAddress, $0.count)) }
}
