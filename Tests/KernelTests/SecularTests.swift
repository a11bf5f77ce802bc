import CKernels
import Testing

/// Roots of the secular equation against bisection in higher precision, and what is made of them.
@Suite struct SecularTests {
  struct Problem: Sendable, CustomTestStringConvertible {
    let name: String
    let poles, z: [Double]
    let rho: Double
    var testDescription: String { name }
  }

  static let problems: [Problem] = {
    func wave(_ k: Int, _ n: Int) -> Double { 1.1 + Double((k * 37 + n * 11) % 23) / 11 }
    var all = [1, 2, 3, 7, 8, 9, 16, 41].map { n in
      Problem(
        name: "\(n) even poles", poles: (0..<n).map { Double($0) }, z: (0..<n).map { wave($0, n) }, rho: 0.3)
    }
    all += [
      Problem(name: "pairs", poles: [0, 1e-12, 1, 1 + 1e-12, 2], z: [1, 1, 1, -1, 1], rho: 1),
      Problem(name: "small weights", poles: [-3, -1, 0, 0.5, 4], z: [1e-9, 1, 1e-12, 1, 1e-7], rho: 2),
      Problem(name: "weak", poles: [-1, 0, 1], z: [1, 1, 1], rho: 1e-10),
      Problem(name: "strong", poles: [-1, 0, 1], z: [1, -1, 1], rho: 1e12),
      Problem(
        name: "graded", poles: (0..<30).map { Double(sign: .plus, exponent: $0 - 40, significand: 1) },
        z: (0..<30).map { wave($0, 30) }, rho: 1e-3),
      Problem(
        name: "one far from all", poles: (0..<20).map { $0 == 19 ? 1e9 : Double($0) * 1e-3 },
        z: (0..<20).map { wave($0, 20) }, rho: 1),
    ]
    return all
  }()

  @Test(arguments: problems)
  func roots(_ problem: Problem) {
    let n = problem.poles.count
    let found = solve(problem)
    for j in 0..<n {
      let (lower, upper) = (problem.poles[j], j + 1 < n ? problem.poles[j + 1] : .infinity)
      #expect(found.values[j] >= lower && found.values[j] <= upper)
      // Above the own pole and those before, below those after.
      for i in 0..<n {
        #expect(i <= j ? found.differences[j * n + i] < 0 : found.differences[j * n + i] > 0)
      }
      let exact = bisection(problem, j)
      #expect(
        abs(Wide(found.differences[j * n + j]) + exact.fromOwn) <= 1e-14 * Wide(n) * exact.fromOwn,
        "root \(j): \(-found.differences[j * n + j]) above its pole, not \(exact.fromOwn)")
    }
  }

  /// The weights are √ρ·z up to rounding, and the vectors orthonormal.
  @Test(arguments: problems)
  func vectors(_ problem: Problem) {
    let n = problem.poles.count
    let found = solve(problem)
    for (weight, z) in zip(found.weights, problem.z) {
      let exact = problem.rho.squareRoot() * z
      #expect(abs(weight - exact) <= 1e-13 * Double(n) * abs(exact))
    }
    for a in 0..<n {
      for b in 0...a {
        let product = (0..<n).reduce(0.0) { $0 + found.vectors[a * n + $1] * found.vectors[b * n + $1] }
        #expect(abs(product - (a == b ? 1 : 0)) < 1e-14)
      }
    }
  }

  private struct Solution {
    var values, differences, weights, vectors: [Double]
  }

  /// Vectors with their entries reversed, as the order of the poles asks.
  private func solve(_ problem: Problem) -> Solution {
    let n = problem.poles.count
    var result = Solution(
      values: .init(repeating: 0, count: n), differences: .init(repeating: 0, count: n * n),
      weights: .init(repeating: 0, count: n), vectors: .init(repeating: 0, count: n * n))
    var held = [Double](repeating: 0, count: n)
    let order = (0..<n).map { Int32(n - $0) }
    problem.poles.withUnsafeBufferPointer { poles in
      problem.z.withUnsafeBufferPointer { z in
        var s = hk_secular(k: Int64(n), d: poles.baseAddress, z: z.baseAddress, rho: problem.rho)
        result.differences.withUnsafeMutableBufferPointer { differences in
          for j in 0..<n {
            result.values[j] = hk_secular_root(&s, Int64(j), differences.baseAddress! + j * n)
          }
        }
        // In two parts, as two threads would.
        for rows in [0..<n / 2, n / 2..<n] {
          hk_secular_weights(
            &s, result.differences, Int64(n), Int64(rows.lowerBound), Int64(rows.upperBound), &result.weights)
        }
      }
    }
    for j in 0..<n {
      let differences = Array(result.differences[j * n..<(j + 1) * n])
      result.vectors.withUnsafeMutableBufferPointer {
        hk_secular_vector(
          Int64(n), result.weights, differences, order, &held, $0.baseAddress! + j * n)
      }
    }
    return result
  }

  /// How far a root lies above its own pole: 1 + ρ·Σ zᵢ²/(dᵢ − x) grows from −∞ there.
  private func bisection(_ problem: Problem, _ j: Int) -> (fromOwn: Wide, steps: Int) {
    let own = Wide(problem.poles[j])
    let rho = Wide(problem.rho)
    let square = problem.z.reduce(Wide(0)) { $0 + Wide($1) * Wide($1) }
    var (low, high) = (Wide(0), j + 1 < problem.poles.count ? Wide(problem.poles[j + 1]) - own : rho * square)
    // By the exponent first, since a root may be very near its pole.
    var steps = 0
    while steps < 400, high - low > high * 0x1p-62 {
      let middle = low == 0 ? high / 1024 : high / low > 4 ? (low * high).squareRoot() : (low + high) / 2
      let value = zip(problem.poles, problem.z).reduce(Wide(1)) { sum, pole in
        sum + rho * Wide(pole.1) * Wide(pole.1) / ((Wide(pole.0) - own) - middle)
      }
      if value < 0 { low = middle } else { high = middle }
      steps += 1
    }
    return (low, steps)
  }
}
