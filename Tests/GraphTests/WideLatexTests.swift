import TestSupport
import Testing

@testable import Graph

/// Formulas wider than a page break, and stay LaTeX that compiles.
@Suite struct WideLatexTests {
  private static func x(_ k: Int) -> MathExpression { .name("x\(k)") }
  private static func sum(_ terms: [MathExpression]) -> MathExpression {
    .sum(terms.map { MathTerm(coefficient: 1, body: $0) })
  }
  private static let factors = (0..<12).map { MathExpression.call("sin", [sum([x($0), x($0 + 1)])]) }
  private static let product = MathExpression.product(-3, factors, .scalar)
  private static let manyNames = sum((0..<40).map { x($0) })

  static let wide: [(name: String, formula: MathExpression)] = [
    ("product", product),
    ("pointwise product", .product(1, factors, .pointwise)),
    ("term of a sum", sum([x(1), product, x(2)])),
    ("fraction", .quotient(product, manyNames, elementwise: false)),
    (
      "negative fraction in a product",
      .product(2, [.quotient(product, x(1), elementwise: false), x(2)], .scalar)
    ),
    ("brackets", .product(1, [manyNames, x(1), sum([product, x(3)])], .scalar)),
    ("power", .power(manyNames, 3, rank: 0)),
    ("function", .call("exp", [manyNames])), ("root", .call("sqrt", [manyNames])),
    ("fence", .fence(.norm, manyNames)), ("differential", .differential(manyNames)),
    ("transpose", .transpose(manyNames)), ("inverse", .inverse(manyNames)),
    ("sum over letters", .over("sum", ["i", "j"], product)),
    ("sum over letters of brackets", .product(1, [x(1), .over("sum", ["i"], manyNames)], .scalar)),
    (
      "nested",
      .call(
        "exp", [.product(1, [x(1), .power(sum([.call("log", [manyNames]), x(1)]), 2, rank: 0)], .scalar)])
    ),
  ]

  @Test(arguments: wide.indices) func breaks(_ k: Int) {
    let (name, formula) = Self.wide[k]
    var renderer = LaTeXRenderer(names: [:])
    let lines = renderer.lines(formula, width: 50)
    let rows = lines.enumerated().map { LaTeX.AlignedLine.row($0 == 0 ? "y &= \($1)" : "&\\quad \($1)") }
    let fault = LaTeXReader.fault(in: LaTeX.aligned(rows).joined(separator: "\n"))
    #expect(fault == nil, "\(name): \(lines)")
    for line in lines { #expect(LaTeX.width(line) <= 56, "\(name): \(LaTeX.width(line)) \(line)") }
    // Nothing is lost on the way: the same letters and signs as on one line.
    let atoms = { (text: String) in text.filter { $0.isNumber || "+-()".contains($0) }.sorted() }
    let whole = renderer.lines(formula, width: .max)
    #expect(whole.count == 1 && atoms(whole.joined()) == atoms(lines.joined()), "\(name)")
  }

  @Test(arguments: [
    ("x_{1} + y", 5), ("\\frac{a + b}{c}", 5), ("\\left(x\\right)", 3), ("\\sin\\left(x\\right)", 6),
    ("\\begin{aligned} & a + b + c \\\\ &\\quad + d \\end{aligned} x", 8), ("\\tfrac{1}{2} \\, x", 3),
  ]) func measures(text: String, width: Int) { #expect(LaTeX.width(text) == width) }
}
