import COpenBLAS
import Foundation
import LinearAlgebra
import Tensors
import Testing

/// Matrices of some hundred rows, for which eigenvalues and vectors are found by divide and conquer.
@Suite struct DivideAndConquerTests {
  /// From 100 rows on; odd orders cut halves of different sizes.
  private static let orders = [100, 101, 150, 257, 420]

  @Test(arguments: orders)
  func randomMatrices(n: Int) throws { try check(randomSymmetric(n)) }

  @Test(arguments: orders)
  func secondDifferences(n: Int) throws {
    let exact = (1...n).map { 2 - 2 * cos(Double($0) * .pi / Double(n + 1)) }
    try check(secondDifference(n), eigenvalues: exact)
  }

  struct Spectrum: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let values: [Double]
  }

  private static let spectra: [Spectrum] = {
    let places = (0..<200).map { Double($0) }
    let squares: [Double] = places.map { $0 * $0 }
    // Two values, many times.
    let multiple: [Double] = places.map { $0.truncatingRemainder(dividingBy: 3) == 0 ? -1.0 : 2.0 }
    // Over thirty orders of magnitude.
    let graded: [Double] = places.map { pow(10, 10 - $0 * 0.15) }
    // Clusters far closer than the rounding of the largest.
    let clustered: [Double] = places.map { ($0 / 20).rounded(.down) + $0 * 1e-17 }
    let far: [Double] = places.map { $0 == 0 ? 1e8 : -$0 * 1e-8 }
    return [
      Spectrum(testDescription: "squares", values: squares),
      Spectrum(testDescription: "multiple", values: multiple),
      Spectrum(testDescription: "graded", values: graded),
      Spectrum(testDescription: "clustered", values: clustered),
      Spectrum(testDescription: "one far from all", values: far),
    ]
  }()

  /// A reflected diagonal: I − 2uuᵀ on both sides, so that the eigenvalues are known and the matrix is full.
  @Test(arguments: spectra)
  func knownEigenvalues(spectrum: Spectrum) throws {
    let values = spectrum.values
    let n = values.count
    let u = (0..<n).map { sin(Double($0 * $0) + 1) }
    let length: Double = u.reduce(0) { $0 + $1 * $1 }
    // (I − 2uuᵀ/|u|²)·D·(I − 2uuᵀ/|u|²), entry by entry.
    let inner: Double = zip(u, values).reduce(0) { $0 + $1.0 * $1.0 * $1.1 }
    let a = matrix(n, n) { i, j in
      let (x, y) = (min(i, j), max(i, j))
      let sides: Double = 2 * u[x] * u[y] * (values[x] + values[y]) / length
      let middle: Double = 4 * u[x] * u[y] * inner / (length * length)
      return (x == y ? values[x] : 0) - sides + middle
    }
    try check(a, eigenvalues: values.sorted())
  }

  /// Wilkinson's: eigenvalues in pairs that agree to all digits, and halves that hardly know of each other.
  @Test func wilkinson() throws {
    let n = 201
    try check(matrix(n, n) { abs($0 - $1) == 1 ? 1 : $0 == $1 ? Double(abs($0 - n / 2)) : 0 })
  }

  /// Nothing to join: what is diagonal, in blocks, of rank one, zero.
  @Test func degenerateMatrices() throws {
    let n = 130
    try check(identity(n), eigenvalues: .init(repeating: 1, count: n))
    try check(Tensor(repeating: 0, [n, n]), eigenvalues: .init(repeating: 0, count: n))
    try check(
      matrix(n, n) { $0 == $1 ? Double(($0 * 7) % n) : 0 }, eigenvalues: (0..<n).map { Double($0) })
    try check(
      Tensor(repeating: 1, [n, n]), eigenvalues: .init(repeating: 0, count: n - 1) + [Double(n)])
    try check(
      matrix(n, n) { $0 / 13 == $1 / 13 ? 1 : 0 },
      eigenvalues: .init(repeating: 0, count: n - 10) + .init(repeating: 13, count: 10))
  }

  /// Scales at which squares of the entries overflow or vanish.
  @Test(arguments: [1e-300, 1e-200, 1e-100, 1e100, 1e200, 1e300])
  func extremeScales(scale: Double) throws {
    let n = 120
    let eigen = try symmetricEigen(Tensor(secondDifference(n).doubles.map { $0 * scale }, [n, n]))
    for (k, value) in eigen.values.doubles.enumerated() {
      #expect(abs(value / scale - (2 - 2 * cos(Double(k + 1) * .pi / Double(n + 1)))) < 1e-13)
    }
    #expect(product(eigen.vectors.transposed, eigen.vectors).distance(identity(n)) < 1e-12)
  }

  /// Parts that know nothing of each other: each is as accurate as if it stood alone, and what is diagonal is exact.
  @Test func partsOfDifferentSizes() throws {
    let n = 100
    let small = matrix(2 * n, 2 * n) { i, j in
      guard i / n == j / n else { return 0 }
      let entry: Double = i == j ? 2 : abs(i - j) == 1 ? -1 : 0
      return i < n ? entry : 1e-20 * entry
    }
    let values = try symmetricEigen(small).values.doubles
    for k in 0..<n {
      let exact: Double = 2 - 2 * cos(Double(k + 1) * .pi / Double(n + 1))
      #expect(abs(values[k] / 1e-20 - exact) < 1e-13)
      #expect(abs(values[n + k] - exact) < 1e-13)
    }
    let whole = try symmetricEigen(matrix(n, n) { $0 == $1 ? Double(($0 * 37) % n + 1) : 0 })
    #expect(whole.values.doubles == (1...n).map { Double($0) })
  }

  @Test func readsTheLowerTriangle() throws {
    let full = randomSymmetric(110)
    let lower = matrix(110, 110) { $0 >= $1 ? full[$0, $1] : 99 }
    #expect(try symmetricEigen(lower).values.doubles == symmetricEigen(full).values.doubles)
  }

  /// Large enough for several threads each, which they leave to one another: no digit depends on the moment.
  @Test func sideBySide() throws {
    let matrices = (1...8).map { randomSymmetric(240, seed: $0) }
    func round() -> [[Double]] {
      var found = matrices.map { _ in [Double]() }
      found.withUnsafeMutableBufferPointer { found in
        Team.run(matrices.count) { found[$0] = (try? symmetricEigen(matrices[$0]))?.vectors.doubles ?? [] }
      }
      return found
    }
    let first = round()
    #expect(first.allSatisfy { $0.count == 240 * 240 })
    for _ in 0..<5 { #expect(round() == first) }
  }

  /// Residual, orthogonality and order; and the eigenvalues, where they are known.
  private func check(_ a: Tensor, eigenvalues: [Double]? = nil) throws {
    let n = a.shape[0]
    let eigen = try symmetricEigen(a)
    let values = eigen.values.doubles
    let size = max(a.largestMagnitude, values.map(\.magnitude).max() ?? 0, .leastNormalMagnitude)
    let scaled = matrix(n, n) { eigen.vectors[$0, $1] * values[$1] }
    let bound = 2e-15 * Double(n).squareRoot()
    #expect(product(a, eigen.vectors).distance(scaled) <= bound * size)
    #expect(product(eigen.vectors.transposed, eigen.vectors).distance(identity(n)) <= bound)
    #expect(values == values.sorted())
    guard let eigenvalues else { return }
    for (value, exact) in zip(values, eigenvalues) { #expect(abs(value - exact) <= bound * size) }
  }
}

private func product(_ a: Tensor, _ b: Tensor) -> Tensor {
  let n = a.shape[0]
  var result = [Double](repeating: 0, count: n * n)
  cblas_dgemm(
    CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(n), Int32(n), Int32(n), 1, a.doubles, Int32(n),
    b.doubles,
    Int32(n), 0, &result, Int32(n))
  return Tensor(result, [n, n])
}
