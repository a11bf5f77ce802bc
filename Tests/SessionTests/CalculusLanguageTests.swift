import Testing

@testable import Session

/// Derivatives as expressions: closed forms, differences, bundles, argument forms.
@Suite struct CalculusLanguageTests {
  static let closedForms = [
    Example(
      "param x = [1, 2]; f := sum(x^3); print grad(f, x), grad(f), grad(f, wrt=x), grad(f, x[0]), grad(f, x[1:]), grad(f, x[-1])",
      "[3, 12] [3, 12] [3, 12] 3 [12] 12"),
    Example(
      "param x = [1, 2]; f := sum(x^3); hessian(f, x); hessian(f); print hessian(f, x[0]), hessian(f, x[1:])",
      "6   0\n0  12\n6   0\n0  12\n6 12"),
    Example(
      "param x = [1, 2]; print jacobian(x^2, x)[1], jacobian(sum(x), x), hvp(sum(x^3), x, [1, 1]), jvp(x^2, x, [1, 1]), vjp(x^2, x, [1, 1]), laplacian(sum(x^3), x)",
      "[0, 4] [1, 1] [6, 12] [2, 4] [2, 4] 18"),
    Example(
      "param W = [1, 2; 3, 4]; f := sum(W^3); H := hessian(f, W); print shape(H), diag(H), shape(hessian(f, W, tensor=true)), hessian(f, W, tensor=true)[1, 0, 1, 0], hessian(f, W[0, :])[1]",
      "[4, 4] [6, 12, 18, 24] [2, 2, 2, 2] 18 [0, 12]"),
    Example(
      "param x = 2; f := x^6; print grad(grad(grad(grad(f, x), x), x), x), hessian(hessian(f, x), x)",
      "1440 1440"),
    Example("param x = 2; f := stop(x)*x^2; print grad(f, x), hessian(f, x), grad(stop(f), x)", "8 4 0"),
    Example(
      "param x = [1, 2]; z := x^2 + 1; f := sum(exp(z)); G := ggn(f, x, at=z); assert max(abs(G - diag(4*x^2*exp(z)))) < 1e-9",
      ""),
    Example(
      "A = [1, 2; 3, 4; 5, 6]; b = [1, 0, 2]; param x = [1, 1]; f := sum((A @ x - b)^2); ggn(f, x); hessian(f, x) - ggn(f, x)",
      "70   88\n88  112\n0  0\n0  0"),
    Example("x = 3; f := x^2; grad(f, x); data d = [1, 2]; grad(sum(d^2), d)", "6\n[2, 4]"),
    Example("g(a, b) := grad(a^2*b, b); k(a) := grad(g(a, a), a); print g(3, 5), k(3)", "9 6"),
    Example("d2(t) := hessian(sin(t), t); d3(t) := grad(d2(t), t); print d2(0), d3(0)", "0 -1"),
  ]

  @Test(arguments: closedForms) func closedFormsHold(_ example: Example) { example.check() }

  static let bundles = [
    Example(
      "param U = [1, 2]; param V = [3, 4]; f := sum(U^2)*sum(V); g := grad(f, params); g; g.V; g[0]; g[-1]; dot(g, g); norm(g)^2",
      "U = [14, 28]\nV = [5, 5]\n[5, 5]\n14\n5\n1030\n1030"),
    Example(
      "param U = [1, 2]; param V = [3, 4]; f := sum(U^2)*sum(V); g := grad(f, (V, U)); g; 2*g - g/2 + [1, 0, 0, 0]",
      "V = [5, 5]\nU = [14, 28]\nV = [8.5, 7.5]\nU = [21, 42]"),
    Example(
      "param U = [1, 2]; param V = [3, 4]; f := sum(U^2)*sum(V); H := hessian(f, params); H; H.U.V; H.V.U; G = hessian(f, params); G.U.V",
      "14   0  2  2\n 0  14  4  4\n 2   4  0  0\n 2   4  0  0\n2  2\n4  4\n2  4\n2  4\n2  2\n4  4"),
    Example(
      "param a = 1; param b = [1, 2]; f := a*sum(b^2); u = grad(f, params); v := u; print u.a, u.b, u[1:], v.a, norm(-u), sum(u)",
      "5 [2, 4] [2, 4] 5 6.7082 11"),
    Example(
      "param a = 1; param b = [1, 2]; f := a*sum(b^2); f(params = params - 0.1*grad(f, params)); print dot(hvp(f, params, [1, 0, 0]), [0, 1, 0])",
      "1.6\n2"),
    Example("param a = 1; param b = [1, 2]; J := jacobian(a*b, params); J.a; J.b", "[1, 2]\n1  0\n0  1"),
    Example(
      "param a = 1; param b = [1, 2]; f := a*sum(b^2); print laplacian(f, params), trace(hessian(f, params)), jvp(f, params, params)",
      "4 4 15"),
    Example(
      "param a = 1; param b = [1, 2]; f := sum(b^2); g := grad(f, params); h := f + 0*a; k := grad(h, params); g; k",
      "b = [2, 4]\na = 0\nb = [2, 4]"),
  ]

