import Calculus
import Foundation
import Syntax
import Tensors
import TestSupport
import Testing

@testable import Graph
@testable import Session

/// Calls builtins on leaves and constants and evaluates the results with the reference interpreter.
final class BuiltinLab: FormulaContext {
  let graph = TensorGraph()
  var interpreter: ReferenceInterpreter
  var draws: [Distribution] = []
  let span = Span(SourceText(name: "<test>", text: "call"), 0, 4)

  init() { interpreter = ReferenceInterpreter(graph: graph) }

  func leaf(_ name: String, _ value: Tensor) -> NodeID {
    let leaf = Leaf(id: interpreter.leaves.count, name: name, shape: value.shape)
    interpreter.leaves[leaf.id] = value
    return graph.leaf(leaf)
  }

  func staticValue(_ node: NodeID, _ span: Span, _ what: String) throws -> Tensor {
    guard graph.leaves(below: [node]).isEmpty else {
      throw Diagnostic(.domain, "\(what) must be known", at: span)
    }
    return try interpreter.evaluate(node)
  }

  func hessianSource(of matrix: NodeID) -> HessianSource? { nil }

  /// Leaves with fixed numbers in (0, 1).
  func draw(_ distribution: Distribution, _ shape: Shape, _ span: Span) throws -> NodeID {
    draws.append(distribution)
    let values = (0..<shape.elementCount).map { 0.05 + 0.9 * abs(sin(Double(7 * $0 + 1))) }
    return leaf("draw", Tensor(values, shape))
  }

  func call(_ name: String, _ positional: [Meaning], _ named: [(String, Meaning)] = []) throws -> Meaning {
    let builtin = try #require(Builtins.byName[name], "no builtin \(name)")
    let given = positional.map { Builtins.Given(name: nil, value: $0, span: span) }
    let options = named.map { Builtins.Given(name: $0.0, value: $0.1, span: span) }
    return try builtin.build(Builtins.bind(builtin, given + options, in: self, at: span))
  }

  func meaning(_ tensor: Tensor) -> Meaning { .node(graph.constant(tensor)) }

  /// The node of a result; of a record, the named field.
  func node(_ meaning: Meaning, field: String? = nil) throws -> NodeID {
    switch meaning {
    case .node(let node): return node
    case .fields(let fields):
      let found = fields.first { $0.name == field } ?? fields[0]
      return try node(found.value)
    default: throw Diagnostic(.type, "not a tensor")
    }
  }
}

func v(_ values: Double...) -> Tensor { Tensor(vector: values) }
func s(_ value: Double) -> Tensor { Tensor(scalar: value) }
func m(_ rows: [Double]...) -> Tensor { Tensor(rows.flatMap { $0 }, [rows.count, rows.first?.count ?? 0]) }

/// Checks value and shape of a call on constants, and again on leaves.
func expect(
  _ name: String, _ arguments: [Tensor], _ options: [(String, Tensor)] = [], field: String? = nil,
  statics: Set<Int> = [],
  gives expected: Tensor, location: SourceLocation = #_sourceLocation
) throws {
  for asLeaves in [false, true] {
    let lab = BuiltinLab()
    let inputs = arguments.enumerated().map { k, tensor in
      asLeaves && !statics.contains(k) ? Meaning.node(lab.leaf("x\(k)", tensor)) : lab.meaning(tensor)
    }
    let result = try lab.node(lab.call(name, inputs, options.map { ($0.0, lab.meaning($0.1)) }), field: field)
    let value = try lab.interpreter.evaluate(result)
    #expect(value.shape == expected.shape, "\(name)", sourceLocation: location)
    #expect(
      isClose(value.doubles, expected.doubles, 1e-12), "\(name): \(value.doubles)", sourceLocation: location)
  }
}

func isClose(_ a: [Double], _ b: [Double], _ tolerance: Double) -> Bool {
  a.count == b.count
    && zip(a, b).allSatisfy { x, y in
      x == y || x.isNaN && y.isNaN || abs(x - y) <= tolerance * max(1, abs(x), abs(y))
    }
}

