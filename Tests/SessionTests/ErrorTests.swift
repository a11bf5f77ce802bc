import Foundation
import Testing

@testable import Session

/// Every kind of error: scripts with the exact message beside them, and what a failed statement leaves behind.
@Suite struct ErrorTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Errors")

  static let scripts = scriptNames(in: folder)

  /// With HLAB_RECORD=1 the snapshots are written anew.
  @Test(arguments: scripts) func messagesMatchTheirSnapshots(_ name: String) throws {
    try checkSnapshot(name, in: Self.folder, outputExtension: "err") { #expect($0 != .ok) }
  }

  static let failures = [
    Failure("x = 3; x[0]", "1 index for a scalar", at: "x[0]"),
    Failure("x = [1, 2]; x[0, 0]", "2 indices for a tensor with 1 axis", at: "x[0, 0]", "shape 2"),
    Failure("x = [1, 2]; x[1.5]", "an index must be a whole number, not 1.5", at: "1.5"),
    Failure("x = [1, 2]; i = 2; x[i]", "index 2 is outside an axis of 2", at: "x[i]"),
    Failure("x = [1, 2]; x[::0]", "the step of a slice cannot be 0", at: "::0"),
    Failure(
      "x = [1, 2]; x[[1, 0, 1] > 0]", "a mask of shape 3 does not fit an axis of 2", at: "[1, 0, 1] > 0"),
    Failure("param x = [1, 2]; x[x > 1]", "a mask depends on the param 'x'", at: "x > 1"),
    Failure("[1, [2, 3]]", "the parts of a literal must have one shape", at: "[2, 3]", "cat(a, b)"),
    Failure("a = 1; f := x(a = 2)", "there is no function 'x'", at: "x"),
    Failure(
      "param x = 1; y = 3; f := x^2; f(y = 2)", "'f' does not depend on 'y'", at: "y = 2", "it depends on x"),
    Failure(
      "param rate = 1; f := rate^2; f(rte = 2)", "'f' does not depend on 'rte'", at: "rte = 2",
      "did you mean 'rate'?"),
    Failure("param x = 1; f := x^2; g := f + x; g(f = 2)", "'f' is a formula, not a leaf", at: "f = 2"),
    Failure("param x = 1; f := x^2; f(3)", "a formula is called with names: f(x = …)", at: "3"),
    Failure(
      "param x = [1, 2]; f := sum(x); f(x = 3)", "'x' has shape 2, its replacement scalar", at: "x = 3"),
    Failure("f(a, b) := a + b; f(1)", "'f' takes 2 arguments, not 1", at: "f(1)", "f(a, b)"),
    Failure("f(a, b) := a + b; f(1, 2, 3)", "'f' takes 2 arguments, not 3", at: "f(1, 2, 3)"),
    Failure("f(a, b) := a + b; f(1, a=3)", "'a' is given twice", at: "a=3"),
    Failure("f(a, b) { return a }; f(1, a=3)", "'a' is given twice", at: "a=3"),
    Failure("p() { x = 1 }; y = p()", "'p' returns nothing", at: "p()"),
    Failure(
      "p(a) { x = a }; param x = 1; f := p(x)", "'p' returns nothing, so it cannot be part of a formula",
      at: "p(x)"),
    Failure(
      "p(a) { print a; return a }; param x = 1; f := p(x)",
      "a block with commands cannot be part of a formula", at: "print a"),
    Failure("f(a) := a; f", "'f' is a function", at: "f", "call it: f(a)"),
    Failure("sum + 1", "'sum' is a function", at: "sum", "call it: sum(…)"),
    Failure("param x = 1; x := 2", "'x' is a param; a formula needs another name", at: "x"),
    Failure("(a, a) = (1, 2)", "'a' stands twice on the left", at: "a"),
    Failure("(a, b) = [1, 2]", "2 names need a tuple of as many values", at: "[1, 2]", "(a, b) = (1, 2)"),
    Failure(
      "(U, V) = svd([2, 0; 0, 1])", "2 names need a tuple", at: "svd([2, 0; 0, 1])", "s.values, s.u, s.v"),
    Failure("plot [1, 2]; save \"x.png\"", "a plot is saved as .svg, .html or .txt", at: "\"x.png\""),
    Failure("(a, b, c) = (1, 2)", "3 names need a tuple of as many values, not a tuple of 2", at: "(1, 2)"),
    Failure("ans = 3", "'ans' has a meaning of its own and cannot be bound", at: "ans"),
    Failure("A[0] = 1", "'A' is not a tensor that can be changed", at: "A", "A = zeros(…)"),
    Failure(
      "A = ones(2, 2); A[0, :] = [1, 2, 3]", "a value of shape 3 does not fit a part of shape 2",
      at: "[1, 2, 3]"),
    Failure("for i in 3 { }", "for runs over a range or a tensor, not a number", at: "3"),
    Failure("for i in 0..2.5 { }", "expected a whole number", at: "2.5"),
    Failure("for a, b in [1, 2, 3] { }", "2 names do not fit parts of shape scalar", at: "[1, 2, 3]"),
    Failure("while \"a\" { }", "a condition must be a number", at: "\"a\""),
    Failure("exit", "'exit' is not bound", at: "exit", "to leave: quit"),
    Failure("explain trust", "'trust' is not bound", at: "trust", "explain step trust"),
    Failure(
      "step trust radius 3", "'radius' is an option and needs its value", at: "radius",
      "an option has a value: radius=3"),
    Failure(
      "derive 1 steps", "'steps' is an option and needs its value", at: "steps",
      "an option has a value: steps=…"),
    Failure("param w = 1\nhessian w^2 w", "'hessian' takes at most 1 argument here", at: "w", "wrt w"),
    Failure(
      "print 1 a", "expected the end of the statement, found 'a'", at: "a", "between commas: print a, b"),
    Failure("break", "'break' stands outside a loop", at: "break"),
    Failure("return 3", "'return' stands outside a function or block", at: "return 3"),
    Failure("print \"{3:zz}\"", "the format 'zz' does not fit a number", at: "3"),
    Failure("x = 3; x.y", "a tensor has no fields", at: "x.y"),
    Failure("max([])", "max of no entries has no value", at: ""),
    Failure("zeros(1e12, 1e12)", "", at: "1e12"),
    Failure("zeros(-1)", "", at: "-1"),
    Failure("inv(zeros(0, 0))", "inv needs entries", at: "zeros(0, 0)"),
    Failure("inv(zeros(0, 2))", "inv needs a square matrix, not one of shape 0×2", at: "zeros(0, 2)"),
    Failure(
      "ones(2, 3) @ ones(2)", "shapes 2×3 and 2 do not fit in '@'", at: "ones(2, 3) @ ones(2)", "last axis 3"),
    Failure(
      "[1, 2] @ [1, 2, 3]", "shapes 2 and 3 do not fit in '@'", at: "[1, 2] @ [1, 2, 3]", "outer(a, b)"),
    Failure("params", "there are no params", at: "params", "param x = [1, 2]"),
    Failure("value + 1", "there is no objective yet", at: "value"),
    Failure("p() { param q = 1 }; p()", "params and data are declared at the top level", at: "q"),
  ]

  @Test(arguments: failures) func messagesAreExact(_ failure: Failure) { failure.check() }

  @Test func numbersInMessagesAreShortest() {
    #expect(Conversation().say("range(0, 1, 0)").hasPrefix("error: the step cannot be 0\n"))
  }

  static let atoms = [
    "(y, x) = (5, [1, 2, 3])", "x = [1]", "z := x + [1, 2, 3]*[1, 2]", "x := 3", "A[0, :] = [1, 2, 3]",
    "A[5, 5] = 1",
    "param x = [1, 2] + [1, 2, 3]", "w ~ [1, 2] + [1, 2, 3]", "(A, x) = (1, [1])", "f := f + nosuch",
    "f(x) := ",
    "q = rand(3) + rand(2)", "y = bad(2)", "g(a) { return a + nosuch }; g(1)",
  ]

  @Test(arguments: atoms) func failedStatementsChangeNothing(_ statement: String) {
    let c = Conversation()
    c.say(
      "param x = 3; y = 2; A = ones(2, 2); f := x^2 + y; bad(a) { b = a + [1, 2]; return b @ [1, 2, 3] }; 42")
    let probe = "print x, y, A[0], A[1], f, ans, grad(f, x), value"
    let before = c.say(probe)
    c.say(statement)
    #expect(c.outcome != .ok)
    #expect(c.say(probe) == before)
    #expect(
      c.say("r = rand(2); r")
        == {
          let d = Conversation()
          return d.say("r = rand(2); r")
        }())
  }

  @Test func finishedStepsOfLoopsStay() {
    let c = Conversation()
    c.say("param x = 0; s = 0; p(k) { x = x + 1; return [1, 2, 3][k] }")
    c.say("for i in 0..5 { s = s + 1; x = x + [1, 2, 3][i] }")
    #expect(c.outcome != .ok)
    // The fourth round counted, and then failed to move x.
    #expect(c.say("print s, x, i") == "4 6 3")
    c.say("for i in 0..9 { s = s + p(i) }")
    #expect(c.say("print s, x, i") == "10 10 3")
    #expect(c.say("undo; print s, x").hasSuffix("4 6"))
    #expect(c.say("undo; print s, x").hasSuffix("0 0"))
  }

  @Test func conditionsAndNestedBlocksFailAlone() {
    let c = Conversation()
    c.say("a = 0; b = [1, 2]")
    c.say("while a < 3 { a = a + 1; if a == 2 { if b[a] > 0 { a = 100 } } }")
    #expect(c.outcome != .ok)
    #expect(c.say("a") == "2")
    c.say("repeat 3 { a = a + 1; (a, b) = (50, nosuch) }")
    #expect(c.say("print a, b") == "3 [1, 2]")
  }
}

/// Names of the scripts of a folder, without their extension.
func scriptNames(in folder: URL) -> [String] {
  let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
  return files.filter { $0.hasSuffix(".hlab") }.map { String($0.dropLast(5)) }.sorted()
}

/// Runs a script and compares what it says with the file beside it.
func checkSnapshot(
  _ name: String, in folder: URL, outputExtension: String, _ check: (RunOutcome) -> Void
) throws {
  let program = try String(contentsOf: folder.appendingPathComponent("\(name).hlab"), encoding: .utf8)
  let expected = folder.appendingPathComponent("\(name).\(outputExtension)")
  let c = Conversation(width: 80)
  let said = c.say(program, name: "\(name).hlab") + "\n"
  check(c.outcome)
  if ProcessInfo.processInfo.environment["HLAB_RECORD"] == "1" {
    try said.write(to: expected, atomically: true, encoding: .utf8)
  }
  #expect(try String(contentsOf: expected, encoding: .utf8) == said)
}
