import Testing

@testable import Session

/// What people who sit in front of the session see.
@Suite struct UsageTests {
  private static let rosenbrock = "param x = [-1.2, 1]; f := (1 - x[0])^2 + 100*(x[1] - x[0]^2)^2\n"

  @Test func watchedFormulasFollowEveryStepOfALoop() {
    let transcript = Transcript()
    transcript.run(Self.rosenbrock + "watch f")
    let lines = transcript.run("repeat 3 { step newton }").split(separator: "\n")
    #expect(lines.count == 6)
    #expect(lines.enumerated().allSatisfy { $0.element.hasPrefix($0.offset % 2 == 0 ? "f: " : "f = ") })
    #expect(transcript.run("minimize newton").split(separator: "\n").last?.hasPrefix("f = ") == true)
    #expect(transcript.run("repeat 3 { step newton };").isEmpty)
  }

  @Test(arguments: ["grad", "hessian"])
  func aParamAfterAVerbIsTakenForAFormula(verb: String) {
    let transcript = Transcript()
    transcript.run(Self.rosenbrock)
    transcript.run("\(verb) x")
    #expect(transcript.messages.contains("hint: '\(verb) wrt x' takes the objective's derivatives by x"))
    transcript.run("\(verb) x^2")
    #expect(transcript.messages.contains("hint: reduce it with sum or mean"))
  }

