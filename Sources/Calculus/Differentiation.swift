import Graph
import Tensors

/// A rule of differentiation, as a step of a derivation names it.
public enum DerivativeRule: Hashable, Sendable {
  /// d(u + v) = du + dv.
  case sum
  /// One factor depends on the variables, the others stay in front.
  case constantFactor
  /// The sum over entries of one operand.
  case total
  /// Entries are picked, or axes are exchanged.
  case selection
  case product
  /// A product under a sum, such as an inner product or a matrix product.
  case contraction
  /// The chain rule through a pointwise function.
  case chain(MapFunction)
  case maximum
  case matrix(MatrixFunction)
}

/// The derivative of a formula, found in steps: at each, the differentials of some nodes are replaced by those of their
/// operands, until the differentials of the inputs alone are left. The rules are those of forward and reverse mode.
///
/// Every step is the same number (or tensor): put the tangents of a direction in the place of the differentials, and all
/// of them are the derivative along it.
public struct Differentiation {
  public struct Step: Sendable {
    public let rule: DerivativeRule
    /// d of the root, of its shape, with nodes `TensorGraph.differential(_:)` for what is still open.
    public let differential: NodeID
  }

  public let graph: TensorGraph
  public let root: NodeID
  public let inputs: [NodeID]
  public private(set) var steps: [Step] = []

  /// What the differential of an open node is multiplied by: terms over the root's axes, then the node's.
  private var open: [NodeID: Tangent] = [:]
  private let active: Set<NodeID>
  private var rank: Int { graph.shape(root).count }

  public init(_ graph: TensorGraph, of root: NodeID, wrt inputs: [NodeID]) {
    self.graph = graph
    self.root = root
    self.inputs = inputs
    active = graph.dependents(on: inputs, below: root)
    guard active.contains(root) else { return }
    let axes = graph.shape(root)
    let deltas = axes.indices.map { Operand(graph.delta(axes[$0]), [$0, rank + $0]) }
    open[root] = graph.normalized(1, deltas, to: Array(0..<2 * rank)).map { [$0] } ?? []
    run()
  }

  /// ∂root/∂input, the root's axes first.
  public func derivative(by input: NodeID) -> NodeID {
    graph.node(of: open[input] ?? [], graph.shape(root) + graph.shape(input))
  }

  // MARK: Steps

  /// Open nodes that no other open node uses, the outermost first. Entries picked out of an input come last, all at once:
  /// they are as good as the input.
  private func ready() -> [NodeID] {
    let waiting = open.keys.filter { !inputs.contains($0) }
    let inner = waiting.filter { !isPartOfInput($0) }
    let used = Set(graph.reachable(from: inner.flatMap { graph[$0].operands.map(\.node) }))
    return (inner.isEmpty ? waiting : inner.filter { !used.contains($0) }).sorted(by: >)
  }

  private func isPartOfInput(_ id: NodeID) -> Bool {
    rule(of: id) == .selection
      && graph[id].operands.allSatisfy { inputs.contains($0.node) || !active.contains($0.node) }
  }

  private mutating func run() {
    while let first = ready().first {
      let rule = self.rule(of: first)
      let isSilent = isPartOfInput(first)
      for node in ready() where self.rule(of: node) == rule { unfold(node) }
      open = open.filter { !$1.isEmpty }
      if !isSilent { steps.append(Step(rule: rule, differential: differential)) }
    }
  }

  private mutating func unfold(_ node: NodeID) {
    let terms = open.removeValue(forKey: node) ?? []
    for piece in graph.linearPieces(node) {
      let operand = graph[node].operands[piece.operand].node
      guard active.contains(operand) else { continue }
      let made = terms.compactMap { passed($0, piece, from: node, to: operand) }
      open[operand] = collected((open[operand] ?? []) + made, operand)
    }
  }

  /// Σ over the open nodes of their terms times their differentials.
  private var differential: NodeID {
    let shape = graph.shape(root)
    var sizes: [Label: Int] = [:]
    for axis in shape.indices { sizes[axis] = shape[axis] }
    let parts = open.keys.sorted().flatMap { id -> [NodeID] in
      let own = Operand(graph.differential(id), graph.shape(id).indices.map { rank + $0 })
      return (open[id] ?? []).map {
        graph.contract($0.scale, $0.factors + [own], to: Array(shape.indices), sizes: sizes)
      }
    }
    return graph.add(parts, shape: shape)
  }

  /// Of a scalar, all that an operand is multiplied by is one node, as in reverse mode; else terms stay apart, so that
  /// symbolic deltas are not filled.
  private func collected(_ terms: Tangent, _ node: NodeID) -> Tangent {
    let sizes = graph.shape(root) + graph.shape(node)
    guard rank == 0 else { return TermMerger(graph: graph).merged(terms, sizes: sizes) }
    let sum = graph.node(of: terms, sizes)
    return graph.isZero(sum) ? [] : [Product(scale: 1, factors: [Operand(sum, Array(sizes.indices))])]
  }

