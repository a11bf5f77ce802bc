import LinearAlgebra
import Tensors
import Testing

/// Sparse systems against the dense LU factors of the same matrix.
@Suite struct SparseSolverTests {
  private static func pattern(
    _ n: Int, _ entries: [(Int, Int)], isSymmetric: Bool
  ) -> SparsePattern {
    let sorted = entries.sorted { ($0.1, $0.0) < ($1.1, $1.0) }
    var starts = [Int](repeating: 0, count: n + 1)
    for (_, j) in sorted { starts[j + 1] += 1 }
    for j in 0..<n { starts[j + 1] += starts[j] }
    return SparsePattern(
      rows: n, columns: n, isSymmetric: isSymmetric, isLowerHalf: isSymmetric,
      .columns(starts: starts, rows: sorted.map(\.0)))
  }

  private static func numbers(_ count: Int, _ seed: Double = 1) -> [Double] {
    (0..<count).map { (Double($0) * 0.7548776662 + seed).truncatingRemainder(dividingBy: 1) - 0.5 }
  }

  private func check(_ matrix: SparseMatrix, isPositiveDefinite: Bool) throws {
    let n = matrix.pattern.rows
    let b = Tensor(vector: Self.numbers(n, 0.3))
    let (x, isPositive) = try matrix.solve(b)
    let expected = try LU(matrix.dense()).solve(b).doubles
    let scale = expected.reduce(1) { max($0, $1.magnitude) }
    for (a, e) in zip(x.doubles, expected) { #expect(abs(a - e) <= 1e-10 * scale) }
    #expect(isPositive == isPositiveDefinite)
    guard matrix.pattern.isSymmetric, let inertia = matrix.inertia else { return }
    let values = try symmetricEigenvalues(matrix.dense()).doubles
    #expect(inertia.positive == values.count { $0 > 0 })
    #expect(inertia.negative == values.count { $0 < 0 })
  }

  @Test(arguments: [2, 3, 4, 5, 7, 8, 101]) func tridiagonal(n: Int) throws {
    let pattern = SparsePattern(
      rows: n, columns: n, isSymmetric: true, isLowerHalf: true, .diagonals([0, 1]))
    let beside = Self.numbers(n - 1, 0.9)
    try check(
      SparseMatrix(pattern, Tensor(vector: (0..<n).map { 2 + 0.01 * Double($0) } + beside)),
      isPositiveDefinite: true)
    // Alternating signs: indefinite, solved with exchanges.
    try check(
      SparseMatrix(pattern, Tensor(vector: (0..<n).map { $0 % 2 == 0 ? 0.1 : -3 } + beside)),
      isPositiveDefinite: false)
  }

  @Test func oneRow() throws {
    let pattern = SparsePattern(
      rows: 1, columns: 1, isSymmetric: true, isLowerHalf: true, .diagonals([0, 1]))
    let (x, isPositive) = try SparseMatrix(pattern, Tensor(vector: [4])).solve(Tensor(vector: [2]))
    #expect(x.doubles == [0.5] && isPositive)
  }

  @Test func diagonal() throws {
    let pattern = SparsePattern(rows: 3, columns: 3, isSymmetric: true, isLowerHalf: true, .diagonals([0]))
    let (x, isPositive) = try SparseMatrix(pattern, Tensor(vector: [2, -4, 8])).solve(
      Tensor(vector: [1, 1, 1]))
    #expect(x.doubles == [0.5, -0.25, 0.125] && !isPositive)
    #expect(throws: LinearAlgebraError.singular(pivot: 2)) {
      try SparseMatrix(pattern, Tensor(vector: [2, 0, 8])).solve(Tensor(vector: [1, 1, 1]))
    }
    #expect(throws: LinearAlgebraError.notFinite(row: 2, column: 2)) {
      try SparseMatrix(pattern, Tensor(vector: [2, 1, .nan])).solve(Tensor(vector: [1, 1, 1]))
    }
  }

  @Test(arguments: [true, false]) func bands(isPositive: Bool) throws {
    let n = 40
    let pattern = SparsePattern(
      rows: n, columns: n, isSymmetric: true, isLowerHalf: true, .diagonals([0, 1, 5]))
    let diagonal = (0..<n).map { isPositive || $0 % 3 > 0 ? 4.0 : -4 }
    let rest = Self.numbers(pattern.count - n, 0.2)
    try check(SparseMatrix(pattern, Tensor(vector: diagonal + rest)), isPositiveDefinite: isPositive)
  }

  /// An arrow: its band is full, its factors are not.
  @Test(arguments: [true, false]) func general(isPositive: Bool) throws {
    let n = 120
    let entries = (0..<n).map { ($0, $0) } + (1..<n).map { ($0, 0) } + (9..<n).map { ($0, $0 - 7) }
    let pattern = Self.pattern(n, entries, isSymmetric: true)
    var values = Self.numbers(pattern.count, 0.4)
    pattern.forEachEntry { i, j, place in
      if i == j { values[place] = i == 0 ? 40 : (isPositive || i % 2 > 0 ? 3 : -3) }
    }
    try check(SparseMatrix(pattern, Tensor(vector: values)), isPositiveDefinite: isPositive)
  }

  @Test func unsymmetric() throws {
    let n = 90
    let entries = (0..<n).map { ($0, $0) } + (0..<n).map { ($0, ($0 * 37 + 11) % n) }.filter { $0 != $1 }
    let pattern = Self.pattern(n, entries, isSymmetric: false)
    var values = Self.numbers(pattern.count, 0.6)
    pattern.forEachEntry { i, j, place in if i == j { values[place] += 2 } }
    try check(SparseMatrix(pattern, Tensor(vector: values)), isPositiveDefinite: false)
  }

  @Test func singular() throws {
    let n = 60
    let entries = (0..<n - 1).map { ($0, $0) } + (50..<n - 1).map { ($0, 0) }
    let pattern = Self.pattern(n, entries, isSymmetric: true)
    let matrix = SparseMatrix(pattern, Tensor(vector: [Double](repeating: 1, count: pattern.count)))
    #expect(throws: LinearAlgebraError.self) { try matrix.solve(Tensor(repeating: 1, [n])) }
    // The differences of a chain: constant vectors are in its kernel.
    let chain = SparsePattern(rows: n, columns: n, isSymmetric: true, isLowerHalf: true, .diagonals([0, 1]))
    let ends = [1.0] + [Double](repeating: 2, count: n - 2) + [1.0]
    let graph = SparseMatrix(chain, Tensor(vector: ends + [Double](repeating: -1, count: n - 1)))
    #expect(throws: LinearAlgebraError.self) { try graph.solve(Tensor(repeating: 1, [n])) }
  }
}
