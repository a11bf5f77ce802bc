/// Puts SVG elements together.
struct SVGWriter {
  private var body: [String] = []

  static let ink = "#333333"
  static let faint = "#e6e6e6"
  static let fontSize = 12.0

  /// The width of a text of the usual size, roughly; fonts differ, and this is what the wider ones take.
  static func width(_ text: String) -> Double { text.reduce(0) { $0 + ems($1) } * fontSize }

  private static func ems(_ character: Character) -> Double {
    if "ilIjft.,:;|!'()[] ".contains(character) { return 0.38 }
    if "⁰¹²³⁴⁵⁶⁷⁸⁹⁻".contains(character) { return 0.44 }
    if "mwMW@%".contains(character) { return 0.95 }
    return character.terminalWidth > 1 ? 1 : character.isUppercase ? 0.69 : 0.63
  }

  /// The text cut to a width, with an ellipsis where something is missing.
  ///
  /// - Parameter scale: of the font, against the usual size.
  static func fitted(_ text: String, to room: Double, scale: Double = 1) -> String {
    if width(text) * scale <= room { return text }
    var used = fontSize * scale
    let kept = text.prefix {
      used += ems($0) * fontSize * scale
      return used <= room
    }
    return kept + "…"
  }

  /// The text on at most so many lines, broken between words; the last one is cut where it is still too long.
  static func wrapped(_ text: String, to room: Double, scale: Double, lines limit: Int) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      let longer = (lines.last.map { $0 + " " } ?? "") + word
      if lines.isEmpty {
        lines = [String(word)]
      } else if lines.count == limit || width(longer) * scale <= room {
        lines[lines.count - 1] = longer
      } else {
        lines.append(String(word))
      }
    }
    return lines.map { fitted($0, to: room, scale: scale) }
  }

  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\n", "\t", "\r": result += " "
      case _ where scalar.value < 32 || (scalar.value & 0xFFFE) == 0xFFFE: result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  mutating func open(_ name: String, _ attributes: [(String, String)]) {
    body.append("<\(name)\(SVGWriter.list(attributes))>")
  }

  mutating func close(_ name: String) { body.append("</\(name)>") }

  mutating func element(_ name: String, _ attributes: [(String, String)]) {
    body.append("<\(name)\(SVGWriter.list(attributes))/>")
  }

  mutating func text(
    _ text: String, at point: Point, anchor: String = "middle", _ attributes: [(String, String)] = []
  ) {
    let place = [("x", SVGWriter.number(point.x)), ("y", SVGWriter.number(point.y)), ("text-anchor", anchor)]
    body.append("<text\(SVGWriter.list(place + attributes))>\(SVGWriter.escaped(text))</text>")
  }

  mutating func line(_ a: Point, _ b: Point, _ attributes: [(String, String)]) {
    let ends = [
      ("x1", SVGWriter.number(a.x)), ("y1", SVGWriter.number(a.y)), ("x2", SVGWriter.number(b.x)),
      ("y2", SVGWriter.number(b.y)),
    ]
    element("line", ends + attributes)
  }

  mutating func rectangle(
    x: Double, y: Double, width: Double, height: Double, _ attributes: [(String, String)]
  ) {
    let box = [
      ("x", SVGWriter.number(x)), ("y", SVGWriter.number(y)), ("width", SVGWriter.number(width)),
      ("height", SVGWriter.number(height)),
    ]
    element("rect", box + attributes)
  }

  mutating func circle(_ centre: Point, radius: Double, _ attributes: [(String, String)]) {
    let place = [("cx", SVGWriter.number(centre.x)), ("cy", SVGWriter.number(centre.y))]
    element("circle", place + [("r", SVGWriter.number(radius))] + attributes)
  }

  /// Path data through points; those that would not be told apart from the one before are left out.
  static func path(_ points: [Point], isClosed: Bool = false) -> String {
    var result = ""
    var last: Point?
    for (index, point) in points.enumerated() {
      if let last, index < points.count - 1, abs(point.x - last.x) + abs(point.y - last.y) < 0.3 { continue }
      result += "\(last == nil ? "M" : "L")\(number(point.x)) \(number(point.y))"
      last = point
    }
    return isClosed && !result.isEmpty ? result + "Z" : result
  }

  static func number(_ value: Double) -> String { TickFormat.coordinate(value) }

  /// - Parameter isInline: to stand in a page, without a declaration of its own.
  func document(width: Double, height: Double, title: String, isInline: Bool = false) -> String {
    let (w, h) = (SVGWriter.number(width), SVGWriter.number(height))
    let declaration = isInline ? "" : "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    let head = """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(w)" height="\(h)" viewBox="0 0 \(w) \(h)" \
      font-family="Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif" \
      font-size="\(SVGWriter.number(SVGWriter.fontSize))" fill="\(SVGWriter.ink)">

      """
    let name = title.isEmpty ? "" : "<title>\(SVGWriter.escaped(title))</title>\n"
    let page = "<rect width=\"\(w)\" height=\"\(h)\" fill=\"#ffffff\"/>\n"
    return declaration + head + name + page + body.joined(separator: "\n") + "\n</svg>\n"
  }

  private static func list(_ attributes: [(String, String)]) -> String {
    attributes.map { " \($0.0)=\"\(escaped($0.1))\"" }.joined()
  }
}
