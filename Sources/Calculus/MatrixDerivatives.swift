import Graph
import Tensors

extension TensorGraph {
  /// Rules of linear algebra. Sources: Giles, *Collected matrix derivative results for forward and reverse mode
  /// algorithmic differentiation* (2008); Murray, *Differentiation of the Cholesky decomposition* (2016).
  ///
  /// Axes of a batch stand before those of the matrices: every rule holds for each entry.
  func matrixPieces(_ f: MatrixFunction, _ id: NodeID) -> [LinearPiece] {
    let rule = MatrixRule(self[id], f)
    let a = self[id].operands[0].node
    let n = shape(a).suffix(2).first ?? 0
    func result(_ labels: [Label]) -> Operand { rule.result(id, labels) }
    func derived(_ node: NodeID, _ labels: [Label]) -> Operand { rule.operand(0, node, labels) }
    func piece(_ factors: [Operand], _ labels: [Label], of operand: Int = 0, scale: Double = 1) -> LinearPiece
    {
      LinearPiece(operand: operand, scale: scale, factors: factors, labels: rule.labels(operand, labels))
    }
    switch f {
    case .inverse:
      // d(A⁻¹) = −A⁻¹ dA A⁻¹
      return [piece([result([0, 2]), result([3, 1])], [2, 3], scale: -1)]
    case .solve:
      // dX = −A⁻¹ dA X + A⁻¹ dB
      let inverse = derived(matrix(.inverse, [a]), [0, 2])
      return [
        piece([inverse, result([3, 1])], [2, 3], scale: -1), piece([inverse], [2, 1], of: 1),
      ]
    case .logdet:
      // d log|det A| = tr(A⁻¹ dA)
      return [piece([derived(matrix(.inverse, [a]), [1, 0])], [0, 1])]
    case .det:
      return [piece([result([]), derived(matrix(.inverse, [a]), [1, 0])], [0, 1])]
    case .cholesky:
      // dL = L Φ(L⁻¹ dA L⁻ᵀ), Φ: the lower triangle with half the diagonal.
      let inverse = matrix(.inverse, [id])
      let phi = Operand(constant(lowerTriangle(n)), rule.shifted([2, 1]))
      let factors = [result([0, 2]), phi, derived(inverse, [2, 3]), derived(inverse, [1, 4])]
      return symmetrized([piece(factors, [3, 4])], a)
    case .eigh: return eighPieces(id, n, rule)
    case .svdvals:
      // dσₖ = uₖᵀ dA vₖ
      let (u, v) = singularVectors(a)
      return [piece([derived(u, [1, 0]), derived(v, [2, 0])], [1, 2])]
    case .eigvals: return []
    }
  }

  /// Rules for symmetric matrices act on ½(dA + dAᵀ), so that gradients are symmetric and steps along them stay
  /// symmetric. Where A is its own transpose by structure, so is dA.
  private func symmetrized(_ pieces: [LinearPiece], _ a: NodeID) -> [LinearPiece] {
    let axes = Array(shape(a).indices)
    if contract(1, [Operand(a, axes.lastTwoExchanged)], to: axes) == a { return pieces }
    return pieces.flatMap { piece -> [LinearPiece] in
      let half = 0.5 * piece.scale
      return [piece.labels, piece.labels.lastTwoExchanged].map {
        LinearPiece(operand: piece.operand, scale: half, factors: piece.factors, labels: $0)
      }
    }
  }

