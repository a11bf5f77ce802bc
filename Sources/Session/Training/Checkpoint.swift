import Optimization
import Syntax
import Tensors

/// All that a run goes on from, bit for bit: params, what methods remember, the generator, the draws on show and the
/// history. `save checkpoint` and `load checkpoint` speak of it, and `train` with the option `checkpoint`.
struct Checkpoint {
  /// In the order of declaration.
  var params: [(name: String, value: Tensor)]
  var memories: [KeptMemory]
  var generator: CounterGenerator
  var draws: [Draw]
  var history: TrainingHistory?
  /// Where training is to end that keeps its best params.
  var best: (value: Double, params: [Tensor])?

  /// What random leaves that are drawn together show.
  struct Draw {
    let names: [String]
    let content: Content

    enum Content {
      /// Of batches: every row in the order of the epoch; epoch, batch and size.
      case batches(order: [Int], place: [Int])
      /// The tensors of each name.
      case values([[Tensor]])
    }
  }

  /// The session as it is now.
  init(of interpreter: Interpreter, best: (value: Double, params: [Tensor])? = nil) {
    params = interpreter.allParams.map { ($0.name, $0.leaf.value) }
    memories = interpreter.state.memories
    generator = interpreter.state.generator
    draws = interpreter.randomGroups.map { names, leaf in
      if let feed = leaf.feed {
        return Draw(names: names, content: .batches(order: feed.order, place: feed.place))
      }
      return Draw(names: names, content: .values(names.map { interpreter.lookup($0)?.tensors ?? [] }))
    }
    history = interpreter.state.training
    self.best = best
  }

  init(
    params: [(name: String, value: Tensor)], memories: [KeptMemory], generator: CounterGenerator,
    draws: [Draw],
    history: TrainingHistory?, best: (value: Double, params: [Tensor])?
  ) {
    (self.params, self.memories, self.generator) = (params, memories, generator)
    (self.draws, self.history, self.best) = (draws, history, best)
  }

  /// Names and sizes, for people.
  var description: String {
    let count = params.reduce(0) { $0 + $1.value.count }
    let names =
      params.count > 8
      ? "\(params.prefix(4).map(\.name).joined(separator: ", ")), …, \(params[params.count - 1].name)"
      : params.map(\.name).joined(separator: ", ")
    var parts = params.isEmpty ? ["no params"] : ["\(count) \(count == 1 ? "entry" : "entries") in \(names)"]
    if let history, history.count > 0 {
      parts.append("\(history.count) \(history.count == 1 ? "epoch" : "epochs") of \(history.objective)")
    }
    let titles = memories.filter { !$0.memory.isEmpty }.map(\.key.title)
    if !titles.isEmpty { parts.append("memory of \(titles.joined(separator: "; "))") }
    return parts.joined(separator: "; ")
  }
}

/// Why a session cannot go on from a checkpoint.
struct ForeignCheckpoint: Error { let reason: String }

extension Interpreter {
  /// Brings the session to where a checkpoint stands. Throws `ForeignCheckpoint` when it is of other params, random leaves or
  /// data; the statement takes back what has changed then.
  func restore(_ checkpoint: Checkpoint) throws {
    willChange()
    try restoreParams(checkpoint.params)
    state.generator = checkpoint.generator
    state.methods = [:]
    state.keptMemories = checkpoint.memories
    state.training = checkpoint.history
    try restoreDraws(checkpoint.draws)
    structureChanged()
  }

  private func restoreParams(_ params: [(name: String, value: Tensor)]) throws {
    let (names, own) = (params.map(\.name), allParams.map(\.name))
    guard names == own else {
      throw ForeignCheckpoint(
        reason: "its params are \(Self.list([names])), those here \(Self.list([own]))")
    }
    for (name, value) in params {
      guard case .param(var leaf)? = lookup(name, frameTag: nil) else { continue }
      guard value.shape == leaf.value.shape else {
        throw ForeignCheckpoint(
          reason:
            "its \(name) has shape \(value.shape.shapeDescription), not \(leaf.value.shape.shapeDescription)")
      }
      guard value.precision == leaf.value.precision else {
        throw ForeignCheckpoint(
          reason:
            "its \(name) is \(value.precision.rawValue), and the precision here is \(leaf.value.precision.rawValue)"
        )
      }
      if let bounds = leaf.bounds, bounds.firstOutside(value) != nil {
        throw ForeignCheckpoint(reason: "its \(name) is outside the bounds \(bounds.text)")
      }
      leaf.value = value
      bindGlobal(name, .param(leaf))
    }
  }

  private static func list(_ groups: [[String]]) -> String {
    let text = groups.map { $0.joined(separator: ", ") }.joined(separator: "; ")
    return text.isEmpty ? "none" : text
  }

  /// Batches stand where they stood, other random leaves hold what they held.
  private func restoreDraws(_ draws: [Checkpoint.Draw]) throws {
    let groups = randomGroups
    guard draws.map(\.names) == groups.map(\.names) else {
      throw ForeignCheckpoint(
        reason:
          "its random leaves are \(Self.list(draws.map(\.names))), here \(Self.list(groups.map(\.names)))")
    }
    for (draw, (names, leaf)) in zip(draws, groups) {
      let list = names.joined(separator: ", ")
      switch (draw.content, leaf.feed) {
      case (.batches(let order, let place), var feed?):
        guard feed.restore(order: order, place), let rows = try show(&feed) else {
          throw ForeignCheckpoint(
            reason: "its batches of \(list) are of \(order.count) rows, not of the data here")
        }
        try bindRandom(names, rows, leaf.source, feed)
      case (.values(let parts), nil):
        let values = zip(names, parts).compactMap { name, tensors -> Value? in
          guard case .random(let old)? = lookup(name) else { return nil }
          return old.value.replacing(tensors)
        }
        guard values.count == names.count else {
          throw ForeignCheckpoint(reason: "its draw of \(list) has another shape")
        }
        try bindRandom(names, values.count == 1 ? values[0] : .tuple(values), leaf.source)
      default:
        throw ForeignCheckpoint(reason: "\(list) is drawn in batches in one of them only")
      }
    }
  }
}
