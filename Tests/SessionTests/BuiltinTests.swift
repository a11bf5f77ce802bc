import Foundation
import Syntax
import Tensors
import Testing

@testable import Graph
@testable import Session

@Suite struct BuiltinValueTests {
  @Test func construction() throws {
    try expect("zeros", [s(2), s(3)], statics: [0, 1], gives: Tensor(repeating: 0, [2, 3]))
    try expect("ones", [v(2, 2)], statics: [0], gives: m([1, 1], [1, 1]))
    try expect("ones", [], [("like", m([5, 5]))], gives: m([1, 1]))
    try expect("full", [s(7), s(2)], statics: [1], gives: v(7, 7))
    try expect("eye", [s(2)], statics: [0], gives: m([1, 0], [0, 1]))
    try expect("eye", [s(2), s(3)], statics: [0, 1], gives: m([1, 0, 0], [0, 1, 0]))
    try expect("linspace", [s(0), s(1), s(5)], statics: [2], gives: v(0, 0.25, 0.5, 0.75, 1))
    try expect("linspace", [s(3), s(9), s(1)], statics: [2], gives: v(3))
    try expect("range", [s(0), s(10), s(3)], statics: [0, 1, 2], gives: v(0, 3, 6, 9))
    try expect("arange", [s(3)], statics: [0], gives: v(0, 1, 2))
    try expect("range", [s(3), s(0), s(-1)], statics: [0, 1, 2], gives: v(3, 2, 1))
    try expect("onehot", [v(2, 0), s(3)], statics: [1], gives: m([0, 0, 1], [1, 0, 0]))
    try expect("onehot", [s(2), s(4)], statics: [1], gives: v(0, 0, 1, 0))
  }

  @Test func arranging() throws {
    let a = m([1, 2, 3], [4, 5, 6])
    try expect("cat", [v(1, 2), v(3)], gives: v(1, 2, 3))
    try expect("cat", [m([1], [2]), m([3, 4], [5, 6])], [("axis", s(1))], gives: m([1, 3, 4], [2, 5, 6]))
    try expect("stack", [v(1, 2), v(3, 4)], gives: m([1, 2], [3, 4]))
    try expect("stack", [v(1, 2), v(3, 4)], [("axis", s(-1))], gives: m([1, 3], [2, 4]))
    try expect("stack", [s(1), s(2), s(3)], gives: v(1, 2, 3))
    try expect("reshape", [a, s(3), s(-1)], statics: [1, 2], gives: m([1, 2], [3, 4], [5, 6]))
    try expect(
      "reshape", [v(1, 2, 3, 4, 5, 6), v(1, 2, 1, 3)], statics: [1], gives: Tensor(a.doubles, [1, 2, 1, 3]))
    try expect("reshape", [s(5), s(1), s(1)], statics: [1, 2], gives: m([5]))
    try expect("flatten", [a], gives: v(1, 2, 3, 4, 5, 6))
    try expect("transpose", [a], gives: m([1, 4], [2, 5], [3, 6]))
    let cube = Tensor((0..<24).map(Double.init), [2, 3, 4])
    var turned: [Double] = []
    for k in 0..<4 { for i in 0..<2 { for j in 0..<3 { turned.append(Double(12 * i + 4 * j + k)) } } }
    try expect("transpose", [cube, v(2, 0, 1)], statics: [1], gives: Tensor(turned, [4, 2, 3]))
    try expect("squeeze", [Tensor([1, 2], [1, 2, 1])], gives: v(1, 2))
    try expect("squeeze", [Tensor([1, 2], [1, 2, 1])], [("axis", s(0))], gives: m([1], [2]))
    try expect("expand_dims", [v(1, 2), s(1)], statics: [1], gives: m([1], [2]))
    try expect("tile", [v(1, 2), s(2)], statics: [1], gives: v(1, 2, 1, 2))
    try expect("tile", [m([1, 2]), s(2), s(2)], statics: [1, 2], gives: m([1, 2, 1, 2], [1, 2, 1, 2]))
    try expect("repeat", [v(1, 2), s(2)], statics: [1], gives: v(1, 1, 2, 2))
    try expect(
      "repeat", [m([1, 2], [3, 4]), s(2)], [("axis", s(0))], statics: [1],
      gives: m([1, 2], [1, 2], [3, 4], [3, 4]))
    try expect("diag", [v(1, 2)], gives: m([1, 0], [0, 2]))
    try expect("diag", [a], gives: v(1, 5))
    try expect("tril", [a], gives: m([1, 0, 0], [4, 5, 0]))
    try expect("tril", [m([1, .infinity], [3, 4])], gives: m([1, 0], [3, 4]))
    try expect("triu", [a, s(1)], statics: [1], gives: m([0, 2, 3], [0, 0, 6]))
    try expect("flip", [a], gives: m([6, 5, 4], [3, 2, 1]))
    try expect("flip", [a], [("axis", s(0))], gives: m([4, 5, 6], [1, 2, 3]))
    try expect("roll", [v(1, 2, 3, 4), s(1)], statics: [1], gives: v(4, 1, 2, 3))
    try expect("roll", [a, s(-1)], [("axis", s(1))], statics: [1], gives: m([2, 3, 1], [5, 6, 4]))
    try expect("roll", [a, s(1)], statics: [1], gives: m([6, 1, 2], [3, 4, 5]))
  }

