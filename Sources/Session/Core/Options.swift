import Syntax
import Tensors

/// A value that a script is run with: `lr=0.1`.
struct GivenOption {
  let name: String
  /// What was written, as an expression; why not, where it is none.
  let value: Result<Expr, Diagnostic>
  /// As it was written: the value of an option that holds a text, which needs no quotes then.
  let text: String
  let span: Span

  init(name: String, value: Result<Expr, Diagnostic>, text: String, span: Span) {
    (self.name, self.value, self.text, self.span) = (name, value, text, span)
  }

  /// From a command line.
  init(_ name: String, _ text: String) {
    let source = SourceText(name: "<\(name)=\(text)>", text: text)
    let whole = Span(source, 0, text.utf8.count)
    let value = Self.expression(name, source, whole)
    self.init(name: Names.canonical(name), value: value, text: text, span: whole)
  }

  private static func expression(
    _ name: String, _ source: SourceText, _ whole: Span
  ) -> Result<Expr, Diagnostic> {
    let (parsed, text) = (Parser.parse(source), source.text)
    let statement = parsed.statements.count == 1 ? parsed.statements[0].kind : nil
    var problem = Diagnostic(.usage, "the value of '\(name)' is not an expression", at: whole)
    // A path, a word with a hyphen, a=b: fit for an option that is a text, and told when it is not.
    let isPlain = !text.hasPrefix("=") && text.allSatisfy { !$0.isWhitespace && !"{}[]()\";".contains($0) }
    if let first = parsed.diagnostics.first {
      if isPlain {
        return .success(Expr(.string([.text(text)]), whole))
      }
      (problem.span, problem.notes) = (first.span, [first.message])
    } else if case .expression(let value)? = statement {
      return .success(value)
    } else if case .command(let command)? = statement {
      problem.notes = ["'\(command.verb)' begins a command"]
    } else if case .assign? = statement, isPlain {
      return .success(Expr(.string([.text(text)]), whole))
    }
    return .failure(problem)
  }

  /// How what was meant for a text is written.
  var quotingHint: String? {
    let isPlain = text.allSatisfy { !"\"'\\{}".contains($0) && !$0.isNewline }
    return isPlain ? "a text stands in quotes, for hlab and for the shell: \(name)='\"\(text)\"'" : nil
  }
}

extension Interpreter {
  /// Options that statements declare.
  func options(in statements: [Statement]) -> [(name: String, value: Expr)] {
    statements.compactMap { statement in
      if case .option(let name, _, let value) = statement.kind { return (name, value) }
      return nil
    }
  }

  /// Keeps values for the options of a script that is about to run; binds them as names when it declares none.
  func give(_ given: [GivenOption], to statements: [Statement]) throws {
    let declared = options(in: statements)
    guard !declared.isEmpty else {
      givenOptions = []
      for option in given {
        let (expr, value) = try evaluate(option, hint: option.quotingHint)
        try assign([Expr(.name(option.name), option.span)], value, expr)
      }
      return
    }
    for option in given where !declared.contains(where: { $0.name == option.name }) {
      throw Diagnostic(
        .usage, "the script has no option '\(option.name)'", at: option.span,
        notes: ["it has " + declared.map { "\($0.name)=\($0.value.span.text)" }.joined(separator: ", ")],
        hint: closestMatch(to: option.name, in: declared.map(\.name)).map { "did you mean '\($0)'?" })
    }
    givenOptions = given
  }

  /// `option name = default`
  func declareOption(_ name: String, _ span: Span, _ expr: Expr, echoes: Bool) throws {
    guard state.frames.isEmpty, loopDepth == 0 else {
      throw Diagnostic(.type, "options are declared at the top level of a script", at: span)
    }
    willChange()
    let standard = try evaluate(expr)
    let given = givenOptions.last { $0.name == name }
    let value = try given.map { try self.value(of: $0, like: standard, expr) } ?? standard
    try assign([Expr(.name(name), span)], value, expr)
    let shown = valueText.text(value)
    declaredOptions.removeAll { $0.name == name }
    declaredOptions.append((name, shown))
    log?.remark("option \(name) = \(shown)")
    if options.isJSON {
      emit([("option", .string(name)), ("value", value), ("given", .number(given == nil ? 0 : 1))])
    } else if echoes {
      output(.text(valueText.labeled(name, value)))
    }
  }

  /// Anything but a file that cannot be read is wrong usage. The hint is for words that mean nothing.
  private func evaluate(
    _ option: GivenOption, notes: [String] = [], hint: String? = nil
  ) throws -> (expr: Expr, value: Value) {
    do {
      let expr = try option.value.get()
      return (expr, try evaluate(expr))
    } catch var problem as Diagnostic where ![.interrupt, .io].contains(problem.kind) {
      if problem.kind == .name || problem.kind == .usage { problem.hint = hint ?? problem.hint }
      problem.kind = .usage
      problem.notes += notes
      throw problem.placed(at: option.span)
    }
  }

  /// A given value, of the kind that the default has.
  private func value(of option: GivenOption, like standard: Value, _ expr: Expr) throws -> Value {
    if case .string = standard {
      if case .success(let given) = option.value, case .string = given.kind { return try evaluate(given) }
      return .string(option.text)
    }
    let value = try evaluate(option, notes: ["the default is \(expr.span.text)"]).value
    func refusal(_ kind: String) -> Diagnostic {
      Diagnostic(
        .usage, "option '\(option.name)' is \(kind), not \(value.kindName)", at: option.span,
        notes: ["its default is \(expr.span.text)"])
    }
    guard let model = standard.tensor else { return value }
    guard let tensor = value.tensor, tensor.rank == model.rank else { throw refusal(standard.kindName) }
    if case .boolean = expr.kind, ![0, 1].contains(tensor.scalarValue) {
      throw refusal("true or false")
    }
    return value
  }
}

extension Session {
  /// The options that a script declares, with their defaults and the comments behind them, as lines; nil when the text
  /// has errors, which are reported.
  public func describeOptions(of text: String, name: String) -> [String]? {
    let source = SourceText(name: name, text: text)
    let parsed = Parser.parse(source)
    guard parsed.diagnostics.isEmpty else {
      for diagnostic in parsed.diagnostics { interpreter.report(diagnostic) }
      return nil
    }
    let rows = parsed.statements.compactMap { statement -> (String, String)? in
      guard case .option(let name, _, let value) = statement.kind else { return nil }
      let rest = String(decoding: Array(source.text.utf8)[statement.span.upper...], as: UTF8.self)
      let line = rest.prefix { $0 != "\n" }
      let comment = line.firstIndex(of: "#").map { String(line[$0...].dropFirst()) } ?? ""
      return ("\(name)=\(value.span.text)", String(comment.drop { $0 == " " }))
    }
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { row in
      row.1.isEmpty ? row.0 : row.0 + String(repeating: " ", count: width - row.0.count + 2) + row.1
    }
  }
}
