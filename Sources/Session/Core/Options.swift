import Syntax
import Tensors

/// A value that a script is run with: `lr=0.1`.
struct GivenOption {
  let name: String
  let value: Expr
  /// As it was written: the value of an option that holds a text, which needs no quotes then.
  let text: String
  let span: Span

  init(name: String, value: Expr, text: String, span: Span) {
    (self.name, self.value, self.text, self.span) = (name, value, text, span)
  }

  /// From a command line. What is no expression is a text.
  static func parse(_ name: String, _ text: String) -> Result<GivenOption, Diagnostic> {
    let source = SourceText(name: "<\(name)=\(text)>", text: "\(name)=\(text)")
    let parsed = Parser.parse(source)
    let whole = Span(source, 0, source.text.utf8.count)
    if parsed.diagnostics.isEmpty, parsed.statements.count == 1,
      case .assign(_, let value) = parsed.statements[0].kind
    {
      return .success(GivenOption(name: name, value: value, text: text, span: whole))
    }
    // A path, a word with a hyphen: fit for an option that is a text, and told when it is not.
    if text.allSatisfy({ !$0.isWhitespace && !"{}[]()\"".contains($0) }) {
      let literal = Expr(.string([.text(text)]), whole)
      return .success(GivenOption(name: name, value: literal, text: text, span: whole))
    }
    return .failure(parsed.diagnostics.first ?? Diagnostic(.syntax, "expected a value", at: whole))
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
        try assign([Expr(.name(option.name), option.span)], try evaluate(option.value), option.value)
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

  /// A given value, of the kind that the default has.
  private func value(of option: GivenOption, like standard: Value, _ expr: Expr) throws -> Value {
    if case .string = standard {
      if case .string = option.value.kind { return try evaluate(option.value) }
      return .string(option.text)
    }
    let value: Value
    do {
      value = try evaluate(option.value)
    } catch let problem as Diagnostic {
      throw Diagnostic(
        .usage, problem.message, at: problem.span ?? option.span, notes: ["the default is \(expr.span.text)"],
        hint: problem.hint)
    }
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
