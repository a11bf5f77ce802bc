import Tensors
import Testing

@testable import Optimization

/// Rosenbrock's function.
private struct Valley: Oracle {
  func value(at x: [Double]) -> Double { slope(at: x).value }

  func slope(at x: [Double]) -> (value: Double, gradient: [Double]) {
    let (a, b) = (1 - x[0], x[1] - x[0] * x[0])
    return (a * a + 100 * b * b, [-2 * a - 400 * x[0] * b, 200 * b])
  }

  func product(_ v: [Double]) -> [Double] { v }

  func evaluation(at x: [Double]) -> Evaluation {
    let (value, gradient) = slope(at: x)
    let h = [2 - 400 * (x[1] - 3 * x[0] * x[0]), -400 * x[0], -400 * x[0], 200]
    return Evaluation(x: x, value: value, gradient: gradient, hessian: .dense(Tensor(h, [2, 2])))
  }
}

@Suite struct MemoryTests {
  /// A method that is made anew and given its memory goes on to the last bit; without the memory it does not.
  @Test(arguments: [
    "momentum", "nesterov", "adam", "adamw", "rmsprop", "bfgs", "lbfgs", "trust", "cubic", "lm",
  ]) func aRestoredMethodGoesOnAsIfItHadNeverStopped(_ name: String) throws {
    let description = try #require(Methods.byName[name])
    let options = MethodOptions(
      ["momentum": ["lr": 1e-4], "nesterov": ["lr": 1e-4], "trust": ["radius": 0.1]][name] ?? [:])
    let valley = Valley()
    func run(_ method: inout any Method, from x: [Double], _ steps: Int) throws -> [Double] {
      var x = x
      for _ in 0..<steps { x = try method.step(valley.evaluation(at: x), valley).x }
      return x
    }
    var whole = try description.make(options)
    let middle = try run(&whole, from: [-1.2, 1], 6)
    let memory = whole.memory
    let end = try run(&whole, from: middle, 6)
    var resumed = try description.make(options)
    resumed.memory = memory
    #expect(try run(&resumed, from: middle, 6) == end)
    var fresh = try description.make(options)
    #expect(try run(&fresh, from: middle, 6) != end)
  }

  @Test(arguments: ["gd", "newton", "damped-newton", "saddle-free", "newton-cg", "sam"])
  func theOthersRememberNothing(_ name: String) throws {
    var method = try #require(Methods.byName[name]).make(MethodOptions())
    #expect(method.memory.isEmpty)
    method.memory = ["x": [1]]
    #expect(method.memory.isEmpty)
  }

  /// Numbers of another size or none begin anew.
  @Test(arguments: ["adam", "lbfgs", "rmsprop", "momentum", "trust"]) func foreignMemoryIsNotUsed(
    _ name: String
  ) throws {
    let valley = Valley()
    let description = try #require(Methods.byName[name])
    var fresh = try description.make(MethodOptions())
    let expected = try fresh.step(valley.evaluation(at: [-1.2, 1]), valley).x
    for memory: MethodMemory in [
      [:], ["first": [1], "second": [2, 3], "count": [4]], ["steps": [1, 2, 3], "curvatures": [1]],
      ["square": [1, 2, 3]], ["velocity": [1]], ["radius": []],
    ] {
      var method = try description.make(MethodOptions())
      method.memory = memory
      #expect(try method.step(valley.evaluation(at: [-1.2, 1]), valley).x == expected)
    }
  }

  /// In a Krylov space of all dimensions the saddle-free step is the one of all eigenvalues.
  @Test(arguments: [[1.0, 2, 5], [-3, 1, 4], [-1, -2, 2, 7], [-5, -4, -3, -2]])
  func aWholeKrylovSpaceGivesTheSaddleFreeStep(_ values: [Double]) throws {
    var numbers = SystemNumbers(3)
    let f = Quadratic.random(values, &numbers)
    var whole = SaddleFree(learningRate: 1, damping: 0.01)
    var krylov = SaddleFree(learningRate: 1, damping: 0.01, dimension: values.count)
    let (a, b) = (try whole.step(f.origin, f).x, try krylov.step(f.origin, f).x)
    #expect(norm(difference(a, b)) <= 1e-10 * norm(a))
    // With one product the step goes along the gradient.
    var one = SaddleFree(learningRate: 1, damping: 0, dimension: 1)
    let d = try one.step(f.origin, f).x
    #expect(abs(dot(d, f.g) + norm(d) * norm(f.g)) <= 1e-12 * norm(d) * norm(f.g))
  }

  /// Units of the params do not change what a scaled trust region does; they change an unscaled one.
  @Test func scaledTrustDoesNotDependOnUnits() throws {
    struct InUnits: Oracle {
      let unit: Double
      func value(at x: [Double]) -> Double { Valley().value(at: [x[0], x[1] / unit]) }
      func slope(at x: [Double]) -> (value: Double, gradient: [Double]) {
        let (value, g) = Valley().slope(at: [x[0], x[1] / unit])
        return (value, [g[0], g[1] / unit])
      }
      func product(_ v: [Double]) -> [Double] { v }
      func evaluation(at x: [Double]) throws -> Evaluation {
        let e = Valley().evaluation(at: [x[0], x[1] / unit])
        var h = try e.denseMatrix().doubles
        (h[1], h[2], h[3]) = (h[1] / unit, h[2] / unit, h[3] / (unit * unit))
        return Evaluation(
          x: x, value: e.value, gradient: [e.gradient[0], e.gradient[1] / unit],
          hessian: .dense(Tensor(h, [2, 2])))
      }
    }
    func end(_ unit: Double, isScaled: Bool) throws -> [Double] {
      let f = InUnits(unit: unit)
      var trust = TrustRegion(initialRadius: 1, largestRadius: 1e6, isIterative: false, isScaled: isScaled)
      var x = [-1.2, unit]
      for _ in 0..<8 { x = try trust.step(try f.evaluation(at: x), f).x }
      return [x[0], x[1] / unit]
    }
    let plain = try end(1, isScaled: true)
    let other = try end(1024, isScaled: true)
    #expect(norm(difference(plain, other)) <= 1e-9)
    #expect(norm(difference(try end(1, isScaled: false), try end(1024, isScaled: false))) > 1e-3)
  }
}
