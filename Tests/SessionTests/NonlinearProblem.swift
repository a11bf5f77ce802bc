import Foundation
import Tensors
import Testing

@testable import Session

/// A problem of the folder Problems: a script that defines the objective f of one param and knows what the answer is.
struct NonlinearProblem {
  let name: String
  /// The param.
  let param: String
  private let conversation = Conversation()

  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Problems")

  static func names(of set: String) -> [String] { scriptNames(in: folder.appendingPathComponent(set)) }

  init(_ name: String, of set: String, param: String) throws {
    self.name = name
    self.param = param
    let file = Self.folder.appendingPathComponent(set).appendingPathComponent("\(name).hlab")
    let said = conversation.say(try String(contentsOf: file, encoding: .utf8), name: "\(name).hlab")
    try #require(conversation.outcome == .ok, "\(said)")
  }

  /// What a method did from a start.
  struct Run {
    let method: String
    /// Nil where the method refused the first step.
    let steps: Int?
    /// Decimal digits that agree with the answer.
    var digits = 0.0

    var cell: String {
      guard let steps else { return "refused" }
      return "\(fixed(digits, 1)) (\(steps))"
    }
  }

  /// Moves the param to `start` and lets the method work for at most `limit` steps.
  func run(_ method: String, from start: String, limit: Int) throws -> Run {
    _ = try value("\(param) = \(start)", of: param)
    conversation.say("result = minimize \(method) until false max \(limit)")
    guard conversation.outcome == .ok else { return Run(method: method, steps: nil) }
    return Run(method: method, steps: Int(try value("steps = result.steps", of: "steps")[0]))
  }

  /// The entries of what an expression gives now.
  func value(_ expression: String) throws -> [Double] { try value("answer = \(expression)", of: "answer") }

  private func value(_ statement: String, of name: String) throws -> [Double] {
    let said = conversation.say(statement)
    try #require(conversation.outcome == .ok, "\(said)")
    switch conversation.interpreter.lookup(name) {
    case .variable(let variable)?: return try #require(variable.value.tensor).doubles
    case .param(let leaf)?: return leaf.value.doubles
    default: throw Unknown(name: name)
    }
  }

  private struct Unknown: Error { let name: String }
}

/// The digits of `found` that agree with `known`, the worst entry counting: −log₁₀ of the relative error, at least 0 and
/// at most as many as are known. (NIST calls it LRE.)
func digits(_ found: [Double], _ known: [Double], atMost limit: Double) -> Double {
  guard found.count == known.count else { return 0 }
  let worst = zip(found, known).map { abs($0 - $1) / abs($1) }.reduce(0) {
    $1.isNaN ? .infinity : max($0, $1)
  }
  return min(limit, max(0, -log10(worst)))
}

func fixed(_ value: Double, _ places: Int) -> String { String(format: "%.\(places)f", value) }

/// Rows of cells, aligned; the first column to the left.
func table(_ rows: [[String]]) -> String {
  let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
  return rows.map { row in
    row.indices.map { column in
      let space = String(repeating: " ", count: widths[column] - row[column].count)
      return column == 0 ? row[column] + space : space + row[column]
    }.joined(separator: "  ")
  }.joined(separator: "\n")
}
