import Glibc
import Testing

@testable import Terminal

@Suite(.serialized, .timeLimit(.minutes(5))) struct CommandLineTests {
  @Test func printsItsVersion() throws {
    let result = try runHlab(["--version"])
    #expect(result.exitCode == 0)
    #expect(result.output.hasPrefix("hlab "))
    #expect(result.error.isEmpty)
  }

  @Test func explainsItself() throws {
    let result = try runHlab(["--help"])
    #expect(result.exitCode == 0)
    #expect(result.output.contains("NAME=VALUE"))
  }

  @Test func listsTheLessons() throws {
    let result = try runHlab(["lesson"])
    let lines = result.output.split(separator: "\n")
    #expect(result.exitCode == 0 && lines.count == 10)
    #expect(lines[2].hasPrefix("  3  Newton's method "))
    #expect(lines.allSatisfy { $0.count <= 80 })
  }

  @Test func runsThroughALessonWithoutATerminal() throws {
    let result = try runHlab(["lesson", "3"], input: "print \"not read\"\n")
    #expect(result.exitCode == 0)
    #expect(result.output.hasPrefix("Lesson 3: Newton's method\n"))
    #expect(result.output.contains("\nhlab> step newton\n"))
    #expect(!result.output.contains("not read") && !result.output.contains("#>"))
    #expect(result.error.isEmpty)
  }

  @Test func opensALessonAtAParagraph() throws {
    let result = try runHlab(["lesson", "3", "4"])
    let whole = try runHlab(["lesson", "3"]).output
    #expect(result.exitCode == 0 && result.error.isEmpty)
    #expect(result.output.hasPrefix("Lesson 3: Newton's method\n"))
    let skipped = try #require(result.output.firstRange(of: "(What stands before paragraph 4 has run.)\n\n"))
    let shown = result.output[skipped.upperBound...]
    #expect(!shown.isEmpty && whole.hasSuffix(shown) && whole.count > result.output.count)
  }

  @Test(arguments: [
    ["lesson", "9"], ["lesson", "x"], ["lesson", "1", "99"], ["lesson", "1", "0"],
    ["lesson", "1", "x"], ["lesson", "1", "2", "3"], ["lesson", "-i"], ["lesson", "1", "-e", "x"],
    ["help", "a", "b"], ["help", "a b"], ["help", "eig", "--man"], ["--man"],
    ["help", "--man", "--reference"],
    ["-", "if=3"], ["-", "2x=3"], ["-", "lambda=3", "λ=4"], ["-", "n=quit 3"],
  ])
  func rejectsWrongArguments(arguments: [String]) throws {
    let result = try runHlab(arguments)
    #expect(result.exitCode == 64)
    #expect(result.output.isEmpty && !result.error.isEmpty)
  }

  @Test func helps() throws {
    #expect(try runHlab(["help", "newton"]).output.hasPrefix("step newton\n"))
    #expect(try runHlab(["help", "@"]).output.hasPrefix("A @ B\n"))
    #expect(try runHlab(["help"]).output.contains("?commands and ?functions list all"))
    let manual = try runHlab(["help", "--man"]).output
    #expect(manual.hasPrefix(".TH HLAB 1\n"))
    // Each option of the command line, taken from its own help.
    for option in ["\\-e <text>", "\\-i, \\-\\-interactive", "\\-\\-log <file>", "\\-\\-version"] {
      #expect(manual.contains("\n.TP\n\\fB\(option)\\fR\n"), "\(option)")
    }
    let unknown = try runHlab(["help", "plto"])
    #expect(unknown.exitCode == 70 && unknown.error.contains("did you mean 'plot'?"))
  }

  @Test func keepsALog() throws {
    let folder = try temporaryDirectory()
    let log = folder + "/run.log"
    defer {
      unlink(log)
      rmdir(folder)
    }
    let script = "option n = 3\nseed 4\nprint n, \"é\"\nprint q\n"
    let result = try runHlab(["run", "--log", log, "-", "n=5"], input: script)
    #expect(result.exitCode == 70 && result.output == "5 é\n")
    _ = try runHlab(["--log", log, "-e", "print 1"])
    let lines = String(decoding: try readFile(log), as: UTF8.self).split(separator: "\n").map(String.init)
    #expect(lines[0].hasPrefix("# hlab 0") && lines[1] == "# run -" && lines[2] == "# seed 0")
    #expect(lines[3...5] == ["# option n = 5", "# seed 4", "5 é"])
    #expect(lines[6].hasPrefix("error: 'q' is not bound"))
    let second = try #require(lines.dropFirst().firstIndex { $0.hasPrefix("# hlab 0") })
    #expect(lines[second - 1].hasPrefix("# ended with exit code 70, 20"))
    #expect(lines[(second + 1)...].prefix(3) == ["# session", "# seed 0", "1"])
    let refused = try runHlab(["--log", "/nowhere/log", "-e", "print 1"])
    #expect(refused.exitCode == 74 && refused.output.isEmpty && refused.error.contains("/nowhere/log"))
  }

  @Test func runsTexts() throws {
    let result = try runHlab(["-e", "print \"a{6*7}\"", "-e", "print \"b{6*7}\""])
    #expect(result.exitCode == 0)
    #expect(result.output == "a42\nb42\n")
    #expect(result.error.isEmpty)
  }

  @Test func runsAFile() throws {
    let path = try temporaryDirectory() + "/script.hlab"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    try writeAll(descriptor, "#!/usr/bin/env hlab\nprint \"f{6*7}\"\n".utf8)
    close(descriptor)
    for arguments in [[path], ["run", path], ["run", path, "lr=-0.5"]] {
      let result = try runHlab(arguments)
      #expect(result.exitCode == 0)
      #expect(result.output == "f42\n")
    }
  }

  @Test(arguments: [[], ["-"], ["-i"]])
  func pipedInputIsBatch(arguments: [String]) throws {
    let home = try temporaryDirectory()
    let result = try runHlab(arguments, input: "print \"s{6*7}\"\n", environment: ["HOME": home])
    #expect(result.exitCode == 0)
    #expect(result.output == "s42\n")
    #expect(result.error.isEmpty)
    #expect(access(home + "/.local", F_OK) != 0)
  }

  @Test(arguments: [
    ["--bogus"], ["--color", "sometimes"], ["run"], ["x.hlab", "1=2"], ["x.hlab", "stray"], ["x.hlab", "a="],
    ["x.hlab", "a=1", "b=2", "a=3"],
    ["--options"], ["--json", "-i"],
  ])
  func rejectsWrongUsage(arguments: [String]) throws {
    let result = try runHlab(arguments)
    #expect(result.exitCode == 64)
    #expect(result.output.isEmpty)
    #expect(!result.error.isEmpty)
  }

  @Test func namesAMissingFile() throws {
    let result = try runHlab(["/nowhere/x.hlab"])
    #expect(result.exitCode == 74)
    #expect(result.output.isEmpty)
    #expect(result.error == "hlab: cannot read '/nowhere/x.hlab': No such file or directory\n")
  }

  /// Nothing of a script runs whose text is not what was written.
  @Test(arguments: [
    ([UInt8]("print 1\n# caf".utf8) + [0xE9, 0x0A], "line 2 is no UTF-8"),
    ([0xFF, 0xFE, 0x70, 0x00], "it is UTF-16"),
  ])
  func refusesOtherEncodings(bytes: [UInt8], reason: String) throws {
    let path = try temporaryDirectory() + "/script.hlab"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    try writeAll(descriptor, bytes)
    close(descriptor)
    let result = try runHlab([path])
    #expect(result.exitCode == 74 && result.output.isEmpty)
    #expect(result.error == "hlab: cannot read '\(path)': \(reason); texts are saved as UTF-8\n")
    let included = try runHlab(["-e", "run \"\(path)\""])
    #expect(included.exitCode == 74 && included.error.contains(reason))
  }

  @Test func exitCodesTellErrorsApart() throws {
    let syntax = try runHlab(["-e", "print ("])
    #expect(syntax.exitCode == 65)
    let assertion = try runHlab(["-e", "assert false", "-e", "print \"not reached\""])
    #expect(assertion.exitCode == 70)
    #expect(assertion.output.isEmpty)
    #expect(!assertion.error.isEmpty)
  }

  @Test func optionsOfAScript() throws {
    let path = try temporaryDirectory() + "/script.hlab"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    try writeAll(descriptor, "option lr = 0.5   # the step\nprint lr\n".utf8)
    close(descriptor)
    #expect(try runHlab(["run", path, "lr=0.25"]).output == "0.25\n")
    let unknown = try runHlab([path, "rate=0.25"])
    #expect(unknown.exitCode == 64 && unknown.output.isEmpty)
    #expect(unknown.error.contains("the script has no option 'rate'"))
    #expect(try runHlab(["--options", path]).output == "lr=0.5  the step\n")
    let json = try runHlab(["--json", path, "lr=0.25"])
    let lines = json.output.split(separator: "\n").map(String.init)
    #expect(lines.count == 3 && json.error.isEmpty)
    #expect(lines[0].hasPrefix("{\"hlab\":\"") && lines[0].contains("\"seed\":0"))
    #expect(lines[1] == "{\"option\":\"lr\",\"value\":0.25,\"given\":1}")
    #expect(lines[2] == "{\"print\":0.25}")
    let failing = try runHlab(["--json", "-e", "assert 1 == 2"])
    #expect(failing.exitCode == 70 && failing.error.isEmpty)
    #expect(failing.output.contains("{\"error\":{\"kind\":\"assertion\""))
    #expect(try runHlab(["--json", "/nowhere/x.hlab"]).exitCode == 74)
  }

  @Test func quitEndsAScript() throws {
    let result = try runHlab(["-e", "quit", "-e", "print \"not reached\""])
    #expect(result.exitCode == 0)
    #expect(result.output.isEmpty)
  }

  @Test func interruptEndsAScript() throws {
    let descriptors = (0..<3).map { _ in open("/dev/null", O_RDWR | O_CLOEXEC) }
    defer { for descriptor in descriptors { close(descriptor) } }
    let child = try spawn(["-e", "repeat 1000000000 { a = 1 }"], environment: [:], stdio: descriptors)
    usleep(1_500_000)
    kill(child, SIGINT)
    let exitCode = wait(for: child)
    #expect(exitCode == 130)
  }

  /// Nothing else is opened in the place of an input that the parent has closed.
  @Test func closedInputCannotBeRead() throws {
    let errors = try temporaryDirectory() + "/err"
    let descriptors = [
      open("/dev/null", O_RDWR | O_CLOEXEC), open(errors, O_RDWR | O_CREAT | O_CLOEXEC, 0o600),
    ]
    defer { for descriptor in descriptors { close(descriptor) } }
    let child = try spawn(
      ["run", "-"], environment: [:], stdio: [descriptors[0], descriptors[0], descriptors[1]], closing: 0)
    #expect(wait(for: child) == 74)
    let text = String(decoding: try readFile(errors), as: UTF8.self)
    #expect(text == "hlab: cannot read '<stdin>': Bad file descriptor\n")
  }

  @Test func closedPipeEndsQuietly() throws {
    var pipes: [Int32] = [0, 0]
    try #require(pipe(&pipes) == 0)
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    close(pipes[0])
    let child = try spawn(
      ["-e", "print \"a{6*7}\""], environment: [:], stdio: [null, pipes[1], null])
    close(pipes[1])
    close(null)
    #expect(wait(for: child) == 128 + SIGPIPE)
  }
}
