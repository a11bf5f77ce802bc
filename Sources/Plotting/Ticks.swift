/// A marked place on an axis.
struct Tick: Equatable, Sendable {
  var value: Double
  var label: String
}

/// Choice of round places on an axis.
enum Ticks {
  /// Round values in `low...high`, about `target` of them, on the given scale.
  static func choose(_ low: Double, _ high: Double, scale: Scale, target: Int) -> [Tick] {
    switch scale {
    case .linear: return linear(low, high, target: target)
    case .log: return log(low, high, target: target)
    }
  }

  /// Multiples of 1, 2 or 5 times a power of ten, at most `target` + 1 of them.
  static func linear(_ low: Double, _ high: Double, target: Int) -> [Tick] {
    guard low.isFinite, high.isFinite, low < high else { return [] }
    let intervals = Double(max(target, 1)) * 2.5
    var step = roundStep(atLeast: high / intervals - low / intervals)
    var (first, last) = multiples(of: step, low, high)
    while step > 0, step.isFinite, last - first > Double(target) {
      step = roundStep(atLeast: step * 1.5)
      (first, last) = multiples(of: step, low, high)
    }
    guard step > 0, step.isFinite, first <= last else { return [] }
    let values = (0...Int(last - first)).map { roundMultiple(first + Double($0), of: step) }
    let labels = TickFormat.labels(values, tolerance: step * 1e-4)
    return zip(values, labels).map { Tick(value: $0, label: $1) }
  }

  /// Powers of ten, thinned evenly; within few decades also their doubles and fivefolds, and within
  /// less than one decade round values as on a linear axis.
  static func log(_ low: Double, _ high: Double, target: Int) -> [Tick] {
    guard low > 0, high.isFinite, low < high else { return [] }
    let first = Int((log10Of(low) - 1e-9).rounded(.up))
    let last = Int((log10Of(high) + 1e-9).rounded(.down))
    let decades = last - first + 1
    if decades >= 3 || (decades == 2 && target <= 3) {
      let stride = roundStride(decades, target: max(target, 1))
      let start = Int((Double(first) / Double(stride)).rounded(.up)) * stride
      return logTicks(Swift.stride(from: start, through: last, by: stride).map(powerOfTen))
    }
    let (least, most) = (low * (1 - 1e-9), high * (1 + 1e-9))
    let fine = multiples([1, 2, 5], from: first - 1, to: last).filter { $0 >= least && $0 <= most }
    return fine.count >= 3 ? logTicks(fine) : linear(low, high, target: target)
  }

  /// The places between powers of ten where a log axis has fine lines; none over many decades.
  static func minorLog(_ low: Double, _ high: Double) -> [Double] {
    guard low > 0, high.isFinite, low < high else { return [] }
    let first = Int(log10Of(low).rounded(.down))
    let last = Int(log10Of(high).rounded(.up))
    guard last - first <= 5 else { return [] }
    return multiples([2, 3, 4, 5, 6, 7, 8, 9], from: first, to: last).filter { $0 >= low && $0 <= high }
  }

  /// Each factor times each power of ten, ascending.
  static func multiples(_ factors: [Double], from first: Int, to last: Int) -> [Double] {
    var values: [Double] = []
    for exponent in first...max(first, last) {
      let power = powerOfTen(exponent)
      for factor in factors { values.append(factor * power) }
    }
    return values
  }

  /// The smallest of 1, 2, 5 times a power of ten that is not less than `size`.
  static func roundStep(atLeast size: Double) -> Double {
    guard size > 0, size.isFinite else { return 0 }
    let exponent = Int(log10Of(size).rounded(.down))
    for candidate in [(1.0, exponent), (2, exponent), (5, exponent), (1, exponent + 1), (2, exponent + 1)] {
      let step = Double("\(Int(candidate.0))e\(candidate.1)") ?? 0
      if step >= size * (1 - 1e-9) { return step }
    }
    return 0
  }

  /// The first and the last multiple of a step in a range.
  private static func multiples(of step: Double, _ low: Double, _ high: Double) -> (Double, Double) {
    ((low / step - 1e-9).rounded(.up), (high / step + 1e-9).rounded(.down))
  }

  /// `count`·`step`, computed so that 3·0.1 is 0.3.
  private static func roundMultiple(_ count: Double, of step: Double) -> Double {
    if count == 0 { return 0 }
    return step < 1 && step > 1e-300 ? count / (1 / step).rounded(toNearestIfClose: 1e-9) : count * step
  }

  private static func logTicks(_ values: [Double]) -> [Tick] {
    zip(values, TickFormat.logLabels(values)).map { Tick(value: $0, label: $1) }
  }

  /// How many decades lie between ticks.
  private static func roundStride(_ decades: Int, target: Int) -> Int {
    let least = (decades + target - 1) / target
    return [1, 2, 3, 4, 5, 10, 20, 50, 100].first { $0 >= least } ?? 200
  }
}

extension Double {
  /// The nearest integer if it is within the relative distance, otherwise the number itself.
  fileprivate func rounded(toNearestIfClose distance: Double) -> Double {
    let nearest = rounded()
    return abs(self - nearest) <= abs(nearest) * distance ? nearest : self
  }
}
