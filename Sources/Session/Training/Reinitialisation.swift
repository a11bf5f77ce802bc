import Engine
import Syntax
import Tensors

extension Commands {
  private static let selectionOptions: [(name: String, text: String)] = [
    ("unit", "true takes whole units, columns of a matrix, by the sum of their scores"),
    ("reduce", "sum or mean of a Hessian's row; the order is the same"),
  ]

  static var reinitCommand: CommandDefinition {
    CommandDefinition(
      verb: "reinit", usage: "reinit top N% of PARAMS [by MEASURE] [on FORMULA] [using INITIALISER]",
      summary:
        "Draws anew the weights of each param that matter most (or least, with bottom): by the row sums of |H| unless another measure is named.",
      options: selectionOptions, example: "reinit top 50% of x by magnitude using zeros", changesState: true
    ) { call in try Selection(call).run { try Initialiser(call).values(for: $0, $1) } }
  }

  static var pruneCommand: CommandDefinition {
    CommandDefinition(
      verb: "prune", usage: "prune bottom N% of PARAMS [by MEASURE] [on FORMULA]",
      summary:
        "Sets the weights of each param that matter least (or most, with top) to zero, and gives their masks.",
      options: selectionOptions + [
        (
          "update",
          "true, with by obs: weights go one after the other, and those that stay make up for each (optimal brain surgeon)"
        )
      ],
      example: "prune bottom 50% of x by magnitude\nx = [1, 1]; prune bottom 1 of x by obs update=true",
      changesState: true
    ) { call in
      let selection = try Selection(call)
      if try call.flag("update") { return try selection.operate() }
      return try selection.run { _, leaf in [Double](repeating: 0, count: leaf.value.count) }
    }
  }
}

/// The weights that `reinit` and `prune` speak of: `top 10% of W3, W4 by hessian`, from each param by itself.
private struct Selection {
  private let call: CommandCall
  private let isTop: Bool
  /// A share of the entries, or a count of them.
  private let share: Double?
  private let count: Int
  private let params: [(name: String, expr: Expr)]
  private let takesUnits: Bool
  private let takesMean: Bool

  private var interpreter: Interpreter { call.interpreter }

  init(_ call: CommandCall) throws {
    self.call = call
    try call.noMoreSubjects(than: 0)
    let command = call.command
    isTop = command.clause("top") != nil
    guard let amount = (command.clause("top") ?? command.clause("bottom"))?.values.first,
      command.clause("top") == nil || command.clause("bottom") == nil
    else {
      throw Diagnostic(
        .syntax, "'\(command.verb)' needs to know how many: top 10% or bottom 10%", at: command.span,
        hint: "it is \(call.definition.usage)")
    }
    let value = try call.interpreter.number(amount)
    let isPercent = amount.span.text.hasSuffix("%")
    guard value >= 0, isPercent ? value <= 1 : value == value.rounded() && value < 1e15 else {
      throw Diagnostic(
        .domain, isPercent ? "a percentage is 0 to 100" : "a number of weights is whole", at: amount.span)
    }
    share = isPercent ? value : nil
    count = isPercent ? 0 : Int(value)
    params = try Self.params(call)
    takesUnits = try call.flag("unit")
    takesMean = try call.choice("reduce", Reduction.self) == .mean
  }

  private enum Reduction: String, CaseIterable { case sum, mean }

  private static func params(_ call: CommandCall) throws -> [(name: String, expr: Expr)] {
    guard let clause = call.command.clause("of"), !clause.values.isEmpty else {
      throw Diagnostic(
        .syntax, "'\(call.command.verb)' needs params: of W3, W4", at: call.command.span,
        hint: "it is \(call.definition.usage)")
    }
    return try clause.values.map { expr in
      guard case .name(let name) = expr.kind, case .param? = call.interpreter.lookup(name) else {
        throw Diagnostic(.type, "'\(expr.span.text)' is not a param", at: expr.span)
      }
      return (name, expr)
    }
  }

  /// Sets weights to zero one after the other, those of a param that stay making up for them.
  func operate() throws -> Value {
    let scores = WeightScores(call: call)
    guard scores.isSurgeons, !takesUnits else {
      throw Diagnostic(
        .type, "'update' moves the other weights as optimal brain surgeon does, weight by weight",
        at: call.command.option("update")?.value.span,
        hint: "write by obs, without unit=true")
    }
    interpreter.willChange()
    var masks: [(name: String, value: Value)] = []
    var moved: [String: [Int]] = [:]
    for (name, expr) in params {
      guard case .param(let leaf)? = interpreter.lookup(name, frameTag: nil) else { continue }
      let before = try call.view(.value).value
      var surgeon = try scores.surgeon(name, expr)
      let wanted = wanted(of: leaf.value.count)
      var mask = [Double](repeating: 0, count: leaf.value.count)
      for _ in 0..<wanted {
        try Interruption.check()
        guard let (place, saliency) = surgeon.removeNext(greatest: isTop) else { break }
        guard saliency.isFinite, saliency >= 0 else {
          throw Diagnostic(
            .numeric, "a score of \(name) is \(call.format(saliency)): its Hessian is nearly singular",
            at: expr.span)
        }
        mask[place] = 1
      }
      try set(name, leaf, surgeon.weights, expr)
      moved[name] = Array(mask.indices)
      masks.append((name, .tensor(Tensor(mask, leaf.value.shape))))
      let rise = try call.view(.value).value - before
      call.print(
        "\(name): \(wanted) of \(mask.count) weights set to 0, the others moved; \(call.objectiveName) rises by "
          + "\(call.format(rise)), predicted \(call.format(surgeon.rise))")
    }
    interpreter.forget(moved)
    interpreter.notePoint()
    return .record(masks)
  }

