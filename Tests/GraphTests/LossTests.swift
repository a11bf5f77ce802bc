import Graph
import Tensors
import Testing

/// Gradients and Hessians of well-known losses, as people write them.
struct LossTests {
  let s = Sheet()
  var graph: TensorGraph { s.graph }

  func rosenbrock(_ x: NodeID) -> NodeID {
    let a = s.map(.power(2), graph.affine(1, -1, s.at(x, 0)))
    let b = s.map(.power(2), s.add([(1, s.at(x, 1)), (-1, s.map(.power(2), s.at(x, 0)))]))
    return s.add([(1, a), (100, b)])
  }

  @Test func rosenbrockOfTwoVariables() {
    let x = s.leaf("x", [2])
    let f = rosenbrock(x)
    #expect(s.show(f, "f") == ["f = (1 − x[0])² + 100·(x[1] − x[0]²)²"])
    let printer = MathPrinter(graph)
    let gradient = printer.entries(of: s.gradient(f, x)) { MathPrinter.partial("f", $0.map { "x[\($0)]" }) }
    #expect(
      gradient?.lines == [
        "∂f/∂x[0] = 2·x[0] + 400·x[0]·(x[0]² − x[1]) − 2",
        "∂f/∂x[1] = 200·(x[1] − x[0]²)",
      ])
    let hessian = graph.hessianMatrix(f, wrt: [x])
    let lower = printer.entries(of: hessian, lowerTriangle: true) {
      MathPrinter.partial("f", $0.map { "x[\($0)]" })
    }
    #expect(
      lower?.lines == [
        "∂²f/∂x[0]∂x[0] = 2 + 1200·x[0]² − 400·x[1]",
        "∂²f/∂x[1]∂x[0] = −400·x[0]",
        "∂²f/∂x[1]∂x[1] = 200",
      ])
    let all: [(indices: [Int], formula: String)]? = printer.entries(of: hessian)
    #expect(all?.map(\.indices) == [[0, 0], [0, 1], [1, 0], [1, 1]])
    #expect(all?[1].formula == "−400·x[0]")
  }

  @Test func rosenbrockInASCII() {
    let x = s.leaf("x", [2])
    let f = rosenbrock(x)
    #expect(s.show(f, "f", .ascii) == ["f = (1 - x[0])^2 + 100*(x[1] - x[0]^2)^2"])
    let printer = MathPrinter(graph, style: .ascii)
    let gradient = printer.entries(of: s.gradient(f, x)) {
      MathPrinter.partial("f", $0.map { "x[\($0)]" }, style: .ascii)
    }
    #expect(gradient?.lines.last == "df/dx[1] = 200*(x[1] - x[0]^2)")
    #expect(
      s.show(s.hessian(f, x), "H", .ascii) == [
        "H = 200*e_1*e_1' + (2 + 1200*x[0]^2 - 400*x[1])*e_0*e_0' - 400*x[0]*e_0*e_1' - 400*x[0]*e_1*e_0'"
      ])
  }

  @Test func rosenbrockOfManyVariables() {
    let x = s.leaf("x", [10])
    let steps = s.map(.power(2), s.add([(1, s.slice(x, 1, 9)), (-1, s.map(.power(2), s.slice(x, 0, 9)))]))
    let f = s.einsum(
      "i->", s.add([(100, steps), (1, s.map(.power(2), graph.affine(1, -1, s.slice(x, 0, 9))))]))
    #expect(s.show(f, "f") == ["f = sum(100·(x[1:] − x[:-1]²)² + (1 − x[:-1])²)"])
    #expect(
      s.show(s.gradient(f, x), "∇f") == [
        "∇f[i] = [i < 9]·(400·x[i]·(x[i]² − x[i+1]) + 2·x[i] − 2) + 200·[1 ≤ i]·(x[i] − x[i−1]²)"
      ])
    #expect(MathPrinter(graph).entries(of: s.gradient(f, x)) == nil)
  }

  /// Entries that are not all in fixed places.
  @Test func entriesOfAMixture() {
    let q = s.leaf("q", [3])
    let f = s.add([(1, s.einsum(",->", s.at(q, 0), s.at(q, 1))), (0.5, s.einsum("i,i->", q, q))])
    #expect(s.show(s.hessian(f, q)) == ["e₀·e₁ᵀ + e₁·e₀ᵀ + I"])
    let entries: [(indices: [Int], formula: String)]? = MathPrinter(graph).entries(of: s.hessian(f, q))
    #expect(entries?.map(\.formula) == ["1", "1", "0", "1", "1", "0", "0", "0", "1"])
  }

  @Test func logisticRegression() {
    let x = s.leaf("X", [40, 5])
    let w = s.leaf("w", [5])
    let y = s.leaf("y", [40])
    let z = s.name(s.einsum("nk,k->n", x, w), "z")
    let terms = s.add([(1, s.map(.softplus, z)), (-1, s.einsum("n,n->n", y, z))])
    let f = s.einsum("n->", terms, scale: 1 / 40)
    let z1 = "  where z = X·w"
    #expect(s.show(f, "f") == ["f = 1/40 · sum(softplus(z) − y⊙z)", z1])
    #expect(s.show(s.gradient(f, w), "∇f") == ["∇f = 1/40 · Xᵀ·(σ(z) − y)", z1])
    #expect(s.show(s.hessian(f, w), "∇²f") == ["∇²f = 1/40 · Xᵀ·diag(σ(z)⊙σ(−z))·X", z1])
    #expect(
      s.show(s.hessian(f, w), "H", .ascii) == [
        "H = 1/40 * X'*diag(sigmoid(-z).*sigmoid(z))*X", "  where z = X*w",
      ])
    let both = MathPrinter(graph).formulas([("∇f", s.gradient(f, w)), ("∇²f", s.hessian(f, w))])
    #expect(both.formulas == ["∇f = 1/40 · Xᵀ·(σ(z) − y)", "∇²f = 1/40 · Xᵀ·diag(σ(z)⊙σ(−z))·X"])
    #expect(both.definitions == [z1])
    let plain = MathPrinter(graph, expandsNames: true).formula(s.gradient(f, w), left: "g").lines
    #expect(plain == ["g = 1/40 · Xᵀ·(σ(X·w) − y)"])
  }

  @Test func leastSquares() {
    let x = s.leaf("X", [50, 5])
    let w = s.leaf("w", [5])
    let y = s.leaf("y", [50])
    let r = s.add([(1, s.einsum("nk,k->n", x, w)), (-1, y)])
    let f = s.einsum("n->", s.map(.power(2), r), scale: 1 / 25)
    #expect(s.show(f, "f") == ["f = 1/25 · ‖X·w − y‖²"])
    #expect(s.show(s.gradient(f, w), "g") == ["g = 2/25 · Xᵀ·(X·w − y)"])
    #expect(s.show(s.hessian(f, w), "H") == ["H = 2/25 · Xᵀ·X"])
    let ridge = s.add([(1, f), (0.05, s.einsum("i,i->", w, w))])
    #expect(s.show(s.hessian(ridge, w), "H") == ["H = 2/25 · Xᵀ·X + 1/10 · I"])
    #expect(s.show(s.gradient(ridge, w), "g", .ascii) == ["g = 2/25 * X'*(X*w - y) + 1/10 * w"])
  }

  @Test func matrixFactorisation() {
    let u = s.leaf("U", [6, 3])
    let v = s.leaf("V", [7, 3])
    let r = s.leaf("R", [6, 7])
    let residual = s.add([(1, r), (-1, s.einsum("ik,jk->ij", u, v))])
    let f = s.einsum("ij->", s.map(.power(2), residual))
    #expect(s.show(f, "f") == ["f = sum((R − U·Vᵀ)^⊙2)"])
    #expect(s.show(s.gradient(f, u), "g") == ["g = 2·(U·Vᵀ − R)·V"])
    let blocks = graph.hessianBlocks(f, wrt: [u, v])
    #expect(s.show(blocks[0][0], "H") == ["H[i,j,k,l] = 2·δ(i,k)·Σₙ V[n,j]·V[n,l]"])
    #expect(s.show(blocks[0][0], "H", .ascii) == ["H[i,j,k,l] = 2*delta(i,k)*sum_n V[n,j]*V[n,l]"])
    #expect(
      s.show(blocks[1][0], "H") == [
        "H[i,j,k,l] = 2·(δ(j,l)·(Σₙ U[k,n]·V[i,n] − R[k,i]) + U[k,j]·V[i,l])"
      ])
  }

  @Test func logSumExp() {
    let q = s.leaf("q", [5])
    let f = s.map(.log, s.einsum("i->", s.map(.exp, q)))
    #expect(s.show(f, "f") == ["f = log(sum(exp(q)))"])
    #expect(s.show(s.gradient(f, q), "g") == ["g = exp(q)/sum(exp(q))"])
    #expect(
      s.show(s.hessian(f, q), "H") == ["H = diag(exp(q))/sum(exp(q)) − exp(q)·exp(q)ᵀ/sum(exp(q))²"])
  }

  @Test func stableLogSumExp() {
    let q = s.leaf("q", [5])
    let m = graph.stop(graph.reduceMax(q, axes: [0]))
    let f = s.add([(1, s.map(.log, s.einsum("i->", s.map(.exp, s.add([(1, q), (-1, m)]))))), (1, m)])
    #expect(s.show(f, "f") == ["f = log(sum(exp(q − max(q)))) + max(q)"])
    #expect(s.show(s.gradient(f, q), "g") == ["g = t₁/sum(t₁)", "  where t₁ = exp(q − max(q))"])
    #expect(
      s.show(s.hessian(f, q), "H", .ascii) == [
        "H = diag(t1)/sum(t1) - t1*t1'/sum(t1)^2", "  where t1 = exp(q - max(q))",
      ])
  }

  @Test func denseLayer() {
    let x = s.leaf("X", [16, 3])
    let w = s.leaf("W", [3, 4])
    let b = s.leaf("b", [4])
    let v = s.leaf("v", [4])
    let h = s.map(.tanh, s.add([(1, s.einsum("ni,io->no", x, w)), (1, b)]))
    #expect(s.show(h, "h") == ["h = tanh(X·W + 1·bᵀ)"])
    let f = s.einsum("n->", s.map(.softplus, s.einsum("no,o->n", h, v)))
    #expect(s.show(f, "f") == ["f = sum(softplus(tanh(X·W + 1·bᵀ)·v))"])
    #expect(
      s.show(s.gradient(f, w), "g") == ["g = Xᵀ·diag(σ(tanh(X·W + 1·bᵀ)·v))·sech²(X·W + 1·bᵀ)·diag(v)"])
    let lines = s.show(s.hessian(f, w), "H", width: 100)
    #expect(
      lines == [
        "H[i,j,k,l] = v[j]·(v[l]·Σₙ X[n,i]·X[n,k]·t₁[n,j]·t₁[n,l]·σ(Σₘ t₂[n,m]·v[m])·σ(−Σₘ t₂[n,m]·v[m])",
        "    − 2·δ(j,l)·Σₙ X[n,i]·X[n,k]·t₁[n,j]·t₂[n,j]·σ(Σₘ t₂[n,m]·v[m]))",
        "  where t₁ = sech²(X·W + 1·bᵀ)",
        "        t₂ = tanh(X·W + 1·bᵀ)",
      ])
  }

  @Test func gaussianMixture() {
    let x = s.leaf("X", [20, 5])
    let m = s.leaf("M", [4, 5])
    let difference = graph.add(
      [Summand(1, Operand(x, [0, 2])), Summand(-1, Operand(m, [1, 2]))], shape: [20, 4, 5])
    let q = graph.contract(-0.5, [Operand(graph.map(.power(2), difference), [0, 1, 2])], to: [0, 1])
    let f = s.einsum("n->", s.map(.log, s.einsum("nk->n", s.map(.exp, q))), scale: -1)
    #expect(s.show(f, "f") == ["f = −Σₙ log(Σₖ exp(−1/2 · Σₗ (X[n,l] − M[k,l])²))"])
    #expect(
      s.show(s.gradient(f, m), "g") == [
        "g[i,j] = −Σₙ (X[n,j] − M[i,j])·exp(−1/2 · Σₖ (X[n,k] − M[i,k])²)",
        "    /(Σₖ exp(−1/2 · Σₗ (X[n,l] − M[k,l])²))",
      ])
  }
}
