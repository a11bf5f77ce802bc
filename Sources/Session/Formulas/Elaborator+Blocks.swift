import Engine
import Graph
import Syntax
import Tensors

/// Why a block stopped early.
enum BlockExit {
  case returned(Meaning)
  case broke
  case continued
}

extension Elaborator {
  /// A block body inside a formula: its loops unroll, its conditions must be known.
  func block(_ statements: [Statement], _ declaration: FunctionDeclaration, _ span: Span) throws -> Meaning {
    if case .returned(let value)? = try run(statements) { return value }
    throw Diagnostic(
      .type, "'\(declaration.name)' returns nothing, so it cannot be part of a formula", at: span,
      labels: [.init(declaration.nameSpan, "its block ends without return")])
  }

  private func run(_ statements: [Statement]) throws -> BlockExit? {
    for statement in statements {
      if let exit = try run(statement) { return exit }
    }
    return nil
  }

  private func run(_ statement: Statement) throws -> BlockExit? {
    try Interruption.check()
    switch statement.kind {
    case .assign(let targets, let value): try assign(targets, value)
    case .define(let name, _, let value): environment.locals[name] = try meaning(value)
    case .returning(let value): return .returned(try value.map(meaning) ?? .tuple([]))
    case .breaking: return .broke
    case .continuing: return .continued
    case .forLoop(let names, let domain, let body): return try loop(names, domain, body)
    case .repeatLoop(let count, let body):
      let n = try staticInteger(count, "the number of repetitions")
      for _ in 0..<max(n, 0) {
        switch try run(body) {
        case .broke?: return nil
        case .returned(let value)?: return .returned(value)
        default: continue
        }
      }
    case .whileLoop(let condition, let body):
      while try known(condition) {
        switch try run(body) {
        case .broke?: return nil
        case .returned(let value)?: return .returned(value)
        default: continue
        }
      }
    case .conditional(let branches, let otherwise):
      for branch in branches where try known(branch.condition) { return try run(branch.body) }
      return try otherwise.flatMap(run)
    case .assertion, .help: break
    case .expression(let e): _ = try meaning(e)
    case .function(let declaration):
      environment.functions[declaration.name] = FunctionBinding(
        id: interpreter.functionID(declaration), declaration: declaration, frameTag: environment.frameTag)
    case .command, .print, .param, .residuals, .data, .random, .option:
      throw Diagnostic(
        .type, "a block with commands cannot be part of a formula", at: statement.span,
        hint: "call it by itself, or assign its result first")
    }
    return nil
  }

  private func known(_ condition: Expr) throws -> Bool {
    let node = try self.node(condition)
    if let value = knownNumber(node) { return value != 0 }
    do {
      return try Interpreter.isTrue(staticValue(node, condition.span, "a condition"), condition)
    } catch let error as Diagnostic where error.kind == .domain {
      throw Diagnostic(
        .domain, "this condition depends on a param, so the formula has no fixed form", at: condition.span,
        hint: "if … then … else … selects pointwise")
    }
  }

  private func assign(_ targets: [Expr], _ value: Expr) throws {
    let result = try meaning(value)
    if targets.count == 1, case .index(let base, let items) = targets[0].kind {
      return try assignEntries(base, items, result, value.span, targets[0].span)
    }
    let values: [Meaning]
    if targets.count == 1 {
      values = [result]
    } else if case .tuple(let parts) = result, parts.count == targets.count {
      values = parts
    } else {
      throw Diagnostic(.type, "\(targets.count) names need a tuple of as many values", at: value.span)
    }
    for (target, value) in zip(targets, values) {
      guard case .name(let name) = target.kind else {
        throw Diagnostic(.type, "only names can be assigned in a tuple", at: target.span)
      }
      environment.locals[name] = value
    }
  }

  /// `A[i, j] = e` on a local name: the old tensor with a part replaced.
  private func assignEntries(
    _ base: Expr, _ items: [IndexItem], _ value: Meaning, _ span: Span, _ target: Span
  ) throws {
    guard case .name(let name) = base.kind, environment.locals[name] != nil else {
      throw Diagnostic(.type, "only entries of a local name can be assigned here", at: target)
    }
    let whole = try node(base)
    let shape = graph.shape(whole)
    let axes = try axisIndices(items, shape, base, target)
    let old = indexed(whole, axes)
    let part = try asNode(value, span)
    let (operands, partShape) = try graph.broadcast(
      [PlacedNode(node: old, span: target), PlacedNode(node: part, span: span)], "'='")
    guard partShape == graph.shape(old) else {
      throw Diagnostic(
        .shape,
        "a value of shape \(graph.shape(part).shapeDescription) does not fit a part of shape \(graph.shape(old).shapeDescription)",
        at: span)
    }
    let change = graph.add([Summand(1, operands[1]), Summand(-1, operands[0])], shape: partShape)
    let (selectors, labels) = selection(shape, axes)
    let sizes = Dictionary(uniqueKeysWithValues: shape.indices.map { ($0, shape[$0]) })
    let placed = graph.contract(
      1, [Operand(change, labels)] + selectors, to: Array(shape.indices), sizes: sizes)
    environment.locals[name] = .node(graph.add([whole, placed], shape: shape))
  }

  private func loop(_ names: [String], _ domain: Expr, _ body: [Statement]) throws -> BlockExit? {
    let items = try node(domain)
    let shape = graph.shape(items)
    guard let count = shape.first else {
      throw Diagnostic(.type, "for runs over a range or a tensor, not a scalar", at: domain.span)
    }
    for k in 0..<count {
      try Interruption.check()
      var part = indexed(items, [.place(k)] + shape.dropFirst().map { .all($0) })
      if case .tensor(let index) = graph[items].op, shape.count == 1 {
        part = graph.fill(graph.constants[index][flat: k])
      }
      if names.count == 1 {
        environment.locals[names[0]] = .node(part)
      } else {
        for (place, name) in names.enumerated() {
          environment.locals[name] = .node(indexed(part, [.place(place)]))
        }
      }
      switch try run(body) {
      case .broke?: return nil
      case .returned(let value)?: return .returned(value)
      default: continue
      }
    }
    return nil
  }
}