  private func set(_ name: String, _ leaf: LeafBinding, _ entries: [Double], _ expr: Expr) throws {
    let value = Tensor(entries, leaf.value.shape, leaf.value.precision)
    interpreter.bindGlobal(name, .param(try interpreter.moved(name, leaf, to: .tensor(value), expr.span)))
  }

  /// Gives the chosen weights of each param other values, and the masks of what was chosen.
  func run(_ values: (String, LeafBinding) throws -> [Double]) throws -> Value {
    interpreter.willChange()
    var masks: [(name: String, value: Value)] = []
    var moved: [String: [Int]] = [:]
    for (name, expr) in params {
      guard case .param(let leaf)? = interpreter.lookup(name, frameTag: nil) else { continue }
      let scores = try WeightScores(call: call).scores(of: name, expr)
      let (places, threshold) = try chosen(scores, leaf.value.shape, name, expr)
      let fresh = try values(name, leaf)
      var entries = leaf.value.doubles
      var mask = [Double](repeating: 0, count: entries.count)
      for place in places { (entries[place], mask[place]) = (fresh[place], 1) }
      try set(name, leaf, entries, expr)
      moved[name] = places
      masks.append((name, .tensor(Tensor(mask, leaf.value.shape))))
      report(name, places.count, entries.count, threshold)
    }
    interpreter.forget(moved)
    interpreter.notePoint()
    return .record(masks)
  }

  /// Places in row-major order, and the score of the last one chosen.
  private func chosen(_ scores: [Double], _ shape: Shape, _ name: String, _ expr: Expr) throws -> (
    [Int], Double?
  ) {
    if let bad = scores.first(where: { !$0.isFinite }) {
      throw Diagnostic(.numeric, "a score of \(name) is \(NumberFormat()(bad))", at: expr.span)
    }
    guard takesUnits else {
      let picked = pick(scores)
      return (picked, picked.last.map { scores[$0] / (takesMean ? Double(scores.count) : 1) })
    }
    guard shape.count == 2 else {
      throw Diagnostic(.shape, "units are columns of a matrix, and \(name) is none", at: expr.span)
    }
    let (rows, columns) = (shape[0], shape[1])
    let sums = (0..<columns).map { j in (0..<rows).reduce(0.0) { $0 + scores[$1 * columns + j] } }
    let picked = pick(sums)
    return (picked.flatMap { j in (0..<rows).map { $0 * columns + j } }, picked.last.map { sums[$0] })
  }

  /// How many of so many weights, or units.
  private func wanted(of whole: Int) -> Int {
    share.map { Int(($0 * Double(whole)).rounded()) } ?? min(count, whole)
  }

  /// The places of the greatest or least, equal ones in their order.
  private func pick(_ scores: [Double]) -> [Int] {
    let wanted = wanted(of: scores.count)
    let order = scores.indices.sorted { a, b in
      scores[a] == scores[b] ? a < b : (scores[a] > scores[b]) == isTop
    }
    return Array(order.prefix(wanted))
  }

  private func report(_ name: String, _ count: Int, _ whole: Int, _ threshold: Double?) {
    let verb = call.command.verb == "prune" ? "set to 0" : "drawn anew"
    let limit = threshold.map { "; scores \(isTop ? "≥" : "≤") \(call.format($0))" } ?? ""
    call.print("\(name): \(count) of \(whole) weights \(verb)\(limit)")
  }
}

/// `using xavier`: values for all entries of a param.
private struct Initialiser {
  let call: CommandCall
  private let word: String
  private let span: Span

  private enum Name: String, CaseIterable { case declared, zeros, uniform, torch, xavier, glorot, he }

  init(_ call: CommandCall) throws {
    self.call = call
    let expr = call.command.clause("using")?.values.first
    span = expr?.span ?? call.command.span
    if case .name(let name)? = expr?.kind { word = name } else { word = expr?.span.text ?? "declared" }
  }

  /// Bounds as PyTorch's and Glorot's; He's normal numbers. The generator is the session's.
  func values(for name: String, _ leaf: LeafBinding) throws -> [Double] {
    let shape = leaf.value.shape
    guard let kind = Name(rawValue: word) else {
      throw Diagnostic(
        .name, "there is no initialiser '\(word)'", at: span,
        hint: "one of \(Name.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    switch kind {
    case .zeros: return [Double](repeating: 0, count: leaf.value.count)
    case .declared: return try call.interpreter.declaredAnew(name, leaf, span).doubles
    default: break
    }
    guard shape.count == 2 else {
      throw Diagnostic(
        .shape, "\(word) takes its scale from the rows and columns of a matrix, and \(name) is none",
        at: span,
        hint: "using zeros, or declared")
    }
    switch kind {
    case .he: return drawn(.he(shape[0]), shape)
    case .uniform, .torch: return drawn(.linearLayer(shape[0]), shape)
    default: return drawn(.glorot(shape[0], shape[1]), shape)
    }
  }

  private func drawn(_ distribution: Distribution, _ shape: Shape) -> [Double] {
    let precision = call.interpreter.state.settings.precision
    return Sampler.sample(distribution, shape, &call.interpreter.state.generator, precision).doubles
  }
}

extension Interpreter {
  /// Methods forget what they remember of weights that have moved for other reasons. Vectors of all params are in the
  /// order of declaration.
  fileprivate func forget(_ moved: [String: [Int]]) {
    var (places, offset) = ([Int](), 0)
    for (name, leaf) in allParams {
      places += (moved[name] ?? []).map { $0 + offset }
      offset += leaf.value.count
    }
    state.forget(places, of: offset)
  }
}
