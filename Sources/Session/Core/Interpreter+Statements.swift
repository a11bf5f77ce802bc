import Engine
import Graph
import Syntax
import Tensors

/// How a list of statements ended.
enum Flow {
  case next
  case broke
  case continued
  case returned(Value)
}

extension Interpreter {
  /// Runs statements in order.
  func run(_ statements: [Statement], echoes: Bool = false) throws -> Flow {
    for statement in statements {
      try Interruption.check()
      let flow = try placing(statement.span) {
        statement.isCompound
          ? try quietly(statement.isSilent) { try run(compound: statement) }
          : try atom { try run(statement, echoes: echoes) }
      }
      if case .next = flow { continue }
      return flow
    }
    return .next
  }

  /// Errors without a place get the statement's.
  private func placing<T>(_ span: Span, _ body: () throws -> T) throws -> T {
    do {
      return try body()
    } catch let diagnostic as Diagnostic {
      throw diagnostic.placed(at: span)
    } catch let error as EngineError {
      if error == .interrupted { throw error }
      throw EngineErrors.diagnostic(error, span)
    }
  }

  private func run(_ statement: Statement, echoes: Bool) throws -> Flow {
    let isQuiet = statement.isSilent
    let echoes = echoes && !isQuiet
    switch statement.kind {
    case .expression(let expr): try show(expr, isQuiet: isQuiet)
    case .assign(let targets, let value):
      if try declareNetwork(targets, value, echoes: echoes) { break }
      let result = try evaluate(value)
      try assign(targets, result, value)
      if echoes { echo(targets, result) }
    case .define(let name, let span, let value): try define(name, span, value, echoes: echoes)
    case .function(let declaration): try define(declaration, echoes: echoes)
    case .param(let name, let span, let value, let bounds):
      try declare(name, span, value, isParam: true, bounds: bounds, echoes: echoes)
    case .residuals(let name, let span, let value):
      try declareResiduals(name, span, value, echoes: echoes)
    case .option(let name, let span, let value):
      try declareOption(name, span, value, echoes: echoes)
    case .data(let name, let span, let value):
      try declare(name, span, value, isParam: false, echoes: echoes)
    case .random(let names, let value):
      willChange()
      try declareRandom(names, value, echoes: echoes)
    case .command(let command):
      willChange()
      let result = try run(command, isAssigned: isQuiet || options.isJSON || trial != nil)
      if options.isJSON, !isQuiet, trial == nil {
        emit([("command", .string(command.span.text)), ("result", result)])
      }
      if case .nothing = result { break }
      state.answer = result
    case .forLoop, .whileLoop, .repeatLoop, .conditional: return try run(compound: statement)
    case .returning(let value):
      guard !state.frames.isEmpty || trial != nil else {
        throw Diagnostic(.type, "'return' stands outside a function or block", at: statement.span)
      }
      return .returned(try value.map { try evaluate($0) } ?? .nothing)
    case .breaking, .continuing:
      guard loopDepth > 0 else {
        throw Diagnostic(.type, "'\(statement.span.text)' stands outside a loop", at: statement.span)
      }
      if case .breaking = statement.kind { return .broke }
      return .continued
    case .print(let items):
      let values = try items.map { try evaluate($0) }
      if options.isJSON {
        emit([("print", values.count == 1 ? values[0] : .tuple(values))])
      } else {
        let text = values.count == 1 ? valueText : valueText.inline
        output(.text(values.map(text.text).joined(separator: " ")))
      }
    case .assertion(let condition, let message): try check(condition, message)
    case .help(let name): output(.text(try Help.text(for: name, statement.span, self)))
    }
    return .next
  }

  /// A bare expression prints its value and becomes `ans`.
  private func show(_ expr: Expr, isQuiet: Bool) throws {
    if case .call(let callee, let arguments) = expr.kind, case .name(let name) = callee.kind,
      case .function(let function)? = lookup(name), function.isProcedure
    {
      willChange()
      let result = try call(function, arguments, expr.span)
      if case .nothing = result { return }
      state.answer = result
      if !isQuiet { show(result, of: expr) }
      return
    }
    let result = try evaluate(expr)
    if case .nothing = result { return }
    state.answer = result
    if !isQuiet { show(result, of: expr) }
  }

