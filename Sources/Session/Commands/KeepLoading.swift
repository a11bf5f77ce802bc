import Datasets
import Syntax
import Tensors

extension Commands {
  static var loadCommand: CommandDefinition {
    CommandDefinition(
      verb: "load",
      usage: "load \"FILE\" | load mnist1d | load mnist [\"FOLDER\"] | load checkpoint \"FILE\"",
      summary:
        "Reads a tensor from a .npy, .csv or .txt file, a record from an .npz file, or a set: fields x, y, x_test, y_test. With checkpoint the session goes on from where it was saved; its names are declared before.",
      options: [
        ("columns", "true gives a record with a vector for each column of a .csv file"),
        ("samples", "of mnist1d, both sets together (5000)"), ("seed", "of mnist1d (42)"),
        ("share", "of the training set of mnist1d (0.8)"), ("length", "features of mnist1d (40)"),
        ("noise", "of mnist1d, everywhere (0.02)"), ("padding_noise", "of mnist1d, in the padding (0.25)"),
        ("scale", "of mnist1d, the spread of amplitudes (0.4)"), ("shift", "of mnist1d, the most (48)"),
        ("shear", "of mnist1d, the spread of slopes (0.75)"),
        ("padding_min", "of mnist1d, zeros after a digit (36)"), ("padding_max", "likewise (60)"),
        ("shuffled", "true permutes the positions of mnist1d"),
        ("train", "rows of MNIST's training set (60000)"), ("test", "rows of its test set (10000)"),
        ("fallback", "true takes mnist1d where MNIST's files are missing, and says so"),
      ],
      example:
        "save \"/tmp/hlab-x.npy\" [1, 2]; X = load \"/tmp/hlab-x.npy\"; print X\nd = load mnist1d samples=50; print shape(d.x)\nsave checkpoint \"/tmp/hlab-d.npz\"; step newton; load checkpoint \"/tmp/hlab-d.npz\"; print x"
    ) { call in
      try call.noMoreSubjects(than: 2)
      if let word = call.subject, call.isWord(word, "checkpoint") { return try call.loadCheckpoint() }
      if let name = call.setName {
        return try name == "mnist" ? call.loadMnist() : call.loadMnist1d()
      }
      try call.noMoreSubjects()
      try call.allow(["columns"], for: "a file")
      let path = try call.path(call.subject)
      let columns = try call.flag("columns")
      let loaded = try call.interpreter.read(path, call.subject?.span, columns: columns)
      call.print(call.interpreter.described(path, loaded))
      return loaded.value
    }
  }
}

extension CommandCall {
  /// The set that the subject names; files stand in quotes.
  fileprivate var setName: String? {
    guard case .name(let name)? = subject?.kind, ["mnist", "mnist1d"].contains(name),
      interpreter.lookup(name) == nil
    else { return nil }
    return name
  }

  fileprivate func loadCheckpoint() throws -> Value {
    try allow([], for: "a checkpoint")
    let subject = command.subjects.dropFirst().first
    let file = CheckpointFile(path: try path(subject), span: subject?.span)
    let checkpoint = try file.read()
    try file.restore(checkpoint, interpreter)
    interpreter.notePoint()
    print("\(file.path) : \(checkpoint.description)")
    return checkpoint.history?.value ?? .nothing
  }

  /// Refuses options of the verb that belong to something else.
  fileprivate func allow(_ names: Set<String>, for what: String) throws {
    guard let other = command.options.first(where: { !names.contains($0.name ?? "") }) else { return }
    throw Diagnostic(
      .name, "\(what) has no option '\(other.name ?? "")'", at: other.span,
      hint: names.isEmpty ? nil : "it has \(names.sorted().joined(separator: ", "))")
  }

  fileprivate func loadMnist1d() throws -> Value {
    try noMoreSubjects()
    try allow(
      [
        "samples", "seed", "share", "length", "noise", "padding_noise", "scale", "shift", "shear",
        "padding_min",
        "padding_max", "shuffled",
      ], for: "mnist1d")
    var set = Mnist1d()
    set.samples = try integer("samples", default: set.samples)
    set.share = try number("share", default: set.share)
    set.length = try integer("length", default: set.length)
    set.noise = try number("noise", default: set.noise)
    set.correlatedNoise = try number("padding_noise", default: set.correlatedNoise)
    set.scale = try number("scale", default: set.scale)
    set.shift = try integer("shift", default: set.shift)
    set.shear = try number("shear", default: set.shear)
    set.isShuffled = try flag("shuffled")
    let (least, most) = (
      try integer("padding_min", default: set.padding.lowerBound),
      try integer("padding_max", default: set.padding.upperBound)
    )
    guard least <= most else {
      throw Diagnostic(
        .domain, "padding_min is at most padding_max, \(most)",
        at: (command.option("padding_min") ?? command.option("padding_max"))?.value.span)
    }
    set.padding = least...most
    let seed = try integer("seed", default: Int(set.seed))
    guard let bits = UInt32(exactly: seed) else {
      throw Diagnostic(
        .domain, "a seed of mnist1d is 0 to 4294967295, not \(seed)",
        at: command.option("seed")?.value.span)
    }
    set.seed = bits
    if let refusal = set.refusal {
      throw Diagnostic(.domain, refusal.reason, at: command.option(refusal.option)?.value.span)
    }
    let sets = set.generate()
    return loaded(
      "mnist1d",
      [("x", sets.x), ("y", sets.y), ("x_test", sets.testX), ("y_test", sets.testY), ("t", sets.time)])
  }

