import Engine
import Graph
import Syntax
import Tensors

/// A formula with its exact derivatives, compiled in float64, and the means to difference it.
struct DerivativeCheck {
  /// `W1[0,2]` for each entry of the targets.
  let names: [String]
  let value: Double
  let gradient: [Double]
  /// Entries of the targets whose derivatives are compared.
  let columns: [Int]
  /// H·eⱼ for each of `columns`.
  let secondDerivatives: [[Double]]
  private let differences: DifferencePlan

  /// One derivative beside its estimate.
  struct Comparison {
    /// The entries that it is taken by.
    let entries: [Int]
    let exact: Double
    let estimate: Double
    /// Relative to the larger of the two, and at least a millionth of the largest derivative of its order.
    let error: Double
    /// The differences did not settle on a value.
    let isUncertain: Bool
  }

  static let sampleLimit = 100
  /// Beyond this many entries the Hessian is not built; its columns come from Hessian-vector products.
  static let matrixLimit = 1000

  init(_ f: NodeID, _ targets: Targets, _ elaborator: Elaborator, samples: Int) throws {
    differences = try DifferencePlan(f, targets, elaborator)
    names = differences.names
    let count = names.count
    columns = Self.sampled(count, samples)
    let here = try differences.evaluate()
    value = here[0]
    gradient = Array(here.dropFirst())
    secondDerivatives = try Self.exactColumns(f, targets, elaborator, columns, differences)
  }

  /// All entries, or evenly spread ones with a little jitter, always the same.
  private static func sampled(_ count: Int, _ limit: Int) -> [Int] {
    guard count > limit else { return Array(0..<count) }
    var generator = CounterGenerator(seed: 1)
    return (0..<limit).map { k in
      let (low, high) = (k * count / limit, (k + 1) * count / limit)
      return low + generator.integer(below: high - low)
    }
  }

  private static func exactColumns(
    _ f: NodeID, _ targets: Targets, _ elaborator: Elaborator, _ columns: [Int], _ differences: DifferencePlan
  ) throws -> [[Double]] {
    let graph = elaborator.graph
    let n = differences.names.count
    if targets.part != nil || n <= matrixLimit {
      let h =
        targets.part.map { elaborator.partialHessian(f, targets.leaves[0], $0) }
        ?? graph.hessianMatrix(f, wrt: targets.leaves)
      let plan = try Plan(graph, outputs: [elaborator.asMatrix(h)], precision: .f64)
      let entries = try plan.run(try differences.inputs(of: plan))[0].doubles
      return columns.map { j in (0..<n).map { entries[$0 * n + j] } }
    }
    let directions = targets.leaves.enumerated().map { k, leaf in
      elaborator.interpreter.placeholderLeaf("v", graph.shape(leaf), function: -3, depth: k)
    }
    let product = graph.concatenated(graph.hvp(f, wrt: targets.leaves, directions.map(graph.leaf)))
    let plan = try Plan(graph, outputs: [product], precision: .f64)
    return try columns.map { j in
      var units = directions.map { Tensor(repeating: 0, $0.shape) }
      let place = differences.places[j]
      units[place.target][flat: place.entry] = 1
      let table = Dictionary(uniqueKeysWithValues: zip(directions.map(\.id), units))
      return try plan.run(try differences.inputs(of: plan, replacing: table))[0].doubles
    }
  }

  // MARK: Comparing

  /// First derivatives of the value, then second derivatives as first ones of the gradient.
  func run() throws -> (first: [Comparison], second: [Comparison]) {
    let largest = (
      gradient.reduce(0) { max($0, abs($1)) },
      secondDerivatives.reduce(0) { $1.reduce($0) { max($0, abs($1)) } }
    )
    var first: [Comparison] = []
    var second: [Comparison] = []
    for (k, j) in columns.enumerated() {
      let found = try differences.derivatives(along: j)
      first.append(Self.compared([j], gradient[j], found[0], largest.0, noise: abs(value)))
      for i in names.indices {
        second.append(
          Self.compared([i, j], secondDerivatives[k][i], found[i + 1], largest.1, noise: abs(gradient[i])))
      }
    }
    return (first, second)
  }

  private static func compared(
    _ entries: [Int], _ exact: Double, _ found: Ridders.Estimate, _ largest: Double, noise: Double
  ) -> Comparison {
    // Rounding of the value leaves ε·|f|/h of a difference quotient, with h down to 1e-3 and sums of many terms:
    // at a minimum, where the derivative is zero, that is all there is.
    let floor = max(1e-6 * largest, 1e-8 * noise, .leastNormalMagnitude)
    let scale = max(abs(exact), abs(found.value), floor)
    let error = abs(exact - found.value) / scale
    return Comparison(
      entries: entries, exact: exact, estimate: found.value, error: error,
      isUncertain: !(found.error <= 1e-4 * scale) && !(error <= 1e-4))
  }

  /// The slopes to the left and to the right differ: a kink.
  func hasKink(_ comparison: Comparison) throws -> Bool {
    guard let j = comparison.entries.last else { return false }
    let output = comparison.entries.count == 1 ? 0 : comparison.entries[0] + 1
    let h = 1e-6 * max(1, abs(differences.point(j)))
    let (left, here, right) = (
      try differences.evaluate(moving: j, by: -h)[output], try differences.evaluate()[output],
      try differences.evaluate(moving: j, by: h)[output]
    )
    let slopes = ((here - left) / h, (right - here) / h)
    return !(abs(slopes.0 - slopes.1) <= 1e-2 * max(abs(slopes.0), abs(slopes.1)) + 1e-6)
  }

