import Foundation
import Testing

@testable import Session

@Suite struct OptionTests {
  private static let script = """
    option lr = 0.1        # the step
    option sizes = [4, 2]
    option full = false
    option set = "mnist1d"
    print lr, sizes, full, set
    """

  private final class Lines { var all: [String] = [] }

  private func run(
    _ text: String, _ values: [(name: String, text: String)] = [], json: Bool = false
  ) -> (outcome: RunOutcome, lines: [String]) {
    let options = SessionOptions(
      color: false, unicode: true, width: 100, isInteractive: false, isJSON: json)
    let lines = Lines()
    let session = Session(options: options) { output in
      switch output {
      case .text(let text), .diagnostic(let text): lines.all.append(text)
      case .progress: break
      }
    }
    return (session.run(text, name: "s.hlab", values: values), lines.all)
  }

  @Test func defaultsAndValues() {
    #expect(run(Self.script).lines == ["0.1 [4, 2] 0 mnist1d"])
    let given = [("lr", "1e-3*2"), ("sizes", "[1, 2, 3]"), ("full", "true"), ("set", "../my-data/x.csv")]
    #expect(run(Self.script, given).lines == ["0.002 [1, 2, 3] 1 ../my-data/x.csv"])
    #expect(run(Self.script, [("set", "\"two words\"")]).lines == ["0.1 [4, 2] 0 two words"])
    // A script without options has its names bound.
    #expect(run("print n", [("n", "3")]).lines == ["3"])
  }

  /// (name, value, first line of the message)
  @Test(arguments: [
    ("lrr", "1", "error: the script has no option 'lrr'"),
    ("lr", "fast-one", "error: 'fast' is not bound"),
    ("lr", "a=b", "error: option 'lr' is a number, not a string"),
    ("lr", "x:y", "error: option 'lr' is a number, not a string"),
    ("lr", "[1, 2]", "error: option 'lr' is a number, not a tensor of shape 2"),
    ("sizes", "3", "error: option 'sizes' is a tensor of shape 2, not a number"),
    ("full", "2", "error: option 'full' is true or false, not a number"),
  ])
  func valuesOfTheWrongKind(_ name: String, _ value: String, _ message: String) {
    let (outcome, lines) = run("print 1; " + Self.script, [(name, value)])
    #expect(outcome == .failed(exitCode: 64))
    let text = lines.joined(separator: "\n")
    #expect(text.contains(message), "\(text)")
    // Unknown names stop the script before it runs.
    #expect((lines.first == "1") == (name != "lrr"))
    if name == "lrr" { #expect(text.contains("did you mean 'lr'?") && text.contains("lr=0.1, sizes=[4, 2]")) }
  }

  /// What is no expression is refused with the argument's name before anything runs, whether or not there are options.
  @Test(arguments: [
    "quit 3", "quit", "undo", "seed 3", "eig", "plot", "time 3", "1; quit 4", "1\nquit 4", "1 2", "(1",
    "y = 3",
    "print 3", "{1}", "=3", "load \"x.npy\"",
  ])
  func commandsAreNoValues(_ text: String) {
    for script in ["option lr = 0.1\nprint lr", "print lr"] {
      let (outcome, lines) = run(script, [("lr", text)])
      #expect(outcome == .failed(exitCode: 64))
      #expect(
        lines.count == 1 && lines[0].hasPrefix("error: the value of 'lr' is not an expression"), "\(lines)")
    }
    // All of it is a text, where a text is meant.
    #expect(run("option s = \"a\"\nprint s", [("s", text)]).lines == [text])
  }

  @Test func textsWithoutOptions() {
    #expect(run("print s", [("s", "../my-data/x.csv")]).lines == ["../my-data/x.csv"])
    #expect(run("print s", [("s", "\"two words\"")]).lines == ["two words"])
    let (outcome, lines) = run("print s", [("s", "hello")])
    #expect(outcome == .failed(exitCode: 64) && lines[0].contains("'hello' is not bound"))
    #expect(lines[0].contains("s='\"hello\"'"))
    #expect(run("print s", [("s", "load(\"/none/x.npy\")")]).outcome == .failed(exitCode: 74))
  }

