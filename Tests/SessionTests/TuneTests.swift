import Foundation
import Testing

@testable import Session

@Suite final class TuneTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  private static let setting = "param x = [3, -2]; f := sum([1, 9]*x^2)\n"

  init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: folder) }

  @Test func findsAStep() {
    let talk = Conversation()
    talk.say(Self.setting)
    let said = talk.say(
      "r = tune lr in log 1e-4..1 trials=25 { repeat 8 { step gd lr=lr }; return f }\nprint f, x, r.trial")
    // Two curvatures, 2 and 18: the best fixed step is near 2/(2 + 18).
    #expect(talk.outcome == .ok, "\(said)")
    #expect(said.hasPrefix("45 [3, -2]"))
    #expect(abs(log10(talk.values("r.best.lr")[0]) + 1) < 0.12)
    #expect(talk.values("r.value")[0] == talk.values("min(where(r.values == r.values, r.values, inf))")[0])
    #expect(talk.interpreter.lookup("lr") == nil)
    #expect(talk.say("print shape(r.params)") == "[25, 1]")
  }

  @Test func tableAndScales() {
    let talk = Conversation()
    talk.say("n = 5; v ~ rand(2)")
    let before = talk.drawn("v")
    let said = talk.say(
      "tune n in int 1..3, m in [10, 20] trials=6 by grid { draw; return (n - 2)^2 + m/10 }")
    #expect(said.contains("trial  n   m  value"))
    #expect(said.contains("best of 4 trials") == false && said.contains("best of 6 trials by grid"))
    #expect(said.contains("at n = ") && said.contains("m = 10"))
    // Nothing has moved.
    #expect(talk.drawn("v") == before && talk.values("n") == [5])
  }

  /// Every trial begins with the same generator.
  @Test func trialsShareTheStream() {
    let talk = Conversation()
    talk.say("r = tune a in 0..1 trials=6 by random { return sum(rand(3)) + 0*a }")
    #expect(talk.values("max(r.values) - min(r.values)") == [0])
  }

  @Test func hopelessTrialsEnd() {
    let talk = Conversation()
    talk.say(
      """
      r = tune a in 1..2 trials=30 by random { for k in 1..6 { report a/k }; return a }
      s = tune a in 1..2 trials=30 by random prune=false { for k in 1..6 { report a/k }; return a }
      """)
    #expect(talk.outcome == .ok)
    let pruned = talk.values("sum(r.pruned)")[0]
    #expect(pruned >= 5 && pruned <= 25)
    #expect(talk.values("sum(s.pruned)") == [0])
    #expect(talk.values("r.value") == talk.values("s.value"))
    #expect(talk.say("report 3") == "")
  }

  @Test func failedTrialsAreTold() {
    let talk = Conversation()
    talk.say(Self.setting)
    let said = talk.say(
      "tune lr in log 1e-3..1e12 trials=12 by random { repeat 30 { step gd lr=lr }; return f }")
    #expect(talk.outcome == .ok)
    #expect(said.contains("failed") && said.contains("warning: "))
    #expect(talk.values("x") == [3, -2])
    talk.say("tune lr in log 1e150..1e200 trials=3 by random { repeat 30 { step gd lr=lr }; return f }")
    #expect(talk.outcome == .failed(exitCode: 70))
  }

  /// A search that is broken off and taken up again finds what it would have found.
  @Test func studiesGoOn() throws {
    let file = folder.appendingPathComponent("a.study").path
    func program(_ trials: Int, _ study: String) -> String {
      Self.setting
        + "r = tune lr in log 1e-4..1, k in int 1..5 trials=\(trials) \(study) { repeat k { step gd lr=lr; report f }; return f }"
    }
    let (whole, broken) = (Conversation(), Conversation())
    whole.say(program(18, ""))
    broken.say(program(7, "study=\"\(file)\""))
    let again = Conversation()
    again.say(program(18, "study=\"\(file)\""))
    #expect(again.outcome == .ok)
    for field in ["r.params", "r.values", "r.pruned"] {
      #expect(whole.say("print \(field)") == again.say("print \(field)"))
    }
    // Nothing is left to run.
    #expect(
      again.say("r = tune lr in log 1e-4..1, k in int 1..5 trials=18 study=\"\(file)\" { return 1/0*x }")
        == "")
    #expect(again.outcome == .ok)
    let other = again.say("tune lr in log 1e-3..1, k in int 1..5 trials=18 study=\"\(file)\" { return 1 }")
    #expect(again.outcome == .failed(exitCode: 74) && other.contains("is a study of something else"))
    var text = try String(contentsOfFile: file, encoding: .utf8)
    text.removeLast(12)
    try text.write(toFile: file, atomically: true, encoding: .utf8)
    try "hello".write(toFile: folder.appendingPathComponent("b").path, atomically: true, encoding: .utf8)
    again.say("tune lr in 0..1 study=\"\(folder.path)/b\" { return lr }")
    #expect(again.outcome == .failed(exitCode: 74))
  }

  @Test func figures() {
    let talk = Conversation()
    let said = talk.say("tune a in 1..2 trials=8 by random plot=true height=8 { return a^2 }")
    #expect(said.contains("best so far") && talk.interpreter.state.figure != nil)
  }

  @Test(arguments: [
    Failure("tune lr in 1..1 { return 1 }", "a range goes from a number to a greater one", at: "1..1"),
    Failure("tune lr in log 0..1 { return 1 }", "a logarithmic range begins above 0", at: "0..1"),
    Failure("tune n in int 0.5..2 { return 1 }", "a range of whole numbers has whole ends", at: "0.5..2"),
    Failure("tune lr in 3 { return 1 }", "'lr' is chosen from a range or a vector", at: "3"),
    Failure(
      "tune lr in 0..1 by tpx { return 1 }", "there is no search 'tpx'", at: "tpx", "did you mean 'tpe'?"),
    Failure("tune lr in 0..1 trials=0 { return 1 }", "trials are 1 to", at: "0"),
    Failure("tune lr in 0..1 { x = 1 }", "the block of 'tune' returns what is to be small", at: ""),
    Failure("tune lr in 0..1 { return [1, 2] }", "the block of 'tune' returns a number", at: ""),
    Failure("tune lr in 0..1 { return lrr }", "'lrr' is not bound", at: "lrr"),
    Failure(
      "tune lr in 0..1 { r = tune k in 0..1 { return k }; return 1 }", "a trial of 'tune' runs no other",
      at: ""),
    Failure("report", "'report' needs a value", at: "report"),
    Failure("return 3", "'return' stands outside a function or block", at: "return 3"),
  ])
  func badInput(_ failure: Failure) { failure.check() }

  @Test func plotsTakeNoWholeNumbers() {
    Failure("plot t for t in int 0..3", "a plot runs over all numbers of a range", at: "t in int 0..3")
      .check()
  }
}
