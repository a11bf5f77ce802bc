import Calculus
import Graph
import Syntax
import Tensors

/// A diagonal block of the Gauss–Newton matrix as K-FAC has it.
struct KroneckerBlock {
  /// Its params, as places among the targets: a weight and its bias, or one param.
  let members: [Int]
  let form: Form
  /// ρ for each member: penalties on the squares of its entries add ρ·I. Nil where there is none.
  let ridges: [NodeID?]

  enum Form {
    /// A dense layer with its factors A of inputs and S of outputs.
    case layer(DenseLayer, input: NodeID, output: NodeID)
    /// The exact block, with the param's axes twice.
    case exact(NodeID)
  }
}

extension Elaborator {
  /// Entries of a param that is no weight of a dense layer, up to which its block is exact.
  private static var exactLimit: Int { 1000 }

  /// The blocks of K-FAC: dense layers are found in the formula, everything else has its exact block.
  func kroneckerBlocks(_ f: NodeID, _ targets: Targets, at: Expr?, _ span: Span) throws -> [KroneckerBlock] {
    guard targets.part == nil else { throw Diagnostic(.type, "kfac takes whole params", at: span) }
    let routes = KroneckerRoutes(graph, try split(f, targets, at, span), targets.leaves)
    var blocks = try routes.layers.map { layer -> KroneckerBlock in
      guard graph.sampleCount(layer.dense) > 0 else {
        throw Diagnostic(.domain, "there are no samples, so K-FAC has no factors", at: span)
      }
      let parts = layer.terms.map { k in
        graph.outputFactor(
          layer.dense, routes.terms[k].loss, at: routes.terms[k].output,
          placeholder: placeholder(k, routes.terms[k]), y: stand(k, routes.terms[k]))
      }
      let output = graph.add(parts, shape: graph.shape(parts[0]))
      return KroneckerBlock(
        members: layer.members,
        form: .layer(layer.dense, input: graph.inputFactor(layer.dense), output: output),
        ridges: layer.members.map { routes.ridges[$0] })
    }
    let known = Set(blocks.flatMap(\.members))
    for k in targets.leaves.indices where !known.contains(k) {
      let count = graph.shape(targets.leaves[k]).elementCount
      guard count <= Self.exactLimit else {
        throw Diagnostic(
          .resource,
          "'\(targets.names[k])' is no weight of a dense layer, and with \(count) entries too large for its exact block",
          at: span, notes: ["a dense weight enters the model in one product, summed over its inputs"],
          hint:
            "the limit is \(Self.exactLimit); take the others: wrt …, or a method that needs products only")
      }
      let exact = gaussNewtonBlocks(routes.terms, [targets.leaves[k]])[0][0]
      blocks.append(KroneckerBlock(members: [k], form: .exact(exact), ridges: [nil]))
    }
    return blocks
  }

  /// The leaf of a cotangent of a term's output.
  private func placeholder(_ k: Int, _ term: LossRecognition.Part) -> Leaf {
    interpreter.placeholderLeaf("w", graph.shape(term.output), function: -2 - 2 * k, depth: depth)
  }

  /// The leaf in the place of a term's output.
  func stand(_ k: Int, _ term: LossRecognition.Part) -> Leaf {
    interpreter.placeholderLeaf("y", graph.shape(term.output), function: -3 - 2 * k, depth: depth)
  }

  /// Blocks of the Gauss–Newton matrix by some leaves, summed over the terms of a loss.
  func gaussNewtonBlocks(_ terms: [LossRecognition.Part], _ leaves: [NodeID]) -> [[NodeID]] {
    var blocks: [[NodeID]] = []
    for (k, term) in terms.enumerated() {
      let own = graph.ggnBlocks(
        term.loss, at: term.output, wrt: leaves, placeholder: placeholder(k, term), output: stand(k, term))
      blocks =
        k == 0
        ? own : zip(blocks, own).map { zip($0, $1).map { graph.add([$0, $1], shape: graph.shape($0)) } }
    }
    return blocks
  }

