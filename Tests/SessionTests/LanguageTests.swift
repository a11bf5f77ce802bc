import Testing

@testable import Session

/// Expressions, control flow, text and echo.
@Suite struct LanguageTests {
  static let operators = [
    Example("print -2^2, 2^-1, 2^3^2, (-2)^2, 2--3, +4, 2^0.5^2", "-4 0.5 512 4 5 4 1.18921"),
    Example("print 7 % 3, -7 % 3, 5.5 % 2, 7/2, 2*3 - 4/2", "1 2 1.5 3.5 4"),
    Example("print 1 < 2 < 3, 3 > 2 > 2, 1 < [0, 2, 4] <= 2, 1 != 2, 2 ≥ 2, 1 == 1.0", "1 0 [0, 1, 0] 1 1 1"),
    Example("print not 0, not 3, 1 and 0, 1 or 0, 2 and 3, not 1 == 2, true, false", "1 0 0 1 1 1 1 0"),
    Example("print [1, 0, 1] and [1, 1, 0], [1, 0, 1] or 0", "[1, 0, 0] [1, 0, 1]"),
    Example(
      "print if 1 < 2 then 3 else 4, if [1, 0, 1] then [1, 2, 3] else 0, if 0 then 1 else if 1 then 2 else 3",
      "3 [1, 0, 3] 2"),
    Example(
      "M = [1, 2; 3, 4]; v = [1, 1]; print M @ v, v @ M, v @ v, (M @ M)[0], M'[0], v'",
      "[3, 7] [4, 6] 2 [7, 10] [1, 3] [1, 1]"),
    Example("print outer([1, 2], [3, 4])[1], sum([1, 2] * [3, 4]), dot([1, 2], [3, 4])", "[6, 8] 11 11"),
    Example(
      "A = ones(2, 3, 4); B = 2*ones(2, 4, 5); C = A @ B; print shape(C), C[1, 2, 4], shape(A @ ones(4)), shape(A')",
      "[2, 3, 5] 8 [2, 3] [2, 4, 3]"),
    Example("print π > 3.14, pi == π, e > 2.718, inf, -inf, nan, 1/0, 0/0", "1 1 1 inf -inf nan inf nan"),
    Example("print 1_000, .5, 5., 1e-3, 0.1e1, 2·3, 2×3, 5−2", "1000 0.5 5 0.001 1 6 6 3"),
    Example("x = [3, 4]; print ‖x‖, ‖x‖^2, norm(x)", "5 25 5"),
    Example("param x = [3, 4]; f := sum(x^2); print ∇f, ‖∇f‖, (∇f)[0]; ∇²f", "[6, 8] 10 6\n2  0\n0  2"),
    Example("lambda = 2; theta1 = 3; print λ, θ1, λ*theta1; µ = 4; mu", "2 3 6\n4"),
  ]

  @Test(arguments: operators) func operatorsWork(_ example: Example) { example.check() }

  static let tensors = [
    Example(
      "print shape([1, 2; 3, 4]), shape([[1, 2], [3, 4]]), shape([[[1]], [[2]]]), shape([]), size(7), shape([1, 2; 3, 4;])",
      "[2, 2] [2, 2] [2, 1, 1] [0] 1 [2, 2]"),
    Example("a = [1, 2]; A = [a, 2*a; a + 1, a]; print shape(A), A[1, 0]", "[2, 2, 2] [2, 3]"),
    Example("a = [1, 2]; print cat(a, [3]), stack(a, a)[1], max(a, 1.5)", "[1, 2, 3] [1, 2] [1.5, 2]"),
    Example(
      "M = [1, 2; 3, 4]; print (M + [10, 20])[1], (M + [10; 20])[1], (M*M)[1], shape(ones(2, 1, 3) + ones(4, 1))",
      "[13, 24] [23, 24] [9, 16] [2, 4, 3]"),
    Example(
      "x = [1, 2, 3, 4, 5]; print x[0], x[-1], x[1:3], x[::2], x[::-1], x[3:0:-1], x[-2:], x[5::-2], x[10:], x[:-3]",
      "1 5 [2, 3] [1, 3, 5] [5, 4, 3, 2, 1] [4, 3, 2] [4, 5] [5, 3, 1] [] [1, 2]"),
    Example(
      "x = [1, 2, 3, 4, 5]; print x[1..3], x[..2], x[3..], x[[0, -1]], x[x > 2], x[not x > 2], x[x > 1 and x < 4]",
      "[2, 3] [1, 2] [4, 5] [1, 5] [3, 4, 5] [1, 2] [2, 3]"),
    Example(
      "X = [1, 2, 3; 4, 5, 6]; print X[1], X[0, 2], X[:, 1], X[:, 1:-1][1], X[-1, ::-1], X[[1, 0], :][0], X[:, [2, 0]][0]",
      "[4, 5, 6] 3 [2, 5] [5] [6, 5, 4] [4, 5, 6] [3, 1]"),
    Example(
      "X = [1, 2, 3; 4, 5, 6]; rows = [0, 1, 1]; print shape(X[rows, :]), X[rows, 0], shape(X[[0, 1; 1, 0]])",
      "[3, 3] [1, 4, 4] [2, 2, 3]"),
    Example(
      "x = [1, 2, 3]; i = 1; j := i + 1; print x[i], x[j], x[i:], x[i..i+1]; i = 0; print x[j]",
      "2 3 [2, 3] [2]\n2"),
    Example("print sum(0..5), (0..3)[1], 2*(1..4)", "10 1 [2, 4, 6]"),
    Example(
      "x = zeros(0); print x, sum(x), norm(x), shape(x + 1), size(zeros(3, 0)), sum(zeros(3, 0), axis=1)",
      "[] 0 0 [0] 0 [0, 0, 0]"),
    Example(
      "t = (1, [2, 3], \"s\"); print t[0], t[1], t[-1]; e = eig([2, 0; 0, 3]); e.values", "1 [2, 3] s\n[2, 3]"
    ),
  ]

