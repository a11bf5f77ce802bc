import Graph
import Tensors
import Testing

@testable import Calculus

/// One construct at a time.
struct NotationTests {
  let s = Sheet()
  let x: NodeID
  let y: NodeID
  let a: NodeID
  let b: NodeID
  let c: NodeID
  let t: NodeID
  var graph: TensorGraph { s.graph }

  init() {
    x = s.leaf("x", [10])
    y = s.leaf("y", [10])
    a = s.leaf("A", [10, 10])
    b = s.leaf("B", [10, 10])
    c = s.leaf("c", [])
    t = s.leaf("T", [4, 5, 6])
  }

  func expect(
    _ node: NodeID, _ text: String, ascii: String? = nil, _ place: SourceLocation = #_sourceLocation
  ) {
    #expect(s.show(node) == [text], sourceLocation: place)
    if let ascii { #expect(s.show(node, "", .ascii) == [ascii], sourceLocation: place) }
  }

  @Test func products() {
    expect(s.einsum("i,ij,jk,k->", x, a, b, y), "xᵀ·A·B·y", ascii: "x'*A*B*y")
    expect(s.einsum("i,j->ij", x, y, scale: -0.5), "−1/2 · x·yᵀ", ascii: "-1/2 * x*y'")
    expect(s.einsum("ij,ji->", a, b), "tr(A·B)")
    expect(s.einsum("ij,ij->", a, b), "sum(A⊙B)", ascii: "sum(A.*B)")
    expect(s.einsum("ij,jk,ki->", a, b, a), "tr(B·A·A)")
    expect(s.einsum("ij,ij->ij", a, b), "A⊙B")
    expect(s.einsum("i,ij,j->ij", x, a, y), "diag(x)·A·diag(y)")
    expect(s.einsum(",i->i", c, x), "c·x")
    expect(s.einsum("i,i->", x, y), "xᵀ·y")
    expect(s.einsum("i,i->i", x, y), "x⊙y")
    expect(s.einsum("i,i,i->", x, y, x), "sum(x⊙x⊙y)")
    expect(s.einsum("ki,kj,kl->ijl", a, b, a), "entry[i,j,k] = Σₙ A[n,i]·A[n,k]·B[n,j]")
  }

  @Test func sumsAndAxes() {
    expect(s.einsum("ii->i", a), "diag(A)")
    expect(s.einsum("ii->", a), "tr(A)")
    expect(s.einsum("ij->i", a), "A·1")
    expect(s.einsum("ij->j", a), "Aᵀ·1")
    expect(s.einsum("ij->", a), "sum(A)")
    expect(s.einsum("ij->ji", a), "Aᵀ", ascii: "A'")
    expect(s.einsum("i,ij->ij", x, graph.delta(10)), "diag(x)")
    expect(graph.delta(10), "I")
    expect(graph.fill(2, [3, 3]), "2·1·1ᵀ")
    expect(graph.zero([3, 3]), "0")
    expect(s.einsum("ijk->ij", t), "entry[i,j] = Σₙ T[i,j,n]", ascii: "entry[i,j] = sum_n T[i,j,n]")
    expect(s.einsum("ijk,ijk->", t, t), "Σₙₖₗ T[n,k,l]²", ascii: "sum_{n,k,l} T[n,k,l]^2")
  }

  @Test func quadraticForms() {
    let f = s.einsum("i,ij,j->", x, a, x)
    expect(f, "xᵀ·A·x")
    expect(s.gradient(f, x), "A·x + Aᵀ·x")
    expect(s.hessian(f, x), "A + Aᵀ")
  }

  /// What cancels is kept by the graph, for 0·NaN, and not shown.
  @Test func cancelledTerms() {
    let (u, v) = (s.einsum("i,i->", x, x), s.einsum("ij->", a))
    expect(s.add([(1, u), (2, s.einsum(",->", u, v)), (-2, s.einsum(",->", u, v))]), "xᵀ·x")
  }

  @Test func slicesAndPlaces() {
    expect(s.at(x, 3), "x[3]")
    expect(s.slice(x, 1, 9), "x[1:]")
    expect(s.slice(x, 0, 9), "x[:-1]")
    expect(s.slice(x, 2, 4), "x[2:6]")
    expect(s.einsum("ij,i->j", a, graph.selector(.oneHot(2), [10])), "A[2,:]")
    expect(s.gradient(s.einsum("i->", s.slice(s.map(.exp, x), 1, 9)), x), "entry[i] = [1 ≤ i]·exp(x[i])")
    let flat = graph.concatenated([a, x])
    #expect(s.show(flat, "v") == ["v[i] = Σₙₖ δ(i,10·n+k)·A[n,k] + [100 ≤ i]·x[i−100]"])
    let rows = s.leaf("r", [7])
    let taken = s.einsum("ij,ik->kj", a, graph.table(10, rows))
    #expect(s.show(taken, "S") == ["S[i,j] = A[r[i],j]"])
    #expect(
      s.show(s.gradient(s.einsum("ij->", s.map(.power(2), taken)), a), "g") == [
        "g[i,j] = 2·Σₙ δ(i,r[n])·A[r[n],j]"
      ])
  }

