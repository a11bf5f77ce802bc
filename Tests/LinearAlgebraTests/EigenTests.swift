import COpenBLAS
import Foundation
import LinearAlgebra
import Tensors
import Testing

/// What this machine's first processor can do; empty where Linux does not say.
private let processorFlags: Set<Substring> = {
  let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
  let flags = text.split(separator: "\n").first { $0.hasPrefix("flags") }
  return Set(flags?.split(separator: " ") ?? [])
}()

@Suite struct EigenTests {
  /// Hilbert 4×4: the extreme eigenvalues to 16 digits.
  @Test func hilbertMatrix() throws {
    let values = try symmetricEigenvalues(hilbert(4)).doubles
    #expect(abs(values[3] - 1.500214280059243) < 1e-15)
    #expect(abs(values[0] - 9.670230402258689e-5) < 1e-16)
  }

  @Test func secondDifferences() throws {
    let n = 100
    let a = secondDifference(n)
    let eigen = try symmetricEigen(a)
    let exact = (1...n).map { 2 - 2 * cos(Double($0) * .pi / Double(n + 1)) }
    #expect(zip(eigen.values.doubles, exact).allSatisfy { abs($0 - $1) < 1e-13 })
    #expect(try symmetricEigenvalues(a).distance(eigen.values) < 1e-13)
    #expect(a.times(eigen.vectors).distance(eigen.vectors.times(diagonal(eigen.values))) < 1e-13)
    #expect(eigen.vectors.transposed.times(eigen.vectors).distance(identity(n)) < 1e-13)
    let tridiagonal = try symmetricTridiagonalEigen(
      diagonal: .init(repeating: 2, count: n), offDiagonal: .init(repeating: -1, count: n - 1))
    #expect(tridiagonal.values.distance(eigen.values) < 1e-13)
    #expect(a.times(tridiagonal.vectors).distance(tridiagonal.vectors.times(diagonal(eigen.values))) < 1e-13)
  }

  @Test func packedEigenpairs() throws {
    let n = 300
    let packed = try packedSymmetricEigen(secondDifference(n).converted(to: .f32))
    #expect(packed.shape == [n + 1, n] && packed.precision == .f64)
    let values = packed.doubles
    for k in [0, 31, 32, 299] {
      let angle = Double(k + 1) * .pi / Double(n + 1)
      #expect(abs(values[k] - (2 - 2 * cos(angle))) < 1e-12)
      // The k-th eigenvector is sin(i·angle), up to length and sign.
      let length = (Double(n + 1) / 2).squareRoot()
      let ratio = values[n + k] / (sin(angle) / length)
      #expect(abs(ratio.magnitude - 1) < 1e-8)
      for i in [1, 150, 299] {
        #expect(abs(values[(i + 1) * n + k] - ratio * sin(Double(i + 1) * angle) / length) < 1e-10)
      }
    }
    #expect(throws: LinearAlgebraError.self) { try packedSymmetricEigen(Tensor(repeating: .nan, [3, 3])) }
    #expect(throws: LinearAlgebraError.self) { try packedSymmetricEigen(Tensor(repeating: 1, [3, 2])) }
    #expect(try packedSymmetricEigen(Tensor([], [0, 0])).shape == [1, 0])
  }

  @Test func firstAsymmetryByRows() {
    for n in [1, 4, 33, 70] {
      for precision in [Precision.f64, .f32] {
        let symmetric = matrix(n, n) { Double(min($0, $1) + $0 * $1) }
        #expect(symmetric.converted(to: precision).firstAsymmetry(beyond: 0) == nil)
        var values = symmetric.doubles
        for (i, j) in [(n - 1, 0), (n - 1, n - 2), (n / 2, n / 3)] where i > j && j >= 0 {
          values[i * n + j] += 1
        }
        let place = Tensor(values, [n, n], precision).firstAsymmetry(beyond: 0.5)
        // Of the changed entries, the one in the first row.
        let expected: (row: Int, column: Int)? = n < 4 ? nil : (n / 2, n / 3)
        #expect(place?.row == expected?.row && place?.column == expected?.column)
        #expect(Tensor(values, [n, n], precision).firstAsymmetry(beyond: 1) == nil)
      }
    }
  }

  /// Wherever the largest stands, and with a NaN at every other place.
  @Test(arguments: [Precision.f64, .f32])
  func largestMagnitude(precision: Precision) {
    #expect(Tensor(vector: [], precision).largestMagnitude == 0)
    for n in [1, 3, 31, 32, 33, 70] {
      for place in 0..<n {
        var values = (0..<n).map { sin(Double($0)) }
        values[place] = -3
        #expect(Tensor(vector: values, precision).largestMagnitude == 3)
        for k in 0..<n where k != place { values[k] = .nan }
        #expect(Tensor(vector: values, precision).largestMagnitude == 3)
      }
    }
    #expect(Tensor(vector: [.nan], precision).largestMagnitude == 0)
    #expect(Tensor(vector: [1, -.infinity], precision).largestMagnitude == .infinity)
  }

  /// An OpenBLAS that does not know the processor takes kernels without its vectors.
  @Test(
    .enabled(
      if: processorFlags.contains("avx2") && getenv("OPENBLAS_CORETYPE") == nil
        && dlsym(dlopen(nil, RTLD_NOW), "gotoblas_dynamic_init") != nil))
  func openBLASUsesTheProcessor() {
    let core = String(cString: openblas_get_corename())
    #expect(!["Prescott", "Nehalem", "Core2", "Sandybridge", "Barcelona"].contains(core))
    #expect(!CommandLine.arguments.isEmpty)
  }

