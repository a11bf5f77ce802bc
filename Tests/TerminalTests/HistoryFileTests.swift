import Glibc
import Testing

@testable import Terminal

@Suite struct HistoryFileTests {
  @Test(arguments: [
    ("plain", "plain"), ("a\nb", "a\\nb"), ("a\\b", "a\\\\b"), ("a\\nb", "a\\\\nb"), ("\r\n", "\\r\\n"),
    ("λ = 2\n", "λ = 2\\n"), ("", ""),
  ])
  func escapesLineBreaks(entry: String, line: String) {
    #expect(HistoryFile.escape(entry) == line)
    #expect(HistoryFile.unescape(line) == entry)
  }

  @Test func unknownEscapesStay() {
    #expect(HistoryFile.unescape("a\\x") == "a\\x")
    #expect(HistoryFile.unescape("a\\") == "a\\")
  }

  @Test func appendsAndLoads() throws {
    let file = HistoryFile(path: try temporaryDirectory() + "/state/hlab/history")
    #expect(file.load() == [])
    file.append("a = 1")
    file.append("f(x) {\n  return x\n}")
    #expect(file.load() == ["a = 1", "f(x) {\n  return x\n}"])
  }

  @Test func isPrivate() throws {
    let directory = try temporaryDirectory()
    HistoryFile(path: directory + "/d/history").append("secret")
    var status = stat()
    #expect(stat(directory + "/d/history", &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
    #expect(stat(directory + "/d", &status) == 0)
    #expect(status.st_mode & 0o777 == 0o700)
  }

  @Test func sessionsShareOneFile() throws {
    let path = try temporaryDirectory() + "/history"
    let first = HistoryFile(path: path)
    let second = HistoryFile(path: path)
    first.append("1")
    second.append("2")
    first.append("3")
    #expect(second.load() == ["1", "2", "3"])
  }

  @Test func loadsTheNewestOnly() throws {
    let file = HistoryFile(path: try temporaryDirectory() + "/history", limit: 3)
    for number in 1...10 { file.append("\(number)") }
    #expect(file.load() == ["8", "9", "10"])
  }

  @Test func cutsAFileThatHasGrown() throws {
    let file = HistoryFile(path: try temporaryDirectory() + "/history", limit: 1000, byteLimit: 2000)
    for number in 1000..<1600 { file.append("\(number)") }
    #expect(file.load().count == 600)
    let kept = file.load()
    #expect(kept.count <= 200 && kept.last == "1599")
    let size = try readFile(file.path).count
    #expect(size <= 1000)
  }

  @Test func findsItsPlace() {
    func path(_ variables: [String: String]) -> String? {
      HistoryFile.standardPath { variables[$0] }
    }
    #expect(path(["XDG_STATE_HOME": "/s", "HOME": "/h"]) == "/s/hlab/history")
    #expect(path(["XDG_STATE_HOME": "relative", "HOME": "/h"]) == "/h/.local/state/hlab/history")
    #expect(path(["HOME": "/h"]) == "/h/.local/state/hlab/history")
    #expect(path([:]) == nil)
  }

  @Test func survivesAnUnwritablePlace() {
    let file = HistoryFile(path: "/proc/hlab/history")
    file.append("x")
    #expect(file.load() == [])
  }
}
