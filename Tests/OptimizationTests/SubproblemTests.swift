import LinearAlgebra
import Tensors
import Testing

@testable import Optimization

/// A quadratic g·d + ½dᵀHd as a function around the origin.
struct Quadratic: Oracle {
  let h: [[Double]]
  let g: [Double]

  func times(_ v: [Double]) -> [Double] { h.map { dot($0, v) } }
  func value(at x: [Double]) -> Double { dot(g, x) + 0.5 * dot(x, times(x)) }
  func slope(at x: [Double]) -> (value: Double, gradient: [Double]) { (value(at: x), sum(g, 1, times(x))) }
  func product(_ v: [Double]) -> [Double] { times(v) }

  var origin: Evaluation {
    Evaluation(
      x: g.map { _ in 0 }, value: 0, gradient: g,
      hessian: .dense(Tensor(h.flatMap { $0 }, [g.count, g.count])))
  }

  /// Symmetric with the given eigenvalues, in a random basis.
  static func random(_ values: [Double], _ numbers: inout SystemNumbers) -> Quadratic {
    let n = values.count
    var h = (0..<n).map { i in (0..<n).map { $0 == i ? values[i] : 0 } }
    // Plane rotations keep the eigenvalues.
    for p in 0..<n {
      for q in p + 1..<max(n, p + 1) {
        let t = numbers.next()
        let (c, s) = (1 / (1 + t * t).squareRoot(), t / (1 + t * t).squareRoot())
        for k in 0..<n { (h[p][k], h[q][k]) = (c * h[p][k] - s * h[q][k], s * h[p][k] + c * h[q][k]) }
        for k in 0..<n { (h[k][p], h[k][q]) = (c * h[k][p] - s * h[k][q], s * h[k][p] + c * h[k][q]) }
      }
    }
    return Quadratic(h: h, g: (0..<n).map { _ in numbers.next() })
  }
}

/// Numbers in −1..1 from a seed.
struct SystemNumbers {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed &* 2 &+ 1 }
  mutating func next() -> Double {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(Int64(bitPattern: state) >> 11) / 0x1p52
  }
}

/// The problems that methods solve within a step.
@Suite struct SubproblemTests {
  private static let spectra: [[Double]] = [
    [1, 2, 5], [-3, 1, 4], [-1, -1, 2], [0, 1, 2], [-5, -4, -3, -2], [1e-8, 1], [-1e8, 1, 1e8], [2], [-2],
    [-1, 0, 0, 3, 7],
  ]

  /// Moré and Sorensen's conditions are necessary and sufficient: (H + λI)d = −g, λ(Δ − ‖d‖) = 0, H + λI ⪰ 0.
  @Test(arguments: spectra) func trustStepsAreGlobalMinima(_ values: [Double]) throws {
    var numbers = SystemNumbers(7)
    for radius in [1e-3, 0.5, 10.0] {
      let problem = Quadratic.random(values, &numbers)
      let model = try SpectralModel(problem.origin)
      let step = model.step { _ in radius }
      let d = model.direction(step.coordinates)
      let size = values.map(\.magnitude).max() ?? 0
      let residual = sum(sum(problem.times(d), step.shift, d), 1, problem.g)
      #expect(norm(residual) <= 1e-9 * (size * norm(d) + norm(problem.g)))
      #expect(norm(d) <= radius * (1 + 1e-9))
      #expect(step.shift >= 0 && step.shift >= -(values.min() ?? 0) - 1e-9 * size)
      #expect(step.shift == 0 || abs(norm(d) - radius) <= 1e-6 * radius)
      #expect(abs(model.value(step.coordinates) - problem.value(at: d)) <= 1e-9 * (1 + size * dot(d, d)))
    }
  }

