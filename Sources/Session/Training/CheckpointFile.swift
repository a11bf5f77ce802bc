import Datasets
import Optimization
import Syntax
import Tensors

/// A checkpoint as a `.npz` file that NumPy reads, too: `param/W`, `memory/0/velocity`, `history/loss`, …; texts are the
/// numbers of their characters. Written in one piece, so that an interruption leaves the last good one.
struct CheckpointFile {
  let path: String
  /// Where the path stands in the text.
  let span: Span?
  private static let format = 2.0

  var exists: Bool { TextFile.exists(path) }

  /// Throws when the file could not be written.
  func requireWritable() throws { try placingFile(span) { try TextFile.requireWritable(path) } }

  func write(_ checkpoint: Checkpoint) throws {
    try placingFile(span) { try Npz.write(Self.arrays(checkpoint), to: path) }
  }

  /// Throws when the file cannot be read, is damaged, or is no checkpoint.
  func read() throws -> Checkpoint {
    let stored = StoredArrays(
      try placingFile(span) { () throws(DatasetError) in
        do throws(DatasetError) {
          return try Npz.read(path)
        } catch {
          if case .cannotRead = error { throw error }
          throw .inFile(path: path, "\(error)")
        }
      })
    guard stored["format"]?.doubles == [Self.format] else {
      throw problem("it is no checkpoint of this version of hlab")
    }
    return try checkpoint(stored)
  }

  /// Brings the session to where the file stands. When that fails nothing has changed.
  func restore(_ checkpoint: Checkpoint, _ interpreter: Interpreter) throws {
    do {
      try interpreter.restore(checkpoint)
    } catch let foreign as ForeignCheckpoint {
      throw problem(foreign.reason)
    }
  }

  func problem(_ reason: String) -> Diagnostic {
    Diagnostic(
      .io, "'\(path)' cannot be gone on from: \(reason)", at: span,
      hint: "name another file, or delete this one to begin anew")
  }

  // MARK: Arrays

  private static func arrays(_ checkpoint: Checkpoint) -> [(name: String, tensor: Tensor)] {
    var arrays: [(name: String, tensor: Tensor)] = [("format", Tensor(vector: [format]))]
    func add(_ name: String, _ values: [Double]) { arrays.append((name, Tensor(vector: values))) }
    for (name, value) in checkpoint.params { arrays.append(("param/\(name)", value)) }
    for (k, kept) in checkpoint.memories.enumerated() {
      add("method/\(k)/title", kept.key.title.numbers)
      add("method/\(k)/detail", kept.key.detail.numbers)
      add("method/\(k)/place", kept.key.place.map { [Double($0)] } ?? [])
      add("method/\(k)/plain", [kept.isPlainRule ? 1 : 0])
      for (name, values) in kept.memory.sorted(by: { $0.key < $1.key }) { add("memory/\(k)/\(name)", values) }
    }
    add("generator", checkpoint.generator.words)
    for (k, draw) in checkpoint.draws.enumerated() {
      add("draw/\(k)/names", draw.names.joined(separator: " ").numbers)
      switch draw.content {
      case .batches(let order, let place):
        add("draw/\(k)/order", order.map(Double.init))
        add("draw/\(k)/place", place.map(Double.init))
      case .values(let parts):
        for (name, tensors) in zip(draw.names, parts) {
          for (j, tensor) in tensors.enumerated() { arrays.append(("value/\(k)/\(name)/\(j)", tensor)) }
        }
      }
    }
    if let history = checkpoint.history {
      add("objective", history.objective.numbers)
      for (name, values) in history.columns { add("history/\(name)", values) }
    }
    if let best = checkpoint.best {
      add("best value", [best.value])
      for (param, value) in zip(checkpoint.params, best.params) {
        arrays.append(("best/\(param.name)", value))
      }
    }
    return arrays
  }

