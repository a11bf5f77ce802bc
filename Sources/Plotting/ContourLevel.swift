/// Which values contour lines are drawn at.
public enum Levels: Sendable, Equatable {
  /// Round values, evenly spaced, or logarithmically where most of the grid is far below its maximum.
  case automatic
  /// About so many round values, evenly spaced.
  case linear(Int)
  /// About so many values that grow like powers; above the least value where that is negative.
  case logarithmic(Int)
  /// Exactly these values.
  case values([Double])

  /// The values for a grid, ascending; none if it is constant or has no finite value.
  func resolved(for values: [Double], automaticCount: Int = 10) -> [Double] {
    let finite = values.filter(\.isFinite).sorted()
    guard let low = finite.first, let high = finite.last else { return [] }
    if case .values(let given) = self { return Array(Set(given.filter(\.isFinite))).sorted() }
    guard low < high else { return [] }
    switch self {
    case .linear(let count): return Levels.even(low, high, count: count)
    case .logarithmic(let count): return Levels.powers(finite, count: count)
    case .automatic, .values:
      let median = finite[finite.count / 2]
      let isSkewed = median / 2 - low / 2 < (high / 2 - low / 2) * 0.12
      return isSkewed
        ? Levels.powers(finite, count: automaticCount) : Levels.even(low, high, count: automaticCount)
    }
  }

  private static func even(_ low: Double, _ high: Double, count: Int) -> [Double] {
    Ticks.linear(low, high, target: max(count, 1)).map(\.value).filter { $0 > low && $0 < high }
  }

  /// 1, 3, 10, 30 … (or 1, 2, 5, 10 … or powers of ten) between a low quantile and the maximum.
  private static func powers(_ sorted: [Double], count: Int) -> [Double] {
    guard let low = sorted.first, let high = sorted.last else { return [] }
    let base = low < 0 ? low : 0
    let top = high - base
    guard top.isFinite else { return even(low, high, count: count) }
    let floor = max(sorted[sorted.count / 200] - base, top * 1e-12)
    let bottom = max(floor, top * 1e-6)
    let first = Int(log10Of(max(bottom, .leastNormalMagnitude)).rounded(.down))
    let last = Int(log10Of(top).rounded(.up))
    let choices: [[Double]] = [[1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]]
    for steps in choices {
      let inside = Ticks.multiples(steps, from: first, to: last).filter { $0 >= bottom && $0 < top }
      if inside.count <= max(count, 2) + 1, !inside.isEmpty { return inside.map { rounded($0 + base) } }
    }
    let decades = Ticks.multiples([1], from: first, to: last).filter { $0 >= bottom && $0 < top }
    let stride = max((decades.count + count - 1) / max(count, 1), 1)
    return decades.enumerated().filter { $0.offset % stride == 0 }.map { rounded($0.element + base) }
  }

  /// Without the last bits of noise that sums and products leave.
  private static func rounded(_ value: Double) -> Double { TickFormat.rounded(value, digits: 7) }
}

/// One level of a contour plot with its lines.
struct ContourLevel: Equatable {
  var value: Double
  var label: String
  /// A digit or letter that names the level where there are no colours.
  var symbol: Character
  var color: Color
  var lines: [ContourLine]

  /// The levels of a grid, ascending.
  static func all(of grid: Grid, at levels: Levels, medium: Medium) -> [ContourLevel] {
    let values = levels.resolved(for: grid.values, automaticCount: medium.levelCount)
    let fine = grid.refined(target: 320)
    let labels = TickFormat.distinctLabels(values)
    let symbols = Array("123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return values.enumerated().map { index, value in
      ContourLevel(
        value: value, label: labels[index], symbol: symbols[min(index, symbols.count - 1)],
        color: Palette.level(index, of: values.count, onTerminal: medium.isTerminal),
        lines: ContourLine.trace(fine, at: value))
    }
  }
}
