import Curvature
import Foundation
import LinearAlgebra
import Tensors
import Testing

@Suite struct LanczosTests {
  private func search(
    _ a: any SymmetricOperator, _ k: Int, _ end: SpectrumEnd, seed: UInt64 = 7,
    _ change: (inout EigenSearch) -> Void = { _ in }
  ) throws -> PartialEigen {
    var search = EigenSearch(k, end, order: a.order, roundoff: a.roundoff)
    change(&search)
    return try BlockLanczos.eigenpairs(of: a, search, generator: CounterGenerator(seed: seed))
  }

  /// Values, residuals and orthonormality of an answer.
  private func verify(_ found: PartialEigen, _ expected: [Double], _ bound: Double = 1e-8) {
    #expect(found.converged == expected.count)
    #expect(agree(found.values, expected, within: bound), "\(found.values) against \(expected)")
    #expect(found.residuals.allSatisfy { $0 <= 2 * found.bound })
    for i in 0..<found.vectors.count {
      for j in 0...i {
        let product = zip(found.vectors[i], found.vectors[j]).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(product - (i == j ? 1 : 0)) < 1e-10)
      }
    }
  }

  @Test(arguments: [SpectrumEnd.top, .bottom]) func secondDifferences(_ end: SpectrumEnd) throws {
    let n = 400
    let found = try search(MatrixOperator(Matrices.laplacian(n)), 10, end)
    let places = end == .top ? Array((n - 9...n).reversed()) : Array(1...10)
    verify(found, places.map { Matrices.laplacianEigenvalue($0, n) })
  }

  @Test func indefiniteEndsAgainstTheDefinition() throws {
    let values = (0..<150).map { k in sin(Double(k)) * exp(Double(k) / 40) }
    let a = MatrixOperator(Matrices.withEigenvalues(values))
    let sorted = values.sorted()
    verify(try search(a, 10, .top), Array(sorted.suffix(10).reversed()))
    verify(try search(a, 10, .bottom), Array(sorted.prefix(10)))
  }

  @Test func rankDeficient() throws {
    // Ten eigenvalues apart from zero; the bottom is zero 110 times over.
    let a = MatrixOperator(
      Matrices.withEigenvalues((1...10).map(Double.init) + [Double](repeating: 0, count: 110)))
    verify(try search(a, 12, .top), (1...10).reversed().map(Double.init) + [0, 0])
    verify(try search(a, 10, .bottom), [Double](repeating: 0, count: 10))
  }

  @Test(arguments: 1...4) func degenerate(_ block: Int) throws {
    // Five copies of the largest eigenvalue: more than the block has vectors.
    let values = [Double](repeating: 9, count: 5) + [8, 8, 8, 5, 4] + (0..<90).map { Double($0) / 45 }
    let a = MatrixOperator(Matrices.withEigenvalues(values))
    let found = try search(a, 9, .top) { $0.block = block }
    verify(found, [9, 9, 9, 9, 9, 8, 8, 8, 5])
  }

  @Test func clustered() throws {
    let cluster = (0..<6).map { 1 + Double($0) * 1e-7 }
    let a = MatrixOperator(Matrices.withEigenvalues(cluster + (0..<120).map { Double($0) / 130 }))
    verify(try search(a, 6, .top) { $0.tolerance = 1e-11 }, cluster.reversed(), 1e-9)
  }

  @Test func smallBasisRestarts() throws {
    let n = 300
    let found = try search(MatrixOperator(Matrices.laplacian(n)), 4, .top) { $0.basis = 20 }
    #expect(found.restarts > 1)
    verify(found, (0..<4).map { Matrices.laplacianEigenvalue(n - $0, n) })
  }

  @Test(arguments: 1...9) func tiny(_ n: Int) throws {
    let values = (0..<n).map { Double($0 * $0) - 4 }
    let a = MatrixOperator(Matrices.withEigenvalues(values, seed: 3))
    for k in 1...n {
      verify(try search(a, k, .top), Array(values.sorted().suffix(k).reversed()))
      verify(try search(a, k, .bottom), Array(values.sorted().prefix(k)))
    }
    #expect(try search(a, n + 5, .top).values.count == n)
  }

  @Test func simpleMatrices() throws {
    let zero = MatrixOperator(Tensor(repeating: 0, [30, 30]))
    verify(try search(zero, 3, .top), [0, 0, 0])
    let identity = MatrixOperator(Matrices.withEigenvalues([Double](repeating: 1, count: 30)))
    verify(try search(identity, 3, .bottom), [1, 1, 1])
  }

  @Test func interiorPairs() throws {
    let values = (0..<90).map { Double($0) - 40.3 }
    let a = MatrixOperator(Matrices.withEigenvalues(values))
    let search = EigenSearch(4, .top, order: 90)
    let found = try BlockLanczos.eigenpairs(of: a, near: 0, search, generator: CounterGenerator(seed: 7))
    verify(found, [-0.3, 0.7, -1.3, 1.7])
    // Two that lie as far on either side are told apart.
    let pair = try BlockLanczos.eigenpairs(
      of: a, near: 0.2, EigenSearch(2, .top, order: 90), generator: CounterGenerator(seed: 7))
    #expect(agree(pair.values.sorted(), [-0.3, 0.7], within: 1e-8))
  }

  /// Without room for a long basis the distances are squared, and the answer is the same.
  @Test func interiorEigenvaluesInLittleRoom() throws {
    let a = MatrixOperator(Matrices.withEigenvalues((0..<90).map { Double($0) - 40.3 }))
    let found = try BlockLanczos.eigenpairs(
      of: a, near: 0, EigenSearch(4, .top, order: 90), widest: 24, generator: CounterGenerator(seed: 7))
    verify(found, [-0.3, 0.7, -1.3, 1.7])
  }

  /// As of a network: most eigenvalues next to zero, and some outside, of which a few hundred products find the inner ones.
  @Test func interiorEigenvaluesOfAClusteredSpectrum() throws {
    let outside = (1...60).map { 0.2 * Double($0) + 0.03 * sin(Double($0)) }
    let values = (0..<2940).map { 1e-3 * sin(Double($0)) } + outside
    let found = try BlockLanczos.eigenpairs(
      of: DiagonalOperator(values), near: 5.05, EigenSearch(3, .top, order: 3000),
      generator: CounterGenerator(seed: 7))
    let nearest = outside.sorted { abs($0 - 5.05) < abs($1 - 5.05) }.prefix(3)
    #expect(found.converged == 3 && found.products < 400, "\(found.products) products")
    #expect(agree(found.values, Array(nearest), within: 1e-8))
  }

  private struct DiagonalOperator: SymmetricOperator {
    let values: [Double]
    init(_ values: [Double]) { self.values = values }
    var order: Int { values.count }
    var roundoff: Double { Double.ulpOfOne }
    func products(_ block: Rows) throws -> Rows {
      Rows(block.entries.indices.map { block.entries[$0] * values[$0 % values.count] }, length: values.count)
    }
  }

  @Test func saysWhenItHasNotConverged() throws {
    let found = try search(MatrixOperator(Matrices.laplacian(2000)), 5, .bottom) { $0.maxProducts = 60 }
    #expect(found.converged < 5)
    #expect(found.values.count == 5)
    #expect(found.products <= 70)
    // What is said of the pairs is true all the same.
    for (k, value) in found.values.enumerated() {
      let nearest = (1...2000).map { abs(Matrices.laplacianEigenvalue($0, 2000) - value) }.min() ?? 0
      #expect(nearest <= found.residuals[k] + 1e-12)
    }
  }

  @Test func singlePrecisionProducts() throws {
    let values = (0..<100).map { Double($0) }
    let a = MatrixOperator(Matrices.withEigenvalues(values).converted(to: .f32))
    let found = try search(a, 5, .top)
    #expect(found.converged == 5)
    #expect(agree(found.values, [99, 98, 97, 96, 95], within: 1e-3))
  }

  @Test func nonFiniteProducts() {
    let a = MatrixOperator(Tensor([1, .nan, .nan, 1], [2, 2]))
    #expect(throws: CurvatureError.notFinite) { try search(a, 1, .top) }
  }

  @Test func angles() throws {
    func rows(_ entries: [[Double]]) -> Rows { Rows(entries.flatMap { $0 }, length: entries[0].count) }
    let plane = rows([[1, 0, 0, 0], [0, 1, 0, 0]])
    for t in [1e-9, 0.1, 0.7, 1.5] {
      let tilted = rows([[cos(t), 0, sin(t), 0], [0, 0, 0, 1]])
      let found = try principalAngles(plane, tilted)
      #expect(abs(found[0] - t) < 1e-15 + 1e-14 * t)
      #expect(abs(found[1] - .pi / 2) < 1e-14)
    }
    #expect(try agree(principalAngles(plane, plane), [0, 0], within: 1e-15))
  }

  @Test func minimumResidualSolvesIndefiniteSystems() throws {
    let values = (0..<80).map { Double($0) - 30.5 }
    let matrix = Matrices.withEigenvalues(values)
    var generator = CounterGenerator(seed: 5)
    let expected = generator.normals(80)
    let b = MatrixOperator(matrix).products(Rows(expected, length: 80)).entries
    let found = try minimumResidual(MatrixOperator(matrix), b, tolerance: 1e-12, maxProducts: 1000)
    #expect(found.converged)
    #expect(agree(found.x, expected, within: 1e-9))
    let short = try minimumResidual(MatrixOperator(matrix), b, tolerance: 1e-12, maxProducts: 10)
    #expect(!short.converged && short.relativeResidual > 1e-6)
  }
}
