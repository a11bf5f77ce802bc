import Graph
import Optimization
import Plotting
import Syntax
import Tensors

/// A quadratic Bézier curve between two points of the params, φ(t) = (1 − t)²·a + 2t(1 − t)·b + t²·c, whose bend b is
/// trained so that f stays low along it (Garipov, Izmailov, Podoprikhin, Vetrov and Wilson, *Loss surfaces, mode
/// connectivity, and fast ensembling of DNNs*, NeurIPS 2018, arXiv:1802.10026): b minimises the mean of f(φ(t)) over
/// uniform t, by Adam on fresh draws of t in every step.
struct BezierCurve {
  let start: [Double]
  let end: [Double]
  var bend: [Double]

  /// f and ∇f at some t of a curve.
  typealias Slope = (BezierCurve, [Double]) throws -> (values: [Double], gradients: [[Double]])

  /// Draws of t for a step, one from each equal part of [0, 1]: less noise than independent ones.
  private static let draws = 10

  /// Begins at the straight line, moved a little so that a symmetric landscape lets it choose a side.
  init(from start: [Double], to end: [Double], generator: inout CounterGenerator) {
    (self.start, self.end) = (start, end)
    let size = norm(zip(end, start).map { $0 - $1 }) / Double(max(start.count, 1)).squareRoot()
    bend = zip(start, end).map { a, c in (a + c) / 2 + 1e-2 * size * generator.normal() }
  }

  /// φ as a point of the plane from `start` along `bend` − `start` and `end` − `start`.
  static func coefficients(_ t: Double) -> [Double] { [2 * t * (1 - t), t * t] }

  var directions: [[Double]] {
    [zip(bend, start).map { $0 - $1 }, zip(end, start).map { $0 - $1 }]
  }

  /// Trains the bend; the mean over the last quarter of the steps is kept, which evens out the noise of the draws.
  mutating func train(
    steps: Int, rate: Double, generator: inout CounterGenerator,
    slope: @escaping Slope, report: (Int, Double) -> Void
  ) throws {
    let size = norm(directions[1]) / Double(max(start.count, 1)).squareRoot()
    var options = Adam.Options()
    options.learningRate = rate * size
    var method = Adam(options)
    var sum = bend.map { _ in 0.0 }
    var count = 0
    for step in 0..<steps {
      let ts = (0..<Self.draws).map { (Double($0) + generator.uniform()) / Double(Self.draws) }
      let mean = try self.mean(ts, slope)
      let oracle = CurveLoss(curve: self, ts: ts, slope: slope)
      let evaluation = Evaluation(
        x: bend, value: mean.value, gradient: mean.gradient, hessian: nil, order: .gradient)
      bend = try method.step(evaluation, oracle).x
      report(step, mean.value)
      guard step >= steps - max(steps / 4, 1) else { continue }
      for k in sum.indices { sum[k] += bend[k] }
      count += 1
    }
    if count > 0 { bend = sum.map { $0 / Double(count) } }
  }

  /// The mean of f over some t, and its gradient by the bend: ∂φ/∂b = 2t(1 − t).
  fileprivate func mean(_ ts: [Double], _ slope: Slope) throws -> (value: Double, gradient: [Double]) {
    let (values, gradients) = try slope(self, ts)
    var gradient = bend.map { _ in 0.0 }
    for (t, g) in zip(ts, gradients) {
      let weight = 2 * t * (1 - t) / Double(ts.count)
      for k in gradient.indices { gradient[k] += weight * g[k] }
    }
    return (values.reduce(0, +) / Double(ts.count), gradient)
  }
}

/// The mean of f over some t of a curve, as a function of its bend.
private struct CurveLoss: Oracle {
  let curve: BezierCurve
  let ts: [Double]
  let slope: BezierCurve.Slope

  func value(at x: [Double]) throws -> Double { try slope(at: x).value }

  func slope(at x: [Double]) throws -> (value: Double, gradient: [Double]) {
    var moved = curve
    moved.bend = x
    return try moved.mean(ts, slope)
  }

  /// By central differences of the gradient.
  func product(_ v: [Double]) throws -> [Double] {
    let step = 1e-5 * max(norm(curve.bend), 1) / max(norm(v), 1e-300)
    let after = try slope(at: sum(curve.bend, step, v)).gradient
    let before = try slope(at: sum(curve.bend, -step, v)).gradient
    return zip(after, before).map { ($0 - $1) / (2 * step) }
  }

  private func sum(_ a: [Double], _ factor: Double, _ b: [Double]) -> [Double] {
    zip(a, b).map { $0 + factor * $1 }
  }
}

