import Foundation
import Testing

@testable import Session

/// Programs as people would write them, with what they print beside them.
@Suite struct ProgramTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Programs")

  static let programs = scriptNames(in: folder)

  /// With HLAB_RECORD=1 the expected output is written anew.
  @Test(arguments: programs) func programsPrintWhatIsExpected(_ name: String) throws {
    try checkSnapshot(name, in: Self.folder, outputExtension: "out") { #expect($0 == .ok) }
  }
}
