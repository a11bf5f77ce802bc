import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A block of aligned memory that tensors share until one of them writes. Large blocks are used again: fresh pages
/// cost more than most of what is computed in them.
public final class Storage: @unchecked Sendable {
  public let pointer: UnsafeMutableRawPointer
  public let byteCount: Int
  private let isView: Bool

  public init(byteCount: Int) {
    self.byteCount = byteCount
    isView = false
    pointer = StoragePool.take(byteCount) ?? .allocate(byteCount: max(byteCount, 64), alignment: 64)
  }

  /// Nil when there is not so much memory.
  public init?(ifAvailable byteCount: Int) {
    self.byteCount = byteCount
    isView = false
    var fresh = StoragePool.take(byteCount)
    if fresh == nil, posix_memalign(&fresh, 64, max(byteCount, 64)) != 0 { return nil }
    guard let fresh else { return nil }
    pointer = fresh
  }

  /// Memory that someone else owns and keeps alive.
  init(viewing pointer: UnsafeMutableRawPointer, byteCount: Int) {
    self.byteCount = byteCount
    self.pointer = pointer
    isView = true
  }

  deinit {
    if isView { return }
    if !StoragePool.give(pointer, byteCount) { pointer.deallocate() }
  }
}

/// Freed blocks, by size.
private enum StoragePool {
  private struct Blocks: @unchecked Sendable {
    var bySize: [Int: [UnsafeMutableRawPointer]] = [:]
    var total = 0
  }

  private static let blocks = Mutex(Blocks())
  private static let smallest = 256 << 10
  private static let limit = 256 << 20

  static func take(_ byteCount: Int) -> UnsafeMutableRawPointer? {
    guard byteCount >= smallest else { return nil }
    return blocks.withLock { blocks in
      guard let pointer = blocks.bySize[byteCount]?.popLast() else { return nil }
      blocks.total -= byteCount
      return pointer
    }
  }

  /// False when the block is not kept.
  static func give(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int) -> Bool {
    guard byteCount >= smallest, byteCount <= limit / 4 else { return false }
    let block = Freed(pointer: pointer)
    return blocks.withLock { blocks in
      guard blocks.total + byteCount <= limit else { return false }
      blocks.bySize[byteCount, default: []].append(block.pointer)
      blocks.total += byteCount
      return true
    }
  }

  private struct Freed: @unchecked Sendable { let pointer: UnsafeMutableRawPointer }
}
