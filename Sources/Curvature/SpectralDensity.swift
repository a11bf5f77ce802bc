#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The density of a spectrum, smoothed by a normal kernel: the share of eigenvalues per unit of λ.
public struct SpectralDensity: Sendable {
  /// Values of λ, ascending and even.
  public let grid: [Double]
  public let density: [Double]
  /// The ends of the 95 % interval at each point; the density itself when it is exact.
  public let low: [Double]
  public let high: [Double]
  /// Standard deviation of the kernel.
  public let width: Double

  /// From all eigenvalues.
  public init(eigenvalues: [Double], points: Int, width: Double? = nil) {
    self.init([LanczosQuadrature(eigenvalues: eigenvalues)], points: points, width: width)
  }

  /// The mean of several quadratures of one matrix, and its interval when there are at least two.
  ///
  /// - Parameters:
  ///   - points: of the grid.
  ///   - width: 1/60 of the range of the nodes unless given.
  public init(_ quadratures: [LanczosQuadrature], points: Int, width: Double? = nil) {
    let nodes = quadratures.flatMap(\.nodes)
    let (least, most) = (nodes.min() ?? 0, nodes.max() ?? 0)
    let range = most > least ? most - least : max(abs(most), 1)
    let sigma = width ?? range / 60
    let (start, end) = (least - 3 * sigma, most + 3 * sigma)
    let grid = (0..<points).map { start + (end - start) * Double($0) / Double(max(points - 1, 1)) }
    let samples = quadratures.map { quadrature in
      grid.map { x in
        quadrature.integral { exp(-0.5 * ((x - $0) / sigma) * ((x - $0) / sigma)) }
          / (sigma * (2 * Double.pi).squareRoot())
      }
    }
    self.grid = grid
    self.width = sigma
    let estimates = grid.indices.map { i in Estimate(samples: samples.map { $0[i] }, products: 0) }
    density = estimates.map(\.value)
    let isExact = quadratures.count < 2
    low = estimates.map { isExact ? $0.value : max($0.low, 0) }
    high = estimates.map { isExact ? $0.value : $0.high }
  }
}
