/// An axis with its range decided: maps values to fractions of the frame.
struct AxisLayout: Equatable, Sendable {
  var scale = Scale.linear
  var low: Double
  var high: Double
  /// Values grow downward, as rows of a matrix do.
  var isFlipped = false
  /// Counts and indices: no ticks between whole numbers.
  var isIntegral = false
  /// Ticks that stand for names or indices; nil where ticks are chosen.
  var fixedTicks: [Tick]?

  /// The place of a value, 0 at `low` and 1 at `high` (or the reverse when flipped); nil for a gap.
  func position(_ value: Double) -> Double? {
    guard value.isFinite else { return nil }
    let fraction: Double
    switch scale {
    case .linear:
      fraction = (value / 2 - low / 2) / (high / 2 - low / 2)
    case .log:
      guard value > 0 else { return nil }
      let (a, b) = (log10Of(low), log10Of(high))
      fraction = (log10Of(value) - a) / (b - a)
    }
    guard fraction.isFinite else { return nil }
    return isFlipped ? 1 - fraction : fraction
  }

  /// The value at a fraction of the frame.
  func value(at position: Double) -> Double {
    let fraction = isFlipped ? 1 - position : position
    switch scale {
    case .linear: return interpolate(low, high, fraction)
    case .log: return tenTo(interpolate(log10Of(low), log10Of(high), fraction))
    }
  }

  /// A place on the axis with its label.
  typealias Label = (position: Double, label: String)

  /// About `target` ticks with their places; where ticks are fixed, all of them.
  func ticks(target: Int) -> [Label] {
    let ticks: [Tick]
    if let fixedTicks {
      ticks = fixedTicks
    } else {
      let chosen = Ticks.choose(low, high, scale: scale, target: target)
      let isFine = isIntegral && scale == .linear && chosen.contains { $0.value != $0.value.rounded() }
      ticks = isFine ? Ticks.linear(low, high, target: max(Int(high - low), 1)) : chosen
    }
    return ticks.compactMap { tick in
      guard let place = position(tick.value), place > -1e-6, place < 1 + 1e-6 else { return nil }
      return (min(max(place, 0), 1), tick.label)
    }
  }

  /// The labels that leave each other room: of evenly spaced ones every second, third …, of others those that have the most
  /// room come first.
  ///
  /// - Parameter extent: what a label takes, the gap to the next included.
  static func spaced(_ labels: [Label], extent: (Label) -> Range<Double>) -> [Label] {
    let sorted = labels.sorted { $0.position < $1.position }
    let gaps = zip(sorted, sorted.dropFirst()).map { $1.position - $0.position }
    if let widest = gaps.max(), let narrowest = gaps.min(), widest - narrowest > 1e-6 * widest {
      return uneven(sorted, gaps, extent)
    }
    for stride in 1..<max(sorted.count, 2) {
      let kept = sorted.enumerated().filter { $0.offset % stride == 0 }.map(\.element)
      let isClear = zip(kept, kept.dropFirst()).allSatisfy { !extent($0).overlaps(extent($1)) }
      if isClear { return kept }
    }
    return Array(sorted.prefix(1))
  }

  /// Whether labels that are evenly spaced stay so in rows: of several rows, one more or less is hardly seen.
  static func isEven(_ labels: [Label], row: (Double) -> Int) -> Bool {
    let places = labels.map(\.position).sorted()
    let gaps = zip(places, places.dropFirst()).map { $1 - $0 }
    guard let widest = gaps.max(), let narrowest = gaps.min(), widest - narrowest <= 1e-6 * widest else {
      return true
    }
    let rows = places.map(row)
    let steps = zip(rows, rows.dropFirst()).map { $0 - $1 }
    guard let most = steps.max(), let least = steps.min() else { return true }
    return most == least || least >= 2 && most == least + 1
  }

  private static func uneven(
    _ labels: [Label], _ gaps: [Double], _ extent: (Label) -> Range<Double>
  ) -> [Label] {
    let room = labels.indices.map { k in
      (k > 0 ? gaps[k - 1] : 0) + (k < gaps.count ? gaps[k] : 0)
    }
    var kept: [Label] = []
    for k in labels.indices.sorted(by: { (room[$0], $1) > (room[$1], $0) })
    where kept.allSatisfy({ !extent($0).overlaps(extent(labels[k])) }) {
      kept.append(labels[k])
    }
    return kept.sorted { $0.position < $1.position }
  }

  /// A range that can be drawn: not empty, finite, and wide enough to tell its ends apart.
  static func widened(_ low: Double, _ high: Double, scale: Scale = .linear) -> (Double, Double) {
    let largest = Double.greatestFiniteMagnitude
    guard low.isFinite, high.isFinite, low <= high else { return scale == .log ? (1, 10) : (0, 1) }
    if scale == .log {
      guard low > 0 else { return (1, 10) }
      let isWide = log10Of(high) - log10Of(low) > 1e-6
      return isWide ? (low, high) : (max(low / 10, .leastNormalMagnitude), min(high * 10, largest))
    }
    let size = max(abs(low), abs(high))
    if high / 2 - low / 2 > max(size * 1e-12, 1e-306) { return (low, high) }
    guard size > 1e-300 else { return (low - 1, high + 1) }
    return (max(low - size * 0.1, -largest), min(high + size * 0.1, largest))
  }
}

/// The values that an axis has to show.
struct Extent {
  var scale: Scale
  private(set) var low = Double.infinity
  private(set) var high = -Double.infinity
  /// Ends at the data, without a margin (grids, bins).
  var isTight = false
  /// All values are whole numbers.
  private(set) var isIntegral = true
  /// Bars and stems stand on zero.
  var startsAtZero = false

  init(scale: Scale) { self.scale = scale }

  /// Takes a range as it is, with any ticks.
  mutating func setContinuous() {
    isTight = true
    isIntegral = false
  }

  mutating func include(_ value: Double) {
    guard value.isFinite, scale == .linear || value > 0 else { return }
    low = min(low, value)
    high = max(high, value)
    isIntegral = isIntegral && value == value.rounded()
  }

  /// The range to draw, with `margin` (a fraction of it) at both ends.
  func range(margin: Double) -> (Double, Double) {
    var (a, b) = (low, high)
    if startsAtZero, scale == .linear, a <= b { (a, b) = (min(a, 0), max(b, 0)) }
    if startsAtZero, a == 0, b == 0 { return (0, 1) }
    let isPoint = a >= b
    (a, b) = AxisLayout.widened(a, b, scale: scale)
    if isTight || isPoint || margin <= 0 { return (a, b) }
    if scale == .log {
      let reach = (log10Of(b) - log10Of(a)) * margin
      let (wideLow, wideHigh) = (a / tenTo(reach), b * tenTo(reach))
      return wideLow > 0 && wideHigh.isFinite ? (wideLow, wideHigh) : (a, b)
    }
    let reach = b * margin - a * margin
    let (wideLow, wideHigh) = (a - reach, b + reach)
    guard wideLow.isFinite, wideHigh.isFinite else { return (a, b) }
    return startsAtZero ? (a < 0 ? wideLow : 0, b > 0 ? wideHigh : 0) : (wideLow, wideHigh)
  }
}
