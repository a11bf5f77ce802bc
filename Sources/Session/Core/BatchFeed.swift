import Syntax
import Tensors

/// Rows of data in batches, for a random leaf `(xb, yb) ~ batch(X, y, 128)`: drawn without replacement, an epoch at a
/// time, in an order that is drawn anew for each epoch. The last batch of an epoch has the rows that are left.
///
/// A value, so that undoing a step brings its batch back. The data themselves are not copied; names among the sources
/// are read at each draw, other expressions when an epoch begins.
struct BatchFeed {
  /// What rows are taken of, as it is written.
  let sources: [Expr]
  /// Rows of a batch that is not the last one.
  private(set) var size: Int
  /// The epoch on show, from 1.
  private(set) var epoch = 0
  /// The batch on show in its epoch, from 0.
  private(set) var batch = 0
  /// Every row once, in the order of this epoch.
  private(set) var order: [Int] = []
  /// Values of sources that are not mere names.
  fileprivate var held: [Tensor?]

  init(_ sources: [Expr], size: Int) {
    self.sources = sources
    self.size = size
    held = sources.map { _ in nil }
  }

  var rowCount: Int { order.count }
  var batchesPerEpoch: Int { (order.count + size - 1) / size }
  /// The next draw begins another epoch.
  var endsEpoch: Bool { batch + 1 >= batchesPerEpoch }
  /// The rows on show.
  var places: ArraySlice<Int> { order[(batch * size)..<min((batch + 1) * size, order.count)] }

  fileprivate mutating func nextBatch() { batch += 1 }

  /// Epoch, batch and size as a checkpoint keeps them, with the order of the epoch.
  var place: [Int] { [epoch, batch, size] }

  /// Takes up a place in an epoch again. False, with nothing changed, when it is none: an order that is no permutation, a
  /// batch beyond the end.
  mutating func restore(order: [Int], _ place: [Int]) -> Bool {
    guard place.count == 3, place[0] > 0, place[1] >= 0, place[2] > 0, place[1] * place[2] < order.count
    else {
      return false
    }
    var seen = [Bool](repeating: false, count: order.count)
    for row in order {
      guard seen.indices.contains(row), !seen[row] else { return false }
      seen[row] = true
    }
    (self.order, epoch, batch, size) = (order, place[0], place[1], place[2])
    return true
  }

  fileprivate mutating func nextEpoch(_ order: [Int], size: Int?) {
    (self.order, batch) = (order, 0)
    self.size = size ?? self.size
    epoch += 1
  }
}

extension Interpreter {
  /// Random leaves that are drawn in batches, with the names drawn together.
  var feeds: [(names: [String], feed: BatchFeed)] {
    randomGroups.compactMap { names, leaf in leaf.feed.map { (names, $0) } }
  }

  /// All batches begin an epoch in a new order, whatever is left of the present one; with a size, batches have as many
  /// rows from now on.
  func beginEpoch(size: Int? = nil) throws {
    for (names, leaf) in randomGroups {
      guard var feed = leaf.feed else { continue }
      try bindRandom(names, try draw(from: &feed, beginsEpoch: true, size: size), leaf.source, feed)
    }
  }

  /// The feed that a declaration asks for; nil when it is no call of `batch`.
  func feed(_ expr: Expr) throws -> BatchFeed? {
    guard case .call(let callee, let arguments) = expr.kind, case .name("batch") = callee.kind,
      lookup("batch") == nil
    else { return nil }
    let named = arguments.filter { $0.name != nil }
    if let unknown = named.first(where: { $0.name != "size" }) {
      throw Diagnostic(
        .type, "batch has no argument '\(unknown.name ?? "")'", at: unknown.span,
        hint: "it is batch(X, y, 128)")
    }
    var sources = arguments.filter { $0.name == nil }.map(\.value)
    guard let count = named.first?.value ?? sources.popLast(), named.count <= 1, !sources.isEmpty else {
      throw Diagnostic(
        .type, "batch takes tensors and the rows of a batch", at: expr.span, hint: "write batch(X, y, 128)")
    }
    let size = try evaluate(count)
    guard let rows = size.tensor, rows.count == 1, let whole = Int(exactly: rows.scalarValue), whole > 0
    else {
      throw Diagnostic(
        .domain, "the rows of a batch are a whole number of at least 1, not \(text(of: size))",
        at: count.span,
        hint: "it stands last: batch(X, y, 128)")
    }
    return BatchFeed(sources, size: whole)
  }

  private func text(of value: Value) -> String {
    if let tensor = value.tensor, tensor.rank == 0 { return valueText.text(value) }
    return value.kindName
  }

  /// The next batch: a tensor for each source, or a tuple of several.
  func draw(from feed: inout BatchFeed, beginsEpoch: Bool = false, size: Int? = nil) throws -> Value {
    var data = try tensors(of: &feed, evaluates: beginsEpoch || feed.epoch == 0)
    if beginsEpoch || feed.endsEpoch || data[0].shape[0] != feed.rowCount {
      if !beginsEpoch && feed.epoch > 0 { data = try tensors(of: &feed, evaluates: true) }
      feed.nextEpoch(state.generator.permutation(data[0].shape[0]), size: size)
    } else {
      feed.nextBatch()
    }
    return rows(of: data, feed)
  }

  /// The batch on show once more, from the data as they are now; nil when those have another number of rows.
  func show(_ feed: inout BatchFeed) throws -> Value? {
    let data = try tensors(of: &feed, evaluates: true)
    return data[0].shape[0] == feed.rowCount ? rows(of: data, feed) : nil
  }

  private func rows(of data: [Tensor], _ feed: BatchFeed) -> Value {
    let precision = state.settings.precision
    let parts = data.map { Value.tensor($0.rows(feed.places).converted(to: precision)) }
    return parts.count == 1 ? parts[0] : .tuple(parts)
  }

  /// The data behind a feed now, with one number of rows.
  private func tensors(of feed: inout BatchFeed, evaluates: Bool) throws -> [Tensor] {
    var result: [Tensor] = []
    for (k, source) in feed.sources.enumerated() {
      let tensor: Tensor
      if let quick = namedValue(source)?.tensor {
        tensor = quick
      } else if !evaluates, let held = feed.held[k] {
        tensor = held
      } else {
        let value = try evaluate(source)
        guard let found = value.tensor else {
          throw Diagnostic(.type, "a batch has rows of a tensor, not of \(value.kindName)", at: source.span)
        }
        tensor = found
        feed.held[k] = found
      }
      guard let rows = tensor.shape.first, rows > 0 else {
        throw Diagnostic(.shape, "there are no rows to draw", at: source.span)
      }
      if let first = result.first, first.shape[0] != rows {
        throw Diagnostic(
          .shape, "tensors with \(first.shape[0]) and \(rows) rows do not make batches", at: source.span,
          hint: "the first axis of each counts the samples")
      }
      result.append(tensor)
    }
    return result
  }

  /// What a global name, or a field of one, holds; nil for other expressions.
  private func namedValue(_ expr: Expr) -> Value? {
    switch expr.kind {
    case .name(let name):
      switch lookup(name, frameTag: nil) {
      case .variable(let v)?: return v.value
      case .param(let leaf)?, .data(let leaf)?: return .tensor(leaf.value)
      case .random(let leaf)?: return leaf.value
      default: return nil
      }
    case .field(let base, let field): return namedValue(base)?[field: field]
    default: return nil
    }
  }
}
