import Foundation
import Testing

@testable import Plotting

@Suite struct RenderingTests {
  static let styles: [TextOptions] = ColorMode.allCases.flatMap { color in
    [(false, false), (true, false), (true, true)].map {
      TextOptions(width: 50, height: 14, unicode: $0.0, braille: $0.1, color: color)
    }
  }

  /// A line without its colours.
  private func plain(_ line: some StringProtocol) -> String {
    var result = ""
    var isCode = false
    for character in line {
      if character == "\u{1B}" { isCode = true }
      if !isCode { result.append(character) }
      if character == "m" { isCode = false }
    }
    return result
  }

  @Test(arguments: styles) func linesFitAndEndWithoutSpaces(options: TextOptions) {
    for width in [1, 5, 12, 30, 50, 72, 133] {
      var options = options
      options.width = width
      for figure in Samples.all {
        for line in renderText(figure, options).split(separator: "\n", omittingEmptySubsequences: false) {
          #expect(plain(line).terminalWidth <= width)
          #expect(line.last != " ")
          #expect(options.unicode || plain(line).allSatisfy(\.isASCII))
          #expect(options.color != .none || !line.contains("\u{1B}"))
        }
      }
    }
  }

  @Test func heightIsKept() {
    for figure in Samples.all where figure != Samples.matrix {
      let lines = renderText(figure, TextOptions(height: 16)).split(separator: "\n")
      #expect(lines.count == 16)
    }
  }

  @Test func wideCharactersCountTwice() {
    #expect("損失".terminalWidth == 4)
    #expect("e\u{301}∇".terminalWidth == 2)
    #expect("損失 f".truncated(to: 4, unicode: true) == "損…")
    #expect("‖∇f‖ = λ²\n".plotText(unicode: false) == "||grad f|| = lambda^2 ")
  }

  @Test func coloursFollowTheTerminal() {
    func text(_ mode: ColorMode) -> String { renderText(Samples.two, TextOptions(color: mode)) }
    #expect(text(.ansi16).contains("\u{1B}[36m"))
    #expect(text(.ansi256).contains("\u{1B}[38;5;74m"))
    #expect(text(.trueColor).contains("\u{1B}[38;2;86;180;233m"))
    #expect(!text(.none).contains("\u{1B}"))
  }

  @Test func awkwardDataIsDrawn() {
    for figure in Samples.awkward {
      for options in [
        TextOptions(width: 30, height: 9), TextOptions(unicode: false), TextOptions(color: .ansi256),
      ] {
        #expect(renderText(figure, options).split(separator: "\n").count >= 4)
      }
      #expect(WellFormedness.check(renderSVG(figure)) == nil)
      #expect(!renderSVG(figure).contains("nan"))
    }
  }

  @Test func svgIsWellFormedAndDeterministic() {
    for figure in Samples.all {
      let svg = renderSVG(figure)
      #expect(WellFormedness.check(svg) == nil)
      #expect(svg == renderSVG(figure))
    }
    #expect(WellFormedness.check("<a><b></a>") != nil)
  }

  @Test func svgTextIsEscaped() {
    let figure = Figure(title: "a < b & \"c\"\u{7}", marks: [.line(Series([1, 2]))])
    let svg = renderSVG(figure)
    #expect(svg.contains("a &lt; b &amp; &quot;c&quot;"))
    #expect(WellFormedness.check(svg) == nil)
  }

  @Test func pagesLoadNothing() {
    for figure in Samples.all + Samples.awkward {
      let page = renderHTML(figure)
      #expect(page.hasPrefix("<!DOCTYPE html>") && page.hasSuffix("</html>\n"))
      #expect(!page.contains("<?xml") && !page.contains("nan,") && !page.contains("inf,"))
      let links = page.components(separatedBy: "http").dropFirst()
      #expect(links.allSatisfy { $0.hasPrefix("://www.w3.org/2000/svg\"") })
    }
    let title = Figure(title: "</script><b>", marks: [.line(Series([1, 2], name: "</script>"))])
    #expect(renderHTML(title).components(separatedBy: "</script>").count == 2)
  }

  @Test func movingPathsAreWellFormed() {
    for var figure in Samples.all {
      figure.duration = 3
      #expect(WellFormedness.check(renderSVG(figure)) == nil)
    }
    var figure = Samples.filled
    figure.duration = 3
    let svg = renderSVG(figure)
    // Both paths take their second step at the same time; the shorter one rests then.
    #expect(svg.contains("keyTimes=\"0.00000;0.42500;1\""))
    #expect(svg.contains("keyTimes=\"0.00000;0.42500;0.85000;1\""))
  }

  @Test func contourLinesOverColoursAreBlackOrWhite() {
    let svg = renderSVG(Samples.filled)
    #expect(svg.contains("stroke-opacity=\"0.6\""))
    #expect(svg.components(separatedBy: "fill=\"none\" stroke=\"#ffffff\" stroke-width=\"1\"").count > 2)
  }

  @Test func legendNamesSeveralSeriesOnly() {
    #expect(renderText(Samples.two).contains("newton"))
    let one = Figure(marks: [.line(Series([1, 2], name: "alone"))])
    #expect(!renderText(one).contains("alone"))
    #expect(renderText(Samples.contour).contains("gd"))
  }
}

/// A small check that tags are balanced and text is escaped.
enum WellFormedness {
  /// What is wrong; nil if nothing is.
  static func check(_ xml: String) -> String? {
    var open: [Substring] = []
    for part in xml.split(separator: "<", omittingEmptySubsequences: false).dropFirst() {
      let pieces = part.split(separator: ">", maxSplits: 1, omittingEmptySubsequences: false)
      guard pieces.count == 2, let tag = pieces.first, let text = pieces.last else {
        return "no end: \(part)"
      }
      if text.contains(">") { return "stray > in \(text)" }
      for entity in text.split(separator: "&", omittingEmptySubsequences: false).dropFirst()
      where !["amp;", "lt;", "gt;", "quot;"].contains(where: entity.hasPrefix) { return "bare & in \(text)" }
      if tag.hasPrefix("?") || tag.hasSuffix("/") { continue }
      if tag.count(where: { $0 == "\"" }) % 2 != 0 { return "open quote in \(tag)" }
      if tag.hasPrefix("/") {
        if open.popLast() != tag.dropFirst() { return "unexpected \(tag)" }
      } else {
        open.append(tag.prefix { $0 != " " })
      }
    }
    return open.isEmpty ? nil : "left open: \(open)"
  }
}
