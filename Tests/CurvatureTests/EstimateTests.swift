import Curvature
import Foundation
import LinearAlgebra
import Tensors
import Testing

@Suite struct EstimateTests {
  @Test(arguments: [
    (1, 12.7062047), (2, 4.30265273), (3, 3.18244631), (4, 2.77644511), (5, 2.57058184), (9, 2.26215716),
    (29, 2.04522964), (100, 1.98397152), (100_000, 1.95998771),
  ]) func studentQuantiles(_ degrees: Int, _ published: Double) {
    #expect(abs(StudentDistribution.quantile975(degrees: degrees) / published - 1) < 2e-4)
  }

  /// Runs of 200 seeds whose interval holds the truth.
  private func coverage(_ truth: Double, _ estimate: (inout CounterGenerator) throws -> Estimate) throws
    -> Int
  {
    var hits = 0
    for seed in 0..<200 {
      var generator = CounterGenerator(seed: UInt64(seed))
      let found = try estimate(&generator)
      if found.low <= truth, truth <= found.high { hits += 1 }
    }
    return hits
  }

  private static let size = 80

  /// A decaying, a flat and an indefinite spectrum.
  private static let spectra: [[Double]] = [
    (0..<size).map { exp(-Double($0) / 8) }, (0..<size).map { 1 + Double($0 % 7) / 7 },
    (0..<size).map { sin(Double($0)) },
  ]

  @Test(arguments: TraceEstimator.allCases, spectra.indices)
  func traceIntervals(_ method: TraceEstimator, _ spectrum: Int) throws {
    let values = Self.spectra[spectrum]
    let a = MatrixOperator(Matrices.withEigenvalues(values))
    let hits = try coverage(values.reduce(0, +)) {
      try method.trace(of: a, products: 24, generator: &$0)
    }
    #expect((180...198).contains(hits), "\(method) covers in \(hits) of 200 runs")
  }

  @Test(arguments: spectra.indices) func normIntervals(_ spectrum: Int) throws {
    let values = Self.spectra[spectrum]
    let a = MatrixOperator(Matrices.withEigenvalues(values))
    let truth = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let hits = try coverage(truth) { try NormEstimator.frobenius(of: a, probes: 20, generator: &$0) }
    #expect((180...198).contains(hits), "covers in \(hits) of 200 runs")
  }

  @Test func logDeterminantIntervals() throws {
    let values = Self.spectra[1]
    let a = MatrixOperator(Matrices.withEigenvalues(values))
    let truth = values.reduce(0) { $0 + log($1) }
    let hits = try coverage(truth) {
      try NormEstimator.logDeterminant(of: a, probes: 12, steps: 20, generator: &$0)
    }
    #expect((180...198).contains(hits), "covers in \(hits) of 200 runs")
  }

  @Test func lowRankTracesAreExact() throws {
    let a = MatrixOperator(Matrices.withEigenvalues([5, 3, -2] + [Double](repeating: 0, count: 47)))
    var generator = CounterGenerator(seed: 4)
    for method in [TraceEstimator.hutchpp, .xtrace] {
      let found = try method.trace(of: a, products: 18, generator: &generator)
      #expect(abs(found.value - 6) < 1e-11, "\(method): \(found.value)")
      #expect(found.low <= 6 && 6 <= found.high && found.high - found.low < 1e-9)
    }
  }

  @Test func diagonalIntervals() throws {
    let n = 30
    let matrix = Matrices.withEigenvalues(Array(Self.spectra[0].prefix(n)))
    let truth = (0..<n).map { matrix.doubles[(n + 1) * $0] }
    var (inside, all) = (0, 0)
    for seed in 0..<200 {
      var generator = CounterGenerator(seed: UInt64(seed))
      let found = try DiagonalEstimator.diagonal(
        of: MatrixOperator(matrix), products: 16, generator: &generator)
      inside += (0..<n).count { found[$0].low <= truth[$0] && truth[$0] <= found[$0].high }
      all += n
    }
    #expect((0.9...0.99).contains(Double(inside) / Double(all)), "\(inside) of \(all)")
  }

