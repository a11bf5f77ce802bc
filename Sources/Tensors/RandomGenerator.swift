#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A counter-based random generator: Philox4x32-10 of Salmon, Moraes, Dror and Shaw, *Parallel random numbers:
/// as easy as 1, 2, 3* (SC 2011).
///
/// The whole state is a 64-bit seed and a 128-bit counter, so a generator can be saved, compared and moved to
/// any place of its sequence. Nothing is kept between draws: every draw starts at a fresh block of 128 bits
/// and drops what it does not use. A fill takes as many blocks as its entries need and therefore gives other
/// numbers than as many single draws.
public struct CounterGenerator: RandomNumberGenerator, Equatable, Hashable, Sendable {
  /// The key of the permutation.
  public let seed: UInt64
  /// The number of the next block, low half.
  public var counterLow: UInt64
  /// The number of the next block, high half; the index of the stream unless 2^64 blocks are drawn.
  public var counterHigh: UInt64

  /// A generator at the beginning of a stream; streams of one seed do not overlap for 2^64 blocks.
  public init(seed: UInt64, stream: UInt64 = 0) {
    self.init(seed: seed, counterLow: 0, counterHigh: stream)
  }

  /// A generator at a saved place.
  public init(seed: UInt64, counterLow: UInt64, counterHigh: UInt64) {
    self.seed = seed
    self.counterLow = counterLow
    self.counterHigh = counterHigh
  }

  /// The Philox4x32-10 bijection: a block of four words for a counter (least significant word first) and a key.
  @inlinable
  public static func philox(
    counter: SIMD4<UInt32>, key: SIMD2<UInt32>
  ) -> SIMD4<UInt32> {
    var (x0, x1, x2, x3) = (counter.x, counter.y, counter.z, counter.w)
    var (k0, k1) = (key.x, key.y)
    for _ in 0..<10 {
      let a = UInt64(x0) &* 0xD251_1F53
      let b = UInt64(x2) &* 0xCD9E_8D57
      (x0, x1, x2, x3) = (
        UInt32(truncatingIfNeeded: b >> 32) ^ x1 ^ k0, UInt32(truncatingIfNeeded: b),
        UInt32(truncatingIfNeeded: a >> 32) ^ x3 ^ k1, UInt32(truncatingIfNeeded: a)
      )
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return SIMD4(x0, x1, x2, x3)
  }

  /// The next block as two 64-bit words; advances the counter by one.
  @inlinable
  public mutating func nextBlock() -> (UInt64, UInt64) {
    let words = CounterGenerator.philox(
      counter: SIMD4(
        UInt32(truncatingIfNeeded: counterLow), UInt32(truncatingIfNeeded: counterLow >> 32),
        UInt32(truncatingIfNeeded: counterHigh), UInt32(truncatingIfNeeded: counterHigh >> 32)),
      key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
    advance(by: 1)
    return (UInt64(words.y) << 32 | UInt64(words.x), UInt64(words.w) << 32 | UInt64(words.z))
  }

  /// Skips blocks.
  @inlinable
  public mutating func advance(by blocks: UInt64) {
    let (sum, overflow) = counterLow.addingReportingOverflow(blocks)
    counterLow = sum
    if overflow { counterHigh &+= 1 }
  }

  /// 64 random bits (one block).
  @inlinable
  public mutating func next() -> UInt64 { nextBlock().0 }
}

// MARK: - Single draws

extension CounterGenerator {
  /// The top 53 bits as a multiple of 2^-53 in [0, 1).
  @inlinable
  static func unit(_ word: UInt64) -> Double { Double(word >> 11) * 0x1p-53 }

  /// Two independent standard normals from two words (Box–Muller, with the logarithm's argument in (0, 1]).
  static func normalPair(_ words: (UInt64, UInt64)) -> (Double, Double) {
    let radius = (-2 * log(1 - unit(words.0))).squareRoot()
    let angle = 2 * Double.pi * unit(words.1)
    return (radius * cos(angle), radius * sin(angle))
  }

  /// A uniform number in [0, 1), a multiple of 2^-53 (one block).
  public mutating func uniform() -> Double { Self.unit(next()) }

  /// A standard normal number (one block).
  public mutating func normal() -> Double { Self.normalPair(nextBlock()).0 }

  /// −1 or 1 with equal probability (one block).
  public mutating func rademacher() -> Double { next() >> 63 == 0 ? 1 : -1 }

  /// An integer in 0..<bound, each equally likely. `bound` must be positive.
  ///
  /// Source: Lemire, *Fast random integer generation in an interval* (2019); a rejected word costs another block.
  public mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0, "the bound of a random integer must be positive")
    let n = UInt64(bound)
    let threshold = (0 &- n) % n
    while true {
      let (high, low) = next().multipliedFullWidth(by: n)
      if low >= threshold { return Int(high) }
    }
  }

