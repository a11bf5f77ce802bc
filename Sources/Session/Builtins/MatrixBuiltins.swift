import Graph
import LinearAlgebra
import Syntax
import Tensors

extension Builtins {
  /// Functions of matrices.
  static let matrices: [Builtin] = [
    Builtin(
      "trace", "A", .algebra, "The sum of the diagonal of a square matrix.", "trace([1, 2; 3, 4])", "5"
    ) { call in .node(call.trace(try call.squareMatrix("A"))) },
    Builtin(
      "inv", "A", .algebra, "The inverse of a square matrix; to solve a system, solve(A, b) is better.",
      "diag(inv([2, 0; 0, 4]))", "[0.5, 0.25]"
    ) { call in .node(call.graph.matrix(.inverse, [try call.squareMatrix("A")])) },
    Builtin(
      "solve", "A, b", .algebra, "The x with A @ x = b, for a vector or a matrix b.",
      "solve([2, 0; 0, 4], [2, 8])",
      "[1, 2]", solve),
    Builtin(
      "cholesky", "A", .algebra,
      "The lower triangular L with L @ L' = A, for a symmetric positive definite A.",
      "diag(cholesky([4, 0; 0, 9]))", "[2, 3]"
    ) { call in .node(call.graph.matrix(.cholesky, [try call.squareMatrix("A")])) },
    Builtin(
      "logdet", "A", .algebra, "The logarithm of the absolute value of the determinant.", "logdet(eye(3))",
      "0"
    ) { call in .node(call.graph.matrix(.logdet, [try call.squareMatrix("A")])) },
    Builtin("det", "A", .algebra, "The determinant.", "det([1, 2; 3, 4])", "-2") { call in
      .node(determinant(call.graph, try call.squareMatrix("A")))
    },
    Builtin(
      "eig", "A", .algebra,
      "Eigenvalues, ascending, and eigenvectors, as columns, of a symmetric matrix; eigvals takes any.",
      "eig([2, 0; 0, 1]).values", "[1, 2]"
    ) { call in
      let graph = call.graph
      let matrix = try call.squareMatrix("A")
      let n = graph.shape(matrix)[0]
      let packed = graph.matrix(.eigh, [matrix])
      return .record([
        ("values", .node(graph.picked(packed, axis: 0, at: 0))),
        ("vectors", .node(graph.sliced(packed, axis: 0, start: 1, count: n))),
      ])
    },
    Builtin(
      "eigvals", "A", .algebra,
      "Real and imaginary parts of the eigenvalues of any square matrix, ascending; constant for derivatives.",
      "eigvals([2, 1; 0, 1]).real", "[1, 2]"
    ) { call in
      let packed = call.graph.matrix(.eigvals, [try call.squareMatrix("A")])
      return .record([
        ("real", .node(call.graph.picked(packed, axis: 0, at: 0))),
        ("imag", .node(call.graph.picked(packed, axis: 0, at: 1))),
      ])
    },
    Builtin(
      "condition", "A", aliases: ["cond"], .algebra,
      "The largest singular value over the smallest: how much a solution of A @ x = b magnifies errors of b.",
      "condition([2, 0; 0, 8])", "4"
    ) { call in
      let graph = call.graph
      let matrix = try call.node("A")
      let shape = graph.shape(matrix)
      guard shape.count == 2, !shape.contains(0) else {
        throw call.error(
          .shape, "condition takes a matrix, not a tensor of shape \(shape.shapeDescription)", "A",
          hint: call.hessianHint(matrix, "A"))
      }
      let values = graph.matrix(.svdvals, [matrix])
      let last = graph.picked(values, axis: 0, at: min(shape[0], shape[1]) - 1)
      let quotient = graph.multiplied(graph.picked(values, axis: 0, at: 0), graph.map(.reciprocal, last))
      // Of a matrix of zeros too, where the quotient would be 0/0.
      let isSingular = graph.map(.equal, last, graph.fill(0))
      return .node(
        graph.select(
          Operand(isSingular, []), Operand(graph.fill(.infinity), []), Operand(quotient, []), shape: []))
    },
    Builtin(
      "svd", "A", .algebra,
      "Singular values, descending, with u and v as columns, so that A = u @ diag(values) @ v'; columns for the value 0, which A does not determine, are 0.",
      "svd([3, 0; 0, 4]).values", "[4, 3]"
    ) { call in
      let matrix = try call.matrix("A")
      guard !call.graph.shape(matrix).contains(0) else { throw call.error(.domain, "svd needs entries", "A") }
      let graph = call.graph
      let values = graph.matrix(.svdvals, [matrix])
      let (u, v) = graph.singularVectors(matrix)
      let isDetermined = isPositive(graph, values, size: graph.shape(matrix).reduce(0, +))
      let sides = [u, v].map { side in
        graph.contract(1, [Operand(side, [0, 1]), Operand(isDetermined, [1])], to: [0, 1])
      }
      return .record([("values", .node(values)), ("u", .node(sides[0])), ("v", .node(sides[1]))])
    },
    Builtin(
      "matrix_rank", "A", .algebra,
      "The numerical rank of a matrix: how many singular values exceed max(m, n)·ε times the largest, ε being the rounding of the precision; a number, found when the statement runs.",
      "matrix_rank([1, 2; 2, 4])", "1", runs: matrixRank),
  ]

