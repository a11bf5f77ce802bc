import Datasets
import Lessons
import Session
import Syntax
import Terminal

/// Carries out a plan: files and texts in order, then the dialogue.
final class Runner {
  private let plan: Plan
  private let environment: TerminalEnvironment
  private let streams: OutputStreams
  private let session: Session

  init(_ plan: Plan) {
    self.plan = plan
    environment = TerminalEnvironment.current()
    let streams = OutputStreams(environment: environment)
    self.streams = streams
    var options = SessionOptions(
      color: environment.usesColor(plan.color, onTerminal: environment.outputIsTerminal),
      unicode: environment.isUnicode, width: TerminalEnvironment.screenWidth(), isInteractive: false,
      isJSON: plan.isJSON)
    options.isTerminal = environment.outputIsTerminal
    options.depth = environment.sessionDepth
    options.braille = environment.hasBraille
    let isJSON = plan.isJSON
    session = Session(options: options) { output in
      switch output {
      case .text(let text): streams.writeLine(text)
      // One stream, in order.
      case .diagnostic(let text) where isJSON: streams.writeLine(text)
      case .diagnostic(let text): streams.writeError(text)
      case .progress(let text): streams.showProgress(text)
      }
    }
    Signals.install { Session.interrupt() }
  }

  /// The exit code.
  func run() -> Int32 {
    defer {
      streams.eraseProgress()
      streams.flush()
    }
    if let page = plan.page { return show(page) }
    if plan.listsOptions { return listOptions() }
    if let log = plan.log, let problem = session.beginLog(log, of: plan.file) { return unusable(problem) }
    let exitCode = runAll()
    session.endLog(exitCode: exitCode)
    return exitCode
  }

  private func runAll() -> Int32 {
    if plan.isJSON { session.announce(script: plan.file) }
    let hasWork = plan.file != nil || !plan.texts.isEmpty
    if hasWork, let exitCode = runBatch(), !dialogueFollows(exitCode) { return exitCode }
    if hasWork && !plan.isInteractive { return 0 }
    return environment.inputIsTerminal ? runDialogue() : runScript("-") ?? 0
  }

  /// With `-i`, errors in what ran before do not keep the dialogue from starting; `quit` does.
  private func dialogueFollows(_ exitCode: Int32) -> Bool {
    plan.isInteractive && environment.inputIsTerminal && exitCode != 0
  }

  /// Runs what was given on the command line; an exit code when that ended early.
  private func runBatch() -> Int32? {
    if let file = plan.file, let exitCode = runScript(file, plan.values) { return exitCode }
    for (index, text) in plan.texts.enumerated() {
      let name = plan.texts.count == 1 ? "<-e>" : "<-e \(index + 1)>"
      if let exitCode = run(text, name: name) { return exitCode }
    }
    return nil
  }

  /// Runs a file, or standard input for `-`; an exit code when that ended early.
  private func runScript(_ path: String, _ values: [(name: String, text: String)] = []) -> Int32? {
    do {
      let name = path == "-" ? "<stdin>" : path
      return run(try TextFile.decode(readFile(path), of: name), name: name, values)
    } catch {
      return unreadable(error)
    }
  }

  private func unreadable(_ error: any Error) -> Int32 { unusable("\(error)") }

  /// Tells what is wrong with a file.
  private func unusable(_ message: String) -> Int32 {
    if plan.isJSON { session.report(unreadable: message) } else { streams.writeError("hlab: \(message)") }
    return 74
  }

  /// Prints what the script may be run with.
  private func listOptions() -> Int32 {
    guard let path = plan.file else { return 64 }
    do {
      let text = try TextFile.decode(readFile(path), of: path)
      guard let lines = session.describeOptions(of: text, name: path) else { return 65 }
      for line in lines { streams.writeLine(line) }
      return 0
    } catch {
      return unreadable(error)
    }
  }

  /// Runs a text; an exit code when that ended early.
  private func run(_ text: String, name: String, _ values: [(name: String, text: String)] = []) -> Int32? {
    let outcome = session.run(text, name: name, values: values)
    return outcome == .ok ? nil : outcome.exitCode
  }

  private func runDialogue() -> Int32 {
    if environment.outputIsTerminal {
      session.say("hlab \(hlabVersion) · ? for help, Tab completes, Ctrl-D leaves · lessons: hlab lesson")
    }
    return dialogue(with: SessionHost(session: session, streams: streams))
  }

  /// Reads entries for a host until the user leaves.
  private func dialogue(with host: any REPLHost) -> Int32 {
    session.options.isInteractive = true
    session.options.height = TerminalEnvironment.screenHeight()
    let path = HistoryFile.standardPath(environment: environmentVariable)
    let repl = REPL(
      host: host, environment: environment, history: path.map { HistoryFile(path: $0) },
      color: session.options.color)
    return repl.run()
  }

  // MARK: Pages

  private func show(_ page: Plan.Page) -> Int32 {
    switch page {
    case .lessons: session.say(Lesson.list)
    case .lesson(let lesson, let paragraph): return teach(lesson, from: paragraph - 1)
    case .help(let name): return run("?\(name ?? "")", name: "<help>") ?? 0
    case .reference: streams.writeLine(Reference.markdown())
    case .manual: streams.writeLine(Reference.manual(HlabCommand.manual))
    }
    return 0
  }

  private func teach(_ lesson: Lesson, from first: Int) -> Int32 {
    session.options.isInteractive = true
    let walk = LessonWalk(
      lesson, host: SessionHost(session: session, streams: streams), streams: streams,
      color: session.options.color)
    walk.begin()
    let outcome = walk.skip(to: first)
    guard environment.inputIsTerminal else { return outcome == .ok ? walk.runThrough() : outcome.exitCode }
    walk.invite()
    return dialogue(with: walk)
  }
}

extension RunOutcome {
  /// The exit code of the process that ends with it.
  var exitCode: Int32 {
    switch self {
    case .ok: 0
    case .failed(let exitCode), .quit(let exitCode): exitCode
    case .interrupted: 130
    }
  }
}

extension TerminalEnvironment {
  fileprivate var sessionDepth: SessionOptions.ColorDepth {
    switch colorDepth {
    case .ansi16: .ansi16
    case .ansi256: .ansi256
    case .trueColor: .trueColor
    }
  }
}