  @Test func greekNamesMayBeSpelled() {
    #expect(run("print λ", [("lambda", "3")]).lines == ["3"])
    #expect(run("option λ = 1\nprint lambda", [("lambda", "3")]).lines == ["3"])
  }

  @Test func optionsAreListed() {
    let session = Session(
      options: SessionOptions(color: false, unicode: true, width: 80, isInteractive: false)
    ) { _ in }
    #expect(
      session.describeOptions(of: Self.script, name: "s") == [
        "lr=0.1         the step", "sizes=[4, 2]", "full=false", "set=\"mnist1d\"",
      ])
    #expect(session.describeOptions(of: "option x = (", name: "s") == nil)
  }

  @Test func scriptsRunByScripts() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).hlab").path
    defer { try? FileManager.default.removeItem(atPath: file) }
    try Self.script.write(toFile: file, atomically: true, encoding: .utf8)
    let (outcome, lines) = run(
      "option lr = 7\ns = \"held\"\nrun \"\(file)\" full=true set=s\nrun \"\(file)\" lr=2\nrun \"\(file)\" foo=2",
      [("lr", "8")])
    #expect(lines.prefix(2) == ["0.1 [4, 2] 1 held", "2 [4, 2] 0 mnist1d"])
    #expect(outcome == .failed(exitCode: 64) && lines.last?.contains("no option 'foo'") == true)
  }

  @Test(arguments: [
    Failure("repeat 1 { option a = 1 }", "options are declared at the top level", at: "a"),
    Failure("f() { option a = 1 }\nf()", "options are declared at the top level", at: "a"),
  ])
  func badInput(_ failure: Failure) { failure.check() }

  // MARK: JSON

  /// What a program says, each line read by Foundation.
  private func objects(_ text: String, _ values: [(name: String, text: String)] = []) throws -> [[String:
    Any]]
  {
    try run(text, values, json: true).lines.map { line in
      #expect(!line.contains("\n"))
      return try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  @Test func valuesAsJSON() throws {
    let said = try objects(
      """
      print 0.1 + 0.2, [1, 2; 3, 4], "a \\"quote\\" é", zeros(0), ones(2, 1, 2)
      1/3
      print [inf, -inf, nan]
      param x = [3, 4]; f := sum(x^2)
      print grad(f)
      eig
      y = 3;
      """)
    let items = try #require(said[0]["print"] as? [Any])
    #expect(items[0] as? Double != nil)
    #expect(run("print 0.1 + 0.2", json: true).lines == ["{\"print\":0.30000000000000004}"])
    #expect(items[1] as? [[Int]] == [[1, 2], [3, 4]])
    #expect(items[2] as? String == "a \"quote\" é")
    #expect(items[3] as? [Int] == [] && items[4] as? [[[Int]]] == [[[1, 1]], [[1, 1]]])
    #expect(said[1]["expression"] as? String == "1/3" && said[1]["value"] as? Double == 1.0 / 3)
    #expect(said[2]["print"] as? [String] == ["inf", "-inf", "nan"])
    #expect(said[3]["print"] as? [Double] == [6, 8])
    let result = try #require(said[4]["result"] as? [String: Any])
    #expect(said[4]["command"] as? String == "eig" && result["values"] as? [Double] == [2, 2])
    #expect(said.count == 5)
  }

  @Test func singlePrecisionIsShort() throws {
    let said = try objects("set precision f32; print [0.1]")
    #expect(run("set precision f32; print [0.1]", json: true).lines.last == "{\"print\":[0.1]}")
    #expect(said.count == 2)
  }

  @Test func errorsAndOptionsAsJSON() throws {
    let said = try objects("option lr = 0.5\nx = 1\nprint xx", [("lr", "2")])
    #expect(
      said[0]["option"] as? String == "lr" && said[0]["value"] as? Double == 2
        && said[0]["given"] as? Int == 1)
    let error = try #require(said[1]["error"] as? [String: Any])
    #expect(error["kind"] as? String == "name" && error["line"] as? Int == 3 && error["column"] as? Int == 7)
    #expect(error["text"] as? String == "xx" && error["hint"] is String)
    let syntax = try objects("print (")
    #expect((syntax[0]["error"] as? [String: Any])?["kind"] as? String == "syntax")
  }
}
