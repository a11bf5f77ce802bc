import Engine
import Foundation
import Syntax
import Tensors
import Testing

@testable import Session

/// `[e for a in A, b in B]` against the same elements written out.
@Suite struct ComprehensionTests {
  static let examples = [
    Example("print [x^2 for x in 0..5]", "[0, 1, 4, 9, 16]"),
    Example("print [a*b for a in 1..4, b in [10, 20]]", "10  20\n20  40\n30  60"),
    Example("print [sum(r) for r in [1, 2; 3, 4]]", "[3, 7]"),
    Example("print [[i*j for j in 0..3] for i in 0..2]", "0  0  0\n0  1  2"),
    Example("print [x for x in 0..0], shape([[x, x] for x in 3..1])", "[] [0, 2]"),
    Example("print 1 + sum([\n  x\n  for x in 0..4,\n])", "7"),
    // Other names stay as they are.
    Example("x = 7; y = [x*x for x in 0..3]; print x, y", "7 [0, 1, 4]"),
    Example("x = [3, 4]; print [x for x in x], [i for i in 0..2] + x", "[3, 4] [3, 5]"),
    Example("i = 5; print [[i for i in 0..2] + i for i in [10, 20]]", "10  11\n20  21"),
    // A definition is live, and reads its names live; loop variables are its own.
    Example("n = 2; f := [n*k for k in 0..3]; n = 5; print f", "[0, 5, 10]"),
    Example("param w = 2; f := sum([w*k for k in 0..3]); w = 3; print f, grad(f, w)", "9 3"),
    Example("for k in 0..2 { f := [k + j for j in 0..2] }; print f", "[1, 2]"),
    // Indices.
    Example("x = [5, 6, 7, 8]; print [x[i + 1] - x[i] for i in 0..3]", "[1, 1, 1]"),
    Example("x = [5, 6, 7, 8]; print [x[-i] for i in 1..3], [x[3 - i] for i in 0..4]", "[8, 7] [8, 7, 6, 5]"),
    Example("x = [5, 6, 7, 8]; print [x[i] for i in [3, 0, 3]]", "[8, 5, 8]"),
    Example("x = [5, 6, 7, 8]; p = [3, 0, 3]; print [x[i] for i in p]", "[8, 5, 8]"),
    Example("A = [1, 2; 3, 4]; print [A[i, j] for j in 0..2, i in 0..2]", "1  3\n2  4"),
    Example("x = [5, 6, 7, 8]; print [mean(x[i:i + 2]) for i in 0..3]", "[5.5, 6.5, 7.5]"),
    Example("x = [5, 6, 7, 8]; print [x[i:i + 4:2] for i in 0..1]", "5  7"),
    Example("x = [5, 6, 7, 8]; print [sum(x[max([i - 1, 0]):i + 2]) for i in 0..4]", "[11, 18, 21, 15]"),
    Example("x = [5, 6, 7, 8]; print [x[i..i + 2] for i in 1..3]", "6  7\n7  8"),
    // What a shape depends on: elements are built one by one.
    Example("print [sum(ones(n)) for n in 1..4]", "[1, 2, 3]"),
    Example("print [sum([k for k in 0..n]) for n in 1..5]", "[0, 1, 3, 6]"),
    Example("print [i + j for i in 0..3, j in i..i + 2]", "0  1\n2  3\n4  5"),
    Example(
      "h(n) { s = 0; for k in 0..n { s = s + k }; return s }; print [h(n) for n in 0..5]", "[0, 0, 1, 3, 6]"),
    Example("n = [1, 2]; print [sum(eye(k)) for k in n]", "[1, 2]"),
    Example("print [reshape(range(0, 6), k, -1)[0, 0] for k in [1, 2, 3]]", "[0, 0, 0]"),
    Example("print [if i == 0 then 10 else 1/i for i in 0..3]", "[10, 1, 0.5]"),
    // Kinds of values.
    Example("e = [eig(k*eye(2)) for k in 1..4]; print e.values", "1  1\n2  2\n3  3"),
    Example("print [(k, [k, k]) for k in 0..2][1]", "0  0\n1  1"),
    Example(
      "param a = [1, 2]; param b = 3; f := sum(a^2)*b; V = eye(3); g = [hvp(f, params, v) for v in V]; print g.a, g.b",
      "6  0\n0  6\n2  4 [2, 4, 0]"),
    Example(
      "param a = [1, 2]; param b = 3; f := sum(a^2)*b; print [norm(hvp(f, params, v)) for v in eye(3)]",
      "[6.32456, 7.2111, 4.47214]"),
    // The variable is a leaf: derivatives by it are derivatives at each entry.
    Example("print [grad(t^3, t) for t in [1, 2, 3]]", "[3, 12, 27]"),
    Example("print [hessian(r[0]^2*r[1], r) for r in [1, 2; 3, 4]][1]", "8  6\n6  0"),
    Example("param x = 2; f := x^2; print [f(x = x + t) for t in -1..2]", "[1, 4, 9]"),
    // 0⁰ is 1, and its derivative 0.
    Example("param x = 0; g := sum([x^k for k in 0..3]); print g, grad(g, x), hessian(g, x)", "1 1 2"),
    Example("r = [randn(2) for i in 0..3]; print shape(r), r[0, 0] == r[1, 0]", "[3, 2] 0"),
    Example("r = [rand(2, generator=torch(0)) for i in 0..2]; print r[0] == r[1]", "[1, 1]"),
    Example(
      "r = [[rand() for j in 0..2] for i in 0..2]; print r[0, 0] == r[0, 1], r[0, 0] == r[1, 0]", "0 0"),
  ]