  @Test(arguments: bundles) func bundlesBehave(_ example: Example) { example.check() }

  static let gaussNewton = [
    Example(
      "A = [1, 2; 3, 4; 5, 6]; param w = [1, 1]; ce := mean(softplus(A @ w) - [0, 1, 1]*(A @ w)); assert max(abs(ggn(ce, w) - hessian(ce, w))) < 1e-12",
      ""),
    Example(
      "A = [1, 2; 3, 4]/5; param W = [1, 2; 3, 4]/4; z := tanh(A @ W); k := crossentropy(z, [0, 1]) + sum(W^2); d := ggn(k, W) - ggn(crossentropy(z, [0, 1]), W, at=z) - 2*eye(4); assert norm(d) < 1e-12; assert norm(hessian(k, W) - ggn(k, W)) > 1e-3",
      ""),
    Example(
      "param a = 1; param b = 2; f := (a*b - 1)^2; ggn(f, params); hessian(f, params)",
      "8  4\n4  2\n8  6\n6  2"),
  ]

  @Test(arguments: gaussNewton) func lossesSplitByTerms(_ example: Example) { example.check() }

  /// Formulas of x (three entries near 1) to be differentiated numerically.
  static let formulas = [
    "sum(sin(x)*exp(x))", "log(sum(exp(A @ x)))", "x[0]*x[1]/x[2] + x @ (A @ x)",
    "if x[0] > 0 then x[1]^3 else x[2]^2",
    "sum(if x > 1 then x^2 else log(x))", "p(x[0], x[1])", "norm(A @ x)^3", "sum(x^[1, 2, 3])",
    "sum((A @ A')[:, 0]*x)^2",
    "sum(cumsum(x)^2)", "prod(x)", "q(x)", "max(x)*min(x)", "logsumexp(3*x)^2",
    "tanh(x @ x) + sqrt(x[0] + 5)",
    "sum([x[0], x[1]; x[2], x[0]] @ [x[1], 1])", "sum(x[[0, 0, 2]]^3)", "sum(x[::-1]*x^2)",
    "f2(x = 2*x) + f2",
    "det(eye(3) + outer(x, x))", "sum(solve(eye(3)*4 + A, x)^2)", "grad(sum(x^4)*x[1], x) @ x",
  ]

  @Test(arguments: formulas) func derivativesMatchDifferences(_ formula: String) {
    let c = Conversation()
    c.say(
      """
      param x = [0.7, 1.2, 1.6]
      A = [0.5, 1, -0.3; 0.2, -0.8, 0.9; 1.1, 0.4, 0.6]
      p(a, b) { s = a; for i in 0..3 { if i % 2 == 0 { s = s*b + i } else { s = sin(s) } }; return s }
      q(v) { y = zeros(3); for i in 0..3 { y[i] = v[i]^(i + 1) }; return sum(y)^2 }
      f2 := sum(x^3)
      f := \(formula)
      g := grad(f, x)
      H := hessian(f, x)
      d(k) := onehot(k, 3)
      t = 1e-5
      """)
    #expect(c.outcome == .ok)
    let said = c.say(
      """
      for k in 0..3 {
        n = (f(x = x + t*d(k)) - f(x = x - t*d(k)))/(2*t)
        assert abs(n - g[k]) < 1e-6*(1 + abs(n)), "gradient {k}: {n} {g[k]}"
        m = (g(x = x + t*d(k)) - g(x = x - t*d(k)))/(2*t)
        assert max(abs(m - H[k])) < 1e-5*(1 + max(abs(m))), "Hessian {k}: {m} {H[k]}"
      }
      assert max(abs(H - H')) <= 1e-12*(1 + max(abs(H)))
      v = [0.3, -1, 0.5]
      assert norm(hvp(f, x, v) - H @ v) <= 1e-10*(1 + norm(H))
      assert abs(jvp(f, x, v) - g @ v) <= 1e-10*(1 + norm(g))
      assert norm(vjp(2*x*f, x, v) - jacobian(2*x*f, x)' @ v) <= 1e-10*(1 + abs(f) + norm(g))
      assert abs(laplacian(f, x) - trace(H)) <= 1e-10*(1 + norm(H))
      third := grad(v @ (H @ v), x)
      n = ((v @ (H(x = x + t*v) @ v)) - (v @ (H(x = x - t*v) @ v)))/(2*t)
      assert abs(third @ v - n) <= 1e-4*(1 + abs(n)), "third: {third @ v} {n}"
      """)
    #expect(said == "")
  }

