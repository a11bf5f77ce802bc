import Foundation
import Syntax
import Testing

/// The examples of `grammar.md` are what the parser accepts, or refuses where they say so.
@Suite struct GrammarTests {
  struct Block: Sendable, CustomTestStringConvertible {
    let language: String
    let line: Int
    var text = ""
    var testDescription: String { "grammar.md:\(line)" }
  }

  private static var document: String {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return (try? String(contentsOf: root.appendingPathComponent("grammar.md"), encoding: .utf8)) ?? ""
  }

  private static let blocks: [Block] = {
    var blocks: [Block] = []
    var open: Block?
    for (index, line) in document.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      if line.hasPrefix("```") {
        if let block = open { blocks.append(block) }
        open = open == nil ? Block(language: String(line.dropFirst(3)), line: index + 1) : nil
      } else {
        open?.text += line + "\n"
      }
    }
    return blocks
  }()

  @Test(arguments: blocks.filter { $0.language == "hlab" })
  func examplesParse(block: Block) {
    let result = parse(block.text)
    #expect(result.diagnostics.isEmpty, "\(DiagnosticRenderer().render(result.diagnostics))")
    #expect(!result.statements.isEmpty)
  }

  @Test(arguments: blocks.filter { $0.language == "hlab-error" })
  func wrongExamplesAreRefused(block: Block) {
    for line in block.text.split(separator: "\n") { #expect(!messages(String(line)).isEmpty, "\(line)") }
  }

  @Test func everyVerbIsDescribed() {
    #expect(Self.blocks.count > 15)
    for verb in CommandGrammar.verbs {
      #expect(Self.document.contains("`\(verb)") || Self.document.contains("\n\(verb) "), "\(verb)")
    }
  }
}
