import Glibc
import LinearAlgebra
import Tensors
import Testing

@Suite struct CholeskyTests {
  @Test func factorsAndSolves() throws {
    let g = random(60, 30)
    let a = g.transposed.times(g)
    let factor = try Cholesky(a)
    let lower = factor.lower
    #expect(lower.times(lower.transposed).distance(a) < 1e-12)
    #expect((0..<30).allSatisfy { i in (i + 1..<30 + 1).allSatisfy { $0 == 30 || lower[i, $0] == 0 } })
    for b in [random(30, 4, seed: 2), random(30, 1, seed: 3)] {
      #expect(a.times(try factor.solve(b)).distance(b) < 1e-11)
    }
    let vector = random(30, 1, seed: 3).reshaped([30])
    #expect(try factor.solve(vector).shape == [30])
    let inverse = factor.inverse()
    #expect(a.times(inverse).distance(identity(30)) < 1e-12)
    #expect(inverse.distance(inverse.transposed) == 0)
    #expect(abs(factor.logDeterminant - (try LU(a).logAbsDeterminant.log)) < 1e-11)
  }

  /// det Hilbert 4×4 = 1/6048000; its condition number in the 1-norm is 28375.
  @Test func hilbertMatrix() throws {
    let factor = try Cholesky(hilbert(4))
    #expect(abs(factor.logDeterminant + log(6_048_000)) < 1e-11)
    #expect(abs(1 / (try factor.reciprocalCondition()) - 28375) < 1e-6)
  }

  @Test func failsAtTheFirstBadMinor() {
    #expect(throws: LinearAlgebraError.notPositiveDefinite(order: 3)) {
      try Cholesky(diagonal(Tensor(vector: [1, 2, -1, 4])))
    }
    #expect(throws: LinearAlgebraError.notPositiveDefinite(order: 1)) {
      try Cholesky(Tensor(repeating: 0, [2, 2]))
    }
    #expect(throws: LinearAlgebraError.notPositiveDefinite(order: 2)) {
      try Cholesky(Tensor([1, 2, 2, 1], [2, 2]))
    }
  }

  @Test func banded() throws {
    let n = 50
    let bands = (0..<n).flatMap { _ in [2.0, -1.0] }
    let factor = try BandedCholesky(order: n, bandwidth: 1, bands: bands)
    let b = random(n, 3)
    #expect(secondDifference(n).times(try factor.solve(b)).distance(b) < 1e-11)
    #expect(throws: LinearAlgebraError.notPositiveDefinite(order: 2)) {
      try BandedCholesky(order: 2, bandwidth: 1, bands: [1, 0, 1, 2])
    }
    #expect(throws: LinearAlgebraError.notFinite(row: 1, column: 0)) {
      try BandedCholesky(order: 2, bandwidth: 1, bands: [1, 0, 1, .nan])
    }
  }
}

@Suite struct LUTests {
  @Test func factorsAndSolves() throws {
    let a = random(47, 47)
    let factor = try LU(a)
    let b = random(47, 5, seed: 2)
    #expect(a.times(try factor.solve(b)).distance(b) < 1e-11)
    #expect(a.transposed.times(try factor.solve(b, transposed: true)).distance(b) < 1e-11)
    let vector = Tensor(b.doubles[..<47].map { $0 }, [47])
    let x = try factor.solve(vector)
    #expect(a.times(x.reshaped([47, 1])).distance(vector.reshaped([47, 1])) < 1e-11)
    let y = try factor.solve(vector, transposed: true)
    #expect(a.transposed.times(y.reshaped([47, 1])).distance(vector.reshaped([47, 1])) < 1e-11)
    #expect(a.times(try factor.inverse()).distance(identity(47)) < 1e-11)
  }

  @Test func determinants() throws {
    let factor = try LU(Tensor([0, 2, 0, 0, 0, 3, 5, 0, 0], [3, 3]))
    #expect(factor.determinant == 30)
    #expect(try LU(Tensor([0, 1, 1, 0], [2, 2])).determinant == -1)
    #expect(try LU(Tensor([1, 2, 3, 4], [2, 2])).logAbsDeterminant.sign == -1)
    let huge = try LU(diagonal(Tensor(repeating: 1e10, [100]))).logAbsDeterminant
    #expect(abs(huge.log - 1000 * log(10)) < 1e-10 && huge.sign == 1)
    #expect(abs(try LU(hilbert(4)).determinant * 6_048_000 - 1) < 1e-11)
    #expect(abs(1 / (try LU(hilbert(4)).reciprocalCondition()) - 28375) < 1e-6)
  }

