import Testing

@testable import Session

/// Values of procedures inside expressions.
@Suite struct ProcedureTests {
  @Test func resultsMayChangeTheirShape() {
    let session = Transcript()
    #expect(
      session.run("f(n) { return ones(n) }\nfor i in 1..4 { y = f(i) + 1; print y }")
        == "[2]\n[2, 2]\n[2, 2, 2]")
    #expect(session.outcome == .ok)
  }

  @Test func resultsMayBeStrings() {
    let session = Transcript()
    #expect(session.run("f(n) { return \"a{n}\" }\nfor i in 1..3 { y = f(i); print y }") == "a1\na2")
  }

  @Test func recursionKeepsTheResultsOfOuterCalls() {
    let session = Transcript()
    let text = "fib(n) {\n  if n < 2 { return n }\n  return fib(n - 1) + fib(n - 2)\n}\nprint fib(10)"
    #expect(session.run(text) == "55")
  }
}

/// `ans`, the last value printed.
@Suite struct AnswerTests {
  @Test func partOfAnExpression() {
    let session = Transcript()
    #expect(session.run("1 + 2\nans * 2\nprint ans + 1") == "3\n6\n7")
    #expect(session.run("[1, 2]\nans + 1") == "[1, 2]\n[2, 3]")
  }

  @Test func definitionsKeepItsValue() {
    #expect(Transcript().run("3\ny := ans + 1\n5\nprint y") == "3\n5\n4")
  }

  @Test func unboundBeforeAnythingIsPrinted() {
    let session = Transcript()
    session.run("ans + 1")
    #expect(session.messages.contains("'ans' is not bound"))
  }
}
