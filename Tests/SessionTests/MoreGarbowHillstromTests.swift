import Foundation
import Testing

@testable import Session

/// The test functions of Moré, Garbow and Hillstrom (*Testing unconstrained optimization software*, 1981), all 35 of
/// them from their standard starts, some in several dimensions, through the session.
@Suite struct MoreGarbowHillstromTests {
  /// The others run where FUZZ asks for more.
  private static let methods =
    ["lm", "gauss-newton", "trust", "bfgs"] + (effort > 1 ? ["modified-newton", "cubic", "lbfgs"] : [])
  private static let limit = 200

  /// Problems, of 40, in which a method reaches five digits of a published minimum.
  private static let successes = [
    "lm": 40, "gauss-newton": 29, "trust": 37, "modified-newton": 38, "cubic": 37, "bfgs": 36, "lbfgs": 35,
  ]

  @Test func publishedMinima() throws {
    let names = NonlinearProblem.names(of: "mgh")
    #expect(names.count == 40)
    var rows = [["", "minimum"] + Self.methods]
    var counts: [String: Int] = [:]
    for name in names {
      let problem = try NonlinearProblem(name, of: "mgh", param: "x")
      let minima = try problem.value("minima")
      var best = (digits: -1.0, minimum: 0.0)
      var row: [String] = []
      for method in Self.methods {
        var run = try problem.run(method, from: "start", limit: Self.limit)
        let f = try problem.value("f")[0]
        let reached = minima.map { (digits: Self.digits(f, $0), minimum: $0) }.max { $0.digits < $1.digits }
        guard let reached else { continue }
        run.digits = reached.digits
        row.append(run.cell)
        if reached.digits >= 5 { counts[method, default: 0] += 1 }
        if reached.digits > best.digits { best = reached }
      }
      rows.append([name, "\(best.minimum)"] + row)
      #expect(best.digits >= (try problem.value("required")[0]), "\(name)")
    }
    print(
      "Digits of the published minimum that each method reaches (steps); where it is 0, how many decimals of the"
    )
    print("residuals are 0:\n")
    print(table(rows))
    let summary = Self.methods.map { "\($0) \(counts[$0] ?? 0)" }.joined(separator: ", ")
    print("\nFive digits or more, of \(names.count): \(summary)")
    for (method, least) in Self.successes where Self.methods.contains(method) {
      #expect(counts[method] ?? 0 >= least, "\(method)")
    }
  }

  /// The published values have six digits, the last cut off.
  private static func digits(_ f: Double, _ minimum: Double) -> Double {
    if minimum == 0 { return min(16, max(0, -0.5 * log10(f))) }
    return SessionTests.digits([f], [minimum], atMost: 6)
  }
}
