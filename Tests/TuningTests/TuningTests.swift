import Foundation
import Tensors
import Testing

@testable import Tuning

private let ridge = [Parameter("lr", 1e-5, 1e-1, isLog: true), Parameter("n", 1, 40, isInteger: true)]

/// Least, 0, at lr = 0.003 and n = 12.
private func objective(_ values: [Double]) -> Double {
  let (a, b) = (log10(values[0]) - log10(0.003), (values[1] - 12) / 10)
  return a * a + b * b
}

private func run(_ sampler: any TrialSampler, seed: UInt64, trials: Int) -> [Trial] {
  var random = CounterGenerator(seed: seed)
  var history: [Trial] = []
  for _ in 0..<trials {
    let values = sampler.suggest(ridge, after: history, &random)
    history.append(Trial(values, .done, objective(values)))
  }
  return history
}

@Suite struct SamplerTests {
  @Test func tpeBeatsRandomSearch() {
    var wins = 0
    var means = [0.0, 0.0]
    for seed: UInt64 in 0..<40 {
      let found = [TPESampler() as any TrialSampler, RandomSampler()].map { sampler in
        run(sampler, seed: seed, trials: 50).compactMap(\.objective).min() ?? .infinity
      }
      if found[0] < found[1] { wins += 1 }
      for k in 0..<2 { means[k] += found[k] / 40 }
    }
    #expect(wins >= 28, "\(wins) of 40")
    #expect(means[0] < 0.5 * means[1], "\(means)")
  }

  @Test(arguments: [0, 1, 2])
  func valuesStayInRange(_ kind: Int) {
    let samplers: [any TrialSampler] = [
      TPESampler(), RandomSampler(), GridSampler(trials: 60, parameters: 2),
    ]
    for trial in run(samplers[kind], seed: 3, trials: 60) {
      #expect((1e-5...1e-1).contains(trial.values[0]))
      #expect((1...40).contains(trial.values[1]) && trial.values[1] == trial.values[1].rounded())
    }
  }

  /// Half of the draws on a log scale are below the geometric mean.
  @Test func randomValuesFollowTheScale() {
    let trials = run(RandomSampler(), seed: 1, trials: 2000)
    #expect(abs(trials.filter { $0.values[0] < 1e-3 }.count - 1000) < 90)
    #expect(abs(trials.filter { $0.values[1] <= 20 }.count - 1000) < 90)
    #expect(Set(trials.map { $0.values[1] }).count == 40)
  }

  @Test func gridsHaveTheirEnds() {
    let trials = run(GridSampler(trials: 11, parameters: 2), seed: 1, trials: 9)
    #expect(Set(trials.map { $0.values[1] }) == [1, 21, 40])
    for (value, expected) in zip(Set(trials.map { $0.values[0] }).sorted(), [1e-5, 1e-3, 1e-1]) {
      #expect(abs(value / expected - 1) < 1e-12)
    }
    #expect(Set(trials.map(\.values)).count == 9)
    #expect(GridSampler(trials: 1, parameters: 3).levels == 1)
  }

  /// The same trials and seed give the same values; other seeds others.
  @Test func searchesRepeat() {
    #expect(run(TPESampler(), seed: 7, trials: 30) == run(TPESampler(), seed: 7, trials: 30))
    #expect(run(TPESampler(), seed: 7, trials: 30) != run(TPESampler(), seed: 8, trials: 30))
  }

  /// The mixture integrates to 1 over its interval, and its draws have its mean.
  @Test func densities() {
    let estimator = ParzenEstimator([0.1, 0.15, 0.9], 0...1)
    let n = 4000
    var (total, mean) = (0.0, 0.0)
    for k in 0..<n {
      let x = (Double(k) + 0.5) / Double(n)
      let p = exp(estimator.logDensity(x)) / Double(n)
      total += p
      mean += p * x
    }
    #expect(abs(total - 1) < 1e-6)
    var random = CounterGenerator(seed: 2)
    let draws = (0..<n).map { _ in estimator.draw(&random) }
    #expect(abs(draws.reduce(0, +) / Double(n) - mean) < 0.02)
  }

  /// Trials that failed or were pruned count as worse than any that ended, and stop nothing.
  @Test func failedTrialsAreAvoided() {
    var random = CounterGenerator(seed: 4)
    var history: [Trial] = []
    for _ in 0..<60 {
      let values = TPESampler().suggest(ridge, after: history, &random)
      let fails = values[0] > 1e-2
      history.append(
        fails ? Trial(values, .failed, nil) : Trial(values, .done, objective(values)))
    }
    #expect(history.suffix(20).filter { $0.outcome == .failed }.count <= 4)
    #expect(history.best.map { history[$0].objective ?? 9 } ?? 9 < 0.05)
    #expect([Trial([1, 1], .failed, nil)].best == nil)
    #expect([Trial([1, 1], .failed, nil), Trial([1, 1], .done, .nan), Trial([1, 1], .done, 5)].best == 2)
  }
}

@Suite struct PruningTests {
  private let others = [1.0, 2, 3, 4, 5].map { Trial([0], .done, $0, reports: [10 * $0, $0]) }

  @Test func medianRule() {
    let rule = MedianPruning()
    #expect(!rule.isHopeless([30], among: others))
    #expect(rule.isHopeless([30.1], among: others))
    // The best report so far counts.
    #expect(!rule.isHopeless([2.9, 7], among: others))
    #expect(rule.isHopeless([30, 3.5], among: others))
    #expect(rule.isHopeless([.nan], among: others))
    #expect(!rule.isHopeless([99], among: Array(others.dropLast())))
    #expect(!rule.isHopeless([1, 1, 99], among: others))
    var patient = MedianPruning()
    patient.warmup = 1
    #expect(!patient.isHopeless([99], among: others))
  }
}