  @Test func stridesAndShapes() {
    let even = s.einsum("i,ij->j", x, graph.selector(.slice(start: 0, step: 2, count: 5), [10, 5]))
    expect(even, "x[::2]")
    expect(s.gradient(s.einsum("i->", s.map(.exp, even)), x), "entry[i] = Σₙ δ(i,2·n)·exp(x[2·n])")
    let back = s.einsum("i,ij->j", x, graph.selector(.slice(start: 9, step: -1, count: 10), [10, 10]))
    expect(back, "entry[i] = x[9−i]")
    let table = s.einsum("i,ijk->jk", x, graph.selector(.flatten([2, 5]), [10, 2, 5]))
    expect(table, "entry[i,j] = x[5·i+j]", ascii: "entry[i,j] = x[5*i+j]")
  }

  /// An operand that matrix notation cannot say gets a line of its own.
  @Test func operandsWithLines() {
    let sum = s.einsum("nij,nj->ij", s.leaf("S", [4, 5, 5]), s.leaf("V", [4, 5]))
    #expect(s.show(graph.matrix(.logdet, [sum])) == ["log|t₁|", "  where t₁[i,j] = Σₙ S[n,i,j]·V[n,j]"])
  }

  @Test func eigenvalues() {
    let packed = graph.matrix(.eigh, [a])
    let f = s.einsum("i->", s.map(.exp, s.einsum("ij,i->j", packed, graph.selector(.oneHot(0), [11]))))
    expect(f, "sum(exp(λ(A)))")
    expect(s.gradient(f, a), "V(A)·diag(exp(λ(A)))·V(A)ᵀ")
    let lines = s.show(s.hessian(f, a), "H")
    #expect(lines.joined().contains("V(A)[i,n]"))
    #expect(!lines.joined().contains("eigh(A)[i+1"))
  }

  @Test func linearAlgebra() {
    let f = graph.matrix(.logdet, [a])
    expect(f, "log|A|", ascii: "logdet(A)")
    expect(s.gradient(f, a), "A⁻ᵀ", ascii: "inv(A)'")
    expect(s.hessian(f, a), "entry[i,j,k,l] = −(A⁻¹)[j,k]·(A⁻¹)[l,i]")
    let q = s.einsum("i,ij,j->", x, graph.matrix(.inverse, [a]), y)
    expect(q, "xᵀ·A⁻¹·y")
    expect(s.gradient(q, a), "−A⁻ᵀ·x·yᵀ·A⁻ᵀ")
    expect(graph.matrix(.solve, [a, b]), "A⁻¹·B")
    expect(graph.matrix(.det, [a]), "det(A)")
    expect(graph.matrix(.cholesky, [s.add([(1, a), (2, graph.delta(10))])]), "chol(A + 2·I)")
    let packed = graph.matrix(.eigh, [a])
    let places = (graph.selector(.oneHot(0), [11]), graph.selector(.oneHot(9), [10]))
    let largest = s.einsum("ij,i,j->", packed, places.0, places.1)
    expect(largest, "λ(A)[9]", ascii: "eigvals(A)[9]")
    expect(s.gradient(largest, a), "V(A)[:,9]·V(A)[:,9]ᵀ")
  }

  @Test func functions() {
    expect(s.map(.exp, graph.scaled(-0.5, s.map(.power(2), x))), "exp(−1/2 · x²)")
    expect(s.map(.power(2), graph.scaled(-2, s.at(x, 1))), "(−2·x[1])²")
    expect(s.map(.sqrt, c), "√c", ascii: "sqrt(c)")
    expect(s.map(.sqrt, graph.affine(1, 2, c)), "√(1 + 2·c)")
    expect(s.map(.sech2, c), "sech²(c)", ascii: "sech(c)^2")
    expect(s.map(.expm1, c), "exp(c) − 1")
    expect(s.map(.log1p, c), "log(1 + c)")
    expect(s.map(.abs, s.add([(1, x), (-1, y)])), "|x − y|", ascii: "abs(x - y)")
    expect(s.map(.max, x, y), "max(x, y)")
    expect(s.map(.floor, c), "⌊c⌋")
    expect(s.map(.modulo, c, s.number(2)), "mod(c, 2)")
    expect(s.map(.pow, c, s.at(x, 0)), "c^x[0]")
    expect(graph.stop(s.map(.exp, x)), "exp(x)")
    expect(s.map(.power(2), a), "A^⊙2", ascii: "A.^2")
    let norm = s.map(.rootAtZero, s.einsum("i->", s.map(.power(2), x)))
    expect(norm, "‖x‖", ascii: "norm(x)")
    expect(s.gradient(norm, x), "x/‖x‖")
    expect(s.gradient(s.einsum("i->", s.map(.erf, x)), x), "2/√π · exp(−x²)")
    expect(s.gradient(s.einsum("i->", s.map(.atan, x)), x), "1/(1 + x²)")
    expect(s.gradient(s.einsum("i->", s.map(.sqrt, x)), x), "1/2 · 1/√x")
    expect(s.gradient(s.einsum("i->", s.map(.tan, x)), x), "1 + tan(x)²")
  }