  @Test func pointwise() throws {
    let simple: [(String, Double, Double)] = [
      ("exp", 0, 1), ("expm1", 0, 0), ("log", 1, 0), ("log2", 8, 3), ("log10", 1000, 3), ("log1p", 0, 0),
      ("sqrt", 9, 3), ("cbrt", 8, 2), ("cbrt", -27, -3), ("abs", -3, 3), ("sign", -3, -1), ("sin", 0, 0),
      ("cos", 0, 1), ("tan", 0, 0), ("asin", 1, .pi / 2), ("acos", 1, 0), ("atan", 1, .pi / 4),
      ("sinh", 0, 0),
      ("cosh", 0, 1), ("tanh", 0, 0), ("sigmoid", 0, 0.5), ("softplus", 0, log(2)), ("relu", -1, 0),
      ("gelu", 0, 0),
      ("gelu", 1, 0.8413447460685429), ("silu", 1, 0.7310585786300049), ("elu", -1, exp(-1) - 1),
      ("elu", 2, 2),
      ("leaky_relu", -100, -1), ("erf", 1, 0.8427007929497149), ("floor", -2.5, -3), ("ceil", 2.5, 3),
      ("round", 2.5, 2), ("isnan", .nan, 1), ("isfinite", .infinity, 0), ("isfinite", 1, 1), ("stop", 3, 3),
    ]
    for (name, x, y) in simple { try expect(name, [s(x)], gives: s(y)) }
    try expect("atan2", [v(1, -1), s(1)], gives: v(.pi / 4, -.pi / 4))
    try expect("maximum", [v(1, 5), s(2)], gives: v(2, 5))
    try expect("minimum", [v(1, 5), s(2)], gives: v(1, 2))
    try expect("max", [v(1, 5), s(2), v(3, 3)], gives: v(3, 5))
    try expect("mod", [v(-1, 7), s(3)], gives: v(2, 1))
    try expect("pow", [s(2), s(10)], gives: s(1024))
    try expect("pow", [v(4, 9), s(0.5)], gives: v(2, 3))
    try expect("clip", [v(1, 5, 9), s(2), s(6)], gives: v(2, 5, 6))
    try expect("where", [v(1, 0, 1), s(5), s(7)], gives: v(5, 7, 5))
  }