  @Test(arguments: examples) func values(_ example: Example) { example.check() }

  static let failures = [
    Failure("print [x for x in 5]", "a comprehension runs over a range or a tensor, not a number", at: "5"),
    Failure("print [y for x in 0..2]", "'y' is not bound", at: "y"),
    Failure("print [x for x in 0..2] + x", "'x' is not bound", at: "x"),
    Failure("print [x for x in x]", "'x' is not bound", at: "x"),
    Failure(
      "print [ones(i) for i in 0..3]", "the shape of this element depends on 'i'", at: "i",
      "entry 1 has shape 1"),
    Failure(
      "print [i for i in 0..2, j in 0..i]", "the shape of this element depends on 'i'",
      at: "0..i"),
    Failure("x = [1, 2]; print [x[i] for i in 0..3]", "index 2 is outside an axis of 2", at: "i"),
    Failure(
      "x = [1, 2]; print [x[i/2] for i in 0..3]", "an index must be a whole number, not 0.5", at: "i/2"),
    Failure("x = [1, 2]; p = [0, 2]; print [x[i] for i in p]", "index 2 is outside an axis of 2", at: ""),
    Failure("print [\"a\" for i in 0..3]", "a comprehension stacks tensors, not strings", at: "\"a\""),
    Failure("f := [rand(3) for i in 0..2]", "random numbers cannot be part of a live formula", at: "rand(3)"),
    Failure(
      "g() { step newton }; print [g() for i in 0..2]", "a block with commands cannot be part of a formula",
      at: ""),
    Failure(
      "param x = 2; print [ones(x*i) for i in 1..3]", "'shape' of ones depends on the param 'x'", at: "x*i"),
    Failure("print [eye(n) for n in 0..5000]", "'n' of eye depends on 'n', so each of 5000 entries", at: "n"),
    Failure("f := [f for i in 0..2]", "the definition of 'f' depends on itself", at: "f"),
  ]

  @Test(arguments: failures) func errors(_ failure: Failure) { failure.check() }

  // MARK: Against the elements written out