  /// A permutation of 0..<count, each equally likely (Fisher–Yates from the end).
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for i in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(i, integer(below: i + 1))
    }
    return order
  }
}

// MARK: - Fills

extension CounterGenerator {
  /// Calls `body` with the index of every entry and its word; two entries share a block.
  @inline(__always)
  private mutating func forEachWord(_ count: Int, _ body: (Int, UInt64) -> Void) {
    var i = 0
    while i < count {
      let (first, second) = nextBlock()
      body(i, first)
      if i + 1 < count { body(i + 1, second) }
      i += 2
    }
  }

  /// Fills with uniform numbers in [0, 1), (count + 1) / 2 blocks. Floats are multiples of 2^-24: the double
  /// from the same block, rounded down, so that 1 never appears.
  public mutating func fillUniform<T: TensorScalar>(_ entries: UnsafeMutableBufferPointer<T>) {
    if T.precision == .f32 {
      forEachWord(entries.count) { entries[$0] = T($1 >> 40) * T(0x1p-24) }
    } else {
      forEachWord(entries.count) { entries[$0] = T(Self.unit($1)) }
    }
  }

  /// Fills with standard normal numbers, (count + 1) / 2 blocks.
  public mutating func fillNormal<T: TensorScalar>(_ entries: UnsafeMutableBufferPointer<T>) {
    var i = 0
    while i < entries.count {
      let (first, second) = Self.normalPair(nextBlock())
      entries[i] = T(first)
      if i + 1 < entries.count { entries[i + 1] = T(second) }
      i += 2
    }
  }

  /// Fills with −1 and 1, (count + 127) / 128 blocks.
  public mutating func fillRademacher<T: TensorScalar>(_ entries: UnsafeMutableBufferPointer<T>) {
    forEachWord((entries.count + 63) / 64) { group, bits in
      for bit in 0..<min(64, entries.count - 64 * group) {
        entries[64 * group + bit] = (bits >> UInt64(bit)) & 1 == 0 ? 1 : -1
      }
    }
  }

  /// An array of `count` uniform numbers in [0, 1).
  public mutating func uniforms(_ count: Int) -> [Double] {
    Array(unsafeUninitializedCapacity: count) { buffer, initialized in
      fillUniform(UnsafeMutableBufferPointer(rebasing: buffer[0..<count]))
      initialized = count
    }
  }

  /// An array of `count` standard normal numbers.
  public mutating func normals(_ count: Int) -> [Double] {
    Array(unsafeUninitializedCapacity: count) { buffer, initialized in
      fillNormal(UnsafeMutableBufferPointer(rebasing: buffer[0..<count]))
      initialized = count
    }
  }

  /// A tensor of uniform numbers in [0, 1).
  public mutating func uniformTensor(_ shape: Shape, _ precision: Precision = .f64) -> Tensor {
    var result = Tensor(uninitialized: shape, precision)
    switch precision {
    case .f64: result.withMutable(Double.self) { fillUniform($0) }
    case .f32: result.withMutable(Float.self) { fillUniform($0) }
    }
    return result
  }

  /// A tensor of standard normal numbers; the same numbers in both precisions, up to rounding.
  public mutating func normalTensor(_ shape: Shape, _ precision: Precision = .f64) -> Tensor {
    var result = Tensor(uninitialized: shape, precision)
    switch precision {
    case .f64: result.withMutable(Double.self) { fillNormal($0) }
    case .f32: result.withMutable(Float.self) { fillNormal($0) }
    }
    return result
  }

  /// A tensor of −1 and 1.
  public mutating func rademacherTensor(_ shape: Shape, _ precision: Precision = .f64) -> Tensor {
    var result = Tensor(uninitialized: shape, precision)
    switch precision {
    case .f64: result.withMutable(Double.self) { fillRademacher($0) }
    case .f32: result.withMutable(Float.self) { fillRademacher($0) }
    }
    return result
  }
}
