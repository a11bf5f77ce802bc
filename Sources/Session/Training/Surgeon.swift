import LinearAlgebra
import Tensors

/// Optimal brain surgeon: weights go one after the other, and those that stay make up for each as far as the quadratic
/// model can tell.
///
/// Source: Hassibi and Stork, *Second order derivatives for network pruning: optimal brain surgeon*, NIPS 5 (1993), equation
/// 5: the saliency of w_q is w_q²/(2·[H⁻¹]_qq), and its removal moves the weights by −(w_q/[H⁻¹]_qq)·H⁻¹·e_q. H is not computed
/// anew in between: without row and column q its inverse is H⁻¹ − H⁻¹e_q·e_qᵀH⁻¹/[H⁻¹]_qq. The model has no gradient: it
/// speaks of a minimum.
struct Surgeon {
  private(set) var weights: [Double]
  /// What the removals so far raise the model by.
  private(set) var rise = 0.0
  /// Of the Hessian by the weights that stay, n×n; zero in the rows and columns of the others.
  private var inverse: [Double]
  private var stays: [Bool]

  /// - Parameter inverse: of the Hessian by all weights, positive definite, n×n.
  init(_ weights: [Double], inverse: Tensor) {
    self.weights = weights
    self.inverse = inverse.doubles
    stays = weights.map { _ in true }
  }

  /// The rise without each weight; 0 for those that are gone.
  var saliencies: [Double] {
    weights.indices.map { stays[$0] ? weights[$0] * weights[$0] / (2 * inverse[$0 * weights.count + $0]) : 0 }
  }

  /// Removes the weight of least saliency, or of greatest, the first of equal ones; its place and saliency.
  mutating func removeNext(greatest: Bool) -> (place: Int, saliency: Double)? {
    let scores = saliencies
    let left = scores.indices.filter { stays[$0] }
    // Both give the first of equal ones.
    let next =
      greatest
      ? left.max { scores[$0] < scores[$1] || scores[$0] == scores[$1] && $0 > $1 }
      : left.min { scores[$0] < scores[$1] }
    guard let q = next else { return nil }
    remove(q)
    rise += scores[q]
    return (q, scores[q])
  }

  /// - Complexity: O(n²)
  private mutating func remove(_ q: Int) {
    let n = weights.count
    let column = (0..<n).map { inverse[$0 * n + q] }
    let pivot = column[q]
    let factor = weights[q] / pivot
    for i in 0..<n where stays[i] && i != q {
      weights[i] -= factor * column[i]
      let scale = column[i] / pivot
      for j in 0..<n { inverse[i * n + j] -= scale * column[j] }
    }
    stays[q] = false
    weights[q] = 0
    for i in 0..<n { (inverse[i * n + q], inverse[q * n + i]) = (0, 0) }
  }
}
