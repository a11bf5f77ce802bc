import Engine
import Foundation
import Graph
import Tensors
import Testing

@testable import Session

/// Hessians of which most entries are structural zeros.
@Suite struct SparseTests {
  private static let chain = """
    param x = 1.2 + 0.1*sin(range(0, n))
    f := sum(100*(x[1:] - x[:-1]^2)^2 + (1 - x[:-1])^2)

    """

  private func pattern(_ desk: Desk, _ name: String) -> SparsePattern? {
    guard case .variable(let v)? = desk.session.interpreter.lookup(name),
      case .sparse(let matrix, _, _) = v.value
    else { return nil }
    return matrix.pattern
  }

  /// NaN, which no comparison passes, when there is none.
  private func number(_ desk: Desk, _ name: String) -> Double { desk.values(name).first ?? .nan }

  @Test func rosenbrockIsABand() throws {
    let desk = Desk()
    desk.run("n = 300\n" + Self.chain + "H = hessian(f, x)\nxs = x + 0")
    let found = try #require(pattern(desk, "H"))
    guard case .diagonals(let offsets) = found.layout else {
      Issue.record("the band is not stored by diagonals")
      return
    }
    #expect(offsets == [0, 1] && found.isLowerHalf && found.nonZeros == 898)
    let (x, values) = (desk.values("xs"), desk.values("H"))
    for i in 0..<300 {
      let own = (i < 299 ? 2 + 1200 * x[i] * x[i] - 400 * x[i + 1] : 0) + (i > 0 ? 200 : 0)
      #expect(abs(values[i] - own) <= 1e-10)
      if i < 299 { #expect(abs(values[300 + i] + 400 * x[i]) <= 1e-10) }
    }
  }

  /// tridiag(−1, 2, −1): eigenvalues 2 − 2cos(kπ/(n+1)), trace 2n, ‖·‖² = 4n + 2(n−1).
  @Test func secondDifferences() throws {
    let desk = Desk()
    desk.run(
      """
      param u = zeros(100)
      e := (sum((u[1:] - u[:-1])^2) + u[0]^2 + u[-1]^2)/2
      H = hessian(e, u)
      t = trace(H)
      s = norm(H)^2
      ev = eig(H).values
      d = norm(solve(H, ones(100)))
      """)
    #expect(desk.errors.isEmpty)
    #expect(pattern(desk, "H")?.nonZeros == 298)
    #expect(desk.values("t") == [200])
    #expect(abs(number(desk, "s") - 598) < 1e-10)
    for (k, value) in desk.values("ev").enumerated() {
      #expect(abs(value - (2 - 2 * cos(Double(k + 1) * .pi / 101))) < 1e-12)
    }
    // Σ over i of (i(101 − i)/2)², in closed form.
    let exact = (1...100).reduce(0.0) { $0 + pow(Double($1 * (101 - $1)) / 2, 2) }.squareRoot()
    #expect(abs(number(desk, "d") - exact) <= 1e-8 * exact)
  }

  /// A cycle with chords, through index tables: the Laplacian of its graph, plus one.
  @Test func graphLaplacian() throws {
    let desk = Desk()
    desk.run(
      """
      n = 400
      data a = cat(range(0, n), range(0, n))
      data b = cat((range(0, n) + 1) % n, (7*range(0, n) + 3) % n)
      param x = sin(range(0, n))
      f := sum((x[a] - x[b])^2)/2 + sum(x^2)/2
      H = hessian(f, x)
      r = norm(H @ ones(n) - ones(n))
      y = solve(H, x)
      c = norm(H @ y - x)
      q = abs(x @ (H @ x) - 2*f)
      """)
    #expect(desk.errors.isEmpty)
    let found = try #require(pattern(desk, "H"))
    #expect(found.isSymmetric && found.nonZeros < 400 * 6)
    #expect(number(desk, "r") < 1e-12 && number(desk, "c") < 1e-11 && number(desk, "q") < 1e-9)
    // Another graph: another pattern, without being asked.
    desk.run("b = (range(0, 2*n) + 5) % n\nG = hessian(f, x)\nr = norm(G @ ones(n) - ones(n))")
    #expect(pattern(desk, "G")?.nonZeros != found.nonZeros && number(desk, "r") < 1e-12)
  }

  @Test func severalParams() throws {
    let desk = Desk()
    desk.run(
      """
      param u = cos(range(0, 80))
      param v = sin(range(0, 90))
      f := sum(u^4) + sum((u - v[:80])^2*v[10:]) + sum(v^2)
      H = hessian(f)
      D = dense(H)
      B = H.u.v
      r = norm(B - D[:80, 80:]) + norm(D - D')
      d = norm(solve(H, ones(170)) - solve(D, ones(170)))/norm(solve(D, ones(170)))
      """)
    #expect(desk.errors.isEmpty)
    #expect(pattern(desk, "H")?.rows == 170)
    #expect(number(desk, "r") < 1e-12 && number(desk, "d") < 1e-9)
  }

  static let formulas = [
    "sum((x[1:] - x[:-1])^4) + sum(x^2)", "sum(x[::2]^3*x[1::2]) + sum(exp(x)/9)",
    "sum(sin(x[2:])*x[:-2]) + x[0]*x[n - 1]", "sum((x[1:] - x[:-1])[1:]^2*(x[1:] - x[:-1])[:-1])",
    "sum(x[::-1]*x^2)", "sum(x[i]*x[j]^2) + sum(x^4)", "sum(cat(x[3:], x[:3])^2*x)",
    "sum(sum(reshape(x, n/5, 5), axis=1)^3)",
    "sum(reshape(x, n/5, 5)[1:, :]*reshape(x, n/5, 5)[:-1, :]^3)",
    "sum((x[i] - x[j])^2*w[i])", "sum(logsumexp(reshape(x, n/4, 4), axis=1))",
    "sum(((x[1:] - x[:-1])^3)[1:]*((x[1:] - x[:-1])^2)[:-1])", "sum(max(x, 0)^2) + sum(abs(x)^3)",
    "sum(prod(reshape(x, n/2, 2), axis=1)^2)", "sum(where(x > 0, x^3, x^2))",
  ]

  /// Whatever is stored sparse is what the same formula is when it is stored whole.
  @Test(arguments: formulas) func sparseIsDense(_ formula: String) throws {
    let desk = Desk()
    desk.run(
      """
      n = 100
      param x = cos(3*range(0, n)) + 0.1
      data i = (7*range(0, n) + 2) % n
      data j = (3*range(0, 100) + 1) % n
      data w = 1 + range(0, n)/n
      f := \(formula)
      H = hessian(f, x)
      D = dense(hessian(f, x))
      E = jacobian(grad(f, x) + 0*x, x)
      v = sin(range(0, n))
      a = norm(H - D)
      b = norm(H @ v - D @ v) + norm(hessian(f, x) @ v - D @ v) + norm(hvp(f, x, v) - H @ v)
      c = abs(sum(H) - sum(D)) + abs(trace(H) - trace(D)) + abs(norm(H) - norm(D)) + norm(H[3, :] - D[3, :])
      d = norm(solve(H + 50*eye(n), v) - solve(D + 50*eye(n), v))
      m = norm(sum(abs(H), axis=0) - sum(abs(D), axis=0)) + norm((H + H')/2 - D) + norm(D)*0
      s = norm(D)
      """)
    #expect(desk.errors.isEmpty, "\(desk.errors)")
    #expect(pattern(desk, "H") != nil)
    let scale = max(1, number(desk, "s"))
    for name in ["a", "b", "c", "d", "m"] { #expect(number(desk, name) <= 1e-11 * scale, "\(name)") }
  }

  /// Random compositions of slices, joins and index tables of vectors: what is stored sparse is the whole matrix.
  @Test(arguments: 0..<(4 * effort)) func randomCompositions(_ seed: Int) throws {
    var source = CounterGenerator(seed: UInt64(seed + 1))
    /// A formula of `length` entries made of parts of x (of n = 70).
    func part(_ length: Int, _ depth: Int) -> String {
      let n = 70
      if depth == 0 {
        let start = source.integer(below: n - length + 1)
        return length == n ? "x" : "x[\(start):\(start + length)]"
      }
      switch source.integer(below: 6) {
      case 0:
        let extra = source.integer(below: n - length + 1)
        let start = source.integer(below: extra + 1)
        return "(\(part(length + extra, depth - 1)))[\(start):\(start + length)]"
      case 1:
        let first = 1 + source.integer(below: length - 1)
        return "cat(\(part(first, depth - 1)), \(part(length - first, depth - 1)))"
      case 2: return "(\(part(length, depth - 1)))[::-1]"
      case 3 where 2 * length <= n: return "(\(part(2 * length, depth - 1)))[::2]"
      case 4:
        let (a, b) = (1 + 2 * source.integer(below: 5), source.integer(below: length))
        return "(\(part(length, depth - 1)))[(\(a)*range(0, \(length)) + \(b)) % \(length)]"
      default: return "(\(part(length, depth - 1))*\(part(length, depth - 1)))"
      }
    }
    for _ in 0..<5 {
      let length = 5 + source.integer(below: 60)
      let formula = "sum(\(part(length, 2))^2*\(part(length, 2))) + sum(x^2)"
      let desk = Desk()
      desk.run(
        """
        param x = cos(3*range(0, 70)) + 0.1
        f := \(formula)
        H = hessian(f, x)
        K = zeros(70, 70)
        for i in 0..70 { K[i, :] = hvp(f, x, onehot(i, 70)) }
        a = norm(dense(H) - K)
        s = norm(K)
        """)
      #expect(desk.errors.isEmpty, "\(formula): \(desk.errors)")
      #expect(number(desk, "a") <= 1e-11 * max(1, number(desk, "s")), "\(formula)")
    }
  }

  @Test func newtonStepsAreTheSame() throws {
    let (sparse, whole) = (Desk(), Desk())
    sparse.run("n = 150\n" + Self.chain + "step newton\ny = x + 0")
    whole.run("n = 150\n" + Self.chain + "x = x - solve(dense(hessian(f, x)), grad(f, x))\ny = x + 0")
    #expect(sparse.errors.isEmpty && whole.errors.isEmpty)
    for (a, b) in zip(sparse.values("y"), whole.values("y")) { #expect(abs(a - b) < 1e-9) }
    #expect(sparse.printed("minimize newton").last?.contains("steps;") == true)
  }

  @Test func indefiniteAndSingular() {
    let desk = Desk()
    desk.run(
      """
      param x = ones(100)
      f := sum(x[1:]*x[:-1]) + sum(x^3)/100
      step newton
      """)
    #expect(desk.errors.isEmpty)
    #expect(desk.lines.contains { $0.contains("indefinite (5") })
    desk.run("g := sum((x[1:] - x[:-1])^2)\nstep newton on g")
    #expect(desk.errors.last?.contains("the Hessian is singular") == true)
    desk.run("solve(hessian(g, x), x)")
    #expect(desk.errors.last?.contains("singular") == true)
    desk.run("h := sum(x[1:]^2)\nsolve(hessian(h, x), x)")
    #expect(desk.errors.last?.contains("singular") == true)
  }

  @Test func millions() throws {
    let desk = Desk()
    desk.run("n = 1000000\n" + Self.chain + "H = hessian(f, x)\nstep newton\nr = norm(H @ x)\nE = eye(n)")
    #expect(desk.errors.isEmpty)
    #expect(pattern(desk, "H")?.nonZeros == 2_999_998 && number(desk, "r").isFinite)
    desk.run("exp(H)")
    #expect(desk.errors.last?.contains("this needs") == true)
    desk.run("A = dense(H)")
    #expect(desk.errors.count == 2)
    desk.run("eig H")
    #expect(desk.errors.count == 3)
  }

  @Test func precisionAndEntries() {
    let desk = Desk()
    desk.run(
      """
      param x = ones(100)
      f := sum(x[1:]^2*x[:-1])
      set precision f32
      H = hessian(f, x)
      a = norm(H - dense(H))
      set precision f64
      b = norm(H)
      H[0, 99] = 7
      c = H[0, 99]
      """)
    #expect(desk.errors.isEmpty)
    #expect(desk.values("a") == [0] && desk.values("c") == [7])
  }

  /// From 2²⁴ on f32 rounds places: such a table is refused, not read elsewhere.
  @Test func indicesBeyondSinglePrecision() throws {
    let graph = TensorGraph()
    let lost = graph.table(1 << 25, graph.constant(Tensor(vector: [3, 16_777_217])))
    let kept = graph.table(1 << 25, graph.constant(Tensor(vector: [3, 16_777_218])))
    #expect(throws: EngineError.indexPrecision(16_777_217)) {
      _ = try Plan(graph, outputs: [lost], precision: .f32)
    }
    _ = try Plan(graph, outputs: [kept], precision: .f32)
    _ = try Plan(graph, outputs: [lost], precision: .f64)
  }

  @Test func diagonalSystemsAreDivisions() throws {
    let desk = Desk()
    desk.run(
      """
      param W = ones(5, 5)
      loss := mean((W - 3)^2)
      d = solve(hessian(loss, W), flatten(grad(loss, W)))
      c := sum(W^3)
      e = solve(hessian(c, W), flatten(grad(c, W)))
      explain value solve(hessian(loss, W), flatten(grad(loss, W)))
      """)
    #expect(desk.errors.isEmpty)
    #expect(desk.values("d").allSatisfy { abs($0 + 2) < 1e-15 })
    #expect(desk.values("e").allSatisfy { abs($0 - 0.5) < 1e-15 })
  }
}
