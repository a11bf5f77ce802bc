import Datasets
import Syntax
import Tuning

/// A text file with the trials of a search, one a line, so that the search can be taken up again:
///
///     hlab study 1
///     seed 0
///     lr 1e-05 0.1 log
///     trial done 0.25 | 0.003 | 0.5 0.3
///
/// After the seed a line for each parameter (its ends and scale, or its choices); a trial has its outcome, its value (or
/// `-`), a value for each parameter, and what it reported.
struct StudyFile {
  let path: String
  let span: Span

  private static let head = "hlab study 1"

  /// The trials so far; none when there is no such file.
  func read(_ parameters: [Parameter], _ items: [[Double]], seed: UInt64) throws -> [Trial] {
    guard TextFile.exists(path) else { return [] }
    let text = try placingFile(span) { try TextFile.read(path) }
    let lines = text.split(separator: "\n").map(String.init)
    let known = header(parameters, items, seed)
    guard lines.first == Self.head else { throw problem("'\(path)' is no study of hlab") }
    guard lines.count >= known.count, Array(lines.prefix(known.count)) == known else {
      throw Diagnostic(
        .io, "'\(path)' is a study of something else", at: span,
        notes: ["it has \(lines.dropFirst().prefix { !$0.hasPrefix("trial ") }.joined(separator: "; "))"],
        hint: "give this search a file of its own, or the parameters and seed of that one")
    }
    return try lines.enumerated().dropFirst(known.count).map { number, line in
      guard let trial = Self.trial(line, parameters.count) else {
        throw problem("'\(path)' is damaged: line \(number + 1) is no trial")
      }
      return trial
    }
  }

  /// Throws when the file could not be written.
  func requireWritable() throws { try placingFile(span) { try TextFile.requireWritable(path) } }

  /// Replaces the file in one step.
  func write(_ parameters: [Parameter], _ items: [[Double]], _ trials: [Trial], seed: UInt64) throws {
    let rows = trials.map { trial in
      "trial \(trial.outcome.rawValue) \(trial.objective.map { "\($0)" } ?? "-") | "
        + Self.text(trial.values) + " | " + Self.text(trial.reports)
    }
    let text = (header(parameters, items, seed) + rows).joined(separator: "\n") + "\n"
    try placingFile(span) { try TextFile.write(text, to: path) }
  }

  private func header(_ parameters: [Parameter], _ items: [[Double]], _ seed: UInt64) -> [String] {
    [Self.head, "seed \(seed)"]
      + zip(parameters, items).map { parameter, items in
        if !items.isEmpty { return "\(parameter.name) of \(Self.text(items))" }
        return "\(parameter.name) \(parameter.low) \(parameter.high)" + (parameter.isLog ? " log" : "")
          + (parameter.isInteger ? " int" : "")
      }
  }

  private static func text(_ values: [Double]) -> String { values.map { "\($0)" }.joined(separator: " ") }

  private static func trial(_ line: String, _ count: Int) -> Trial? {
    let parts = line.split(separator: "|", omittingEmptySubsequences: false).map {
      $0.split(separator: " ").map(String.init)
    }
    guard parts.count == 3, parts[0].count == 3, parts[0][0] == "trial",
      let outcome = Trial.Outcome(rawValue: parts[0][1])
    else { return nil }
    let (values, reports) = (parts[1].compactMap(Double.init), parts[2].compactMap(Double.init))
    guard values.count == count, parts[1].count == count, reports.count == parts[2].count else { return nil }
    if parts[0][2] == "-" { return Trial(values, outcome, nil, reports: reports) }
    guard let objective = Double(parts[0][2]) else { return nil }
    return Trial(values, outcome, objective, reports: reports)
  }

  private func problem(_ message: String) -> Diagnostic { Diagnostic(.io, message, at: span) }
}
