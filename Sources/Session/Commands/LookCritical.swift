import Graph
import LinearAlgebra
import Optimization
import Syntax
import Tensors

extension Commands {
  static var criticalCommand: CommandDefinition {
    CommandDefinition(
      verb: "critical", usage: "critical [FORMULA] [wrt TARGETS] [starts=N] [range=A..B] [seed=S]",
      summary:
        "Searches for points where the gradient is zero, from random starts, along eigenvectors and with those found deflated: value, "
        + "kind, index, extreme eigenvalues, and the share of starts that led to each. Nothing moves; the list may be "
        + "incomplete.",
      options: [
        ("starts", "random starts, 200 by default"),
        ("range", "of every number among the params, -5..5 by default; range A..B, C..D gives one for each"),
        ("seed", "of the starts, the session's by default"),
      ],
      example: "critical starts=20 range=-2..2"
    ) { call in try CriticalReport(call).run() }
  }
}

/// `critical`: the search, and its table.
struct CriticalReport {
  private let call: CommandCall
  private let starts: Int
  private let seed: UInt64
  private let landscape: JetSweep
  private let box: [ClosedRange<Double>]
  /// Of the params, flat.
  private let bounds: Bounds?

  /// Numbers among the params up to which Hessians are factored over and over.
  private static let orderLimit = 500
  /// Rows of the table, and numbers of a point in it.
  private static let (rowLimit, entryLimit) = (24, 4)

  init(_ call: CommandCall) throws {
    self.call = call
    try call.noMoreSubjects()
    starts = try call.integer("starts", default: 200)
    guard (1...1_000_000).contains(starts) else {
      throw Diagnostic(
        .domain, "'starts' is 1 to 1000000, not \(starts)", at: call.command.option("starts")?.value.span)
    }
    seed = try call.seed() ?? call.interpreter.state.generator.seed
    landscape = try JetSweep(call, total: 20 * starts)
    let order = landscape.order
    guard order <= Self.orderLimit else {
      throw Diagnostic(
        .resource, "'critical' factors the Hessian at every iterate, and of \(order) params it is too large",
        at: call.command.span, hint: "the limit is \(Self.orderLimit); take some of them: critical wrt b")
    }
    bounds = call.interpreter.bounds(of: landscape.names)
    box = try Self.within(bounds, try Self.box(call, order), call, landscape)
  }

  /// The box, cut to what the bounds leave of it.
  private static func within(
    _ bounds: Bounds?, _ box: [ClosedRange<Double>], _ call: CommandCall, _ landscape: JetSweep
  ) throws -> [ClosedRange<Double>] {
    guard let bounds else { return box }
    return try box.indices.map { k in
      if let range = CriticalFaces.cut(box[k], bounds, k) { return range }
      throw Diagnostic(
        .domain, "the range has no part within the bounds of \(landscape.entryName(k))",
        at: call.command.clause("range")?.span ?? call.command.span, hint: "give a range that meets them")
    }
  }

  private static func box(_ call: CommandCall, _ order: Int) throws -> [ClosedRange<Double>] {
    let ranges = try call.ranges()
    if ranges.isEmpty { return [ClosedRange<Double>](repeating: -5...5, count: order) }
    if ranges.count == 1 { return [ClosedRange<Double>](repeating: ranges[0], count: order) }
    guard ranges.count == order else {
      throw Diagnostic(
        .shape, "there are \(order) numbers among the params, and \(ranges.count) ranges",
        at: call.command.clause("range")?.span, hint: "give one range for all, or one for each")
    }
    return ranges
  }

  func run() throws -> Value {
    let tolerance = call.interpreter.state.settings.precision == .f64 ? 1e-6 : 1e-3
    var search = CriticalSearch(box: box, tolerance: tolerance, landscape.callAsFunction)
    // Its own stream: the session's generator stays where it is.
    var generator = CounterGenerator(seed: seed, stream: 1)
    let starting = (0..<starts).map { _ in
      box.map { $0.lowerBound + ($0.upperBound - $0.lowerBound) * generator.uniform() }
    }
    try call.algebra { try search.run(from: starting) }
    let faces = bounds.map {
      CriticalFaces($0, box, tolerance: tolerance, name: landscape.entryName, landscape.callAsFunction)
    }
    var points = search.points.map { FoundPoint($0, held: nil) }
    if let faces, faces.isSearched {
      points += try call.algebra { try faces.points(from: starting) }.map {
        FoundPoint($0.point, held: $0.place)
      }
      points.sort { ($0.point.value, $0.point.x[0]) < ($1.point.value, $1.point.x[0]) }
    }
    call.print(lines(points, search, faces).joined(separator: "\n"))
    return record(points)
  }