  @Test func singular() throws {
    let factor = try LU(Tensor([1, 2, 2, 4], [2, 2]))
    #expect(factor.singularPivot == 2)
    #expect(factor.determinant == 0)
    #expect(factor.logAbsDeterminant == (-.infinity, 0))
    #expect(try factor.reciprocalCondition() == 0)
    #expect(throws: LinearAlgebraError.singular(pivot: 2)) { try factor.solve(Tensor(vector: [1, 1])) }
    #expect(throws: LinearAlgebraError.singular(pivot: 2)) { try factor.inverse() }
    #expect(try LU(Tensor(repeating: 0, [3, 3])).singularPivot == 1)
  }

  @Test func singlePrecision() throws {
    let a = random(6, 6).converted(to: .f32)
    let b = random(6, 1).converted(to: .f32)
    let x = try LU(a).solve(b)
    #expect(x.precision == .f32 && a.times(x).distance(b) < 1e-5)
  }
}

@Suite struct LDLTTests {
  @Test func indefinite() throws {
    for seed in 1...5 as ClosedRange<UInt64> {
      let a = randomSymmetric(41, seed: seed)
      let factor = try LDLT(a)
      let b = random(41, 3, seed: 9)
      #expect(a.times(try factor.solve(b)).distance(b) < 1e-10)
      #expect(try factor.solve(b.reshaped([123]).reshaped([41, 3])).shape == [41, 3])
      let values = try symmetricEigenvalues(a).doubles
      let positive = values.count { $0 > 0 }
      #expect(factor.inertia() == Inertia(positive: positive, negative: 41 - positive, zero: 0))
      let (logarithm, sign) = try LU(a).logAbsDeterminant
      #expect(abs(factor.logAbsDeterminant.log - logarithm) < 1e-10)
      #expect(factor.logAbsDeterminant.sign == sign)
    }
  }

  /// A zero diagonal forces blocks of two rows.
  @Test func blocksOfTwo() throws {
    let swap = Tensor([0, 1, 1, 0], [2, 2])
    #expect(try LDLT(swap).inertia() == Inertia(positive: 1, negative: 1, zero: 0))
    #expect(try LDLT(swap).solve(Tensor(vector: [3, 4])).doubles == [4, 3])
    let saddle = matrix(4, 4) { $0 + $1 == 3 ? 2 : 0 }
    #expect(try LDLT(saddle).inertia() == Inertia(positive: 2, negative: 2, zero: 0))
  }

  @Test func rankDeficient() throws {
    let g = random(3, 8)
    let a = g.transposed.times(g)
    let signs = diagonal(Tensor(vector: [1, -1, 1]))
    #expect(try LDLT(a).inertia() == Inertia(positive: 3, negative: 0, zero: 5))
    let mixed = g.transposed.times(signs).times(g)
    let inertia = try LDLT(matrix(8, 8) { mixed[max($0, $1), min($0, $1)] }).inertia(tolerance: 1e-12)
    #expect(inertia == Inertia(positive: 2, negative: 1, zero: 5))
    let zero = try LDLT(Tensor(repeating: 0, [3, 3]))
    #expect(zero.inertia() == Inertia(positive: 0, negative: 0, zero: 3))
    #expect(throws: LinearAlgebraError.singular(pivot: zero.singularPivot!)) {
      try zero.solve(Tensor(vector: [1, 2, 3]))
    }
  }
}

@Suite struct SharedBehaviourOfFactors {
  @Test func emptyAndSingle() throws {
    let empty = Tensor([], [0, 0])
    let none = Tensor(vector: [])
    #expect(try Cholesky(empty).solve(none).shape == [0])
    #expect(try Cholesky(empty).logDeterminant == 0)
    #expect(try Cholesky(empty).inverse().shape == [0, 0])
    #expect(try Cholesky(empty).lower.shape == [0, 0])
    #expect(try LU(empty).determinant == 1)
    #expect(try LU(empty).solve(none).shape == [0])
    #expect(try LU(empty).inverse().shape == [0, 0])
    #expect(try LDLT(empty).solve(none).shape == [0])
    #expect(try LDLT(empty).inertia() == Inertia(positive: 0, negative: 0, zero: 0))
    #expect(try BandedCholesky(order: 0, bandwidth: 2, bands: []).solve(none).shape == [0])
    let four = Tensor([4], [1, 1])
    #expect(try Cholesky(four).lower.doubles == [2])
    #expect(try LU(four).solve(Tensor(vector: [8])).doubles == [2])
    #expect(try LDLT(four).solve(Tensor(vector: [8])).doubles == [2])
    #expect(try LU(four).solve(Tensor([], [1, 0])).shape == [1, 0])
    #expect(try LDLT(four).solve(Tensor([], [1, 0])).shape == [1, 0])
  }