  @Test func quotients() {
    expect(s.einsum("i,i->i", x, s.map(.reciprocal, y)), "x⊘y", ascii: "x./y")
    expect(s.einsum(",->", c, s.map(.reciprocal, s.at(x, 0))), "c/x[0]")
    expect(
      s.einsum(",,->", c, s.map(.reciprocal, s.at(x, 0)), s.map(.reciprocal, s.at(y, 0))), "c/(x[0]·y[0])")
    expect(s.map(.power(-2), c), "1/c²")
    let sums = s.einsum("ij->i", s.map(.exp, a))
    expect(s.einsum("ij,i->ij", s.map(.exp, a), s.map(.reciprocal, sums)), "diag(1/(exp(A)·1))·exp(A)")
  }

  @Test func conditions() {
    let negative = s.map(.less, x, s.number(0))
    expect(negative, "[x < 0]")
    expect(s.map(.select, negative, s.map(.exp, x), s.map(.power(2), x)), "if x < 0 then exp(x) else x²")
    expect(
      s.map(.and, s.map(.not, s.map(.less, x, y)), s.map(.lessEqual, x, c)), "[[¬(x < y)] ∧ [x ≤ c]]",
      ascii: "[[not(x < y)] and [x <= c]]")
    expect(s.gradient(s.einsum("i->", s.map(.relu, s.einsum("ij,j->i", a, x))), x), "Aᵀ·[A·x > 0]")
    // Guards that keep untaken lanes finite say nothing to a reader.
    let power = s.map(.pow, s.at(x, 0), c)
    expect(s.gradient(power, c), "if 0 < x[0] then x[0]^c·log(x[0]) else 0")
  }

  @Test func maxima() {
    let m = graph.reduceMax(x, axes: [0])
    expect(m, "max(x)")
    expect(s.gradient(m, x), "[x = max(x)]/sum([x = max(x)])")
    expect(graph.reduceMax(a, axes: [1]), "entry[i] = maxₙ A[i,n]", ascii: "entry[i] = max_n A[i,n]")
  }

  @Test func constants() {
    let u = s.leaf("u", [2])
    expect(s.einsum("ij,j->i", graph.constant(Tensor([1, 2, 3, 4.5], [2, 2])), u), "[1, 2; 3, 4.5]·u")
    let big = graph.constant(Tensor(repeating: 2, [20, 10]))
    #expect(s.show(s.einsum("ij,j->i", big, x)) == ["C₁·x", "  where C₁ = (20×10 constants)"])
    expect(graph.scaled(0.3, c), "3/10 · c")
    expect(graph.scaled(1.2345678, c), "1.2345678·c")
    expect(graph.scaled(-1, c), "−c")
  }

  /// Index letters keep away from names.
  @Test func letters() {
    let i = s.leaf("i", [4, 5, 6])
    let n = s.leaf("n", [6])
    expect(s.einsum("abc,c->ab", i, n), "entry[j,k] = Σₗ i[j,k,l]·n[l]")
  }

  @Test func names() {
    let z = s.name(s.einsum("ij,j->i", a, x), "z")
    let p = s.name(s.map(.sigmoid, z), "p")
    #expect(s.show(graph.scaled(2, p)) == ["2·p", "  where p = σ(z)", "        z = A·x"])
    #expect(s.show(p) == ["p = σ(z)", "  where z = A·x"])
  }

  @Test func listing() {
    let f = s.name(s.map(.exp, s.einsum("i,i->", x, y, scale: 2)), "f")
    let lines = GraphListing(graph).nodeList([f])
    #expect(lines.count == 5)
    #expect(lines[0] == "#0  leaf x                  10")
    #expect(lines[4].hasSuffix("scalar  f"))
    let dot = GraphListing(graph).dot([f])
    #expect(dot.hasPrefix("digraph {\n"))
    #expect(dot.contains("[label=\"f = exp ->\\nscalar\"];"))
    #expect(dot.hasSuffix("}\n"))
  }
}
