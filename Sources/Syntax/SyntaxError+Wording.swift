extension SyntaxError {
  func diagnostic(at span: Span, labels: [Diagnostic.Label] = []) -> Diagnostic {
    let (message, hint) = wording
    return Diagnostic(kind, message, at: span, labels: labels, hint: hint)
  }

  private var kind: DiagnosticKind {
    switch self {
    case .unknownCharacter, .unterminatedString, .unclosedInterpolation, .emptyInterpolation, .unknownEscape,
      .singleQuotes, .malformedNumber, .numberTooLarge, .foreignOperator:
      .lexical
    case .tooDeep: .resource
    default: .syntax
    }
  }

  private var wording: (message: String, hint: String?) {
    lexicalWording ?? expressionWording ?? comprehensionWording ?? statementWording
  }

  private var lexicalWording: (String, String?)? {
    switch self {
    case .unknownCharacter(let scalar):
      ("unknown character \(Self.quoted(scalar))", Self.hint(for: scalar))
    case .unterminatedString:
      ("this string is not closed", "close it with '\"' on the same line; a line break in a string is \\n")
    case .unclosedInterpolation:
      ("this brace in a string is not closed", "close it with '}', or write '{{' for a brace itself")
    case .emptyInterpolation:
      ("there is no expression between the braces", "write '{{' for a brace itself")
    case .unknownEscape(let text):
      ("unknown escape '\(text)'", "escapes are \\n, \\t, \\\" and \\\\; write \\\\ for a backslash itself")
    case .singleQuotes:
      ("a ' stands only after an operand, for its transpose", "strings are written with double quotes")
    case .malformedNumber(let text, let option, let isText):
      ("malformed number '\(text)'", Self.hint(forNumber: text, option, isText: isText))
    case .numberTooLarge(let text): ("the number '\(text)' is too large", "write inf for infinity")
    case .foreignOperator(let text, let hint): ("unknown operator '\(text)'", hint)
    default: nil
    }
  }

  private var expressionWording: (String, String?)? {
    switch self {
    case .expectedExpression(let after?, let found, let hint):
      ("expected an expression after \(after), found \(found)", hint)
    case .expectedExpression(nil, let found, let hint): ("expected an expression, found \(found)", hint)
    case .expected(let what, let found, let hint): ("expected \(what), found \(found)", hint)
    case .unclosed(let opener): ("'\(opener)' is never closed", "add '\(Self.closer(of: opener))'")
    case .unmatchedCloser(let closer): ("unmatched '\(closer)'", "remove it, or open it before")
    case .wrongCloser(let found, let opener):
      ("'\(found)' cannot close '\(opener)'", "close it with '\(Self.closer(of: opener))' first")
    case .assignmentInCondition: ("'=' assigns and cannot stand in a condition", "did you mean '=='?")
    case .strayAssignment(let hint): ("'=' cannot stand inside an expression", hint ?? "did you mean '=='?")
    case .openRange:
      ("a range has two ends here", "an end may be left out only inside an index, as in x[2..]")
    case .rangeOfRange: ("a range cannot be the end of another range", "a range is written a..b")
    case .looseOperand(let word):
      ("'\(word)' binds less tightly than the operator before it", "put it in parentheses: (\(word) …)")
    case .emptyParentheses(let verb):
      ("there is nothing between the parentheses", verb.map { Self.standing(alone: $0) })
    case .positionalAfterNamed:
      ("an argument without a name follows one with a name", "put named arguments last")
    case .repeatedArgument(let name): ("the argument '\(name)' is given twice", nil)
    case .strayColon(let hint):
      ("':' stands only inside an index, as in X[:, 1:3]", hint ?? "an interval is written a..b")
    case .tooDeep(let limit):
      ("this is nested more than \(limit) levels deep", "give a part of it a name with ':='")
    default: nil
    }
  }

  private var comprehensionWording: (String, String?)? {
    switch self {
    case .emptyComprehension:
      ("there is nothing before 'for' to be computed", "a comprehension is written [e for x in X]")
    case .comprehensionInLiteral:
      (
        "'for' makes one element for each entry, so no others can stand beside it",
        "several values for each entry are a list of their own: [[a, b] for x in X]"
      )
    case .repeatedFor: ("a comprehension has one 'for'", "separate clauses with ',': for a in A, b in B")
    case .conditionAfterDomain:
      (
        "a comprehension has no condition, since its shape must be known",
        "choose entries of the domain, as in X[X > 0], or values with if … then … else …"
      )
    case .repeatedLoopVariable(let name): ("two loop variables are named '\(name)'", nil)
    default: nil
    }
  }

  private var statementWording: (String, String?) {
    switch self {
    case .trailing(let found, let hint):
      ("expected the end of the statement, found \(found)", hint)
    case .missingValue(let after): ("missing expression after '\(after)'", nil)
    case .notATarget(let hint): ("cannot assign to this", hint)
    case .bareDeclaration(let keyword, let name):
      ("'\(keyword) \(name)' has no value", Self.declarationHint(keyword, name))
    case .definedDeclaration(let keyword):
      ("a \(keyword) holds a value, so it is declared with '='", "did you mean '='?")
    case .foreignKeyword(let word, let hint): ("there is no '\(word)' in hlab", hint)
    case .elseWithoutIf: ("'else' without 'if'", "put 'else' on the line of the '}' before it")
    case .repeatedFormal(let name): ("two parameters are named '\(name)'", nil)
    case .requiredAfterDefault(let name):
      ("the parameter '\(name)' needs a default value", "put parameters with default values last")
    case .noSubject(let verb, let found, let hint):
      ("'\(verb)' takes no argument here, found \(found)", hint)
    case .noBlock(let verb): ("'\(verb)' takes no block", "see ?\(verb)")
    case .missingClauseValue(let keyword, let found):
      ("expected an expression after '\(keyword)', found \(found)", Self.clauseHint(keyword))
    case .tooManyErrors: ("too many errors; the rest is not shown", nil)
    default: ("syntax error", nil)
    }
  }

  private static func clauseHint(_ keyword: String) -> String? {
    switch keyword {
    case "along": "directions are x[0], a vector, grad, eig(1), step, random or pca"
    case "range": "as in: range -1..1"
    case "until": "as in: until norm(grad) < 1e-6"
    case "from", "to": "points are kept with: a = params"
    case "max": "as in: max 100"
    case "top", "bottom": "as in: \(keyword) 5"
    case "wrt": "as in: wrt x"
    case "validate": "as in: validate loss(X = X_test, y = y_test)"
    case "track": "as in: track norm(grad)"
    case "for": "as in: for t in -1..1"
    default: nil
    }
  }

  /// How a command is written that takes no parentheses.
  private static func standing(alone verb: String) -> String {
    CommandGrammar[verb: verb]?.subject == .methods
      ? "a method follows the command: \(verb) newton" : "the command stands alone: \(verb)"
  }

  static func closer(of opener: String) -> String {
    switch opener {
    case "(": ")"
    case "[": "]"
    case "{": "}"
    default: opener
    }
  }

  private static func declarationHint(_ keyword: String, _ name: String) -> String {
    keyword == "param"
      ? "a param is declared with its start value: param \(name) = 0"
      : "data is declared with its value: data \(name) = load(\"file.npy\")"
  }

  private static func quoted(_ scalar: Unicode.Scalar) -> String {
    let isVisible = scalar.value > 0x20 && scalar.value != 0x7F && !(0x80..<0xA0).contains(scalar.value)
    let code = "U+" + String(scalar.value, radix: 16, uppercase: true)
    return isVisible ? "'\(scalar)'" : code
  }

  private static func hint(for scalar: Unicode.Scalar) -> String? {
    switch scalar {
    case "“", "”", "„", "‘", "’", "`", "«", "»": "strings are written with double quotes: \"text\""
    case "!": "write 'not', or '!=' for 'not equal'"
    case "$": "names consist of letters, digits and '_'"
    case "\\": "a line goes on after an operator or within brackets; A\\b is solve(A, b)"
    case "√": "write sqrt(x)"
    case "∂": "write grad(f, x)"
    case "∑", "Σ": "write sum(x)"
    case "∏": "write prod(x)"
    case "∞": "write inf"
    case "÷": "write /"
    case "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹", "¹", "⁰", "⁻", "ⁿ": "power is written ^, as in x^2"
    case "∈": "write 'in'"
    case "…": "a range is written a..b"
    default: nil
    }
  }

  private static func hint(forNumber text: String, _ option: String?, isText: Bool) -> String {
    let digits = text.prefix { "0123456789._".contains($0) }
    let rest = text.dropFirst(digits.count)
    if digits == "0" && (rest.first == "x" || rest.first == "X") {
      return "numbers are decimal: 255, 1.5, 1e-3"
    }
    if digits.split(separator: ".", omittingEmptySubsequences: false).count > 2 {
      return "a number has one decimal point"
    }
    if rest == "e" || rest == "E" { return "an exponent needs digits: \(digits)e3" }
    if rest.isEmpty || rest.first == "_" || digits.hasSuffix("_") {
      return "'_' stands between digits: 1_000"
    }
    let product = "a product is written with '*': \(digits)*\(rest)"
    guard let option else { return product }
    if ["size", "width"].contains(option), "xX".contains(rest.prefix(1)), Int(rest.dropFirst()) != nil {
      return Diagnostic.twoSizes(option, "\(digits)", "\(rest.dropFirst())")
    }
    return isText ? "a text stands in quotes: \(option)=\"\(text)\"; \(product)" : product
  }
}

extension Diagnostic {
  /// The hint where columns and lines stand in one option.
  public static func twoSizes(_ option: String, _ columns: String, _ lines: String) -> String {
    "columns and lines are two options: \(option)=\(columns) height=\(lines)"
  }
}