  fileprivate func loadMnist() throws -> Value {
    try allow(["train", "test", "fallback"], for: "mnist")
    let file = command.subjects.dropFirst().first
    let folder = try file.map { try path($0) } ?? "data/mnist"
    let (train, test) = (try rows("train", of: 60_000), try rows("test", of: 10_000))
    let precision = interpreter.state.settings.precision
    let set: Mnist
    do {
      set = try Mnist(folder: folder, train: train, test: test, precision)
    } catch {
      guard case .missingFiles = error else {
        return try placingFile(file?.span ?? command.span) { () throws -> Value in throw error }
      }
      let place =
        "put train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte there, plain or .gz, or name their folder: load mnist \"FOLDER\""
      guard try flag("fallback") else {
        throw Diagnostic(.io, "\(error)", at: file?.span ?? command.span, hint: place)
      }
      interpreter.output(.text("\(error); \(place). Here is mnist1d instead."))
      return substitute(train, test)
    }
    return loaded(
      "mnist", [("x", set.x), ("y", set.y), ("x_test", set.testX), ("y_test", set.testY)])
  }

  /// The first rows of mnist1d, as many as there are.
  private func substitute(_ train: Int, _ test: Int) -> Value {
    let sets = Mnist1d().generate()
    func first(_ tensor: Tensor, _ count: Int) -> Tensor { tensor.rows(0..<min(count, tensor.shape[0])) }
    return loaded(
      "mnist1d",
      [
        ("x", first(sets.x, train)), ("y", first(sets.y, train)), ("x_test", first(sets.testX, test)),
        ("y_test", first(sets.testY, test)),
      ])
  }

  private func rows(_ name: String, of most: Int) throws -> Int {
    let count = try integer(name, default: most)
    guard (1...most).contains(count) else {
      throw Diagnostic(.domain, "\(name) is 1 to \(most), not \(count)", at: command.option(name)?.value.span)
    }
    return count
  }

  /// A record in the session's precision; told by shapes.
  private func loaded(_ name: String, _ fields: [(String, Tensor)]) -> Value {
    print(
      "\(name) : " + fields.map { "\($0) \($1.shape.shapeDescription)" }.joined(separator: ", "))
    let precision = interpreter.state.settings.precision
    return .record(fields.map { (name: $0, value: .tensor($1.converted(to: precision))) })
  }
}

extension Interpreter {
  /// `load("x.npy")` inside an expression.
  func load(_ arguments: [Argument], _ span: Span) throws -> Value {
    guard arguments.count == 1, arguments[0].name == nil || arguments[0].name == "file" else {
      let hasOptions = arguments.contains { $0.name != nil }
      throw Diagnostic(
        .type, "load takes one file", at: span,
        hint: hasOptions
          ? "the command takes options: d = load \"x.csv\" columns=true" : "write load(\"x.npy\")")
    }
    let argument = arguments[0].value
    guard case .string(let path) = try evaluate(argument), !path.isEmpty else {
      throw Diagnostic(.type, "load takes the name of a file in quotes", at: argument.span)
    }
    return try read(path, argument.span).value
  }

  /// What a file holds, in the session's precision, and the names of its columns when it has them.
  fileprivate func read(
    _ path: String, _ span: Span?, columns asRecord: Bool = false
  ) throws -> (value: Value, columns: [String]) {
    let precision = state.settings.precision
    let kind = FileKind.extension(of: path)
    if asRecord, !["csv", "tsv", "txt"].contains(kind) {
      throw Diagnostic(.io, "'\(path)' has no columns with names", at: span, hint: ".csv and .tsv files have")
    }
    switch kind {
    case "dot", "gv":
      throw Diagnostic(
        .io, "'\(path)' holds a graph", at: span, hint: "write it with: save graph \"\(path)\"")
    case "npy":
      return (.tensor(try placingFile(span) { try Npy.read(path) }.converted(to: precision)), [])
    case "npz":
      let parts = try placingFile(span) { try Npz.read(path) }
      return (.record(parts.map { (name: $0.name, value: .tensor($0.tensor.converted(to: precision))) }), [])
    case "csv", "tsv", "txt":
      let table = try placingFile(span) { try Csv.read(path) }
      let values = table.values.converted(to: precision)
      return (asRecord ? try record(of: table, path, span) : .tensor(values), table.columnNames)
    default:
      throw Diagnostic(
        .io, "the name '\(path)' does not say how to read it", at: span,
        hint: "load reads .npy, .npz, .csv, .tsv and .txt, and the sets mnist1d and mnist")
    }
  }

  /// A vector for each column. Names that are no words of the language get underscores.
  private func record(of table: Table, _ path: String, _ span: Span?) throws -> Value {
    guard !table.columnNames.isEmpty else {
      throw Diagnostic(
        .io, "'\(path)' has no header with the names of its columns", at: span,
        hint: "load it as one tensor, without columns=true")
    }
    let (rows, width) = (table.values.shape[0], table.columnNames.count)
    let entries = table.values.doubles
    return .record(
      table.columnNames.enumerated().map { column, name in
        let values = (0..<rows).map { entries[$0 * width + column] }
        let word = String(name.map { $0.isLetter || $0.isNumber ? $0 : "_" })
        return (
          name: word.first?.isNumber == false ? word : "_" + word,
          value: .tensor(Tensor(vector: values, state.settings.precision))
        )
      })
  }

  fileprivate func described(_ path: String, _ loaded: (value: Value, columns: [String])) -> String {
    guard case .tensor(let tensor) = loaded.value else {
      let shapes = loaded.value.fieldNames.map { name in
        "\(name) \(loaded.value[field: name]?.shapes.first?.shapeDescription ?? "")"
      }
      return "\(path) : " + shapes.joined(separator: ", ")
    }
    let names = loaded.columns.isEmpty ? "" : "\ncolumns \(loaded.columns.joined(separator: ", "))"
    return "\(path) : \(tensor.shape.shapeDescription)" + names + "\n" + valueText.text(tensor)
  }
}
