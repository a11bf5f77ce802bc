import Optimization
import Syntax

/// What Tab offers.
struct Completion {
  let interpreter: Interpreter

  init(_ interpreter: Interpreter) { self.interpreter = interpreter }

  /// Where the word at a place starts, and what could stand there: sorted, each once.
  func candidates(_ text: String, _ utf8Offset: Int) -> (replaceFrom: Int, candidates: [String]) {
    let end = max(0, min(utf8Offset, text.utf8.count))
    let before = String(decoding: Array(text.utf8.prefix(end)), as: UTF8.self)
    let context = CompletionContext(before)
    if context.isComment { return (end, []) }
    if let start = context.stringStart {
      let partial = String(decoding: Array(before.utf8.dropFirst(start)), as: UTF8.self)
      return (start, Set(FileNames.matching(partial)).sorted())
    }
    if context.word.hasPrefix("\\") {
      return (context.wordStart, GreekLetters.matching(String(context.word.dropFirst())))
    }
    if context.word.first?.isNumber == true { return (context.wordStart, []) }
    return words(context)
  }

  private func words(_ context: CompletionContext) -> (replaceFrom: Int, candidates: [String]) {
    var (word, start) = (context.word, context.wordStart)
    // Methods may have hyphens: `damped-n`.
    let stem = hyphenated(context.statement)
    if !stem.isEmpty, context.statement.hasSuffix("-"),
      expected(String(context.statement.dropLast(stem.count))).methods
    {
      word = stem + word
      start -= stem.utf8.count
      let head = String(context.statement.dropLast(stem.count))
      return (start, matching(word, expected(head).words))
    }
    if context.statement.hasSuffix(".") && !context.statement.hasSuffix("..") {
      return (start, matching(word, fields(of: String(context.statement.dropLast()))))
    }
    var known = context.isBracketed ? expressionWords : expected(context.statement).words
    if let builtin = context.callee.flatMap({ Builtins.byName[$0] }) {
      known += builtin.parameters.filter { $0.defaultText != nil }.map { $0.name + "=" }
    }
    if let callee = context.callee, let method = Methods.byName[callee], namesMethods(context.statement) {
      return (
        start, matching(word, method.options.map { $0.name + "=" } + (word.isEmpty ? [] : expressionWords))
      )
    }
    return (start, matching(word, known))
  }

  /// The statement is a command that methods belong to: `compare gd(l`.
  private func namesMethods(_ statement: String) -> Bool {
    let verb = statement.prefix(while: CompletionContext.isPart)
    return CommandGrammar[verb: String(verb)]?.subject == .methods
  }

  /// `damped-` at the end of a text.
  private func hyphenated(_ text: String) -> String {
    guard text.hasSuffix("-") else { return "" }
    let stem = text.reversed().prefix { CompletionContext.isPart($0) || $0 == "-" }
    return String(stem.reversed())
  }

  /// Candidates that begin as the word does; a Greek letter also when its name does.
  private func matching(_ word: String, _ known: [String]) -> [String] {
    let found = known.filter { name in
      name.hasPrefix(word)
        || (!word.isEmpty && Names.spelled(name) != name && Names.spelled(name).hasPrefix(word))
    }
    return Set(found).sorted()
  }

  // MARK: By the statement so far

  private func expected(_ statement: String) -> (words: [String], methods: Bool) {
    let rest = Substring(statement)
    if rest.first == "?" { return (Help.topics(interpreter), false) }
    if rest.isEmpty { return (verbs + Self.keywords + expressionWords, false) }
    let body = afterAssignment(rest)
    if body.isEmpty { return (verbs + expressionWords, false) }
    let verb = String(body.prefix(while: CompletionContext.isPart))
    let tail = body.dropFirst(verb.count)
    guard let grammar = CommandGrammar[verb: verb], interpreter.lookup(verb) == nil,
      tail.first?.isWhitespace == true
    else {
      return (expressionWords, false)
    }
    return command(grammar, tail.drop { $0.isWhitespace })
  }

  /// The text after `name =` or `param name =`, where a command may stand.
  private func afterAssignment(_ text: Substring) -> Substring {
    var rest = text
    func word() -> String {
      let name = rest.prefix(while: CompletionContext.isPart)
      rest = rest.dropFirst(name.count).drop { $0.isWhitespace }
      return String(name)
    }
    let first = word()
    if first == "param" || first == "data" { _ = word() }
    guard !first.isEmpty, rest.first == "=", !rest.hasPrefix("==") else { return text }
    return rest.dropFirst().drop { $0.isWhitespace }
  }

