import Calculus
import Engine
import Graph
import Syntax
import Tensors

/// The formulas of a landscape at many points origin + Σₖ cₖ·dₖ of its params, as one batched evaluation.
final class LandscapePoints {
  private let interpreter: Interpreter
  private let elements: [NodeID]
  /// Takes the place of the coefficients of one point.
  private let coefficients: Leaf
  /// For each param the leaves that hold the origin and the directions.
  private let frames: [(origin: Leaf, directions: Leaf)]
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
    let count = directions.count
    coefficients = interpreter.placeholderLeaf("t", [count], function: PointBatch.scope, depth: 0)
    let t = graph.leaf(coefficients)
    var images: [NodeID: NodeID] = [:]
    var frames: [(origin: Leaf, directions: Leaf)] = []
    for (place, leaf) in landscape.leaves.enumerated() {
      let axes = Array(leaf.shape.indices)
      let base = interpreter.placeholderLeaf(
        "origin", leaf.shape, function: PointBatch.scope, depth: place + 1)
      let moves = interpreter.placeholderLeaf(
        "directions", [count] + leaf.shape, function: PointBatch.scope, depth: place + 1)
      let move = graph.contract(
        1, [Operand(t, [axes.count]), Operand(graph.leaf(moves), [axes.count] + axes)], to: axes)
      images[graph.leaf(leaf)] = graph.add(
        [Summand(1, Operand(graph.leaf(base), axes)), Summand(1, Operand(move, axes))], shape: leaf.shape)
      frames.append((base, moves))
    }
    self.frames = frames
    var formulas = landscape.formulas
    if gradients {
      let g = graph.grad(formulas[0], wrt: landscape.leaves.map(graph.leaf))
      formulas.append(graph.concatenated(g))
    }
    elements = graph.substitute(formulas, images)
    batch = PointBatch(interpreter, elements, varying: [coefficients], label: label)
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
      known[moves.id] = Tensor(directions.flatMap { $0[range] }, moves.shape, precision)
    }
  }

  /// The formulas at each point: tensors of shape [points] + the formula's.
  ///
  /// Throws when the user interrupts, and when one point alone does not fit into memory.
  ///
  /// - Parameter points: coefficients of the directions, a list for each point.
  func callAsFunction(_ points: [[Double]]) throws -> [Tensor] {
    let table = Tensor(points.flatMap { $0 }, [points.count] + coefficients.shape)
    return try batch([table], known: known)
  }

  /// The first formula over a plane, `across` running fastest, and at its point (0, 0).
  func grid(_ across: [Double], _ up: [Double]) throws -> (values: [Double], here: Double) {
    var table: [Double] = []
    table.reserveCapacity(2 * (across.count * up.count + 1))
    for t in up {
      for s in across {
        table.append(s)
        table.append(t)
      }
    }
    table += [0, 0]
    let values = try batch([Tensor(table, [table.count / 2, 2])], known: known)[0].doubles
    return (Array(values.dropLast()), values.last ?? .nan)
  }

  /// The first formula, its gradient and its Hessian by the coefficients, at one point.
  func derivatives(at point: [Double]) throws -> [Tensor] {
    let graph = interpreter.graph
    let t = graph.leaf(coefficients)
    let outputs =
      [elements[0]] + graph.grad(elements[0], wrt: [t]) + [graph.hessianMatrix(elements[0], wrt: [t])]
    let plan = try Plan(graph, outputs: outputs, precision: interpreter.state.settings.precision)
    try interpreter.checkMemory(plan)
    return try plan.run(
      plan.inputs.map { leaf in
        if leaf.id == coefficients.id {
          return Tensor(point, leaf.shape, interpreter.state.settings.precision)
        }
        return try known[leaf.id] ?? interpreter.inputValue(leaf)
      })
  }
}
