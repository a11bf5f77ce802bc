import Tensors

extension TensorGraph {
  /// Whether a square matrix equals its transpose by the way it is made: a Hessian, a sum or a multiple of symmetric
  /// matrices, or terms that are each other's transposes.
  public func isSymmetric(_ id: NodeID) -> Bool { isSymmetric(id, depth: 0) }

  private func isSymmetric(_ id: NodeID, depth: Int) -> Bool {
    if symmetricNodes.contains(id) { return true }
    let node = self[id]
    guard node.shape.count == 2, node.shape[0] == node.shape[1], depth < 64 else { return false }
    switch node.op {
    case .selector(let s): return s.starts[0] == s.starts[1] && s.steps[0] == s.steps[1]
    case .stop, .dense: return isSymmetric(node.operands[0].node, depth: depth + 1)
    case .add(let coefficients):
      let rest = zip(coefficients, node.operands).filter { _, operand in
        !operand.labels.isEmpty && !(operand.labels.count == 2 && isSymmetric(operand.node, depth: depth + 1))
      }
      return rest.isEmpty || arePaired(rest.map { Summand($0, $1) })
    case .contract:
      let factors = node.operands.filter { !$0.labels.isEmpty }
      if factors.count == 1, Set(factors[0].labels) == [0, 1], factors[0].labels.count == 2 {
        return isSymmetric(factors[0].node, depth: depth + 1)
      }
      return contract(1, swapped(node.operands), to: [0, 1]) == contract(1, node.operands, to: [0, 1])
    case .map:
      return node.operands.allSatisfy {
        $0.labels.isEmpty || Set($0.labels) == [0, 1] && isSymmetric($0.node, depth: depth + 1)
      }
    case .matrix(.inverse): return isSymmetric(node.operands[0].node, depth: depth + 1)
    default: return false
    }
  }

  private func swapped(_ operands: [Operand]) -> [Operand] {
    operands.map { Operand($0.node, $0.labels.map { $0 < 2 ? 1 - $0 : $0 }) }
  }

  /// Every term has its transpose among the others.
  private func arePaired(_ summands: [Summand]) -> Bool {
    let terms = summands.map(\.operand)
    func written(_ term: Operand, swapping: Bool) -> NodeID {
      let node = self[term.node]
      guard case .contract(let scale) = node.op, term.labels.count == 2, Set(term.labels) == [0, 1] else {
        return contract(1, swapping ? swapped([term]) : [term], to: [0, 1])
      }
      let flips = (term.labels == [1, 0]) != swapping
      return contract(scale, flips ? swapped(node.operands) : node.operands, to: [0, 1])
    }
    guard terms.count <= 64, terms.allSatisfy({ Set($0.labels) == [0, 1] }) else { return false }
    var rest = summands.map { (node: written($0.operand, swapping: false), coefficient: $0.coefficient) }
    for summand in summands {
      let image = written(summand.operand, swapping: true)
      let match = rest.firstIndex { $0.node == image && $0.coefficient == summand.coefficient }
      guard let match else { return false }
      rest.remove(at: match)
    }
    return true
  }
}
