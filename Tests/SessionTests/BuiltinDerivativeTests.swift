import Foundation
import Tensors
import Testing

@testable import Graph
@testable import Session

/// First and second derivatives of every differentiable builtin against finite differences.
@Suite struct BuiltinDerivativeTests {
  private let a = m([0.3, -0.7, 1.1], [0.9, 0.2, -0.4])
  private let x = v(0.3, -0.7, 1.1, 0.4, -0.2)

  @Test func arranging() throws {
    try checkDerivatives("linspace", [s(0.3), s(1.2), s(4)], statics: [2])
    try checkDerivatives("full", [s(0.3), s(2)], statics: [1])
    try checkDerivatives("cat", [v(0.3, 0.5), v(0.7)])
    try checkDerivatives("stack", [v(0.3, 0.5), v(0.7, -0.2)], [("axis", s(1))])
    try checkDerivatives("reshape", [a, s(3), s(2)], statics: [1, 2])
    try checkDerivatives("transpose", [a])
    try checkDerivatives("expand_dims", [x, s(0)], statics: [1])
    try checkDerivatives("tile", [v(0.3, 0.5), s(3)], statics: [1])
    try checkDerivatives("repeat", [v(0.3, 0.5), s(3)], statics: [1])
    try checkDerivatives("diag", [v(0.3, 0.5)])
    try checkDerivatives("diag", [a])
    try checkDerivatives("tril", [a])
    try checkDerivatives("triu", [a])
    try checkDerivatives("flip", [a])
    try checkDerivatives("roll", [a, s(2)], statics: [1])
  }

  @Test func pointwise() throws {
    let anywhere = [
      "exp", "expm1", "abs", "sin", "cos", "tan", "atan", "sinh", "cosh", "tanh", "sigmoid", "softplus",
      "relu",
      "gelu", "silu", "elu", "leaky_relu", "erf", "sign", "floor", "ceil", "cbrt",
    ]
    for name in anywhere { try checkDerivatives(name, [v(0.3, -0.7, 1.1)]) }
    for name in ["log", "log2", "log10", "log1p", "sqrt"] { try checkDerivatives(name, [v(0.4, 1.3)]) }
    for name in ["asin", "acos"] { try checkDerivatives(name, [v(0.4, -0.5)]) }
    for name in ["atan2", "maximum", "minimum", "max", "min"] {
      try checkDerivatives(name, [v(0.3, -0.7), v(0.5, 0.2)])
    }
    try checkDerivatives("mod", [v(2.3, 0.7), s(0.6)])
    try checkDerivatives("pow", [v(0.4, 1.3), s(1.7)])
    try checkDerivatives("pow", [v(0.4, -1.3), s(3)], statics: [1])
    try checkDerivatives("clip", [x, s(-0.5), s(0.8)])
    try checkDerivatives("where", [v(1, 0), v(0.4, 0.7), v(1.2, 0.1)], statics: [0])
  }

  @Test func reductions() throws {
    for name in ["sum", "mean", "var", "std", "max", "min", "prod", "logsumexp", "norm", "median"] {
      try checkDerivatives(name, [x])
      try checkDerivatives(name, [a], [("axis", s(1))])
    }
    for n in 1...6 { try checkDerivatives("prod", [Tensor(vector: (0..<n).map { 0.5 + 0.2 * Double($0) })]) }
    try checkDerivatives("prod", [v(0, 0.5, 0, 0.7)])
    try checkDerivatives("norm", [x], [("ord", s(1))])
    try checkDerivatives("norm", [x], [("ord", s(.infinity))])
    try checkDerivatives("norm", [x], [("ord", s(3))])
    try checkDerivatives("quantile", [x, s(0.3)], statics: [1])
    try checkDerivatives("cumsum", [a], [("axis", s(1))])
    try checkDerivatives("sort", [x])
    try checkDerivatives("topk", [a, s(2)], field: "values", statics: [1])
  }

  @Test func products() throws {
    try checkDerivatives("dot", [v(0.3, 0.5), v(0.7, -0.2)])
    try checkDerivatives("outer", [v(0.3, 0.5), v(0.7, -0.2)])
    try checkDerivatives("matmul", [a, v(0.3, 0.5, 0.1)])
    try checkDerivatives("matmul", [Tensor([0.1, 0.2, 0.3, 0.4], [2, 1, 2]), a])
    try checkDerivatives("kron", [v(0.3, 0.5), v(0.7, -0.2)])
    try checkDerivatives("cross", [v(0.3, 0.5, 0.1), v(0.7, -0.2, 0.6)])
  }

