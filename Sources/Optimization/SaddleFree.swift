import LinearAlgebra
import Tensors

/// −|H|⁻¹·∇f: Newton's step with the magnitudes of the eigenvalues, which leaves saddles (Dauphin et al., *Identifying and
/// attacking the saddle point problem in high-dimensional non-convex optimization*, 2014), and Armijo's backtracking
/// unless lr is given. With a `dimension` the step is the best in a Krylov space of that many products, as in the
/// paper's algorithm 1: d = −V·|VᵀHV|⁻¹·Vᵀ∇f with V from Lanczos' recursion, begun at the gradient.
public struct SaddleFree: Method {
  public static let name = "saddle-free"
  public let learningRate: Double?
  public let damping: Double
  /// Of the Krylov space; nil: all eigenvalues of the stored Hessian.
  public let dimension: Int?

  public init(learningRate: Double?, damping: Double, dimension: Int? = nil) {
    self.learningRate = learningRate
    self.damping = damping
    self.dimension = dimension
  }

  public var order: DerivativeOrder { dimension == nil ? .hessian : .gradient }

  public mutating func step(_ at: Evaluation, _ f: any Oracle) throws -> Move {
    if at.gradientNorm == 0 { return Move(x: at.x, notes: ["the gradient is zero"]) }
    let found = try dimension.map { try krylov(at, f, $0) } ?? whole(at)
    if let learningRate { return Move(x: sum(at.x, learningRate, found.d), notes: found.notes) }
    return try Backtracking().move(
      at, found.d, dot(at.gradient, found.d), "the saddle-free direction", notes: found.notes, f)
  }

  private func whole(_ at: Evaluation) throws -> (d: [Double], notes: [String]) {
    let model = try SpectralModel(at)
    let turned = try turned(model.values, model.gradient)
    return (model.direction(turned.coordinates), turned.notes)
  }

  private func krylov(_ at: Evaluation, _ f: any Oracle, _ dimension: Int) throws -> (
    d: [Double], notes: [String]
  ) {
    let space = try KrylovSpace(start: at.gradient, dimension: dimension, f)
    let model: SymmetricEigen
    do {
      model = try symmetricEigen(space.projection)
    } catch {
      throw Refusal("the eigenvalues in the Krylov space: \(error)", hint: "try a smaller krylov")
    }
    let (values, vectors, k) = (model.values.doubles, model.vectors.doubles, space.basis.count)
    // Vᵀ∇f = ‖∇f‖·e₁.
    let turned = try turned(values, (0..<k).map { at.gradientNorm * vectors[$0] })
    var d = [Double](repeating: 0, count: at.x.count)
    for i in 0..<k {
      let weight = (0..<k).reduce(0.0) { $0 + vectors[i * k + $1] * turned.coordinates[$1] }
      d = sum(d, weight, space.basis[i])
    }
    return (d, ["Krylov space of \(k) product\(k == 1 ? "" : "s")"] + turned.notes)
  }

  /// −ĝₖ/|λₖ|.
  private func turned(_ values: [Double], _ gradient: [Double]) throws -> (
    coordinates: [Double], notes: [String]
  ) {
    let largest = values.reduce(0) { max($0, $1.magnitude) }
    if largest == 0 && damping == 0 { throw Refusal.noCurvature }
    // What is no curvature to rounding bounds no step.
    let floor = max(damping, 1e-12 * largest, 1e-300)
    let coordinates = values.indices.map { k in
      -gradient[k] / (values[k].magnitude <= floor ? floor : values[k].magnitude + damping)
    }
    let negative = values.count { $0 < -floor }
    return (
      coordinates,
      negative == 0 ? [] : ["\(negative) negative eigenvalue\(negative == 1 ? "" : "s") turned round"]
    )
  }
}

/// An orthonormal basis of span(g, Hg, H²g, …), and H in it: Lanczos' recursion with full reorthogonalisation.
struct KrylovSpace {
  private(set) var basis: [[Double]] = []
  /// VᵀHV, k×k.
  let projection: Tensor

  /// Ends early where the space is invariant. Throws `Refusal` when a product is not finite.
  init(start: [Double], dimension: Int, _ f: any Oracle) throws {
    var next = scaled(1 / norm(start), start)
    var products: [[Double]] = []
    var size = 0.0
    while basis.count < min(dimension, start.count) {
      basis.append(next)
      let product = try f.product(next)
      guard product.allSatisfy(\.isFinite) else {
        throw Refusal(
          "a product with the Hessian is not finite", hint: "go back with undo, and take a shorter step")
      }
      products.append(product)
      size = max(size, norm(product))
      var rest = product
      // Twice is enough (Parlett, *The symmetric eigenvalue problem*, section 6.9).
      for _ in 0..<2 { for v in basis { rest = sum(rest, -dot(v, rest), v) } }
      let length = norm(rest)
      if length <= 1e-12 * size { break }
      next = scaled(1 / length, rest)
    }
    let k = basis.count
    var entries = [Double](repeating: 0, count: k * k)
    for i in 0..<k {
      for j in 0...i {
        entries[i * k + j] = dot(basis[i], products[j])
        entries[j * k + i] = entries[i * k + j]
      }
    }
    projection = Tensor(entries, [k, k])
  }
}
