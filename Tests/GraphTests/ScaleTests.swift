import Graph
import Tensors
import Testing

/// Large graphs print in bounded time, stack and text.
struct ScaleTests {
  @Test func longChain() {
    let s = Sheet()
    var y = s.leaf("x", [])
    for _ in 0..<50_000 { y = s.map(.sin, s.graph.affine(1, 2, y)) }
    let lines = s.show(y, "f")
    print(lines.joined(separator: "\n"))
    #expect(lines.count < 60)
    #expect(lines.last == "        …")
    let entries = GraphListing(s.graph, limit: 10).nodeList([y])
    print(entries)
    #expect(entries.count == 11)
  }

  @Test func deepSharing() {
    let s = Sheet()
    var y = s.leaf("x", [])
    for _ in 0..<200 { y = s.graph.multiplied(s.map(.exp, y), s.map(.sin, y)) }
    let lines = s.show(y, "f")
    print(lines.joined(separator: "\n"))
    #expect(lines.count < 30)
    #expect(lines[0] == "f = exp(t₁)·sin(t₁)")
  }

  @Test func wideSum() {
    let s = Sheet()
    let x = s.leaf("x", [1000])
    let f = s.graph.add((0..<1000).map { s.map(.power(2), s.at(x, $0)) }, shape: [])
    let lines = s.show(f, "f", width: 80)
    print(lines.joined(separator: "\n"))
    #expect(lines.allSatisfy { $0.count <= 80 })
    #expect(lines.last?.hasSuffix("…") == true)
    let g = s.gradient(f, x)
    print(s.show(g, "g", width: 80).joined(separator: "\n"))
  }
}
