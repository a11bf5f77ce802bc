import Datasets
import Syntax
import Tensors

/// All that training goes on from, in a `.npz` file: params, what the method remembers, the generator, the draws on show,
/// the history. Written in one piece, so that an interruption leaves the last good one.
struct Checkpoint {
  private let path: String
  /// The method with its options.
  private let method: String
  private let objective: String
  private let call: CommandCall
  private static let format = 1.0

  private var interpreter: Interpreter { call.interpreter }

  init(_ path: String, method: String, objective: String, _ call: CommandCall) {
    self.path = path
    self.method = method
    self.objective = objective
    self.call = call
  }

  /// Brings the session to where the file says, and gives the best params seen. Nil when there is no file. Throws when
  /// the file is damaged or of another training; nothing has changed then.
  func restore(_ columns: [String]) throws -> (value: Double, params: [Tensor])?? {
    guard TextFile.exists(path) else { return nil }
    let stored: StoredArrays
    do {
      stored = StoredArrays(try Npz.read(path))
    } catch {
      throw Diagnostic(
        .io, "\(path): \(error)", at: call.command.span, hint: "delete the file to begin anew")
    }
    guard stored["format"]?.doubles == [Self.format] else {
      throw foreign("it is no checkpoint of training")
    }
    let written = stored.text("method")
    guard written == method else { throw foreign("it is of '\(written)', this is '\(method)'") }
    try restoreParams(stored)
    try restoreDraws(stored)
    let history = stored.names(in: "history")
    guard history == columns else {
      throw foreign("it records \(history.joined(separator: ", ")), this \(columns.joined(separator: ", "))")
    }
    interpreter.state.training = TrainingHistory(
      objective, columns: history.map { ($0, stored["history/\($0)"]?.doubles ?? []) })
    return .some(try best(stored))
  }

  private func foreign(_ reason: String) -> Diagnostic {
    Diagnostic(
      .io, "\(path) cannot be gone on from: \(reason)", at: call.command.span,
      hint: "name another file, or delete this one to begin anew")
  }

  private func restoreParams(_ stored: StoredArrays) throws {
    for (name, leaf) in interpreter.allParams {
      guard let value = stored["param/\(name)"], value.shape == leaf.value.shape,
        value.precision == leaf.value.precision
      else { throw foreign("its param \(name) is missing or of another shape or precision") }
      var leaf = leaf
      leaf.value = value
      interpreter.bindGlobal(name, .param(leaf))
    }
    var memory: [String: [Double]] = [:]
    for name in stored.names(in: "memory") { memory[name] = stored["memory/\(name)"]?.doubles }
    guard let generator = stored["generator"].flatMap({ CounterGenerator(words: $0.doubles) }) else {
      throw foreign("its generator is missing")
    }
    interpreter.state.generator = generator
    try restoreMemory(memory)
  }

  private func restoreMemory(_ memory: [String: [Double]]) throws {
    let chosen = try call.chosenMethod()
    let stepper = try Stepper(call, chosen.name, chosen.method, key: method)
    interpreter.state.methods[method] = nil
    try stepper.replaceMethod(by: chosen.method, memory: memory)
  }

  /// Batches stand where they stood, other random leaves hold what they held.
  private func restoreDraws(_ stored: StoredArrays) throws {
    for (names, leaf) in interpreter.randomGroups {
      if var feed = leaf.feed {
        guard let order = stored["feed/\(names[0])"]?.doubles,
          let place = stored["feed place/\(names[0])"]?.doubles,
          feed.restore(order: order.map { Int($0) }, place.map { Int($0) }),
          let rows = try interpreter.show(&feed)
        else {
          throw foreign(
            "its batches of \(names.joined(separator: ", ")) are missing, damaged or of other data")
        }
        try interpreter.bindRandom(names, rows, leaf.source, feed)
      } else {
        var values: [Value] = []
        for name in names {
          guard let tensors = stored.sequence("draw/\(name)"),
            case .random(let old)? = interpreter.lookup(name),
            let value = old.value.replacing(tensors)
          else { throw foreign("its draw of \(name) is missing or of another shape") }
          values.append(value)
        }
        try interpreter.bindRandom(names, values.count == 1 ? values[0] : .tuple(values), leaf.source)
      }
    }
  }

  private func best(_ stored: StoredArrays) throws -> (value: Double, params: [Tensor])? {
    guard let value = stored["best value"]?.doubles.first else { return nil }
    return (value, interpreter.allParams.compactMap { stored["best/\($0.name)"] })
  }

  // MARK: Writing

  func write(_ best: (value: Double, params: [Tensor])?) throws {
    var arrays: [(String, Tensor)] = [("format", Tensor(vector: [Self.format])), ("method", text(method))]
    let params = interpreter.allParams
    for (name, leaf) in params { arrays.append(("param/\(name)", leaf.value)) }
    for (name, values) in (interpreter.state.methods[method]?.memory ?? [:]).sorted(by: { $0.key < $1.key }) {
      arrays.append(("memory/\(name)", Tensor(vector: values)))
    }
    arrays.append(("generator", Tensor(vector: interpreter.state.generator.words)))
    for (names, leaf) in interpreter.randomGroups {
      if let feed = leaf.feed {
        arrays.append(("feed/\(names[0])", Tensor(vector: feed.order.map(Double.init))))
        arrays.append(
          ("feed place/\(names[0])", Tensor(vector: feed.place.map(Double.init))))
      } else {
        for name in names {
          guard case .random(let one)? = interpreter.lookup(name) else { continue }
          for (k, tensor) in one.value.tensors.enumerated() { arrays.append(("draw/\(name)/\(k)", tensor)) }
        }
      }
    }
    for (name, values) in interpreter.state.training?.columns ?? [] {
      arrays.append(("history/\(name)", Tensor(vector: values)))
    }
    if let best {
      arrays.append(("best value", Tensor(vector: [best.value])))
      for (param, value) in zip(params, best.params) { arrays.append(("best/\(param.name)", value)) }
    }
    do {
      try Npz.write(arrays, to: path)
    } catch {
      throw Diagnostic(.io, "\(error)", at: call.command.span)
    }
  }

  /// Texts as the numbers of their characters, so that NumPy reads the file.
  private func text(_ text: String) -> Tensor { Tensor(vector: text.unicodeScalars.map { Double($0.value) }) }
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

  /// Tensors numbered from 0.
  func sequence(_ name: String) -> [Tensor]? {
    let found = (0..<names(in: name).count).compactMap { self["\(name)/\($0)"] }
    return found.isEmpty ? nil : found
  }

  func text(_ name: String) -> String {
    let scalars = (self[name]?.doubles ?? []).compactMap { Int(exactly: $0).flatMap { Unicode.Scalar($0) } }
    return String(String.UnicodeScalarView(scalars))
  }
}

extension Value {
  /// The same kind of value with other tensors of the same shapes; nil when they do not fit.
  fileprivate func replacing(_ tensors: [Tensor]) -> Value? {
    guard tensors.map(\.shape) == self.tensors.map(\.shape) else { return nil }
    switch self {
    case .tensor: return tensors.first.map { .tensor($0) }
    case .bundle(let names, _): return .bundle(names: names, tensors: tensors)
    default: return nil
    }
  }
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