  /// With no gradient along the lowest curvature the step reaches the radius along it (Conn, Gould and Toint, 2000,
  /// section 7.3.1): H = diag(−2, 0.5), g = (0, 1), Δ = 2 has λ = 2, d₂ = −1/2.5.
  @Test func hardCase() throws {
    let problem = Quadratic(h: [[-2, 0], [0, 0.5]], g: [0, 1])
    let model = try SpectralModel(problem.origin)
    let step = model.step { _ in 2 }
    let d = model.direction(step.coordinates)
    #expect(step.isHardCase && abs(step.shift - 2) < 1e-12)
    #expect(abs(d[1] + 0.4) < 1e-12 && abs(abs(d[0]) - (4 - 0.16).squareRoot()) < 1e-12)
    // Beside it: a small part of the gradient decides the side.
    let near = try SpectralModel(Quadratic(h: [[-2, 0], [0, 0.5]], g: [1e-9, 1]).origin)
    #expect(near.direction(near.step { _ in 2 }.coordinates)[0] < -1.9)
  }

  /// The cubic model's minimiser: (H + λI)d = −g with λ = σ‖d‖ and H + λI ⪰ 0.
  @Test(arguments: spectra) func cubicStepsAreGlobalMinima(_ values: [Double]) throws {
    var numbers = SystemNumbers(11)
    for sigma in [0.01, 1, 100.0] {
      let problem = Quadratic.random(values, &numbers)
      let model = try SpectralModel(problem.origin)
      let step = model.step { $0 / sigma }
      let d = model.direction(step.coordinates)
      let size = values.map(\.magnitude).max() ?? 0
      let residual = sum(sum(problem.times(d), step.shift, d), 1, problem.g)
      #expect(norm(residual) <= 1e-7 * (size * norm(d) + norm(problem.g)))
      #expect(abs(step.shift - sigma * norm(d)) <= 1e-6 * (step.shift + 1e-6))
      #expect(step.shift >= -(values.min() ?? 0) - 1e-9 * size)
    }
  }

  @Test(arguments: spectra) func steihaugStaysWithinTheRadius(_ values: [Double]) throws {
    var numbers = SystemNumbers(3)
    for radius in [1e-3, 0.5, 1e3] {
      let problem = Quadratic.random(values, &numbers)
      let found = try ConjugateGradients(problem.origin, problem).steihaug(radius: radius)
      let size = values.map(\.magnitude).max() ?? 0
      #expect(norm(found.d) <= radius * (1 + 1e-9))
      #expect(abs(found.predicted + problem.value(at: found.d)) <= 1e-9 * (1 + size * dot(found.d, found.d)))
      // At least the decrease of the Cauchy point along −g.
      let g = problem.g
      let curvature = dot(g, problem.times(g))
      let t = min(radius / norm(g), curvature > 0 ? dot(g, g) / curvature : .infinity)
      #expect(found.predicted >= -problem.value(at: scaled(-t, g)) * (1 - 1e-9))
      if (values.min() ?? 0) < 0, found.descending == nil {
        #expect(found.d.isEmpty == false)
      }
    }
  }

  @Test func truncatedDirectionsDescend() throws {
    var numbers = SystemNumbers(5)
    let convex = Quadratic.random([1, 3, 9, 27], &numbers)
    let found = try ConjugateGradients(convex.origin, convex).newton()
    #expect(found.descending == nil && found.products <= 4)
    let rest = norm(sum(convex.times(found.d), 1, convex.g))
    #expect(rest <= min(0.5, norm(convex.g).squareRoot()) * norm(convex.g))
    let saddle = Quadratic.random([-1, 3, 9, 27], &numbers)
    let (p, curvature) = try #require(try ConjugateGradients(saddle.origin, saddle).newton().descending)
    #expect(curvature <= 0 && dot(p, saddle.g) < 0)
    #expect(abs(dot(p, saddle.times(p)) - curvature * dot(p, p)) <= 1e-10 * dot(p, p))
  }

  @Test func shiftsMakePositiveDefinite() throws {
    var numbers = SystemNumbers(9)
    let problem = Quadratic.random([-4, 1, 2], &numbers)
    let (d, shift) = try ShiftedSystem(problem.origin).direction()
    #expect(shift > 4 && dot(d, problem.g) < 0)
    #expect(norm(sum(sum(problem.times(d), shift, d), 1, problem.g)) < 1e-12 * shift)
  }
}
