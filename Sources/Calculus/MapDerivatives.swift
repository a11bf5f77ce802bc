import Graph
import Tensors

extension TensorGraph {
  /// ∂f/∂(operand k) as a node of the result's shape; nil where it is zero everywhere. Forms avoid cancellation:
  /// σ(z)·σ(−z), sech², and so on.
  func partial(_ f: MapFunction, of id: NodeID, by k: Int) -> NodeID? {
    let node = self[id]
    func apply(_ g: MapFunction, _ operands: [Operand]) -> NodeID { map(g, operands, shape: node.shape) }
    let x = node.operands[0]
    switch f {
    case .max, .min, .pow, .atan2, .modulo, .select: return binaryPartial(f, of: id, by: k)
    case .exp: return id
    case .expm1: return apply(.exp, [x])
    case .log: return apply(.reciprocal, [x])
    case .sqrt: return scaled(0.5, map(.reciprocal, id))
    case .rootAtZero: return scaled(0.5, apply(.reciprocalRootAtZero, [x]))
    case .reciprocalRootAtZero: return scaled(-0.5, map(.power(3), id))
    case .sin: return apply(.cos, [x])
    case .cos: return scaled(-1, apply(.sin, [x]))
    case .tan: return affine(1, 1, map(.power(2), id))
    case .sinh: return apply(.cosh, [x])
    case .cosh: return apply(.sinh, [x])
    case .tanh: return apply(.sech2, [x])
    case .sech2: return scaled(-2, multiplied(id, apply(.tanh, [x])))
    case .sigmoid: return multiplied(id, map(.sigmoid, scaled(-1, expanded(x, node.shape))))
    case .softplus: return apply(.sigmoid, [x])
    case .abs: return apply(.sign, [x])
    case .relu: return apply(.step, [x])
    case .reciprocal: return scaled(-1, map(.power(2), id))
    case .power(let n): return n == 0 ? nil : scaled(Double(n), apply(.power(n - 1), [x]))
    case .log1p: return map(.reciprocal, affine(1, 1, expanded(x, node.shape)))
    case .erf, .asin, .acos, .atan: return quadraticPartial(f, expanded(x, node.shape))
    default: return nil
    }
  }

  /// The operand with all axes of the result.
  private func expanded(_ operand: Operand, _ shape: Shape) -> NodeID {
    var sizes: [Label: Int] = [:]
    for axis in shape.indices { sizes[axis] = shape[axis] }
    return contract(1, [operand], to: Array(shape.indices), sizes: sizes)
  }

  /// y − 1 for known exponents; 1 in the place of −1, so that 0·xʸ⁻¹ is 0 where x is 0, too.
  private func lowered(_ y: Operand) -> Operand? {
    guard case .tensor(let index) = self[y.node].op else { return nil }
    let known = constants[index]
    return Operand(constant(Tensor(known.doubles.map { $0 == 0 ? 1 : $0 - 1 }, known.shape)), y.labels)
  }

  private func quadraticPartial(_ f: MapFunction, _ x: NodeID) -> NodeID {
    let square = map(.power(2), x)
    switch f {
    case .erf: return scaled(2 / Double.pi.squareRoot(), map(.exp, scaled(-1, square)))
    case .atan: return map(.reciprocal, affine(1, 1, square))
    default:
      let root = map(.reciprocal, map(.sqrt, affine(1, -1, square)))
      return f == .asin ? root : scaled(-1, root)
    }
  }

  private func binaryPartial(_ f: MapFunction, of id: NodeID, by k: Int) -> NodeID? {
    let node = self[id]
    let shape = node.shape
    let axes = Array(shape.indices)
    let (x, y) = (node.operands[0], node.operands[1])
    func apply(_ g: MapFunction, _ operands: [Operand]) -> NodeID { map(g, operands, shape: shape) }
    switch f {
    case .max, .min:
      // Ties split evenly.
      let wins = (f == .max) == (k == 0) ? apply(.less, [y, x]) : apply(.less, [x, y])
      return add(
        [Summand(1, Operand(wins, axes)), Summand(0.5, Operand(apply(.equal, [x, y]), axes))], shape: shape)
    case .pow:
      if k == 0 {
        let lower = lowered(y) ?? Operand(affine(-1, 1, expanded(y, shape)), axes)
        return multiplied(expanded(y, shape), apply(.pow, [x, lower]))
      }
      // xʸ·log x, and 0 for x ≤ 0 (the limit at 0 for y > 0).
      let positive = apply(.less, [Operand(fill(0), []), x])
      let slope = multiplied(id, apply(.log, [x]))
      return select(Operand(positive, axes), Operand(slope, axes), Operand(fill(0), []), shape: shape)
    case .atan2:
      let radius = add([apply(.power(2), [x]), apply(.power(2), [y])], shape: shape)
      let share = multiplied(expanded(k == 0 ? y : x, shape), map(.reciprocal, radius))
      return k == 0 ? share : scaled(-1, share)
    case .modulo:
      if k == 0 { return fill(1, shape) }
      return scaled(-1, map(.floor, multiplied(expanded(x, shape), apply(.reciprocal, [y]))))
    default:
      if k == 0 { return nil }
      return k == 1 ? apply(.notEqual, [x, Operand(fill(0), [])]) : apply(.not, [x])
    }
  }
}
