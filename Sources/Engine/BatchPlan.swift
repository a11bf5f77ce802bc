import Graph
import LinearAlgebra
import Tensors

/// What runs on values for its inputs: a plan, or a batch in pieces.
public protocol Computation: AnyObject {
  var precision: Precision { get }
  /// The leaves whose values `run` takes, in order.
  var inputs: [Leaf] { get }
  /// Bytes of memory that a run needs besides its inputs.
  var workingBytes: Int { get }
  /// Multiplications of a run.
  var multiplications: Double { get }
  /// Entries of the largest buffer that a run makes.
  var largestBuffer: Int { get }
  /// Instructions of a run; of a batch, for one of its pieces.
  var stepCount: Int { get }
  /// All of them are scalar programs.
  var isScalar: Bool { get }
  /// One line an instruction.
  var listing: [String] { get }
  func run(_ values: [Tensor]) throws -> [Tensor]
}

extension Plan: Computation {}

/// Formulas for every entry of a batch, computed some entries at a time, so that what is between inputs and results
/// stays in the cache. What no variable enters is computed once, before, and not again while its inputs stay the same.
public final class BatchPlan: Computation {
  /// A leaf of the formulas that differs from entry to entry.
  public struct Variable {
    public enum Values {
      /// A node whose first axes are those of the batch in the variable's `axes`; the others are the leaf's.
      case node(NodeID)
      /// Entry k is 1 at place k − `offset` of the leaf, counted row-major, and 0 elsewhere: a row of an identity
      /// matrix of which only the rows in use are filled in.
      case units(offset: Int)
    }

    public let leaf: NodeID
    public let values: Values
    public let axes: [Int]

    public init(leaf: NodeID, values: NodeID, axes: [Int]) {
      self.leaf = leaf
      self.values = .node(values)
      self.axes = axes
    }

    /// The rows of an identity matrix from `offset` on, over a batch of one axis.
    public init(unitsOf leaf: NodeID, offset: Int) {
      self.leaf = leaf
      values = .units(offset: offset)
      axes = [0]
    }

    fileprivate var node: NodeID? { if case .node(let node) = values { node } else { nil } }
  }

  public let precision: Precision
  public let inputs: [Leaf]
  public let workingBytes: Int
  public let multiplications: Double
  /// Entries done so far and in all, while a run lasts long.
  public var report: ((_ done: Int, _ total: Int) -> Void)?
  /// The plan for values with which these formulas would not mean the same.
  var plain: Fallback?

  private let shared: KeptResults
  private let values: Plan
  private let pieces: [(size: Int, plan: Plan, sources: [Source])]
  /// The plan for whole pieces.
  private let lanes: PlanLanes
  private let sharedInputs: [Int]
  private let valueInputs: [Int]
  private let batch: Shape
  private let variables: [(axes: [Int], leaf: Leaf)]
  private let shapes: [Shape]

  /// Where a piece's input comes from.
  private enum Source {
    case input(Int)
    /// A shared part, whole.
    case shared(Int)
    /// The entries of a variable, whose values are an output of the plan for them.
    case variable(Int, values: Int)
    case units(Int, offset: Int)
  }

  /// - Parameters:
  ///   - elements: the formulas for one entry; results have `batch` in front of their shapes.
  ///   - batch: the sizes of the batch's axes.
  ///   - piece: entries computed at a time.
  ///   - identity: makes identities of leaves.
  public init(
    _ graph: TensorGraph, _ elements: [NodeID], _ variables: [Variable], batch: Shape, piece: Int,
    precision: Precision, identity: () -> Int
  ) throws {
    self.precision = precision
    self.batch = batch
    shapes = elements.map(graph.shape)
    let total = batch.elementCount
    let split = SharedFormulas(graph, elements, variables: Set(variables.map(\.leaf)), identity: identity)
    let (leaves, formulas) = (split.leaves, split.formulas)
    let given = variables.compactMap(\.node)
    let prelude = try Plan(graph, outputs: split.shared, precision: precision)
    values = try Plan(graph, outputs: given, precision: precision)
    self.shared = KeptResults(of: prelude)
    let sizes = [min(piece, total)] + (total > piece && total % piece > 0 ? [total % piece] : [])
    var made: [(Int, Plan)] = []
    let names = variables.map { variable in
      Leaf(id: identity(), name: graph.leaf(of: variable.leaf)?.name ?? "", shape: graph.shape(variable.leaf))
    }
    self.variables = zip(variables, names).map { ($0.axes, $1) }
    for size in sizes {
      var images: [NodeID: NodeID] = [:]
      for (variable, name) in zip(variables, names) {
        images[variable.leaf] = graph.leaf(Leaf(id: name.id, name: name.name, shape: [size] + name.shape))
      }
      let plan = try Plan(graph, outputs: graph.batched(formulas, images, count: size), precision: precision)
      made.append((size, plan))
    }
    let internals = Set((leaves + names).map(\.id))
    let all = (prelude.inputs + values.inputs + made.flatMap(\.1.inputs)).distinct
    let own = all.filter { !internals.contains($0.id) }
    inputs = own
    sharedInputs = own.places(of: prelude.inputs)
    valueInputs = own.places(of: values.inputs)
    /// Where the pieces of a variable come from.
    func source(_ k: Int) -> Source {
      switch variables[k].values {
      case .node: return .variable(k, values: variables[..<k].compactMap(\.node).count)
      case .units(let offset): return .units(k, offset: offset)
      }
    }
    pieces = made.map { size, plan in
      let sources = plan.inputs.map { leaf -> Source in
        if let k = names.place(of: leaf) { return source(k) }
        if let k = leaves.place(of: leaf) { return .shared(k) }
        return .input(own.place(of: leaf) ?? 0)
      }
      return (size, plan, sources)
    }
    let results = elements.reduce(0) { $0 + graph.shape($1).elementCount } * total * precision.byteCount
    lanes = PlanLanes(made[0].1)
    workingBytes =
      results + prelude.workingBytes + values.workingBytes
      + Team.size * (made.map(\.1.workingBytes).max() ?? 0)
    let whole = made.first.map { $0.1.multiplications * Double(total / max($0.0, 1)) } ?? 0
    let rest = made.count > 1 ? made[1].1.multiplications : 0
    multiplications = prelude.multiplications + values.multiplications + whole + rest
  }