  @Test func matrices() throws {
    let square = m([1.3, 0.2], [-0.4, 0.9])
    for name in ["trace", "inv", "logdet", "det"] { try checkDerivatives(name, [square]) }
    try checkDerivatives("det", [m([1.2, 0.3, 0.1], [0.4, 0.9, 0.2], [0.1, 0.5, 1.1])])
    try checkDerivatives("det", [m([1, 2], [2, 4])])
    try checkDerivatives("solve", [square, v(0.3, 0.5)])
    try checkDerivatives("solve", [square, m([0.3, 0.5], [0.1, 0.7])])
    let definite = m([1.5, 0.3], [0.3, 0.8])
    for symmetric in [false, true] {
      try checkDerivatives("cholesky", [definite], symmetric: symmetric)
      try checkDerivatives("eig", [definite], field: "values", symmetric: symmetric)
      try checkDerivatives("eig", [definite], field: "vectors", symmetric: symmetric)
    }
    for matrix in [square, a, m([0.3, 0.9], [-0.7, 0.2], [1.1, -0.4])] {
      try checkDerivatives("svd", [matrix], field: "values")
    }
    try checkDerivatives("svd", [square], field: "u")
  }

  @Test func learning() throws {
    let logits = m([0.3, -0.7, 1.1], [0.9, 0.2, -0.4])
    try checkDerivatives("softmax", [logits])
    try checkDerivatives("softmax", [logits], [("axis", s(0))])
    try checkDerivatives("log_softmax", [logits])
    try checkDerivatives("crossentropy", [logits, v(2, 0)], statics: [1])
    try checkDerivatives("crossentropy", [logits, m([0.2, 0.3, 0.5], [1, 0, 0])])
    try checkDerivatives("crossentropy", [x, s(3)], statics: [1])
    try checkDerivatives("binary_crossentropy", [v(0.3, -0.7), v(1, 0)], statics: [1])
    try checkDerivatives("mse", [v(0.3, 0.5), v(0.7, -0.2)])
  }

  @Test func thirdOrder() throws {
    let two = v(0.6, 1.1)
    for name in ["prod", "logsumexp", "norm", "std", "softmax", "gelu", "cbrt", "sort", "sigmoid"] {
      try checkDerivatives(name, [two], third: true, tolerance: 2e-6)
    }
    try checkDerivatives("pow", [two, s(1.7)], third: true, tolerance: 2e-6)
    let square = m([1.3, 0.2], [-0.4, 0.9])
    for name in ["inv", "logdet", "det"] {
      try checkDerivatives(name, [square], third: true, tolerance: 2e-6)
    }
    try checkDerivatives("solve", [square, two], third: true, tolerance: 2e-6)
    let definite = m([1.5, 0.3], [0.3, 0.8])
    try checkDerivatives("cholesky", [definite], symmetric: true, third: true, tolerance: 2e-6)
    try checkDerivatives("eig", [definite], field: "values", symmetric: true, third: true, tolerance: 2e-6)
    try checkDerivatives("svd", [square], field: "values", third: true, tolerance: 2e-6)
  }

  /// Structure: derivatives of a long product stay small graphs.
  @Test func longProduct() throws {
    let lab = BuiltinLab()
    let leaf = lab.leaf("x", Tensor(repeating: 1.5, [64]))
    let f = try lab.node(lab.call("prod", [.node(leaf)]))
    let gradient = lab.graph.grad(f, wrt: [leaf])[0]
    let hessian = lab.graph.jacobians(of: [gradient], wrt: leaf)[0]
    #expect(lab.graph.reachable(from: [gradient]).count < 120)
    #expect(lab.graph.reachable(from: [hessian]).count < 1000)
  }

