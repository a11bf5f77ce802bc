#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A number that a search chooses, from `low` to `high`, both included.
public struct Parameter: Sendable, Equatable {
  public let name: String
  public let low: Double
  public let high: Double
  /// Equal ratios count as equally far.
  public let isLog: Bool
  public let isInteger: Bool

  /// - Precondition: `low` ≤ `high`, both finite; positive on a log scale, whole for an integer.
  public init(_ name: String, _ low: Double, _ high: Double, isLog: Bool = false, isInteger: Bool = false) {
    precondition(low.isFinite && high.isFinite && low <= high && (!isLog || low > 0))
    (self.name, self.low, self.high, self.isLog, self.isInteger) = (name, low, high, isLog, isInteger)
  }

  /// The ends of the line that samplers work on; the cells of whole numbers reach half beyond them.
  var line: ClosedRange<Double> {
    let margin = isInteger ? 0.5 : 0
    return isLog ? log(low - margin)...log(high + margin) : (low - margin)...(high + margin)
  }

  func position(of value: Double) -> Double { isLog ? log(value) : value }

  /// The value at a place of the line.
  func value(at position: Double) -> Double {
    let x = isLog ? exp(position) : position
    return min(max(isInteger ? x.rounded() : x, low), high)
  }
}

/// One evaluation of the objective.
public struct Trial: Sendable, Equatable {
  public enum Outcome: String, Sendable {
    case done
    /// Given up for intermediate values that were worse than the median.
    case pruned
    /// Ended in an error, or in no number.
    case failed
  }

  /// A value for each parameter.
  public let values: [Double]
  public let outcome: Outcome
  /// What is to be small; of a pruned trial its last report. Nil when it failed.
  public let objective: Double?
  /// Intermediate values, in order.
  public let reports: [Double]

  public init(_ values: [Double], _ outcome: Outcome, _ objective: Double?, reports: [Double] = []) {
    (self.values, self.outcome, self.objective, self.reports) = (values, outcome, objective, reports)
  }
}

extension [Trial] {
  /// The place of each trial in the order from best to worst: those that ended, by their objective; pruned ones, the
  /// longer the better; failed ones. Equal ones keep their order.
  public var ranks: [Int] {
    func key(_ k: Int) -> (Int, Int, Double, Int) {
      let trial = self[k]
      let objective = trial.objective.flatMap { $0.isNaN ? nil : $0 } ?? .infinity
      switch trial.outcome {
      case .done: return (0, 0, objective, k)
      case .pruned: return (1, -trial.reports.count, objective, k)
      case .failed: return (2, 0, 0, k)
      }
    }
    var ranks = [Int](repeating: 0, count: count)
    for (rank, k) in indices.sorted(by: { key($0) < key($1) }).enumerated() { ranks[k] = rank }
    return ranks
  }

  /// The place of the best trial that ended; the first of equals.
  public var best: Int? {
    indices.filter { self[$0].outcome == .done && self[$0].objective?.isNaN == false }
      .min { (self[$0].objective ?? .infinity, $0) < (self[$1].objective ?? .infinity, $1) }
  }
}

/// The median rule of Golovin et al., *Google Vizier* (2017), section 3.2: a trial whose best report so far is worse
/// than the median of what other trials had reported at the same place is hopeless. The first trials are never judged.
public struct MedianPruning: Sendable {
  /// Trials that must have ended before any is judged.
  public var startup = 5
  /// Reports of each trial that are not judged.
  public var warmup = 0

  public init() {}

  public func isHopeless(_ reports: [Double], among trials: [Trial]) -> Bool {
    guard reports.count > warmup, trials.count(where: { $0.outcome == .done }) >= startup else {
      return false
    }
    let place = reports.count - 1
    let others = trials.filter { $0.reports.count > place }.map { trial in
      trial.reports[...place].filter { !$0.isNaN }.min() ?? .infinity
    }.sorted()
    guard !others.isEmpty else { return false }
    let middle = others.count / 2
    let median = others.count % 2 == 1 ? others[middle] : (others[middle - 1] + others[middle]) / 2
    return (reports.filter { !$0.isNaN }.min() ?? .infinity) > median
  }
}