  public var largestBuffer: Int {
    pieces.reduce(max(shared.plan.largestBuffer, values.largestBuffer)) { max($0, $1.plan.largestBuffer) }
  }

  /// What a run goes through, of the pieces the first.
  private var parts: [Plan] { [shared.plan, values] + pieces.prefix(1).map(\.plan) }
  public var stepCount: Int { parts.reduce(0) { $0 + $1.stepCount } }
  public var isScalar: Bool { parts.allSatisfy(\.isScalar) }

  public var listing: [String] {
    let each = pieces.map { "for each \($0.size) of \(batch.elementCount):" }
    return shared.plan.listing + values.listing
      + zip(each, pieces).prefix(1).flatMap { [$0] + $1.plan.listing }
  }

  public func run(_ values: [Tensor]) throws -> [Tensor] {
    let shared = try shared.results(for: sharedInputs.map { values[$0] })
    let given = try self.values.run(valueInputs.map { values[$0] })
    if let plain, !(shared + given).allSatisfy(\.isFinite) { return try plain.run(values, inputs, report) }
    let total = batch.elementCount
    var results = shapes.map { Tensor(uninitialized: batch + $0, precision) }
    let targets = results.indices.map { results[$0].uniquePointer() }
    /// The piece that begins at an entry, by a plan of its size.
    func compute(_ start: Int, _ size: Int, _ plan: Plan, _ sources: [Source]) throws {
      let arguments = sources.map { source -> Tensor in
        switch source {
        case .input(let k): return values[k]
        case .shared(let k): return shared[k]
        case .variable(let k, let values): return entries(of: given[values], k, start, size)
        case .units(let k, let offset): return units(k, start - offset, size)
        }
      }
      for (k, part) in try plan.run(arguments).enumerated() {
        let bytes = shapes[k].elementCount * precision.byteCount
        (targets[k] + start * bytes).copyMemory(
          from: part.sharedStorage.pointer, byteCount: part.count * precision.byteCount)
      }
    }
    try withExtendedLifetime(results) {
      let piece = pieces[0]
      let whole = piece.size > 0 ? total / piece.size : 0
      var done = 0
      while done < whole {
        // In rounds, so that progress is told by the thread that asked for the batch.
        let round = min(whole - done, Self.roundsOf * Team.size)
        let first = done
        try lanes.run(round, least: Self.leastPieces) { plan, k in
          try compute((first + k) * piece.size, piece.size, plan, piece.sources)
        }
        done += round
        report?(done * piece.size, total)
      }
      let left = total - whole * piece.size
      if left > 0, let last = pieces.last { try compute(total - left, left, last.plan, last.sources) }
    }
    return results
  }

  /// Pieces of a round for each thread; with fewer than `leastPieces` of them, threads share the work in each piece.
  private static let (roundsOf, leastPieces) = (32, 4)

  /// Rows `first`..<first + size of an identity matrix whose columns are the entries of a variable's leaf.
  private func units(_ variable: Int, _ first: Int, _ size: Int) -> Tensor {
    let leaf = variables[variable].leaf
    let count = leaf.shape.elementCount
    var result = Tensor(repeating: 0, [size] + leaf.shape, precision)
    let rows = max(0, -first)..<max(0, -first, min(size, count - first))
    for row in rows { result[flat: row * count + first + row] = 1 }
    return result
  }

  /// The values of a variable for entries start..<start + size of the batch, in row-major order.
  private func entries(of values: Tensor, _ variable: Int, _ start: Int, _ size: Int) -> Tensor {
    let (axes, leaf) = variables[variable]
    let bytes = leaf.shape.elementCount * precision.byteCount
    var result = Tensor(uninitialized: [size] + leaf.shape, precision)
    let target = result.uniquePointer()
    let source = values.sharedStorage.pointer
    let strides = batch.rowMajorStrides
    for entry in 0..<size {
      let place = axes.reduce(0) { $0 * batch[$1] + (start + entry) / strides[$1] % batch[$1] }
      (target + entry * bytes).copyMemory(from: source + place * bytes, byteCount: bytes)
    }
    return result
  }
}
