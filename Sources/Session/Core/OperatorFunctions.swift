import Curvature
import LinearAlgebra
import Syntax
import Tensors

/// Functions that iterate on operators: they run when the statement does.
extension Interpreter {
  /// Orders up to which systems are solved by factors of the entries.
  private static var smallOrder: Int { 2000 }

  /// Whether an expression is an operator whose entries are too many to factor.
  func isLargeOperator(_ expr: Expr?) -> Bool {
    guard let expr else { return false }
    // Plain tensors need no second look.
    switch expr.kind {
    case .number, .literal, .string, .range, .comprehension: return false
    default: break
    }
    let elaborator = Elaborator(self, environment: FormulaEnvironment(frameTag: currentFrameTag))
    guard case .operator(let form)? = try? elaborator.meaning(expr) else { return false }
    return elaborator.order(form) > Self.smallOrder
  }

  /// `solve(H, b)` by products: MINRES, to a relative residual of 1e-10 in f64 and 1e-5 in f32.
  func solution(_ arguments: [Argument], _ call: Expr) throws -> Value {
    let (matrix, right) = try pair(arguments, call, "solve(A, b)")
    let (a, _) = try symmetric(matrix, OperatorKey(call, 0), call)
    let value = try evaluate(right)
    guard let b = value.tensor ?? flat(value), b.shape == [a.order] else {
      throw Diagnostic(
        .shape, "the right side of an operator of order \(a.order) is a vector of \(a.order) entries",
        at: right.span)
    }
    let tolerance = state.settings.precision == .f64 ? 1e-10 : 1e-5
    let found = try matrixFree(at: call.span) {
      try minimumResidual(
        a, b.doubles, tolerance: tolerance, maxProducts: min(max(10 * a.order, 1000), 20_000))
    }
    guard found.converged else {
      throw Diagnostic(
        .numeric, "the system of order \(a.order) is not solved after \(found.products) products",
        at: call.span,
        notes: ["‖b − A·x‖/‖b‖ = \(NumberFormat(digits: 3)(found.relativeResidual))"],
        hint: "a shift helps an ill-conditioned one: solve(H + 1e-3*eye(\(a.order)), b)")
    }
    return .tensor(Tensor(vector: found.x, state.settings.precision))
  }

  private func flat(_ value: Value) -> Tensor? {
    if case .bundle(_, let tensors) = value { return Tensor(vector: tensors.flatMap(\.doubles)) }
    return nil
  }

  /// `angle(A, B, k)`: the principal angles between the spans of the top k eigenvectors of two symmetric matrices or
  /// operators; `angle(U, V)` between the spans of the columns of two matrices.
  func angles(_ arguments: [Argument], _ call: Expr) throws -> Value {
    guard (2...3).contains(arguments.count), arguments.allSatisfy({ $0.name == nil || $0.name == "k" }) else {
      throw Diagnostic(
        .type, "angle takes (A, B, k): two symmetric matrices or operators and how many eigenvectors",
        at: call.span,
        hint: "or (U, V): two matrices whose columns span subspaces")
    }
    let sides = Array(arguments.prefix(2).map(\.value))
    let spans = try arguments.count == 2 ? sides.map(columns) : eigenspaces(sides, arguments[2].value, call)
    guard spans[0].length == spans[1].length else {
      throw Diagnostic(
        .shape, "subspaces of \(spans[0].length) and \(spans[1].length) dimensions have no angle",
        at: call.span)
    }
    return .tensor(Tensor(vector: try matrixFree(at: call.span) { try principalAngles(spans[0], spans[1]) }))
  }

  private func eigenspaces(_ sides: [Expr], _ count: Expr, _ call: Expr) throws -> [Rows] {
    let k = try whole(count)
    return try sides.enumerated().map { place, expr -> Rows in
      let (a, name) = try symmetric(expr, OperatorKey(call, place), call)
      guard (1...max(a.order, 1)).contains(k) else {
        throw Diagnostic(.domain, "the number of eigenvectors is 1 to \(a.order), not \(k)", at: count.span)
      }
      let search = EigenSearch(k, .top, order: a.order, roundoff: a.roundoff)
      let found = try matrixFree(at: call.span) {
        try BlockLanczos.eigenpairs(of: a, search, generator: CounterGenerator(seed: 1))
      }
      guard found.converged == k else {
        throw Diagnostic(
          .numeric, "\(found.converged) of \(k) eigenvectors of \(name) have converged", at: expr.span,
          hint: "ask for fewer of them")
      }
      return found.vectors
    }
  }

  /// An operator argument, or a matrix whose entries are symmetric.
  private func symmetric(_ expr: Expr, _ key: OperatorKey, _ call: Expr) throws -> (
    any SymmetricOperator, String
  ) {
    let found = try formulaOperator(key: key, owner: call, expr.span) { elaborator in
      if case .operator(let form) = try elaborator.meaning(expr) { return form }
      return nil
    }
    if let found { return (found, found.name) }
    guard let matrix = try evaluate(expr).tensor, matrix.rank == 2, matrix.shape[0] == matrix.shape[1],
      matrix.isFinite, matrix.asymmetry == nil
    else { throw Diagnostic(.type, "'\(expr.span.text)' is no symmetric matrix or operator", at: expr.span) }
    return (MatrixOperator(matrix), expr.span.text)
  }

  /// An orthonormal basis of the span of a matrix's columns, or of a vector.
  private func columns(_ expr: Expr) throws -> Rows {
    let value = try evaluate(expr)
    guard let tensor = value.tensor ?? flat(value), (1...2).contains(tensor.rank), tensor.count > 0,
      tensor.isFinite
    else { throw Diagnostic(.type, "angle takes finite matrices of columns, or vectors", at: expr.span) }
    let (n, k) = (tensor.shape[0], tensor.rank == 1 ? 1 : tensor.shape[1])
    let entries = tensor.doubles
    let rows = Rows((0..<k).flatMap { j in (0..<n).map { entries[$0 * k + j] } }, length: n)
    return rows.orthonormalSpan()
  }

  private func pair(_ arguments: [Argument], _ call: Expr, _ usage: String) throws -> (Expr, Expr) {
    guard arguments.count == 2 else { throw Diagnostic(.type, "\(usage) takes two arguments", at: call.span) }
    return (arguments[0].value, arguments[1].value)
  }

  /// Runs a method that needs only products, its errors placed in the text.
  func matrixFree<T>(at span: Span, _ body: () throws -> T) throws -> T {
    do {
      return try body()
    } catch let error as CurvatureError {
      throw Diagnostic(.numeric, error.description, at: span)
    } catch let error as LinearAlgebraError {
      throw Diagnostic(.numeric, error.description, at: span)
    }
  }
}

/// An operator argument of a call.
private struct OperatorKey: Hashable {
  let call: ObjectIdentifier
  let place: Int

  init(_ call: Expr, _ place: Int) {
    self.call = ObjectIdentifier(call)
    self.place = place
  }
}
