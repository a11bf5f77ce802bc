import Foundation
import Testing

@testable import Session

/// The nonlinear regressions of NIST's Statistical Reference Datasets, from both starts, through the session.
@Suite struct NistTests {
  /// The first one runs from everywhere, the second one where that does not find the params; all of them, everywhere, where
  /// FUZZ asks for more.
  private static let methods = ["lm", "gauss-newton"] + (effort > 1 ? ["trust", "bfgs"] : [])
  /// The certified values have eleven digits.
  private static let known = 11.0
  private static let limit = 200
  /// Valleys that take more steps. In that of MGH10 b₁ grows from 1e-53 to 6e-3, by some percent a step.
  private static let longer = ["MGH10 lm": 9000, "MGH17 lm": 800, "Bennett5 lm": 400]

  /// Runs, of 54, in which a method reaches at least six digits.
  private static let successes = ["lm": 52, "gauss-newton": 48, "trust": 45, "bfgs": 35]

  @Test func certifiedDigits() throws {
    let names = NonlinearProblem.names(of: "nist")
    #expect(names.count == 27)
    var rows = [["", "start"] + Self.methods + ["f", "deviations"]]
    var counts: [String: Int] = [:]
    for name in names {
      let problem = try NonlinearProblem(name, of: "nist", param: "b")
      let certified = try problem.value("certified")
      let required = try problem.value("required")
      for start in 1...2 {
        var best = (digits: -1.0, f: 0.0, deviations: 0.0)
        var row = [name, "\(start)"]
        for method in Self.methods {
          if effort == 1, best.digits >= required[start - 1] {
            row.append("")
            continue
          }
          let limit = Self.longer["\(name) \(method)"] ?? Self.limit
          var run = try problem.run(method, from: "start\(start)", limit: limit)
          run.digits = digits(try problem.value("b"), certified, atMost: Self.known)
          row.append(run.cell)
          if run.digits >= 6 { counts[method, default: 0] += 1 }
          if run.digits > best.digits {
            best = (run.digits, try Self.digitsOfSquares(problem), try Self.digitsOfDeviations(problem))
          }
        }
        rows.append(row + [fixed(best.f, 1), fixed(best.deviations, 1)])
        #expect(best.digits >= required[start - 1], "\(name) from start \(start)")
        let statistics = try problem.value("statistics")
        #expect(best.f >= statistics[0], "f of \(name) from start \(start)")
        #expect(best.deviations >= statistics[1], "the deviations of \(name) from start \(start)")
      }
    }
    print(
      "Digits of NIST's certified params that each method reaches (steps), and of f and the params' standard")
    print("deviations at the best of these points:\n")
    print(table(rows))
    let summary = Self.methods.map { "\($0) \(counts[$0] ?? 0)" }.joined(separator: ", ")
    print("\nSix digits or more, of 54: \(summary)")
    for (method, least) in Self.successes where method == "lm" || effort > 1 {
      #expect(counts[method] ?? 0 >= least, "\(method)")
    }
  }

  /// Near the minimum values of f differ by rounding alone; methods go on by gradients, and then end.
  @Test(arguments: ["lm", "gauss-newton", "trust"]) func runsEndAtRounding(_ method: String) throws {
    for name in ["Chwirut1", "Lanczos3"] {
      let problem = try NonlinearProblem(name, of: "nist", param: "b")
      let run = try problem.run(method, from: "start2", limit: 250)
      #expect(try #require(run.steps) < 240, "\(name)")
      let found = digits(try problem.value("b"), try problem.value("certified"), atMost: Self.known)
      #expect(found > 10, "\(name)")
    }
  }

  /// With params in other units lm takes the same steps, far from the solution too.
  @Test func unitsDoNotMatterToLevenbergMarquardt() throws {
    let problem = try NonlinearProblem("Misra1a", of: "nist", param: "b")
    let run = try problem.run("lm", from: "start1", limit: 9)
    let plain = try problem.value("b")
    _ = try problem.value("0\nunits = [2^40, 2^-30]\nf := sum((y - model(b = b*units))^2)\nobjective f")
    let other = try problem.run("lm", from: "start1/units", limit: 9)
    #expect(run.steps == 9 && other.steps == 9)
    #expect(digits(try problem.value("b*units"), plain, atMost: 16) > 8)
  }

  private static func digitsOfSquares(_ problem: NonlinearProblem) throws -> Double {
    digits(try problem.value("f"), try problem.value("squares"), atMost: known)
  }

  /// Of the standard deviations √diag(s²(JᵀJ)⁻¹), s² = f/(n − p): the Gauss–Newton matrix of f is 2JᵀJ.
  private static func digitsOfDeviations(_ problem: NonlinearProblem) throws -> Double {
    let found = try problem.value("sqrt(diag(inv(ggn(f, b)/2))*f/(len(y) - len(b)))")
    return digits(found, try problem.value("deviations"), atMost: known)
  }
}
