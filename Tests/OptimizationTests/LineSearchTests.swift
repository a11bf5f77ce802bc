import Testing

@testable import Optimization

/// The functions of Moré and Thuente, *Line search algorithms with guaranteed sufficient decrease* (1994), section 5,
/// along the positive axis.
@Suite struct LineSearchTests {
  struct Line: Oracle, CustomTestStringConvertible {
    let name: String
    let f: @Sendable (Double) -> (value: Double, slope: Double)
    var testDescription: String { name }
    func value(at x: [Double]) -> Double { f(x[0]).value }
    func slope(at x: [Double]) -> (value: Double, gradient: [Double]) { (f(x[0]).value, [f(x[0]).slope]) }
    func product(_ v: [Double]) -> [Double] { v }
  }

  static let lines = [
    Line(name: "(5.1)") { t in
      let d = t * t + 2
      return (-t / d, (t * t - 2) / (d * d))
    },
    Line(name: "(5.2)") { t in
      let a = t + 0.004
      return (a * a * a * a * (a - 2), a * a * a * (5 * a - 8))
    },
    yanai(0.001, 0.001), yanai(0.01, 0.001), yanai(0.001, 0.01),
    // Not defined beyond 1.
    Line(name: "a wall") { t in t < 1 ? (-t, -1) : (.nan, .nan) },
  ]

  /// (5.4): convex combinations of two hyperbolas.
  private static func yanai(_ a: Double, _ b: Double) -> Line {
    @Sendable func gamma(_ x: Double) -> Double { (1 + x * x).squareRoot() - x }
    return Line(name: "(5.4), \(a), \(b)") { t in
      let (p, q) = (((1 - t) * (1 - t) + b * b).squareRoot(), (t * t + a * a).squareRoot())
      return (gamma(a) * p + gamma(b) * q, -gamma(a) * (1 - t) / p + gamma(b) * t / q)
    }
  }

  private func start(_ line: Line) -> Evaluation {
    let (value, slope) = line.f(0)
    return Evaluation(x: [0], value: value, gradient: [slope], hessian: nil)
  }

  @Test(arguments: lines.dropLast(), [1e-3, 0.1, 10, 1e3]) func wolfeConditionsHold(
    _ line: Line, _ initial: Double
  )
    throws
  {
    for curvature in [0.9, 0.1, 1e-6] {
      var search = StrongWolfe()
      search.curvature = curvature
      let found = try #require(try search.search(start(line), [1], initial: initial, line))
      let (value, slope) = line.f(found.step)
      let first = line.f(0)
      #expect(value <= first.value + search.decrease * found.step * first.slope)
      #expect(slope.magnitude <= -curvature * first.slope)
      #expect(found.value == value && found.gradient == [slope])
    }
  }

  @Test func wallsAreNotPassed() throws {
    let line = try #require(Self.lines.last)
    let found = try #require(try StrongWolfe().search(start(line), [1], initial: 16, line))
    #expect(found.step < 1 && found.value < 0)
    #expect(try StrongWolfe().search(start(line), [-1], initial: 1, line) == nil)
  }
}
