import Graph
import Tensors

/// Rewrites the outputs of a plan so that sparse matrices are never filled in: outputs become their stored values,
/// products and sums go over the terms, functions that keep zeros go over the values, systems to sparse solvers.
public struct SparseRewriting {
  private let graph: TensorGraph
  private let tableValues: (NodeID) throws -> [Double]?
  private var products: SparseProducts
  private var images: [NodeID: NodeID] = [:]
  private var forms: [NodeID: SparseForm?] = [:]
  private var compressed: [NodeID: CompressedMatrix?] = [:]

  /// Products over more terms than this go over the stored values instead.
  private static let distributionLimit = 32

  /// `tableValues` gives the entries of an index tensor, or nil when they are not known before the plan runs.
  public init(_ graph: TensorGraph, tableValues: @escaping (NodeID) throws -> [Double]?) {
    self.graph = graph
    self.tableValues = tableValues
    products = SparseProducts(graph)
  }

  /// The outputs rewritten, and for those that become the values of a sparse matrix its pattern.
  public mutating func rewritten(_ outputs: [NodeID], mayBeSparse: Bool, storesDiagonals: Bool = false) throws
    -> (nodes: [NodeID], patterns: [SparsePattern?])
  {
    for id in graph.reachable(from: outputs) { try rewrite(id) }
    var nodes: [NodeID] = []
    var patterns: [SparsePattern?] = []
    for id in outputs {
      let node = image(id)
      if mayBeSparse, let stored = try worthwhile(node) ?? (storesDiagonals ? diagonal(node) : nil) {
        nodes.append(stored.values)
        patterns.append(stored.pattern)
      } else {
        nodes.append(node)
        patterns.append(nil)
      }
    }
    return (nodes, patterns)
  }

  /// Whether anything in these formulas may be sparse: cheap, for the many that have nothing of the kind.
  public static func isNeeded(_ graph: TensorGraph, _ outputs: [NodeID], storesDiagonals: Bool) -> Bool {
    if storesDiagonals { return true }
    return graph.reachable(from: outputs).contains { id in
      let node = graph[id]
      switch node.op {
      case .matrix(.solve): return true
      case .dense: return true
      case .add, .contract, .selector: return node.shape.count == 2 && node.shape.elementCount >= 4096
      default: return false
      }
    }
  }

  private func image(_ id: NodeID) -> NodeID { images[id] ?? id }

  // MARK: Nodes

  private mutating func rewrite(_ id: NodeID) throws {
    let node = graph[id]
    if case .dense = node.op {
      // Its operand, under a name that no form is known for.
      images[id] = graph.dense(image(node.operands[0].node))
      return
    }
    var current = id
    if node.operands.contains(where: { images[$0.node] != nil }) {
      let operands = node.operands.map { Operand(image($0.node), $0.labels) }
      current = graph.rebuild(node, operands, node.shape)
      if graph.symmetricNodes.contains(id) { graph.symmetricNodes.insert(current) }
      if let view = graph.sparseViews[id] { graph.sparseViews[current] = view }
    }
    if let better = try improved(current) { current = better }
    if current != id { images[id] = current }
  }

  private mutating func improved(_ id: NodeID) throws -> NodeID? {
    let node = graph[id]
    switch node.op {
    case .matrix(.solve): return try solved(node)
    case .map(let f): return try mapped(f, node, id)
    case .contract(let scale) where node.sumsLabels: return try distributed(scale, node)
    default: return nil
    }
  }

  /// The form of a node that is worth storing sparse.
  private mutating func form(_ id: NodeID) -> SparseForm? {
    if let known = forms[id] { return known }
    let shape = graph.shape(id)
    var found: SparseForm?
    if shape.count == 2 { found = SparseForm(of: id, graph, &products) }
    forms[id] = .some(found)
    return found
  }

  private mutating func stored(_ form: SparseForm) throws -> CompressedMatrix? {
    if let known = compressed[form.node] { return known }
    let made = try form.compressed(graph, tableValues)
    compressed[form.node] = .some(made)
    return made
  }

  /// The stored form of a matrix that is worth storing.
  private mutating func worthwhile(_ id: NodeID) throws -> CompressedMatrix? {
    guard graph.shape(id).count == 2, graph.shape(id).elementCount >= 4096, let form = form(id),
      form.isWorthStoring, let made = try stored(form)
    else { return nil }
    return Double(made.pattern.nonZeros) <= 0.1 * Double(form.rows) * Double(form.columns) ? made : nil
  }

