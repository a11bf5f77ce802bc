import Plotting
import Syntax
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// How a plot shows what it is given.
enum PlotKind: String, CaseIterable {
  case line, scatter, stems, bars, hist, matrix, pattern, heat, contour, filled

  /// For values over two axes.
  static let ofGrids: [PlotKind] = [.contour, .heat, .filled]
}

extension CommandCall {
  static func power(_ exponent: Double) -> Double { exp(exponent) }

  static func logs(_ range: ClosedRange<Double>) -> ClosedRange<Double> {
    log(range.lowerBound)...max(log(range.upperBound), log(range.lowerBound))
  }

  /// A word given as an option: `kind=heat`, or in quotes.
  func word(_ name: String) throws -> (text: String, span: Span)? {
    guard let option = command.option(name) else { return nil }
    if case .name(let word) = option.value.kind { return (word, option.value.span) }
    guard case .string(let text) = try interpreter.evaluate(option.value) else {
      throw Diagnostic(.type, "'\(name)' takes a word or a string", at: option.value.span)
    }
    return (text, option.value.span)
  }

  func kind() throws -> PlotKind? {
    guard let (text, span) = try word("kind") else { return nil }
    let aliases = ["histogram": PlotKind.hist, "heatmap": .heat]
    if let kind = PlotKind(rawValue: text) ?? aliases[text] { return kind }
    let known = (command.verb == "surface" ? PlotKind.ofGrids : PlotKind.allCases).map(\.rawValue)
    throw Diagnostic(
      .name, "there is no kind of \(command.verb == "surface" ? "surface" : "plot") '\(text)'", at: span,
      notes: ["kinds are \(known.joined(separator: ", "))"],
      hint: closestMatch(to: text, in: known).map { "did you mean '\($0)'?" })
  }

  /// `log=true`; nil when it is left to the plot.
  func isLog() throws -> Bool? { try isOn("log") }

  /// A kind that does not suit what is plotted.
  func unfit(_ kind: PlotKind, _ what: String, _ known: [PlotKind]) -> Diagnostic {
    Diagnostic(
      .type, "\(what) cannot be shown as \(kind.rawValue)", at: command.option("kind")?.value.span,
      hint: "kinds for it are \(known.map(\.rawValue).joined(separator: ", "))")
  }

  /// A curve as a line, as points or as stems.
  func curve(_ series: Series, of what: String) throws -> Mark {
    switch try kind() ?? .line {
    case .line: return .line(series)
    case .scatter: return .scatter(series)
    case .stems: return .stems(series)
    case let kind: throw unfit(kind, what, [.line, .scatter, .stems])
    }
  }

  /// Says which options have nothing to act on, rather than passing them over.
  func noteIdle(_ options: KeyValuePairs<String, String>, except heeded: Set<String> = []) {
    for (name, use) in options where !heeded.contains(name) {
      if command.option(name) == nil && command.clause(name) == nil { continue }
      warn("'\(name)' changes nothing here, it is for \(use)")
    }
  }

  /// Applies the options that concern any figure, keeps it for `save plot`, and prints it.
  func show(_ figure: Figure) throws {
    var figure = figure
    if let title = try label("title") { figure.title = title }
    if let label = try label("xlabel") { figure.xAxis.label = label }
    if let label = try label("ylabel") { figure.yAxis.label = label }
    let columns = try columns()
    let text = try textOptions(columns: columns)
    if interpreter.live?.isDrawing == true {
      return interpreter.showLive(interpreter.rendered(figure, text))
    }
    interpreter.state.figure = figure
    noteCut(columns)
    print(interpreter.rendered(figure, text))
  }

  /// Words beside the figure; values are shown as they are printed.
  private func label(_ name: String) throws -> String? {
    guard let option = command.option(name) else { return nil }
    return interpreter.valueText.inline.text(try interpreter.evaluate(option.value))
  }

  /// Says what a plot leaves out: values that are not finite, and values that a log axis has no place for.
  func warnOfGaps(_ name: String, _ values: [Double], isLog: Bool) {
    let gaps = values.count { !$0.isFinite }
    if gaps > 0 { warn("\(name) is not finite at \(gaps) of \(values.count) points, which are gaps") }
    let low = isLog ? values.count { $0 <= 0 && $0.isFinite } : 0
    if low > 0 {
      warn("\(name) is zero or less at \(low) of \(values.count) points, which a log axis has no place for")
    }
  }

  /// The same of a surface; and that it is level, where contour lines would show it.
  func warnOfGaps(_ name: String, _ grid: Grid) throws {
    let kind = try kind() ?? .contour
    warnOfGaps(name, grid.values, isLog: false)
    let low = grid.values.count { $0 <= 0 && $0.isFinite }
    if kind != .contour, try isLog() == true, low > 0 {
      warn(
        "\(name) is zero or less at \(low) of \(grid.values.count) points, which have the lowest of the colours"
      )
    }
    if kind == .contour, let first = grid.values.first, first.isFinite,
      grid.values.allSatisfy({ $0 == first })
    {
      warn("\(name) is \(format(first)) everywhere here: there are no contour lines")
    }
  }

  /// - Parameter columns: the width that was asked for.
  func textOptions(columns: Int?) throws -> TextOptions {
    var options = interpreter.textOptions
    options.width = columns ?? options.width
    if interpreter.options.isTerminal { options.width = min(options.width, interpreter.options.width) }
    options.height = try bounded("height", 6...200) ?? options.height
    return options
  }

  /// `size=80`
  func columns() throws -> Int? { try bounded("size", 20...400) }