  @Test func errors() throws {
    var a = identity(3)
    a[flat: 3] = .nan
    let notFinite = LinearAlgebraError.notFinite(row: 1, column: 0)
    #expect(throws: notFinite) { try Cholesky(a) }
    #expect(throws: notFinite) { try LU(a) }
    #expect(throws: notFinite) { try LDLT(a) }
    let wide = random(2, 3)
    #expect(throws: LinearAlgebraError.notSquare([2, 3])) { try Cholesky(wide) }
    #expect(throws: LinearAlgebraError.notSquare([2, 3])) { try LU(wide) }
    #expect(throws: LinearAlgebraError.notSquare([2, 3])) { try LDLT(wide) }
    let mismatch = LinearAlgebraError.shapeMismatch([3, 3], [2])
    let two = Tensor(vector: [1, 2])
    #expect(throws: mismatch) { try Cholesky(identity(3)).solve(two) }
    #expect(throws: mismatch) { try LU(identity(3)).solve(two) }
    #expect(throws: mismatch) { try LDLT(identity(3)).solve(two) }
    #expect(throws: LinearAlgebraError.notFinite(row: 1, column: 0)) {
      try LU(identity(2)).solve(Tensor(vector: [1, .infinity]))
    }
  }

  @Test func wording() {
    #expect(
      "\(LinearAlgebraError.singular(pivot: 2))" == "the matrix is singular: pivot 2 is zero")
    #expect("\(LinearAlgebraError.notSquare([2, 3]))" == "a square matrix is needed, not 2×3")
  }

  @Test(arguments: [Precision.f64, .f32])
  func kernelsInTheCallersMemory(precision: Precision) throws {
    func check<T: LAPACKScalar>(_: T.Type, _ tolerance: T) throws {
      let g = random(9, 5)
      let spd = g.transposed.times(g).doubles.map { T($0) }
      let general = random(5, 5, seed: 4).doubles.map { T($0) }
      let b = random(5, 2, seed: 5).doubles.map { T($0) }
      func residual(_ a: [T], _ x: [T], transposed: Bool = false) -> T {
        var worst: T = 0
        for i in 0..<5 {
          for c in 0..<2 {
            let product = (0..<5).reduce(T(0)) {
              $0 + a[transposed ? $1 * 5 + i : i * 5 + $1] * x[$1 * 2 + c]
            }
            worst = max(worst, abs(product - b[i * 2 + c]))
          }
        }
        return worst
      }
      var (factor, x) = (spd, b)
      try DenseKernels.cholesky(5, &factor)
      DenseKernels.choleskySolve(5, 2, factor, &x)
      #expect(residual(spd, x) < tolerance)
      x = b
      DenseKernels.choleskyHalfSolve(5, 2, factor, &x)
      DenseKernels.choleskyHalfSolve(5, 2, factor, &x, transposed: true)
      #expect(residual(spd, x) < tolerance)
      (factor, x) = (general, b)
      var pivots = [Int32](repeating: 0, count: 5)
      #expect(try DenseKernels.lu(5, &factor, &pivots) == nil)
      DenseKernels.luSolve(5, 2, factor, pivots, &x)
      #expect(residual(general, x) < tolerance)
      x = b
      DenseKernels.luSolve(5, 2, factor, pivots, &x, transposed: true)
      #expect(residual(general, x, transposed: true) < tolerance)
      factor[3] = .infinity
      #expect(throws: LinearAlgebraError.notFinite(row: 0, column: 3)) {
        try DenseKernels.cholesky(5, &factor)
      }
      #expect(throws: LinearAlgebraError.notFinite(row: 0, column: 3)) {
        try DenseKernels.lu(5, &factor, &pivots)
      }
      factor = [T](repeating: -1, count: 25)
      #expect(throws: LinearAlgebraError.notPositiveDefinite(order: 1)) {
        try DenseKernels.cholesky(5, &factor)
      }
      factor = [T](repeating: -1, count: 25)
      #expect(try DenseKernels.lu(5, &factor, &pivots) == 2)
    }
    switch precision {
    case .f64: try check(Double.self, 1e-12)
    case .f32: try check(Float.self, 1e-3)
    }
  }
}
