import Calculus
import Foundation
import Tensors
import Testing

@testable import Graph
@testable import Session

/// Whole losses, built from builtins, against finite differences of first and second order.
@Suite struct LossDerivativeTests {
  private func spread(_ shape: Shape, _ seed: Double) -> Tensor {
    Tensor((0..<shape.elementCount).map { 0.8 * sin(seed + 2.3 * Double($0)) }, shape)
  }

  private func check(
    _ shapes: [Shape], _ name: String, _ build: (BuiltinLab, [Meaning]) throws -> Meaning
  ) throws {
    let lab = BuiltinLab()
    let leaves = shapes.enumerated().map { lab.leaf("p\($0)", spread($1, Double($0))) }
    let loss = try lab.node(build(lab, leaves.map { .node($0) }))
    try checkDerivatives(of: loss, wrt: leaves, lab, name, third: false, tolerance: 1e-6)
  }

  @Test func network() throws {
    try check([[2, 3], [3], [3, 2]], "network") { lab, p in
      let x = lab.meaning(spread([4, 2], 9))
      let hidden = try lab.call("tanh", [lab.sum(lab.call("matmul", [x, p[0]]), p[1])])
      return try lab.call("crossentropy", [lab.call("matmul", [hidden, p[2]]), lab.meaning(v(0, 1, 1, 0))])
    }
  }

  @Test func attention() throws {
    try check([[2, 2], [2, 2], [2, 2]], "attention") { lab, p in
      let x = lab.meaning(spread([3, 2], 5))
      let parts = try p.map { try lab.call("matmul", [x, $0]) }
      let scores = try lab.call("matmul", [parts[0], lab.call("transpose", [parts[1]])])
      let mixed = try lab.call("matmul", [lab.call("softmax", [scores]), parts[2]])
      return try lab.call("mse", [mixed, x])
    }
  }

  @Test func mixture() throws {
    try check([[2], [2]], "mixture") { lab, p in
      let x = lab.meaning(spread([5], 3))
      let squares = try lab.call(
        "pow", [lab.sum(lab.call("expand_dims", [x, lab.number(1)]), p[0], -1), lab.number(2)])
      let weights = try lab.call("log_softmax", [p[1]])
      return try lab.call(
        "sum", [lab.call("logsumexp", [lab.sum(weights, squares, -0.5)], [("axis", lab.number(1))])])
    }
  }

  @Test func tiedAutoencoder() throws {
    try check([[3, 2]], "autoencoder") { lab, p in
      let x = lab.meaning(spread([4, 3], 2))
      let code = try lab.call("sigmoid", [lab.call("matmul", [x, p[0]])])
      return try lab.call("mse", [lab.call("matmul", [code, lab.call("transpose", [p[0]])]), x])
    }
  }

  @Test func gaussianProcess() throws {
    try check([[2]], "evidence") { lab, p in
      let (x, y) = (spread([3, 1], 2), lab.meaning(spread([3], 4)))
      let gap = try lab.sum(lab.meaning(x), lab.call("transpose", [lab.meaning(x)]), -1)
      let scale = try lab.call("exp", [lab.node(p[0], at: 0)])
      let kernel = try lab.call("exp", [lab.product(lab.call("pow", [gap, lab.number(2)]), scale, -1)])
      let noise = try lab.product(
        lab.call("eye", [lab.number(3)]), lab.call("exp", [lab.node(p[0], at: 1)]), 1)
      let covariance = try lab.sum(kernel, noise)
      let fit = try lab.call("dot", [y, lab.call("solve", [covariance, y])])
      return try lab.sum(fit, lab.call("logdet", [covariance]))
    }
  }

  /// No node of a Hessian is larger than four times the result, or than four times the samples by the two widest
  /// layers.
  @Test(arguments: ["labels", "probabilities", "mse"]) func hessiansStaySmall(kind: String) throws {
    let (samples, input, hidden, classes) = (64, 10, 8, 5)
    let lab = BuiltinLab()
    let first = lab.leaf("W1", spread([input, hidden], 1))
    let second = lab.leaf("W2", spread([hidden, classes], 2))
    let x = Meaning.node(lab.leaf("X", spread([samples, input], 3)))
    let code = try lab.call("tanh", [lab.call("matmul", [x, .node(first)])])
    let logits = try lab.call("matmul", [code, .node(second)])
    let shape = kind == "labels" ? [samples] : [samples, classes]
    let target = Meaning.node(lab.leaf("Y", Tensor(repeating: 0.2, shape)))
    let loss = try lab.node(lab.call(kind == "mse" ? "mse" : "crossentropy", [logits, target]))
    let blocks = lab.graph.hessianBlocks(loss, wrt: [first, second]).flatMap { $0 }
    let largest = lab.graph.reachable(from: blocks).map { lab.graph.shape($0).elementCount }.max() ?? 0
    #expect(largest <= 4 * max(input * hidden * input * hidden, samples * input * hidden))
    #expect(lab.graph.reachable(from: blocks).count < 200)
  }

  /// The gradient and the Hessian of a penalty on a Hessian-vector product: derivatives up to the fourth.
  @Test func curvaturePenalty() throws {
    let lab = BuiltinLab()
    let w = lab.leaf("w", v(0.4, -0.3))
    let x = lab.meaning(m([1, 0.5], [-0.7, 0.2], [0.3, 0.9]))
    let logits = try lab.call("matmul", [x, .node(w)])
    let loss = try lab.node(lab.call("binary_crossentropy", [logits, lab.meaning(v(1, 0, 1))]))
    let moved = lab.graph.hvp(loss, wrt: [w], [lab.graph.constant(v(1, 2))])[0]
    let penalty = try lab.node(lab.call("pow", [lab.call("norm", [.node(moved)]), lab.number(2)]))
    try checkDerivatives(of: penalty, wrt: [w], lab, "penalty", third: false, tolerance: 1e-6)
  }
}

extension BuiltinLab {
  fileprivate func number(_ value: Double) -> Meaning { .node(graph.fill(value)) }

  fileprivate func node(_ vector: Meaning, at place: Int) throws -> Meaning {
    .node(graph.picked(try node(vector), axis: 0, at: place))
  }

  /// a + scale·b, broadcast.
  fileprivate func sum(_ a: Meaning, _ b: Meaning, _ scale: Double = 1) throws -> Meaning {
    let items = [PlacedNode(node: try node(a), span: span), PlacedNode(node: try node(b), span: span)]
    let (operands, shape) = try graph.broadcast(items, "+")
    return .node(graph.add([Summand(1, operands[0]), Summand(scale, operands[1])], shape: shape))
  }

  fileprivate func product(_ a: Meaning, _ b: Meaning, _ scale: Double) throws -> Meaning {
    let items = [PlacedNode(node: try node(a), span: span), PlacedNode(node: try node(b), span: span)]
    let (operands, shape) = try graph.broadcast(items, "*")
    var sizes: [Label: Int] = [:]
    for axis in shape.indices { sizes[axis] = shape[axis] }
    return .node(graph.contract(scale, operands, to: Array(shape.indices), sizes: sizes))
  }
}