  /// What newcomers type, and what they are told.
  @Test(arguments: [
    ("param z = -1.2, 1", "a vector is written in square brackets: [1, 2]"),
    ("eig ggn top 3", "'ggn' is a function"), ("print jacobian", "call it: jacobian(y, wrt)"),
    ("print Q", "bind it to a value, Q = …, to a formula, Q := …, or as param Q = …"),
    ("minimize gd lr=0,1", "a decimal point is a dot: lr=0.1"),
    ("minimize gd until grad < 1e-6", "the condition must be one number, not 2"),
    ("z = 0,4", "a decimal point is a dot, 0.5"),
    ("param z = (1, 2)", "a vector is written in square brackets: [1, 2]"),
    ("x(0)", "an entry is written in square brackets: x[0]"),
    ("f([0, 0])", "a formula is called with names: f(x = …)"),
    ("print f at x = 2", "f(x = 2) is f at x = 2"),
    ("if 1 < 2 then print 1", "to run statements: if c { … }"),
    ("step gd 0.1", "an option has a name: step gd lr=0.1"),
    ("step newton rate=0.1", "rate=0.1 | ^^^^^^^^ = it has lr"),
    ("minimize gd steps=5", "max 5 ends it after 5 steps"),
    ("plot f for x in -1..1 height=5", "the param of that name is replaced by x = […]"),
    ("c = f'", "a derivative is written grad(f, x)"),
    ("f'(x = [1, 2])", "a derivative is written grad(f, x)"),
    ("g = f; g(x = [1, 2])", "'g' holds a value, which does not depend on 'x'"),
    ("g = f; g(3)", "'g' is no function: it holds a number"),
    ("f(x == [1, 2])", "write f(x = [1, 2])"), ("x(0, 1)", "square brackets: x[0, 1]"),
    ("g := x[0]^2; g(2)", "a formula is called with names: g(x = …)"),
    ("np.exp(1)", "'np' is not bound"), ("np.exp(1)", "functions stand alone, without a module: exp(…)"),
    ("y = torch.tensor([1, 2])", "a vector is written [1, 2]"), ("np.pi", "without a module: exp(x), pi"),
    ("plot path", "'path' is a command, which stands at the start"),
    ("n = 1; p = 2; np.random.seed(1)", "without a module"), ("x.T", "a transpose is written x'"),
    ("x.shape", "write shape(x)"),
    ("x.sum()", "a function stands before what it is of: sum(x)"),
    ("f.grad(x)", "a function stands before what it is of: grad(f)"),
    ("f.backward()", "the gradient is grad(f)"),
    ("x0^2", "entry 0 of x is written x[0]"), ("x_1", "entry 1 of x is written x[1]"),
    ("a = 1; b = 2; ab + 1", "a product is written a*b"), ("df", "a derivative is written grad(f, x)"),
    ("c = True", "truth values are written true and false"), ("hess", "hessian alone is the command"),
    ("Newton", "a method stands after a verb: step newton"), ("history", "plot history draws it"),
    ("println(f)", "printed by its name alone"), ("tr(eye(2))", "trace(A)"), ("diff(f, x)", "grad(f, x)"),
    ("x.append(3)", "cat(a, b) joins along an axis"), ("x[end]", "the last entry of x is x[-1]"),
    ("print \"f = \" + f", "values stand within strings, in braces"),
    ("e = eig(hessian(f, x)); e[0]", "its fields are values: e.values"),
    ("eig(f)", "of a formula's Hessian: eig(hessian(f)), or as a command eig f"),
    ("condition(f)", "or as a command condition f"),
    ("eig(vectors=true)", "without parentheses: eig vectors=…"),
    ("eig vectors", "an option has a value: vectors=…"),
    ("plot f for t in 0..1 height 9", "an option has a value: height=9"),
    ("solve([1, 2; 3, 4; 5, 6], [1, 2, 3])", "least squares: solve(A' @ A, A' @ b)"),
    ("grad(f, a, b)", "several leaves stand in parentheses: grad(f, (a, b))"), ("grad()", "'f' is missing"),
    ("param a = 1; param b = 1; g := a*b; hessian(g, [a, b])", "several leaves stand in parentheses: (a, b)"),
    ("classify f(x = [0, 0])", "a Hessian elsewhere is hessian(f, x)(x = …)"),
    ("minimize f", "'f' is a formula; the method comes first: minimize newton on f"),
    ("minimize damped newton", "did you mean 'damped-newton'?"), ("step saddle free", "'saddle-free'"),
    ("step gradient_descent", "did you mean 'gd'?"), ("step levenberg-marquardt", "did you mean 'lm'?"),
    ("step newton 6", "several steps: repeat 6 { step newton }"),
    ("step newton steps=6", "several steps: repeat 6 { step newton }"),
    ("step newton times", "it is step METHOD"), ("reset x", "it is reset [fresh]"),
    ("minimize gd max=500", "'max' stands without '=': max 500"),
    ("minimize gd maxiter=9", "max 5 ends it after 5 steps"),
    ("minimize gd tol=1e-6", "until norm(grad) < 1e-6"),
    ("step gd learning_rate=0.1", "did you mean 'lr'?"),
    ("train gd steps=9", "epochs=5 ends it after 5 passes over the data"),
    ("plot f xlim=-1..1", "ranges stand after range: range -1..1"),
    ("compare gd lr=0.1, newton", "own options stand in parentheses: gd(lr=0.1)"),
    ("compare gd(0.1)", "as in gd(lr=0.1)"), ("compare newton and trust", "methods are separated with ','"),
    ("for t in 0.1..0.5 { }", "other steps: for t in linspace(0.1, 0.5, 5)"),
    ("?Hesian", "did you mean 'hessian'?"), ("?println", "printed by its name alone"),
  ])
  func slipsOfNewcomers(text: String, hint: String) {
    let transcript = Transcript()
    transcript.run(Self.rosenbrock)
    transcript.run(text)
    // Long hints are broken between words.
    let words = transcript.messages.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(words.contains(hint), "\(words)")
  }

  @Test(arguments: [
    (
      "x = [1, 2]; f := sum(x^2)", "'f' depends on no param: declare one with param x = …, then define f anew"
    ),
    ("param x = [1, 2]; f := x^2", "'f' has shape 2, and an objective is one number: take a sum or mean"),
    (
      "param x = [1, 2]; f = sum(x^2)",
      "'f' is a number; a formula that follows the params is defined with ':='"
    ),
    ("", "define a scalar formula of a param, such as f := (x - 1)^2"),
  ])
  func whyThereIsNoObjective(text: String, hint: String) {
    for command in ["grad", "objective"] {
      let transcript = Transcript()
      transcript.run(text + "\n" + command)
      let words = transcript.messages.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      #expect(words.contains("there is no objective yet") && words.contains(hint), "\(words)")
    }
  }

  @Test func stepsThatFailedOrWereTakenBackAreNoSteps() {
    let transcript = Transcript()
    transcript.run("param x = 1; f := log(x)\nstep gd lr=100")
    #expect(transcript.messages.contains("f is nan after this step"))
    transcript.run("undo 1 step")
    #expect(transcript.messages.contains("there is no step to take back"))
    transcript.run("step gd lr=0.1")
    transcript.run("undo; undo 1 step")
    #expect(transcript.messages.contains("there is no step to take back"))
    transcript.run("redo; undo 1 step")
    #expect(transcript.messages.isEmpty)
    #expect(transcript.run("print x") == "1")
  }

