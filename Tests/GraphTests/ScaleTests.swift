import Graph
import Tensors
import Testing

/// Large graphs print in bounded time, stack and text.
struct ScaleTests {
  let s = Sheet()

  @Test func longChain() {
    var y = s.leaf("x", [])
    for _ in 0..<50_000 { y = s.map(.sin, s.graph.affine(1, 2, y)) }
    let lines = s.show(y, "f")
    #expect(lines[0] == "f = sin(1 + 2·sin(1 + 2·sin(1 + 2·sin(1 + 2·sin(1 + 2·sin(1 + 2·sin(t₁)))))))")
    #expect(lines.count == 26)
    #expect(lines.last == "        …")
    let nodes = GraphListing(s.graph, limit: 10).nodeList([y])
    #expect(nodes.count == 11)
    #expect(nodes[0] == "… 99992 more nodes")
  }

  @Test func deepSharing() {
    var y = s.leaf("x", [])
    for _ in 0..<200 { y = s.graph.multiplied(s.map(.exp, y), s.map(.sin, y)) }
    let lines = s.show(y, "f")
    #expect(lines.count < 30)
    #expect(lines[0] == "f = exp(exp(t₁)·sin(t₁))·sin(exp(t₁)·sin(t₁))")
    #expect(lines.last == "        …")
  }

  @Test func wideSum() {
    let x = s.leaf("x", [1000])
    let f = s.graph.add((0..<1000).map { s.map(.power(2), s.at(x, $0)) }, shape: [])
    let lines = s.show(f, "f", width: 80)
    #expect(lines.allSatisfy { $0.count <= 80 })
    #expect(lines[0].hasPrefix("f = x[0]² + x[1]² + x[2]² + "))
    #expect(lines.last?.hasSuffix(" + x[39]² + …") == true)
  }

  @Test func longLinesBreakAtOperators() {
    let names = ["alpha", "beta", "gamma", "delta", "epsilon"].map { s.leaf($0, []) }
    let f = s.add(names.map { (1.5, s.map(.power(2), $0)) } + [(1, s.map(.exp, names[0]))])
    #expect(
      s.show(f, "f", width: 40) == [
        "f = 3/2 · alpha² + exp(alpha)", "    + 3/2 · beta² + 3/2 · delta²",
        "    + 3/2 · epsilon² + 3/2 · gamma²",
      ])
  }
}