  /// `kfac(f, wrt, at=z)`: the block-diagonal matrix.
  func kronecker(_ f: NodeID, _ targets: Targets, at: Expr?, _ span: Span) throws -> Meaning {
    let shapes = targets.leaves.map(graph.shape)
    var whole = shapes.indices.map { i in (0...i).map { graph.zero(shapes[i] + shapes[$0]) } }
    for block in try kroneckerBlocks(f, targets, at: at, span) {
      let parts = entries(block)
      for (i, row) in parts.enumerated() {
        for (j, part) in row.enumerated() {
          let (a, b) = (block.members[i], block.members[j])
          whole[max(a, b)][min(a, b)] = a >= b ? part : mirrored(part, rows: shapes[a].count)
        }
      }
    }
    if targets.isSingle && shapes[0].count <= 1 { return .node(whole[0][0]) }
    let matrix = graph.assembled(whole, shapes)
    if targets.isSingle { return .node(matrix) }
    return .blockMatrix(matrix, names: targets.names, sizes: shapes.map(\.elementCount))
  }

  /// The lower triangle of a block between its members.
  func entries(_ block: KroneckerBlock) -> [[NodeID]] {
    switch block.form {
    case .exact(let node): return [[node]]
    case .layer(let dense, let input, let output):
      return graph.layerBlocks(dense, input: input, output: output, ridges: block.ridges)
    }
  }

  /// A block with its rows and columns exchanged.
  private func mirrored(_ node: NodeID, rows: Int) -> NodeID {
    let axes = Array(graph.shape(node).indices)
    return graph.contract(1, [Operand(node, axes)], to: Array(axes[rows...] + axes[..<rows]))
  }
}

/// How the params of a loss lead to the outputs of its terms.
private struct KroneckerRoutes {
  struct Layer {
    var dense: DenseLayer
    var members: [Int]
    /// Terms whose outputs it leads to.
    let terms: [Int]
  }

  let terms: [LossRecognition.Part]
  private(set) var layers: [Layer] = []
  private(set) var ridges: [NodeID?]

  init(_ graph: TensorGraph, _ terms: [LossRecognition.Part], _ leaves: [NodeID]) {
    self.terms = terms
    ridges = leaves.map { _ in nil }
    let below = terms.map { Set(graph.reachable(from: [$0.output])) }
    // Terms that each leaf leads to otherwise than by a penalty on its squares.
    var routes: [[Int]] = []
    for (k, leaf) in leaves.enumerated() {
      let touched = terms.indices.filter { below[$0].contains(leaf) }
      let own = touched.filter { terms[$0].output == leaf }
      let found = own.map { graph.ridge(terms[$0].loss, of: leaf) }
      let isRidge = found.allSatisfy { $0 != nil }
      if isRidge, !found.isEmpty { ridges[k] = graph.add(found.compactMap { $0 }, shape: []) }
      routes.append(isRidge ? touched.filter { !own.contains($0) } : touched)
    }
    func outputs(_ k: Int) -> [NodeID] { routes[k].map { terms[$0].output } }
    for (k, leaf) in leaves.enumerated() where !routes[k].isEmpty {
      guard let dense = graph.denseLayer(leaf, in: outputs(k)) else { continue }
      layers.append(Layer(dense: dense, members: [k], terms: routes[k]))
    }
    var taken = Set(layers.flatMap(\.members))
    for place in layers.indices {
      let layer = layers[place]
      let found = leaves.indices.lazy.filter { !taken.contains($0) && routes[$0] == layer.terms }
        .compactMap { k in graph.bias(leaves[k], of: layer.dense, in: outputs(k)).map { (k, $0) } }.first
      guard let (k, bias) = found else { continue }
      taken.insert(k)
      layers[place].members.append(k)
      layers[place].dense.bias = bias
    }
  }
}
