import Graph
import Tensors

extension TensorGraph {
  /// Rules of linear algebra. Sources: Giles, *Collected matrix derivative results for forward and reverse mode
  /// algorithmic differentiation* (2008); Murray, *Differentiation of the Cholesky decomposition* (2016).
  func matrixPieces(_ f: MatrixFunction, _ id: NodeID) -> [LinearPiece] {
    let a = self[id].operands[0].node
    let n = shape(a)[0]
    switch f {
    case .inverse:
      // d(A⁻¹) = −A⁻¹ dA A⁻¹
      return [
        LinearPiece(
          operand: 0, scale: -1, factors: [Operand(id, [0, 2]), Operand(id, [3, 1])], labels: [2, 3])
      ]
    case .solve:
      // dX = −A⁻¹ dA X + A⁻¹ dB
      let inverse = matrix(.inverse, [a])
      return [
        LinearPiece(
          operand: 0, scale: -1, factors: [Operand(inverse, [0, 2]), Operand(id, [3, 1])], labels: [2, 3]),
        LinearPiece(operand: 1, factors: [Operand(inverse, [0, 2])], labels: [2, 1]),
      ]
    case .logdet:
      // d log|det A| = tr(A⁻¹ dA)
      return [LinearPiece(operand: 0, factors: [Operand(matrix(.inverse, [a]), [1, 0])], labels: [0, 1])]
    case .det:
      return [
        LinearPiece(
          operand: 0, factors: [Operand(id, []), Operand(matrix(.inverse, [a]), [1, 0])], labels: [0, 1])
      ]
    case .cholesky:
      // dL = L Φ(L⁻¹ dA L⁻ᵀ), Φ: the lower triangle with half the diagonal.
      let inverse = matrix(.inverse, [id])
      let phi = constant(lowerTriangle(n))
      let factors = [
        Operand(id, [0, 2]), Operand(phi, [2, 1]), Operand(inverse, [2, 3]), Operand(inverse, [1, 4]),
      ]
      return symmetrized([LinearPiece(operand: 0, factors: factors, labels: [3, 4])], a)
    case .eigh: return eighPieces(id, n)
    case .svdvals:
      // dσₖ = uₖᵀ dA vₖ
      let (u, v) = singularVectors(a)
      return [LinearPiece(operand: 0, factors: [Operand(u, [1, 0]), Operand(v, [2, 0])], labels: [1, 2])]
    case .eigvals: return []
    }
  }

  /// Rules for symmetric matrices act on ½(dA + dAᵀ), so that gradients are symmetric and steps along them stay
  /// symmetric. Where A is its own transpose by structure, so is dA.
  private func symmetrized(_ pieces: [LinearPiece], _ a: NodeID) -> [LinearPiece] {
    if contract(1, [Operand(a, [1, 0])], to: [0, 1]) == a { return pieces }
    return pieces.flatMap { piece -> [LinearPiece] in
      let half = 0.5 * piece.scale
      return [piece.labels, piece.labels.reversed()].map {
        LinearPiece(operand: piece.operand, scale: half, factors: piece.factors, labels: $0)
      }
    }
  }

  /// Left and right singular vectors of an m×n matrix as columns, by descending singular value. They come from the
  /// symmetric matrix [0, A; Aᵀ, 0], whose eigenvalues are ±σ, so they have derivatives of every order.
  public func singularVectors(_ a: NodeID) -> (u: NodeID, v: NodeID) {
    let (m, n) = (shape(a)[0], shape(a)[1])
    let size = m + n
    let top = Operand(selector(.slice(start: 0, step: 1, count: m), [size, m]), [0, 2])
    let bottom = Operand(selector(.slice(start: m, step: 1, count: n), [size, n]), [1, 3])
    let corner = contract(1, [Operand(a, [2, 3]), top, bottom], to: [0, 1])
    let embedded = add(
      [Summand(1, Operand(corner, [0, 1])), Summand(1, Operand(corner, [1, 0]))], shape: [size, size])
    let packed = matrix(.eigh, [embedded])
    let count = min(m, n)
    let columns = Operand(selector(.slice(start: size - 1, step: -1, count: count), [size, count]), [3, 1])
    let sides = [(1, m), (1 + m, n)].map { start, count -> NodeID in
      let rows = Operand(selector(.slice(start: start, step: 1, count: count), [size + 1, count]), [2, 0])
      return contract(2.0.squareRoot(), [Operand(packed, [2, 3]), rows, columns], to: [0, 1])
    }
    return (sides[0], sides[1])
  }

  private func lowerTriangle(_ n: Int) -> Tensor {
    var values = [Double](repeating: 0, count: n * n)
    for i in 0..<n { for j in 0...i { values[i * n + j] = i == j ? 0.5 : 1 } }
    return Tensor(values, [n, n])
  }

  /// With A = V Λ Vᵀ and M = Vᵀ dA V: dΛ = diag M, dV = V (F ∘ M), F[i, k] = 1/(λₖ − λᵢ), 0 on the diagonal (and
  /// for equal eigenvalues, whose vectors have no derivative).
  private func eighPieces(_ id: NodeID, _ n: Int) -> [LinearPiece] {
    let values = contract(
      1, [Operand(id, [1, 0]), Operand(selector(.oneHot(0), [n + 1]), [1])], to: [0])
    let vectors = contract(
      1,
      [Operand(id, [2, 1]), Operand(selector(.slice(start: 1, step: 1, count: n), [n + 1, n]), [2, 0])],
      to: [0, 1])
    let gap = add([Summand(-1, Operand(values, [0])), Summand(1, Operand(values, [1]))], shape: [n, n])
    let distinct = map(.notEqual, [Operand(gap, [0, 1]), Operand(fill(0), [])], shape: [n, n])
    let f = select(
      Operand(distinct, [0, 1]), Operand(map(.reciprocal, gap), [0, 1]), Operand(fill(0), []), shape: [n, n])
    let row = Operand(selector(.oneHot(0), [n + 1]), [0])
    let rows = Operand(selector(.slice(start: 1, step: 1, count: n), [n + 1, n]), [0, 4])
    let turn = LinearPiece(
      operand: 0,
      factors: [
        rows, Operand(vectors, [4, 5]), Operand(f, [5, 1]), Operand(vectors, [2, 5]),
        Operand(vectors, [3, 1]),
      ], labels: [2, 3])
    let stretch = LinearPiece(
      operand: 0, factors: [row, Operand(vectors, [2, 1]), Operand(vectors, [3, 1])], labels: [2, 3])
    return [stretch] + symmetrized([turn], self[id].operands[0].node)
  }
}