/// Compares reverse mode with differences of the value, and forward over reverse with differences of the gradient,
/// for Σ w·sin(result); on request the next derivative too. Arguments in `statics` are constants.
func checkDerivatives(
  _ name: String, _ arguments: [Tensor], _ options: [(String, Tensor)] = [], field: String? = nil,
  statics: Set<Int> = [], symmetric: Bool = false, third: Bool = false, tolerance: Double = 2e-7,
  location: SourceLocation = #_sourceLocation
) throws {
  let lab = BuiltinLab()
  let graph = lab.graph
  var leaves: [NodeID] = []
  let inputs = arguments.enumerated().map { k, tensor -> Meaning in
    if statics.contains(k) { return lab.meaning(tensor) }
    leaves.append(lab.leaf("x\(k)", tensor))
    let x = leaves[leaves.count - 1]
    guard symmetric else { return .node(x) }
    return .node(
      graph.add([Summand(0.5, Operand(x, [0, 1])), Summand(0.5, Operand(x, [1, 0]))], shape: tensor.shape))
  }
  let result = try lab.node(lab.call(name, inputs, options.map { ($0.0, lab.meaning($0.1)) }), field: field)
  try checkDerivatives(
    of: result, wrt: leaves, lab, name, third: third, tolerance: tolerance, location: location)
}

func checkDerivatives(
  of result: NodeID, wrt leaves: [NodeID], _ lab: BuiltinLab, _ name: String, third: Bool, tolerance: Double,
  location: SourceLocation = #_sourceLocation
) throws {
  let graph = lab.graph
  let weights = (0..<graph.shape(result).elementCount).map { 0.4 + 0.6 * cos(Double(3 * $0)) }
  let f = graph.innerProduct(graph.constant(Tensor(weights, graph.shape(result))), graph.map(.sin, result))
  let gradients = graph.grad(f, wrt: leaves)
  for (k, leaf) in leaves.enumerated() {
    let hessians = leaves.map { graph.jacobians(of: [gradients[k]], wrt: $0)[0] }
    let lower = [f] + gradients + (third ? hessians : [])
    let higher = [gradients[k]] + graph.jacobians(of: gradients + (third ? hessians : []), wrt: leaf)
    let values = try lab.interpreter.evaluate(higher)
    let n = graph.shape(leaf).elementCount
    for entry in 0..<n {
      for (block, slope) in zip(values, try ridders(lab, leaf, entry, lower)) {
        let column = stride(from: entry, to: block.count, by: n).map { block[flat: $0] }
        #expect(
          isClose(column, slope, tolerance), "\(name) by \(k)[\(entry)]: \(column) or \(slope)",
          sourceLocation: location)
      }
    }
  }
}

/// Ridders' extrapolation of central differences by one entry of a leaf.
func ridders(_ lab: BuiltinLab, _ leaf: NodeID, _ entry: Int, _ outputs: [NodeID]) throws -> [[Double]] {
  let id = try #require(lab.graph.leaf(of: leaf)).id
  let center = try #require(lab.interpreter.leaves[id])
  defer { lab.interpreter.leaves[id] = center }
  func values(_ step: Double) throws -> [Double] {
    var moved = center
    moved[flat: entry] += step
    lab.interpreter.leaves[id] = moved
    return try lab.interpreter.evaluate(outputs).flatMap(\.doubles)
  }
  var rows: [[[Double]]] = []
  var step = 0.02
  for order in 0..<5 {
    let (up, down) = (try values(step), try values(-step))
    var row = [zip(up, down).map { ($0 - $1) / (2 * step) }]
    for j in 0..<order {
      let factor = pow(4, Double(j + 1))
      row.append(zip(row[j], rows[order - 1][j]).map { (factor * $0 - $1) / (factor - 1) })
    }
    rows.append(row)
    step /= 2
  }
  let flat = rows[4][4]
  var start = 0
  return outputs.map { output in
    defer { start += lab.graph.shape(output).elementCount }
    return Array(flat[start..<(start + lab.graph.shape(output).elementCount)])
  }
}