  /// Left and right singular vectors of an m×n matrix (or of each of a batch) as columns, by descending singular
  /// value. They come from the symmetric matrix [0, A; Aᵀ, 0], whose eigenvalues are ±σ, so they have derivatives of
  /// every order.
  public func singularVectors(_ a: NodeID) -> (u: NodeID, v: NodeID) {
    let batch = Array(shape(a).dropLast(2))
    let (m, n) = (shape(a)[batch.count], shape(a)[batch.count + 1])
    let size = m + n
    let lead = Array(batch.indices)
    func over(_ labels: [Label]) -> [Label] { labels.map { $0 + batch.count } }
    let top = Operand(selector(.slice(start: 0, step: 1, count: m), [size, m]), over([0, 2]))
    let bottom = Operand(selector(.slice(start: m, step: 1, count: n), [size, n]), over([1, 3]))
    let corner = contract(1, [Operand(a, lead + over([2, 3])), top, bottom], to: lead + over([0, 1]))
    let embedded = add(
      [Summand(1, Operand(corner, lead + over([0, 1]))), Summand(1, Operand(corner, lead + over([1, 0])))],
      shape: batch + [size, size])
    let packed = matrix(.eigh, [embedded])
    let count = min(m, n)
    let columns = Operand(
      selector(.slice(start: size - 1, step: -1, count: count), [size, count]), over([3, 1]))
    let sides = [(1, m), (1 + m, n)].map { start, count -> NodeID in
      let rows = Operand(
        selector(.slice(start: start, step: 1, count: count), [size + 1, count]), over([2, 0]))
      return contract(
        2.0.squareRoot(), [Operand(packed, lead + over([2, 3])), rows, columns], to: lead + over([0, 1]))
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
  private func eighPieces(_ id: NodeID, _ n: Int, _ rule: MatrixRule) -> [LinearPiece] {
    let batch = Array(shape(id).dropLast(2))
    let lead = Array(batch.indices)
    func over(_ labels: [Label]) -> [Label] { lead + rule.shifted(labels) }
    let first = selector(.oneHot(0), [n + 1])
    let rest = selector(.slice(start: 1, step: 1, count: n), [n + 1, n])
    let values = contract(
      1, [Operand(id, over([1, 0])), Operand(first, rule.shifted([1]))], to: over([0]))
    let vectors = contract(
      1, [Operand(id, over([2, 1])), Operand(rest, rule.shifted([2, 0]))], to: over([0, 1]))
    let square = batch + [n, n]
    let all = Array(square.indices)
    let gap = add(
      [Summand(-1, Operand(values, over([0]))), Summand(1, Operand(values, over([1])))], shape: square)
    let distinct = map(.notEqual, [Operand(gap, all), Operand(fill(0), [])], shape: square)
    let f = select(
      Operand(distinct, all), Operand(map(.reciprocal, gap), all), Operand(fill(0), []), shape: square)
    let turn = LinearPiece(
      operand: 0,
      factors: [
        Operand(rest, rule.shifted([0, 4])), Operand(vectors, over([4, 5])), Operand(f, over([5, 1])),
        Operand(vectors, over([2, 5])), Operand(vectors, over([3, 1])),
      ], labels: over([2, 3]))
    let stretch = LinearPiece(
      operand: 0,
      factors: [
        Operand(first, rule.shifted([0])), Operand(vectors, over([2, 1])), Operand(vectors, over([3, 1])),
      ], labels: over([2, 3]))
    return [stretch] + symmetrized([turn], self[id].operands[0].node)
  }
}

/// Labels of a rule for matrices in a node that may have axes of a batch before them.
private struct MatrixRule {
  /// Labels of the batch in the result, and in each operand.
  private let batch: [Label]
  private let operandBatches: [[Label]]

  init(_ node: Node, _ f: MatrixFunction) {
    batch = Array(0..<(node.shape.count - f.resultRank))
    operandBatches = node.operands.map { Array($0.labels.dropLast(2)) }
  }

  func shifted(_ labels: [Label]) -> [Label] { labels.map { $0 + batch.count } }

  /// A node with the result's batch.
  func result(_ node: NodeID, _ labels: [Label]) -> Operand { Operand(node, batch + shifted(labels)) }

  /// A node with the batch of an operand.
  func operand(_ k: Int, _ node: NodeID, _ labels: [Label]) -> Operand {
    Operand(node, self.labels(k, labels))
  }

  func labels(_ k: Int, _ labels: [Label]) -> [Label] { operandBatches[k] + shifted(labels) }
}

extension [Label] {
  /// Of a matrix, or of each of a batch, the transpose.
  fileprivate var lastTwoExchanged: [Label] {
    var labels = self
    labels.swapAt(count - 1, count - 2)
    return labels
  }
}
