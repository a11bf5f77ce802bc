/// Something drawn over the axes of a figure. Values that are not finite are gaps.
public enum Mark: Sendable, Equatable {
  /// Points joined in order.
  case line(Series)
  /// Iterates in order, with their start and their end marked.
  case path(Series)
  /// Points that are not joined.
  case scatter(Series)
  /// A vertical line from zero to each point.
  case stems(Series)
  /// The region between two curves.
  case band(Band)
  /// Lines of equal value.
  case contour(Grid, levels: Levels = .automatic)
  /// A colour for each point of a grid.
  case heatmap(Grid)
  /// A colour for each entry, rows downward.
  case matrix(Matrix)
  /// Adjoining bars over bins.
  case histogram(Histogram)
  /// One bar per name.
  case bars(Bars)
  /// Arrows from one point to another: gradients, eigenvectors.
  case arrows(Arrows)
}

/// Named points in the plane.
public struct Series: Sendable, Equatable {
  public var name: String
  public var xs: [Double]
  public var ys: [Double]

  public init(_ xs: [Double], _ ys: [Double], name: String = "") {
    self.xs = xs
    self.ys = ys
    self.name = name
  }

  /// Values over their index, counted from 0.
  public init(_ ys: [Double], name: String = "") {
    self.init(ys.indices.map(Double.init), ys, name: name)
  }

  /// The points; what the longer array has in excess is left out.
  var points: [Point] { zip(xs, ys).map { Point(x: $0, y: $1) } }
}

/// The region between `lower` and `upper` over `xs`.
public struct Band: Sendable, Equatable {
  public var name: String
  public var xs: [Double]
  public var lower: [Double]
  public var upper: [Double]

  public init(_ xs: [Double], lower: [Double], upper: [Double], name: String = "") {
    self.xs = xs
    self.lower = lower
    self.upper = upper
    self.name = name
  }

  var count: Int { min(xs.count, lower.count, upper.count) }
}

/// Arrows from `tails` to `heads`, each `(x, y)`.
public struct Arrows: Sendable, Equatable {
  public var name: String
  public var tails: [Point]
  public var heads: [Point]

  public init(tails: [(Double, Double)], heads: [(Double, Double)], name: String = "") {
    self.tails = tails.map { Point(x: $0.0, y: $0.1) }
    self.heads = heads.map { Point(x: $0.0, y: $0.1) }
    self.name = name
  }
}

/// A point, in data coordinates or in fractions of the frame.
public struct Point: Sendable, Equatable {
  public var x: Double
  public var y: Double

  public init(x: Double, y: Double) {
    self.x = x
    self.y = y
  }
}

/// Counts (or densities) over bins.
public struct Histogram: Sendable, Equatable {
  public var name: String
  /// One more than there are counts, ascending.
  public var edges: [Double]
  public var counts: [Double]

  public init(edges: [Double], counts: [Double], name: String = "") {
    self.edges = edges
    self.counts = counts
    self.name = name
  }

  /// Counts finite samples in bins of equal width; `bins` defaults to Sturges' rule, at least 5.
  public init(samples: [Double], bins: Int? = nil, name: String = "") {
    let finite = samples.filter(\.isFinite)
    let sturges = Int(log2Rounded(Double(max(finite.count, 1)))) + 1
    let count = min(max(bins ?? max(sturges, 5), 1), 10_000)
    let (low, high) = AxisLayout.widened(finite.min() ?? 0, finite.max() ?? 1)
    var counts = [Double](repeating: 0, count: count)
    for value in finite {
      let fraction = (value / 2 - low / 2) / (high / 2 - low / 2)
      counts[min(max(Int(fraction * Double(count)), 0), count - 1)] += 1
    }
    let edges = (0...count).map { interpolate(low, high, Double($0) / Double(count)) }
    self.init(edges: edges, counts: finite.isEmpty ? [] : counts, name: name)
  }

  /// The bins as (left, right, height).
  var bins: [(left: Double, right: Double, height: Double)] {
    guard edges.count > 1 else { return [] }
    return (0..<min(counts.count, edges.count - 1)).map { (edges[$0], edges[$0 + 1], counts[$0]) }
  }
}

/// Values with a name each.
public struct Bars: Sendable, Equatable {
  public var name: String
  public var labels: [String]
  public var values: [Double]

  public init(_ labels: [String], _ values: [Double], name: String = "") {
    self.labels = labels
    self.values = values
    self.name = name
  }

  func label(_ index: Int) -> String { index < labels.count ? labels[index] : "\(index)" }
}