  private mutating func diagonal(_ id: NodeID) throws -> CompressedMatrix? {
    guard graph.shape(id).count == 2, let form = form(id), form.isDiagonal, form.rows > 1 else { return nil }
    return try stored(form)
  }

  // MARK: Systems

  private mutating func solved(_ node: Node) throws -> NodeID? {
    let (a, b) = (node.operands[0].node, node.operands[1].node)
    guard node.shape.count == 2, let form = form(a) else { return nil }
    if form.isDiagonal, form.rows > 0, let d = try stored(form) {
      if let value = graph.constantValue(d.values), value != 0, value.isFinite {
        return divided(b, d.values, node.shape)
      }
      return graph.external(SparseSolve(d.pattern), [d.values, b], shape: node.shape)
    }
    guard form.rows == form.columns, let made = try worthwhile(a) else { return nil }
    return graph.external(SparseSolve(made.pattern), [made.values, b], shape: node.shape)
  }

  /// b/d by rows, for a diagonal that is the same known number everywhere.
  private func divided(_ b: NodeID, _ d: NodeID, _ shape: Shape) -> NodeID {
    let value = graph.constantValue(d) ?? 1
    return graph.divided(b, by: value)
  }

  // MARK: Functions

  /// f of the values, where f keeps zeros.
  private mutating func mapped(_ f: MapFunction, _ node: Node, _ id: NodeID) throws -> NodeID? {
    guard node.shape.count == 2, node.shape.elementCount >= 4096 else { return nil }
    let matrices = node.operands.indices.filter { graph.constantValue(node.operands[$0].node) == nil }
    guard matrices.count == 1, let place = matrices.first else { return nil }
    let operand = node.operands[place]
    let constants = node.operands.map { graph.constantValue($0.node) ?? 0 }
    let atZero = f(
      constants[0], constants.count > 1 ? constants[1] : 0, constants.count > 2 ? constants[2] : 0)
    guard atZero == 0, Set(operand.labels) == [0, 1], operand.labels.count == 2 else { return nil }
    guard let made = try worthwhile(operand.node), operand.labels == [0, 1] || made.pattern.isSymmetric else {
      return nil
    }
    let inner = node.operands.indices.map { k in
      k == place ? Operand(made.values, [0]) : Operand(graph.fill(constants[k]), [])
    }
    let values = graph.map(f, inner, shape: [made.pattern.count])
    return graph.sparseMatrix(made.pattern, values)
  }

  // MARK: Products

  /// A product with sums goes over the terms of the sparse matrices in it.
  private mutating func distributed(_ scale: Double, _ node: Node) throws -> NodeID? {
    guard let place = try node.operands.firstIndex(where: { try isDistributed($0, in: node) }) else {
      return nil
    }
    var others = node.operands
    let operand = others.remove(at: place)
    let fresh = ((node.operands.flatMap(\.labels) + node.shape.indices).max() ?? -1) + 1
    var terms = products.terms(of: operand.node) ?? []
    if terms.count > Self.distributionLimit || terms.isEmpty {
      guard let made = try worthwhile(operand.node) else { return nil }
      terms = products.terms(of: graph.sparseMatrix(made.pattern, made.values)) ?? []
    }
    guard !terms.isEmpty, terms.count <= SparsePatternLimits.diagonals * 2 else { return nil }
    var sizes: [Label: Int] = [:]
    for axis in node.shape.indices { sizes[axis] = node.shape[axis] }
    var summands: [Summand] = []
    for term in terms {
      let factors = term.factors.map { factor in
        Operand(factor.node, factor.labels.map { $0 < 2 ? operand.labels[$0] : fresh + $0 - 2 })
      }
      let part = graph.contract(
        scale * term.scale, others + factors, to: Array(node.shape.indices), sizes: sizes)
      // Others may be sparse too.
      let better = try improved(part) ?? part
      summands.append(Summand(1, Operand(better, Array(node.shape.indices))))
    }
    return graph.add(summands, shape: node.shape)
  }

  /// A sum or product of more than a plain selector, worth going over by its terms.
  private mutating func isDistributed(_ operand: Operand, in node: Node) throws -> Bool {
    guard operand.labels.count == 2 else { return false }
    switch graph[operand.node].op {
    case .add, .contract: return try worthwhile(operand.node) != nil
    default: return false
    }
  }
}

enum SparsePatternLimits { static let diagonals = 64 }
