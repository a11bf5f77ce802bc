import Datasets
import Graph
import Plotting
import Syntax
import Tensors

extension Commands {
  static var saveCommand: CommandDefinition {
    CommandDefinition(
      verb: "save",
      usage: "save \"FILE\" VALUE | save plot \"FILE\" | save graph \"FILE\" | save checkpoint \"FILE\"",
      summary:
        "Writes a value to a .npy, .npz, .csv or .txt file, the last plot to an .svg, .html or .txt file, the objective's graph to a .dot file, or all that a run goes on from (params, memory of methods, generator, draws, history) to an .npz file.",
      options: [
        ("width", "of a figure, in pixels or columns"), ("height", "of a figure, in pixels or lines"),
      ],
      example:
        "save \"/tmp/hlab-w.csv\" [1, 2; 3, 4]\nplot t^2 for t in 0..1; save plot \"/tmp/hlab-p.svg\"\nstep adam; save checkpoint \"/tmp/hlab-c.npz\""
    ) { call in
      try call.noMoreSubjects(than: 2)
      let subjects = call.command.subjects
      let file = subjects.first { $0.isString }
      let path = try call.path(file)
      let value = subjects.first { $0 !== file }
      if let value, case .name("plot") = value.kind {
        try call.saveFigure(path, file?.span)
      } else if let value, call.isWord(value, "graph") {
        let elaborator = call.interpreter.elaborator()
        let root = try elaborator.objective(call.command.verbSpan).node
        try call.save(.string(GraphListing(elaborator.graph).dot([root])), value, path, file?.span)
      } else if let value, call.isWord(value, "checkpoint") {
        try CheckpointFile(path: path, span: file?.span).write(Checkpoint(of: call.interpreter))
      } else if let value {
        try call.save(try call.interpreter.evaluate(value), value, path, file?.span)
      } else if FileKind.pictures.contains(FileKind.extension(of: path)) {
        try call.saveFigure(path, file?.span)
      } else {
        throw Diagnostic(
          .syntax, "'save' needs something to write", at: call.command.span,
          hint: "save \"w.npy\" W, or save plot \"x.svg\"")
      }
      return .nothing
    }
  }
}

extension Expr {
  fileprivate var isString: Bool {
    if case .string = kind { return true }
    return false
  }
}

extension CommandCall {
  /// A word of the command's own, as long as the user binds nothing to it.
  func isWord(_ expr: Expr, _ word: String) -> Bool {
    if case .name(word) = expr.kind { return interpreter.lookup(word) == nil }
    return false
  }

  /// A bare word that means nothing here: a text without its quotes, or a point that was not kept.
  func unknownWord(_ expr: Expr) -> String? {
    guard case .name(let name) = expr.kind, interpreter.lookup(name) == nil, !SpecialName.words.contains(name)
    else { return nil }
    return name
  }

  /// A text without its quotes: a word that means nothing here, or the name of a file.
  func bareText(_ expr: Expr) -> String? {
    var base = expr
    while case .field(let inner, _) = base.kind { base = inner }
    return unknownWord(base) == nil ? nil : expr.span.text
  }

  /// Options that are texts and lack their quotes.
  func refuseBareTexts() throws {
    guard let grammar = CommandGrammar[verb: command.verb], command.verb != "run" else { return }
    for option in command.options {
      // Kinds are words.
      guard let name = option.name, name != "kind", grammar.takesText(name), let text = bareText(option.value)
      else { continue }
      throw Diagnostic(
        .name, "'\(text)' is not bound", at: option.value.span,
        hint: "a text stands in quotes: \(name)=\"\(text)\"")
    }
  }

  /// The file that a command names.
  func path(_ expr: Expr?) throws -> String {
    guard let expr else {
      let file = command.subjects.first { if case .field = $0.kind { true } else { false } }
      throw Diagnostic(
        .syntax, "'\(command.verb)' needs a file in quotes", at: file?.span ?? command.span,
        hint: file.map { "write \"\($0.span.text)\"" } ?? "it is \(definition.usage)")
    }
    var value: Value?
    if case .field = expr.kind {
      // `x.npy`, whether or not there is an x.
      value = try? interpreter.evaluate(expr)
    } else if bareText(expr) == nil {
      value = try interpreter.evaluate(expr)
    }
    guard case .string(let path)? = value else {
      throw Diagnostic(
        .type, "'\(command.verb)' needs a file in quotes", at: expr.span, hint: "write \"\(expr.span.text)\"")
    }
    guard !path.isEmpty else {
      throw Diagnostic(.type, "the name of a file is not empty", at: expr.span)
    }
    return path
  }

  /// A side of a figure that has room for its axes and legend.
  private func pixels(_ name: String, default fallback: Double) throws -> Double {
    let value = try number(name, default: fallback)
    guard (240...20_000).contains(value) else {
      throw Diagnostic(
        .domain, "'\(name)' is 240 to 20000 pixels, not \(format(value))",
        at: command.option(name)?.value.span)
    }
    return value
  }

