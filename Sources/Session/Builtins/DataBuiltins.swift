import Datasets
import Syntax
import Tensors

extension Builtins {
  /// Calls of `load` run before the expression around them (see `Interpreter.runProcedures`); in a live formula there
  /// is no such moment.
  static let data: [Builtin] = [
    Builtin(
      "load", "file", .data, "The tensor in a .npy or .csv file, read when the statement runs.",
      "save \"/tmp/hlab-v.npy\" [1, 2]; print load(\"/tmp/hlab-v.npy\")", "[1, 2]"
    ) { call in
      throw Diagnostic(
        .domain, "a live formula cannot read a file", at: call.span,
        hint: "read it once: data X = \(call.span.text)")
    },
    Builtin(
      "angle", "A, B, k=", .algebra,
      "Principal angles, ascending, between the top k eigenvectors of two symmetric matrices or operators, or between the columns of two matrices; found when the statement runs.",
      "angle([1; 0], [1; 1])", "[0.785398]"
    ) { call in
      throw Diagnostic(
        .domain, "a live formula cannot search for eigenvectors", at: call.span,
        hint: "find them once: t = \(call.span.text)")
    },
  ]
}
