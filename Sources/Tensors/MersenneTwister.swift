#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The MT19937 generator of Matsumoto and Nishimura (1998), seeded from an integer, with the conversions that
/// NumPy's legacy generator and PyTorch's CPU generator apply to its outputs.
///
/// For reproducing published data and initial weights; for everything else use `CounterGenerator`.
public struct MersenneTwister: RandomNumberGenerator, Equatable, Sendable {
  private var state: [UInt32]
  private var position: Int
  /// The second number of the last polar pair, if it was not asked for yet.
  private var spareNormal: Double?

  /// Fills the state by the multiplicative recurrence with 1812433253 (Knuth's), as `numpy.random.seed(seed)`
  /// and `torch.manual_seed(seed)` do.
  public init(seed: UInt32) {
    state = [UInt32](repeating: seed, count: 624)
    for i in 1..<624 {
      state[i] = 1_812_433_253 &* (state[i - 1] ^ (state[i - 1] >> 30)) &+ UInt32(i)
    }
    position = 624
  }

  /// The next 32-bit output.
  public mutating func next32() -> UInt32 {
    if position == 624 { regenerate() }
    var y = state[position]
    position += 1
    y ^= y >> 11
    y ^= (y << 7) & 0x9D2C_5680
    y ^= (y << 15) & 0xEFC6_0000
    return y ^ (y >> 18)
  }

  /// Two outputs, the first in the high half.
  public mutating func next() -> UInt64 {
    let high = UInt64(next32())
    return high << 32 | UInt64(next32())
  }

  private mutating func regenerate() {
    for i in 0..<624 {
      let y = (state[i] & 0x8000_0000) | (state[(i + 1) % 624] & 0x7FFF_FFFF)
      state[i] = state[(i + 397) % 624] ^ (y >> 1) ^ (y & 1 == 0 ? 0 : 0x9908_B0DF)
    }
    position = 0
  }
}

extension MersenneTwister {
  /// A uniform number in [0, 1) as `torch.rand` draws one in float32: the low 24 bits of an output.
  public mutating func torchUniform() -> Double {
    Double(next32() & 0xFF_FFFF) * 0x1p-24
  }

  /// A uniform number in [0, 1) as `numpy.random.rand` draws one: 53 bits of two outputs.
  public mutating func numpyUniform() -> Double {
    let a = next32() >> 5
    let b = next32() >> 6
    return (Double(a) * 0x1p26 + Double(b)) * 0x1p-53
  }

  /// A standard normal number as `numpy.random.randn` draws one: the polar method, whose second number is kept
  /// for the next call.
  public mutating func numpyNormal() -> Double {
    if let spare = spareNormal {
      spareNormal = nil
      return spare
    }
    while true {
      let x1 = 2 * numpyUniform() - 1
      let x2 = 2 * numpyUniform() - 1
      let square = x1 * x1 + x2 * x2
      if square > 0 && square < 1 {
        let factor = (-2 * log(square) / square).squareRoot()
        spareNormal = factor * x1
        return factor * x2
      }
    }
  }

  /// An integer in 0...maximum as NumPy's legacy generator draws one: masked outputs until one fits. Draws
  /// nothing when `maximum` is 0.
  public mutating func numpyInteger(upTo maximum: Int) -> Int {
    precondition(maximum >= 0, "the maximum of a random integer must not be negative")
    guard maximum > 0 else { return 0 }
    let bound = UInt64(maximum)
    let mask = UInt64.max >> UInt64(bound.leadingZeroBitCount)
    while true {
      let value = (bound <= 0xFFFF_FFFF ? UInt64(next32()) : next()) & mask
      if value <= bound { return Int(value) }
    }
  }

  /// A permutation of 0..<count as `numpy.random.permutation` draws one.
  public mutating func numpyPermutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for i in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(i, numpyInteger(upTo: i))
    }
    return order
  }
}
