import LinearAlgebra
import Optimization
import Tensors

/// Points within bounds where some numbers stand at one: on every face of the box of bounds the critical points of the
/// function of the other numbers, kept where the gradient holds the first ones there.
struct CriticalFaces {
  /// A critical point, and the numbers that bounds hold there.
  struct Found {
    let point: CriticalSearch.Point
    let place: BoundedPlace
  }

  private let bounds: Bounds
  private let box: [ClosedRange<Double>]
  private let tolerance: Double
  private let jet: ([Double]) throws -> CriticalSearch.Jet
  private let name: (Int) -> String

  /// Faces that are searched at most, and starts on each.
  private static let limit = 243
  static let starts = 12

  /// - Parameter box: where points are sought, within the bounds.
  init(
    _ bounds: Bounds, _ box: [ClosedRange<Double>], tolerance: Double, name: @escaping (Int) -> String,
    _ jet: @escaping ([Double]) throws -> CriticalSearch.Jet
  ) {
    (self.bounds, self.box, self.tolerance, self.name, self.jet) = (bounds, box, tolerance, name, jet)
  }

  /// A range cut to what bounds leave of it; nil where that is nothing.
  static func cut(_ range: ClosedRange<Double>, _ bounds: Bounds, _ k: Int) -> ClosedRange<Double>? {
    let (low, high) = (max(range.lowerBound, bounds.lower[k]), min(range.upperBound, bounds.upper[k]))
    return low <= high ? low...high : nil
  }

  /// For each number the bounds in the box.
  private var ends: [[Double]] {
    box.indices.map { k in
      [bounds.lower[k], bounds.upper[k]].filter { $0.isFinite && box[k].contains($0) }
    }
  }

  /// Faces but for the inside.
  var count: Double { ends.reduce(1.0) { $0 * Double($1.count + 1) } - 1 }
  var isSearched: Bool { count <= Double(Self.limit) }

  /// The points of all faces.
  func points(from starts: [[Double]]) throws -> [Found] {
    var found: [Found] = []
    for face in faces where face.contains(where: { $0 != nil }) {
      found += try points(on: face, from: starts).compactMap { try held($0, face) }
    }
    return found
  }

  /// For each number where it is fixed, or nil.
  private var faces: [[Double?]] {
    ends.reduce([[]]) { faces, ends in
      faces.flatMap { face in ([nil] + ends.map { Optional($0) }).map { face + [$0] } }
    }
  }

  /// Critical points of the function of the free numbers, in all numbers.
  private func points(on face: [Double?], from starts: [[Double]]) throws -> [CriticalSearch.Point] {
    let free = face.indices.filter { face[$0] == nil }
    func whole(_ part: [Double]) -> [Double] {
      var x = face.map { $0 ?? 0 }
      for (place, value) in zip(free, part) { x[place] = value }
      return x
    }
    guard !free.isEmpty else {
      let value = try jet(whole([])).value
      return [CriticalSearch.Point(x: whole([]), value: value, gradientNorm: 0, eigenvalues: [], isZero: [])]
    }
    var search = CriticalSearch(box: free.map { box[$0] }, tolerance: tolerance) { part in
      let (value, gradient, hessian) = try jet(whole(part))
      let n = face.count
      return (
        value, free.map { gradient[$0] }, free.flatMap { i in free.map { hessian[i * n + $0] } }
      )
    }
    try search.run(from: starts.prefix(Self.starts).map { start in free.map { start[$0] } })
    return search.points.map { point in
      CriticalSearch.Point(
        x: whole(point.x), value: point.value, gradientNorm: point.gradientNorm,
        eigenvalues: point.eigenvalues,
        isZero: point.isZero, uncertainty: point.uncertainty)
    }
  }

  /// The point if the gradient holds all fixed numbers where they are.
  private func held(_ point: CriticalSearch.Point, _ face: [Double?]) throws -> Found? {
    let at = try jet(point.x)
    guard at.value.isFinite, at.gradient.allSatisfy(\.isFinite), at.hessian.allSatisfy(\.isFinite) else {
      return nil
    }
    let matrix = Tensor(at.hessian, [face.count, face.count])
    let size = max(1, matrix.frobeniusNorm) * tolerance * (1 + Optimization.norm(point.x))
    let place = BoundedPlace(point.x, at.gradient, matrix, bounds, tolerance: size, name: name)
    guard place.norm <= size, place.held == face.indices.filter({ face[$0] != nil }) else { return nil }
    return Found(point: point, place: place)
  }
}