  /// Elements over a number t, a row r of two entries, params w (2) and u, and a data vector c (3).
  static let elements = [
    "sin(t*w[0])*w[1]^2 + r[0]", "sum(c*exp(-t*w[0]))*r[1]", "(w @ [t, 1; 1, r[0]]) @ w",
    "softmax(c*t + u)[1]", "logsumexp(w*t + r)", "max(cat(w*t, r))", "norm(w - r)^3 + t", "u*r + t*w",
    "solve([2 + t^2, r[0]; w[0], 3], w)", "logdet([2 + u^2, t; t, 5])", "inv([3, t; w[0], 2]) @ r",
    "eig([1, t; t, 4 + u^2]).values*r", "cholesky([4 + t^2, w[0]; w[0], 5])", "det([u, t; r[0], w[1]])",
    "prod(w*t + r)", "sort(c*w[0] + t*u)", "cumsum(c*t)*u", "crossentropy([w[0], t, u], 1)",
    "where(t > 0, w, r)*u", "quantile(c*u*t, 0.3)", "[grad(s^2*u*t, s) for s in r]",
    "hessian(sum(sin(w*t))*u, w)", "grad(norm(w*t + r)^2, w)", "svd([t, 1; w[0], 2]).values",
    "outer(w, r)[:, 0]*t + c[1:]", "einsum(\"i,j->ij\", w, r)*u^2", "var(c*t + w[0])",
    "tanh(t*u)*[w, r]",
    "sum([v*t*w[0] for v in r])", "c[1:3]*w*t", "det([2 + t, 1, u; 0, 3, r[0]; w[0], 1, 4])",
  ]

  private static let setting = """
    T = [-0.7, 0.4, 1.3]; R = [0.3, -1.2; 0.8, 0.5]; c = [0.2, -0.4, 0.9]
    param w = [0.6, -0.3]; param u = 0.8; data W = T

    """

  /// Whether two expressions are equal up to rounding.
  private func expectEqual(_ a: String, _ b: String, in setting: String, tolerance: Double = 1e-12) throws {
    let conversation = Conversation(width: 400)
    let said = conversation.say(
      setting
        + "p = \(a)\nq = \(b)\nprint max(abs(flatten(p) - flatten(q)))/(1 + norm(q, ord=inf)), shape(p) == shape(q)"
    )
    #expect(conversation.outcome == .ok, "\(a): \(said)")
    let words = said.split(separator: " ")
    let difference = words.first.flatMap { Double($0) } ?? .nan
    #expect(difference <= tolerance, "\(a): \(said)")
    #expect(!said.contains("0]") && !said.contains("[0"), "\(a): \(said)")
  }

  /// The elements one by one, by a function whose parameters have the variables' names.
  private func apart(_ element: String) -> (definition: String, list: String) {
    let rows = (0..<3).map { i in
      "[" + (0..<2).map { j in "h(T[\(i)], R[\(j)])" }.joined(separator: ", ") + "]"
    }
    return ("h(t, r) := \(element)\n", "[" + rows.joined(separator: ", ") + "]")
  }

  @Test(arguments: elements) func equalsItsElements(_ element: String) throws {
    let (definition, list) = apart(element)
    try expectEqual("[\(element) for t in T, r in R]", list, in: Self.setting + definition)
  }

  @Test(arguments: elements) func derivativesAreThoseOfTheElements(_ element: String) throws {
    let (definition, list) = apart(element)
    let names = "f := sum(sin(0.7*[\(element) for t in T, r in R]))\ng := sum(sin(0.7*\(list)))\n"
    for derivative in ["grad(F, (w, u))", "hessian(F, (w, u))", "grad(F, T)", "hvp(F, R, [1, 0; 2, -1])"] {
      try expectEqual(
        derivative.replacingOccurrences(of: "F", with: "f"),
        derivative.replacingOccurrences(of: "F", with: "g"), in: Self.setting + definition + names,
        tolerance: 1e-9)
    }
  }