  private func show(_ result: Value, of expr: Expr) {
    if options.isJSON { return emit([("expression", .string(expr.span.text)), ("value", result)]) }
    output(.text(valueText.text(result)))
  }

  // MARK: Blocks

  private func run(compound statement: Statement) throws -> Flow {
    switch statement.kind {
    case .forLoop(let names, let domain, let body): return try loop(names, domain, body, statement)
    case .whileLoop(let condition, let body): return try loop(while: condition, body, statement)
    case .repeatLoop(let count, let body): return try loop(count, body, statement)
    case .conditional(let branches, let otherwise):
      for branch in branches where try holds(branch.condition) { return try run(branch.body) }
      return try otherwise.map { try run($0) } ?? .next
    default: return .next
    }
  }

  /// A `;` after a loop silences the moves inside.
  private func quietly(_ isQuiet: Bool, _ body: () throws -> Flow) rethrows -> Flow {
    let saved = movesAreQuiet
    movesAreQuiet = saved || isQuiet
    defer { movesAreQuiet = saved }
    return try body()
  }

  private func isTrue(_ condition: Expr) throws -> Bool {
    guard let tensor = try evaluate(condition).tensor else {
      throw Diagnostic(.type, "a condition must be a number", at: condition.span)
    }
    return try Self.isTrue(tensor, condition)
  }

  /// The condition of an `if` or a loop: of several numbers it is not clear which have to hold.
  static func isTrue(_ value: Tensor, _ condition: Expr) throws -> Bool {
    guard value.count == 1 else {
      throw Diagnostic(
        .shape, "a condition is one number, not a tensor of shape \(value.shape.shapeDescription)",
        at: condition.span,
        hint: "all(\(condition.span.text)) holds where every entry does, any(…) where one does")
    }
    return value.doubles[0] != 0
  }

  private func body(_ statements: [Statement]) throws -> Flow? {
    loopDepth += 1
    defer { loopDepth -= 1 }
    switch try run(statements) {
    case .broke: return .next
    case .returned(let value): return .returned(value)
    case .next, .continued: return nil
    }
  }

  private func loop(
    _ names: [String], _ domain: Expr, _ statements: [Statement], _ statement: Statement
  ) throws -> Flow {
    if case .range(let a?, let b?) = domain.kind, names.count == 1 {
      let hint = "a..b counts whole numbers; other steps: for t in linspace(0.1, 0.5, 5) { … }"
      let (low, high) = try atom { (try whole(a, hint: hint), try whole(b, hint: hint)) }
      var k = low
      while k < high {
        if let flow = try runCompiled(statement, &k, to: high) { return flow }
        if k >= high { break }
        bindLoopVariable(names[0], .number(Double(k)))
        if let flow = try body(statements) { return flow }
        k += 1
      }
      return .next
    }
    let value = try atom { try evaluate(domain) }
    guard let items = value.tensor, let count = items.shape.first else {
      throw Diagnostic(
        .type, "for runs over a range or a tensor, not \(value.kindName)", at: domain.span,
        hint: value.parts == nil
          ? "a range is 0..\(domain.span.text)" : "values stand in square brackets: [0.1, 0.3]")
    }
    for k in 0..<count {
      let part = items.slice(k)
      if names.count == 1 {
        bindLoopVariable(names[0], .tensor(part))
      } else {
        guard part.shape.first == names.count else {
          throw Diagnostic(
            .shape, "\(names.count) names do not fit parts of shape \(part.shape.shapeDescription)",
            at: domain.span)
        }
        for (place, name) in names.enumerated() { bindLoopVariable(name, .tensor(part.slice(place))) }
      }
      if let flow = try body(statements) { return flow }
    }
    return .next
  }

  private func loop(while condition: Expr, _ statements: [Statement], _ statement: Statement) throws -> Flow {
    var k = 0
    while true {
      if let flow = try runCompiled(statement, &k, to: nil) { return flow }
      guard try holds(condition) else { break }
      if let flow = try body(statements) { return flow }
    }
    return .next
  }

