import LinearAlgebra
import Tensors
import Testing

@Suite struct OrthogonalTests {
  @Test(arguments: [(7, 4), (4, 7), (5, 5), (1, 3), (3, 1), (90, 60)])
  func singularValueDecomposition(m: Int, n: Int) throws {
    let a = random(m, n)
    let k = min(m, n)
    let result = try svd(a)
    #expect(result.u.shape == [m, k] && result.s.shape == [k] && result.vt.shape == [k, n])
    #expect(result.u.times(diagonal(result.s)).times(result.vt).distance(a) < 1e-12)
    #expect(result.u.transposed.times(result.u).distance(identity(k)) < 1e-13)
    #expect(result.vt.times(result.vt.transposed).distance(identity(k)) < 1e-13)
    #expect(result.s.doubles == result.s.doubles.sorted(by: >))
    #expect(try singularValues(a).distance(result.s) < 1e-13)
  }

  @Test func knownSingularValues() throws {
    let known = try singularValues(Tensor([3, 0, 4, 5], [2, 2]))
    #expect(known.distance(Tensor(vector: [Double(45).squareRoot(), Double(5).squareRoot()])) < 1e-14)
    let rankOne = matrix(5, 3) { Double(($0 + 1) * ($1 + 1)) }
    let s = try singularValues(rankOne).doubles
    #expect(abs(s[0] - Double(770).squareRoot()) < 1e-13 && s[1] < 1e-14)
  }

  @Test(arguments: [(7, 4), (4, 7), (5, 5), (1, 3), (3, 1), (90, 60)])
  func orthogonalTriangular(m: Int, n: Int) throws {
    let a = random(m, n)
    let k = min(m, n)
    let result = try qr(a)
    #expect(result.q.shape == [m, k] && result.r.shape == [k, n])
    #expect(result.q.times(result.r).distance(a) < 1e-12)
    #expect(result.q.transposed.times(result.q).distance(identity(k)) < 1e-13)
    for i in 0..<k {
      #expect(result.r[i, i] >= 0)
      for j in 0..<i { #expect(result.r[i, j] == 0) }
    }
  }

  @Test func principalComponentsStopWhenToldTo() throws {
    struct Stop: Error {}
    let points = (0..<5).map { random(1, 7, seed: UInt64($0 + 1)).doubles }
    var calls = 0
    #expect(throws: Stop.self) {
      _ = try PrincipalComponents(points, count: 2) {
        calls += 1
        if calls == 3 { throw Stop() }
      }
    }
    #expect(calls == 3)
  }

  /// Squares of such points overflow, or vanish.
  @Test(arguments: [1, 1e180, 1e-180]) func principalComponentsOfPointsOfAnySize(_ size: Double) throws {
    let points: [[Double]] = [[0, 0], [3, 4], [6, 8], [4, 7]]
    let found = try PrincipalComponents(points.map { point in point.map { $0 * size } }, count: 2)
    let usual = try PrincipalComponents(points, count: 2)
    #expect(found.directions.count == 2)
    for (a, b) in zip(found.directions.joined(), usual.directions.joined()) { #expect(abs(a - b) < 1e-13) }
    for (a, b) in zip(found.explained, usual.explained) { #expect(abs(a - b) < 1e-13) }
  }

  @Test(arguments: [0, 1, 3, 1e300, -1.7e308, Double.leastNonzeroMagnitude, 1e-300]) func unitScales(
    _ x: Double
  ) {
    let scaled = x * unitScale([x / 2, x])
    #expect(x == 0 ? scaled == 0 : scaled.magnitude >= 0x1p-74 && scaled.magnitude < 2)
    #expect(unitScale([x, .infinity]) == 1 && unitScale([Double]()) == 1)
  }

  @Test func overdetermined() throws {
    let a = random(20, 3)
    let b = random(20, 2, seed: 2)
    let solution = try leastSquares(a, b)
    #expect(solution.rank == 3 && solution.x.shape == [3, 2])
    // The residual is orthogonal to the columns.
    let fitted = a.times(solution.x)
    let residual = matrix(20, 2) { b[$0, $1] - fitted[$0, $1] }
    #expect(a.transposed.times(residual).distance(Tensor(repeating: 0, [3, 2])) < 1e-12)
    let single = try leastSquares(a, Tensor((0..<20).map { b[$0, 1] }, [20]))
    #expect(single.x.shape == [3])
    #expect((0..<3).allSatisfy { abs(single.x[flat: $0] - solution.x[$0, 1]) < 1e-13 })
  }

  @Test func underdeterminedAndRankDeficient() throws {
    let wide = try leastSquares(Tensor([1, 1], [1, 2]), Tensor(vector: [4]))
    #expect(wide.x.distance(Tensor(vector: [2, 2])) < 1e-15 && wide.rank == 1)
    let a = matrix(4, 3) { i, j in Double(i + 1) * [1, 2, 2][j] }
    let solution = try leastSquares(a, Tensor(vector: [9, 18, 27, 36]))
    #expect(solution.rank == 1)
    #expect(solution.x.distance(Tensor(vector: [1, 2, 2])) < 1e-13)
    #expect(try leastSquares(Tensor(repeating: 0, [3, 2]), Tensor(vector: [1, 2, 3])).rank == 0)
  }

  @Test func degenerateSizes() throws {
    for (m, n) in [(0, 0), (0, 3), (3, 0)] {
      let a = Tensor([], [m, n])
      #expect(try svd(a).u.shape == [m, 0] && svd(a).vt.shape == [0, n])
      #expect(try singularValues(a).shape == [0])
      #expect(try qr(a).q.shape == [m, 0] && qr(a).r.shape == [0, n])
      let solution = try leastSquares(a, Tensor(repeating: 1, [m]))
      #expect(solution.x.doubles == [Double](repeating: 0, count: n) && solution.rank == 0)
    }
    let nothing = try leastSquares(random(3, 2), Tensor([], [3, 0]))
    #expect(nothing.x.shape == [2, 0] && nothing.rank == 2)
  }

  @Test func errors() {
    var a = random(3, 2)
    a[flat: 3] = -.infinity
    let notFinite = LinearAlgebraError.notFinite(row: 1, column: 1)
    #expect(throws: notFinite) { try svd(a) }
    #expect(throws: notFinite) { try singularValues(a) }
    #expect(throws: notFinite) { try qr(a) }
    #expect(throws: notFinite) { try leastSquares(a, Tensor(vector: [1, 2, 3])) }
    #expect(throws: LinearAlgebraError.shapeMismatch([3, 2], [2])) {
      try leastSquares(random(3, 2), Tensor(vector: [1, 2]))
    }
    #expect(throws: LinearAlgebraError.shapeMismatch([2], [])) { try svd(Tensor(vector: [1, 2])) }
  }
}