  /// Where a formula has a kink or a removable singularity, the documented convention, at both orders.
  @Test func conventions() throws {
    func derivatives(_ name: String, _ point: Tensor, squared: Bool = false) throws -> (
      first: [Double], second: [Double]
    ) {
      let lab = BuiltinLab()
      let leaf = lab.leaf("x", point)
      var f = try lab.node(lab.call(name, [.node(leaf)]))
      if squared { f = lab.graph.map(.power(2), f) }
      f = lab.graph.summed(f, over: lab.graph.axes(f))
      let gradient = lab.graph.grad(f, wrt: [leaf])[0]
      let second = lab.graph.jacobians(of: [gradient], wrt: leaf)[0]
      let values = try lab.interpreter.evaluate([gradient, second])
      return (values[0].doubles, values[1].doubles)
    }
    #expect(try derivatives("relu", s(0)) == ([0], [0]))
    #expect(try derivatives("abs", s(0)) == ([0], [0]))
    #expect(try derivatives("leaky_relu", s(0)) == ([0.01], [0]))
    #expect(try derivatives("max", v(2, 2)) == ([0.5, 0.5], [0, 0, 0, 0]))
    #expect(try derivatives("norm", v(0, 0)) == ([0, 0], [0, 0, 0, 0]))
    #expect(try derivatives("norm", v(0, 0), squared: true) == ([0, 0], [2, 0, 0, 2]))
    #expect(try derivatives("prod", v(0, 0, 3)) == ([0, 0, 0], [0, 3, 0, 3, 0, 0, 0, 0, 0]))
    #expect(try derivatives("cbrt", s(0)).first == [.infinity])
    #expect(try derivatives("stop", s(3)) == ([0], [0]))
    // Far out nothing overflows.
    #expect(try derivatives("elu", s(1000)) == ([1], [0]))
    #expect(try derivatives("softplus", s(1000)) == ([1], [0]))
    #expect(try derivatives("sigmoid", s(-1000)) == ([0], [0]))
    #expect(try derivatives("gelu", s(1000)) == ([1], [0]))
    #expect(try derivatives("logsumexp", v(1000, 0)) == ([1, 0], [0, 0, 0, 0]))
    #expect(try derivatives("logsumexp", v(-.infinity, 2)) == ([0, 1], [0, 0, 0, 0]))
    #expect(try derivatives("log_softmax", v(1000, 1000)) == ([0, 0], [-0.5, 0.5, 0.5, -0.5]))
  }

  /// What `where` does not choose leaves exact zeros, whatever it holds.
  @Test func branchesNotTaken() throws {
    func derivatives(_ point: Tensor, _ build: (BuiltinLab, NodeID) throws -> NodeID) throws -> [[Double]] {
      let lab = BuiltinLab()
      let x = lab.leaf("x", point)
      let positive = lab.graph.map(
        .less, [Operand(lab.graph.fill(0), []), Operand(x, lab.graph.axes(x))], shape: point.shape)
      let branch = try build(lab, x)
      let chosen = try lab.node(
        lab.call("where", [.node(positive), .node(branch), .node(lab.graph.fill(0))]))
      let f = lab.graph.summed(chosen, over: lab.graph.axes(chosen))
      let gradient = lab.graph.grad(f, wrt: [x])[0]
      let second = lab.graph.jacobians(of: [gradient], wrt: x)[0]
      let third = lab.graph.jacobians(of: [second], wrt: x)[0]
      return try lab.interpreter.evaluate([f, gradient, second, third]).map(\.doubles)
    }
    let zero = [[0.0], [0.0], [0.0], [0.0]]
    for bad in [0.0, -1, -.infinity, .nan] {
      let point = s(bad)
      #expect(try derivatives(point) { lab, x in lab.graph.map(.log, x) } == zero)
      #expect(try derivatives(point) { lab, x in lab.graph.map(.sqrt, x) } == zero)
      #expect(try derivatives(point) { lab, x in lab.graph.multiplied(x, lab.graph.map(.log, x)) } == zero)
      #expect(
        try derivatives(point) { lab, x in
          lab.graph.multiplied(lab.graph.map(.sin, x), lab.graph.map(.reciprocal, x))
        } == zero)
      #expect(try derivatives(point) { lab, x in lab.graph.map(.exp, lab.graph.map(.reciprocal, x)) } == zero)
      #expect(try derivatives(point) { lab, x in try lab.node(lab.call("cbrt", [.node(x)])) } == zero)
      #expect(
        try derivatives(point) { lab, x in try lab.node(lab.call("pow", [.node(x), lab.meaning(s(1.5))])) }
          == zero)
    }
    // One lane taken, one not.
    let mixed = try derivatives(v(2, -1)) { lab, x in lab.graph.map(.log, x) }
    #expect(mixed[0] == [log(2)] && mixed[1] == [0.5, 0] && mixed[2] == [-0.25, 0, 0, 0])
  }

  /// The gradient of a function of a symmetric matrix is symmetric.
  @Test func symmetricGradients() throws {
    for (name, field) in [("cholesky", ""), ("eig", "values"), ("eig", "vectors")] {
      let lab = BuiltinLab()
      let leaf = lab.leaf("A", m([1.5, 0.3], [0.3, 0.8]))
      let result = try lab.node(lab.call(name, [.node(leaf)]), field: field)
      let entry = lab.graph.reshaped(result, [lab.graph.shape(result).elementCount])
      let gradient = lab.graph.grad(lab.graph.picked(entry, axis: 0, at: 1), wrt: [leaf])[0]
      let values = try lab.interpreter.evaluate(gradient).doubles
      #expect(abs(values[1] - values[2]) < 1e-12, "\(name)")
    }
  }
}