  @Test(arguments: elements) func singlePrecision(_ element: String) throws {
    let (definition, list) = apart(element)
    try expectEqual(
      "[\(element) for t in T, r in R]", list, in: Self.setting + definition + "set precision f32\n",
      tolerance: 2e-5)
  }

  /// Derivatives through comprehensions against finite differences.
  @Test func check() {
    let conversation = Conversation(width: 200)
    let said = conversation.say(
      Self.setting
        + """
        f := sum([logdet([2 + t^2, w[0]; u, 4])*norm(w*t + r)^2 for t in T, r in R]) + sum([sin(w[i]*u) for i in 0..2])
        check f
        """)
    #expect(conversation.outcome == .ok && said.contains("all agree to"), "\(said)")
  }

  // MARK: Every builtin

  /// The examples of builtins that hold a list, with the list scaled by a loop variable.
  static let scaled: [(name: String, call: String)] = Builtins.all.compactMap { builtin in
    guard let open = builtin.example.firstIndex(of: "["), let close = builtin.example.firstIndex(of: "]"),
      open < close
    else { return nil }
    let (before, list) = (builtin.example[..<open], builtin.example[open...close])
    let after = builtin.example[builtin.example.index(after: close)...]
    return (builtin.name, "\(before)((1 + k/4)*\(list))\(after)")
  }

  @Test func everyBuiltinEqualsItsElements() throws {
    var compared = 0
    for (name, call) in Self.scaled {
      let conversation = Conversation(width: 400)
      let said = conversation.say(
        """
        h(k) := \(call)
        p = [h(0), h(1), h(2)]
        q = [\(call) for k in 0..3]
        print max(abs(flatten(p) - flatten(q)))/(1 + norm(flatten(p), ord=inf))
        """)
      if conversation.outcome != .ok {
        // Where a scaled list means nothing (a shape, an index), the elements are refused as well.
        let alone = Conversation(width: 400)
        alone.say("h(k) := \(call)\nprint norm(flatten([h(0), h(1), h(2)]))")
        #expect(alone.outcome != .ok, "\(name): \(call) has elements, but \(said)")
        continue
      }
      compared += 1
      #expect((Double(said) ?? .nan) <= 1e-12, "\(name): \(said)")
    }
    #expect(compared >= 60, "\(compared) of \(Self.scaled.count)")
  }

  // MARK: Pieces

  /// Large enough for pieces; the result is that of one entry at a time, and of the whole at once.
  @Test func piecesEqualTheWhole() throws {
    let setting = """
      X = reshape(sin(range(0, 12000)), 4000, 3); T = linspace(-1, 1, 37); S = linspace(0, 1, 5)
      param w = [0.6, -0.3, 0.2]
      f := mean(tanh(X @ w)^2)
      h(t, s) := f(w = w*t + s)

      """
    let entries = "out = zeros(37, 5); for i in 0..37 { for j in 0..5 { out[i, j] = h(T[i], S[j]) } }\n"
    try expectEqual("[f(w = w*t + s) for t in T, s in S]", "out", in: setting + entries)
    // Not outermost: at once.
    try expectEqual("1*[f(w = w*t + s) for t in T, s in S]", "out", in: setting + entries)
    try expectEqual("[(f(w = w*t + s), 2*s) for t in T, s in S][0]", "out", in: setting + entries)
    let conversation = Conversation()
    conversation.say(setting)
    let source = SourceText(name: "<test>", text: "[f(w = w*t + s) for t in T, s in S]")
    guard case .expression(let expr)? = Parser.parse(source).statements.first?.kind else {
      Issue.record("no expression")
      return
    }
    let elaborator = Elaborator(conversation.interpreter, environment: FormulaEnvironment())
    let plan = try conversation.interpreter.computation(of: elaborator.meaning(expr).nodes)
    #expect(plan is BatchPlan)
    #expect(plan.workingBytes < 8 << 20)
  }
}
