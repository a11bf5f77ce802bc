import Glibc
import Testing

@testable import Terminal

@Suite(.serialized, .timeLimit(.minutes(10))) struct REPLTests {
  private let home: String

  init() throws { home = try temporaryDirectory() }

  /// A session whose first prompt has shown.
  private func start(_ arguments: [String] = [], term: String = "xterm") throws -> PseudoTerminal {
    let terminal = try PseudoTerminal(arguments: arguments, home: home, term: term)
    try #require(terminal.sees("hlab> "), "\(terminal.transcript)")
    return terminal
  }

  /// The line of a result, then the next prompt. Control keys must not come before the prompt: until then they
  /// are the system's.
  private func expect(_ terminal: PseudoTerminal, answers result: String) {
    #expect(terminal.sees(result + "\n"), "\(terminal.transcript)")
    #expect(terminal.sees("hlab> "), "\(terminal.transcript)")
  }

  private func end(_ terminal: PseudoTerminal) throws {
    try terminal.type("\u{4}")
    #expect(terminal.exitCode() == 0, "\(terminal.transcript)")
  }

  private var storedHistory: String {
    let bytes = (try? readFile(home + "/.local/state/hlab/history")) ?? []
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func runsALineAndLeaves() throws {
    let terminal = try start()
    try terminal.type("print \"λ²é{6*7}\"\r")
    expect(terminal, answers: "λ²é42")
    try end(terminal)
    #expect(storedHistory == "print \"λ²é{6*7}\"\n")
  }

  @Test func runsABlockAndRecallsItWhole() throws {
    let terminal = try start()
    try terminal.type("repeat 1 {\rprint \"b{6*7}\"\r}\r")
    expect(terminal, answers: "b42")
    try terminal.type("\u{1b}[A")
    #expect(terminal.sees("repeat 1 {"), "\(terminal.transcript)")
    try terminal.type("\r")
    expect(terminal, answers: "b42")
    try end(terminal)
    #expect(storedHistory == "repeat 1 {\\n  print \"b{6*7}\"\\n}\n")
  }

  @Test func remembersAcrossSessions() throws {
    let first = try start()
    try first.type("print \"kept{6*7}\"\r")
    expect(first, answers: "kept42")
    try end(first)
    let second = try start()
    try second.type("\u{1b}[A\r")
    expect(second, answers: "kept42")
    try second.type("\u{12}")
    #expect(second.sees("bck:"), "\(second.transcript)")
    try second.type("kept\r")
    expect(second, answers: "kept42")
    try end(second)
  }

  @Test func interruptClearsThePendingBlock() throws {
    let terminal = try start()
    try terminal.type("repeat 1 {\rprint \"lost")
    #expect(terminal.sees("lost"))
    try terminal.type("\u{3}")
    #expect(terminal.sees("^C"), "\(terminal.transcript)")
    #expect(terminal.sees("hlab> "), "\(terminal.transcript)")
    try terminal.type("print \"next{6*7}\"\r")
    expect(terminal, answers: "next42")
    try end(terminal)
  }

  /// Also where drawing takes longer than a frame of it lasts.
  @Test func interruptStopsAnAnimation() throws {
    let terminal = try start()
    try terminal.type("param x = [-1.2, 1]; f := (1 - x[0])^2 + 100*(x[1] - x[0]^2)^2\r")
    try terminal.type("minimize gd max 60;\r")
    #expect(terminal.sees("60;") && terminal.sees("hlab> "))
    try terminal.type("animate seconds=3\r")
    #expect(terminal.sees("x[1]"), "\(terminal.transcript)")
    try terminal.type("\u{3}")
    #expect(terminal.sees("note: interrupted"), "\(terminal.transcript)")
    #expect(terminal.sees("hlab> "))
    try end(terminal)
  }

  /// In a process of its own: all sessions of one are interrupted together. What was done is kept, whole rounds of
  /// compiled loops and whole statements of others.
  @Test(arguments: [
    ("repeat 1000000000 { a = 1 }", "a == 1"),
    ("param x = 0; a = 1; while 1 { a = a + 1; x = a }", "a > 1 and (a == x or a == x + 1)"),
    ("x = 1; s = 0; repeat 100000000 { s = s + 1; x = x*0.999999 }", "s > 3"),
    ("s = 0; while s >= 0 { s = s + 1; x = [s, s] }", "s > 3 and abs(x[0] - s) <= 1"),
  ])
  func interruptStopsARunningLoop(loop: String, kept: String) throws {
    let terminal = try start()
    try terminal.type(loop + "\r")
    #expect(terminal.sees("}"))
    usleep(500_000)
    interrupt(terminal, within: 30)
    #expect(terminal.transcript.contains("interrupted"), "\(terminal.transcript)")
    try terminal.type("print \"kept{\(kept)}\"\r")
    expect(terminal, answers: "kept1")
    try end(terminal)
  }

  /// Where an interrupted loop has left the params is drawn at once, not with the next statement.
  @Test func interruptedMovesAreDrawn() throws {
    let terminal = try start()
    try terminal.type("param x = [-1.2, 1]; f := (1 - x[0])^2 + 100*(x[1] - x[0]^2)^2; plot f live\r")
    #expect(terminal.sees("└") && terminal.sees("hlab> "), "\(terminal.transcript)")
    try terminal.type("repeat 100000000 { step gd lr=0.0001 }\r")
    #expect(terminal.sees(" moves ", seconds: 60), "\(terminal.transcript)")
    interrupt(terminal, within: 30)
    try terminal.type("print \"next{6*7}\"\r")
    expect(terminal, answers: "next42")
    let after = terminal.transcript.split(separator: "completed steps are kept").dropFirst()
    #expect(after.count == 1 && after.allSatisfy { !$0.contains("└") }, "\(terminal.transcript)")
    try end(terminal)
  }

  /// The plane of a long path through many params takes some hundred million products. The path is kept.
  @Test func interruptStopsTheSearchForThePlaneOfAPath() throws {
    let terminal = try start()
    try terminal.type("param W = zeros(10000); f := sum(W^2); repeat 300 { W = W + normal(0, 1, [10000]) }\r")
    #expect(terminal.sees("}") && terminal.sees("hlab> "))
    try terminal.type("path\r")
    #expect(terminal.sees("path"))
    usleep(200_000)
    interrupt(terminal, within: 5)
    #expect(terminal.transcript.contains("interrupted"), "\(terminal.transcript)")
    try terminal.type("s = slice f along step range -1..0 steps=2; print \"kept{shape(s.values)[0] - 1}\"\r")
    expect(terminal, answers: "kept1")
    try end(terminal)
  }

  /// Ctrl-C until the prompt is back, once a second.
  private func interrupt(_ terminal: PseudoTerminal, within seconds: Int) {
    var isBack = false
    for _ in 0..<seconds where !isBack {
      _ = try? terminal.type("\u{3}")
      isBack = terminal.sees("hlab> ", seconds: 1)
    }
    #expect(isBack, "\(terminal.transcript)")
  }

  @Test func insertsAPasteWithoutRunningIt() throws {
    let terminal = try start()
    try terminal.type("\u{1b}[200~repeat 1 {\r\tprint \"p{6*7}\"\r}\r\u{1b}[201~")
    #expect(terminal.sees("\"p{6*7}\""), "\(terminal.transcript)")
    #expect(!terminal.sees("p42", seconds: 0.5))
    try terminal.type("\r")
    expect(terminal, answers: "p42")
    try end(terminal)
    #expect(storedHistory == "repeat 1 {\\n  print \"p{6*7}\"\\n}\n")
  }

  @Test func completesAWord() throws {
    let terminal = try start()
    try terminal.type("prin\t")
    #expect(terminal.sees("print"), "\(terminal.transcript)")
    try terminal.type(" \"c{6*7}\"\r")
    expect(terminal, answers: "c42")
    try terminal.type("s\t\t")
    #expect(terminal.sees("step"), "\(terminal.transcript)")
    #expect(terminal.sees("hlab> s"), "\(terminal.transcript)")
    try terminal.type("\u{3}")
    #expect(terminal.sees("^C"), "\(terminal.transcript)")
    #expect(terminal.sees("hlab> "), "\(terminal.transcript)")
    try end(terminal)
  }

  @Test func survivesResizing() throws {
    let terminal = try start()
    try terminal.type("print \"" + String(repeating: "w", count: 90))
    #expect(terminal.sees(String(repeating: "w", count: 15)))
    for columns: UInt16 in [40, 20, 100] {
      terminal.resize(columns: columns)
      usleep(100_000)
    }
    try terminal.type("{6*7}\"\r")
    expect(terminal, answers: "ww42")
    try end(terminal)
  }

  @Test func followsAScriptWithADialogue() throws {
    let terminal = try PseudoTerminal(arguments: ["-i", "-e", "print \"first{6*7}\""], home: home)
    #expect(terminal.sees("first42\n"), "\(terminal.transcript)")
    #expect(terminal.sees("hlab> "), "\(terminal.transcript)")
    try terminal.type("quit\r")
    #expect(terminal.exitCode() == 0)
  }

  @Test func walksThroughALesson() throws {
    let terminal = try PseudoTerminal(arguments: ["lesson", "2"], home: home)
    #expect(terminal.sees("[Return: 1 of "), "\(terminal.transcript)")
    try terminal.type("\r")
    #expect(terminal.sees("hlab> param x = [10, 1]\n"), "\(terminal.transcript)")
    #expect(terminal.sees("[Return: 2 of "), "\(terminal.transcript)")
    // What the class does in between counts, until the lesson goes on.
    try terminal.type("x = [3, 4]; mine = 5\r")
    #expect(terminal.sees("[Return: 2 of "), "\(terminal.transcript)")
    try terminal.type("\r")
    #expect(
      terminal.sees("(The lesson goes on: x is as before; undo brings yours back.)\n"),
      "\(terminal.transcript)")
    #expect(terminal.sees("[Return: 3 of "), "\(terminal.transcript)")
    // Up finds what the lesson ran.
    try terminal.type("\u{1b}[A")
    #expect(terminal.sees("explain step gd"), "\(terminal.transcript)")
    try terminal.type("\u{3}")
    #expect(terminal.sees("[Return: 3 of "), "\(terminal.transcript)")
    try terminal.type("print x, mine\r")
    #expect(terminal.sees("[10, 1] 5\n"), "\(terminal.transcript)")
    #expect(terminal.sees("[Return: 3 of "), "\(terminal.transcript)")
    try terminal.type("undo\r")
    #expect(terminal.sees("[Return: 3 of "), "\(terminal.transcript)")
    try terminal.type("print x\r")
    #expect(terminal.sees("[3, 4]\n"), "\(terminal.transcript)")
    #expect(terminal.sees("[Return: 3 of "), "\(terminal.transcript)")
    try terminal.type("?\r")
    #expect(terminal.sees("In a lesson: Return or next goes on"), "\(terminal.transcript)")
    #expect(terminal.sees("[Return: 3 of "), "\(terminal.transcript)")
    // A page again, and the one before it, in the session as it was then.
    try terminal.type("again\r")
    #expect(terminal.sees("hlab> explain step gd lr=0.05\n"), "\(terminal.transcript)")
    #expect(terminal.sees("[Return: 3 of "), "\(terminal.transcript)")
    try terminal.type("back\r")
    #expect(terminal.sees("hlab> param x = [10, 1]\n"), "\(terminal.transcript)")
    #expect(terminal.sees("[Return: 2 of "), "\(terminal.transcript)")
    try terminal.type("back = 7; print back\r")
    #expect(terminal.sees("7\n"), "\(terminal.transcript)")
    #expect(terminal.sees("[Return: 2 of "), "\(terminal.transcript)")
    try end(terminal)
  }

  @Test func worksOnADumbTerminal() throws {
    let terminal = try start(term: "dumb")
    try terminal.type("repeat 1 {\n")
    #expect(terminal.sees("... "), "\(terminal.transcript)")
    try terminal.type("print \"d{6*7}\"\n}\n")
    expect(terminal, answers: "d42")
    try end(terminal)
    #expect(!terminal.transcript.contains("\u{1b}"))
  }

  @Test func hangUpEndsIt() throws {
    let terminal = try start()
    try terminal.type("half a line")
    #expect(terminal.sees("half a line"))
    terminal.hangUp()
    #expect(terminal.exitCode() == 128 + SIGHUP)
  }
}
