import Syntax

/// Names that an expression mentions.
enum FreeNames {
  static func of(_ expr: Expr) -> Set<String> { names(in: expr) { _ in false } }

  /// Names that an expression mentions outside derivatives and replacement calls.
  static func direct(_ expr: Expr, _ interpreter: Interpreter) -> Set<String> {
    names(in: expr) { isReplacementOrDerivative($0, interpreter) }
  }

  /// Names below `expr`, without those that comprehensions bind. Iterative.
  private static func names(in expr: Expr, skipping isSkipped: (Expr) -> Bool) -> Set<String> {
    var names = Set<String>()
    var stack: [(expr: Expr, bound: Set<String>)] = [(expr, [])]
    while let (next, bound) = stack.popLast() {
      if isSkipped(next) { continue }
      switch next.kind {
      case .name(let name) where !bound.contains(name): names.insert(name)
      case .comprehension(let element, let clauses):
        // A domain sees the variables of the clauses before it.
        var inner = bound
        for clause in clauses {
          stack.append((clause.domain, inner))
          inner.insert(clause.name)
        }
        stack.append((element, inner))
      default: stack += parts(next).map { ($0, bound) }
      }
    }
    return names
  }

  static func parts(_ expr: Expr) -> [Expr] {
    switch expr.kind {
    case .number, .boolean, .name, .command: return []
    case .string(let parts):
      return parts.compactMap { if case .value(let e, _) = $0 { return e } else { return nil } }
    case .literal(let rows): return rows.flatMap { $0 }
    case .comprehension(let element, let clauses): return clauses.map(\.domain) + [element]
    case .tuple(let items), .logical(_, let items): return items
    case .chain(let first, let rest): return [first] + rest.map(\.operand)
    case .power(let a, let b): return [a, b]
    case .unary(_, let e), .transpose(let e), .field(let e, _): return [e]
    case .comparison(let first, let rest): return [first] + rest.map(\.operand)
    case .conditional(let c, let a, let b): return [c, a, b]
    case .range(let a, let b): return [a, b].compactMap { $0 }
    case .index(let base, let items): return [base] + items.flatMap(parts)
    case .call(let callee, let arguments): return [callee] + arguments.map(\.value)
    }
  }

  private static func parts(_ item: IndexItem) -> [Expr] {
    switch item {
    case .at(let e): return [e]
    case .slice(let a, let b, let c, _): return [a, b, c].compactMap { $0 }
    }
  }

  /// `f(x = …)` and formulas of derivatives do not become the objective.
  static func isReplacementOrDerivative(_ expr: Expr, _ interpreter: Interpreter) -> Bool {
    guard case .call(let callee, let arguments) = expr.kind else { return false }
    guard case .name(let name) = callee.kind else { return true }
    if CalculusFunction(rawValue: name) != nil { return interpreter.lookup(name) == nil }
    if case .definition? = interpreter.lookup(name) { return arguments.contains { $0.name != nil } }
    return false
  }
}
