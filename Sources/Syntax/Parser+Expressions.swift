/// How tightly operators bind; `grammar.md` has the table.
enum Precedence: Int {
  case lowest, or, and, not, comparison, range, sum, product, unary, power
}

extension Parser {
  func parseExpression() throws(Abort) -> Expr { try parseInfix(.lowest) }

  /// An operand and the operators after it that bind at least as tightly as `minimum`.
  func parseInfix(_ minimum: Precedence) throws(Abort) -> Expr {
    try enter()
    defer { depth -= 1 }
    let lower = token.lower
    var left = try parsePrefix(minimum)
    while let level = infixLevel, level.rawValue >= minimum.rawValue {
      left = try extend(left, level, from: lower)
    }
    return left
  }

  /// The precedence of the infix operator at the token.
  private var infixLevel: Precedence? { isAtLineEnd ? nil : tokenKind.infixLevel }

  private func extend(_ left: Expr, _ level: Precedence, from lower: Int) throws(Abort) -> Expr {
    switch level {
    case .or: try parseLogical(left, .or, .orWord, .and, from: lower)
    case .and: try parseLogical(left, .and, .andWord, .not, from: lower)
    case .comparison: try parseComparison(left, from: lower)
    case .range: try parseRange(left, from: lower)
    case .power: try parsePower(left, from: lower)
    default: try parseChain(left, level, from: lower)
    }
  }

  private func parseLogical(
    _ first: Expr, _ op: LogicalOperator, _ word: Token.Kind, _ inner: Precedence, from lower: Int
  ) throws(Abort) -> Expr {
    var operands = [first]
    var highest = height
    while accept(word) {
      operands.append(try parseInfix(inner))
      highest = max(highest, height)
    }
    return try make(.logical(op, operands), from: lower, over: highest)
  }

  private func parseComparison(_ first: Expr, from lower: Int) throws(Abort) -> Expr {
    var rest: [ComparisonLink] = []
    var highest = height
    while !isAtLineEnd, let op = tokenKind.comparison {
      advance()
      rest.append(ComparisonLink(op, try parseInfix(.range)))
      highest = max(highest, height)
    }
    return try make(.comparison(first: first, rest: rest), from: lower, over: highest)
  }

  private func parseChain(_ first: Expr, _ level: Precedence, from lower: Int) throws(Abort) -> Expr {
    var rest: [ChainLink] = []
    var highest = height
    let inner: Precedence = level == .sum ? .product : .unary
    while !isAtLineEnd, tokenKind.infixLevel == level, let op = tokenKind.binary {
      let opSpan = span(of: token)
      advance()
      rest.append(ChainLink(op, opSpan, try parseInfix(inner)))
      highest = max(highest, height)
    }
    return try make(.chain(first: first, rest: rest), from: lower, over: highest)
  }

  private func parsePower(_ base: Expr, from lower: Int) throws(Abort) -> Expr {
    let below = height
    advance()
    let exponent = try parseInfix(.power)
    return try make(.power(base, exponent), from: lower, over: max(below, height))
  }

  private func parseRange(_ start: Expr?, from lower: Int) throws(Abort) -> Expr {
    let below = start == nil ? 0 : height
    let operatorSpan = span(of: token)
    advance()
    if tokenKind == .rightBracket || tokenKind == .comma {
      guard context.isIndex else { throw fail(.openRange, at: operatorSpan) }
      return try make(.range(start, nil), from: lower, over: below)
    }
    let end = try parseInfix(.sum)
    if isAt(.dotDot) { throw fail(.rangeOfRange, at: span(of: token)) }
    return try make(.range(start, end), from: lower, over: max(below, height))
  }

  // MARK: Prefix operators

  private func parsePrefix(_ minimum: Precedence) throws(Abort) -> Expr {
    switch tokenKind {
    case .minus: try parseUnary(.negate)
    case .plus: try parseUnary(.plus)
    case .notWord: try parseNot(minimum)
    case .nabla: try parseNabla("grad")
    case .nablaSquared: try parseNabla("hessian")
    case .ifWord: try parseConditional(minimum)
    case .dotDot: try parseOpenRange()
    default: try parsePostfix()
    }
  }

  private func parseUnary(_ op: UnaryOperator) throws(Abort) -> Expr {
    let lower = token.lower
    advance()
    let operand = try parseInfix(.power)
    return try make(.unary(op, operand), from: lower, over: height)
  }

  private func parseNot(_ minimum: Precedence) throws(Abort) -> Expr {
    guard minimum.rawValue <= Precedence.not.rawValue else {
      throw fail(.looseOperand("not"), at: span(of: token))
    }
    let lower = token.lower
    advance()
    let operand = try parseInfix(.not)
    return try make(.unary(.not, operand), from: lower, over: height)
  }

  /// `∇f` is `grad(f)`, and `∇²f` is `hessian(f)`.
  private func parseNabla(_ function: String) throws(Abort) -> Expr {
    let lower = token.lower
    let callee = Expr(.name(function), span(of: token))
    advance()
    let operand = try parseInfix(.power)
    let argument = Argument(name: nil, value: operand, span: operand.span)
    return try make(.call(callee, [argument]), from: lower, over: height)
  }

  private func parseOpenRange() throws(Abort) -> Expr {
    guard context.isIndex else { throw fail(.openRange, at: span(of: token)) }
    return try parseRange(nil, from: token.lower)
  }

  private func parseConditional(_ minimum: Precedence) throws(Abort) -> Expr {
    guard minimum == .lowest else { throw fail(.looseOperand("if"), at: span(of: token)) }
    let lower = token.lower
    advance()
    return try finishConditional(try parseCondition(), from: lower)
  }

  /// An expression where `=` is a likely slip for `==`.
  func parseCondition() throws(Abort) -> Expr {
    let condition = try parseExpression()
    if isAt(.assign) { throw fail(.assignmentInCondition, at: span(of: token)) }
    return condition
  }

  /// `then a else b`, after the condition.
  func finishConditional(_ condition: Expr, from lower: Int) throws(Abort) -> Expr {
    var highest = height
    let hint = "a choice is written: if c then a else b; to run statements: if c { … }"
    guard tokenKind == .thenWord else { throw failHere { .expected("'then'", found: $0, hint: hint) } }
    advance()
    let first = try parseExpression()
    highest = max(highest, height)
    guard tokenKind == .elseWord else { throw failHere { .expected("'else'", found: $0, hint: hint) } }
    advance()
    let second = try parseExpression()
    return try make(
      .conditional(condition, then: first, else: second), from: lower, over: max(highest, height))
  }
}

extension Token.Kind {
  var infixLevel: Precedence? {
    switch self {
    case .orWord: .or
    case .andWord: .and
    case .equal, .notEqual, .less, .lessEqual, .greater, .greaterEqual: .comparison
    case .dotDot: .range
    case .plus, .minus: .sum
    case .star, .slash, .percent, .at: .product
    case .caret: .power
    default: nil
    }
  }

  var binary: BinaryOperator? {
    switch self {
    case .plus: .add
    case .minus: .subtract
    case .star: .multiply
    case .slash: .divide
    case .percent: .remainder
    case .at: .matmul
    default: nil
    }
  }

  var comparison: ComparisonOperator? {
    switch self {
    case .equal: .equal
    case .notEqual: .notEqual
    case .less: .less
    case .lessEqual: .lessEqual
    case .greater: .greater
    case .greaterEqual: .greaterEqual
    default: nil
    }
  }
}