  @Test func quadratureMoments() throws {
    // Ten nodes integrate polynomials up to degree 19 exactly.
    let matrix = Matrices.withEigenvalues(Self.spectra[2])
    let a = MatrixOperator(matrix)
    var generator = CounterGenerator(seed: 9)
    let v = Rows.rademacher(3, length: 80, &generator)
    let found = try LanczosQuadrature.quadratures(of: a, from: v, steps: 10)
    for k in 0..<3 {
      var power = v.rows(k..<k + 1)
      for degree in 0..<20 {
        let moment = zip(v[k], power.entries).reduce(0) { $0 + $1.0 * $1.1 } / 80
        #expect(abs(found[k].integral { pow($0, Double(degree)) } - moment) < 1e-12)
        power = a.products(power)
      }
    }
  }

  @Test func quadratureOfAnInvariantSubspaceStops() throws {
    let a = MatrixOperator(Matrices.withEigenvalues([Double](repeating: 2, count: 40)))
    var generator = CounterGenerator(seed: 1)
    let found = try LanczosQuadrature.quadratures(of: a, from: .normal(2, length: 40, &generator), steps: 30)
    for quadrature in found {
      #expect(quadrature.nodes.count == 1)
      #expect(abs(quadrature.nodes[0] - 2) < 1e-13)
    }
  }

  @Test func densitiesIntegrateToOne() throws {
    let values = Self.spectra[2]
    let exact = SpectralDensity(eigenvalues: values, points: 400)
    let a = MatrixOperator(Matrices.withEigenvalues(values))
    var generator = CounterGenerator(seed: 2)
    let starts = Rows.rademacher(20, length: 80, &generator)
    let found = SpectralDensity(
      try LanczosQuadrature.quadratures(of: a, from: starts, steps: 40), points: 400)
    for density in [exact, found] {
      let step = density.grid[1] - density.grid[0]
      #expect(abs(density.density.reduce(0, +) * step - 1) < 0.01)
      #expect(zip(density.low, density.high).allSatisfy { $0 <= $1 })
    }
  }

  /// The band of a density, wherever there is some: with enough steps the kernel's mean is all that is estimated.
  @Test func densityBands() throws {
    let n = 24
    let values = (0..<n).map { sin(Double($0)) }
    let a = MatrixOperator(Matrices.withEigenvalues(values))
    var (inside, all) = (0, 0)
    for seed in 0..<200 {
      var generator = CounterGenerator(seed: UInt64(seed))
      let starts = Rows.rademacher(6, length: n, &generator)
      let found = SpectralDensity(
        try LanczosQuadrature.quadratures(of: a, from: starts, steps: n), points: 15, width: 0.3)
      for (k, x) in found.grid.enumerated() {
        let truth = LanczosQuadrature(eigenvalues: values).integral {
          exp(-0.5 * (x - $0) * (x - $0) / 0.09) / (0.3 * (2 * Double.pi).squareRoot())
        }
        guard truth > 0.05 else { continue }
        inside += found.low[k] <= truth && truth <= found.high[k] ? 1 : 0
        all += 1
      }
    }
    #expect((0.9...0.99).contains(Double(inside) / Double(all)), "\(inside) of \(all)")
  }

  @Test func badInput() {
    let a = MatrixOperator(Matrices.withEigenvalues([1, 2, 3]))
    var generator = CounterGenerator(seed: 2)
    #expect(throws: CurvatureError.tooFewProbes(needed: 2)) {
      try TraceEstimator.hutchinson.trace(of: a, products: 1, generator: &generator)
    }
    #expect(throws: CurvatureError.tooFewProbes(needed: 4)) {
      try TraceEstimator.hutchpp.trace(of: a, products: 3, generator: &generator)
    }
    let indefinite = MatrixOperator(Matrices.withEigenvalues([1, -2, 3]))
    #expect(throws: CurvatureError.self) {
      try NormEstimator.logDeterminant(of: indefinite, probes: 4, steps: 3, generator: &generator)
    }
  }
}
