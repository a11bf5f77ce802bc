import Syntax
import Testing

@Suite struct ExpressionTests {
  @Test(arguments: [
    ("1 + 2 * 3", "(+ 1 (* 2 3))"),
    ("a - b + c", "(+ (- a b) c)"),
    ("a * b / c @ d % e", "(% (@ (/ (* a b) c) d) e)"),
    ("-x^2", "(- (^ x 2))"),
    ("2^-1", "(^ 2 (- 1))"),
    ("2^3^4", "(^ 2 (^ 3 4))"),
    ("2^-x^2", "(^ 2 (- (^ x 2)))"),
    ("-a * b", "(* (- a) b)"),
    ("a * -b", "(* a (- b))"),
    ("--x", "(- (- x))"),
    ("(a + b) * c", "(* (+ a b) c)"),
    ("A' @ B", "(@ (' A) B)"),
    ("A'^2", "(^ (' A) 2)"),
    ("x[0]^2", "(^ (index x 0) 2)"),
    ("f(x)'", "(' (f x))"),
    ("a < b <= c", "(a < b <= c)"),
    ("a + 1 == b", "((+ a 1) == b)"),
    ("a or b and c", "(or a (and b c))"),
    ("not a and b", "(and (not a) b)"),
    ("not a < b", "(not (a < b))"),
    ("a or b or c", "(or a b c)"),
    ("-1..1", "(.. (- 1) 1)"),
    ("0..n + 1", "(.. 0 (+ n 1))"),
    ("[x^2 for x in 0..5]", "(each (^ x 2) (in x (.. 0 5)))"),
    ("[a*b for a in A, b in a..3,]", "(each (* a b) (in a A) (in b (.. a 3)))"),
    ("[[i for i in 0..n] for n in N]'[0]", "(index (' (each (each i (in i (.. 0 n))) (in n N))) 0)"),
    ("[if x > 0 then x else 0\n for x\n in X]", "(each (if (x > 0) x 0) (in x X))"),
    ("[[x, y] for x in X, y in Y]", "(each [x y] (in x X) (in y Y))"),
    ("x[[i for i in I]]", "(index x (each i (in i I)))"),
    ("if a < b then a else b + 1", "(if (a < b) a (+ b 1))"),
    ("if a then b else if c then d else e", "(if a b (if c d e))"),
    ("(if a then b else c) + 1", "(+ (if a b c) 1)"),
    ("∇f * 2", "(* (grad f) 2)"),
    ("-∇f", "(- (grad f))"),
    ("∇²f", "(hessian f)"),
    ("‖∇f‖ < 1e-8", "((norm (grad f)) < 1e-08)"),
    ("‖a + ‖b‖‖", "(norm (+ a (norm b)))"),
    ("‖x‖^2", "(^ (norm x) 2)"),
    ("2·x × y − z", "(- (* (* 2 x) y) z)"),
  ])
  func precedence(text: String, expected: String) {
    #expect(tree(text) == expected)
  }

  @Test(arguments: [
    ("f(x, n=3)", "(f x n=3)"),
    ("f (x)", "(f x)"),
    ("f()", "(f)"),
    ("f(x)(y)", "((f x) y)"),
    ("loss(X = Xtest, y = ytest)", "(loss X=Xtest y=ytest)"),
    ("f(lambda = 3)", "(f λ=3)"),
    ("e.values[0]", "(index (. e values) 0)"),
    ("H.W1.b1", "(. (. H W1) b1)"),
    ("X[:, 1:-1]", "(index X (: _ _ _) (: 1 (- 1) _))"),
    ("X[::2, ::]", "(index X (: _ _ 2) (: _ _ _))"),
    ("X[a:b:c]", "(index X (: a b c))"),
    ("x[2..]", "(index x (.. 2 _))"),
    ("x[..3, 1]", "(index x (.. _ 3) 1)"),
    ("x[1..3]", "(index x (.. 1 3))"),
    ("[1, 2; 3, 4]", "[1 2; 3 4]"),
    ("[[1, 2], [3, 4]]", "[[1 2] [3 4]]"),
    ("[]", "[]"),
    ("[1, 2,]", "[1 2]"),
    ("(a, b)", "(tuple a b)"),
    ("(a,)", "(tuple a)"),
    ("true and false", "(and true false)"),
    ("einsum(\"ij,jk->ik\", A, B)", "(einsum \"ij,jk->ik\" A B)"),
    ("grad(f, x)(x = a)", "((grad f x) x=a)"),
    ("5 % 3", "(% 5 3)"),
  ])
  func operands(text: String, expected: String) {
    #expect(tree(text) == expected)
  }

  @Test(arguments: [
    ("1 +\n 2", "(+ 1 2)"),
    ("f(a,\n  b\n)", "(f a b)"),
    ("[1, 2\n ; 3, 4\n]", "[1 2; 3 4]"),
    ("a and\nb", "(and a b)"),
    ("a\n-b", "a\n(- b)"),
    ("f\n(x)", "f\nx"),
    ("x :=\n  3", "(:= x 3)"),
  ])
  func lineBreaks(text: String, expected: String) {
    #expect(tree(text) == expected)
  }

  @Test func spansCoverWhatWasWritten() {
    let result = parse("y = lambda * (a + b)")
    guard case .assign(_, let value)? = result.statements.first?.kind else {
      Issue.record("no assignment")
      return
    }
    #expect(value.span.text == "lambda * (a + b)")
    #expect(result.statements.first?.span.text == "y = lambda * (a + b)")
  }
}