  /// Says so when a plot is narrower than was asked for, since the terminal would fold its lines.
  private func noteCut(_ columns: Int?) {
    let width = interpreter.options.width
    guard let columns, interpreter.options.isTerminal, columns > width, !isAssigned else { return }
    interpreter.output(
      .diagnostic(
        "note: cut to the terminal's \(width) columns; save plot \"x.txt\" width=\(columns) has all"))
  }

  /// An option that is a whole number of a range; nil where it is not given.
  func bounded(_ name: String, _ range: ClosedRange<Int>) throws -> Int? {
    guard let option = command.option(name) else { return nil }
    let value = try interpreter.evaluate(option.value)
    let number = value.tensor.flatMap { $0.count == 1 ? $0.scalarValue : nil }
    let whole = number.flatMap { Int(exactly: $0) }
    if let whole, range.contains(whole) { return whole }
    let bounds = "\(range.lowerBound) to \(range.upperBound)"
    let hint = twoSizes(name, option.value, value)
    guard let number else {
      throw Diagnostic(
        .type, "'\(name)' is a number, not \(value.kindName)", at: option.value.span,
        notes: ["it is \(bounds)"], hint: hint)
    }
    let needs = number == number.rounded() ? bounds : "a whole number, \(bounds)"
    throw Diagnostic(
      .domain, "'\(name)' is \(needs), not \(whole.map { "\($0)" } ?? format(number))", at: option.value.span,
      hint: hint)
  }

  /// `size="80x20"`, `size=80×20`, `size=[80, 20]`: columns and lines at once.
  private func twoSizes(_ name: String, _ expr: Expr, _ value: Value) -> String? {
    guard ["size", "width"].contains(name) else { return nil }
    var written = expr.span.text
    if case .string(let text) = value { written = text }
    let numbers = written.split { !$0.isNumber }
    guard numbers.count == 2, written.allSatisfy({ $0.isNumber || " xX×*·,()[]".contains($0) }) else {
      return nil
    }
    return Diagnostic.twoSizes(name, "\(numbers[0])", "\(numbers[1])")
  }

  /// After `range=a..b` a comma begins another thing to plot.
  func refuseLooseRanges() throws {
    for value in command.clause("range")?.values ?? [] where !value.isRange { throw looseRange(value) }
    guard let range = command.option("range") else { return }
    for subject in command.subjects where subject.isRange {
      throw Diagnostic(
        .type, "a range is nothing to plot", at: subject.span,
        hint: "two ranges follow the word: range \(range.value.span.text), \(subject.span.text)")
    }
  }

  /// A value of `range` that is none; with the one after it, which may have been taken for another thing to plot, it
  /// could be.
  private func looseRange(_ value: Expr) -> Diagnostic {
    let values = command.clause("range")?.values ?? []
    let isLoose = !value.isRange && values.contains { $0.span.lower == value.span.lower }
    let after = isLoose ? (values + command.subjects).first { $0.span.lower >= value.span.upper } : nil
    let ends = Self.pair(value) ?? after.map { "\(value.span.text)..\($0.span.text)" }
    return Diagnostic(.type, "a range is written a..b", at: value.span, hint: ends.map { "range \($0)" })
  }

  /// `[a, b]` or `(a, b)`, as a range.
  static func pair(_ expr: Expr) -> String? {
    switch expr.kind {
    case .literal(let rows) where rows.count == 1 && rows[0].count == 2:
      return "\(rows[0][0].span.text)..\(rows[0][1].span.text)"
    case .tuple(let items) where items.count == 2: return "\(items[0].span.text)..\(items[1].span.text)"
    default: return nil
    }
  }

  /// Fixed ranges: `range -1..1`, for two axes also `range -1..1, 0..3`.
  ///
  /// - Parameter axes: what is shown has so many, and so many ranges at most; nil for any number.
  func ranges(axes: Int? = nil) throws -> [ClosedRange<Double>] {
    let given = (command.clause("range")?.values ?? []) + (command.option("range").map { [$0.value] } ?? [])
    for value in given.prefix(axes ?? given.count) where !value.isRange { throw looseRange(value) }
    if let axes, given.count > axes {
      throw Diagnostic(
        .syntax, "\(axes == 1 ? "one axis takes one range" : "two axes take two ranges"), not \(given.count)",
        at: given[axes].span)
    }
    return try given.map { expr in
      guard case .range(let a?, let b?) = expr.kind else { throw looseRange(expr) }
      return try checked(interpreter.number(a), interpreter.number(b), expr.span)
    }
  }
}

extension Interpreter {
  /// Text in the session's width and height, with what its screen can show.
  var textOptions: TextOptions {
    let isUnicode = !state.settings.isASCII
    // The prompt and the line that asked for the plot stay on the screen.
    let rows = options.height.map { min(max($0 - 3, 10), 32) } ?? 24
    return TextOptions(
      width: min(max(options.width, 40), 100), height: rows, unicode: isUnicode,
      braille: isUnicode && options.braille,
      color: options.color ? colorMode : .none)
  }

  private var colorMode: ColorMode {
    switch options.depth {
    case .ansi16: .ansi16
    case .ansi256: .ansi256
    case .trueColor: .trueColor
    }
  }

  func rendered(_ figure: Figure, _ options: TextOptions) -> String {
    var text = Substring(renderText(figure, options))
    while text.last == "\n" { text.removeLast() }
    return String(text)
  }
}

extension Mark {
  /// A line, or its points or stems.
  var curve: Series? {
    switch self {
    case .line(let series), .scatter(let series), .stems(let series): return series
    default: return nil
    }
  }

  /// The values of contour lines or of a heat map.
  var grid: Grid? {
    switch self {
    case .contour(let grid, _), .heatmap(let grid): return grid
    default: return nil
    }
  }
}

extension Expr {
  var isRange: Bool {
    if case .range = kind { return true }
    return false
  }
}
