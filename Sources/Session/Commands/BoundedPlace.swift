import LinearAlgebra
import Optimization
import Syntax
import Tensors

/// A point within bounds as second-order conditions see it: numbers that the gradient holds at a bound stand still, the
/// others are free (Nocedal and Wright, *Numerical Optimization*, section 12.5). Without bounds all are free.
struct BoundedPlace {
  /// Flat numbers that a bound holds, ascending.
  let held: [Int]
  /// Of the free numbers.
  let hessian: Tensor
  /// ‖P(x − ∇f) − x‖; for a point that the bounds hold as a maximum that of −f.
  let norm: Double
  /// The bounds hold the point as a maximum: f rises towards them.
  private let isMaximum: Bool
  private let names: [String]

  /// - Parameters:
  ///   - tolerance: projected gradients up to this count as zero.
  ///   - name: of each flat number.
  init(
    _ x: [Double], _ gradient: [Double], _ matrix: Tensor, _ bounds: Bounds?, tolerance: Double,
    name: (Int) -> String
  ) {
    let n = x.count
    guard let bounds else {
      (held, hessian, isMaximum, names) = ([], matrix, false, [])
      norm = Optimization.norm(gradient)
      return
    }
    let minus = gradient.map { -$0 }
    let (down, up) = (bounds.stationarity(x, gradient), bounds.stationarity(x, minus))
    isMaximum = down > tolerance && up <= tolerance
    norm = isMaximum ? up : down
    let slope = isMaximum ? minus : gradient
    let held = bounds.atBound(x).filter { k in
      x[k] <= bounds.lower[k] && slope[k] > 0 || x[k] >= bounds.upper[k] && slope[k] < 0
    }
    self.held = held
    let isHeld = Set(held)
    let free = (0..<n).filter { !isHeld.contains($0) }
    let entries = matrix.doubles
    hessian =
      held.isEmpty
      ? matrix
      : Tensor(
        free.flatMap { i in free.map { entries[i * n + $0] } }, [free.count, free.count], matrix.precision)
    names = held.map { "\(name($0)) at its \(x[$0] <= bounds.lower[$0] ? "lower" : "upper") bound" }
  }

  /// Signs of the curvature with the held numbers: away from its bound f rises along each of them, or falls.
  func inertia(_ free: Inertia) -> Inertia {
    Inertia(
      positive: free.positive + (isMaximum ? 0 : held.count),
      negative: free.negative + (isMaximum ? held.count : 0), zero: free.zero)
  }

  /// Which bounds hold.
  func lines(_ call: CommandCall) -> [String] {
    guard !held.isEmpty else { return [] }
    let shown = names.prefix(6).joined(separator: ", ")
    let more = names.count > 6 ? ", … \(names.count - 6) more" : ""
    let free = hessian.count > 0 ? ["λ of the other numbers"] : []
    return ["held by the gradient: \(shown)\(more)"] + free
  }
}

extension CommandCall {
  /// The present point of a view within the bounds of its params.
  func boundedPlace(_ view: ObjectiveView, _ gradient: Tensor, _ matrix: Tensor, tolerance: Double) throws
    -> BoundedPlace
  {
    let whole = interpreter.bounds(of: view.params.map(\.name))
    let x = view.params.flatMap(\.tensor.doubles)
    let places = gradient.count == x.count ? Array(x.indices) : try targetPlaces()
    let bounds = whole.map { bounds in
      Bounds(lower: places.map { bounds.lower[$0] }, upper: places.map { bounds.upper[$0] })
    }
    return BoundedPlace(places.map { x[$0] }, gradient.doubles, matrix, bounds, tolerance: tolerance) { k in
      Self.entryName(view.params.map { ($0.name, $0.tensor.shape) }, places[k])
    }
  }

  /// Places of the entries of a target that is a part of a param.
  private func targetPlaces() throws -> [Int] {
    let value = try evaluated("places") { elaborator in
      let f = try scalarNode(elaborator)
      let targets = try elaborator.targets(wrt(elaborator), of: [f], command.span)
      let shape = elaborator.graph.shape(targets.leaves[0])
      let places = Tensor((0..<shape.elementCount).map(Double.init), shape)
      let node = elaborator.graph.constant(places)
      return .node(elaborator.flat(targets.part.map { elaborator.indexed(node, $0) } ?? node))
    }
    return value.tensor?.doubles.map { Int($0) } ?? []
  }

  /// `W[1, 2]` for a place among the entries of some params, one after the other.
  static func entryName(_ params: [(name: String, shape: Shape)], _ place: Int) -> String {
    var rest = place
    for (name, shape) in params {
      guard rest >= shape.elementCount else { return name + shape.subscripts(rest) }
      rest -= shape.elementCount
    }
    return ""
  }
}
