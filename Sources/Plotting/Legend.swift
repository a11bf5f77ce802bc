/// What a legend says about one mark.
struct LegendEntry: Equatable {
  enum Sample: Equatable {
    case line, path, point, stem, area, arrow
  }

  var name: String
  var sample: Sample
  /// The index of the mark in its figure.
  var mark: Int

  /// The entries of a figure: all named series if there are several, or if one lies over an image.
  static func entries(_ marks: [Mark], hasImage: Bool) -> [LegendEntry] {
    var entries: [LegendEntry] = []
    for (index, mark) in marks.enumerated() {
      guard let (name, sample) = mark.legend, !name.isEmpty else { continue }
      entries.append(LegendEntry(name: name, sample: sample, mark: index))
    }
    return entries.count > 1 || hasImage ? entries : []
  }
}

extension Mark {
  fileprivate var legend: (String, LegendEntry.Sample)? {
    switch self {
    case .line(let series): return (series.name, .line)
    case .path(let series): return (series.name, .path)
    case .scatter(let series): return (series.name, .point)
    case .stems(let series): return (series.name, .stem)
    case .band(let band): return (band.name, .area)
    case .histogram(let histogram): return (histogram.name, .area)
    case .bars(let bars): return (bars.name, .area)
    case .arrows(let arrows): return (arrows.name, .arrow)
    case .contour, .heatmap, .matrix: return nil
    }
  }
}

/// The key beside the frame: values of contour lines, or of the colours of an image.
enum ColorKey {
  case levels([ContourLevel])
  case ramp(ColorMap)

  /// The key of the first image of a figure, or of its first contour lines; nil without either.
  init?(_ marks: [Mark], contours: [Int: [ContourLevel]], maps: [Int: ColorMap]) {
    if let map = marks.indices.compactMap({ maps[$0] }).first {
      self = .ramp(map)
    } else if let levels = marks.indices.compactMap({ contours[$0] }).first, !levels.isEmpty {
      self = .levels(levels)
    } else {
      return nil
    }
  }
}
