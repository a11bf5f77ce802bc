import Calculus
import Engine
import Graph
import Syntax
import Tensors

/// The formulas of a landscape at many points origin + Σₖ cₖ·dₖ of its params, as one batched evaluation.
final class LandscapePoints {
  private let interpreter: Interpreter
  private let elements: [NodeID]
  /// Take the place of the coefficients of one point. They are numbers, so that products with the point can be
  /// multiplied out.
  private let coefficients: [Leaf]
  /// For each param the leaves that hold the origin and each direction.
  private let frames: [(origin: Leaf, directions: [Leaf])]
  private var known: [Int: Tensor] = [:]
  private let batch: PointBatch

  /// - Parameters:
  ///   - origin: a point of the params, flat, in the order of the landscape's leaves.
  ///   - directions: at least one; each as long as `origin`.
  ///   - gradients: adds ∇ of the first formula, flat, after the values.
  ///   - label: what the points are for, in the progress line.
  init(
    _ interpreter: Interpreter, _ landscape: Landscape, origin: [Double], directions: [[Double]],
    gradients: Bool = false, label: String
  ) throws {
    self.interpreter = interpreter
    let graph = interpreter.graph
    func leaf(_ name: String, _ shape: Shape, _ depth: Int) -> Leaf {
      interpreter.placeholderLeaf(name, shape, function: PointBatch.scope, depth: depth)
    }
    coefficients = directions.indices.map { leaf("t", [], $0) }
    var images: [NodeID: NodeID] = [:]
    var frames: [(origin: Leaf, directions: [Leaf])] = []
    for (place, param) in landscape.leaves.enumerated() {
      let first = (place + 1) * (directions.count + 1)
      let base = leaf("origin", param.shape, first)
      let moves = directions.indices.map { leaf("direction", param.shape, first + 1 + $0) }
      let axes = Array(param.shape.indices)
      let products = zip(coefficients, moves).map { t, move in
        graph.contract(1, [Operand(graph.leaf(t), []), Operand(graph.leaf(move), axes)], to: axes)
      }
      images[graph.leaf(param)] = graph.add([graph.leaf(base)] + products, shape: param.shape)
      frames.append((base, moves))
    }
    self.frames = frames
    var formulas = landscape.formulas
    if gradients {
      let g = graph.grad(formulas[0], wrt: landscape.leaves.map(graph.leaf))
      formulas.append(graph.concatenated(g))
    }
    elements = graph.substitute(formulas, images)
    batch = PointBatch(interpreter, elements, varying: coefficients, label: label)
    move(to: origin, directions)
  }

  /// Another origin and other directions, as many as before; plans stay.
  func move(to origin: [Double], _ directions: [[Double]]) {
    let precision = interpreter.state.settings.precision
    var start = 0
    for (base, moves) in frames {
      let range = start..<(start + base.shape.elementCount)
      start = range.upperBound
      known[base.id] = Tensor(Array(origin[range]), base.shape, precision)
      for (move, direction) in zip(moves, directions) {
        known[move.id] = Tensor(Array(direction[range]), move.shape, precision)
      }
    }
  }

  /// The formulas at each point: tensors of shape [points] + the formula's.
  ///
  /// Throws when the user interrupts, and when one point alone does not fit into memory.
  ///
  /// - Parameter points: coefficients of the directions, a list for each point.
  func callAsFunction(_ points: [[Double]]) throws -> [Tensor] {
    try batch(coefficients.indices.map { k in Tensor(vector: points.map { $0[k] }) }, known: known)
  }

  /// The first formula over a plane, `across` running fastest, and at its point (0, 0).
  func grid(_ across: [Double], _ up: [Double]) throws -> (values: [Double], here: Double) {
    let s: [Double] = up.flatMap { _ in across } + [0]
    let t: [Double] = up.flatMap { t in across.map { _ in t } } + [0]
    let values = try batch([Tensor(vector: s), Tensor(vector: t)], known: known)[0].doubles
    return (Array(values.dropLast()), values.last ?? .nan)
  }

  /// The first formula, its gradient and its Hessian by the coefficients, at one point.
  func derivatives(at point: [Double]) throws -> [Tensor] {
    let graph = interpreter.graph
    let t = coefficients.map(graph.leaf)
    let gradient = graph.concatenated(graph.grad(elements[0], wrt: t))
    let outputs = [elements[0], gradient, graph.hessianMatrix(elements[0], wrt: t)]
    let plan = try Plan(graph, outputs: outputs, precision: interpreter.state.settings.precision)
    try interpreter.checkMemory(plan)
    return try plan.run(
      plan.inputs.map { leaf in
        if let k = coefficients.firstIndex(where: { $0.id == leaf.id }) {
          return Tensor([point[k]], [], interpreter.state.settings.precision)
        }
        return try known[leaf.id] ?? interpreter.inputValue(leaf)
      })
  }
}
