import Graph
import Tensors
import Testing

struct ProbeTests {
  @Test func probe() {
    for style in [MathStyle.unicode, .ascii] {
      func out(_ t: String, _ l: [String]) { print("## " + t); for x in l { print(x) } }
      do {
        let s = Sheet(); let g = s.graph
        let x = s.leaf("x", [2])
        let a = s.map(.power(2), g.affine(1, -1, s.at(x, 0)))
        let b = s.map(.power(2), s.add([(1, s.at(x, 1)), (-1, s.map(.power(2), s.at(x, 0)))]))
        let f = s.add([(1, a), (100, b)])
        out("rosen", s.show(f, "f", style))
        let gr = s.gradient(f, x)
        out("grad", s.show(gr, "∇f", style))
        let h = g.hessianMatrix(f, wrt: [x])
        out("hess", s.show(h, "∇²f", style))
        let p = MathPrinter(g, style: style)
        out("entries", p.entries(of: gr) { MathPrinter.partial("f", $0.map { "x[\($0)]" }, style: style) }?.lines ?? ["nil"])
        out("entries", p.entries(of: h, lowerTriangle: true) { MathPrinter.partial("f", $0.map { "x[\($0)]" }, style: style) }?.lines ?? ["nil"])
        if style == .ascii { out("list", GraphListing(g).nodeList([f])); print(GraphListing(g).dot([f])) }
      }
      do {
        let s = Sheet(); let g = s.graph
        let x = s.leaf("X", [40, 5]); let w = s.leaf("w", [5]); let y = s.leaf("y", [40])
        let z = s.name(s.einsum("nk,k->n", x, w), "z")
        let f = s.einsum("n->", s.add([(1, s.map(.softplus, z)), (-1, s.einsum("n,n->n", y, z))]), scale: 1.0/40)
        out("logreg", s.show(f, "f", style))
        let gr = s.gradient(f, w)
        out("grad", s.show(gr, "∇f", style))
        out("hess", s.show(s.hessian(f, w), "∇²f", style))
        let both = MathPrinter(g, style: style).formulas([("∇f", gr), ("∇²f", s.hessian(f, w))])
        out("both", both.lines)
        let r = s.add([(1, z), (-1, y)])
        let f2 = s.einsum("n->", s.map(.power(2), r), scale: 1.0/40)
        out("lsq", s.show(f2, "f", style))
        out("grad", s.show(s.gradient(f2, w), "∇f", style))
        out("hess", s.show(s.hessian(f2, w), "∇²f", style))
        let f3 = s.add([(1, f2), (0.05, s.einsum("i,i->", w, w))])
        out("ridge", s.show(f3, "f", style))
        out("grad", s.show(s.gradient(f3, w), "∇f", style))
        out("hess", s.show(s.hessian(f3, w), "∇²f", style))
        let h = s.map(.power(2), s.hessian(f, w))
        out("h2", s.show(h, "H2", style))
      }
      do {
        let s = Sheet()
        let u = s.leaf("U", [6, 3]); let v = s.leaf("V", [7, 3]); let r = s.leaf("R", [6, 7])
        let e = s.add([(1, r), (-1, s.einsum("ik,jk->ij", u, v))])
        let f = s.einsum("ij->", s.map(.power(2), e))
        out("mf", s.show(f, "f", style))
        out("grad", s.show(s.gradient(f, u), "∇f", style))
        let b = s.graph.hessianBlocks(f, wrt: [u, v])
        out("UU", s.show(b[0][0], "H.U.U", style))
        out("VU", s.show(b[1][0], "H.V.U", style))
      }
      do {
        let s = Sheet()
        let q = s.leaf("q", [5])
        let m = s.graph.stop(s.graph.reduceMax(q, axes: [0]))
        let f = s.add([(1, s.map(.log, s.einsum("i->", s.map(.exp, s.add([(1, q), (-1, m)]))))), (1, m)])
        out("lse", s.show(f, "f", style))
        out("grad", s.show(s.gradient(f, q), "∇f", style))
        out("hess", s.show(s.hessian(f, q), "∇²f", style))
        let f1 = s.map(.log, s.einsum("i->", s.map(.exp, q)))
        out("lse1", s.show(f1, "f", style))
        out("grad", s.show(s.gradient(f1, q), "∇f", style))
        out("hess", s.show(s.hessian(f1, q), "∇²f", style))
      }
      do {
        let s = Sheet()
        let x = s.leaf("X", [16, 3]); let w = s.leaf("W1", [3, 4]); let b = s.leaf("b1", [4]); let v = s.leaf("v", [4])
        let h = s.map(.tanh, s.add([(1, s.einsum("ni,io->no", x, w)), (1, b)]))
        out("layer", s.show(h, "h", style))
        let f = s.einsum("n->", s.map(.softplus, s.einsum("no,o->n", h, v)))
        out("net", s.show(f, "f", style))
        out("gradW", s.show(s.gradient(f, w), "∇f", style))
        out("gradb", s.show(s.gradient(f, b), "∇f", style))
        out("hessW", s.show(s.hessian(f, w), "∇²f", style))
        let bl = s.graph.hessianBlocks(f, wrt: [w, b, v])
        out("b.W", s.show(bl[1][0], "H.b.W", style))
        out("v.W", s.show(bl[2][0], "H.v.W", style))
      }
    }
  }
}