  @Test func randomMatrix() throws {
    let a = randomSymmetric(130)
    let eigen = try symmetricEigen(a)
    #expect(a.times(eigen.vectors).distance(eigen.vectors.times(diagonal(eigen.values))) < 1e-12)
    #expect(eigen.vectors.transposed.times(eigen.vectors).distance(identity(130)) < 1e-12)
    #expect(eigen.values.doubles == eigen.values.doubles.sorted())
  }

  @Test func ends() throws {
    let a = randomSymmetric(40)
    let all = try symmetricEigen(a).values.doubles
    for (range, expected) in [
      (EigenRange.lowest(3), Array(all[..<3])), (.highest(2), Array(all[38...])),
      (.lowest(99), all), (.highest(40), all),
    ] {
      let part = try symmetricEigen(a, range: range)
      #expect(part.values.distance(Tensor(vector: expected)) < 1e-12)
      #expect(part.vectors.shape == [40, expected.count])
      #expect(a.times(part.vectors).distance(part.vectors.times(diagonal(part.values))) < 1e-12)
      #expect(
        part.vectors.transposed.times(part.vectors).distance(identity(expected.count)) < 1e-12)
    }
    let none = try symmetricEigen(a, range: .highest(0))
    #expect(none.values.shape == [0] && none.vectors.shape == [40, 0])
  }

  @Test func readsTheLowerTriangle() throws {
    let lower = matrix(3, 3) { $0 >= $1 ? Double($0 + $1) : 99 }
    let full = matrix(3, 3) { Double($0 + $1) }
    #expect(try symmetricEigenvalues(lower).doubles == symmetricEigenvalues(full).doubles)
  }

  @Test func multipleEigenvalues() throws {
    let eigen = try symmetricEigen(identity(20))
    #expect(eigen.values.doubles.allSatisfy { $0 == 1 })
    let zero = try symmetricEigen(Tensor(repeating: 0, [5, 5]))
    #expect(zero.values.doubles.allSatisfy { $0 == 0 })
    #expect(zero.vectors.transposed.times(zero.vectors).distance(identity(5)) < 1e-15)
  }

  @Test func rotationHasComplexEigenvalues() throws {
    let (c, s) = (cos(0.3), sin(0.3))
    let values = try generalEigenvalues(Tensor([c, -s, s, c], [2, 2]))
    #expect(values.real.distance(Tensor(vector: [c, c])) < 1e-15)
    #expect(values.imaginary.distance(Tensor(vector: [-s, s])) < 1e-15)
  }

  /// The companion matrix of (x − 1)(x − 2)(x − 3).
  @Test func companionMatrix() throws {
    let values = try generalEigenvalues(Tensor([6, -11, 6, 1, 0, 0, 0, 1, 0], [3, 3]))
    #expect(values.real.distance(Tensor(vector: [1, 2, 3])) < 1e-13)
    #expect(values.imaginary.doubles == [0, 0, 0])
  }

  @Test func singlePrecision() throws {
    let a = hilbert(4).converted(to: .f32)
    let eigen = try symmetricEigen(a)
    #expect(eigen.values.precision == .f32 && eigen.vectors.precision == .f32)
    #expect(abs(eigen.values[flat: 3] - 1.500214280059243) < 1e-6)
    #expect(try generalEigenvalues(a).real.precision == .f32)
  }

  @Test func degenerateSizes() throws {
    let empty = Tensor([], [0, 0])
    #expect(try symmetricEigenvalues(empty).shape == [0])
    #expect(try symmetricEigen(empty).vectors.shape == [0, 0])
    #expect(try generalEigenvalues(empty).real.shape == [0])
    #expect(try symmetricEigen(Tensor([-3], [1, 1])).values.doubles == [-3])
    #expect(abs(try symmetricEigen(Tensor([-3], [1, 1])).vectors[0, 0]) == 1)
    #expect(try generalEigenvalues(Tensor([-3], [1, 1])).real.doubles == [-3])
    let single = try symmetricTridiagonalEigen(diagonal: [4], offDiagonal: [])
    #expect(single.values.doubles == [4])
    #expect(try symmetricTridiagonalEigen(diagonal: [], offDiagonal: []).values.count == 0)
  }

  @Test func errors() {
    for bad in [Double.nan, .infinity, -.infinity] {
      var a = identity(4)
      a[flat: 6] = bad
      #expect(throws: LinearAlgebraError.notFinite(row: 1, column: 2)) { try symmetricEigen(a) }
      #expect(throws: LinearAlgebraError.notFinite(row: 1, column: 2)) {
        try symmetricEigen(a, range: .lowest(1))
      }
      #expect(throws: LinearAlgebraError.notFinite(row: 1, column: 2)) { try generalEigenvalues(a) }
      #expect(throws: LinearAlgebraError.notFinite(row: 1, column: 2)) {
        try symmetricTridiagonalEigen(diagonal: [1, 2, 3], offDiagonal: [1, bad])
      }
    }
    #expect(throws: LinearAlgebraError.notSquare([2, 3])) { try symmetricEigenvalues(random(2, 3)) }
    #expect(throws: LinearAlgebraError.notSquare([4])) {
      try generalEigenvalues(Tensor(vector: [1, 2, 3, 4]))
    }
    #expect(throws: LinearAlgebraError.notSquare([])) { try symmetricEigen(Tensor(scalar: 1)) }
    #expect(throws: LinearAlgebraError.shapeMismatch([2], [2])) {
      try symmetricTridiagonalEigen(diagonal: [1, 2], offDiagonal: [1, 2])
    }
  }
}