  @Test(arguments: tensors) func tensorsAreBuiltAndIndexed(_ example: Example) { example.check() }

  static let flow = [
    Example("i = 0; while i < 5 { i = i + 1; if i == 2 { continue }; if i == 4 { break }; print i }", "1\n3"),
    Example("repeat 2 { print \"r\" }; repeat 0 { print 1 }; repeat -1 { print 1 }", "r\nr"),
    Example(
      "for i in 0..3 { print i }; for i in 2..2 { print i }; for v in [1, 2; 3, 4] { print v }",
      "0\n1\n2\n[1, 2]\n[3, 4]"),
    Example(
      "for a, b in [1, 2; 3, 4] { print a + 10*b }; for k in linspace(0, 1, 3) { print k }",
      "21\n43\n0\n0.5\n1"),
    Example("for i in 0..2 { for j in 0..3 { if j == 1 { break }; print i, j } }", "0 0\n1 0"),
    Example(
      "if 0 { print 1 } else if 2 > 1 { print 2 } else { print 3 }; if all([1, 0]) { print 4 } else { print 5 }",
      "2\n5"),
    Example("n = 3; for i in 0..n { n = 1; print i }; i", "0\n1\n2\n2"),
    Example("for i in 0..2 {\n  print i\n}\nif 1 {\n  print \"a\"\n}\nelse {\n  print \"b\"\n}", "0\n1\na"),
    Example("x = 1; for i in 0..3 { x = 2*x\n }\nx", "8"),
  ]

  @Test(arguments: flow) func controlFlows(_ example: Example) { example.check() }

  static let text = [
    Example(
      #"a = 1.5; b = "hi"; print "{a} {a:.3} {a:.2e} {a:.3g} {b} {{x}} tab\t\"q\" \\ {a*2 + 1:.1}""#,
      "1.5 1.500 1.50e+00 1.5 hi {x} tab\t\"q\" \\ 4.0"),
    Example(#"print "{[1, 2]:.2}", "{[1, 2; 3, 4][0]}", "line\nbreak""#, "[1.00, 2.00] [1, 2] line\nbreak"),
    Example(#"s = "x"; t = "{s}y"; print t, "{"nested {s}"}""#, "xy nested x"),
    Example(#"print "λ = {0.1 + 0.2:.17g}", "{1e300*1e300:.3}""#, "λ = 0.30000000000000004 inf"),
    Example("print; print 1, [2], \"3\"; print(4, 5)", "\n1 [2] 3\n4 5"),
    Example("3; 4;\n5", "3\n5"),
    Example("x = 1\nx\nx;\nprint x;\n2; x = 3;", "1\n1\n2"),
    Example("# comment\nx = 1 # more\nx", "1"),
    Example("hlab> y = 3\nhlab> y + 1\n4\nhlab> y*2", "4\n6"),
    Example("f(x,\n  y) := x +\n  y\nf(1,\n  2)", "3"),
  ]

  @Test(arguments: text) func textIsPrinted(_ example: Example) { example.check() }

  static let echoes = [
    Example("x = [1, 2]", "x = [1, 2]"),
    Example("x = 1;", ""),
    Example("(a, b) = (1, [2, 3])", "a = 1\nb = [2, 3]"),
    Example("A = [1, 2; 3, 4]", "A = 1  2\n    3  4"),
    Example("param x = [1, 2]", "x : param 2 = [1, 2]"),
    Example("param x = 3; f := x^2", "x : param scalar = 3\nf : scalar = 9                objective"),
    Example("f(a, b) := a + b", "f(a, b) : function"),
    Example("p(a) { return a }", "p(a) : function"),
    Example("data X = ones(2, 2)", "X : data 2×2 = 1  1\n               1  1"),
    Example("v ~ rademacher(3)", "v : random 3"),
  ]

  @Test(arguments: echoes) func bindingsEchoInTheDialogue(_ example: Example) {
    example.check(isInteractive: true)
  }

  static let assertions = [
    Example("assert 1 == 1; assert [1, 1]; assert 1 < 2 < 3, \"never\"", ""),
    Example(
      "x = 3; assert x < 2, \"x is {x}\"",
      "error: assertion failed: x is 3\n --> <test>:1:15\n1 | x = 3; assert x < 2, \"x is {x}\"\n  |               ^^^^^\n  = x = 3"
    ),
    Example(
      "x = 3; y = 4; assert x^2 + y^2 < 20",
      "error: assertion failed\n --> <test>:1:22\n1 | x = 3; y = 4; assert x^2 + y^2 < 20\n  |                      ^^^^^^^^^^^^^^\n  = x^2 + y^2 = 25"
    ),
    Example("assert 0", "error: assertion failed\n --> <test>:1:8\n1 | assert 0\n  |        ^"),
  ]

  @Test(arguments: assertions) func assertionsExplain(_ example: Example) { example.check() }

  static let shadows = [
    Example("grad = 3; grad; grad + 1", "3\n4"),
    Example("value = 2; value - 1", "1"),
    Example("param x = 3; f := x^2; hessian(f, x); value + 1", "2\n10"),
    Example("e = 5; e; pi = 3; pi", "5\n3"),
  ]

  @Test(arguments: shadows) func verbsAreShadowed(_ example: Example) { example.check() }
}
