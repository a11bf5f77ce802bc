import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How a trace is estimated from products.
public enum TraceEstimator: String, CaseIterable, Sendable {
  /// The mean of ωᵀAω over random ω, mostly signs (Hutchinson 1990; Girard 1989).
  case hutchinson
  /// A quarter of the products finds the dominant part, whose trace another quarter gives exactly, and half of them are
  /// probes of what remains, enough for an interval (Meyer, Musco, Musco and Woodruff, *Hutch++: optimal stochastic trace estimation*, SOSA 2021).
  case hutchpp
  /// Each probe in turn is left out of the dominant part and estimates what remains (Epperly, Tropp and Webber,
  /// *XTrace: making the most of every sample in stochastic trace estimation*, SIAM J. Matrix Anal. Appl. 45, 2024).
  case xtrace
}

extension TraceEstimator {
  /// The trace from about `products` products.
  ///
  /// Throws `CurvatureError` for non-finite products and too few of them: Hutchinson needs 2, Hutch++ 4, XTrace 6.
  public func trace(
    of base: any SymmetricOperator, products: Int, generator: inout CounterGenerator
  ) throws -> Estimate {
    let a = CountedOperator(base)
    switch self {
    case .hutchinson: return try Self.hutchinson(a, products, &generator)
    case .hutchpp: return try Self.hutchPlusPlus(a, products, &generator)
    case .xtrace: return try xTrace(a, products, &generator)
    }
  }

  private static func hutchinson(_ a: CountedOperator, _ probes: Int, _ generator: inout CounterGenerator)
    throws
    -> Estimate
  {
    guard probes >= 2 else { throw CurvatureError.tooFewProbes(needed: 2) }
    var samples: [Double] = []
    try forEachBlock(probes) { count in
      let omega = Rows.probes(count, length: a.order, &generator)
      samples += rowDots(omega, try a.products(omega))
    }
    return Estimate(samples: samples, products: a.count, floor: a.rounding(samples))
  }

  private static func hutchPlusPlus(
    _ a: CountedOperator, _ products: Int, _ generator: inout CounterGenerator
  ) throws
    -> Estimate
  {
    let k = products / 4
    guard k >= 1 else { throw CurvatureError.tooFewProbes(needed: 4) }
    let sketch = try a.products(.probes(min(k, a.order), length: a.order, &generator))
    let basis = sketch.orthonormalBasis(cutoff: 1e-13 * largestNorm(sketch)).basis
    let inside = rowDots(basis, try a.products(basis)).reduce(0, +)
    var rest = Rows.probes(products - 2 * k, length: a.order, &generator)
    rest.orthogonalize(against: basis)
    let samples = rowDots(rest, try a.products(rest))
    return Estimate(
      samples: samples, base: inside, products: a.count, floor: a.rounding(samples + [inside]))
  }
}

/// Estimates from the products' lengths and from quadrature.
public enum NormEstimator {
  /// The Frobenius norm: the root of the mean of ‖Aω‖² over random ω, mostly signs.
  public static func frobenius(
    of base: any SymmetricOperator, probes: Int, generator: inout CounterGenerator
  ) throws -> Estimate {
    guard probes >= 2 else { throw CurvatureError.tooFewProbes(needed: 2) }
    let a = CountedOperator(base)
    var samples: [Double] = []
    try forEachBlock(probes) { count in
      let products = try a.products(.probes(count, length: a.order, &generator))
      samples += rowDots(products, products)
    }
    return Estimate(samples: samples, products: a.count, floor: a.rounding(samples)).squareRoot
  }

  /// log det A of a positive definite A: n times the mean of quadratures of log.
  ///
  /// Throws `CurvatureError.notPositive` when a node is not positive. The interval is that of the sampling; the
  /// quadrature's own error falls like ((√κ − 1)/(√κ + 1))^(2·steps).
  public static func logDeterminant(
    of a: any SymmetricOperator, probes: Int, steps: Int, generator: inout CounterGenerator
  ) throws -> Estimate {
    guard probes >= 2 else { throw CurvatureError.tooFewProbes(needed: 2) }
    let starts = Rows.probes(probes, length: a.order, &generator)
    let found = try LanczosQuadrature.quadratures(of: a, from: starts, steps: steps)
    if let low = found.compactMap(\.nodes.first).min(), low <= 0 { throw CurvatureError.notPositive(low) }
    let samples = found.map { Double(a.order) * $0.integral { log($0) } }
    let floor = 8 * a.roundoff * Double(a.order)
    return Estimate(
      samples: samples, products: found.reduce(0) { $0 + $1.nodes.count }, floor: floor)
  }
}

/// Probes are multiplied some at a time.
private func forEachBlock(_ total: Int, _ body: (Int) throws -> Void) rethrows {
  var rest = total
  while rest > 0 {
    let count = min(rest, 16)
    try body(count)
    rest -= count
  }
}

/// The dot product of each vector with its counterpart.
func rowDots(_ a: Rows, _ b: Rows) -> [Double] {
  (0..<a.count).map { dot(Array(a[$0]), Array(b[$0])) }
}

func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

func largestNorm(_ rows: Rows) -> Double { (0..<rows.count).map(rows.norm).max() ?? 0 }

extension SmallMatrix {
  func column(_ j: Int) -> [Double] { (0..<rows).map { self[$0, j] } }

  /// xᵀ·self·x.
  func quadratic(_ x: [Double]) -> Double {
    (0..<rows).reduce(0) { sum, i in sum + x[i] * (0..<columns).reduce(0) { $0 + self[i, $1] * x[$1] } }
  }
}
