/// What kind of thing went wrong; batch runs derive their exit code from it.
public enum DiagnosticKind: String, Sendable, CaseIterable {
  case lexical, syntax, name, shape, type, domain, numeric, resource, io, assertion, interrupt, usage
}

/// A message for people: what is wrong, where, why, and what would help. Wording is complete here;
/// `DiagnosticRenderer` only lays it out.
public struct Diagnostic: Error, Sendable {
  public enum Severity: String, Sendable { case error, warning, note }

  /// A secondary place with a few words, such as the shape of one operand.
  public struct Label: Sendable {
    public var span: Span
    public var text: String
    public init(_ span: Span, _ text: String) {
      self.span = span
      self.text = text
    }
  }

  public var severity: Severity
  public var kind: DiagnosticKind
  /// One sentence, lower case, without a full stop.
  public var message: String
  public var span: Span?
  public var labels: [Label]
  /// Facts that help to see the cause, one a line (aligned expected and actual shapes, for instance).
  public var notes: [String]
  /// What would help, as an imperative: "did you mean 'x'?".
  public var hint: String?

  public init(
    _ kind: DiagnosticKind, _ message: String, at span: Span? = nil, severity: Severity = .error,
    labels: [Label] = [], notes: [String] = [], hint: String? = nil
  ) {
    self.kind = kind
    self.message = message
    self.span = span
    self.severity = severity
    self.labels = labels
    self.notes = notes
    self.hint = hint
  }

  /// The same diagnostic, placed at `span` when it had no place yet.
  public func placed(at span: Span?) -> Diagnostic {
    guard self.span == nil else { return self }
    var copy = self
    copy.span = span
    return copy
  }
}
