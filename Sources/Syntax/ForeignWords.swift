/// Words of other languages, and what is written here instead: hints for those who know Python, MATLAB or Julia.
public enum ForeignWords {
  static let function = "a function is defined with ':=', as in f(x) := x^2"
  private static let binding =
    "a name is bound with '=' (a value) or ':=' (a live formula), without a keyword"
  private static let elseIf = "write 'else if'"
  private static let nothingToImport = "nothing has to be imported; run \"file\" runs a script"

  /// Words that stand before a name where a statement begins.
  static let keywords: [String: String] = [
    "let": binding, "var": binding, "const": binding, "local": binding, "def": function, "fn": function,
    "func": function, "function": function, "elif": elseIf, "elseif": elseIf, "import": nothingToImport,
    "from": nothingToImport, "using": nothingToImport, "include": nothingToImport,
  ]

  /// What to write for a name that nothing is bound to; nil for a word that is not known from elsewhere.
  public static func hint(for word: String) -> String? { hints[word] ?? keywords[word] }

  private static let hints: [String: String] = {
    let truth = "truth values are written true and false"
    let derivative = "derivatives are written grad(f, x) and hessian(f, x)"
    let jacobian = "derivatives of a vector are jacobian(y, x)"
    let eigen = "eig(A) has values and vectors; eig alone lists the Hessian's, and plot eig draws them"
    let output = "a value is printed by its name alone, or with print a, b"
    let vector = "a vector is written [1, 2], a matrix [1, 2; 3, 4]"
    let minimum = "a minimum is found by minimize newton, points of zero gradient by critical"
    let joined = "cat(a, b) joins along an axis: cat(a, [3]) adds an entry"
    let module = "functions and constants stand alone, without a module: exp(x), pi"
    let plot = "curves, contours and points are drawn by plot: plot f, plot s, y kind=\"scatter\""
    let end = "a block ends with '}'; the last entry of x is x[-1]"
    let leave = "to leave: quit"
    let rank = "a matrix's rank is matrix_rank(A), the number of axes ndim(x)"
    var hints: [String: String] = [
      "arange": "whole numbers are range(n), or 0..n", "numel": "the number of entries is size(x)",
      "lstsq": "least squares are solve(A' @ A, A' @ b)", "tr": "the sum of the diagonal is trace(A)",
      "hess": "the matrix of second derivatives is hessian(f, x); hessian alone is the command",
      "count": "sum(c) counts where c holds", "exit": leave, "bye": leave, "logout": leave,
      "lesson": "lessons begin at the shell: hlab lesson 1", "clc": "Ctrl-L clears the screen",
      "cls": "Ctrl-L clears the screen",
      "clear": "Ctrl-L clears the screen; reset takes the params back", "ls": "vars lists what is bound",
      "who": "vars lists what is bound",
      "whos": "vars lists what is bound", "None": "there is no value for nothing; nan is no number",
      "T": "a transpose is written A'",
      "wrt": "in an expression, what to differentiate by stands in parentheses: hessian(f, x)",
      "lr": "a step's length is an option: step gd lr=0.1",
      "history": "plot history draws it; train fills it with what is tracked",
    ]
    let groups: [(String, [String])] = [
      (truth, ["True", "False", "TRUE", "FALSE", "yes", "no"]),
      (derivative, ["diff", "D", "derivative", "deriv", "differentiate"]),
      (jacobian, ["jac", "jacfwd", "jacrev"]),
      (eigen, ["eigh", "eigs", "eigsh", "eigenvalues", "eigenvectors"]),
      (output, ["println", "printf", "disp", "display", "echo", "puts", "write"]),
      (vector, ["array", "tensor", "matrix", "vector", "list"]),
      (minimum, ["root", "roots", "fsolve", "fzero", "fminsearch", "fminunc"]),
      (joined, ["append", "push", "concat", "concatenate", "hstack", "vstack"]),
      (module, ["np", "numpy", "math", "torch", "nn", "F", "jnp", "jax", "scipy", "tf", "linalg"]),
      (
        plot,
        ["plt", "figure", "contour", "contourf", "imshow", "scatter", "semilogy", "loglog", "surf", "hist"]
      ),
      (end, ["end", "endif", "done", "fi"]),
      (rank, ["rank"]),
    ]
    for (hint, words) in groups {
      for word in words { hints[word] = hint }
    }
    return hints
  }()
}
