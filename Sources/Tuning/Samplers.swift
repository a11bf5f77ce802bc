import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Chooses values for the next trial from what earlier ones gave. Depends on the trials and the generator alone.
public protocol TrialSampler: Sendable {
  func suggest(
    _ parameters: [Parameter], after trials: [Trial], _ random: inout CounterGenerator
  ) -> [Double]
}

/// Uniform values, on the scale of each parameter.
public struct RandomSampler: TrialSampler {
  public init() {}

  public func suggest(
    _ parameters: [Parameter], after trials: [Trial], _ random: inout CounterGenerator
  ) -> [Double] {
    parameters.map { parameter in
      let line = parameter.line
      return parameter.value(at: line.lowerBound + (line.upperBound - line.lowerBound) * random.uniform())
    }
  }
}

/// A grid with the ends of each parameter, of as many levels for each as fit into a number of trials; the last
/// parameter changes fastest, and after the last point the grid begins again.
public struct GridSampler: TrialSampler {
  /// Levels of each parameter.
  public let levels: Int

  public init(trials: Int, parameters: Int) {
    var levels = 1
    while Self.power(levels + 1, parameters) <= trials { levels += 1 }
    self.levels = levels
  }

  private static func power(_ base: Int, _ exponent: Int) -> Int {
    (0..<exponent).reduce(1) { product, _ in
      let (next, overflow) = product.multipliedReportingOverflow(by: base)
      return overflow ? Int.max : next
    }
  }

  public func suggest(
    _ parameters: [Parameter], after trials: [Trial], _ random: inout CounterGenerator
  ) -> [Double] {
    var rest = trials.count
    var values: [Double] = []
    for parameter in parameters.reversed() {
      let level = rest % levels
      rest /= levels
      let (low, high) = (parameter.position(of: parameter.low), parameter.position(of: parameter.high))
      // One level is the middle.
      let share = levels == 1 ? 0.5 : Double(level) / Double(levels - 1)
      values.append(parameter.value(at: low + (high - low) * share))
    }
    return values.reversed()
  }
}

/// The tree-structured Parzen estimator of J. Bergstra, R. Bardenet, Y. Bengio and B. Kégl, *Algorithms for
/// Hyper-Parameter Optimization* (2011), each parameter by itself, with the rules and defaults of Optuna 3: ten random
/// trials first; the best tenth of the trials (at most 25) against the rest; of 24 draws from the density of the good
/// the one is taken that the good make most likely against the others.
public struct TPESampler: TrialSampler {
  /// Random trials at the beginning.
  public var startup = 10
  /// Draws of which one is taken.
  public var candidates = 24

  public init() {}

  public func suggest(
    _ parameters: [Parameter], after trials: [Trial], _ random: inout CounterGenerator
  ) -> [Double] {
    guard trials.count >= startup else {
      return RandomSampler().suggest(parameters, after: trials, &random)
    }
    let count = min((trials.count + 9) / 10, 25)
    // Both in the order of the trials: the weights favour later ones.
    let ranked = zip(trials, trials.ranks)
    let good = ranked.filter { $0.1 < count }.map(\.0)
    let others = ranked.filter { $0.1 >= count }.map(\.0)
    return parameters.indices.map { k in
      let parameter = parameters[k]
      func density(_ trials: [Trial]) -> ParzenEstimator {
        ParzenEstimator(trials.map { parameter.position(of: $0.values[k]) }, parameter.line)
      }
      let (near, far) = (density(good), density(others))
      var best = (value: parameter.low, score: -Double.infinity)
      for _ in 0..<candidates {
        let value = parameter.value(at: near.draw(&random))
        let place = parameter.position(of: value)
        let score = near.logDensity(place) - far.logDensity(place)
        if score > best.score { best = (value, score) }
      }
      return best.value
    }
  }
}

/// A mixture of normal densities, cut to an interval: one at each observation, as wide as the gap to its neighbours,
/// and a wide one in the middle of the interval, the prior.
struct ParzenEstimator {
  private let interval: ClosedRange<Double>
  private let means: [Double]
  private let deviations: [Double]
  private let weights: [Double]

  init(_ observations: [Double], _ interval: ClosedRange<Double>) {
    self.interval = interval
    let (low, high) = (interval.lowerBound, interval.upperBound)
    let span = max(high - low, Double.leastNormalMagnitude)
    let means = observations + [(low + high) / 2]
    let order = means.indices.sorted { means[$0] < means[$1] }
    var deviations = [Double](repeating: span, count: means.count)
    let narrowest = span / Double(min(100, 1 + means.count))
    for (rank, k) in order.enumerated() where k < observations.count {
      let left = rank > 0 ? means[k] - means[order[rank - 1]] : 0
      let right = rank + 1 < order.count ? means[order[rank + 1]] - means[k] : 0
      deviations[k] = min(max(left, right, narrowest), span)
    }
    (self.means, self.deviations) = (means, deviations)
    // Of more than 25 observations the older ones count less.
    let n = observations.count
    let ramp = max(n - 25, 0)
    let weights =
      (0..<n).map { k -> Double in
        if k >= ramp { return 1 }
        let first = 1 / Double(n)
        return ramp == 1 ? first : first + (1 - first) * Double(k) / Double(ramp - 1)
      } + [1]
    let total = weights.reduce(0, +)
    self.weights = weights.map { $0 / total }
  }

  func draw(_ random: inout CounterGenerator) -> Double {
    var rest = random.uniform()
    var k = 0
    while k + 1 < weights.count, rest >= weights[k] {
      rest -= weights[k]
      k += 1
    }
    // At least a part of the density lies within: means do. A bounded number of draws, then the mean.
    for _ in 0..<1000 {
      let x = means[k] + deviations[k] * random.normal()
      if interval.contains(x) { return x }
    }
    return means[k]
  }

  /// The logarithm of the density at a place of the interval.
  func logDensity(_ x: Double) -> Double {
    let density = means.indices.reduce(0.0) { sum, k in
      let z = (x - means[k]) / deviations[k]
      return sum + weights[k] * exp(-z * z / 2) / (deviations[k] * mass(k))
    }
    return log(max(density, Double.leastNormalMagnitude))
  }

  /// √2π times the share of a component within the interval.
  private func mass(_ k: Int) -> Double {
    func share(_ x: Double) -> Double { erf((x - means[k]) / (deviations[k] * 2.0.squareRoot())) / 2 }
    return (share(interval.upperBound) - share(interval.lowerBound)) * (2 * Double.pi).squareRoot()
  }
}
