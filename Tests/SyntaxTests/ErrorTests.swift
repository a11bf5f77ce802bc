import Syntax
import Testing

@Suite struct ErrorTests {
  @Test(arguments: [
    ("x := \ny = 3", "missing expression after ':='"),
    ("if x = 3 { }", "'=' assigns and cannot stand in a condition (did you mean '=='?)"),
    ("while x = 3 { }", "'=' assigns and cannot stand in a condition (did you mean '=='?)"),
    ("assert x = 3", "'=' assigns and cannot stand in a condition (did you mean '=='?)"),
    (
      "print 'abc'",
      "a ' stands only after an operand, for its transpose (strings are written with double quotes)"
    ),
    ("x ** 2", "unknown operator '**' (power is written ^)"),
    ("a && b", "unknown operator '&&' (write 'and')"),
    ("a || b", "unknown operator '||' (write 'or', or ‖e‖ or norm(e) for a norm)"),
    ("!a", "unknown character '!' (write 'not', or '!=' for 'not equal')"),
    ("A .* B", "unknown operator '.*' (operators are pointwise already: write *)"),
    ("x += 1", "unknown operator '+=' (write x = x + e)"),
    ("3x", "malformed number '3x' (a product is written with '*': 3*x)"),
    ("0x1F", "malformed number '0x1F' (numbers are decimal: 255, 1.5, 1e-3)"),
    ("1.2.3", "malformed number '1.2.3' (a number has one decimal point)"),
    ("1e", "malformed number '1e' (an exponent needs digits: 1e3)"),
    (
      "plot f size=80x20",
      "malformed number '80x20' (columns and lines are two options: size=80 height=20)"
    ),
    (
      "surface f along d, e kind=3d",
      "malformed number '3d' (a text stands in quotes: kind=\"3d\"; a product is written with '*': 3*d)"
    ),
    (
      "x = 1\n\"abc",
      "this string is not closed (close it with '\"' on the same line; a line break in a string is \\n)"
    ),
    ("x = 1\n3x", "malformed number '3x' (a product is written with '*': 3*x)"),
    ("x = \n3x", "malformed number '3x' (a product is written with '*': 3*x)"),
    (
      "x = 1\n*3",
      "expected an expression, found '*' (a line goes on after an operator: put '*' at the end of the line before)"
    ),
    (
      "repeat 2 {\nx = 1\n, 3\n}",
      "expected an expression, found ',' (a line goes on after an operator: put ',' at the end of the line before)"
    ),
    ("?step newton", "expected the end of the statement, found 'newton' (? takes one word: ?newton)"),
    ("step gd lr=1x3", "malformed number '1x3' (a product is written with '*': 1*x3)"),
    (
      "plot f size=80X20",
      "malformed number '80X20' (columns and lines are two options: size=80 height=20)"
    ),
    (
      "save plot \"a.txt\" width=80x20",
      "malformed number '80x20' (columns and lines are two options: width=80 height=20)"
    ),
    ("plot f log=3d", "malformed number '3d' (a product is written with '*': 3*d)"),
    (
      "train gd log=3d",
      "malformed number '3d' (a text stands in quotes: log=\"3d\"; a product is written with '*': 3*d)"
    ),
    (
      "run \"a.hlab\" set=3d",
      "malformed number '3d' (a text stands in quotes: set=\"3d\"; a product is written with '*': 3*d)"
    ),
    ("step gd lr=0x1F", "malformed number '0x1F' (numbers are decimal: 255, 1.5, 1e-3)"),
    ("step gd lr=1e999", "the number '1e999' is too large (write inf for infinity)"),
    ("size=80x20", "malformed number '80x20' (a product is written with '*': 80*x20)"),
    ("1e999", "the number '1e999' is too large (write inf for infinity)"),
    ("y(7) = 3", "cannot assign to this (an element is set in square brackets: y[…] = e)"),
    ("residual r := x - 1", "expected the end of the statement, found 'r' (did you mean 'residuals'?)"),
    (
      "residuals r = x - 1",
      "expected the end of the statement, found 'r' (residuals are a formula: residuals r := e)"
    ),
    ("pritn x", "expected the end of the statement, found 'x' (did you mean 'print'?)"),
    ("f(x) = x^2", "cannot assign to this (a function is defined with ':=', as in f(x) := x^2)"),
    ("def f(x) := 3", "there is no 'def' in hlab (a function is defined with ':=', as in f(x) := x^2)"),
    (
      "let x = 1",
      "there is no 'let' in hlab (a name is bound with '=' (a value) or ':=' (a live formula), without a keyword)"
    ),
    ("x = (1 + 2]", "']' cannot close '(' (close it with ')' first)"),
    ("x = (1 + 2\ny = 3", "'(' is never closed (add ')')"),
    ("[1 2]", "expected ']', found '2' (separate elements with ',')"),
    ("[x for x X]", "expected 'in', found 'X' (as in: [x^2 for x in 0..5])"),
    ("[x for in X]", "expected the name of a loop variable, found 'in' (as in: [x^2 for x in 0..5])"),
    (
      "[x for p, q in X]",
      "expected 'in', found ',' (each variable has a domain of its own: for a in A, b in B)"
    ),
    (
      "[x for x in X, y]",
      "expected 'in', found ']' (each variable has a domain of its own: for a in A, b in B)"
    ),
    (
      "[for x in X]",
      "there is nothing before 'for' to be computed (a comprehension is written [e for x in X])"
    ),
    (
      "[1, x for x in X]",
      "'for' makes one element for each entry, so no others can stand beside it"
        + " (several values for each entry are a list of their own: [[a, b] for x in X])"
    ),
    (
      "[1; x for x in X]",
      "'for' makes one element for each entry, so no others can stand beside it"
        + " (several values for each entry are a list of their own: [[a, b] for x in X])"
    ),
    (
      "[x for x in X for y in Y]",
      "a comprehension has one 'for' (separate clauses with ',': for a in A, b in B)"
    ),
    (
      "[x for x in X if x > 0]",
      "a comprehension has no condition, since its shape must be known"
        + " (choose entries of the domain, as in X[X > 0], or values with if … then … else …)"
    ),
    ("[x for x in X, x in Y]", "two loop variables are named 'x'"),
    ("[x for x in X", "'[' is never closed (add ']')"),
    ("x for x in X", "expected the end of the statement, found 'for'"),
    ("x = 1)", "unmatched ')' (remove it, or open it before)"),
    ("param x", "'param x' has no value (a param is declared with its start value: param x = 0)"),
    ("param x := 3", "a param holds a value, so it is declared with '=' (did you mean '='?)"),
    (
      "hesian wrt W",
      "expected the end of the statement, found 'wrt' (did you mean the command 'hessian'?)"
    ),
    (
      "print eig top 5",
      "expected the end of the statement, found 'top'"
        + " (the command 'eig' stands at the start of a statement or right after '='; the function is called eig(…))"
    ),
    ("2(x + 1)", "expected the end of the statement, found '(' (a product is written with '*')"),
    ("for i = 0..10 { }", "expected 'in', found '=' (a loop is written: for i in 0..10 { … })"),
    ("for i in 0..3: print i", "expected '{', found ':' (a block stands in braces: { … })"),
    ("f(x) : = 3", "':' stands only inside an index, as in X[:, 1:3] (did you mean ':='?)"),
    ("1..2..3", "a range cannot be the end of another range (a range is written a..b)"),
    (
      "y = [x.., 2]",
      "a range has two ends here (an end may be left out only inside an index, as in x[2..])"
    ),
    (
      "1 + if a then b else c",
      "'if' binds less tightly than the operator before it (put it in parentheses: (if …))"
    ),
    ("f(a=1, 2)", "an argument without a name follows one with a name (put named arguments last)"),
    ("eig { }", "'eig' takes no block (see ?eig)"),
    ("draw now", "'draw' takes no argument here, found 'now' (see ?draw)"),
    (
      "eig, vectors=true", "'eig' takes no argument here, found ',' (options follow the verb without a comma)"
    ),
    (
      "minimize()", "there is nothing between the parentheses (a method follows the command: minimize newton)"
    ),
    ("quit()", "there is nothing between the parentheses (the command stands alone: quit)"),
    ("y = ()", "there is nothing between the parentheses"),
    ("hessian wrt\nx = 3", "expected an expression after 'wrt', found the end of the line (as in: wrt x)"),
    (
      "a, b = c",
      "expected the end of the statement, found ','"
        + " (several names are bound in parentheses, (a, b) = e; values are printed with print a, b)"
    ),
  ])
  func exactMessages(text: String, expected: String) {
    let found = messages(text)
    #expect(found.first == expected)
    #expect(found.count == 1)
  }