  @Test func reductions() throws {
    let a = m([1, 2, 3], [4, 5, 6])
    try expect("sum", [a], gives: s(21))
    try expect("sum", [a], [("axis", s(0))], gives: v(5, 7, 9))
    try expect("sum", [a], [("axis", s(-1)), ("keepdims", s(1))], gives: m([6], [15]))
    try expect("mean", [a], [("axis", v(0, 1))], gives: s(3.5))
    try expect("var", [v(1, 3)], gives: s(1))
    try expect("var", [v(1, 3)], [("ddof", s(1))], gives: s(2))
    try expect("std", [a], [("axis", s(1))], gives: v((2.0 / 3).squareRoot(), (2.0 / 3).squareRoot()))
    try expect("max", [a], gives: s(6))
    try expect("min", [a], [("axis", s(1))], gives: v(1, 4))
    for n in 1...7 {
      let values = (1...n).map(Double.init)
      try expect("prod", [Tensor(vector: values)], gives: s(values.reduce(1, *)))
    }
    try expect("prod", [a], [("axis", s(0)), ("keepdims", s(1))], gives: m([4, 10, 18]))
    try expect("logsumexp", [v(1000, 1000)], gives: s(1000 + log(2)))
    try expect("logsumexp", [v(-.infinity, -.infinity)], gives: s(-.infinity))
    try expect("logsumexp", [v(.infinity, 0)], gives: s(.infinity))
    try expect("norm", [v(3, 4)], gives: s(5))
    try expect("norm", [v(3, -4)], [("ord", s(1))], gives: s(7))
    try expect("norm", [v(3, -4)], [("ord", s(.infinity))], gives: s(4))
    try expect("norm", [v(3, 4, 5)], [("ord", s(3))], gives: s(6))
    try expect("norm", [v(0, 0)], [("ord", s(3))], gives: s(0))
    try expect("argmax", [m([3, 9], [9, 2])], gives: s(1))
    try expect("argmax", [m([3, 9], [10, 2])], [("axis", s(0))], gives: v(1, 0))
    try expect("argmin", [m([3, 9], [10, 2])], [("axis", s(1)), ("keepdims", s(1))], gives: m([0], [1]))
    try expect("median", [v(5, 1, 3)], gives: s(3))
    try expect("median", [m([5, 1], [3, 3])], gives: s(3))
    try expect("median", [m([5, 1, 4, 2])], [("axis", s(1))], gives: v(3))
    try expect("quantile", [v(1, 2, 3), s(0.25)], statics: [1], gives: s(1.5))
    try expect("cumsum", [v(1, 2, 3)], gives: v(1, 3, 6))
    try expect("cumsum", [a], [("axis", s(0))], gives: m([1, 2, 3], [5, 7, 9]))
    try expect("cumsum", [a], gives: v(1, 3, 6, 10, 15, 21))
    try expect("any", [v(0, 0, 1)], gives: s(1))
    try expect("all", [m([0, 1], [1, 1])], [("axis", s(0))], gives: v(0, 1))
    try expect("count_nonzero", [v(0, 5, 1)], gives: s(2))
  }

  @Test func emptyTensors() throws {
    let none = Tensor([], [0])
    try expect("sum", [none], gives: s(0))
    try expect("prod", [none], gives: s(1))
    try expect("norm", [none], gives: s(0))
    try expect("norm", [none], [("ord", s(.infinity))], gives: s(0))
    try expect("cat", [none, v(1, 2)], gives: v(1, 2))
    try expect("zeros", [s(0), s(3)], statics: [0, 1], gives: Tensor([], [0, 3]))
    try expect("flatten", [Tensor([], [0, 3])], gives: none)
    try expect("flip", [none], gives: none)
    try expect("cumsum", [none], gives: none)
    try expect("dot", [none, none], gives: s(0))
    try expect("outer", [none, v(1, 2)], gives: Tensor([], [0, 2]))
  }

  @Test func runningSumsInBlocks() throws {
    let lab = BuiltinLab()
    let x = lab.graph.constant(m([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]))
    let sums = try lab.interpreter.evaluate(Builtins.runningSums(lab.graph, x, limit: 5))
    #expect(sums.doubles == [1, 3, 6, 10, 15, 21, 28, 36, 45, 55] + [1, 1, 1, 1, 1, 1, 1, 1, 1, 2])
  }

  @Test func orderAndSize() throws {
    let a = m([3, 1, 2], [4, 6, 5])
    try expect("sort", [a], gives: m([1, 2, 3], [4, 5, 6]))
    try expect("sort", [a], [("axis", s(0)), ("descending", s(1))], gives: m([4, 6, 5], [3, 1, 2]))
    try expect("argsort", [v(3, 1, 2)], gives: v(1, 2, 0))
    try expect("topk", [v(3, 9, 2, 7), s(2)], field: "values", statics: [1], gives: v(9, 7))
    try expect("topk", [a, s(1)], field: "indices", statics: [1], gives: m([0], [1]))
    try expect("shape", [a], gives: v(2, 3))
    try expect("shape", [s(1)], gives: Tensor([], [0]))
    try expect("size", [a], gives: s(6))
    try expect("size", [a, s(1)], statics: [1], gives: s(3))
    try expect("ndim", [a], gives: s(2))
    try expect("ndim", [s(1)], gives: s(0))
    try expect("len", [a], gives: s(2))
  }

