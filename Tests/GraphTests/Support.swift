import Graph
import Tensors

@testable import Calculus

/// Graphs built by hand.
struct Sheet {
  let graph = TensorGraph()

  func leaf(_ name: String, _ shape: Shape) -> NodeID {
    graph.leaf(Leaf(id: graph.leaves.count, name: name, shape: shape))
  }

  func name(_ node: NodeID, _ name: String) -> NodeID {
    graph.names[node] = name
    return node
  }

  /// `"nk,k->n"`, scaled.
  func einsum(_ pattern: String, _ nodes: NodeID..., scale: Double = 1) -> NodeID {
    var parts: [[Label]] = [[]]
    var result: [Label]?
    for character in pattern {
      switch character {
      case ",": parts.append([])
      case "-": continue
      case ">": result = []
      default:
        let label = Label(character.asciiValue ?? 0)
        if result == nil { parts[parts.count - 1].append(label) } else { result?.append(label) }
      }
    }
    return graph.contract(scale, zip(nodes, parts).map { Operand($0, $1) }, to: result ?? [])
  }

  func at(_ x: NodeID, _ k: Int) -> NodeID { einsum("i,i->", x, graph.selector(.oneHot(k), graph.shape(x))) }

  func slice(_ x: NodeID, _ start: Int, _ count: Int) -> NodeID {
    let n = graph.shape(x)[0]
    return einsum("i,ij->j", x, graph.selector(.slice(start: start, step: 1, count: count), [n, count]))
  }

  /// Σ coefficient · node, nodes of one shape or with explicit labels.
  func add(_ terms: [(Double, NodeID)]) -> NodeID {
    let shape = terms.map { graph.shape($0.1) }.max { $0.count < $1.count } ?? []
    return graph.add(
      terms.map { term in
        let rank = graph.shape(term.1).count
        return Summand(term.0, Operand(term.1, Array((shape.count - rank)..<shape.count)))
      }, shape: shape)
  }

  func map(_ f: MapFunction, _ nodes: NodeID...) -> NodeID {
    let shape = nodes.map { graph.shape($0) }.max { $0.count < $1.count } ?? []
    return graph.map(
      f,
      nodes.map { node in
        let rank = graph.shape(node).count
        return Operand(node, Array((shape.count - rank)..<shape.count))
      }, shape: shape)
  }

  func number(_ value: Double) -> NodeID { graph.fill(value) }

  func show(_ node: NodeID, _ left: String = "", _ style: MathStyle = .unicode, width: Int = 100) -> [String]
  {
    MathPrinter(graph, style: style, width: width).formula(node, left: left.isEmpty ? nil : left).lines
  }

  func gradient(_ f: NodeID, _ x: NodeID) -> NodeID { graph.grad(f, wrt: [x])[0] }
  func hessian(_ f: NodeID, _ x: NodeID) -> NodeID { graph.hessianBlocks(f, wrt: [x])[0][0] }
}
