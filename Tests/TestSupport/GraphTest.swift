import Graph
import Tensors

/// A suite around one graph.
public protocol GraphTest {
  var graph: TensorGraph { get }
}

extension GraphTest {
  public func leaf(_ id: Int, _ shape: Shape) -> NodeID {
    graph.leaf(Leaf(id: id, name: "x\(id)", shape: shape))
  }

  /// Numbers between −0.65 and 0.65 without a pattern along an axis.
  public func values(_ shape: Shape, _ seed: Double) -> Tensor {
    Tensor((0..<shape.elementCount).map { k in ((Double(k) + seed) * 0.7).remainder(dividingBy: 1.3) }, shape)
  }
}