extension LandscapeCommand {
  /// `slice f from a to b`
  func between() throws -> Value {
    let command = call.command
    guard let first = command.clause("from")?.values.first, let last = command.clause("to")?.values.first
    else {
      throw Diagnostic(
        .syntax, "'slice' between two points needs both: from P to Q", at: command.span,
        hint: "keep points with: a = params")
    }
    if let along = command.clause("along") ?? command.clause("range") {
      throw Diagnostic(
        .syntax, "between two points t runs from 0 to 1", at: along.span,
        hint: "or write along q - p, with a range")
    }
    let (a, b) = (try call.point(first, landscape), try call.point(last, landscape))
    guard a != b else { throw try same(first, last) }
    let isBent = try call.flag("bend")
    if isBent, landscape.names.count > 1 {
      throw Diagnostic(.type, "a curve is trained for one formula", at: command.subjects[1].span)
    }
    let count = try call.stepCount(201)
    guard count >= 11 else {
      throw Diagnostic(
        .domain, "\(count) points are too few to see a barrier", at: command.option("steps")?.value.span,
        hint: "take steps=11 at least")
    }
    let ts = (0.0...1).points(count)
    let line = zip(b, a).map { $0 - $1 }
    let straight = try LandscapePoints(
      interpreter, landscape, origin: a, directions: [line], label: command.verb)
    var values = try straight(ts.map { [$0] }).map(\.doubles)
    try end(&values, straight, at: b, [line])
    var names = landscape.names
    if isBent {
      let curve = try trained(from: a, to: b)
      let bent = try LandscapePoints(
        interpreter, landscape, origin: a, directions: curve.directions, label: command.verb)
      var curved = [try bent(ts.map(BezierCurve.coefficients))[0].doubles]
      try end(&curved, bent, at: b, curve.directions)
      values += curved
      names = ["\(names[0]), straight", "\(names[0]), bent"]
    }
    var cut = LandscapeCut(
      names: names, along: ["from \(first.span.text) to \(last.span.text)"], axes: [ts], values: values)
    cut.barriers = values.map { Self.barrier(ts, $0).height }
    try call.show(call.figure(cut))
    call.noteIdle(["at": "slice along", "filters": "slice along", "model": "slice along"])
    if !isBent { call.noteIdle(Self.bendOptions, except: ["bend"]) }
    report(cut, ts)
    for (name, values) in zip(cut.names, cut.values) { call.warnOfGaps(name, values, isLog: false) }
    return call.isAssigned ? cut.value : .nothing
  }

  /// The last values at the end itself: a + (b − a) may be another number than b.
  private func end(
    _ values: inout [[Double]], _ points: LandscapePoints, at b: [Double], _ directions: [[Double]]
  ) throws {
    points.move(to: b, directions)
    let exact = try points([directions.map { _ in 0 }])
    for (k, value) in exact.enumerated() { values[k][values[k].count - 1] = value.doubles[0] }
  }

  /// Two points that are one for this formula, though they may differ in params of another.
  private func same(_ first: Expr, _ last: Expr) throws -> Diagnostic {
    let held = try [first, last].map { try call.interpreter.evaluate($0).fieldNames }
    let own = landscape.leaves.map(\.name)
    let foreign = held.joined().filter { !own.contains($0) }
    guard !foreign.isEmpty, first.span.text != last.span.text else {
      return Diagnostic(.domain, "the two points are the same", at: last.span)
    }
    let list = Set(held.joined()).sorted().joined(separator: ", ")
    return Diagnostic(
      .domain, "the two points do not differ in what \(landscape.names[0]) depends on", at: last.span,
      notes: ["they hold \(list)", "\(landscape.names[0]) depends on \(own.joined(separator: ", "))"],
      hint:
        "name the formula that they are points of: slice FORMULA from \(first.span.text) to \(last.span.text)"
    )
  }

  /// How far a curve rises above the line between its ends (Frankle, Dziugaite, Roy and Carbin, *Linear mode
  /// connectivity and the lottery ticket hypothesis*, ICML 2020, with the line in place of the mean of both ends).
  static func barrier(_ ts: [Double], _ values: [Double]) -> (height: Double, t: Double) {
    let (first, last) = (values.first ?? 0, values.last ?? 0)
    let heights = zip(ts, values).map { $1 - ((1 - $0) * first + $0 * last) }
    let place = heights.indices.max { heights[$0] < heights[$1] } ?? 0
    return heights.contains(where: \.isNaN) ? (.nan, .nan) : (heights[place], ts[place])
  }

  private func report(_ cut: LandscapeCut, _ ts: [Double]) {
    let format = call.format
    for (name, values) in zip(cut.names, cut.values) {
      let (height, t) = Self.barrier(ts, values)
      let ends = "\(format(values.first ?? .nan)) → \(format(values.last ?? .nan))"
      call.print("\(name): \(ends), barrier \(format(height))" + (height > 0 ? " at t = \(format(t))" : ""))
    }
  }

  private func trained(from a: [Double], to b: [Double]) throws -> BezierCurve {
    let steps = try call.count("training", default: 200)
    let rate = try call.number("lr", default: 0.03)
    guard rate > 0, rate.isFinite else {
      throw Diagnostic(.domain, "'lr' is a positive number", at: call.command.option("lr")?.value.span)
    }
    let progress = call.progress()
    var generator = interpreter.state.generator
    var curve = BezierCurve(from: a, to: b, generator: &generator)
    let points = try LandscapePoints(
      interpreter, landscape, origin: a, directions: curve.directions, gradients: true,
      label: "training the curve")
    try curve.train(
      steps: steps, rate: rate, generator: &generator,
      slope: { curve, ts in
        points.move(to: curve.start, curve.directions)
        let found = try points(ts.map(BezierCurve.coefficients))
        let count = landscape.count
        let gradients = found[1].doubles
        return (
          found[0].doubles, ts.indices.map { Array(gradients[($0 * count)..<(($0 + 1) * count)]) }
        )
      },
      report: { step, mean in
        progress("training the curve: step \(step + 1) of \(steps), mean f \(call.format(mean))")
      })
    interpreter.state.generator = generator
    return curve
  }
}
