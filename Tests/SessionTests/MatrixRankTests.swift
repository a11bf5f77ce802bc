import Testing

@testable import Session

@Suite struct MatrixRankTests {
  @Test(arguments: [
    ("[1, 2; 2, 4]", 1), ("eye(4)", 4), ("zeros(3, 2)", 0), ("ones(3, 5)", 1), ("[1, 2, 3; 4, 5, 6]", 2),
    ("outer([1, 2, 3], [1, -1]) + outer([0, 1, 0], [2, 5])", 2), ("zeros(0, 3)", 0),
    ("diag([1, 1e-20, 1])", 2),
    ("diag([1, 1e-10, 0])", 2), ("[1, 2, 3; 4, 5, 6; 7, 8, 9]", 2),
    // Of a projection on a plane of ten dimensions.
    ("qqt(10)", 2),
  ])
  func ranks(_ matrix: String, _ rank: Int) {
    let c = Conversation()
    c.say("qqt(n) { a = linspace(0.1, 1, n); b = a^2; return outer(a, a)/dot(a, a) + outer(b, b) }")
    #expect(c.say("matrix_rank(\(matrix))") == "\(rank)")
  }

  @Test func ofAHessian() {
    #expect(
      Conversation().say("param x = [1, 2]; f := (x[0] + x[1])^2; print matrix_rank(hessian(f, x))") == "1")
  }

  /// In single precision 1e-8 beside 1 is rounding.
  @Test func roundingFollowsThePrecision() {
    let c = Conversation()
    #expect(c.say("A = [1, 0; 0, 1e-8]; print matrix_rank(A)") == "2")
    #expect(c.say("set precision f32; print matrix_rank(A)").hasSuffix("1"))
  }

  @Test(arguments: [
    Failure("matrix_rank([1, 2])", "matrix_rank needs a matrix, not a tensor of shape 2", at: "[1, 2]"),
    Failure("matrix_rank([1, nan; 0, 1])", "", at: "[1, nan; 0, 1]"),
    Failure(
      "param A = eye(2); f := matrix_rank(A)*sum(A)", "matrix_rank runs when a statement does",
      at: "matrix_rank(A)"),
    Failure(
      "param A = eye(2); print grad(matrix_rank(A)*sum(A), A)", "matrix_rank runs when a statement does",
      at: "matrix_rank(A)"),
  ])
  func refusals(_ failure: Failure) { failure.check() }
}