  /// A term of a node's differential as one of its operand's: the transpose of forward mode.
  private func passed(_ term: Product, _ piece: LinearPiece, from node: NodeID, to operand: NodeID)
    -> Product?
  {
    let count = graph.shape(node).count
    let size = graph.shape(operand)
    // Labels: the root's axes, the operand's, the node's, then what the term sums, then what the rule sums.
    let first = rank + size.count
    let inner = term.factors.flatMap(\.labels).max().map { $0 + 1 } ?? 0
    func ofTerm(_ label: Label) -> Label { label < rank ? label : label - rank + first }
    let above = max(first + count, ofTerm(inner))
    func ofRule(_ label: Label) -> Label { label < count ? first + label : label - count + above }
    var factors = term.factors.map { Operand($0.node, $0.labels.map(ofTerm)) }
    factors += piece.factors.map { Operand($0.node, $0.labels.map(ofRule)) }
    // An axis that nothing else has is summed: it counts.
    for axis in 0..<count {
      let label = first + axis
      guard !factors.contains(where: { $0.labels.contains(label) }), !piece.labels.contains(axis) else {
        continue
      }
      factors.append(Operand(graph.ones(graph.shape(node)[axis]), [label]))
    }
    // The operand's axes take the place of the rule's labels; on a diagonal there is a delta between them.
    var renamed: [Label: Label] = [:]
    for (axis, label) in piece.labels.enumerated() {
      if let known = renamed[ofRule(label)] {
        factors.append(Operand(graph.delta(size[axis]), [known, rank + axis]))
      } else {
        renamed[ofRule(label)] = rank + axis
      }
    }
    let operands = factors.map { Operand($0.node, $0.labels.map { renamed[$0] ?? $0 }) }
    return graph.normalized(term.scale * piece.scale, operands, to: Array(0..<first))
  }

  // MARK: Names

  private func rule(of id: NodeID) -> DerivativeRule {
    let node = graph[id]
    switch node.op {
    case .add: return node.operands.count == 1 ? .constantFactor : .sum
    case .map(let f): return .chain(f)
    case .reduceMax: return .maximum
    case .matrix(let f): return .matrix(f)
    case .contract(let scale): return contractionRule(node, scale)
    default: return .selection
    }
  }

  private func contractionRule(_ node: Node, _ scale: Double) -> DerivativeRule {
    let moving = node.operands.count { active.contains($0.node) }
    if moving > 1 { return node.sumsLabels ? .contraction : .product }
    let others = node.operands.filter { !active.contains($0.node) }
    if others.isEmpty && scale == 1 { return node.sumsLabels ? .total : .selection }
    let picks = others.allSatisfy {
      if case .selector = graph[$0.node].op { return true }
      if case .table = graph[$0.node].op { return true }
      return false
    }
    return picks && scale == 1 ? .selection : .constantFactor
  }
}

extension TensorGraph {
  /// The nodes below `root` whose derivative by some input is not zero by structure, the inputs included.
  fileprivate func dependents(on inputs: [NodeID], below root: NodeID) -> Set<NodeID> {
    let sources = Set(inputs)
    var active = sources
    for id in reachable(from: [root], stoppingAt: sources) where !active.contains(id) {
      guard self[id].operands.contains(where: { active.contains($0.node) }) else { continue }
      if linearPieces(id).contains(where: { active.contains(self[id].operands[$0.operand].node) }) {
        active.insert(id)
      }
    }
    return active
  }
}

extension DerivativeRule {
  /// The rule on letters, as its own first step: d(example) and what becomes of it. Nil for rules whose letters would not
  /// say more than their name.
  public func example(in graph: TensorGraph) -> (formula: NodeID, differential: NodeID)? {
    func letter(_ name: String, _ shape: Shape = []) -> NodeID {
      graph.leaf(Leaf(id: graph.leaves.count, name: name, shape: shape))
    }
    let formula: NodeID
    let inputs: [NodeID]
    switch self {
    case .sum:
      inputs = [letter("u"), letter("v")]
      formula = graph.add(inputs, shape: [])
    case .constantFactor:
      inputs = [letter("u")]
      formula = graph.multiplied(letter("c"), inputs[0])
    case .total:
      inputs = [letter("u", [2])]
      formula = graph.contract(1, [Operand(inputs[0], [0])], to: [])
    case .product:
      inputs = [letter("u"), letter("v")]
      formula = graph.multiplied(inputs[0], inputs[1])
    case .contraction:
      inputs = [letter("u", [2]), letter("v", [2])]
      formula = graph.contract(1, inputs.map { Operand($0, [0]) }, to: [])
    case .chain(let f):
      inputs = Array(["u", "v", "w"].prefix(f.argumentCount)).map { letter($0) }
      formula = graph.map(f, inputs.map { Operand($0, []) }, shape: [])
    case .matrix(let f):
      guard f != .eigh, f != .cholesky, f != .svdvals else { return nil }
      inputs = [letter("A", [2, 2])] + (f == .solve ? [letter("B", [2, 2])] : [])
      formula = graph.matrix(f, inputs)
    case .selection, .maximum: return nil
    }
    guard let first = Differentiation(graph, of: formula, wrt: inputs).steps.first else { return nil }
    return (formula, first.differential)
  }
}

extension MapFunction {
  fileprivate var argumentCount: Int {
    switch self {
    case .pow, .atan2, .max, .min, .modulo, .less, .lessEqual, .equal, .notEqual, .and, .or: return 2
    case .select: return 3
    default: return 1
    }
  }
}
