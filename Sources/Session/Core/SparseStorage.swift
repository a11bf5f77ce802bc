import Engine
import Graph
import Syntax
import Tensors

/// How matrices among the results of a plan may be stored.
enum MatrixStorage {
  case dense
  /// Sparse where that pays.
  case sparse
  /// The same, and every diagonal one, however small: for those who solve with it.
  case sparseOrDiagonal
}

extension Interpreter {
  /// Rewrites a plan's outputs so that sparse matrices are not filled in; those that are results become their values.
  func storedSparse(
    _ nodes: [NodeID], _ storage: MatrixStorage, _ elaborator: Elaborator, _ shape: inout ResultShape
  ) throws -> [NodeID] {
    let results = try withoutFilledZeros(nodes, storage, indices: elaborator.knownIndices)
    shape = shape.storing(results.patterns)
    return results.nodes
  }

  /// The nodes that a plan computes in place of these, and the patterns of those that are stored sparse. `indices` gives
  /// the entries of index tensors that are known while the plan is made.
  func withoutFilledZeros(
    _ nodes: [NodeID], _ storage: MatrixStorage, indices: @escaping (NodeID) throws -> [Double]?
  ) throws -> (nodes: [NodeID], patterns: [SparsePattern?]) {
    guard SparseRewriting.isNeeded(graph, nodes, storesDiagonals: storage == .sparseOrDiagonal) else {
      return (nodes, nodes.map { _ in nil })
    }
    var rewriting = SparseRewriting(graph, tableValues: indices)
    return try rewriting.rewritten(
      nodes, mayBeSparse: storage != .dense, storesDiagonals: storage == .sparseOrDiagonal)
  }

  /// The entries of an index tensor that hold until a name is bound anew, as `record` is told; nil when it moves
  /// with params or draws.
  func knownIndices(_ node: NodeID, record: (DependencyKey, Stamp) -> Void) throws -> [Double]? {
    if case .tensor(let index) = graph[node].op { return graph.constants[index].doubles }
    var stamps: [(DependencyKey, Stamp)] = []
    for id in graph.leaves(below: [node]) {
      guard let leaf = graph.leaf(of: id), let source = slots.source(leaf.id), case .binding = source.kind,
        let binding = binding(of: source), let contents = fixedContents(binding, source.bindingID)
      else { return nil }
      let key = DependencyKey(name: source.name, frameTag: source.frameTag)
      stamps.append((key, .contents(id: source.bindingID, contents)))
    }
    let values = try evaluateNow([node])[0].doubles
    for (key, stamp) in stamps { record(key, stamp) }
    return values
  }

  /// What a variable or data leaf of this identity holds; nil for params, which move, and for what is no tensor.
  func fixedContents(_ binding: Binding?, _ id: Int) -> FixedContents? {
    switch binding {
    case .variable(let v)? where v.id == id:
      if case .tensor(let tensor) = v.value { return FixedContents(tensor: tensor) }
      return nil
    case .data(let leaf)? where leaf.id == id: return FixedContents(tensor: leaf.value)
    default: return nil
    }
  }
}

extension ResultShape {
  /// The same, with the outputs that have a pattern as sparse matrices.
  fileprivate func storing(_ patterns: [SparsePattern?]) -> ResultShape {
    switch self {
    case .tensor(let k): return patterns[k].map { .sparse(k, $0, [], []) } ?? self
    case .blockMatrix(let k, let names, let sizes):
      return patterns[k].map { .sparse(k, $0, names, sizes) } ?? self
    case .record(let fields): return .record(fields.map { ($0.0, $0.1.storing(patterns)) })
    case .tuple(let items): return .tuple(items.map { $0.storing(patterns) })
    case .string, .bundle, .sparse: return self
    }
  }
}

extension Elaborator {
  /// The entries of an index tensor that hold until a name is bound anew, which this formula then depends on.
  func knownIndices(_ node: NodeID) throws -> [Double]? {
    try interpreter.knownIndices(node) { key, stamp in record(key, stamp) }
  }
}
