import Optimization
import Syntax

/// What `?name` says about words that are neither commands nor builtin functions.
struct HelpTopic {
  let name: String
  var aliases: [String] = []
  let usage: String
  let summary: String
  let example: String
  /// What the example prints.
  let output: String

  init(
    _ name: String, _ aliases: [String] = [], _ usage: String, _ summary: String, _ example: String,
    _ output: String
  ) {
    self.name = name
    self.aliases = aliases
    self.usage = usage
    self.summary = summary
    self.example = example
    self.output = output
  }
}

extension HelpTopic {
  static let calculus: [HelpTopic] = [
    HelpTopic(
      "grad", ["∇"], "grad(f, wrt)", "The gradient of a scalar formula, itself a formula; also ∇f.",
      "param x = [1, 2]; print grad(sum(x^2), x)", "[2, 4]"),
    HelpTopic(
      "hessian", ["∇²"], "hessian(f, wrt, tensor=false)",
      "The matrix of second derivatives; tensor=true keeps the axes of the leaf; also ∇²f. "
        + "Sums, maxima and norms of a large one do not store it.",
      "param x = [1, 2]; print hessian(x[0]^2*x[1], x)", "4  2\n2  0"),
    HelpTopic(
      "jacobian", "jacobian(y, wrt)", "The derivatives of each entry of y.",
      "param x = [1, 2]; print jacobian(x^2, x)", "2  0\n0  4"),
    HelpTopic(
      "hvp", "hvp(f, wrt, v)", "The Hessian times a direction, without the Hessian.",
      "param x = [1, 2]; print hvp(sum(x^3), x, [1, 0])", "[6, 0]"),
    HelpTopic(
      "jvp", "jvp(y, wrt, v)", "The derivative of y in a direction.",
      "param x = [1, 2]; print jvp(x^2, x, [1, 1])", "[2, 4]"),
    HelpTopic(
      "vjp", "vjp(y, wrt, v)", "The gradient of the sum of y weighted by v.",
      "param x = [1, 2]; print vjp(x^2, x, [1, 1])", "[2, 4]"),
    HelpTopic(
      "ggn", "ggn(f, wrt, at=z)",
      "The generalised Gauss–Newton matrix: f is split at the model's output z, or at a loss that is known.",
      "param x = [1, 2]; print ggn(mse(2*x, [0, 0]), x)", "4  0\n0  4"),
    HelpTopic(
      "fisher", "fisher(f, wrt, kind=\"exact\", draws=1, error=false)",
      "The Fisher matrix of a cross-entropy or logistic loss: over the model's own labels, those of the data (kind=\"empirical\") or drawn ones (\"sampled\", the mean of some draws, and with error=true its standard error).",
      "param x = [1, -1]; print fisher(mean(softplus(x)), x)", "0.09831  0.00000\n0.00000  0.09831"),
    HelpTopic(
      "kfac", "kfac(f, wrt, at=z)",
      "The Gauss–Newton matrix as K-FAC has it: a product of two factors for each dense layer; the command kfac shows them.",
      "param W = [1, -1]; print kfac(mse([1, 2; 3, 4]@W, [0, 1]), W)", "10  14\n14  20"),
    HelpTopic(
      "hessian_op", "hessian_op(f, wrt)",
      "The Hessian as an operator, never formed: H @ v, H + G, 2*H, H - s*eye(n), and eig, trace, solve and angle of it.",
      "param x = [1, 2]; H := hessian_op(sum(x^3), x); print H @ [1, 0]", "[6, 0]"),
    HelpTopic(
      "ggn_op", "ggn_op(f, wrt, at=z)",
      "The generalised Gauss–Newton matrix as an operator; see ggn and hessian_op.",
      "param x = [1, 2]; G := ggn_op(mse(2*x, [0, 0]), x); print G @ [1, 1]", "[4, 4]"),
    HelpTopic(
      "laplacian", "laplacian(f, wrt)", "The trace of the Hessian.",
      "param x = [1, 2]; print laplacian(sum(x^3), x)", "18"),
  ]

