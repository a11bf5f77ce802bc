import Foundation
import Testing

@testable import Session

@Suite struct CompletionTests {
  private let transcript = Transcript()

  /// Candidates at the end of a text.
  private func complete(_ text: String) -> [String] {
    transcript.session.completions(in: text, at: text.utf8.count).candidates
  }

  @Test func statementsBeginWithVerbsAndKeywords() {
    #expect(complete("prin") == ["print"])
    #expect(complete("plo") == ["plot"])
    #expect(complete("x = 3; repe") == ["repeat"])
    #expect(complete("repeat 3 { prin") == ["print"])
    #expect(complete("if 1 { x = 2 }\nqui") == ["quit"])
    #expect(complete("e = loa") == ["load"])
    let s = complete("s")
    #expect(s.count > 3)
    for verb in ["save", "seed", "set"] { #expect(s.contains(verb)) }
    if Commands.table["step"] != nil { #expect(s.contains("step")) }
  }

  @Test func candidatesAreSortedAndUnique() {
    let all = complete("")
    #expect(all == Set(all).sorted())
    #expect(all.contains("plot") && all.contains("param") && all.contains("sum"))
  }

  @Test func namesAreOfferedInExpressions() {
    transcript.run("param weights = [1, 2]; loss := sum(weights^2)")
    #expect(complete("print 2*wei") == ["weights"])
    #expect(complete("los") == ["loss"])
    #expect(complete("y := crosse") == ["crossentropy"])
    #expect(complete("y := plo") == [])
    #expect(complete("z = lapla") == ["laplacian"])
  }

  @Test func verbsKnowTheirClausesAndOptions() {
    #expect(complete("plot f ran") == ["rand", "randint", "randn", "range", "range="])
    #expect(complete("plot f kin") == ["kind="])
    #expect(complete("plot f kind=he") == ["heat"])
    #expect(complete("grad wr") == ["wrt"])
    #expect(complete("time plo") == ["plot"])
    #expect(complete("save plo") == ["plot"])
    #expect(complete("sum(x, ax") == ["axis="])
  }

  @Test func bracketsHoldExpressions() {
    #expect(complete("x = [1,\n plo") == [])
    #expect(complete("[\n plo") == [])
    #expect(complete("y = 1 +\n plo") == [])
    #expect(complete("plot f(\n kin") == [])
    #expect(complete("plot [1,\n kin") == [])
    #expect(complete("repeat 3 {\n plo") == ["plot"])
    #expect(complete("x = [1,\n 2]\nplo") == ["plot"])
    #expect(complete("x =\n plo") == ["plot"])
  }

  @Test(arguments: [
    "y = a and", "y = a or", "assert not", "y = 0..", "y = if a then 1 else", "y = 3 <",
    "y = a and  # as well", "print 1,", "compare gd,", "v ~", "y := a ==",
  ])
  func openStatementsGoOn(_ text: String) {
    #expect(complete("a = 1\n\(text)\n plo") == [], "\(text)")
    // After its end another one begins.
    #expect(complete("\(text)\n 2\n plo") == ["plot"], "\(text)")
  }

  @Test func endedStatements() {
    for text in ["y = a", "y = 1.", "print \"and\"", "y = band", "x = \"and", "plot f range 0..1", ")", ""] {
      #expect(complete("\(text)\nplo") == ["plot"], "\(text)")
    }
  }

  @Test func methodsFollowTheirVerbs() {
    #expect(complete("step dam") == ["damped-newton"])
    #expect(complete("step damped-ne") == ["damped-newton"])
    #expect(complete("step newton-") == ["newton-cg"])
    #expect(complete("compare gd, dam") == ["damped-newton"])
    #expect(complete("compare gd(") == ["exact=", "lr=", "wolfe="])
    #expect(complete("compare newton, gd(lr").contains("lr="))
    let text = "step damped-ne"
    #expect(transcript.session.completions(in: text, at: text.utf8.count).replaceFrom == 5)
  }

  @Test func settingsAndHelpTopics() {
    #expect(complete("set d") == ["digits"])
    #expect(complete("set precision ") == ["f32", "f64"])
    #expect(complete("?plo") == ["plot"])
    #expect(complete("help softm") == ["softmax"])
  }

  @Test func fieldsFollowAPoint() {
    transcript.run(
      "param W1 = [1, 2]; param b1 = 0; f := sum(W1^2)*b1; g = grad(f, params); H = hessian(f, params)")
    #expect(complete("print g.") == ["W1", "b1"])
    #expect(complete("print g.W") == ["W1"])
    #expect(complete("print H.W1.b") == ["b1"])
    #expect(complete("print 1 + eig([2, 1; 1, 2]).va") == ["values"])
    #expect(complete("x = 3.") == [])
  }

  @Test func greekLettersBySpelling() {
    transcript.run("λ = 0.1; λ2 = 3")
    #expect(complete("print \\lambda") == ["λ"])
    #expect(complete("print \\lam") == ["λ"])
    #expect(complete("print lambd") == ["λ", "λ2"])
    #expect(complete("print λ") == ["λ", "λ2"])
    let text = "print λ + lambda2"
    let found = transcript.session.completions(in: text, at: text.utf8.count)
    #expect(found.candidates == ["λ2"])
    #expect(found.replaceFrom == 11)
  }

  @Test func fileNamesInQuotes() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("data"), withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for name in ["daten.csv", "other.npy", ".hidden"] {
      try Data().write(to: folder.appendingPathComponent(name))
    }
    let path = folder.path
    #expect(complete("load \"\(path)/da") == ["\(path)/data/", "\(path)/daten.csv"])
    #expect(complete("x = load(\"\(path)/") == ["data/", "daten.csv", "other.npy"].map { "\(path)/\($0)" })
    let text = "load \"\(path)/o"
    #expect(transcript.session.completions(in: text, at: text.utf8.count).replaceFrom == 6)
  }

  @Test func quietPlaces() {
    #expect(complete("x = 3 # prin") == [])
    #expect(complete("print 12") == [])
    #expect(complete("print \"{s") == complete("print s"))
    #expect(complete("print \"a\" ; prin") == ["print"])
  }
}