  /// `∂²f/∂W1[0,2]∂b1[1]`
  func label(_ comparison: Comparison, of f: String) -> String {
    "∂\(comparison.entries.count == 2 ? "²" : "")\(f)/" + comparison.entries.map { "∂\(names[$0])" }.joined()
  }
}

/// Value and gradient as a function of single entries of the targets.
struct DifferencePlan {
  let names: [String]
  /// Where each entry is: which target, and its place there.
  let places: [(target: Int, entry: Int)]
  private let plan: Plan
  private let leaves: [Leaf]
  private let values: [Tensor]
  private let interpreter: Interpreter

  init(_ f: NodeID, _ targets: Targets, _ elaborator: Elaborator) throws {
    let graph = elaborator.graph
    interpreter = elaborator.interpreter
    leaves = targets.leaves.compactMap(graph.leaf)
    var names: [String] = []
    var places: [(target: Int, entry: Int)] = []
    for (k, leaf) in targets.leaves.enumerated() {
      let shape = graph.shape(leaf)
      var entries = Array(0..<shape.elementCount)
      if let part = targets.part {
        let positions = graph.constant(Tensor(entries.map(Double.init), shape))
        entries = try elaborator.interpreter.evaluateNow([elaborator.indexed(positions, part)])[0].doubles.map
        { Int($0) }
      }
      names += entries.map { targets.names[k] + shape.subscripts($0, separator: ",") }
      places += entries.map { (k, $0) }
    }
    (self.names, self.places) = (names, places)
    let gradients = graph.grad(f, wrt: targets.leaves)
    let flat =
      targets.part.map { elaborator.flat(elaborator.indexed(gradients[0], $0)) }
      ?? graph.concatenated(gradients)
    plan = try Plan(graph, outputs: [f, flat], precision: .f64)
    values = try leaves.map { leaf in
      guard let value = elaborator.interpreter.currentValue(of: leaf) else {
        throw Diagnostic(.name, "'\(leaf.name)' has no value here")
      }
      return value.converted(to: .f64)
    }
  }

  func inputs(of plan: Plan, replacing table: [Int: Tensor] = [:]) throws -> [Tensor] {
    try plan.inputs.map { leaf in
      if let value = table[leaf.id] { return value }
      guard let value = interpreter.currentValue(of: leaf) else {
        throw Diagnostic(.name, "'\(leaf.name)' has no value here")
      }
      return value
    }
  }

  func point(_ j: Int) -> Double { values[places[j].target][flat: places[j].entry] }

  /// The value, then the gradient, with one entry moved.
  func evaluate(moving j: Int? = nil, by h: Double = 0) throws -> [Double] {
    var table: [Int: Tensor] = [:]
    if let j {
      let place = places[j]
      var moved = values[place.target]
      moved[flat: place.entry] += h
      table[leaves[place.target].id] = moved
    }
    let values = try inputs(of: plan, replacing: table)
    do {
      return try plan.run(values).flatMap(\.doubles)
    } catch EngineError.matrix where j != nil {
      // A matrix function need not be defined beside the point: eig off the symmetric matrices, for instance.
      return [Double](repeating: .nan, count: names.count + 1)
    }
  }

  /// ∂/∂xⱼ of the value and of each entry of the gradient.
  func derivatives(along j: Int) throws -> [Ridders.Estimate] {
    try Ridders.derivatives(at: point(j)) { try evaluate(moving: j, by: $0) }
  }
}

/// Derivatives of vector functions of one variable by central differences, extrapolated to step 0 (C. J. F. Ridders,
/// Advances in Engineering Software 4, 1982).
enum Ridders {
  struct Estimate {
    var value = Double.nan
    var error = Double.infinity
  }

  /// Smaller starting steps are tried until every entry is good to eight digits.
  static func derivatives(at x: Double, _ f: (Double) throws -> [Double]) throws -> [Estimate] {
    var best: [Estimate] = []
    for scale in [0.1, 0.005, 2e-4] {
      let found = try tableau(scale * max(abs(x), 1), f)
      if best.isEmpty {
        best = found
      } else {
        for k in found.indices where found[k].error < best[k].error { best[k] = found[k] }
      }
      let largest = best.reduce(0) { max($0, abs($1.value)) }
      if best.allSatisfy({ $0.error <= 1e-8 * max(abs($0.value), 1e-4 * largest) }) { break }
    }
    return best
  }

  private static func tableau(_ start: Double, _ f: (Double) throws -> [Double]) throws -> [Estimate] {
    var h = start
    var previous: [[Double]] = []
    var best: [Estimate] = []
    for level in 0..<8 {
      let (right, left) = (try f(h), try f(-h))
      var row = [zip(right, left).map { ($0 - $1) / (2 * h) }]
      if level == 0 { best = row[0].map { Estimate(value: $0) } }
      var factor = 4.0
      for order in 0..<level {
        let (here, above) = (row[order], previous[order])
        let next = here.indices.map { (here[$0] * factor - above[$0]) / (factor - 1) }
        for k in next.indices {
          let error = max(abs(next[k] - here[k]), abs(next[k] - above[k]))
          if error <= best[k].error { best[k] = Estimate(value: next[k], error: error) }
        }
        row.append(next)
        factor *= 4
      }
      previous = row
      h /= 2
    }
    return best
  }
}
