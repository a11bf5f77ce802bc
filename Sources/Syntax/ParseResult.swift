/// What the parser made of a text.
public struct ParseResult: Sendable {
  public enum Completeness: Sendable {
    case complete
    /// The text ended too early: an unclosed bracket, a trailing operator. More lines may complete it.
    case incomplete
    case invalid
  }

  /// A verb that is read as a name because the user has bound it.
  public struct ShadowedVerb: Sendable {
    public let verb: String
    public let span: Span
  }

  /// The statements without those that have errors; to be run only when there are no diagnostics.
  public let statements: [Statement]
  /// Lexical and syntax errors in the order of the text. An incomplete text has some too, for when no more comes.
  public let diagnostics: [Diagnostic]
  public let completeness: Completeness
  /// Verbs that would have begun a command but for a binding, each once.
  public let shadowedVerbs: [ShadowedVerb]
}