  private func share(_ found: FoundPoint) -> Double { Double(found.point.starts) / Double(starts) }

  private func record(_ points: [FoundPoint]) -> Value {
    func vector(_ entry: (FoundPoint) -> Double) -> Value { .tensor(Tensor(vector: points.map(entry))) }
    let held = points.flatMap { found in
      (0..<landscape.order).map { found.held?.held.contains($0) == true ? 1.0 : 0 }
    }
    return .record([
      ("points", .tensor(Tensor(points.flatMap(\.point.x), [points.count, landscape.order]))),
      ("values", vector(\.point.value)), ("index", vector { Double($0.inertia.negative) }),
      ("smallest", vector { $0.point.eigenvalues.first ?? .nan }),
      ("largest", vector { $0.point.eigenvalues.last ?? .nan }), ("shares", vector(share)),
      ("degenerate", vector { $0.point.isDegenerate ? 1 : 0 }),
      ("held", .tensor(Tensor(held, [points.count, landscape.order]))),
    ])
  }

  // MARK: Text

  private func lines(_ points: [FoundPoint], _ search: CriticalSearch, _ faces: CriticalFaces?) -> [String] {
    let count = points.count
    let place = boxText
    let name = call.subjectSymbol
    let rest = remarks(points, search, faces)
    guard count > 0 else {
      return ["no critical point of \(name) found, from \(starts) starts in \(place), seed \(seed)"] + rest
    }
    let head =
      "\(count) critical point\(count == 1 ? "" : "s") of \(name), from \(starts) starts in \(place), seed \(seed)"
    return [head] + table(points, search.scale) + rest
  }

  private var boxText: String {
    func text(_ range: ClosedRange<Double>) -> String {
      "[\(call.format(range.lowerBound)), \(call.format(range.upperBound))]"
    }
    guard let first = box.first else { return "[]" }
    if box.allSatisfy({ $0 == first }) { return text(first) + (box.count == 1 ? "" : "^\(box.count)") }
    return box.count <= 3 ? box.map(text).joined(separator: " × ") : "a box"
  }

  private func table(_ points: [FoundPoint], _ scale: Double) -> [String] {
    let format = call.format
    let isWide = landscape.order > 2
    var rows = [["  \(call.subjectSymbol)", "kind", "index", "λmin", "λmax", "share", " at"]]
    for found in points.prefix(Self.rowLimit) {
      let point = found.point
      let values = zip(point.eigenvalues, point.isZero).map { $1 ? 0 : $0 }
      let share = point.starts == 0 ? "-" : "\(NumberFormat(digits: 3)(100 * share(found))) %"
      let bound =
        found.held.map { "  held: " + $0.held.map(landscape.entryName).joined(separator: ", ") } ?? ""
      rows.append([
        "  " + format(point.value.magnitude <= 1e-15 * scale ? 0 : point.value), found.kind,
        "\(found.inertia.negative)", values.min().map { format($0) } ?? "-",
        values.max().map { format($0) } ?? "-", share,
        " " + place(point, isWide ? NumberFormat(digits: 4) : format) + bound,
      ])
    }
    let text = TextTable(rows).spelled(for: call.interpreter).lines
    return text + (points.count > Self.rowLimit ? ["  … \(points.count - Self.rowLimit) more"] : [])
  }

  /// A point, with zeros for what is rounding beside the box, or not known better.
  private func place(_ point: CriticalSearch.Point, _ format: NumberFormat) -> String {
    let size = box.reduce(0) { max($0, abs($1.lowerBound), abs($1.upperBound)) }
    let least = max(1e-9 * size, 20 * point.uncertainty)
    let shown = point.x.prefix(Self.entryLimit).map { format($0.magnitude < least ? 0 : $0) }
    return "[" + shown.joined(separator: ", ") + (point.x.count > Self.entryLimit ? ", …]" : "]")
  }