  private func command(_ grammar: CommandGrammar, _ tail: Substring) -> (words: [String], methods: Bool) {
    let previous = tail.split(whereSeparator: \.isWhitespace).last.map(String.init)
    if let previous, previous.hasSuffix("kind=") { return (PlotKind.allCases.map(\.rawValue), false) }
    if let previous, previous.hasSuffix("=") { return (expressionWords, false) }
    switch grammar.subject {
    case .statement: return expected(String(tail))
    case .word where grammar.verb == "help": return (Help.topics(interpreter), false)
    case .word: return (settingWords(previous), false)
    case .methods
    where previous == nil
      || tail.drop(while: { $0.isWhitespace }).reversed().first { !$0.isWhitespace } == ",":
      return (MethodNames.all, true)
    default: break
    }
    var words = grammar.clauses.map(\.keyword) + options(grammar.verb)
    if grammar.subject == .methods, previous.map(MethodNames.all.contains) == true { return (words, false) }
    if grammar.verb == "save" { words.append("plot") }
    return (words + expressionWords, false)
  }

  private func settingWords(_ previous: String?) -> [String] {
    switch previous {
    case nil: return Setting.allCases.map(\.rawValue)
    case "precision": return ["f32", "f64"]
    case "ascii": return ["false", "true"]
    case "memory": return ["auto"]
    default: return []
    }
  }

  private func options(_ verb: String) -> [String] {
    (Commands.table[verb]?.options ?? []).filter { $0.name != "*" }.map { $0.name + "=" }
  }

  // MARK: Lists of words

  private static let keywords = [
    "param", "data", "option", "residuals", "print", "assert", "repeat", "for", "while", "if", "else",
    "return",
    "break", "continue",
  ]

  private var verbs: [String] { CommandGrammar.verbs.filter { Commands.table[$0] != nil } }

  private var expressionWords: [String] {
    interpreter.visibleNames + Array(Builtins.byName.keys) + CalculusFunction.allCases.map(\.rawValue)
      + SpecialName.words + ["and", "or", "not", "if", "then", "else", "for", "in"]
  }

  // MARK: Fields

  /// Names after the point of `g.` or `eig(A).`.
  private func fields(of statement: String) -> [String] {
    let text = lastOperand(statement)
    guard !text.isEmpty else { return [] }
    let parsed = Parser.parse(
      SourceText(name: "<completion>", text: text), shadowedVerbs: interpreter.shadowedVerbs)
    let expr: Expr
    switch parsed.statements.first?.kind {
    case .expression(let found)?: expr = found
    case .command(let command)? where command.subjects.isEmpty: expr = Expr(.name(command.verb), command.span)
    default: return []
    }
    if case .name(let name) = expr.kind, case .variable(let v)? = interpreter.lookup(name) {
      return v.value.fieldNames + blockNames(v.value)
    }
    guard let meaning = try? interpreter.elaborator().meaning(expr) else { return [] }
    switch meaning {
    case .bundle(let bundle): return bundle.names
    case .fields(let fields): return fields.map(\.name)
    case .blockMatrix(_, let names, _): return names
    default: return []
    }
  }

  private func blockNames(_ value: Value) -> [String] {
    if case .blockMatrix(_, let names, _) = value { return names }
    return []
  }

  /// The operand that a text ends in, with its brackets: `eig(A)` of `x + eig(A)`.
  private func lastOperand(_ text: String) -> String {
    var depth = 0
    let operand = text.reversed().prefix { character in
      switch character {
      case ")", "]": depth += 1
      case "(", "[":
        depth -= 1
        return depth >= 0
      default: return depth > 0 || CompletionContext.isPart(character) || character == "."
      }
      return true
    }
    return String(operand.reversed())
  }
}

/// Greek letters by their names: `\lambda`.
enum GreekLetters {
  private static let names = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
    "nu",
    "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta",
    "Lambda",
    "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
  ]

  static func matching(_ name: String) -> [String] {
    let symbols = ["nabla": "∇"].filter { $0.key.hasPrefix(name) }.map(\.value)
    if names.contains(name) { return [Names.canonical(name)] }
    return (names.filter { $0.hasPrefix(name) }.map(Names.canonical) + symbols).sorted()
  }
}
