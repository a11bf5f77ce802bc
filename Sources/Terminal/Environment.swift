import CLibedit
import Glibc

/// When to colour.
public enum ColorChoice: String, Sendable, CaseIterable { case auto, always, never }

/// What the process can find out about the terminal around it.
public struct TerminalEnvironment: Sendable {
  public let inputIsTerminal: Bool
  public let outputIsTerminal: Bool
  public let errorIsTerminal: Bool
  /// A terminal that can move its cursor: `TERM` is set and not `dumb`.
  public let canMoveCursor: Bool
  /// The user's locale lets one expect that characters outside ASCII reach the screen.
  public let isUnicode: Bool
  private let noColor: Bool
  private let isMonochrome: Bool
  /// The colours that the terminal says it can show.
  public let colorDepth: ColorDepth
  /// Not on the console of Linux, whose fonts hold 512 characters.
  public let hasBraille: Bool

  public enum ColorDepth: Sendable { case ansi16, ansi256, trueColor }

  /// Looks at the standard descriptors and the environment, and sets the locale for characters.
  public static func current() -> TerminalEnvironment {
    let codeset = useLocale()
    return TerminalEnvironment(
      inputIsTerminal: isatty(0) == 1, outputIsTerminal: isatty(1) == 1, errorIsTerminal: isatty(2) == 1,
      isUnicode: isUnicode(codeset: codeset, environment: environmentVariable),
      environment: environmentVariable)
  }

  init(
    inputIsTerminal: Bool, outputIsTerminal: Bool, errorIsTerminal: Bool, isUnicode: Bool,
    environment: (String) -> String?
  ) {
    self.inputIsTerminal = inputIsTerminal
    self.outputIsTerminal = outputIsTerminal
    self.errorIsTerminal = errorIsTerminal
    self.isUnicode = isUnicode
    let term = environment("TERM") ?? ""
    canMoveCursor = !term.isEmpty && term != "dumb"
    noColor = !(environment("NO_COLOR") ?? "").isEmpty
    isMonochrome = Self.isVideoTerminal(term)
    hasBraille = term != "linux"
    colorDepth = Self.colorDepth(term, environment("COLORTERM") ?? "")
  }

  /// Whether to colour what goes to a stream: a terminal, unless `NO_COLOR` or `TERM=dumb`, when the choice is
  /// `auto`.
  public func usesColor(_ choice: ColorChoice, onTerminal isTerminal: Bool) -> Bool {
    switch choice {
    case .always: true
    case .never: false
    case .auto: isTerminal && canMoveCursor && !noColor && !isMonochrome
    }
  }

  /// By `COLORTERM` (truecolor or 24bit), else by what `TERM` ends in.
  private static func colorDepth(_ term: String, _ colorTerm: String) -> ColorDepth {
    if ["truecolor", "24bit"].contains(colorTerm) || term.hasSuffix("-direct") { return .trueColor }
    return term.contains("256color") || !colorTerm.isEmpty ? .ansi256 : .ansi16
  }

  /// Columns of the screen: asked from the terminal, else `COLUMNS`, else 80.
  public static func screenWidth() -> Int {
    var size = winsize()
    if ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
    return environmentVariable("COLUMNS").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil } ?? 80
  }

  /// Rows of the screen, 24 when unknown.
  public static func screenHeight() -> Int {
    var size = winsize()
    return ioctl(0, UInt(TIOCGWINSZ), &size) == 0 && size.ws_row > 0 ? Int(size.ws_row) : 24
  }

  /// A VT100 and its kin: one colour, ASCII and line graphics.
  private static func isVideoTerminal(_ term: String) -> Bool {
    term.hasPrefix("vt") && (term.dropFirst(2).first?.isNumber ?? false)
  }

  /// Takes the user's locale for characters, or UTF-8 where that is plain ASCII, in which the line editor would drop
  /// everything else.
  ///
  /// - Returns: the character set of the user's locale.
  private static func useLocale() -> String {
    setlocale(LC_CTYPE, "")
    let own = codeset
    if own == plainCodeset, setlocale(LC_CTYPE, "C.UTF-8") == nil { setlocale(LC_CTYPE, "en_US.UTF-8") }
    return own
  }

  private static var plainCodeset: String { "ANSI_X3.4-1968" }

  /// Whether output may leave ASCII: in a UTF-8 locale, also one that is not installed here; and where nothing was chosen, as
  /// in many containers, unless the terminal is one that has nothing else. Who chooses `C` or `POSIX` gets ASCII.
  static func isUnicode(codeset: String, environment: (String) -> String?) -> Bool {
    if codeset == "UTF-8" { return true }
    guard codeset == plainCodeset else { return false }
    let chosen = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap(environment).first { !$0.isEmpty }
    guard let chosen else { return !isVideoTerminal(environment("TERM") ?? "") }
    let name = chosen.uppercased()
    return name.hasSuffix("UTF-8") || name.hasSuffix("UTF8")
  }

  private static var codeset: String {
    guard let name = nl_langinfo(nl_item(CODESET)) else { return "" }
    return String(cString: name)
  }
}

/// The value of an environment variable.
public func environmentVariable(_ name: String) -> String? {
  guard let value = getenv(name) else { return nil }
  return String(cString: value)
}
