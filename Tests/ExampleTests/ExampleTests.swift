import Foundation
import Session
import TestSupport
import Testing

/// Every script of `examples/` runs and prints what stands beside it.
///
/// `HLAB_RECORD=1 swift test --filter ExampleTests` writes the expected output anew; read the difference before
/// committing it.
struct ExampleTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("examples")

  static var scripts: [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return files.filter { $0.hasSuffix(".hlab") }.sorted()
  }

  @Test func thereAreExamples() { #expect(Self.scripts.count >= 4) }

  @Test(arguments: scripts)
  func runs(script: String) throws {
    let url = Self.folder.appendingPathComponent(script)
    let text = try String(contentsOf: url, encoding: .utf8)
    let collected = Collected()
    // Plots are saved into a folder of the test's own.
    let saved = FileManager.default.temporaryDirectory.appendingPathComponent(
      "hlab-examples-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: saved, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: saved) }
    let placed = text.replacingOccurrences(of: "save plot \"", with: "save plot \"\(saved.path)/")
    let options = SessionOptions(color: false, unicode: true, width: 80, isInteractive: false)
    let outcome = onLargeStack {
      Session(options: options) { collected.add($0) }.run(placed, name: script)
    }
    let output = collected.text.replacingOccurrences(of: "\(saved.path)/", with: "")
    #expect(outcome == .ok, "\(output)")
    let expected = url.deletingPathExtension().appendingPathExtension("out")
    if records {
      try output.write(to: expected, atomically: true, encoding: .utf8)
      return
    }
    let known = try String(contentsOf: expected, encoding: .utf8)
    let difference = firstDifference(output, known)
    #expect(
      difference == nil,
      "\(script) no longer prints what stands in \(expected.lastPathComponent): \(difference ?? "")")
  }
}

final class Collected: @unchecked Sendable {
  private(set) var text = ""
  /// What came since the last time.
  func take() -> String {
    defer { text = "" }
    return text
  }
  func add(_ output: SessionOutput) {
    switch output {
    case .text(let line): text += line + "\n"
    case .diagnostic(let message): text += message + "\n"
    case .progress: break
    }
  }
}

/// Test threads have small stacks; scripts may nest.
func onLargeStack<T: Sendable>(_ body: @escaping @Sendable () -> T) -> T {
  let box = Box<T>()
  let thread = Thread { box.fill(body()) }
  thread.stackSize = 256 << 20
  thread.start()
  return box.wait()
}

private final class Box<T: Sendable>: @unchecked Sendable {
  private let condition = NSCondition()
  private var value: T?
  func fill(_ value: T) {
    condition.lock()
    self.value = value
    condition.signal()
    condition.unlock()
  }
  func wait() -> T {
    condition.lock()
    defer { condition.unlock() }
    while true {
      if let value { return value }
      condition.wait()
    }
  }
}
