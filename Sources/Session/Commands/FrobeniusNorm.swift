import Graph
import LinearAlgebra
import Tensors

extension CommandCall {
  /// ‖x‖ over all entries of what `build` gives, and how many those are, reduced in tiles where it is too large to
  /// store. Where the squares overflow or vanish, the entries are brought near 1 first, which takes their largest
  /// magnitude and a second sum.
  ///
  /// - Parameter use: what the formula is for, as for `evaluated`.
  func frobeniusNorm(_ use: String, _ build: (Elaborator) throws -> NodeID) throws -> (
    norm: Double, entries: Double
  ) {
    func numbers(_ use: String, _ reduced: (TensorGraph, NodeID) -> NodeID) throws -> (Double, Double) {
      let value = try evaluated(use) { elaborator in
        let (graph, x) = (elaborator.graph, try build(elaborator))
        let count = graph.shape(x).reduce(1.0) { $0 * Double($1) }
        return .tuple([.node(reduced(graph, x)), .node(graph.fill(count))])
      }
      guard case .tuple(let parts) = value, let number = parts.first?.tensor, let count = parts.last?.tensor
      else { return (.nan, 0) }
      return (number.scalarValue, count.scalarValue)
    }
    let precision = interpreter.state.settings.precision
    let (norm, entries) = try numbers(use) { $0.frobeniusNorm($1) }
    if norm.isNaN || precision.holdsSquares(of: norm) { return (norm, entries) }
    let (largest, _) = try numbers("\(use), largest") { $0.largestMagnitude($1) }
    guard largest > 0, largest.isFinite else { return (largest, entries) }
    let scale = precision.nearest(unitScale([largest]))
    let (scaled, _) = try numbers("\(use), scaled by \(scale)") { $0.frobeniusNorm($1, scale: scale) }
    return (scaled / scale, entries)
  }
}

extension Precision {
  /// Whether squares that add up to that of a norm are finite, and precise where they count.
  fileprivate func holdsSquares(of norm: Double) -> Bool {
    let least =
      self == .f64
      ? Double.leastNormalMagnitude / Double.ulpOfOne
      : Double(Float.leastNormalMagnitude) / Double(Float.ulpOfOne)
    return norm.isFinite && norm > least.squareRoot()
  }

  /// A power of two within the range of its normal numbers.
  fileprivate func nearest(_ power: Double) -> Double {
    self == .f64 ? power : min(max(power, Double(Float.leastNormalMagnitude)), 0x1p126)
  }
}
