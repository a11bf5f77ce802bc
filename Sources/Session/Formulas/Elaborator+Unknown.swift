import Optimization
import Syntax

/// What was probably meant by a name that nothing is bound to.
extension Elaborator {
  ///
  /// - Parameter span: where it stands: a command is meant at the start of a statement alone.
  func hint(forUnknown name: String, _ span: Span) -> String {
    if interpreter.isDeclaredLater(name) { return "it is bound later in the text" }
    // A value is wanted: functions are none.
    let known = interpreter.visibleNames.filter { !isUserFunction($0) } + Array(environment.locals.keys)
    let others = SpecialName.words + (span.isWholeStatement ? CommandGrammar.verbs : [])
    if CommandGrammar[verb: name] != nil {
      return "'\(name)' is a command, which stands at the start of a statement or right after '='"
    }
    return ForeignWords.hint(for: name) ?? method(name) ?? compound(name, known)
      ?? (closestMatch(to: name, in: Names.spellings(known))
      ?? closestMatch(to: name, in: Names.spellings(others)))
      .map { "did you mean '\($0)'?" }
      ?? "bind it to a value, \(name) = …, to a formula, \(name) := …, or as param \(name) = …"
  }

  private func isUserFunction(_ name: String) -> Bool {
    if case .function? = interpreter.lookup(name, frameTag: environment.frameTag) { return true }
    return false
  }

  private func isFormula(_ name: String) -> Bool {
    if case .definition? = interpreter.lookup(name, frameTag: environment.frameTag) { return true }
    return false
  }

  /// A name that is made of others: `x0` for `x[0]`, `ab` for a product, `dfdx` for a derivative.
  private func compound(_ name: String, _ known: [String]) -> String? {
    let stem = name.reversed().drop { $0.isNumber && $0.isASCII }.reversed()
    let digits = name.dropFirst(stem.count)
    let base = String(stem.last == "_" ? Array(stem.dropLast()) : Array(stem))
    if !digits.isEmpty, known.contains(base) {
      return "entry \(digits) of \(base) is written \(base)[\(digits)]"
    }
    if name.first == "d", let f = known.first(where: { $0.count > 0 && name == "d\($0)" }),
      case .definition? = interpreter.lookup(f)
    {
      return "a derivative is written grad(\(f), x)"
    }
    // One letter more or less is a slip, no product.
    guard name.count <= 4 else { return nil }
    for place in name.indices.dropFirst() {
      let (left, right) = (String(name[..<place]), String(name[place...]))
      if known.contains(left) && known.contains(right) {
        return "a product is written \(left)*\(right), of matrices \(left) @ \(right)"
      }
    }
    return nil
  }

  private func method(_ name: String) -> String? {
    let found = Methods.byName[name] ?? Methods.byName[name.lowercased()]
    return found.map { "a method stands after a verb: step \($0.name), explain step \($0.name)" }
  }

  /// A function called by a word that none has.
  func hint(forUnknownFunction name: String) -> String {
    let known =
      Array(Builtins.byName.keys) + CalculusFunction.allCases.map(\.rawValue)
      + interpreter.visibleNames.filter { isUserFunction($0) || isFormula($0) }
    return ForeignWords.hint(for: name) ?? closestMatch(to: name, in: known).map { "did you mean '\($0)'?" }
      ?? "a function is defined with: \(name)(x) := …"
  }

  /// `x.T`, `x.sum()`: values have no methods here.
  func hint(forField field: String, of text: String) -> String? {
    switch field {
    case "T": return "a transpose is written \(text)'"
    case "size", "shape", "len", "length": return "write \(field == "length" ? "len" : field)(\(text))"
    case "append", "extend": return ForeignWords.hint(for: "append")
    case "item", "numpy", "detach", "tolist", "copy", "values": return "it is the value itself: \(text)"
    case "backward": return "the gradient is grad(\(text)); step and minimize move params along it"
    default: break
    }
    if CalculusFunction(rawValue: field) != nil || Builtins.byName[field] != nil {
      return "a function stands before what it is of: \(field)(\(text))"
    }
    return nil
  }

  /// Whether anything in reach has the name.
  private func isBound(_ name: String) -> Bool {
    if case .some = environment.local(name) { return true }
    if case .some = interpreter.lookup(name, frameTag: environment.frameTag) { return true }
    return environment.captured.keys.contains(name) || replacements.keys.contains(name)
  }

  /// `np.exp(x)`: names do not stand in modules; nil where the root of the fields is bound.
  func moduleFault(_ callee: Expr) -> Diagnostic? {
    guard case .field(let base, let name) = callee.kind else { return nil }
    var root = base
    while case .field(let inner, _) = root.kind { root = inner }
    guard case .name(let module) = root.kind, !isBound(module) else { return nil }
    let isKnown = Builtins.byName[name] != nil || CalculusFunction(rawValue: name) != nil
    return Diagnostic(
      .name, "'\(module)' is not bound", at: root.span,
      hint: isKnown
        ? "functions stand alone, without a module: \(name)(…)"
        : ForeignWords.hint(for: name) ?? hint(forUnknown: module, root.span))
  }
}