  /// What people bring along from other languages and from paper: the hint alone.
  @Test(arguments: [
    ("y = exp x", "a call is written exp(…), a product exp*…"),
    ("[cos a, sin a]", "a call is written cos(…), a product cos*…; elements are separated with ','"),
    ("(2 x)", "a product is written with '*'"), ("[1e-6 1]", "separate elements with ','"),
    ("J'J", "a product is written with '*', or '@' for matrices"),
    ("x[0]x[1]", "a product is written with '*', or '@' for matrices"),
    ("d(0.3)ᵀ @ H", "a transpose is written with ': A'"),
    ("f(x := 3)", "':=' defines a name; an argument is given with '='"),
    ("f(x[1] = 3)", "a replacement names a whole leaf: f(x = [1, 2])"),
    ("mean(x for x in X)", "a comprehension stands in square brackets: sum([x^2 for x in 0..5])"),
    ("err = d -> abs(d)", "a function is defined with ':=', as in f(x) := x^2"),
    ("err = lambda d: abs(d)", "a function is defined with ':=', as in f(x) := x^2"),
    ("err := function(d) abs(d) end", "a function is defined with ':=', as in f(x) := x^2"),
    ("import numpy as np", "nothing has to be imported; run \"file\" runs a script"),
    ("if a { x } elif b { y }", "write 'else if'"),
    ("println x", "a value is printed by its name alone, or with print a, b"),
    ("diff f", "derivatives are written grad(f, x) and hessian(f, x)"),
    ("contour f", "curves, contours and points are drawn by plot: plot f, plot s, y kind=\"scatter\""),
    ("loop 6 { step newton }", "a call is written loop(…); 'loop' is no command (?commands lists them)"),
    ("share 2 10", "a call is written share(…); 'share' is no command (?commands lists them)"),
    ("print ln 2", "what is printed stands between commas: print a, b; a call is written ln(…)"),
    (
      "y = n / norm H",
      "the command 'norm' stands at the start of a statement or right after '='; the function is called norm(…)"
    ),
    ("print f\"x is {x}\"", "every string may hold {values}, without an f before it"),
    ("f?", "help stands in front: ?f"), ("x = 3 % a comment", "a comment begins with #"),
    ("% a comment", "a comment begins with #"), ("-1...3", "a range has two dots, a..b"),
    ("plot f for t in -1:3", "an interval is written a..b"),
    ("plot f for x[0] in 0..1", "the variable is a new name: plot f(x = [s, t]) for s in -1..1, t in -1..1"),
    ("e.vectors(:, 1)", "entries are chosen in square brackets: A[:, 1]"),
    ("param x = {1, 2}", "a vector is written in square brackets: [1, 2]"),
    ("param x[2] = [1, 2]", "the value gives the shape: param x = zeros(2)"),
    ("param a, b = 1, 2", "each is declared by itself: param a = 1"),
    ("param (a, b) = (1, 2)", "each is declared by itself: param a = 1"),
    ("a = 2.5, b = 4", "separate statements with ';' or a line break"),
    ("minimize newton until ∇f = 0", "'=' assigns; to compare, write '==' or '<'"),
    ("minimize gd while f > 1", "'until' says when to stop"),
    ("∇^f", "the Hessian is ∇²f, or hessian(f)"), ("x² + 1", "power is written ^, as in x^2"),
    ("A \\ b", "a line goes on after an operator or within brackets; A\\b is solve(A, b)"),
  ])
  func hintsForWhatIsWrittenElsewhere(text: String, hint: String) {
    let found = messages(text)
    #expect(found.first?.hasSuffix("(\(hint))") == true, "\(found)")
  }

