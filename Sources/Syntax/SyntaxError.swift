/// Everything the lexer and the parser can find wrong. `SyntaxError+Wording.swift` says it to people.
enum SyntaxError {
  // The lexer's.
  case unknownCharacter(Unicode.Scalar)
  case unterminatedString
  case unclosedInterpolation
  case emptyInterpolation
  case unknownEscape(String)
  case singleQuotes
  /// With the name of the command's option that it is the value of.
  case malformedNumber(String, option: String? = nil, isText: Bool = false)
  case numberTooLarge(String)
  case foreignOperator(String, hint: String)

  // Expressions.
  case expectedExpression(after: String?, found: String, hint: String? = nil)
  case expected(String, found: String, hint: String? = nil)
  case unclosed(String)
  case unmatchedCloser(String)
  case wrongCloser(found: String, opener: String)
  case assignmentInCondition
  case strayAssignment(hint: String?)
  case openRange
  case rangeOfRange
  case looseOperand(String)
  /// A verb stands before them, or nothing that a call could be of.
  case emptyParentheses(verb: String?)
  case positionalAfterNamed
  case repeatedArgument(String)
  case strayColon(hint: String?)
  case tooDeep(limit: Int)
  case emptyComprehension
  case comprehensionInLiteral
  case repeatedFor
  case conditionAfterDomain
  case repeatedLoopVariable(String)

  // Statements.
  case trailing(found: String, hint: String?)
  case missingValue(after: String)
  case notATarget(hint: String)
  case bareDeclaration(keyword: String, name: String)
  case definedDeclaration(keyword: String)
  case foreignKeyword(String, hint: String)
  case elseWithoutIf
  case repeatedFormal(String)
  case requiredAfterDefault(String)

  // Commands.
  case noSubject(verb: String, found: String, hint: String)
  case noBlock(verb: String)
  case missingClauseValue(keyword: String, found: String)

  case tooManyErrors
}