  @Test func products() throws {
    let (a, b) = (m([1, 2], [3, 4]), m([5, 6], [7, 8]))
    try expect("dot", [v(1, 2, 3), v(4, 5, 6)], gives: s(32))
    try expect("outer", [v(1, 2), v(3, 4)], gives: m([3, 4], [6, 8]))
    try expect("matmul", [a, b], gives: m([19, 22], [43, 50]))
    try expect("matmul", [a, v(1, 1)], gives: v(3, 7))
    try expect("matmul", [v(1, 1), a], gives: v(4, 6))
    try expect("matmul", [v(1, 2), v(3, 4)], gives: s(11))
    let batch = Tensor([1, 0, 0, 1, 0, 1, 1, 0], [2, 2, 2])
    try expect("matmul", [batch, a], gives: Tensor([1, 2, 3, 4, 3, 4, 1, 2], [2, 2, 2]))
    try expect(
      "matmul", [batch, Tensor(a.doubles, [1, 2, 2])], gives: Tensor([1, 2, 3, 4, 3, 4, 1, 2], [2, 2, 2]))
    try expect("kron", [v(1, 2), v(1, 10)], gives: v(1, 10, 2, 20))
    try expect("kron", [m([1, 2]), m([1], [3])], gives: m([1, 2], [3, 6]))
    try expect("cross", [v(1, 2, 3), v(4, 5, 6)], gives: v(-3, 6, -3))
    for (spec, inputs, result) in [
      ("ij,jk->ik", [a, b], m([19, 22], [43, 50])), ("ij,jk", [a, b], m([19, 22], [43, 50])),
      ("ba", [a], m([1, 3], [2, 4])), ("ii", [a], s(5)), ("ii->i", [a], v(1, 4)), ("ij->", [a], s(10)),
      ("i, j -> j i", [v(1, 2), v(3, 4)], m([3, 6], [4, 8])), ("ij,ij,i->j", [a, b, v(1, 2)], v(47, 76)),
    ] {
      let lab = BuiltinLab()
      let node = try lab.node(lab.call("einsum", [.string(spec)] + inputs.map(lab.meaning)))
      let value = try lab.interpreter.evaluate(node)
      #expect(value.shape == result.shape && isClose(value.doubles, result.doubles, 1e-12), "\(spec)")
    }
  }

  @Test func matrices() throws {
    try expect("trace", [m([1, 2], [3, 4])], gives: s(5))
    try expect("inv", [m([1, 2], [3, 4])], gives: m([-2, 1], [1.5, -0.5]))
    try expect("solve", [m([2, 0], [0, 4]), v(2, 8)], gives: v(1, 2))
    try expect("solve", [m([1, 2], [3, 4]), m([5, 6], [11, 12])], gives: m([1, 0], [2, 3]))
    try expect("cholesky", [m([4, 2], [2, 5])], gives: m([2, 0], [1, 2]))
    try expect("logdet", [m([1, 2], [3, 4])], gives: s(log(2)))
    try expect("det", [m([3])], gives: s(3))
    try expect("det", [m([1, 2], [3, 4])], gives: s(-2))
    try expect("det", [m([2, 0, 1], [1, 3, 2], [1, 1, 1])], gives: s(0))
    let four = m([2, 1, 0, 0], [1, 2, 1, 0], [0, 1, 2, 1], [0, 0, 1, 2])
    try expect("det", [four], gives: s(5))
    try expect("eig", [m([2, 1], [1, 2])], field: "values", gives: v(1, 3))
    let h = 0.5.squareRoot()
    let lab = BuiltinLab()
    let vectors = try lab.node(lab.call("eig", [lab.meaning(m([2, 1], [1, 2]))]), field: "vectors")
    #expect(isClose(try lab.interpreter.evaluate(vectors).doubles.map(abs), [h, h, h, h], 1e-12))
    try expect("condition", [m([2, 0], [0, 8])], gives: s(4))
    try expect("condition", [m([1, 0], [0, 0])], gives: s(.infinity))
    try expect("condition", [m([0, 0], [0, 0])], gives: s(.infinity))
    try expect("eigvals", [m([2, 1], [0, 1])], field: "real", gives: v(1, 2))
    try expect("eigvals", [m([0, 1], [-1, 0])], field: "imag", gives: v(-1, 1))
    try expect("svd", [m([3, 0], [0, 4])], field: "values", gives: v(4, 3))
  }

