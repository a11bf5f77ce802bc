import Syntax
import Testing

@Suite struct StatementTests {
  @Test(arguments: [
    ("x = 3", "(= x 3)"),
    ("A[i, j] = e", "(= (index A i j) e)"),
    ("W[mask] = 0", "(= (index W mask) 0)"),
    ("(a, b) = f(x)", "(= a b (f x))"),
    ("f := x^2", "(:= f (^ x 2))"),
    ("loss := ce + λ*penalty", "(:= loss (+ ce (* λ penalty)))"),
    ("f(a, b) := a*b", "(def (f a b) (* a b))"),
    ("f(a, n = 3) := a^n", "(def (f a n=3) (^ a n))"),
    ("f() := 3", "(def (f) 3)"),
    ("f(a) { b = a^2; return b }", "(def (f a) {(= b (^ a 2)) (return b)})"),
    ("f(a) {\n  return a\n}", "(def (f a) {(return a)})"),
    ("step(x) := x > 0", "(def (step x) (x > 0))"),
    ("param W = glorot(784, 100)", "(param W (glorot 784 100))"),
    ("data X = load(\"x.npy\")", "(data X (load \"x.npy\"))"),
    ("data = 3", "(= data 3)"),
    ("v ~ rademacher(like=params)", "(~ v (rademacher like=params))"),
    ("(xb, yb) ~ batch(X, y, 128)", "(~ xb yb (batch X y 128))"),
    ("for i in 0..10 { print i }", "(for i (.. 0 10) {(print i)})"),
    ("for a, b in X { }", "(for a b X {})"),
    ("while f > 1e-3 { step gd }", "(while (f > 0.001) {(!step gd)})"),
    ("repeat 10 { step adam }", "(repeat 10 {(!step adam)})"),
    ("if a { b } else if c { d } else { e }", "(if a {b} c {d} else {e})"),
    ("if a {\n b\n}\nelse {\n c\n}", "(if a {b} else {c})"),
    ("if a then b else c", "(if a b c)"),
    ("return", "(return)"),
    ("return a, b", "(return (tuple a b))"),
    ("break", "(break)"),
    ("continue", "(continue)"),
    ("print a, b", "(print a b)"),
    ("print(a)", "(print a)"),
    ("print(a, b)", "(print a b)"),
    ("print (a) + 1", "(print (+ a 1))"),
    ("print [1, 2]", "(print [1 2])"),
    ("assert f < 1, \"too big\"", "(assert (f < 1) \"too big\")"),
    ("assert(a == b)", "(assert (a == b))"),
    ("?", "(help)"),
    ("?grad", "(help grad)"),
    ("?newton-cg", "(help newton-cg)"),
    ("?^", "(help ^)"),
    ("", ""),
  ])
  func statements(text: String, expected: String) {
    #expect(tree(text) == expected)
  }

  @Test(arguments: [
    ("a; b; c", "a\nb\nc"),
    ("a; b;", "a\nb;"),
    ("a;\nb", "a;\nb"),
    ("a; # quiet\nb", "a;\nb"),
    ("if c { a; b; }", "(if c {a b})"),
    (";;a", "a"),
  ])
  func semicolons(text: String, expected: String) {
    #expect(tree(text) == expected)
  }

  @Test(arguments: [
    ("x = 3", ParseResult.Completeness.complete), ("", .complete), ("# only a comment", .complete),
    ("f(1,", .incomplete), ("x = [1, 2", .incomplete), ("for i in 0..3 {", .incomplete),
    ("for i in 0..3 {\n  print i\n", .incomplete), ("1 +", .incomplete), ("x :=", .incomplete),
    ("x = ", .incomplete), ("[x for", .incomplete), ("[x for x", .incomplete), ("[x for x in", .incomplete),
    ("[x for x in X", .incomplete), ("[x\nfor x in X,", .incomplete),
    ("if a then b", .incomplete), ("if a", .incomplete), ("hessian wrt", .incomplete),
    ("f(a) {", .incomplete),
    ("‖x", .incomplete), ("print a,", .incomplete), ("minimize gd until", .incomplete), ("1..", .incomplete),
    (")", .invalid), ("f(1))", .invalid), ("}", .invalid), ("x = \"abc", .invalid), ("x = 1 2", .invalid),
    ("x = )", .invalid), ("(1 + ]", .invalid), ("f(1 2", .invalid), ("$", .invalid), ("{ ) ", .invalid),
    ("param x", .invalid), ("\"{1 +}\"", .invalid), ("f(1 +\n) (", .invalid),
  ])
  func completeness(text: String, expected: ParseResult.Completeness) {
    #expect(parse(text).completeness == expected)
  }

  /// A clause may go on in the next line, unless that is a statement.
  @Test func clausesGoOn() {
    #expect(messages("slice f along\ngrad size=50\nminimize gd until\nf < 1 max\n30 lr=1e-3").isEmpty)
    #expect(messages("hessian wrt\nx = 3").count == 1)
    #expect(messages("hessian wrt\nfor i in 0..3 { print i }").count == 1)
  }

  @Test func incompleteTextsHaveDiagnosticsForTheEndOfAFile() {
    #expect(messages("x :=") == ["missing expression after ':='"])
    #expect(messages("f(1,\n  2") == ["'(' is never closed (add ')')"])
    // The string may have taken the closer with it.
    #expect(
      messages("repeat 2 {\n  x = \"abc }\n").map { $0.hasPrefix("this string is not closed") } == [true])
    #expect(messages("repeat 2 {\n  if x > 1 x = 2\n").count == 1)
    #expect(messages("repeat 2 { repeat 3 {") == ["'{' is never closed (add '}')"])
  }
}