  static let untaken = [
    Example("param x = 0; f := if x > 0 then log(x) else x^2; print f, grad(f, x), hessian(f, x)", "0 0 2"),
    Example("param x = 0; f := if x == 0 then 1 else sin(x)/x; print f, grad(f, x), hessian(f, x)", "1 0 0"),
    Example(
      "param x = [-1, 0, 4]; f := sum(if x > 0 then sqrt(x) else 0); print f, grad(f, x)", "2 [0, 0, 0.25]"),
    Example(
      "param x = 1000; f := if x > 10 then x else log(1 + exp(x)); print f, grad(f, x), hessian(f, x)",
      "1000 1 0"),
  ]

  @Test(arguments: untaken) func untakenLanesLeaveNoTrace(_ example: Example) { example.check() }

  static let misuse = [
    Failure(
      "param x = [1, 2]; grad(x^2, x)", "grad needs a scalar function, not one of shape 2", at: "x^2",
      "hint: reduce it with sum or mean, or take jacobian"),
    Failure(
      "param x = [1, 2]; f := sum(x); grad(f, x^2)", "derivatives are taken by leaves, and 'x^2' is not one",
      at: "x^2", "formal parameter"),
    Failure(
      "param x = [1, 2]; f := sum(x); grad(f, f)", "derivatives are taken by leaves, and 'f' is not one",
      at: "f"),
    Failure("param x = [1, 2]; f := sum(x); grad(f, zz)", "'zz' is not bound", at: "zz"),
    Failure(
      "print rank([1, 2; 2, 4])", "there is no function 'rank'", at: "rank", "matrix_rank(A)", "ndim(x)"),
    Failure("print lr", "'lr' is not bound", at: "lr", "step gd lr=0.1"),
    Failure(
      "s = [1, 2]; y = [3, 4]; plot(s, y)", "a plot shows tensors, not a tuple of 2", at: "(s, y)",
      "plot s, y"),
    Failure("param x = [1, 2]; f := sum(x); hvp(f, x)", "hvp takes (f, wrt, v)", at: "hvp(f, x)"),
    Failure(
      "param x = [1, 2]; f := sum(x); hvp(f, x, [1, 2, 3])", "a tensor of shape 3 does not fit the params",
      at: "[1, 2, 3]", "params have 2 entries in all"),
    Failure(
      "param x = [1, 2]; vjp(x^2, x, [1, 2, 3])", "the cotangent must have the shape of the function",
      at: "[1, 2, 3]", "shape 2"),
    Failure("param x = [1, 2]; grad(sum(x), wrt=x, foo=2)", "grad takes (f, wrt)", at: "foo=2"),
    Failure("grad()", "grad takes (f, wrt)", at: "grad()"),
    Failure("a = 3; grad(2)", "this formula depends on no param", at: "grad(2)"),
    Failure(
      "param x = [1, 2]; z := x*2; ggn(sum(exp(z)), x, at=7*x)", "'7*x' is not part of this formula",
      at: "7*x"),
    Failure(
      "param x = [1, 2]; ggn(sum(exp(x)), x)",
      "it is not clear where this formula splits into a model and a loss",
      at: "ggn(sum(exp(x)), x)", "at=z"),
    Failure(
      "param x = [1, 2]; z := x^2; f := sum(exp(z)); ggn(f, x)",
      "it is not clear where this formula splits into a model and a loss", at: "ggn(f, x)"),
    Failure(
      "param a = 1; param b = [1, 2]; f := a*sum(b); grad(f, (a, b[0]))",
      "several targets must be whole params", at: "b[0]"),
    Failure("param b = [1, 2]; f := sum(b); grad(f, (b, b))", "'b' is named twice", at: "(b, b)"),
    Failure(
      "param a = 1; param b = [1, 2]; f := a*sum(b); g := grad(f, params); g.c",
      "this bundle has no field 'c'", at: "g.c", "it has a, b"),
    Failure(
      "param a = 1; param b = [1, 2]; f := a*sum(b); g := grad(f, params); g + [1, 2]",
      "a tensor of shape 2 does not fit the params", at: "[1, 2]"),
    Failure(
      "param x = zeros(400, 500); f := sum(x)^2; hessian(f, x)",
      "a Hessian over 200000 params needs 320 GB, the limit is", at: "hessian(f, x)"),
  ]

  @Test(arguments: misuse) func misuseIsExplained(_ failure: Failure) { failure.check() }
}