  /// A condition, by itself.
  func holds(_ condition: Expr) throws -> Bool { try atom { try isTrue(condition) } }

  private func loop(_ count: Expr, _ statements: [Statement], _ statement: Statement) throws -> Flow {
    let n = try atom { try whole(count) }
    var k = 0
    while k < n {
      if let flow = try runCompiled(statement, &k, to: n) { return flow }
      if k >= n { break }
      if let flow = try body(statements) { return flow }
      k += 1
    }
    return .next
  }

  func whole(_ expr: Expr, hint: String? = nil) throws -> Int {
    guard let tensor = try evaluate(expr).tensor, tensor.count == 1, let n = Int(exactly: tensor.scalarValue)
    else {
      throw Diagnostic(.domain, "expected a whole number", at: expr.span, hint: hint)
    }
    return n
  }

  func number(_ expr: Expr) throws -> Double {
    guard let tensor = try evaluate(expr).tensor, tensor.count == 1 else {
      throw Diagnostic(.type, "expected a number", at: expr.span)
    }
    return tensor.scalarValue
  }

  func bindLoopVariable(_ name: String, _ value: Value) {
    let changes = changeCount
    bind(name, .variable(Variable(id: variableID(name), value: value, isLoopVariable: true)))
    changeCount = changes
  }

  private func check(_ condition: Expr, _ message: Expr?) throws {
    // What is asserted of a tensor is asserted of every entry.
    guard let value = try evaluate(condition).tensor else {
      throw Diagnostic(.type, "an assertion must be a number or a tensor", at: condition.span)
    }
    if value.doubles.allSatisfy({ $0 != 0 }) { return }
    var notes: [String] = []
    if case .comparison(let first, let rest) = condition.kind {
      for side in [first] + rest.map(\.operand) {
        if case .number = side.kind { continue }
        notes.append("\(side.span.text) = \(valueText.inline.text(try evaluate(side)))")
      }
    }
    let text = try message.map { try evaluate($0) }.map(valueText.inline.text)
    throw Diagnostic(
      .assertion, text.map { "assertion failed: \($0)" } ?? "assertion failed", at: condition.span,
      notes: notes)
  }

  // MARK: Echo

  private func echo(_ targets: [Expr], _ value: Value) {
    if case .nothing = value { return }
    guard targets.count > 1 else { return output(.text(valueText.labeled(targets[0].span.text, value))) }
    for (target, part) in zip(targets, value.parts ?? []) {
      output(.text(valueText.labeled(target.span.text, part)))
    }
  }
}

extension Tensor {
  /// The part at a place of the first axis.
  func slice(_ place: Int) -> Tensor {
    let inner = Array(shape.dropFirst())
    let count = inner.elementCount
    return Tensor(Array(doubles[(place * count)..<((place + 1) * count)]), inner, precision)
  }
}

/// Wording of evaluation errors.
enum EngineErrors {
  static func diagnostic(_ error: EngineError, _ span: Span?) -> Diagnostic {
    switch error {
    case .interrupted: return Diagnostic(.interrupt, "interrupted", at: span)
    case .index(let value, let size):
      if Int(exactly: value) == nil {
        return Diagnostic(.domain, "an index must be a whole number, not \(NumberFormat()(value))", at: span)
      }
      return Diagnostic(
        .shape, "index \(NumberFormat()(value)) is outside an axis of \(size)", at: span,
        hint: size == 0 ? "the axis is empty" : "indices run from 0 to \(size - 1), or from -1 backwards")
    case .memory(let needed, let limit):
      return Diagnostic(
        .resource,
        "this needs \(Machine.describe(Double(needed))), the limit is \(Machine.describe(Double(limit)))",
        at: span, hint: "raise it with set memory, or take a smaller part")
    case .indexPrecision(let value):
      return Diagnostic(
        .numeric, "f32 does not hold the index \(Int(value))", at: span, hint: "set precision f64")
    case .matrix(let message): return Diagnostic(.numeric, message, at: span)
    case .tooComplex(let what):
      return Diagnostic(
        .resource, "this formula has too many \(what)", at: span, hint: "split it into definitions")
    }
  }
}