  static let words: [HelpTopic] = [
    HelpTopic(
      "param", "param NAME = EXPR [in A..B]",
      "Declares what derivatives are taken by and steps move; with bounds, steps stay within them.",
      "param w = [1, 2]; w[0] = 5; print w\nparam s = 1 in 0..inf; f := (s + 3)^2; step newton; print s",
      "[5, 2]\nf: 16 → 9                     ‖∇f‖: 8 → 6\n  1 of 1 numbers at a bound\n0"),
    HelpTopic(
      "residuals", "residuals NAME := EXPR",
      "Declares what is to be small: half the sum of its squares is the objective, named cost.",
      "param a = 1; residuals r := a*[1, 2] - [3, 6]; step gauss-newton; print a, cost",
      "cost: 10 → 0                  ‖∇cost‖: 10 → 0\n3 0"),
    HelpTopic(
      "data", "data NAME = EXPR", "Declares a constant of derivatives; f(X = other) replaces it.",
      "data X = [1, 2]; print 2*X", "[2, 4]"),
    HelpTopic(
      "option", "option NAME = DEFAULT",
      "Declares a name that whoever runs the script may give another value: hlab run FILE NAME=VALUE.",
      "option lr = 0.1; print lr", "0.1"),
    HelpTopic(
      "print", "print EXPR, …", "Prints values; strings may hold {values} with a format, as in {x:.3}.",
      "print \"half is {1/2:.2}\", 3", "half is 0.50 3"),
    HelpTopic(
      "assert", "assert CONDITION [, MESSAGE]", "Stops when a condition does not hold.", "assert 1 + 1 == 2",
      ""),
    HelpTopic(
      "repeat", "repeat N { … }", "Runs a block N times.", "n = 1; repeat 3 { n = 2*n }; print n", "8"),
    HelpTopic(
      "for", ["in"], "for NAME in RANGE { … }",
      "Runs a block for each number of a range, or each part of a tensor.",
      "for i in 0..3 { print i^2 }", "0\n1\n4"),
    HelpTopic(
      "comprehension", ["comprehensions"], "[EXPR for NAME in DOMAIN, …]",
      "The expression for each entry of ranges or tensors, stacked on new first axes; a formula like any other.",
      "x = [1, 4, 9]; print [x[i + 1] - x[i] for i in 0..2]; print [a*b for a in 1..3, b in x]",
      "[3, 5]\n1  4   9\n2  8  18"),
    HelpTopic(
      "while", "while CONDITION { … }", "Runs a block as long as a condition holds.",
      "n = 1; while n < 100 { n = 3*n }; print n", "243"),
    HelpTopic(
      "if", ["else", "then"], "if C { … } else { … }, or if C then A else B",
      "Chooses what to run; as an expression it chooses entry by entry.",
      "x = [-1, 2]; print if x > 0 then x else 0",
      "[0, 2]"),
    HelpTopic(
      "return", "return EXPR", "Ends a function with a value.", "f(a) { b = 2*a; return b + 1 }; print f(3)",
      "7"),
    HelpTopic("break", "break", "Leaves a loop.", "for i in 0..9 { if i > 1 { break }; print i }", "0\n1"),
    HelpTopic(
      "continue", "continue", "Goes on with a loop's next round.",
      "for i in 0..3 { if i == 1 { continue }; print i }", "0\n2"),
    HelpTopic(
      "and", ["or", "not"], "A and B, A or B, not A", "Logic on numbers: 0 is false; results are 0 or 1.",
      "print [0, 1, 1] and [1, 1, 0]", "[0, 1, 0]"),
    HelpTopic(
      "params", "params", "All params that the objective depends on, as one value.",
      "param u = 1; param v = 2; f := u*v; print grad(f, params)", "u = 2\nv = 1"),
    HelpTopic(
      "history", "history", "What training recorded: a vector for each column, over the epochs.",
      "param x = 2; f := x^2; train gd lr=0.25 epochs=2; print history.loss",
      "epoch              f\n    1              4\n    2              1\ngd: 2 epochs, 2 steps; f: 4 → 1\n[4, 1]"
    ),
    HelpTopic("ans", "ans", "The last value printed.", "1 + 2\nprint ans * 2", "3\n6"),
    HelpTopic(
      "π", "π", "The ratio of a circle's circumference to its diameter; also pi.", "print π", "3.14159"),
    HelpTopic("e", "e", "The base of natural logarithms.", "print e", "2.71828"),
    HelpTopic("inf", "inf", "Infinity.", "print 1/inf", "0"),
    HelpTopic("nan", "nan", "Not a number.", "print nan", "nan"),
    HelpTopic("true", ["false"], "true, false", "1 and 0.", "print true", "1"),
    HelpTopic(
      "=", "NAME = EXPR", "Evaluates now: the name holds the value.", "a = 2; b = a; a = 3; print b", "2"),
    HelpTopic(
      ":=", "NAME := EXPR", "Names a formula, which stays live.", "a = 2; b := 10*a; a = 3; print b", "30"),
    HelpTopic(
      "~", "NAME ~ EXPR", "A random leaf: holds still until a step or draw.",
      "seed 1; v ~ rand(2); print shape(v)", "[2]"),
    HelpTopic(
      "directions", ["along"], "slice f along D, surface f along D1, D2",
      "What cuts run along: a vector or bundle, x[0], a param, grad, eig(1), step, random, random(layer), pca.",
      "param x = [1, 2]; f := sum(x^2); s = slice f along x[0] steps=3; print s.values", "[4, 5, 8]"),
    HelpTopic("@", "A @ B", "The matrix product.", "print [1, 2; 3, 4] @ [1, 1]", "[3, 7]"),
    HelpTopic("'", "A'", "The transpose; of a vector, itself.", "print [1, 2; 3, 4]'", "1  3\n2  4"),
    HelpTopic("^", "A ^ B", "The power, right associative; -x^2 is -(x^2).", "print 2^3^2", "512"),
    HelpTopic("%", "A % B", "The remainder, with the sign of B.", "print -1 % 3", "2"),
    HelpTopic(
      "..", "A..B",
      "Whole numbers from A to below B in loops and indices; an interval after range and in plots.",
      "x = [5, 6, 7]; print x[1..3]", "[6, 7]"),
  ]

  static let all = calculus + words

  static func named(_ name: String) -> HelpTopic? {
    all.first { $0.name == name || $0.aliases.contains(name) }
  }

  private init(_ name: String, _ usage: String, _ summary: String, _ example: String, _ output: String) {
    self.init(name, [], usage, summary, example, output)
  }
}

/// Names of methods, for help and completion.
enum MethodNames {
  static let all = Methods.all.map(\.name)

  /// What methods are called elsewhere, without hyphens.
  static let elsewhere = [
    "gradient": "gd", "gradientdescent": "gd", "steepestdescent": "gd", "descent": "gd",
    "levenbergmarquardt": "lm", "levenberg": "lm", "marquardt": "lm", "gn": "gauss-newton",
    "trustregion": "trust", "cg": "newton-cg", "conjugategradient": "newton-cg",
    "linesearch": "damped-newton",
  ]
}
