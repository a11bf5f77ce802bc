import Testing

@testable import Session

/// Values of procedures inside expressions.
@Suite struct ProcedureTests {
  @Test func resultsMayChangeTheirShape() {
    let session = Transcript()
    #expect(session.run("f(n) { return ones(n) }\nfor i in 1..4 { y = f(i) + 1; print y }") == "[2]\n[2, 2]\n[2, 2, 2]")
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
