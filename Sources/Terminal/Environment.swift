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
  /// Characters outside ASCII reach the screen.
  public let isUnicode: Bool
  private let noColor: Bool
  /// The colours that the terminal says it can show.
  public let colorDepth: ColorDepth

  public enum ColorDepth: Sendable { case ansi16, ansi256, trueColor }

  /// Looks at the standard descriptors and the environment, and sets the locale for characters.
  public static func current() -> TerminalEnvironment {
    let isUnicode = useUnicodeLocale()
    return TerminalEnvironment(
      inputIsTerminal: isatty(0) == 1, outputIsTerminal: isatty(1) == 1, errorIsTerminal: isatty(2) == 1,
      isUnicode: isUnicode, environment: environmentVariable)
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
    colorDepth = Self.colorDepth(term, environment("COLORTERM") ?? "")
  }

  /// Whether to colour what goes to a stream: a terminal, unless `NO_COLOR` or `TERM=dumb`, when the choice is
  /// `auto`.
  public func usesColor(_ choice: ColorChoice, onTerminal isTerminal: Bool) -> Bool {
    switch choice {
    case .always: true
    case .never: false
    case .auto: isTerminal && canMoveCursor && !noColor
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

  /// Takes the user's character set, or UTF-8 where it is plain ASCII (locale `C`, as in many containers), in
  /// which the line editor would drop everything else. False when the user's own choice cannot show Unicode.
  private static func useUnicodeLocale() -> Bool {
    setlocale(LC_CTYPE, "")
    if codeset == "UTF-8" { return true }
    let isPlain = codeset == "ANSI_X3.4-1968"
    guard isPlain else { return false }
    return setlocale(LC_CTYPE, "C.UTF-8") != nil || setlocale(LC_CTYPE, "en_US.UTF-8") != nil
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
