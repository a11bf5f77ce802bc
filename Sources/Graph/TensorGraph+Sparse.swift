import Tensors

extension TensorGraph {
  /// The matrix that stored values stand for, as products of them with selectors (of few diagonals) or index tables.
  public func sparseMatrix(_ pattern: SparsePattern, _ values: NodeID) -> NodeID {
    let shape: Shape = [pattern.rows, pattern.columns]
    let summands: [Summand]
    switch pattern.layout {
    case .diagonals(let offsets): summands = diagonals(pattern, offsets, values)
    case .columns: summands = entries(pattern, values)
    }
    let matrix = add(summands, shape: shape)
    if pattern.isSymmetric { symmetricNodes.insert(matrix) }
    if !isZero(matrix) { sparseViews[matrix] = (pattern, values) }
    return matrix
  }

  private func diagonals(_ pattern: SparsePattern, _ offsets: [Int], _ values: NodeID) -> [Summand] {
    var summands: [Summand] = []
    for (offset, start) in zip(offsets, pattern.diagonalStarts) {
      let length = pattern.length(ofDiagonal: offset)
      guard length > 0 else { continue }
      let part = selector(.slice(start: start, step: 1, count: length), [pattern.count, length])
      let values = contract(1, [Operand(values, [1]), Operand(part, [1, 0])], to: [0])
      func placed(_ row: Int, _ column: Int) {
        let i = selector(.slice(start: row, step: 1, count: length), [pattern.rows, length])
        let j = selector(.slice(start: column, step: 1, count: length), [pattern.columns, length])
        let node = contract(
          1, [Operand(values, [2]), Operand(i, [0, 2]), Operand(j, [1, 2])], to: [0, 1],
          sizes: [0: pattern.rows, 1: pattern.columns])
        summands.append(Summand(1, Operand(node, [0, 1])))
      }
      placed(max(offset, 0), max(-offset, 0))
      if pattern.isLowerHalf && offset != 0 { placed(max(-offset, 0), max(offset, 0)) }
    }
    return summands
  }

  private func entries(_ pattern: SparsePattern, _ values: NodeID) -> [Summand] {
    var (rows, columns, mirrored): ([Double], [Double], [Double]) = ([], [], [])
    pattern.forEachEntry { i, j, _ in
      rows.append(Double(i))
      columns.append(Double(j))
      mirrored.append(i == j ? 0 : 1)
    }
    guard !rows.isEmpty else { return [] }
    let (i, j) = (constant(Tensor(vector: rows)), constant(Tensor(vector: columns)))
    func placed(_ row: NodeID, _ column: NodeID, _ values: NodeID) -> Summand {
      let factors = [
        Operand(values, [2]), Operand(table(pattern.rows, row), [0, 2]),
        Operand(table(pattern.columns, column), [1, 2]),
      ]
      return Summand(1, Operand(contract(1, factors, to: [0, 1]), [0, 1]))
    }
    var summands = [placed(i, j, values)]
    if pattern.isLowerHalf, mirrored.contains(1) {
      summands.append(placed(j, i, multiplied(values, constant(Tensor(vector: mirrored)))))
    }
    return summands
  }
}
