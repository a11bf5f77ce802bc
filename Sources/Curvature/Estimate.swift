#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A figure known from samples, with what its spread says.
public struct Estimate: Sendable {
  public let value: Double
  /// Of the mean.
  public let standardError: Double
  /// The ends of the 95 % interval.
  public let low: Double
  public let high: Double
  /// Samples.
  public let probes: Int
  /// Products with the matrix.
  public let products: Int

  init(value: Double, standardError: Double, low: Double, high: Double, probes: Int, products: Int) {
    self.value = value
    self.standardError = standardError
    self.low = low
    self.high = high
    self.probes = probes
    self.products = products
  }

  /// The mean of samples, at least two, with Student's interval; `base` is added to it.
  ///
  /// - Parameter floor: half the width that rounding leaves to the interval.
  public init(samples: [Double], base: Double = 0, products: Int, floor: Double = 0) {
    let n = Double(samples.count)
    let mean = samples.reduce(0, +) / n
    let variance = samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(n - 1, 1)
    let error = (variance / n).squareRoot()
    let half = StudentDistribution.quantile975(degrees: samples.count - 1) * error + floor
    self.init(
      value: base + mean, standardError: error, low: base + mean - half, high: base + mean + half,
      probes: samples.count, products: products)
  }

  /// A mean of dependent samples. The jackknife, from the estimates without one sample each, counts twice what pairs of
  /// samples contribute together (Efron and Stein, *The jackknife estimate of variance*, Ann. Statist. 9, 1981), and the
  /// spread of the samples misses most of it: the variance taken is the mean of both.
  init(samples: [Double], leavingOut estimates: [Double], products: Int, floor: Double) {
    let n = Double(samples.count)
    let mean = samples.reduce(0, +) / n
    let spread = samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n * (n - 1))
    let center = estimates.reduce(0, +) / n
    let jackknife = estimates.reduce(0) { $0 + ($1 - center) * ($1 - center) } * (n - 1) / n
    let error = ((spread + jackknife) / 2).squareRoot()
    let half = StudentDistribution.quantile975(degrees: samples.count - 1) * error + floor
    self.init(
      value: mean, standardError: error, low: mean - half, high: mean + half, probes: samples.count,
      products: products)
  }

  /// The square root of a figure that is not negative.
  public var squareRoot: Estimate {
    let root = max(value, 0).squareRoot()
    return Estimate(
      value: root, standardError: root > 0 ? standardError / (2 * root) : standardError.squareRoot(),
      low: max(low, 0).squareRoot(), high: max(high, 0).squareRoot(), probes: probes, products: products)
  }
}

/// Student's t.
public enum StudentDistribution {
  /// The t that a variable exceeds with probability 2.5 %. Infinite without degrees of freedom.
  ///
  /// Source: Hill, *Algorithm 396: Student's t-quantiles* (CACM 13, 1970); about six digits. One and two degrees have
  /// closed forms.
  public static func quantile975(degrees: Int) -> Double {
    let p = 0.05
    let n = Double(degrees)
    if degrees < 1 { return .infinity }
    if degrees == 1 { return 1 / tan(p * Double.pi / 2) }
    if degrees == 2 { return (2 / (p * (2 - p)) - 2).squareRoot() }
    let a = 1 / (n - 0.5)
    let b = 48 / (a * a)
    var c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    let d: Double = ((94.5 / (b + c) - 3) / b + 1) * (a * Double.pi / 2).squareRoot() * n
    var x = d * p
    var y = pow(x, 2 / n)
    if y > 0.05 + a {
      x = -1.959963984540054
      y = x * x
      if degrees < 5 { c += 0.3 * (n - 4.5) * (x + 0.6) }
      c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c
      y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
      y = expm1(a * y * y)
    } else {
      let inner: Double = ((n + 6) / (n * y) - 0.089 * d - 0.822) * (n + 2) * 3
      y = ((1 / inner + 0.5 / (n + 4)) * y - 1) * (n + 1) / (n + 2) + 1 / y
    }
    return (n * y).squareRoot()
  }
}