  private func remarks(_ points: [FoundPoint], _ search: CriticalSearch, _ faces: CriticalFaces?) -> [String]
  {
    var result: [String] = []
    let name = call.subjectSymbol
    let free = points.filter { $0.held == nil }
    if let worst = points.map(\.point.gradientNorm).max() {
      result.append("‖∇\(name)‖ is at most \(LookText.rough(worst)) at these points")
    }
    if points.contains(where: \.point.isDegenerate) {
      result.append("degenerate: an eigenvalue is zero; such points may lie on curves of critical points")
    }
    let deflated = free.count { $0.point.starts == 0 }
    if deflated > 0 {
      result.append("-: \(deflated) found along eigenvectors or by deflation, no start led there")
    }
    if free.count < points.count {
      result.append("held: the gradient holds these at a bound; index and λ are of the point within bounds")
    }
    if let faces, !faces.isSearched {
      result.append(
        "points at bounds are not among them: \(call.format(faces.count)) faces are too many to search")
    }
    var lost: [String] = []
    if search.outside > 0 { lost.append("\(search.outside) led out of the range") }
    if search.failed > 0 { lost.append("\(search.failed) to no zero of the gradient") }
    if !lost.isEmpty { result.append("of the starts, " + lost.joined(separator: ", ")) }
    result.append("shares are of Gauss–Newton on ½‖∇\(name)‖²; the list may be incomplete")
    return result
  }
}

/// A critical point, inside or held at bounds.
private struct FoundPoint {
  let point: CriticalSearch.Point
  /// Nil where no bound holds it.
  let held: BoundedPlace?

  init(_ point: CriticalSearch.Point, held: BoundedPlace?) { (self.point, self.held) = (point, held) }

  var inertia: Inertia {
    let signs = zip(point.eigenvalues, point.isZero).map { $1 ? 0 : $0 }
    let free = Inertia(
      positive: signs.count { $0 > 0 }, negative: signs.count { $0 < 0 }, zero: signs.count { $0 == 0 })
    return held?.inertia(free) ?? free
  }

  var kind: String { point.isDegenerate ? "degenerate" : PointKind(isCritical: true, inertia: inertia).word }
}

/// A scalar formula with gradient and Hessian, compiled once, at any values of the params.
private struct JetSweep {
  let order: Int
  private let sweep: Sweep
  private let leaves: [Leaf]

  var names: [String] { leaves.map(\.name) }

  /// `x[0]`, for a place among the params' numbers.
  func entryName(_ place: Int) -> String {
    CommandCall.entryName(leaves.map { ($0.name, $0.shape) }, place)
  }

  init(_ call: CommandCall, total: Int) throws {
    let interpreter = call.interpreter
    let elaborator = call.elaborator()
    if let subject = call.subject { elaborator.callResults = try interpreter.runProcedures(in: subject) }
    let f = try call.scalarNode(elaborator)
    let targets = try elaborator.targets(call.wrt(elaborator), of: [f], call.command.span)
    let graph = elaborator.graph
    guard targets.part == nil else {
      throw Diagnostic(
        .type, "'\(call.command.verb)' varies whole params", at: call.command.clause("wrt")?.span)
    }
    leaves = targets.leaves.compactMap { graph.leaf(of: $0) }
    order = leaves.reduce(0) { $0 + $1.shape.elementCount }
    guard order > 0 else {
      throw Diagnostic(.domain, "the params are empty, there is nothing to vary", at: call.command.span)
    }
    let gradient = graph.concatenated(graph.grad(f, wrt: targets.leaves))
    let hessian = try elaborator.hessian(of: f, wrt: call.wrt(elaborator), tensor: false, call.command.span)
    let matrix = elaborator.asMatrix(try elaborator.asNode(hessian, call.command.span))
    let start = Dictionary(
      try leaves.map { ($0.id, try interpreter.inputValue($0)) }, uniquingKeysWith: { first, _ in first })
    sweep = try Sweep(interpreter, [f, gradient, matrix], varying: start, total: total, label: "search")
  }

  func callAsFunction(_ x: [Double]) throws -> CriticalSearch.Jet {
    var replaced: [Int: Tensor] = [:]
    var offset = 0
    for leaf in leaves {
      let count = leaf.shape.elementCount
      replaced[leaf.id] = Tensor(Array(x[offset..<(offset + count)]), leaf.shape)
      offset += count
    }
    let found = try sweep(replaced)
    return (found[0].scalarValue, found[1].doubles, found[2].doubles)
  }
}
