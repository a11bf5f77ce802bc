import Syntax
import Testing

@Suite struct CommandTests {
  @Test(arguments: [
    ("value", "(!value)"), ("grad", "(!grad)"), ("hessian", "(!hessian)"), ("classify", "(!classify)"),
    ("eig top 5", "(!eig <top 5>)"),
    ("eig bottom 3", "(!eig <bottom 3>)"),
    ("eig near 2.5", "(!eig <near 2.5>)"),
    ("eig near -2.5 top 3", "(!eig <near (- 2.5)> <top 3>)"),
    ("hessian wrt W2", "(!hessian <wrt W2>)"),
    ("hessian wrt (U, V)", "(!hessian <wrt (tuple U V)>)"),
    ("hessian wrt U, V", "(!hessian <wrt U V>)"),
    ("hessian f wrt x tensor=true", "(!hessian f <wrt x> tensor=true)"),
    ("derive f wrt x", "(!derive f <wrt x>)"),
    ("derive hessian wrt w", "(!derive hessian <wrt w>)"),
    ("spectrum probes=10 steps=50", "(!spectrum probes=10 steps=50)"),
    ("check", "(!check)"), ("vars", "(!vars)"), ("show f", "(!show f)"), ("graph f", "(!graph f)"),
    ("explain f", "(!explain f)"), ("objective f", "(!objective f)"), ("trace", "(!trace)"),
    ("diag", "(!diag)"),
    ("norm", "(!norm)"), ("norm ∇f", "(!norm (grad f))"), ("condition", "(!condition)"),
    ("watch e1, e2", "(!watch e1 e2)"),
    ("watch ‖∇f‖, f", "(!watch (norm (grad f)) f)"),
  ])
  func looking(text: String, expected: String) { #expect(tree(text) == expected) }

  @Test(arguments: [
    ("step newton", "(!step newton)"),
    ("step gd lr=0.1", "(!step gd lr=0.1)"),
    ("step gd lr=0.1, momentum=0.9", "(!step gd lr=0.1 momentum=0.9)"),
    ("step newton-cg", "(!step newton-cg)"),
    ("step damped-newton", "(!step damped-newton)"),
    ("step saddle-free damping=1e-3", "(!step saddle-free damping=0.001)"),
    ("step newton-cg(tol=0.1)", "(!step (newton-cg tol=0.1))"),
    (
      "minimize trust until ‖∇f‖ < 1e-8 max 100 { print f }",
      "(!minimize trust <until ((norm (grad f)) < 1e-08)> <max 100> {(print f)})"
    ),
    ("minimize newton until max(g) < 3", "(!minimize newton <until ((max g) < 3)>)"),
    ("minimize f(x = 3)", "(!minimize (f x=3))"),
    ("compare gd(lr=1e-3), newton, trust steps=30", "(!compare (gd lr=0.001) newton trust steps=30)"),
    ("compare gd,\n  newton-cg", "(!compare gd newton-cg)"),
    ("train adam epochs=10 batch=128", "(!train adam epochs=10 batch=128)"),
    ("undo", "(!undo)"), ("undo 1 step", "(!undo 1 <step>)"), ("undo 3 steps", "(!undo 3 <steps>)"),
    ("redo", "(!redo)"), ("reset", "(!reset)"), ("reset fresh", "(!reset <fresh>)"), ("draw", "(!draw)"),
    (
      "reinit top 10% of W3, W4 by hessian using xavier",
      "(!reinit <top (/ 10 100)> <of W3 W4> <by hessian> <using xavier>)"
    ),
    ("prune bottom 5% of W", "(!prune <bottom (/ 5 100)> <of W>)"),
    ("prune top 7 % 4 of W", "(!prune <top (% 7 4)> <of W>)"),
  ])
  func moving(text: String, expected: String) { #expect(tree(text) == expected) }

  @Test(arguments: [
    ("plot", "(!plot)"), ("plot f", "(!plot f)"),
    ("plot sin(t) for t in -1..1", "(!plot (sin t) <for (in t (.. (- 1) 1))>)"),
    (
      "plot [x*t for x in X] for t in -1..1",
      "(!plot (each (* x t) (in x X)) <for (in t (.. (- 1) 1))>)"
    ),
    (
      "plot f(x = [s, t]) for s in -2..2, t in -1..3 size=60",
      "(!plot (f x=[s t]) <for (in s (.. (- 2) 2)) (in t (.. (- 1) 3))> size=60)"
    ),
    ("plot f for t in log 1e-3..1", "(!plot f <for (in t log (.. 0.001 1))>)"),
    ("plot f for t in log(a)..log(b)", "(!plot f <for (in t (.. (log a) (log b)))>)"),
    ("slice f along d range -1..1", "(!slice f <along d> <range (.. (- 1) 1)>)"),
    (
      "surface f along d1, d2 range -1..1 steps=51",
      "(!surface f <along d1 d2> <range (.. (- 1) 1)> steps=51)"
    ),
    ("path", "(!path)"), ("animate f along d", "(!animate f <along d>)"),
    ("save plot \"x.svg\"", "(!save plot \"x.svg\")"),
    ("save \"w.npy\" W", "(!save \"w.npy\" W)"),
    ("save \"w.npy\" [1, 2]", "(!save \"w.npy\" [1 2])"),
    ("load \"x.npy\"", "(!load \"x.npy\")"),
    ("X = load \"x.npy\"", "(= X (!load \"x.npy\"))"),
    ("data X = load \"x.npy\"", "(data X (!load \"x.npy\"))"),
    ("e = eig top 5", "(= e (!eig <top 5>))"),
    (
      "tune lr in log 1e-5..1e-1, λ in log 1e-5..1e-1 trials=10 by tpe { reset fresh; return min(history.test) }",
      "(!tune <for (in lr log (.. 1e-05 0.1)) (in λ log (.. 1e-05 0.1))> <by tpe> trials=10"
        + " {(!reset <fresh>) (return (min (. history test)))})"
    ),
    ("set precision f32", "(!set precision f32)"), ("set digits 8", "(!set digits 8)"),
    ("set seed 3", "(!set seed 3)"), ("seed 3", "(!seed 3)"),
    ("time f(x)", "(!time (f x))"), ("time step newton", "(!time (!step newton))"),
    ("time x = 3", "(!time {(= x 3)})"), ("time X[0] = 3", "(!time {(= (index X 0) 3)})"),
    ("time { step gd }", "(!time {(!step gd)})"),
    ("run \"file.hlab\" lr=0.1", "(!run \"file.hlab\" lr=0.1)"),
    ("estimate t draws=100", "(!estimate t draws=100)"),
    ("help", "(!help)"), ("help eig", "(!help eig)"), ("help newton-cg", "(!help newton-cg)"),
    ("help for", "(!help for)"), ("help ..", "(!help ..)"),
    ("quit", "(!quit)"), ("quit 3", "(!quit 3)"),
  ])
  func others(text: String, expected: String) { #expect(tree(text) == expected) }

  @Test(arguments: [
    ("grad = 3", "(= grad 3)"), ("grad := x", "(:= grad x)"), ("grad[0]", "(index grad 0)"),
    ("grad[0] = 1", "(= (index grad 0) 1)"), ("hessian(f, x)", "(hessian f x)"), ("value + 1", "(+ value 1)"),
    ("value - 1", "(- value 1)"), ("value -1", "(!value (- 1))"), ("value-1", "(- value 1)"),
    ("grad'", "(' grad)"), ("hessian @ v", "(@ hessian v)"), ("hessian.W1", "(. hessian W1)"),
    ("value == 3", "(value == 3)"), ("norm(x) / 2", "(/ (norm x) 2)"), ("value(x)", "(!value x)"),
    ("hessian (f)", "(!hessian f)"), ("eig [2, 1; 1, 2]", "(!eig [2 1; 1 2])"),
    ("g := hessian", "(:= g hessian)"),
    ("x = value * 2", "(= x (* value 2))"), ("value and a", "(and value a)"),
    ("print value", "(print value)"),
    ("eig ^2", "(^ eig 2)"), ("trace ~ normal(3)", "(~ trace (normal 3))"),
  ])
  func verbOrExpression(text: String, expected: String) { #expect(tree(text) == expected) }

  @Test func boundVerbsAreNames() {
    let result = parse("path\nstep newton", shadowing: ["path"])
    #expect(result.statements.map(\.debugDescription) == ["path", "(!step newton)"])
    #expect(result.shadowedVerbs.map(\.verb) == ["path"])
    #expect(tree("time = 3\ntime") == "(= time 3)\ntime")
    #expect(tree("f(trace) := trace + 1\ntrace") == "(def (f trace) (+ trace 1))\n(!trace)")
    #expect(tree("f(trace) { trace; return 1 }") == "(def (f trace) {trace (return 1)})")
    #expect(parse("time = 3\ntime * 2").shadowedVerbs.isEmpty)
  }

  @Test func everyVerbHasAnEntry() {
    let verbs = """
      value grad hessian eig spectrum trace diag norm condition classify check derive explain graph vars show watch
      objective step minimize train compare undo redo reset reinit prune plot slice surface path tune time load save
      run seed set help quit draw estimate animate
      """
    for verb in verbs.split(whereSeparator: \.isWhitespace) {
      #expect(CommandGrammar[verb: String(verb)] != nil, "\(verb)")
    }
    #expect(CommandGrammar[verb: "plot"]?.operand(of: "for") == .bindings)
    #expect(CommandGrammar[verb: "hessian"]?.isBuiltin == true)
  }
}
