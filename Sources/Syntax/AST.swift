/// An expression with its place in the source. A class, so that identity can key caches of compiled plans.
/// Chains of operators of one precedence are flat (`chain`), so that depth is bounded by nesting alone.
public final class Expr: Sendable {
  public let kind: Kind
  public let span: Span

  public init(_ kind: Kind, _ span: Span) {
    self.kind = kind
    self.span = span
  }

  public enum Kind: Sendable {
    case number(Double)
    case boolean(Bool)
    case string([StringPart])
    case name(String)
    /// `[a, b; c, d]`: rows of elements. One row stacks its elements on a new first axis (so nested brackets
    /// give matrices); several rows stack the stacked rows.
    case literal(rows: [[Expr]])
    /// `[e for a in A, b in B]`: e for each entry of A and B, stacked on new first axes in the order of the clauses.
    case comprehension(Expr, [ComprehensionClause])
    /// `(a, b)`: a group of leaves for `wrt`, or several results.
    case tuple([Expr])
    /// Left-associative operators of one precedence: `a + b - c`, `a * b / c @ d`.
    case chain(first: Expr, rest: [ChainLink])
    /// `a ^ b`, right associative.
    case power(Expr, Expr)
    case unary(UnaryOperator, Expr)
    /// Postfix `'`.
    case transpose(Expr)
    /// `a < b <= c`: all must hold, pointwise; 0 or 1.
    case comparison(first: Expr, rest: [ComparisonLink])
    /// `a and b and c`, or with `or`.
    case logical(LogicalOperator, [Expr])
    /// `if c then a else b`, selects pointwise.
    case conditional(Expr, then: Expr, else: Expr)
    /// `a..b`; either end may be absent inside an index.
    case range(Expr?, Expr?)
    case index(Expr, [IndexItem])
    case call(Expr, [Argument])
    case field(Expr, String)
    /// A command used as a value: `e = eig top 5`.
    case command(Command)
  }
}

public enum BinaryOperator: String, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case remainder = "%"
  case matmul = "@"
}

public enum UnaryOperator: String, Sendable {
  case negate = "-"
  case plus = "+"
  case not = "not"
}
public enum LogicalOperator: String, Sendable { case and, or }
public enum ComparisonOperator: String, Sendable {
  case less = "<"
  case lessEqual = "<="
  case greater = ">"
  case greaterEqual = ">="
  case equal = "=="
  case notEqual = "!="
}

public struct ChainLink: Sendable {
  public let op: BinaryOperator
  public let opSpan: Span
  public let operand: Expr
  public init(_ op: BinaryOperator, _ opSpan: Span, _ operand: Expr) {
    self.op = op
    self.opSpan = opSpan
    self.operand = operand
  }
}

public struct ComparisonLink: Sendable {
  public let op: ComparisonOperator
  public let operand: Expr
  public init(_ op: ComparisonOperator, _ operand: Expr) {
    self.op = op
    self.operand = operand
  }
}

/// `a in A`: the name stands for an entry of the domain in the clauses after it and in the element.
public struct ComprehensionClause: Sendable {
  public let name: String
  public let nameSpan: Span
  public let domain: Expr
  public init(name: String, nameSpan: Span, domain: Expr) {
    self.name = name
    self.nameSpan = nameSpan
    self.domain = domain
  }
}

public enum StringPart: Sendable {
  case text(String)
  /// `{e}` or `{e:.4}`; the format is what follows the colon.
  case value(Expr, format: String?)
}

public enum IndexItem: Sendable {
  case at(Expr)
  /// `a:b:c`, each part optional; half-open.
  case slice(start: Expr?, stop: Expr?, step: Expr?, Span)
}

/// An argument of a call, or an option `key=value` of a command.
public struct Argument: Sendable {
  public let name: String?
  public let value: Expr
  /// The span of `name = value`.
  public let span: Span
  public init(name: String?, value: Expr, span: Span) {
    self.name = name
    self.value = value
    self.span = span
  }
}

/// A verb with what follows it. Which words are clause keywords is declared per verb in `CommandGrammar`.
public final class Command: Sendable {
  public let verb: String
  public let verbSpan: Span
  /// What stands before the first keyword: `gd(lr=1e-3), newton` or `f`.
  public let subjects: [Expr]
  /// `wrt W2`, `top 5`, `until ‖∇f‖ < 1e-8`, in order of appearance.
  public let clauses: [Clause]
  /// `lr=0.1 steps=30`.
  public let options: [Argument]
  public let block: [Statement]?
  public let span: Span