  @Test func dataThatAreNotNumbersAreNamed() {
    let transcript = Transcript()
    transcript.run("data y = [1, nan]; param x = 1; f := sum((x - y)^2); step gd")
    #expect(transcript.messages.contains("f is nan here"))
    #expect(transcript.messages.contains("y holds nan or inf"))
  }

  @Test func misspelledClauses() {
    let transcript = Transcript()
    transcript.run(Self.rosenbrock + "eig tpo 3")
    #expect(transcript.messages.contains("did you mean 'top' for 'tpo'?"))
  }

  @Test func filesOfRelativePathsAreNamedInFull() {
    let transcript = Transcript()
    transcript.run("run \"no/such/file.hlab\"")
    #expect(transcript.messages.contains("the full path is /"))
    transcript.run("load \"/no/such/file.npy\"")
    #expect(!transcript.messages.contains("the full path"))
  }

  @Test func plotsHaveBounds() {
    let transcript = Transcript()
    transcript.run("plot sin(t) for t in 0..1 steps=100000000")
    #expect(transcript.messages.contains("'steps' is 2 to 2001"))
  }

  @Test func assignedRecordsEchoByPart() {
    let transcript = Transcript(isInteractive: true)
    transcript.run(Self.rosenbrock)
    #expect(transcript.run("g = grad(f, params)") == "g.x = [-215.6, -88]")
    #expect(transcript.run("e = eig").hasPrefix("e.values = ["))
  }

  @Test func plainText() {
    let transcript = Transcript()
    transcript.run("set ascii true; param λ = [-1.2, 1]; f := (1 - λ[0])^2 + 100*(λ[1] - λ[0]^2)^2")
    for command in ["grad", "hessian", "eig", "step newton", "check", "derive", "classify", "vars", "plot f"]
    {
      #expect(transcript.run(command).utf8.allSatisfy { $0 < 0x80 }, "\(command)")
    }
  }

  /// A step is no longer than max_radius, whatever radius an earlier step left.
  @Test func theLargestRadiusHolds() {
    let transcript = Transcript()
    transcript.run(Self.rosenbrock + "x = [0, 1]; step trust radius=5;")
    let length = transcript.run(
      "old = x; step trust max_radius=0.25;\nprint norm(x - old) <= 0.25*(1 + 1e-12)")
    #expect(length.hasSuffix("1"), "\(length)")
  }

  /// Columns that the matrix does not determine are 0; the others are orthonormal.
  @Test(arguments: ["[1, 2; 2, 4]", "[1, 2, 3; 2, 4, 6; 3, 6, 9]", "[1, 2; 2, 4; 3, 6]", "zeros(2, 3)"])
  func singularVectorsOfSingularMatrices(_ matrix: String) {
    let transcript = Transcript()
    transcript.run("A = \(matrix); s = svd(A); k = sum(s.values > 1e-10)")
    #expect(transcript.run("print max(abs(s.u @ diag(s.values) @ s.v' - A)) < 1e-12") == "1")
    for side in ["u", "v"] {
      let text = transcript.run("G = s.\(side)' @ s.\(side); print trace(G) - k, norm(G)^2 - k")
      #expect(text.split(separator: " ").allSatisfy { abs(Double($0) ?? .nan) < 1e-12 }, "\(text)")
    }
  }

