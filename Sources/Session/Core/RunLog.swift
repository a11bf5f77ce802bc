import Datasets
import Syntax

/// The log of a run: what runs with which version, seed and options, and lines as they come. What is no result of the run
/// begins with `#`. A run is added to what the file holds.
final class RunLog {
  private let file: LogFile
  private let failed: (String) -> Void
  private var isBroken = false

  /// Opens the file. Throws `cannotWrite`; what cannot be written later is told once by `failed`, and ends the log but not the
  /// run.
  init(_ path: String, failed: @escaping (String) -> Void) throws(DatasetError) {
    file = try LogFile(addingTo: path)
    self.failed = failed
  }

  func write(_ text: String) {
    guard !isBroken else { return }
    do throws(DatasetError) {
      try file.write(text)
    } catch {
      isBroken = true
      failed("the log ends here: \(error)")
    }
  }

  func remark(_ text: String) { write("# " + text.split(separator: "\n").joined(separator: "\n# ")) }

  /// The first lines: version and time, what runs, the generator's seed and the options of the script.
  func begin(_ what: String, seed: UInt64, options: [(name: String, text: String)]) {
    remark("hlab \(hlabVersion), \(Machine.date)")
    remark(what)
    remark("seed \(seed)")
    for option in options { remark("option \(option.name) = \(option.text)") }
  }
}

extension Session {
  /// Adds all that is printed from now on to a file, after lines that say what runs. Returns what is wrong with the file.
  public func beginLog(_ path: String, of script: String?) -> String? {
    let interpreter = self.interpreter
    do throws(DatasetError) {
      let log = try RunLog(path) { [unowned interpreter] in
        interpreter.log = nil
        interpreter.output(.diagnostic("warning: \($0)"))
      }
      log.begin(script.map { "run \($0)" } ?? "session", seed: interpreter.state.generator.seed, options: [])
      interpreter.log = log
      return nil
    } catch { return "\(error)" }
  }

  /// The log's last line.
  public func endLog(exitCode: Int32) {
    interpreter.log?.remark("ended with exit code \(exitCode), \(Machine.date)")
    interpreter.log = nil
  }
}

extension Interpreter {
  /// What the log keeps of an output.
  func keepInLog(_ item: SessionOutput) {
    switch item {
    case .text(let text), .diagnostic(let text): log?.write(text)
    case .progress: break
    }
  }
}