  public init(
    verb: String, verbSpan: Span, subjects: [Expr], clauses: [Clause], options: [Argument],
    block: [Statement]?, span: Span
  ) {
    self.verb = verb
    self.verbSpan = verbSpan
    self.subjects = subjects
    self.clauses = clauses
    self.options = options
    self.block = block
    self.span = span
  }

  public struct Clause: Sendable {
    public let keyword: String
    public let span: Span
    /// Values of the clause, comma separated in the source. Empty for a keyword that takes none.
    public let values: [Expr]
    /// For `for t in -1..1` (and `tune`'s `lr in log a..b`): the name bound by each value, and its scale word.
    public let bindings: [Binding]
    public init(keyword: String, span: Span, values: [Expr], bindings: [Binding] = []) {
      self.keyword = keyword
      self.span = span
      self.values = values
      self.bindings = bindings
    }
  }

  public struct Binding: Sendable {
    public let name: String
    public let scale: String?
    public let domain: Expr
    public let span: Span
    public init(name: String, scale: String?, domain: Expr, span: Span) {
      self.name = name
      self.scale = scale
      self.domain = domain
      self.span = span
    }
  }

  /// The first clause with this keyword.
  public func clause(_ keyword: String) -> Clause? { clauses.first { $0.keyword == keyword } }
  /// The option with this name.
  public func option(_ name: String) -> Argument? { options.first { $0.name == name } }
}

public final class Statement: Sendable {
  public let kind: Kind
  public let span: Span
  /// A `;` ended the line: results are not printed.
  public let isSilent: Bool

  public init(_ kind: Kind, _ span: Span, isSilent: Bool = false) {
    self.kind = kind
    self.span = span
    self.isSilent = isSilent
  }

  public enum Kind: Sendable {
    case expression(Expr)
    /// `name = e`, `A[i, j] = e`, `(a, b) = e`; targets are names or index expressions.
    case assign(targets: [Expr], value: Expr)
    /// `name := e`
    case define(name: String, nameSpan: Span, value: Expr)
    /// `name(a, b) := e` or `name(a, b) { … }`
    case function(FunctionDeclaration)
    /// `param x = e`, `param x = e in a..b`; the bounds are a range.
    case param(name: String, nameSpan: Span, value: Expr, bounds: Expr?)
    /// `option name = e`: a name that the caller of a script may give another value.
    case option(name: String, nameSpan: Span, value: Expr)
    /// `residuals r := e`
    case residuals(name: String, nameSpan: Span, value: Expr)
    case data(name: String, nameSpan: Span, value: Expr)
    /// `v ~ rademacher(like=params)`, `(xb, yb) ~ batch(X, y, 128)`
    case random(names: [String], value: Expr)
    case command(Command)
    case forLoop(names: [String], domain: Expr, body: [Statement])
    case whileLoop(condition: Expr, body: [Statement])
    case repeatLoop(count: Expr, body: [Statement])
    case conditional(branches: [Branch], otherwise: [Statement]?)
    case returning(Expr?)
    case breaking
    case continuing
    case print([Expr])
    case assertion(Expr, message: Expr?)
    /// `?name` or `?`.
    case help(String?)
  }

  public struct Branch: Sendable {
    public let condition: Expr
    public let body: [Statement]
    public init(condition: Expr, body: [Statement]) {
      self.condition = condition
      self.body = body
    }
  }
}

public final class FunctionDeclaration: Sendable {
  public let name: String
  public let nameSpan: Span
  public let formals: [Formal]
  public let body: Body

  public init(name: String, nameSpan: Span, formals: [Formal], body: Body) {
    self.name = name
    self.nameSpan = nameSpan
    self.formals = formals
    self.body = body
  }

  public struct Formal: Sendable {
    public let name: String
    public let span: Span
    /// `f(x, n = 3)`
    public let defaultValue: Expr?
    public init(name: String, span: Span, defaultValue: Expr?) {
      self.name = name
      self.span = span
      self.defaultValue = defaultValue
    }
  }

  public enum Body: Sendable {
    case expression(Expr)
    case block([Statement])
  }
}