  @Test func singularVectorsRebuildTheMatrix() throws {
    for a in [m([1, 2, 0], [3, -1, 2]), m([1, 2], [0, 1], [2, 2]), m([2, 1], [0, 3])] {
      let lab = BuiltinLab()
      let result = try lab.call("svd", [lab.meaning(a)])
      let fields = try ["u", "values", "v"].map { Meaning.node(try lab.node(result, field: $0)) }
      let node = try lab.node(lab.call("einsum", [.string("ik,k,jk->ij")] + fields))
      #expect(isClose(try lab.interpreter.evaluate(node).doubles, a.doubles, 1e-12))
    }
  }

  @Test func learning() throws {
    try expect("softmax", [v(0, 0)], gives: v(0.5, 0.5))
    try expect("softmax", [m([0, 1000], [0, 0])], [("axis", s(0))], gives: m([0.5, 1], [0.5, 0]))
    try expect("log_softmax", [v(1000, 1000)], gives: v(-log(2), -log(2)))
    try expect("crossentropy", [v(0, 0), s(1)], gives: s(log(2)))
    try expect("crossentropy", [m([0, 0], [0, log(3)]), v(1, 1)], gives: s((log(2) + log(4.0 / 3)) / 2))
    try expect(
      "crossentropy", [m([0, 0], [0, log(3)]), m([0, 1], [0.5, 0.5])],
      gives: s((log(2) + 0.5 * (log(4.0 / 3) + log(4))) / 2))
    try expect("binary_crossentropy", [v(0, 800), v(1, 1)], gives: s(log(2) / 2))
    try expect("mse", [v(1, 2), v(1, 4)], gives: s(2))
    try expect("accuracy", [m([1, 9], [8, 2]), v(1, 1)], gives: s(0.5))
    try expect("accuracy", [m([1, 9], [8, 2]), m([0, 1], [1, 0])], gives: s(1))
  }

  @Test func randomLeaves() throws {
    let lab = BuiltinLab()
    let seed = Meaning.node(lab.graph.fill(3))
    func shape(_ result: Meaning) throws -> Shape { lab.graph.shape(try lab.node(result)) }
    let two = Meaning.node(lab.graph.fill(2))
    #expect(try shape(lab.call("rand", [two, two])) == [2, 2])
    #expect(try shape(lab.call("glorot", [two, seed])) == [2, 3])
    #expect(try shape(lab.call("he", [two, seed])) == [2, 3])
    _ = try lab.call("rand", [two], [("generator", lab.call("torch", [seed]))])
    _ = try lab.call("randn", [two], [("generator", lab.call("numpy", [seed]))])
    #expect(lab.draws[0] == .uniform(0, 1))
    #expect(lab.draws[1] == .uniform(-(1.2).squareRoot(), 1.2.squareRoot()))
    #expect(lab.draws[2] == .normal(mean: 0, deviation: 1))
    #expect(lab.draws[3...] == [.torch(seed: 3), .numpy(seed: 3, normal: true)])
    #expect(throws: Diagnostic.self) {
      try lab.call("randn", [two], [("generator", lab.call("torch", [seed]))])
    }
    let width = lab.leaf("width", s(2))
    let moved = try lab.node(lab.call("uniform", [.node(lab.graph.fill(1)), .node(width), two]))
    #expect(lab.graph.leaves(below: [moved]).contains(width))
  }
}

@Suite struct BuiltinCallTests {
  private func message(_ body: () throws -> Void) -> Diagnostic? {
    do { try body() } catch let error as Diagnostic { return error } catch {}
    return nil
  }

