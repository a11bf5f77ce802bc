import LinearAlgebra
import Tensors

/// Newton's direction of H + τI with the first τ of 0, β, 2β, … that makes it positive definite (Nocedal and Wright,
/// algorithm 3.3), and Armijo's backtracking. The shift is told.
public struct ModifiedNewton: Method {
  public static let name = "modified-newton"

  public init() {}

  public var order: DerivativeOrder { .hessian }

  public mutating func step(_ at: Evaluation, _ f: any Oracle) throws -> Move {
    if let newton = try? NewtonDirection.at(at), newton.isPositiveDefinite {
      return try Backtracking().move(at, newton.direction.doubles, newton.slope, "Newton's direction", f)
    }
    let (d, shift) = try ShiftedSystem(at).direction()
    var move = try Backtracking().move(
      at, d, dot(at.gradient, d), "the modified direction",
      notes: ["H + \(shift.short)·I is positive definite"], f)
    move.shift = shift
    return move
  }
}

extension Refusal {
  static var noCurvature: Refusal {
    Refusal("the Hessian is zero here, so no step has a scale", hint: "take a step gd or trust")
  }
}

/// (H + τI)·d = −g for growing τ.
struct ShiftedSystem {
  let matrix: [Double]
  let gradient: [Double]
  private var order: Int { gradient.count }

  init(_ at: Evaluation) throws {
    matrix = try at.denseMatrix().doubles
    gradient = at.gradient
  }

  func direction() throws -> (d: [Double], shift: Double) {
    let diagonal = (0..<order).map { matrix[$0 * order + $0] }
    let size = diagonal.reduce(0) { max($0, $1.magnitude) }
    if size == 0, !matrix.contains(where: { $0 != 0 }), order > 0 { throw Refusal.noCurvature }
    let first = 1e-3 * max(size, 1e-300)
    let least = diagonal.min() ?? 0
    var shift = least > 0 ? first : first - least
    while shift.isFinite {
      if let factor = try? Cholesky(Tensor(shifted(by: shift, diagonal), [order, order])) {
        return (try factor.solve(Tensor(vector: scaled(-1, gradient))).doubles, shift)
      }
      shift *= 2
    }
    throw Refusal("no shift makes the Hessian positive definite", hint: "its entries are too large")
  }

  private func shifted(by shift: Double, _ diagonal: [Double]) -> [Double] {
    var entries = matrix
    for i in 0..<order { entries[i * order + i] = diagonal[i] + shift }
    return entries
  }
}

extension Evaluation {
  /// Params up to which a method that needs all entries of the matrix takes it.
  static let denseOrder = 5000

  /// The matrix with all its entries, in f64. Throws `Refusal` when it is too large, or has an entry that is not finite.
  func denseMatrix() throws -> Tensor {
    guard x.count <= Self.denseOrder else {
      throw Refusal(
        "this method factors the whole matrix of \(x.count) params, the limit is \(Self.denseOrder)",
        hint: "newton-cg, trust cg=true and lbfgs need products and gradients only")
    }
    let found: Tensor
    switch hessian {
    case .dense(let matrix): found = matrix.converted(to: .f64)
    case .sparse(let matrix): found = matrix.dense().converted(to: .f64)
    case .blocks(let blocks): found = Tensor(blocks: blocks, order: x.count)
    case nil: throw Refusal("there is no Hessian", hint: "this is a mistake in hlab")
    }
    guard found.isFinite else {
      throw Refusal(
        "an entry of the Hessian is not finite", hint: "go back with undo, and take a shorter step")
    }
    return found
  }
}