  /// Five long moves before thousands of short ones are still there when the path was thinned out, and moves have their
  /// own numbers.
  @Test func longMovesStayInALongPath() {
    let transcript = Transcript()
    transcript.run(
      Self.rosenbrock + "repeat 5 { step newton }; minimize gd lr=1e-6 max 9000; p = path along x[0], x[1]")
    transcript.run("low = min(p.path[:, 1]); high = max(p.path[:, 1]); n = shape(p.path)[0]")
    #expect(transcript.run("print high - low > 4, n < 5000") == "1 1")
    #expect(transcript.run("plot history height=8").contains("move (not all are kept)"))
    #expect(
      transcript.run("plot history height=8").contains("9000")
        || transcript.run("plot history").contains("8000"))
  }

  @Test func wideMatricesFit() {
    let text = Transcript().run("print 1e300*randn(20, 20)")
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  @Test(arguments: [
    ("reset fesh", "did you mean 'fresh' for 'fesh'?"), ("undo 1 2", "'undo' takes at most 1 argument"),
    ("minimize gd max -1", "'max' is not negative"),
    ("for r in (0.1, 0.3) { print r }", "values stand in square brackets: [0.1, 0.3]"),
    ("x++", "write x = x + 1"), ("print gd", "method"), ("undo 99", "only 2 statements can be taken back"),
    ("compare trust, gd max 3", "there is no method 'max'"),
    ("compare trust, gd max 3", "steps=20 says how many steps each method takes"),
    ("surface f along x[0], x[1] range=-1..1, 0..2", "'range' stands without '=': range -1..1, 0..2"),
    ("plot sin(t) for a", "say over what: for a in -1..1"),
    ("surface f along x[0] x[1]", "directions stand between commas: along x[0], x[1]"),
    ("surface f along random range -1 1", "a range is written a..b: range -1..1"),
    ("slice f along x[0] range -1, 1", "hint: range -1..1"),
    ("slice f along x[0] range -1..1, 5", "one axis takes one range, not 2"),
    ("surface f along x[0], x[1] range -1..1, 5", "a range is written a..b"),
    ("surface f along x[0], x[1] range -1..1 steps=3, 5", "'steps' takes one value: steps=3"),
    ("surface f along (x[0], x[1])", "directions stand side by side: along x[0], x[1]"),
    ("slice f along", "directions are x[0], a vector"), ("plot f range", "as in: range -1..1"),
    ("slice f along grad at=[1, 1]", "the gradient vanishes here; take eig(1), or random"),
    ("slice f from p to q", "keep a point before the params move, with: p = params"),
    ("plot f range [-2, 2]", "hint: range -2..2"), ("plot sin(t), t in -1..1", "for t in -1..1"),
    ("plot f title=Hello", "a text stands in quotes: title=\"Hello\""),
    ("plot hessian wrt x", "stands in parentheses: hessian(f, x)"), ("eig top", "as in: top 5"),
    ("plot f width=60", "size=60 sets the columns"), ("plot f; save plot x.svg", "write \"x.svg\""),
    ("print rank(eye(2))", "a matrix's rank is matrix_rank(A)"),
    ("plot f levels=0", "'levels' is 1 to 100, not 0"),
    ("plot f range=0.5..1, -0.5..2", "two ranges follow the word: range 0.5..1, -0.5..2"),
    ("plot f range -inf..1", "a range needs finite ends"),
    ("step trust radius=5 max_radius=1", "'radius' is above the largest radius, 1"),
    ("step trust radius=inf", "'radius' must be finite"),
    ("a = params; x = [1, 1]; slice f from a to params steps=2", "2 points are too few"),
    ("plot f; save \"/tmp/hlab-small.svg\" width=0", "'width' is 240 to 20000 pixels, not 0"),
    ("?nosuch", "?commands and ?functions list all"),
  ])
  func argumentsThatMeanNothing(text: String, message: String) {
    let transcript = Transcript()
    transcript.run(Self.rosenbrock + text)
    #expect(transcript.messages.contains(message), "\(transcript.messages)")
  }

  /// The caret stands under the value that is refused.
  @Test(arguments: [
    Failure("step trust radius=-1", "'radius' must be positive", at: "-1"),
    Failure("minimize trust(radius=0) max 3", "'radius' must be positive", at: "0"),
    Failure("step trust radius=5 max_radius=1", "'radius' is above the largest radius", at: "5"),
    Failure("step gd lr=0.1 wolfe=true", "a fixed lr leaves nothing", at: "0.1"),
    Failure("compare gd, trust(radius=-3) steps=3", "'radius' must be positive", at: "-3"),
    Failure("compare gd, newton steps=0", "'steps' is at least 1, not 0", at: "0"),
    Failure("explain step lm damping=-2", "'damping' must be positive", at: "-2"),
    Failure("train adam beta1=2", "'β1' must be from 0 to below 1", at: "2"),
    Failure("train newton schedule=cosine", "a schedule multiplies the step size", at: "cosine"),
    Failure("minimize gd max -1", "'max' is not negative", at: "-1"),
    Failure("plot f steps=1", "'steps' is 2 to 2001", at: "1"),
    Failure("plot f size=3", "'size' is 20 to 400", at: "3"),
    Failure("d = load mnist1d samples=3", "samples are 10 to 10000000", at: "3"),
    Failure("undo 0", "expected a positive number", at: "0"),
    // True and false are 1 and 0, and no other numbers.
    Failure("plot f model=3", "'model' is true or false, not 3", at: "3"),
    Failure("plot f log=2", "'log' is true or false, not 2", at: "2"),
    Failure("step trust cg=2", "'cg' is true or false, not 2", at: "2"),
    Failure("step gd exact=0.5", "'exact' is true or false", at: "0.5"),
    Failure("step kfac momentum=0.9", "'momentum' of kfac is true or false", at: "0.9"),
    Failure("minimize newton table=2", "'table' is true or false", at: "2"),
    Failure("eig vectors=3", "'vectors' is true or false", at: "3"),
    Failure("hessian tensor=\"no\"", "'tensor' is true or false, not \"no\"", at: "\"no\""),
    Failure("derive grad latex=7", "'latex' is true or false", at: "7"),
    Failure("compare gd, newton plot=3", "'plot' is true or false, not 3", at: "3"),
    Failure("compare gd, newton plot=\"curve\"", "'plot' is", at: "\"curve\"", "did you mean \"curves\"?"),
    Failure("print sum([1, 2], keepdims=2)", "'keepdims' of sum is true or false, not 2", at: "2"),
    Failure("print hessian(f, x, tensor=5)", "'tensor' is true or false", at: "5"),
    Failure("set ascii 5", "'ascii' is true or false", at: "5"),
    Failure("(A, B) = split(range(5), shuffle=3)", "'shuffle' of split is true or false", at: "3"),
    // Conditions that no step changes.
    Failure("minimize newton until 3", "'3' holds from the start, and no step changes it", at: "3"),
    Failure("n = 2; minimize gd until n > 1", "'n > 1' holds from the start", at: "n > 1", "max 3 ends it"),
    Failure("train gd until true", "'true' holds from the start", at: "true", "epochs=3 ends it"),
  ])
  func wrongValuesAreUnderlined(_ failure: Failure) {
    Failure(Self.rosenbrock + failure.program, failure).check()
  }

  @Test func conditionsThatMayChangeAreKept() {
    for text in [
      "minimize gd until false max 2", "n = 0; minimize gd until n > 1 { n = n + 1 }",
      "minimize gd until f < 1e9", "train gd until epoch > 1", "minimize gd until norm(grad) < 1e9",
      "epoch = 5; train gd lr=1e-4 until epoch > 1 epochs=3",
      "k = 0; while k < 3 { minimize gd max 1 until k >= 2; k = k + 1 }",
    ] {
      let transcript = Transcript()
      transcript.run(Self.rosenbrock + text)
      #expect(transcript.outcome == .ok, "\(text): \(transcript.messages)")
    }
  }

  /// A bare word that is bound to nothing and yet means something.
  @Test(arguments: [
    "param w = 1; h := w^2; slice h from e to pi steps=11", "plot t^2 for t in 0..1 title=pi",
    "plot t^2 for t in 0..1 xlabel=inf",
  ])
  func constantsArePointsAndLabels(text: String) {
    let transcript = Transcript()
    transcript.run(text)
    #expect(transcript.outcome == .ok, "\(transcript.messages)")
  }

  @Test func undoSaysWhat() {
    let transcript = Transcript()
    transcript.run(Self.rosenbrock + "step newton")
    #expect(transcript.run("undo") == "f = 24.2                      undid: step newton")
    #expect(transcript.run("redo").hasSuffix("redid: step newton"))
    transcript.run("repeat 2 {\n  step gd\n}")
    #expect(transcript.run("undo 1 step").hasSuffix("undid: 1 step"))
    #expect(transcript.run("undo 3").hasSuffix("undid: step newton; repeat 2 { …; undo 1 step"))
    transcript.run("repeat 2 {\r\n  step gd\r\n}")
    #expect(transcript.run("undo").hasSuffix("undid: repeat 2 { …"))
    let other = Transcript()
    other.run("y = 3")
    #expect(other.run("undo") == "undid: y = 3")
    other.run("z = [\(Array(repeating: "1", count: 100).joined(separator: ", "))]")
    #expect(other.run("undo").count <= 80)
  }

  @Test func namesThatHideWordsOfTheLanguage() {
    let transcript = Transcript(isInteractive: true)
    transcript.run("sin = 3")
    #expect(
      transcript.messages
        == "note: 'sin' hides the function of that name; undo brings it back")
    transcript.run("sin = 4")
    #expect(transcript.messages.isEmpty)
    transcript.run("(cos, norm) = (1, 2)")
    #expect(
      transcript.messages.contains("'cos'") && transcript.messages.contains("the function and the command"))
    transcript.run("objective = 5")
    #expect(transcript.messages.contains("hides the command"))
    transcript.run("e = 2; y = 3; hessian(a) := a^2")
    #expect(transcript.messages.contains("'hessian'") && !transcript.messages.contains("'e'"))
    transcript.run("print sin(1)")
    #expect(transcript.messages.contains("the function sin is hidden by the name you bound"))
    let script = Transcript()
    script.run("sin = 3")
    #expect(script.messages.isEmpty)
  }

  /// What is offered for an unknown name is of the kind that fits its place.
  @Test func offeredNamesFit() {
    let transcript = Transcript()
    transcript.run("count = 3; foo(a) := a")
    for (text, isOffered) in [
      ("print sn", false), ("y = 2*sun", false), ("print fooo", false), ("print coun", true),
      ("print sni(1)", true), ("fooo(1)", true), ("coumt(1)", false), ("hesian", true),
      ("print spectru", false),
      ("spectru", true), ("print valu", true),
    ] {
      transcript.run(text)
      #expect(transcript.messages.contains("did you mean") == isOffered, "\(transcript.messages)")
    }
  }

  @Test func plotsAreCutToTheTerminal() throws {
    func width(isTerminal: Bool) -> (Int, String) {
      let transcript = Transcript()
      transcript.session.options.isTerminal = isTerminal
      let text = transcript.run("plot sin(t) for t in 0..1 size=200")
      return (text.split(separator: "\n").map(\.count).max() ?? 0, transcript.messages)
    }
    #expect(width(isTerminal: false) == (200, ""))
    let (columns, messages) = width(isTerminal: true)
    #expect(columns == 80 && messages.contains("note: cut to the terminal's 80 columns"))
  }

  @Test func aValueMissingBeforeTheNextStatement() {
    let transcript = Transcript()
    transcript.run("x =\nprint 2\ny = 3 +\n)\n")
    #expect(transcript.messages.contains("after '='"), "\(transcript.messages)")
    #expect(transcript.messages.split(separator: "\n").count { $0.hasPrefix("error") } == 2)
  }

  @Test func theObjectiveThatWasOverwritten() {
    let transcript = Transcript(isInteractive: true)
    transcript.run(Self.rosenbrock)
    #expect(transcript.run("f = 3").contains("there is no objective"))
    #expect(!transcript.run("f = 4").contains("there is no objective"))
  }

  @Test func theNormOfWhatIsNotANumberIsNone() {
    let transcript = Transcript()
    #expect(transcript.run("param x = 1; f := abs(x)^0.5; x = 0; grad").contains("‖∇f‖ = nan"))
  }

  @Test func namesAreLaterOnlyWhenTheyAre() {
    let transcript = Transcript()
    transcript.run("x = x + 1")
    #expect(!transcript.messages.contains("later in the text"))
    transcript.run("y = z\nz = 1")
    #expect(transcript.messages.contains("later in the text"))
  }

  @Test func comparedMethodsHaveFieldsAndAPlot() {
    let transcript = Transcript()
    transcript.run(Self.rosenbrock)
    #expect(transcript.run("c = compare gd(lr=1e-3), gd(lr=1e-4), damped-newton steps=3").isEmpty)
    #expect(
      transcript.run("print len(c.gd.values), len(c.gd_2.values), len(c.damped_newton.values)") == "4 4 4")
    #expect(transcript.run("compare gd, newton steps=3 plot=true").contains("step"))
  }

  @Test func plotsOverANameThatIsNotInTheFormula() {
    let transcript = Transcript()
    transcript.run(Self.rosenbrock + "plot f for q in 0..1")
    #expect(transcript.messages.contains("does not depend on 'q'"))
    transcript.run("plot f(x = [s, t]) for s in 0..1, t in 0..1")
    #expect(transcript.messages.isEmpty)
  }
}
