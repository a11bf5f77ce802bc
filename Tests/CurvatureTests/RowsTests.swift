import LinearAlgebra
import Tensors
import Testing

@testable import Curvature

/// Products of bases with a few vectors or many, against their definition.
@Suite struct RowsTests {
  private static func rows(_ count: Int, _ length: Int, seed: UInt64) -> Rows {
    var generator = CounterGenerator(seed: seed)
    return .normal(count, length: length, &generator)
  }

  @Test(arguments: [1, 2, 4, 5, 9], [1, 3, 511, 512, 1300])
  func dotsAndDifferences(_ count: Int, _ length: Int) {
    for size in [1, 7, 8, 19] {
      let (basis, block) = (Self.rows(size, length, seed: 1), Self.rows(count, length, seed: 2))
      let first = size / 3
      let dots = basis.dots(first..<size, block)
      var left = block
      left.subtract(dots, of: basis, from: first)
      let tolerance = 1e-13 * Double(length * size)
      for k in 0..<count {
        var expected = Array(block[k])
        for i in first..<size {
          let dot = zip(basis[i], block[k]).reduce(0) { $0 + $1.0 * $1.1 }
          #expect(abs(dots[i - first, k] - dot) <= tolerance)
          for t in 0..<length { expected[t] -= dots[i - first, k] * basis.entries[i * length + t] }
        }
        #expect(zip(left[k], expected).allSatisfy { abs($0 - $1) <= tolerance })
      }
    }
  }

  /// A vector in the span of a basis leaves rounding; quadratures stop there and integrate polynomials exactly.
  @Test func quadratureOfFewEigenvalues() throws {
    let values: [Double] = (0..<60).map { Double($0 % 3) - 0.5 }
    let a = MatrixOperator(Matrices.withEigenvalues(values))
    let found = try LanczosQuadrature.quadratures(of: a, from: Self.rows(5, 60, seed: 3), steps: 40)
    for run in found {
      #expect(run.nodes.count == 3)
      #expect(zip(run.nodes, [-0.5, 0.5, 1.5]).allSatisfy { abs($0 - $1) < 1e-12 })
      #expect(abs(run.weights.reduce(0, +) - 1) < 1e-12)
    }
  }
}
