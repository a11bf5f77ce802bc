/// A picture described by its data: marks over two axes. Backends draw it as text or SVG.
///
/// ```swift
/// let figure = Figure(title: "loss", yAxis: Axis(scale: .log), marks: [.line(Series([9, 3, 1]))])
/// print(renderText(figure))
/// ```
public struct Figure: Sendable, Equatable {
  /// One line above the frame; empty for none.
  public var title: String
  public var xAxis: Axis
  public var yAxis: Axis
  /// Drawn in order, later ones over earlier ones.
  public var marks: [Mark]
  /// How heat maps turn values into colours.
  public var colorBar: ColorBar
  /// Seconds in which an SVG draws its paths point by point, again and again; nil for a still picture.
  public var duration: Double?
  /// A unit of x is as long as one of y, so that right angles and circles look it; only on pages, and only as long as the
  /// frame does not become a strip.
  public var hasEqualUnits = false

  public init(
    title: String = "", xAxis: Axis = Axis(), yAxis: Axis = Axis(), marks: [Mark] = [],
    colorBar: ColorBar = ColorBar()
  ) {
    self.title = title
    self.xAxis = xAxis
    self.yAxis = yAxis
    self.marks = marks
    self.colorBar = colorBar
  }
}

/// One axis: its label, its scale, and its range when it is not taken from the data.
public struct Axis: Sendable, Equatable {
  public var label: String
  public var scale: Scale
  /// A fixed range. On a log axis a range that reaches zero or below is ignored.
  public var range: ClosedRange<Double>?
  /// Counts or indices: no ticks between whole numbers, also where the values do not tell.
  public var isIntegral: Bool

  public init(
    _ label: String = "", scale: Scale = .linear, range: ClosedRange<Double>? = nil, isIntegral: Bool = false
  ) {
    self.label = label
    self.scale = scale
    self.range = range
    self.isIntegral = isIntegral
  }
}

/// Linear, or logarithmic to base 10. On a log scale, values at or below zero are gaps.
public enum Scale: Sendable, Equatable {
  case linear, log
}

/// The key of heat maps and contour lines beside the frame.
public struct ColorBar: Sendable, Equatable {
  public var label: String
  /// The scale of heat maps; matrices are always linear.
  public var scale: Scale
  public var isShown: Bool

  public init(_ label: String = "", scale: Scale = .linear, isShown: Bool = true) {
    self.label = label
    self.scale = scale
    self.isShown = isShown
  }
}
