import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The data set mnist1d of S. Greydanus and D. Kobak, "Scaling down deep learning with MNIST-1D" (2024): digits drawn as
/// curves over one axis, padded, stretched, moved, sheared and covered with noise. With the standard options the
/// published set, labels equal and features up to rounding: the random numbers are those of NumPy's legacy generator.
public struct Mnist1d: Sendable {
  /// Rows of both sets; a tenth, rounded down, of each digit.
  public var samples = 5000
  /// The share of rows that the training set takes.
  public var share = 0.8
  /// Zeros after the curve: between these, both included.
  public var padding = 36...60
  /// The curve is scaled by 1 ± half of this.
  public var scale = 0.4
  /// Shifts are below this.
  public var shift = 48
  /// Standard deviation of the noise in the padding, before it is smoothed.
  public var correlatedNoise = 0.25
  /// Standard deviation of the noise everywhere.
  public var noise = 0.02
  /// The slope is within ± half of this.
  public var shear = 0.75
  /// One permutation of the positions for all rows.
  public var isShuffled = false
  /// Features.
  public var length = 40
  public var seed: UInt32 = 42

  public init() {}

  /// What is generated: features are rows × `length`, labels the digits, `time` the positions of the features.
  public struct Sets: Sendable {
    public let x, y, testX, testY: Tensor
    public let time: Tensor
  }

  /// Why options make no set, and the option that it is about; nil when they do.
  public var refusal: (option: String, reason: String)? {
    if !(10...10_000_000).contains(samples) {
      return ("samples", "samples are 10 to 10000000, not \(samples)")
    }
    if !(share >= 0 && share <= 1) {
      return ("share", "the share of the training set is 0 to 1, not \(share)")
    }
    if padding.lowerBound < 0 { return ("padding_min", "paddings are 0 to 1000000") }
    if padding.upperBound > 1_000_000 { return ("padding_max", "paddings are 0 to 1000000") }
    if !(1...full).contains(shift) { return ("shift", "shifts are below 1 to \(full), not \(shift)") }
    if !(2...1_000_000).contains(length) { return ("length", "features are 2 to 1000000, not \(length)") }
    let sizes = [("scale", scale), ("padding_noise", correlatedNoise), ("noise", noise), ("shear", shear)]
    let bad = sizes.first { !($0.1.isFinite && $0.1 >= 0) }
    return bad.map { ($0.0, "scale, noises and shear are numbers that are not negative") }
  }

  /// Positions of a row before it is sampled down.
  private var full: Int { Self.templates[0].count + padding.upperBound }

  /// Generates the sets. The options must have no `refusal`.
  public func generate() -> Sets {
    var random = MersenneTwister(seed: seed)
    let each = samples / 10
    let curves = Self.templates.map(Self.normalized)
    var rows: [[Double]] = []
    rows.reserveCapacity(each * 10)
    for curve in curves { for _ in 0..<each { rows.append(row(curve, &random)) } }
    let order = random.numpyPermutation(rows.count)
    let columns = isShuffled ? random.numpyPermutation(length) : Array(0..<length)
    var entries: [Double] = []
    entries.reserveCapacity(rows.count * length)
    for place in order { for column in columns { entries.append(rows[place][column]) } }
    let mean = entries.reduce(0, +) / Double(entries.count)
    let variance = entries.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(entries.count)
    let deviation = variance.squareRoot()
    let x = Tensor(entries.map { ($0 - mean) / deviation }, [rows.count, length])
    let y = Tensor(order.map { Double($0 / each) }, [rows.count])
    let cut = Int(Double(rows.count) * share)
    let time = Self.resampled(
      Self.resampled(Self.grid(-5, 5, Self.templates[0].count).map { $0 / 6 }, full), length)
    return Sets(
      x: x.rows(0..<cut), y: y.rows(0..<cut), testX: x.rows(cut..<rows.count),
      testY: y.rows(cut..<rows.count),
      time: Tensor(vector: time.map { $0 / deviation }))
  }

  // MARK: One row

  private func row(_ curve: [Double], _ random: inout MersenneTwister) -> [Double] {
    // Not exactly 0: what is, is padding.
    var x = curve.map { $0 + 1e-8 }
    let spread = padding.upperBound - padding.lowerBound + 1
    let zeros = padding.lowerBound + Int(Double(spread) * random.numpyUniform())
    x += [Double](repeating: 0, count: zeros)
    x = Self.resampled(x, full)
    let factor = 1 + scale * (random.numpyUniform() - 0.5)
    for k in x.indices { x[k] *= factor }
    let moved = random.numpyInteger(upTo: shift - 1)
    x = Array(x.suffix(moved) + x.dropLast(moved))
    let smooth = Self.smoothed((0..<full).map { _ in correlatedNoise * random.numpyNormal() })
    for k in x.indices where x[k] == 0 { x[k] = smooth[k] }
    for k in x.indices { x[k] += noise * random.numpyNormal() }
    let slope = shear * (random.numpyUniform() - 0.5)
    for (k, position) in Self.grid(-0.5, 0.5, full).enumerated() { x[k] -= slope * position }
    return Self.resampled(x, length)
  }

  /// Linear interpolation on evenly spaced points, ends included. Where a new point falls on an old one, that value is
  /// taken as it is, so that zeros stay zeros.
  private static func resampled(_ x: [Double], _ count: Int) -> [Double] {
    (0..<count).map { k in
      let (place, rest) = (k * (x.count - 1)).quotientAndRemainder(dividingBy: count - 1)
      if rest == 0 { return x[place] }
      return x[place] + (x[place + 1] - x[place]) * (Double(rest) / Double(count - 1))
    }
  }

  /// A Gaussian filter of standard deviation 2, cut at 4 of them; beyond the ends the row is reflected.
  private static func smoothed(_ x: [Double]) -> [Double] {
    let reach = 8
    let weights = (-reach...reach).map { exp(-Double($0 * $0) / 8) }
    let total = weights.reduce(0, +)
    return x.indices.map { k in
      (-reach...reach).reduce(0.0) { sum, offset in
        let period = 2 * x.count
        let place = ((k + offset) % period + period) % period
        return sum + weights[offset + reach] / total * x[place < x.count ? place : period - 1 - place]
      }
    }
  }

  private static func grid(_ low: Double, _ high: Double, _ count: Int) -> [Double] {
    (0..<count).map { low + (high - low) * Double($0) / Double(count - 1) }
  }

  // MARK: Digits

  private static let templates: [[Double]] = [
    [5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5],
    [5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5],
    [5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5],
    [5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5],
    [5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5],
    [5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5],
    [5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5],
    [5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5],
    [5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5],
    [5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5],
  ]

  /// Mean 0, deviation 1, then from its first value and in sixths.
  private static func normalized(_ template: [Double]) -> [Double] {
    let n = Double(template.count)
    let mean = template.reduce(0, +) / n
    let deviation = (template.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n).squareRoot()
    let scaled = template.map { ($0 - mean) / deviation }
    return scaled.map { ($0 - scaled[0]) / 6 }
  }
}