  fileprivate func saveFigure(_ path: String, _ span: Span?) throws {
    guard let figure = interpreter.state.figure else {
      throw Diagnostic(
        .io, "there is no plot to save yet", at: command.span, hint: "plot something first: plot f")
    }
    switch FileKind.extension(of: path) {
    case "svg", "html":
      let options = SVGOptions(
        width: try pixels("width", default: 720), height: try pixels("height", default: 480))
      let isPage = FileKind.extension(of: path) == "html"
      let text = isPage ? renderHTML(figure, options) : renderSVG(figure, options)
      try placingFile(span) { try TextFile.write(text, to: path) }
    case "txt":
      var options = interpreter.textOptions
      options.color = .none
      options.width = try bounded("width", 20...400) ?? options.width
      options.height = try bounded("height", 6...200) ?? options.height
      try placingFile(span) { try TextFile.write(interpreter.rendered(figure, options) + "\n", to: path) }
    default:
      throw Diagnostic(.io, "a plot is saved as .svg, .html or .txt, not as '\(path)'", at: span)
    }
  }

  fileprivate func save(_ value: Value, _ expr: Expr, _ path: String, _ span: Span?) throws {
    if FileKind.extension(of: path) == "npz" { return try saveArchive(value, expr, path, span) }
    if case .string(let text) = value {
      return try placingFile(span) { try TextFile.write(text.hasSuffix("\n") ? text : text + "\n", to: path) }
    }
    if let cut = LandscapeCut(value), ["csv", "tsv"].contains(FileKind.extension(of: path)) {
      let (names, rows) = cut.table
      return try placingFile(span) {
        try Csv.write(rows, columnNames: names, separator: FileKind.separator(of: path), to: path)
      }
    }
    guard let tensor = value.tensor else {
      let field = value.fieldNames.first.map { "\(expr.span.text).\($0)" }
      throw Diagnostic(
        .type, "a file holds one tensor, not \(value.kindName)", at: expr.span,
        hint: field.map { "save a part of it, save \"\(path)\" \($0), or all of it in an .npz file" })
    }
    switch FileKind.extension(of: path) {
    case "dot", "gv":
      throw Diagnostic(
        .io, "'\(path)' holds a graph", at: span, hint: "write it with: save graph \"\(path)\"")
    case "npy": try placingFile(span) { try Npy.write(tensor, to: path) }
    case "csv", "tsv":
      let table = tensor.rank == 0 ? tensor.reshaped([1]) : tensor
      try placingFile(span) { try Csv.write(table, separator: FileKind.separator(of: path), to: path) }
    case "txt":
      try placingFile(span) { try TextFile.write(interpreter.valueText.text(value) + "\n", to: path) }
    default:
      throw Diagnostic(
        .io, "the name '\(path)' does not say how to write it", at: span,
        hint: "end it in .npy, .npz, .csv, .tsv or .txt; plots are saved with: save plot \"x.svg\"")
    }
  }
}

extension CommandCall {
  /// The tensors of a bundle or record by their names; a single one by its own.
  fileprivate func saveArchive(_ value: Value, _ expr: Expr, _ path: String, _ span: Span?) throws {
    var arrays: [(name: String, tensor: Tensor)] = []
    switch value {
    case .bundle(let names, let tensors): arrays = zip(names, tensors).map { ($0, $1) }
    case .record(let fields):
      let isCut = LandscapeCut(value) != nil
      for (name, field) in fields {
        guard let tensor = field.tensor else {
          // A slice or surface can do without its words.
          if isCut { continue }
          throw Diagnostic(
            .type, "a field of an .npz file is a tensor, and \(expr.span.text).\(name) is \(field.kindName)",
            at: expr.span)
        }
        arrays.append((name, tensor))
      }
    default:
      guard let tensor = value.tensor else {
        throw Diagnostic(.type, "an .npz file holds tensors by name, not \(value.kindName)", at: expr.span)
      }
      if case .name(let name) = expr.kind { arrays = [(name, tensor)] } else { arrays = [("value", tensor)] }
    }
    try placingFile(span) { try Npz.write(arrays, to: path) }
  }
}

enum FileKind {
  /// Of files that can be meant for a plot alone, also those that are not written.
  static let pictures: Set = ["svg", "html", "pdf", "png", "jpg", "jpeg", "eps"]

  /// Between the columns of a table.
  static func separator(of path: String) -> Csv.Separator { `extension`(of: path) == "tsv" ? .tab : .comma }

  /// What follows the last point of a file's name, in lower case.
  static func `extension`(of path: String) -> String {
    let name = path.split(separator: "/").last ?? ""
    guard let point = name.lastIndex(of: "."), point != name.startIndex else { return "" }
    return name[name.index(after: point)...].lowercased()
  }
}

extension DatasetError {
  /// Where a file of a relative path was looked for.
  var fullPath: String? {
    switch self {
    case .cannotRead(let path, _), .cannotWrite(let path, _): return TextFile.absolute(path)
    default: return nil
    }
  }
}

/// File errors as messages of the language.
func placingFile<T>(_ span: Span?, _ body: () throws -> T) throws -> T {
  do {
    return try body()
  } catch let error as DatasetError {
    throw Diagnostic(
      .io, "\(error)", at: span, notes: error.fullPath.map { ["the full path is \($0)"] } ?? [])
  }
}