  @Test func argumentsAreChecked() throws {
    let lab = BuiltinLab()
    let x = lab.meaning(v(1, 2))
    #expect(message { _ = try lab.call("exp", []) }?.message == "exp needs its argument 'x'")
    #expect(message { _ = try lab.call("exp", [x, x]) }?.message == "exp takes at most 1 argument, not 2")
    let typo = message { _ = try lab.call("sum", [x], [("axs", x)]) }
    #expect(typo?.message == "sum has no argument 'axs'")
    #expect(typo?.hint == "did you mean 'axis'?")
    #expect(message { _ = try lab.call("sum", [x], [("x", x)]) }?.message == "sum is given 'x' twice")
    #expect(
      message { _ = try lab.call("exp", [.string("a")]) }?.message == "exp takes a tensor, not a string")
  }

  @Test func shapesAreChecked() throws {
    let lab = BuiltinLab()
    let (x, a) = (lab.meaning(v(1, 2)), lab.meaning(m([1, 2, 3], [4, 5, 6])))
    let number = Meaning.node(lab.graph.fill(5))
    let calls: [(String, [Meaning])] = [
      ("dot", [x, a]), ("inv", [a]), ("trace", [a]), ("matmul", [x, lab.meaning(v(1, 2, 3))]),
      ("cat", [x, a]),
      ("stack", [x, a]), ("reshape", [a, number]),
      ("solve", [lab.meaning(m([1, 0], [0, 1])), lab.meaning(v(1))]),
      ("mse", [x, a]), ("crossentropy", [a, lab.meaning(v(1, 2, 3))]), ("cross", [x, x]),
      ("maximum", [a, x]),
      ("sum", [x, number]), ("einsum", [.string("ij"), x]), ("squeeze", [a, .node(lab.graph.fill(0))]),
      ("transpose", [a, number]), ("diag", [number]), ("len", [number]), ("sort", [number]),
      ("flip", [x, number]),
    ]
    for (name, arguments) in calls {
      let error = message { _ = try lab.call(name, arguments) }
      #expect(error?.kind == .shape, "\(name): \(error?.message ?? "accepted")")
      #expect(error?.span != nil)
    }
  }

  @Test func domainsAreChecked() throws {
    let lab = BuiltinLab()
    func n(_ value: Double) -> Meaning { .node(lab.graph.fill(value)) }
    let x = lab.meaning(v(1, 2))
    let calls: [(String, [Meaning])] = [
      ("zeros", [n(-1)]), ("zeros", [n(1.5)]), ("range", [n(0), n(1), n(0)]), ("quantile", [x, n(2)]),
      ("topk", [x, n(3)]), ("max", [lab.meaning(Tensor([], [0]))]), ("randint", [n(3), n(3)]),
      ("linspace", [n(0), n(1), n(0)]),
    ]
    for (name, arguments) in calls {
      let error = message { _ = try lab.call(name, arguments) }
      #expect(error?.kind == .domain, "\(name): \(error?.message ?? "accepted")")
    }
    #expect(message { _ = try lab.call("zeros", [n(1e9), n(1e9)]) }?.kind == .resource)
  }

  @Test func bundles() throws {
    let lab = BuiltinLab()
    let parts = [lab.leaf("u", v(3, 0)), lab.leaf("w", m([0, 4]))]
    let bundle = Meaning.bundle(Bundle(names: ["u", "w"], nodes: parts))
    func value(_ name: String, _ arguments: [Meaning]) throws -> [Double] {
      try lab.interpreter.evaluate(lab.node(lab.call(name, arguments))).doubles
    }
    #expect(try value("norm", [bundle]) == [5])
    #expect(try value("sum", [bundle]) == [7])
    #expect(try value("mean", [bundle]) == [1.75])
    #expect(try value("max", [bundle]) == [4])
    #expect(try value("dot", [bundle, bundle]) == [25])
    #expect(try value("size", [bundle]) == [4])
    guard case .bundle(let made) = try lab.call("rademacher", [], [("like", bundle)]) else {
      Issue.record("a bundle comes back")
      return
    }
    #expect(made.names == ["u", "w"] && made.nodes.map(lab.graph.shape) == [[2], [1, 2]])
    guard case .bundle(let squares) = try lab.call("pow", [bundle, .node(lab.graph.fill(2))]) else {
      Issue.record("a bundle comes back")
      return
    }
    #expect(try lab.interpreter.evaluate(squares.nodes[1]).doubles == [0, 16])
  }

  @Test func declarationsAreComplete() {
    let names = Builtins.all.flatMap { [$0.name] + $0.aliases }
    #expect(Set(names).count == names.count)
    for builtin in Builtins.all {
      #expect(builtin.summary.hasSuffix(".") && !builtin.example.isEmpty && !builtin.exampleOutput.isEmpty)
      #expect(builtin.example.contains(builtin.name + "("))
    }
    #expect(Builtins.byName["sum"]?.signature == "sum(x, axis=, keepdims=false)")
    #expect(Builtins.byName["cat"]?.signature == "cat(parts…, axis=0)")
  }
}
