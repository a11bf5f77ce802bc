/// Means and spreads of entries over samples that are seen one after the other and not kept: Welford's update (*Note on a
/// method for calculating corrected sums of squares and products*, Technometrics 4, 1962), stable where the spread is small
/// beside the mean.
public struct RunningMoments: Sendable {
  public private(set) var count = 0
  /// Of each entry, over the samples so far.
  public private(set) var means: [Double]
  private var squares: [Double]

  /// - Parameter entries: numbers of a sample.
  public init(entries: Int) {
    means = [Double](repeating: 0, count: entries)
    squares = means
  }

  /// Takes in a sample of as many numbers.
  public mutating func add(_ sample: [Double]) {
    count += 1
    for k in means.indices {
      let change = sample[k] - means[k]
      means[k] += change / Double(count)
      squares[k] += change * (sample[k] - means[k])
    }
  }

  /// Standard errors of the means; infinite for fewer than two samples.
  public var standardErrors: [Double] {
    guard count > 1 else { return means.map { _ in .infinity } }
    return squares.map { ($0 / Double(count - 1) / Double(count)).squareRoot() }
  }

  /// Half the width of the 95 % interval of a mean, in standard errors (Student's).
  public var factor: Double { StudentDistribution.quantile975(degrees: count - 1) }
}

/// Whether samples are so skewed that Student's interval for their mean is off.
public enum SamplingSkewness {
  /// G₁ = m₃/m₂^1.5, the skewness of samples; 0 where they are all equal.
  public static func skewness(_ samples: [Double]) -> Double {
    let n = Double(samples.count)
    guard n > 0 else { return 0 }
    let mean = samples.reduce(0, +) / n
    let scale = samples.reduce(0) { max($0, ($1 - mean).magnitude) }
    guard scale > 0, scale.isFinite else { return 0 }
    let moments = samples.reduce(into: (second: 0.0, third: 0.0)) { sums, sample in
      let d = (sample - mean) / scale
      sums.second += d * d / n
      sums.third += d * d * d / n
    }
    return moments.third / (moments.second * moments.second.squareRoot())
  }

  /// Samples that a 95 % interval of the mean needs for its coverage to be within a percent or so: more than 25·G₁² (Cochran,
  /// *Sampling techniques*, 3rd edition, 1977, section 2.15).
  public static func samplesNeeded(skewness: Double) -> Double { 25 * skewness * skewness }
}
