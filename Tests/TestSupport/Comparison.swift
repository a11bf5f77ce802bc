import Foundation

/// Whether expected output is to be written anew.
public var records: Bool { ProcessInfo.processInfo.environment["HLAB_RECORD"] == "1" }

/// The first place where two outputs differ. Numbers are compared to the digits that rounding leaves on any
/// processor: four, and what is below 1e-9 counts as zero.
public func firstDifference(_ output: String, _ known: String) -> String? {
  let (a, b) = (output.split(separator: "\n"), known.split(separator: "\n"))
  for (x, y) in zip(a, b) where x != y {
    // Which of many tiny errors is the worst depends on the processor's rounding.
    if x.hasPrefix("worst ") && y.hasPrefix("worst ") { continue }
    let (p, q) = (words(x), words(y))
    let agrees = p.count == q.count && zip(p, q).allSatisfy { agree($0, $1) }
    if !agrees { return "'\(x)' instead of '\(y)'" }
  }
  return a.count == b.count ? nil : "\(a.count) lines instead of \(b.count)"
}

private func words(_ line: Substring) -> [Substring] {
  line.split { " [],()".contains($0) }
}

private func agree(_ a: Substring, _ b: Substring) -> Bool {
  if a == b { return true }
  guard let x = Double(a), let y = Double(b) else { return false }
  return abs(x - y) <= 1e-9 + 1e-4 * max(abs(x), abs(y))
}
