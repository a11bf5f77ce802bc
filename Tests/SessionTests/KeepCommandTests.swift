import Foundation
import Testing

@testable import Session

@Suite final class KeepCommandTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  private let transcript = Transcript()

  init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: folder) }

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  private func write(_ text: String, _ name: String) throws -> String {
    try text.write(toFile: path(name), atomically: true, encoding: .utf8)
    return path(name)
  }

  private func fails(
    _ text: String, _ message: String, exitCode: Int32, location: SourceLocation = #_sourceLocation
  ) {
    transcript.run(text)
    #expect(transcript.outcome == .failed(exitCode: exitCode), sourceLocation: location)
    #expect(transcript.messages.contains(message), "\(transcript.messages)", sourceLocation: location)
  }

  // MARK: Files

  @Test(arguments: ["npy", "csv", "tsv"])
  func savedTensorsComeBack(kind: String) {
    let file = path("w.\(kind)")
    transcript.run(
      "A = [1, 2.5; -3, 1/3]; save \"\(file)\" A; B = load \"\(file)\"; C = load(\"\(file)\") - A")
    #expect(transcript.run("print max(abs(A - B)), max(abs(C))") == "0 0")
  }

  @Test(arguments: ["tsv", "TSV"]) func columnsOfATsvFileStandBetweenTabs(kind: String) throws {
    transcript.run("save \"\(path("t.\(kind)"))\" [1, 2; 3, 4]")
    let text = try String(contentsOfFile: path("t.\(kind)"), encoding: .utf8)
    #expect(text.contains("\t") && !text.contains(","), "\(text)")
  }

  @Test func headersAreTold() throws {
    let file = try write("a,b\n1,2\n3,4\n", "t.csv")
    #expect(transcript.run("load \"\(file)\"").contains("columns a, b\n1  2\n3  4"))
    #expect(transcript.run("data D = load \"\(file)\"; print sum(D, axis=0)") == "[4, 6]")
  }

  @Test func loadReadsWhenTheStatementRuns() throws {
    let text = (1...3).map { "save \"\(path("n"))\($0).npy\" \($0)*ones(\($0));" }.joined(separator: "\n")
    transcript.run(text)
    #expect(
      transcript.run("for i in 1..4 { X = load(\"\(path("n")){i}.npy\") + 0; print X }")
        == "[1]\n[2, 2]\n[3, 3, 3]")
  }

  @Test func fileErrors() throws {
    fails("load \"\(path("none.npy"))\"", "no such file", exitCode: 74)
    fails("load \"x.bin\"", "does not say how to read it", exitCode: 74)
    fails("load X", "needs a file in quotes", exitCode: 70)
    fails("save \"x.bin\" 3", "does not say how to write it", exitCode: 74)
    fails("save plot \"x.svg\"", "there is no plot to save yet", exitCode: 74)
    fails("y := load(\"x.npy\")", "a live formula cannot read a file", exitCode: 70)
    fails(
      "load \"\(try write("1,2\n3\n", "bad.csv"))\"", "line 2 has 1 field where 2 are expected", exitCode: 74)
  }

  @Test func figuresAreSaved() throws {
    transcript.run(
      "plot t^2 for t in -1..1; save plot \"\(path("p.svg"))\"; save plot \"\(path("p.txt"))\" width=50")
    #expect(transcript.outcome == .ok)
    #expect(try String(contentsOfFile: path("p.svg"), encoding: .utf8).contains("<svg"))
    #expect(try String(contentsOfFile: path("p.txt"), encoding: .utf8).contains("t^2"))
    fails("save plot \"\(path("p.png"))\"", "a plot is saved as .svg, .html or .txt", exitCode: 74)
  }

  // MARK: Scripts

  @Test func scriptsShareTheSession() throws {
    let file = try write("y = 2*n\nprint \"y is {y}\"\n", "a.hlab")
    #expect(transcript.run("run \"\(file)\" n=21") == "y is 42")
    #expect(transcript.run("print y + n") == "63")
    #expect(transcript.run("undo_is_one = 1; print n") == "21")
  }

  @Test func scriptsThatArePromptedTellWhatTheyLeft() throws {
    let person = Transcript(isInteractive: true)
    let file = try write("param U = [1, 2]; param v = 3\nf := sum(U^2) + v\nk = 3\n", "a.hlab")
    #expect(person.run("run \"\(file)\"").hasSuffix("objective f, params U, v, 1 other name"))
    let quiet = try write("print 1", "b.hlab")
    #expect(
      person.run("run \"\(file)\"") == "\(file) : 4 statements; objective f, params U, v, 1 other name")
    #expect(person.run("run \"\(quiet)\"") == "1\n\(quiet) : 1 statement; no name has changed")
    let move = try write("x = 1; U = [2, 1]", "c.hlab")
    #expect(person.run("run \"\(move)\"") == "\(move) : 2 statements; param U, 1 other name")
    #expect(person.run("run \"\(try write("x = 2", "d.hlab"))\"").hasSuffix("1 statement; 1 name"))
    let many = try write((1...8).map { "param p\($0) = 1" }.joined(separator: "\n"), "e.hlab")
    #expect(
      person.run("run \"\(many)\"").hasSuffix("8 statements; params p1, p2, p3, p4, p5, p6, …"))
    // Once for what was typed, and not where nothing is shown.
    let outer = try write("run \"\(file)\"; y = 1", "f.hlab")
    #expect(person.run("run \"\(outer)\"").components(separatedBy: " : ").count == 2)
    let procedure = "p(n) { run \"\(quiet)\"; return n }\nprint p(2)"
    for text in ["run \"\(quiet)\";", "repeat 2 { run \"\(quiet)\" }", procedure] {
      let shown = person.run(text)
      #expect(shown.contains("1") && !shown.contains("statement"), "\(shown)")
      #expect(person.outcome == .ok, "\(person.messages)")
    }
    #expect(transcript.run("run \"\(file)\"").isEmpty)
  }

  @Test func errorsInScriptsCarryTheirPlace() throws {
    let file = try write("x = 1\ny = zz\n", "bad.hlab")
    fails("run \"\(file)\"", "bad.hlab:2:5", exitCode: 70)
    #expect(transcript.run("print x") == "1")
    transcript.run("undo")
    fails("print x", "'x' is not bound", exitCode: 70)
    fails("run \"\(try write("x = = 1\ny = )\n", "syntax.hlab"))\"", "syntax.hlab:2:5", exitCode: 65)
    #expect(transcript.messages.contains("syntax.hlab:1:5"))
  }

  @Test func cyclesAreErrors() throws {
    let file = path("loop.hlab")
    _ = try write("run \"\(file)\"\n", "loop.hlab")
    fails("run \"\(file)\"", "runs itself", exitCode: 74)
    #expect(transcript.run("print 1") == "1")
  }

  // MARK: Settings

  @Test func digitsAndAscii() {
    #expect(transcript.run("set digits 3; print 1/3") == "0.333")
    #expect(transcript.run("set digits=10; print 1/3") == "0.3333333333")
    #expect(transcript.run("set ascii true; plot t for t in 0..1 height=8").utf8.allSatisfy { $0 < 0x80 })
    fails("set digits 18", "digits is 1 to 17", exitCode: 70)
    fails("set digit 3", "did you mean 'digits'?", exitCode: 70)
    fails("set ascii", "needs a value", exitCode: 65)
  }

  @Test func precisionConvertsWhatIsThere() {
    transcript.run("param x = [1/3, 2]; data d = 1/7; v = 0.1; f := sum(x^2)*d")
    transcript.run("a = f + v; set precision f32; b = f + v")
    #expect(transcript.run("print v == 0.1, v - 0.1 < 1e-7") == "1 1")
    transcript.run("set digits 12")
    #expect(transcript.run("print v").hasPrefix("0.10000000149"))
    #expect(transcript.run("print x[0]").hasPrefix("0.333333343"))
    transcript.run("undo 1; undo 1")
    #expect(transcript.run("set").contains("f64") || Commands.table["undo"] == nil)
  }

  @Test func memory() {
    #expect(transcript.run("set memory 4 GB; set").contains("4 GB"))
    #expect(transcript.run("set memory 2e9; set").contains("2 GB"))
    #expect(transcript.run("set memory auto; set").contains("(auto)"))
    fails("set memory 3", "at least 1 MB", exitCode: 70)
    fails("set memory 2 MB; A = ones(1000, 1000); print A @ A", "the limit is 2 MB", exitCode: 70)
  }

  @Test func seedsRepeat() {
    #expect(transcript.run("seed 4; a = rand(3); seed 4; print max(abs(a - rand(3)))") == "0")
    #expect(transcript.run("seed") == "seed 4")
    fails("seed -1", "a seed is not negative", exitCode: 70)
  }

  @Test func drawDrawsAnew() {
    transcript.run("v ~ randn(3); a = v + 0; draw; b = v + 0")
    #expect(transcript.run("print sum(abs(a - b)) > 0") == "1")
    fails("draw now", "takes no argument", exitCode: 65)
  }

  @Test func timeTakesAnything() {
    #expect(transcript.run("time { x = 3 }").contains("s"))
    #expect(transcript.run("time x = 4; print x").hasSuffix("\n4"))
    #expect(transcript.run("s = time eye(3); print s > 0 and s < 5") == "1")
    #expect(Machine.describe(seconds: 3.2e-5, unicode: true) == "32 µs")
    #expect(Machine.describe(seconds: 3.2e-5, unicode: false) == "32 us")
    #expect(Machine.describe(seconds: 150, unicode: true) == "2 min 30 s")
  }

  @Test func quitGivesItsCode() {
    transcript.run("quit 3")
    #expect(transcript.outcome == .quit(exitCode: 3))
    transcript.run("repeat 2 { quit }")
    #expect(transcript.outcome == .quit(exitCode: 0))
    fails("quit 300", "an exit code is 0 to 255", exitCode: 70)
  }
}