  @Test func aNameOfTheUserThatHidesACommandIsNamed() {
    #expect(
      messages("seed = 1\nseed 2") == [
        "expected the end of the statement, found '2'"
          + " ('seed' is a name that you bound, and it hides the command; undo takes that back)"
      ])
  }

  @Test func aCommaMayStandBeforeAClause() {
    let plain = parse("minimize gd until a < b max 500").statements.map(\.debugDescription)
    #expect(parse("minimize gd, until a < b, max 500").statements.map(\.debugDescription) == plain)
    #expect(parse("eig top 3, bottom 3").diagnostics.isEmpty)
  }

  @Test func independentErrorsAreAllReported() {
    let result = parse("x = $\ny = 1 +* 2\nz = )\nw = 4\nf(x) {\n  a = 1 2\n  b = )\n}\nq = 1 1\nr = 5")
    #expect(
      result.diagnostics.map { $0.span?.source.position(at: $0.span?.lower ?? 0).line } == [1, 2, 3, 6, 7, 9])
    #expect(result.statements.map(\.debugDescription) == ["(= w 4)", "(def (f x) {})", "(= r 5)"])
  }

  @Test func errorsInsideBracketsDoNotSpread() {
    #expect(messages("A = [1, 2,\n  3 4,\n  5]\nb = 3").count == 1)
    #expect(messages("f(1 +* 2) { x }\ny = 3").count == 1)
    #expect(messages("for i 0..10 {\n  print i\n}\ny = 3").count == 1)
    #expect(parse("for i 0..10 {\n  print i\n}\ny = 3").statements.count == 1)
  }

  @Test func errorsAreCapped() {
    let found = messages(String(repeating: "x = 1 1\n", count: 100))
    #expect(found.count == 21)
    #expect(found.last == "too many errors; the rest is not shown")
  }

  @Test(arguments: [
    ("hessain", "hessian"), ("hesian", "hessian"), ("gard", "grad"), ("GRAD", "grad"), ("stpe", "step"),
    ("minimise", "minimize"), ("eigen", "eig"), ("derivemore", "derive"),
  ])
  func didYouMean(word: String, expected: String) {
    #expect(closestMatch(to: word, in: CommandGrammar.verbs) == expected)
  }

  @Test func distances() {
    #expect(editDistance("", "abc") == 3)
    #expect(editDistance("kitten", "sitting") == 3)
    #expect(editDistance("ab", "ba") == 1)
    #expect(editDistance("x", "x") == 0)
    #expect(closestMatch(to: "x", in: ["y", "z"]) == nil)
    #expect(closestMatch(to: "hess", in: ["hessian", "less"]) == "hessian")
    for words in [["sin", "sinh", "sinc"], ["sinc", "sinh", "sin"]] {
      #expect(closestMatch(to: "sine", in: words) == "sin" && closestMatch(to: "sind", in: words) == "sin")
      #expect(closestMatch(to: "simh", in: words) == "sinh")
    }
    #expect(closestMatch(to: "bat", in: ["cat", "hat"]) == closestMatch(to: "bat", in: ["hat", "cat"]))
    #expect(closestMatch(to: "back", in: ["batch", "pack"]) == "pack")
    #expect(closestMatch(to: "solve", in: ["save"]) == nil)
    #expect(closestMatch(to: "elephant", in: ["grad", "eig", "ele"]) == nil)
    #expect(closestMatch(to: "gradient", in: ["randint", "grad"]) == "grad")
    #expect(closestMatch(to: "lesson", in: CommandGrammar.verbs) == nil)
  }
}
