import Graph
import Tensors

/// A weight that enters a formula in one linear map z = W·a (+ b) over samples, read off the labels of its axes: those that
/// are summed with a are inputs, those that stay in z are outputs, and the axes of z that W lacks are the samples'.
/// Kernels shared over places of an input are layers too, with the places as samples.
public struct DenseLayer {
  /// The leaf W.
  public let weight: NodeID
  /// z, without the bias.
  public let activation: NodeID
  /// Axes of W.
  public let inputAxes: [Int]
  public let outputAxes: [Int]
  /// a, over the samples' axes and then the inputs'.
  let input: NodeID
  /// Axes of z.
  let sampleAxes: [Int]
  /// For each axis of z, the output that it is; nil for samples.
  let outputs: [Int?]
  public var bias: Bias?

  /// A leaf that is added to z wherever z occurs.
  public struct Bias {
    public let leaf: NodeID
    /// For each of its axes the output that it is.
    let outputs: [Int]
    /// z + factor·b.
    let factor: Double
  }
}

extension TensorGraph {
  /// The layer whose weight a leaf is, in formulas; nil where the leaf enters them in another way.
  public func denseLayer(_ weight: NodeID, in formulas: [NodeID]) -> DenseLayer? {
    let users = self.users(of: weight, in: formulas)
    guard users.count == 1, case .contract(let scale) = self[users[0]].op else { return nil }
    let node = self[users[0]]
    let rank = node.shape.count
    guard let place = node.operands.firstIndex(where: { $0.node == weight }),
      node.operands.count(where: { $0.node == weight }) == 1
    else { return nil }
    let labels = node.operands[place].labels
    var others = node.operands
    others.remove(at: place)
    let foreign = Set(others.flatMap(\.labels))
    let inputs = labels.indices.filter { labels[$0] >= rank }
    let outputs = labels.indices.filter { labels[$0] < rank }
    // A diagonal, and axes that W shares with a (as of a product entry by entry), are no linear map of the whole W.
    guard Set(labels).count == labels.count, !outputs.contains(where: { foreign.contains(labels[$0]) }),
      !foreign.isEmpty || !inputs.isEmpty
    else { return nil }
    let samples = (0..<rank).filter { !labels.contains($0) }
    var sizes: [Label: Int] = [:]
    for axis in samples { sizes[axis] = node.shape[axis] }
    for axis in inputs { sizes[labels[axis]] = shape(weight)[axis] }
    let input = contract(scale, others, to: samples + inputs.map { labels[$0] }, sizes: sizes)
    return DenseLayer(
      weight: weight, activation: users[0], inputAxes: inputs, outputAxes: outputs, input: input,
      sampleAxes: samples,
      outputs: (0..<rank).map { axis in outputs.firstIndex { labels[$0] == axis } }, bias: nil)
  }

  /// How a leaf is the bias of a layer in formulas: wherever either occurs, they are added in the same way.
  public func bias(_ leaf: NodeID, of layer: DenseLayer, in formulas: [NodeID]) -> DenseLayer.Bias? {
    let users = self.users(of: leaf, in: formulas)
    guard !users.isEmpty, users == self.users(of: layer.activation, in: formulas),
      !formulas.contains(layer.activation)
    else { return nil }
    var found: DenseLayer.Bias?
    for user in users {
      guard let bias = bias(leaf, of: layer, at: self[user]) else { return nil }
      if let found, found.outputs != bias.outputs || found.factor != bias.factor { return nil }
      found = bias
    }
    return found
  }

  private func bias(_ leaf: NodeID, of layer: DenseLayer, at node: Node) -> DenseLayer.Bias? {
    guard case .add(let coefficients) = node.op else { return nil }
    let places = node.operands.indices.filter { node.operands[$0].node == leaf }
    let targets = node.operands.indices.filter { node.operands[$0].node == layer.activation }
    guard places.count == 1, targets.count == 1, coefficients[targets[0]] != 0 else { return nil }
    let whole = node.operands[targets[0]].labels
    // Each of its axes is another output, and each output one of its axes.
    let outputs = node.operands[places[0]].labels.compactMap { label in
      whole.firstIndex(of: label).flatMap { layer.outputs[$0] }
    }
    guard Set(whole).count == whole.count, outputs.count == shape(leaf).count,
      outputs.sorted() == Array(layer.outputAxes.indices)
    else { return nil }
    return DenseLayer.Bias(
      leaf: leaf, outputs: outputs, factor: coefficients[places[0]] / coefficients[targets[0]])
  }

  private func users(of leaf: NodeID, in formulas: [NodeID]) -> [NodeID] {
    reachable(from: formulas).filter { id in self[id].operands.contains { $0.node == leaf } }
  }
}