  /// As `numpy.linalg.matrix_rank` counts.
  private static func matrixRank(_ call: EagerCall) throws -> Value {
    guard let matrix = try call.tensors("A").first, matrix.rank == 2 else {
      let shape = try call.tensors("A").first?.shape.shapeDescription ?? "scalar"
      throw call.error(.shape, "matrix_rank needs a matrix, not a tensor of shape \(shape)", "A")
    }
    let values: [Double]
    do {
      values = try singularValues(matrix).doubles
    } catch {
      throw call.error(.numeric, "\(error)", "A")
    }
    let rounding = matrix.precision == .f32 ? Double(Float.ulpOfOne) : Double.ulpOfOne
    let least = Double(matrix.shape.max() ?? 0) * rounding * (values.first ?? 0)
    return .number(Double(values.count { $0 > least }))
  }

  /// 1 where a singular value is above the rounding of the largest, else 0.
  private static func isPositive(_ graph: TensorGraph, _ values: NodeID, size: Int) -> NodeID {
    let shape = graph.shape(values)
    let rounding = 4 * Double(size) * Double.ulpOfOne
    let least = graph.contract(
      rounding, [Operand(graph.picked(values, axis: 0, at: 0), [])], to: [0], sizes: [0: shape[0]])
    return graph.map(.less, least, values)
  }

  private static func solve(_ call: BuiltinCall) throws -> Meaning {
    let graph = call.graph
    let matrix = try call.squareMatrix("A")
    let right = try call.placed("b")
    let (n, shape) = (graph.shape(matrix)[0], graph.shape(right.node))
    guard (1...2).contains(shape.count), shape[0] == n else {
      throw Diagnostic(
        .shape, "shapes \(n)×\(n) and \(shape.shapeDescription) do not fit in solve", at: right.span,
        labels: [.init(right.span, "shape \(shape.shapeDescription)")], hint: "b needs \(n) rows")
    }
    if shape.count == 2 { return .node(graph.matrix(.solve, [matrix, right.node])) }
    let column = graph.withAxes(right.node, [1])
    return .node(graph.summed(graph.matrix(.solve, [matrix, column]), over: [1]))
  }

  /// Small ones are written out, so that a singular matrix has derivatives too.
  private static func determinant(_ graph: TensorGraph, _ matrix: NodeID) -> NodeID {
    let n = graph.shape(matrix)[0]
    guard n <= 3 else { return graph.matrix(.det, [matrix]) }
    let rows = (0..<n).map { Operand(graph.picked(matrix, axis: 0, at: $0), [$0]) }
    let signs = Operand(graph.constant(permutationSigns(n)), Array(0..<n))
    return graph.contract(1, rows + [signs], to: [])
  }
}