  private func checkpoint(_ stored: StoredArrays) throws -> Checkpoint {
    let names = stored.names(in: "param")
    let params = names.compactMap { name in stored["param/\(name)"].map { (name: name, value: $0) } }
    guard let generator = stored["generator"].flatMap({ CounterGenerator(words: $0.doubles) }) else {
      throw problem("its generator is missing")
    }
    var history: TrainingHistory?
    if stored["objective"] != nil {
      let columns = stored.names(in: "history").map { ($0, stored["history/\($0)"]?.doubles ?? []) }
      guard Set(columns.map(\.1.count)).count <= 1 else { throw problem("its history is damaged") }
      history = TrainingHistory(stored.text("objective"), columns: columns)
    }
    var best: (value: Double, params: [Tensor])?
    if let value = stored["best value"]?.doubles.first {
      let values = params.compactMap { param in
        stored["best/\(param.name)"].flatMap { $0.shape == param.value.shape ? $0 : nil }
      }
      guard values.count == params.count else { throw problem("its best params are missing") }
      best = (value, values)
    }
    return Checkpoint(
      params: params, memories: memories(stored), generator: generator, draws: try draws(stored),
      history: history, best: best)
  }

  private func memories(_ stored: StoredArrays) -> [KeptMemory] {
    stored.numbered("method").map { k in
      let names = stored.names(in: "memory/\(k)")
      let memory = names.map { ($0, stored["memory/\(k)/\($0)"]?.doubles ?? []) }
      return KeptMemory(
        key: MethodKey(
          title: stored.text("method/\(k)/title"), detail: stored.text("method/\(k)/detail"),
          place: stored["method/\(k)/place"]?.doubles.first.flatMap { Int(exactly: $0) }),
        memory: Dictionary(memory, uniquingKeysWith: { $1 }),
        isPlainRule: stored["method/\(k)/plain"]?.doubles == [1])
    }
  }

  private func draws(_ stored: StoredArrays) throws -> [Checkpoint.Draw] {
    try stored.numbered("draw").map { k in
      let names = stored.text("draw/\(k)/names").split(separator: " ").map(String.init)
      if let order = stored["draw/\(k)/order"], let place = stored["draw/\(k)/place"] {
        let (rows, places) = (order.doubles, place.doubles)
        let whole = (rows.compactMap { Int(exactly: $0) }, places.compactMap { Int(exactly: $0) })
        guard whole.0.count == rows.count, whole.1.count == places.count else {
          throw problem("its batches of \(names.joined(separator: ", ")) are damaged")
        }
        return Checkpoint.Draw(names: names, content: .batches(order: whole.0, place: whole.1))
      }
      return Checkpoint.Draw(
        names: names, content: .values(names.map { stored.sequence("value/\(k)/\($0)") }))
    }
  }
}

/// Arrays of a file by name.
private struct StoredArrays {
  private let arrays: [(name: String, tensor: Tensor)]
  private let places: [String: Int]

  init(_ arrays: [(name: String, tensor: Tensor)]) {
    self.arrays = arrays
    places = Dictionary(arrays.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { $1 })
  }

  subscript(_ name: String) -> Tensor? { places[name].map { arrays[$0].tensor } }

  /// Names after a folder, in the file's order.
  func names(in folder: String) -> [String] {
    arrays.compactMap { $0.name.hasPrefix(folder + "/") ? String($0.name.dropFirst(folder.count + 1)) : nil }
  }

  /// The numbers of folders within a folder, in the file's order.
  func numbered(_ folder: String) -> [Int] {
    var seen = Set<Int>()
    return names(in: folder).compactMap { Int($0.prefix { $0 != "/" }) }.filter { seen.insert($0).inserted }
  }

  /// Tensors numbered from 0.
  func sequence(_ name: String) -> [Tensor] {
    (0..<names(in: name).count).compactMap { self["\(name)/\($0)"] }
  }

  func text(_ name: String) -> String {
    let scalars = (self[name]?.doubles ?? []).compactMap { Int(exactly: $0).flatMap { Unicode.Scalar($0) } }
    return String(String.UnicodeScalarView(scalars))
  }
}

extension String {
  /// The numbers of its characters.
  fileprivate var numbers: [Double] { unicodeScalars.map { Double($0.value) } }
}

extension CounterGenerator {
  /// Seed and counter as 32-bit words, high halves first.
  fileprivate var words: [Double] {
    [seed, counterLow, counterHigh].flatMap { [Double($0 >> 32), Double($0 & 0xFFFF_FFFF)] }
  }

  fileprivate init?(words: [Double]) {
    let parts = words.compactMap { UInt64(exactly: $0) }
    guard parts.count == 6, parts.allSatisfy({ $0 <= 0xFFFF_FFFF }) else { return nil }
    let wide = stride(from: 0, to: 6, by: 2).map { parts[$0] << 32 | parts[$0 + 1] }
    self.init(seed: wide[0], counterLow: wide[1], counterHigh: wide[2])
  }
}
