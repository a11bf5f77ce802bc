import Tensors

extension ValueText {
  /// Shape, count and kind of a sparse matrix, and a picture of where its entries stand.
  func text(_ matrix: SparseMatrix) -> String {
    ([describe(matrix.pattern)] + picture(matrix.pattern)).joined(separator: "\n")
  }

  /// `1000×1000, sparse, symmetric: 2998 non-zeros (0.3 %), bandwidth 1`.
  func describe(_ pattern: SparsePattern) -> String {
    let entries = Double(pattern.rows) * Double(pattern.columns)
    let share = NumberFormat(digits: 2)(100 * Double(pattern.nonZeros) / max(entries, 1))
    let (lower, upper) = pattern.bandwidths
    let band =
      pattern.isDiagonal
      ? "diagonal" : lower == upper ? "bandwidth \(lower)" : "bandwidths \(lower) below, \(upper) above"
    let symmetric = pattern.isSymmetric && !pattern.isDiagonal ? ", symmetric" : ""
    return
      "\(pattern.rows)×\(pattern.columns), sparse\(symmetric): \(pattern.nonZeros) non-zeros (\(share) %), \(band)"
  }

  /// A cell is × where an entry falls into it.
  func picture(_ pattern: SparsePattern) -> [String] {
    guard pattern.rows > 0, pattern.columns > 0 else { return [] }
    let (height, width) = (min(pattern.rows, 10), min(pattern.columns, 20))
    var cells = [Bool](repeating: false, count: height * width)
    func mark(_ i: Int, _ j: Int) {
      cells[i * height / pattern.rows * width + j * width / pattern.columns] = true
    }
    pattern.forEachEntry(sampling: (height, width)) { i, j in
      mark(i, j)
      if pattern.isLowerHalf { mark(j, i) }
    }
    return (0..<height).map { row in
      (0..<width).map { cells[row * width + $0] ? "×" : "·" }.joined()
    }
  }
}
