/// Which words may follow a verb, and what each of them takes: one table for the parser, for completion and
/// for help.
public final class CommandGrammar: Sendable {
  /// What a clause keyword is followed by.
  public enum Operand: Sendable {
    /// A word by itself: `reset fresh`.
    case nothing
    /// Expressions, comma separated: `wrt U, V`.
    case expressions
    /// A name or word, which may have hyphens, with arguments in parentheses if it needs some: `by tpe`.
    case word
    /// `name in [log] range`, comma separated: `for t in -1..1`.
    case bindings
  }

  /// What stands right after a verb.
  public enum Subject: Sendable {
    case none, expressions
    /// Names of methods, which may have hyphens: `step damped-newton`.
    case methods
    /// A word, and then expressions: `set digits 8`.
    case word
    /// `name in [log] range`, kept as a clause `for`: `tune lr in log 1e-5..1e-1`.
    case bindings
    /// A statement or a block: `time step newton`.
    case statement
  }

  public struct Clause: Sendable {
    public let keyword: String
    public let operand: Operand
  }

  public let verb: String
  public let subject: Subject
  public let clauses: [Clause]
  /// A block in braces may end the command.
  public let takesBlock: Bool
  /// The verb is also the name of a builtin function, so that `hessian(f, x)` is an expression.
  public let isBuiltin: Bool
  /// A verb whose command may be the subject: `explain step newton`.
  public let inner: String?

  /// The entry of a verb.
  public static subscript(verb verb: String) -> CommandGrammar? { table[verb] }

  /// All verbs, in the order of the manual.
  public static let verbs: [String] = entries.map(\.verb)

  /// All clause keywords of a verb with what they take.
  public func operand(of keyword: String) -> Operand? { clauses.first { $0.keyword == keyword }?.operand }

  /// An option holds a text, which stands in quotes: `title="3d"`.
  public func takesText(_ option: String) -> Bool {
    switch option {
    case "title", "xlabel", "ylabel", "kind", "checkpoint", "study": true
    // Of a plot it is true or false.
    case "log": verb == "train"
    // The options of a script are its own.
    default: verb == "run"
    }
  }

  private static let table = Dictionary(uniqueKeysWithValues: entries.map { ($0.verb, $0) })

  private init(
    _ verb: String, _ subject: Subject = .expressions, _ clauses: [(String, Operand)] = [],
    block: Bool = false, builtin: Bool = false, inner: String? = nil
  ) {
    self.verb = verb
    self.subject = subject
    self.clauses = clauses.map { Clause(keyword: $0.0, operand: $0.1) }
    takesBlock = block
    isBuiltin = builtin
    self.inner = inner
  }

  // A class, so that the parser's context stays small on the stack.

  private static let wrt: (String, Operand) = ("wrt", .expressions)
  private static let movement: [(String, Operand)] = [
    ("until", .expressions), ("max", .expressions), ("on", .expressions), wrt,
  ]
  private static let ends: [(String, Operand)] = [
    ("top", .expressions), ("bottom", .expressions), ("near", .expressions), wrt,
  ]
  private static let selection: [(String, Operand)] = [
    ("top", .expressions), ("bottom", .expressions), ("of", .expressions), ("by", .expressions),
    ("on", .expressions),
  ]

  private static let entries: [CommandGrammar] = [
    // Look.
    CommandGrammar("value"),
    CommandGrammar("grad", .expressions, [wrt], builtin: true),
    CommandGrammar("hessian", .expressions, [wrt], builtin: true),
    CommandGrammar("eig", .expressions, ends, builtin: true),
    CommandGrammar("spectrum", .expressions, [wrt]),
    CommandGrammar("trace", .expressions, [wrt], builtin: true),
    CommandGrammar("diag", .expressions, [wrt], builtin: true),
    CommandGrammar("norm", .expressions, [wrt], builtin: true),
    CommandGrammar("logdet", .expressions, [wrt], builtin: true),
    CommandGrammar("condition", .expressions, [wrt], builtin: true),
    CommandGrammar("sharpness", .expressions, [wrt]),
    CommandGrammar("kfac", .expressions, [wrt], builtin: true),
    CommandGrammar("classify", .expressions, [wrt]),
    CommandGrammar("critical", .expressions, [wrt, ("range", .expressions)]),
    CommandGrammar("check", .expressions, [wrt]),
    CommandGrammar("derive", .expressions, [wrt]),
    CommandGrammar("explain", .expressions, [wrt], inner: "step"),
    CommandGrammar("graph"),
    CommandGrammar("vars"),
    CommandGrammar("show"),
    CommandGrammar("watch"),
    CommandGrammar("objective"),
    // Move.
    CommandGrammar("step", .methods, [("on", .expressions), wrt]),
    CommandGrammar("minimize", .methods, movement, block: true),
    CommandGrammar(
      "train", .methods,
      [
        ("validate", .expressions), ("track", .expressions), ("until", .expressions), ("on", .expressions),
        wrt,
      ], block: true),
    CommandGrammar("compare", .methods, [("on", .expressions), wrt]),
    CommandGrammar("undo", .expressions, [("step", .nothing), ("steps", .nothing)]),
    CommandGrammar("redo", .expressions, [("step", .nothing), ("steps", .nothing)]),
    CommandGrammar("reset", .expressions, [("fresh", .nothing)]),
    CommandGrammar("reinit", .expressions, selection + [("using", .expressions)]),
    CommandGrammar("prune", .expressions, selection),
    CommandGrammar("draw", .none),
    // See.
    CommandGrammar(
      "plot", .expressions, [("for", .bindings), ("range", .expressions), ("live", .nothing)]),
    CommandGrammar(
      "slice", .expressions,
      [("along", .expressions), ("range", .expressions), ("from", .expressions), ("to", .expressions)]),
    CommandGrammar("surface", .expressions, [("along", .expressions), ("range", .expressions)]),
    CommandGrammar("path", .expressions, [("along", .expressions), ("range", .expressions)]),
    CommandGrammar("animate", .expressions, [("along", .expressions), ("range", .expressions)]),
    // Try.
    CommandGrammar("tune", .bindings, [("by", .word)], block: true),
    CommandGrammar("report"),
    CommandGrammar("estimate"),
    CommandGrammar("time", .statement, block: true),
    // Keep.
    CommandGrammar("load", builtin: true),
    CommandGrammar("save"),
    CommandGrammar("run"),
    CommandGrammar("seed"),
    CommandGrammar("set", .word),
    CommandGrammar("help", .word),
    CommandGrammar("quit"),
  ]
}
